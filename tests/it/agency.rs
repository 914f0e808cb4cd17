//! The agency's file: checked, compared, activated at rest and beside a server, and what people do
//! with it.

use std::fs;

use serde_json::{Value, json};

use super::world::{CAMPAIGN, OPEN, World, person, text};

const EXAMPLE: &str = include_str!("../../data/agency.toml");
const LOGO: &str = include_str!("../../data/agency-logo.svg");

/// A folder with the example's file and logo beside it; the path of the file.
fn world() -> (World, String) {
    let world = World::new(5);
    world.write("agency-logo.svg", LOGO);
    let file = world.write("agency.toml", EXAMPLE).display().to_string();
    (world, file)
}

/// Journal entries of a kind, as the export shows them.
fn entries(world: &World, kind: &str) -> Vec<Value> {
    let export = text(&world.run(&["audit", "export"]).stdout);
    let lines = export
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let changes = lines.map(|line| line["change"].clone());
    changes
        .filter(|change| change.get(kind).is_some())
        .collect()
}

#[test]
fn an_agencys_file_is_checked_with_its_logo() {
    let (world, file) = world();
    let checked = world.ok(&["agency", "check", &file]);
    assert_eq!(checked["ok"], true);
    assert_eq!(checked["languages"], json!(["ko", "en"]));

    let refused = |said: &str| {
        let output = world.run(&["agency", "check", &file]);
        assert_eq!(output.status.code(), Some(1));
        let told = text(&output.stdout);
        assert!(told.contains(said), "{told}");
        let activated = world.run(&["agency", "activate", &file]);
        assert_eq!(
            activated.status.code(),
            Some(1),
            "{}",
            text(&activated.stdout)
        );
    };
    world.write(
        "agency-logo.svg",
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 8 8\"><script/></svg>",
    );
    refused("agency.toml:14: error: [agency]: logo: `agency-logo.svg` has <script>");
    fs::remove_file(world.path("agency-logo.svg")).unwrap();
    refused("put it beside this file");
    std::os::unix::fs::symlink("/etc/hostname", world.path("agency-logo.svg")).unwrap();
    refused("leads out of its folder");
    world.write(
        "agency.toml",
        &EXAMPLE.replace("agency-logo.svg", "../agency-logo.svg"),
    );
    refused("must be a file beside this one");
    assert_eq!(world.ok(&["agency", "list"])["agencies"], json!([]));
}

#[test]
fn a_file_is_activated_at_rest_and_kept_over_starts() {
    let (world, file) = world();
    let planned = world.ok(&["agency", "activate", &file, "--dry-run"]);
    assert_eq!(
        (&planned["version"], &planned["campaign"]),
        (&json!(1), &json!(CAMPAIGN))
    );
    assert_eq!(planned["vaccines_unnamed"], json!(["single"]));
    assert_eq!(
        world.ok(&["agency", "list"])["agencies"],
        json!([]),
        "nothing was changed"
    );

    let said = text(&world.run(&["agency", "activate", &file]).stdout);
    assert!(said.contains("version 1 is in force"), "{said}");
    assert!(said.contains("no name for `single`"), "{said}");
    let again = world.ok(&["agency", "activate", &file, "--campaign", CAMPAIGN]);
    assert_eq!(
        (&again["agency"], &again["changed"]),
        (&json!(1), &json!(false))
    );
    // The text is the same, but not the picture.
    world.write("agency-logo.svg", &LOGO.replace("#1d2b45", "#000000"));
    let changed = world.ok(&["agency", "activate", &file, "--dry-run"]);
    assert_eq!(changed["changes"][0]["field"], "logo");
    assert_eq!(changed["changes"].as_array().unwrap().len(), 1);
    assert_eq!(world.ok(&["agency", "activate", &file])["agency"], 2);
    let listed = &world.ok(&["agency", "list"])["agencies"][0];
    assert_eq!(
        (&listed["version"], &listed["consent"]),
        (&json!(2), &json!("2021-07-01"))
    );
    assert_eq!(entries(&world, "agency_activated").len(), 2);

    let other = EXAMPLE.replace("id = \"mrna\"", "id = \"other\"");
    let other = world.write("other.toml", &other).display().to_string();
    let refused = world.run(&["agency", "activate", &other]);
    assert_eq!(refused.status.code(), Some(1));
    let told = text(&refused.stdout);
    assert!(
        told.contains("no vaccine `other`") && told.contains("mrna, single"),
        "{told}"
    );
    let unknown = world.run(&["agency", "activate", &file, "--campaign", "other"]);
    assert!(text(&unknown.stdout).contains("campaign `other` is not active"));
    let differs = world.ok(&["agency", "diff", &file, &other]);
    assert_eq!(differs["changes"][0]["field"], "vaccine other.name.ko");
    world.ok(&["verify"]);
}

