//! What a person is told when several things are true of them at once: which one counts.

use super::*;

/// Numbers up to this one are called already.
const SERVING: u64 = 5;
/// The first number of the lease that new numbers come from.
const NEW: u64 = 1_001;

/// The numbers that the journal knows: a person has the number of their name, and perhaps a draw.
const CALLED: u64 = 3;
const WAITING: u64 = 8;
/// In a draw whose seed is not known yet.
const NOT_DRAWN: u64 = 11;
/// In a draw whose seed is known, and whose order is still being worked out.
const DRAWN: u64 = 12;
/// A person of whom the journal knows no number.
const UNKNOWN: u64 = 30;

const IN_LOBBY: Way = Way::Lobby {
    draw: None,
    opens: NOW,
};

/// A gate with room for everybody, which calls nobody in a pause.
fn gate(pauses: bool) -> (Gate, Line) {
    let mut line = Line::default();
    let lease = |first, until, highest| Lease {
        since: NOW.plus_s(-10),
        first,
        until,
        highest,
    };
    line.leases = vec![lease(1, NEW - 1, 20)];
    let seeds = [[1; 32], [2; 32]];
    line.draws = seeds
        .map(|seed| Draw {
            opening: NOW,
            commitment: commitment(&seed),
            seed: None,
        })
        .to_vec();
    let known = [
        (CALLED, None),
        (WAITING, None),
        (NOT_DRAWN, Some(0)),
        (DRAWN, Some(1)),
    ];
    for (number, draw) in known {
        line.give(person(number), Given::new(number, draw)).unwrap();
    }
    line.draws[1].seed = Some(seeds[1]);
    line.serving = SERVING;
    line.pause = pauses.then(|| Pause {
        since: NOW,
        reason: "r".to_owned(),
        freezes: true,
    });
    let gate = Gate::new(&rules(100, 1_000), &line, NOW.plus_s(-10));
    line.leases.push(lease(NEW, 2_000, NEW - 1));
    (gate, line)
}

/// What is true of a person who looks.
struct Case {
    who: u64,
    token: Given,
    /// Issued before its number was leased: an older backup was restored since.
    is_of_another_journal: bool,
    way: Way,
    pauses: bool,
    is_in_session: bool,
}

/// A person with the token that they were given, whose opening has come.
fn of(who: u64) -> Case {
    let draw = match who {
        NOT_DRAWN => Some(0),
        DRAWN => Some(1),
        _ => None,
    };
    Case {
        who,
        token: Given::new(who, draw),
        is_of_another_journal: false,
        way: Way::Open,
        pauses: true,
        is_in_session: false,
    }
}

impl Case {
    fn look(&self) -> Place {
        let (gate, line) = gate(self.pauses);
        gate.leased(2_000);
        let person = person(self.who);
        if self.is_in_session {
            gate.sessions.begin(person, NOW, true);
        }
        let before_s = if self.is_of_another_journal { 60 } else { 0 };
        let issued = NOW.plus_s(-before_s);
        gate.look(&line, person, self.token, issued, self.way, NOW)
    }
}

#[test]
fn a_booking_counts_before_the_lobby_the_lobby_before_the_draw_and_a_turn_before_a_pause() {
    use PlaceState::{Admitted, Lobby, Waiting};
    let owner = |who| Case {
        way: Way::Owner,
        ..of(who)
    };
    let in_lobby = |who| Case {
        way: IN_LOBBY,
        ..of(who)
    };
    let in_session = |who| Case {
        is_in_session: true,
        ..of(who)
    };
    let without_pause = |who| Case {
        pauses: false,
        ..of(who)
    };
    let table = [
        ("a booking, waiting, paused", owner(WAITING), Admitted),
        ("a booking, not drawn", owner(NOT_DRAWN), Admitted),
        ("a lobby, and the number is called", in_lobby(CALLED), Lobby),
        ("a lobby, waiting", in_lobby(WAITING), Lobby),
        ("a lobby, drawn", in_lobby(DRAWN), Lobby),
        ("not drawn", of(NOT_DRAWN), Lobby),
        ("drawn, not worked out", of(DRAWN), Lobby),
        ("not drawn, no pause", without_pause(NOT_DRAWN), Lobby),
        ("called, no pause", without_pause(CALLED), Admitted),
        ("called, paused", of(CALLED), Admitted),
        ("called, in session, paused", in_session(CALLED), Admitted),
        ("waiting, paused", of(WAITING), Waiting),
        // A session does not move its person up: it is looked at by its own token.
        ("waiting, in session, paused", in_session(WAITING), Waiting),
        // There is room: nobody waits for the keeper.
        ("waiting, no pause", without_pause(WAITING), Admitted),
    ];
    for (what, case, state) in table {
        let place = case.look();
        assert_eq!((place.state, place.number), (state, case.who), "{what}");
        assert_eq!(place.given, case.token, "{what}");
    }
}

#[test]
fn of_several_numbers_a_drawn_one_counts_then_the_lowest_then_a_new_one() {
    let number = |number| Given::new(number, None);
    let with = |who, token| Case { token, ..of(who) };
    let old = |who, token| Case {
        is_of_another_journal: true,
        ..with(who, token)
    };
    let (drawn, not_drawn) = (Given::new(DRAWN, Some(1)), Given::new(NOT_DRAWN, Some(0)));
    let table = [
        ("drawn, a lower one", with(DRAWN, number(3)), drawn),
        ("not drawn, a lower", with(NOT_DRAWN, number(3)), number(3)),
        (
            "not drawn, a higher",
            with(NOT_DRAWN, number(19)),
            not_drawn,
        ),
        ("known, a lower", with(WAITING, number(3)), number(3)),
        ("known, a higher", with(CALLED, number(19)), number(3)),
        ("lost in a crash", with(UNKNOWN, number(9)), number(9)),
        (
            "lost, its draw is open",
            with(UNKNOWN, Given::new(9, Some(0))),
            Given::new(9, Some(0)),
        ),
        (
            "lost, its draw is over",
            with(UNKNOWN, Given::new(9, Some(1))),
            number(9),
        ),
        (
            "another journal's, known",
            old(WAITING, number(3)),
            number(WAITING),
        ),
        ("another journal's", old(UNKNOWN, number(3)), number(NEW)),
        ("never leased", with(UNKNOWN, number(5_000)), number(NEW)),
    ];
    for (what, case, given) in table {
        assert_eq!(case.look().given, given, "{what}");
    }
    // With no number leased, the token's is shown; it takes nobody's turn.
    let (gate, line) = gate(true);
    let token = number(5_000);
    let place = gate.look(&line, person(UNKNOWN), token, NOW, Way::Open, NOW);
    assert_eq!((place.given, place.state), (token, PlaceState::Waiting));
    assert_eq!(gate.fresh(), []);
}
