//! What people and the auditor are told: waits, shares and the public key.

use super::*;

/// Early comers were compared with what the last of the lobby would have been told, which no page
/// shows before the opening; so was who came in a pause.
#[test]
fn only_who_was_told_a_wait_is_compared_with_it() {
    let mut journal = Journal::founded();
    journal.at(-1_000).add(Change::NumbersLeased {
        campaign: CAMPAIGN,
        line: LINE,
        first: 1,
        until: 100,
    });
    journal.at(-30).tell([90, 100], None).give(&[(1, 1)]);
    journal.at(0).tell([60, 80], None);
    journal.at(10).give(&[(2, 2), (3, 3), (4, 4)]).serve(1);
    journal.at(60).tell([60, 80], None);
    journal.at(65).serve(2);
    journal.at(80).serve(3);
    journal.at(95).serve(4);
    let reason = Notice {
        text: "점검".to_owned(),
        en: None,
    };
    journal.at(100).set(GateAct::PauseSaid {
        reason,
        freezes: false,
    });
    journal.at(120).tell([60, 80], None).give(&[(5, 5)]);
    journal.at(130).set(GateAct::Resume).serve(5);
    // Called, and no entry says what was told around then.
    journal.at(600).give(&[(6, 6)]).serve(6);
    let waits = journal.finish().waits;
    assert_eq!((waits.compared, waits.untold), (3, 3));
    assert_eq!((waits.shorter, waits.within, waits.longer), (1, 1, 1));
    assert_eq!(waits.had_s.count, waits.compared + waits.untold);
}

/// Where nobody waits, the only open line has a half of the rate if another one is about to end:
/// the evidence said that a line alone had been given a half.
#[test]
fn the_share_of_a_line_counts_while_somebody_waits() {
    let share_of = |minutes: &[(u64, u16)]| {
        let mut journal = Journal::founded();
        for (at, (waiting, share_permille)) in minutes.iter().enumerate() {
            let late = 0;
            journal.at(60 * at as i64).tell_all(Told {
                waiting: *waiting,
                late,
                share_permille: *share_permille,
                ..told()
            });
        }
        journal.finish().controller[0].share_permille_least
    };
    assert_eq!(share_of(&[(0, 500), (4, 1_000), (0, 500)]), Some(1_000));
    assert_eq!(share_of(&[(3, 700), (4, 800)]), Some(700));
    assert_eq!(share_of(&[(0, 500)]), None);
}

/// The key of the page is the one that verifies the record's checkpoints: its name is in it.
#[test]
fn the_public_key_is_told_in_the_form_of_signed_notes_too() {
    let folder = tempfile::tempdir().unwrap();
    let origin = "book.example/2021";
    let journal = evening_as(Some(origin));
    let key = journal.keys.head_public_key();
    let verifier = journal.keys.checkpoint_key(origin, 1).unwrap().to_string();
    assert_eq!(Expected::key_of(&verifier), Some(key));
    let own = evening().finish().journal;
    assert!(own.origin.starts_with("sumun.internal/"), "{own:?}");
    let told = own.verifier_key.unwrap();
    assert!(told.starts_with(&format!("{}+", own.origin)), "{told}");
    assert_eq!(written(journal, folder.path()), key);
    let page = fs::read_to_string(folder.path().join(PAGE_EN)).unwrap();
    assert!(page.contains(&verifier), "{page}");
    assert_eq!(faults(folder.path(), Some(key)), [""; 0]);
}