#[test]
fn programs_are_told_of_the_agency_and_what_people_agreed_to_is_journalled_once() {
    let (world, file) = world();
    let server = world.serve();
    let mut client = server.client();
    assert_eq!(client.get("", None).is(200).json["agency"], Value::Null);
    let session = client.session(&person(OPEN, 0));
    let early = json!({ "slot": "7", "agreed": 1 });
    client
        .post_once("/bookings", &session, "early", &early)
        .is(201);
    assert_eq!(
        entries(&world, "agreed").len(),
        0,
        "no version was there to agree to"
    );

    assert_eq!(world.ok(&["agency", "activate", &file])["agency"], 1);
    let agency = client.get("", None).is(200).json["agency"].clone();
    assert_eq!(
        (&agency["version"], &agency["colour"]),
        (&json!(1), &json!("#0b50d0"))
    );
    assert_eq!(agency["name"]["ko"], "질병예방청");
    assert_eq!(agency["consent"]["version"], "2021-07-01");
    assert_eq!(agency["vaccines"][0]["vaccine"], "mrna");

    let session = client.session(&person(OPEN, 1));
    let asked = json!({ "slot": "7", "agreed": 1 });
    let booked = client.post_once("/bookings", &session, "k", &asked).is(201);
    let again = client.post_once("/bookings", &session, "k", &asked).is(201);
    assert_eq!(booked.json, again.json);
    let session = client.session(&person(OPEN, 2));
    let unheard = json!({ "slot": "7", "agreed": 2 });
    client
        .post_once("/bookings", &session, "u", &unheard)
        .is(201);
    for wrong in [json!(-1), json!("1"), json!(1.5)] {
        let asked = json!({ "slot": "7", "agreed": wrong });
        let answer = client.post_once("/bookings", &session, "w", &asked);
        assert!(
            (400..500).contains(&answer.status),
            "{wrong}: {}",
            answer.status
        );
    }
    let agreed = entries(&world, "agreed");
    assert_eq!(agreed.len(), 1, "{agreed:?}");
    assert_eq!(agreed[0]["agreed"]["agency"], 1);
    let booked = entries(&world, "booked");
    assert_eq!(agreed[0]["agreed"]["person"], booked[1]["booked"]["person"]);
    server.kill();
    let server = world.serve();
    let kept = server.client().get("", None).is(200).json["agency"].clone();
    assert_eq!(kept, agency);
}

/// The version of the agency's file changes with each of its words; people are asked again only
/// when what they agree to is another text.
#[test]
fn consent_is_asked_for_again_when_its_text_changes_and_not_before() {
    let (world, file) = world();
    world.ok(&["agency", "activate", &file]);
    let server = world.serve();
    let mut client = server.client();
    let one = person(OPEN, 0);
    let mut enters = |agreed: &str| {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("name", one.name.as_str()),
                ("birth_date", &one.birth_date),
                ("code", &one.code),
                ("agreed", agreed),
            ])
            .finish();
        let head = format!(
            "POST /en/{CAMPAIGN}/enter HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: \
             same-origin\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: \
             {}\r\n\r\n",
            body.len()
        );
        let answer = client.send((head + &body).as_bytes()).unwrap();
        (answer.status, text(&answer.body))
    };
    let (status, told) = enters("");
    assert!(
        status == 422 && told.contains("only if you agree"),
        "{told}"
    );
    assert_eq!(enters("1").0, 303);
    assert_eq!(enters("2").0, 422, "nobody agrees to what is to come");

    let other = |from: &str, to: &str| {
        assert!(EXAMPLE.contains(from));
        let text = EXAMPLE.replace(from, to);
        world.write("agency.toml", &text).display().to_string()
    };
    let welcome = other("can book their COVID-19 vaccination here", "can book here");
    assert_eq!(world.ok(&["agency", "activate", &welcome])["agency"], 2);
    assert_eq!(enters("1").0, 303, "what they agreed to is the same");

    let reworded = other("I agree that my name", "I agree that my full name");
    let refused = world.run(&["agency", "activate", &reworded]);
    assert_eq!(refused.status.code(), Some(1));
    let told = text(&refused.stdout) + &text(&refused.stderr);
    assert!(
        told.contains("give the new text a version of its own"),
        "{told}"
    );

    let text = EXAMPLE.replace("I agree that my name", "I agree that my full name");
    let text = text.replace("version = \"2021-07-01\"", "version = \"2021-08-01\"");
    let file = world.write("agency.toml", &text).display().to_string();
    assert_eq!(world.ok(&["agency", "activate", &file])["agency"], 3);
    let (status, told) = enters("2");
    assert!(
        status == 422 && told.contains("The text has changed"),
        "{told}"
    );
    assert_eq!(enters("3").0, 303);
}
