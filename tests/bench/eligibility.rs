//! How many eligibility decisions one core makes in a second. Reports; asserts nothing.

use std::hint::black_box;
use std::time::{Duration, Instant};

use jiff::civil::{Date, date};
use sumun::domain::campaign::Campaign;
use sumun::domain::campaign::eligibility::Subject;
use sumun::domain::time::Stamp;

const RUN_FOR: Duration = Duration::from_secs(2);
const QUESTIONS: usize = 1 << 16;

fn main() {
    // `cargo test --benches` runs this too; it has nothing to test.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let july = include_str!("../../data/campaign.toml");
    measure("July", july, date(1960, 1, 1), date(1973, 12, 31));
    let august = include_str!("../../data/campaign-august.toml");
    measure("August", august, date(1970, 1, 1), date(2005, 12, 31));
}

/// Birth dates in and around the cohorts, instants from a day before the openings to a day after,
/// in an order that a processor cannot foresee.
fn measure(name: &str, source: &str, first: Date, last: Date) {
    let campaign = Campaign::parse(source).expect("the file is sound").0;
    let boundaries = campaign.rules.boundaries();
    let begin = boundaries.first().expect("there is an opening").0 - 86_400 * Stamp::SECOND;
    let end = boundaries.last().expect("there is an opening").0 + 86_400 * Stamp::SECOND;
    let days: Vec<Date> = first
        .series(jiff::Span::new().days(1))
        .take_while(|d| *d <= last)
        .collect();
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    let questions: Vec<(Subject, Stamp)> = (0..QUESTIONS)
        .map(|_| {
            let born = days[(next() % days.len() as u64) as usize];
            let at = begin + (next() % (end - begin) as u64) as i64;
            (Subject { born, groups: 0 }, Stamp(at))
        })
        .collect();

    let started = Instant::now();
    let mut decisions = 0_u64;
    while started.elapsed() < RUN_FOR {
        for (subject, at) in &questions {
            black_box(campaign.rules.decide(black_box(subject), black_box(*at)));
        }
        decisions += QUESTIONS as u64;
    }
    let seconds = started.elapsed().as_secs_f64();
    let rate = decisions as f64 / seconds;
    println!(
        "{name}: {:.1} M decisions/s, {:.1} ns each",
        rate / 1e6,
        1e9 / rate
    );
}
