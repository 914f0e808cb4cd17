//! The people behind the desk: accounts, what each may do and where, as the journal has them.
//!
//! An account is its number, and keeps its name for ever: neither is used again. What
//! proves who somebody is (a password's hash, the secret of one-time codes) is sealed before it
//! comes here; nothing in this file can open it. Accounts of the agency's own provider have none:
//! `of_provider` says what holds for them.
//!
//! Invariants: names are unique, also those of accounts that were ended; one enabled administrator
//! with a password of the desk is left, whatever is changed.

pub mod account_act;
pub mod api_key;
pub mod of_provider;
pub mod proposal;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::entry::{Actor, Change, Role, SessionAct};
use crate::domain::time::Stamp;
use account_act::AccountActs;
use api_key::{ApiKey, ApiKeyId, WantedKey};
use proposal::Proposed;

/// Letters of an account's name.
pub const NAME_BYTES_MAX: usize = 40;
/// Accounts, ended ones among them: ten for each of 13,000 sites, and some.
pub const ACCOUNTS_MAX: usize = 200_000;
/// Campaigns, provinces and sites that bound one account.
pub const BOUNDS_MAX: usize = 500;
/// Sealed credentials: a hash, a secret and the hashes of some codes.
pub const SEALED_BYTES_MAX: usize = 4_096;

/// An account's number, from 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct AccountId(pub u32);

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where an account may do what its role may; an empty list bounds nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    /// Campaigns by id.
    #[serde(default)]
    pub campaigns: Vec<String>,
    /// The first part of a region's code: `11`.
    #[serde(default)]
    pub provinces: Vec<String>,
    /// Sites by id.
    #[serde(default)]
    pub sites: Vec<String>,
}

impl Bounds {
    pub fn has_campaign(&self, id: &str) -> bool {
        self.campaigns.is_empty() || self.campaigns.iter().any(|own| own == id)
    }

    /// Whether a site of this region is within. A place that has two codes is named by the listed
    /// one here and there.
    pub fn has_site(&self, site: &str, region: &str) -> bool {
        let in_province =
            self.provinces.is_empty() || self.provinces.iter().any(|own| is_within(region, own));
        in_province && (self.sites.is_empty() || self.sites.iter().any(|own| own == site))
    }

    /// Whether it bounds nothing: an account may do what is about all campaigns together.
    pub fn is_unbound(&self) -> bool {
        self.len() == 0
    }

    /// Whether all of the campaign is within, and not some provinces or sites of it alone.
    pub fn has_all_of(&self, campaign: &str) -> bool {
        self.has_campaign(campaign) && self.provinces.is_empty() && self.sites.is_empty()
    }

    fn len(&self) -> usize {
        self.campaigns.len() + self.provinces.len() + self.sites.len()
    }
}

/// An account of the desk.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Account {
    pub name: String,
    pub role: Role,
    pub bounds: Bounds,
    pub is_enabled: bool,
    pub made_at: Stamp,
    /// What proves who somebody is, sealed; empty before any was set.
    pub sealed: Vec<u8>,
    /// How often that was set: a session that began with other credentials is over.
    pub credentials: u32,
    /// Whether the account set them itself. What an administrator set is good for one thing alone:
    /// to set one's own.
    pub is_own: bool,
    pub signed_in_at: Option<Stamp>,
    /// Whom the agency's provider means by it: a keyed hash. None for an account of the desk, which
    /// has a password and one-time codes. For one of the provider's `is_own` says whether it was
    /// ever let in, or ended, rather than waiting since it was made.
    pub subject: Option<[u8; 32]>,
}

impl Account {
    /// Whether it signs in at the agency's provider, and has no password of the desk.
    pub fn is_of_provider(&self) -> bool {
        self.subject.is_some()
    }
}

/// All accounts.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct StaffState {
    pub accounts: BTreeMap<AccountId, Account>,
    /// By number, from 1: those that wait, and the last of those that are decided.
    pub proposals: BTreeMap<u32, Proposed>,
    /// The text of the next proposal so far, and its next part.
    draft: Option<(u32, String)>,
    /// Keys of the agency's programs: those in use, and the last of those that are over.
    pub keys: BTreeMap<ApiKeyId, ApiKey>,
    /// Acts on accounts that wait for a second account.
    pub acts: AccountActs,
}

