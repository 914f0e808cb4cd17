//! Making accounts, changing what they may do, and ending their sessions.

use super::{Allowed, BUSY_RETRY_S, DeskRefused, actor};
use crate::clock::Entropy;
use crate::domain::entry::{Change, Role, SessionAct};
use crate::domain::staff::{Account, AccountId, Bounds, StaffFault};
use crate::identity::staff::credentials::Credentials;
use crate::identity::staff::generate_password;
use crate::identity::staff::sessions::Origin;
use crate::service::Service;

/// What an account is to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wanted {
    pub name: String,
    pub role: Role,
    pub bounds: Bounds,
    pub is_enabled: bool,
}

impl Service {
    /// Makes an account: its number, and the password for its first time, which is told once.
    pub async fn add_account(
        &self,
        by: &Account,
        origin: Origin,
        mut wanted: Wanted,
    ) -> Allowed<(AccountId, String)> {
        wanted.bounds = self.known_bounds(wanted.bounds)?;
        let staff = self.staff();
        if staff.takes_two_to_set(None, wanted.role, &wanted.bounds, true) {
            return Err(DeskRefused::TakesTwo);
        }
        let id = staff.next_id();
        let fits = staff.may_set(id, &wanted.name, wanted.role, &wanted.bounds, true);
        fits.map_err(|fault| DeskRefused::Impossible(fault.to_string()))?;
        let (password, sealed) = self.first_credentials(id, origin).await?;
        let set = Change::StaffSet {
            account: id,
            name: wanted.name,
            role: wanted.role,
            bounds: wanted.bounds,
            enabled: true,
        };
        self.change_staff(actor(by), vec![set, sealed]).await?;
        Ok((id, password))
    }

    /// A password for the first time, and the change that gives it to an account.
    async fn first_credentials(&self, id: AccountId, origin: Origin) -> Allowed<(String, Change)> {
        let password = generate_password(&Entropy::system());
        let typed = password.clone();
        let made = move || Credentials::first(&Entropy::system(), &typed);
        let made = self.desk.hashing.done(origin.from, true, made).await;
        let made = made.ok_or(DeskRefused::Overloaded {
            retry_after_s: BUSY_RETRY_S,
        })?;
        let made = made.map_err(DeskRefused::Impossible)?;
        let change = Change::StaffCredentialsSet {
            account: id,
            sealed: made.seal(&self.keys, &Entropy::system(), id),
            own: false,
        };
        Ok((password, change))
    }

    /// Changes what an account is and may do.
    pub async fn change_account(
        &self,
        by: &Account,
        id: AccountId,
        mut wanted: Wanted,
    ) -> Allowed<()> {
        let staff = self.staff();
        let known = staff.accounts.get(&id).ok_or(DeskRefused::NotFound)?;
        // An account whose campaign is over can still be ended.
        if wanted.bounds != known.bounds {
            wanted.bounds = self.known_bounds(wanted.bounds)?;
        }
        let Wanted {
            role,
            ref bounds,
            is_enabled,
            ..
        } = wanted;
        if staff.takes_two_to_set(Some(id), role, bounds, is_enabled) {
            return Err(DeskRefused::TakesTwo);
        }
        let set = Change::StaffSet {
            account: id,
            name: wanted.name,
            role: wanted.role,
            bounds: wanted.bounds,
            enabled: wanted.is_enabled,
        };
        self.change_staff(actor(by), vec![set]).await
    }

    /// Gives an account another password for the first time, and ends its sessions: for somebody
    /// who has lost theirs, or the phone and its codes.
    pub async fn reset_account(
        &self,
        by: &Account,
        origin: Origin,
        id: AccountId,
    ) -> Allowed<String> {
        let staff = self.staff();
        let known = staff.accounts.get(&id).ok_or(DeskRefused::NotFound)?;
        if known.is_of_provider() {
            let fault = StaffFault::OfProvider(known.name.clone());
            return Err(DeskRefused::Impossible(fault.to_string()));
        }
        if staff.takes_two_to_reset(id) {
            return Err(DeskRefused::TakesTwo);
        }
        let (password, change) = self.first_credentials(id, origin).await?;
        self.change_staff(actor(by), vec![change]).await?;
        self.desk.sessions.revoke(id, None);
        Ok(password)
    }

    /// Ends the sessions of an account, or one of them: how many.
    pub async fn revoke_sessions(
        &self,
        by: &Account,
        origin: Origin,
        id: AccountId,
        session: Option<u64>,
    ) -> Allowed<usize> {
        if !self.staff().accounts.contains_key(&id) {
            return Err(DeskRefused::NotFound);
        }
        let ended = self.desk.sessions.revoke(id, session);
        if ended > 0 {
            let change = Change::StaffSession {
                account: id,
                act: SessionAct::Revoked,
                origin: origin.from.to_string(),
            };
            self.change_staff(actor(by), vec![change]).await?;
        }
        Ok(ended)
    }
}
