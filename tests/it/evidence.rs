//! Evidence of an evening: made beside a running server and at rest, verified, counted again from
//! the export by other code, and every file of it changed, taken away, swapped and added to.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use data_encoding::BASE64;
use flate2::read::MultiGzDecoder;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::commands::{Demo, free_slots};
use super::evenings::{campaign, enter, run, wait_until};
use super::world::{OPEN, Person, World, people_of, person, text};

const FILES: [&str; 7] = [
    "SHA256SUMS",
    "SHA256SUMS.minisig",
    "entries.jsonl.gz",
    "figures.json",
    "heads.json",
    "index.en.html",
    "index.html",
];
const CAMPAIGN: &str = "kr-2021-50s";
/// Open from 20:00 to 20:05; everybody has to have finished by 20:07.
const OPENING: &str = r#"
[[opening]]
cohorts = ["born-1967-1968"]
from = "2021-07-19T20:00"
until = "2021-07-19T20:05"
birth_day_last_digits = [0, 1, 2, 3, 4, 5, 6, 7, 8]
"#;

fn evening<'a>(opening: &'a str, into: &'a Path) -> [&'a str; 7] {
    let into = into.to_str().unwrap();
    [
        "audit",
        "evening",
        "--campaign",
        CAMPAIGN,
        "--opening",
        opening,
        into,
    ]
}

fn verify(data: &Path, folder: &Path, key: Option<&str>) -> (bool, String) {
    let mut arguments = vec!["audit", "verify", folder.to_str().unwrap()];
    arguments.extend(key.iter().flat_map(|key| ["--public-key", key]));
    run(data, &arguments)
}

fn figures(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join("figures.json")).unwrap()).unwrap()
}

/// Sixteen people come, twelve of them before the opening; twelve book. One is refused.
fn live(client: &mut super::client::Client, data: &Path) {
    let all = people_of(&data.join("people.csv"));
    let is_open_for = |person: &&Person| !person.birth_date.ends_with('9');
    let (theirs, others): (Vec<&Person>, Vec<&Person>) = all.iter().partition(is_open_for);
    let mut tokens: Vec<String> = theirs[..12]
        .iter()
        .map(|person| enter(client, person).1)
        .collect();
    let other = super::world::credentials(others[0]);
    let refused = client.post("/gate/enter", None, &other);
    assert_eq!(refused.status, 403, "{refused:?}");
    wait_until(client, "20:00:02");
    tokens.extend(theirs[12..16].iter().map(|person| enter(client, person).1));
    let paused = run(
        data,
        &[
            "gate",
            "pause",
            "--reason",
            "점검 <b>",
            "--reason-en",
            "a check",
        ],
    );
    assert!(paused.0, "{}", paused.1);
    wait_until(client, "20:00:40");
    assert!(run(data, &["gate", "resume"]).0);
    for (at, token) in tokens[..12].iter().enumerate() {
        let session = client.let_in(token);
        let slots = free_slots(client, &session);
        let key = format!("evidence-key-{at:04}");
        client.book(&session, &key, &slots[0]).is(201);
    }
}

#[test]
fn an_evening_is_put_on_record_and_any_change_of_it_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("campaign.toml");
    let text = campaign(OPENING).replace("admit_per_s = 1", "admit_per_s = 280");
    fs::write(&file, text).unwrap();
    let data = folder.path().join("data");
    let arguments = [
        "--people",
        "3000",
        "--at",
        "2021-07-19T19:58:30+09:00",
        "--speed",
        "30",
    ];
    let arguments = [&arguments[..], &["--campaign", file.to_str().unwrap()]].concat();
    let demo = Demo::start(&data, &arguments);
    let mut client = demo.client();
    live(&mut client, &data);
    // Beside the running server, before the end: only as what there is so far.
    let early = folder.path().join("early");
    let (made, told) = run(&data, &evening("2021-07-19T20:00", &early));
    assert!(
        !made && told.contains("not over yet") && !early.exists(),
        "{told}"
    );
    let so_far = [&evening("2021-07-19T20:00", &early)[..], &["--so-far"]].concat();
    let (made, told) = run(&data, &so_far);
    assert!(made, "{told}");
    let (verified, told) = verify(&data, &early, None);
    assert!(verified && told.contains("was not over"), "{told}");
    assert_eq!(figures(&early)["so_far"], true);
    wait_until(&mut client, "20:08:10");
    let late = folder.path().join("late");
    let (made, told) = run(&data, &evening("2021-07-19T11:00:00Z", &late));
    assert!(made, "{told}");
    drop(demo);

    let evidence = folder.path().join("evidence");
    let (made, told) = run(&data, &evening("2021-07-19T20:00", &evidence));
    assert!(made, "{told}");
    assert_eq!(figures(&evidence), figures(&late));
    let names: BTreeSet<String> = fs::read_dir(&evidence)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(names, FILES.map(str::to_owned).into());
    refused_in_words(&data, folder.path(), &evidence);
    counted_again(&data, &evidence);
    checked_by_others(&data, &evidence);
    tampered_with(&data, folder.path(), &evidence, &early);
}

