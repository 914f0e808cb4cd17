//! Acts on accounts that take two: what one administrator asks for and another account confirms.
//!
//! Four eyes are worth nothing if one administrator can make or take over the second pair. So where
//! two approvers were once ready, an account that approves or confirms is made, let in again or
//! given another first password only when another such account agrees. What it can sign in with
//! then comes in two halves. This stays so when approvers
//! are ended, or one administrator could end them first. The command line of the host is not held
//! by it: whoever has the host has everything.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::proposal::{REASON_CHARACTERS_MAX, is_reason};
use super::{AccountId, Bounds, SEALED_BYTES_MAX, StaffFault, StaffState};
use crate::domain::entry::{Actor, Role};
use crate::domain::time::Stamp;

/// Acts that wait for another account.
pub const OPEN_MAX: usize = 50;
/// An act that nobody confirmed is over after a week.
pub const OPEN_S: i64 = 7 * 24 * 60 * 60;
/// Approvers who are ready when acts begin to take two.
const READY_APPROVERS: usize = 2;

/// What is to be done with an account. Variants are appended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountAct {
    /// It is made, if it has no number yet, or changed to this.
    Set {
        account: Option<AccountId>,
        name: String,
        role: Role,
        bounds: Bounds,
        enabled: bool,
    },
    /// It gets another password for its first time.
    Reset { account: AccountId },
}

impl AccountAct {
    /// The account that it is about; none if it is to be made.
    pub fn account(&self) -> Option<AccountId> {
        match self {
            Self::Set { account, .. } => *account,
            Self::Reset { account } => Some(*account),
        }
    }
}

/// An act that waits.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AskedAct {
    /// The account that asked for it, or the one that it is about if the claims of the agency's
    /// provider do.
    pub by: AccountId,
    pub at: Stamp,
    pub what: AccountAct,
    pub reason: String,
    /// Half of the password that it gives, sealed: the one who asked was told this half, and the
    /// one who confirms is told the other.
    pub sealed: Vec<u8>,
}

impl AskedAct {
    pub fn is_open(&self, now: Stamp) -> bool {
        now < self.at.plus_s(OPEN_S)
    }

    /// Whether the account that it is about asks for it.
    fn is_about_asker(&self) -> bool {
        self.what.account() == Some(self.by)
    }
}

/// Acts that take two.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct AccountActs {
    /// Those that wait, by number; some may be over.
    pub asked: BTreeMap<u32, AskedAct>,
    /// The number of the last one.
    last: u32,
    /// Whether two approvers were ready at some time.
    take_two: bool,
}

/// Why an act can't be asked for, confirmed or dropped.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ActFault {
    #[error("an account of this role can't do this")]
    Role,
    #[error("a reason has 1 to {REASON_CHARACTERS_MAX} characters")]
    Reason,
    #[error("{OPEN_MAX} acts on accounts wait for another account: confirm or drop some first")]
    TooMany,
    #[error("the act's number {0} does not follow the last one")]
    Number(u32),
    #[error(
        "there is no such act, or it was confirmed, dropped or overtaken, or a week has passed"
    )]
    Unknown,
    #[error("whoever asked for it can't confirm it: it takes another account")]
    SameEyes,
    #[error("whoever it is about can't confirm it: it takes another account")]
    Theirs,
    #[error("whoever asked for it is no administrator any more: have it asked for again")]
    AskerGone,
    #[error("sealed bytes have a length of {0}: too many")]
    Sealed(usize),
    #[error(
        "the provider's claims ask for it: an account with a password of the desk confirms it, and \
         none of the provider's"
    )]
    OfProvider,
    #[error(transparent)]
    Account(#[from] StaffFault),
}

type Found<T> = Result<T, ActFault>;

/// Whether an account of this role approves what others propose, or confirms what others ask for.
pub(super) fn is_second(role: Role) -> bool {
    matches!(role, Role::Administrator | Role::Approver)
}

