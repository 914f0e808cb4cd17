//! What a browser sends on its way to a booking.

use std::sync::{Arc, Mutex};

use super::browser::{Kind, PHONE, browse};
use super::demo::{Demo, OPEN};
use super::door::{self, Fate};

fn record(script: bool) {
    let one = |campaign: String| campaign.replace("active_max = 60000", "active_max = 1");
    let demo = Demo::start(OPEN, one);
    let _in = demo.lets_in(2);
    let heads = Arc::new(Mutex::new(Vec::<String>::new()));
    let kept = heads.clone();
    let address = door::before(demo.address(), move |head| {
        kept.lock().unwrap().push(head.to_owned());
        Fate::PassedOn
    });
    let base = format!("http://{address}");
    browse(Kind { script, ..PHONE }, &base, async |browser| {
        browser.go("").await;
        browser.click("main .button").await;
        browser.at("/enter").await;
        browser.sign_in(&demo.people[0]).await;
        browser.at("/wait").await;
        tokio::time::sleep(std::time::Duration::from_secs(7)).await;
        demo.operate(&["gate", "active", "60000"]);
        if !script {
            browser.click("#admit button").await;
        }
        browser.at("/sites").await;
        browser.choose(0).await;
        browser.at("/confirm").await;
        browser.confirm().await;
    });
    for head in heads.lock().unwrap().iter() {
        println!("{head}\n");
    }
}

#[test]
fn with_a_script() {
    record(true);
}
#[test]
fn without_a_script() {
    record(false);
}
