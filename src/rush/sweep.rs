//! The curve of goodput: what is booked when more and more people come than the host can serve.
//!
//! What the host holds is measured first: the gate wide open, `AT_ONCE` people at the same time
//! who never stop to think, each doing the whole course from the board to the booking; the
//! bookings confirmed a second are its capacity. The gate is then set to `part` of that, as an
//! operator does who leaves the rest of the host to those who wait. At 1× as many people arrive as
//! the gate lets in; at 20× twenty times as many, who enter, poll as told and bring their bots.
//! The generator spins all the time, so that it takes the same processor time at every load.

use std::path::Path;
use std::time::Duration;

use anyhow::ensure;
use serde_json::{Value, json};

use super::answer::{Code, Kind};
use super::chart;
use super::crowd::{Crowd, Habits};
use super::drive::Drive;
use super::random::Random;
use super::report::{counted, document, facts};
use super::scene::{Scene, Setting};
use super::summary::ms;
use super::target::Server;
use crate::domain::text::escaped;

/// Times the host's own capacity.
pub const LOADS: [u32; 5] = [1, 2, 5, 10, 20];
/// People at the same time while the capacity is measured.
const AT_ONCE: usize = 200;
/// A rate and a number of people at the same time that no host reaches: the gate is wide open.
const WIDE_OPEN: (u32, u32) = (1_000_000, 4_000_000_000);
/// People of the file that the measurement of the capacity may take.
const CAPACITY_PEOPLE_MAX: usize = 150_000;
const CAPACITY_WARM_S: f64 = 2.0;
const CAPACITY_S: f64 = 5.0;
/// A load counts as offered if at least this part of its people came.
const CAME_PART: f64 = 0.95;
/// How long to wait until everybody left in the line has been called.
const EMPTIED_MAX: Duration = Duration::from_secs(60);

/// What a sweep is made with.
pub struct Sweep<'a> {
    pub server: &'a Server,
    pub campaign: &'a str,
    pub people: &'a Path,
    pub skip: usize,
    pub setting: Setting,
    pub connections: usize,
    pub part: f64,
    /// Times as many people as the gate lets in.
    pub loads: &'a [u32],
    /// Given by the operator instead of measured.
    pub rate: Option<u32>,
    /// Each load runs so long before it counts, and so long while it does.
    pub warm_s: u64,
    pub run_s: u64,
    /// Sets the gate's rate and how many may be in: an operator's act.
    pub set_gate: &'a dyn Fn(u32, u32) -> anyhow::Result<()>,
    /// Told of each step as it is done.
    pub tell: &'a dyn Fn(SweepStep<'_>),
}

/// What a sweep has done so far.
#[derive(Clone, Copy, Debug)]
pub enum SweepStep<'a> {
    /// The host's capacity is measured: so many people at a time, over so many seconds.
    Capacity {
        bookings_per_s: f64,
        at_once: usize,
        seconds: f64,
    },
    Load(&'a Point),
    Fault {
        name: &'a str,
        words: &'a str,
    },
}

/// One load.
#[derive(Clone, Debug, Default)]
pub struct Point {
    pub times: u32,
    pub people_per_s: f64,
    pub offered_per_s: f64,
    pub sent_per_s: f64,
    pub answered_per_s: f64,
    pub booked_per_s: f64,
    pub p99_ms: f64,
    pub overloaded_per_s: f64,
    pub unanswered_per_s: f64,
    pub behind_p99_ms: f64,
    pub faults: u64,
}

/// What a sweep found.
pub struct Curve {
    pub capacity_per_s: Option<f64>,
    pub rate: u32,
    /// Whether the file had too few people for the measurement, so that the host may hold more than
    /// was measured.
    pub short_of_people: bool,
    pub points: Vec<Point>,
}

