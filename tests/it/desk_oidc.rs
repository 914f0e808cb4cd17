//! Signing in at the agency's own provider, on the program as it is served, against a provider of
//! the test's own that can do everything wrongly.

mod provider;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use super::client::{Answer, Client};
use super::desk::{Clerk, api, desk, sign_in};
use super::world::{Server, World, campaign_text, text};
use provider::{Answers, CLIENT, DESK, Provider, SECRET, Signed};

const ROLES: &str = r#"
[[provider.roles]]
value = "boss"
role = "administrator"
[[provider.roles]]
value = "approves"
role = "approver"
[[provider.roles]]
value = "operates"
role = "operator"
campaigns = ["kr-2021-50s"]
[[provider.roles]]
value = "reports"
role = "reporter"
"#;

/// Writes settings and files of a provider beside those that a world has.
fn switch_on(world: &World, provider: &Provider, more: &str) {
    let issuer = &provider.issuer;
    let before = fs::read_to_string(world.path("server.toml")).unwrap();
    let settings = format!(
        "{before}\n[provider]\nissuer = \"{issuer}\"\nclient_id = \"{CLIENT}\"\n\
         client_secret_file = \"provider.secret\"\nauthority = \"provider.pem\"\n\
         desk_address = \"{DESK}\"\nroles_claim = \"realm_access.roles\"\n{more}\n{ROLES}"
    );
    world.write("server.toml", &settings);
    world.write("provider.pem", &provider.authority);
    let secret = world.write("provider.secret", &format!("{SECRET}\n"));
    fs::set_permissions(secret, fs::Permissions::from_mode(0o600)).unwrap();
}

/// A user of the provider.
fn user(subject: &str, name: &str, roles: &[&str]) -> Value {
    json!({
        "sub": subject, "preferred_username": name, "realm_access": { "roles": roles },
    })
}

/// A browser, with its cookies.
struct Browser {
    client: Client,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    fn new(server: &Server) -> Self {
        Self {
            client: Client::new(desk(server)),
            cookies: BTreeMap::new(),
        }
    }

    fn get(&mut self, path: &str) -> Answer {
        let cookies = self.cookies.iter();
        let cookies: Vec<_> = cookies
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let sent = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept-Language: en\r\nCookie: {}\r\n\r\n",
            cookies.join("; ")
        );
        let answer = self.client.send(sent.as_bytes()).unwrap();
        for (name, value) in &answer.headers {
            if !name.eq_ignore_ascii_case("set-cookie") {
                continue;
            }
            let (cookie, rest) = value.split_once(';').unwrap();
            let (name, value) = cookie.split_once('=').unwrap();
            assert!(
                name.starts_with("__Host-") && rest.contains("Secure; HttpOnly"),
                "{rest}"
            );
            self.cookies.insert(name.to_owned(), value.to_owned());
            self.cookies.retain(|_, value| !value.is_empty());
        }
        answer
    }

    /// Is sent to the provider: where to.
    fn begin(&mut self) -> String {
        let begun = self.get("/desk/en/oidc");
        assert_eq!(begun.status, 303, "{}", text(&begun.body));
        begun.header("location").unwrap().to_owned()
    }

    /// Goes there, signs in as somebody, and comes back.
    fn come_as(&mut self, provider: &Provider, user: &Value) -> Answer {
        let back = provider.sign_in(&self.begin(), user);
        self.get(&back)
    }

    /// The same, and is in: the session's token.
    fn is_in(&mut self, provider: &Provider, user: &Value) -> String {
        self.cookies.remove("__Host-sumun-desk");
        let came = self.come_as(provider, user);
        assert_eq!(came.status, 200, "{}", text(&came.body));
        self.cookies["__Host-sumun-desk"].clone()
    }

    /// The same, and is not in: what the page says.
    fn is_out(&mut self, provider: &Provider, user: &Value) -> String {
        self.cookies.remove("__Host-sumun-desk");
        let came = self.come_as(provider, user);
        assert!(matches!(came.status, 403 | 502), "{came:?}");
        assert!(!self.cookies.contains_key("__Host-sumun-desk"));
        let page = text(&came.body);
        assert!(
            page.contains("Accounts of this desk go on working"),
            "{page}"
        );
        page
    }

    fn session(&mut self, token: &str) -> Answer {
        self.client.get(&api("/session"), Some(token))
    }
}

