//! Who did what on a day: entries of the journal whose actor is somebody behind the desk or at the
//! command line of the host, and what the claims of the agency's provider did to its accounts.

use jiff::civil::Date;

use crate::domain::entry::{Actor, Change, Entry, Piece};
use crate::domain::ids::{Seq, SlotIndex};
use crate::domain::staff::{Account, StaffState};
use crate::domain::time::Stamp;
use crate::journal::block::entries;
use crate::journal::store::StoreFault;
use crate::service::Service;

/// Acts that are shown of one day.
pub const ACTS_MAX: usize = 1_000;
/// Whose act it is said to be when the claims of the agency's provider changed an account: no
/// account can have this name.
const PROVIDER: &str = "(provider)";

/// One act.
#[derive(Clone, PartialEq, Debug)]
pub struct Act {
    pub seq: Seq,
    pub at: Stamp,
    pub who: String,
    pub change: Change,
    /// The slots that it closed or opened again: they are in the entries before it.
    pub slots: Vec<SlotIndex>,
}

impl Act {
    /// The kind of the entry and the rest of it, as exports have them; without what is sealed.
    pub fn exported(&self) -> (String, String) {
        let mut change = serde_json::to_value(&self.change).unwrap_or_default();
        match &mut change {
            serde_json::Value::Object(kinds) => match kinds.iter_mut().next() {
                Some((kind, more)) => {
                    if let Some(more) = more.as_object_mut() {
                        more.remove("sealed");
                    }
                    (kind.clone(), more.to_string())
                }
                None => (String::new(), String::new()),
            },
            other => (other.as_str().unwrap_or_default().to_owned(), String::new()),
        }
    }
}

/// Why a day can't be shown.
#[derive(Debug, thiserror::Error)]
pub enum DayFault {
    #[error("a day is written as 2021-07-19")]
    Date,
    #[error(transparent)]
    Store(#[from] StoreFault),
}

impl Service {
    /// When a day begins in the zone of the first campaign; in UTC if there is none.
    pub fn start_of_day(&self, date: Date) -> Option<Stamp> {
        match self.shared.offers().first() {
            Some(offer) => offer.catalog.campaign.zone.start_of(date),
            None => {
                let zoned = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
                i64::try_from(zoned.timestamp().as_nanosecond())
                    .ok()
                    .map(Stamp)
            }
        }
    }
}

/// The acts of a day in the zone of the first campaign, of this account alone if one is named, and
/// whether there are more.
pub fn acts_of_day(
    service: &Service,
    date: &str,
    account: &str,
) -> Result<(Vec<Act>, bool), DayFault> {
    let date: Date = date.parse().map_err(|_| DayFault::Date)?;
    let next = date.tomorrow().map_err(|_| DayFault::Date)?;
    let (from, until) = (service.start_of_day(date), service.start_of_day(next));
    let (Some(from), Some(until)) = (from, until) else {
        return Err(DayFault::Date);
    };
    let staff = service.staff();
    let read = service.store.read()?;
    let first = read.first_at(from)?;
    let (mut acts, mut is_cut) = (Vec::new(), false);
    let mut closing = Vec::new();
    read.blocks(first, |at, block| {
        for (behind, bytes) in entries(block).enumerate() {
            let seq = Seq(at.0 + behind as u64);
            let Ok(bytes) = bytes else {
                return false;
            };
            let Some((_, stamp)) = Entry::place_of(bytes) else {
                return false;
            };
            if seq < first {
                continue;
            }
            if stamp >= until {
                return false;
            }
            let Ok(entry) = Entry::decode(bytes) else {
                return false;
            };
            let Some(who) = who(&entry, &staff) else {
                continue;
            };
            let who = who.to_owned();
            // Parts of what an entry behind them names.
            match entry.change {
                Change::PieceAdded { part, piece, .. } => {
                    if part == 0 {
                        closing.clear();
                    }
                    if let Piece::Closing(slots) = piece {
                        closing.extend(slots);
                    }
                    continue;
                }
                Change::ProposalPart { .. } => continue,
                _ => {}
            }
            let slots = match entry.change {
                Change::SlotsClosed { .. } | Change::SlotsReopened { .. } => {
                    std::mem::take(&mut closing)
                }
                _ => Vec::new(),
            };
            if !account.is_empty() && who != account {
                continue;
            }
            if acts.len() >= ACTS_MAX {
                is_cut = true;
                return false;
            }
            acts.push(Act {
                seq: entry.seq,
                at: entry.stamp,
                who,
                change: entry.change,
                slots,
            });
        }
        true
    })?;
    Ok((acts, is_cut))
}

/// Whose account did it; none for citizens and the program itself.
fn who<'a>(entry: &'a Entry, staff: &StaffState) -> Option<&'a str> {
    match &entry.actor {
        Actor::Staff { account, .. } | Actor::Operator(account) => Some(account),
        Actor::System if is_claimed(&entry.change, staff) => Some(PROVIDER),
        Actor::System | Actor::Citizen | Actor::Proxy { .. } => None,
    }
}

/// Whether a change that the program made is what the provider's claims gave or asked for.
fn is_claimed(change: &Change, staff: &StaffState) -> bool {
    let account = match change {
        Change::ProviderAccountMade { account, .. } | Change::StaffSet { account, .. } => {
            Some(*account)
        }
        Change::AccountActAsked { what, .. } => what.account(),
        _ => None,
    };
    let known = account.and_then(|id| staff.accounts.get(&id));
    known.is_some_and(Account::is_of_provider)
}