fn refused_in_words(data: &Path, folder: &Path, evidence: &Path) {
    let (made, told) = run(data, &evening("2021-07-19T20:00", evidence));
    assert!(!made && told.contains("has something in it"), "{told}");
    let new = folder.join("new");
    let (made, told) = run(data, &evening("2021-07-19T21:00", &new));
    let instants =
        "no opening at 2021-07-19T21:00:00+09:00; it has those at 2021-07-19T20:00:00+09:00";
    assert!(!made && told.contains(instants), "{told}");
    let (made, told) = run(data, &evening("eight", &new));
    assert!(!made && told.contains("is not a local time"), "{told}");
    let mut unknown = evening("2021-07-19T20:00", &new);
    unknown[3] = "other";
    let (made, told) = run(data, &unknown);
    let says = "has no campaign other; it has kr-2021-50s";
    assert!(!made && told.contains(says) && !new.exists(), "{told}");
    let line = [&evening("2021-07-19T20:00", &new)[..], &["--line", "7"]].concat();
    let (made, told) = run(data, &line);
    assert!(
        !made && told.contains("has the line 7; there is 0"),
        "{told}"
    );
}

/// Counts from the journal's own export, in JSON, without any of the program's code.
fn counted_again(data: &Path, evidence: &Path) {
    let figures = figures(evidence);
    let (_, export) = run(data, &["audit", "export"]);
    let zone = TimeZone::get("Asia/Seoul").unwrap();
    let (mut booked, mut numbers) = (BTreeMap::<String, u64>::new(), BTreeSet::new());
    let (mut told, mut refused) = (0, 0);
    for line in export.lines() {
        let entry: Value = serde_json::from_str(line).unwrap();
        let stamp: Timestamp = entry["stamp"].as_str().unwrap().parse().unwrap();
        let change = &entry["change"];
        if change["booked"].is_object() {
            let minute = stamp
                .to_zoned(zone.clone())
                .strftime("%Y-%m-%dT%H:%M:00+09:00");
            *booked.entry(minute.to_string()).or_default() += 1;
        }
        for place in change["places_given"]["places"]
            .as_array()
            .into_iter()
            .flatten()
        {
            numbers.insert(place["number"].as_u64().unwrap());
        }
        told += u64::from(change["line_told"].is_object());
        refused += u64::from(change["refused"].is_object());
    }
    assert_eq!((booked.values().sum::<u64>(), numbers.len()), (12, 16));
    let rows = figures["minutes"].as_array().unwrap();
    let with_bookings = rows.iter().filter(|row| row["booked"] != 0);
    let by_minute: BTreeMap<String, u64> = with_bookings
        .map(|row| {
            let at = row["at"].as_str().unwrap().to_owned();
            (at, row["booked"].as_u64().unwrap())
        })
        .collect();
    assert_eq!(by_minute, booked);
    assert_eq!(figures["numbers"]["given"], numbers.len());
    assert_eq!(figures["numbers"]["highest"], *numbers.last().unwrap());
    assert_eq!(figures["numbers"]["before_opening"], 12);
    assert_eq!(
        figures["numbers"]["acted_before_call"], 0,
        "{}",
        figures["numbers"]
    );
    assert_eq!(figures["numbers"]["acted"], 12);
    let refusals = figures["refusals"].as_array().unwrap();
    let people = refusals
        .iter()
        .map(|refusal| refusal["people"].as_u64().unwrap());
    assert_eq!((people.sum::<u64>(), refused), (1, 1));
    // A minute of this clock is two seconds: there were some entries of what was told, and few.
    assert!((2..=12).contains(&told), "{told}");
    let acts: Vec<&Value> = figures["acts"].as_array().unwrap().iter().collect();
    let paused = acts.iter().find(|act| act["act"] == "paused").unwrap();
    assert_eq!(
        (&paused["text"], &paused["text_en"]),
        (&json!("점검 <b>"), &json!("a check"))
    );
    // Nobody is in it but operators.
    let people = people_of(&data.join("people.csv"));
    let keys = sumun::keys::Keys::load(data).unwrap();
    let shown: String = ["figures.json", "index.html", "index.en.html", "heads.json"]
        .map(|name| fs::read_to_string(evidence.join(name)).unwrap())
        .concat();
    for person in people.iter().take(40) {
        let code = sumun::domain::crockford::parse(&person.code).unwrap();
        let key = keys.person_key(code).to_string();
        let details = [&key, &person.code, &person.name];
        assert!(!details.iter().any(|detail| shown.contains(detail.as_str())));
    }
    // The entries are those of the export, up to the end of the evening.
    let packed = fs::File::open(evidence.join("entries.jsonl.gz")).unwrap();
    let mut entries = String::new();
    std::io::Read::read_to_string(&mut MultiGzDecoder::new(packed), &mut entries).unwrap();
    assert!(export.starts_with(&entries) && entries.lines().count() > 30);
}