fn account(clerk: &mut Clerk, name: &str) -> Value {
    let listed = clerk.get("/accounts").is(200).json;
    let mut all = listed["accounts"].as_array().unwrap().iter();
    let found = all.find(|account| account["name"] == name);
    found
        .unwrap_or_else(|| panic!("no {name}: {listed}"))
        .clone()
}

fn change(clerk: &mut Clerk, name: &str, role: &str, enabled: bool) -> Answer {
    let id = account(clerk, name)["id"].clone();
    let body = json!({ "name": name, "role": role, "enabled": enabled });
    let token = clerk.token.clone();
    let path = api(&format!("/accounts/{id}"));
    clerk
        .client
        .call("PUT", &path, Some(&token), &[], Some(&body))
}

fn exported(world: &World) -> String {
    text(&world.run(&["audit", "export"]).stdout)
}

#[test]
fn without_the_settings_there_is_no_such_sign_in() {
    let world = World::new(3);
    let server = world.serve();
    let mut browser = Browser::new(&server);
    let page = text(&browser.get("/desk/en/sign-in").body);
    assert!(!page.contains("/oidc"), "{page}");
    for path in ["/desk/en/oidc", "/desk/oidc/callback?state=a&code=b"] {
        let answer = browser.get(path);
        assert_eq!(answer.status, 404);
        assert!(text(&answer.body).contains("not switched on"));
    }
}

