//! Calendar files, read by two parsers that calendars use: ical.js (Thunderbird) and Python's
//! icalendar (many servers). Both are strict: what is malformed stops them.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

use super::browser::target;
use super::client::Client;
use super::world::{OPEN, World, person, text};

const ICAL_JS: &str = "ical.js@2.2.1";
/// Python as it is found first, and the system's.
const PYTHONS: [&str; 2] = ["python3", "/usr/bin/python3"];

/// Prints the method, then each event's members, from the file that is named.
const READ_JS: &str = r#"
const ICAL = require('./package/dist/ical.es5.cjs');
const raw = require('fs').readFileSync(process.argv[2], 'utf8');
const file = new ICAL.Component(ICAL.parse(raw));
const names = ['uid', 'sequence', 'dtstamp', 'dtstart', 'dtend', 'status', 'summary', 'location'];
const all = file.getAllSubcomponents('vevent').map(event => ({
  ...Object.fromEntries(names.map(name => [name, String(event.getFirstPropertyValue(name))])),
  alarms: event.getAllSubcomponents('valarm').length,
}));
console.log(JSON.stringify([file.getFirstPropertyValue('method'), all]));
"#;

const READ_PY: &str = r#"
import json, sys
import icalendar
file = icalendar.Calendar.from_ical(open(sys.argv[1], 'rb').read())
assert not file.errors and not any(part.errors for part in file.walk()), file.errors
def one(event):
    instant = lambda name: event.decoded(name).strftime('%Y-%m-%dT%H:%M:%SZ')
    names = ['uid', 'sequence', 'status', 'summary', 'location']
    shown = {name: str(event[name]) for name in names}
    shown.update((name, instant(name)) for name in ['dtstamp', 'dtstart', 'dtend'])
    return shown | {'alarms': len(event.walk('VALARM'))}
print(json.dumps([file['method'], [one(event) for event in file.walk('VEVENT')]]))
"#;

/// ical.js, fetched once into the build folder, and the two programs that read.
fn parsers() -> &'static PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = target().join("pages/calendar");
        if !folder.join("whole").exists() {
            fs::create_dir_all(&folder).unwrap();
            let fetch =
                format!("npm pack {ICAL_JS} --silent && tar -xzf ical.js-*.tgz && touch whole");
            let mut command = Command::new("sh");
            let fetched = command.args(["-c", &fetch]).current_dir(&folder).status();
            assert!(
                fetched.is_ok_and(|status| status.success()),
                "{ICAL_JS} can't be fetched: tests/all installs npm"
            );
        }
        fs::write(folder.join("read.cjs"), READ_JS).unwrap();
        fs::write(folder.join("read.py"), READ_PY).unwrap();
        folder
    })
}

/// A Python that knows icalendar.
fn python() -> &'static str {
    let knows = |python: &&&str| {
        let mut command = Command::new(python);
        let done = command.args(["-c", "import icalendar"]).output();
        done.is_ok_and(|done| done.status.success())
    };
    let found = PYTHONS.iter().find(knows);
    found.expect("tests/all installs python3-icalendar")
}

/// What both parsers read, which must be the same.
pub fn read(name: &str, file: &[u8]) -> Value {
    let folder = parsers();
    let path = folder.join(name);
    fs::write(&path, file).unwrap();
    let path = path.to_str().unwrap();
    let said = |program: &str, arguments: &[&str]| -> Value {
        let mut command = Command::new(program);
        let done = command
            .args(arguments)
            .current_dir(folder)
            .output()
            .unwrap();
        assert!(
            done.status.success(),
            "{}{}",
            text(&done.stderr),
            text(file)
        );
        serde_json::from_slice(&done.stdout).unwrap()
    };
    let by_node = said("node", &["read.cjs", path]);
    let by_python = said(python(), &["read.py", path]);
    assert_eq!(by_node, by_python);
    by_node
}

/// The calendar file of a person in session, as bytes.
fn file_of(client: &mut Client, session: &str) -> Vec<u8> {
    let path = "//en/test-open/booking.ics";
    let answer = client.call("GET", path, Some(session), &[], None).is(200);
    let kind = answer.header("content-type").unwrap().to_owned();
    let lines = text(&answer.body);
    let method = lines
        .split("\r\n")
        .find_map(|line| line.strip_prefix("METHOD:"));
    assert_eq!(
        kind,
        format!("text/calendar; charset=utf-8; method={}", method.unwrap())
    );
    assert!(lines.ends_with("END:VCALENDAR\r\n"), "{lines}");
    for line in lines.split("\r\n") {
        assert!(line.len() <= 75 && !line.contains(['\r', '\n']), "{line:?}");
    }
    answer.body
}

fn members<'a>(read: &'a Value, name: &str) -> Vec<&'a str> {
    let events = read[1].as_array().unwrap().iter();
    events.map(|event| event[name].as_str().unwrap()).collect()
}

