//! What takes two accounts beside campaign files and seats: a roster file, keys, an agency's file
//! with its logo, and the way back to a version of it.

use std::fs;
use std::path::PathBuf;

use data_encoding::BASE64;
use serde_json::{Value, json};
use sumun::clock::wall;

use super::client::{Answer, Client};
use super::desk::{Clerk, api, desk};
use super::world::{
    CAMPAIGN, NOBODY, OPEN, Person, Server, World, fresh_key, person, roster_text, text,
};

const PEOPLE: u64 = 20;

/// An operator who proposes, and two approvers.
struct Desk {
    kim: Clerk,
    lee: Clerk,
    park: Clerk,
}

impl Desk {
    fn of(world: &World, server: &Server) -> Self {
        Self {
            kim: Clerk::of(world, server, "kim", "operator"),
            lee: Clerk::of(world, server, "lee", "approver"),
            park: Clerk::of(world, server, "park", "approver"),
        }
    }

    /// The same accounts at a server that was started anew.
    fn at(&mut self, server: &Server) {
        for clerk in [&mut self.kim, &mut self.lee, &mut self.park] {
            clerk.client = Client::new(desk(server));
            clerk.token = clerk.again();
        }
    }

    /// The file under which a roster was taken in.
    fn brought(&mut self, roster: &str) -> String {
        let brought = bring(&mut self.kim, "", roster.as_bytes()).is(200);
        brought.json["file"].as_str().unwrap().to_owned()
    }

    fn proposed(&mut self, asked: &Value) -> Value {
        self.kim.post("/proposals", asked).is(200).json["number"].clone()
    }

    fn look(&mut self, number: &Value) -> Value {
        self.lee.get(&format!("/proposals/{number}")).is(200).json
    }
}

fn bring(clerk: &mut Clerk, query: &str, bytes: &[u8]) -> Answer {
    let token = &clerk.token;
    let head = format!(
        "POST /api/desk/v1/rosters{query} HTTP/1.1\r\nHost: localhost\r\n\
         Authorization: Bearer {token}\r\nContent-Type: application/octet-stream\r\n\
         Content-Length: {}\r\n\r\n",
        bytes.len()
    );
    clerk
        .client
        .send(&[head.as_bytes(), bytes].concat())
        .unwrap()
}

fn decide(clerk: &mut Clerk, number: &Value, decision: &str, typed: u64) -> Answer {
    let decided = json!({ "decision": decision, "typed": typed, "reason": "because" });
    clerk.post(&format!("/proposals/{number}/decision"), &decided)
}

fn roster(file: &str) -> Value {
    json!({ "kind": "roster", "file": file, "reason": "the August list" })
}

/// The sealed files that lie beside the journal.
fn sealed(world: &World) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(world.path("proposed")) else {
        return Vec::new();
    };
    entries.map(|entry| entry.unwrap().path()).collect()
}

