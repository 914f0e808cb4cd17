//! What each person was promised, kept apart from the gate and checked against every answer.

mod sessions;
mod turns;
mod windows;

use std::collections::HashMap;

use sumun::domain::ids::PersonKey;
use sumun::domain::line::windows::{Plan, Window};
use sumun::domain::line::{Given, lot};
use sumun::domain::time::Stamp;
use sumun::gate::{Place, PlaceState};

use super::july::{July, Phase};
use sessions::Sessions;
pub use turns::CALLED_S_MIN;
use turns::Turns;

/// A token on somebody's device.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Token {
    pub line: usize,
    /// Which of the lines that had this position after each other it is of.
    pub life: u64,
    pub given: Given,
    pub issued: Stamp,
}

/// What one person has in one line.
#[derive(Clone, Debug, Default)]
pub struct Held {
    /// The best number that the gate of this life knows.
    pub known: Option<Given>,
    /// The step of the keeper after which a token brought it back; 0 for one that was given.
    back_at_step: u64,
    /// Must get a number behind this one: theirs was forgotten.
    pub behind: u64,
    /// Was called and told so in this life of the server, with this number.
    pub called: Option<u64>,
    /// Went in with the turn of their number in this life of the server.
    pub came: bool,
    /// Since when they are late while there is room, and when they last asked, by the time in
    /// which people may go in.
    pub late_s: f64,
    pub tried_s: f64,
}

/// What one person has.
#[derive(Clone, Debug, Default)]
pub struct Promise {
    pub tokens: Vec<Token>,
    /// By the position of the line.
    pub held: HashMap<usize, Held>,
    pub booked: bool,
}

/// What one line has promised.
#[derive(Clone, Debug, Default)]
pub struct LineModel {
    /// A number of its own, for each line that began.
    pub life: u64,
    /// Whose each number is.
    owners: HashMap<u64, PersonKey>,
    newest: u64,
    /// The numbers of its lobby, once it was drawn.
    pub drawn: Option<HashMap<PersonKey, u64>>,
    /// The highest number that was called in this life of the server.
    highest_called: u64,
    /// Of this life of the server.
    calls: Vec<Call>,
    /// What was called before this life of the server.
    called_before: u64,
    /// A step of the keeper has seen its opening: nobody comes into the draw any more.
    pub is_closed: bool,
    /// Since when others finish and there is room, by the time in which people may go in.
    pub room_s: f64,
    /// The windows that were planned, and each person's as they were last told.
    pub plans: Vec<Plan>,
    told: HashMap<PersonKey, Window>,
}

/// The line was called up to a number.
#[derive(Clone, Copy, Debug)]
struct Call {
    to: u64,
    /// By the time in which people may go in.
    open_s: f64,
    step: u64,
}

#[derive(Clone, Debug)]
pub struct Model {
    /// Steps that the keeper has taken.
    pub steps: u64,
    pub people: HashMap<PersonKey, Promise>,
    pub lines: Vec<LineModel>,
    lives: u64,
    pub turns: Turns,
    pub sessions: Sessions,
    /// Whoever came late and was refused waits before everybody who is called in the line.
    pub late: Vec<(PersonKey, usize)>,
}

impl Model {
    pub fn new(people: &[PersonKey], lines: usize, rate: f64, most: u64, idle_s: i64) -> Self {
        let mut model = Self {
            steps: 1,
            people: people
                .iter()
                .map(|key| (*key, Promise::default()))
                .collect(),
            lines: Vec::new(),
            lives: 0,
            turns: Turns::new(rate, most),
            sessions: Sessions::new(idle_s),
            late: Vec::new(),
        };
        model.lines_are(lines);
        model
    }

    /// There are so many lines now: new ones begin with the turns of a second.
    pub fn lines_are(&mut self, count: usize) {
        while self.lines.len() < count {
            self.lives += 1;
            self.lines.push(LineModel {
                life: self.lives,
                ..LineModel::default()
            });
            self.turns.line_began();
        }
    }

    pub fn person(&mut self, key: &PersonKey) -> &mut Promise {
        self.people.get_mut(key).expect("the model knows everybody")
    }

    pub fn held(&self, key: &PersonKey, line: usize) -> Held {
        let held = self.people[key].held.get(&line);
        held.cloned().unwrap_or_default()
    }

    pub fn held_mut(&mut self, key: &PersonKey, line: usize) -> &mut Held {
        self.person(key).held.entry(line).or_default()
    }

    pub fn has_place(&self, key: &PersonKey, line: usize) -> bool {
        self.held(key, line).known.is_some()
    }

