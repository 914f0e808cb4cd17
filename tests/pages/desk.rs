//! The desk in a browser: an operator proposes and pauses, an approver approves, an administrator
//! makes an account, whose owner sets it up. Every page is looked at, and checked by axe.

use std::fs;

use data_encoding::BASE32_NOPAD;
use serde_json::json;
use sumun::clock::wall;
use sumun::identity::staff::otp;

use super::browser::{Browser, Kind, browse};
use super::demo::Demo;

const PASSWORD: &str = "four words together good";
pub const WIDE: Kind = Kind {
    width: 1280,
    script: true,
    dark: false,
};
pub const NARROW: Kind = Kind {
    width: 320,
    script: true,
    dark: true,
};

/// The desk as one browser sees it.
pub struct Desk<'a> {
    pub browser: &'a Browser,
    pub base: String,
    pub demo: &'a Demo,
}

impl Desk<'_> {
    pub async fn go(&self, page: &str) {
        let address = format!("{}{page}", self.base);
        self.browser.client.goto(&address).await.unwrap();
    }

    pub async fn at(&self, page: &str) {
        let path = format!("/desk/{}{page}", self.browser.lang);
        self.browser.at(&path).await;
    }

    pub async fn look(&self, page: &str, name: &str) {
        self.go(page).await;
        self.browser.look(&format!("desk-{name}")).await;
    }

    pub async fn sign_in(&self, name: &str) {
        let [_, password, secret] = self.account(name);
        let secret = BASE32_NOPAD.decode(secret.as_bytes()).unwrap();
        self.go("/sign-in").await;
        self.browser.fill("name", name).await;
        self.browser.fill("password", password).await;
        self.browser.fill("code", &otp::code(&secret, wall())).await;
        self.browser.click("main form button").await;
        self.at("").await;
    }

    /// An account's name, password and secret of one-time codes.
    pub fn account(&self, name: &str) -> &[String; 3] {
        let mut staff = self.demo.staff.iter();
        staff.find(|[known, ..]| known == name).unwrap()
    }

    pub async fn sign_out(&self) {
        self.browser.click(".leave button").await;
        self.at("/sign-in").await;
    }
}

/// The demo's campaign for those born in one of its two years alone.
fn other_campaign() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/data/campaign.toml");
    let text = fs::read_to_string(path).unwrap();
    let other = text.replace(
        "born = [\"1967-01-01\", \"1968-12-31\"]",
        "born = [\"1967-01-01\", \"1967-12-31\"]",
    );
    assert_ne!(text, other, "the demo's campaign is another one");
    other
}

