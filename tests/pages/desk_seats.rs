//! The desk's pages of sites, slots and people who get other seats, in a browser: closing, opening
//! again, opening hours, shares of a stock, another interval, keys and acts that take two accounts.
//! The citizen whose slot was closed is asked on the page of the booking.

use serde_json::{Value, json};

use super::browser::{Browser, Kind, PHONE, browse};
use super::demo::Demo;
use super::desk::{Desk, NARROW, WIDE};
use super::story::word;

const CAMPAIGN: &str = "kr-2021-50s";

/// A day of a site: its slots' ids and when they start.
pub struct Place {
    pub site: String,
    pub date: String,
    pub slots: Vec<(String, String)>,
}

/// Books the first three people into the first three slots of a day; each has one seat.
pub fn booked(demo: &Demo) -> Place {
    let sessions = [0, 1, 2].map(|person| demo.lets_in(person));
    let mut client = demo.client();
    let mut get = |path: &str| client.get(path, Some(&sessions[0])).is(200).json;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let sites = get("/sites?region=11");
    let sites = sites["sites"].as_array().unwrap().iter();
    let mut places = sites.map(|site| {
        let site = text(&site["site"]);
        let days = get(&format!("/sites/{site}/days"));
        let date = text(&days["days"][2]["date"]);
        let slots = get(&format!("/sites/{site}/slots?date={date}"));
        let slots = slots["slots"].as_array().unwrap().iter();
        let slots =
            slots.map(|slot| (text(&slot["slot"]), text(&slot["start"])[11..16].to_owned()));
        Place {
            site,
            date,
            slots: slots.collect(),
        }
    });
    let place = places.find(|place| place.slots.len() >= 4).unwrap();
    for (session, (slot, _)) in sessions.iter().zip(&place.slots) {
        demo.client().book(session, "once", slot).is(201);
    }
    place
}

/// Sets a field without typing: a date is typed in another order in each language.
async fn put(browser: &Browser, id: &str, value: &str) {
    let set = format!(
        "document.getElementById({}).value = {}",
        json!(id),
        json!(value)
    );
    browser.script(&set).await;
    assert_eq!(browser.value(id).await, value, "{id}");
}

async fn put_all(browser: &Browser, fields: &[(&str, &str)]) {
    for (id, value) in fields {
        put(browser, id, value).await;
    }
}

/// Opens what is folded around an element.
async fn unfold(browser: &Browser, css: &str) {
    let open = format!("document.querySelector({css:?}).closest('details').open = true");
    browser.script(&open).await;
}

const SEND: &str = "main form .actions:not(:has([name=propose])) button";

impl Desk<'_> {
    /// Opens a form, fills it in, and is shown what it would do.
    async fn asked(&self, kind: &str, place: &Place, fields: &[(&str, &str)]) {
        let (site, date) = (&place.site, &place.date);
        let form =
            format!("/propose/{kind}?campaign={CAMPAIGN}&sites={site}&from={date}&until={date}");
        self.look(&form, &format!("{kind}-form")).await;
        put_all(self.browser, fields).await;
        self.browser.click(SEND).await;
        self.browser.text("button[name=propose]").await;
        self.browser.look(&format!("desk-{kind}-effect")).await;
    }

    /// Proposes what was shown; the number of the proposal.
    async fn propose(&self, name: &str) -> String {
        let browser = self.browser;
        browser.click("button[name=propose]").await;
        browser.text("form button[value=withdraw]").await;
        browser.look(&format!("desk-{name}-proposed")).await;
        let page = browser.page().await;
        page.rsplit('/').next().unwrap().to_owned()
    }
}

