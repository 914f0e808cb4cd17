//! What follows from measured costs, and the certificate that says so.
//!
//! Of all cores together only `USABLE` is counted on, and of memory and disk only `KEPT_PART` of
//! what is free: the kernel's network, the generator on this same host and a bad moment need the
//! rest.

use serde_json::{Value, json};

use crate::rush::host;
use crate::rush::report::{counted, document, facts};

/// The part of all cores that is counted on.
const USABLE: f64 = 0.6;
/// The part of free memory and disk that is counted on.
const KEPT_PART: f64 = 0.5;
/// The longest interval between two polls, in seconds: far back in the line.
const POLL_S_MAX: f64 = 300.0;
/// Bytes that are counted for a waiting person at least: by design 21 to 50, and 12 in a draw.
const BYTES_PER_WAITING_MIN: f64 = 64.0;
/// With fewer people the memory of one can't be measured: a megabyte that the server takes for
/// something else would count as 5 bytes for each of so many.
const WEIGHED_MIN: u64 = 200_000;
/// Site, day and slot are looked at this often before somebody books: the sites, some days, some
/// slots.
const LOOKS: f64 = 4.0;

/// The cost of one operation.
#[derive(Clone, Debug)]
pub struct Cost {
    pub name: &'static str,
    pub cpu_us: f64,
    /// As many as this were done for it.
    pub count: u64,
    pub per_s: f64,
}

/// By how much the server's memory grew while so many people more came to wait.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weighed {
    pub people: u64,
    pub bytes: f64,
}

impl Weighed {
    /// Bytes a person; none if there were too few to tell.
    pub fn each(self) -> Option<f64> {
        (self.people >= WEIGHED_MIN).then(|| self.bytes.max(0.0) / self.people as f64)
    }

    fn text(self) -> String {
        let (people, least) = (counted(self.people), BYTES_PER_WAITING_MIN);
        match self.each() {
            Some(each) => format!(
                "measured: {each:.0} bytes each, as {people} more came; at least {least} are \
                 counted"
            ),
            None => format!(
                "{least} are counted; not measured: {people} people are too few to tell, {} at \
                 least",
                counted(WEIGHED_MIN)
            ),
        }
    }
}

/// What was measured, and what follows.
pub struct Certificate {
    pub costs: Vec<Cost>,
    pub weighed: Weighed,
    pub disk_per_booking: f64,
    pub written_per_booking: f64,
    pub cores: f64,
    pub memory_free: f64,
    pub disk_free: f64,
    pub roster: u64,
    pub admit_per_s: u32,
    pub tls: bool,
}

/// What follows from the costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Holds {
    /// Processor time of one person from the board to the booking, in microseconds.
    pub person_us: f64,
    /// Microseconds of processor time that are counted on in each second.
    pub budget_us: f64,
    /// The most bookings a second with nobody waiting.
    pub bookings_per_s: f64,
    /// With the campaign's rate let in: what is left for those who wait.
    pub polls_per_s: f64,
    pub waiting_by_polls: f64,
    pub waiting_by_memory: f64,
    pub waiting: f64,
    /// For all of the roster, at the campaign's rate or the host's, whichever is less.
    pub hours: f64,
    pub disk_bytes: f64,
    /// Whether the campaign's rate, everybody waiting and the disk fit.
    pub fits: bool,
}

impl Certificate {
    fn cpu_us(&self, name: &str) -> f64 {
        let found = self.costs.iter().find(|cost| cost.name == name);
        found.map_or(0.0, |cost| cost.cpu_us)
    }

    /// Bytes that are counted for somebody who waits.
    fn bytes_counted(&self) -> f64 {
        self.weighed
            .each()
            .unwrap_or(0.0)
            .max(BYTES_PER_WAITING_MIN)
    }

    pub fn holds(&self) -> Holds {
        let us = |name: &str| self.cpu_us(name);
        let person_us = us("handshake")
            + us("board")
            + us("enter")
            + us("admit")
            + LOOKS * us("browse")
            + us("book");
        let budget_us = self.cores * 1e6 * USABLE;
        let bookings_per_s = budget_us / person_us.max(1.0);
        let admitted = f64::from(self.admit_per_s).min(bookings_per_s);
        let left_us = (budget_us - admitted * person_us).max(0.0);
        let polls_per_s = left_us / us("place").max(0.1);
        let waiting_by_polls = polls_per_s * POLL_S_MAX;
        let waiting_by_memory = self.memory_free * KEPT_PART / self.bytes_counted();
        let waiting = waiting_by_polls.min(waiting_by_memory);
        let disk_bytes = self.roster as f64 * self.disk_per_booking;
        Holds {
            person_us,
            budget_us,
            bookings_per_s,
            polls_per_s,
            waiting_by_polls,
            waiting_by_memory,
            waiting,
            hours: self.roster as f64 / admitted.max(1.0) / 3_600.0,
            disk_bytes,
            fits: f64::from(self.admit_per_s) <= bookings_per_s
                && waiting >= self.roster as f64
                && disk_bytes <= self.disk_free * KEPT_PART,
        }
    }

