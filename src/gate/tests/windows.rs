//! Openings whose people come by windows.

use super::evening::Evening;
use super::*;
use crate::domain::campaign::Campaign;
use crate::domain::entry::{Change, GateAct};
use crate::domain::line::windows::Window;
use crate::gate::memory::INDEX;

/// Ten let in each second, so 3,000 people in a window of ten minutes; 12,000 people.
const WINDOWS: &str = r#"
[campaign]
id = "windows"
name = { ko = "예약", en = "Booking" }
timezone = "Asia/Seoul"
identity = ["name", "birth_date", "code"]
[[cohort]]
id = "a"
born = ["1967-01-01", "1967-12-31"]
[[opening]]
cohorts = ["a"]
from = "2021-07-19T20:00"
until = "2021-07-20T18:00"
[[vaccine]]
id = "mrna"
doses = 1
[gate]
order = "windows"
window_min = 10
reveal_min = 5
admit_per_s = 10
"#;
const WAY: Way = Way::Windows { opens: NOW };

fn window(evening: &Evening, at: u64) -> Option<Window> {
    let look = |here: InLine| here.line.window_of(&person(at));
    evening.memory.in_line(&evening.gate, LINE, look)
}

/// Minutes from the opening to the beginning of each person's window, for the first so many.
fn minutes(evening: &Evening, people: u64) -> Vec<i64> {
    let minute = |at: u64| {
        let window = window(evening, at).expect("windows are shown");
        (window.from.0 - NOW.0) / (60 * Stamp::SECOND)
    };
    (0..people).map(minute).collect()
}

fn set(evening: &mut Evening, act: GateAct, now: Stamp) {
    evening.memory.set_now(now);
    let campaign = INDEX;
    let set = Change::GateSet { campaign, act };
    evening.memory.journal(set).unwrap();
}

fn enter(evening: &Evening, at: u64, now: Stamp) -> Option<Place> {
    let enter = |here: InLine| here.enter(person(at), WAY, now);
    evening.memory.in_line(&evening.gate, LINE, enter)
}

fn look(evening: &Evening, at: u64, ticket: Given, now: Stamp) -> Place {
    let look = |here: InLine| here.look(person(at), ticket, now, WAY, now);
    evening.memory.in_line(&evening.gate, LINE, look).unwrap()
}

#[test]
fn windows_are_committed_to_early_and_shown_a_set_time_before_the_opening() {
    let mut evening = Evening::of(WINDOWS);
    let draw = |evening: &Evening| {
        let draw = |here: InLine| here.line.draw.clone();
        evening.memory.in_line(&evening.gate, LINE, draw).unwrap()
    };
    assert_eq!(draw(&evening).seed, None);
    assert_eq!(window(&evening, 1), None);
    let now = NOW.plus_s(-300);
    let value = GateAct::DrawValue {
        line: LINE,
        value: "7 12 23".to_owned(),
        source: "a lottery".to_owned(),
    };
    set(&mut evening, value, NOW.plus_s(-400));
    // The request comes before the keeper: there is no window yet, and nobody has a number.
    assert_eq!(enter(&evening, 1, now), None);
    evening.step(now, &|_| ());
    assert_ne!(draw(&evening).seed, draw(&evening).drawn_by);
    let board = evening.gate.board.load().view.clone();
    assert_eq!(board.lines[0].windows[0].windows, 4);
    assert_eq!(board.lines[0].windows[0].from, "2021-07-19T20:00:00+09:00");
    // Each window has about a quarter of them.
    let all = minutes(&evening, 4_000);
    for begins in [0, 10, 20, 30] {
        let people = all.iter().filter(|minute| **minute == begins).count();
        assert!((850..1_150).contains(&people), "{people} at {begins}");
    }
}

#[test]
fn nobody_comes_before_their_window_and_everybody_straight_in_it_and_after_it() {
    let mut evening = Evening::of(WINDOWS);
    let shown = NOW.plus_s(-200);
    evening.step(shown, &|_| ());
    let begins = minutes(&evening, 400);
    let first = |minute: i64| begins.iter().position(|at| *at == minute).unwrap() as u64;
    let (now, later, last) = (first(0), first(10), first(30));
    for at in [now, later, last] {
        let place = enter(&evening, at, shown).unwrap();
        assert_eq!((place.state, place.number), (PlaceState::Window, 0));
        assert_eq!(place.window, window(&evening, at));
        assert_eq!(evening.gate.admit(person(at), &place, shown), None);
        // Told their window, they come in it: nobody polls through the night.
        let begins_s = 200 + begins[at as usize] as u32 * 60;
        let (soonest, latest) = (begins_s.min(1_800), begins_s + 300);
        assert!((soonest..=latest).contains(&place.next_poll_s), "{place:?}");
        let again = look(&evening, at, place.ticket.given, shown);
        assert_eq!(again, place);
    }
    evening.step(NOW, &|_| ());
    let token = Given::new(0, false);
    let place = look(&evening, now, token, NOW);
    assert_eq!((place.state, place.number), (PlaceState::Admitted, 1));
    assert!(evening.gate.admit(person(now), &place, NOW).is_some());
    assert_eq!(look(&evening, later, token, NOW).state, PlaceState::Window);
    let begun = NOW.plus_s(600);
    evening.step(begun, &|_| ());
    assert_eq!(look(&evening, later, token, begun).number, 2);
    // Long after their window.
    let evening_after = NOW.plus_s(7_200);
    evening.step(evening_after, &|_| ());
    let place = enter(&evening, last, evening_after).unwrap();
    assert_eq!((place.state, place.number), (PlaceState::Admitted, 3));
    // When the opening is over, nobody is given a number any more.
    let never = |here: InLine| here.enter(person(9_999), Way::Finishing, evening_after);
    assert_eq!(evening.memory.in_line(&evening.gate, LINE, never), None);
    // The number stays theirs, as in every line.
    let again = look(&evening, last, place.ticket.given, evening_after);
    assert_eq!(again.number, 3);
}

