//! Who may book at an instant, with the reason: the one decision everything else asks for.
//!
//! Pure: the rules, a person and an instant go in, an answer with its explanation comes out. Owns
//! the compiled form of cohorts and openings. It must not read text, allocate while it decides, or
//! compare times as text: an instant is a number of nanoseconds, an opening is half-open.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::campaign::{Campaign, Cohort, GROUPS_MAX, Opening};
use crate::domain::time::Stamp;

/// What the rules need to know about a person.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Subject {
    pub born: Date,
    /// Bit `i` for `Rules::groups()[i]`; see `Rules::group_bits`.
    pub groups: u64,
}

/// The four answers, as in the contract.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// May book now.
    Eligible,
    /// In a cohort; an opening comes, or none is planned yet.
    NotOpenYet,
    /// An opening is over; another may come.
    OpeningClosed,
    /// In no cohort of the campaign.
    NotEligible,
}

impl Answer {
    /// In the order of their numbers: `Answer::ALL[answer as usize] == answer`.
    pub const ALL: [Self; 4] = [
        Self::Eligible,
        Self::NotOpenYet,
        Self::OpeningClosed,
        Self::NotEligible,
    ];

    /// The name in the contract, as in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Eligible => "eligible",
            Self::NotOpenYet => "not_open_yet",
            Self::OpeningClosed => "opening_closed",
            Self::NotEligible => "not_eligible",
        }
    }
}

/// Which part of the rules gave the answer; positions are those of `Campaign`, from 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// This opening is open for this cohort of theirs.
    Open { opening: u16, cohort: u16 },
    /// This opening comes next.
    Next { opening: u16, cohort: u16 },
    /// This opening was their last so far.
    Over { opening: u16, cohort: u16 },
    /// In this cohort, but no opening is for them.
    NoOpening { cohort: u16 },
    /// In no cohort.
    NoCohort,
}

impl Rule {
    /// The position of the opening that decided, if one did.
    pub fn opening(self) -> Option<usize> {
        match self {
            Self::Open { opening, .. }
            | Self::Next { opening, .. }
            | Self::Over { opening, .. } => Some(usize::from(opening)),
            Self::NoOpening { .. } | Self::NoCohort => None,
        }
    }

    /// The position of the cohort that decided, if one did.
    pub fn cohort(self) -> Option<usize> {
        match self {
            Self::Open { cohort, .. }
            | Self::Next { cohort, .. }
            | Self::Over { cohort, .. }
            | Self::NoOpening { cohort } => Some(usize::from(cohort)),
            Self::NoCohort => None,
        }
    }

    /// The rule in words that need no translation: ids, instants of the campaign's zone.
    ///
    /// `campaign` is the version whose rules decided; of another, an unknown position reads `?`.
    pub fn explain(self, campaign: &Campaign) -> String {
        let cohort = self
            .cohort()
            .and_then(|cohort| campaign.cohorts.get(cohort));
        let cohort = cohort.map_or("?", |cohort| cohort.id.as_str());
        match self {
            Self::NoCohort => return "in no cohort".to_owned(),
            Self::NoOpening { .. } => return format!("no opening for them in cohort {cohort}"),
            _ => {}
        }
        let number = self.opening().unwrap_or_default();
        let Some(opening) = campaign.openings.get(number) else {
            return format!("opening ? for cohort {cohort}");
        };
        let from = campaign.zone.rfc3339(opening.from);
        let until = campaign.zone.rfc3339(opening.until);
        let digits = match opening.birth_day_last_digits.as_slice() {
            [] => String::new(),
            digits => {
                let digits: Vec<String> = digits.iter().map(u8::to_string).collect();
                format!(", birth days ending in {}", digits.join(", "))
            }
        };
        format!(
            "opening {} ({from} to {until}) for cohort {cohort}{digits}",
            number + 1
        )
    }
}

/// An answer with its explanation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Decision {
    pub answer: Answer,
    pub rule: Rule,
    pub evaluated_at: Stamp,
    /// The next opening, for someone who may not book now.
    pub opens_at: Option<Stamp>,
    /// When the lobby of that opening opens; it may have.
    pub lobby_opens_at: Option<Stamp>,
    /// The end of the last opening, for someone who was in time once.
    pub closed_at: Option<Stamp>,
    /// The next instant at which the answer is another one.
    pub next_change: Option<Stamp>,
}

