//! What the pages promise, against what the server does at the next tap: at every boundary of an
//! evening, which passes here in half a minute.
//!
//! A page is asked for between two calls of the interface with the same answer: only then is it
//! known what the answer was at the page's own instant.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::client::{Answer, Client};
use super::commands::Demo;
use super::world::{Person, credentials, people_of, text};

/// An opening of four minutes over midnight, a lobby of one, nobody new in the last minute, and a
/// minute to finish; another one three minutes later. Bookings of the first day can be changed
/// until midnight.
const CAMPAIGN: &str = r#"
[campaign]
id = "promises"
name = { ko = "약속", en = "Promises" }
timezone = "Asia/Seoul"
identity = ["name", "birth_date", "code"]

[[cohort]]
id = "all"
born = ["1967-01-01", "1968-12-31"]

[[opening]]
cohorts = ["all"]
from = "2021-07-25T23:58"
until = "2021-07-26T00:02"

[[opening]]
cohorts = ["all"]
from = "2021-07-26T00:05"
until = "2021-07-26T00:06"

[[vaccine]]
id = "mrna"
doses = 2
interval_days = 28

[booking]
hold_s = 600
change_until_days = 0

[gate]
lobby_opens_min = 1
last_entry_min = 1
finish_min = 1
admit_per_s = 500
active_max = 60000
session_idle_s = 3600
"#;
const AT: &str = "2021-07-25T23:56:40+09:00";
const ENDS: &str = "2021-07-26T00:07:00";
const SPEED: &str = "20";
/// The first of the demo's days.
const FIRST_DAY: &str = "2021-07-26";

struct Evening {
    demo: Demo,
    folder: tempfile::TempDir,
    client: Client,
    people: std::vec::IntoIter<Person>,
    /// How often each promise was compared, by what the server did.
    compared: BTreeMap<(&'static str, bool), u32>,
}

impl Evening {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("campaign.toml");
        std::fs::write(&file, CAMPAIGN).unwrap();
        let state = folder.path().join("state");
        let campaign = file.to_str().unwrap();
        let arguments = [
            "--people",
            "20000",
            "--at",
            AT,
            "--speed",
            SPEED,
            "--campaign",
            campaign,
        ];
        let demo = Demo::start(&state, &arguments);
        Self {
            client: demo.client(),
            people: people_of(&state.join("people.csv")).into_iter(),
            demo,
            folder,
            compared: BTreeMap::new(),
        }
    }

    fn next(&mut self) -> Person {
        self.people.next().expect("the evening has enough people")
    }

    fn now(&mut self) -> String {
        let now = self.client.call("GET", "//api/v1/now", None, &[], None);
        now.json["now"].as_str().unwrap().to_owned()
    }

    fn page(&mut self, path: &str, headers: &[(&str, &str)]) -> String {
        let path = format!("//en/promises{path}");
        text(&self.client.call("GET", &path, None, headers, None).body)
    }

    fn of_session(&mut self, path: &str, session: &str) -> String {
        let path = format!("//en/promises{path}");
        let session = Some(session);
        text(&self.client.call("GET", &path, session, &[], None).body)
    }

    fn enters(&mut self) -> Answer {
        let person = self.next();
        self.client.post("/gate/enter", None, &credentials(&person))
    }

    /// Compares what a page promises with what the server did before it and after it.
    fn compare(&mut self, what: &'static str, promised: bool, did: [bool; 2], page: &str) {
        if did[0] != did[1] {
            return;
        }
        let at = self.now();
        assert_eq!(promised, did[0], "{what} at about {at}: {page}");
        *self.compared.entry((what, did[0])).or_default() += 1;
    }

    /// The answer to a birth date, and the table of the first page, against entering.
    fn compare_entering(&mut self) {
        // So that the people suffice.
        std::thread::sleep(Duration::from_millis(8));
        let before = self.enters();
        let born = ("Cookie", "__Host-sumun-born=1967-03-04");
        let verdict = self.page("/day", &[born]);
        let landing = self.page("", &[]);
        let after = self.enters();
        let did = [before, after].map(|entered| entered.status == 200);
        let offers = verdict.contains("<a class=\"button\"");
        self.compare("verdict", offers, did, &verdict);
        let row = landing.split("<tr class=\"").nth(1).unwrap_or_default();
        let is_open = row.starts_with("open") || row.starts_with("lobby");
        self.compare("table", is_open, did, &landing);
    }

    /// The times of a day against holding one of them.
    fn compare_holding(&mut self, session: &str, slot: &str, page: &str) {
        let holds = |evening: &mut Self| {
            let held = evening
                .client
                .post("/holds", Some(session), &json!({ "slot": slot }));
            if held.status == 201 {
                let hold = held.json["hold"].as_str().unwrap().to_owned();
                let path = format!("/holds/{hold}");
                let given_back = evening
                    .client
                    .call("DELETE", &path, Some(session), &[], None);
                // A pause may come in between.
                assert!(matches!(given_back.status, 204 | 503), "{given_back:?}");
            }
            assert_ne!(held.status, 429, "too few sessions for so many changes");
            held.status == 201
        };
        let before = holds(self);
        let times = self.of_session(page, session);
        let after = holds(self);
        let button = format!("<button name=\"slot\" value=\"{slot}\"");
        let offered = times
            .split(&button)
            .nth(1)
            .and_then(|rest| rest.split('>').next());
        let offers = offered.is_some_and(|button| !button.contains("disabled"));
        self.compare("times", offers, [before, after], &times);
    }

