//! What the board showed before: a row a second for ten minutes and one a minute for twelve hours,
//! in rings whose size is fixed. In memory alone: a start of the server begins anew.

use std::collections::VecDeque;

use super::door::CLASSES;
use crate::domain::time::Stamp;
use crate::measure::Counted;

/// Ten minutes of seconds.
pub const SECONDS: usize = 600;
/// Twelve hours of minutes.
pub const MINUTES: usize = 720;
/// Seconds that one row of minutes stands for.
const MINUTE_S: i64 = 60;

/// Rows in the order in which they came; one more takes the place of the oldest.
#[derive(Debug)]
pub struct Ring<T> {
    rows: VecDeque<T>,
    rows_max: usize,
}

impl<T> Ring<T> {
    pub fn new(rows_max: usize) -> Self {
        Self {
            rows: VecDeque::with_capacity(rows_max),
            rows_max,
        }
    }

    pub fn push(&mut self, row: T) {
        if self.rows.len() == self.rows_max {
            self.rows.pop_front();
        }
        self.rows.push_back(row);
    }

    /// The oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &T> + ExactSizeIterator {
        self.rows.iter()
    }
}

/// Half and 99 of 100 answers took no longer than this, in milliseconds.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Times {
    pub p50_ms: f64,
    pub p99_ms: f64,
}

impl Times {
    /// None if nothing was counted.
    pub fn of(counted: &Counted) -> Option<Self> {
        let ms = |part| Some(counted.quantile_s(part)? * 1e3);
        Some(Self {
            p50_ms: ms(0.5)?,
            p99_ms: ms(0.99)?,
        })
    }
}

/// The figures of all campaigns in one second, or of the seconds of one minute.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Row {
    /// When its time was over.
    pub at: Stamp,
    /// The mean of the time.
    pub bookings_per_s: f64,
    /// Sessions that began with a turn; the mean of the time.
    pub admitted_per_s: f64,
    /// People in all lines, at the end of the time.
    pub waiting: u64,
    /// Sessions that take a place, at the end of the time.
    pub sessions: u64,
    /// By `CLASSES`; none where nothing was answered.
    pub answers: [Option<Times>; CLASSES.len()],
}

/// What was counted from some moment on; differences of two make a row.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Tally {
    pub at: Stamp,
    /// Seconds since the board began, also while the clock stands still.
    pub elapsed_s: f64,
    pub bookings: u64,
    pub admitted: u64,
    pub waiting: u64,
    pub sessions: u64,
    /// By `CLASSES`.
    pub answers: [Counted; CLASSES.len()],
}

impl Tally {
    /// The row of the time since `before`. Counts of a campaign that is new since then are told as
    /// what they are, and none is negative.
    pub fn row_since(&self, before: &Self) -> Row {
        // At least a tenth: a thread that was kept waiting may look twice at once.
        let passed_s = (self.elapsed_s - before.elapsed_s).max(0.1);
        let per_s = |now: u64, before: u64| now.saturating_sub(before) as f64 / passed_s;
        let mut answers = [None; CLASSES.len()];
        for (at, row) in answers.iter_mut().enumerate() {
            *row = Times::of(&self.answers[at].since(&before.answers[at]));
        }
        Row {
            at: self.at,
            bookings_per_s: per_s(self.bookings, before.bookings),
            admitted_per_s: per_s(self.admitted, before.admitted),
            waiting: self.waiting,
            sessions: self.sessions,
            answers,
        }
    }
}

/// The rings, and where the minute in progress began.
#[derive(Debug)]
pub struct History {
    pub seconds: Ring<Row>,
    pub minutes: Ring<Row>,
    last: Option<Tally>,
    minute: Option<Tally>,
}

impl Default for History {
    fn default() -> Self {
        Self {
            seconds: Ring::new(SECONDS),
            minutes: Ring::new(MINUTES),
            last: None,
            minute: None,
        }
    }
}

