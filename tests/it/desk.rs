//! The desk: signing in, who may do what, and four eyes, on the program as it is served.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, Ordering};

use data_encoding::BASE32_NOPAD;
use serde_json::{Value, json};
use sumun::clock::wall;
use sumun::domain::entry::Role;
use sumun::identity::staff::otp;
use sumun::web::desk::table;

use super::client::{Answer, Client};
use super::world::{CAMPAIGN, Server, World, campaign_text};

const PASSWORD: &str = "four words together good";

/// The desk of a server.
pub fn desk(server: &Server) -> SocketAddr {
    let log = server.log.lock().unwrap();
    let ready = log.iter().find(|line| line.contains("\"ready\"")).unwrap();
    let ready: Value = serde_json::from_str(ready).unwrap();
    ready["desk"].as_str().unwrap().parse().unwrap()
}

/// Somebody at the desk.
pub struct Clerk {
    pub client: Client,
    pub token: String,
    name: String,
    secret: Vec<u8>,
    /// The codes for a lost phone.
    codes: Vec<String>,
    /// Codes are good once: the next sign-in takes that of a later half minute.
    used: AtomicI64,
}

pub fn api(path: &str) -> String {
    format!("//api/desk/v1{path}")
}

pub fn sign_in(client: &mut Client, name: &str, password: &str, code: Option<&str>) -> Answer {
    let body = json!({ "name": name, "password": password, "otp": code });
    client.post(&api("/sign-in"), None, &body)
}

impl Clerk {
    /// An account of the command line, set up as its owner does.
    pub fn of(world: &World, server: &Server, name: &str, role: &str) -> Self {
        let mut arguments = vec!["staff", "add", name, "--role", role];
        if role == "site" {
            arguments.extend(["--site", "A"]);
        }
        let first = world.ok(&arguments)["password"]
            .as_str()
            .unwrap()
            .to_owned();
        Self::set_up(server, name, &first)
    }

    pub fn set_up(server: &Server, name: &str, first: &str) -> Self {
        let mut client = Client::new(desk(server));
        let begun = sign_in(&mut client, name, first, None).is(200).json;
        assert_eq!(begun["session"]["set_up_first"], true);
        let token = begun["token"].as_str().unwrap().to_owned();
        let offered = client
            .get(&api("/session/set-up"), Some(&token))
            .is(200)
            .json;
        let secret = BASE32_NOPAD
            .decode(offered["secret"].as_str().unwrap().as_bytes())
            .unwrap();
        // A code of this half minute is good in the next one too.
        let code = otp::code(&secret, wall());
        let body = json!({ "password": PASSWORD, "otp": code });
        let done = client.post(&api("/session/set-up"), Some(&token), &body);
        let done = done.is(200).json;
        let codes = done["recovery_codes"].as_array().unwrap().iter();
        let codes: Vec<_> = codes
            .map(|code| code.as_str().unwrap().to_owned())
            .collect();
        assert_eq!(codes.len(), 10);
        Self {
            client,
            token,
            name: name.to_owned(),
            secret,
            codes,
            used: AtomicI64::new(0),
        }
    }

    /// A code that was not used yet.
    fn code(&self) -> String {
        let off = self.used.fetch_add(30, Ordering::Relaxed) + 30;
        assert!(
            off <= 60,
            "a test signs in twice at the most, and is refused once"
        );
        otp::code(&self.secret, wall().plus_s(off))
    }

    /// Another session of the same account.
    pub fn again(&mut self) -> String {
        let code = self.code();
        let signed = sign_in(&mut self.client, &self.name.clone(), PASSWORD, Some(&code));
        signed.is(200).json["token"].as_str().unwrap().to_owned()
    }

    pub fn get(&mut self, path: &str) -> Answer {
        self.client.get(&api(path), Some(&self.token.clone()))
    }

    pub fn post(&mut self, path: &str, body: &Value) -> Answer {
        self.client
            .post(&api(path), Some(&self.token.clone()), body)
    }
}

