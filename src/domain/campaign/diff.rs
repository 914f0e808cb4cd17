//! What differs between two versions of a campaign, field by field, for somebody to review.
//!
//! Openings have no name: those that stayed alike are matched first, then those for the same people
//! in their order, so that a moved opening reads as one change and not as two. It judges nothing,
//! but points out what reaches beyond the rules, such as vaccines whose positions slots refer to.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::domain::campaign::{Campaign, Cohort, Opening, Vaccine};

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    Added,
    Removed,
    Changed,
}

/// One field with its two values.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FieldChange {
    pub kind: ChangeKind,
    /// As `gate.admit_per_s`, `cohort born-1967-1968.born` or `opening 2.until`; the number of an
    /// opening is that of the new file, or of the old one when it is removed.
    pub field: String,
    pub old: Option<String>,
    pub new: Option<String>,
    /// What a reviewer should know about it beyond the two values.
    pub caution: Option<Cow<'static, str>>,
}

/// All changes, in the order of the file's sections.
pub fn diff(old: &Campaign, new: &Campaign) -> Vec<FieldChange> {
    let mut changes = Changes::default();
    changes.campaign(old, new);
    changes.cohorts(old, new);
    changes.openings(old, new);
    changes.vaccines(old, new);
    changes.settings(old, new);
    changes.0
}

/// Changes as they are found.
#[derive(Default)]
pub(in crate::domain) struct Changes(pub Vec<FieldChange>);

impl Changes {
    /// Adds a field, unless it is the same.
    pub fn push(
        &mut self,
        field: impl Into<String>,
        old: Option<String>,
        new: Option<String>,
        caution: Option<&'static str>,
    ) {
        let kind = match (&old, &new) {
            (old, new) if old == new => return,
            (None, _) => ChangeKind::Added,
            (_, None) => ChangeKind::Removed,
            _ => ChangeKind::Changed,
        };
        self.0.push(FieldChange {
            kind,
            field: field.into(),
            old,
            new,
            caution: caution.map(Cow::Borrowed),
        });
    }

    /// A field that both versions have.
    fn field<T: ToString>(&mut self, field: impl Into<String>, old: T, new: T) {
        self.push(field, Some(old.to_string()), Some(new.to_string()), None);
    }

    fn campaign(&mut self, old: &Campaign, new: &Campaign) {
        let id = |c: &Campaign| Some(c.id.to_string());
        let caution = Some("another id is another campaign, with none of this one's bookings");
        self.push("campaign.id", id(old), id(new), caution);
        self.field("campaign.name.ko", &old.name.ko, &new.name.ko);
        self.field("campaign.name.en", &old.name.en, &new.name.en);
        let zone = |c: &Campaign| Some(c.zone.name().to_owned());
        let caution = Some("every local time of the file now names another instant");
        self.push("campaign.timezone", zone(old), zone(new), caution);
        let identity = |c: &Campaign| {
            let names: Vec<&str> = c.identity.iter().map(|field| field.name()).collect();
            names.join(", ")
        };
        self.field("campaign.identity", identity(old), identity(new));
    }

    fn cohorts(&mut self, old: &Campaign, new: &Campaign) {
        let born = |c: &Cohort| format!("{} to {}", c.born.0, c.born.1);
        let groups = |c: &Cohort| match c.groups_any.as_slice() {
            [] => "everyone".to_owned(),
            groups => format!("any of {}", groups.join(", ")),
        };
        let all = |c: &Cohort| format!("{}, {}", born(c), groups(c));
        for cohort in &old.cohorts {
            let field = format!("cohort {}", cohort.id);
            match new.cohorts.iter().find(|other| other.id == cohort.id) {
                None => self.push(field, Some(all(cohort)), None, None),
                Some(other) => {
                    self.field(format!("{field}.born"), born(cohort), born(other));
                    self.field(format!("{field}.groups_any"), groups(cohort), groups(other));
                }
            }
        }
        for cohort in &new.cohorts {
            if !old.cohorts.iter().any(|other| other.id == cohort.id) {
                self.push(
                    format!("cohort {}", cohort.id),
                    None,
                    Some(all(cohort)),
                    None,
                );
            }
        }
    }

