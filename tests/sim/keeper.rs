//! A keeper with a defect: what it asks for is refused before it is durable, and the journal stays
//! readable.

use std::collections::VecDeque;

use sumun::domain::entry::Change;
use sumun::domain::ids::{CampaignIndex, LineIndex, PersonKey};
use sumun::domain::line::{Given, commitment};
use sumun::domain::time::Stamp;
use sumun::engine::command::{Command, Outcome};
use sumun::engine::core::Core;
use sumun::engine::open::open;
use tokio::sync::oneshot;

use crate::disk::Disk;
use crate::story::Story;
use crate::world::keys;

const CAMPAIGN: CampaignIndex = CampaignIndex(0);

fn keep(core: &mut Core, changes: Vec<Change>) -> Vec<Outcome> {
    let mut commands = VecDeque::new();
    let mut answers = Vec::new();
    for change in changes {
        let (reply, answer) = oneshot::channel();
        commands.push_back(Command::Keep { change, reply });
        answers.push(answer);
    }
    while !commands.is_empty() {
        core.step(&mut commands).expect("a healthy disk");
    }
    let answers = answers.iter_mut();
    answers.map(|answer| answer.try_recv().unwrap()).collect()
}

#[test]
fn what_a_keeper_with_a_defect_asks_for_never_becomes_durable() {
    let mut story = Story::new();
    story.set_up();
    let disk = Disk::with_both(story.run.disk.both());
    let clock = story.run.clock.clone();
    let mut core = open(disk.open().unwrap(), keys(), |_| clock.clone()).unwrap();
    let campaign = CAMPAIGN;
    let line = LineIndex(0);
    let lease = |first, until| Change::NumbersLeased {
        campaign,
        line,
        first,
        until,
    };
    let given = |number, in_draw| Change::PlacesGiven {
        campaign,
        line,
        places: vec![(PersonKey([1; 16]), Given::new(number, in_draw))],
    };
    let reveal = |seed| Change::DrawRevealed {
        campaign,
        line,
        seed,
    };
    let commit = Change::DrawCommitted {
        campaign,
        line,
        opening: Stamp(1),
        commitment: commitment(&[5; 32]),
    };
    let elsewhere = Change::ServingAdvanced {
        campaign: CampaignIndex(7),
        line,
        serving: 1,
    };
    let good = vec![lease(1, 100), commit.clone(), given(1, true)];
    assert_eq!(keep(&mut core, good), vec![Outcome::Kept; 3]);
    let before = core.shared().state.read().unwrap().clone();
    let bad = vec![
        lease(50, 200),
        lease(103, 200),
        lease(101, 100),
        given(101, false),
        Change::ServingAdvanced {
            campaign,
            line: LineIndex(7),
            serving: 1,
        },
        commit,
        reveal([6; 32]),
        elsewhere,
        // What is made by others is not a keeper's.
        Change::SitesImported {
            campaign,
            parts: 1,
            rows: 1,
        },
    ];
    let number = bad.len();
    assert_eq!(keep(&mut core, bad), vec![Outcome::Contradicts; number]);
    assert_eq!(*core.shared().state.read().unwrap(), before);
    // Two of one line in one batch: the second is decided after the first.
    let both = vec![reveal([5; 32]), given(2, true), lease(101, 200)];
    let told = keep(&mut core, both);
    assert_eq!(told, [Outcome::Kept, Outcome::Contradicts, Outcome::Kept]);
    let live = core.shared().state.read().unwrap().clone();
    drop(core);
    let again = open(disk.open().unwrap(), keys(), |_| clock).expect("the journal is readable");
    assert_eq!(*again.shared().state.read().unwrap(), live);
}
