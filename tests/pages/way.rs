//! The whole way, in both languages, on a phone and on a desk, with and without a script.

use super::browser::{Browser, Kind, browse};
use super::demo::Demo;
use super::story::word;
use super::world::Person;
use serde_json::json;

async fn whole_way(browser: &mut Browser, lang: &'static str, person: &Person) {
    browser.lang = lang;
    browser.go("").await;
    browser.look("landing").await;
    browser.fill("birth_date", "1969.1.3").await;
    browser.click("form[action$='/day'] button").await;
    let day = word(
        lang,
        "1969년생은 내일 20:00에 예약이 시작됩니다",
        "For people born in 1969, booking starts tomorrow at 20:00",
    );
    browser.reads("h1", day).await;
    browser.look("day").await;
    browser.go("").await;
    browser.click("main .button").await;
    browser.at("/enter").await;
    browser.look("enter").await;
    browser.sign_in(person).await;
    browser.at("/sites").await;
    let near = word(lang, "내 지역(", "Sites near you (");
    browser.reads("h1", near).await;
    browser.look("own").await;
    browser.click("a[href$='?region=all']").await;
    browser
        .reads("h1", word(lang, "지역을 선택", "Choose a region"))
        .await;
    browser.look("regions").await;
    browser.click(".choices li:first-child a").await;
    browser.text(".alone .choices").await;
    browser.look("districts").await;
    browser.click("a[href*='?earliest=']").await;
    browser.text(".choices small").await;
    browser.look("earliest").await;
    browser.client.back().await.unwrap();
    browser.text(".alone .choices").await;
    browser.click(".choices li:first-child a").await;
    browser.reads(".sites", "km").await;
    browser.look("sites").await;
    browser.click(".sites .site").await;
    browser.text(".calendar .today").await;
    browser.look("days").await;
    browser.day(0).await;
    browser
        .reads(".second-dose", word(lang, "2차", "second dose"))
        .await;
    browser.look("times").await;
    browser.click("button.choice:not([disabled])").await;
    browser.at("/confirm").await;
    browser
        .reads(
            ".notice",
            word(lang, "아직 예약되지 않았습니다", "This is not booked yet"),
        )
        .await;
    browser.look("confirm").await;
    let number = browser.confirm().await;
    assert_eq!(number.len(), 12, "{number}");
    browser
        .reads(
            ".done",
            word(lang, "예약되었습니다", "Your appointment is booked"),
        )
        .await;
    assert_eq!(browser.count(".qr path").await, 1);
    assert_eq!(browser.count(".doses dt").await, 2);
    browser.look("booking").await;

    // Moving shows the alternatives while the booking stands.
    browser.click("a[href$='/sites'].button").await;
    browser.at("/sites").await;
    browser
        .reads(".notice", word(lang, "그대로 있습니다", "You keep it"))
        .await;
    browser.choose(1).await;
    browser.at("/confirm").await;
    browser
        .reads("h1", word(lang, "변경할까요", "Change to this time?"))
        .await;
    browser.look("move").await;
    assert_eq!(browser.confirm().await, number, "a move keeps the number");
    browser
        .reads(
            ".done",
            word(lang, "변경되었습니다", "Your booking is changed"),
        )
        .await;

    browser.click("a[href$='/cancel']").await;
    browser.at("/cancel").await;
    browser.look("cancel").await;
    browser.click("form[action$='/cancel'] button").await;
    browser.at("/booking").await;
    browser
        .reads("h1", word(lang, "취소되었습니다", "is cancelled"))
        .await;
    browser.look("cancelled").await;
    browser.go("/no-such-page").await;
    browser.text("#summary").await;
    browser.look("problem").await;
}

fn both_languages(kind: Kind) {
    let demo = Demo::open();
    browse(kind, &demo.base(), async |browser| {
        whole_way(browser, "ko", &demo.people[0]).await;
        browser.client.delete_all_cookies().await.unwrap();
        whole_way(browser, "en", &demo.people[1]).await;
    });
}

#[test]
fn on_a_phone() {
    both_languages(Kind {
        width: 320,
        script: true,
        dark: false,
    });
}

#[test]
fn on_a_phone_without_a_script() {
    both_languages(Kind {
        width: 320,
        script: false,
        dark: false,
    });
}

#[test]
fn on_a_desk_in_the_dark() {
    both_languages(Kind {
        width: 1280,
        script: true,
        dark: true,
    });
}

#[test]
fn on_a_desk_without_a_script() {
    both_languages(Kind {
        width: 1280,
        script: false,
        dark: false,
    });
}

/// As people come: over TLS, in Korean, on a phone. The server dies while a seat is held.
#[test]
fn over_tls_with_a_server_that_dies_before_confirming() {
    let mut demo = Demo::open_over_tls();
    let (base, person) = (demo.base(), demo.people[0].clone());
    assert!(base.starts_with("https://"));
    let kind = Kind {
        width: 360,
        script: true,
        dark: false,
    };
    browse(kind, &base, async |browser| {
        browser.go("").await;
        browser.click("main .button").await;
        browser.at("/enter").await;
        browser.sign_in(&person).await;
        browser.at("/sites").await;
        let cookies = browser.client.get_all_cookies().await.unwrap();
        for name in ["__Host-sumun-place", "__Host-sumun-session"] {
            let cookie = cookies.iter().find(|cookie| cookie.name() == name);
            let cookie = cookie.unwrap_or_else(|| panic!("no {name} in {cookies:?}"));
            assert_eq!(cookie.secure(), Some(true), "{cookie:?}");
            assert_eq!(cookie.http_only(), Some(true), "{cookie:?}");
        }
        browser.choose(0).await;
        browser.at("/confirm").await;
        let held = browser.text(".doses").await;
        demo.crash();
        let number = browser.confirm().await;
        assert_eq!(browser.text(".doses").await, held);
        browser.reads(".done", "예약되었습니다").await;
        browser.look("booking-tls").await;

        // On paper: the number, the code and both doses, and nothing to press.
        browser.prefer("print", &[]).await;
        let printed = "return ['.ticket .number', '.qr', '.doses > :nth-child(1)', \
                       '.doses > :nth-child(2)', 'footer', '.language', '.no-print'].map(css => \
                       [...document.querySelectorAll(css)].some(one => one.checkVisibility() && \
                       one.getBoundingClientRect().height > 0))";
        let expected = json!([true, true, true, true, false, false, false]);
        assert_eq!(browser.script(printed).await, expected);
        assert_eq!(browser.text(".ticket .number").await, number);
        browser.picture("booking-tls-printed").await;
        assert_eq!(browser.print("booking-tls").await, 1);
    });
}
