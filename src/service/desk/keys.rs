//! Keys of the agency's own programs: making one, ending one, and whose call one is.
//!
//! A key's secret leaves here once, when it is made. A key acts as an account that signs in
//! nowhere and may do nothing but read.

use std::collections::HashMap;
use std::sync::Mutex;

use data_encoding::HEXLOWER;
use jiff::civil::Date;

use super::{Allowed, DeskRefused, actor};
use crate::clock::Entropy;
use crate::crypto::sha256;
use crate::domain::entry::{Change, Role};
use crate::domain::staff::api_key::{ApiKey, ApiKeyFault, ApiKeyId, Scope, WantedKey};
use crate::domain::staff::{Account, Bounds};
use crate::domain::time::Stamp;
use crate::service::Service;
use crate::sync::locked;

/// In front of every secret, so that tools which look for lost secrets know one.
const SECRET_PREFIX: &str = "sumun_";
const SECRET_BYTES: usize = 32;

/// When each key was used last, since the start.
#[derive(Default)]
pub struct KeyUses(Mutex<HashMap<ApiKeyId, Stamp>>);

impl KeyUses {
    fn note(&self, key: ApiKeyId, now: Stamp) {
        locked(&self.0).insert(key, now);
    }

    /// Forgets those of keys that are not kept any more.
    fn keep(&self, is_kept: impl Fn(&ApiKeyId) -> bool) {
        locked(&self.0).retain(|key, _| is_kept(key));
    }

    pub fn last(&self, key: ApiKeyId) -> Option<Stamp> {
        locked(&self.0).get(&key).copied()
    }
}

/// A key as somebody wants it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AskedKey {
    pub name: String,
    pub scopes: Vec<Scope>,
    pub bounds: Bounds,
    /// The last day on which it is good, in the zone of the first campaign.
    pub last_day: String,
    pub reason: String,
}

impl From<ApiKeyFault> for DeskRefused {
    fn from(fault: ApiKeyFault) -> Self {
        match fault {
            ApiKeyFault::NotAdministrator => Self::NotYours,
            ApiKeyFault::Unknown => Self::NotFound,
            other => Self::Impossible(other.to_string()),
        }
    }
}

/// Whether a token has the form of a key's secret; those of sessions are shorter.
pub fn is_secret(token: &str) -> bool {
    let letters = token.strip_prefix(SECRET_PREFIX);
    letters.is_some_and(|letters| letters.len() == 2 * SECRET_BYTES)
}

/// A key as the account that it acts as. Its role is the one that may do least; what it may do is
/// said by its scopes.
fn acts_as(key: &ApiKey) -> Account {
    Account {
        name: key.actor_name(),
        role: Role::Reporter,
        bounds: key.bounds.clone(),
        is_enabled: true,
        made_at: key.made_at,
        sealed: Vec::new(),
        credentials: 0,
        is_own: false,
        signed_in_at: None,
        subject: None,
    }
}

impl Service {
    /// Makes a key: its number, and its secret, which is told once.
    pub async fn make_key(&self, by: &Account, asked: AskedKey) -> Allowed<(ApiKeyId, String)> {
        let last_day: Result<Date, _> = asked.last_day.parse();
        let until = last_day.ok().and_then(|day| day.tomorrow().ok());
        let until = until.and_then(|day| self.start_of_day(day));
        let until = until.ok_or_else(|| {
            DeskRefused::Impossible("the last day is written as 2021-07-19".to_owned())
        })?;
        let mut scopes = asked.scopes;
        scopes.sort_unstable();
        let wanted = WantedKey {
            name: asked.name.trim().to_ascii_lowercase(),
            scopes,
            bounds: self.known_bounds(asked.bounds)?,
            until,
            reason: asked.reason.trim().to_owned(),
        };
        let staff = self.staff();
        staff.may_make_key(&actor(by), &wanted, self.clock.now())?;
        let key = staff.next_key();
        let random: [u8; SECRET_BYTES] = Entropy::system().bytes();
        let secret = format!("{SECRET_PREFIX}{}", HEXLOWER.encode(&random));
        let made = Change::ApiKeyMade {
            key,
            name: wanted.name,
            sha256: sha256(secret.as_bytes()),
            scopes: wanted.scopes,
            bounds: Box::new(wanted.bounds),
            until: wanted.until,
            reason: wanted.reason,
        };
        self.change_staff(actor(by), vec![made]).await?;
        let staff = self.staff();
        self.desk
            .key_uses
            .keep(|known| staff.keys.contains_key(known));
        Ok((key, secret))
    }

    /// Ends a key; it is good for nothing from now on.
    pub async fn end_key(&self, by: &Account, key: ApiKeyId) -> Allowed<()> {
        let now = self.clock.now();
        self.staff().may_end_key(&actor(by), key, now)?;
        let ended = Change::ApiKeyEnded { key };
        self.change_staff(actor(by), vec![ended]).await
    }

    /// Whose call a key's secret is, if the key is good, and whether it has the scope.
    pub fn keyed(&self, secret: &str, scope: Option<Scope>) -> Allowed<(ApiKeyId, Account, bool)> {
        let (staff, now) = (self.staff(), self.clock.now());
        let known = staff.key_of(&sha256(secret.as_bytes()), now);
        let (id, key) = known.ok_or(DeskRefused::Key)?;
        self.desk.key_uses.note(id, now);
        let has = scope.is_some_and(|scope| key.scopes.contains(&scope));
        Ok((id, acts_as(key), has))
    }

    /// The bounds of a key while it is good and has the scope. To ask is no use of it.
    pub fn key_goes_on(&self, id: ApiKeyId, scope: Option<Scope>) -> Option<Bounds> {
        let staff = self.staff();
        let key = staff.keys.get(&id)?;
        let has = scope.is_some_and(|scope| key.scopes.contains(&scope));
        (has && key.is_good(self.clock.now())).then(|| key.bounds.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_told_from_a_sessions_token() {
        let secret = format!("{SECRET_PREFIX}{}", "a".repeat(64));
        assert!(is_secret(&secret));
        for other in [
            "",
            "sumun_",
            &secret[..69],
            &format!("{secret}a"),
            &"a".repeat(43),
        ] {
            assert!(!is_secret(other), "{other}");
        }
    }
}
