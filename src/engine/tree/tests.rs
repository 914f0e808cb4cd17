//! The follower over a made journal: in any steps, over damaged and missing tiles, and over a
//! journal that an older one took the place of.

use std::fs;

use super::*;
use crate::clock::Entropy;
use crate::domain::entry::{Actor, Change};
use crate::domain::ids::{CampaignIndex, LineIndex};
use crate::domain::time::Stamp;
use crate::journal::Log as _;
use crate::journal::block::{Block, push_entry};
use crate::tree::range::Range;

/// A journal on disk, the folder of its tree, and what its tree has to be.
struct World {
    folder: tempfile::TempDir,
    keys: Arc<Keys>,
    key: VerifierKey,
    store: Store,
    head: Hash,
    tree: Range,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = Arc::new(Keys::generate(&Entropy::system()));
        let key = keys.checkpoint_key("record.example/1", 1).unwrap();
        let mut world = Self {
            store: Store::create(&folder.path().join("sumun.redb")).unwrap(),
            folder,
            keys,
            key,
            head: Hash::NONE,
            tree: Range::at(0),
        };
        world.commit(1, 0);
        world
    }

    /// The same with another journal, as after an older copy was restored.
    fn with_another_journal(mut self, entries: u64, mark: u64) -> Self {
        self.store.close().unwrap();
        self.store = Store::create(&self.folder.path().join("other.redb")).unwrap();
        (self.head, self.tree) = (Hash::NONE, Range::at(0));
        self.commit(1, 0);
        self.commit(entries - 1, mark);
        self
    }

    /// Commits so many entries; `mark` makes them others.
    fn commit(&mut self, count: u64, mark: u64) {
        let mut block = Vec::new();
        for seq in self.tree.end() + 1..=self.tree.end() + count {
            let entry = Entry {
                seq: Seq(seq),
                stamp: Stamp(seq as i64),
                previous: self.head,
                actor: Actor::System,
                change: Change::ServingAdvanced {
                    campaign: CampaignIndex(0),
                    line: LineIndex(0),
                    serving: mark,
                },
            };
            let mut bytes = Vec::new();
            self.head = push_entry(&mut bytes, &entry);
            self.tree.push(leaf(&bytes[4..]));
            block.push(entry);
        }
        for block in block.chunks(1_000) {
            self.store.append(Block::of(block).unwrap()).unwrap();
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("tree")
    }

    fn resume(&self) -> Growing {
        let record = Arc::new(Record::new(&self.path(), self.key.clone()));
        Growing::resume(&self.store, &record, &self.keys).unwrap()
    }

    /// Takes everything and makes it durable.
    fn follow(&self, growing: &mut Growing) {
        let mut piece = Piece::default();
        while piece.read(&self.store, growing.next()).unwrap() || piece.entries().len() > 0 {
            growing.take(&piece).unwrap();
        }
        growing.settle().unwrap();
    }

    /// The checkpoint and every tile are those of the journal, and each entry is proved.
    fn assert_whole(&self, growing: &Growing, when: &str) {
        let record = &growing.record;
        let note = record.folder().checkpoint().unwrap().unwrap();
        let signed = Signed::open(&note, &self.key).unwrap();
        assert_eq!(record.latest().as_deref(), Some(&signed), "{when}");
        let Checkpoint { size, root, .. } = signed.checkpoint;
        assert_eq!(size, self.tree.end(), "{when}");
        assert_eq!(Some(root), self.tree.root(), "{when}");
        record
            .folder()
            .check(size, &root)
            .unwrap_or_else(|fault| panic!("{when}: {fault}"));
        let read = self.store.read().unwrap();
        for seq in [1, size / 2 + 1, size] {
            let proved = record.proved(&read, Seq(seq)).unwrap();
            let leaf = leaf(&proved.inclusion.extra.clone().unwrap());
            assert_eq!(
                proved.inclusion.check(&leaf, &self.key).unwrap(),
                signed,
                "{when}"
            );
        }
    }
}

#[test]
fn a_tree_that_grows_in_any_steps_over_restarts_is_the_tree_of_the_journal() {
    let mut world = World::new();
    let mut growing = world.resume();
    for (count, restarts) in [
        (1, false),
        (253, true),
        (1, true),
        (1, false),
        (700, true),
        (66_000, true),
    ] {
        world.commit(count, count);
        world.follow(&mut growing);
        world.assert_whole(&growing, &format!("{count} more"));
        if restarts {
            growing = world.resume();
            assert_eq!(
                growing.next().0,
                world.tree.end() + 1,
                "goes on where it was"
            );
            world.assert_whole(&growing, &format!("a start after {count} more"));
        }
    }
    // No partial tile is left where a full one is.
    let zero = world.path().join("tile/0");
    assert!(zero.join("000").exists() && !zero.join("000.p").exists());
}

#[test]
fn an_entry_that_is_not_in_a_checkpoint_yet_is_said_to_be_so() {
    let mut world = World::new();
    let mut growing = world.resume();
    let read = world.store.read().unwrap();
    let none = growing
        .record
        .proved(&read, Seq(1))
        .unwrap_err()
        .to_string();
    assert!(none.contains("has 0 entries"), "{none}");
    world.follow(&mut growing);
    world.commit(1, 0);
    let read = world.store.read().unwrap();
    let later = growing
        .record
        .proved(&read, Seq(2))
        .unwrap_err()
        .to_string();
    assert!(later.contains("has 1 entries"), "{later}");
    world.follow(&mut growing);
    growing.record.proved(&read, Seq(2)).unwrap();
    assert!(matches!(
        growing.record.continued(3),
        Err(NotProved::TooLarge { old: 3, size: 2 })
    ));
}