/// Why an account can't be as somebody wants it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum StaffFault {
    #[error(
        "`{0}` is no name of an account: 2 to 40 of a-z, 0-9, `.`, `-` and `_`, a letter first"
    )]
    Name(String),
    #[error("there is an account `{0}` already; names are not used again, also of ended ones")]
    Taken(String),
    #[error("an account keeps its name: make another account")]
    Renamed,
    #[error("there is no account `{0}`")]
    Unknown(String),
    #[error("an account of the role `site` needs at least one site")]
    NoSite,
    #[error("{0} campaigns, provinces and sites bound this account: at most {BOUNDS_MAX} can")]
    Bounds(usize),
    #[error(
        "no administrator would be left who can sign in: make another account administrator first"
    )]
    LastAdministrator,
    #[error("there are {ACCOUNTS_MAX} accounts, ended ones among them, which is all there can be")]
    Full,
    #[error("the account's number {0} does not follow the last one")]
    Number(u32),
    #[error("sealed credentials have {0} bytes: too many")]
    Sealed(usize),
    #[error(
        "`{0}` signs in at the agency's provider and has no password here: its password and second \
         factor are replaced there"
    )]
    OfProvider(String),
    #[error("this user of the provider has an account already")]
    Subject,
}

impl StaffState {
    /// What an entry about the people behind the desk changes; others change nothing here.
    pub fn apply(&mut self, actor: &Actor, change: &Change, now: Stamp) -> Result<(), String> {
        let proposed = match change {
            Change::StaffSet {
                account,
                name,
                role,
                bounds,
                enabled,
            } => {
                let set = self.set(*account, name, *role, bounds, *enabled, now);
                return set.map_err(|fault| fault.to_string());
            }
            Change::StaffCredentialsSet {
                account,
                sealed,
                own,
            } => {
                let set = self.set_credentials(*account, sealed, *own);
                return set.map_err(|fault| fault.to_string());
            }
            Change::StaffSession { account, act, .. } => {
                let noted = self.note_session(*account, *act, now);
                return noted.map_err(|fault| fault.to_string());
            }
            Change::ApiKeyMade {
                key,
                name,
                sha256,
                scopes,
                bounds,
                until,
                reason,
            } => {
                let wanted = WantedKey {
                    name: name.clone(),
                    scopes: scopes.clone(),
                    bounds: Bounds::clone(bounds),
                    until: *until,
                    reason: reason.clone(),
                };
                let made = self.make_key(actor, *key, *sha256, wanted, now);
                return made.map_err(|fault| fault.to_string());
            }
            Change::ApiKeyEnded { key } => {
                let ended = self.end_key(actor, *key, now);
                return ended.map_err(|fault| fault.to_string());
            }
            Change::AccountActAsked {
                act,
                what,
                sealed,
                reason,
            } => {
                let asked = self.ask_act(actor, *act, what, sealed, reason, now);
                return asked.map_err(|fault| fault.to_string());
            }
            Change::AccountActConfirmed { act } => {
                let confirmed = self.confirm_act(actor, *act, now);
                return confirmed.map_err(|fault| fault.to_string());
            }
            Change::AccountActDropped { act } => {
                let dropped = self.drop_act(actor, *act, now);
                return dropped.map_err(|fault| fault.to_string());
            }
            Change::ProviderAccountMade {
                account,
                name,
                subject,
                role,
                bounds,
                enabled,
            } => {
                let made = of_provider::Made {
                    name,
                    subject: *subject,
                    role: *role,
                    bounds,
                    is_enabled: *enabled,
                };
                let made = self.make_of_provider(*account, made, now);
                return made.map_err(|fault| fault.to_string());
            }
            Change::ProposalPart {
                proposal,
                part,
                text,
            } => self.add_proposal_part(*proposal, *part, text),
            Change::Proposed {
                proposal,
                parts,
                sha256,
                what,
                reason,
                takes,
            } => self.propose(actor, *proposal, *parts, *sha256, what, reason, *takes, now),
            Change::ProposalDecided {
                proposal,
                decision,
                typed,
                reason,
            } => self.decide_proposal(actor, *proposal, *decision, *typed, reason, now),
            Change::ProposalEnded {
                proposal,
                done,
                what,
            } => self.end_proposal(*proposal, *done, what),
            Change::ProposalStepDone { proposal, step, .. } => {
                self.note_proposal_step(*proposal, *step)
            }
            Change::ProposalScheduled { proposal, due } => {
                self.schedule_proposal(actor, *proposal, *due)
            }
            Change::ProposalSeen {
                proposal,
                digest,
                named,
            } => self.note_seen(actor, *proposal, *digest, *named),
            Change::ProposalCalledOff { proposal, reason } => {
                self.call_off_proposal(actor, *proposal, reason)
            }
            _ => Ok(()),
        };
        proposed.map_err(|fault| fault.to_string())
    }

