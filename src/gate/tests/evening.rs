//! Evenings with the keeper: draws that come slowly, lines beside each other, the end of one.

use super::*;
use crate::clock::Entropy;
use crate::domain::campaign::Campaign;
use crate::domain::entry::{Change, GateAct};
use crate::domain::ids::CampaignIndex;
use crate::domain::state::State;
use crate::gate::memory::{INDEX, Memory};
use crate::gate::step::{GateStep, Journal, StepMemory};
use crate::keys::Keys;

/// A campaign whose draws are at `NOW` and ten minutes later: the lobby of the second is open when
/// the first comes.
const DRAWS: &str = r#"
[campaign]
id = "evening"
name = { ko = "예약", en = "Booking" }
timezone = "Asia/Seoul"
identity = ["name", "birth_date", "code"]
[[cohort]]
id = "a"
born = ["1967-01-01", "1967-12-31"]
[[cohort]]
id = "b"
born = ["1968-01-01", "1968-12-31"]
[[opening]]
cohorts = ["a"]
from = "2021-07-19T20:00"
until = "2021-07-20T18:00"
[[opening]]
cohorts = ["b"]
from = "2021-07-19T20:10"
until = "2021-07-20T18:00"
[[vaccine]]
id = "mrna"
doses = 1
[gate]
order = "draw"
lobby_opens_min = 30
admit_per_s = 10
"#;

/// A journal in which a draw's seed and the end of a line take their time: `meanwhile` happens
/// while they are on their way to the disk.
struct SlowSeed<'a> {
    memory: &'a Memory,
    meanwhile: &'a dyn Fn(),
}

impl Journal for SlowSeed<'_> {
    fn with_lines<T>(
        &self,
        index: CampaignIndex,
        look: impl FnOnce(&GateSettings, &[Line]) -> T,
    ) -> Option<T> {
        self.memory.with_lines(index, look)
    }

    fn keep(&self, change: Change) -> Option<()> {
        if matches!(
            change,
            Change::DrawRevealed { .. } | Change::LineEnded { .. }
        ) {
            (self.meanwhile)();
        }
        self.memory.keep(change)
    }
}

/// A campaign with draws, its gate and its keeper.
pub(super) struct Evening {
    pub memory: Memory,
    pub campaign: Campaign,
    pub gate: Gate,
    step_memory: StepMemory,
    keys: Keys,
    /// On the roster of each opening.
    people: u64,
}

impl Evening {
    fn new() -> Self {
        Self::of(DRAWS)
    }

    /// Begins ten minutes before the first opening.
    pub fn of(source: &str) -> Self {
        let (campaign, _) = Campaign::parse(source).unwrap();
        let start = NOW.plus_s(-600);
        let mut evening = Self {
            memory: Memory::of_campaign(source, start).unwrap(),
            gate: Gate::new(&campaign.gate, &GateSettings::default(), &[], start),
            campaign,
            step_memory: StepMemory::default(),
            keys: Keys::generate(&Entropy::system()),
            people: 12_000,
        };
        evening.step(start, &|_| ());
        evening
    }

    /// A step of the keeper; `meanwhile` happens while a seed is on its way to the disk.
    pub fn step(&mut self, now: Stamp, meanwhile: &dyn Fn(InLine)) {
        self.memory.set_now(now);
        let journal = SlowSeed {
            memory: &self.memory,
            meanwhile: &|| self.memory.in_line(&self.gate, LINE, meanwhile),
        };
        let step = GateStep {
            journal: &journal,
            index: INDEX,
            campaign: &self.campaign,
            gate: &self.gate,
            keys: &self.keys,
            people_of: &|_| self.people,
        };
        step.take(&mut self.step_memory, now).unwrap();
    }

    /// Into the first opening's line.
    pub fn enter(&self, at: u64, way: Way, now: Stamp) -> Place {
        self.enter_line(LINE, at, way, now)
    }

    fn enter_line(&self, line: LineIndex, at: u64, way: Way, now: Stamp) -> Place {
        let enter = |here: InLine| here.enter(person(at), way, now);
        self.memory.in_line(&self.gate, line, enter).unwrap()
    }

