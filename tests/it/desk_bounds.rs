//! Where an account may do what its role may: bounds name what is there, and hold what is read.

use serde_json::{Value, json};

use super::client::Answer;
use super::desk::{Clerk, api};
use super::world::{CAMPAIGN, Server, World, campaign_text};

const OTHER: &str = "kr-2021-other";

/// The campaign under another id.
fn other_text(rate: u32) -> String {
    campaign_text("")
        .replace(CAMPAIGN, OTHER)
        .replace("admit_per_s = 1000", &format!("admit_per_s = {rate}"))
}

/// Two campaigns.
fn world() -> World {
    let world = World::new(3);
    world.write("other.toml", &other_text(1000));
    let file = world.path("other.toml").display().to_string();
    world.ok(&["campaign", "activate", &file]);
    world
}

/// An account with bounds, made at the desk.
fn bound(admin: &mut Clerk, server: &Server, name: &str, role: &str, bounds: &Value) -> Clerk {
    let asked = json!({ "name": name, "role": role, "bounds": bounds });
    let made = admin.post("/accounts", &asked).is(200).json;
    Clerk::set_up(server, name, made["password"].as_str().unwrap())
}

fn put(clerk: &mut Clerk, path: &str, body: &Value) -> Answer {
    let token = clerk.token.clone();
    clerk
        .client
        .call("PUT", &api(path), Some(&token), &[], Some(body))
}

#[test]
fn bounds_that_name_nothing_are_refused_by_name() {
    let world = world();
    let server = world.serve();
    let mut admin = Clerk::of(&world, &server, "boss", "administrator");
    let unknown = [
        (json!({ "campaigns": [CAMPAIGN, "kr-none"] }), "`kr-none`"),
        (json!({ "provinces": ["11", "99"] }), "`99`"),
        (json!({ "provinces": ["11/110"] }), "`11/110`"),
        (json!({ "sites": ["A", "Nowhere"] }), "`Nowhere`"),
    ];
    for (bounds, named) in &unknown {
        let asked = json!({ "name": "kim", "role": "operator", "bounds": bounds });
        let told = admin.post("/accounts", &asked).problem(409, "not_possible");
        let why = told.json["why"].as_str().unwrap().to_owned();
        assert!(why.contains(named), "{why}");
    }
    let good = json!({ "campaigns": [CAMPAIGN], "provinces": ["11", "51"], "sites": ["A"] });
    let asked = json!({ "name": "kim", "role": "operator", "bounds": good });
    let id = admin.post("/accounts", &asked).is(200).json["id"].clone();
    for (bounds, named) in &unknown {
        let asked = json!({ "name": "kim", "role": "operator", "bounds": bounds });
        let told = put(&mut admin, &format!("/accounts/{id}"), &asked);
        let told = told.problem(409, "not_possible").json["why"].to_string();
        assert!(told.contains(named), "{told}");
    }
    // A province that has two codes is kept by the one that sites have.
    let listed = admin.get("/accounts").is(200).json;
    let all = listed["accounts"].as_array().unwrap();
    let kim = all.iter().find(|account| account["name"] == "kim").unwrap();
    assert_eq!(kim["bounds"]["provinces"], json!(["11", "42"]));
    // What the command line bound to something that is not there can be ended here.
    world.ok(&[
        "staff",
        "add",
        "old",
        "--role",
        "operator",
        "--campaign",
        "kr-gone",
    ]);
    let listed = admin.get("/accounts").is(200).json;
    let all = listed["accounts"].as_array().unwrap();
    let old = all.iter().find(|account| account["name"] == "old").unwrap();
    let ended = json!({
        "name": "old", "role": "operator", "bounds": old["bounds"], "enabled": false,
    });
    put(&mut admin, &format!("/accounts/{}", old["id"]), &ended).is(200);
}

