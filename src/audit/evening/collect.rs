//! Collects an evening while the journal is replayed.
//!
//! It is shown each entry with the state after it, from the first entry on, and keeps what belongs
//! to one line of one campaign. It reads no clock and no file: what it says follows from the
//! entries. Of the time before the evening it keeps counts a minute, for an opening can be
//! postponed or brought forward while people wait for it.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::figures::{Act, Figures, Happening, RulesTold};
use super::line::LineRecord;
use super::rows::{Counts, Rows};
use super::summary;
use crate::audit::draw::Draws;
use crate::domain::campaign::{Campaign, Opening};
use crate::domain::entry::{Actor, Change, Entry, GateAct, Hash, HoldEnd, Purpose};
use crate::domain::ids::{CampaignIndex, LineIndex, PersonKey, Pool, Seq};
use crate::domain::line::Notice;
use crate::domain::state::{Founded, KeyHash, State};
use crate::domain::time::Stamp;

use data_encoding::HEXLOWER;

/// An evening ends with its line; where that was not emptied, so long after everybody had to have
/// finished.
const OVER_AFTER_S: i64 = 60;

/// Which opening: its line, of a campaign.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wanted {
    pub campaign: String,
    pub line: LineIndex,
    /// The name of the record in its checkpoints; its own if the settings have none.
    pub origin: Option<String>,
}

/// The campaign as the rules said last while they had the opening.
pub(super) struct Ruled {
    pub campaign: Arc<Campaign>,
    pub opening: Opening,
}

impl Ruled {
    /// The minute in which people could come first.
    pub fn begins(&self) -> Stamp {
        let lobby_s = 60 * i64::from(self.campaign.gate.lobby_min());
        let begins = self.opening.from.plus_s(-lobby_s);
        Stamp(begins.0 - begins.0.rem_euclid(60 * Stamp::SECOND))
    }

    /// When everybody had to have finished.
    pub fn ends(&self) -> Stamp {
        let finish_s = 60 * i64::from(self.campaign.gate.finish_min);
        self.opening.until.plus_s(finish_s)
    }

    /// The instant in the campaign's zone, to the millisecond.
    pub fn told(&self, at: Stamp) -> String {
        let whole = at.0 - at.0.rem_euclid(Stamp::SECOND / 1_000);
        self.campaign.zone.rfc3339(Stamp(whole))
    }
}

/// What is collected so far.
pub struct Collector {
    wanted: Wanted,
    index: Option<CampaignIndex>,
    pub(super) ruled: Option<Ruled>,
    pub(super) founded: Option<Founded>,
    pub(super) line: LineRecord,
    pub(super) draws: Draws,
    pub(super) rows: Rows,
    /// With when they were: the lists are cut to the evening at its end.
    pub(super) rules: Vec<(Stamp, RulesTold)>,
    pub(super) acts: Vec<(Stamp, Act)>,
    /// When no server was there: from when, and until when if one came back.
    pub(super) outages: Vec<(Stamp, Option<Stamp>)>,
    pub(super) happenings: Vec<(Stamp, Happening)>,
    /// When the last entry before each start was.
    pub(super) last_signs: Vec<Stamp>,
    /// Whether a server runs by the entries: it was started, and has not stopped.
    runs: bool,
    acted: HashSet<PersonKey, KeyHash>,
    pub(super) last: Option<(Seq, Stamp, Hash)>,
    /// The entry that shows that the evening is over.
    closed_by: Option<Seq>,
    finished: Option<Figures>,
}

impl Collector {
    pub fn new(wanted: Wanted) -> Self {
        Self {
            wanted,
            index: None,
            ruled: None,
            founded: None,
            line: LineRecord::default(),
            draws: Draws::default(),
            rows: Rows::default(),
            rules: Vec::new(),
            acts: Vec::new(),
            outages: Vec::new(),
            happenings: Vec::new(),
            last_signs: Vec::new(),
            runs: false,
            acted: HashSet::default(),
            last: None,
            closed_by: None,
            finished: None,
        }
    }

    /// The entry that shows that the evening is over; none before it came.
    pub fn closed_by(&self) -> Option<Seq> {
        self.closed_by
    }

    pub fn line_wanted(&self) -> LineIndex {
        self.wanted.line
    }