    fn lobby(&self, line: LineIndex) -> usize {
        let lobby = |here: InLine| lobby_of(here.line).len();
        self.memory.in_line(&self.gate, line, lobby)
    }
}

const FIRST: Way = Way::Lobby {
    is_drawn: true,
    opens: NOW,
};

/// A place that came into a draw after its seed is one that the journal contradicts: it can't be
/// applied, and a journal with it in could not be read again.
#[test]
fn nobody_comes_into_a_draw_whose_opening_has_come_however_slow_their_request() {
    let mut evening = Evening::new();
    for at in 1..=20 {
        let place = evening.enter(at, FIRST, NOW.plus_s(-60));
        assert_eq!(place.ticket.given, Given::new(at, true));
    }
    evening.step(NOW, &|_| ());
    // This request saw the lobby open; the next ones too, and take longer and longer.
    let late = evening.enter(100, FIRST, NOW);
    assert_eq!(late.ticket.given, Given::new(21, false));
    evening.step(NOW.plus_s(1), &|here| {
        let now = NOW.plus_s(1);
        let late = here.enter(person(101), FIRST, now).unwrap();
        assert_eq!(late.ticket.given, Given::new(22, false));
        // A crash forgot this place in the lobby, and its token is back.
        let token = Given::new(500, true);
        let back = here.look(person(102), token, now, Way::Open, now);
        assert_eq!(back.unwrap().ticket.given, Given::new(500, false));
    });
    assert_eq!(evening.lobby(LINE), 20);
    for later_s in 2..5 {
        let now = NOW.plus_s(later_s);
        evening.step(now, &|_| ());
        let late = evening.enter(100 + later_s as u64 * 10, FIRST, now);
        assert!(
            !late.ticket.given.in_draw(),
            "{later_s} s after the opening"
        );
    }
    evening.step(NOW.plus_s(5), &|_| ());
    assert_eq!(evening.lobby(LINE), 20);
    let drawn = (1..=20).map(|at| evening.enter(at, Way::Open, NOW.plus_s(5)).number);
    let mut drawn: Vec<u64> = drawn.collect();
    drawn.sort_unstable();
    assert_eq!(drawn, (1..=20).collect::<Vec<_>>());
}

#[test]
fn the_lobby_of_one_draw_is_open_while_that_of_another_closes() {
    let mut evening = Evening::new();
    let second = Way::Lobby {
        is_drawn: true,
        opens: NOW.plus_s(600),
    };
    let drawn = |state: &State| {
        let lines = state.campaign(INDEX).unwrap().lines.iter();
        lines
            .map(|line| line.draw.as_ref().unwrap().opening)
            .collect::<Vec<_>>()
    };
    assert_eq!(evening.memory.look(drawn), [NOW, NOW.plus_s(600)]);
    for (at, now) in [NOW.plus_s(-1), NOW, NOW.plus_s(1), NOW.plus_s(2)]
        .into_iter()
        .enumerate()
    {
        evening.step(now, &|_| ());
        let place = evening.enter_line(LineIndex(1), at as u64, second, now);
        assert!(place.ticket.given.in_draw());
    }
    evening.step(NOW.plus_s(600), &|_| ());
    assert!(
        !evening
            .enter_line(LineIndex(1), 9, second, NOW.plus_s(600))
            .ticket
            .given
            .in_draw()
    );
    evening.step(NOW.plus_s(601), &|_| ());
    assert_eq!(evening.lobby(LineIndex(1)), 4);
}