    /// The buttons of a booking against cancelling it; each time others' bookings.
    fn compare_cancelling(&mut self, booked: &mut Vec<(String, String)>) {
        let cancels = |evening: &mut Self, (session, number): &(String, String)| {
            let path = format!("/bookings/{number}/cancel");
            let answer = evening.client.post(&path, Some(session), &Value::Null);
            answer.status == 200
        };
        let (Some(first), Some(shown), Some(last)) = (booked.pop(), booked.pop(), booked.pop())
        else {
            return;
        };
        let before = cancels(self, &first);
        let page = self.of_session("/booking", &shown.0);
        let after = cancels(self, &last);
        let offers = page.contains("/cancel\"");
        self.compare("booking", offers, [before, after], &page);
        booked.push(shown);
    }

    /// Slots of the first day, one a site, each with the page of its day.
    fn free_on_the_first_day(&mut self, session: &str, most: usize) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let sites = self.client.get("/sites", Some(session)).is(200);
        for site in sites.json["sites"].as_array().unwrap() {
            let site = site["site"].as_str().unwrap();
            let path = format!("/sites/{site}/slots?date={FIRST_DAY}");
            let slots = self.client.get(&path, Some(session)).is(200);
            let slots = slots.json["slots"].as_array().unwrap();
            let free = slots.iter().find(|slot| slot["free"].as_u64() > Some(0));
            if let Some(slot) = free.filter(|_| found.len() < most) {
                let slot = slot["slot"].as_str().unwrap().to_owned();
                found.push((slot, format!("/sites/{site}/{FIRST_DAY}")));
            }
        }
        assert!(
            found.len() > 20,
            "only {} sites on the first day",
            found.len()
        );
        found
    }

    fn operate(&self, arguments: &[&str]) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sumun"));
        command
            .args(arguments)
            .arg("--data")
            .arg(self.folder.path().join("state"));
        let done = command.output().unwrap();
        assert!(done.status.success(), "{arguments:?}: {done:?}");
    }

    /// Somebody's session, once the gate is open.
    fn session(&mut self) -> String {
        let person = self.next();
        self.client.session(&person)
    }
}

#[test]
fn nothing_is_promised_that_the_next_tap_is_refused() {
    let mut evening = Evening::new();
    let end = Instant::now() + Duration::from_secs(120);
    while evening.now().as_str() < "2021-07-25T23:58:00" {
        evening.compare_entering();
    }
    let session = evening.session();
    let mut free = evening.free_on_the_first_day(&session, 60).into_iter();
    let (slot, day) = free.next().unwrap();
    let mut booked = Vec::new();
    for (slot, _) in free {
        let own = evening.session();
        let key = format!("k{}", booked.len());
        let made = evening.client.book(&own, &key, &slot).is(201);
        let number = made.json["booking"]["number"].as_str().unwrap().to_owned();
        booked.push((own, number));
    }
    let mut sessions: Vec<String> = (0..150).map(|_| evening.session()).collect();
    let (mut paused, mut resumed) = (false, false);
    loop {
        let now = evening.now();
        if now.as_str() > ENDS || Instant::now() > end {
            break;
        }
        evening.compare_entering();
        // One person may change something sixty times an hour.
        let session = sessions.remove(0);
        evening.compare_holding(&session, &slot, &day);
        sessions.push(session);
        // Half of the bookings before midnight, the others after it.
        let is_before = ("2021-07-25T23:59:40".."2021-07-26T00:00:00").contains(&now.as_str());
        let is_after = ("2021-07-26T00:00:00".."2021-07-26T00:00:40").contains(&now.as_str());
        if is_before && booked.len() > 30 || is_after {
            evening.compare_cancelling(&mut booked);
        }
        if !paused && now.as_str() > "2021-07-25T23:58:50" {
            let reason = ["--reason", "점검", "--reason-en", "maintenance"];
            evening.operate(&[&["gate", "pause", "--freeze"], &reason[..]].concat());
            paused = true;
        }
        if !resumed && now.as_str() > "2021-07-25T23:59:20" {
            evening.operate(&["gate", "resume"]);
            resumed = true;
        }
    }
    eprintln!("compared: {:?}", evening.compared);
    for what in ["verdict", "table", "times", "booking"] {
        for did in [true, false] {
            let times = evening.compared.get(&(what, did)).copied().unwrap_or(0);
            assert!(
                times > 0,
                "{what} was never compared where the server did {did}"
            );
        }
    }
    drop(evening.demo);
}
