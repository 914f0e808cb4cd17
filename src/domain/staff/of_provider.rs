//! Accounts of people whom the agency's own provider signs in.
//!
//! Such an account is known by its subject, a keyed hash of what the provider calls its user for
//! ever; its name is what people see, and nobody comes to an account by a name. It has no password
//! here. Its role comes with each sign-in, from what the provider claims.
//!
//! The provider is one pair of eyes: what it claims makes nobody approve or confirm. The claim asks
//! for such a role, as an act on the account that it is about, and an account with a password of
//! the desk confirms it (`account_act`).

use super::account_act::{AccountAct, ActFault, is_second};
use super::{Account, AccountId, Bounds, NAME_BYTES_MAX, StaffFault, StaffState, is_name};
use crate::domain::entry::Role;
use crate::domain::time::Stamp;

/// An account of the provider, as it is made.
#[derive(Clone, Copy, Debug)]
pub struct Made<'a> {
    pub name: &'a str,
    pub subject: [u8; 32],
    pub role: Role,
    pub bounds: &'a Bounds,
    pub is_enabled: bool,
}

/// What a sign-in with these claims comes to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Claimed {
    /// The account is what the claims say.
    AsItIs(AccountId),
    /// An account is made, which may sign in.
    Make(AccountId),
    /// The account gets another role or other bounds.
    Change(AccountId),
    /// The role waits for an account of the desk.
    Waits {
        account: AccountId,
        /// Whether there is no such account yet.
        is_new: bool,
        /// Whether the same is asked for already.
        is_asked: bool,
    },
    /// The account was ended at the desk.
    Ended(AccountId),
}

impl StaffState {
    /// The account of a user of the provider.
    pub fn of_subject(&self, subject: &[u8; 32]) -> Option<(AccountId, &Account)> {
        let mut all = self.accounts.iter();
        let found = all.find(|(_, account)| account.subject.as_ref() == Some(subject));
        found.map(|(id, account)| (*id, account))
    }

    pub(super) fn make_of_provider(
        &mut self,
        id: AccountId,
        made: Made<'_>,
        now: Stamp,
    ) -> Result<(), StaffFault> {
        let Made {
            name,
            subject,
            role,
            bounds,
            is_enabled,
        } = made;
        if self.of_subject(&subject).is_some() {
            return Err(StaffFault::Subject);
        }
        // The number has to be the next one, so that this takes no account over.
        if id != self.next_id() {
            return Err(StaffFault::Number(id.0));
        }
        self.set(id, name, role, bounds, is_enabled, now)?;
        let account = self.account_mut(id)?;
        account.subject = Some(subject);
        account.is_own = is_enabled;
        self.note_ready_approvers();
        Ok(())
    }

    /// What a sign-in with these claims comes to, as of now.
    pub fn claimed(&self, subject: &[u8; 32], role: Role, bounds: &Bounds, now: Stamp) -> Claimed {
        let Some((id, account)) = self.of_subject(subject) else {
            let account = self.next_id();
            return if is_second(role) {
                Claimed::Waits {
                    account,
                    is_new: true,
                    is_asked: false,
                }
            } else {
                Claimed::Make(account)
            };
        };
        if !account.is_enabled && account.is_own {
            return Claimed::Ended(id);
        }
        if account.is_enabled && account.role == role && account.bounds == *bounds {
            return Claimed::AsItIs(id);
        }
        if !is_second(role) {
            return Claimed::Change(id);
        }
        let wanted = AccountAct::Set {
            account: Some(id),
            name: account.name.clone(),
            role,
            bounds: bounds.clone(),
            enabled: true,
        };
        let mut asked = self.acts.asked.values();
        let is_asked = asked.any(|one| one.by == id && one.is_open(now) && one.what == wanted);
        Claimed::Waits {
            account: id,
            is_new: false,
            is_asked,
        }
    }

    /// Whether the claims of a sign-in may ask for this: for the account that it is about alone.
    pub(super) fn may_claim(&self, what: &AccountAct) -> Result<AccountId, ActFault> {
        let AccountAct::Set {
            account: Some(id),
            role,
            enabled: true,
            ..
        } = what
        else {
            return Err(ActFault::Role);
        };
        let known = self.accounts.get(id).ok_or(ActFault::Unknown)?;
        if !known.is_of_provider() || !is_second(*role) {
            return Err(ActFault::Role);
        }
        Ok(*id)
    }