#[test]
fn the_first_administrator_comes_from_init_and_a_code_is_good_once() {
    let folder = tempfile::tempdir().unwrap();
    let world = World { folder };
    let made = world.ok(&["init"]);
    let ports = "listen = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\n\
                 desk_listen = \"127.0.0.1:0\"\nplain_http = true\n";
    std::fs::write(world.path("server.toml"), ports).unwrap();
    let server = world.serve();
    let first = made["password"].as_str().unwrap();
    let mut admin = Clerk::set_up(&server, made["admin"].as_str().unwrap(), first);
    // The password for the first time is good for nothing any more.
    sign_in(&mut admin.client, "admin", first, None).problem(401, "credentials_wrong");
    sign_in(&mut admin.client, "admin", PASSWORD, None).problem(401, "code_wanted");
    let code = admin.code();
    sign_in(&mut admin.client, "admin", PASSWORD, Some(&code)).is(200);
    sign_in(&mut admin.client, "admin", PASSWORD, Some(&code)).problem(401, "credentials_wrong");
    let listed = admin.get("/accounts").is(200).json;
    assert_eq!(listed["accounts"][0]["name"], "admin");
    // Nothing that signs anybody in is in what an auditor gets.
    let exported = world.run(&["audit", "export"]);
    let exported = super::world::text(&exported.stdout);
    assert!(exported.contains("staff_credentials_set"));
    for secret in [first, PASSWORD, "$argon2id"] {
        assert!(!exported.contains(secret), "{secret}");
    }
    // Sessions end with the server; accounts do not.
    let token = admin.token.clone();
    assert!(server.stop().success());
    let server = world.serve();
    let mut client = Client::new(desk(&server));
    client
        .get(&api("/session"), Some(&token))
        .problem(401, "signed_out");
}

/// Whoever is not signed in can't make the server read much.
#[test]
fn a_long_body_of_a_stranger_is_refused() {
    let world = World::new(3);
    let server = world.serve();
    let mut client = Client::new(desk(&server));
    let long = "x".repeat(100_000);
    let told = sign_in(&mut client, "admin", &long, None);
    assert_eq!(told.status, 413, "{told:?}");
    let told = sign_in(&mut client, "admin", &"x".repeat(1_000), None);
    told.problem(401, "credentials_wrong");
}

#[test]
fn a_lost_phone_an_ended_account_and_a_reset_end_what_they_should() {
    let world = World::new(3);
    let server = world.serve();
    let mut admin = Clerk::of(&world, &server, "boss", "administrator");
    let mut kim = Clerk::of(&world, &server, "kim", "operator");
    let id = |admin: &mut Clerk, name: &str| {
        let listed = admin.get("/accounts").is(200).json;
        let all = listed["accounts"].as_array().unwrap().iter();
        let found = all.clone().find(|account| account["name"] == name);
        found.unwrap()["id"].as_u64().unwrap()
    };
    let kims = id(&mut admin, "kim");
    // Other credentials end what began with those before.
    let reset = admin.post(&format!("/accounts/{kims}/reset"), &json!({}));
    let first = reset.is(200).json["password"].as_str().unwrap().to_owned();
    kim.get("/session").problem(401, "signed_out");
    let mut kim = Clerk::set_up(&server, "kim", &first);
    kim.get("/session").is(200);
    // A code for a lost phone is good once, also for those who come at the same time.
    let (address, code) = (desk(&server), kim.codes[0].clone());
    let coming = [0; 4].map(|_| {
        let code = code.clone();
        let come = move || sign_in(&mut Client::new(address), "kim", PASSWORD, Some(&code)).status;
        std::thread::spawn(come)
    });
    let came = coming.map(|thread| thread.join().unwrap());
    assert_eq!(
        came.iter().filter(|status| **status == 200).count(),
        1,
        "{came:?}"
    );
    // It changed the credentials: what began before is over.
    kim.get("/session").problem(401, "signed_out");
    let token = kim.again();
    kim.token = token;
    // Whoever finds a session open can't take the account over.
    let code = otp::code(&kim.secret, wall().plus_s(60));
    let body = json!({ "password": "other words by far good", "otp": code });
    kim.post("/session/set-up", &body)
        .problem(409, "not_possible");
    // An ended account is out at once, and comes no more.
    world.ok(&["staff", "disable", "kim"]);
    kim.get("/session").problem(401, "signed_out");
    let code = kim.code();
    sign_in(&mut kim.client, "kim", PASSWORD, Some(&code)).problem(401, "credentials_wrong");
    // The last administrator who can come can't be ended: there is the first one still.
    world.ok(&["staff", "disable", "admin"]);
    let refused = world.run(&["staff", "disable", "boss"]);
    assert!(!refused.status.success());
    let told = super::world::text(&refused.stderr) + &super::world::text(&refused.stdout);
    assert!(told.contains("no administrator would be left"), "{told}");
}

