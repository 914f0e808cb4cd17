//! What each act was, in words. A kind without words of its own is named as exports name it.

use std::sync::Arc;

use super::super::{Page, role_words};
use super::instant;
use crate::domain::booking::catalog::Slot;
use crate::domain::entry::{Change, Doses, GateAct, Purpose, SessionAct};
use crate::domain::ids::{CampaignIndex, SlotIndex};
use crate::domain::line::Notice;
use crate::domain::staff::account_act::AccountAct;
use crate::domain::staff::proposal::Decision;
use crate::domain::staff::{AccountId, StaffState};
use crate::domain::text::grouped;
use crate::engine::shared::Offer;
use crate::service::Service;
use crate::service::desk::record::Act;
use crate::web::desk::api::proposals::about;
use crate::web::desk::pages::proposals::kind_words;
use crate::web::desk::staff::RecordReaders;
use crate::web::words::{Lang, Value};

/// Sites that are named of the slots of one act.
const SITES_NAMED: usize = 3;

pub struct Words {
    lang: Lang,
    service: Arc<Service>,
    staff: Arc<StaffState>,
    offers: Arc<Vec<Arc<Offer>>>,
}

impl Words {
    pub fn of(page: &Page<RecordReaders>) -> Self {
        let service = Arc::clone(&page.staff.service);
        let (staff, offers) = (service.staff(), service.shared.offers().clone());
        Self {
            lang: page.lang,
            service,
            staff,
            offers,
        }
    }

    /// What an act was; `count` is how many of its kind are told as one.
    pub fn did(&self, act: &Act, count: usize) -> String {
        let l = self.lang;
        let many = ("n", Value::from(count as u64));
        match &act.change {
            Change::GateSet { campaign, act } => {
                format!("{}: {}", self.campaign(*campaign), self.gate(act))
            }
            Change::CampaignActivated {
                campaign, version, ..
            } => self.versioned("did-campaign", *campaign, *version),
            Change::AgencyActivated {
                campaign, version, ..
            } => self.versioned("did-agency", *campaign, *version),
            Change::SitesImported { campaign, rows, .. } => {
                self.rows("did-sites", *campaign, *rows)
            }
            Change::SlotsImported { campaign, rows, .. }
            | Change::SlotsSet { campaign, rows, .. } => self.rows("did-slots", *campaign, *rows),
            Change::SlotsClosed { campaign, .. } => self.slots("did-closed", *campaign, &act.slots),
            Change::SlotsReopened { campaign, .. } => {
                self.slots("did-reopened", *campaign, &act.slots)
            }
            Change::RelocationBegun { reason, .. } => {
                l.put("did-relocation", &[("why", text(self.notice(reason)))])
            }
            Change::MoveOffered { campaign, to, .. } if count == 1 => l.put(
                "did-offered-one",
                &[("to", text(self.doses(*campaign, *to)))],
            ),
            Change::MoveOffered { .. } => l.put("did-offered", &[many]),
            Change::Relocated {
                campaign, from, to, ..
            } if count == 1 => l.put(
                "did-moved-one",
                &[
                    ("from", text(self.doses(*campaign, *from))),
                    ("to", text(self.doses(*campaign, *to))),
                ],
            ),
            Change::Relocated { .. } => l.put("did-moved", &[many]),
            Change::RosterImported {
                version,
                people,
                added,
                changed,
                gone,
                ..
            } => l.put(
                "did-roster",
                &[
                    ("version", u64::from(*version).into()),
                    ("people", grouped(*people).into()),
                    ("added", grouped(*added).into()),
                    ("changed", grouped(*changed).into()),
                    ("gone", grouped(*gone).into()),
                ],
            ),
            Change::PersonRekeyed { .. } => l.put("did-rekeyed", &[many]),
            Change::PersonErased { .. } => l.say("did-erased").to_owned(),
            Change::VaultEmptied { .. } => l.say("did-emptied").to_owned(),
            Change::VaultSealed { .. } => l.say("did-sealed").to_owned(),
            Change::PersonalDataSeen(look) => {
                let people = [("n", Value::from(look.people.len() as u64))];
                l.put(purpose(look.purpose), &people)
            }
            Change::TokenKeyRotated { .. } => l.say("did-token-key").to_owned(),
            Change::PersonalKeysRotated { .. } => l.say("did-personal-keys").to_owned(),
            Change::HeadKeyRotated { .. } => l.say("did-head-key").to_owned(),
            other => self.of_desk(other, act),
        }
    }