    fn openings(&mut self, old: &Campaign, new: &Campaign) {
        let pairs = pair_openings(old, new);
        for (at, opening) in old.openings.iter().enumerate() {
            if !pairs.contains(&Some(at)) {
                let field = format!("opening {}", at + 1);
                self.push(field, Some(show_opening(old, opening)), None, None);
            }
        }
        for (at, opening) in new.openings.iter().enumerate() {
            let field = format!("opening {}", at + 1);
            let Some(before) = pairs[at].map(|before| &old.openings[before]) else {
                self.push(field, None, Some(show_opening(new, opening)), None);
                continue;
            };
            let from = (
                old.zone.rfc3339(before.from),
                new.zone.rfc3339(opening.from),
            );
            let until = (
                old.zone.rfc3339(before.until),
                new.zone.rfc3339(opening.until),
            );
            self.field(format!("{field}.from"), from.0, from.1);
            self.field(format!("{field}.until"), until.0, until.1);
        }
    }

    fn vaccines(&mut self, old: &Campaign, new: &Campaign) {
        let show = |v: &Vaccine| match v.doses {
            1 => "1 dose".to_owned(),
            doses => format!("{doses} doses, {} days apart", v.interval_days),
        };
        let moved = Some("slots refer to vaccines by their position, which is another one now");
        let gone = Some("slots may still refer to it");
        let apart = Some(
            "at the desk the second doses that are booked move with it; nothing else moves them",
        );
        for (at, vaccine) in old.vaccines.iter().enumerate() {
            let field = format!("vaccine {}", vaccine.id);
            match new.vaccines.iter().position(|other| other.id == vaccine.id) {
                None => self.push(field, Some(show(vaccine)), None, gone),
                Some(now) => {
                    let other = &new.vaccines[now];
                    self.push(
                        format!("{field}.doses"),
                        Some(show(vaccine)),
                        Some(show(other)),
                        apart,
                    );
                    let (at, now) = (Some((at + 1).to_string()), Some((now + 1).to_string()));
                    self.push(format!("{field}.position"), at, now, moved);
                }
            }
        }
        for vaccine in &new.vaccines {
            if !old.vaccines.iter().any(|other| other.id == vaccine.id) {
                self.push(
                    format!("vaccine {}", vaccine.id),
                    None,
                    Some(show(vaccine)),
                    None,
                );
            }
        }
    }

    fn settings(&mut self, old: &Campaign, new: &Campaign) {
        let (a, b) = (&old.booking, &new.booking);
        self.field("booking.hold_s", a.hold_s, b.hold_s);
        self.field("booking.hold_extend_s", a.hold_extend_s, b.hold_extend_s);
        self.field(
            "booking.change_until_days",
            a.change_until_days,
            b.change_until_days,
        );
        self.field(
            "booking.personal_data_days",
            a.personal_data_days,
            b.personal_data_days,
        );
        let (a, b) = (&old.gate, &new.gate);
        self.field("gate.order", a.order.name(), b.order.name());
        self.field("gate.lobby_opens_min", a.lobby_opens_min, b.lobby_opens_min);
        self.field("gate.last_entry_min", a.last_entry_min, b.last_entry_min);
        self.field("gate.finish_min", a.finish_min, b.finish_min);
        self.field("gate.window_min", a.window_min, b.window_min);
        let people =
            |people: Option<u32>| people.map_or("by the rate".to_owned(), |n| n.to_string());
        self.field(
            "gate.window_people",
            people(a.window_people),
            people(b.window_people),
        );
        self.field("gate.reveal_min", a.reveal_min, b.reveal_min);
        self.field("gate.admit_per_s", a.admit_per_s, b.admit_per_s);
        self.field("gate.active_max", a.active_max, b.active_max);
        self.field("gate.session_idle_s", a.session_idle_s, b.session_idle_s);
    }
}

