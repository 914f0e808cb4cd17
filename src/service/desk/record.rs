//! Who did what on a day: entries of the journal whose actor is somebody behind the desk or at the
//! command line of the host, and what the claims of the agency's provider did to its accounts.

use jiff::civil::Date;

use crate::domain::entry::{Actor, Change, Entry};
use crate::domain::ids::Seq;
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
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Act {
    pub seq: Seq,
    pub at: Stamp,
    pub who: String,
    /// The kind of the entry, as exports name it.
    pub what: String,
    /// The rest of it, as exports have it; without what is sealed.
    pub more: String,
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
            // Parts of what an entry behind them names.
            if matches!(
                entry.change,
                Change::PieceAdded { .. } | Change::ProposalPart { .. }
            ) {
                continue;
            }
            if !account.is_empty() && who != account {
                continue;
            }
            if acts.len() >= ACTS_MAX {
                is_cut = true;
                return false;
            }
            acts.push(act(&entry, who.to_owned()));
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

fn act(entry: &Entry, who: String) -> Act {
    let mut change = serde_json::to_value(&entry.change).unwrap_or_default();
    let (what, more) = match &mut change {
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
    };
    Act {
        seq: entry.seq,
        at: entry.stamp,
        who,
        what,
        more,
    }
}
