//! The log of a made journal, cut at every byte, on a disk that is full, beside a wrong position.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::*;
use crate::domain::entry::{Actor, Change, GateAct};
use crate::domain::ids::{CampaignIndex, LineIndex};
use crate::journal::Log as _;
use crate::journal::block::{Block, push_entry};

const DAY_NS: i64 = 86_400 * Stamp::SECOND;
/// 23:59:58 on 19 July 2021: some entries later it is the next day.
const EVENING: Stamp = Stamp(1_626_739_198 * Stamp::SECOND);

/// A journal on disk, and the folder of its log.
struct World {
    folder: tempfile::TempDir,
    store: Store,
    next: Seq,
    head: Hash,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(&folder.path().join("sumun.redb")).unwrap();
        Self {
            folder,
            store,
            next: Seq(1),
            head: Hash::NONE,
        }
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// Commits these changes in one block, a second apart.
    fn commit(&mut self, changes: impl IntoIterator<Item = Change>) {
        let mut block = Vec::new();
        for change in changes {
            let entry = Entry {
                seq: self.next,
                stamp: EVENING.plus_s(self.next.0 as i64 - 1),
                previous: self.head,
                actor: Actor::System,
                change,
            };
            self.head = push_entry(&mut Vec::new(), &entry);
            self.next.0 += 1;
            block.push(entry);
        }
        self.store.append(Block::of(&block).unwrap()).unwrap();
    }

    /// A journal of two days: short entries, one of the longest among them.
    fn two_days() -> Self {
        let mut world = Self::new();
        world.commit([small(1)]);
        world.commit([small(2), large(), small(3)]);
        world.commit([small(4), small(5)]);
        world
    }

    fn resume(&self) -> DayLog {
        DayLog::resume(&self.store, &self.log(), Disk::real()).unwrap()
    }

    /// All files of the log, by name.
    fn files(&self) -> Vec<(String, Vec<u8>)> {
        let days = files::days_in(&self.log()).unwrap();
        let read = |day: Day| {
            let name = name_of(day);
            let bytes = fs::read(self.log().join(&name)).unwrap();
            (name, bytes)
        };
        days.into_iter().map(read).collect()
    }

    /// What the log has to be: every entry once, in order, on its day.
    fn expected(&self) -> Vec<(String, Vec<u8>)> {
        let mut files: Vec<(String, Vec<u8>)> = Vec::new();
        let mut piece = Piece::default();
        piece.read(&self.store, Seq(1)).unwrap();
        for (_, bytes) in piece.entries() {
            let entry = Entry::decode(bytes).unwrap();
            let name = name_of(day_of(entry.stamp));
            if files.last().is_none_or(|(last, _)| *last != name) {
                files.push((name, Vec::new()));
            }
            line_of(&entry, bytes, true, &mut files.last_mut().unwrap().1);
        }
        assert_eq!(files.len(), 2);
        files
    }

    fn assert_whole(&self, when: &str) {
        let (found, expected) = (self.files(), self.expected());
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found.0, expected.0, "{when}");
            assert!(
                found.1 == expected.1,
                "{when}: {} has {} bytes, {} expected",
                found.0,
                found.1.len(),
                expected.1.len()
            );
        }
        assert_eq!(found.len(), expected.len(), "{when}");
    }
}

fn small(number: u64) -> Change {
    Change::ServingAdvanced {
        campaign: CampaignIndex(0),
        line: LineIndex(0),
        serving: number,
    }
}

/// An entry as long as any, whose line is longer still: it has 350 kB.
fn large() -> Change {
    Change::GateSet {
        campaign: CampaignIndex(0),
        act: GateAct::Message {
            text: "\u{1}".repeat(59_000),
        },
    }
}

/// Takes all that is committed, or as much as can be.
fn catch_up(log: &mut DayLog, store: &Store) -> Result<(), FollowFault> {
    let mut piece = Piece::default();
    loop {
        let is_more = piece.read(store, log.next())?;
        log.take(&piece)?;
        if !is_more {
            return Ok(());
        }
    }
}

