//! Access: the keyboard alone, errors that are found, large text.

use super::browser::{Browser, PHONE, browse};
use super::demo::Demo;
use serde_json::json;

const TAB: char = '\u{e004}';
const RETURN: char = '\u{e007}';

/// Moves the focus on with the Tab key until it stands on `css`; how often it was pressed.
async fn tab_to(browser: &Browser, css: &str) -> usize {
    for pressed in 1..400 {
        browser.press(TAB).await;
        let there = format!("return !!document.activeElement?.matches({css:?})");
        if browser.script(&there).await == json!(true) {
            let seen = "const s = getComputedStyle(document.activeElement); \
                        return s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2";
            assert_eq!(
                browser.script(seen).await,
                json!(true),
                "{css} shows no focus"
            );
            return pressed;
        }
    }
    panic!(
        "the Tab key never reaches {css} at {}",
        browser.page().await
    );
}

async fn type_in(browser: &Browser, text: &str) {
    for letter in text.chars() {
        browser.press(letter).await;
    }
}

#[test]
fn the_whole_way_with_the_keyboard_alone() {
    let demo = Demo::open();
    let person = &demo.people[0];
    browse(PHONE, &demo.base(), async |browser| {
        browser.go("").await;
        browser.press(TAB).await;
        let first = browser
            .script("return document.activeElement.className")
            .await;
        assert_eq!(first, "skip", "the first stop leads past the header");
        tab_to(browser, "main .button").await;
        browser.press(RETURN).await;
        browser.at("/enter").await;
        tab_to(browser, "#name").await;
        type_in(browser, &person.name).await;
        tab_to(browser, "#birth_date").await;
        type_in(browser, &person.birth_date).await;
        tab_to(browser, "#code").await;
        type_in(browser, &person.code).await;
        browser.press(RETURN).await;
        browser.at("/sites").await;
        let mut stops = Vec::new();
        for (stop, next) in [
            (".sites .site", ".calendar"),
            (".calendar a", "button.choice"),
            ("button.choice:enabled", "form[action$='/book']"),
        ] {
            tab_to(browser, ".skip").await;
            browser.press(RETURN).await;
            stops.push(tab_to(browser, stop).await);
            browser.press(RETURN).await;
            browser.text(next).await;
        }
        let all: usize = stops.iter().sum();
        assert!(all <= 8, "{stops:?} stops to a hold");
        browser.at("/confirm").await;
        tab_to(browser, "form[action$='/book'] button").await;
        browser.press(RETURN).await;
        browser.at("/booking").await;
        tab_to(browser, "a[href$='/cancel']").await;
        browser.press(RETURN).await;
        browser.at("/cancel").await;
        tab_to(browser, "form[action$='/cancel'] button").await;
        browser.press(RETURN).await;
        browser.reads("h1", "취소되었습니다").await;
    });
}

#[test]
fn an_error_is_told_where_the_focus_is_and_leads_to_its_field() {
    let demo = Demo::open();
    browse(PHONE, &demo.base(), async |browser| {
        browser.go("/enter").await;
        browser.fill("name", "김").await;
        browser.click("main form button").await;
        browser.reads("#summary", "생년월일을 입력해 주세요").await;
        let focused = "return document.activeElement.id";
        assert_eq!(browser.script(focused).await, "summary");
        assert_eq!(browser.value("name").await, "김", "what was typed stays");
        let invalid = "return [...document.querySelectorAll('[aria-invalid=true]')].every(f => \
                       document.getElementById(f.id + '-error'))";
        assert_eq!(browser.script(invalid).await, json!(true));
        browser.look("errors").await;
        browser.click("#summary a[href='#code']").await;
        assert_eq!(browser.script(focused).await, "code");
        // A wrong identity: one answer, in the form.
        browser.fill("birth_date", "19670304").await;
        browser.fill("code", "0000000000").await;
        browser.click("main form button").await;
        browser.reads("#summary", "찾지 못했습니다").await;
        browser.look("unknown").await;
    });
}

/// Text twice as large, on a phone: everything is still there, nothing is cut off sideways.
#[test]
fn text_twice_as_large_fits() {
    let demo = Demo::open();
    browse(PHONE, &demo.base(), async |browser| {
        let large = json!({ "source": "document.addEventListener('DOMContentLoaded', () => \
                            document.documentElement.style.fontSize = '200%')" });
        browser
            .ask("Page.addScriptToEvaluateOnNewDocument", large)
            .await;
        browser.go("").await;
        let size = "return parseFloat(getComputedStyle(document.body).fontSize)";
        assert!(browser.script(size).await.as_f64() >= Some(32.0));
        browser.look("landing-large").await;
        browser.come_in(&demo.people[0]).await;
        browser.look("regions-large").await;
        browser.choose_day(0).await;
        browser.look("times-large").await;
        browser.client.back().await.unwrap();
        browser.text(".calendar").await;
        browser.look("days-large").await;
        browser.day(0).await;
        browser.click("button.choice:not([disabled])").await;
        browser.at("/confirm").await;
        browser.look("confirm-large").await;
        browser.confirm().await;
        browser.look("booking-large").await;
    });
}

/// A booking prints on one sheet.
#[test]
fn a_booking_prints_on_one_sheet() {
    let demo = Demo::open();
    browse(PHONE, &demo.base(), async |browser| {
        browser.book(&demo.people[0], 0).await;
        assert_eq!(browser.print("booking").await, 1);
    });
}