/// Before a draw nobody knows where they will be: the range is from the opening to the end of all
/// who are there by then, if they go on coming as they do.
#[test]
fn the_wait_in_the_lobby_of_a_draw_reaches_to_the_end_of_the_whole_lobby() {
    let mut evening = Evening::new();
    let most_s = |people: f64| (people / 10.0 / 0.7 + 30.0).ceil() as u64;
    let mut people = 0;
    for second in -600..-300 {
        let now = NOW.plus_s(second);
        for _ in 0..10 {
            people += 1;
            evening.enter(people, FIRST, now);
        }
        evening.step(now, &|_| ());
    }
    // Ten a second have come for five minutes, and in the next five as many will.
    let first = evening.enter(1, FIRST, NOW.plus_s(-300));
    let last = evening.enter(3_000, FIRST, NOW.plus_s(-300));
    assert_eq!(first.wait_s, last.wait_s);
    let [least, most] = first.wait_s;
    assert_eq!(least, 300);
    let expected = 300 + most_s(6_000.0);
    assert!(most.abs_diff(expected) < 20, "{most} for {expected}");
    // Nobody else comes: soon it is those who are there, and no less.
    for second in -300..0 {
        evening.step(NOW.plus_s(second), &|_| ());
    }
    let last = evening.enter(3_000, FIRST, NOW.plus_s(-1));
    assert_eq!(last.wait_s, [1, 1 + most_s(3_000.0)]);
    // A start finds them there; they have not come just now.
    let start = NOW.plus_s(-300);
    let campaign = evening.memory.look(|state| state.campaigns[0].clone());
    let (rules, settings) = (&evening.campaign.gate, &campaign.gate);
    evening.gate = Gate::new(rules, settings, &campaign.lines, start);
    evening.step_memory = StepMemory::default();
    evening.step(start, &|_| ());
    let last = evening.enter(3_000, FIRST, start);
    assert_eq!(last.wait_s, [300, 300 + most_s(3_000.0)]);
}

/// In 2021 the lobby of one evening was open while another opening ran. Each has its own line and
/// its own numbers: whoever waits in the lobby is in nobody's way, and nobody in theirs.
#[test]
fn the_lobby_of_one_opening_is_in_nobodys_way_in_another() {
    let mut evening = Evening::of(&DRAWS.replace("order = \"draw\"", "order = \"arrival\""));
    let second = LineIndex(1);
    let lobby = Way::Lobby {
        is_drawn: false,
        opens: NOW.plus_s(600),
    };
    evening.step(NOW, &|_| ());
    for at in 1..=100 {
        assert_eq!(
            evening.enter_line(second, 1_000 + at, lobby, NOW).number,
            at
        );
        assert_eq!(evening.enter(at, Way::Open, NOW).number, at);
    }
    for step in 0..100 {
        evening.step(Stamp(NOW.0 + step * Stamp::SECOND / 10), &|_| ());
    }
    let serving = |line: LineIndex| evening.gate.line(line).unwrap().serving();
    assert!((99..=100).contains(&serving(LINE)), "{}", serving(LINE));
    assert_eq!(serving(second), 0);
    let before = evening.enter_line(second, 1_001, lobby, NOW.plus_s(9));
    assert_eq!((before.state, before.wait_s[0]), (PlaceState::Lobby, 591));
}

/// Two openings at a time have one rate: by the number of people who wait in each, and a tenth for
/// each at least.
#[test]
fn two_lines_share_the_rate_by_the_number_of_people_who_wait() {
    let mut evening = Evening::of(&DRAWS.replace("order = \"draw\"", "order = \"arrival\""));
    let (second, from) = (LineIndex(1), NOW.plus_s(600));
    evening.step(from, &|_| ());
    for at in 1..=3_000 {
        evening.enter(at, Way::Open, from);
        if at % 100 == 0 {
            evening.enter_line(second, 10_000 + at, Way::Open, from);
        }
    }
    // Nobody comes whose turn it is; for a minute and more their turns are kept for them.
    let mut step = 0;
    let mut called_in = |evening: &mut Evening, seconds: i64| {
        let serving = |evening: &Evening| {
            [LINE, second].map(|line| evening.gate.line(line).unwrap().serving())
        };
        let [first, other] = serving(evening);
        for _ in 0..seconds * 10 {
            step += 1;
            evening.step(Stamp(from.0 + step * Stamp::SECOND / 10), &|_| ());
        }
        let [more, fewer] = serving(evening);
        [more - first, fewer - other]
    };
    called_in(&mut evening, 1);
    let [more, fewer] = called_in(&mut evening, 20);
    assert!((198..=202).contains(&(more + fewer)), "{more} and {fewer}");
    // A tenth for each, and of the rest one in a hundred.
    assert!((20..=23).contains(&fewer), "{more} and {fewer}");
    called_in(&mut evening, 15);
    assert_eq!(evening.gate.line(second).unwrap().serving(), 30);
    // Nobody waits in the second any more: all of the rate is the first's.
    let [all, none] = called_in(&mut evening, 10);
    assert!((99..=101).contains(&all) && none == 0, "{all} and {none}");
    // Somebody comes there, and goes in within a moment.
    evening.enter_line(second, 50_000, Way::Open, from.plus_s(47));
    assert_eq!(called_in(&mut evening, 2)[1], 1);
}

