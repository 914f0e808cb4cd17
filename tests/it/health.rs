//! What the running program says when a thread, a follower or its clock is not well.

use std::time::{Duration, Instant};

use serde_json::Value;
use sumun::clock::{Clock, wall};
use sumun::domain::entry::Change;
use sumun::domain::time::Stamp;
use sumun::ops::folder::Folder;

use super::client::Client;
use super::world::{OVER, SLOTS, Server, World, credentials, person, text};

const DAY_S: i64 = 86_400;

/// Asks until the answer is as wanted, and tells how long that took.
fn until(server: &Server, wanted: impl Fn(u16, &str) -> bool) -> Duration {
    let began = Instant::now();
    loop {
        let ready = Client::new(server.admin).get("//readyz", None);
        let says = text(&ready.body);
        if wanted(ready.status, &says) {
            return began.elapsed();
        }
        let log = server.log.lock().unwrap().join("\n");
        assert!(began.elapsed() < Duration::from_secs(60), "{says}\n{log}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn metric(server: &Server, line: &str) -> bool {
    let metrics = Client::new(server.admin).get("//metrics", None).is(200);
    text(&metrics.body).lines().any(|found| found == line)
}

/// The program with a fault on purpose, which it has two seconds after its start. It is not built
/// into a release.
#[cfg(debug_assertions)]
fn serve_with(world: &World, fault: &str) -> Server {
    Server::start(world.folder.path(), |command| {
        command.env("SUMUN_FAULT", fault);
    })
}

/// Nothing at all noticed that nobody was called any more.
#[cfg(debug_assertions)]
#[test]
fn a_writer_or_a_keeper_that_panics_ends_the_process_with_its_code() {
    let world = World::new(1);
    for thread in ["writer", "gatekeeper"] {
        let mut server = serve_with(&world, &format!("panic:{thread}"));
        assert_eq!(server.wait().code(), Some(71), "{thread}");
        let log = server.log.lock().unwrap().join("\n");
        assert!(log.contains("stopping: "), "{thread}: {log}");
    }
    // What it left is whole.
    world.ok(&["verify"]);
}

#[cfg(debug_assertions)]
#[test]
fn a_follower_or_the_control_socket_that_panics_is_told_and_begun_again() {
    let world = World::new(1);
    for thread in ["daylog", "tree", "control", "desk-board"] {
        let server = serve_with(&world, &format!("panic:{thread}"));
        until(&server, |status, says| {
            status == 503 && says.contains(&format!("{thread} panicked"))
        });
        let restarts = format!("sumun_thread_restarts_total{{thread=\"{thread}\"}} 1");
        assert!(metric(&server, &restarts));
        until(&server, |status, _| status == 200);
        world.ok(&["gate", "status"]);
        assert!(server.stop().success());
    }
    assert_log_is_whole(&world);
}

#[cfg(debug_assertions)]
#[test]
fn a_thread_that_stalls_is_told_within_five_seconds() {
    let world = World::new(1);
    for thread in ["gatekeeper", "daylog"] {
        let server = serve_with(&world, &format!("stall:{thread}"));
        // By the server's own count, so that a slow machine does not matter.
        let in_time = [4, 5]
            .map(|silent_s| format!("{thread} has stalled: it has done nothing for {silent_s} s"));
        until(&server, |status, says| {
            status == 503 && in_time.iter().any(|told| says.contains(told))
        });
        assert!(metric(
            &server,
            &format!("sumun_thread_well{{thread=\"{thread}\"}} 0")
        ));
        until(&server, |status, _| status == 200);
        std::thread::sleep(Duration::from_millis(1_500));
        let log = server.log.lock().unwrap().join("\n");
        assert!(log.contains("a thread that must live is not well"), "{log}");
        assert!(log.contains("the thread is well again"), "{log}");
        assert!(server.stop().success());
    }
}

/// Every entry is one line of the daily log.
fn assert_log_is_whole(world: &World) {
    let export = world.run(&["audit", "export"]);
    let entries = text(&export.stdout).lines().count() as u64;
    let mut seqs = Vec::new();
    for entry in std::fs::read_dir(world.path("log")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "jsonl") {
            let lines = std::fs::read_to_string(path).unwrap();
            let seq = |line: &str| serde_json::from_str::<Value>(line).unwrap()["seq"].as_u64();
            seqs.extend(lines.lines().map(|line| seq(line).unwrap()));
        }
    }
    seqs.sort_unstable();
    assert_eq!(seqs, (1..=entries).collect::<Vec<_>>());
}

/// The day's file is on a disk without room: bookings go on, and it is said.
#[test]
fn a_daily_log_without_room_is_told_and_goes_on_when_there_is_room() {
    let world = World::new(1);
    let today = wall().instant().to_string();
    let file = world.path(&format!("log/entries-{}.jsonl", &today[..10]));
    std::os::unix::fs::symlink("/dev/full", &file).unwrap();
    let server = world.serve();
    let told_after = until(&server, |status, says| {
        status == 200 && says.contains("daylog is ") && says.contains("No space left")
    });
    // For the fault, and not for being behind for a minute.
    assert!(told_after < Duration::from_secs(30), "{told_after:?}");
    assert!(metric(
        &server,
        "sumun_follower_failing{follower=\"daylog\"} 1"
    ));
    assert!(!metric(
        &server,
        "sumun_follower_behind_entries{follower=\"daylog\"} 0"
    ));
    let doctor = text(&world.run(&["doctor"]).stdout);
    assert!(doctor.contains("FIX  server"), "{doctor}");
    std::fs::remove_file(&file).unwrap();
    until(&server, |status, says| {
        status == 200 && !says.contains("daylog")
    });
    assert!(metric(
        &server,
        "sumun_follower_failing{follower=\"daylog\"} 0"
    ));
    assert!(server.stop().success());
    assert_log_is_whole(&world);
}

/// With the clock two days ahead at one start nothing was said, and time stood still for two days.
/// Two doses, and no slot for the second: people would come to an empty list.
#[test]
fn slots_of_which_none_can_be_booked_are_told() {
    let header = SLOTS.lines().next().unwrap();
    let first = "A,mrna,2180-08-02,09:00,09:30,100,5";
    let second = "A,mrna,2180-08-30,09:00,09:30,100,5";
    for (slots, told) in [(vec![first], true), (vec![first, second], false)] {
        let world = World::with_slots(3, &format!("{header}\n{}\n", slots.join("\n")));
        let server = world.serve();
        let ready = Client::new(server.admin).get("//readyz", None).is(200);
        let says = text(&ready.body);
        assert_eq!(
            says.contains("none of its 1 slots to come can be booked"),
            told,
            "{says}"
        );
    }
}

#[test]
fn a_start_far_after_the_last_use_wants_the_clock_confirmed() {
    let folder = tempfile::tempdir().unwrap();
    let two_days_ago = Clock::manual(wall().plus_s(-2 * DAY_S));
    Folder::at(folder.path()).init(&two_days_ago).unwrap();
    let world = World { folder };
    let port_0 = "listen = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\n\
        desk_listen = \"127.0.0.1:0\"\nplain_http = true\n";
    world.write("server.toml", port_0);
    let campaign = world.write("campaign.toml", &super::world::campaign_text(""));
    let campaign = campaign.display().to_string();
    for command in [vec!["serve"], vec!["campaign", "activate", &campaign]] {
        let refused = world.run(&command);
        let says = text(&refused.stderr);
        assert_eq!(refused.status.code(), Some(1), "{says}");
        assert!(says.contains("--accept-clock"), "{says}");
        assert!(says.contains("2 days and 0 hours"), "{says}");
    }
    let doctor = text(&world.run(&["doctor"]).stdout);
    assert!(doctor.contains("FIX  clock"), "{doctor}");
    // Looking harms nothing.
    world.ok(&["audit", "head"]);
    let server = Server::start(world.folder.path(), |command| {
        command.arg("--accept-clock");
    });
    assert!(server.stop().success());
    // That it was in use is noted, without an entry.
    assert!(world.serve().stop().success());
    world.ok(&["campaign", "activate", &campaign]);
}

/// A clock that went ahead by some hours while the server was down went unnoticed: only an operator
/// knows how long it was down.
#[test]
fn a_start_tells_how_long_nobody_used_the_folder_before() {
    let folder = tempfile::tempdir().unwrap();
    let five_hours_ago = wall().plus_s(-5 * 3_600);
    let clock = Clock::manual(five_hours_ago);
    Folder::at(folder.path()).init(&clock).unwrap();
    let world = World { folder };
    let port_0 = "listen = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\n\
        desk_listen = \"127.0.0.1:0\"\nplain_http = true\n";
    world.write("server.toml", port_0);
    let doctor = text(&world.run(&["doctor"]).stdout);
    assert!(doctor.contains("last in use 180"), "{doctor}");
    let server = world.serve();
    let ready = Client::new(server.admin).get("//readyz", None).is(503).json;
    let away_s = ready["away_before_start_s"].as_i64().unwrap();
    assert!((18_000..18_600).contains(&away_s), "{ready}");
    let last = five_hours_ago.instant().to_string();
    assert_eq!(ready["last_use_before_start"], last, "{ready}");
    let log = server.log.lock().unwrap().join("\n");
    assert!(
        log.contains("the clock is wrong") && log.contains(&last),
        "{log}"
    );
    assert!(server.stop().success());
}

/// Holds and bookings followed the entries' stamps, openings and sign-in the clock, and all was
/// said to be well.
#[test]
fn behind_the_last_entry_one_time_decides_and_it_is_said_everywhere() {
    let world = World::new(1);
    let ahead = wall().plus_s(2 * DAY_S);
    let folder = Folder::at(world.folder.path()).accepting_clock(true);
    let mut core = folder.open(|_| Clock::manual(ahead)).unwrap();
    let program = "with the clock ahead".to_owned();
    core.record(Change::Started { program }).unwrap();
    core.close().unwrap();
    drop(core);

    let doctor = text(&world.run(&["doctor"]).stdout);
    assert!(doctor.contains("FIX  clock"), "{doctor}");
    let server = world.serve();
    let until_then = ahead.instant().to_string();
    until(&server, |status, says| {
        status == 503 && says.contains("time stands still until") && says.contains(&until_then)
    });
    let metrics = Client::new(server.admin).get("//metrics", None);
    let metrics = text(&metrics.body);
    let left = metrics
        .lines()
        .find_map(|line| line.strip_prefix("sumun_clock_stands_still_seconds "));
    let left: i64 = left.unwrap_or_else(|| panic!("{metrics}")).parse().unwrap();
    assert!((2 * DAY_S - 600..=2 * DAY_S).contains(&left), "{left}");
    // Beside the running server the doctor says it too.
    let doctor = text(&world.run(&["doctor"]).stdout);
    assert!(
        doctor.contains("FIX  clock") && doctor.contains("FIX  server"),
        "{doctor}"
    );
    let log = server.log.lock().unwrap().join("\n");
    assert!(log.contains("time stands still"), "{log}");

    let mut client = server.client();
    let same = |shown: &Value| {
        let shown = shown.as_str().unwrap_or_else(|| panic!("{shown}"));
        let at = Stamp::parse(shown).unwrap();
        assert_eq!(at.unix_s(), ahead.unix_s(), "{shown}");
    };
    same(&client.get("//api/v1/now", None).is(200).json["now"]);
    let board = client.get("/gate/board", None).is(200).json;
    same(&board["as_of"]);
    same(&board["stands_still_until"]);
    let openings = client.get("/openings?birth_date=1966-01-01", None).is(200);
    same(&openings.json["evaluated_at"]);
    let over = credentials(&person(OVER, 0));
    let refused = client.post("/gate/enter", None, &over);
    same(&refused.problem(403, "opening_closed").json["evaluated_at"]);
    assert!(server.stop().success());
}