#[test]
fn every_entry_is_one_line_in_the_file_of_its_day() {
    let mut world = World::two_days();
    let mut log = world.resume();
    catch_up(&mut log, &world.store).unwrap();
    world.assert_whole("after one look");
    assert_eq!(log.settle().unwrap(), Seq(6));
    world.commit([small(6)]);
    let mut log = world.resume();
    assert_eq!(log.next(), Seq(7));
    catch_up(&mut log, &world.store).unwrap();
    world.assert_whole("after another start");
}

/// Lengths to which a file may be cut: all of a short file, and some of a long one.
fn cuts(bytes: &[u8]) -> impl Iterator<Item = usize> {
    let length = bytes.len();
    let step = if length < 10_000 { 1 } else { 99_991 };
    let near_the_end = (length.saturating_sub(1_000)..=length).step_by(step.min(97));
    (0..length).step_by(step).chain(near_the_end)
}

/// A crash leaves any beginning of what was written: with or without the position of before.
#[test]
fn a_log_that_a_crash_cut_at_any_byte_is_whole_after_the_next_look() {
    let mut short = World::new();
    short.commit([small(1), small(2), small(3)]);
    short.commit([small(4)]);
    cut_everywhere(&short);
    cut_everywhere(&World::two_days());
}

fn cut_everywhere(world: &World) {
    let mut settled_early = world.resume();
    let mut piece = Piece::default();
    piece.read(&world.store, Seq(1)).unwrap();
    settled_early.take(&piece).unwrap();
    settled_early.settle().unwrap();
    let position = fs::read(world.log().join(POSITION)).unwrap();
    let whole = world.files();
    for (at, (name, bytes)) in whole.iter().enumerate() {
        for length in cuts(bytes) {
            for with_position in [false, true] {
                for (name, bytes) in &whole[..at] {
                    fs::write(world.log().join(name), bytes).unwrap();
                }
                for (name, _) in &whole[at + 1..] {
                    let _ = fs::remove_file(world.log().join(name));
                }
                fs::write(world.log().join(name), &bytes[..length]).unwrap();
                // A position that is ahead of its file never fits; one of the first line may.
                let _ = fs::remove_file(world.log().join(POSITION));
                if with_position {
                    fs::write(world.log().join(POSITION), &position).unwrap();
                    // The file of the position was not put away by anybody.
                    let last = &whole.last().unwrap().0;
                    if *last != *name {
                        fs::write(world.log().join(last), b"").unwrap();
                    }
                }
                let when = format!("{name} cut to {length} ({with_position})");
                let mut log = world.resume();
                let lines = whole[..at].iter().map(|(_, bytes)| &bytes[..]);
                let lines = lines.chain([&bytes[..length]]);
                let last = lines.map(|bytes| bytes.iter().filter(|byte| **byte == b'\n').count());
                assert_eq!(log.next().0, 1 + last.sum::<usize>() as u64, "{when}");
                // The writing itself waits for the disk, so not after each.
                if length % 50 == 0 || length + 2 > bytes.len() {
                    catch_up(&mut log, &world.store).unwrap();
                    world.assert_whole(&when);
                }
            }
        }
    }
}

/// The position is durable and older than the file: what lies behind it is written again.
#[test]
fn what_lies_behind_the_position_is_cut_and_written_again() {
    let mut world = World::two_days();
    let mut log = world.resume();
    catch_up(&mut log, &world.store).unwrap();
    log.settle().unwrap();
    world.commit([small(6), small(7)]);
    catch_up(&mut log, &world.store).unwrap();
    let (name, bytes) = world.files().pop().unwrap();
    // A loss of power may leave anything there: nothing, zeros, a part of a line, a whole file.
    let settled = log.settled.bytes as usize;
    let mut zeros = bytes.clone();
    zeros[settled..].fill(0);
    let mut torn_in_the_middle = bytes.clone();
    torn_in_the_middle[settled + 5..settled + 40].fill(0);
    for left in [&bytes[..settled], &zeros, &torn_in_the_middle, &bytes] {
        fs::write(world.log().join(&name), left).unwrap();
        let mut log = world.resume();
        assert_eq!(log.next(), Seq(7));
        catch_up(&mut log, &world.store).unwrap();
        world.assert_whole("after a loss of power");
    }
}