#[test]
fn another_rate_moves_only_windows_that_have_not_begun() {
    let mut evening = Evening::of(WINDOWS);
    evening.step(NOW.plus_s(-200), &|_| ());
    let before = minutes(&evening, 1_000);
    let now = NOW.plus_s(660);
    set(&mut evening, GateAct::Rate { admit_per_s: 5 }, now);
    evening.step(now, &|_| ());
    let after = minutes(&evening, 1_000);
    for (before, after) in before.iter().zip(&after) {
        let begun = *before < 20;
        let stayed = before == after || (!begun && *after >= 20);
        assert!(stayed, "{before} {after}");
    }
    // 6,000 people are left, 1,500 in a window.
    assert_eq!(after.iter().max(), Some(&50));
    // Nothing is planned again while nothing changes.
    let plans = evening.gate.board.load().view.lines[0].windows.clone();
    evening.step(now.plus_s(60), &|_| ());
    assert_eq!(plans.len(), 2);
    assert_eq!(evening.gate.board.load().view.lines[0].windows, plans);
}

#[test]
fn a_line_keeps_its_numbers_when_the_order_changes() {
    let mut evening = Evening::of(WINDOWS);
    evening.step(NOW.plus_s(-200), &|_| ());
    let begins = minutes(&evening, 100);
    let later = begins.iter().position(|at| *at == 30).unwrap() as u64;
    // By arrival from now on: whoever waits for their window comes in at once.
    let by_arrival = WINDOWS.replace("\"windows\"\nwindow", "\"arrival\"\nwindow");
    evening.campaign = Campaign::parse(&by_arrival).unwrap().0;
    evening.step(NOW.plus_s(60), &|_| ());
    let place = evening.enter(later, Way::Open, NOW.plus_s(60));
    assert_eq!((place.state, place.number), (PlaceState::Admitted, 1));
    // Back to windows: the number stays theirs, others wait for theirs as before.
    evening.campaign = Campaign::parse(WINDOWS).unwrap().0;
    let now = NOW.plus_s(120);
    evening.step(now, &|_| ());
    assert_eq!(look(&evening, later, place.ticket.given, now).number, 1);
    assert_eq!(minutes(&evening, 100), begins);

    // Another order and back, before anybody came: nobody is drawn again.
    let mut evening = Evening::of(&WINDOWS.replace("reveal_min = 5", "reveal_min = 60"));
    let begins = minutes(&evening, 100);
    let seed = |evening: &Evening| {
        let seed = |here: InLine| here.line.draw.clone().unwrap().seed;
        evening.memory.in_line(&evening.gate, LINE, seed)
    };
    let shown = seed(&evening);
    for other in ["draw", "arrival"] {
        let rules = WINDOWS.replace("\"windows\"\nwindow", &format!("\"{other}\"\nwindow"));
        evening.campaign = Campaign::parse(&rules).unwrap().0;
        evening.campaign.gate.lobby_opens_min = 1;
        evening.step(NOW.plus_s(-500), &|_| ());
        evening.campaign = Campaign::parse(WINDOWS).unwrap().0;
        evening.campaign.gate.reveal_min = 60;
        evening.step(NOW.plus_s(-490), &|_| ());
        assert_eq!(minutes(&evening, 100), begins);
        assert_eq!(seed(&evening), shown);
    }

    // A line that began by arrival goes on by arrival under rules with windows.
    let mut evening = Evening::of(&by_arrival);
    evening.step(NOW, &|_| ());
    assert_eq!(evening.enter(1, Way::Open, NOW).number, 1);
    evening.campaign = Campaign::parse(WINDOWS).unwrap().0;
    evening.step(NOW.plus_s(1), &|_| ());
    assert_eq!(enter(&evening, 2, NOW.plus_s(1)).unwrap().number, 2);
    assert_eq!(window(&evening, 2), None);
}

/// Whoever was told a window showed it while the opening was postponed, and had the first number
/// of a lobby that was not open.
#[test]
fn nobody_comes_in_by_the_window_of_an_opening_that_was_postponed() {
    let mut evening = Evening::of(WINDOWS);
    evening.step(NOW.plus_s(-200), &|_| ());
    let begun = minutes(&evening, 100);
    assert!(begun.contains(&0));
    let later = WINDOWS.replace("2021-07-19T20:00", "2021-07-19T22:00");
    evening.campaign = Campaign::parse(&later).unwrap().0;
    let opens = NOW.plus_s(7_200);
    evening.step(NOW.plus_s(-100), &|_| ());
    // Long before the time at which they can be looked up, the windows that were told move too.
    let moved: Vec<_> = begun.iter().map(|minute| minute + 120).collect();
    assert_eq!(minutes(&evening, 100), moved);
    let (token, now) = (Given::new(0, false), NOW.plus_s(1));
    let by = |way: Way, at: u64| {
        let look = |here: InLine| here.look(person(at), token, NOW.plus_s(-200), way, now);
        evening.memory.in_line(&evening.gate, LINE, look)
    };
    for at in 0..10 {
        let place = by(Way::Windows { opens }, at).unwrap();
        assert_eq!(place.state, PlaceState::Window);
        assert_eq!(by(Way::Postponed { opens }, at), None);
    }
}