    pub(super) fn origin_wanted(&self) -> Option<&str> {
        self.wanted.origin.as_deref()
    }

    /// Looks at an entry that was just applied; `hash` is that of its bytes.
    pub fn see(&mut self, state: &State, entry: &Entry, hash: &Hash) {
        if self.closed_by.is_some() {
            return;
        }
        let over = |ruled: &Ruled| entry.stamp >= ruled.ends().plus_s(OVER_AFTER_S);
        if self.ruled.as_ref().is_some_and(over) {
            return self.close(state, entry.seq);
        }
        if let (Change::Started { .. }, Some((_, sign, _))) = (&entry.change, self.last) {
            self.last_signs.push(sign);
        }
        self.last = Some((entry.seq, entry.stamp, *hash));
        self.rows.begin(entry.stamp, entry.seq);
        self.note(state, entry);
        self.note_line(state, entry);
        self.note_act(entry);
    }

    /// The figures of what was seen; none if the opening was not in it.
    pub fn finish(mut self, state: &State) -> Option<Figures> {
        if self.finished.is_none() {
            self.finished = summary::figures(&mut self, state, true);
        }
        self.finished
    }

    fn close(&mut self, state: &State, by: Seq) {
        self.closed_by = Some(by);
        self.finished = summary::figures(self, state, false);
    }

    fn is_ours(&self, campaign: CampaignIndex) -> bool {
        self.index == Some(campaign)
    }

    /// What happens to seats, rules and the server.
    fn note(&mut self, state: &State, entry: &Entry) {
        match &entry.change {
            Change::Founded { .. } => self.founded = state.founded,
            Change::CampaignActivated { campaign, .. } => self.activated(state, entry, *campaign),
            Change::HoldPlaced {
                campaign,
                person,
                pool,
                ..
            } if self.is_ours(*campaign) => {
                self.rows.now().holds += 1;
                self.first_act(state, entry, *person, *pool);
            }
            Change::HoldExtended { campaign, .. } if self.is_ours(*campaign) => {
                self.rows.now().holds_extended += 1;
            }
            Change::HoldEnded {
                campaign, reason, ..
            } if self.is_ours(*campaign) => match reason {
                HoldEnd::Expired => self.rows.now().holds_expired += 1,
                HoldEnd::Released | HoldEnd::Closed => self.rows.now().holds_released += 1,
            },
            Change::Booked {
                campaign,
                person,
                pool,
                ..
            } if self.is_ours(*campaign) => {
                let counts = self.rows.now();
                counts.booked += 1;
                counts.by_pool[*pool as usize] += 1;
                counts.by_actor[actor_at(&entry.actor)] += 1;
                self.first_act(state, entry, *person, *pool);
            }
            Change::Moved { campaign, .. } | Change::Relocated { campaign, .. }
                if self.is_ours(*campaign) =>
            {
                self.rows.now().moved += 1;
            }
            Change::Cancelled { campaign, .. } if self.is_ours(*campaign) => {
                self.rows.now().cancelled += 1;
            }
            Change::Refused {
                campaign,
                rules,
                reason,
                ..
            } if self.is_ours(*campaign) => {
                self.rows.refused(*rules, *reason);
            }
            Change::Started { program } => {
                let what = if self.runs {
                    "started_after_crash"
                } else {
                    "started"
                };
                if self.runs {
                    let died = self.last_signs.last().copied();
                    self.outages
                        .push((died.unwrap_or(entry.stamp), Some(entry.stamp)));
                } else if let Some(outage) = self.outages.last_mut() {
                    outage.1.get_or_insert(entry.stamp);
                }
                self.runs = true;
                self.happens(entry, what, Some(program.clone()), None);
            }
            Change::Stopped {} => {
                self.runs = false;
                self.outages.push((entry.stamp, None));
                self.happens(entry, "stopped", None, None);
            }
            Change::ClockStepped { step_ns } => {
                self.happens(entry, "clock_stepped", None, Some(step_ns / 1_000_000));
            }
            Change::ClockBehind { behind_ns } => {
                self.happens(entry, "clock_behind", None, Some(behind_ns / 1_000_000));
            }
            _ => {}
        }
    }

