//! What a rehearsal sends for somebody with the pages is what a browser sends: both go the same
//! way through the same recorder, from the first page through the waiting room to a booking.

use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::browser::{Browser, Kind, PHONE, browse};
use super::demo::{Demo, OPEN};
use super::door::{self, Fate};
use super::world::text;

/// What a busy server tells who looks at their place: to come again in so many seconds.
const PUT_OFF_S: u32 = 4;
/// Looks at the place until the gate lets the person in; the second one is put off.
const LOOKS: usize = 3;
const PATIENCE: Duration = Duration::from_secs(60);

/// A request as far as the server reads it.
#[derive(Clone, PartialEq, Debug)]
struct Sent {
    line: String,
    headers: Vec<String>,
}

/// The headers that are compared. Of cookies the names are, and of an origin whether it is our own.
const COMPARED: [&str; 9] = [
    "accept",
    "accept-encoding",
    "content-type",
    "if-none-match",
    "origin",
    "sec-fetch-dest",
    "sec-fetch-mode",
    "sec-fetch-site",
    "upgrade-insecure-requests",
];

impl Sent {
    fn of(head: &str) -> Self {
        let mut lines = head.lines();
        let line = lines.next().unwrap_or_default();
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers: Vec<(String, &str)> = headers
            .map(|(name, value)| (name.to_ascii_lowercase(), value))
            .collect();
        let value = |name: &str| {
            let found = headers.iter().find(|(other, _)| other == name);
            found.map(|(_, value)| *value)
        };
        let own = format!("http://{}", value("host").unwrap_or_default());
        let mut compared: Vec<String> = COMPARED
            .iter()
            .filter_map(|name| Some((name, value(name)?)))
            .map(|(name, value)| format!("{name}: {}", value.replace(&own, "our own")))
            .collect();
        let cookies = value("cookie").unwrap_or_default().split("; ");
        let names = cookies.map(|cookie| cookie.split('=').next().unwrap_or_default());
        compared.push(format!("cookies: {}", names.collect::<Vec<_>>().join(" ")));
        let method = line.split(' ').next().unwrap_or_default();
        Self {
            line: format!("{method} {}", shape(door::path(line))),
            headers: compared,
        }
    }
}

/// A path without what depends on who goes where: sites, days, the build's hashes.
fn shape(path: &str) -> String {
    let (page, query) = path.split_once('?').unwrap_or((path, ""));
    let parts: Vec<&str> = page.split('/').collect();
    let page = match parts.as_slice() {
        ["", "assets", name] => {
            let kind = name.rsplit('.').next().unwrap_or_default();
            format!("/assets/*.{kind}")
        }
        ["", lang, campaign, "sites", _] => format!("/{lang}/{campaign}/sites/SITE"),
        ["", lang, campaign, "sites", _, _] => format!("/{lang}/{campaign}/sites/SITE/DAY"),
        _ => page.to_owned(),
    };
    match query {
        "" => page,
        _ => format!("{page}?{query}"),
    }
}

/// Stands before the server, and records.
#[derive(Clone, Default)]
struct Recorder {
    sent: Arc<Mutex<Vec<(Instant, Sent)>>>,
    /// The path of a look at the place, as this kind of browser takes it.
    look: &'static str,
}

