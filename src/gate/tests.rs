//! The gate alone: one place a person, order, rate, no-shows, draws, and what a crash may cost.

use super::admission::Queue;
use super::*;
use crate::domain::campaign::Order;
use crate::domain::line::{Draw, Lease, Pause, commitment};

const NOW: Stamp = Stamp(1_626_692_400_000_000_000);

fn rules(admit_per_s: u32, active_max: u32) -> GateRules {
    GateRules {
        order: Order::Arrival,
        lobby_opens_min: 30,
        admit_per_s,
        active_max,
        session_idle_s: 600,
    }
}

/// A line with a thousand numbers leased, and its gate after the first second.
fn world(admit_per_s: u32, active_max: u32) -> (Gate, Line) {
    let mut line = Line::default();
    line.leases.push(Lease {
        since: NOW.plus_s(-10),
        first: 1,
        until: 1_000,
        highest: 0,
    });
    let gate = Gate::new(
        &rules(admit_per_s, active_max),
        &Line::default(),
        NOW.plus_s(-10),
    );
    gate.leased(1_000);
    (gate, line)
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
    assert!(gate.admit(person(1), Way::Open, &first, NOW));
    assert!(gate.admit(person(2), Way::Open, &second, NOW));
    let third = gate
        .enter(&line, person(3), Way::Open, NOW.plus_s(1))
        .unwrap();
    assert_eq!(
        (third.state, third.number, third.ahead),
        (PlaceState::Waiting, 3, 0)
    );
    assert!(!gate.admit(person(3), Way::Open, &third, NOW.plus_s(1)));
    gate.sessions.settle(&person(1));
    let later = NOW.plus_s(2);
    assert_eq!(
        gate.look(&line, person(3), Given::new(3, None), NOW, Way::Open, later)
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
        Given::new(100, None),
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
    let after = NOW.plus_s(66);
    let next = gate.enter(&line, person(2), Way::Open, after).unwrap();
    assert_eq!(next.state, PlaceState::Admitted);
    assert!(gate.admit(person(2), Way::Open, &next, after));
    // Full: the late one is the next to go in, before the one who waits.
    let late = gate.look(&line, person(1), late.given, NOW, Way::Open, after);
    assert!(!gate.admit(person(1), Way::Open, &late, after));
    let third = gate.enter(&line, person(3), Way::Open, after).unwrap();
    assert_eq!(third.state, PlaceState::Waiting);
    gate.sessions.settle(&person(2));
    gate.call(&line, true, after.plus_s(1));
    assert!(gate.admit(person(1), Way::Open, &late, after.plus_s(1)));
    let third = gate.enter(&line, person(3), Way::Open, after.plus_s(2));
    assert_eq!(third.unwrap().state, PlaceState::Waiting);
}

#[test]
fn a_pause_calls_nobody_and_keeps_the_order() {
    let (gate, mut line) = world(100, 1_000);
    line.pause = Some(Pause {
        since: NOW,
        reason: "r".to_owned(),
        freezes: false,
    });
    for at in 1..=5 {
        let place = gate.enter(&line, person(at), Way::Open, NOW).unwrap();
        assert_eq!((place.state, place.number), (PlaceState::Waiting, at));
    }
    assert_eq!(gate.call(&line, false, NOW.plus_s(100)), 0);
    line.pause = None;
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
    let again = Gate::new(&rules(1, 10), &line, NOW);
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
    let back = again.look(&line, person(4), Given::new(4, None), NOW, Way::Open, NOW);
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
    line.draws.push(Draw {
        opening: NOW,
        commitment: commitment(&seed),
        seed: None,
    });
    let lobby = Way::Lobby {
        draw: Some(0),
        opens: NOW,
    };
    for at in 0..200 {
        let place = gate.enter(&line, person(at), lobby, NOW).unwrap();
        assert_eq!((place.state, place.number), (PlaceState::Lobby, at + 1));
    }
    gate.close_lobby(true);
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
    line.draws[0].seed = Some(seed);
    gate.set_drawn(0, Drawn::of(&line, 0, &seed));
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
    let gate = Admission::new(&rules(1_000, 1_000_000), &Line::default(), NOW);
    let mut at = NOW;
    let mut second = |delay_us: u64| {
        let mut people = 0;
        for _ in 0..10 {
            at = Stamp(at.0 + Stamp::SECOND / 10);
            gate.delayed(Queue::Writer, delay_us);
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

/// A line with the people of one lobby, drawn by a seed.
fn drawn(people: u64, seed: &[u8; 32]) -> (Line, Drawn) {
    let mut line = Line::default();
    line.leases.push(Lease {
        since: NOW,
        first: 1,
        until: people,
        highest: 0,
    });
    line.draws.push(Draw {
        opening: NOW,
        commitment: commitment(seed),
        seed: None,
    });
    for at in 1..=people {
        line.give(person(at), Given::new(at, Some(0))).unwrap();
    }
    line.draws[0].seed = Some(*seed);
    let drawn = Drawn::of(&line, 0, seed);
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
    assert!(line.give(stranger, Given::new(7, Some(0))).is_err());
    // A token of the lobby that a crash forgot keeps its number and stays out of the draw.
    let gate = Gate::new(&rules(1, 1), &line, NOW);
    gate.set_drawn(0, Drawn::of(&line, 0, &seed));
    line.leases[0].until = 2_000;
    let token = Given::new(1_500, Some(0));
    let place = gate.look(&line, stranger, token, NOW, Way::Open, NOW);
    assert_eq!(
        (place.number, place.given),
        (1_500, Given::new(1_500, None))
    );
    for (person, given) in gate.fresh() {
        line.give(person, given).unwrap();
    }
    assert_eq!(Drawn::of(&line, 0, &seed), before);
    assert_ne!(Drawn::of(&line, 0, &[4; 32]), before);
}

/// In 2021 the lobby of one evening was open while another opening ran: without the hold its people
/// would be called while they can't go in, and all be late at their own opening.
#[test]
fn nobody_is_called_while_the_lobby_they_came_in_is_open() {
    let (gate, line) = world(100, 1_000);
    let lobby = Way::Lobby {
        draw: None,
        opens: NOW.plus_s(60),
    };
    gate.enter(&line, person(1), Way::Open, NOW);
    gate.set_hold(Some((gate.newest(), NOW.plus_s(60))));
    for at in 2..=10 {
        gate.enter(&line, person(at), lobby, NOW);
    }
    let held = gate.enter(&line, person(11), Way::Open, NOW).unwrap();
    assert_eq!(held.state, PlaceState::Waiting);
    assert!(held.wait_s[0] >= 60, "{held:?}");
    assert_eq!(gate.call(&line, true, NOW.plus_s(59)), 1);
    gate.set_hold(None);
    assert_eq!(gate.call(&line, true, NOW.plus_s(60)), 11);
}

/// A backup older than the token: the number is another's now, or nobody's.
#[test]
fn a_token_of_a_lost_future_takes_nobodys_number() {
    let (gate, line) = world(1, 1);
    let place = gate.enter(&line, person(1), Way::Open, NOW).unwrap();
    let before = NOW.plus_s(-60);
    let other = gate.look(&line, person(2), place.given, before, Way::Open, NOW);
    assert_ne!(other.given, place.given);
    let own = gate.look(&line, person(1), place.given, NOW, Way::Open, NOW);
    assert_eq!(own.given, place.given);
}
