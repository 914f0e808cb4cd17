//! Whether what is lost with this host is a matter of seconds, and whether somebody has rehearsed
//! the restore.

use super::{Finding, bad, fine, warn};
use crate::clock::wall;
use crate::domain::time::Stamp;
use crate::ops::backup::notes::Notes;
use crate::ops::folder::Folder;
use crate::service::copied::{Noted, Place};

/// While a server runs, a copier asks every few seconds.
const COPY_AGE_S_MAX: i64 = 60;
/// A month, and some days to find the time.
const DRILL_AGE_S_MAX: i64 = 35 * DAY_S;
const DAY_S: i64 = 86_400;
const FOLLOW: &str = "sumun backup follow DIR --to RECIPIENT";
const DRILL: &str = "sumun restore DIR --drill";

/// The copies outside the data folder.
pub fn of(folder: &Folder, is_served: bool) -> Finding {
    of_noted(&Notes::of(folder).times(), wall(), is_served)
}

/// The last rehearsal of a restore.
pub fn drill(folder: &Folder) -> Finding {
    drill_of(&Notes::of(folder).times(), wall())
}

fn age_s(at: Stamp, now: Stamp) -> i64 {
    (now.0.saturating_sub(at.0) / Stamp::SECOND).max(0)
}

fn of_noted(noted: &Noted, now: Stamp, is_served: bool) -> Finding {
    const WHAT: &str = "copies";
    let Some(newest) = noted.places.iter().max_by_key(|place| place.at) else {
        return warn(
            WHAT,
            format!(
                "there never was one: with this host everything is lost; run `{FOLLOW}` with a \
                 folder on another host's disk"
            ),
        );
    };
    let Place { name, last, .. } = newest;
    let old_s = age_s(newest.at, now);
    let full = noted.places.iter().filter_map(|place| place.full_at).max();
    let full = full.map_or("no full one is known".to_owned(), |at| {
        format!("the newest full one is {} days old", age_s(at, now) / DAY_S)
    });
    let says = format!(
        "the newest is up to entry {}, {old_s} s old, in {name}; {full}",
        last.0
    );
    if is_served && old_s > COPY_AGE_S_MAX {
        bad(
            WHAT,
            format!(
                "{says}: what came since is lost with this host; look why `{FOLLOW}` does not run \
                 or can't write"
            ),
        )
    } else {
        fine(WHAT, says)
    }
}

fn drill_of(noted: &Noted, now: Stamp) -> Finding {
    const WHAT: &str = "drill";
    match noted.drill {
        None => warn(
            WHAT,
            format!("nobody has rehearsed a restore: run `{DRILL}`"),
        ),
        Some((at, false)) => bad(
            WHAT,
            format!(
                "the last rehearsal of a restore, {} days ago, failed: read its report, make a new \
                 full copy, and run `{DRILL}` again",
                age_s(at, now) / DAY_S
            ),
        ),
        Some((at, true)) => {
            let says = format!(
                "the last rehearsal of a restore, {} days ago, was good",
                age_s(at, now) / DAY_S
            );
            if age_s(at, now) > DRILL_AGE_S_MAX {
                bad(WHAT, format!("{says}: that is too long; run `{DRILL}`"))
            } else {
                fine(WHAT, says)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::Seq;

    const NOW: Stamp = Stamp(100 * DAY_S * Stamp::SECOND);

    fn copied(ago_s: i64) -> Noted {
        let place = |name: &str, ago_s: i64| Place {
            name: name.to_owned(),
            last: Seq(7),
            at: NOW.plus_s(-ago_s),
            full_at: Some(NOW.plus_s(-3 * DAY_S)),
        };
        Noted {
            places: vec![place("/old", 50 * DAY_S), place("/media/copies", ago_s)],
            drill: None,
        }
    }

    #[test]
    fn the_newest_copy_counts_and_may_be_a_minute_old_beside_a_server() {
        let never = of_noted(&Noted::default(), NOW, true);
        assert!(never.fine && never.warns && never.says.contains(FOLLOW));
        let good = of_noted(&copied(60), NOW, true);
        assert!(good.fine && !good.warns, "{}", good.says);
        let expected = "the newest is up to entry 7, 60 s old, in /media/copies; the newest full \
                        one is 3 days old";
        assert_eq!(good.says, expected);
        let old = of_noted(&copied(61), NOW, true);
        assert!(!old.fine && old.says.contains(FOLLOW), "{}", old.says);
        // Nothing comes while no server runs.
        assert!(of_noted(&copied(DAY_S), NOW, false).fine);
    }

    #[test]
    fn a_drill_that_failed_or_is_old_is_to_be_mended() {
        let drilled = |ago_s: i64, is_good: bool| {
            let drill = Some((NOW.plus_s(-ago_s), is_good));
            let noted = Noted {
                drill,
                ..Noted::default()
            };
            drill_of(&noted, NOW)
        };
        let never = drill_of(&Noted::default(), NOW);
        assert!(never.fine && never.warns && never.says.contains(DRILL));
        assert!(drilled(DRILL_AGE_S_MAX, true).fine);
        assert!(!drilled(DRILL_AGE_S_MAX + 1, true).fine);
        assert!(!drilled(1, false).fine);
    }
}