fn until(mut wanted: impl FnMut() -> bool) {
    for _ in 0..600 {
        if wanted() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("it did not come");
}

fn soon(seconds: i64) -> String {
    wall().plus_s(seconds).instant().to_string()
}

fn row(person: &Person, groups: &str) -> String {
    let Person {
        name,
        birth_date,
        code,
    } = person;
    format!("{name},{birth_date},{code},010-7777-0001,11/110,{groups}\n")
}

/// Somebody whose name and birth date stand nowhere else.
fn newcomer() -> Person {
    Person {
        name: "독고탁미르".to_owned(),
        birth_date: "1967-11-13".to_owned(),
        ..person(OPEN, 900)
    }
}

/// The roster of the world without one person, with one who is too young now, one in a group, and a
/// new one.
fn next_roster() -> String {
    let (gone, young, grouped) = (person(OPEN, 3), person(OPEN, 4), person(OPEN, 5));
    let mut next = String::new();
    for line in roster_text(PEOPLE).lines() {
        if line.contains(&gone.code) {
            continue;
        }
        if line.contains(&young.code) {
            next += &format!("{}\n", line.replace("1967-", "1990-"));
        } else if line.contains(&grouped.code) {
            next += &format!("{line}clinic\n");
        } else {
            next += &format!("{line}\n");
        }
    }
    next + &row(&newcomer(), "")
}

fn book(server: &Server, person: &Person) -> String {
    let mut client = server.client();
    let session = client.session(person);
    let slot = server.slot(&session, "B", "2180-08-02", 0);
    let booked = client.post_once(
        "/bookings",
        &session,
        &fresh_key(),
        &json!({ "slot": slot }),
    );
    let number = &booked.is(201).json["booking"]["number"];
    number.as_str().unwrap().to_owned()
}

/// No name, birth date or code of a file is in what auditors get, or in the server's log.
fn says_nothing_of_people(world: &World, server: &Server) {
    let exported = text(&world.run(&["audit", "export"]).stdout);
    assert!(exported.contains("\"roster_imported\"") || exported.contains("\"proposed\""));
    let log = server.log.lock().unwrap().join("\n");
    let (new, gone) = (newcomer(), person(OPEN, 3));
    for said in [&exported, &log] {
        for secret in [&new.name, &new.birth_date, &new.code, &gone.code] {
            assert!(!said.contains(secret.as_str()), "{secret}");
        }
        assert!(!said.contains("010-7777-0001") && !said.contains("1077770001"));
    }
}

#[test]
fn a_roster_is_proposed_by_one_and_put_into_force_by_another_who_types_how_many_lose() {
    let world = World::new(PEOPLE);
    let server = world.serve();
    let mut desk = Desk::of(&world, &server);
    let gone = person(OPEN, 3);
    let number = book(&server, &gone);
    let file = desk.brought(&next_roster());
    let lying = sealed(&world);
    assert_eq!(lying.len(), 1);
    let bytes = fs::read(&lying[0]).unwrap();
    let name = newcomer().name;
    assert!(
        !bytes
            .windows(name.len())
            .any(|part| part == name.as_bytes())
    );
    let seen = desk
        .kim
        .post("/proposals/preview", &roster(&file))
        .is(200)
        .json;
    let told = &seen["roster"];
    let count = |name: &str| told["file"][name].as_u64().unwrap();
    assert_eq!(
        ["people", "added", "changed", "gone"].map(count),
        [PEOPLE + 15, 1, 2, 1]
    );
    assert_eq!(
        (&told["birth_date"], &told["groups"]),
        (&1.into(), &1.into())
    );
    let moved = json!([{ "from": "", "to": "clinic", "people": 1 }]);
    assert_eq!((&told["group_moves"], &told["lose"]), (&moved, &1.into()));
    assert_eq!((&told["booked"], &seen["takes"]), (&1.into(), &2.into()));
    let now = &seen["at"][0];
    assert_eq!((&now["gain"], &now["lose"]), (&1.into(), &2.into()));
    assert_eq!(
        (&now["campaign"], &now["people"]),
        (&json!(CAMPAIGN), &(PEOPLE + 15).into())
    );
    let proposed = desk.proposed(&roster(&file));
    // Whoever proposed, who may not, and who does not type the number.
    decide(&mut desk.kim, &proposed, "approve", 2).problem(403, "not_yours");
    decide(&mut desk.lee, &proposed, "approve", 0).problem(409, "type_the_number");
    let own = desk.lee.post("/proposals", &roster(&file)).is(200).json["number"].clone();
    decide(&mut desk.lee, &own, "approve", 2).problem(403, "same_eyes");
    let shown = desk.look(&proposed);
    let digest = shown["effect"]["digest"].clone();
    let approve = json!({ "decision": "approve", "typed": 2, "seen": digest });
    let path = format!("/proposals/{proposed}/decision");
    let done = desk.lee.post(&path, &approve).is(200).json;
    assert_eq!(
        (&done["state"], &done["seen"]),
        (&json!("done"), &digest),
        "{done}"
    );
    assert_eq!(done["seen_named"], true);
    let came = done["came_of_it"].as_str().unwrap();
    assert!(came.contains("roster version 2"), "{came}");
    // The other one would undo it.
    decide(&mut desk.park, &own, "approve", 2).problem(409, "not_possible");
    assert_eq!(sealed(&world).len(), 1);
    decide(&mut desk.park, &own, "decline", 0).is(200);
    assert_eq!(sealed(&world).len(), 0);
    // The new person comes in; who is gone has what they had.
    server.session(&newcomer());
    let exported = text(&world.run(&["audit", "export"]).stdout);
    assert!(exported.contains("\"proposal_seen\"") && exported.contains("\"compared\""));
    let mut client = server.client();
    let session = client.session(&gone);
    let mine = client.get("/bookings/mine", Some(&session)).is(200).json;
    assert_eq!(mine["booking"]["number"], number.as_str());
    says_nothing_of_people(&world, &server);
    assert!(server.stop().success());
    world.ok(&["verify"]);
}

#[test]
fn a_file_that_is_declined_withdrawn_called_off_or_forgotten_is_erased() {
    let world = World::new(PEOPLE);
    let server = world.serve();
    let mut desk = Desk::of(&world, &server);
    for decision in ["decline", "withdraw"] {
        let file = desk.brought(&next_roster());
        let proposed = desk.proposed(&roster(&file));
        assert_eq!(sealed(&world).len(), 1);
        let clerk = if decision == "decline" {
            &mut desk.lee
        } else {
            &mut desk.kim
        };
        decide(clerk, &proposed, decision, 0).is(200);
        assert_eq!(sealed(&world).len(), 0, "{decision}");
    }
    let file = desk.brought(&next_roster());
    let mut later = roster(&file);
    later["due"] = soon(3600).into();
    let proposed = desk.proposed(&later);
    decide(&mut desk.lee, &proposed, "approve", 2).is(200);
    assert_eq!(
        (
            sealed(&world).len(),
            desk.look(&proposed)["proposal"]["state"].clone()
        ),
        (1, "approved".into())
    );
    let reason = json!({ "reason": "the list is wrong" });
    desk.kim
        .post(&format!("/proposals/{proposed}/call-off"), &reason)
        .is(204);
    let look = desk.look(&proposed)["proposal"].clone();
    assert_eq!(look["state"], "called_off", "{look}");
    let came = look["came_of_it"].as_str().unwrap();
    assert!(
        came.contains("kim") && came.contains("the list is wrong"),
        "{came}"
    );
    assert_eq!(sealed(&world).len(), 0);
    // One that was never proposed is not there after a start, nor one that did not arrive whole.
    desk.brought(&next_roster());
    fs::write(world.path("proposed/0011.part"), "x").unwrap();
    assert_eq!(sealed(&world).len(), 2);
    assert!(server.stop().success());
    let _server = world.serve();
    assert_eq!(sealed(&world).len(), 0);
}

#[test]
fn what_was_exchanged_or_lost_on_the_disk_is_refused_and_one_approval_of_two_is_taken() {
    let world = World::new(PEOPLE);
    let server = world.serve();
    let mut desk = Desk::of(&world, &server);
    let file = desk.brought(&next_roster());
    let proposed = desk.proposed(&roster(&file));
    let lying = sealed(&world).remove(0);
    let good = fs::read(&lying).unwrap();
    // Another file of this very server under the name, a changed byte, and none.
    let other = desk.brought(&format!("{}{}", next_roster(), row(&person(OPEN, 901), "")));
    let other = fs::read(world.path(&format!("proposed/{other}.sealed"))).unwrap();
    let mut changed = good.clone();
    changed[100] ^= 1;
    for bytes in [Some(other), Some(changed), None] {
        match &bytes {
            Some(bytes) => fs::write(&lying, bytes).unwrap(),
            None => fs::remove_file(&lying).unwrap(),
        }
        // What was worked out a moment ago must not be taken for what is there.
        let refused = decide(&mut desk.lee, &proposed, "approve", 2).problem(422, "faults_found");
        let why = refused.json["faults"][0].as_str().unwrap();
        let expected = if bytes.is_some() {
            "is not the one"
        } else {
            "is not there any more"
        };
        assert!(why.contains(expected), "{why}");
    }
    assert_eq!(world.ok(&["roster", "stats"])["version"], 1);
    fs::write(&lying, &good).unwrap();
    // Two approve at once.
    let path = api(&format!("/proposals/{proposed}/decision"));
    let approve = json!({ "decision": "approve", "typed": 2 });
    let Desk { lee, park, .. } = &mut desk;
    let statuses = std::thread::scope(|scope| {
        let both = [lee, park].map(|clerk| {
            let (path, approve) = (&path, &approve);
            scope.spawn(move || {
                let token = clerk.token.clone();
                clerk.client.post(path, Some(&token), approve).status
            })
        });
        both.map(|one| one.join().unwrap())
    });
    let mut sorted = statuses;
    sorted.sort_unstable();
    assert_eq!(sorted, [200, 409]);
    assert_eq!(world.ok(&["roster", "stats"])["version"], 2);
}

#[test]
fn a_restart_between_changes_nothing_and_an_instant_is_kept() {
    let world = World::new(PEOPLE);
    let server = world.serve();
    let mut desk = Desk::of(&world, &server);
    let file = desk.brought(&next_roster());
    let mut asked = roster(&file);
    asked["due"] = soon(25).into();
    let proposed = desk.proposed(&asked);
    // A copy of now, in which nobody has approved.
    let copy = world.path("copy.sumun");
    world.ok(&["backup", copy.to_str().unwrap()]);
    server.kill();
    let server = world.serve();
    desk.at(&server);
    assert_eq!(sealed(&world).len(), 1);
    decide(&mut desk.lee, &proposed, "approve", 2).is(200);
    assert_eq!(world.ok(&["roster", "stats"])["version"], 1);
    server.kill();
    let server = world.serve();
    until(|| world.ok(&["roster", "stats"])["version"] == 2);
    until(|| sealed(&world).is_empty());
    server.session(&newcomer());
    let exported = text(&world.run(&["audit", "export"]).stdout);
    assert!(exported.contains("roster version 2 is in force"));
    says_nothing_of_people(&world, &server);
    assert!(server.stop().success());
    // The copy has the proposal, and no file: nobody puts it into force from there.
    let folder = tempfile::tempdir().unwrap();
    fs::copy(world.path("keys.json"), folder.path().join("keys.json")).unwrap();
    fs::copy(world.path("server.toml"), folder.path().join("server.toml")).unwrap();
    let restored = World { folder };
    restored.ok(&["restore", copy.to_str().unwrap()]);
    let server = restored.serve();
    // Its accounts are those of the copy: the approver, who has signed in once more since.
    let reset = restored.ok(&["staff", "reset", "park"]);
    let mut park = Clerk::set_up(&server, "park", reset["password"].as_str().unwrap());
    let reset = restored.ok(&["staff", "reset", "kim"]);
    let mut kim = Clerk::set_up(&server, "kim", reset["password"].as_str().unwrap());
    decide(&mut kim, &proposed, "approve", 2).problem(403, "not_yours");
    let refused = decide(&mut park, &proposed, "approve", 2);
    assert!(matches!(refused.status, 409 | 422), "{refused:?}");
    assert_eq!(restored.ok(&["roster", "stats"])["version"], 1);
}

#[test]
fn a_file_with_findings_is_told_by_line_and_bounds_hold() {
    let world = World::new(PEOPLE);
    let server = world.serve();
    let mut desk = Desk::of(&world, &server);
    let secret = newcomer();
    let wrong = format!(
        "name,birth_date,code,phone,region,groups\n{},1967-02-30,ABC,,,\n",
        secret.name
    );
    let file = desk.brought(&wrong);
    let seen = desk
        .kim
        .post("/proposals/preview", &roster(&file))
        .is(200)
        .json;
    let faults = seen["faults"].to_string();
    assert!(
        faults.contains("line 2") && !faults.contains(&secret.name),
        "{faults}"
    );
    desk.kim
        .post("/proposals", &roster(&file))
        .problem(422, "faults_found");
    bring(&mut desk.kim, "", b"").problem(409, "not_possible");
    bring(&mut desk.kim, "?encoding=utf-7", b"x").problem(422, "invalid_request");
    let strange = "00".repeat(32);
    let seen = desk
        .kim
        .post("/proposals/preview", &roster(&strange))
        .is(200)
        .json;
    assert!(
        seen["faults"][0].as_str().unwrap().contains("not there"),
        "{seen}"
    );
    // The one with faults made room when they were told.
    for _ in 0..8 {
        desk.brought(&wrong);
    }
    let full = bring(&mut desk.kim, "", wrong.as_bytes()).problem(409, "not_possible");
    assert!(
        full.json["why"]
            .as_str()
            .unwrap()
            .contains("8 roster files")
    );
    // Whoever is bound to a campaign, or to a site, has no part in what is everybody's.
    let first = world.ok(&[
        "staff",
        "add",
        "bound",
        "--role",
        "approver",
        "--campaign",
        CAMPAIGN,
    ]);
    let mut bound = Clerk::set_up(&server, "bound", first["password"].as_str().unwrap());
    let mut site = Clerk::of(&world, &server, "site", "site");
    bring(&mut bound, "", b"x").problem(403, "not_yours");
    bring(&mut site, "", b"x").problem(403, "not_yours");
    bound
        .post("/proposals/preview", &roster(&file))
        .problem(403, "not_yours");
    let keys = json!({ "kind": "keys", "keys": "heads", "reason": "a year is over" });
    bound.post("/proposals", &keys).problem(403, "not_yours");
    let proposed = desk.proposed(&keys);
    bound
        .get(&format!("/proposals/{proposed}"))
        .problem(404, "not_found");
    decide(&mut bound, &proposed, "approve", 0).problem(404, "not_found");
    says_nothing_of_people(&world, &server);
    assert!(person(NOBODY, 1).name != secret.name);
}

#[test]
fn keys_are_replaced_by_two_while_people_are_served() {
    let world = World::new(PEOPLE);
    let server = world.serve();
    let mut desk = Desk::of(&world, &server);
    let keys = |which: &str| json!({ "kind": "keys", "keys": which, "reason": "a year is over" });
    let done = |desk: &mut Desk, which: &str| {
        let proposed = desk.proposed(&keys(which));
        decide(&mut desk.kim, &proposed, "approve", 0).problem(403, "not_yours");
        let done = decide(&mut desk.lee, &proposed, "approve", 0).is(200).json;
        assert_eq!(
            (&done["state"], &done["keys"]),
            (&json!("done"), &json!(which)),
            "{done}"
        );
        done["came_of_it"].as_str().unwrap().to_owned()
    };
    let mut client = server.client();
    let session = client.session(&person(OPEN, 1));
    assert!(done(&mut desk, "tokens").contains("stay good"));
    client
        .get("/bookings/mine", Some(&session))
        .problem(404, "no_booking");
    // Not twice within a day: said before anybody approves it.
    desk.kim
        .post("/proposals", &keys("tokens"))
        .problem(422, "faults_found");
    assert!(done(&mut desk, "tokens_revoked").contains("no other is good"));
    let ended = client.get("/bookings/mine", Some(&session));
    assert_eq!(ended.status, 401, "{ended:?}");
    let number = book(&server, &person(OPEN, 2));
    let before = world.ok(&["audit", "head"])["public_key"].clone();
    let told = done(&mut desk, "heads");
    let after = world.ok(&["audit", "head"])["public_key"].clone();
    assert_ne!(before, after);
    assert!(told.contains(after.as_str().unwrap()), "{told}");
    assert!(done(&mut desk, "names").contains("keys 1"));
    assert!(done(&mut desk, "names_forgotten").contains("1 keys"));
    let session = client.session(&person(OPEN, 2));
    let mine = client.get("/bookings/mine", Some(&session)).is(200).json;
    assert_eq!(mine["booking"]["number"], number.as_str());
    desk.kim
        .post(
            "/proposals",
            &json!({ "kind": "keys", "keys": "codes", "reason": "x" }),
        )
        .problem(422, "invalid_request");
    assert!(server.stop().success());
    world.ok(&["verify"]);
}

const LOGO: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 40 40\">\
    <circle cx=\"20\" cy=\"20\" r=\"18\" fill=\"#0b50d0\"/></svg>";

fn agency(name: &str, more: &str) -> String {
    format!("[agency]\nname = {{ ko = \"{name}\", en = \"{name}\" }}\n{more}")
}

#[test]
fn an_agencys_file_comes_with_its_logo_and_goes_back_by_one_proposal() {
    let world = World::new(PEOPLE);
    let server = world.serve();
    let mut desk = Desk::of(&world, &server);
    let first = agency("Agency One", "logo = \"logo.svg\"\n");
    let asked = json!({
        "kind": "agency_logo", "campaign": CAMPAIGN, "text": first, "reason": "a logo",
        "logo": BASE64.encode(LOGO.as_bytes()),
    });
    let mut script = asked.clone();
    let evil = LOGO.replace("<circle", "<script>alert(1)</script><circle");
    script["logo"] = BASE64.encode(evil.as_bytes()).into();
    desk.kim
        .post("/proposals", &script)
        .problem(422, "faults_found");
    let mut alone = asked.clone();
    alone["text"] = agency("Agency One", "").into();
    desk.kim
        .post("/proposals", &alone)
        .problem(422, "faults_found");
    let proposed = desk.proposed(&asked);
    decide(&mut desk.kim, &proposed, "approve", 0).problem(403, "not_yours");
    // The approver sees the picture that people would.
    let token = desk.lee.token.clone();
    let image = |clerk: &mut Clerk| {
        let get = format!(
            "GET /desk/en/proposals/{proposed}/logo HTTP/1.1\r\nHost: localhost\r\n\
             Cookie: __Host-sumun-desk={token}\r\n\r\n"
        );
        clerk.client.send(get.as_bytes()).unwrap()
    };
    let shown = image(&mut desk.lee);
    assert_eq!(
        (shown.status, shown.header("content-type")),
        (200, Some("image/svg+xml"))
    );
    assert!(text(&shown.body).contains("circle"));
    let policy = shown.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'"), "{policy}");
    decide(&mut desk.lee, &proposed, "approve", 0).is(200);
    assert_eq!(image(&mut desk.lee).status, 404);
    let second = json!({
        "kind": "agency", "campaign": CAMPAIGN, "text": agency("Agency Two", ""),
        "reason": "a name",
    });
    let proposed = desk.proposed(&second);
    decide(&mut desk.lee, &proposed, "approve", 0).is(200);
    let list = world.ok(&["agency", "list"]);
    assert!(list.to_string().contains("Agency Two"), "{list}");
    // Back to the first one, logo and all; also after a start.
    assert!(server.stop().success());
    let server = world.serve();
    desk.at(&server);
    let again = json!({
        "kind": "agency_again", "campaign": CAMPAIGN, "version": 1, "reason": "as before",
    });
    let seen = desk.kim.post("/proposals/preview", &again).is(200).json;
    assert!(seen["changes"].to_string().contains("logo"), "{seen}");
    let proposed = desk.proposed(&again);
    let done = decide(&mut desk.lee, &proposed, "approve", 0).is(200).json;
    assert!(
        done["came_of_it"].as_str().unwrap().contains("version 3"),
        "{done}"
    );
    assert_eq!(done["version"], 1);
    let list = world.ok(&["agency", "list"]);
    assert!(list.to_string().contains("Agency One"), "{list}");
    let mut gone = again.clone();
    gone["version"] = 9.into();
    desk.kim
        .post("/proposals", &gone)
        .problem(422, "faults_found");
}

/// How long names are kept is a line of the difference, and whose are due at once are counted.
#[test]
fn names_that_are_due_at_once_are_counted_and_typed() {
    let world = World::with_slots(PEOPLE, super::world::PAST_SLOTS);
    let server = world.serve();
    let mut desk = Desk::of(&world, &server);
    let next = super::world::campaign_text("").replace(
        "change_until_days = 2",
        "change_until_days = 2\npersonal_data_days = 30",
    );
    let asked = json!({ "kind": "campaign", "text": next, "reason": "they are not needed" });
    let seen = desk.kim.post("/proposals/preview", &asked).is(200).json;
    assert!(
        seen["changes"]
            .to_string()
            .contains("booking.personal_data_days"),
        "{seen}"
    );
    assert!(
        seen["cautions"].to_string().contains("are erased as soon"),
        "{seen}"
    );
    assert_eq!(seen["takes"], PEOPLE + 15);
    let proposed = desk.proposed(&asked);
    decide(&mut desk.lee, &proposed, "approve", 0).problem(409, "type_the_number");
    decide(&mut desk.lee, &proposed, "approve", PEOPLE + 15).is(200);
}

/// A page of the desk, as a browser without scripts asks for it.
fn page(clerk: &mut Clerk, method: &str, path: &str, kind: &str, body: &str) -> Answer {
    let token = &clerk.token;
    let sent = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: same-origin\r\n\
         Cookie: __Host-sumun-desk={token}\r\nContent-Length: {}\r\nContent-Type: {kind}\r\n\r\n\
         {body}",
        body.len()
    );
    clerk.client.send(sent.as_bytes()).unwrap()
}