    /// Each line of the arithmetic: what, how, figure.
    pub fn arithmetic(&self) -> Vec<(&'static str, String)> {
        let holds = self.holds();
        let Holds {
            person_us,
            budget_us,
            ..
        } = holds;
        let whole = |value: f64| counted(value.max(0.0) as u64);
        let us = |name: &str| self.cpu_us(name);
        let handshake = if self.tls {
            format!("handshake {:.0} + ", us("handshake"))
        } else {
            String::new()
        };
        let admitted = f64::from(self.admit_per_s).min(holds.bookings_per_s);
        vec![
            (
                "processor time counted on",
                format!(
                    "{} cores × {USABLE} = {} CPU-µs a second",
                    self.cores,
                    whole(budget_us)
                ),
            ),
            (
                "one person, from the board to the booking",
                format!(
                    "{handshake}board {:.0} + enter {:.0} + admit {:.0} + {LOOKS:.0} × browse \
                     {:.0} + book {:.0} = {person_us:.0} CPU-µs",
                    us("board"),
                    us("enter"),
                    us("admit"),
                    us("browse"),
                    us("book")
                ),
            ),
            (
                "bookings a second, nobody waiting",
                format!(
                    "{} / {person_us:.0} = {}",
                    whole(budget_us),
                    whole(holds.bookings_per_s)
                ),
            ),
            (
                "polls a second beside the campaign's rate",
                format!(
                    "({} − {admitted:.0}/s × {person_us:.0}) / {:.1} for a look at the place = {}",
                    whole(budget_us),
                    us("place"),
                    whole(holds.polls_per_s)
                ),
            ),
            (
                "people waiting, by polls",
                format!(
                    "{}/s × {POLL_S_MAX:.0} s between two polls far back = {}",
                    whole(holds.polls_per_s),
                    whole(holds.waiting_by_polls)
                ),
            ),
            (
                "people waiting, by memory",
                format!(
                    "{} MiB free × {KEPT_PART} / {:.0} bytes = {} ({})",
                    whole(self.memory_free / 1_048_576.0),
                    self.bytes_counted(),
                    whole(holds.waiting_by_memory),
                    self.weighed.text()
                ),
            ),
            (
                "time for everybody",
                format!(
                    "{} people / {admitted:.0} a second = {:.1} hours",
                    counted(self.roster),
                    holds.hours
                ),
            ),
            (
                "disk for everybody",
                format!(
                    "{} × {:.0} bytes kept = {} MiB, of {} MiB free × {KEPT_PART}; {:.0} bytes \
                     written each",
                    counted(self.roster),
                    self.disk_per_booking,
                    whole(holds.disk_bytes / 1_048_576.0),
                    whole(self.disk_free / 1_048_576.0),
                    self.written_per_booking
                ),
            ),
        ]
    }

    /// Whether the host holds the campaign, in a sentence.
    pub fn verdict(&self) -> String {
        let holds = self.holds();
        let (roster, rate) = (counted(self.roster), self.admit_per_s);
        let waiting = counted(holds.waiting as u64);
        if holds.fits {
            format!(
                "This host holds it: {roster} people at {rate} a second, and {waiting} may wait."
            )
        } else {
            format!(
                "This host does not hold it with its margins: {roster} people at {rate} a second; \
                 {waiting} may wait, {:.0} may book a second.",
                holds.bookings_per_s
            )
        }
    }

    pub fn json(&self) -> Value {
        let costs: Vec<Value> = self
            .costs
            .iter()
            .map(|cost| {
                json!({ "call": cost.name, "cpu_us": cost.cpu_us, "count": cost.count,
                        "per_s": cost.per_s })
            })
            .collect();
        let holds = self.holds();
        json!({
            "costs": costs, "bytes_per_waiting": self.weighed.each(),
            "weighed_people": self.weighed.people, "bytes_counted": self.bytes_counted(),
            "disk_bytes_per_booking": self.disk_per_booking,
            "written_bytes_per_booking": self.written_per_booking,
            "cores": self.cores, "usable": USABLE, "memory_free_bytes": self.memory_free,
            "disk_free_bytes": self.disk_free, "roster": self.roster,
            "admit_per_s": self.admit_per_s, "tls": self.tls, "person_cpu_us": holds.person_us,
            "bookings_per_s": holds.bookings_per_s, "polls_per_s": holds.polls_per_s,
            "waiting": holds.waiting, "waiting_by_polls": holds.waiting_by_polls,
            "waiting_by_memory": holds.waiting_by_memory, "hours_for_everybody": holds.hours,
            "disk_bytes_for_everybody": holds.disk_bytes, "fits": holds.fits,
        })
    }

