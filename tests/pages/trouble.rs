//! What goes wrong on the way: seats that fill, a server that dies, a network that goes, two tabs,
//! the back button. Each ends with the person where they were.

use super::browser::{PHONE, browse};
use super::demo::Demo;
use serde_json::json;

/// The slot of the time shown first.
const FIRST: &str = "return document.querySelector('button.choice:not([disabled])').value";

#[test]
fn a_slot_that_fills_meanwhile_offers_the_nearest_and_keeps_the_session() {
    let demo = Demo::open();
    let other = demo.lets_in(1);
    browse(PHONE, &demo.base(), async |browser| {
        browser.come_in(&demo.people[0]).await;
        browser.choose_day(0).await;
        let slot = browser.script(FIRST).await;
        let slot = slot.as_str().unwrap();
        // Somebody else is faster, down to the last seat.
        demo.client().book(&other, "faster", slot).is(201);
        browser.click(&format!("button[value='{slot}']")).await;
        browser
            .reads("#summary", "선택하신 시간은 마감되었습니다")
            .await;
        assert!(browser.count("button.choice").await >= 1);
        browser.reads("h2", "같은 날 다른 시간").await;
        browser.look("full").await;
        browser.click("button.choice").await;
        let number = browser.confirm().await;
        assert_eq!(number.len(), 12);
    });
}

#[test]
fn a_killed_server_leaves_people_where_they_were() {
    let mut demo = Demo::open();
    let base = demo.base();
    let person = demo.people[0].clone();
    browse(PHONE, &base, async |browser| {
        browser.come_in(&person).await;
        demo.crash();
        browser.choose(0).await;
        browser.at("/confirm").await;
        let held = browser.text(".doses").await;
        demo.crash();
        browser.client.refresh().await.unwrap();
        browser.at("/confirm").await;
        assert_eq!(browser.text(".doses").await, held);
        // It dies before the press, and comes back while the page tries again by itself.
        demo.kill();
        browser.click("form[action$='/book'] button").await;
        browser.reads(".told", "연결이 끊겼습니다").await;
        assert_eq!(browser.page().await, "/confirm", "nothing says booked yet");
        demo.again();
        browser.at("/booking").await;
        let number = browser.text(".ticket .number").await;
        assert_eq!(browser.text(".doses").await, held);
        demo.crash();
        browser.client.refresh().await.unwrap();
        browser.at("/booking").await;
        assert_eq!(browser.text(".ticket .number").await, number);
    });
}

#[test]
fn a_lost_network_keeps_what_was_typed_and_sends_it_later() {
    let demo = Demo::open();
    browse(PHONE, &demo.base(), async |browser| {
        browser.go("/enter").await;
        let offline = |lost: bool| {
            json!({
                "offline": lost, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1,
            })
        };
        browser.ask("Network.enable", json!({})).await;
        browser
            .ask("Network.emulateNetworkConditions", offline(true))
            .await;
        browser.sign_in(&demo.people[0]).await;
        browser.reads(".told", "연결이 끊겼습니다").await;
        assert_eq!(browser.value("name").await, demo.people[0].name);
        browser.look("offline").await;
        browser
            .ask("Network.emulateNetworkConditions", offline(false))
            .await;
        browser.at("/sites").await;
    });
}

#[test]
fn two_tabs_make_one_booking() {
    let demo = Demo::open();
    browse(PHONE, &demo.base(), async |browser| {
        browser.come_in(&demo.people[0]).await;
        browser.choose(0).await;
        browser.at("/confirm").await;
        let first = browser.client.window().await.unwrap();
        browser.in_new_tab().await;
        browser.go("/confirm").await;
        browser.at("/confirm").await;
        let number = browser.confirm().await;
        browser.client.switch_to_window(first).await.unwrap();
        browser.click("form[action$='/book'] button").await;
        browser.at("/booking").await;
        assert_eq!(browser.text(".ticket .number").await, number);
    });
}

/// Another time is chosen in a second tab and booked in a third: what the first two still show and
/// offer leads to that booking, and a time is not said to be given back that is not.
#[test]
fn three_tabs_make_one_booking() {
    let demo = Demo::open();
    browse(PHONE, &demo.base(), async |browser| {
        browser.come_in(&demo.people[0]).await;
        browser.choose(0).await;
        browser.at("/confirm").await;
        let first = browser.client.window().await.unwrap();
        let second = browser.in_new_tab().await;
        browser.go("/sites").await;
        browser.reads("#held", "맡아 둔 시간이 있습니다").await;
        browser.choose(1).await;
        browser.at("/confirm").await;
        let chosen = browser.text(".doses").await;
        // The first tab's time was given back for it: its button leads to the time that is held.
        browser
            .client
            .switch_to_window(first.clone())
            .await
            .unwrap();
        browser.click("form[action$='/release'] button").await;
        browser.at("/confirm").await;
        assert_eq!(browser.text(".doses").await, chosen);
        browser.in_new_tab().await;
        browser.go("/confirm").await;
        let number = browser.confirm().await;
        for (tab, form) in [(first, "/release"), (second, "/book")] {
            browser.client.switch_to_window(tab).await.unwrap();
            browser
                .click(&format!("form[action$='{form}'] button"))
                .await;
            browser.at("/booking").await;
            assert_eq!(browser.text(".ticket .number").await, number);
        }
    });
}

#[test]
fn back_after_confirming_shows_the_booking() {
    let demo = Demo::open();
    browse(PHONE, &demo.base(), async |browser| {
        let number = browser.book(&demo.people[0], 0).await;
        browser.client.back().await.unwrap();
        browser.at("/booking").await;
        assert_eq!(browser.text(".ticket .number").await, number);
        // Any address of the way leads to the booking or beside it, never to a second one.
        for page in ["/confirm", "/book", "/hold", "/wait"] {
            browser.go(page).await;
            browser.at("/booking").await;
        }
        // Another device: after signing in, the booking.
        browser.client.delete_all_cookies().await.unwrap();
        browser.go("/booking").await;
        browser.at("/enter").await;
        browser.sign_in(&demo.people[0]).await;
        browser.at("/booking").await;
        assert_eq!(browser.text(".ticket .number").await, number);
    });
}

#[test]
fn a_frozen_pause_keeps_the_seat_and_says_why() {
    let demo = Demo::open();
    browse(PHONE, &demo.base(), async |browser| {
        browser.come_in(&demo.people[0]).await;
        browser.choose(0).await;
        browser.at("/confirm").await;
        demo.operate(&["gate", "pause", "--freeze", "--reason", "점검 중입니다"]);
        browser.click("form[action$='/book'] button").await;
        browser.reads("#summary", "점검 중입니다").await;
        browser.look("frozen").await;
        demo.operate(&["gate", "resume"]);
        browser.click("form[data-retry] button").await;
        browser.at("/booking").await;
    });
}
