//! An opening whose people come by windows: looked up, printed, kept to, planned anew and checked.

use serde_json::{Value, json};

use super::commands::Demo;
use super::evenings::{enter, run, wait_until};
use super::world::{people_of, text};

/// A hundred people in each window of ten minutes, shown a quarter of an hour before.
fn campaign(until: &str) -> String {
    let example = include_str!("../../data/campaign.toml");
    let (before, rest) = example.split_once("# When.").unwrap();
    let (_, after) = rest.split_once("[[vaccine]]").unwrap();
    let opening = format!(
        "[[opening]]\ncohorts = [\"born-1967-1968\"]\nfrom = \"2021-07-19T20:00\"\n\
         until = \"2021-07-19T{until}\"\n"
    );
    let text = format!("{before}{opening}[[vaccine]]{after}");
    text.replace(
        "order = \"arrival\"",
        "order = \"windows\"\nwindow_min = 10\nwindow_people = 100\nreveal_min = 15",
    )
}

#[test]
fn everybody_has_a_window_and_goes_straight_in_when_it_has_come() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("campaign.toml");
    std::fs::write(&file, campaign("22:00")).unwrap();
    let data = folder.path().join("data");
    let file = file.to_str().unwrap();
    let demo = Demo::start(
        &data,
        &[
            "--people",
            "450",
            "--at",
            "2021-07-19T19:44:40+09:00",
            "--speed",
            "60",
            "--campaign",
            file,
        ],
    );
    let (_, told) = run(&data, &["campaign", "activate", file, "--dry-run"]);
    let ahead = " windows of 10 min, the last until 2021-07-19T20:";
    assert!(
        told.contains(ahead) && told.contains("shown from"),
        "{told}"
    );
    let mut client = demo.client();
    let all = people_of(&data.join("people.csv"));
    let theirs = |birth: &str| birth.starts_with("1967") || birth.starts_with("1968");
    let all: Vec<_> = all.into_iter().filter(|p| theirs(&p.birth_date)).collect();
    let board = client.get("/gate/board", None).is(200);
    assert!(board.json["lines"][0]["draw_commitment"].is_string());
    assert!(board.json["lines"][0]["windows"].is_null());
    wait_until(&mut client, "19:45:10");
    let places: Vec<(Value, String)> = all
        .iter()
        .map(|person| enter(&mut client, person))
        .collect();
    for (place, _) in &places {
        let told = (&place["state"], &place["number"], &place["ahead"]);
        assert_eq!(told, (&json!("window"), &json!(0), &json!(0)), "{place}");
    }
    let from = |place: &Value| place["window"][0].as_str().unwrap()[11..16].to_owned();
    let mut begins: Vec<String> = places.iter().map(|(place, _)| from(place)).collect();
    begins.sort_unstable();
    begins.dedup();
    assert_eq!(begins[0], "20:00");
    let windows = all.len().div_ceil(100);
    assert_eq!(begins.len(), windows, "{begins:?}");
    let of = |begins: &str| places.iter().position(|(place, _)| from(place) == begins);
    let (first, second) = (of("20:00").unwrap(), of("20:10").unwrap());
    // Their own device, and another: the same window, and no way in.
    assert_eq!(enter(&mut client, &all[second]).0, {
        let mut again = places[second].0.clone();
        let now = enter(&mut client, &all[second]).0;
        for moves in ["wait_s", "next_poll_s"] {
            again[moves] = now[moves].clone();
        }
        again
    });
    let early = client.post("/gate/admit", Some(&places[second].1), &Value::Null);
    let early = early.problem(403, "not_admitted");
    assert_eq!(early.json["place"]["window"], places[second].0["window"]);

    wait_until(&mut client, "20:00:10");
    client.let_in(&places[first].1);
    let waits = client.get("/gate/place", Some(&places[second].1)).is(200);
    assert_eq!(waits.json["place"]["state"], "window");

    // Another end of the opening plans the windows anew that have not begun, and says so before.
    std::fs::write(file, campaign("20:30")).unwrap();
    let (_, told) = run(&data, &["campaign", "activate", file, "--dry-run"]);
    assert!(
        told.contains("people whose window has not begun it is planned anew"),
        "{told}"
    );
    assert!(run(&data, &["campaign", "activate", file]).0);
    let last = |client: &mut super::client::Client| {
        let each = all.iter().map(|person| enter(client, person).0);
        let windows = each.filter(|place| place["state"] == "window");
        windows.map(|place| from(&place)).max().unwrap()
    };
    assert_eq!(last(&mut client), "20:20");

    wait_until(&mut client, "20:20:10");
    for (_, token) in &places {
        client.let_in(token);
    }
    drop(demo);
    let (_, export) = run(&data, &["audit", "export"]);
    let path = folder.path().join("export.jsonl");
    std::fs::write(&path, export).unwrap();
    let keys = sumun::keys::Keys::load(&data).unwrap();
    let code = sumun::domain::crockford::parse(&all[first].code).unwrap();
    let key = keys.person_key(code).to_string();
    let path = path.to_str().unwrap();
    let mut audit = std::process::Command::new(env!("CARGO_BIN_EXE_sumun"));
    let checked = audit.args(["audit", "draw", path, "--person", &key, "--json"]);
    let checked = checked.output().unwrap();
    let answer: Value = serde_json::from_str(&text(&checked.stdout)).unwrap();
    assert!(checked.status.success(), "{answer}");
    let draw = &answer["draws"][0];
    assert_eq!(draw["window"], places[first].0["window"], "{answer}");
    assert_eq!(
        (&draw["in_time"], &draw["early"]),
        (&json!(true), &json!(0))
    );
    let plans = draw["windows"].as_array().unwrap();
    assert!(plans.len() >= 2 && plans.iter().all(|plan| plan["by_rule"] == true));
}
