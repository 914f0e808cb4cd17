//! What a campaign file meant, as rows that the journal keeps: the compiled form of a `Campaign`.
//!
//! A journal is replayed from these rows alone. The file's text is not read again, so a stricter
//! check of a later program can't refuse it, and no local time is resolved again, so a newer
//! time-zone database can't move an opening.

use serde::{Deserialize, Serialize};

use super::eligibility::Rules;
use super::{
    BookingRules, Campaign, Cohort, GROUPS_MAX, GateRules, IdentityField, LocalizedText, Opening,
    Order, Vaccine,
};
use crate::domain::ids::{CampaignId, LineIndex};
use crate::domain::shown;
use crate::domain::time::{Day, Stamp, Zone};

/// One row of a compiled campaign. Variants are appended; a row of each kind that the program
/// knew was written. Rows of cohorts, openings and vaccines stand in the order of the file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CampaignRow {
    Id(String),
    Name {
        ko: String,
        en: String,
    },
    /// The IANA name.
    Zone(String),
    /// What a person is asked for, in the form's order.
    Identity(Vec<IdentityField>),
    Cohort {
        id: String,
        /// First and last birth date, both included.
        #[serde(serialize_with = "shown::text")]
        born_first: Day,
        #[serde(serialize_with = "shown::text")]
        born_last: Day,
        /// Empty when groups do not matter.
        groups_any: Vec<String>,
    },
    /// The half-open interval `[from, until)`.
    Opening {
        #[serde(serialize_with = "shown::instant")]
        from: Stamp,
        #[serde(serialize_with = "shown::instant")]
        until: Stamp,
        /// Positions of cohorts, from 0.
        cohorts: Vec<u16>,
        /// Last digits of the day of the month of birth; empty for every day.
        birth_day_last_digits: Vec<u8>,
        /// The line of its people.
        line: LineIndex,
    },
    Vaccine {
        id: String,
        doses: u8,
        interval_days: u16,
    },
    HoldS(u32),
    ChangeUntilDays(u16),
    Order(Order),
    LobbyOpensMin(u32),
    LastEntryMin(u32),
    FinishMin(u32),
    AdmitPerS(u32),
    ActiveMax(u32),
    SessionIdleS(u32),
    WindowMin(u32),
    /// None: as many as come in within half a window.
    WindowPeople(Option<u32>),
    RevealMin(u32),
    /// Rows without it are of a program that extended no hold; they mean 0.
    HoldExtendS(u32),
    /// Rows without it are of a program that erased nothing by itself; they mean 0.
    PersonalDataDays(u32),
}

impl Campaign {
    /// The campaign as rows, each kind in turn.
    pub fn rows(&self) -> Vec<CampaignRow> {
        let mut rows = vec![
            CampaignRow::Id(self.id.to_string()),
            CampaignRow::Name {
                ko: self.name.ko.clone(),
                en: self.name.en.clone(),
            },
            CampaignRow::Zone(self.zone.name().to_owned()),
            CampaignRow::Identity(self.identity.clone()),
        ];
        rows.extend(self.cohorts.iter().map(|cohort| CampaignRow::Cohort {
            id: cohort.id.clone(),
            born_first: Day::of(cohort.born.0),
            born_last: Day::of(cohort.born.1),
            groups_any: cohort.groups_any.clone(),
        }));
        rows.extend(self.openings.iter().map(|opening| CampaignRow::Opening {
            from: opening.from,
            until: opening.until,
            cohorts: opening.cohorts.iter().map(|at| *at as u16).collect(),
            birth_day_last_digits: opening.birth_day_last_digits.clone(),
            line: opening.line,
        }));
        rows.extend(self.vaccines.iter().map(|vaccine| CampaignRow::Vaccine {
            id: vaccine.id.clone(),
            doses: vaccine.doses,
            interval_days: vaccine.interval_days,
        }));
        rows.extend([
            CampaignRow::HoldS(self.booking.hold_s),
            CampaignRow::ChangeUntilDays(self.booking.change_until_days),
            CampaignRow::Order(self.gate.order),
            CampaignRow::LobbyOpensMin(self.gate.lobby_opens_min),
            CampaignRow::LastEntryMin(self.gate.last_entry_min),
            CampaignRow::FinishMin(self.gate.finish_min),
            CampaignRow::AdmitPerS(self.gate.admit_per_s),
            CampaignRow::ActiveMax(self.gate.active_max),
            CampaignRow::SessionIdleS(self.gate.session_idle_s),
            CampaignRow::WindowMin(self.gate.window_min),
            CampaignRow::WindowPeople(self.gate.window_people),
            CampaignRow::RevealMin(self.gate.reveal_min),
            CampaignRow::HoldExtendS(self.booking.hold_extend_s),
            CampaignRow::PersonalDataDays(self.booking.personal_data_days),
        ]);
        rows
    }