impl Recorder {
    fn decide(&self, head: &str) -> Fate {
        let sent = Sent::of(head);
        let is_look = self.is_look(&sent);
        let mut all = self.sent.lock().unwrap();
        all.push((Instant::now(), sent));
        if !is_look || self.looks(&all).len() != 2 {
            return Fate::PassedOn;
        }
        let body = if self.look.starts_with("/api") {
            format!(r#"{{"code":"overloaded","retry_after_s":{PUT_OFF_S}}}"#)
        } else {
            "<link rel=\"icon\" href=\"data:,\"><main data-code=\"overloaded\"></main>".to_owned()
        };
        let kind = if self.look.starts_with("/api") {
            "application/problem+json"
        } else {
            "text/html; charset=utf-8"
        };
        let length = body.len();
        let head = format!(
            "HTTP/1.1 503 Service Unavailable\r\nContent-Type: {kind}\r\nContent-Length: \
             {length}\r\nRetry-After: {PUT_OFF_S}\r\nRefresh: {PUT_OFF_S}\r\n\
             Connection: close\r\n\r\n"
        );
        Fate::Answered((head + &body).into_bytes())
    }

    fn is_look(&self, sent: &Sent) -> bool {
        sent.line.ends_with(self.look)
    }

    /// When the place was looked at: without a script, the first time the room is shown is none.
    fn looks(&self, all: &[(Instant, Sent)]) -> Vec<Instant> {
        let looks = all.iter().filter(|(_, sent)| self.is_look(sent));
        let shown = usize::from(!self.look.starts_with("/api"));
        looks.map(|(at, _)| *at).skip(shown).collect()
    }

    /// Waits until the person has looked so often, and lets them in.
    fn lets_in(&self, demo: &Demo) {
        let began = Instant::now();
        while self.looks(&self.sent.lock().unwrap()).len() < LOOKS {
            assert!(
                began.elapsed() < PATIENCE,
                "{:#?}",
                self.sent.lock().unwrap()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        demo.operate(&["gate", "active", "60000"]);
    }

    /// From the first page to the booking, without what is asked again and again; and apart from
    /// that, what was fetched for the pages.
    fn told(&self) -> Told {
        let all = self.sent.lock().unwrap();
        let sent = all.iter().map(|(_, sent)| sent);
        let is_first = |sent: &&Sent| sent.line != "GET /ko/kr-2021-50s";
        let mut way: Vec<Sent> = Vec::new();
        let mut assets: Vec<Sent> = Vec::new();
        for sent in sent.skip_while(is_first) {
            if sent.line.contains("/assets/") {
                assets.push(sent.clone());
                continue;
            }
            // How often the room is asked for and loaded anew depends on what the line does.
            if !way.contains(sent) {
                way.push(sent.clone());
            }
            let navigates = sent
                .headers
                .iter()
                .any(|header| header.ends_with(": navigate"));
            if sent.line.ends_with("/booking") && navigates {
                break;
            }
        }
        // Cookies that come while they are fetched are there or not.
        for asset in &mut assets {
            asset
                .headers
                .retain(|header| !header.starts_with("cookies"));
        }
        assets.sort_by(|one, other| one.line.cmp(&other.line));
        Told {
            way,
            assets,
            looks: self.looks(&all),
        }
    }
}

struct Told {
    way: Vec<Sent>,
    assets: Vec<Sent>,
    looks: Vec<Instant>,
}

impl Told {
    /// Seconds between the first look, the one that is put off, and the next.
    fn apart_s(&self) -> [f64; 2] {
        let apart = |at: usize| (self.looks[at + 1] - self.looks[at]).as_secs_f64();
        [apart(0), apart(1)]
    }
}

/// A demo whose gate is full, with a recorder before it.
fn full(look: &'static str) -> (Demo, Recorder, String) {
    let one = |campaign: String| campaign.replace("active_max = 60000", "active_max = 1");
    let demo = Demo::start(OPEN, one);
    demo.lets_in(2);
    let recorder = Recorder {
        look,
        ..Recorder::default()
    };
    let records = recorder.clone();
    let address = door::before(demo.address(), move |head| records.decide(head));
    (demo, recorder, format!("http://{address}"))
}

async fn goes_the_way(browser: &mut Browser, demo: &Demo, recorder: &Recorder) {
    browser.go("").await;
    browser.click("main .button").await;
    browser.at("/enter").await;
    browser.sign_in(&demo.people[0]).await;
    browser.at("/wait").await;
    recorder.lets_in(demo);
    if !browser.kind.script {
        browser.click("#admit button").await;
    }
    browser.at("/sites").await;
    browser.choose(0).await;
    browser.confirm().await;
}

fn of_a_browser(kind: Kind, look: &'static str) -> Told {
    let (demo, recorder, base) = full(look);
    browse(kind, &base, async |browser| {
        goes_the_way(browser, &demo, &recorder).await;
    });
    recorder.told()
}

/// The same person's way as a rehearsal goes it.
fn of_a_rehearsal(clients: &str, look: &'static str) -> Told {
    let (demo, recorder, base) = full(look);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("one.csv");
    let person = &demo.people[0];
    let row = format!("{},{},{}", person.name, person.birth_date, person.code);
    std::fs::write(
        &file,
        format!("name,birth_date,code,region\n{row},11/110\n"),
    )
    .unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_sumun"));
    command.args(["rush", &base, "--campaign", "kr-2021-50s", "--people"]);
    command.arg(&file).args([
        "--clients",
        clients,
        "--think",
        "0.3",
        "--arrive-for",
        "0.1",
    ]);
    for habit in "bots tabs give-up look moves cancel reconnect cut".split(' ') {
        command.args([&format!("--{habit}"), "0"]);
    }
    command.arg("--data").arg(folder.path());
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let rush = command.spawn().unwrap();
    recorder.lets_in(&demo);
    let output = rush.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    recorder.told()
}

fn compare(browser: &Told, rehearsal: &Told, apart: [std::ops::Range<f64>; 2]) {
    for (at, (real, ours)) in browser.way.iter().zip(&rehearsal.way).enumerate() {
        assert_eq!(ours, real, "request {at}");
    }
    let lines =
        |told: &Told| -> Vec<String> { told.way.iter().map(|sent| sent.line.clone()).collect() };
    assert_eq!(lines(rehearsal), lines(browser));
    assert_eq!(rehearsal.assets, browser.assets);
    for (who, told) in [("browser", browser), ("rehearsal", rehearsal)] {
        for (range, apart_s) in apart.iter().zip(told.apart_s()) {
            assert!(
                range.contains(&apart_s),
                "{who}: {:?}, not {apart:?}",
                told.apart_s()
            );
        }
    }
}

/// Told 5 s, the script asks after them; put off, after 5 s times 1 to 1.5. A busy machine may be
/// late, and nobody is early.
#[test]
fn a_rehearsal_sends_what_a_browser_with_a_script_sends() {
    let look = "/api/v1/campaigns/kr-2021-50s/gate/place";
    let browser = of_a_browser(PHONE, look);
    let rehearsal = of_a_rehearsal("pages=1", look);
    compare(&browser, &rehearsal, [4.9..7.0, 4.9..9.5]);
}

/// Told 5 s, the page asks after them; put off, after the 4 s of its `Refresh`.
#[test]
fn a_rehearsal_sends_what_a_browser_without_a_script_sends() {
    let kind = Kind {
        script: false,
        ..PHONE
    };
    let look = "/ko/kr-2021-50s/wait";
    let browser = of_a_browser(kind, look);
    let rehearsal = of_a_rehearsal("plain=1", look);
    compare(&browser, &rehearsal, [4.9..7.0, 3.9..5.5]);
}
