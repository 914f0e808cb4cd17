//! One seed: forty people with devices at the real gate, through crashes and everything else.

use std::sync::Arc;

use sumun::domain::campaign::Campaign;
use sumun::domain::entry::{Change, GateAct};
use sumun::domain::ids::{LineIndex, PersonKey};
use sumun::domain::line::{GateSettings, Given, Line};
use sumun::domain::state::State;
use sumun::domain::time::Stamp;
use sumun::gate::hours::{GateState, gate_state};
use sumun::gate::live::{InLine, LiveLine};
use sumun::gate::memory::{INDEX, Memory};
use sumun::gate::step::{GateStep, StepMemory};
use sumun::gate::{Gate, Place, PlaceState, Way};
use sumun::keys::Keys;

use super::Tally;
use super::model::Model;
use crate::random::Random;
use crate::world::{EVENING, MINUTE, SECOND, keys};

const PEOPLE: u64 = 40;
/// In a crowd the rate is all that bounds the calls, and turns are given on while many wait.
const CROWD: u64 = 160;
const STEP_NS: i64 = SECOND / 10;
const IDLE_S: i64 = 90;

pub struct Life {
    random: Random,
    tally: Tally,
    model: Model,
    memory: Memory,
    campaign: Campaign,
    gate: Gate,
    step_memory: StepMemory,
    keys: Arc<Keys>,
    now: Stamp,
    people: Vec<PersonKey>,
    /// The opening of the first half, and whether the second half's is open all the time.
    opening: Stamp,
    draws: bool,
    rate: f64,
    paused: bool,
    /// When the keeper last stepped, and whether people could go in then.
    stepped: (Stamp, bool),
    /// Requests of people in the lobby that are still on their way.
    slow: Vec<(PersonKey, Way)>,
    backup: Option<(State, Stamp)>,
    /// Whether anything made the line forget somebody or call the same numbers again.
    crashed: bool,
}

