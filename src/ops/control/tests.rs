//! The socket with a real service behind it, and a writer that starts when a test wants it to.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::attend::Desk;
use super::lanes::Lane;
use super::listen::{UNREAD_MAX, serve_with};
use super::{Answered, Patience, ask, connect};
use crate::clock::Clock;
use crate::domain::entry::{Actor, GateAct, RefusedFor};
use crate::domain::ids::{CampaignIndex, PersonKey};
use crate::domain::time::Stamp;
use crate::engine::command::{Command, Operation};
use crate::engine::core::Core;
use crate::engine::writer::WriterHandle;
use crate::journal::copy::CopyPoint;
use crate::journal::store::ChunkKey;
use crate::ops::folder::Folder;
use crate::ops::outcome::{Done, Finished, Imported, WorkFault};
use crate::ops::work::Work;
use crate::service::Service;

const CAMPAIGN: &str = include_str!("../../../data/campaign.toml");
const SITES: &str = "site,name_ko,name_en,region,address,lat,lng,phone\n\
    A,종로센터,Jongno Center,11/110,서울 종로구 1,37.57,126.98,02-111-1111\n";
/// Long enough for a busy machine, so that no test depends on its speed.
const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(300);
const PATIENT: Patience = Patience {
    line: LONG,
    progress: LONG,
    sign_of_life: LONG,
};

/// A served folder whose writer has not started.
struct World {
    _folder: tempfile::TempDir,
    socket: PathBuf,
    service: Arc<Service>,
    desk: Arc<Desk>,
    writer: WriterHandle,
    core: Option<Core>,
}

fn world(patience: Patience) -> World {
    let temporary = tempfile::tempdir().unwrap();
    let folder = Folder::at(temporary.path());
    folder.init(&Clock::real()).unwrap();
    let mut core = folder.open(|_| Clock::real()).unwrap();
    let source = CAMPAIGN.to_owned();
    let (reply, _outcome) = tokio::sync::oneshot::channel();
    let activate = Command::Operate {
        actor: Actor::operator("root"),
        operation: Operation::Activate {
            source,
            now: Stamp(0),
            shifts: false,
        },
        reply,
    };
    core.step(&mut [activate].into()).unwrap();
    let writer = WriterHandle::without_a_writer();
    let service = Arc::new(Service::new(
        Arc::clone(core.shared()),
        Arc::clone(core.store()),
        writer.clone(),
        Arc::clone(core.keys()),
        core.clock().clone(),
    ));
    let socket = folder.socket();
    let desk = serve_with(&socket, Arc::clone(&service), patience).unwrap();
    World {
        _folder: temporary,
        socket,
        service,
        desk,
        writer,
        core: Some(core),
    }
}

impl World {
    fn connect(&self) -> UnixStream {
        let stream = UnixStream::connect(&self.socket).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        stream.set_write_timeout(Some(LONG)).unwrap();
        stream
    }

    /// Sends a request line, and whatever of its file.
    fn send(&self, work: Value, length: u64, file: &[u8]) -> UnixStream {
        let mut stream = self.connect();
        let line = json!({ "work": work, "length": length }).to_string();
        writeln!(stream, "{line}").unwrap();
        stream.write_all(file).unwrap();
        stream
    }

    /// Asks as the command line does.
    fn ask(&self, work: Work) -> Finished {
        let server = connect(&self.socket).unwrap().unwrap();
        ask(server, work, None).unwrap()
    }

    fn status(&self) -> Finished {
        self.ask(Work::GateStatus { campaign: None })
    }

    fn start_the_writer(&mut self) {
        self.writer.start(self.core.take().unwrap());
    }

    /// How many entries the journal has, and whether the gate is paused.
    fn journal(&self) -> (u64, bool) {
        let state = self.service.shared.state();
        (state.seq.0, state.campaigns[0].gate.pause.is_some())
    }

