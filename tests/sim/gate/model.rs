//! What each person was promised, kept apart from the gate and checked against every answer.

use std::collections::{HashMap, HashSet};

use sumun::domain::ids::PersonKey;
use sumun::domain::line::{Given, lot};
use sumun::domain::time::Stamp;
use sumun::gate::{Place, PlaceState};

/// Turns that may be used at once.
const BURST_S: f64 = 1.0;
/// A called person's place is kept free for no longer than this.
const CALLED_S: f64 = 60.0 + 300.0;

/// What one person has.
#[derive(Clone, Debug, Default)]
pub struct Promise {
    /// The position of the line that the person belongs to.
    pub line: usize,
    /// The best number that the gate of this life knows.
    pub known: Option<Given>,
    /// Tokens on the person's devices, with when they were issued.
    pub tokens: Vec<(Given, Stamp)>,
    /// Must get a number behind this one: theirs was forgotten.
    pub behind: u64,
    /// Was called and told so in this life of the server, with this number.
    pub called: Option<u64>,
    pub is_in: bool,
    /// When the session began whose token the person has.
    pub began: Stamp,
    pub booked: bool,
    /// When their session was last used.
    pub seen: Stamp,
}

/// What one line has promised.
#[derive(Clone, Debug, Default)]
pub struct LineModel {
    /// Whose each number is.
    owners: HashMap<u64, PersonKey>,
    newest: u64,
    /// The numbers of its lobby, once it was drawn.
    pub drawn: Option<HashMap<PersonKey, u64>>,
    /// The highest number that was called in this life.
    highest_called: u64,
    /// A step of the keeper has seen its opening: nobody comes into the draw any more.
    pub is_closed: bool,
}

#[derive(Clone, Debug)]
pub struct Model {
    pub people: HashMap<PersonKey, Promise>,
    pub lines: Vec<LineModel>,
    /// Turns that nobody has used and that are kept for nobody, at the most.
    turns: f64,
    /// Turns that were used since the beginning, and those used or kept at the last step.
    used: u64,
    spent: u64,
    /// How many are in, as the rules count them.
    pub counted: HashSet<PersonKey>,
    /// What `active_max` was since when.
    most: Vec<(f64, u64)>,
    /// For how long people could go in so far: time stands still in a pause.
    open_s: f64,
    /// In since before the start.
    taken_over: u64,
    /// Whoever came late and was refused waits before everybody who is called.
    pub late: Vec<PersonKey>,
}

impl Model {
    /// Of people with the positions of their lines.
    pub fn new(
        people: impl Iterator<Item = (PersonKey, usize)>,
        lines: usize,
        rate: f64,
        most: u64,
    ) -> Self {
        let promise = |line| Promise {
            line,
            ..Promise::default()
        };
        Self {
            people: people.map(|(key, line)| (key, promise(line))).collect(),
            lines: vec![LineModel::default(); lines],
            turns: rate * BURST_S + lines as f64,
            used: 0,
            spent: 0,
            counted: HashSet::new(),
            most: vec![(0.0, most)],
            open_s: 0.0,
            taken_over: 0,
            late: Vec::new(),
        }
    }

    pub fn person(&mut self, key: PersonKey) -> &mut Promise {
        self.people
            .get_mut(&key)
            .expect("the model knows everybody")
    }

