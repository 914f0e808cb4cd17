//! What an operator's act must do.

use std::collections::VecDeque;

use sumun::domain::entry::{Actor, Change, Hash, Piece};
use sumun::domain::ids::{CampaignId, CampaignIndex, Pool, Seats};
use sumun::domain::time::Stamp;
use sumun::engine::command::{Operated, Outcome, RosterNews, SlotsDone};

use super::{Act, Asked, Pass, Programme, Said, Waiting};
use crate::world::{agency_rows, agency_text};

/// Who acts in every run.
pub const OPERATOR: &str = "operator";

pub(super) fn did(operated: Operated) -> Said {
    Said::Exactly(Outcome::Operated(operated))
}

impl Pass {
    pub(super) fn operate(&mut self, change: Change) {
        self.write(Actor::Operator(OPERATOR.to_owned()), change);
    }

    /// A list that is short enough for one entry of each kind of piece.
    pub(super) fn list<const N: usize>(&mut self, at: usize, pieces: [Piece; N], last: Change) {
        let campaign = CampaignIndex(at as u16);
        for (part, piece) in (0..).zip(pieces) {
            self.operate(Change::PieceAdded {
                campaign,
                part,
                piece,
            });
        }
        self.operate(last);
    }

    pub(super) fn act(&mut self, act: Act, others: &VecDeque<Waiting>) -> Said {
        match act {
            Act::Activate { rules, text, now } => self.activate(rules, text, now),
            Act::Agency {
                campaign,
                telephone,
            } => self.agency(campaign, telephone),
            Act::Sites { campaign, rows } => self.sites(campaign, rows),
            Act::Slots { campaign, rows } => self.slots(campaign, rows, others),
            Act::Roster { people } => self.roster(people),
            Act::Close {
                campaign,
                slots,
                begin,
            } => self.close(campaign, slots, &begin),
            Act::Reopen { campaign, slots } => self.reopen(campaign, slots),
            Act::Relocate {
                campaign,
                relocation,
                people,
                offered_until,
            } => self.relocate((campaign, relocation), &people, offered_until, others),
        }
    }

    fn activate(&mut self, rules: super::Rules, source: String, now: Stamp) -> Said {
        if source != rules.text() {
            return Said::Impossible;
        }
        let campaign = CampaignId::try_from(rules.id.clone()).unwrap();
        let known = self
            .world
            .campaigns
            .iter()
            .position(|known| known.rules.id == rules.id);
        let at = match known {
            Some(at) => {
                let here = &mut self.world.campaigns[at];
                let version = here.version();
                if here.texts.last() == Some(&source) {
                    return did(Operated::Unchanged { campaign, version });
                }
                let before = Some((&here.rules, &here.lines[..]));
                here.lines = rules.lines_after(before, here.had_lines, now);
                here.rules = rules;
                here.texts.push(source.clone());
                here.noted.clear();
                at
            }
            None => {
                let lines = rules.lines_after(None, 0, now);
                self.world.campaigns.push(Programme {
                    rules,
                    lines,
                    had_lines: 0,
                    texts: vec![source.clone()],
                    agencies: Vec::new(),
                    sites: Vec::new(),
                    slots: Vec::new(),
                    holds: Default::default(),
                    bookings: Vec::new(),
                    answered: Default::default(),
                    noted: Default::default(),
                    noted_in_all: [0; 3],
                    changed: Default::default(),
                    closed: Default::default(),
                    relocations: Vec::new(),
                    moved: Default::default(),
                });
                self.world.campaigns.len() - 1
            }
        };
        let version = self.world.campaigns[at].version();
        let index = CampaignIndex(at as u16);
        let here = &mut self.world.campaigns[at];
        let most = here.lines.iter().map(|line| line + 1).max();
        here.had_lines = here.had_lines.max(most.unwrap_or(0));
        let rows = here.rules.rows(&here.lines);
        let last = Change::CampaignActivated {
            campaign: index,
            version,
            parts: 2,
            rows: rows.len() as u32,
            source_sha256: Hash::of(source.as_bytes()).0,
        };
        self.list(at, [Piece::Source(source), Piece::Rules(rows)], last);
        did(Operated::Activated { campaign, version })
    }

    fn agency(&mut self, at: usize, telephone: String) -> Said {
        let here = &mut self.world.campaigns[at];
        let campaign = CampaignId::try_from(here.rules.id.clone()).unwrap();
        let is_new = here.agencies.last() != Some(&telephone);
        if is_new {
            here.agencies.push(telephone.clone());
        }
        let version = here.agencies.len() as u32;
        if is_new {
            let (source, rows) = (agency_text(&telephone), agency_rows(&telephone));
            let last = Change::AgencyActivated {
                campaign: CampaignIndex(at as u16),
                version,
                parts: 2,
                rows: rows.len() as u32,
                source_sha256: Hash::of(source.as_bytes()).0,
            };
            self.list(at, [Piece::Source(source), Piece::Agency(rows)], last);
        }
        did(Operated::AgencyActivated {
            campaign,
            version,
            is_new,
            vaccines_unnamed: vec!["single".to_owned()],
        })
    }