fn sequence(read: &Value) -> u64 {
    let all = members(read, "sequence");
    assert!(all.iter().all(|sequence| *sequence == all[0]), "{all:?}");
    all[0].parse().unwrap()
}

#[test]
fn a_calendar_follows_a_booking_that_is_moved_and_cancelled() {
    let world = World::new(2);
    let odd = "site,name_ko,name_en,region,address,lat,lng,phone\n\
        A,종로센터,\"Jongno; Center, \\ \"\"North\"\"\",11/110,\
        \"서울특별시 종로구 세종대로 일이삼사오육칠팔구십 백이십삼번지, 2층\",37.57,126.98,02-111\n\
        B,강남센터,Gangnam Center,11/680,서울 강남구 2,37.51,127.04,02-222-2222\n\
        C,부산센터,Busan Center,26/110,부산 중구 3,35.10,129.03,051-333-3333\n";
    let sites = world.write("sites.csv", odd).display().to_string();
    world.ok(&["sites", "import", &sites, "--campaign", "test-open"]);
    let server = world.serve();
    let mut client = server.client();
    let session = client.session(&person(OPEN, 0));
    let slot = server.slot(&session, "A", "2180-08-02", 0);
    let booked = client.book(&session, "k1", &slot).is(201);
    let number = booked.json["booking"]["number"]
        .as_str()
        .unwrap()
        .to_owned();

    let first = read("first.ics", &file_of(&mut client, &session));
    let uids = [1, 2].map(|dose| format!("{number}-{dose}@sumun"));
    assert_eq!(first[0], "PUBLISH");
    assert_eq!(members(&first, "uid"), uids);
    assert_eq!(members(&first, "status"), ["CONFIRMED"; 2]);
    assert_eq!(
        members(&first, "dtstart"),
        ["2180-08-02T00:00:00Z", "2180-08-30T00:00:00Z"]
    );
    assert!(members(&first, "location")[0].starts_with("Jongno; Center, \\ \"North\", 서울특별시"));
    assert_eq!(first[1][0]["alarms"], 1);

    // Stamps are whole seconds: the next change is in another one.
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    let path = |what: &str| format!("/bookings/{number}/{what}");
    let slot = server.slot(&session, "B", "2180-08-05", 0);
    let wish = serde_json::json!({ "slot": slot });
    client
        .post_once(&path("move"), &session, "k2", &wish)
        .is(200);
    let moved = read("moved.ics", &file_of(&mut client, &session));
    assert_eq!(members(&moved, "uid"), uids);
    assert_eq!(members(&moved, "dtstart")[0], "2180-08-05T00:00:00Z");
    assert!(sequence(&moved) > sequence(&first));
    assert!(members(&moved, "dtstamp") > members(&first, "dtstamp"));

    // To a vaccine of one dose: the second is taken out of the calendar.
    let slot = server.slot(&session, "C", "2180-08-02", 0);
    let wish = serde_json::json!({ "slot": slot });
    client
        .post_once(&path("move"), &session, "k3", &wish)
        .is(200);
    let single = read("single.ics", &file_of(&mut client, &session));
    assert_eq!(members(&single, "uid"), uids);
    assert_eq!(members(&single, "status"), ["CONFIRMED", "CANCELLED"]);
    assert_eq!(members(&single, "dtstart")[1], "2180-09-02T00:00:00Z");

    client
        .post_once(&path("cancel"), &session, "k4", &Value::Null)
        .is(200);
    let page = client.call("GET", "//en/test-open/booking", Some(&session), &[], None);
    assert!(text(&page.is(200).body).contains("/booking.ics"));
    let cancelled = read("cancelled.ics", &file_of(&mut client, &session));
    assert_eq!(cancelled[0], "CANCEL");
    assert_eq!(members(&cancelled, "uid"), uids[..1]);
    assert_eq!(members(&cancelled, "status"), ["CANCELLED"]);
    assert!(sequence(&cancelled) > sequence(&single));
    assert_eq!(cancelled[1][0]["alarms"], 0);

    // A new booking is another event; it has the file from now on, also after a restart.
    assert!(server.stop().success());
    let server = world.serve();
    let mut client = server.client();
    assert_eq!(
        read("restarted.ics", &file_of(&mut client, &session)),
        cancelled
    );
    let slot = server.slot(&session, "A", "2180-08-02", 0);
    client.book(&session, "k5", &slot).is(201);
    let again = read("again.ics", &file_of(&mut client, &session));
    assert_eq!(again[0], "PUBLISH");
    assert_ne!(members(&again, "uid"), uids);

    // Somebody who never booked has no file.
    let other = client.session(&person(OPEN, 1));
    let path = "//en/test-open/booking.ics";
    client.call("GET", path, Some(&other), &[], None).is(303);
}
