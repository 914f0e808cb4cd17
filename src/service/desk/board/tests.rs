//! What the board shows of a small evening, and who is shown it.

use std::sync::Mutex;
use std::time::Instant;

use super::door::{CLASSES, DoorCounts};
use super::snapshot::CampaignNow;
use super::*;
use crate::clock::Clock;
use crate::domain::entry::Actor;
use crate::domain::time::Stamp;
use crate::engine::command::{Command, Operation};
use crate::engine::core::Core;
use crate::engine::writer::WriterHandle;
use crate::measure::{Counted, Histogram};
use crate::ops::folder::Folder;

const CAMPAIGN: &str = include_str!("../../../../data/campaign.toml");
/// Ten minutes after the campaign's first opening.
const NOW: &str = "2021-07-12T00:10:00+09:00";

/// A listener whose counts are set by hand.
struct ByHand(Mutex<DoorCounts>);

impl Counting for ByHand {
    fn counts(&self) -> DoorCounts {
        locked(&self.0).clone()
    }
}

/// A service without a writer, whose clock is set by hand.
fn world() -> (tempfile::TempDir, Service, Clock, Core) {
    let temporary = tempfile::tempdir().unwrap();
    let folder = Folder::at(temporary.path());
    let clock = Clock::manual(Stamp::parse(NOW).unwrap());
    folder.init(&clock).unwrap();
    let (own, source) = (clock.clone(), CAMPAIGN.to_owned());
    let mut core = folder.open(|_| own).unwrap();
    let (reply, _outcome) = tokio::sync::oneshot::channel();
    let activate = Command::Operate {
        actor: Actor::operator("root"),
        operation: Operation::Activate {
            source,
            now: Stamp(0),
            shifts: false,
        },
        reply,
    };
    core.step(&mut [activate].into()).unwrap();
    let service = Service::new(
        Arc::clone(core.shared()),
        Arc::clone(core.store()),
        WriterHandle::without_a_writer(),
        Arc::clone(core.keys()),
        core.clock().clone(),
    );
    (temporary, service, clock, core)
}

fn counts(refused: u64, put_off: u64, answered: &Histogram) -> DoorCounts {
    let mut answers = [Counted::default(); CLASSES.len()];
    answers[0] = Counted::of(answered);
    DoorCounts {
        answers,
        refusals: vec![("slot_full", refused), ("paused", 0)],
        put_off: vec![("browse", put_off)],
        connections: 3,
        connections_max: 100,
    }
}

#[test]
fn what_the_listener_counts_becomes_rates_and_the_last_minute() {
    let (_folder, service, _, _core) = world();
    let answered = Histogram::default();
    let door = ByHand(Mutex::new(counts(5, 0, &answered)));
    let mut observer = Observer::new(&service, 7);
    let first = observer.observe(&service, &door).snapshot;
    assert_eq!((first.number, first.server.connections), (8, 3));
    assert_eq!(
        (&first.server.answers[..], &first.server.acts[..]),
        (&[][..], &[][..])
    );
    let told = &first.server.refusals;
    assert_eq!((told.len(), told[0].last_minute, told[0].in_all), (1, 0, 5));
    for at in 1..=70 {
        answered.note(Duration::from_millis(40));
        *locked(&door.0) = counts(5 + at, at, &answered);
        let now = observer.observe(&service, &door).snapshot.server;
        assert_eq!(now.refusals[0].in_all, 5 + at);
        assert_eq!(now.refusals[0].last_minute, at.min(60));
        let [answers] = &now.answers[..] else {
            panic!("{:?}", now.answers);
        };
        // The two looks follow on each other at once, which counts as a tenth of a second.
        assert_eq!((answers.class, answers.per_s), ("confirm", 10.0));
        assert!((25.0..=50.0).contains(&answers.p99_ms), "{answers:?}");
        assert_eq!((now.acts[0].what, now.acts[0].figure), ("puts_off", 10.0));
    }
    assert_eq!(observer.observe(&service, &door).snapshot.server.acts, []);
}