#[test]
fn somebody_comes_in_and_has_what_the_claims_give_each_time() {
    let provider = Provider::start();
    let world = World::new(3);
    switch_on(&world, &provider, "");
    let server = world.serve();
    assert_eq!(
        provider.calls("/.well-known/openid-configuration"),
        0,
        "nobody asked yet"
    );
    let mut boss = Clerk::of(&world, &server, "boss", "administrator");
    let mut browser = Browser::new(&server);
    for (tag, words) in [("en", "with the agency’s account"), ("ko", "기관 계정으로")] {
        let page = text(&browser.get(&format!("/desk/{tag}/sign-in")).body);
        let link = format!("href=\"/desk/{tag}/oidc\"");
        assert!(page.contains(&link) && page.contains(words), "{page}");
    }
    let begun = browser.get("/desk/en/oidc");
    let kept = begun.header("set-cookie").unwrap();
    assert!(kept.contains("SameSite=Lax"), "{kept}");
    // Somebody of the name of an account that is there is not that account.
    let kim = user(
        "u-1",
        "Boss@agency.example",
        &["offline_access", "operates"],
    );
    let back = provider.sign_in(&browser.begin(), &kim);
    let came = browser.get(&back);
    assert_eq!(came.status, 200, "{}", text(&came.body));
    assert_eq!(came.header("refresh"), Some("0; url=/desk/en"));
    assert!(
        !browser.cookies.contains_key("__Host-sumun-desk-way"),
        "it is used"
    );
    let token = browser.cookies["__Host-sumun-desk"].clone();
    let session = browser.session(&token).is(200).json;
    assert_eq!(
        (
            &session["account"],
            &session["role"],
            &session["set_up_first"]
        ),
        (&json!("boss-2"), &json!("operator"), &json!(false))
    );
    assert_eq!(session["bounds"]["campaigns"], json!(["kr-2021-50s"]));
    assert_eq!(browser.get("/desk/en").status, 200);
    // The same answer once more.
    let again = browser.get(&back);
    assert_eq!(again.status, 403);
    assert!(text(&again.body).contains("can’t be used"));
    let listed = account(&mut boss, "boss-2");
    assert_eq!(
        (&listed["provider"], &listed["set_up"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(account(&mut boss, "boss")["provider"], false);
    // It has no password here, and gets none.
    let id = &listed["id"];
    let reset = boss.post(&format!("/accounts/{id}/reset"), &json!({}));
    let why = reset.problem(409, "not_possible").json;
    assert!(why["why"].as_str().unwrap().contains("provider"), "{why}");
    assert!(!world.run(&["staff", "reset", "boss-2"]).status.success());
    let listed = world.ok(&["staff", "list"]);
    let of_provider = listed["accounts"].as_array().unwrap().iter();
    let of_provider = of_provider.filter(|account| account["of_provider"] == true);
    assert_eq!(of_provider.count(), 1, "{listed}");
    sign_in(&mut boss.client, "boss-2", "", None).problem(401, "credentials_wrong");
    // The same again changes nothing, and another role ends what began with the one before.
    let second = browser.is_in(&provider, &kim);
    browser.session(&token).is(200);
    provider.sign(Signed::Rs256);
    let lowered = user("u-1", "minji", &["reports"]);
    let third = browser.is_in(&provider, &lowered);
    for ended in [&token, &second] {
        browser.session(ended).problem(401, "signed_out");
    }
    let session = browser.session(&third).is(200).json;
    assert_eq!(
        (&session["account"], &session["role"]),
        (&json!("boss-2"), &json!("reporter")),
        "another name is the same account"
    );
    assert_eq!(session["bounds"]["campaigns"], json!([]));
    // What is known of the provider is asked for once.
    assert_eq!(provider.calls("/.well-known/openid-configuration"), 1);
    assert_eq!(provider.calls("/keys"), 1);
    let lines = exported(&world);
    for kind in ["provider_account_made", "staff_session"] {
        assert!(lines.contains(&format!("\"{kind}\"")), "{kind}");
    }
    for private in ["u-1", "agency.example", "김민지", "minji", SECRET] {
        assert!(!lines.contains(private), "{private}");
    }
    // A server that was started anew knows the account.
    assert!(server.stop().success());
    world.ok(&["verify"]);
    let server = world.serve();
    let mut browser = Browser::new(&server);
    provider.take_form();
    let token = browser.is_in(&provider, &lowered);
    assert_eq!(browser.session(&token).is(200).json["account"], "boss-2");
}

/// What is wrong with an answer is seen, and the next right one is taken.
#[test]
fn what_the_provider_did_not_say_to_this_sign_in_is_refused() {
    let provider = Provider::start();
    let world = World::new(3);
    switch_on(&world, &provider, "");
    let server = world.serve();
    let mut browser = Browser::new(&server);
    let kim = user("u-1", "kim", &["operates"]);
    browser.is_in(&provider, &kim);
    let refused = |browser: &mut Browser, what: &str| {
        let page = browser.is_out(&provider, &kim);
        assert!(page.contains("is not taken"), "{what}: {page}");
    };
    type Wrong = fn(&mut Value, &mut Value);
    let wrong: [(&str, Wrong); 12] = [
        ("nonce", |_, claims| claims["nonce"] = json!("another")),
        ("no nonce", |_, claims| claims["nonce"] = Value::Null),
        ("aud", |_, claims| claims["aud"] = json!("another")),
        ("azp", |_, claims| claims["azp"] = json!("another")),
        ("iss", |_, claims| {
            claims["iss"] = json!("https://login.example")
        }),
        ("exp", |_, claims| {
            claims["exp"] = json!(claims["iat"].as_i64().unwrap() - 61)
        }),
        ("iat", |_, claims| {
            claims["iat"] = json!(claims["iat"].as_i64().unwrap() + 120)
        }),
        ("old", |_, claims| {
            claims["iat"] = json!(claims["iat"].as_i64().unwrap() - 900)
        }),
        ("sub", |_, claims| claims["sub"] = json!("")),
        ("alg none", |header, _| header["alg"] = json!("none")),
        ("alg HS256", |header, _| header["alg"] = json!("HS256")),
        ("crit", |header, _| header["crit"] = json!(["exp"])),
    ];
    for (what, change) in wrong {
        provider.change(change);
        refused(&mut browser, what);
    }
    provider.change_nothing();
    for signed in [
        Signed::Forged,
        Signed::None,
        Signed::Hmac,
        Signed::HmacOfPublic,
    ] {
        provider.sign(signed);
        refused(&mut browser, "signature");
    }
    provider.sign(Signed::Es256);
    // A code that the provider does not know, or that was another sign-in's.
    let back = provider.sign_in(&browser.begin(), &kim);
    let other = provider.sign_in(&browser.begin(), &kim);
    let code = |path: &str| path.split('&').next().unwrap().to_owned();
    let state = |path: &str| path.split('&').nth(1).unwrap().to_owned();
    let mixed = format!("{}&{}", code(&back), state(&other));
    let answer = browser.get(&mixed);
    assert_eq!(answer.status, 403, "PKCE binds a code to its sign-in");
    assert!(text(&answer.body).contains("is not taken"));
    let unknown = "/desk/oidc/callback?code=x&state=x";
    assert!(text(&browser.get(unknown).body).contains("can’t be used"));
    // Said to be of another provider (RFC 9207).
    let back = provider.sign_in(&browser.begin(), &kim);
    let answer = browser.get(&format!("{back}&iss=https%3A%2F%2Fother.example"));
    assert!(text(&answer.body).contains("is not taken"));
    // The provider signed nobody in.
    let back = provider.sign_in(&browser.begin(), &kim);
    let denied = format!("/desk/oidc/callback?error=access_denied&{}", state(&back));
    assert!(text(&browser.get(&denied).body).contains("did not sign you in"));
    // Another browser can neither use what this one began nor spoil it.
    let back = provider.sign_in(&browser.begin(), &kim);
    let mut thief = Browser::new(&server);
    let stolen = thief.get(&back);
    assert!(stolen.status == 403 && text(&stolen.body).contains("another browser"));
    thief.begin();
    assert_eq!(thief.get(&back).status, 403);
    assert_eq!(browser.get(&back).status, 200);
    assert_eq!(
        exported(&world)
            .matches("\"provider_account_made\"")
            .count(),
        1
    );
}

#[test]
fn keys_that_the_provider_replaced_are_asked_for_and_not_too_often() {
    let provider = Provider::start();
    let world = World::new(3);
    switch_on(&world, &provider, "");
    let server = world.serve();
    let mut browser = Browser::new(&server);
    let kim = user("u-1", "kim", &["reports"]);
    browser.is_in(&provider, &kim);
    assert_eq!(provider.calls("/keys"), 1);
    provider.rotate("k2");
    browser.is_in(&provider, &kim);
    assert_eq!(provider.calls("/keys"), 2, "the new key was asked for");
    browser.is_in(&provider, &kim);
    // Once a minute: whoever shows unknown keys makes no more calls than that.
    provider.rotate("k3");
    for _ in 0..3 {
        browser.is_out(&provider, &kim);
    }
    assert_eq!(provider.calls("/keys"), 2);
    // A key of a name that is known, which it is not.
    provider.rotate("k2");
    browser.is_out(&provider, &kim);
    assert_eq!(provider.calls("/keys"), 2);
}

#[test]
fn claims_without_a_role_give_nothing_and_an_ended_account_stays_out() {
    let provider = Provider::start();
    let world = World::new(3);
    switch_on(
        &world,
        &provider,
        "acr = [\"gold\"]\namr = [\"otp\", \"hwk\"]",
    );
    let server = world.serve();
    let mut boss = Clerk::of(&world, &server, "boss", "administrator");
    let mut browser = Browser::new(&server);
    let location = browser.begin();
    assert_eq!(provider::fields(&location)["acr_values"], "gold");
    for roles in [
        json!({}),
        json!({ "roles": [] }),
        json!({ "roles": ["operates2"] }),
        json!([]),
    ] {
        let nobody = json!({ "sub": "u-1", "realm_access": roles });
        let page = browser.is_out(&provider, &nobody);
        assert!(page.contains("no role at this desk"), "{page}");
    }
    // A role that changes something takes what the settings demand; one that reads does not.
    let mut kim = user("u-1", "kim", &["operates"]);
    for (acr, amr) in [
        (Value::Null, Value::Null),
        (json!("gold"), json!(["pwd"])),
        (json!("silver"), json!(["otp"])),
    ] {
        (kim["acr"], kim["amr"]) = (acr, amr);
        let page = browser.is_out(&provider, &kim);
        assert!(page.contains("stronger sign-in"), "{page}");
    }
    assert!(!exported(&world).contains("provider_account_made"));
    browser.is_in(&provider, &user("u-2", "lee", &["reports"]));
    (kim["acr"], kim["amr"]) = (json!("gold"), json!(["pwd", "otp"]));
    let token = browser.is_in(&provider, &kim);
    // Ended at the desk: out at once, and the provider's word does not bring it back.
    change(&mut boss, "kim", "operator", false).is(200);
    browser.session(&token).problem(401, "signed_out");
    let page = browser.is_out(&provider, &kim);
    assert!(page.contains("ended at this desk"), "{page}");
    change(&mut boss, "kim", "operator", true).is(200);
    let token = browser.is_in(&provider, &kim);
    // Its sessions are listed, and ended as those of others.
    assert_eq!(account(&mut boss, "kim")["sessions"], 1);
    let id = account(&mut boss, "kim")["id"].clone();
    let path = api(&format!("/accounts/{id}/sessions"));
    let boss_token = boss.token.clone();
    let ended = boss
        .client
        .call("DELETE", &path, Some(&boss_token), &[], None);
    assert_eq!(ended.is(200).json["sessions"], 1);
    browser.session(&token).problem(401, "signed_out");
}

/// What the provider claims makes nobody a second pair of eyes.
#[test]
fn a_claim_to_approve_waits_for_an_account_of_the_desk() {
    let provider = Provider::start();
    let world = World::new(10);
    switch_on(&world, &provider, "");
    let server = world.serve();
    let mut boss = Clerk::of(&world, &server, "boss", "administrator");
    let mut browser = Browser::new(&server);
    let operator = user("u-1", "kim", &["operates"]);
    let approver = user("u-1", "kim", &["approves", "operates"]);
    let was = browser.is_in(&provider, &operator);
    let waits = |browser: &mut Browser, user: &Value, role: &str| {
        let page = browser.is_out(&provider, user);
        assert!(
            page.contains("waits for a second") && page.contains(role),
            "{page}"
        );
    };
    waits(&mut browser, &approver, "Approver");
    browser.session(&was).problem(401, "signed_out");
    waits(&mut browser, &approver, "Approver");
    let asked = |clerk: &mut Clerk| clerk.get("/account-acts").is(200).json["acts"].clone();
    let acts = asked(&mut boss);
    assert_eq!(acts.as_array().unwrap().len(), 1, "asked for once: {acts}");
    assert_eq!(
        (
            &acts[0]["account"],
            &acts[0]["role"],
            &acts[0]["claimed"],
            &acts[0]["act"]
        ),
        (
            &json!("kim"),
            &json!("approver"),
            &json!(true),
            &json!("change")
        )
    );
    // With the lower role it comes in as before; the higher one is not forgotten by that.
    let low = browser.is_in(&provider, &operator);
    assert_eq!(browser.session(&low).is(200).json["role"], "operator");
    // Somebody new, who is to approve too, and an administrator: both wait from the beginning.
    let lee = user("u-2", "lee", &["approves"]);
    waits(&mut browser, &lee, "Approver");
    waits(
        &mut browser,
        &user("u-3", "han", &["boss"]),
        "Administrator",
    );
    let listed = account(&mut boss, "lee");
    assert_eq!(
        (&listed["enabled"], &listed["set_up"]),
        (&json!(false), &json!(false))
    );
    change(&mut boss, "lee", "approver", true).problem(409, "takes_two");
    // An account of the desk confirms it: there is no password to be told.
    let number = |clerk: &mut Clerk, name: &str| {
        let acts = asked(clerk);
        let mut acts = acts.as_array().unwrap().iter();
        acts.find(|act| act["account"] == name).unwrap()["number"].clone()
    };
    let confirm = |clerk: &mut Clerk, number: &Value| {
        clerk.post(&format!("/account-acts/{number}/confirm"), &json!({}))
    };
    let lees = number(&mut boss, "lee");
    let done = confirm(&mut boss, &lees).is(200).json;
    assert_eq!(done["password_half"], Value::Null);
    let token = browser.is_in(&provider, &lee);
    assert_eq!(browser.session(&token).is(200).json["role"], "approver");
    // Who came in by the provider does not confirm what the provider claims of others.
    let path = |number: &Value| api(&format!("/account-acts/{number}/confirm"));
    let hans = number(&mut boss, "han");
    let told = browser.client.post(&path(&hans), Some(&token), &json!({}));
    let why = told.problem(409, "not_possible").json;
    assert!(
        why["why"]
            .as_str()
            .unwrap()
            .contains("password of the desk"),
        "{why}"
    );
    // Declined: it is asked for again when they come again, and given to nobody meanwhile.
    let boss_token = boss.token.clone();
    let dropped = api(&format!("/account-acts/{hans}"));
    boss.client
        .call("DELETE", &dropped, Some(&boss_token), &[], None)
        .is(204);
    waits(
        &mut browser,
        &user("u-3", "han", &["boss"]),
        "Administrator",
    );
    // Ended for good: it waits no more.
    change(&mut boss, "han", "administrator", false).is(200);
    let page = browser.is_out(&provider, &user("u-3", "han", &["boss"]));
    assert!(page.contains("ended at this desk"), "{page}");
    let page = page_of(&mut boss, "/desk/en/accounts");
    assert!(page.contains("The agency’s provider"), "{page}");
    // What claims did is in the record, as theirs.
    let page = page_of(&mut boss, "/desk/en/record");
    for told in [
        "Account lee of the agency’s provider was made: Approver.",
        "Asked a second account to confirm the account lee.",
    ] {
        let act = format!("<td>{told}</td><td>(provider)</td>");
        assert!(page.contains(&act), "{told}: {page}");
    }
}

fn page_of(clerk: &mut Clerk, path: &str) -> String {
    let token = &clerk.token;
    let sent = format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: __Host-sumun-desk={token}\r\n\r\n"
    );
    text(&clerk.client.send(sent.as_bytes()).unwrap().body)
}

#[test]
fn a_renamed_user_is_the_same_account_and_approves_nothing_of_its_own() {
    let provider = Provider::start();
    let world = World::new(10);
    switch_on(&world, &provider, "");
    let server = world.serve();
    let mut boss = Clerk::of(&world, &server, "boss", "administrator");
    let mut browser = Browser::new(&server);
    let mut confirmed = |browser: &mut Browser, user: &Value| {
        browser.is_out(&provider, user);
        let acts = boss.get("/account-acts").is(200).json;
        let number = &acts["acts"][0]["number"];
        boss.post(&format!("/account-acts/{number}/confirm"), &json!({}))
            .is(200);
        browser.is_in(&provider, user)
    };
    let kim = user("u-1", "kim", &["approves"]);
    let token = confirmed(&mut browser, &kim);
    let slower = campaign_text("").replace("admit_per_s = 1000", "admit_per_s = 900");
    let asked = json!({ "kind": "campaign", "text": slower, "reason": "slower" });
    let made = browser
        .client
        .post(&api("/proposals"), Some(&token), &asked);
    let number = made.is(200).json["number"].clone();
    let path = api(&format!("/proposals/{number}/decision"));
    let approve = json!({ "decision": "approve" });
    // Under another name, in another session.
    let renamed = user("u-1", "park", &["approves"]);
    let token = browser.is_in(&provider, &renamed);
    assert_eq!(browser.session(&token).is(200).json["account"], "kim");
    let told = browser.client.post(&path, Some(&token), &approve);
    told.problem(403, "same_eyes");
    // Somebody else who took the name has another account, and can.
    let lee = user("u-2", "kim", &["approves"]);
    let token = confirmed(&mut browser, &lee);
    assert_eq!(browser.session(&token).is(200).json["account"], "kim-2");
    let done = browser.client.post(&path, Some(&token), &approve);
    assert_eq!(done.is(200).json["decided_by"], "kim-2");
}

#[test]
fn a_provider_that_fails_is_told_and_accounts_of_the_desk_go_on() {
    let provider = Provider::start();
    let world = World::new(3);
    switch_on(&world, &provider, "");
    let server = world.serve();
    let mut boss = Clerk::of(&world, &server, "boss", "administrator");
    let mut browser = Browser::new(&server);
    let kim = user("u-1", "kim", &["reports"]);
    let away = |browser: &mut Browser| {
        let answer = browser.get("/desk/en/oidc");
        let page = text(&answer.body);
        assert_eq!(answer.status, 502, "{page}");
        assert!(
            page.contains("does not answer") && page.contains("go on working"),
            "{page}"
        );
    };
    // When it is asked again depends on a clock: it is soon.
    let wait = || std::thread::sleep(std::time::Duration::from_millis(2_100));
    let all = [
        Answers::NotAtAll,
        Answers::TooLong,
        Answers::Redirect,
        Answers::NoJson,
        Answers::Error,
    ];
    for answers in all {
        provider.answer(answers);
        away(&mut browser);
        away(&mut browser);
        wait();
    }
    assert_eq!(provider.calls("/elsewhere"), 0, "no redirect is followed");
    let asked = provider.calls("/.well-known/openid-configuration");
    assert!(
        asked < 2 * all.len(),
        "{asked} calls: who was away is left alone for a moment"
    );
    provider.answer(Answers::Well);
    // What it says of itself is not of the settings.
    for document in [
        json!({ "issuer": format!("{}/", provider.issuer) }),
        json!({ "token_endpoint": "https://127.0.0.2/token" }),
        json!({ "jwks_uri": "http://127.0.0.1/keys" }),
        json!({ "code_challenge_methods_supported": ["plain"] }),
        json!({ "token_endpoint_auth_methods_supported": ["private_key_jwt"] }),
    ] {
        provider.say(document);
        away(&mut browser);
        wait();
    }
    provider.say(json!({}));
    browser.is_in(&provider, &kim);
    // In the middle of a sign-in.
    for answers in all {
        let back = provider.sign_in(&browser.begin(), &kim);
        provider.answer(answers);
        let answer = browser.get(&back);
        assert_eq!(answer.status, 502, "{}", text(&answer.body));
        provider.answer(Answers::Well);
    }
    browser.is_in(&provider, &kim);
    let token = boss.again();
    boss.client.get(&api("/session"), Some(&token)).is(200);
    let log = server.log.lock().unwrap().join("\n");
    assert!(
        log.contains("nobody can sign in at the agency's provider now"),
        "{log}"
    );
    assert!(!log.contains("u-1") && !log.contains(SECRET), "{log}");
}

#[test]
fn what_is_set_wrongly_is_told_before_anybody_is_called() {
    let (provider, stranger) = (Provider::start(), Provider::start());
    let world = World::new(3);
    switch_on(&world, &provider, "");
    let found = |world: &World| {
        let told = world.run(&["doctor", "--json"]);
        let told: Value = serde_json::from_slice(&told.stdout).unwrap();
        let mut checks = told["checks"].as_array().unwrap().iter();
        let check = checks.find(|check| check["check"] == "provider").unwrap();
        (
            check["ok"] == true,
            check["detail"].as_str().unwrap().to_owned(),
        )
    };
    let (ok, says) = found(&world);
    assert!(
        ok && says.contains(&format!("{DESK}/desk/oidc/callback")),
        "{says}"
    );
    for (file, text, mode, why) in [
        ("provider.secret", "x\n", 0o644, "chmod 0600"),
        ("provider.secret", "\n", 0o600, "holds no secret"),
        ("provider.pem", "nothing", 0o644, "holds no certificate"),
    ] {
        let path = world.path(file);
        let (before, was) = (
            fs::read(&path).unwrap(),
            fs::metadata(&path).unwrap().permissions(),
        );
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let (ok, says) = found(&world);
        assert!(!ok && says.contains(file) && says.contains(why), "{says}");
        let served = world.run(&["serve"]);
        let told = super::world::text(&served.stderr) + &super::world::text(&served.stdout);
        assert!(!served.status.success() && told.contains(why), "{told}");
        fs::write(&path, before).unwrap();
        fs::set_permissions(&path, was).unwrap();
    }
    assert_eq!(provider.calls("/.well-known/openid-configuration"), 0);
    // Another authority than the one of the settings is not trusted.
    fs::write(world.path("provider.pem"), &stranger.authority).unwrap();
    let server = world.serve();
    let answer = Browser::new(&server).get("/desk/en/oidc");
    assert_eq!(answer.status, 502);
    assert_eq!(provider.calls("/.well-known/openid-configuration"), 0);
}