impl Decision {
    /// Whether the person can wait in the lobby of their next opening already.
    pub fn lobby_is_open(&self) -> bool {
        self.lobby_opens_at
            .is_some_and(|opens| opens <= self.evaluated_at)
    }
}

/// Whom a cohort takes, without its birth-day digits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Members {
    /// First and last birth date as `ordinal`s, both included.
    born: (i32, i32),
    /// Any of these bits is enough; 0 when groups do not matter.
    groups_any: u64,
}

impl Members {
    fn has(&self, born: i32, groups: u64) -> bool {
        (self.born.0 <= born)
            & (born <= self.born.1)
            & ((self.groups_any == 0) | (self.groups_any & groups != 0))
    }
}

/// One opening for one of its cohorts: 48 bytes, so that a campaign's fit the nearest cache.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Window {
    from: Stamp,
    until: Stamp,
    members: Members,
    digits: u16,
    opening: u16,
    cohort: u16,
}

/// Cohorts and openings, compiled.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rules {
    /// Ascending by `from`, then in the file's order: `decide` relies on it.
    windows: Box<[Window]>,
    cohorts: Box<[Members]>,
    groups: Vec<String>,
    lobby_s: i64,
}

impl Rules {
    /// Compiles checked cohorts and openings.
    ///
    /// # Panics
    /// With more than `GROUPS_MAX` different groups or 65,536 openings: a check has refused that.
    pub fn new(cohorts: &[Cohort], openings: &[Opening], lobby_opens_min: u32) -> Self {
        let mut groups: Vec<String> = Vec::new();
        for group in cohorts.iter().flat_map(|cohort| &cohort.groups_any) {
            if !groups.contains(group) {
                groups.push(group.clone());
            }
        }
        assert!(
            groups.len() <= GROUPS_MAX,
            "a checked campaign names at most 64 groups"
        );
        let cohorts: Box<[Members]> = cohorts
            .iter()
            .map(|cohort| Members {
                born: (ordinal(cohort.born.0), ordinal(cohort.born.1)),
                groups_any: bits_of(&groups, cohort.groups_any.iter().map(String::as_str)),
            })
            .collect();
        let index = |at| u16::try_from(at).expect("a checked campaign is small");
        let mut windows = Vec::new();
        for (at, opening) in openings.iter().enumerate() {
            windows.extend(opening.cohorts.iter().map(|&cohort| Window {
                from: opening.from,
                until: opening.until,
                members: cohorts[cohort],
                digits: opening.digit_mask(),
                opening: index(at),
                cohort: index(cohort),
            }));
        }
        windows.sort_by_key(|window| window.from);
        let lobby_s = i64::from(lobby_opens_min) * 60;
        Self {
            windows: windows.into(),
            cohorts,
            groups,
            lobby_s,
        }
    }

    /// The groups that matter, in the order of their bits.
    pub fn groups(&self) -> &[String] {
        &self.groups
    }