    /// A name for a new account of the provider, by what the provider calls its user: letters that
    /// a name can't have become hyphens, what stands behind an `@` is no part of it, and a number
    /// is added while another account has it, also an ended one.
    pub fn name_for(&self, preferred: &str) -> String {
        const NUMBER_BYTES: usize = 7;
        let local = preferred.split('@').next().unwrap_or_default();
        let letters = local
            .chars()
            .map(|letter| match letter.to_ascii_lowercase() {
                letter @ ('a'..='z' | '0'..='9' | '.' | '-' | '_') => letter,
                _ => '-',
            });
        let cut = letters.skip_while(|letter| !letter.is_ascii_lowercase());
        let cut: String = cut.take(NAME_BYTES_MAX - NUMBER_BYTES).collect();
        let cut = cut.trim_end_matches(['.', '-', '_']);
        let base = if is_name(cut) { cut } else { "user" };
        if self.named(base).is_none() {
            return base.to_owned();
        }
        let numbered = (2..).map(|number: u32| format!("{base}-{number}"));
        let mut free = numbered.filter(|name| self.named(name).is_none());
        free.next().expect("there are more numbers than accounts")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::entry::{Actor, Change};

    const NOW: Stamp = Stamp(1_626_692_400_000_000_000);
    const LEE: [u8; 32] = [7; 32];

    fn local(accounts: &[(&str, Role)]) -> StaffState {
        let mut staff = StaffState::default();
        for (name, role) in accounts {
            let (id, bounds) = (staff.next_id(), Bounds::default());
            staff.set(id, name, *role, &bounds, true, NOW).unwrap();
        }
        staff
    }

    fn made(role: Role, is_enabled: bool) -> Made<'static> {
        static NOWHERE: std::sync::LazyLock<Bounds> = std::sync::LazyLock::new(Bounds::default);
        Made {
            name: "lee",
            subject: LEE,
            role,
            bounds: &NOWHERE,
            is_enabled,
        }
    }

    fn claimed(staff: &StaffState, role: Role) -> Claimed {
        staff.claimed(&LEE, role, &Bounds::default(), NOW)
    }

    fn actor(name: &str) -> Actor {
        Actor::Staff {
            account: name.to_owned(),
            role: Role::Administrator,
            for_person: None,
        }
    }

    fn asked(id: AccountId, role: Role) -> Change {
        Change::AccountActAsked {
            act: 1,
            what: Box::new(AccountAct::Set {
                account: Some(id),
                name: "lee".to_owned(),
                role,
                bounds: Bounds::default(),
                enabled: true,
            }),
            sealed: Vec::new(),
            reason: "claimed".to_owned(),
        }
    }

    #[test]
    fn names_are_made_fit_and_never_those_of_others() {
        let mut staff = local(&[("boss", Role::Administrator), ("kim.minji", Role::Agent)]);
        let id = AccountId(2);
        let ended = staff.set(id, "kim.minji", Role::Agent, &Bounds::default(), false, NOW);
        ended.unwrap();
        for (preferred, name) in [
            ("lee", "lee"),
            ("Boss", "boss-2"),
            ("kim.minji@agency.example", "kim.minji-2"),
            ("  7Han/Sora", "han-sora"),
            ("김민지", "user"),
            ("", "user"),
            ("x", "user"),
            (&"a".repeat(200), &"a".repeat(33)),
        ] {
            assert_eq!(staff.name_for(preferred), name, "{preferred}");
        }
    }

    #[test]
    fn a_claim_gives_what_needs_no_second_account_and_asks_for_the_rest() {
        let mut staff = local(&[("boss", Role::Administrator)]);
        let id = AccountId(2);
        assert_eq!(claimed(&staff, Role::Agent), Claimed::Make(id));
        staff
            .make_of_provider(id, made(Role::Agent, true), NOW)
            .unwrap();
        assert_eq!(claimed(&staff, Role::Agent), Claimed::AsItIs(id));
        assert_eq!(claimed(&staff, Role::Site), Claimed::Change(id));
        for role in [Role::Approver, Role::Administrator] {
            let waits = |is_asked| Claimed::Waits {
                account: id,
                is_new: false,
                is_asked,
            };
            assert_eq!(claimed(&staff, role), waits(false));
            let mut asking = staff.clone();
            asking.apply(&Actor::System, &asked(id, role), NOW).unwrap();
            assert_eq!(claimed(&asking, role), waits(true));
            let late = NOW.plus_s(super::super::account_act::OPEN_S);
            let later = asking.claimed(&LEE, role, &Bounds::default(), late);
            assert_eq!(later, waits(false));
        }
        let ended = staff.set(id, "lee", Role::Agent, &Bounds::default(), false, NOW);
        ended.unwrap();
        for role in Role::ALL {
            assert_eq!(claimed(&staff, role), Claimed::Ended(id), "{role:?}");
        }
    }

