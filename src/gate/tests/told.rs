//! What people were told, once a minute in the journal.

use std::cell::RefCell;

use super::*;
use crate::clock::Entropy;
use crate::domain::campaign::Campaign;
use crate::domain::entry::{Change, GateAct};
use crate::domain::ids::CampaignIndex;
use crate::domain::line::told::{Told, WaitBecause};
use crate::gate::memory::{INDEX, Memory};
use crate::gate::step::{GateStep, Journal, StepMemory};
use crate::keys::Keys;

/// Open at `NOW`, ten people a second, by arrival.
const SOURCE: &str = r#"
[campaign]
id = "evening"
name = { ko = "예약", en = "Booking" }
timezone = "Asia/Seoul"
identity = ["name", "birth_date", "code"]
[[cohort]]
id = "a"
born = ["1967-01-01", "1967-12-31"]
[[opening]]
cohorts = ["a"]
from = "2021-07-19T20:00"
until = "2021-07-19T20:30"
[[vaccine]]
id = "mrna"
doses = 1
[gate]
lobby_opens_min = 30
admit_per_s = 10
"#;

/// A journal that notes what people were told.
struct Heard<'a> {
    memory: &'a Memory,
    told: RefCell<Vec<(Stamp, Told)>>,
    now: Stamp,
}

impl Journal for Heard<'_> {
    fn with_lines<T>(
        &self,
        index: CampaignIndex,
        look: impl FnOnce(&GateSettings, &[Line]) -> T,
    ) -> Option<T> {
        self.memory.with_lines(index, look)
    }

    fn keep(&self, change: Change) -> Option<()> {
        if let Change::LineTold { told, .. } = &change {
            self.told.borrow_mut().push((self.now, *told));
        }
        self.memory.keep(change)
    }
}

#[test]
fn a_line_is_told_once_a_minute_and_not_at_all_when_nothing_happens() {
    let (campaign, _) = Campaign::parse(SOURCE).unwrap();
    let start = NOW.plus_s(-600);
    let memory = Memory::of_campaign(SOURCE, start).unwrap();
    let gate = Gate::new(&campaign.gate, &GateSettings::default(), &[], start);
    let (keys, mut step_memory) = (Keys::generate(&Entropy::system()), StepMemory::default());
    let mut all: Vec<(Stamp, Told)> = Vec::new();
    let mut live = |seconds: std::ops::Range<i64>, act: &dyn Fn(&Memory, &Gate, Stamp)| {
        let before = all.len();
        for tenth in seconds.start * 10..seconds.end * 10 {
            let now = Stamp(NOW.0 + tenth * (Stamp::SECOND / 10));
            memory.set_now(now);
            act(&memory, &gate, now);
            let heard = Heard {
                memory: &memory,
                told: RefCell::default(),
                now,
            };
            let step = GateStep {
                journal: &heard,
                index: INDEX,
                campaign: &campaign,
                gate: &gate,
                keys: &keys,
                people_of: &|_| 1_000,
            };
            step.take(&mut step_memory, now).unwrap();
            all.extend(heard.told.take());
        }
        all[before..].to_vec()
    };
    let nothing = |_: &Memory, _: &Gate, _: Stamp| ();
    // Nobody is there: nothing is written.
    assert_eq!(live(-600..-301, &nothing), []);
    let lobby = Way::Lobby {
        is_drawn: false,
        opens: NOW,
    };
    let come = |memory: &Memory, gate: &Gate, now: Stamp| {
        if now == NOW.plus_s(-300) {
            for at in 1..=2_400 {
                memory.in_line(gate, LINE, |here| here.enter(person(at), lobby, now));
            }
        }
    };
    let told = live(-301..0, &come);
    // At 19:55 to 19:59: the wait until the opening gets shorter, nobody is called.
    let minutes: Vec<i64> = told
        .iter()
        .map(|(at, _)| (at.0 - NOW.0) / (60 * Stamp::SECOND))
        .collect();
    assert_eq!(minutes, [-5, -4, -3, -2, -1]);
    let (_, last) = told[4];
    assert_eq!((last.newest, last.serving, last.waiting), (2_400, 0, 2_400));
    assert_eq!(
        (last.admit_per_s, last.brake_permille, last.because),
        (10, 1_000, None)
    );
    let [least, most] = last.wait_s;
    assert!(
        (200..300).contains(&least) && (300..500).contains(&most),
        "{last:?}"
    );

    let pause = |memory: &Memory, _: &Gate, now: Stamp| {
        if now == NOW.plus_s(90) {
            let act = GateAct::Pause {
                reason: "a check".to_owned(),
                freezes: false,
            };
            let campaign = INDEX;
            memory.journal(Change::GateSet { campaign, act }).unwrap();
        }
    };
    let told = live(0..241, &pause);
    // At 20:00, 20:01 and 20:02: in the pause the line stands still, and nothing more is written.
    assert_eq!(told.len(), 3, "{told:?}");
    let (_, running) = told[1];
    assert!(
        running.serving > 300 && running.because.is_none(),
        "{running:?}"
    );
    let (_, paused) = told[2];
    assert_eq!(paused.because, Some(WaitBecause::Paused));
    assert!(paused.serving > running.serving, "{paused:?}");
}