#[test]
fn an_account_of_a_campaign_reads_and_previews_proposals_of_that_alone() {
    let world = world();
    let server = world.serve();
    let mut admin = Clerk::of(&world, &server, "boss", "administrator");
    let mut anywhere = Clerk::of(&world, &server, "anywhere", "operator");
    let own = json!({ "campaigns": [OTHER] });
    let mut kim = bound(&mut admin, &server, "kim", "operator", &own);
    let mut lee = bound(&mut admin, &server, "lee", "approver", &own);
    let place = json!({ "campaigns": [OTHER], "provinces": ["11"] });
    let mut placed = bound(&mut admin, &server, "placed", "operator", &place);
    let at_site = json!({ "campaigns": [OTHER], "sites": ["A"] });
    let mut sited = bound(&mut admin, &server, "sited", "operator", &at_site);
    let file = |text: String| json!({ "kind": "campaign", "text": text, "reason": "slower" });
    let ours = file(other_text(900));
    let theirs = file(campaign_text("").replace("admit_per_s = 1000", "admit_per_s = 900"));
    let sites = json!({
        "kind": "sites", "campaign": CAMPAIGN, "text": super::world::SITES, "reason": "sites",
    });
    let number = |clerk: &mut Clerk, asked: &Value| {
        let made = clerk.post("/proposals", asked).is(200);
        made.json["number"].as_u64().unwrap()
    };
    let hidden = [
        number(&mut anywhere, &theirs),
        number(&mut anywhere, &sites),
    ];
    let open = number(&mut anywhere, &ours);
    for clerk in [&mut kim, &mut lee, &mut placed, &mut sited] {
        let listed = clerk.get("/proposals").is(200).json;
        let numbers = listed["proposals"].as_array().unwrap().iter();
        let numbers: Vec<_> = numbers.map(|one| one["number"].as_u64().unwrap()).collect();
        assert_eq!(numbers, [open]);
        clerk.get(&format!("/proposals/{open}")).is(200);
        for number in hidden {
            clerk
                .get(&format!("/proposals/{number}"))
                .problem(404, "not_found");
        }
    }
    // Nor is one of another campaign decided, previewed or proposed.
    for number in hidden {
        let decline = json!({ "decision": "decline", "reason": "no" });
        lee.post(&format!("/proposals/{number}/decision"), &decline)
            .problem(404, "not_found");
    }
    for asked in [&theirs, &sites] {
        kim.post("/proposals/preview", asked)
            .problem(403, "not_yours");
        kim.post("/proposals", asked).problem(403, "not_yours");
    }
    kim.post("/proposals/preview", &ours).is(200);
    // Part of a campaign is not the campaign.
    for clerk in [&mut placed, &mut sited] {
        clerk.post("/proposals/preview", &ours).is(200);
        clerk.post("/proposals", &ours).problem(403, "not_yours");
    }
    // A key is held as an account is.
    let day = sumun::clock::wall().plus_s(86_400).instant().to_string()[..10].to_owned();
    let asked = json!({
        "name": "ours", "scopes": ["board", "proposals"], "bounds": own, "last_day": day,
        "reason": "a program",
    });
    let secret = admin.post("/keys", &asked).is(200).json["secret"].clone();
    let secret = secret.as_str().unwrap();
    let mut get = |path: &str| kim.client.get(&api(path), Some(secret));
    let listed = get("/proposals").is(200).json;
    assert_eq!(listed["proposals"].as_array().unwrap().len(), 1);
    get(&format!("/proposals/{}", hidden[0])).problem(404, "not_found");
    let board = get("/board").is(200).json;
    assert!(
        !board.to_string().contains(&format!("\"{CAMPAIGN}\"")),
        "{board}"
    );
    let asked = kim
        .client
        .post(&api("/proposals/preview"), Some(secret), &theirs);
    asked.problem(403, "not_yours");
    // What is decided is read by those who proposed or decided it, and whoever is not bound.
    let path = format!("/proposals/{open}/decision");
    let approve = json!({ "decision": "approve" });
    lee.post(&path, &approve).is(200);
    lee.get(&format!("/proposals/{open}")).is(200);
    anywhere.get(&format!("/proposals/{open}")).is(200);
    kim.get(&format!("/proposals/{open}"))
        .problem(404, "not_found");
}