    /// The bits of a person's groups; groups that no cohort names have none.
    pub fn group_bits<'a>(&self, groups: impl Iterator<Item = &'a str>) -> u64 {
        bits_of(&self.groups, groups)
    }

    /// The answer for a person at an instant. Intervals are half-open: at `until` it is over.
    pub fn decide(&self, subject: &Subject, now: Stamp) -> Decision {
        let born = ordinal(subject.born);
        let digit = digit_bit(subject.born);
        let mut open: Option<&Window> = None;
        let mut open_until = Stamp(i64::MIN);
        let mut over: Option<&Window> = None;
        let mut next: Option<&Window> = None;
        for window in &self.windows {
            if window.digits & digit == 0 || !window.members.has(born, subject.groups) {
                continue;
            }
            if window.from > now {
                // Windows come by `from`: one that begins while they may still book lengthens the
                // time in which the answer stays; the first after a gap is the next opening.
                if open.is_none() || window.from > open_until {
                    next = Some(window);
                    break;
                }
                open_until = open_until.max(window.until);
            } else if now < window.until {
                open = open.or(Some(window));
                open_until = open_until.max(window.until);
            } else if over.is_none_or(|last| window.until > last.until) {
                over = Some(window);
            }
        }
        let (answer, rule) = match (open, over, next) {
            (Some(w), _, _) => (
                Answer::Eligible,
                Rule::Open {
                    opening: w.opening,
                    cohort: w.cohort,
                },
            ),
            (None, Some(w), _) => (
                Answer::OpeningClosed,
                Rule::Over {
                    opening: w.opening,
                    cohort: w.cohort,
                },
            ),
            (None, None, Some(w)) => (
                Answer::NotOpenYet,
                Rule::Next {
                    opening: w.opening,
                    cohort: w.cohort,
                },
            ),
            (None, None, None) => self.without_opening(born, subject.groups),
        };
        let eligible = open.is_some();
        let opens_at = next.filter(|_| !eligible).map(|window| window.from);
        Decision {
            answer,
            rule,
            evaluated_at: now,
            opens_at,
            lobby_opens_at: opens_at.map(|at| at.plus_s(-self.lobby_s)),
            closed_at: over.filter(|_| !eligible).map(|window| window.until),
            next_change: if eligible { Some(open_until) } else { opens_at },
        }
    }

    fn without_opening(&self, born: i32, groups: u64) -> (Answer, Rule) {
        match self
            .cohorts
            .iter()
            .position(|members| members.has(born, groups))
        {
            Some(at) => (Answer::NotOpenYet, Rule::NoOpening { cohort: at as u16 }),
            None => (Answer::NotEligible, Rule::NoCohort),
        }
    }

    /// The openings for a person as positions of (opening, cohort), by their beginning.
    pub fn openings_of<'a>(
        &'a self,
        subject: &Subject,
    ) -> impl Iterator<Item = (usize, usize)> + use<'a> {
        let (born, digit) = (ordinal(subject.born), digit_bit(subject.born));
        let groups = subject.groups;
        let theirs = move |w: &&Window| w.digits & digit != 0 && w.members.has(born, groups);
        let at = |w: &Window| (usize::from(w.opening), usize::from(w.cohort));
        self.windows.iter().filter(theirs).map(at)
    }

    /// The groups that lead people of this birth date into a cohort, in the order of their bits.
    pub fn groups_of(&self, born: Date) -> impl Iterator<Item = &str> {
        let born = ordinal(born);
        let of_date = self.cohorts.iter().filter(move |cohort| {
            let (first, last) = cohort.born;
            (first..=last).contains(&born)
        });
        let bits = of_date.fold(0, |bits, cohort| bits | cohort.groups_any);
        let groups = self.groups.iter().enumerate();
        let named = groups.filter(move |(at, _)| bits >> at & 1 == 1);
        named.map(|(_, group)| group.as_str())
    }

    /// Every instant at which some opening begins or ends, ascending, each once.
    pub fn boundaries(&self) -> Vec<Stamp> {
        let ends = self
            .windows
            .iter()
            .flat_map(|window| [window.from, window.until]);
        let mut boundaries: Vec<Stamp> = ends.collect();
        boundaries.sort_unstable();
        boundaries.dedup();
        boundaries
    }

    /// The groups that lead into a cohort, as bits; 0 when groups do not matter to it.
    pub fn groups_any(&self, cohort: usize) -> u64 {
        self.cohorts[cohort].groups_any
    }
}

/// Dates in order as numbers; there are gaps, but no two dates share one.
fn ordinal(date: Date) -> i32 {
    i32::from(date.year()) << 9 | i32::from(date.month()) << 5 | i32::from(date.day())
}

/// The last digit of the day of the month as a mask; 29 February has digit 9 like any 29th.
fn digit_bit(born: Date) -> u16 {
    1 << (born.day() % 10)
}

fn bits_of<'a>(known: &[String], groups: impl Iterator<Item = &'a str>) -> u64 {
    let place = |group| known.iter().position(|known| known == group);
    groups.filter_map(place).fold(0, |bits, at| bits | 1 << at)
}

#[cfg(test)]
mod tests;
