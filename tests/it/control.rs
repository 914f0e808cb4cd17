//! The control socket of the running program: who is served, what is refused, what is shown.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use serde_json::{Value, json};
use sumun::clock::Clock;
use sumun::domain::entry::{Change, GateAct};
use sumun::domain::ids::CampaignIndex;
use sumun::ops::folder::Folder;

use super::world::{OPEN, World, person, text};

/// What a test waits for an answer at the most; no answer takes as long.
const LONG: Duration = Duration::from_secs(60);

fn connect(world: &World) -> UnixStream {
    let stream = UnixStream::connect(world.path("control.sock")).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    stream.set_write_timeout(Some(LONG)).unwrap();
    stream
}

/// Sends a request line without the command line's own checks.
fn send(world: &World, work: Value, length: u64) -> UnixStream {
    let mut stream = connect(world);
    let line = json!({ "work": work, "length": length }).to_string();
    writeln!(stream, "{line}").unwrap();
    stream
}

/// The answer on a connection, past the signs of life.
fn answer(stream: &UnixStream) -> Value {
    let mut lines = BufReader::new(stream).lines();
    let line = lines.find(|line| !line.as_ref().unwrap().is_empty());
    serde_json::from_str(&line.expect("an answer").unwrap()).unwrap()
}

fn refused(world: &World, act: Value) -> String {
    let work = json!({ "gate": { "campaign": null, "act": act } });
    let answer = answer(&send(world, work, 0));
    let refused = &answer["finished"]["Err"]["refused"];
    refused["what"].as_str().expect("a refusal").to_owned()
}

/// How many acts at the gate the journal has.
fn acts(world: &World) -> usize {
    let export = text(&world.run(&["audit", "export"]).stdout);
    export.matches("\"gate_set\"").count()
}

/// One silent client held up every command; here are some with imports that never come, too.
#[test]
fn operators_are_served_while_others_are_silent() {
    let world = World::new(1);
    let _server = world.serve();
    let _silent: Vec<UnixStream> = (0..12).map(|_| connect(&world)).collect();
    let sites = json!({ "import_sites": { "campaign": super::world::CAMPAIGN } });
    let _idle: Vec<UnixStream> = (0..8).map(|_| send(&world, sites.clone(), 1_000)).collect();
    let status = world.ok(&["gate", "status"]);
    assert!(status["gates"][0]["board"].is_object(), "{status}");
    world.ok(&["gate", "pause", "--reason", "서버 점검"]);
    world.ok(&["gate", "resume"]);
    assert_eq!(acts(&world), 2);
}

/// The command line alone knew the bounds of these numbers; texts had none.
#[test]
fn the_server_checks_numbers_and_texts_itself() {
    let world = World::new(1);
    let _server = world.serve();
    let rate = refused(&world, json!({ "rate": { "admit_per_s": 0 } }));
    assert!(rate.contains("give 1 to 1000000 people a second"), "{rate}");
    let active = refused(&world, json!({ "active": { "active_max": 0 } }));
    assert!(active.contains("at least 1"), "{active}");
    let message = |text: &str| refused(&world, json!({ "message": { "text": text } }));
    assert!(message("점검\u{f0000}").contains("character 3 is U+F0000, a character for private"));
    assert!(message("\u{1b}[2J").contains("character 1 is U+001B, a control character"));
    assert!(message("a\u{202e}").contains("character 2 is U+202E, a mark that changes the"));
    assert!(message(&"x".repeat(10_000)).contains("10000 characters, and at most 500"));
    let reason = json!({ "pause": { "reason": "a\nb", "freezes": true } });
    assert!(refused(&world, reason).contains("character 2 is U+000A, a line break"));
    // The same by the command line, and without a server.
    let told = |world: &World| {
        let output = world.run(&["gate", "message", "\u{1b}[2J"]);
        assert_eq!(output.status.code(), Some(1));
        let said = text(&output.stdout);
        assert!(said.contains("character 1 is U+001B"), "{said}");
    };
    told(&world);
    assert_eq!(acts(&world), 0);
    drop(_server);
    told(&world);
    assert_eq!(acts(&world), 0);
}