    /// Acts on accounts, proposals and keys.
    fn of_desk(&self, change: &Change, act: &Act) -> String {
        let l = self.lang;
        match change {
            Change::StaffSet {
                name,
                role,
                enabled,
                ..
            } => {
                let key = if *enabled {
                    "did-account"
                } else {
                    "did-account-ended"
                };
                let role = role_words(l, *role);
                l.put(key, &[("name", text(name)), ("role", text(role))])
            }
            Change::StaffCredentialsSet { account, own, .. } => {
                let key = if *own {
                    "did-own-password"
                } else {
                    "did-first-password"
                };
                l.put(key, &[("name", text(self.account(*account)))])
            }
            Change::StaffSession {
                account,
                act,
                origin,
            } => {
                let key = match act {
                    SessionAct::SignedIn => "did-signed-in",
                    SessionAct::SignedOut => "did-signed-out",
                    SessionAct::Revoked => "did-revoked",
                };
                let name = ("name", text(self.account(*account)));
                l.put(key, &[name, ("origin", text(origin))])
            }
            Change::Proposed {
                proposal,
                what,
                takes,
                ..
            } => {
                let range = what.range().map(|range| format!("; {}", about(range)));
                let told = format!("{}{}", kind_words(l, what), range.unwrap_or_default());
                let values = [
                    ("number", u64::from(*proposal).into()),
                    ("what", text(told)),
                    ("people", Value::from(*takes)),
                ];
                l.put("did-proposed", &values)
            }
            Change::ProposalDecided {
                proposal, decision, ..
            } => {
                let key = match decision {
                    Decision::Approved => "did-approved",
                    Decision::Declined => "did-declined",
                    Decision::Withdrawn => "did-withdrawn",
                };
                l.put(key, &[("number", u64::from(*proposal).into())])
            }
            Change::ProposalCalledOff { proposal, .. } => {
                l.put("did-called-off", &[("number", u64::from(*proposal).into())])
            }
            Change::ProposalSeen {
                proposal, named, ..
            } => {
                let key = if *named { "did-seen-named" } else { "did-seen" };
                l.put(key, &[("number", u64::from(*proposal).into())])
            }
            Change::ProviderAccountMade { name, role, .. } => {
                let role = role_words(l, *role);
                let values = [("name", text(name)), ("role", text(role))];
                l.put("did-provider-account", &values)
            }
            Change::ProposalScheduled { proposal, due } => {
                let at = text(instant(&self.service, *due));
                let number = u64::from(*proposal).into();
                l.put("did-scheduled", &[("number", number), ("at", at)])
            }
            Change::ProposalEnded {
                proposal,
                done,
                what,
            } => {
                let key = if *done { "did-ended" } else { "did-failed" };
                let number = u64::from(*proposal).into();
                l.put(key, &[("number", number), ("what", text(what))])
            }
            Change::ApiKeyMade { name, until, .. } => {
                let until = text(instant(&self.service, *until));
                l.put("did-key", &[("name", text(name)), ("until", until)])
            }
            Change::ApiKeyEnded { key } => {
                let known = self.staff.keys.get(key);
                let name = known.map_or_else(|| key.0.to_string(), |known| known.name.clone());
                l.put("did-key-ended", &[("name", text(name))])
            }
            Change::AccountActAsked { what, .. } => {
                let (key, name) = match &**what {
                    AccountAct::Set { name, .. } => ("did-asked-set", name.clone()),
                    AccountAct::Reset { account } => ("did-asked-reset", self.account(*account)),
                };
                l.put(key, &[("name", text(name))])
            }
            Change::AccountActConfirmed { act } => {
                l.put("did-confirmed", &[("number", u64::from(*act).into())])
            }
            Change::AccountActDropped { act } => {
                l.put("did-dropped", &[("number", u64::from(*act).into())])
            }
            _ => act.exported().0,
        }
    }

