//! Keys of the agency's own programs: what each may read, where, and until when.
//!
//! A key has 32 random bytes for a secret, of which the journal keeps the SHA-256: so many random
//! bytes can't be guessed, and need no slow hash. A key only reads. It proposes and decides
//! nothing: whoever made it knows its secret, so it would be no second pair of eyes for them. An
//! entry names it `key:NAME`, which no account can be called.

use serde::{Deserialize, Serialize};

use super::{AccountId, BOUNDS_MAX, Bounds, StaffState, is_name};
use crate::domain::entry::{Actor, Role};
use crate::domain::staff::proposal::is_reason;
use crate::domain::time::Stamp;

/// Keys that are in use at the same time.
pub const IN_USE_MAX: usize = 1_000;
/// Keys that are over and are still shown; the journal has all.
pub const OVER_KEPT: usize = 1_000;
/// Days that a key is good for at the most: a year, and a month to replace it in.
pub const DAYS_MAX: i64 = 400;
const DAY_S: i64 = 24 * 60 * 60;
/// In front of a key's name where an account's name stands.
pub const ACTOR_PREFIX: &str = "key:";

/// A key's number, from 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct ApiKeyId(pub u32);

/// What a key may read. Variants are appended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// The evening's board.
    Board,
    /// What is proposed, and what a proposal would do.
    Proposals,
    /// Who has an account, and what each may do.
    Accounts,
    /// Who did what.
    Record,
    /// Sites, their slots and seats.
    Sites,
}

impl Scope {
    pub const ALL: [Self; 5] = [
        Self::Board,
        Self::Proposals,
        Self::Accounts,
        Self::Record,
        Self::Sites,
    ];

    /// As entries, forms and the API name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Board => "board",
            Self::Proposals => "proposals",
            Self::Accounts => "accounts",
            Self::Record => "record",
            Self::Sites => "sites",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }

    /// Which bounds hold what it reads.
    fn bound_by(self) -> Holds {
        match self {
            Self::Board | Self::Proposals | Self::Sites => Holds::Campaigns,
            Self::Accounts | Self::Record => Holds::Nothing,
        }
    }
}

/// What of a key's bounds holds a scope.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds {
    Campaigns,
    Nothing,
}

/// A key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ApiKey {
    pub name: String,
    /// The SHA-256 of its secret.
    pub sha256: [u8; 32],
    /// Sorted, each once.
    pub scopes: Vec<Scope>,
    pub bounds: Bounds,
    pub made_by: AccountId,
    pub made_at: Stamp,
    /// It is good before this.
    pub until: Stamp,
    pub reason: String,
    /// When somebody ended it.
    pub ended_at: Option<Stamp>,
}

impl ApiKey {
    pub fn is_good(&self, now: Stamp) -> bool {
        self.ended_at.is_none() && now < self.until
    }

    /// As an entry names whoever did something with it.
    pub fn actor_name(&self) -> String {
        format!("{ACTOR_PREFIX}{}", self.name)
    }
}

/// What a key is to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WantedKey {
    pub name: String,
    pub scopes: Vec<Scope>,
    pub bounds: Bounds,
    pub until: Stamp,
    pub reason: String,
}

/// Why a key can't be made or ended.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ApiKeyFault {
    #[error("only an administrator of the desk can do this")]
    NotAdministrator,
    #[error("`{0}` is no name of a key: 2 to 40 of a-z, 0-9, `.`, `-` and `_`, a letter first")]
    Name(String),
    #[error("there is a key `{0}` already: take another name")]
    Taken(String),
    #[error("a key needs at least one scope, and has each once")]
    Scopes,
    #[error("the scope `{}` can't be bounded so: it reads more than such bounds hold", .0.name())]
    Unbounded(Scope),
    #[error("{0} campaigns, provinces and sites bound this key: at most {BOUNDS_MAX} can")]
    Bounds(usize),
    #[error("a key ends after now and within {DAYS_MAX} days")]
    Until,
    #[error(
        "a reason has 1 to {} characters",
        super::proposal::REASON_CHARACTERS_MAX
    )]
    Reason,
    #[error("{IN_USE_MAX} keys are in use: end one first")]
    Full,
    #[error("the key's number does not follow the last one")]
    Number,
    #[error("there is no such key")]
    Unknown,
    #[error("the key is over already")]
    Over,
}