/// Guessing holds up the guesser about that account, and nobody else.
#[test]
fn wrong_passwords_hold_up_nobody_but_the_guesser() {
    let world = World::new(3);
    let server = world.serve();
    let mut admin = Clerk::of(&world, &server, "boss", "administrator");
    Clerk::of(&world, &server, "kim", "operator");
    let mut guesser = Client::new(desk(&server));
    let mut put_off = false;
    for _ in 0..8 {
        let told = sign_in(&mut guesser, "kim", "a wrong password", None);
        match told.status {
            401 => assert_eq!(told.code(), "credentials_wrong"),
            _ => {
                let told = told.problem(429, "too_many_attempts");
                assert!(told.json["retry_after_s"].as_u64().unwrap() >= 1);
                put_off = true;
            }
        }
    }
    assert!(put_off, "a guesser is put off");
    // From the same address, about another account.
    let token = admin.again();
    admin.client.get(&api("/session"), Some(&token)).is(200);
}

/// An address of a route that nothing is at.
pub fn nowhere(path: &str) -> String {
    let mut path = path.replace("{lang:ko|en}", "en");
    for number in ["{id}", "{number}", "{slot}"] {
        path = path.replace(number, "999999");
    }
    for name in ["{act}", "{which}", "{campaign}", "{site}", "{kind}"] {
        path = path.replace(name, "nothing");
    }
    path
}

/// Every role is refused everything that is not its own, over the table of all routes.
#[test]
fn each_role_comes_to_its_own_routes_and_to_no_others() {
    let world = World::new(3);
    let server = world.serve();
    let mut clerks: BTreeMap<Role, Clerk> = Role::ALL
        .into_iter()
        .map(|role| {
            let name = format!("the-{}", role.name());
            (role, Clerk::of(&world, &server, &name, role.name()))
        })
        .collect();
    let (rules, _) = table();
    assert!(rules.len() > 25, "{} routes", rules.len());
    let mut refused = BTreeMap::<Role, usize>::new();
    let mut nobody = Client::new(desk(&server));
    for rule in &rules {
        // An address that nothing is at: whoever may come is told so, or that a field is missing.
        let path = nowhere(&rule.path);
        assert!(!path.contains('{'), "{path}: say what stands there");
        let (path, method) = (format!("/{path}"), rule.method.as_str());
        let is_page = path.starts_with("//desk");
        let body = (method != "GET").then(|| json!({}));
        let Some(roles) = rule.roles else {
            continue;
        };
        if path.ends_with("/events") {
            // A stream: who comes to it is seen in its own test.
            continue;
        }
        let stranger = nobody.call(method, &path, None, &[], body.as_ref());
        if is_page {
            assert_eq!(stranger.status, 303, "{method} {path}");
        } else {
            stranger.problem(401, "signed_out");
        }
        // What ends a session ends it for all that comes after.
        if path.contains("sign-out") || (path.ends_with("/session") && method == "DELETE") {
            continue;
        }
        for (role, clerk) in &mut clerks {
            let token = clerk.token.clone();
            let answer = clerk
                .client
                .call(method, &path, Some(&token), &[], body.as_ref());
            let is_refused = if is_page {
                answer.status == 403 && super::world::text(&answer.body).contains("Your role does")
            } else {
                answer.code() == "not_yours"
            };
            assert_ne!(answer.status, 401, "{method} {path} as {role:?}");
            assert!(
                answer.status < 500,
                "{method} {path} as {role:?}: {answer:?}"
            );
            assert_eq!(
                is_refused,
                !roles.contains(role),
                "{method} {path} as {role:?}: {answer:?}"
            );
            *refused.entry(*role).or_default() += usize::from(is_refused);
        }
    }
    for role in Role::ALL {
        assert!(refused[&role] > 0, "{role:?} may do everything");
    }
}

