//! What wrong credentials cost, how far apart senders are told, and the arithmetic of guessing.

use super::*;
use crate::domain::crockford::VALUES;

const NOW: Stamp = Stamp(1_626_692_400_000_000_000);

/// Room for everything: a test narrows the limit that it is about.
const WIDE: Limit = Limit {
    burst: 1_000_000,
    refill_ms: 1,
    wait_s_max: 1,
};

fn at(from: &str) -> IpAddr {
    from.parse().unwrap()
}

fn wrong<'a>(from: &str, name: &'a str) -> Wrong<'a> {
    Wrong {
        from: at(from),
        name,
        born: Some(Day(-1_000)),
    }
}

fn count(attempts: &Attempts, from: &str, name: &str, now: Stamp) -> Option<u32> {
    attempts.failed(&wrong(from, name), Strength::All, now)
}

#[test]
fn a_person_at_an_address_may_mistype_and_then_waits_longer_each_time() {
    let attempts = Attempts::default();
    let fail = |now| count(&attempts, "203.0.113.7", "김영희", now);
    let told: Vec<_> = (0..9).map(|_| fail(NOW)).collect();
    let grows = [60, 90, 120, 150].map(Some);
    assert_eq!(told, [[None; 5].as_slice(), &grows].concat());
    // Neither somebody else there nor the same person elsewhere has a part in it.
    assert_eq!(count(&attempts, "203.0.113.7", "이철수", NOW), None);
    assert_eq!(count(&attempts, "203.0.113.8", "김영희", NOW), None);
    // The time told is the true one: a second before it a wrong one has to wait still.
    let attempts = Attempts::default();
    let fail = |now| count(&attempts, "203.0.113.7", "김영희", now);
    let told = (0..6).filter_map(|_| fail(NOW)).max().unwrap();
    let just = NOW.plus_s(i64::from(told));
    assert_eq!(fail(just), None);
    assert!(fail(just).is_some());
}

#[test]
fn the_time_to_wait_has_an_end_whatever_was_sent() {
    let attempts = Attempts::default();
    let told = (0..10_000).filter_map(|_| count(&attempts, "203.0.113.7", "김영희", NOW));
    assert_eq!(told.max(), Some(PAIR_LIMIT.wait_s_max));
    let later = NOW.plus_s(i64::from(PAIR_LIMIT.wait_s_max));
    assert_eq!(count(&attempts, "203.0.113.7", "김영희", later), None);
}

#[test]
fn an_address_is_one_of_version_4_or_a_64_and_a_network_a_24_or_a_48() {
    let one = Limit {
        burst: 1,
        refill_ms: 10_000,
        wait_s_max: 100,
    };
    let told = |attempts: &Attempts, from| count(attempts, from, from, NOW).is_some();
    let by_address = Attempts::new(WIDE, one, WIDE);
    let by_network = Attempts::new(WIDE, WIDE, one);
    for (first, of_address, of_network, outside) in [
        ("203.0.113.7", "203.0.113.7", "203.0.113.200", "203.0.114.7"),
        ("::ffff:192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.3.1"),
        (
            "2001:db8:1:1::7",
            "2001:db8:1:1:ffff::",
            "2001:db8:1:2::7",
            "2001:db8:2:1::7",
        ),
    ] {
        assert!(!told(&by_address, first) && !told(&by_network, first));
        assert!(told(&by_address, of_address), "{of_address}");
        assert!(!told(&by_address, of_network), "{of_network}");
        assert!(told(&by_network, of_network), "{of_network}");
        assert!(!told(&by_network, outside), "{outside}");
    }
}

#[test]
fn the_whole_server_looks_at_no_more_wrong_ones_than_its_bound() {
    for strength in Strength::ALL {
        let attempts = Attempts::new(WIDE, WIDE, WIDE);
        let rate = i64::from(strength.wrong_per_s());
        // Three times the bound for a minute, from everywhere.
        let (seconds, mut looked_at) = (60, 0);
        for at in 0..3 * rate * seconds {
            let now = Stamp(NOW.0 + at * Stamp::SECOND / (3 * rate));
            if attempts.may_look(strength, now) {
                let from = IpAddr::from((at as u32).to_be_bytes());
                attempts.failed(
                    &Wrong {
                        from,
                        name: "",
                        born: None,
                    },
                    strength,
                    now,
                );
                looked_at += 1;
            }
        }
        let most = rate * (seconds + ALL_BURST_S);
        assert!(
            (most - 2..=most + 1).contains(&looked_at),
            "{strength:?}: {looked_at}"
        );
        // A third of those that come is looked at, at any moment: a right one has that chance.
        assert!(attempts.may_look(strength, NOW.plus_s(61)));
    }
}

/// The arithmetic of SECURITY.md: how many people a botnet finds in an evening of 22 hours that
/// uses up the bound on wrong answers in every second.
#[test]
fn nobody_is_guessed_in_an_evening() {
    // The check character is no obstacle: 32 of 37 values are codes, and guessers know which.
    let codes = VALUES as f64 * 32.0 / 37.0;
    let evening_s = 22.0 * 3_600.0;
    let found = |strength: Strength, alike: f64| {
        f64::from(strength.wrong_per_s()) * evening_s * alike / codes
    };
    // Ten people of one name and birth date; 3,000 people of one birth date.
    assert!(found(Strength::All, 10.0) < 0.002);
    assert!(found(Strength::BirthDate, 3_000.0) < 0.02);
    // One code of 60 million people: why a campaign may not ask for the code alone.
    assert!(found(Strength::Less, 60e6) > 1.0);
}