/// Places that come free one by one went to the first of two lines, always.
#[test]
fn two_lines_share_places_that_come_free_one_by_one() {
    let mut evening = Evening::of(&DRAWS.replace("order = \"draw\"", "order = \"arrival\""));
    let (second, from) = (LineIndex(1), NOW.plus_s(600));
    let room = |evening: &mut Evening, active_max: u32, now: Stamp| {
        evening.memory.set_now(now);
        let (campaign, act) = (INDEX, GateAct::Active { active_max });
        let set = Change::GateSet { campaign, act };
        evening.memory.journal(set).unwrap();
    };
    room(&mut evening, 1, from);
    for at in 0..400 {
        evening.enter(
            at,
            Way::Lobby {
                is_drawn: false,
                opens: from,
            },
            from,
        );
        if at % 4 == 0 {
            let lobby = Way::Lobby {
                is_drawn: false,
                opens: from,
            };
            evening.enter_line(second, 10_000 + at, lobby, from);
        }
    }
    for place in 1..=100 {
        let now = from.plus_s(i64::from(place) / 4 + 1);
        room(&mut evening, place, now);
        evening.step(now, &|_| ());
    }
    let called = [LINE, second].map(|line| evening.gate.line(line).unwrap().serving());
    assert_eq!(called[0] + called[1], 100, "{called:?}");
    // A tenth for each, and of the rest four fifths for the longer one: 74 and 26.
    assert!((70..=78).contains(&called[0]), "{called:?}");
}

/// When an opening is over its line is emptied, and the next one begins at number 1.
#[test]
fn a_line_ends_with_its_opening() {
    let mut evening = Evening::of(&DRAWS.replace("2021-07-20T18:00", "2021-07-19T20:20"));
    let over = NOW.plus_s(20 * 60);
    for at in 1..=20 {
        evening.enter(at, FIRST, NOW.plus_s(-60));
    }
    for second in 0..5 {
        evening.step(NOW.plus_s(second), &|_| ());
    }
    assert!(evening.gate.line(LINE).unwrap().serving() > 0);
    evening.step(over, &|_| ());
    let given = |evening: &Evening| {
        let people = |state: &State| state.campaigns[0].lines[0].given.len();
        evening.memory.look(people)
    };
    // Requests that saw it open have their time.
    assert_eq!(given(&evening), 20);
    evening.step(over.plus_s(5), &|_| ());
    assert_eq!(given(&evening), 0);
    assert!(
        evening
            .memory
            .look(|state| state.campaigns[0].lines[0].is_empty())
    );
    assert_eq!(evening.gate.line(LINE).unwrap().serving(), 0);
    assert_eq!(evening.gate.limits.outstanding(), 0);
    evening.step(over.plus_s(6), &|_| ());
    assert!(
        evening
            .memory
            .look(|state| state.campaigns[0].lines[0].is_empty())
    );
}