impl StaffState {
    /// Notes whether two approvers are ready; it stays noted.
    pub(super) fn note_ready_approvers(&mut self) {
        let is_ready = |known: &&super::Account| {
            known.is_enabled && known.is_own && known.role == Role::Approver
        };
        let ready = self.accounts.values().filter(is_ready).count();
        self.acts.take_two |= ready >= READY_APPROVERS;
    }

    /// Whether acts on accounts that approve or confirm take two.
    pub fn acts_take_two(&self) -> bool {
        self.acts.take_two
    }

    /// Whether making this account, or changing it to this, takes two.
    pub fn takes_two_to_set(
        &self,
        id: Option<AccountId>,
        role: Role,
        bounds: &Bounds,
        is_enabled: bool,
    ) -> bool {
        let was = id.and_then(|id| self.accounts.get(&id));
        let is_as_before =
            was.is_some_and(|was| was.is_enabled && was.role == role && was.bounds == *bounds);
        // One of the provider's accounts could make another one approve, before there are two.
        let is_bound = self.acts.take_two || was.is_some_and(super::Account::is_of_provider);
        is_bound && is_enabled && is_second(role) && !is_as_before
    }

    /// Whether another first password for this account takes two.
    pub fn takes_two_to_reset(&self, id: AccountId) -> bool {
        let known = self.accounts.get(&id);
        self.acts.take_two && known.is_some_and(|known| is_second(known.role))
    }

    /// Whether an act gives its account another first password. One administrator can have taken
    /// over an account that is not there yet, ended, or of another role: what it had is worth
    /// nothing when it comes to approve or confirm.
    pub fn act_gives_password(&self, what: &AccountAct) -> bool {
        let known = what.account().and_then(|id| self.accounts.get(&id));
        if known.is_some_and(super::Account::is_of_provider) {
            return false;
        }
        match what {
            AccountAct::Reset { .. } => true,
            AccountAct::Set { .. } => {
                !known.is_some_and(|known| known.is_enabled && is_second(known.role))
            }
        }
    }

    /// The number of the next act.
    pub fn next_act(&self) -> u32 {
        self.acts.last.saturating_add(1)
    }

    /// The enabled account of an actor.
    fn account_of(&self, actor: &Actor) -> Found<(AccountId, Role)> {
        let Actor::Staff { account, .. } = actor else {
            return Err(ActFault::Role);
        };
        match self.named(account) {
            Some((id, known)) if known.is_enabled => Ok((id, known.role)),
            _ => Err(ActFault::Role),
        }
    }

    /// Whether this account may ask for this.
    pub fn may_ask_act(
        &self,
        actor: &Actor,
        what: &AccountAct,
        reason: &str,
        now: Stamp,
    ) -> Found<AccountId> {
        let by = if *actor == Actor::System {
            self.may_claim(what)?
        } else {
            let (by, role) = self.account_of(actor)?;
            if role != Role::Administrator {
                return Err(ActFault::Role);
            }
            by
        };
        if !is_reason(reason) {
            return Err(ActFault::Reason);
        }
        let open = self.acts.asked.values().filter(|one| one.is_open(now));
        if open.count() >= OPEN_MAX {
            return Err(ActFault::TooMany);
        }
        match what {
            AccountAct::Set {
                account,
                name,
                role,
                bounds,
                enabled,
            } => {
                let id = account.unwrap_or(self.next_id());
                self.may_set(id, name, *role, bounds, *enabled)?;
            }
            AccountAct::Reset { account } => {
                let known = self.accounts.get(account).ok_or(ActFault::Unknown)?;
                if known.is_of_provider() {
                    return Err(StaffFault::OfProvider(known.name.clone()).into());
                }
            }
        }
        Ok(by)
    }