    pub fn named(&self, name: &str) -> Option<(AccountId, &Account)> {
        let mut all = self.accounts.iter();
        all.find(|(_, account)| account.name == name)
            .map(|(id, account)| (*id, account))
    }

    /// The number of the next account.
    pub fn next_id(&self) -> AccountId {
        let last = self.accounts.keys().next_back();
        AccountId(last.map_or(1, |last| last.0 + 1))
    }

    /// Whether an account can be made, or changed to this.
    pub fn may_set(
        &self,
        id: AccountId,
        name: &str,
        role: Role,
        bounds: &Bounds,
        is_enabled: bool,
    ) -> Result<(), StaffFault> {
        if !is_name(name) {
            return Err(StaffFault::Name(name.to_owned()));
        }
        if self.named(name).is_some_and(|(known, _)| known != id) {
            return Err(StaffFault::Taken(name.to_owned()));
        }
        if role == Role::Site && bounds.sites.is_empty() {
            return Err(StaffFault::NoSite);
        }
        if bounds.len() > BOUNDS_MAX {
            return Err(StaffFault::Bounds(bounds.len()));
        }
        if self.accounts.get(&id).is_some_and(|was| was.name != name) {
            return Err(StaffFault::Renamed);
        }
        match self.accounts.get(&id) {
            None if id != self.next_id() => return Err(StaffFault::Number(id.0)),
            None if self.accounts.len() >= ACCOUNTS_MAX => return Err(StaffFault::Full),
            _ => {}
        }
        let stays = is_enabled && role == Role::Administrator;
        // Those of the provider do not count: it may be away.
        let is_last_resort = |account: &Account| {
            let is_administrator = account.role == Role::Administrator;
            account.is_enabled && is_administrator && !account.is_of_provider()
        };
        let others = self.accounts.iter();
        let mut others = others.filter(|(known, _)| **known != id);
        let others = others.any(|(_, account)| is_last_resort(account));
        // The first account of all need not be one: a test's journal has what it needs.
        let was = self.accounts.get(&id).is_some_and(is_last_resort);
        if was && !stays && !others {
            return Err(StaffFault::LastAdministrator);
        }
        Ok(())
    }

    /// Makes an account, or changes it.
    pub fn set(
        &mut self,
        id: AccountId,
        name: &str,
        role: Role,
        bounds: &Bounds,
        is_enabled: bool,
        now: Stamp,
    ) -> Result<(), StaffFault> {
        self.may_set(id, name, role, bounds, is_enabled)?;
        let account = self.accounts.entry(id).or_insert_with(|| Account {
            name: String::new(),
            role,
            bounds: Bounds::default(),
            is_enabled,
            made_at: now,
            sealed: Vec::new(),
            credentials: 0,
            is_own: false,
            signed_in_at: None,
            subject: None,
        });
        account.name = name.to_owned();
        account.role = role;
        account.bounds = bounds.clone();
        account.is_enabled = is_enabled;
        // It was let in or ended: it does not wait any more.
        account.is_own |= account.is_of_provider();
        self.overtake_acts(id);
        self.note_ready_approvers();
        Ok(())
    }

    /// Gives an account other credentials.
    pub fn set_credentials(
        &mut self,
        id: AccountId,
        sealed: &[u8],
        is_own: bool,
    ) -> Result<(), StaffFault> {
        if sealed.len() > SEALED_BYTES_MAX {
            return Err(StaffFault::Sealed(sealed.len()));
        }
        let account = self.account_mut(id)?;
        if account.is_of_provider() {
            return Err(StaffFault::OfProvider(account.name.clone()));
        }
        account.sealed = sealed.to_vec();
        account.credentials = account.credentials.saturating_add(1);
        account.is_own = is_own;
        if !is_own {
            self.overtake_acts(id);
        }
        self.note_ready_approvers();
        Ok(())
    }

    /// A session of an account began or ended.
    pub fn note_session(
        &mut self,
        id: AccountId,
        act: SessionAct,
        now: Stamp,
    ) -> Result<(), StaffFault> {
        let account = self.account_mut(id)?;
        if act == SessionAct::SignedIn {
            account.signed_in_at = Some(now);
        }
        Ok(())
    }

    fn account_mut(&mut self, id: AccountId) -> Result<&mut Account, StaffFault> {
        let account = self.accounts.get_mut(&id);
        account.ok_or_else(|| StaffFault::Unknown(id.to_string()))
    }
}