#[test]
fn a_position_that_is_missing_or_damaged_is_not_needed() {
    let world = World::two_days();
    let mut log = world.resume();
    catch_up(&mut log, &world.store).unwrap();
    log.settle().unwrap();
    let path = world.log().join(POSITION);
    let good = fs::read_to_string(&path).unwrap();
    let hash = log.taken.hash.to_string();
    let file = name_of(log.taken.day.unwrap());
    let bytes = format!("\"bytes\":{}", log.taken.bytes);
    for wrong in [
        String::new(),
        "{}".to_owned(),
        "\u{0}\u{0}\u{0}\u{0}".to_owned(),
        good[..good.len() / 2].to_owned(),
        good.replace("\"seq\":6", "\"seq\":5"),
        good.replace(&hash, &Hash::of(b"another").to_string()),
        good.replace(&file, "../../etc/passwd"),
        good.replace(&bytes, "\"bytes\":1"),
        good.replace(&bytes, "\"bytes\":999999999"),
    ] {
        assert_ne!(wrong, good);
        fs::write(&path, &wrong).unwrap();
        let mut log = world.resume();
        assert_eq!(log.next(), Seq(7), "{wrong}");
        catch_up(&mut log, &world.store).unwrap();
        world.assert_whole(&wrong);
    }
    fs::remove_file(&path).unwrap();
    assert_eq!(world.resume().next(), Seq(7));
}

/// Somebody archives the days' files: what was logged is in their hands and is not logged again.
#[test]
fn the_log_goes_on_behind_files_that_were_put_away() {
    let mut world = World::two_days();
    let mut log = world.resume();
    catch_up(&mut log, &world.store).unwrap();
    log.settle().unwrap();
    for (name, _) in world.files() {
        fs::remove_file(world.log().join(name)).unwrap();
    }
    world.commit([small(6)]);
    let mut log = world.resume();
    catch_up(&mut log, &world.store).unwrap();
    let found = world.files();
    let lines = found[0].1.split_inclusive(|byte| *byte == b'\n');
    assert_eq!((found.len(), lines.count()), (1, 1));
    assert!(found[0].1.starts_with(b"{\"seq\":7,"));
}

/// While it is written, somebody changes the newest file. The log goes on without a gap: a file
/// that was moved away keeps what it had, what was lost out of one is written again.
#[test]
fn a_file_that_is_changed_under_the_log_is_noticed() {
    type Harm = fn(&Path, &Path);
    let written_again: [(&str, Harm); 4] = [
        ("cut within a line", |file, _| {
            let length = fs::metadata(file).unwrap().len();
            let opened = File::options().write(true).open(file).unwrap();
            opened.set_len(length - 7).unwrap();
        }),
        ("emptied", |file, _| fs::write(file, b"").unwrap()),
        ("more behind it", |file, _| {
            let mut opened = File::options().append(true).open(file).unwrap();
            opened.write_all(b"somebody's note\n").unwrap();
        }),
        ("a copy in its place", |file, _| {
            let bytes = fs::read(file).unwrap();
            fs::remove_file(file).unwrap();
            fs::write(file, bytes).unwrap();
        }),
    ];
    let kept: [(&str, Harm); 2] = [
        ("moved away", |file, aside| fs::rename(file, aside).unwrap()),
        ("the folder moved away", |file, aside| {
            fs::rename(file, aside).unwrap();
            fs::remove_dir_all(file.parent().unwrap()).unwrap();
        }),
    ];
    for ((when, harm), is_kept) in
        (written_again.map(|harm| (harm, false)).into_iter()).chain(kept.map(|harm| (harm, true)))
    {
        let mut world = World::two_days();
        let mut log = world.resume();
        catch_up(&mut log, &world.store).unwrap();
        log.look(&world.store).unwrap();
        assert_eq!(log.next(), Seq(7), "{when}: nothing was changed yet");
        let file = log.path();
        let aside = world.folder.path().join("aside.jsonl");
        harm(&file, &aside);
        log.look(&world.store).unwrap();
        world.commit([small(6), small(7)]);
        catch_up(&mut log, &world.store).unwrap();
        log.look(&world.store).unwrap();
        assert_eq!(log.settle().unwrap(), Seq(8), "{when}");
        if is_kept {
            let mut both = fs::read(&aside).unwrap();
            both.extend(fs::read(&file).unwrap());
            assert!(both == world.expected().pop().unwrap().1, "{when}");
        } else {
            world.assert_whole(when);
        }
        assert_eq!(world.resume().next(), Seq(9), "{when}");
    }
}