impl StaffState {
    /// The number of the next key.
    pub fn next_key(&self) -> ApiKeyId {
        let last = self.keys.keys().next_back();
        ApiKeyId(last.map_or(1, |last| last.0 + 1))
    }

    /// The key whose secret has this SHA-256, if it is good.
    pub fn key_of(&self, sha256: &[u8; 32], now: Stamp) -> Option<(ApiKeyId, &ApiKey)> {
        let found = self.keys.iter().find(|(_, key)| key.sha256 == *sha256);
        found
            .filter(|(_, key)| key.is_good(now))
            .map(|(id, key)| (*id, key))
    }

    fn administrator(&self, actor: &Actor) -> Result<AccountId, ApiKeyFault> {
        let Actor::Staff { account, .. } = actor else {
            return Err(ApiKeyFault::NotAdministrator);
        };
        match self.named(account) {
            Some((id, known)) if known.is_enabled && known.role == Role::Administrator => Ok(id),
            _ => Err(ApiKeyFault::NotAdministrator),
        }
    }

    /// Whether this account may make this key: the account's number.
    pub fn may_make_key(
        &self,
        actor: &Actor,
        wanted: &WantedKey,
        now: Stamp,
    ) -> Result<AccountId, ApiKeyFault> {
        let by = self.administrator(actor)?;
        if !is_name(&wanted.name) {
            return Err(ApiKeyFault::Name(wanted.name.clone()));
        }
        if self.keys.values().any(|key| key.name == wanted.name) {
            return Err(ApiKeyFault::Taken(wanted.name.clone()));
        }
        if wanted.scopes.is_empty() || !wanted.scopes.is_sorted_by(|a, b| a < b) {
            return Err(ApiKeyFault::Scopes);
        }
        if wanted.bounds.len() > BOUNDS_MAX {
            return Err(ApiKeyFault::Bounds(wanted.bounds.len()));
        }
        if let Some(scope) = unbounded(&wanted.scopes, &wanted.bounds) {
            return Err(ApiKeyFault::Unbounded(scope));
        }
        if wanted.until <= now || now.plus_s(DAYS_MAX * DAY_S) < wanted.until {
            return Err(ApiKeyFault::Until);
        }
        if !is_reason(&wanted.reason) {
            return Err(ApiKeyFault::Reason);
        }
        let in_use = self.keys.values().filter(|key| key.is_good(now));
        if in_use.count() >= IN_USE_MAX {
            return Err(ApiKeyFault::Full);
        }
        Ok(by)
    }

    pub(super) fn make_key(
        &mut self,
        actor: &Actor,
        id: ApiKeyId,
        sha256: [u8; 32],
        wanted: WantedKey,
        now: Stamp,
    ) -> Result<(), ApiKeyFault> {
        let made_by = self.may_make_key(actor, &wanted, now)?;
        if id != self.next_key() {
            return Err(ApiKeyFault::Number);
        }
        let WantedKey {
            name,
            scopes,
            bounds,
            until,
            reason,
        } = wanted;
        let key = ApiKey {
            name,
            sha256,
            scopes,
            bounds,
            made_by,
            made_at: now,
            until,
            reason,
            ended_at: None,
        };
        self.keys.insert(id, key);
        self.forget_old_keys(now);
        Ok(())
    }

    /// Whether this account may end this key.
    pub fn may_end_key(&self, actor: &Actor, id: ApiKeyId, now: Stamp) -> Result<(), ApiKeyFault> {
        self.administrator(actor)?;
        match self.keys.get(&id) {
            None => Err(ApiKeyFault::Unknown),
            Some(key) if !key.is_good(now) => Err(ApiKeyFault::Over),
            Some(_) => Ok(()),
        }
    }