/// Looks at all tiles, as the thread does second by second; whether it began anew.
fn looked_at_all(world: &World, growing: &mut Growing) -> bool {
    let before = growing.settled;
    for _ in 0..5 {
        growing.look(&world.store).unwrap();
    }
    growing.settled < before
}

#[test]
fn tiles_that_are_damaged_or_missing_are_written_anew() {
    let mut world = World::new();
    world.commit(67_000, 1);
    world.follow(&mut world.resume());
    type Damage = fn(&Path);
    let damages: [(&str, Damage); 8] = [
        ("tile/0/100", |file| fs::remove_file(file).unwrap()),
        ("tile/0/100", |file| flip(file, 77)),
        ("tile/0/100", |file| fs::write(file, []).unwrap()),
        ("tile/1/000", |file| flip(file, 8_191)),
        ("tile/2/000.p/1", |file| fs::remove_file(file).unwrap()),
        ("tile/0/261.p/185", |file| flip(file, 0)),
        ("tile", |folder| fs::remove_dir_all(folder).unwrap()),
        ("position", |file| fs::write(file, "{").unwrap()),
    ];
    for (name, damage) in damages {
        let mut growing = world.resume();
        world.follow(&mut growing);
        world.assert_whole(&growing, "before");
        damage(&world.path().join(name));
        let mut growing = world.resume();
        let is_anew = growing.settled == 0 || looked_at_all(&world, &mut growing);
        assert!(is_anew, "{name}: the damage was not seen");
        world.follow(&mut growing);
        world.assert_whole(&growing, name);
    }
    assert!(
        !looked_at_all(&world, &mut world.resume()),
        "whole tiles are left alone"
    );
}

fn flip(file: &Path, at: usize) {
    let mut bytes = fs::read(file).unwrap();
    bytes[at] ^= 1;
    fs::write(file, bytes).unwrap();
}

#[test]
fn a_proof_out_of_damaged_tiles_is_not_given_and_makes_the_follower_write_them_anew() {
    let mut world = World::new();
    world.commit(1_000, 1);
    let mut growing = world.resume();
    world.follow(&mut growing);
    while !growing.looking.is_round {
        growing.look(&world.store).unwrap();
    }
    flip(&world.path().join("tile/0/001"), 40);
    let read = world.store.read().unwrap();
    let told = growing
        .record
        .proved(&read, Seq(300))
        .unwrap_err()
        .to_string();
    assert!(told.contains("written anew"), "{told}");
    growing.look(&world.store).unwrap();
    assert_eq!(growing.next(), Seq(1));
    // What was published is not taken back while it is written, and nothing smaller is signed.
    assert_eq!(growing.record.latest().unwrap().checkpoint.size, 1_001);
    growing.settle().unwrap();
    assert_eq!(growing.record.latest().unwrap().checkpoint.size, 1_001);
    world.follow(&mut growing);
    world.assert_whole(&growing, "anew");
}

#[test]
fn a_tree_of_another_journal_is_set_aside_whole_and_none_of_its_checkpoints_is_continued() {
    // Shorter than it, longer than it, of the same length, and longer than what is taken at once.
    for (before, entries) in [(300, 200), (300, 400), (300, 301), (25_000, 30_000)] {
        for without_position in [false, true] {
            let mut world = World::new();
            world.commit(before, 1);
            world.follow(&mut world.resume());
            let note = fs::read_to_string(world.path().join(CHECKPOINT)).unwrap();
            if without_position {
                fs::remove_file(world.path().join(POSITION)).unwrap();
            }
            let world = world.with_another_journal(entries, 2);
            let mut growing = world.resume();
            world.follow(&mut growing);
            let when = format!("{entries} entries, without position: {without_position}");
            world.assert_whole(&growing, &when);
            let aside = world.path().join("set-aside-1");
            assert_eq!(
                fs::read_to_string(aside.join(CHECKPOINT)).unwrap(),
                note,
                "{when}"
            );
            let old = Signed::unchecked(&note).unwrap().checkpoint;
            if let Ok(continued) = growing.record.continued(old.size) {
                let signed = Signed::open(&continued.note, &world.key).unwrap();
                assert!(continued.check(&old.root, &signed).is_err(), "{when}");
            }
        }
    }
}

#[test]
fn a_disk_without_room_stops_the_tree_and_it_goes_on() {
    let mut world = World::new();
    world.commit(600, 1);
    let mut growing = world.resume();
    // A file where the tiles' folder belongs.
    fs::write(world.path().join("tile"), "").unwrap();
    let mut piece = Piece::default();
    piece.read(&world.store, Seq(1)).unwrap();
    assert!(growing.take(&piece).is_err());
    assert_eq!(growing.next(), Seq(602), "what was hashed is kept");
    assert!(growing.settle().is_err());
    assert!(
        !world.path().join(CHECKPOINT).exists(),
        "nothing is signed that is not written"
    );
    fs::remove_file(world.path().join("tile")).unwrap();
    growing.settle().unwrap();
    world.assert_whole(&growing, "with room again");
}

/// An older checkpoint is continued, whatever the sizes.
#[test]
fn every_older_checkpoint_is_continued() {
    let mut world = World::new();
    let mut growing = world.resume();
    let mut kept = Vec::new();
    for count in [0, 1, 2, 250, 3, 300, 1_000] {
        world.commit(count, count);
        world.follow(&mut growing);
        kept.push(growing.record.latest().unwrap());
    }
    let newest = growing.record.latest().unwrap();
    for old in kept {
        let continued = growing.record.continued(old.checkpoint.size).unwrap();
        assert_eq!(continued.check(&old.checkpoint.root, &newest), Ok(()));
        assert!(continued.check(&Hash([1; 32]), &newest).is_err());
    }
}
