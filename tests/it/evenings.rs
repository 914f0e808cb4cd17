//! More than one evening: each opening has a line of its own, and says before its end who will not
//! have their turn.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::client::Client;
use super::commands::{Demo, free_slots};
use super::world::{Person, credentials, people_of, text};

/// Everybody may come from 20:00 to 20:05, and again from 20:12 on.
const OPENINGS: &str = r#"
[[opening]]
cohorts = ["born-1967-1968"]
from = "2021-07-19T20:00"
until = "2021-07-19T20:05"
[[opening]]
cohorts = ["born-1967-1968"]
from = "2021-07-19T20:12"
until = "2021-07-19T21:00"
"#;

/// The example's campaign with these openings, and one person let in a second.
pub fn campaign(openings: &str) -> String {
    let example = include_str!("../../data/campaign.toml");
    let (before, rest) = example.split_once("# When.").unwrap();
    let (_, after) = rest.split_once("[[vaccine]]").unwrap();
    let text = format!("{before}{openings}[[vaccine]]{after}");
    let text = text.replace("admit_per_s = 280", "admit_per_s = 1");
    let text = text.replace("lobby_opens_min = 30", "lobby_opens_min = 5");
    let text = text.replace("last_entry_min = 0", "last_entry_min = 1");
    text.replace("finish_min = 10", "finish_min = 2")
}

