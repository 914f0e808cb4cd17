//! Every page in every state that the other stories do not come to, looked at in both languages,
//! with and without a script, at 320 px and with text twice as large.

use super::browser::{Browser, PHONE, browse};
use super::demo::Demo;
use serde_json::json;

async fn at_both_sizes(browser: &Browser, page: &str, name: &str) {
    browser.go(page).await;
    browser.text("footer").await;
    browser.look(name).await;
    let large = browser.large_text().await;
    browser.go(page).await;
    browser.text("footer").await;
    browser.look(&format!("{name}-large")).await;
    browser.usual_text(large).await;
}

const PLAIN: [(&str, &str); 7] = [
    ("", "landing"),
    ("/enter", "enter"),
    ("/privacy", "privacy"),
    ("/terms", "terms"),
    ("/accessibility", "accessibility"),
    ("/no/such/page", "missing"),
    ("/../_components", "components"),
];

fn both_languages(runs: bool) {
    let demo = Demo::open();
    browse(PHONE, &demo.base(), async |browser| {
        if !runs {
            browser.unscripted().await;
        }
        for (lang, person) in [("ko", 0), ("en", 1)] {
            browser.lang = lang;
            for (page, name) in PLAIN {
                at_both_sizes(browser, page, name).await;
            }
            browser.go("").await;
            browser.fill("birth_date", "19670304").await;
            browser.click("form[action$='/day'] button").await;
            browser.at("/day").await;
            at_both_sizes(browser, "/day", "verdict").await;
            browser.come_in(&demo.people[person]).await;
            for (page, name) in [
                ("", "known"),
                ("/sites", "own-region"),
                ("/sites?region=all", "provinces"),
                ("/sites?earliest=11", "earliest"),
                ("/sites?query=nowhere", "found-none"),
                ("/booking", "no-booking"),
            ] {
                at_both_sizes(browser, page, name).await;
            }
            browser.client.delete_all_cookies().await.unwrap();
        }
    });
}

#[test]
fn every_state_is_looked_at() {
    both_languages(true);
}

#[test]
fn every_state_is_looked_at_without_a_script() {
    both_languages(false);
}

/// What screen readers are given of a waiting room and a booking: whole sentences, in order.
#[test]
fn the_accessibility_tree_tells_the_page_in_order() {
    let one = |campaign: String| campaign.replace("active_max = 60000", "active_max = 1");
    let demo = Demo::start(super::demo::OPEN, one);
    let _in = demo.lets_in(2);
    browse(PHONE, &demo.base(), async |browser| {
        browser.go("/enter").await;
        browser.sign_in(&demo.people[0]).await;
        browser.at("/wait").await;
        browser.text("#wait").await;
        let spoken = browser.spoken().await;
        let at = |words: &str| {
            let found = spoken.iter().position(|one| one.contains(words));
            found.unwrap_or_else(|| panic!("nothing says {words:?}: {spoken:#?}"))
        };
        let order = [
            "차례를 기다리고",
            "내 번호",
            "앞에 있는 사람",
            "예상 대기",
            "기준",
        ];
        let order = order.map(at);
        assert!(order.is_sorted(), "{order:?} of {spoken:#?}");
        let live = "return [...document.querySelectorAll('[role=status]')].map(e => e.textContent)";
        let live = browser.script(live).await;
        let told = live[0].as_str().unwrap();
        assert!(
            told.starts_with("앞에 ") && told.ends_with("입니다."),
            "{told}"
        );
        // The countdown of the next look is no live region.
        let quiet = "return !document.querySelector('#next').closest('[aria-live], [role]')";
        assert_eq!(browser.script(quiet).await, json!(true));
    });
}

/// In the browser of another app nothing can be kept as a file: the facts can be copied instead.
#[test]
fn another_apps_browser_is_offered_what_it_can_do() {
    let demo = Demo::open();
    browse(PHONE, &demo.base(), async |browser| {
        let agent = "Mozilla/5.0 (Linux; Android 12) AppleWebKit/537.36 (KHTML, like Gecko) \
                     Chrome/120.0 Mobile Safari/537.36;KAKAOTALK 2410090";
        let number = browser.book(&demo.people[0], 0).await;
        assert_eq!(browser.count("a[href$='/booking.ics']").await, 1);
        browser
            .ask(
                "Network.setUserAgentOverride",
                json!({ "userAgent": agent }),
            )
            .await;
        browser.client.refresh().await.unwrap();
        browser.reads("main", "파일을 받을 수 없습니다").await;
        assert_eq!(browser.count("a[href$='/booking.ics']").await, 0);
        let facts = browser.text("#facts").await;
        for fact in ["1차 접종", "2차 접종", "2021년", "년생"] {
            assert!(facts.contains(fact), "{facts}");
        }
        assert!(browser.text("main").await.contains(&number));
        browser.look("in-app").await;
    });
}