    /// Whether nobody is known to have a number of the line.
    pub fn has_nobody(&self, line: usize) -> bool {
        let people = &mut self.people.values();
        !people.any(|one| one.held.get(&line).is_some_and(|held| held.known.is_some()))
    }

    /// Rules 1 to 3: somebody was answered with a place, having shown `token` or none. A token
    /// that is lost is one of another history, or of a line that is over.
    pub fn placed(&mut self, key: PersonKey, place: &Place, token: Option<Given>, is_lost: bool) {
        let given = place.ticket.given;
        let at = place.ticket.line.expect("nobody comes past the lines").at();
        let held = self.held(&key, at);
        let line = &mut self.lines[at];
        let newest = line.newest;
        let shown = token.filter(|token| !is_lost && token.number() > 0);
        let is_drawn = |given: Given| given.in_draw() && line.drawn.is_some();
        let best = match (held.known, shown) {
            (Some(known), _) if is_drawn(known) => Some(known.number()),
            (known, shown) => {
                let numbers = known.into_iter().chain(shown).map(Given::number);
                numbers.min()
            }
        };
        match best {
            Some(number) => assert_eq!(given.number(), number, "{key} has another place"),
            None => {
                let number = given.number();
                assert!(
                    number > newest,
                    "{key} got {number}, {newest} was given before"
                );
                assert!(number > held.behind, "{key} is before its own time");
                let drawn = line.drawn.iter().flat_map(HashMap::values);
                let last = drawn.max().copied().unwrap_or(0);
                assert!(number > last, "{key} came after a draw that it is among");
            }
        }
        if given.in_draw() && line.is_closed {
            let known = held.known;
            assert_eq!(
                known,
                Some(given),
                "{key} came into a draw after its opening"
            );
        }
        let owner = *line.owners.entry(given.number()).or_insert(key);
        assert_eq!(owner, key, "number {} is two people's", given.number());
        line.newest = newest.max(given.number());
        let turn = line.turn(&key, given);
        let steps = self.steps;
        let held = self.held_mut(&key, at);
        if held.known.replace(given) != Some(given) && shown.is_some() {
            held.back_at_step = steps;
            if place.state == PlaceState::Admitted {
                // The line was called past their number while nobody was known to have it. They
                // may come by a turn of those who were called then, who have the next.
                self.lines[at].turns_are_mixed();
            }
        }
        if place.state != PlaceState::Lobby {
            assert_eq!(place.number, turn, "{key} is called by another number");
        }
        self.seen(key, place, at);
    }

    /// Rule 4: called in the order of the numbers, and for good.
    fn seen(&mut self, key: PersonKey, place: &Place, at: usize) {
        match place.state {
            PlaceState::Admitted => {
                let line = &mut self.lines[at];
                line.highest_called = line.highest_called.max(place.number);
                self.held_mut(&key, at).called = Some(place.number);
            }
            PlaceState::Waiting => {
                let line = &self.lines[at];
                let (number, called) = (place.number, line.highest_called);
                assert!(
                    number > called,
                    "{key} waits with {number}, {called} was called"
                );
                assert_eq!(self.held(&key, at).called, None, "{key} was called already");
            }
            PlaceState::Lobby => assert_eq!(self.held(&key, at).called, None),
            PlaceState::Window => unreachable!("whoever is seen here has a number"),
        }
        assert!(place.wait_s[0] <= place.wait_s[1]);
        assert!((5..=300).contains(&place.next_poll_s), "{place:?}");
    }

    /// A draw was revealed: its people have its numbers in the order of their lots.
    pub fn draw(&mut self, at: usize, seed: &[u8; 32], members: Vec<(PersonKey, u64)>) {
        let mut numbers: Vec<u64> = members.iter().map(|(_, number)| *number).collect();
        numbers.sort_unstable();
        let mut people: Vec<PersonKey> = members.into_iter().map(|(key, _)| key).collect();
        people.sort_by_key(|key| (lot(seed, key), *key));
        let drawn: HashMap<_, _> = people.into_iter().zip(numbers).collect();
        if let Some(before) = &self.lines[at].drawn {
            assert_eq!(*before, drawn, "the same draw had another result");
        }
        self.lines[at].drawn = Some(drawn);
    }

    /// The line was called up to this number, at most.
    pub fn serves(&mut self, at: usize, serving: u64) {
        let line = &mut self.lines[at];
        let known = line.calls.last().map_or(line.called_before, |call| call.to);
        if known < serving {
            line.calls.push(Call {
                to: serving,
                open_s: self.turns.open_s,
                step: self.steps,
            });
        }
    }

