//! What happened in a rush: totals, second by second, and every fault.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;

use super::answer::{CODES, Code, KINDS, Kind};
use super::wire::Broken;

const KIND_COUNT: usize = KINDS.len();
const CODE_COUNT: usize = CODES.len();
/// Two digits are enough for a chart, three for the totals.
const TIME_US_MAX: u64 = 120_000_000;
/// Faults whose words are kept.
const FAULTS_KEPT: usize = 50;

/// Why a rush ends with exit code 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Fault {
    /// Somebody was shown another number than before.
    AnotherPlace,
    /// Two people were given the same number.
    NumberTwice,
    /// Somebody has a lower number than a person who had a number before they asked for one.
    Overtaken,
    /// The same, by somebody who came on an evening before, of a person who came for the first
    /// time.
    AheadOfNew,
    /// The line of an evening does not begin at number 1.
    NotFromOne,
    /// An acknowledged booking is not there.
    LostBooking,
    /// A booking is not the one that was acknowledged, or one that was never asked for.
    OtherBooking,
    /// Two people have the same booking number.
    BookingTwice,
    /// A token that the server had given was refused.
    TokenRefused,
    /// An answer that the contract does not know.
    OutsideContract,
}

impl Fault {
    pub fn name(self) -> &'static str {
        match self {
            Self::AnotherPlace => "another_place",
            Self::NumberTwice => "number_twice",
            Self::Overtaken => "overtaken",
            Self::AheadOfNew => "ahead_of_new",
            Self::NotFromOne => "not_from_one",
            Self::LostBooking => "lost_booking",
            Self::OtherBooking => "other_booking",
            Self::BookingTwice => "booking_twice",
            Self::TokenRefused => "token_refused",
            Self::OutsideContract => "outside_contract",
        }
    }
}

/// One second of a rush: counts within it, and gauges at its end.
#[derive(Clone, Debug, PartialEq)]
pub struct Second {
    pub arrived: u32,
    pub entered: u32,
    pub admitted: u32,
    pub booked: u32,
    pub gave_up: u32,
    /// Requests that became due, left, and were answered.
    pub offered: u32,
    pub sent: u32,
    pub answered: u32,
    pub broken: u32,
    /// Gauges: people in the line and on the booking pages, requests that wait for a connection.
    pub waiting: u32,
    pub inside: u32,
    pub queued: u32,
    /// How late the generator itself was at most.
    pub behind_us: u32,
    pub refused: [u32; CODE_COUNT],
    pub p50_us: [u32; KIND_COUNT],
    pub p99_us: [u32; KIND_COUNT],
}

impl Default for Second {
    fn default() -> Self {
        Self {
            arrived: 0,
            entered: 0,
            admitted: 0,
            booked: 0,
            gave_up: 0,
            offered: 0,
            sent: 0,
            answered: 0,
            broken: 0,
            waiting: 0,
            inside: 0,
            queued: 0,
            behind_us: 0,
            refused: [0; CODE_COUNT],
            p50_us: [0; KIND_COUNT],
            p99_us: [0; KIND_COUNT],
        }
    }
}

/// Counts over the whole rush.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Totals {
    pub arrived: u64,
    pub entered: u64,
    pub admitted: u64,
    pub booked: u64,
    pub moved: u64,
    pub cancelled: u64,
    pub gave_up: u64,
    pub turned_away: u64,
    pub found_nothing: u64,
    /// Had a booking from before.
    pub booked_before: u64,
    pub second_tabs: u64,
    pub offered: u64,
    pub sent: u64,
    pub answered: u64,
    pub unreachable: u64,
    pub closed: u64,
    pub overdue: u64,
    pub cut: u64,
    /// People whose turn came within the range that they were shown first, of all whose turn came.
    pub waits_within: u64,
    pub waits: u64,
    pub checked: u64,
    pub to_check: u64,
}

