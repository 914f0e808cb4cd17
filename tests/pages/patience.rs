//! How often the waiting room asks: never sooner than it was told, also when the server puts it off
//! or does not answer, and whatever is done with the tab.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::time::Duration;

use super::browser::{Browser, PHONE, browse};
use super::demo::{Demo, OPEN};
use super::door::{self, Fate};

/// What happens to a look at the place.
#[derive(Clone, Copy, PartialEq)]
#[repr(u8)]
enum Mode {
    Answered,
    PutOff,
    TooMany,
    Silence,
}

const MODES: [Mode; 4] = [Mode::Answered, Mode::PutOff, Mode::TooMany, Mode::Silence];

/// Counts what the page asks for by itself, and answers it as the mode says.
#[derive(Clone, Default)]
struct Looks {
    mode: Arc<AtomicU8>,
    asked: Arc<AtomicUsize>,
}

impl Looks {
    fn set(&self, mode: Mode) {
        self.mode.store(mode as u8, Ordering::SeqCst);
        self.asked.store(0, Ordering::SeqCst);
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn decide(&self, head: &str) -> Fate {
        if !door::path(head).starts_with("/api/") {
            return Fate::PassedOn;
        }
        self.asked.fetch_add(1, Ordering::SeqCst);
        let refused = |status: &str| {
            let head = format!("HTTP/1.1 {status}\r\nRetry-After: 4\r\n");
            Fate::Answered((head + "Content-Length: 0\r\n\r\n").into_bytes())
        };
        match MODES[usize::from(self.mode.load(Ordering::SeqCst))] {
            Mode::Answered => Fate::PassedOn,
            Mode::PutOff => refused("503 Service Unavailable"),
            Mode::TooMany => refused("429 Too Many Requests"),
            Mode::Silence => Fate::Dropped,
        }
    }
}

/// Looks away from the tab and back, and loses the network and has it again, many times.
async fn fidgets(browser: &Browser, times: usize) {
    for _ in 0..times {
        let both = "document.dispatchEvent(new Event('visibilitychange')); \
                    dispatchEvent(new Event('online'));";
        browser.script(both).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

#[test]
fn the_room_never_asks_sooner_than_it_was_told() {
    let one = |campaign: String| campaign.replace("active_max = 60000", "active_max = 1");
    let demo = Demo::start(OPEN, one);
    let _in = demo.lets_in(2);
    let looks = Looks::default();
    let counted = looks.clone();
    let address = door::before(demo.address(), move |head| counted.decide(head));
    let base = format!("http://{address}");
    browse(PHONE, &base, async |browser| {
        browser.go("/enter").await;
        browser.sign_in(&demo.people[0]).await;
        browser.at("/wait").await;
        // Told 5 s at the least: one request for each look, and the fidgeting makes none.
        looks.set(Mode::Answered);
        fidgets(browser, 16).await;
        assert!((1..=3).contains(&looks.asked()), "{} in 8 s", looks.asked());
        for mode in [Mode::PutOff, Mode::TooMany, Mode::Silence] {
            browser.go("/wait").await;
            browser.text("#number").await;
            looks.set(mode);
            // Put off at the first look, again after 5 to 7.5 s, then after 10 to 15 s. A network
            // that comes back is tried once within some seconds of the last failure, each time.
            tokio::time::sleep(Duration::from_secs(8)).await;
            let first = looks.asked();
            assert!((1..=2).contains(&first), "{first} in 8 s");
            tokio::time::sleep(Duration::from_secs(8)).await;
            let both = looks.asked();
            assert!(both <= 3, "{both} in 16 s");
            browser.reads("#network", "연결이 끊겼습니다").await;
        }
        // Answered again, it goes on.
        looks.set(Mode::Answered);
        browser.go("/wait").await;
        browser.text("#number").await;
        tokio::time::sleep(Duration::from_secs(7)).await;
        assert!((1..=2).contains(&looks.asked()), "{}", looks.asked());
    });
}