    fn sites(&mut self, at: usize, rows: Vec<super::SiteRow>) -> Said {
        let sites = &mut self.world.campaigns[at].sites;
        let (mut added, mut different) = (0, Vec::new());
        for row in rows {
            match sites.iter_mut().find(|site| site.site == row.site) {
                Some(site) if *site == row => continue,
                Some(site) => *site = row.clone(),
                None => {
                    sites.push(row.clone());
                    added += 1;
                }
            }
            different.push(row);
        }
        let changed = different.len() - added;
        if !different.is_empty() {
            let last = Change::SitesImported {
                campaign: CampaignIndex(at as u16),
                parts: 1,
                rows: different.len() as u32,
            };
            self.list(at, [Piece::Sites(different)], last);
        }
        did(Operated::Sites { added, changed })
    }

    /// Capacities must stay at or above what is booked, held, or claimed by a waiting command.
    fn slots(
        &mut self,
        at: usize,
        mut rows: Vec<super::SlotRow>,
        others: &VecDeque<Waiting>,
    ) -> Said {
        let here = &mut self.world.campaigns[at];
        if rows.iter().any(|row| row.site.at() >= here.sites.len()) {
            return Said::Impossible;
        }
        rows.sort_by_key(|row| (row.site, row.vaccine, row.date, row.start_min));
        let (mut slots, mut different) = (here.slots.clone(), Vec::new());
        let mut done = SlotsDone::default();
        for row in rows {
            let same = |slot: &super::SlotRow| {
                (slot.site, slot.vaccine, slot.date, slot.start_min)
                    == (row.site, row.vaccine, row.date, row.start_min)
            };
            let Some(slot) = here.slots.iter().position(same) else {
                if row.capacity == Seats::default() {
                    return Said::Impossible;
                }
                slots.push(row);
                different.push(row);
                done.added += 1;
                continue;
            };
            let old = here.slots[slot];
            for pool in Pool::ALL {
                let (was, is) = (old.capacity[pool as usize], row.capacity[pool as usize]);
                let (booked, held) = here.in_use(slot, pool);
                let used = booked + held + in_flight(others, at, slot, pool);
                if is < was && is < used {
                    return Said::Impossible;
                }
            }
            done.changed += usize::from(old.capacity != row.capacity);
            done.corrected += usize::from(old.end != row.end);
            if (old.capacity, old.end) != (row.capacity, row.end) {
                (slots[slot].capacity, slots[slot].end) = (row.capacity, row.end);
                different.push(row);
            }
        }
        here.slots = slots;
        if !different.is_empty() {
            let last = Change::SlotsSet {
                campaign: CampaignIndex(at as u16),
                parts: 1,
                rows: different.len() as u32,
            };
            self.list(at, [Piece::Slots(different)], last);
        }
        did(Operated::Slots(done))
    }

    fn roster(&mut self, people: Vec<super::Somebody>) -> Said {
        let file = crate::world::roster(&people);
        let new: std::collections::BTreeMap<_, _> = people
            .into_iter()
            .map(|person| (person.key, person))
            .collect();
        let old = std::mem::replace(&mut self.world.people, new.clone());
        let added = new.keys().filter(|key| !old.contains_key(*key)).count();
        let gone = old.keys().filter(|key| !new.contains_key(*key)).count();
        let mut gone_with_booking = Vec::new();
        for person in old.keys().filter(|key| !new.contains_key(*key)) {
            for campaign in &self.world.campaigns {
                let booking = campaign
                    .active(person)
                    .map(|at| campaign.bookings[at].number);
                gone_with_booking.extend(booking);
            }
        }
        let same = new
            .iter()
            .filter(|(key, person)| old.get(*key) == Some(*person))
            .count();
        let changed = new.len() - added - same;
        let mut left = std::mem::take(&mut self.world.left);
        left.extend(old);
        left.retain(|key, _| !new.contains_key(key) && self.world.has_something(key));
        self.world.left = left;
        let digest = file.digest.with_left(&self.world.rows_of_left());
        (self.world.roster, self.world.digest) = (self.world.roster + 1, digest);
        let version = self.world.roster;
        self.operate(Change::RosterImported {
            version,
            people: new.len() as u64,
            digest,
            added: added as u64,
            changed: changed as u64,
            gone: gone as u64,
        });
        did(Operated::Roster {
            version,
            added,
            changed,
            gone,
            unchanged: same as u64,
            news: Box::new(RosterNews {
                gone_with_booking,
                ..RosterNews::default()
            }),
        })
    }
}

/// Seats of a slot that waiting commands have claimed.
pub fn in_flight(waiting: &VecDeque<Waiting>, at: usize, slot: usize, pool: Pool) -> u16 {
    let mut count = 0;
    for each in waiting {
        if let Asked::Person {
            campaign,
            claimed: Some((doses, of)),
            ..
        } = &each.asked
        {
            let slots = doses.slots().filter(|known| known.at() == slot);
            count += slots.count() as u16 * u16::from(*campaign == at && *of == pool);
        }
    }
    count
}