/// One site: faults, more seats in one slot, another closed at once.
async fn at_a_site(desk: &Desk<'_>, place: &Place) {
    let browser = desk.browser;
    let page = format!("/sites/{CAMPAIGN}/{}", place.site);
    desk.look("/sites", "sites").await;
    browser.fill("query", &place.site).await;
    browser.click("main form button").await;
    let row = format!("td:nth-child(2):not(:empty), [href$='{}']", place.site);
    browser.text(&row).await;
    browser.look("desk-sites-found").await;
    desk.look(&page, "site").await;
    desk.look(&format!("{page}?date={}", place.date), "site-day")
        .await;
    let [first, stopped, other] = [0, 2, 3].map(|at| place.slots[at].0.clone());
    let field = |name: &str, slot: &str| format!("{name}-{slot}");
    unfold(browser, &format!("#{}", field("public", &first))).await;
    unfold(browser, &format!("#{}", field("ko", &first))).await;
    browser.look("desk-site-unfolded").await;
    // Somebody is booked there: the seat stays.
    put(browser, &field("public", &first), "0").await;
    put(browser, &field("reason", &first), "fewer nurses").await;
    browser
        .click(&format!("form[action$='/slots/{first}'] button"))
        .await;
    browser.text(".faults").await;
    browser.look("desk-site-faults").await;
    unfold(browser, &format!("#{}", field("public", &other))).await;
    put(browser, &field("public", &other), "99").await;
    put(browser, &field("reason", &other), "two more nurses").await;
    browser
        .click(&format!("form[action$='/slots/{other}'] button"))
        .await;
    browser.text(".notice[role=status]").await;
    browser.reads("main", "99").await;
    browser.look("desk-site-changed").await;
    unfold(browser, &format!("#{}", field("ko", &stopped))).await;
    put(browser, &field("ko", &stopped), "정전").await;
    put(browser, &field("en", &stopped), "A power cut").await;
    browser
        .click(&format!("form:has(#ko-{stopped}) button"))
        .await;
    browser.reads("section.slot .notice", "정전").await;
    browser.look("desk-site-stopped").await;
}

/// What an operator proposes: the numbers of the closing and of the slots with an instant.
async fn an_operators(desk: &Desk<'_>, place: &Place) -> [String; 2] {
    let browser = desk.browser;
    desk.sign_in("operator").await;
    at_a_site(desk, place).await;
    let times = [0, 2, 3].map(|at| place.slots[at].1.as_str());
    let closing = [
        ("time_from", times[0]),
        ("time_until", times[1]),
        ("answer_until", "2021-07-20T09:00"),
        ("unanswered", "moved"),
        ("reason_ko", "냉장고가 고장났습니다"),
        ("reason_en", "The refrigerator broke"),
        ("reason", "the refrigerator"),
    ];
    desk.asked("close", place, &closing).await;
    let moves = browser.text(".facts").await;
    assert!(moves.contains('2'), "{moves}");
    let closing = desk.propose("close").await;
    desk.look("/propose/hours", "hours-new").await;
    let fields = [
        ("from", "2021-09-25"),
        ("until", "2021-09-26"),
        ("spans", "12:00-09:00"),
        ("every_min", "30"),
        ("public", "10"),
        ("reason", "a weekend"),
    ];
    put_all(browser, &fields).await;
    browser.click("input[name=day-6]").await;
    browser.click(SEND).await;
    browser.text(".faults").await;
    browser.look("desk-hours-faults").await;
    let hours = [
        ("from", "2021-09-27"),
        ("until", "2021-09-28"),
        ("spans", "09:00-12:00, 13:00-14:30"),
        ("every_min", "30"),
        ("public", "10"),
        ("walk_in", "2"),
        ("due", "2021-07-20T09:00"),
        ("reason", "two more days"),
    ];
    desk.asked("hours", place, &hours).await;
    let hours = desk.propose("hours").await;
    let split = [
        ("at", "2021-07-20T09:00\n2021-07-21T09:00"),
        ("reason", "each morning its share"),
    ];
    desk.asked("split", place, &split).await;
    let later = [
        ("time_from", times[0]),
        ("time_until", times[1]),
        ("minutes", "5"),
        ("reason_ko", "진료가 늦게 시작됩니다"),
        ("reason", "the doctor comes later"),
    ];
    desk.asked("retime", place, &later).await;
    let interval = [("days", "35"), ("reason", "the committee")];
    desk.asked("interval", place, &interval).await;
    let again = [
        ("time_from", times[1]),
        ("time_until", times[2]),
        ("reason", "the power is back"),
    ];
    desk.asked("reopen", place, &again).await;
    desk.propose("reopen").await;
    // Whom to call: by number, then with names.
    desk.look("/relocations", "relocations").await;
    desk.look(&format!("/relocations/{CAMPAIGN}/1"), "relocation")
        .await;
    browser.fill("reason", "to call them").await;
    browser.click("form[action$='/names'] button").await;
    browser.text("tbody td:nth-child(3)").await;
    browser.look("desk-names").await;
    desk.sign_out().await;
    [closing, hours]
}