    /// The reason that an entry has in itself.
    pub fn reason<'a>(&self, change: &'a Change) -> Option<&'a str> {
        match change {
            Change::Proposed { reason, .. }
            | Change::ProposalDecided { reason, .. }
            | Change::ProposalCalledOff { reason, .. }
            | Change::PersonErased { reason, .. }
            | Change::VaultEmptied { reason, .. }
            | Change::ApiKeyMade { reason, .. }
            | Change::AccountActAsked { reason, .. } => Some(reason),
            Change::PersonalDataSeen(look) => Some(&look.reason),
            _ => None,
        }
    }

    fn offer(&self, campaign: CampaignIndex) -> Option<&Arc<Offer>> {
        self.offers.get(campaign.at())
    }

    fn campaign(&self, campaign: CampaignIndex) -> String {
        let known = self.offer(campaign);
        known.map_or_else(String::new, |offer| offer.catalog.campaign.id.to_string())
    }

    fn account(&self, account: AccountId) -> String {
        let known = self.staff.accounts.get(&account);
        known.map_or_else(|| account.0.to_string(), |known| known.name.clone())
    }

    fn notice(&self, notice: &Notice) -> String {
        self.lang.notice(notice).0.to_owned()
    }

    fn versioned(&self, key: &'static str, campaign: CampaignIndex, version: u32) -> String {
        let campaign = ("campaign", text(self.campaign(campaign)));
        let version = ("version", u64::from(version).into());
        self.lang.put(key, &[campaign, version])
    }

    fn rows(&self, key: &'static str, campaign: CampaignIndex, rows: u32) -> String {
        let campaign = ("campaign", text(self.campaign(campaign)));
        let count = ("n", Value::from(u64::from(rows)));
        self.lang.put(key, &[campaign, count])
    }

    /// Slots by site and day: whole runs of one day are told by their first and last time.
    fn slots(&self, key: &'static str, campaign: CampaignIndex, slots: &[SlotIndex]) -> String {
        let count = ("n", Value::from(slots.len() as u64));
        let where_ = self.places(campaign, slots);
        self.lang.put(key, &[count, ("where", text(where_))])
    }

    fn places(&self, campaign: CampaignIndex, slots: &[SlotIndex]) -> String {
        let Some(offer) = self.offer(campaign) else {
            return String::new();
        };
        let catalog = &offer.catalog;
        let known: Vec<&Slot> = slots
            .iter()
            .filter_map(|slot| catalog.slot(*slot))
            .collect();
        let mut sites: Vec<&str> = known
            .iter()
            .map(|slot| &*catalog.sites[slot.site.at()].row.site)
            .collect();
        sites.sort_unstable();
        sites.dedup();
        let more = if SITES_NAMED < sites.len() {
            ", …"
        } else {
            ""
        };
        let named = sites[..sites.len().min(SITES_NAMED)].join(", ");
        let days = known.iter().map(|slot| slot.date);
        let (first, last) = (days.clone().min(), days.max());
        let days = match first.zip(last) {
            Some((first, last)) if first == last => {
                let from = known.iter().map(|slot| slot.start_min).min();
                let until = known.iter().map(|slot| slot.end).max();
                let zone = &catalog.campaign.zone;
                let times = from.zip(until).map(|(from, until)| {
                    let until = zone.local(until).strftime("%H:%M").to_string();
                    format!(" {}–{until}", time(from))
                });
                format!("{first}{}", times.unwrap_or_default())
            }
            Some((first, last)) => format!("{first} – {last}"),
            None => String::new(),
        };
        format!("{named}{more}, {days}")
    }

    /// The appointments of a booking.
    fn doses(&self, campaign: CampaignIndex, doses: Doses) -> String {
        let Some(offer) = self.offer(campaign) else {
            return String::new();
        };
        let catalog = &offer.catalog;
        let known = doses.slots().filter_map(|slot| catalog.slot(slot));
        let told = known.map(|slot| {
            let site = &catalog.sites[slot.site.at()].row.site;
            format!("{site} {} {}", slot.date, time(slot.start_min))
        });
        told.collect::<Vec<_>>().join(" + ")
    }

    fn gate(&self, act: &GateAct) -> String {
        let l = self.lang;
        let said = |key, notice: &str| format!("{} “{notice}”", l.say(key));
        match act {
            GateAct::Pause { reason, .. } => said("act-pause", reason),
            GateAct::PauseSaid { reason, .. } => said("act-pause", &self.notice(reason)),
            GateAct::Drain { reason } => said("act-drain", &self.notice(reason)),
            GateAct::Message { text } => said("act-message", text),
            GateAct::MessageSaid { message } => said("act-message", &self.notice(message)),
            GateAct::Resume => l.say("act-resume").to_owned(),
            GateAct::Rate { admit_per_s } => {
                format!(
                    "{}: {}",
                    l.say("act-rate"),
                    grouped(u64::from(*admit_per_s))
                )
            }
            GateAct::Active { active_max } => {
                format!(
                    "{}: {}",
                    l.say("act-active"),
                    grouped(u64::from(*active_max))
                )
            }
            GateAct::DrawValue { value, source, .. } => l.put(
                "did-draw-value",
                &[("value", text(value)), ("source", text(source))],
            ),
        }
    }
}

fn text(value: impl Into<String>) -> Value {
    Value::from(value.into())
}

fn time(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

fn purpose(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Shown => "did-look-shown",
        Purpose::Erased => "did-look-erased",
        Purpose::Reviewed => "did-look-reviewed",
        Purpose::Compared => "did-look-compared",
        Purpose::StoredAgain => "did-look-stored",
        Purpose::Telephoned => "did-look-telephoned",
    }
}
