//! The thread of a follower that fails and panics, on a journal that grows.

use super::*;
use crate::domain::entry::{Actor, Change, Entry, Hash};
use crate::domain::ids::{CampaignIndex, LineIndex};
use crate::domain::state::State;
use crate::domain::time::Stamp;
use crate::journal::Log as _;
use crate::journal::block::Block;

/// What survives of a follower: what it made durable.
#[derive(Default)]
struct Disk {
    durable: Mutex<Vec<u64>>,
    /// What the next takes do: fail, or panic, after one entry of the piece.
    faults: Mutex<Vec<Fault>>,
}

#[derive(Clone, Copy, PartialEq)]
enum Fault {
    Error,
    Panic,
}

/// Keeps the numbers of the entries.
struct Keeps {
    disk: Arc<Disk>,
    taken: Vec<u64>,
}

impl Keeps {
    fn begin(disk: &Arc<Disk>) -> Self {
        Self {
            disk: Arc::clone(disk),
            taken: locked(&disk.durable).clone(),
        }
    }
}

impl Follower for Keeps {
    fn next(&self) -> Seq {
        Seq(self.taken.len() as u64 + 1)
    }

    fn take(&mut self, piece: &Piece) -> Result<(), FollowFault> {
        for (seq, bytes) in piece.entries() {
            assert_eq!(Entry::decode(bytes).unwrap().seq, seq);
            self.taken.push(seq.0);
            let fault = locked(&self.disk.faults).pop();
            match fault {
                Some(Fault::Panic) => panic!("a follower panics, as this test wants"),
                Some(Fault::Error) => {
                    return Err(FollowFault::File {
                        what: "the disk".to_owned(),
                        error: std::io::Error::from(std::io::ErrorKind::StorageFull),
                    });
                }
                None => {}
            }
        }
        Ok(())
    }

    fn settle(&mut self) -> Result<Seq, FollowFault> {
        locked(&self.disk.durable).clone_from(&self.taken);
        Ok(Seq(self.taken.len() as u64))
    }
}

fn store(folder: &tempfile::TempDir) -> Arc<Store> {
    Arc::new(Store::create(&folder.path().join("sumun.redb")).unwrap())
}

fn commit(store: &Store, seqs: std::ops::RangeInclusive<u64>) {
    let entry = |seq: u64| Entry {
        seq: Seq(seq),
        stamp: Stamp(0),
        previous: Hash::NONE,
        actor: Actor::System,
        change: Change::ServingAdvanced {
            campaign: CampaignIndex(0),
            line: LineIndex(0),
            serving: seq,
        },
    };
    let entries: Vec<_> = seqs.map(entry).collect();
    store.append(Block::of(&entries).unwrap()).unwrap();
}

#[test]
fn a_piece_begins_in_the_middle_of_a_block_and_has_an_end() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder);
    commit(&store, 1..=5);
    commit(&store, 6..=30_000);
    commit(&store, 30_001..=30_002);
    let mut piece = Piece::default();
    let read = |piece: &mut Piece, from| {
        let is_more = piece.read(&store, Seq(from)).unwrap();
        let seqs: Vec<u64> = piece.entries().map(|(seq, _)| seq.0).collect();
        (is_more, seqs)
    };
    assert_eq!(read(&mut piece, 4), (true, (4..=30_000).collect()));
    assert_eq!(read(&mut piece, 30_001), (false, vec![30_001, 30_002]));
    assert_eq!(read(&mut piece, 30_002), (false, vec![30_002]));
    assert_eq!(read(&mut piece, 30_003), (false, vec![]));
}

#[test]
fn a_gap_in_the_journal_is_a_fault_and_is_not_skipped() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder);
    commit(&store, 1..=2);
    commit(&store, 4..=5);
    let mut piece = Piece::default();
    piece.read(&store, Seq(1)).unwrap();
    assert_eq!(piece.entries().len(), 2);
    let fault = piece.read(&store, Seq(3)).unwrap_err();
    assert!(matches!(fault, FollowFault::Gap(Seq(3))), "{fault}");
}

#[test]
fn a_follower_that_fails_and_panics_has_every_entry_once_in_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder);
    let shared = Arc::new(Shared::new(State::default(), Arc::default()));
    let disk = Arc::new(Disk::default());
    *locked(&disk.faults) = vec![Fault::Error, Fault::Panic, Fault::Error];
    commit(&store, 1..=10);
    let kept = Arc::clone(&disk);
    let begin = move |_: &Store| Ok(Keeps::begin(&kept));
    let following = Following::start("keeps", Arc::clone(&store), &shared, begin).unwrap();
    let began = tick();
    loop {
        let behind = shared.followers.behind(Seq(10)).remove(0);
        assert_eq!(behind.name, "keeps");
        if behind.entries == 0 && locked(&disk.faults).is_empty() {
            assert_eq!((behind.seconds, behind.fault), (0, None));
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{behind:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(shared.followers.behind(Seq(12))[0].entries, 2);
    let seen = shared.watch.look();
    assert_eq!((seen[0].name, seen[0].restarts), ("keeps", 1));
    commit(&store, 11..=12);
    following.finish();
    assert_eq!(*locked(&disk.durable), (1..=12).collect::<Vec<_>>());
}

/// Its fault is told until it goes on.
#[test]
fn a_fault_that_lasts_is_known_and_logged_seldom() {
    let mut told = Told::default();
    assert!(told.is_new("no room"));
    assert!(!told.is_new("no room"));
    assert!(told.is_new("broken"));
}