impl Life {
    pub fn live(seed: u64, rounds: u64) -> Tally {
        let mut life = Self::new(seed);
        for _ in 0..rounds {
            life.round();
        }
        life.empty();
        life.tally
    }

    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let now = Stamp(EVENING.0 + random.below(1_000_000_000) as i64);
        let (people, rate, most) = if random.percent(20) {
            (CROWD, 1 + random.below(2), 10_000)
        } else {
            (PEOPLE, 1 + random.below(8), 2 + random.below(20))
        };
        let draws = random.percent(50);
        let text = campaign(draws, random.percent(60), rate, most);
        let memory = Memory::of_campaign(&text, now).unwrap();
        let (campaign, _) = Campaign::parse(&text).unwrap();
        let person = |at: u64| {
            let mut bytes = [at as u8; 16];
            bytes[..8].copy_from_slice(&Random::new(at).next().to_be_bytes());
            PersonKey(bytes)
        };
        let people: Vec<_> = (1..=people).map(person).collect();
        let gate = Gate::new(&campaign.gate, &GateSettings::default(), &[], now);
        let lines = campaign.openings.len();
        let cohort = |key: &PersonKey| usize::from(key.0[15]) % lines;
        let people_of = people.iter().map(|key| (*key, cohort(key)));
        let model = Model::new(people_of, lines, rate as f64, most);
        let mut life = Self {
            random,
            tally: Tally::new(),
            model,
            memory,
            opening: campaign.openings[0].from,
            campaign,
            gate,
            step_memory: StepMemory::default(),
            keys: keys(),
            now,
            people,
            draws,
            rate: rate as f64,
            paused: false,
            stepped: (now, false),
            slow: Vec::new(),
            backup: None,
            crashed: false,
        };
        life.keep();
        if life.people.len() as u64 == CROWD {
            for person in life.people.clone() {
                life.enter(person);
            }
        }
        life
    }

    fn note(&mut self, kind: &'static str) {
        *self.tally.entry(kind).or_default() += 1;
    }

    fn round(&mut self) {
        let person = *self.random.pick(&self.people.clone());
        if self.random.percent(20) {
            self.finish_slow();
        }
        match self.random.below(100) {
            0..6 => self.begin_slow(person),
            6..30 => self.enter(person),
            30..55 => self.look(person),
            55..72 => self.try_to_go_in(person),
            72..77 => self.book(person),
            77..79 => self.lose_token(person),
            79..80 => self.act(),
            80..81 => self.crash(),
            81 => self.backup(),
            82..96 => {
                let ns = self.random.below(3 * SECOND as u64) as i64;
                self.pass(ns);
            }
            _ => {
                let ns = self.random.below(100 * SECOND as u64) as i64;
                self.pass(ns);
            }
        }
    }

    /// Time passes; the keeper steps as in a server, now and then late.
    fn pass(&mut self, ns: i64) {
        let until = self.now.0 + ns;
        while self.now.0 < until {
            let late = if self.random.percent(3) { 7 } else { 1 };
            let step = (STEP_NS * late).min(until - self.now.0);
            self.now.0 += step;
            if self.may_go_in() {
                self.model.open_for(step as f64 / 1e9);
            }
            if step >= STEP_NS {
                self.keep();
            }
            if self.random.percent(2) {
                self.gate.sessions.sweep(self.now);
                self.idle_out();
            }
        }
    }

    fn may_go_in(&self) -> bool {
        !self.paused && gate_state(&self.campaign, self.now) == GateState::Open
    }

    fn keep(&mut self) {
        self.memory.set_now(self.now);
        let count = self.campaign.openings.len();
        let lines = || (0..).map(LineIndex).take(count);
        let serving =
            |life: &Self, line: LineIndex| life.live_line(line).map_or(0, |live| live.serving());
        let before: Vec<_> = lines().map(|line| serving(self, line)).collect();
        let late: Vec<_> = lines().map(|line| self.gate_wants_late(line)).collect();
        let step = GateStep {
            journal: &self.memory,
            index: INDEX,
            campaign: &self.campaign,
            gate: &self.gate,
            keys: &self.keys,
            people_of: &|_| 0,
        };
        if step.take(&mut self.step_memory, self.now).is_none() {
            self.note("crashes in a step");
            return self.start_again();
        }
        for line in lines() {
            let called = serving(self, line) > before[line.at()];
            let opening = &self.campaign.openings[line.at()];
            assert!(
                !called || (self.may_go_in() && opening.from <= self.now),
                "somebody was called while nobody may go in"
            );
            if called && let Some(first) = late[line.at()] {
                let waits = self.waits_late(line, &first);
                assert!(!waits, "the line was called before {first}, who came late");
            }
        }
        self.count_turns();
        self.watch_draws();
    }

    fn live_line(&self, line: LineIndex) -> Option<Arc<LiveLine>> {
        self.gate.line(line)
    }

    fn waits_late(&self, line: LineIndex, person: &PersonKey) -> bool {
        let live = self.live_line(line);
        live.is_some_and(|live| live.admission.waits_late(person))
    }

    fn count_turns(&mut self) {
        let (before, was_open) = self.stepped;
        let is_open = self.may_go_in();
        self.stepped = (self.now, is_open);
        let passed_s = (self.now.0 - before.0).max(0) as f64 / 1e9;
        let kept = self.gate.limits.outstanding();
        if is_open {
            self.model.stepped(passed_s * self.rate, kept, self.rate);
        } else if was_open {
            self.model.stood(passed_s * self.rate, kept);
        } else {
            self.model.stood(0.0, kept);
        }
    }

    /// The first of those of a line who came late, if they still wait for a turn.
    fn gate_wants_late(&self, line: LineIndex) -> Option<PersonKey> {
        let mut late = self.model.late.iter();
        let first = *late.find(|person| self.line_of(person) == line)?;
        self.waits_late(line, &first).then_some(first)
    }

    fn watch_draws(&mut self) {
        for at in 0..self.campaign.openings.len() {
            let (line, opening) = (LineIndex(at as u16), self.campaign.openings[at].from);
            if opening <= self.now {
                self.model.lines[at].is_closed = true;
            }
            let known = self.model.lines[at].drawn.is_some();
            if let Some(seed) = self.line(line, Line::drawn_by)
                && (!known || self.random.percent(1))
            {
                assert!(opening <= self.now || self.crashed);
                let members = self.line(line, |line| {
                    let members = line.given.iter();
                    let members = members.filter(|(_, given)| given.in_draw());
                    let members = members.map(|(key, given)| (*key, given.number()));
                    members.collect::<Vec<_>>()
                });
                if !known && !members.is_empty() {
                    self.note("draws");
                }
                self.model.draw(at, &seed, members);
            }
        }
    }

    fn cohort(&self, person: &PersonKey) -> usize {
        usize::from(person.0[15]) % self.campaign.openings.len()
    }

    /// How the person may come in now, as their rules say; none if not at all.
    fn way(&self, person: &PersonKey) -> Option<Way> {
        let opening = &self.campaign.openings[self.cohort(person)];
        if opening.from <= self.now && self.now < opening.until {
            return Some(Way::Open);
        }
        let lobby_s = i64::from(self.campaign.gate.lobby_opens_min) * 60;
        if opening.from.plus_s(-lobby_s) > self.now || self.now >= opening.until {
            return None;
        }
        let is_open = |line: &Line| line.draw.as_ref().is_some_and(|draw| draw.seed.is_none());
        Some(Way::Lobby {
            is_drawn: self.line(self.line_of(person), is_open),
            opens: opening.from,
        })
    }

    fn line_of(&self, person: &PersonKey) -> LineIndex {
        LineIndex(self.cohort(person) as u16)
    }

    fn line<T>(&self, line: LineIndex, look: impl FnOnce(&Line) -> T) -> T {
        let lines = |state: &State| look(&state.campaigns[0].lines[line.at()]);
        self.memory.look(lines)
    }

    fn in_line<T>(&self, person: &PersonKey, look: impl FnOnce(InLine) -> T) -> T {
        self.memory.in_line(&self.gate, self.line_of(person), look)
    }

    /// Without a token, from a new device.
    fn enter(&mut self, person: PersonKey) {
        if let Some(way) = self.way(&person) {
            self.enter_by(person, way);
        }
    }

    /// Somebody's request has seen the lobby open, and takes its time.
    fn begin_slow(&mut self, person: PersonKey) {
        let way = self.way(&person);
        if let Some(way @ Way::Lobby { .. }) = way {
            self.slow.push((person, way));
        }
    }

    fn finish_slow(&mut self) {
        for (person, way) in std::mem::take(&mut self.slow) {
            if self.model.people[&person].known.is_some() {
                continue;
            }
            if self.way(&person) == Some(Way::Open) {
                self.note("slow requests after the opening");
            }
            self.enter_by(person, way);
        }
    }

    fn enter_by(&mut self, person: PersonKey, way: Way) {
        let place = self.in_line(&person, |here| here.enter(person, way, self.now));
        let place = place.expect("numbers are leased before anybody comes");
        let again = self.model.people[&person].known.is_some();
        self.note(if again { "entered again" } else { "entered" });
        if place.state == PlaceState::Lobby {
            self.note("entered in a lobby");
        }
        self.check(person, &place, None, false);
        let issued = self.line(self.line_of(&person), |line| {
            line.not_before_lease(self.now)
        });
        let tokens = &mut self.model.person(person).tokens;
        if tokens.len() < 3 {
            tokens.push((place.ticket.given, issued));
        }
    }

    fn look(&mut self, person: PersonKey) {
        if let Some((given, issued)) = self.token(person) {
            self.place(person, given, issued);
        }
    }

    fn token(&mut self, person: PersonKey) -> Option<(Given, Stamp)> {
        let tokens = &self.model.people[&person].tokens;
        let at = self.random.below(tokens.len().max(1) as u64) as usize;
        tokens.get(at).copied()
    }

    fn place(&mut self, person: PersonKey, given: Given, issued: Stamp) -> Option<Place> {
        let way = self.way(&person)?;
        let since = self.line(self.line_of(&person), |line| {
            line.leased_since(given.number())
        });
        let is_lost = since.is_none_or(|since| issued < since.plus_s(-2));
        let had = self.model.people[&person].known;
        let place = self.in_line(&person, |here| {
            here.look(person, given, issued, way, self.now)
        })?;
        self.note("looked");
        match (had, is_lost) {
            (None, false) => self.note("places a token brought back"),
            (None, true) => self.note("places of a lost future"),
            _ => {}
        }
        self.check(person, &place, Some(given), is_lost);
        Some(place)
    }

    fn check(&mut self, person: PersonKey, place: &Place, token: Option<Given>, is_lost: bool) {
        assert_eq!(place.ticket.line, Some(self.line_of(&person)));
        if place.number != place.ticket.given.number() {
            self.note("drawn places");
        }
        let held = matches!(self.way(&person), Some(Way::Lobby { .. }));
        assert!(
            !held || place.state == PlaceState::Lobby,
            "called before the opening"
        );
        if self.model.people[&person].behind > 0 && self.model.people[&person].known.is_none() {
            self.note("places forgotten");
        }
        self.model.placed(person, place, token, is_lost);
    }

    fn try_to_go_in(&mut self, person: PersonKey) {
        let Some((given, issued)) = self.token(person) else {
            return;
        };
        let Some(place) = self.place(person, given, issued) else {
            return;
        };
        if self.paused || self.way(&person) != Some(Way::Open) {
            return;
        }
        let was_in = self.model.people[&person].is_in;
        // A session of before a start goes on when it is used.
        if was_in && !self.model.counted.contains(&person) && self.touch(person) {
            return;
        }
        let late = self.model.late.contains(&person);
        let running = self.model.runs(person, self.now, IDLE_S);
        let admitted = self.gate.admit(person, &place, self.now);
        if let Some(began) = admitted {
            assert_eq!(place.state, PlaceState::Admitted);
            self.model.went_in(person, running, began, self.now);
            self.note(match () {
                () if running => "second devices in",
                () if late => "went in late",
                () if was_in => "came in again",
                () => "went in",
            });
        } else {
            // A start may have forgotten for a moment that they were called.
            let called = place.state == PlaceState::Admitted;
            assert!(!running || !called, "{person} is in and was refused");
            self.note("refused for now");
            if place.state == PlaceState::Admitted && !late {
                self.model.late.push(person);
            }
        }
    }

    fn touch(&mut self, person: PersonKey) -> bool {
        let began = self.model.people[&person].began;
        let touched = self.gate.sessions.touch(&person, began, self.now);
        if touched {
            self.model.used(person, self.now);
        }
        touched
    }

    fn book(&mut self, person: PersonKey) {
        if !self.model.counted.contains(&person) {
            return;
        }
        let runs = self.model.runs(person, self.now, IDLE_S);
        assert_eq!(self.touch(person), runs, "{person}'s session");
        if !runs {
            self.model.counted.remove(&person);
            return self.note("idled out");
        }
        if self.random.percent(40) {
            return self.note("stayed in");
        }
        self.gate.sessions.settle(&person);
        self.model.counted.remove(&person);
        self.model.person(person).booked = true;
        self.people.retain(|key| *key != person || PEOPLE < 20);
        if self.people.is_empty() {
            self.people.push(person);
        }
        self.note("booked");
    }

    /// Sessions that the gate ended by idling are ended for the model.
    fn idle_out(&mut self) {
        let (now, model) = (self.now, self.model.clone());
        let runs = |key: &PersonKey| model.runs(*key, now, IDLE_S);
        self.model.counted.retain(runs);
        let (before, running) = (model.counted.len(), self.model.counted.len());
        self.gate.sessions.sweep(now);
        assert_eq!(self.gate.sessions.active(), running as u64);
        if before > running {
            self.note("idled out");
        }
    }

    fn lose_token(&mut self, person: PersonKey) {
        self.model.person(person).tokens.pop();
        self.note("tokens lost");
    }

    fn act(&mut self) {
        let act = match self.random.below(4) {
            0 if self.paused => GateAct::Resume,
            0 | 1 => GateAct::Pause {
                reason: "r".to_owned(),
                freezes: false,
            },
            2 => GateAct::Rate {
                admit_per_s: 1 + self.random.below(12) as u32,
            },
            _ => GateAct::Active {
                active_max: 2 + self.random.below(20) as u32,
            },
        };
        self.memory.set_now(self.now);
        let campaign = INDEX;
        let change = Change::GateSet {
            campaign,
            act: act.clone(),
        };
        self.memory.journal(change).unwrap();
        match act {
            GateAct::Pause { .. } => {
                self.paused = true;
                self.note("pauses");
                self.keep();
                // As long as in 2021, or a moment.
                if self.random.percent(30) {
                    self.pass(80 * MINUTE / 40);
                }
            }
            GateAct::Resume => self.paused = false,
            GateAct::Rate { admit_per_s } => {
                self.rate = f64::from(admit_per_s).max(self.rate);
                self.keep();
                self.rate = f64::from(admit_per_s);
                self.note("rates set");
            }
            GateAct::Active { active_max } => {
                self.model.most_set(u64::from(active_max));
                self.note("places set");
            }
            GateAct::Message { .. } | GateAct::DrawValue { .. } => {}
        }
        self.keep();
    }

    fn crash(&mut self) {
        if self.random.percent(50) {
            let changes = self.random.below(3);
            self.memory.stop_after(changes);
            // The next step that has something to journal dies in the middle of it.
            self.pass(SECOND);
            self.memory.stop_after(u64::MAX);
        } else {
            self.start_again();
        }
    }

    fn start_again(&mut self) {
        match self.random.below(10) {
            // The wall clock of the machine was set back, or on.
            0 => {
                self.now.0 -= self.random.below(20 * SECOND as u64) as i64;
                self.note("starts with the clock set back");
            }
            1 => self.now.0 += self.random.below(20 * SECOND as u64) as i64,
            _ => {}
        }
        self.start();
    }

    fn start(&mut self) {
        self.memory.stop_after(u64::MAX);
        self.note("crashes");
        self.crashed = true;
        self.memory.set_now(self.now);
        let campaign = self.memory.look(|state| state.campaigns[0].clone());
        let (rules, settings) = (&self.campaign.gate, &campaign.gate);
        self.rate = f64::from(settings.admit_per_s.unwrap_or(rules.admit_per_s));
        self.paused = settings.pause.is_some();
        let durable = |line: usize, key: &PersonKey| campaign.lines[line].given.get(key).copied();
        self.model.crashed(durable, self.rate);
        let most = settings.active_max.unwrap_or(rules.active_max);
        self.model.most_set(u64::from(most));
        self.gate = Gate::new(rules, settings, &campaign.lines, self.now);
        self.stepped = (self.now, false);
        self.slow.clear();
        self.step_memory = StepMemory::default();
        self.keep();
    }

    fn backup(&mut self) {
        match self.backup.take() {
            Some((state, _)) if self.random.percent(30) => {
                let lost = self.memory.look(|state| state.stamp);
                self.memory.restore(state);
                // Nobody puts a backup in place in a few seconds, and the clock is right by then.
                self.now = self.now.max(lost).plus_s(10);
                self.note("older backups");
                let campaign = self.memory.look(|state| state.campaigns[0].clone());
                let durable =
                    |line: usize, key: &PersonKey| campaign.lines[line].given.get(key).copied();
                self.model.crashed(durable, self.rate);
                self.model.restored();
                // With the clock set back as well, its numbers can't be told from the lost ones.
                self.start();
            }
            _ => self.backup = Some((self.memory.look(State::clone), self.now)),
        }
    }

    /// Everybody who is left goes in, or is waited for in vain; nobody is missing.
    fn empty(&mut self) {
        self.memory.stop_after(u64::MAX);
        if self.paused {
            let (campaign, act) = (INDEX, GateAct::Resume);
            self.memory
                .journal(Change::GateSet { campaign, act })
                .unwrap();
            self.paused = false;
        }
        self.pass((self.opening.0 - self.now.0).max(0) + 5 * SECOND);
        let entered = |life: &Self| {
            let people = life.model.people.iter();
            let known = people.filter(|(_, promise)| promise.known.is_some());
            known.map(|(key, _)| *key).collect::<Vec<_>>()
        };
        // Half of those who wait stay away: they cost the others nothing.
        let stay_away = entered(self).len() / 2;
        let coming: Vec<_> = entered(self).into_iter().skip(stay_away).collect();
        self.note("stayed away");
        for _ in 0..400 {
            self.pass(10 * SECOND);
            for person in &coming {
                if !self.model.people[person].booked && !self.model.people[person].tokens.is_empty()
                {
                    self.try_to_go_in(*person);
                    self.book(*person);
                }
            }
            self.idle_out();
            let lines = (0..).map(LineIndex).take(self.campaign.openings.len());
            let waiting = |here: InLine| here.live.waiting(here.line);
            let left: u64 = lines
                .map(|line| self.memory.in_line(&self.gate, line, waiting))
                .sum();
            let come = |key: &PersonKey| {
                let promise = &self.model.people[key];
                promise.booked || promise.tokens.is_empty()
            };
            if left == 0 && coming.iter().all(come) {
                self.note("lines emptied");
                return self.conserved();
            }
        }
        panic!("people wait for ever");
    }

    /// Rule 8: whoever was given a place is in the journal with it, or was forgotten in a crash.
    fn conserved(&mut self) {
        self.keep();
        for (key, promise) in &self.model.people {
            let durable = self.line(self.line_of(key), |line| line.given.get(key).copied());
            if self.draws && promise.known.is_some_and(Given::in_draw) {
                assert_eq!(durable.map(Given::number), promise.known.map(Given::number));
                continue;
            }
            assert_eq!(durable, promise.known, "{key}");
        }
        let known = self.model.people.values().filter(|one| one.known.is_some());
        let people = |state: &State| {
            let lines = state.campaigns[0].lines.iter();
            lines.map(|line| line.given.len()).sum::<usize>()
        };
        assert_eq!(self.memory.look(people), known.count());
    }
}

