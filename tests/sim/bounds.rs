//! What has an end: the changes that one person causes in an hour, and the memory of requests.

use sumun::domain::booking::decide::{Ask, Seat};
use sumun::domain::ids::Pool;

use crate::disk::{Crash, Plan};
use crate::run::Fate;
use crate::story::Story;
use crate::world::{DAY, HOUR};

fn told(story: &Story, kind: &str) -> u64 {
    story.run.tally.get(kind).copied().unwrap_or_default()
}

fn crash(story: &mut Story) {
    story.run.fate = Some(Fate {
        way: Crash::Killed,
        recovery: Plan::Healthy,
    });
    story.run.crash();
}

/// A script placed hold after hold for a whole evening: the data file grew with each, and everybody
/// waited behind its commits.
#[test]
fn a_person_has_sixty_changes_in_an_hour_and_can_always_confirm() {
    let mut story = Story::new();
    story.set_up();
    for _ in 0..60 {
        story.hold(0, 3);
    }
    assert_eq!(
        (told(&story, "held"), told(&story, "too many changes")),
        (60, 0)
    );
    story.hold(0, 3);
    story.release(0);
    story.book(0, 0);
    assert_eq!(told(&story, "too many changes"), 3);
    // The seat that was promised is theirs, and others are not kept waiting.
    story.confirm(0);
    assert!(story.number(0).is_some());
    story.hold(1, 3);
    assert_eq!(told(&story, "held"), 61);
    story.cancel(0);
    assert_eq!(told(&story, "too many changes"), 4);
    // The next process counts on.
    crash(&mut story);
    story.cancel(0);
    assert_eq!(told(&story, "too many changes"), 5);
    story.run.advance(HOUR - 1);
    story.cancel(0);
    assert_eq!(told(&story, "too many changes"), 6);
    story.run.advance(1);
    story.cancel(0);
    assert_eq!(story.number(0), None);
    story.run.check_replay();
}

#[test]
fn a_key_is_forgotten_after_24_hours() {
    let mut story = Story::new();
    story.set_up();
    let known = &story.run.model.campaigns[0];
    let seat = Seat::Claimed(known.doses(3), Pool::Public);
    story.ask(4, Ask::Book { seat, agreed: None });
    assert!(story.number(4).is_some());
    let again = |story: &mut Story| story.ask_again(4, Ask::Book { seat, agreed: None });
    story.run.advance(DAY - 1);
    again(&mut story);
    crash(&mut story);
    again(&mut story);
    assert_eq!(told(&story, "repeats answered"), 2);
    assert_eq!(told(&story, "booked already"), 0);
    story.run.advance(1);
    again(&mut story);
    assert_eq!(told(&story, "repeats answered"), 2);
    assert_eq!(told(&story, "booked already"), 1);
    // The next entry takes it out of the memory too.
    story.cancel(4);
    let shared = story.run.core().shared().clone();
    let state = shared.state.read().unwrap();
    assert_eq!(state.campaigns[0].repeats.len(), 1);
    drop(state);
    story.run.check_replay();
}
