//! The gate alone: one place a person, order, rate, no-shows, draws, and what a crash may cost.

mod evening;
mod precedence;
mod told;
mod windows;

use std::time::Duration;

use super::admission::{Admission, Queue};
use super::drawn::{Drawn, Member};
use super::*;
use crate::domain::campaign::Order;
use crate::domain::line::{Draw, GateSettings, Lease, Pause, commitment};

const NOW: Stamp = Stamp(1_626_692_400_000_000_000);

fn rules(admit_per_s: u32, active_max: u32) -> GateRules {
    GateRules {
        order: Order::Arrival,
        lobby_opens_min: 30,
        last_entry_min: 0,
        finish_min: 0,
        window_min: 10,
        window_people: None,
        reveal_min: 1_440,
        admit_per_s,
        active_max,
        session_idle_s: 600,
    }
}

/// A line with a thousand numbers leased, and its gate after the first second.
fn world(admit_per_s: u32, active_max: u32) -> (OneLine, Line) {
    let mut line = Line::default();
    line.leases.push(Lease {
        since: NOW.plus_s(-10),
        first: 1,
        until: 1_000,
        highest: 0,
    });
    let gate = OneLine::new(
        &rules(admit_per_s, active_max),
        &Line::default(),
        NOW.plus_s(-10),
    );
    gate.leased(1_000);
    (gate, line)
}

/// A gate with one line, of which the journal knows what a test says.
struct OneLine {
    gate: Gate,
    settings: GateSettings,
}

impl std::ops::Deref for OneLine {
    type Target = Gate;

    fn deref(&self) -> &Gate {
        &self.gate
    }
}

const LINE: LineIndex = LineIndex(0);

impl OneLine {
    fn new(rules: &GateRules, line: &Line, now: Stamp) -> Self {
        let settings = GateSettings::default();
        let gate = Gate::new(rules, &settings, std::slice::from_ref(line), now);
        Self { gate, settings }
    }

    fn live(&self) -> Arc<LiveLine> {
        self.gate.line(LINE).unwrap()
    }

    fn at<T>(&self, line: &Line, look: impl FnOnce(InLine) -> T) -> T {
        let lines = std::slice::from_ref(line);
        self.gate
            .in_line(&self.settings, lines, LINE, look)
            .unwrap()
    }

    fn enter(&self, line: &Line, person: PersonKey, way: Way, now: Stamp) -> Option<Place> {
        self.at(line, |here| here.enter(person, way, now))
    }

    fn look(
        &self,
        line: &Line,
        person: PersonKey,
        claimed: Given,
        issued: Stamp,
        way: Way,
        now: Stamp,
    ) -> Place {
        let look = |here: InLine| here.look(person, claimed, issued, way, now);
        self.at(line, look)
            .expect("whoever has a number has a place")
    }

    fn call(&self, line: &Line, open: bool, now: Stamp) -> u64 {
        self.at(line, |here| here.call(open, now))
    }

    fn serving(&self) -> u64 {
        self.live().serving()
    }

    fn waiting(&self, line: &Line) -> u64 {
        self.live().waiting(line)
    }

    fn leased(&self, until: u64) {
        self.live().leased(until);
    }

    fn fresh(&self) -> Vec<(PersonKey, Given)> {
        self.live().fresh()
    }

    fn journalled(&self, places: &[(PersonKey, Given)]) {
        self.live().journalled(places);
    }

    fn close_lobby(&self) {
        self.live().close_lobby();
    }

    fn set_drawn(&self, drawn: Drawn) {
        self.live().set_drawn(drawn);
    }
}