    fn wait_until(&self, lane: Lane, requests: usize) {
        while self.desk.lanes.running(lane) != requests {
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.writer.stop();
    }
}

/// The answer on a connection, past the signs of life.
fn answer(stream: &UnixStream) -> Finished {
    let mut lines = BufReader::new(stream).lines();
    let line = lines.find(|line| !line.as_ref().unwrap().is_empty());
    let answered: Answered = serde_json::from_str(&line.expect("an answer").unwrap()).unwrap();
    answered.finished
}

fn refusal(stream: &UnixStream) -> String {
    why(answer(stream))
}

/// Why a piece of work was refused.
fn why(finished: Finished) -> String {
    match finished {
        Err(WorkFault::Refused(refused)) => refused.to_string(),
        Err(WorkFault::Rows(report)) => report.to_string(),
        other => panic!("not refused: {other:?}"),
    }
}

fn one_more_site() -> Finished {
    let (added, changed) = (1, 0);
    Ok(Done::Sites(Imported { added, changed }))
}

fn pause() -> Value {
    let act = json!({ "pause": { "reason": "서버 점검", "freezes": false } });
    json!({ "gate": { "campaign": null, "act": act } })
}

fn sites() -> Value {
    json!({ "import_sites": { "campaign": "kr-2021-50s" } })
}

/// One silent client once held up every command.
#[test]
fn silent_callers_hold_up_nobody_and_are_bounded() {
    let world = world(PATIENT);
    let one = world.connect();
    assert!(world.status().is_ok());
    let many: Vec<UnixStream> = (0..UNREAD_MAX + 20).map(|_| world.connect()).collect();
    assert!(world.status().is_ok());
    // The oldest connections made room.
    for pushed_out in [&one, &many[0], &many[19]] {
        assert!(refusal(pushed_out).contains("sent no request"));
    }
    let newest = &many[UNREAD_MAX + 19];
    newest.set_nonblocking(true).unwrap();
    let silent = (&mut &*newest).read(&mut [0]).unwrap_err();
    assert_eq!(silent.kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn a_caller_without_a_line_is_let_go_and_one_with_a_long_line_too() {
    let world = world(Patience {
        line: SHORT,
        ..PATIENT
    });
    let silent = world.connect();
    assert!(refusal(&silent).contains("no request line"));
    let mut talker = world.connect();
    let _ = talker.write_all(&vec![b'x'; 70_000]);
    assert!(refusal(&talker).contains("longer than 65536 bytes"));
    let mut rambler = world.connect();
    rambler.write_all(b"hello\n").unwrap();
    assert!(refusal(&rambler).contains("can't be read"));
}

/// Operators can steer the gate when all other lanes are full.
#[test]
fn status_and_pause_get_through_when_every_other_lane_is_full() {
    let mut world = world(PATIENT);
    let others = Lane::Other.requests_max();
    let _held: Vec<UnixStream> = (0..others)
        .map(|_| world.send(sites(), 1_000, b""))
        .collect();
    world.wait_until(Lane::Other, others);
    let roster = json!({ "import_roster": { "dry_run": false } });
    let _roster = world.send(roster.clone(), 1_000, b"");
    world.wait_until(Lane::Roster, 1);
    let ninth = world.send(sites(), 1_000, b"");
    assert!(refusal(&ninth).contains("eight other requests"));
    let second = world.send(roster, 1_000, b"");
    assert!(refusal(&second).contains("a roster is being imported"));
    assert!(world.status().is_ok());
    world.start_the_writer();
    let paused = world.send(pause(), 0, b"");
    assert!(answer(&paused).is_ok());
    assert!(world.journal().1);
}

/// A `gate pause` given up by its caller was carried out later.
#[test]
fn an_act_whose_caller_has_gone_is_not_done() {
    let mut world = world(PATIENT);
    let before = world.journal().0;
    let given_up = world.send(pause(), 0, b"");
    world.wait_until(Lane::Gate, 1);
    while world.writer.urgent() != 1 {
        std::thread::sleep(Duration::from_millis(2));
    }
    drop(given_up);
    world.wait_until(Lane::Gate, 0);
    // A caller who has only closed its sending side still waits.
    let active = json!({ "gate": { "campaign": null, "act": { "active": { "active_max": 7 } } } });
    let waits = world.send(active, 0, b"");
    waits.shutdown(Shutdown::Write).unwrap();
    world.wait_until(Lane::Gate, 1);
    world.start_the_writer();
    assert!(answer(&waits).is_ok());
    assert_eq!(world.journal(), (before + 1, false));
}

/// In force when it answers: here no keeper runs that could have brought it about.
#[test]
fn an_act_is_in_force_when_it_answers_also_with_a_full_queue() {
    let mut world = world(PATIENT);
    let note = |at: u32| {
        let mut person = PersonKey([0; 16]);
        person.0[..4].copy_from_slice(&at.to_be_bytes());
        Command::NoteRefusal {
            campaign: CampaignIndex(0),
            person,
            rules: 1,
            reason: RefusedFor::NotEligible,
        }
    };
    // There before the act: a gate made after it would have it from the journal.
    let gate = Arc::clone(&world.service.gates()[0].1);
    assert_ne!(gate.limits.active_max(), 7);
    assert!((0..).any(|at| world.writer.submit(note(at)).is_err()));
    let act = json!({ "active": { "active_max": 7 } });
    let waits = world.send(json!({ "gate": { "campaign": null, "act": act } }), 0, b"");
    let imports = world.send(sites(), SITES.len() as u64, SITES.as_bytes());
    world.wait_until(Lane::Gate, 1);
    world.start_the_writer();
    assert!(answer(&waits).is_ok());
    assert_eq!(gate.limits.active_max(), 7);
    assert_eq!(answer(&imports), one_more_site());
}

#[test]
fn a_caller_who_waits_sees_signs_of_life() {
    let mut world = world(Patience {
        sign_of_life: Duration::from_millis(20),
        ..PATIENT
    });
    let waits = world.send(pause(), 0, b"");
    let mut lines = BufReader::new(&waits).lines();
    for _ in 0..3 {
        assert_eq!(lines.next().unwrap().unwrap(), "");
    }
    world.start_the_writer();
    let answer = lines.find(|line| !line.as_ref().unwrap().is_empty());
    let answer: Answered = serde_json::from_str(&answer.unwrap().unwrap()).unwrap();
    assert!(answer.finished.is_ok());
    assert!(lines.next().is_none(), "nothing behind the answer");
}

/// Half a roster was imported when its sender was killed: what came looked like a shorter file.
#[test]
fn a_file_that_is_not_sent_whole_is_not_imported() {
    let mut world = world(Patience {
        progress: SHORT,
        ..PATIENT
    });
    world.start_the_writer();
    let before = world.journal().0;
    let length = SITES.len() as u64 + 10;
    let cut = world.send(sites(), length, SITES.as_bytes());
    cut.shutdown(Shutdown::Write).unwrap();
    let told = refusal(&cut);
    assert!(told.contains(&format!("hung up after {} of {length} bytes", SITES.len())));
    let stalls = world.send(sites(), length, SITES.as_bytes());
    assert!(refusal(&stalls).contains("moved less than"));
    assert_eq!(world.journal().0, before);
    let whole = world.send(sites(), SITES.len() as u64, SITES.as_bytes());
    assert_eq!(answer(&whole), one_more_site());
}

/// A slow sender is not cut off while it moves, however long the whole takes.
#[test]
fn a_slow_file_goes_on_while_it_moves() {
    let mut world = world(Patience {
        progress: SHORT,
        ..PATIENT
    });
    world.start_the_writer();
    let row = "B,강남센터,Gangnam Center,11/680,서울 강남구 2,37.51,127.04,02-222-2222\n";
    let rows: String = (0..600)
        .map(|at| row.replacen('B', &format!("S{at}"), 1))
        .collect();
    let file = format!("{SITES}{rows}");
    let mut slow = world.send(sites(), file.len() as u64, b"");
    for piece in file.as_bytes().chunks(5_000) {
        std::thread::sleep(SHORT / 6);
        slow.write_all(piece).unwrap();
    }
    let (added, changed) = (601, 0);
    assert_eq!(answer(&slow), Ok(Done::Sites(Imported { added, changed })));
}

/// A copy that nobody reads ends and leaves its lane.
#[test]
fn an_answer_that_is_not_read_is_given_up() {
    let world = world(Patience {
        progress: SHORT,
        ..PATIENT
    });
    // More than the kernel takes for a caller who does not read.
    let stored = world.service.store.beside(|write| {
        let names = (1_u32, vec![Vec::<String>::new()], vec![String::new()]);
        write.put_roster_names(&postcard::to_stdvec(&names).unwrap(), true)?;
        (0..8).try_for_each(|part| write.put_part(ChunkKey::people(1, part), &[0; 1 << 20]))
    });
    stored.unwrap();
    let copy = || {
        let from = CopyPoint::NOTHING;
        let work = serde_json::to_value(Work::Copy { from }).unwrap();
        world.send(work, 0, b"")
    };
    let (_unread, _again) = (copy(), copy());
    world.wait_until(Lane::Copy, 2);
    assert!(refusal(&copy()).contains("two copies"));
    world.wait_until(Lane::Copy, 0);
}

/// A 300 MB `activate` took 711 MB: it is refused before a byte of it is read.
#[test]
fn a_file_that_is_too_long_is_refused_by_its_length() {
    let world = world(PATIENT);
    let refused = world.send(json!({ "activate": {} }), 300 << 20, b"");
    assert!(refusal(&refused).contains("longer than 1 MiB"));
    let mut none = world.send(json!("head"), 5, b"");
    assert!(refusal(&none).contains("no file comes with this command"));
    // What is sent all the same meets a closed connection.
    let piece = vec![b'#'; 1 << 20];
    let sent = (0..300).take_while(|_| none.write_all(&piece).is_ok());
    assert_eq!(sent.count(), 0);
}

#[test]
fn what_an_operator_sets_is_checked_by_the_server() {
    let mut world = world(PATIENT);
    world.start_the_writer();
    let before = world.journal().0;
    let act = |act: GateAct| {
        let campaign = None;
        why(world.ask(Work::Gate { campaign, act }))
    };
    let message = |text: &str| act(GateAct::Message { text: text.into() });
    assert!(act(GateAct::Rate { admit_per_s: 0 }).contains("the rate is 0"));
    assert!(act(GateAct::Active { active_max: 0 }).contains("at least 1"));
    assert!(message("ab\u{f0000}").contains("character 3 is U+F0000"));
    assert!(message("\u{1b}[2J").contains("character 1 is U+001B"));
    assert!(message("a\u{202e}b").contains("character 2 is U+202E"));
    assert!(message(&"x".repeat(10_000)).contains("10000 characters"));
    let reason = "\u{9b}x".to_owned();
    let freezes = true;
    assert!(act(GateAct::Pause { reason, freezes }).contains("the reason character 1 is U+009B"));
    assert_eq!(world.journal().0, before);
}