impl Sweep<'_> {
    pub fn run(&mut self) -> anyhow::Result<Curve> {
        let (wide, active) = WIDE_OPEN;
        (self.set_gate)(wide, active)?;
        let capacity = match self.rate {
            Some(_) => None,
            None => Some(self.capacity()?),
        };
        let wanted = match self.rate {
            Some(rate) => f64::from(rate),
            None => (capacity.unwrap_or(0.0) * self.part).max(1.0),
        };
        let all = csv::Reader::from_path(self.people)?
            .byte_records()
            .count()
            .saturating_sub(self.skip);
        let for_each = self.loads.iter().sum::<u32>() as f64 * (self.warm_s + self.run_s) as f64;
        let rate = wanted.min(all as f64 / for_each).floor().max(1.0) as u32;
        let short_of_people = f64::from(rate) < wanted.floor();
        let mut points = Vec::new();
        for &times in self.loads {
            (self.set_gate)(rate, active)?;
            let point = self.load(times, rate)?;
            (self.tell)(SweepStep::Load(&point));
            points.push(point);
            (self.set_gate)(wide, active)?;
            self.empty_line()?;
        }
        Ok(Curve {
            capacity_per_s: capacity,
            rate,
            short_of_people,
            points,
        })
    }

    /// Confirmed bookings a second by people who never stop to think.
    fn capacity(&mut self) -> anyhow::Result<f64> {
        let quick = Habits {
            bots: 0.0,
            tabs: 0.0,
            give_up: 0.0,
            look: 0.0,
            moves: 0.0,
            cancel: 0.0,
            reconnect: 0.0,
            cut: 0.0,
            think_s: 0.001,
            ..self.setting.habits.clone()
        };
        let mut drive = self.drive(CAPACITY_PEOPLE_MAX, &quick)?;
        let mut next = 0;
        let warm = Duration::from_secs_f64(CAPACITY_WARM_S);
        drive.keep_going(AT_ONCE, &mut next, warm)?;
        let (from, before) = (drive.now(), drive.record().totals.booked);
        let until = warm + Duration::from_secs_f64(CAPACITY_S);
        drive.keep_going(AT_ONCE, &mut next, until)?;
        let seconds = (drive.now() - from) as f64 / 1e9;
        let booked = drive.record().totals.booked - before;
        let used = drive.scene.crowd.people.len();
        ensure!(
            (next as usize) < used || seconds > 2.0,
            "all {used} people were served in {seconds:.1} s: give a longer --people file"
        );
        ensure!(
            booked > 0,
            "nobody could book: is the opening open, and are seats left?"
        );
        self.skip += next as usize;
        let capacity = booked as f64 / seconds;
        (self.tell)(SweepStep::Capacity {
            bookings_per_s: capacity,
            at_once: AT_ONCE,
            seconds,
        });
        Ok(capacity)
    }

    fn drive(&mut self, count: usize, habits: &Habits) -> anyhow::Result<Drive> {
        let crowd = Crowd::read(
            self.people,
            self.skip,
            Some(count),
            self.setting.seed,
            habits,
        )?;
        let mut setting = self.setting.clone();
        setting.habits = habits.clone();
        // Keys are made of a person's position, which begins at zero for each load. So each load
        // has a part of its own: how many people of the file came in earlier loads.
        setting.key = format!("{}-{}", setting.key, self.skip);
        setting.opening_ns = 0;
        let scene = Scene::new(setting, crowd);
        let mut drive = Drive::new(scene, self.server.way.clone(), self.connections)?;
        drive.spins = true;
        drive.connect_all()?;
        Ok(drive)
    }

    fn load(&mut self, times: u32, rate: u32) -> anyhow::Result<Point> {
        let per_s = f64::from(times) * f64::from(rate);
        let count = (per_s * (self.warm_s + self.run_s) as f64) as usize;
        let habits = self.setting.habits.clone();
        let mut drive = self.drive(count, &habits)?;
        let mut random = Random::new(self.setting.seed);
        let mut at_s = drive.now() as f64 / 1e9;
        let people = drive.scene.crowd.people.len();
        for person in 0..people as u32 {
            at_s += random.exponential(1.0 / per_s);
            drive.scene.expect(person, (at_s * 1e9) as u64);
        }
        let warm = Duration::from_secs(self.warm_s);
        let end = warm + Duration::from_secs(self.run_s);
        let tell = &mut |_: &Scene, _| true;
        drive.advance(warm, tell)?;
        let before = drive.record().totals.clone();
        let from = drive.now();
        drive.scene.record.warmed_up();
        drive.advance(end, tell)?;
        let seconds = (drive.now() - from) as f64 / 1e9;
        let after = drive.record().totals.clone();
        let record = drive.record();
        let rate = |of: u64, then: u64| (of - then) as f64 / seconds;
        let unanswered =
            |totals: &super::record::Totals| totals.closed + totals.unreachable + totals.overdue;
        let point = Point {
            times,
            people_per_s: rate(after.arrived, before.arrived),
            offered_per_s: rate(after.offered, before.offered),
            sent_per_s: rate(after.sent, before.sent),
            answered_per_s: rate(after.answered, before.answered),
            booked_per_s: rate(after.booked, before.booked),
            p99_ms: ms(record.times[Kind::Book as usize].value_at_quantile(0.99)),
            overloaded_per_s: record.refused_with(Code::Overloaded) as f64 / seconds,
            unanswered_per_s: rate(unanswered(&after), unanswered(&before)),
            behind_p99_ms: ms(record.behind_us.value_at_quantile(0.99)),
            faults: record.fault_count(),
        };
        for (_, fault, words) in record.said.iter().take(3) {
            let name = fault.name();
            (self.tell)(SweepStep::Fault { name, words });
        }
        self.skip += people;
        Ok(point)
    }

    /// Waits until everybody who is left in the line has been called. They do not come any more,
    /// and would take turns from the people of the next load.
    fn empty_line(&self) -> anyhow::Result<()> {
        let began = crate::clock::tick();
        let path = format!("/api/v1/campaigns/{}/gate/board", self.campaign);
        loop {
            if let Ok((200, board)) = self.server.get(&path)
                && board["waiting"] == 0
            {
                return Ok(());
            }
            ensure!(
                began.elapsed() < EMPTIED_MAX,
                "the line of the last load does not empty"
            );
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

impl Curve {
    pub fn faults(&self) -> u64 {
        self.points.iter().map(|point| point.faults).sum()
    }

    /// Goodput and answer time of the last load over those of the first.
    pub fn ratios(&self) -> Option<(f64, f64)> {
        let (first, last) = (self.points.first()?, self.points.last()?);
        Some((
            last.booked_per_s / first.booked_per_s.max(f64::MIN_POSITIVE),
            last.p99_ms / first.p99_ms.max(f64::MIN_POSITIVE),
        ))
    }

    /// How the rate of the gate was chosen, in a sentence.
    pub fn rate_said(&self) -> String {
        let rate = self.rate;
        match (self.capacity_per_s, self.short_of_people) {
            (Some(capacity), false) => {
                let part = f64::from(rate) / capacity * 100.0;
                format!("the gate lets in {rate}/s: {part:.0} % of the capacity of {capacity:.0}/s")
            }
            (Some(capacity), true) => format!(
                "the gate lets in {rate}/s: the file has no people for more (the host's capacity \
                 is {capacity:.0}/s; make a demo of more --people)"
            ),
            (None, _) => format!("the gate lets in {rate}/s, as it was told"),
        }
    }

    /// The loads at which fewer people came than were to come, for want of free connections.
    pub fn fell_short(&self) -> impl Iterator<Item = String> {
        let came = |point: &Point| point.people_per_s / f64::from(self.rate);
        let short = move |point: &&Point| came(point) < f64::from(point.times) * CAME_PART;
        self.points.iter().filter(short).map(move |point| {
            format!(
                "at {}× only {:.1} times as many people came as the gate lets in, and {:.0} % of \
                 the requests were sent: all connections of this generator were busy",
                point.times,
                came(point),
                point.sent_per_s / point.offered_per_s.max(1.0) * 100.0
            )
        })
    }

    pub fn json(&self) -> Value {
        let points: Vec<Value> = self
            .points
            .iter()
            .map(|point| {
                json!({
                    "times": point.times, "people_per_s": point.people_per_s,
                    "offered_per_s": point.offered_per_s, "sent_per_s": point.sent_per_s,
                    "answered_per_s": point.answered_per_s, "booked_per_s": point.booked_per_s,
                    "book_p99_ms": point.p99_ms, "overloaded_per_s": point.overloaded_per_s,
                    "unanswered_per_s": point.unanswered_per_s,
                    "generator_behind_p99_ms": point.behind_p99_ms, "faults": point.faults,
                })
            })
            .collect();
        let ratios = self.ratios();
        json!({
            "capacity_per_s": self.capacity_per_s, "rate": self.rate,
            "short_of_people": self.short_of_people, "points": points,
            "goodput_ratio": ratios.map(|(goodput, _)| goodput),
            "p99_ratio": ratios.map(|(_, time)| time), "fault_count": self.faults(),
        })
    }

    pub fn page(&self, command: &str, seed: u64) -> String {
        let curve = |name: &str, of: fn(&Point) -> f64| {
            let points = self.points.iter();
            let points = points.map(|point| (f64::from(point.times), of(point)));
            (name.to_owned(), points.collect::<Vec<_>>())
        };
        let figure = |title: &str, unit: &str, lines: &[(String, Vec<(f64, f64)>)]| {
            let x_name = "times the people that the gate lets in";
            chart::Curve {
                x_name,
                unit,
                lines,
            }
            .figure(title)
        };
        let mut out = format!(
            "<h1>Goodput under overload</h1>\n<p class=\"soft\">{}</p>\n",
            escaped(&self.rate_said())
        );
        for short in self.fell_short() {
            out.push_str(&format!("<p class=\"soft\">{}</p>\n", escaped(&short)));
        }
        out.push_str("<div class=\"charts\">");
        out.push_str(&figure(
            "Bookings",
            "confirmed a second",
            &[curve("bookings", |point| point.booked_per_s)],
        ));
        out.push_str(&figure(
            "Answer time of a booking",
            "p99 in milliseconds",
            &[curve("POST bookings", |point| point.p99_ms)],
        ));
        out.push_str(&figure(
            "Requests",
            "a second",
            &[
                curve("offered", |point| point.offered_per_s),
                curve("sent", |point| point.sent_per_s),
                curve("answered", |point| point.answered_per_s),
                curve("refused as overloaded", |point| point.overloaded_per_s),
            ],
        ));
        out.push_str(&figure(
            "How late the generator was",
            "p99 in milliseconds",
            &[curve("late", |point| point.behind_p99_ms)],
        ));
        out.push_str("</div>\n<h2>Figures</h2>\n<div class=\"card\"><table><tr>");
        for name in [
            "load",
            "people/s",
            "sent/s",
            "bookings/s",
            "p99 ms",
            "overloaded/s",
            "no answer/s",
            "late p99 ms",
        ] {
            out.push_str(&format!("<th>{name}</th>"));
        }
        out.push_str("</tr>\n");
        for point in &self.points {
            out.push_str(&format!(
                "<tr><td>{}×</td><td>{}</td><td>{}</td><td>{:.1}</td><td>{:.1}</td><td>{}</td>\
                 <td>{:.1}</td><td>{:.1}</td></tr>\n",
                point.times,
                counted(point.people_per_s as u64),
                counted(point.sent_per_s as u64),
                point.booked_per_s,
                point.p99_ms,
                counted(point.overloaded_per_s as u64),
                point.unanswered_per_s,
                point.behind_p99_ms
            ));
        }
        out.push_str("</table></div>\n<h2>How it was measured</h2>\n");
        out.push_str(&facts(&[
            ("command", command.to_owned()),
            ("seed", seed.to_string()),
            ("version", format!("sumun {}", env!("CARGO_PKG_VERSION"))),
            ("host", super::host::facts()),
        ]));
        document("Goodput under overload", &out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A load of 20× once had fifteen times the people, and the report did not say so: a reader had
    /// to find it in the column of people.
    #[test]
    fn a_load_that_did_not_come_whole_is_said_to_be_short() {
        let point = |times, people_per_s| Point {
            times,
            people_per_s,
            offered_per_s: 1_000.0,
            sent_per_s: 760.0,
            ..Point::default()
        };
        let curve = Curve {
            capacity_per_s: None,
            rate: 100,
            short_of_people: false,
            points: vec![point(1, 98.0), point(10, 980.0), point(20, 1_460.0)],
        };
        let told: Vec<String> = curve.fell_short().collect();
        let page = curve.page("", 1);
        let short = "at 20× only 14.6 times as many people came as the gate lets in, and 76 %";
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains(short) && page.contains(short), "{told:?}");
    }
}