#[test]
fn a_campaign_is_told_with_its_lines_its_pause_and_what_the_gate_does() {
    let (_folder, service, clock, mut core) = world();
    let door = ByHand(Mutex::default());
    let mut observer = Observer::new(&service, 0);
    let open = observer.observe(&service, &door).snapshot;
    let [campaign] = &open.campaigns[..] else {
        panic!("{open:?}");
    };
    assert_eq!((&*campaign.state, &campaign.paused), ("open", &None));
    assert_eq!(campaign.controller.acts, []);
    let (set, rate) = (
        campaign.controller.rate_set_per_s,
        campaign.controller.rate_in_force_per_s,
    );
    assert_eq!(f64::from(set), rate);
    assert!(open.openings.iter().any(|opening| opening.state == "open"));
    assert!(
        open.openings
            .iter()
            .any(|opening| opening.state == "before")
    );
    assert!(
        open.openings
            .is_sorted_by_key(|opening| opening.from.clone())
    );

    // Half a second of slow commits makes the brake act.
    let (_, gate) = service.gates().remove(0);
    gate.limits
        .delayed(crate::gate::admission::Queue::Writer, 200_000);
    clock.advance(Duration::from_secs(1));
    let line = service.shared.state().campaigns[0]
        .catalog
        .campaign
        .openings[0]
        .line;
    gate.line(line)
        .unwrap()
        .admission
        .allowed(0, true, 0, clock.now());
    let braked = observer.observe(&service, &door).snapshot;
    let controller = &braked.campaigns[0].controller;
    let [act] = &controller.acts[..] else {
        panic!("{controller:?}");
    };
    assert_eq!(
        (act.what, act.why, act.figure),
        ("brakes", "writer_delay_ms", 200.0)
    );
    assert_eq!(act.bound, Some(50.0));
    assert!(controller.rate_in_force_per_s < f64::from(controller.rate_set_per_s));

    let (reply, _outcome) = tokio::sync::oneshot::channel();
    let pause = crate::domain::entry::GateAct::PauseSaid {
        reason: crate::domain::line::Notice {
            text: "점검".to_owned(),
            en: Some("maintenance".to_owned()),
        },
        freezes: true,
    };
    let operation = Operation::Gate {
        campaign: None,
        act: pause,
        reason: None,
    };
    let operate = Command::Operate {
        actor: Actor::System,
        operation,
        reply,
    };
    core.step(&mut [operate].into()).unwrap();
    let paused = observer.observe(&service, &door).snapshot;
    let told = paused.campaigns[0].paused.as_ref().unwrap();
    assert_eq!(told.reason.en.as_deref(), Some("maintenance"));
    assert!(told.freezes && paused.campaigns[0].state == "paused");
    assert!(
        paused
            .openings
            .iter()
            .all(|opening| opening.state != "open")
    );
}

fn of(campaigns: &[&str]) -> BoardSnapshot {
    let campaign = |id: &&str| CampaignNow {
        campaign: (*id).to_owned(),
        bookings: 10,
        waiting: 3,
        ..CampaignNow::default()
    };
    BoardSnapshot {
        bookings: 10 * campaigns.len() as u64,
        campaigns: campaigns.iter().map(campaign).collect(),
        ..BoardSnapshot::default()
    }
}

#[test]
fn an_account_is_shown_its_campaigns_alone_in_bytes_that_all_of_them_share() {
    let frame = Frame::of(of(&["one", "two"]));
    let everything = frame.forms(&Bounds::default());
    assert!(Arc::ptr_eq(
        &everything.json,
        &frame.forms(&Bounds::default()).json
    ));
    let bounds = Bounds {
        campaigns: vec!["two".to_owned()],
        ..Bounds::default()
    };
    let cut = frame.forms(&bounds);
    assert!(Arc::ptr_eq(&cut.event, &frame.forms(&bounds).event));
    let read: serde_json::Value = serde_json::from_slice(&cut.json).unwrap();
    assert_eq!(
        (&read["bookings"], &read["waiting"]),
        (&10.into(), &3.into())
    );
    assert_eq!(read["campaigns"].as_array().unwrap().len(), 1);
    let event = String::from_utf8(cut.event.to_vec()).unwrap();
    assert!(event.starts_with("id: 0\nevent: board\ndata: {") && event.ends_with("}\n\n"));
    assert_eq!(event.lines().count(), 4, "an event is one line of data");
}

#[tokio::test]
async fn a_slow_viewer_is_shown_the_newest_and_nobody_more_once_it_stops() {
    let board = Arc::new(DeskBoard::default());
    let show = |number| {
        let snapshot = BoardSnapshot {
            number,
            ..BoardSnapshot::default()
        };
        board.frames.send_replace(Arc::new(Frame::of(snapshot)));
    };
    show(1);
    let (mut slow, mut quick) = (board.watch().unwrap(), board.watch().unwrap());
    assert_eq!(quick.next().await.unwrap().snapshot.number, 1);
    (2..=9).for_each(show);
    assert_eq!(slow.next().await.unwrap().snapshot.number, 9);
    assert_eq!(quick.next().await.unwrap().snapshot.number, 9);
    board.stop();
    assert!(slow.next().await.is_none() && quick.next().await.is_none());
    let began: Instant = tick();
    assert!(board.wait(Duration::from_secs(60)) && began.elapsed() < Duration::from_secs(30));
}

#[test]
fn viewers_have_a_bound_and_give_their_places_back() {
    let board = Arc::new(DeskBoard::default());
    let mut all: Vec<_> = (0..VIEWERS_MAX).map(|_| board.watch().unwrap()).collect();
    assert!(board.watch().is_none());
    all.pop();
    assert!(board.watch().is_some());
}