    pub fn page(&self, campaign: &str, command: &str) -> String {
        use crate::domain::text::escaped;
        let class = if self.holds().fits { "good" } else { "bad" };
        let mut out = format!(
            "<h1>Certificate for {}</h1>\n<p class=\"verdict {class}\">{}</p>\n\
             <h2>Measured</h2>\n<div class=\"card\"><table><tr><th>call</th>\
             <th>CPU-µs each</th><th>measured</th><th>per s</th></tr>\n",
            escaped(campaign),
            escaped(&self.verdict())
        );
        for cost in &self.costs {
            out.push_str(&format!(
                "<tr><td>{}</td><td>{:.1}</td><td>{}</td><td>{}</td></tr>\n",
                cost.name,
                cost.cpu_us,
                counted(cost.count),
                counted(cost.per_s as u64)
            ));
        }
        out.push_str("</table></div>\n<h2>What follows</h2>\n");
        out.push_str(&facts(&self.arithmetic()));
        out.push_str("<h2>How it was measured</h2>\n");
        out.push_str(&facts(&[
            ("command", command.to_owned()),
            ("version", format!("sumun {}", env!("CARGO_PKG_VERSION"))),
            ("host", host::facts()),
        ]));
        document(&format!("Certificate for {campaign}"), &out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate() -> Certificate {
        let cost = |name, cpu_us| Cost {
            name,
            cpu_us,
            count: 1_000,
            per_s: 10_000.0,
        };
        Certificate {
            costs: vec![
                cost("board", 10.0),
                cost("enter", 50.0),
                cost("place", 20.0),
                cost("admit", 40.0),
                cost("browse", 50.0),
                cost("book", 100.0),
            ],
            weighed: Weighed {
                people: 1_000_000,
                bytes: 40e6,
            },
            disk_per_booking: 1_000.0,
            written_per_booking: 2_000.0,
            cores: 2.0,
            memory_free: 2e9,
            disk_free: 1e10,
            roster: 1_000_000,
            admit_per_s: 300,
            tls: false,
        }
    }

    fn said(certificate: &Certificate) -> String {
        let how = certificate.arithmetic().into_iter().map(|(_, how)| how);
        how.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_arithmetic_is_what_it_says() {
        let holds = certificate().holds();
        assert_eq!(holds.person_us, 10.0 + 50.0 + 40.0 + 4.0 * 50.0 + 100.0);
        assert_eq!(holds.bookings_per_s, 1_200_000.0 / 400.0);
        assert_eq!(holds.polls_per_s, (1_200_000.0 - 300.0 * 400.0) / 20.0);
        assert_eq!(holds.waiting_by_polls, 54_000.0 * 300.0);
        assert_eq!(holds.waiting, 1e9 / 64.0);
        assert!(holds.fits);
        assert!(said(&certificate()).contains("= 400 CPU-µs"));
    }

    /// The server's first 50 MB were once counted as memory of 50,000 people, a thousand bytes
    /// each.
    #[test]
    fn too_few_people_are_not_weighed() {
        let of = |people, bytes| Certificate {
            weighed: Weighed { people, bytes },
            ..certificate()
        };
        let few = of(50_000, 50e6);
        assert_eq!(few.weighed.each(), None);
        assert_eq!(few.json()["bytes_per_waiting"], Value::Null);
        assert_eq!(few.holds().waiting_by_memory, 1e9 / 64.0);
        assert!(
            said(&few).contains("50,000 people are too few"),
            "{}",
            said(&few)
        );
        let many = of(1_000_000, 80e6);
        assert_eq!(many.json()["bytes_per_waiting"], 80.0);
        assert_eq!(many.holds().waiting_by_memory, 1e9 / 80.0);
        assert!(said(&many).contains("80 bytes each, as 1,000,000 more came"));
    }

    #[test]
    fn a_rate_a_line_or_a_disk_too_large_does_not_fit() {
        let too_fast = Certificate {
            admit_per_s: 3_001,
            ..certificate()
        };
        let too_many = Certificate {
            roster: 20_000_000,
            disk_free: 1e15,
            ..certificate()
        };
        let no_disk = Certificate {
            disk_free: 1e9,
            ..certificate()
        };
        for one in [too_fast, too_many, no_disk] {
            assert!(!one.holds().fits, "{}", said(&one));
            assert!(one.page("<c>", "").contains("bad"));
        }
    }
}