/// An older backup was restored and served: the log has entries that this journal has not.
#[test]
fn a_log_of_entries_that_the_journal_has_not_is_set_aside_whole() {
    for (with_position, goes_on) in [(true, false), (false, false), (true, true), (false, true)] {
        let mut longer = World::two_days();
        let mut log = longer.resume();
        catch_up(&mut log, &longer.store).unwrap();
        log.settle().unwrap();
        let logged = longer.files();
        if !with_position {
            fs::remove_file(longer.log().join(POSITION)).unwrap();
        }
        // The backup ends before; it may have other entries of the same numbers by now.
        let mut older = World::two_days();
        if goes_on {
            older.commit([small(60), small(70)]);
            longer.commit([small(6), small(7), small(8)]);
            catch_up(&mut log, &longer.store).unwrap();
        } else {
            older = World::new();
            older.commit([small(1)]);
            older.commit([small(2), small(3)]);
        }
        let logged_now = longer.files();
        fs::create_dir_all(older.log()).unwrap();
        for entry in fs::read_dir(longer.log()).unwrap().map(Result::unwrap) {
            fs::copy(entry.path(), older.log().join(entry.file_name())).unwrap();
        }
        let mut log = older.resume();
        assert_eq!(log.next(), Seq(1));
        catch_up(&mut log, &older.store).unwrap();
        older.assert_whole("written anew");
        for (name, bytes) in &logged_now {
            let aside = older.log().join("set-aside-1").join(name);
            assert!(fs::read(aside).unwrap() == *bytes, "{name}");
        }
        assert!(logged_now.len() == logged.len());
        log.settle().unwrap();
        assert_eq!(older.resume().next(), older.next);
    }
}

/// A disk with so much room; then it writes what fits and fails, as a full one does.
#[derive(Clone, Default)]
struct Room {
    bytes: Arc<AtomicU64>,
    sync_fails: Arc<AtomicBool>,
}

struct Full(File, Room);

impl LogFile for Full {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let room = self.1.bytes.load(Ordering::Relaxed);
        let fits = bytes.len().min(room as usize);
        self.0.write_all(&bytes[..fits])?;
        self.1.bytes.fetch_sub(fits as u64, Ordering::Relaxed);
        if fits < bytes.len() {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        Ok(())
    }