/// Whom an opening is for: cohort ids and digits.
fn people<'c>(campaign: &'c Campaign, opening: &Opening) -> (Vec<&'c str>, u16) {
    let id = |&at: &usize| campaign.cohorts[at].id.as_str();
    let mut ids: Vec<&str> = opening.cohorts.iter().map(id).collect();
    ids.sort_unstable();
    (ids, opening.digit_mask())
}

/// For each new opening the old one it continues, if any.
fn pair_openings(old: &Campaign, new: &Campaign) -> Vec<Option<usize>> {
    let mut pairs = vec![None; new.openings.len()];
    let mut taken = vec![false; old.openings.len()];
    for alike in [true, false] {
        for (at, opening) in new.openings.iter().enumerate() {
            let continues = |(before, other): (usize, &Opening)| {
                let same = !alike || (other.from, other.until) == (opening.from, opening.until);
                same && !taken[before] && people(old, other) == people(new, opening)
            };
            if pairs[at].is_none() {
                pairs[at] = old.openings.iter().enumerate().position(continues);
                if let Some(before) = pairs[at] {
                    taken[before] = true;
                }
            }
        }
    }
    pairs
}

fn show_opening(campaign: &Campaign, opening: &Opening) -> String {
    let (ids, _) = people(campaign, opening);
    let digits = match opening.birth_day_last_digits.as_slice() {
        [] => String::new(),
        digits => format!(", birth days ending in {digits:?}"),
    };
    let from = campaign.zone.rfc3339(opening.from);
    let until = campaign.zone.rfc3339(opening.until);
    format!("{from} to {until} for {}{digits}", ids.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const JULY: &str = include_str!("../../../data/campaign.toml");

    fn changes(edit: impl Fn(String) -> String) -> Vec<FieldChange> {
        let (old, _) = Campaign::parse(JULY).unwrap();
        let (new, _) = Campaign::parse(&edit(JULY.to_owned())).expect("the edited file is sound");
        diff(&old, &new)
    }

    #[test]
    fn a_file_does_not_differ_from_itself_nor_by_its_comments() {
        assert_eq!(changes(|text| text), []);
        assert_eq!(changes(|text| format!("# a comment\n\n{text}")), []);
    }

    #[test]
    fn a_moved_opening_is_one_change() {
        let found = changes(|text| text.replace("2021-07-19T20:00", "2021-07-19T21:00"));
        let [change] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!(change.kind, ChangeKind::Changed);
        assert_eq!(change.field, "opening 3.from");
        assert_eq!(change.old.as_deref(), Some("2021-07-19T20:00:00+09:00"));
        assert_eq!(change.new.as_deref(), Some("2021-07-19T21:00:00+09:00"));
    }

    #[test]
    fn every_section_is_compared() {
        let found = changes(|text| {
            text.replace("hold_s = 300", "hold_s = 120")
                .replace("hold_extend_s = 300", "hold_extend_s = 0")
                .replace("admit_per_s = 280", "admit_per_s = 560")
                .replace("1971-12-31", "1972-12-31")
                .replace(
                    "[[vaccine]]",
                    "[[vaccine]]\nid = \"one\"\ndoses = 1\n[[vaccine]]",
                )
        });
        let fields: Vec<&str> = found.iter().map(|change| change.field.as_str()).collect();
        let expected = [
            "cohort born-1969-1971.born",
            "vaccine mrna.position",
            "vaccine one",
            "booking.hold_s",
            "booking.hold_extend_s",
            "gate.admit_per_s",
        ];
        assert_eq!(fields, expected);
        assert!(found[1].caution.is_some());
    }

    #[test]
    fn an_opening_that_goes_and_one_that_comes() {
        let gone = changes(|text| {
            let start = text.rfind("[[opening]]").unwrap();
            let end = text.find("[[vaccine]]").unwrap();
            format!("{}{}", &text[..start], &text[end..])
        });
        assert_eq!(gone.len(), 1);
        assert_eq!(
            (gone[0].kind, gone[0].field.as_str()),
            (ChangeKind::Removed, "opening 5")
        );
    }
}
