//! The desk with the keyboard alone: an operator closes a slot with a plan, an approver agrees.
//! Nothing is clicked and no script moves the focus.

use data_encoding::BASE32_NOPAD;
use serde_json::json;
use sumun::clock::wall;
use sumun::identity::staff::otp;

use super::access::{RETURN, TAB, tab_to, type_in};
use super::browser::{Browser, browse};
use super::demo::Demo;
use super::desk::{Desk, WIDE};
use super::desk_seats::{Place, booked};

const SHIFT: char = '\u{e008}';
const DOWN: char = '\u{e015}';

/// Moves the focus to `css`, which shows that it has it; how many presses it took.
async fn to(browser: &Browser, css: &str) -> usize {
    browser.text(css).await;
    tab_to(browser, css).await
}

async fn type_into(browser: &Browser, css: &str, text: &str) -> usize {
    let pressed = to(browser, css).await;
    type_in(browser, text).await;
    pressed
}

/// Types a date and a time as English browsers ask for them: month, day, year, hour, minute.
async fn type_instant(browser: &Browser, css: &str, digits: &str, value: &str) -> usize {
    let pressed = type_into(browser, css, digits).await;
    let id = css.trim_start_matches('#');
    assert_eq!(browser.value(id).await, value, "{css}");
    pressed
}

async fn sign_in(desk: &Desk<'_>, name: &str) -> usize {
    let [_, password, secret] = desk.account(name);
    let secret = BASE32_NOPAD.decode(secret.as_bytes()).unwrap();
    let mut pressed = type_into(desk.browser, "#name", name).await;
    pressed += type_into(desk.browser, "#password", password).await;
    pressed += type_into(desk.browser, "#code", &otp::code(&secret, wall())).await;
    desk.browser.press(RETURN).await;
    desk.at("").await;
    pressed
}

async fn follow(browser: &Browser, css: &str) -> usize {
    let pressed = to(browser, css).await;
    browser.press(RETURN).await;
    pressed
}

/// Goes one stop back and on again: the focus is where it was.
async fn there_and_back(browser: &Browser, css: &str) {
    browser.press_with(SHIFT, TAB).await;
    let there = format!("return document.activeElement.matches({css:?})");
    assert_eq!(browser.script(&there).await, json!(false), "{css}");
    assert_eq!(tab_to(browser, css).await, 1, "{css} is the next stop");
}

async fn an_operators(desk: &Desk<'_>, place: &Place) -> Vec<usize> {
    let browser = desk.browser;
    let mut stops = vec![sign_in(desk, "operator").await];
    stops.push(follow(browser, "nav a[href$='/sites']").await);
    desk.at("/sites").await;
    stops.push(type_into(browser, "#query", &place.site).await);
    browser.press(RETURN).await;
    let site = format!("tbody a[href$='/{}']", place.site);
    browser.reads(".table", &place.site).await;
    stops.push(follow(browser, &site).await);
    let day = format!("a[href$='date={}']", place.date);
    browser.text(&day).await;
    stops.push(follow(browser, &day).await);
    browser.text("#slots").await;
    stops.push(follow(browser, "a[href*='/propose/close']").await);
    desk.at("/propose/close").await;
    let (from, until) = (&place.slots[0].1, &place.slots[1].1);
    for (css, time) in [("#time_from", from), ("#time_until", until)] {
        stops.push(to(browser, css).await);
        type_in(browser, &twelve_hours(time)).await;
        assert_eq!(&browser.value(&css[1..]).await, time);
    }
    stops.push(type_instant(browser, "#answer_until", ANSWER[0], ANSWER[1]).await);
    stops.push(to(browser, "#unanswered").await);
    browser.press(DOWN).await;
    stops.push(type_into(browser, "#reason_ko", "A fridge").await);
    stops.push(type_into(browser, "#reason", "the refrigerator").await);
    there_and_back(browser, "#reason").await;
    stops.push(follow(browser, "main form > .actions button").await);
    browser.text("button[name=propose]").await;
    stops.push(to(browser, "button[name=propose]").await);
    browser.press(' ').await;
    browser.text("form button[value=withdraw]").await;
    stops.push(follow(browser, ".leave button").await);
    desk.at("/sign-in").await;
    stops
}

/// As it is typed, and as it is sent.
const ANSWER: [&str; 2] = ["07202021\t0900AM", "2021-07-20T09:00"];

fn twelve_hours(time: &str) -> String {
    let (hour, minute) = time.split_once(':').unwrap();
    let hour: u32 = hour.parse().unwrap();
    let half = if hour < 12 { "AM" } else { "PM" };
    format!("{:02}{minute}{half}", (hour + 11) % 12 + 1)
}

async fn an_approvers(desk: &Desk<'_>) -> Vec<usize> {
    let browser = desk.browser;
    let mut stops = vec![sign_in(desk, "approver").await];
    stops.push(follow(browser, "nav a[href$='/proposals']").await);
    desk.at("/proposals").await;
    stops.push(follow(browser, "tbody a[href$='/proposals/1']").await);
    desk.at("/proposals/1").await;
    stops.push(type_into(browser, "#typed", "1").await);
    stops.push(follow(browser, "button[value=approve]").await);
    browser.reads(".facts", "1 were offered").await;
    stops
}

#[test]
fn a_slot_is_closed_and_approved_with_the_keyboard_alone() {
    let demo = Demo::open();
    let place = booked(&demo);
    browse(WIDE, &demo.base(), async |browser| {
        browser.lang = "en";
        let desk = Desk {
            base: format!("{}/en", demo.desk),
            browser: &*browser,
            demo: &demo,
        };
        desk.go("/sign-in").await;
        let mut stops = an_operators(&desk, &place).await;
        stops.extend(an_approvers(&desk).await);
        let all: usize = stops.iter().sum();
        // A quarter of them are the days of the site, which stand before what can be proposed.
        assert!(all <= 280, "{all} presses of the Tab key: {stops:?}");
    });
}
