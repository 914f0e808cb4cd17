//! Clocks that step while somebody books, and that are behind when the program starts again.

use sumun::domain::entry::Change;
use sumun::domain::time::Stamp;

use crate::check::journal;
use crate::disk::{Crash, Plan};
use crate::run::Fate;
use crate::story::Story;
use crate::world::{DAY, HOUR, SECOND};

fn changes(story: &Story) -> Vec<(Stamp, Change)> {
    let found = story.run.read(|read| journal(read, 0));
    found
        .into_iter()
        .map(|entry| (entry.stamp, entry.change))
        .collect()
}

/// In 2021 a wrong clock told eligible people that they were not. Here the wall clock steps between
/// a hold and its booking: the decision, the hold's end and the stamps follow the server's time.
#[test]
fn a_step_of_the_wall_clock_in_mid_booking_changes_nothing_and_is_in_the_journal() {
    for step_ns in [-HOUR, HOUR, -DAY, DAY] {
        let mut story = Story::new();
        story.set_up();
        story.hold(0, 0);
        story.run.clock.step_wall(step_ns);
        story.confirm(0);
        assert!(story.number(0).is_some(), "the hold was taken in time");
        let steps: Vec<_> = changes(&story)
            .into_iter()
            .filter_map(|(_, change)| match change {
                Change::ClockStepped { step_ns } => Some(step_ns),
                _ => None,
            })
            .collect();
        assert_eq!(steps, [step_ns]);
        story.run.check_replay();
    }
}

#[test]
fn a_restart_behind_the_last_entry_keeps_its_stamp_until_the_clock_has_passed_it() {
    for behind_ns in [HOUR, DAY] {
        let mut story = Story::new();
        story.set_up();
        story.hold(0, 0);
        let last = story.run.model.stamp;
        // The wall is set back; the next process starts with its time.
        story.run.clock.step_wall(-behind_ns);
        story.run.fate = Some(Fate {
            way: Crash::Killed,
            recovery: Plan::Healthy,
        });
        story.run.crash();
        assert_eq!(story.run.now().0, last.0 - behind_ns);
        story.confirm(0);
        let found = changes(&story);
        let (stamp, change) = &found[found.len() - 2];
        assert_eq!((*stamp, change), (last, &Change::ClockBehind { behind_ns }));
        let (stamp, change) = found.last().unwrap();
        assert!(
            matches!(change, Change::Booked { hold: Some(_), .. }),
            "{change:?}"
        );
        assert_eq!(*stamp, last);
        // A hold taken meanwhile is counted from the stamp that its entry carries.
        story.hold(1, 2);
        story.run.advance(behind_ns + 300 * SECOND - 1);
        story.run.step();
        assert!(story.held(1).is_some(), "it runs for one more nanosecond");
        story.run.advance(1);
        story.run.step();
        assert!(story.held(1).is_none(), "and not longer");
        story.run.check_replay();
    }
}

/// The opening of those born in the seventies ends ten minutes into the story, exactly.
#[test]
fn a_hold_taken_in_time_converts_after_the_opening_and_nothing_else_does() {
    let mut story = Story::new();
    story.set_up();
    let (_, until) = story.run.model.campaigns[0].rules.openings[1][0];
    let now = story.run.now();
    story.run.advance(until.0 - 1 - now.0);
    story.hold(5, 3);
    assert!(
        story.held(5).is_some(),
        "the last nanosecond is part of the opening"
    );
    story.run.advance(1);
    story.hold(6, 3);
    story.book(7, 3);
    assert!(
        story.held(6).is_none() && story.number(7).is_none(),
        "the opening is over"
    );
    story.confirm(5);
    assert!(story.number(5).is_some(), "a hold is a promise");
}

/// With as many recoveries at once as the pool has threads, each used to wait for the others' ends.
#[test]
fn recoveries_on_every_thread_of_the_pool_do_not_wait_for_each_other() {
    let mut story = Story::new();
    story.short();
    let (done, finished) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let seqs = rayon::broadcast(|_| {
            story
                .run
                .read(|read| sumun::journal::recovery::recover(read).unwrap().state.seq.0)
        });
        done.send(seqs).unwrap();
    });
    let seqs = finished.recv_timeout(std::time::Duration::from_secs(60));
    let seqs = seqs.expect("recovery ends");
    assert!(seqs.iter().all(|seq| *seq == seqs[0] && *seq > 1));
}