/// It took 711 MB for a file of 300 MB: now nothing behind the line is read.
#[test]
fn a_file_too_long_to_be_a_campaign_is_refused_unread() {
    let world = World::new(1);
    let _server = world.serve();
    let mut stream = send(&world, json!({ "activate": {} }), 300 << 20);
    let told = answer(&stream);
    let refused = &told["finished"]["Err"]["refused"];
    let said = refused["what"].as_str().unwrap();
    assert!(said.contains("longer than 1 MiB"), "{said}");
    let piece = vec![b'#'; 1 << 20];
    assert!(stream.write_all(&piece).is_err(), "the server is gone");
    // The command line shows the refusal, not the broken pipe that follows it.
    let long = "#".repeat(40 << 20);
    let file = world.write("long.csv", &long);
    let file = file.to_str().unwrap();
    let campaign = super::world::CAMPAIGN;
    let output = world.run(&["sites", "import", file, "--campaign", campaign]);
    let said = text(&output.stdout) + &text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("longer than 32 MiB"), "{said}");
}

/// A campaign file's texts are checked with their lines, by `check` and by the server.
#[test]
fn a_campaign_file_with_an_unfit_text_is_refused_with_its_line() {
    let world = World::new(1);
    let _server = world.serve();
    let odd = super::world::campaign_text("").replace("시험", "시\u{f0003}험");
    let line = odd.lines().position(|line| line.contains('\u{f0003}'));
    let line = line.unwrap() + 1;
    let file = world.write("odd.toml", &odd);
    let file = file.to_str().unwrap();
    for command in [["campaign", "check", file], ["campaign", "activate", file]] {
        let output = world.run(&command);
        assert_eq!(output.status.code(), Some(1));
        let said = text(&output.stdout);
        assert!(said.contains(&format!("odd.toml:{line}: error")), "{said}");
        assert!(said.contains("character 2 is U+F0003"), "{said}");
    }
    let mut stream = send(&world, json!({ "activate": {} }), odd.len() as u64);
    stream.write_all(odd.as_bytes()).unwrap();
    let told = answer(&stream);
    let findings = &told["finished"]["Err"]["findings"];
    assert_eq!(findings[0]["line"], line, "{told}");
}

/// A gate message with U+F0000 killed the first page until a restart; the journal may hold one.
#[test]
fn a_message_of_an_older_journal_takes_no_page_away_and_no_terminal() {
    let world = World::new(2);
    let odd = "\u{f0000}점검\u{1b}[2J\u{9b}\u{202e}\u{f0007}";
    {
        let folder = Folder::at(world.folder.path());
        let mut core = folder.open(|_| Clock::real()).unwrap();
        let text = odd.to_owned();
        core.record(Change::GateSet {
            campaign: CampaignIndex(0),
            act: GateAct::Message { text },
        })
        .unwrap();
        core.close().unwrap();
    }
    let server = world.serve();
    let mut client = server.client();
    let shown = client.get("/gate/board", None).is(200).json["message"].clone();
    assert_eq!(shown, odd);
    for lang in ["ko", "en"] {
        let page = client.get(&format!("//{lang}/{}", super::world::CAMPAIGN), None);
        assert_eq!(page.status, 200, "{page:?}");
    }
    let place = client.enter(&person(OPEN, 0));
    let room = format!("//ko/{}/wait", super::world::CAMPAIGN);
    let cookie = format!("__Host-sumun-place={place}");
    let page = client.call("GET", &room, None, &[("Cookie", &cookie)], None);
    assert_eq!(page.status, 200, "{page:?}");
    let status = world.run(&["gate", "status"]);
    let said = text(&status.stdout);
    let obeyed = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
    assert!(!said.contains(obeyed), "{said:?}");
    assert!(said.contains("\\u{1b}[2J"), "{said}");
    let json = world.run(&["gate", "status", "--json"]);
    let raw = text(&json.stdout);
    assert!(!raw.contains(obeyed), "{raw:?}");
    let value: Value = serde_json::from_str(&raw).unwrap();
    assert_eq!(value["gates"][0]["board"]["message"], odd);
    world.ok(&["gate", "message", ""]);
    for _ in 0..3 {
        let page = client.get(&format!("//ko/{}", super::world::CAMPAIGN), None);
        assert_eq!(page.status, 200);
    }
}
