//! Acts on accounts that take two: one administrator can't get round four eyes by making an
//! approver, letting one in again or taking one over.

use serde_json::{Value, json};

use super::client::{Answer, Client};
use super::desk::{Clerk, api, desk, sign_in};
use super::world::{World, text};

fn call(clerk: &mut Clerk, method: &str, path: &str, body: Option<&Value>) -> Answer {
    let token = clerk.token.clone();
    clerk
        .client
        .call(method, &api(path), Some(&token), &[], body)
}

fn id(clerk: &mut Clerk, name: &str) -> u64 {
    let listed = clerk.get("/accounts").is(200).json;
    let mut all = listed["accounts"].as_array().unwrap().iter();
    let found = all.find(|account| account["name"] == name);
    found.unwrap()["id"].as_u64().unwrap()
}

fn account(name: &str, role: &str, enabled: bool) -> Value {
    json!({ "name": name, "role": role, "enabled": enabled })
}

/// One administrator tries everything alone, with two approvers who are ready.
#[test]
fn one_administrator_can_not_walk_round_four_eyes() {
    let world = World::new(3);
    let server = world.serve();
    let mut boss = Clerk::of(&world, &server, "boss", "administrator");
    // Before two approvers are ready, the first ones have to be made by somebody.
    boss.post("/accounts", &account("early", "approver", true))
        .is(200);
    let mut kim = Clerk::of(&world, &server, "kim", "approver");
    let _lee = Clerk::of(&world, &server, "lee", "approver");
    Clerk::of(&world, &server, "park", "operator");
    let two = |answer: Answer| answer.problem(409, "takes_two");
    // Another approver, or another administrator who would confirm one.
    for role in ["approver", "administrator"] {
        two(boss.post("/accounts", &account("sock", role, true)));
        let park = id(&mut boss, "park");
        let changed = account("park", role, true);
        two(call(
            &mut boss,
            "PUT",
            &format!("/accounts/{park}"),
            Some(&changed),
        ));
    }
    // One that is there, by another first password.
    for name in ["kim", "early", "boss", "admin"] {
        let account = id(&mut boss, name);
        two(boss.post(&format!("/accounts/{account}/reset"), &json!({})));
    }
    // An approver is ended by one, and comes back by two; also when no two are left.
    for name in ["lee", "kim"] {
        let number = id(&mut boss, name);
        let path = format!("/accounts/{number}");
        let ended = account(name, "approver", false);
        call(&mut boss, "PUT", &path, Some(&ended)).is(200);
        let back = account(name, "approver", true);
        two(call(&mut boss, "PUT", &path, Some(&back)));
        // Nor by the way over another role.
        let operator = account(name, "operator", true);
        call(&mut boss, "PUT", &path, Some(&operator)).is(200);
        boss.post(&format!("/accounts/{number}/reset"), &json!({}))
            .is(200);
        two(call(&mut boss, "PUT", &path, Some(&back)));
    }
    two(boss.post("/accounts", &account("sock", "approver", true)));
    kim.get("/session").problem(401, "signed_out");
    // What one asks for, one does not confirm, from whatever session.
    let asked = json!({
        "act": "make", "account": account("sock", "approver", true), "reason": "a third one",
    });
    let made = boss.post("/account-acts", &asked).is(200).json;
    let path = format!("/account-acts/{}/confirm", made["number"]);
    boss.post(&path, &json!({})).problem(403, "same_eyes");
    let other = boss.again();
    boss.client
        .post(&api(&path), Some(&other), &json!({}))
        .problem(403, "same_eyes");
    // An account without such power is made and changed by one as ever.
    boss.post("/accounts", &account("agent", "agent", true))
        .is(200);
    // The host's shell can, and it is on record.
    world.ok(&["staff", "add", "spare", "--role", "approver"]);
    world.ok(&["staff", "reset", "spare"]);
}