    pub(super) fn ask_act(
        &mut self,
        actor: &Actor,
        act: u32,
        what: &AccountAct,
        sealed: &[u8],
        reason: &str,
        now: Stamp,
    ) -> Found<()> {
        let by = self.may_ask_act(actor, what, reason, now)?;
        if act != self.next_act() {
            return Err(ActFault::Number(act));
        }
        if sealed.len() > SEALED_BYTES_MAX {
            return Err(ActFault::Sealed(sealed.len()));
        }
        let asked = AskedAct {
            by,
            at: now,
            what: what.clone(),
            reason: reason.to_owned(),
            sealed: sealed.to_vec(),
        };
        // What the claims say now is in place of what they said before.
        let is_claim = self.is_claim(&asked);
        let is_replaced = |known: &AskedAct| is_claim && known.by == by && known.is_about_asker();
        let is_left = |known: &AskedAct| known.is_open(now) && !is_replaced(known);
        self.acts.asked.retain(|_, known| is_left(known));
        self.acts.asked.insert(act, asked);
        self.acts.last = act;
        Ok(())
    }

    /// Whether the claims of the agency's provider ask for it, and no account of the desk.
    pub fn is_claim(&self, asked: &AskedAct) -> bool {
        let by = self.accounts.get(&asked.by);
        asked.is_about_asker() && by.is_some_and(super::Account::is_of_provider)
    }

    /// Whether this account may confirm this act: what is to be done.
    pub fn may_confirm_act(&self, actor: &Actor, act: u32, now: Stamp) -> Found<&AskedAct> {
        let (id, role) = self.account_of(actor)?;
        if !is_second(role) {
            return Err(ActFault::Role);
        }
        let asked = self.acts.asked.get(&act).filter(|one| one.is_open(now));
        let asked = asked.ok_or(ActFault::Unknown)?;
        if asked.by == id {
            return Err(ActFault::SameEyes);
        }
        if asked.what.account() == Some(id) {
            return Err(ActFault::Theirs);
        }
        if self.is_claim(asked) {
            let own = self.accounts.get(&id);
            return match own {
                Some(own) if !own.is_of_provider() => Ok(asked),
                _ => Err(ActFault::OfProvider),
            };
        }
        let asker = self.accounts.get(&asked.by);
        if !asker.is_some_and(|one| one.is_enabled && one.role == Role::Administrator) {
            return Err(ActFault::AskerGone);
        }
        Ok(asked)
    }

    pub(super) fn confirm_act(&mut self, actor: &Actor, act: u32, now: Stamp) -> Found<()> {
        self.may_confirm_act(actor, act, now)?;
        self.acts.asked.remove(&act);
        Ok(())
    }

    /// Whether this account may drop this act: its own, or one that others asked for.
    pub fn may_drop_act(&self, actor: &Actor, act: u32, now: Stamp) -> Found<()> {
        let (_, role) = self.account_of(actor)?;
        if !is_second(role) {
            return Err(ActFault::Role);
        }
        let asked = self.acts.asked.get(&act).filter(|one| one.is_open(now));
        asked.map(|_| ()).ok_or(ActFault::Unknown)
    }

    pub(super) fn drop_act(&mut self, actor: &Actor, act: u32, now: Stamp) -> Found<()> {
        self.may_drop_act(actor, act, now)?;
        self.acts.asked.remove(&act);
        Ok(())
    }