/// The campaign with everybody of 1968 out and those of 1990 in.
fn other_campaign() -> String {
    campaign_text("").replace("1967-01-01\", \"1967-12-31", "1990-01-01\", \"1990-12-31")
}

#[test]
fn two_accounts_put_a_campaign_into_force_and_one_can_not() {
    let world = World::new(10);
    let server = world.serve();
    let mut kim = Clerk::of(&world, &server, "kim", "approver");
    let mut lee = Clerk::of(&world, &server, "lee", "approver");
    let mut admin = Clerk::of(&world, &server, "boss", "administrator");
    let text = other_campaign();
    let asked = json!({ "kind": "campaign", "text": text, "reason": "the next cohort" });
    // Faults are told, and nothing is proposed.
    let faulty = json!({ "kind": "campaign", "text": "[campaign]", "reason": "x" });
    let told = kim.post("/proposals", &faulty).problem(422, "faults_found");
    assert!(!told.json["faults"].as_array().unwrap().is_empty());
    let seen = kim.post("/proposals/preview", &asked).is(200).json;
    // Ten people of 1967 may book now, and five of 1990 instead.
    assert_eq!(
        (&seen["takes"], &seen["at"][0]["gain"]),
        (&json!(10), &json!(5))
    );
    let made = kim.post("/proposals", &asked).is(200).json;
    let number = made["number"].as_u64().unwrap();
    let path = format!("/proposals/{number}/decision");
    let approve = json!({ "decision": "approve", "typed": 10 });
    // Two sessions are one pair of eyes, and an account keeps its name.
    kim.post(&path, &approve).problem(403, "same_eyes");
    let other_session = kim.again();
    let twice = kim.client.post(&api(&path), Some(&other_session), &approve);
    twice.problem(403, "same_eyes");
    let listed = admin.get("/accounts").is(200).json;
    let all = listed["accounts"].as_array().unwrap();
    let kims = all.iter().find(|account| account["name"] == "kim").unwrap();
    let renamed = json!({ "name": "kim2", "role": "approver" });
    let token = admin.token.clone();
    let renaming = api(&format!("/accounts/{}", kims["id"]));
    let answer = admin
        .client
        .call("PUT", &renaming, Some(&token), &[], Some(&renamed));
    answer.problem(409, "not_possible");
    // People lose a right: the number is typed by whoever approves.
    let not_typed = json!({ "decision": "approve" });
    let told = lee.post(&path, &not_typed).problem(409, "type_the_number");
    assert_eq!(told.json["people"], 10);
    let done = lee.post(&path, &approve).is(200).json;
    assert_eq!(
        (&done["state"], &done["decided_by"]),
        (&json!("done"), &json!("lee"))
    );
    let listed = world.ok(&["campaign", "list"]);
    let versions = listed["campaigns"][0]["versions"].as_array().unwrap();
    assert_eq!(versions.len(), 2, "{listed}");
    lee.post(&path, &approve).problem(409, "not_possible");
    // A draw that awaits no public value takes none.
    let value = json!({
        "kind": "draw_value", "campaign": CAMPAIGN, "line": 0, "text": "7 12",
        "source": "a lottery", "reason": "the draw",
    });
    kim.post("/proposals", &value).problem(422, "faults_found");
    // Who did what is in the record, by account.
    let lines = super::world::text(&world.run(&["audit", "export"]).stdout);
    let actor = |kind: &str| {
        let found = lines
            .lines()
            .find(|line| line.contains(&format!("\"{kind}\":")));
        let line: Value = serde_json::from_str(found.unwrap()).unwrap();
        line["actor"]["staff"]["account"].clone()
    };
    assert_eq!(actor("proposed"), "kim");
    assert_eq!(actor("proposal_decided"), "lee");
    let mut activated = lines
        .lines()
        .filter(|line| line.contains("\"campaign_activated\":"));
    let last: Value = serde_json::from_str(activated.next_back().unwrap()).unwrap();
    assert_eq!(last["actor"]["staff"]["account"], "lee");
    // A copy of the folder knows who proposed what, too.
    assert!(server.stop().success());
    world.ok(&["verify"]);
}