    /// For how long somebody is called in this life of the server, by the time in which people may
    /// go in; none if that was before, or passed over a number that nobody was known to have.
    pub fn called_s(&self, key: &PersonKey, at: usize, number: u64) -> Option<f64> {
        let (line, held) = (&self.lines[at], self.held(key, at));
        let mut calls = line.calls.iter();
        let call = calls.find(|call| number <= call.to)?;
        // A number that is brought back is in the journal after the next step.
        let was_known = held.back_at_step == 0 || held.back_at_step + 2 <= call.step;
        let has_turn = number > line.called_before && was_known;
        has_turn.then_some(self.turns.open_s - call.open_s)
    }

    /// Rule 9: a line is over. Its people have left it, and its next one begins at number 1.
    pub fn ended(&mut self, at: usize, july: &July, now: Stamp) {
        if let Some(evening) = july.evening(at) {
            let is_over = july.phase(evening, now.plus_s(-5)) == Phase::Over;
            let is_empty = self.has_nobody(at) && july.phase(evening, now) == Phase::Before;
            assert!(is_over || is_empty, "line {at} ended in its opening");
        }
        self.lives += 1;
        self.lines[at] = LineModel {
            life: self.lives,
            ..LineModel::default()
        };
        for promise in self.people.values_mut() {
            promise.held.remove(&at);
        }
        self.late.retain(|(_, line)| *line != at);
        self.turns.line_began();
    }

    /// The opening of a line was postponed: whoever was called waits for it again, and may be late
    /// when it comes.
    pub fn postponed(&mut self, at: usize) {
        self.lines[at].turns_are_mixed();
        for promise in self.people.values_mut() {
            if let Some(held) = promise.held.get_mut(&at) {
                held.called = None;
            }
        }
        self.turns.stays_reserved();
    }

    /// The process died. `durable` is what the journal has of each person.
    pub fn crashed(&mut self, durable: impl Fn(usize, &PersonKey) -> Option<Given>) {
        for (key, promise) in &mut self.people {
            for (at, held) in &mut promise.held {
                let before = held.known;
                let mut tokens = promise.tokens.iter();
                let has_token = tokens.any(|token| token.line == *at);
                *held = Held {
                    known: durable(*at, key),
                    behind: held.behind,
                    ..Held::default()
                };
                if held.known.is_none() && before.is_some() && !has_token {
                    held.behind = self.lines[*at].newest;
                }
            }
        }
        for line in &mut self.lines {
            line.is_closed = false;
            line.highest_called = 0;
        }
        self.late.clear();
    }

    /// A process begins in which the line was called up to this number.
    pub fn started(&mut self, at: usize, serving: u64) {
        let line = &mut self.lines[at];
        line.calls.clear();
        line.called_before = serving;
    }

    /// An older backup is in place: numbers since then are given again, to whoever comes. `lives`
    /// are those of its lines.
    pub fn restored(
        &mut self,
        lives: &[u64],
        durable: impl Fn(usize, &PersonKey) -> Option<Given>,
    ) {
        self.lines = lives
            .iter()
            .map(|life| LineModel {
                life: *life,
                ..LineModel::default()
            })
            .collect();
        for (key, promise) in &mut self.people {
            promise.held.clear();
            // A line of a later time has the numbers of one that the backup goes on with.
            let is_known = |token: &Token| {
                lives
                    .get(token.line)
                    .is_some_and(|life| *life >= token.life)
            };
            promise.tokens.retain(is_known);
            for (at, line) in self.lines.iter_mut().enumerate() {
                if let Some(known) = durable(at, key) {
                    line.owners.insert(known.number(), *key);
                    line.newest = line.newest.max(known.number());
                    let known = Some(known);
                    let held = Held {
                        known,
                        ..Held::default()
                    };
                    promise.held.insert(at, held);
                }
            }
        }
    }
}

impl LineModel {
    /// Of whoever is called by now nobody knows any more whose turn is kept.
    fn turns_are_mixed(&mut self) {
        let called = self.calls.last().map_or(0, |call| call.to);
        self.called_before = self.called_before.max(called);
    }

    /// The number that somebody is called by.
    pub fn turn(&self, key: &PersonKey, given: Given) -> u64 {
        match &self.drawn {
            Some(numbers) if given.in_draw() => numbers.get(key).copied().unwrap_or(given.number()),
            _ => given.number(),
        }
    }
}