    /// An account was changed otherwise: whoever reads what waits about it would confirm it of
    /// another account than was meant.
    pub(super) fn overtake_acts(&mut self, id: AccountId) {
        let is_other = |one: &mut AskedAct| one.what.account() != Some(id);
        self.acts.asked.retain(|_, one| is_other(one));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Stamp = Stamp(1_626_692_400_000_000_000);

    fn staff() -> StaffState {
        let mut staff = StaffState::default();
        for (name, role) in [
            ("admin", Role::Administrator),
            ("boss", Role::Administrator),
            ("kim", Role::Approver),
            ("lee", Role::Approver),
            ("park", Role::Operator),
        ] {
            let (id, bounds) = (staff.next_id(), Bounds::default());
            staff.set(id, name, role, &bounds, true, NOW).unwrap();
        }
        staff
    }

    fn id(staff: &StaffState, name: &str) -> AccountId {
        staff.named(name).unwrap().0
    }

    fn actor(name: &str) -> Actor {
        Actor::Staff {
            account: name.to_owned(),
            role: Role::Administrator,
            for_person: None,
        }
    }

    fn approver(name: &str) -> AccountAct {
        AccountAct::Set {
            account: None,
            name: name.to_owned(),
            role: Role::Approver,
            bounds: Bounds::default(),
            enabled: true,
        }
    }

    fn ask(staff: &mut StaffState, by: &str, what: &AccountAct, now: Stamp) -> Found<u32> {
        let act = staff.next_act();
        staff.ask_act(&actor(by), act, what, &[], "new here", now)?;
        Ok(act)
    }

    #[test]
    fn acts_take_two_once_two_approvers_were_ready() {
        let mut staff = staff();
        let (kim, lee, park) = (id(&staff, "kim"), id(&staff, "lee"), id(&staff, "park"));
        let nowhere = Bounds::default();
        let set = |staff: &StaffState, id, role, enabled| {
            staff.takes_two_to_set(id, role, &Bounds::default(), enabled)
        };
        staff.set_credentials(kim, &[1], true).unwrap();
        staff.set_credentials(lee, &[1], false).unwrap();
        assert!(!staff.acts_take_two() && !set(&staff, None, Role::Approver, true));
        staff.set_credentials(lee, &[1], true).unwrap();
        for role in [Role::Approver, Role::Administrator] {
            assert!(set(&staff, None, role, true), "{role:?}");
            assert!(set(&staff, Some(park), role, true), "{role:?}");
        }
        assert!(!set(&staff, None, Role::Operator, true));
        assert!(
            !set(&staff, Some(kim), Role::Approver, true),
            "nothing changes"
        );
        assert!(
            !set(&staff, Some(kim), Role::Approver, false),
            "an end is one's own"
        );
        assert!(staff.takes_two_to_reset(kim) && !staff.takes_two_to_reset(park));
        // Nobody gets round it by ending approvers first.
        for (account, name) in [(kim, "kim"), (lee, "lee")] {
            let ended = staff.set(account, name, Role::Approver, &nowhere, false, NOW);
            ended.unwrap();
        }
        assert!(set(&staff, None, Role::Approver, true));
        assert!(set(&staff, Some(kim), Role::Approver, true), "let in again");
        assert!(staff.takes_two_to_reset(kim));
    }

    #[test]
    fn another_account_confirms_and_neither_the_asker_nor_the_one_concerned() {
        let mut staff = staff();
        let act = ask(&mut staff, "admin", &approver("new"), NOW).unwrap();
        let confirm = |staff: &StaffState, by: &str, act, now| {
            let may = staff.may_confirm_act(&actor(by), act, now);
            may.map(|_| ())
        };
        assert_eq!(confirm(&staff, "admin", act, NOW), Err(ActFault::SameEyes));
        assert_eq!(confirm(&staff, "park", act, NOW), Err(ActFault::Role));
        assert_eq!(confirm(&staff, "key:boss", act, NOW), Err(ActFault::Role));
        assert_eq!(confirm(&staff, "kim", act, NOW), Ok(()));
        let asks = ask(&mut staff, "kim", &approver("newer"), NOW);
        assert_eq!(asks, Err(ActFault::Role), "an administrator asks");
        let kim = id(&staff, "kim");
        let reset = ask(
            &mut staff,
            "admin",
            &AccountAct::Reset { account: kim },
            NOW,
        )
        .unwrap();
        assert_eq!(confirm(&staff, "kim", reset, NOW), Err(ActFault::Theirs));
        staff.confirm_act(&actor("boss"), reset, NOW).unwrap();
        assert_eq!(confirm(&staff, "boss", reset, NOW), Err(ActFault::Unknown));
        // A week later it is over, and the asker may be gone before.
        let late = NOW.plus_s(OPEN_S);
        assert_eq!(confirm(&staff, "kim", act, late), Err(ActFault::Unknown));
        let admin = id(&staff, "admin");
        let (role, bounds) = (Role::Administrator, Bounds::default());
        let ended = staff.set(admin, "admin", role, &bounds, false, NOW);
        ended.unwrap();
        assert_eq!(confirm(&staff, "kim", act, NOW), Err(ActFault::AskerGone));
    }

    #[test]
    fn whoever_comes_to_approve_has_another_first_password() {
        let mut staff = staff();
        let (kim, park) = (id(&staff, "kim"), id(&staff, "park"));
        let to_be = |id, name: &str, role| AccountAct::Set {
            account: Some(id),
            name: name.to_owned(),
            role,
            bounds: Bounds::default(),
            enabled: true,
        };
        let as_kim = to_be(kim, "kim", Role::Administrator);
        assert!(staff.act_gives_password(&approver("new")));
        assert!(staff.act_gives_password(&AccountAct::Reset { account: kim }));
        assert!(staff.act_gives_password(&to_be(park, "park", Role::Approver)));
        assert!(
            !staff.act_gives_password(&as_kim),
            "it is held by two already"
        );
        // Ended, given a password by one administrator under another role, and let in again.
        for role in [Role::Approver, Role::Operator, Role::Approver] {
            let bounds = Bounds::default();
            staff.set(kim, "kim", role, &bounds, false, NOW).unwrap();
        }
        assert!(staff.act_gives_password(&as_kim));
    }

    #[test]
    fn what_changes_the_account_meanwhile_overtakes_the_act() {
        let mut staff = staff();
        let park = id(&staff, "park");
        let what = AccountAct::Set {
            account: Some(park),
            name: "park".to_owned(),
            role: Role::Approver,
            bounds: Bounds::default(),
            enabled: true,
        };
        // Whoever has asked takes the account over, to have it made an approver.
        let act = ask(&mut staff, "admin", &what, NOW).unwrap();
        staff.set_credentials(park, &[1], false).unwrap();
        let may = staff.may_confirm_act(&actor("boss"), act, NOW);
        assert_eq!(may, Err(ActFault::Unknown));
        // What its owner does is none of this.
        let act = ask(&mut staff, "admin", &what, NOW).unwrap();
        staff.set_credentials(park, &[1], true).unwrap();
        assert!(staff.may_confirm_act(&actor("boss"), act, NOW).is_ok());
        let dropped = staff.drop_act(&actor("park"), act, NOW);
        assert_eq!(dropped, Err(ActFault::Role));
        staff.drop_act(&actor("kim"), act, NOW).unwrap();
        let again = staff.drop_act(&actor("admin"), act, NOW);
        assert_eq!(again, Err(ActFault::Unknown));
    }

    #[test]
    fn as_many_acts_wait_as_can_and_numbers_are_used_once() {
        let mut staff = staff();
        for at in 0..OPEN_MAX {
            ask(&mut staff, "admin", &approver(&format!("a{at}")), NOW).unwrap();
        }
        let more = ask(&mut staff, "admin", &approver("more"), NOW);
        assert_eq!(more, Err(ActFault::TooMany));
        let late = NOW.plus_s(OPEN_S);
        let act = ask(&mut staff, "admin", &approver("more"), late).unwrap();
        assert_eq!(
            (act, staff.acts.asked.len()),
            (51, 1),
            "the others are over"
        );
        staff.drop_act(&actor("admin"), act, late).unwrap();
        assert_eq!(staff.next_act(), 52);
        let wrong = staff.ask_act(&actor("admin"), 51, &approver("x1"), &[], "r", late);
        assert_eq!(wrong, Err(ActFault::Number(51)));
    }
}