    /// The campaign that these rows describe.
    ///
    /// # Errors
    /// What is missing or doubled, or can't be meant: such rows were not written by this program.
    pub fn of_rows(rows: &[CampaignRow]) -> Result<Self, String> {
        let mut parts = Parts::default();
        rows.iter().try_for_each(|row| parts.add(row))?;
        parts.campaign()
    }
}

/// A campaign in the making.
#[derive(Default)]
struct Parts {
    id: Option<CampaignId>,
    name: Option<LocalizedText>,
    zone: Option<Zone>,
    identity: Option<Vec<IdentityField>>,
    cohorts: Vec<Cohort>,
    openings: Vec<Opening>,
    vaccines: Vec<Vaccine>,
    hold_s: Option<u32>,
    change_until_days: Option<u16>,
    order: Option<Order>,
    lobby_opens_min: Option<u32>,
    last_entry_min: Option<u32>,
    finish_min: Option<u32>,
    admit_per_s: Option<u32>,
    active_max: Option<u32>,
    session_idle_s: Option<u32>,
    window_min: Option<u32>,
    window_people: Option<Option<u32>>,
    reveal_min: Option<u32>,
    hold_extend_s: Option<u32>,
    personal_data_days: Option<u32>,
}

/// Takes the one value of its kind.
fn once<T>(place: &mut Option<T>, name: &str, value: T) -> Result<(), String> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(format!("has two rows for the {name} of a campaign")),
    }
}

/// The one value of its kind, which must have been there.
fn need<T>(place: Option<T>, name: &str) -> Result<T, String> {
    place.ok_or_else(|| format!("has no row for the {name} of a campaign"))
}