/// Waits until the server's time is so late in the evening, as `20:04:01`.
pub fn wait_until(client: &mut Client, time: &str) {
    let began = Instant::now();
    loop {
        let now = client.get("//api/v1/now", None).is(200);
        if now.json["now"].as_str().unwrap()[11..19] >= *time {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{now:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

pub fn run(data: &Path, arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sumun"));
    let output = command
        .args(arguments)
        .arg("--data")
        .arg(data)
        .output()
        .unwrap();
    (
        output.status.success(),
        text(&output.stdout) + &text(&output.stderr),
    )
}

pub fn enter(client: &mut Client, person: &Person) -> (Value, String) {
    let entered = client
        .post("/gate/enter", None, &credentials(person))
        .is(200);
    let token = entered.json["token"].as_str().unwrap().to_owned();
    (entered.json["place"].clone(), token)
}

#[test]
fn an_evening_ends_for_its_line_and_the_next_begins_at_number_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("campaign.toml");
    std::fs::write(&file, campaign(OPENINGS)).unwrap();
    let data = folder.path().join("data");
    let demo = Demo::start(
        &data,
        &[
            "--people",
            "3000",
            "--at",
            "2021-07-19T20:00:00+09:00",
            "--speed",
            "60",
            "--campaign",
            file.to_str().unwrap(),
        ],
    );
    let people = people_of(&data.join("people.csv"));
    let mut client = demo.client();
    let (first, second) = (
        json!({ "from": "2021-07-19T20:00:00+09:00", "until": "2021-07-19T20:05:00+09:00" }),
        json!({ "from": "2021-07-19T20:12:00+09:00", "until": "2021-07-19T21:00:00+09:00" }),
    );
    let (place, token) = enter(&mut client, &people[0]);
    assert_eq!((&place["number"], &place["opening"]), (&json!(1), &first));
    assert_eq!(place["may_not_reach"], Value::Null);
    let sessions: Vec<String> = [&token].map(|token| client.let_in(token)).to_vec();
    let (_, other) = enter(&mut client, &people[1]);
    let other = client.let_in(&other);
    // Who comes as number 900 at one a second will not have their turn by 20:05, and is told so.
    let mut last = (Value::Null, String::new());
    for person in &people[2..900] {
        last = enter(&mut client, person);
    }
    let (place, waits) = last;
    assert_eq!(place["may_not_reach"]["ends_at"], first["until"], "{place}");
    assert_eq!(place["may_not_reach"]["next"], second);
    let looked = client.get("/gate/place", Some(&waits)).is(200);
    assert_eq!(looked.json["place"]["may_not_reach"]["next"], second);

    wait_until(&mut client, "20:04:01");
    let late = client.post("/gate/enter", None, &credentials(&people[1_000]));
    let late = late.problem(403, "opening_closed");
    assert_eq!(late.json["closed_at"], "2021-07-19T20:04:00+09:00");
    assert_eq!(late.json["opens_at"], second["from"]);
    // Whoever has a place comes back to it all the same.
    assert_eq!(
        enter(&mut client, &people[899]).0["number"],
        place["number"]
    );

    wait_until(&mut client, "20:05:01");
    let ended = client
        .get("/gate/place", Some(&waits))
        .problem(401, "place_ended");
    assert_eq!(ended.json["opening"], second);
    let ended = client.post("/gate/admit", Some(&waits), &Value::Null);
    ended.problem(401, "place_ended");
    // Whoever was let in before the end may finish for two minutes.
    let slots = free_slots(&mut client, &sessions[0]);
    client.book(&sessions[0], "k1", &slots[0]).is(201);

    wait_until(&mut client, "20:07:10");
    client
        .book(&other, "k2", &slots[1])
        .problem(403, "opening_closed");
    // The lobby of the next opening: a line of its own.
    let (place, token) = enter(&mut client, &people[899]);
    assert_eq!(
        (&place["state"], &place["number"]),
        (&json!("lobby"), &json!(1))
    );
    assert_eq!(place["opening"], second);
    // The board is renewed each second.
    wait_until(&mut client, "20:07:45");
    let board = client.get("/gate/board", None).is(200);
    assert_eq!(board.json["lines"][0]["opening"], second);
    assert_eq!(board.json["lines"][0]["waiting"], 1);

    // It is postponed: the lobby closes, and the place is kept.
    let later = OPENINGS.replace("20:12", "20:40");
    std::fs::write(&file, campaign(&later)).unwrap();
    let file = file.to_str().unwrap();
    let (done, said) = run(
        &data,
        &["campaign", "activate", file, "--dry-run", "--json"],
    );
    let said: Value = serde_json::from_str(&said).unwrap();
    assert!(done, "{said}");
    let touched = &said["lines"][0];
    assert_eq!(
        (&touched["waiting"], &touched["from"]),
        (&json!(1), &second["from"])
    );
    let closes = json!([{ "lobby_closes": { "from": "2021-07-19T20:40:00+09:00" } }]);
    assert_eq!(touched["effects"], closes);
    let (_, human) = run(&data, &["campaign", "activate", file, "--dry-run"]);
    assert!(
        human.contains("1 people wait in its line\n  their lobby closes"),
        "{human}"
    );
    let (done, said) = run(&data, &["campaign", "activate", file]);
    assert!(done, "{said}");
    let kept = client.get("/gate/place", Some(&token)).is(200);
    assert_eq!(kept.json["place"]["state"], "lobby");
    assert_eq!(kept.json["place"]["number"], 1);
    assert_eq!(
        kept.json["place"]["opening"]["from"],
        "2021-07-19T20:40:00+09:00"
    );
    // Whoever has no place yet can't come in before the lobby opens again.
    let early = client.post("/gate/enter", None, &credentials(&people[1_000]));
    early.problem(403, "opening_closed");
    // Nobody is planned for any more: the place is worth nothing, and that is said before.
    let none = OPENINGS
        .split_once("[[opening]]\ncohorts")
        .unwrap()
        .0
        .to_owned()
        + OPENINGS
            .split("[[opening]]")
            .nth(1)
            .map(|first| format!("[[opening]]{first}"))
            .unwrap()
            .as_str();
    std::fs::write(file, campaign(&none)).unwrap();
    let (_, human) = run(&data, &["campaign", "activate", file, "--dry-run"]);
    assert!(human.contains("all of them lose their places"), "{human}");
    assert!(run(&data, &["campaign", "activate", file]).0);
    let gone = client
        .get("/gate/place", Some(&token))
        .problem(401, "place_ended");
    assert_eq!(gone.json["opening"], Value::Null);
}

/// Three evenings at one gate: each line begins at number 1, and nobody is ahead for having come
/// the evening before.
#[test]
fn three_evenings_are_simulated_in_a_row() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sumun"));
    let options = ["--people", "20000", "--evenings", "3", "--json"];
    let output = command
        .args(["rush", "simulate"])
        .args(options)
        .output()
        .unwrap();
    let (said, told) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{said}{told}");
    let said: Value = serde_json::from_str(&said).unwrap();
    let evenings = said["evenings"].as_array().unwrap();
    assert_eq!(evenings.len(), 3);
    for evening in evenings {
        assert_eq!(evening["first_number"], 1, "{evening}");
        assert_eq!(evening["in_order"], true, "{evening}");
        assert_eq!(evening["conserved"], true, "{evening}");
        assert_eq!(evening["enters"]["all"], 20_000, "{evening}");
    }
}