impl History {
    /// Adds a second, and a minute when one is over: the row of the second. None for the first
    /// tally, which nothing was counted before.
    pub fn add(&mut self, tally: Tally) -> Option<Row> {
        let begun = *self.minute.get_or_insert(tally);
        let before = self.last.replace(tally)?;
        let row = tally.row_since(&before);
        self.seconds.push(row);
        let minute = |at: Stamp| at.unix_s().div_euclid(MINUTE_S);
        if minute(tally.at) > minute(begun.at) {
            self.minutes.push(tally.row_since(&begun));
            self.minute = Some(tally);
        }
        Some(row)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::measure::Histogram;

    fn tally(second: i64, bookings: u64) -> Tally {
        Tally {
            at: Stamp(second * Stamp::SECOND),
            elapsed_s: second as f64,
            bookings,
            admitted: 2 * bookings,
            waiting: 5,
            sessions: 7,
            answers: [Counted::default(); CLASSES.len()],
        }
    }

    #[test]
    fn a_ring_keeps_the_newest_and_never_grows() {
        let mut kept = Ring::new(3);
        let room = kept.rows.capacity();
        (0..1_000).for_each(|row| kept.push(row));
        assert_eq!(kept.iter().copied().collect::<Vec<_>>(), [997, 998, 999]);
        assert_eq!(kept.rows.capacity(), room);
    }

    #[test]
    fn twelve_hours_and_ten_minutes_are_kept_and_no_more() {
        let mut history = History::default();
        for second in 0..13 * 3_600 {
            history.add(tally(second, second as u64 * 3));
        }
        let at_s = |kept: &Ring<Row>| {
            let rows: Vec<i64> = kept.iter().map(|row| row.at.unix_s()).collect();
            (rows.len(), rows[0], rows[rows.len() - 1])
        };
        let last = 13 * 3_600 - 1;
        assert_eq!(at_s(&history.seconds), (SECONDS, last - 599, last));
        assert_eq!(at_s(&history.minutes), (MINUTES, 3_600, 46_740));
        let rates = history.minutes.iter().chain(history.seconds.iter());
        let told: Vec<(f64, f64)> = rates
            .map(|row| (row.bookings_per_s, row.admitted_per_s))
            .collect();
        assert!(told.iter().all(|rates| *rates == (3.0, 6.0)));
    }

    #[test]
    fn a_late_second_is_a_mean_over_its_own_length_and_no_time_at_all_divides_by_nothing() {
        let mut history = History::default();
        assert_eq!(history.add(tally(100, 50)), None);
        let late = history.add(tally(104, 90)).unwrap();
        assert_eq!(late.bookings_per_s, 10.0);
        let stopped = history.add(tally(104, 91)).unwrap();
        assert_eq!(stopped.bookings_per_s, 10.0);
        let fewer = history.add(tally(105, 0)).unwrap();
        assert_eq!(fewer.bookings_per_s, 0.0);
    }

    #[test]
    fn answer_times_are_those_of_the_second_and_of_the_minute() {
        let (histogram, mut history) = (Histogram::default(), History::default());
        let mut add = |second: i64, took_ms: u64| {
            if took_ms > 0 {
                histogram.note(Duration::from_millis(took_ms));
            }
            let mut tally = tally(second, 0);
            tally.answers[0] = Counted::of(&histogram);
            history.add(tally);
        };
        add(0, 9_000);
        add(1, 3);
        add(2, 0);
        add(60, 300);
        let seconds: Vec<_> = history.seconds.iter().map(|row| row.answers[0]).collect();
        let within = |times: Option<Times>, from_ms: f64, to_ms: f64| {
            let p99_ms = times.unwrap().p99_ms;
            assert!((from_ms..=to_ms).contains(&p99_ms), "{p99_ms}");
        };
        within(seconds[0], 2.5, 5.0);
        assert_eq!(seconds[1], None);
        within(seconds[2], 250.0, 500.0);
        let minute = history.minutes.iter().next().unwrap();
        within(minute.answers[0], 250.0, 500.0);
        assert!(minute.answers[0].unwrap().p50_ms <= 5.0);
        assert_eq!(minute.answers[1], None);
    }
}