impl Parts {
    fn add(&mut self, row: &CampaignRow) -> Result<(), String> {
        match row {
            CampaignRow::Id(id) => once(&mut self.id, "id", CampaignId::try_from(id.clone())?),
            CampaignRow::Name { ko, en } => {
                let (ko, en) = (ko.clone(), en.clone());
                once(&mut self.name, "name", LocalizedText { ko, en })
            }
            CampaignRow::Zone(name) => once(&mut self.zone, "zone", Zone::of_journal(name)),
            CampaignRow::Identity(fields) => {
                once(&mut self.identity, "identity fields", fields.clone())
            }
            CampaignRow::Cohort {
                id,
                born_first,
                born_last,
                groups_any,
            } => {
                self.cohorts.push(Cohort {
                    id: id.clone(),
                    born: (born_first.date(), born_last.date()),
                    groups_any: groups_any.clone(),
                });
                Ok(())
            }
            CampaignRow::Opening {
                from,
                until,
                cohorts,
                birth_day_last_digits,
                line,
            } => {
                self.openings.push(Opening {
                    cohorts: cohorts.iter().map(|at| usize::from(*at)).collect(),
                    from: *from,
                    until: *until,
                    birth_day_last_digits: birth_day_last_digits.clone(),
                    line: *line,
                });
                Ok(())
            }
            CampaignRow::Vaccine {
                id,
                doses,
                interval_days,
            } => {
                self.vaccines.push(Vaccine {
                    id: id.clone(),
                    doses: *doses,
                    interval_days: *interval_days,
                });
                Ok(())
            }
            CampaignRow::HoldS(hold_s) => once(&mut self.hold_s, "hold_s", *hold_s),
            CampaignRow::ChangeUntilDays(days) => {
                once(&mut self.change_until_days, "change_until_days", *days)
            }
            CampaignRow::Order(order) => once(&mut self.order, "order", *order),
            CampaignRow::LobbyOpensMin(minutes) => {
                once(&mut self.lobby_opens_min, "lobby_opens_min", *minutes)
            }
            CampaignRow::LastEntryMin(minutes) => {
                once(&mut self.last_entry_min, "last_entry_min", *minutes)
            }
            CampaignRow::FinishMin(minutes) => once(&mut self.finish_min, "finish_min", *minutes),
            CampaignRow::AdmitPerS(rate) => once(&mut self.admit_per_s, "admit_per_s", *rate),
            CampaignRow::ActiveMax(people) => once(&mut self.active_max, "active_max", *people),
            CampaignRow::SessionIdleS(idle_s) => {
                once(&mut self.session_idle_s, "session_idle_s", *idle_s)
            }
            CampaignRow::WindowMin(minutes) => once(&mut self.window_min, "window_min", *minutes),
            CampaignRow::WindowPeople(people) => {
                once(&mut self.window_people, "window_people", *people)
            }
            CampaignRow::RevealMin(minutes) => once(&mut self.reveal_min, "reveal_min", *minutes),
            CampaignRow::HoldExtendS(extend_s) => {
                once(&mut self.hold_extend_s, "hold_extend_s", *extend_s)
            }
            CampaignRow::PersonalDataDays(days) => {
                once(&mut self.personal_data_days, "personal_data_days", *days)
            }
        }
    }