    /// What happens to the line.
    fn note_line(&mut self, state: &State, entry: &Entry) {
        let Some((campaign, line)) = entry.change.line() else {
            return;
        };
        if !self.is_ours(campaign) || line != self.wanted.line {
            return;
        }
        let Some(known) = state.campaign(campaign) else {
            return;
        };
        let (at, change) = (entry.stamp, &entry.change);
        self.draws.see(known, (campaign, line), at, change);
        match change {
            Change::PlacesGiven { places, .. } => self.line.give(at, places),
            Change::ServingAdvanced { serving, .. } => self.line.serve(at, *serving),
            Change::LineTold { told, .. } => self.line.told.push((at, *told)),
            Change::DrawRevealed { .. } => {
                if let Some(line) = known.line(line) {
                    self.line.draw(line);
                }
            }
            Change::LineEnded { .. } => {
                let is_over = |ruled: &Ruled| at >= ruled.opening.until;
                if self.line.has_numbers() || self.ruled.as_ref().is_some_and(is_over) {
                    self.close(state, entry.seq);
                } else {
                    // A commitment was dropped before anybody came: the line begins anew.
                    (self.line, self.draws) = Default::default();
                }
            }
            _ => {}
        }
    }

    fn activated(&mut self, state: &State, entry: &Entry, campaign: CampaignIndex) {
        let known = state.campaign(campaign);
        let ours = known.filter(|known| known.id.as_str() == self.wanted.campaign);
        let (
            Some(known),
            Change::CampaignActivated {
                version,
                source_sha256,
                ..
            },
        ) = (ours, &entry.change)
        else {
            return;
        };
        self.index = Some(campaign);
        let rules = &known.catalog.campaign;
        let opening = rules.opening_of(self.wanted.line).cloned();
        let told = |at: Stamp| rules.zone.rfc3339(at);
        let row = RulesTold {
            version: *version,
            activated_at: told(entry.stamp),
            entry: entry.seq.0,
            by: by(&entry.actor),
            source_sha256: HEXLOWER.encode(source_sha256),
            opening: opening
                .as_ref()
                .map(|opening| [opening.from, opening.until].map(told)),
        };
        self.rules.push((entry.stamp, row));
        if let Some(opening) = opening {
            let campaign = Arc::clone(rules);
            self.ruled = Some(Ruled { campaign, opening });
        }
    }

    /// Notes somebody's first hold or booking by themselves since the opening.
    fn first_act(&mut self, state: &State, entry: &Entry, person: PersonKey, pool: Pool) {
        let by_themselves = matches!(entry.actor, Actor::Citizen | Actor::Proxy { .. });
        let opened = |ruled: &Ruled| ruled.opening.from <= entry.stamp;
        let counts = by_themselves && pool == Pool::Public;
        if !counts || !self.ruled.as_ref().is_some_and(opened) || !self.acted.insert(person) {
            return;
        }
        let known = self.index.and_then(|index| state.campaign(index));
        let line = known.and_then(|known| known.line(self.wanted.line));
        let given = line.and_then(|line| line.given.get(&person).copied());
        self.line.act(entry.stamp, person, given);
    }

    fn happens(
        &mut self,
        entry: &Entry,
        what: &'static str,
        program: Option<String>,
        by_ms: Option<i64>,
    ) {
        let happening = Happening {
            at: String::new(),
            entry: entry.seq.0,
            what,
            program,
            by_ms,
        };
        self.happenings.push((entry.stamp, happening));
    }