/// All that is kept of a rush.
pub struct Record {
    pub totals: Totals,
    pub seconds: Vec<Second>,
    /// The second that runs.
    pub now: Second,
    recent: Vec<Histogram<u32>>,
    /// Answer times of each kind, in microseconds from when the request was due.
    pub times: Vec<Histogram<u64>>,
    /// How late the generator was, for each request.
    pub behind_us: Histogram<u64>,
    pub refused: BTreeMap<(Kind, Code), u64>,
    pub faults: BTreeMap<Fault, u64>,
    /// The first faults in words, with their second.
    pub said: Vec<(usize, Fault, String)>,
}

impl Default for Record {
    fn default() -> Self {
        let fine = || Histogram::new_with_bounds(1, TIME_US_MAX, 3).expect("sound bounds");
        let rough = || Histogram::new_with_bounds(1, TIME_US_MAX, 2).expect("sound bounds");
        Self {
            totals: Totals::default(),
            seconds: Vec::new(),
            now: Second::default(),
            recent: (0..KIND_COUNT).map(|_| rough()).collect(),
            times: (0..KIND_COUNT).map(|_| fine()).collect(),
            behind_us: fine(),
            refused: BTreeMap::new(),
            faults: BTreeMap::new(),
            said: Vec::new(),
        }
    }
}

impl Record {
    pub fn offered(&mut self, behind_us: u64) {
        self.totals.offered += 1;
        self.now.offered += 1;
        self.behind_us.saturating_record(behind_us.max(1));
        self.now.behind_us = self
            .now
            .behind_us
            .max(behind_us.min(u64::from(u32::MAX)) as u32);
    }

    pub fn sent(&mut self) {
        self.totals.sent += 1;
        self.now.sent += 1;
    }

    pub fn answered(&mut self, kind: Kind, time_us: u64) {
        self.totals.answered += 1;
        self.now.answered += 1;
        self.times[kind as usize].saturating_record(time_us.max(1));
        self.recent[kind as usize].saturating_record(time_us.max(1));
    }

    pub fn broken(&mut self, broken: Broken) {
        self.now.broken += 1;
        match broken {
            Broken::Unreachable => self.totals.unreachable += 1,
            Broken::Closed => self.totals.closed += 1,
            Broken::Overdue => self.totals.overdue += 1,
            Broken::NotHttp => {
                self.fault(Fault::OutsideContract, || {
                    "not an HTTP/1.1 answer".to_owned()
                });
            }
        }
    }

    pub fn refused(&mut self, kind: Kind, code: Code) {
        *self.refused.entry((kind, code)).or_default() += 1;
        self.now.refused[code as usize] += 1;
    }

    pub fn fault(&mut self, fault: Fault, words: impl FnOnce() -> String) {
        *self.faults.entry(fault).or_default() += 1;
        if self.said.len() < FAULTS_KEPT {
            self.said.push((self.seconds.len(), fault, words()));
        }
    }

    pub fn fault_count(&self) -> u64 {
        self.faults.values().sum()
    }

    pub fn refused_with(&self, code: Code) -> u64 {
        let of = self.refused.iter().filter(|((_, other), _)| *other == code);
        of.map(|(_, count)| count).sum()
    }

    /// Ends the warm-up: answer times and refusals are counted from here on.
    pub fn warmed_up(&mut self) {
        self.times.iter_mut().for_each(Histogram::reset);
        self.behind_us.reset();
        self.refused.clear();
    }

    /// Closes the second that runs.
    pub fn roll(&mut self, waiting: u32, inside: u32, queued: u32) {
        let mut second = std::mem::take(&mut self.now);
        (second.waiting, second.inside, second.queued) = (waiting, inside, queued);
        for (at, times) in self.recent.iter_mut().enumerate() {
            if !times.is_empty() {
                second.p50_us[at] = times.value_at_quantile(0.5) as u32;
                second.p99_us[at] = times.value_at_quantile(0.99) as u32;
                times.reset();
            }
        }
        self.seconds.push(second);
    }
}