/// Whether `11/110` is of the province `11`.
fn is_within(region: &str, province: &str) -> bool {
    let behind = region.strip_prefix(province);
    behind.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn is_name(name: &str) -> bool {
    let is_part = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'_')
    };
    (2..=NAME_BYTES_MAX).contains(&name.len())
        && name.as_bytes()[0].is_ascii_lowercase()
        && name.bytes().all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nowhere() -> Bounds {
        Bounds::default()
    }

    fn with(accounts: &[(&str, Role)]) -> StaffState {
        let mut staff = StaffState::default();
        for (name, role) in accounts {
            let id = staff.next_id();
            staff
                .set(id, name, *role, &nowhere(), true, Stamp(0))
                .unwrap();
        }
        staff
    }

    #[test]
    fn one_administrator_is_left_whatever_is_changed() {
        let mut staff = with(&[("admin", Role::Administrator), ("kim", Role::Operator)]);
        let admin = AccountId(1);
        let last = Err(StaffFault::LastAdministrator);
        let ended = staff.may_set(admin, "admin", Role::Administrator, &nowhere(), false);
        assert_eq!(ended, last);
        let other_role = staff.may_set(admin, "admin", Role::Auditor, &nowhere(), true);
        assert_eq!(other_role, last);
        let kim = AccountId(2);
        staff
            .set(kim, "kim", Role::Administrator, &nowhere(), true, Stamp(1))
            .unwrap();
        staff
            .set(admin, "admin", Role::Auditor, &nowhere(), true, Stamp(2))
            .unwrap();
        let ended = staff.may_set(kim, "kim", Role::Administrator, &nowhere(), false);
        assert_eq!(ended, last);
    }

    #[test]
    fn names_are_plain_and_never_used_twice() {
        let mut staff = with(&[("admin", Role::Administrator), ("kim", Role::Agent)]);
        let kim = AccountId(2);
        staff
            .set(kim, "kim", Role::Agent, &nowhere(), false, Stamp(1))
            .unwrap();
        let next = staff.next_id();
        assert_eq!(next, AccountId(3));
        let set = |name: &str| staff.may_set(next, name, Role::Agent, &nowhere(), true);
        assert_eq!(set("kim"), Err(StaffFault::Taken("kim".to_owned())));
        for bad in ["", "k", "Kim", "1kim", "kim lee", "김", &"k".repeat(41)] {
            assert_eq!(set(bad), Err(StaffFault::Name(bad.to_owned())));
        }
        assert_eq!(set("kim.lee-2_b"), Ok(()));
        let renamed = staff.may_set(kim, "kim2", Role::Agent, &nowhere(), true);
        assert_eq!(renamed, Err(StaffFault::Renamed));
        let far = staff.may_set(AccountId(9), "lee", Role::Agent, &nowhere(), true);
        assert_eq!(far, Err(StaffFault::Number(9)));
        let site = staff.may_set(next, "lee", Role::Site, &nowhere(), true);
        assert_eq!(site, Err(StaffFault::NoSite));
    }

    #[test]
    fn bounds_hold_sites_by_province_and_by_name() {
        let mut bounds = nowhere();
        assert!(bounds.has_site("A", "11/110") && bounds.has_campaign("kr"));
        bounds.provinces = vec!["11".to_owned()];
        assert!(bounds.has_site("A", "11/110") && !bounds.has_site("A", "26/110"));
        assert!(!bounds.has_site("A", "110/1"));
        bounds.sites = vec!["B".to_owned()];
        assert!(!bounds.has_site("A", "11/110") && bounds.has_site("B", "11/110"));
        bounds.campaigns = vec!["kr".to_owned()];
        assert!(!bounds.has_campaign("kr-2") && bounds.has_campaign("kr"));
        assert!(!bounds.has_all_of("kr"));
        (bounds.provinces, bounds.sites) = Default::default();
        assert!(bounds.has_all_of("kr") && !bounds.has_all_of("kr-2"));
    }

    #[test]
    fn other_credentials_end_what_began_with_those_before() {
        let mut staff = with(&[("admin", Role::Administrator)]);
        let admin = AccountId(1);
        staff.set_credentials(admin, &[1], false).unwrap();
        staff.set_credentials(admin, &[2], true).unwrap();
        let account = &staff.accounts[&admin];
        assert_eq!(
            (account.credentials, account.is_own, &account.sealed[..]),
            (2, true, &[2][..])
        );
        let long = vec![0; SEALED_BYTES_MAX + 1];
        assert_eq!(
            staff.set_credentials(admin, &long, true),
            Err(StaffFault::Sealed(SEALED_BYTES_MAX + 1))
        );
        let unknown = staff.set_credentials(AccountId(2), &[1], true);
        assert_eq!(unknown, Err(StaffFault::Unknown("2".to_owned())));
    }
}
