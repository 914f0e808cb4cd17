//! Of several damages of a journal the first is named, whichever of them is decoded first.

use sumun::audit::verify_store;
use sumun::domain::entry::{Actor, Change, Entry, Hash};
use sumun::domain::ids::Seq;
use sumun::journal::block::Block;
use sumun::journal::recovery::recover;

use crate::check::journal;
use crate::tamper::{JOURNAL, evening, named, named_by_recovery, tampered, with_store};

/// Blocks of two entries. A block is decoded on one thread, and twenty of them are handed to all
/// threads together.
const BLOCKS: usize = 70;
const PROGRAM_BYTES: usize = 25_000;

/// A file whose journal goes on after the evening, and the blocks that were added.
fn long_journal() -> (Vec<u8>, Vec<Block>) {
    let short = evening();
    let (last, mut previous) = with_store(&short, |store| {
        let last = journal(&store.read().unwrap(), 0).pop().unwrap();
        let hash = last.encode(&mut Vec::new());
        (last, hash)
    });
    let mut next = |seq: u64| {
        let entry = Entry {
            seq: Seq(seq),
            stamp: last.stamp,
            previous,
            actor: Actor::System,
            change: Change::Started {
                program: "x".repeat(PROGRAM_BYTES),
            },
        };
        previous = entry.encode(&mut Vec::new());
        entry
    };
    let firsts = (0..BLOCKS).map(|block| last.seq.0 + 1 + 2 * block as u64);
    let blocks = firsts.map(|first| Block::of(&[next(first), next(first + 1)]));
    let blocks: Vec<Block> = blocks.map(|block| block.expect("two entries")).collect();
    let long = tampered(&short, |write| {
        let mut journal = write.open_table(JOURNAL).unwrap();
        for block in &blocks {
            journal
                .insert(block.first.0, block.bytes.as_slice())
                .unwrap();
        }
    });
    (long, blocks)
}

/// What is done to a block of two entries.
#[derive(Clone, Copy, Debug)]
enum Damage {
    /// Its first entry is of a version that nobody knows: it can't be decoded.
    Version,
    /// The same of its second entry: the first can be decoded.
    LastVersion,
    /// A letter of its first entry: the second does not follow it.
    Letter,
    /// A letter of its second entry: the first of the next block does not follow it.
    LastLetter,
}

const DAMAGES: [Damage; 4] = [
    Damage::Version,
    Damage::LastVersion,
    Damage::Letter,
    Damage::LastLetter,
];

impl Damage {
    /// The bytes of the block after it, and the entry that it is found at.
    fn of(self, block: &Block) -> (Vec<u8>, u64) {
        let half = block.bytes.len() / 2;
        let (at, found_after) = match self {
            Self::Version => (4, 0),
            Self::LastVersion => (half + 4, 1),
            Self::Letter => (half / 2, 1),
            Self::LastLetter => (half + half / 2, 2),
        };
        let mut bytes = block.bytes.clone();
        bytes[at] ^= 1;
        (bytes, block.first.0 + found_after)
    }
}

#[test]
fn of_two_damages_in_different_parts_of_a_journal_the_first_is_named() {
    let (long, blocks) = long_journal();
    let whole = with_store(&long, |store| {
        verify_store(&store.read().unwrap(), None).map(|(verified, _)| verified)
    });
    let whole = whole.expect("a longer journal verifies");
    assert_eq!(Some(whole.last), blocks.last().map(|block| block.last().0));
    assert_eq!(
        Hash::parse(&whole.hash),
        blocks.last().map(|last| last.head)
    );
    // Neighbours, in two parts of the same piece of work, in two pieces, and far apart.
    for (first, second) in [(3, 4), (5, 16), (18, 22), (8, 60), (25, 69)] {
        for (damage, other) in DAMAGES.iter().flat_map(|a| DAMAGES.map(|b| (*a, b))) {
            let (changed, expected) = damage.of(&blocks[first]);
            let (also_changed, _) = other.of(&blocks[second]);
            let bytes = tampered(&long, |write| {
                let mut journal = write.open_table(JOURNAL).unwrap();
                for (at, bytes) in [(first, changed), (second, also_changed)] {
                    journal
                        .insert(blocks[at].first.0, bytes.as_slice())
                        .unwrap();
                }
            });
            with_store(&bytes, |store| {
                let read = store.read().unwrap();
                let what = format!("{damage:?} in {first}, {other:?} in {second}");
                let fault = verify_store(&read, None).map(|_| ()).expect_err(&what);
                assert_eq!(named(&fault), Some(expected), "{what}: {fault}");
                let fault = recover(&read).map(|_| ()).expect_err(&what);
                assert_eq!(named_by_recovery(&fault), Some(expected), "{what}: {fault}");
            });
        }
    }
}