/// Two halves of the people: the first with a lobby of a minute before its opening, the second, if
/// there is one, with an opening that is open all the time.
fn campaign(draws: bool, two: bool, rate: u64, most: u64) -> String {
    let order = if draws { "draw" } else { "arrival" };
    let second = "[[cohort]]\nid = \"b\"\nborn = [\"1969-01-01\", \"1970-12-31\"]\n\
                  [[opening]]\ncohorts = [\"b\"]\nfrom = \"2021-07-19T19:00\"\n\
                  until = \"2021-07-21T18:00\"\n";
    format!(
        "[campaign]\nid = \"evening\"\nname = {{ ko = \"예약\", en = \"Booking\" }}\n\
         timezone = \"Asia/Seoul\"\nidentity = [\"name\", \"birth_date\", \"code\"]\n\
         [[cohort]]\nid = \"a\"\nborn = [\"1967-01-01\", \"1968-12-31\"]\n\
         [[opening]]\ncohorts = [\"a\"]\nfrom = \"2021-07-19T20:00\"\n\
         until = \"2021-07-21T18:00\"\n{}\
         [[vaccine]]\nid = \"mrna\"\ndoses = 1\n\
         [gate]\norder = \"{order}\"\nlobby_opens_min = 1\nadmit_per_s = {rate}\n\
         active_max = {most}\nsession_idle_s = {IDLE_S}\n",
        if two { second } else { "" }
    )
}