/// Checksums by coreutils, and the signature by another library than the program's code uses it.
fn checked_by_others(data: &Path, evidence: &Path) {
    let mut sums = Command::new("sha256sum");
    let sums = sums
        .args(["--check", "--strict", "SHA256SUMS"])
        .current_dir(evidence);
    let output = sums.output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout).lines().count(), 5);
    let (_, head) = run(data, &["audit", "head", "--json"]);
    let head: Value = serde_json::from_str(head.lines().next().unwrap()).unwrap();
    let key = head["public_key"].as_str().unwrap();
    let key = data_encoding::HEXLOWER.decode(key.as_bytes()).unwrap();
    let signed = fs::read_to_string(evidence.join("SHA256SUMS.minisig")).unwrap();
    let lines: Vec<&str> = signed.lines().collect();
    let signature = BASE64.decode(lines[1].as_bytes()).unwrap();
    let listed = fs::read(evidence.join("SHA256SUMS")).unwrap();
    let key = ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, key);
    assert_eq!(&signature[..2], b"Ed");
    key.verify(&listed, &signature[10..]).unwrap();
}

fn tampered_with(data: &Path, folder: &Path, evidence: &Path, other: &Path) {
    let (_, head) = run(data, &["audit", "head", "--json"]);
    let head: Value = serde_json::from_str(head.lines().next().unwrap()).unwrap();
    let key = head["public_key"].as_str();
    let (verified, told) = verify(data, evidence, key);
    assert!(verified, "{told}");
    let kept = folder.join("head.json");
    fs::write(&kept, head.to_string()).unwrap();
    let copy = folder.join("copy");
    for (at, name) in FILES.iter().enumerate() {
        let found = |what: &str| {
            let (verified, told) = verify(data, &copy, key);
            assert!(!verified, "{name} {what} and not found: {told}");
            assert!(told.contains("FAULT"), "{told}");
            told
        };
        copied(evidence, &copy);
        let mut bytes = fs::read(copy.join(name)).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(copy.join(name), &bytes).unwrap();
        assert!(found("changed").contains(name.split('.').next().unwrap()));

        copied(evidence, &copy);
        fs::remove_file(copy.join(name)).unwrap();
        assert!(found("removed").contains(&format!("{name} is missing")));

        copied(evidence, &copy);
        fs::copy(other.join(name), copy.join(name)).unwrap();
        found("taken from other evidence of the same journal");

        copied(evidence, &copy);
        let next = FILES[(at + 1) % FILES.len()];
        fs::copy(evidence.join(name), copy.join(next)).unwrap();
        fs::copy(evidence.join(next), copy.join(name)).unwrap();
        found("swapped with the next");
    }
    copied(evidence, &copy);
    fs::write(copy.join("notes.txt"), "hello").unwrap();
    let (verified, told) = verify(data, &copy, key);
    assert!(
        !verified && told.contains("notes.txt does not belong"),
        "{told}"
    );

    // Whole, and of another journal than the one whose key the auditor has.
    let wrong = "0".repeat(64);
    let (verified, told) = verify(data, evidence, Some(&wrong));
    assert!(!verified && told.contains("another head key"), "{told}");
}

fn copied(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    fs::create_dir(to).unwrap();
    for name in FILES {
        fs::copy(from.join(name), to.join(name)).unwrap();
    }
}

/// What the journal has of starts and stops, in order.
fn runs(world: &World) -> Vec<&'static str> {
    let export = world.run(&["audit", "export"]).stdout;
    let export = text(&export);
    let told = export.lines().filter_map(|line| {
        let entry: Value = serde_json::from_str(line).unwrap();
        let is = |name: &str| entry["change"][name].is_object();
        ["started", "stopped"].into_iter().find(|name| is(name))
    });
    told.collect()
}

#[test]
fn a_stop_is_told_from_a_crash() {
    let world = World::new(10);
    let server = world.serve();
    server.session(&person(OPEN, 0));
    assert!(server.stop().success());
    assert_eq!(runs(&world), ["started", "stopped"]);
    let server = world.serve();
    server.session(&person(OPEN, 1));
    server.kill();
    let server = world.serve();
    server.session(&person(OPEN, 2));
    assert!(server.stop().success());
    let wanted = ["started", "stopped", "started", "started", "stopped"];
    assert_eq!(runs(&world), wanted);
    // The opening of this world goes on for a hundred years.
    let folder = world.path("evidence");
    let into = folder.to_str().unwrap();
    let opening = "2020-01-01T00:00";
    let made = [
        "audit",
        "evening",
        "--campaign",
        "test-open",
        "--opening",
        opening,
        into,
    ];
    let several = text(&world.run(&made).stderr);
    assert!(
        several.contains("2 openings at") && several.contains("0 (open), 1 (over)"),
        "{several}"
    );
    let made = [&made[..], &["--line", "0", "--so-far"]].concat();
    world.ok(&made);
    let figures = figures(&folder);
    let seen: Vec<&Value> = figures["happenings"].as_array().unwrap().iter().collect();
    let seen: Vec<&str> = seen
        .iter()
        .map(|seen| seen["what"].as_str().unwrap())
        .collect();
    assert_eq!(seen[2..4], ["started", "started_after_crash"], "{seen:?}");
    assert_eq!(figures["numbers"]["given"], 3);
    world.ok(&["audit", "verify", into]);
}
