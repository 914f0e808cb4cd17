//! Access: the keyboard alone, errors that are found, large text.

use super::browser::{Browser, Kind, PHONE, browse};
use super::demo::Demo;
use serde_json::json;

pub const TAB: char = '\u{e004}';
pub const RETURN: char = '\u{e007}';

/// Moves the focus on with the Tab key until it stands on `css`; how often it was pressed.
pub async fn tab_to(browser: &Browser, css: &str) -> usize {
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

pub async fn type_in(browser: &Browser, text: &str) {
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
        browser.press(RETURN).await;
        let mut stops = vec![1];
        stops.push(tab_to(browser, "#birth_date").await);
        type_in(browser, &person.birth_date).await;
        browser.press(RETURN).await;
        browser.at("/day").await;
        // Each further page begins at its content.
        stops.push(tab_to(browser, ".verdict .button").await);
        browser.press(RETURN).await;
        browser.at("/enter").await;
        stops.push(tab_to(browser, "#name").await);
        type_in(browser, &person.name).await;
        stops.push(tab_to(browser, "#birth_date").await);
        assert!(!browser.value("birth_date").await.is_empty(), "it is known");
        stops.push(tab_to(browser, "#code").await);
        type_in(browser, &person.code).await;
        stops.push(tab_to(browser, "#agreed").await);
        browser.press(' ').await;
        browser.press(RETURN).await;
        browser.at("/sites").await;
        stops.push(tab_to(browser, ".sites .soon").await);
        browser.press(RETURN).await;
        browser.text("button.choice").await;
        stops.push(tab_to(browser, "button.choice:enabled").await);
        browser.press(RETURN).await;
        browser.at("/confirm").await;
        let all: usize = stops.iter().sum();
        assert!(all <= 12, "{stops:?} stops to a hold");
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
        // Nothing is sent: it is told beside the fields, and the first of them has the focus.
        browser
            .reads("#birth_date-error", "생년월일을 입력해 주세요")
            .await;
        let focused = "return document.activeElement.id";
        assert_eq!(browser.script(focused).await, "birth_date");
        assert_eq!(browser.count("#summary").await, 0);
        assert_eq!(browser.value("name").await, "김", "what was typed stays");
        let invalid = "return [...document.querySelectorAll('[aria-invalid=true]')].map(f => \
                       document.getElementById(f.id + '-error') && \
                       f.getAttribute('aria-describedby').includes(f.id + '-error') && f.id)";
        let expected = json!(["birth_date", "code", "agreed"]);
        assert_eq!(browser.script(invalid).await, expected);
        browser.look("errors").await;
        for (field, typed) in [
            ("birth_date", "681116"),
            ("birth_date", "16/11/1968"),
            ("birth_date", "1968-02-30"),
            ("code", "ABC"),
            ("code", "0000000001"),
        ] {
            browser.fill(field, typed).await;
            browser.click("main form button").await;
            browser.text(&format!("#{field}-error")).await;
            assert_eq!(browser.count("#summary").await, 0, "{typed}");
        }
        browser.click("#agreed").await;
        browser.fill("birth_date", "１９６８．１１．１６").await;
        browser.fill("code", "0000-000 000").await;
        browser.click("main form button").await;
        browser.reads("#summary", "찾지 못했습니다").await;
        assert_eq!(browser.script(focused).await, "summary");
        // A wrong identity: one answer, in the form.
        browser.fill("birth_date", "19670304").await;
        browser.fill("code", "0000000000").await;
        browser.click("main form button").await;
        browser.reads("#summary", "찾지 못했습니다").await;
        browser.look("unknown").await;
    });
}

/// Without a script the server tells the same: a summary that leads to each field.
#[test]
fn without_a_script_a_summary_leads_to_each_fault() {
    let demo = Demo::open();
    let kind = Kind {
        script: false,
        ..PHONE
    };
    browse(kind, &demo.base(), async |browser| {
        browser.go("/enter").await;
        for (typed, told) in [
            ("681116", "연도를 네 자리로 입력해 주세요"),
            (
                "16/11/1968",
                "연도, 월, 일 순서로 입력해 주세요. 예: 19681116",
            ),
            ("19680230", "달력에 없는 날짜입니다"),
            ("", "생년월일을 입력해 주세요"),
        ] {
            browser.fill("birth_date", typed).await;
            browser.click("main form button").await;
            browser.reads("#birth_date-error", told).await;
        }
        browser.reads("#summary", "초대 코드를 입력해 주세요").await;
        browser.reads("#summary", "동의하셔야").await;
        browser.look("errors").await;
        browser.click("#summary a[href='#code']").await;
        browser.fill("birth_date", "19670304").await;
        browser.fill("code", "ABC").await;
        browser.click("main form button").await;
        browser.reads("#code-error", "열 글자입니다").await;
    });
}

/// Text twice as large, on a phone: everything is still there, nothing is cut off sideways.
#[test]
fn text_twice_as_large_fits() {
    let demo = Demo::open();
    browse(PHONE, &demo.base(), async |browser| {
        browser.large_text().await;
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