    #[test]
    fn what_waits_since_it_was_made_is_confirmed_by_an_account_of_the_desk_alone() {
        let mut staff = local(&[
            ("boss", Role::Administrator),
            ("kim", Role::Approver),
            ("park", Role::Operator),
        ]);
        let (id, other) = (AccountId(4), AccountId(5));
        staff
            .make_of_provider(id, made(Role::Approver, false), NOW)
            .unwrap();
        let waits = Claimed::Waits {
            account: id,
            is_new: false,
            is_asked: false,
        };
        assert_eq!(claimed(&staff, Role::Approver), waits);
        // Not even before two approvers are ready does one account give it.
        let takes_two = |role| staff.takes_two_to_set(Some(id), role, &Bounds::default(), true);
        assert!(takes_two(Role::Approver) && takes_two(Role::Administrator));
        assert!(!takes_two(Role::Operator) && !staff.acts_take_two());
        // Nobody at the desk asks in the name of the provider, and it asks for nothing else.
        let stranger = staff.apply(&actor("park"), &asked(id, Role::Approver), NOW);
        assert!(stranger.is_err());
        for (about, role) in [(id, Role::Agent), (AccountId(3), Role::Approver)] {
            let told = staff.apply(&Actor::System, &asked(about, role), NOW);
            assert!(told.is_err(), "{about} {role:?}");
        }
        staff
            .apply(&Actor::System, &asked(id, Role::Approver), NOW)
            .unwrap();
        // Another account of the provider is no second pair of eyes.
        let second = Made {
            name: "seo",
            subject: [8; 32],
            ..made(Role::Administrator, true)
        };
        staff.make_of_provider(other, second, NOW).unwrap();
        let may =
            |staff: &StaffState, name| staff.may_confirm_act(&actor(name), 1, NOW).map(|_| ());
        assert_eq!(may(&staff, "seo"), Err(ActFault::OfProvider));
        assert_eq!(may(&staff, "lee"), Err(ActFault::Role));
        assert_eq!(may(&staff, "park"), Err(ActFault::Role));
        assert_eq!(may(&staff, "kim"), Ok(()));
        let confirmed = Change::AccountActConfirmed { act: 1 };
        staff.apply(&actor("kim"), &confirmed, NOW).unwrap();
        staff
            .set(id, "lee", Role::Approver, &Bounds::default(), true, NOW)
            .unwrap();
        assert_eq!(claimed(&staff, Role::Approver), Claimed::AsItIs(id));
    }

    #[test]
    fn it_takes_no_account_over_has_no_password_and_is_not_the_last_administrator() {
        let mut staff = local(&[("boss", Role::Administrator)]);
        let taken = staff.make_of_provider(AccountId(1), made(Role::Agent, true), NOW);
        assert_eq!(taken, Err(StaffFault::Number(1)));
        let named = Made {
            name: "boss",
            ..made(Role::Agent, true)
        };
        let taken = staff.make_of_provider(AccountId(2), named, NOW);
        assert_eq!(taken, Err(StaffFault::Taken("boss".to_owned())));
        let id = AccountId(2);
        staff
            .make_of_provider(id, made(Role::Administrator, true), NOW)
            .unwrap();
        let again = staff.make_of_provider(AccountId(3), made(Role::Agent, true), NOW);
        assert_eq!(again, Err(StaffFault::Subject));
        let password = staff.set_credentials(id, &[1], false);
        assert_eq!(password, Err(StaffFault::OfProvider("lee".to_owned())));
        let reset = AccountAct::Reset { account: id };
        let asked = staff.may_ask_act(&actor("boss"), &reset, "lost", NOW);
        let fault = StaffFault::OfProvider("lee".to_owned());
        assert_eq!(asked, Err(ActFault::Account(fault)));
        let (boss, nowhere) = (AccountId(1), Bounds::default());
        let ended = staff.may_set(boss, "boss", Role::Administrator, &nowhere, false);
        assert_eq!(ended, Err(StaffFault::LastAdministrator));
        let lowered = staff.may_set(id, "lee", Role::Agent, &nowhere, true);
        assert_eq!(lowered, Ok(()));
    }
}