    pub(super) fn end_key(
        &mut self,
        actor: &Actor,
        id: ApiKeyId,
        now: Stamp,
    ) -> Result<(), ApiKeyFault> {
        self.may_end_key(actor, id, now)?;
        let key = self.keys.get_mut(&id).ok_or(ApiKeyFault::Unknown)?;
        key.ended_at = Some(now);
        Ok(())
    }

    /// The newest key always stays: numbers follow it.
    fn forget_old_keys(&mut self, now: Stamp) {
        let over = self.keys.iter().filter(|(_, key)| !key.is_good(now));
        let over: Vec<ApiKeyId> = over.map(|(id, _)| *id).collect();
        let surplus = over.len().saturating_sub(OVER_KEPT);
        for id in &over[..surplus] {
            self.keys.remove(id);
        }
    }
}

/// The first scope that reads more than these bounds would hold: a bound that binds nothing would
/// promise what is not so.
fn unbounded(scopes: &[Scope], bounds: &Bounds) -> Option<Scope> {
    let has_campaigns = !bounds.campaigns.is_empty();
    let has_places = !bounds.provinces.is_empty() || !bounds.sites.is_empty();
    let reads_more = |scope: &&Scope| match scope.bound_by() {
        Holds::Campaigns => has_places,
        Holds::Nothing => has_campaigns || has_places,
    };
    scopes.iter().find(reads_more).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::staff::proposal::{Decision, ProposalFault};

    const NOW: Stamp = Stamp(1_626_692_400_000_000_000);

    fn staff() -> StaffState {
        let mut staff = StaffState::default();
        for (name, role) in [
            ("admin", Role::Administrator),
            ("kim", Role::Approver),
            ("lee", Role::Operator),
        ] {
            let (id, bounds) = (staff.next_id(), Bounds::default());
            staff.set(id, name, role, &bounds, true, NOW).unwrap();
        }
        staff
    }

    fn actor(name: &str) -> Actor {
        Actor::Staff {
            account: name.to_owned(),
            role: Role::Administrator,
            for_person: None,
        }
    }

    fn wanted(name: &str) -> WantedKey {
        WantedKey {
            name: name.to_owned(),
            scopes: vec![Scope::Board, Scope::Proposals],
            bounds: Bounds::default(),
            until: NOW.plus_s(DAY_S),
            reason: "the wall screen".to_owned(),
        }
    }

    fn make(staff: &mut StaffState, wanted: WantedKey, now: Stamp) -> Result<(), ApiKeyFault> {
        let id = staff.next_key();
        let secret = [id.0 as u8; 32];
        staff.make_key(&actor("admin"), id, secret, wanted, now)
    }

    #[test]
    fn a_key_is_good_until_its_end_or_until_it_is_ended() {
        let mut staff = staff();
        make(&mut staff, wanted("wall"), NOW).unwrap();
        let found = |staff: &StaffState, now| staff.key_of(&[1; 32], now).map(|(id, _)| id);
        assert_eq!(found(&staff, NOW), Some(ApiKeyId(1)));
        assert_eq!(found(&staff, NOW.plus_s(DAY_S)), None);
        assert_eq!(staff.key_of(&[2; 32], NOW), None);
        let other = staff.end_key(&actor("kim"), ApiKeyId(1), NOW);
        assert_eq!(other, Err(ApiKeyFault::NotAdministrator));
        staff.end_key(&actor("admin"), ApiKeyId(1), NOW).unwrap();
        assert_eq!(found(&staff, NOW), None);
        let again = staff.end_key(&actor("admin"), ApiKeyId(1), NOW);
        assert_eq!(again, Err(ApiKeyFault::Over));
        let none = staff.end_key(&actor("admin"), ApiKeyId(2), NOW);
        assert_eq!(none, Err(ApiKeyFault::Unknown));
        // Its name stays taken while it is shown.
        let taken = make(&mut staff, wanted("wall"), NOW);
        assert_eq!(taken, Err(ApiKeyFault::Taken("wall".to_owned())));
    }

    #[test]
    fn what_a_key_is_has_bounds() {
        let mut staff = staff();
        let mut fault = |change: &dyn Fn(&mut WantedKey)| {
            let mut wanted = wanted("wall");
            change(&mut wanted);
            make(&mut staff, wanted, NOW).err()
        };
        let name = fault(&|key| key.name = "key:wall".to_owned());
        assert_eq!(name, Some(ApiKeyFault::Name("key:wall".to_owned())));
        assert_eq!(fault(&|key| key.scopes.clear()), Some(ApiKeyFault::Scopes));
        let twice = fault(&|key| key.scopes = vec![Scope::Board; 2]);
        assert_eq!(twice, Some(ApiKeyFault::Scopes));
        assert_eq!(fault(&|key| key.until = NOW), Some(ApiKeyFault::Until));
        let long = fault(&|key| key.until = NOW.plus_s(DAYS_MAX * DAY_S + 1));
        assert_eq!(long, Some(ApiKeyFault::Until));
        assert_eq!(fault(&|key| key.reason.clear()), Some(ApiKeyFault::Reason));
        let many = fault(&|key| key.bounds.campaigns = vec!["kr".to_owned(); 501]);
        assert_eq!(many, Some(ApiKeyFault::Bounds(501)));
        let place = fault(&|key| key.bounds.provinces = vec!["11".to_owned()]);
        assert_eq!(place, Some(ApiKeyFault::Unbounded(Scope::Board)));
        let everything = fault(&|key| {
            key.scopes = vec![Scope::Board, Scope::Record];
            key.bounds.campaigns = vec!["kr".to_owned()];
        });
        assert_eq!(everything, Some(ApiKeyFault::Unbounded(Scope::Record)));
        let last = fault(&|key| {
            key.bounds.campaigns = vec!["kr".to_owned()];
            key.until = NOW.plus_s(DAYS_MAX * DAY_S);
        });
        assert_eq!(last, None);
    }

    #[test]
    fn there_are_as_many_keys_as_there_can_be_and_over_ones_make_room() {
        let mut staff = staff();
        for at in 0..IN_USE_MAX {
            make(&mut staff, wanted(&format!("k{at}")), NOW).unwrap();
        }
        let full = make(&mut staff, wanted("more"), NOW);
        assert_eq!(full, Err(ApiKeyFault::Full));
        let later = NOW.plus_s(2 * DAY_S);
        for at in 0..3 {
            let mut wanted = wanted(&format!("later{at}"));
            wanted.until = later.plus_s(1);
            make(&mut staff, wanted, later).unwrap();
        }
        assert_eq!(staff.keys.len(), OVER_KEPT + 3);
        let still_later = later.plus_s(1);
        let mut last = wanted("last");
        last.until = still_later.plus_s(1);
        make(&mut staff, last, still_later).unwrap();
        assert_eq!(staff.keys.len(), OVER_KEPT + 1, "the oldest are forgotten");
        assert_eq!(staff.next_key(), ApiKeyId(1_005));
    }

    #[test]
    fn a_key_is_nobodys_pair_of_eyes() {
        let mut staff = staff();
        make(&mut staff, wanted("kim"), NOW).unwrap();
        let key = actor(&staff.keys[&ApiKeyId(1)].actor_name());
        let proposes = staff.may_add_proposal(&key, "a reason");
        assert_eq!(proposes, Err(ProposalFault::NoAccount));
        let decides = staff.may_decide_proposal(&key, 1, Decision::Approved, 0);
        assert_eq!(decides, Err(ProposalFault::NoAccount));
        let makes = staff.may_make_key(&key, &wanted("other"), NOW);
        assert_eq!(makes, Err(ApiKeyFault::NotAdministrator));
    }
}