/// Another order came into force before anybody was there: the commitment is dropped, and whoever
/// comes is not drawn. With somebody there the line keeps the order that it began with.
#[test]
fn a_draw_that_is_not_wanted_any_more_is_dropped_while_nobody_is_in_it() {
    let lines = |evening: &Evening| {
        let is_drawn = |line: &Line| line.draw.is_some();
        evening.memory.look(|state| {
            state.campaigns[0]
                .lines
                .iter()
                .map(is_drawn)
                .collect::<Vec<_>>()
        })
    };
    let lobby_min = "lobby_opens_min = 5";
    for is_somebody_there in [false, true] {
        let mut evening = Evening::of(&DRAWS.replace("lobby_opens_min = 30", lobby_min));
        assert!(lines(&evening)[0]);
        if is_somebody_there {
            evening.enter(1, FIRST, NOW.plus_s(-400));
        }
        evening.campaign.gate.order = Order::Arrival;
        evening.step(NOW.plus_s(-399), &|_| ());
        evening.step(NOW.plus_s(-398), &|_| ());
        assert_eq!(lines(&evening)[0], is_somebody_there);
    }
}

/// The line of a draw that is not wanted any more is emptied, and somebody comes in that moment:
/// a number of it would be another person's in the next line.
#[test]
fn nobody_is_given_a_number_of_a_line_that_is_being_emptied() {
    let mut evening = Evening::of(&DRAWS.replace("lobby_opens_min = 30", "lobby_opens_min = 5"));
    let now = NOW.plus_s(-301);
    evening.step(now, &|_| ());
    evening.campaign.gate.order = Order::Arrival;
    let came = std::cell::Cell::new(0);
    evening.step(now, &|here| {
        came.set(came.get() + 1);
        assert_eq!(here.enter(person(1), FIRST, now), None);
        let token = Given::new(9, false);
        here.look(person(2), token, now, FIRST, now);
        assert!(here.live.fresh().is_empty());
    });
    assert!(came.get() > 0);
    evening.step(now, &|_| ());
    assert_eq!(evening.enter(1, FIRST, NOW.plus_s(-300)).number, 1);
}

/// The instants at which its keeper looked ahead were both not in its lobby or opening.
#[test]
fn numbers_are_leased_ahead_also_for_an_opening_of_a_few_minutes() {
    let short = DRAWS
        .replace("2021-07-20T18:00", "2021-07-19T20:15")
        .replace("lobby_opens_min = 30", "lobby_opens_min = 1");
    let evening = Evening::of(&short.replace("order = \"draw\"", "order = \"arrival\""));
    let lobby = NOW.plus_s(-60);
    let place = evening.memory.in_line(&evening.gate, LINE, |here| {
        here.enter(person(1), FIRST, lobby)
    });
    assert_eq!(place.unwrap().number, 1);
}

/// They were called before the end and came too late: nobody gave them a turn any more.
#[test]
fn whoever_was_called_and_came_late_goes_in_while_others_finish() {
    let source = DRAWS
        .replace("2021-07-20T18:00", "2021-07-19T20:05")
        .replace("2021-07-19T20:10", "2021-07-19T20:01")
        .replace("order = \"draw\"", "order = \"arrival\"\nfinish_min = 10");
    let mut evening = Evening::of(&source);
    for at in 1..=30 {
        evening.enter(at, Way::Open, NOW);
    }
    for second in 0..=300 {
        evening.step(NOW.plus_s(second), &|_| ());
    }
    let over = NOW.plus_s(300);
    let goes_in = |evening: &Evening, at: u64, now: Stamp| {
        let place = evening.enter(at, Way::Finishing, now);
        assert_eq!(place.state, PlaceState::Admitted);
        evening.gate.admit(person(at), &place, now).is_some()
    };
    let early = (1..=30).filter(|at| goes_in(&evening, *at, over)).count();
    assert!(early < 30, "their turns had been given on");
    for second in 1..=5 {
        evening.step(over.plus_s(second), &|_| ());
    }
    for at in 1..=30 {
        assert!(goes_in(&evening, at, over.plus_s(5)), "{at}");
    }
    // Whoever has no number comes to nothing any more.
    let look = |here: InLine| here.enter(person(99), Way::Finishing, over);
    assert_eq!(evening.memory.in_line(&evening.gate, LINE, look), None);
}