fn person(at: u64) -> PersonKey {
    let mut key = [at as u8; 16];
    key[..8].copy_from_slice(&at.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
    PersonKey(key)
}

#[test]
fn ten_tabs_have_one_place_and_the_line_moves_when_somebody_leaves() {
    let (gate, line) = world(100, 2);
    let first = gate.enter(&line, person(1), Way::Open, NOW).unwrap();
    assert_eq!((first.state, first.number), (PlaceState::Admitted, 1));
    assert_eq!(gate.enter(&line, person(1), Way::Open, NOW), Some(first));
    let second = gate.enter(&line, person(2), Way::Open, NOW).unwrap();
    assert!(gate.admit(person(1), &first, NOW).is_some());
    assert!(gate.admit(person(2), &second, NOW).is_some());
    let third = gate
        .enter(&line, person(3), Way::Open, NOW.plus_s(1))
        .unwrap();
    assert_eq!(
        (third.state, third.number, third.ahead),
        (PlaceState::Waiting, 3, 0)
    );
    assert!(gate.admit(person(3), &third, NOW.plus_s(1)).is_none());
    gate.sessions.settle(&person(1));
    let later = NOW.plus_s(2);
    assert_eq!(
        gate.look(
            &line,
            person(3),
            Given::new(3, false),
            NOW,
            Way::Open,
            later
        )
        .state,
        PlaceState::Admitted
    );
}

#[test]
fn people_are_called_in_order_at_the_rate() {
    let (gate, line) = world(10, 1_000);
    for at in 1..=100 {
        gate.enter(&line, person(at), Way::Open, NOW);
    }
    let start = gate.serving();
    assert!(start <= 11, "a second's turns at the most: {start}");
    for step in 1..=40 {
        gate.call(&line, true, Stamp(NOW.0 + step * Stamp::SECOND / 10));
    }
    let served = gate.serving() - start;
    assert!(
        (38..=41).contains(&served),
        "ten a second for four seconds: {served}"
    );
    assert_eq!(gate.waiting(&line), 100 - gate.serving());
    let last = gate.look(
        &line,
        person(100),
        Given::new(100, false),
        NOW,
        Way::Open,
        NOW.plus_s(4),
    );
    assert_eq!(last.ahead, 99 - gate.serving());
    assert!(last.wait_s[0] <= last.wait_s[1] && last.next_poll_s >= 5);
}

#[test]
fn whoever_does_not_come_keeps_nobody_out_and_still_enters_ahead_of_the_line() {
    let (gate, line) = world(100, 1);
    let late = gate.enter(&line, person(1), Way::Open, NOW).unwrap();
    assert_eq!(late.state, PlaceState::Admitted);
    assert_eq!(
        gate.enter(&line, person(2), Way::Open, NOW).unwrap().state,
        PlaceState::Waiting
    );
    // A minute after they can have heard of it.
    let after = NOW.plus_s(91);
    let next = gate.enter(&line, person(2), Way::Open, after).unwrap();
    assert_eq!(next.state, PlaceState::Admitted);
    assert!(gate.admit(person(2), &next, after).is_some());
    // Full: the late one is the next to go in, before the one who waits.
    let late = gate.look(&line, person(1), late.ticket.given, NOW, Way::Open, after);
    assert!(gate.admit(person(1), &late, after).is_none());
    let third = gate.enter(&line, person(3), Way::Open, after).unwrap();
    assert_eq!(third.state, PlaceState::Waiting);
    gate.sessions.settle(&person(2));
    gate.call(&line, true, after.plus_s(1));
    assert!(gate.admit(person(1), &late, after.plus_s(1)).is_some());
    let third = gate.enter(&line, person(3), Way::Open, after.plus_s(2));
    assert_eq!(third.unwrap().state, PlaceState::Waiting);
}

/// Half of those who are called never come. Their turns are given on, each of them once: at every
/// moment so many were used or are kept for somebody as have come, and not one more.
#[test]
fn the_turn_of_somebody_who_stays_away_is_given_on_once() {
    const PER_S: u64 = 10;
    const STEPS: i64 = 4_000;
    let mut line = Line::default();
    line.leases.push(Lease {
        since: NOW,
        first: 1,
        until: 20_000,
        highest: 0,
    });
    let gate = OneLine::new(&rules(PER_S as u32, 1_000_000), &Line::default(), NOW);
    gate.leased(20_000);
    let enter = |at: u64, now: Stamp| gate.enter(&line, person(at), Way::Open, now).unwrap();
    for at in 1..=20_000 {
        enter(at, NOW);
    }
    let (mut came, mut next) = (0, 1);
    for step in 1..=STEPS {
        let now = Stamp(NOW.0 + step * Stamp::SECOND / 10);
        gate.call(&line, true, now);
        for at in next..=gate.serving() {
            if at % 2 == 1 {
                let place = enter(at, now);
                assert!(gate.admit(person(at), &place, now).is_some(), "{at}");
                came += 1;
            }
        }
        next = gate.serving() + 1;
        let used = came + gate.live().admission.outstanding();
        // A second's turns are there at the start.
        let turns = PER_S + PER_S * step as u64 / 10;
        assert!(
            (turns - 1..=turns).contains(&used),
            "{used} of {turns} turns after {step} steps"
        );
    }
    assert!(
        came > 3_000,
        "the line moves at nearly the whole rate: {came}"
    );
}

#[test]
fn a_pause_calls_nobody_and_keeps_the_order() {
    let (mut gate, line) = world(100, 1_000);
    gate.settings.pause = Some(Pause {
        since: NOW,
        reason: "r".to_owned().into(),
        freezes: false,
        until_restart: false,
    });
    for at in 1..=5 {
        let place = gate.enter(&line, person(at), Way::Open, NOW).unwrap();
        assert_eq!((place.state, place.number), (PlaceState::Waiting, at));
    }
    assert_eq!(gate.call(&line, false, NOW.plus_s(100)), 0);
    gate.settings.pause = None;
    assert_eq!(gate.call(&line, true, NOW.plus_s(101)), 5);
}

#[test]
fn a_token_brings_back_the_number_that_a_crash_forgot() {
    let (gate, mut line) = world(1, 10);
    line.leases[0].highest = 3;
    line.serving = 3;
    line.leases.push(Lease {
        since: NOW.plus_s(-10),
        first: 1_001,
        until: 2_000,
        highest: 1_000,
    });
    let again = OneLine::new(&rules(1, 10), &line, NOW);
    drop(gate);
    let newcomer = again
        .enter(&line, person(9), Way::Open, NOW)
        .map(|place| place.number);
    assert_eq!(
        newcomer, None,
        "nothing is given before a lease of this life"
    );
    again.leased(3_000);
    line.leases.push(Lease {
        since: NOW.plus_s(-10),
        first: 2_001,
        until: 3_000,
        highest: 2_000,
    });
    assert_eq!(
        again
            .enter(&line, person(9), Way::Open, NOW)
            .unwrap()
            .number,
        2_001
    );
    let back = again.look(&line, person(4), Given::new(4, false), NOW, Way::Open, NOW);
    assert_eq!((back.number, back.ahead), (4, 0));
    assert_eq!(
        again
            .enter(&line, person(4), Way::Open, NOW)
            .unwrap()
            .number,
        4
    );
    let places = again.fresh();
    assert_eq!(places.len(), 2);
    again.journalled(&places);
    assert_eq!(again.fresh(), []);
}

#[test]
fn a_lobby_is_drawn_into_its_own_numbers_and_later_ones_come_behind() {
    let (gate, mut line) = world(1, 1);
    let seed = [7; 32];
    line.draw = Some(Draw::committed(NOW, commitment(&seed)));
    let lobby = Way::Lobby {
        is_drawn: true,
        opens: NOW,
    };
    for at in 0..200 {
        let place = gate.enter(&line, person(at), lobby, NOW).unwrap();
        assert_eq!((place.state, place.number), (PlaceState::Lobby, at + 1));
    }
    gate.close_lobby();
    assert_eq!(
        gate.enter(&line, person(500), lobby, NOW).unwrap().number,
        201
    );
    for (person, given) in gate.fresh() {
        line.give(person, given).unwrap();
    }
    // Opened, and the seed not yet shown: still in the lobby, nobody is called.
    assert_eq!(
        gate.enter(&line, person(1), Way::Open, NOW).unwrap().state,
        PlaceState::Lobby
    );
    line.draw = line.draw.take().map(|draw| draw.revealed(seed));
    gate.set_drawn(draw_of(&line, &seed));
    let number = |at: u64| {
        gate.enter(&line, person(at), Way::Open, NOW)
            .unwrap()
            .number
    };
    let mut drawn: Vec<u64> = (0..200).map(number).collect();
    assert_ne!(
        drawn,
        (1..=200).collect::<Vec<_>>(),
        "an order of arrival would be no draw"
    );
    drawn.sort_unstable();
    assert_eq!(
        drawn,
        (1..=200).collect::<Vec<_>>(),
        "everybody has another number of the lobby"
    );
    assert_eq!(number(500), 201);
}

#[test]
fn a_standing_queue_brakes_and_its_end_lets_go() {
    let rules = rules(1_000, 1_000_000);
    let limits = Arc::new(Limits::new(&rules, &GateSettings::default(), NOW));
    let gate = Admission::new(&limits, &Line::default(), NOW);
    let mut at = NOW;
    let mut second = |delay_us: u64| {
        let mut people = 0;
        for _ in 0..10 {
            at = Stamp(at.0 + Stamp::SECOND / 10);
            limits.delayed(Queue::Writer, delay_us);
            people += gate.allowed(0, true, 1_000_000, at);
        }
        people
    };
    // The turns saved up at the start are gone after the first second.
    second(1_000);
    assert!((990..=1_010).contains(&second(1_000)));
    for _ in 0..5 {
        second(200_000);
    }
    let braked = second(200_000);
    assert!(braked < 100, "{braked}");
    assert!(braked >= 40, "the line never stands still: {braked}");
    for _ in 0..60 {
        second(1_000);
    }
    assert!(second(1_000) > 900);
}

fn lobby_of(line: &Line) -> Vec<Member> {
    let mut lobby = Vec::new();
    let more = |part: &usize| Drawn::collect(&mut lobby, line, *part);
    (0..).take_while(more).for_each(drop);
    lobby
}

fn draw_of(line: &Line, seed: &[u8; 32]) -> Drawn {
    Drawn::of(&lobby_of(line), seed)
}

/// A line with the people of one lobby, drawn by a seed.
fn drawn(people: u64, seed: &[u8; 32]) -> (Line, Drawn) {
    let mut line = Line::default();
    line.leases.push(Lease {
        since: NOW,
        first: 1,
        until: people,
        highest: 0,
    });
    line.draw = Some(Draw::committed(NOW, commitment(seed)));
    for at in 1..=people {
        line.give(person(at), Given::new(at, true)).unwrap();
    }
    line.draw = line.draw.take().map(|draw| draw.revealed(*seed));
    let drawn = draw_of(&line, seed);
    (line, drawn)
}

/// 20 people, 20,000 draws: everybody has every rank as often as every other, and whoever entered
/// first has no better one. 380 degrees of freedom: chi-square over 490 comes once in 10,000;
/// the seeds are fixed.
#[test]
fn a_draw_favours_nobody() {
    const PEOPLE: usize = 20;
    const DRAWS: u64 = 20_000;
    let mut times = [[0_u32; PEOPLE]; PEOPLE];
    for draw in 0..DRAWS {
        let mut seed = [7; 32];
        seed[..8].copy_from_slice(&draw.to_be_bytes());
        let (_, drawn) = drawn(PEOPLE as u64, &seed);
        for (at, ranks) in times.iter_mut().enumerate() {
            let number = drawn.number(&seed, &person(at as u64 + 1)).unwrap();
            ranks[number as usize - 1] += 1;
        }
    }
    let expected = DRAWS as f64 / PEOPLE as f64;
    let off = |times: &u32| (f64::from(*times) - expected).powi(2) / expected;
    let chi_square: f64 = times.iter().flatten().map(off).sum();
    assert!((280.0..490.0).contains(&chi_square), "{chi_square}");
}

#[test]
fn nobody_is_added_to_a_draw_and_another_seed_draws_another_order() {
    let seed = [3; 32];
    let (mut line, before) = drawn(1_000, &seed);
    let stranger = person(5_000);
    assert_eq!(before.number(&seed, &stranger), None);
    assert!(line.give(stranger, Given::new(7, true)).is_err());
    // A token of the lobby that a crash forgot keeps its number and stays out of the draw.
    let gate = OneLine::new(&rules(1, 1), &line, NOW);
    gate.set_drawn(draw_of(&line, &seed));
    line.leases[0].until = 2_000;
    let token = Given::new(1_500, true);
    let place = gate.look(&line, stranger, token, NOW, Way::Open, NOW);
    assert_eq!(
        (place.number, place.ticket.given),
        (1_500, Given::new(1_500, false))
    );
    for (person, given) in gate.fresh() {
        line.give(person, given).unwrap();
    }
    assert_eq!(draw_of(&line, &seed), before);
    assert_ne!(draw_of(&line, &[4; 32]), before);
}

/// How long a draw takes, and for how long it keeps the line: `cargo test --release draw_takes --
/// --ignored --nocapture`.
#[test]
#[ignore = "a measurement, of a minute"]
fn what_a_draw_takes() {
    for people in [1_000_000, 6_000_000] {
        let mut line = Line::default();
        line.leases.push(Lease {
            since: NOW,
            first: 1,
            until: people,
            highest: 0,
        });
        line.draw = Some(Draw::committed(NOW, commitment(&[7; 32])));
        for at in 1..=people {
            // Of keys that are as uniform as real ones at both ends.
            let mut key = person(at);
            let uniform = at.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            key.0[8..].copy_from_slice(&uniform.to_le_bytes());
            line.give(key, Given::new(at, true)).unwrap();
        }
        for _ in 0..3 {
            let began = crate::clock::tick();
            let (mut lobby, mut kept) = (Vec::with_capacity(people as usize), Duration::ZERO);
            for part in 0.. {
                let from = crate::clock::tick();
                let more = Drawn::collect(&mut lobby, &line, part);
                kept = kept.max(from.elapsed());
                if !more {
                    break;
                }
            }
            let drawn = Drawn::of(&lobby, &[7; 32]);
            println!(
                "{people} people: the line is kept for {kept:?} at a time, the draw takes {:?} in \
                 all; {:.1} bytes a person stay, {} are copied",
                began.elapsed(),
                drawn.bytes() as f64 / people as f64,
                size_of::<(PersonKey, u32)>(),
            );
        }
    }
}

/// A backup older than the token: the number is another's now, or nobody's.
#[test]
fn a_token_of_a_lost_future_takes_nobodys_number() {
    let (gate, line) = world(1, 1);
    let place = gate.enter(&line, person(1), Way::Open, NOW).unwrap();
    let before = NOW.plus_s(-60);
    let other = gate.look(&line, person(2), place.ticket.given, before, Way::Open, NOW);
    assert_ne!(other.ticket.given, place.ticket.given);
    let own = gate.look(&line, person(1), place.ticket.given, NOW, Way::Open, NOW);
    assert_eq!(own.ticket.given, place.ticket.given);
}