#[test]
fn of_two_approvals_at_the_same_time_one_counts() {
    let world = World::new(10);
    let server = world.serve();
    let mut kim = Clerk::of(&world, &server, "kim", "operator");
    let approvers = ["lee", "park"].map(|name| Clerk::of(&world, &server, name, "approver"));
    let text = campaign_text("").replace("admit_per_s = 1000", "admit_per_s = 900");
    let asked = json!({ "kind": "campaign", "text": text, "reason": "slower" });
    let number = kim.post("/proposals", &asked).is(200).json["number"].clone();
    // An operator proposes and approves nothing.
    let path = format!("/proposals/{number}/decision");
    kim.post(&path, &json!({ "decision": "approve" }))
        .problem(403, "not_yours");
    let approving = approvers.map(|mut clerk| {
        let path = path.clone();
        std::thread::spawn(move || {
            let told = clerk.post(&path, &json!({ "decision": "approve" }));
            told.status
        })
    });
    let mut told = approving.map(|thread| thread.join().unwrap());
    told.sort_unstable();
    assert_eq!(told, [200, 409]);
    let listed = world.ok(&["campaign", "list"]);
    let versions = listed["campaigns"][0]["versions"].as_array().unwrap();
    assert_eq!(
        (versions.len(), &listed["campaigns"][0]["campaign"]),
        (2, &json!(CAMPAIGN))
    );
    // What was proposed before another version came into force would undo that.
    let stale = |rate: u32| {
        let text =
            campaign_text("").replace("admit_per_s = 1000", &format!("admit_per_s = {rate}"));
        json!({ "kind": "campaign", "text": text, "reason": "slower" })
    };
    let mut both = [800, 700].map(|rate| kim.post("/proposals", &stale(rate)).is(200).json);
    let mut lately = Clerk::of(&world, &server, "lately", "approver");
    let approve = json!({ "decision": "approve" });
    for (at, made) in both.iter_mut().enumerate() {
        let path = format!("/proposals/{}/decision", made["number"]);
        let told = lately.post(&path, &approve);
        match at {
            0 => told.is(200),
            _ => told.problem(409, "not_possible"),
        };
    }
    // What was withdrawn is approved by nobody.
    let again = json!({ "kind": "campaign", "text": campaign_text(""), "reason": "back" });
    let number = kim.post("/proposals", &again).is(200).json["number"].clone();
    let path = format!("/proposals/{number}/decision");
    let withdraw = json!({ "decision": "withdraw", "reason": "not yet" });
    kim.post(&path, &withdraw).is(200);
    let mut late = Clerk::of(&world, &server, "late", "approver");
    late.post(&path, &json!({ "decision": "approve" }))
        .problem(409, "not_possible");
}

/// What the desk says of itself is what it serves: every call is described, and has its problems.
#[test]
fn every_call_of_the_desk_is_described() {
    let (rules, described) = table();
    for rule in rules.iter().filter(|rule| rule.path.starts_with("/api/")) {
        let item = described.paths.paths.get(&rule.path);
        assert!(item.is_some(), "{}", rule.path);
    }
    let text = serde_json::to_string(&described).unwrap();
    let value: Value = serde_json::from_str(&text).unwrap();
    let schemas = value["components"]["schemas"].as_object().unwrap();
    let mut at = 0;
    while let Some(found) = text[at..].find("#/components/schemas/") {
        let begin = at + found + "#/components/schemas/".len();
        let end = begin + text[begin..].find('"').unwrap();
        assert!(
            schemas.contains_key(&text[begin..end]),
            "{}",
            &text[begin..end]
        );
        at = end;
    }
}