    /// An operator's act at this campaign, or at what all campaigns have.
    fn note_act(&mut self, entry: &Entry) {
        let act = |act, text: Option<&str>, number| Act {
            at: String::new(),
            entry: entry.seq.0,
            by: by(&entry.actor),
            act,
            text: text.map(str::to_owned),
            text_en: None,
            number,
        };
        let act = match &entry.change {
            Change::GateSet { campaign, act: set } if self.is_ours(*campaign) => {
                self.note_pause(entry.stamp, set);
                let (name, notice, number) = gate_act(set);
                let mut act = act(name, None, number);
                if let Some(Notice { text, en }) = notice {
                    (act.text, act.text_en) = (Some(text), en);
                }
                act
            }
            Change::CampaignActivated {
                campaign, version, ..
            } if self.is_ours(*campaign) => act("rules_activated", None, Some(u64::from(*version))),
            Change::AgencyActivated {
                campaign, version, ..
            } if self.is_ours(*campaign) => {
                act("agency_activated", None, Some(u64::from(*version)))
            }
            Change::SitesImported { campaign, rows, .. } if self.is_ours(*campaign) => {
                act("sites_imported", None, Some(u64::from(*rows)))
            }
            Change::SlotsImported { campaign, rows, .. } if self.is_ours(*campaign) => {
                act("slots_imported", None, Some(u64::from(*rows)))
            }
            Change::RosterImported { people, .. } => act("roster_imported", None, Some(*people)),
            Change::TokenKeyRotated { id } => act("token_key_replaced", None, Some(u64::from(*id))),
            Change::HeadKeyRotated { public_key, .. } => act(
                "head_key_replaced",
                Some(&HEXLOWER.encode(public_key)),
                None,
            ),
            Change::PersonalKeysRotated { id } => {
                act("personal_keys_replaced", None, Some(u64::from(*id)))
            }
            Change::PersonalDataSeen(look) if look.purpose == Purpose::Reviewed => {
                act("looks_reviewed", None, None)
            }
            // Whose they were, and why, is in the access record.
            Change::PersonalDataSeen(look) => {
                act("personal_data_seen", None, Some(look.people.len() as u64))
            }
            Change::PersonErased { .. } => act("person_erased", None, None),
            Change::VaultEmptied { .. } => act("vault_emptied", None, None),
            _ => return,
        };
        self.acts.push((entry.stamp, act));
    }

    fn note_pause(&mut self, at: Stamp, act: &GateAct) {
        match act {
            GateAct::Pause { .. } | GateAct::PauseSaid { .. } | GateAct::Drain { .. } => {
                self.line.pause(at)
            }
            GateAct::Resume => self.line.resume(at),
            _ => {}
        }
    }
}

/// The names of those who book, as `Counts::by_actor` counts them.
pub(super) const ACTORS: [&str; 4] = ["citizen", "proxy", "staff", "operator"];

fn actor_at(actor: &Actor) -> usize {
    match actor {
        Actor::Citizen | Actor::System => 0,
        Actor::Proxy { .. } => 1,
        Actor::Staff { .. } => 2,
        Actor::Operator(_) => 3,
    }
}

/// Who did it, without a person of the roster.
fn by(actor: &Actor) -> String {
    match actor {
        Actor::System => "sumun".to_owned(),
        Actor::Citizen => "citizen".to_owned(),
        Actor::Proxy { .. } => "proxy".to_owned(),
        Actor::Operator(account) => account.clone(),
        Actor::Staff { account, .. } => account.clone(),
    }
}

/// The name of an act, what it says, and its number.
fn gate_act(act: &GateAct) -> (&'static str, Option<Notice>, Option<u64>) {
    let paused = |freezes: bool| {
        if freezes {
            "paused_and_frozen"
        } else {
            "paused"
        }
    };
    match act {
        GateAct::Pause { reason, freezes } => (paused(*freezes), Some(reason.clone().into()), None),
        GateAct::PauseSaid { reason, freezes } => (paused(*freezes), Some(reason.clone()), None),
        GateAct::Drain { reason } => ("drained", Some(reason.clone()), None),
        GateAct::Resume => ("resumed", None, None),
        GateAct::Rate { admit_per_s } => ("rate_set", None, Some(u64::from(*admit_per_s))),
        GateAct::Active { active_max } => ("active_set", None, Some(u64::from(*active_max))),
        GateAct::Message { text } => ("message_set", Some(text.clone().into()), None),
        GateAct::MessageSaid { message } => ("message_set", Some(message.clone()), None),
        GateAct::DrawValue {
            line,
            value,
            source,
        } => {
            let text = format!("{value} ({source})");
            (
                "draw_value_given",
                Some(text.into()),
                Some(u64::from(line.0)),
            )
        }
    }
}

/// The sums of counts that a list of figures is made of.
pub(super) fn sums<const N: usize>(
    names: [&'static str; N],
    counts: [u64; N],
) -> BTreeMap<&'static str, u64> {
    names
        .into_iter()
        .zip(counts)
        .filter(|(_, count)| *count > 0)
        .collect()
}

/// What was counted in some minutes.
pub(super) fn total<'a>(counts: impl Iterator<Item = &'a Counts>) -> Counts {
    counts.fold(Counts::default(), |sum, counts| sum.and(counts))
}