async fn an_approvers(desk: &Desk<'_>, [closing, hours]: &[String; 2]) {
    let browser = desk.browser;
    desk.sign_in("approver").await;
    desk.look(&format!("/proposals/{closing}"), "close-proposal")
        .await;
    browser.click("button[value=approve]").await;
    browser.text("#summary").await;
    browser.look("desk-close-typed").await;
    browser.fill("typed", "2").await;
    browser.click("button[value=approve]").await;
    browser.reads(".facts", "2 were offered").await;
    browser.look("desk-close-approved").await;
    desk.look("/relocations", "relocations-two").await;
    desk.look(&format!("/relocations/{CAMPAIGN}/2"), "relocation-offered")
        .await;
    // What is approved for an instant waits for it, or is called off.
    desk.look(&format!("/proposals/{hours}"), "due-proposal")
        .await;
    browser.click("button[value=approve]").await;
    browser.text("form[action$='/call-off']").await;
    browser.look("desk-due-approved").await;
    browser.fill("reason", "not this week").await;
    browser.click("form[action$='/call-off'] button").await;
    browser.reads(".facts", "not this week").await;
    browser.look("desk-called-off").await;
    desk.sign_out().await;
}

async fn an_administrators(desk: &Desk<'_>) {
    let browser = desk.browser;
    desk.sign_in("admin").await;
    desk.look("/keys", "no-keys").await;
    browser.fill("name", "statistics").await;
    browser.click("fieldset .check input").await;
    put(browser, "last_day", "2021-12-31").await;
    browser.fill("reason", "the ministry's figures").await;
    browser.click("main form .actions button").await;
    browser.text(".secret").await;
    browser.look("desk-key").await;
    desk.look("/keys", "keys").await;
    desk.look("/accounts/asked", "nothing-asked").await;
    desk.go("/accounts").await;
    browser.click("tbody tr:nth-child(4) a").await;
    browser.fill("reset-reason", "a lost telephone").await;
    browser.look("desk-account-two").await;
    browser.click("form[action$='/reset'] button").await;
    browser.text(".secret").await;
    browser.look("desk-half").await;
    desk.look("/accounts", "accounts-asked").await;
    desk.sign_out().await;
}

/// The second account confirms what the first has asked for.
async fn a_second_ones(desk: &Desk<'_>) {
    let browser = desk.browser;
    desk.sign_in("approver2").await;
    desk.look("/accounts/asked", "asked-acts").await;
    browser.click("form[action$='/confirm'] button").await;
    browser.text(".secret").await;
    browser.look("desk-half-second").await;
    desk.sign_out().await;
}

/// The person is asked on the booking's page, and takes what is offered.
async fn a_citizens(browser: &mut Browser, demo: &Demo, lang: &'static str) {
    browser.lang = lang;
    browser.go("/enter").await;
    browser.sign_in(&demo.people[0]).await;
    browser.at("/booking").await;
    let why = word(lang, "냉장고가 고장났습니다", "The refrigerator broke");
    browser.reads("section[aria-labelledby=closed]", why).await;
    browser.look("closed-offer").await;
    browser
        .click("section[aria-labelledby=closed] .button")
        .await;
    browser.at("/confirm").await;
    browser.look("closed-take").await;
    browser.click("form[action$='/book'] button").await;
    browser.at("/booking").await;
    browser.text(".ticket .number").await;
    assert_eq!(browser.count("section[aria-labelledby=closed]").await, 0);
    browser.look("closed-taken").await;
}

fn a_day_of_sites(kind: Kind, lang: &'static str) {
    let demo = Demo::open();
    let place = booked(&demo);
    browse(kind, &demo.base(), async |browser| {
        browser.lang = lang;
        let desk = Desk {
            base: format!("{}/{lang}", demo.desk),
            browser: &*browser,
            demo: &demo,
        };
        let proposals = an_operators(&desk, &place).await;
        an_approvers(&desk, &proposals).await;
        an_administrators(&desk).await;
        a_second_ones(&desk).await;
    });
    let phone = Kind {
        dark: kind.dark,
        ..PHONE
    };
    browse(phone, &demo.base(), async |browser| {
        a_citizens(browser, &demo, lang).await;
    });
}

#[test]
fn a_day_of_sites_in_korean_on_a_phone() {
    a_day_of_sites(NARROW, "ko");
}

#[test]
fn a_day_of_sites_in_english_on_a_wide_screen() {
    a_day_of_sites(WIDE, "en");
}