    /// Checks what deciding relies on, and nothing that a file of that day need not have kept.
    fn campaign(self) -> Result<Campaign, String> {
        let groups = self.cohorts.iter().flat_map(|cohort| &cohort.groups_any);
        let groups: std::collections::BTreeSet<&str> = groups.map(String::as_str).collect();
        if groups.len() > GROUPS_MAX {
            return Err(format!("names {} groups in a campaign", groups.len()));
        }
        if self.openings.len() > usize::from(u16::MAX) || self.vaccines.len() > 256 {
            return Err("has more openings or vaccines than can be numbered".to_owned());
        }
        for opening in &self.openings {
            if let Some(at) = opening.cohorts.iter().find(|at| **at >= self.cohorts.len()) {
                return Err(format!(
                    "has an opening for cohort {at}, which is not there"
                ));
            }
            if opening.birth_day_last_digits.iter().any(|digit| *digit > 9) {
                return Err("has an opening for a digit that is none".to_owned());
            }
        }
        let mut lines: Vec<_> = self.openings.iter().map(|opening| opening.line).collect();
        lines.sort_unstable();
        if lines.windows(2).any(|two| two[0] == two[1]) {
            return Err("has two openings of one line".to_owned());
        }
        let gate = GateRules {
            order: need(self.order, "order")?,
            lobby_opens_min: need(self.lobby_opens_min, "lobby_opens_min")?,
            last_entry_min: need(self.last_entry_min, "last_entry_min")?,
            finish_min: need(self.finish_min, "finish_min")?,
            admit_per_s: need(self.admit_per_s, "admit_per_s")?,
            active_max: need(self.active_max, "active_max")?,
            session_idle_s: need(self.session_idle_s, "session_idle_s")?,
            window_min: need(self.window_min, "window_min")?,
            window_people: need(self.window_people, "window_people")?,
            reveal_min: need(self.reveal_min, "reveal_min")?,
        };
        let rules = Rules::new(&self.cohorts, &self.openings, gate.lobby_min());
        Ok(Campaign {
            id: need(self.id, "id")?,
            name: need(self.name, "name")?,
            zone: need(self.zone, "zone")?,
            identity: need(self.identity, "identity fields")?,
            cohorts: self.cohorts,
            openings: self.openings,
            vaccines: self.vaccines,
            booking: BookingRules {
                hold_s: need(self.hold_s, "hold_s")?,
                hold_extend_s: self.hold_extend_s.unwrap_or(0),
                change_until_days: need(self.change_until_days, "change_until_days")?,
                personal_data_days: self.personal_data_days.unwrap_or(0),
            },
            gate,
            rules,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JULY: &str = include_str!("../../../data/campaign.toml");
    const AUGUST: &str = include_str!("../../../data/campaign-august.toml");

    #[test]
    fn a_campaign_comes_back_from_its_rows() {
        for source in [JULY, AUGUST] {
            let (campaign, _) = Campaign::parse(source).unwrap();
            assert_eq!(Campaign::of_rows(&campaign.rows()), Ok(campaign));
        }
    }

    #[test]
    fn a_row_that_is_missing_or_doubled_is_named() {
        let july = JULY.replace("# personal_data_days = 365", "personal_data_days = 365 #");
        let (campaign, _) = Campaign::parse(&july).unwrap();
        let rows = campaign.rows();
        for at in 0..rows.len() {
            let mut fewer = rows.clone();
            let taken = fewer.remove(at);
            let mut more = rows.clone();
            more.insert(at, taken.clone());
            match taken {
                // The openings of July name every cohort.
                CampaignRow::Cohort { .. } => assert!(Campaign::of_rows(&fewer).is_err()),
                CampaignRow::Opening { .. } | CampaignRow::Vaccine { .. } => {}
                CampaignRow::HoldExtendS(_) | CampaignRow::PersonalDataDays(_) => {
                    let old = Campaign::of_rows(&fewer).unwrap().booking;
                    let is_extended = matches!(taken, CampaignRow::PersonalDataDays(_));
                    assert_eq!(old.hold_extend_s, if is_extended { 300 } else { 0 });
                    assert_eq!(old.personal_data_days, if is_extended { 0 } else { 365 });
                    let doubled = Campaign::of_rows(&more).unwrap_err();
                    assert!(doubled.contains("has two rows for the"), "{doubled}");
                }
                _ => {
                    let missing = Campaign::of_rows(&fewer).unwrap_err();
                    assert!(missing.contains("has no row for the"), "{missing}");
                    let doubled = Campaign::of_rows(&more).unwrap_err();
                    assert!(doubled.contains("has two rows for the"), "{doubled}");
                }
            }
        }
    }

    #[test]
    fn rows_that_deciding_could_not_use_are_refused() {
        let (campaign, _) = Campaign::parse(JULY).unwrap();
        let opening = |cohorts: Vec<u16>, digits: Vec<u8>| {
            let mut rows = campaign.rows();
            rows.push(CampaignRow::Opening {
                from: Stamp(1),
                until: Stamp(2),
                cohorts,
                birth_day_last_digits: digits,
                line: LineIndex(99),
            });
            Campaign::of_rows(&rows).map(|_| ())
        };
        assert!(opening(vec![99], vec![]).is_err());
        assert!(opening(vec![0], vec![16]).is_err());
        assert_eq!(opening(vec![0], vec![9]), Ok(()));
        let mut rows = campaign.rows();
        rows.push(CampaignRow::Cohort {
            id: "many".to_owned(),
            born_first: Day(0),
            born_last: Day(i32::MAX),
            groups_any: (0..65).map(|at| at.to_string()).collect(),
        });
        assert!(Campaign::of_rows(&rows).is_err());
    }

    /// The name of a zone that the program's table no longer has must not keep a folder shut.
    #[test]
    fn a_zone_that_is_not_known_any_more_keeps_its_name_and_moves_no_opening() {
        let (campaign, _) = Campaign::parse(JULY).unwrap();
        let mut rows = campaign.rows();
        for row in &mut rows {
            if let CampaignRow::Zone(name) = row {
                *name = "Asia/Atlantis".to_owned();
            }
        }
        let old = Campaign::of_rows(&rows).unwrap();
        assert_eq!(old.zone.name(), "Asia/Atlantis");
        assert_eq!(old.openings, campaign.openings);
        assert_eq!(old.rows(), rows);
    }
}
