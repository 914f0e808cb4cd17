//! More time to decide, asked for with one button: in the last minute with a script, at any time
//! without one.

use std::time::Duration;

use super::browser::{Kind, PHONE, browse};
use super::demo::{Demo, OPEN};
use super::story::word;
use serde_json::json;

const BUTTON: &str = "form[action$='/extend'] button";

fn demo(hold_s: u32) -> Demo {
    Demo::start(OPEN, |campaign| {
        campaign.replace("\nhold_s = 300", &format!("\nhold_s = {hold_s}"))
    })
}

/// Counts what the page announces: each time that the alert comes into sight.
const COUNTS: &str = "window.alerts = 0; const soon = document.getElementById('soon'); \
    new MutationObserver(() => { if (!soon.hidden) alerts += 1; })\
        .observe(soon, { attributes: true, childList: true, subtree: true });";

#[test]
fn the_last_minute_is_told_once_and_more_time_is_one_button_away() {
    let demo = demo(75);
    for lang in ["ko", "en"] {
        browse(PHONE, &demo.base(), async |browser| {
            browser.lang = lang;
            browser
                .come_in(&demo.people[usize::from(lang == "en")])
                .await;
            browser.choose(0).await;
            browser.at("/confirm").await;
            let hidden = "return document.getElementById('soon').hidden";
            assert_eq!(browser.script(hidden).await, json!(true));
            browser.script(COUNTS).await;
            let warning = word(lang, "한 번 늘릴 수 있습니다", "you can extend it once");
            browser.reads("#soon [role=alert]", warning).await;
            browser.look("ends-soon").await;
            tokio::time::sleep(Duration::from_secs(3)).await;
            assert_eq!(browser.script("return alerts").await, json!(1));
            // The countdown itself is read to nobody.
            let live = browser.count("#countdown[aria-live]").await;
            assert_eq!(
                (live, browser.count("#countdown[role=timer]").await),
                (0, 1)
            );
            browser
                .reads(BUTTON, word(lang, "시간 더 쓰기", "More time"))
                .await;
            browser.click(BUTTON).await;
            let told = word(lang, "예약 시간을 5분 늘렸습니다", "extended by 5 minutes");
            browser.reads("#extended[role=status]", told).await;
            assert_eq!(browser.count("#soon").await, 0);
            browser.look("extended").await;
            browser.confirm().await;
        });
    }
}

/// The page goes on by itself when a hold has ended: not when it has more time.
#[test]
fn more_time_is_real_with_and_without_a_script() {
    let demo = demo(15);
    for script in [true, false] {
        let kind = Kind { script, ..PHONE };
        browse(kind, &demo.base(), async |browser| {
            browser.come_in(&demo.people[usize::from(script)]).await;
            browser.choose(0).await;
            browser.at("/confirm").await;
            browser.reads("#soon", "한 번 늘릴 수 있습니다").await;
            browser.click(BUTTON).await;
            browser
                .reads("#extended", "예약 시간을 5분 늘렸습니다")
                .await;
            tokio::time::sleep(Duration::from_secs(19)).await;
            assert_eq!(browser.page().await, "/confirm");
            assert_eq!(browser.count("#soon").await, 0);
            browser.look("extended-late").await;
            browser.confirm().await;
        });
    }
}
