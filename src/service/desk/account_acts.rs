//! Acts on accounts that take two: asking for one, confirming and dropping one.
//!
//! A password that comes of one has two halves: the account that asks is told one, the account that
//! confirms the other. Neither can set the account up alone; its owner gets both.

use super::accounts::Wanted;
use super::{Allowed, BUSY_RETRY_S, DeskRefused, actor};
use crate::clock::Entropy;
use crate::domain::entry::Change;
use crate::domain::staff::account_act::{AccountAct, ActFault};
use crate::domain::staff::{Account, AccountId};
use crate::identity::staff::credentials::Credentials;
use crate::identity::staff::generate_password;
use crate::identity::staff::sessions::Origin;
use crate::service::Service;

/// What is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AskedFor {
    /// An account is made, if it has no number yet, or changed.
    Set(Option<AccountId>, Wanted),
    Reset(AccountId),
}

/// An act that was confirmed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Confirmed {
    pub account: AccountId,
    pub name: String,
    /// The second half of the password, if the act gives one.
    pub half: Option<String>,
}

impl From<ActFault> for DeskRefused {
    fn from(fault: ActFault) -> Self {
        match fault {
            ActFault::Role => Self::NotYours,
            ActFault::SameEyes | ActFault::Theirs => Self::SameEyes,
            ActFault::Unknown => Self::NotFound,
            other => Self::Impossible(other.to_string()),
        }
    }
}

/// The halves of a fresh password, with two groups of four each.
fn halves() -> (String, String) {
    let whole = generate_password(&Entropy::system());
    let middle = whole.len() / 2;
    (whole[..middle].to_owned(), whole[middle + 1..].to_owned())
}

impl Service {
    /// Asks another account to confirm an act: its number, and the first half of the password that
    /// it gives, if it gives one.
    pub async fn ask_account_act(
        &self,
        by: &Account,
        asked: AskedFor,
        reason: &str,
    ) -> Allowed<(u32, Option<String>)> {
        let staff = self.staff();
        let what = match asked {
            AskedFor::Reset(account) => AccountAct::Reset { account },
            AskedFor::Set(account, wanted) => {
                let known = account.and_then(|id| staff.accounts.get(&id));
                let is_as_before = known.is_some_and(|known| known.bounds == wanted.bounds);
                let bounds = if is_as_before {
                    wanted.bounds
                } else {
                    self.known_bounds(wanted.bounds)?
                };
                AccountAct::Set {
                    account,
                    name: wanted.name,
                    role: wanted.role,
                    bounds,
                    enabled: wanted.is_enabled,
                }
            }
        };
        let reason = reason.trim();
        staff.may_ask_act(&actor(by), &what, reason, self.clock.now())?;
        let act = staff.next_act();
        let half = staff.act_gives_password(&what).then(|| halves().0);
        let sealed = half.as_ref().map(|half| {
            self.keys
                .seal_half(&Entropy::system(), act, half.as_bytes())
        });
        let asked = Change::AccountActAsked {
            act,
            what: Box::new(what),
            sealed: sealed.unwrap_or_default(),
            reason: reason.to_owned(),
        };
        self.change_staff(actor(by), vec![asked]).await?;
        Ok((act, half))
    }

    /// Confirms an act of another account, and does it in the same commit.
    pub async fn confirm_account_act(
        &self,
        by: &Account,
        origin: Origin,
        act: u32,
    ) -> Allowed<Confirmed> {
        let staff = self.staff();
        let asked = staff.may_confirm_act(&actor(by), act, self.clock.now())?;
        let account = asked.what.account().unwrap_or(staff.next_id());
        let mut changes = vec![Change::AccountActConfirmed { act }];
        let name = match &asked.what {
            AccountAct::Set {
                name,
                role,
                bounds,
                enabled,
                ..
            } => {
                changes.push(Change::StaffSet {
                    account,
                    name: name.clone(),
                    role: *role,
                    bounds: bounds.clone(),
                    enabled: *enabled,
                });
                name.clone()
            }
            AccountAct::Reset { account } => {
                let known = staff.accounts.get(account);
                known.ok_or(DeskRefused::NotFound)?.name.clone()
            }
        };
        let mut half = None;
        if !asked.sealed.is_empty() {
            let first = self.keys.open_half(act, &asked.sealed);
            let first = first.and_then(|bytes| String::from_utf8(bytes).ok());
            let first = first.ok_or_else(|| {
                let why = "its half of the password was sealed with other keys: have it asked for \
                           again";
                DeskRefused::Impossible(why.to_owned())
            })?;
            let second = halves().1;
            let password = format!("{first}-{second}");
            let made = move || Credentials::first(&Entropy::system(), &password);
            let made = self.desk.hashing.done(origin.from, true, made).await;
            let made = made.ok_or(DeskRefused::Overloaded {
                retry_after_s: BUSY_RETRY_S,
            })?;
            let made = made.map_err(DeskRefused::Impossible)?;
            changes.push(Change::StaffCredentialsSet {
                account,
                sealed: made.seal(&self.keys, &Entropy::system(), account),
                own: false,
            });
            half = Some(second);
        }
        // Whoever the provider signs in comes with a new role by a new sign-in.
        let known = staff.accounts.get(&account);
        let is_of_provider = known.is_some_and(Account::is_of_provider);
        self.change_staff(actor(by), changes).await?;
        if half.is_some() || is_of_provider {
            self.desk.sessions.revoke(account, None);
        }
        Ok(Confirmed {
            account,
            name,
            half,
        })
    }

    /// Drops an act that waits: one's own, or one that is not to be confirmed.
    pub async fn drop_account_act(&self, by: &Account, act: u32) -> Allowed<()> {
        let now = self.clock.now();
        self.staff().may_drop_act(&actor(by), act, now)?;
        let dropped = Change::AccountActDropped { act };
        self.change_staff(actor(by), vec![dropped]).await
    }
}