async fn an_operators_evening(desk: &Desk<'_>) {
    let browser = desk.browser;
    desk.look("/sign-in", "sign-in").await;
    browser.fill("name", "operator").await;
    browser.fill("password", "a wrong password").await;
    browser.click("main form button").await;
    browser.text("#summary").await;
    browser.look("desk-wrong").await;
    desk.sign_in("operator").await;
    browser.look("desk-home").await;
    desk.look("/accounts", "not-yours").await;
    desk.look("/nothing", "missing").await;
    // The evening: it goes on by itself, and an act is shown before it is done.
    desk.look("/board", "board").await;
    let as_of = "return document.querySelector('[data-at=as_of]').textContent";
    let before = browser.script(as_of).await;
    for _ in 0..100 {
        if browser.script(as_of).await != before {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_ne!(
        browser.script(as_of).await,
        before,
        "the board stands still"
    );
    browser.fill("text", "서버를 늘리고 있습니다").await;
    browser.fill("en", "We are adding servers").await;
    browser.click("#acts ~ form .actions button").await;
    browser.text("#asked").await;
    browser.look("desk-asked").await;
    browser.click("button[name=do]").await;
    desk.at("/board").await;
    let told = browser.text(".panel .notice").await;
    let wanted = ["서버를 늘리고 있습니다", "We are adding servers"];
    assert!(wanted.iter().any(|wanted| told.contains(wanted)), "{told}");
    browser.look("desk-paused").await;
    // A proposal: faults, then what it would do, then it is made.
    desk.look("/proposals", "no-proposals").await;
    for page in ["roster", "keys", "again", "logo"] {
        desk.look(&format!("/proposals/{page}"), &format!("propose-{page}"))
            .await;
    }
    desk.look("/proposals/new", "propose").await;
    browser.fill("text", "[campaign]").await;
    browser.fill("reason", "August").await;
    browser.click("main form .actions button").await;
    browser.text(".faults").await;
    browser.look("desk-faults").await;
    let put = format!(
        "document.getElementById('text').value = {}",
        json!(other_campaign())
    );
    browser.script(&put).await;
    browser.click("main form .actions button").await;
    browser.text("button[name=propose]").await;
    browser.look("desk-effect").await;
    browser.click("button[name=propose]").await;
    desk.at("/proposals/1").await;
    browser.look("desk-proposed").await;
    desk.sign_out().await;
}

async fn an_approvers(desk: &Desk<'_>) {
    let browser = desk.browser;
    desk.sign_in("approver").await;
    desk.look("/proposals", "proposals").await;
    desk.look("/proposals/1", "proposal").await;
    browser.click("button[value=approve]").await;
    browser.text("#summary").await;
    browser.look("desk-typed").await;
    // As many as the page says lose a right.
    let number =
        "return document.querySelector('p.summary strong').textContent.replace(/\\D/g, '')";
    let people = browser.script(number).await;
    browser.fill("typed", people.as_str().unwrap()).await;
    browser.click("button[value=approve]").await;
    browser.reads(".facts", "version 2").await;
    browser.look("desk-approved").await;
    desk.sign_out().await;
}

async fn an_administrators(desk: &Desk<'_>) {
    let browser = desk.browser;
    desk.sign_in("admin").await;
    desk.look("/accounts", "accounts").await;
    desk.look("/accounts/2", "account").await;
    desk.look("/accounts/new", "new-account").await;
    browser.fill("name", "Nobody 1").await;
    browser.click("main form .actions button").await;
    browser.text("#summary").await;
    browser.look("desk-no-name").await;
    browser.fill("name", "han").await;
    browser.click("main form .actions button").await;
    let first = browser.text(".secret").await;
    browser.look("desk-first-password").await;
    desk.look("/record?date=2021-07-19", "record").await;
    desk.look("/me", "me").await;
    desk.sign_out().await;
    browser.fill("name", "han").await;
    browser.fill("password", &first).await;
    browser.click("main form button").await;
    desk.at("/set-up").await;
    browser.look("desk-set-up").await;
    let secret = browser.text(".secret").await.replace(' ', "");
    let secret = BASE32_NOPAD.decode(secret.as_bytes()).unwrap();
    browser.fill("password", "passwordpassword").await;
    browser.fill("again", "passwordpassword").await;
    browser.fill("code", &otp::code(&secret, wall())).await;
    browser.click("main form button").await;
    browser.text("#summary").await;
    browser.look("desk-common").await;
    browser.fill("password", PASSWORD).await;
    browser.fill("again", PASSWORD).await;
    browser.fill("code", &otp::code(&secret, wall())).await;
    browser.click("main form button").await;
    browser.text(".codes").await;
    browser.look("desk-codes").await;
    desk.go("").await;
    desk.at("").await;
}

fn a_day_at_the_desk(kind: Kind, lang: &'static str) {
    let demo = Demo::open();
    browse(kind, &demo.base(), async |browser| {
        browser.lang = lang;
        let desk = Desk {
            base: format!("{}/{lang}", demo.desk),
            browser: &*browser,
            demo: &demo,
        };
        an_operators_evening(&desk).await;
        an_approvers(&desk).await;
        an_administrators(&desk).await;
    });
}

#[test]
fn a_day_at_the_desk_in_korean_on_a_phone() {
    a_day_at_the_desk(NARROW, "ko");
}

#[test]
fn a_day_at_the_desk_in_english_on_a_wide_screen() {
    a_day_at_the_desk(WIDE, "en");
}