#[test]
fn a_second_account_confirms_and_each_has_half_of_the_password() {
    let world = World::new(3);
    let server = world.serve();
    let mut boss = Clerk::of(&world, &server, "boss", "administrator");
    let mut kim = Clerk::of(&world, &server, "kim", "approver");
    let mut lee = Clerk::of(&world, &server, "lee", "approver");
    let mut park = Clerk::of(&world, &server, "park", "operator");
    let ask = |boss: &mut Clerk, act: &Value| boss.post("/account-acts", act).is(200).json;
    let make = json!({
        "act": "make", "account": account("seo", "approver", true), "reason": "a third one",
    });
    let asked = ask(&mut boss, &make);
    let path = format!("/account-acts/{}/confirm", asked["number"]);
    park.post(&path, &json!({})).problem(403, "not_yours");
    let listed = lee.get("/account-acts").is(200).json["acts"][0].clone();
    assert_eq!(
        (
            &listed["account"],
            &listed["act"],
            &listed["by"],
            &listed["role"]
        ),
        (
            &json!("seo"),
            &json!("make"),
            &json!("boss"),
            &json!("approver")
        )
    );
    let done = kim.post(&path, &json!({})).is(200).json;
    lee.post(&path, &json!({})).problem(404, "not_found");
    let halves = [&asked["password_half"], &done["password_half"]];
    let halves = halves.map(|half| half.as_str().unwrap().to_owned());
    let mut client = Client::new(desk(&server));
    for half in &halves {
        sign_in(&mut client, "seo", half, None).problem(401, "credentials_wrong");
    }
    let mut seo = Clerk::set_up(&server, "seo", &halves.join("-"));
    // What is in the journal gives neither.
    let exported = text(&world.run(&["audit", "export"]).stdout);
    assert!(exported.contains("account_act_confirmed"));
    assert!(halves.iter().all(|half| !exported.contains(half)));
    // Who it is about does not confirm it; when another account does, its sessions end.
    let seos = id(&mut boss, "seo");
    let reset = json!({ "act": "reset", "id": seos, "reason": "a lost phone" });
    let asked = ask(&mut boss, &reset);
    let path = format!("/account-acts/{}/confirm", asked["number"]);
    seo.post(&path, &json!({})).problem(403, "same_eyes");
    // A server that was started anew knows what waits.
    assert!(server.stop().success());
    let server = world.serve();
    for clerk in [&mut boss, &mut kim, &mut lee] {
        clerk.client = Client::new(desk(&server));
        clerk.token = clerk.again();
    }
    let done = kim.post(&path, &json!({})).is(200).json;
    let halves = [&asked["password_half"], &done["password_half"]];
    let first = halves.map(|half| half.as_str().unwrap()).join("-");
    Clerk::set_up(&server, "seo", &first);
    // Whoever takes an account over after asking has to ask again.
    let parks = id(&mut boss, "park");
    let promote = json!({
        "act": "change", "id": parks, "account": account("park", "approver", true),
        "reason": "promoted",
    });
    let asked = ask(&mut boss, &promote);
    boss.post(&format!("/accounts/{parks}/reset"), &json!({}))
        .is(200);
    let path = format!("/account-acts/{}", asked["number"]);
    kim.post(&format!("{path}/confirm"), &json!({}))
        .problem(404, "not_found");
    // It is declined by another account, or taken back.
    for declines in [true, false] {
        let asked = ask(&mut boss, &promote);
        let path = format!("/account-acts/{}", asked["number"]);
        let clerk = if declines { &mut lee } else { &mut boss };
        call(clerk, "DELETE", &path, None).is(204);
        kim.post(&format!("{path}/confirm"), &json!({}))
            .problem(404, "not_found");
    }
    // What the account had is worth nothing when it comes to approve: one could have taken it over.
    let first = boss.post(&format!("/accounts/{parks}/reset"), &json!({}));
    let first = first.is(200).json["password"].as_str().unwrap().to_owned();
    let mut park = Clerk::set_up(&server, "park", &first);
    let asked = ask(&mut boss, &promote);
    let path = format!("/account-acts/{}/confirm", asked["number"]);
    let done = kim.post(&path, &json!({})).is(200).json;
    park.get("/session").problem(401, "signed_out");
    let halves = [&asked["password_half"], &done["password_half"]];
    let first = halves.map(|half| half.as_str().unwrap()).join("-");
    let mut park = Clerk::set_up(&server, "park", &first);
    assert_eq!(park.get("/session").is(200).json["role"], "approver");
    // In words, on the pages.
    let page = |clerk: &mut Clerk, method: &str, path: &str, form: &str| {
        let token = &clerk.token;
        let sent = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: same-origin\r\n\
             Cookie: __Host-sumun-desk={token}\r\nContent-Length: {}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n\r\n{form}",
            form.len()
        );
        let answer = clerk.client.send(sent.as_bytes()).unwrap();
        (answer.status, text(&answer.body))
    };
    let form = "name=han&role=approver&enabled=on";
    let (status, shown) = page(&mut boss, "POST", "/desk/en/accounts/new", form);
    assert!(
        status == 422 && shown.contains("takes a second account"),
        "{shown}"
    );
    let form = format!("{form}&reason=a+fourth+one");
    let (status, shown) = page(&mut boss, "POST", "/desk/en/accounts/new", &form);
    assert!(
        status == 200 && shown.contains("First half of the password"),
        "{shown}"
    );
    let (_, shown) = page(&mut boss, "GET", "/desk/en/accounts", "");
    assert!(shown.contains("1 wait for a second account"), "{shown}");
    let (_, shown) = page(&mut boss, "GET", "/desk/ko/accounts/asked", "");
    assert!(
        shown.contains("han") && !shown.contains("/confirm"),
        "{shown}"
    );
    let (_, shown) = page(&mut kim, "GET", "/desk/ko/accounts/asked", "");
    let at = shown.find("/accounts/asked/").unwrap() + "/accounts/asked/".len();
    let number: String = shown[at..]
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    let path = format!("/desk/en/accounts/asked/{number}/confirm");
    let (status, shown) = page(&mut kim, "POST", &path, "");
    assert!(
        status == 200 && shown.contains("Second half of the password"),
        "{shown}"
    );
    let (status, _) = page(&mut kim, "POST", &path, "");
    assert_eq!(status, 409);
}