    fn cut(&mut self, bytes: u64) -> io::Result<()> {
        self.0.cut(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        if self.1.sync_fails.load(Ordering::Relaxed) {
            return Err(io::Error::other("the medium is broken"));
        }
        self.0.sync()
    }
}

impl World {
    fn resume_on(&self, room: &Room) -> DayLog {
        let room = room.clone();
        let disk = Disk::with(move |file| Box::new(Full(file, room.clone())));
        DayLog::resume(&self.store, &self.log(), disk).unwrap()
    }
}

/// Whatever the room was, no part of a line stays, and with room the log becomes whole.
#[test]
fn a_full_disk_leaves_no_part_of_a_line_and_the_log_goes_on_when_there_is_room() {
    let mut world = World::new();
    world.commit([small(1), small(2)]);
    world.commit([small(3), small(4)]);
    let total: usize = world.expected().iter().map(|(_, bytes)| bytes.len()).sum();
    for bytes in 0..=total {
        let _ = fs::remove_dir_all(world.log());
        let room = Room::default();
        room.bytes.store(bytes as u64, Ordering::Relaxed);
        let mut log = world.resume_on(&room);
        for _ in 0..3 {
            assert_eq!(catch_up(&mut log, &world.store).is_ok(), bytes == total);
            for (name, bytes) in world.files() {
                assert!(bytes.is_empty() || bytes.ends_with(b"\n"), "{name}");
            }
        }
        room.bytes.store(u64::MAX, Ordering::Relaxed);
        catch_up(&mut log, &world.store).unwrap();
        world.assert_whole(&format!("after room for {bytes} bytes"));
        log.settle().unwrap();
        assert_eq!(world.resume().next(), world.next);
    }
}

/// After a sync that failed nobody knows what the file holds: all since the last one is written
/// again.
#[test]
fn a_sync_that_fails_takes_the_log_back_to_what_was_durable() {
    let mut world = World::two_days();
    let room = Room::default();
    room.bytes.store(u64::MAX, Ordering::Relaxed);
    let mut log = world.resume_on(&room);
    catch_up(&mut log, &world.store).unwrap();
    log.settle().unwrap();
    world.commit([small(6), small(7)]);
    catch_up(&mut log, &world.store).unwrap();
    assert_eq!(log.next(), Seq(9));
    room.sync_fails.store(true, Ordering::Relaxed);
    assert!(log.settle().is_err());
    assert_eq!(log.next(), Seq(7));
    room.sync_fails.store(false, Ordering::Relaxed);
    catch_up(&mut log, &world.store).unwrap();
    assert_eq!(log.settle().unwrap(), Seq(8));
    world.assert_whole("after a sync that failed");
}

/// The way to the last line is as long as that line, whatever the file's length.
#[test]
fn the_last_whole_line_is_found_across_any_number_of_reads() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lines");
    let line = |seq: u64, length: usize| {
        let hash = Hash::of(&seq.to_be_bytes());
        let padding = "x".repeat(length);
        format!("{{\"seq\":{seq},\"x\":\"{padding}\",\"hash\":\"{hash}\"}}\n")
    };
    for length in [0, 65_400, 65_536, 65_600, 131_072, 3 << 20] {
        for torn in ["", "{\"seq\":3,\"ha", "\u{0}\u{0}\n", "{\"seq\":3}\n{\"se"] {
            let good = line(1, 10) + &line(2, length);
            fs::write(&path, format!("{good}{torn}")).unwrap();
            let file = File::open(&path).unwrap();
            let found = last_line_of(&file).unwrap();
            assert_eq!(
                (found.0, found.1),
                (Seq(2), good.len() as u64),
                "{length} {torn}"
            );
        }
    }
    fs::write(&path, "no line at all").unwrap();
    assert_eq!(last_line_of(&File::open(&path).unwrap()), None);
    fs::write(&path, "not\nof\nthis\n").unwrap();
    assert_eq!(last_line_of(&File::open(&path).unwrap()), None);
}

fn last_line_of(file: &File) -> Option<(Seq, u64)> {
    let end = file.metadata().unwrap().len();
    let found = files::last_line(file, end).unwrap();
    found.map(|line| (line.seq, line.end))
}

#[test]
fn days_of_the_log_are_days_of_utc() {
    assert_eq!(name_of(day_of(EVENING)), "entries-2021-07-19.jsonl");
    let next = Stamp(EVENING.0 + 2 * Stamp::SECOND);
    assert_eq!(name_of(day_of(next)), "entries-2021-07-20.jsonl");
    assert_eq!(
        name_of(day_of(Stamp(EVENING.0 - DAY_NS))),
        "entries-2021-07-18.jsonl"
    );
    assert_eq!(
        files::day_of_name("entries-2021-07-19.jsonl"),
        Some(day_of(EVENING))
    );
    assert_eq!(files::day_of_name("entries-2021-07-19.jsonl.gz"), None);
    assert_eq!(files::day_of_name("position"), None);
}