const FORM: &str = "application/x-www-form-urlencoded";

/// A form with parts, as browsers send one.
fn parts(fields: &[(&str, &str)]) -> String {
    let part = |(name, value): &(&str, &str)| {
        format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let parts: String = fields.iter().map(part).collect();
    parts + "--edge--\r\n"
}

const PARTS: &str = "multipart/form-data; boundary=edge";

#[test]
fn the_pages_do_the_same_without_a_script() {
    let world = World::new(PEOPLE);
    let server = world.serve();
    let mut desk = Desk::of(&world, &server);
    let shown = |answer: Answer| {
        assert_eq!(answer.status, 200, "{}", text(&answer.body));
        text(&answer.body)
    };
    for path in ["roster", "logo", "keys", "new"] {
        for lang in ["en", "ko"] {
            let path = format!("/desk/{lang}/proposals/{path}");
            shown(page(&mut desk.kim, "GET", &path, FORM, ""));
        }
    }
    let next = next_roster();
    let form = parts(&[("encoding", "auto"), ("country", "KR"), ("file", &next)]);
    let path = "/desk/en/proposals/roster/file";
    let brought = page(&mut desk.kim, "POST", path, PARTS, &form);
    assert_eq!(brought.status, 303, "{}", text(&brought.body));
    let onward = brought.header("location").unwrap().to_owned();
    let seen = shown(page(&mut desk.kim, "GET", &onward, FORM, ""));
    assert!(
        seen.contains("Not in it any more") && seen.contains("clinic"),
        "{seen}"
    );
    assert!(!seen.contains(&newcomer().name));
    let file = onward.split_once("file=").unwrap().1;
    let form = format!("file={file}&reason=August&propose=yes");
    let made = page(
        &mut desk.kim,
        "POST",
        "/desk/en/proposals/roster",
        FORM,
        &form,
    );
    assert_eq!(made.status, 303, "{}", text(&made.body));
    let path = made.header("location").unwrap().to_owned();
    let seen = shown(page(&mut desk.lee, "GET", &path, FORM, ""));
    let digest = seen.split_once("name=\"seen\" value=\"").unwrap().1[..32].to_owned();
    let form = format!("decision=approve&typed=2&seen={digest}&reason=");
    let decided = page(&mut desk.lee, "POST", &path, FORM, &form);
    assert_eq!(decided.status, 303, "{}", text(&decided.body));
    let seen = shown(page(&mut desk.lee, "GET", &path, FORM, ""));
    assert!(
        seen.contains("roster version 2") && seen.contains(&digest),
        "{seen}"
    );
    // A form that was cut short, or has no file.
    let path = "/desk/en/proposals/roster/file";
    for body in ["--edge", "", "--edge--\r\n"] {
        let refused = page(&mut desk.kim, "POST", path, PARTS, body);
        assert_eq!(refused.status, 422, "{body}");
    }
    // Text and logo: first what it would do, with the file kept, and then it is proposed.
    let text_of_file = agency("Agency One", "logo = \"logo.svg\"\n");
    let fields = [
        ("campaign", CAMPAIGN),
        ("text", &text_of_file),
        ("logo", LOGO),
        ("reason", "a logo"),
    ];
    let path = "/desk/en/proposals/logo";
    let seen = shown(page(&mut desk.kim, "POST", path, PARTS, &parts(&fields)));
    let kept = BASE64.encode(LOGO.as_bytes());
    assert!(
        seen.contains("Propose it") && seen.contains("name=\"kept\""),
        "{seen}"
    );
    let fields = [
        ("campaign", CAMPAIGN),
        ("text", &text_of_file),
        ("kept", &kept),
        ("logo", ""),
        ("reason", "a logo"),
        ("propose", "yes"),
    ];
    let made = page(&mut desk.kim, "POST", path, PARTS, &parts(&fields));
    assert_eq!(made.status, 303, "{}", text(&made.body));
    let path = made.header("location").unwrap().to_owned();
    let seen = shown(page(&mut desk.lee, "GET", &path, FORM, ""));
    assert!(seen.contains("/logo\"") && !seen.contains(&kept), "{seen}");
    let form = "keys=heads&reason=a+year&propose=yes";
    let made = page(&mut desk.kim, "POST", "/desk/en/proposals/keys", FORM, form);
    assert_eq!(made.status, 303, "{}", text(&made.body));
    says_nothing_of_people(&world, &server);
}
