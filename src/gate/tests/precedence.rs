//! What a person is told when several things are true of them at once: which one counts.

use super::*;

/// Numbers up to this one are called already.
const SERVING: u64 = 5;
/// The first number of the lease that new numbers come from.
const NEW: u64 = 1_001;

/// The numbers that the journal knows: a person has the number of their name.
const CALLED: u64 = 3;
const WAITING: u64 = 8;
/// In the line's draw.
const IN_DRAW: u64 = 11;
/// A person of whom the journal knows no number.
const UNKNOWN: u64 = 30;

const IN_LOBBY: Way = Way::Lobby {
    is_drawn: false,
    opens: NOW,
};

/// How far the draw of the line is.
#[derive(Clone, Copy, PartialEq)]
enum Seed {
    Unknown,
    /// And its order is still being worked out.
    Known,
}

/// A gate with room for everybody, which calls nobody in a pause.
fn gate(pauses: bool, seed_is: Seed) -> (OneLine, Line) {
    let mut line = Line::default();
    let lease = |first, until, highest| Lease {
        since: NOW.plus_s(-10),
        first,
        until,
        highest,
    };
    line.leases = vec![lease(1, NEW - 1, 20)];
    let seed = [1; 32];
    line.draw = Some(Draw::committed(NOW, commitment(&seed)));
    for (number, in_draw) in [(CALLED, false), (WAITING, false), (IN_DRAW, true)] {
        let given = Given::new(number, in_draw);
        line.give(person(number), given).unwrap();
    }
    if seed_is == Seed::Known {
        line.draw = line.draw.take().map(|draw| draw.revealed(seed));
    }
    line.serving = SERVING;
    let mut gate = OneLine::new(&rules(100, 1_000), &line, NOW.plus_s(-10));
    gate.settings.pause = pauses.then(|| Pause {
        since: NOW,
        reason: "r".to_owned().into(),
        freezes: true,
        until_restart: false,
    });
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
    seed: Seed,
}

/// A person with the token that they were given, whose opening has come.
fn of(who: u64) -> Case {
    Case {
        who,
        token: Given::new(who, who == IN_DRAW),
        is_of_another_journal: false,
        way: Way::Open,
        pauses: true,
        is_in_session: false,
        seed: Seed::Unknown,
    }
}

impl Case {
    fn look(&self) -> Place {
        let (gate, line) = gate(self.pauses, self.seed);
        gate.leased(2_000);
        let person = person(self.who);
        if self.is_in_session {
            gate.sessions.begin(person, NOW, true);
        }
        let before_s = if self.is_of_another_journal { 60 } else { 0 };
        let issued = NOW.plus_s(-before_s);
        gate.look(&line, person, self.token, issued, self.way, NOW)
    }

    fn with_known_seed(self) -> Self {
        Self {
            seed: Seed::Known,
            ..self
        }
    }
}

#[test]
fn the_lobby_counts_before_the_draw_the_draw_before_a_turn_and_a_turn_before_a_pause() {
    use PlaceState::{Admitted, Lobby, Waiting};
    let by = |way, who| Case { way, ..of(who) };
    let in_session = |who| Case {
        is_in_session: true,
        ..of(who)
    };
    let without_pause = |who| Case {
        pauses: false,
        ..of(who)
    };
    let table = [
        (
            "a lobby, and the number is called",
            by(IN_LOBBY, CALLED),
            Lobby,
        ),
        ("a lobby, waiting", by(IN_LOBBY, WAITING), Lobby),
        (
            "a lobby, drawn",
            by(IN_LOBBY, IN_DRAW).with_known_seed(),
            Lobby,
        ),
        ("not drawn", of(IN_DRAW), Lobby),
        (
            "drawn, not worked out",
            of(IN_DRAW).with_known_seed(),
            Lobby,
        ),
        ("not drawn, no pause", without_pause(IN_DRAW), Lobby),
        ("called, no pause", without_pause(CALLED), Admitted),
        ("called, paused", of(CALLED), Admitted),
        ("called, in session, paused", in_session(CALLED), Admitted),
        (
            "called, the opening is over",
            by(Way::Finishing, CALLED),
            Admitted,
        ),
        (
            "waiting, the opening is over",
            by(Way::Finishing, WAITING),
            Waiting,
        ),
        ("waiting, paused", of(WAITING), Waiting),
        // A session does not move its person up: it is looked at by its own token.
        ("waiting, in session, paused", in_session(WAITING), Waiting),
        // There is room: nobody waits for the keeper.
        ("waiting, no pause", without_pause(WAITING), Admitted),
    ];
    for (what, case, state) in table {
        let place = case.look();
        assert_eq!((place.state, place.number), (state, case.who), "{what}");
        assert_eq!(place.ticket.given, case.token, "{what}");
    }
}

/// Nobody is called any more once the opening is over, although there is room.
#[test]
fn whoever_may_finish_is_called_by_nobody() {
    let finishing = Case {
        way: Way::Finishing,
        pauses: false,
        ..of(WAITING)
    };
    assert_eq!(finishing.look().state, PlaceState::Waiting);
}

#[test]
fn of_several_numbers_a_drawn_one_counts_then_the_lowest_then_a_new_one() {
    let number = |number| Given::new(number, false);
    let with = |who, token| Case { token, ..of(who) };
    let old = |who, token| Case {
        is_of_another_journal: true,
        ..with(who, token)
    };
    let in_draw = Given::new(IN_DRAW, true);
    let lost = Given::new(9, true);
    let table = [
        (
            "drawn, a lower one",
            with(IN_DRAW, number(3)).with_known_seed(),
            in_draw,
        ),
        ("not drawn, a lower", with(IN_DRAW, number(3)), number(3)),
        ("not drawn, a higher", with(IN_DRAW, number(19)), in_draw),
        ("known, a lower", with(WAITING, number(3)), number(3)),
        ("known, a higher", with(CALLED, number(19)), number(3)),
        ("lost in a crash", with(UNKNOWN, number(9)), number(9)),
        ("lost, its draw is open", with(UNKNOWN, lost), lost),
        (
            "lost, its draw is over",
            with(UNKNOWN, lost).with_known_seed(),
            number(9),
        ),
        (
            "another journal's, known",
            old(WAITING, number(3)),
            number(WAITING),
        ),
        (
            "another journal's",
            old(UNKNOWN, number(3)),
            Given::new(NEW, false),
        ),
        ("never leased", with(UNKNOWN, number(5_000)), number(NEW)),
    ];
    for (what, case, given) in table {
        assert_eq!(case.look().ticket.given, given, "{what}");
    }
    // With no number leased, the token's is shown; it takes nobody's turn.
    let (gate, line) = gate(true, Seed::Unknown);
    let token = number(5_000);
    let place = gate.look(&line, person(UNKNOWN), token, NOW, Way::Open, NOW);
    assert_eq!(
        (place.ticket.given, place.state),
        (token, PlaceState::Waiting)
    );
    assert_eq!(gate.fresh(), []);
}