    /// Rules 1 to 3: somebody was answered with a place, having shown `token` or none.
    pub fn placed(&mut self, key: PersonKey, place: &Place, token: Option<Given>, is_lost: bool) {
        let given = place.ticket.given;
        let promise = self.people[&key].clone();
        let line = &mut self.lines[promise.line];
        let newest = line.newest;
        let shown = token.filter(|_| !is_lost);
        let is_drawn = |given: Given| given.in_draw() && line.drawn.is_some();
        let best = match (promise.known, shown) {
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
                assert!(number > promise.behind, "{key} is before its own time");
                let drawn = line.drawn.iter().flat_map(HashMap::values);
                let last = drawn.max().copied().unwrap_or(0);
                assert!(number > last, "{key} came after a draw that it is among");
            }
        }
        if given.in_draw() && line.is_closed {
            let known = promise.known;
            assert_eq!(
                known,
                Some(given),
                "{key} came into a draw after its opening"
            );
        }
        let owner = *line.owners.entry(given.number()).or_insert(key);
        assert_eq!(owner, key, "number {} is two people's", given.number());
        line.newest = newest.max(given.number());
        let turn = match &line.drawn {
            Some(numbers) if given.in_draw() => {
                numbers.get(&key).copied().unwrap_or(given.number())
            }
            _ => given.number(),
        };
        self.person(key).known = Some(given);
        if place.state != PlaceState::Lobby {
            assert_eq!(place.number, turn, "{key} is called by another number");
        }
        self.seen(key, place);
    }

    /// Rule 4: called in the order of the numbers, and for good.
    fn seen(&mut self, key: PersonKey, place: &Place) {
        match place.state {
            PlaceState::Admitted => {
                let line = &mut self.lines[self.people[&key].line];
                line.highest_called = line.highest_called.max(place.number);
                self.person(key).called = Some(place.number);
            }
            PlaceState::Waiting => {
                let line = &self.lines[self.people[&key].line];
                let (number, called) = (place.number, line.highest_called);
                assert!(
                    number > called,
                    "{key} waits with {number}, {called} was called"
                );
                assert_eq!(self.people[&key].called, None, "{key} was called already");
            }
            PlaceState::Lobby => assert_eq!(self.people[&key].called, None),
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

    /// Time passed while people may go in.
    pub fn open_for(&mut self, seconds: f64) {
        self.open_s += seconds;
    }

    /// Rule 6, after a step of the keeper: `earned` turns have come, `kept` are kept for people who
    /// were called, and no more than a second's may be left. Each turn is used once: one that is
    /// given on was kept before, so it makes none.
    pub fn stepped(&mut self, earned: f64, kept: u64, rate: f64) {
        let spent = self.used + kept;
        self.turns += earned + self.spent as f64 - spent as f64;
        self.spent = spent;
        assert!(
            self.turns > -1e-3,
            "{} more turns are used or kept than there were",
            -self.turns
        );
        // Each line has one at least.
        let lines = self.lines.len() as f64;
        self.turns = self.turns.min(rate * BURST_S + lines);
    }

    /// Nobody may go in: turns are not saved up.
    pub fn stood(&mut self, earned: f64, kept: u64) {
        self.stepped(earned, kept, 0.0);
        self.turns = 0.0;
    }

    pub fn most_set(&mut self, most: u64) {
        self.most.push((self.open_s, most));
    }

    /// Rules 4 and 7: somebody went in, with a turn unless they were in.
    pub fn went_in(&mut self, key: PersonKey, was_in: bool, began: Stamp, now: Stamp) {
        self.used += u64::from(!was_in);
        let promise = self.person(key);
        assert!(promise.called.is_some(), "{key} went in uncalled");
        assert!(!was_in || promise.began == began, "{key} has two sessions");
        promise.is_in = true;
        promise.began = began;
        promise.seen = now;
        self.late.retain(|late| *late != key);
        if !self.counted.insert(key) {
            return;
        }
        // Whoever was called keeps the call for so long, in which pauses don't count.
        let since = self.open_s - CALLED_S;
        let last = self.most.iter().rposition(|(at, _)| *at <= since);
        let most = self.most[last.unwrap_or(0)..].iter().map(|(_, most)| *most);
        let most = most.max().unwrap_or(0) + self.taken_over;
        assert!(
            self.counted.len() as u64 <= most,
            "{} are in and {most} may be, {} of them since before the start; {:?} at {}",
            self.counted.len(),
            self.taken_over,
            self.most,
            self.open_s
        );
    }

    /// The process died. `durable` is what the journal has of each person; `restart_rate` lets the
    /// first second's people in at once.
    pub fn crashed(
        &mut self,
        durable: impl Fn(usize, &PersonKey) -> Option<Given>,
        restart_rate: f64,
    ) {
        for (key, promise) in &mut self.people {
            let before = promise.known;
            promise.known = durable(promise.line, key);
            promise.called = None;
            if promise.known.is_none() && before.is_some() && promise.tokens.is_empty() {
                promise.behind = self.lines[promise.line].newest;
            }
        }
        self.turns = restart_rate * BURST_S + self.lines.len() as f64;
        self.spent = self.used;
        for line in &mut self.lines {
            line.is_closed = false;
            line.highest_called = 0;
        }
        self.counted.clear();
        self.taken_over = 0;
        self.late.clear();
    }

    /// A session was used; one of before a start counts again.
    pub fn used(&mut self, key: PersonKey, now: Stamp) {
        self.person(key).seen = now;
        if self.counted.insert(key) {
            self.taken_over += 1;
        }
    }

    /// Whether a session of this life goes on.
    pub fn runs(&self, key: PersonKey, now: Stamp, idle_s: i64) -> bool {
        self.counted.contains(&key) && now < self.people[&key].seen.plus_s(idle_s)
    }

    /// An older backup is in place: numbers since then are given again, to whoever comes.
    pub fn restored(&mut self) {
        for line in &mut self.lines {
            *line = LineModel::default();
        }
        for (key, promise) in &mut self.people {
            let line = &mut self.lines[promise.line];
            if let Some(known) = promise.known {
                line.owners.insert(known.number(), *key);
                line.newest = line.newest.max(known.number());
            }
            promise.behind = 0;
        }
    }
}
