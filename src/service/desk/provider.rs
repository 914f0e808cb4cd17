//! Signing in at the agency's own provider: beginning it, and what comes of whoever comes back.
//!
//! A sign-in that began is in memory until its browser comes back with what the provider gave it:
//! it is used once, by that browser alone, within ten minutes. Who came back has the account of
//! their subject; role and bounds come from the claims each time, and another role ends older
//! sessions. Calls to the provider are made on threads that may block, a few at a time.
//!
//! The provider decides who somebody is, never who is a second pair of eyes: a role that approves
//! or confirms is asked for here, as an act that an account with a password of the desk confirms.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use data_encoding::BASE64URL_NOPAD;
use tokio::sync::Semaphore;

use super::sign_in::SignedIn;
use super::{Allowed, BUSY_RETRY_S, DeskRefused};
use crate::clock::{Entropy, tick, wall};
use crate::crypto::sha256;
use crate::domain::entry::{Actor, Change, Role};
use crate::domain::staff::account_act::AccountAct;
use crate::domain::staff::of_provider::Claimed;
use crate::domain::staff::{AccountId, Bounds};
use crate::identity::attempts::{ADDRESS_LIMIT, Attempts, NETWORK_LIMIT, Wrong};
use crate::identity::provider::{Bound, Came, Given, Provider, ProviderFault};
use crate::identity::staff::sessions::{Origin, Stage};
use crate::service::Service;
use crate::sync::locked;

/// A sign-in that began is good for so long: somebody looks for a phone meanwhile.
pub const BEGUN_FOR: Duration = Duration::from_secs(10 * 60);
/// Sign-ins on their way: some for each of 13,000 sites.
const BEGUN_MAX: usize = 20_000;
/// Of these from one address; one more ends the oldest of that address.
const OF_ADDRESS_MAX: usize = 200;
/// Calls at the same time, and how long somebody waits to make one.
const CALLS_MAX: usize = 8;
const CALL_WAIT: Duration = Duration::from_secs(5);
/// What a sign-in that was taken by somebody else meanwhile is tried again.
const TRIES: usize = 3;
/// Letters of what a browser comes back with.
const CAME_BYTES_MAX: usize = 4_096;
/// The reason of an act that claims ask for, on record.
const CLAIMED: &str = "claimed by the provider at sign-in";

/// Why nobody was signed in by the provider. Each has words of its own on a page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NotSignedIn {
    /// It is not switched on.
    Off,
    /// There is no such sign-in, or not in this browser; or it was used, or is too old.
    NotBegun,
    /// The provider says that it signed nobody in.
    Declined,
    /// The provider does not answer as it should.
    Away,
    /// What the provider gave is not taken.
    Refused,
    /// The claims give no role.
    NoRole,
    /// The role needs a stronger sign-in.
    Stronger,
    /// The account was ended at the desk.
    Ended,
    /// An account of the desk has to confirm the role first.
    Waits(Role),
    /// As any sign-in.
    Desk(DeskRefused),
}

impl From<DeskRefused> for NotSignedIn {
    fn from(refused: DeskRefused) -> Self {
        Self::Desk(refused)
    }
}

/// Sign-ins at the provider.
pub struct AtProvider {
    provider: OnceLock<Arc<Provider>>,
    begun: Mutex<HashMap<[u8; 32], Begun>>,
    calls: Semaphore,
    /// Answers of the provider that were not taken, by address: who comes is not known before. A
    /// wrong one costs a call, and no more can be guessed by it than 256 bits.
    wrong: Attempts,
    /// One has their account made or changed at a time.
    settling: tokio::sync::Mutex<()>,
}

impl Default for AtProvider {
    fn default() -> Self {
        Self {
            provider: OnceLock::new(),
            begun: Mutex::default(),
            calls: Semaphore::new(CALLS_MAX),
            wrong: Attempts::new(ADDRESS_LIMIT, ADDRESS_LIMIT, NETWORK_LIMIT),
            settling: tokio::sync::Mutex::default(),
        }
    }
}

/// A sign-in on its way.
struct Begun {
    bound: Bound,
    /// The SHA-256 of what its browser keeps.
    browser: [u8; 32],
    from: IpAddr,
    at: Instant,
    /// The language of the page that it began on.
    language: &'static str,
}

/// Where a browser goes to sign in, and what it keeps meanwhile.
pub struct Way {
    pub address: String,
    pub browser: String,
}

/// What a browser came back with.
#[derive(Default)]
pub struct CameBack {
    pub state: String,
    pub code: Option<String>,
    pub issuer: Option<String>,
    /// What it kept.
    pub browser: String,
}

fn fresh() -> String {
    BASE64URL_NOPAD.encode(&Entropy::system().bytes::<32>())
}

impl AtProvider {
    /// Switches it on. Once; a second time changes nothing.
    pub fn switch_on(&self, provider: Provider) {
        let _ = self.provider.set(Arc::new(provider));
    }

    pub fn is_on(&self) -> bool {
        self.provider.get().is_some()
    }

    fn keep(&self, begun: Begun) {
        let (now, from) = (begun.at, begun.from);
        let mut all = locked(&self.begun);
        let oldest = |all: &HashMap<[u8; 32], Begun>, of: Option<IpAddr>| {
            let own = all.iter();
            let own = own.filter(|(_, one)| of.is_none_or(|of| one.from == of));
            let oldest = own.min_by_key(|(_, one)| one.at);
            oldest.map(|(state, _)| *state)
        };
        if all.values().filter(|one| one.from == from).count() >= OF_ADDRESS_MAX
            && let Some(oldest) = oldest(&all, Some(from))
        {
            all.remove(&oldest);
        }
        if all.len() >= BEGUN_MAX {
            all.retain(|_, one| now.saturating_duration_since(one.at) < BEGUN_FOR);
        }
        if all.len() >= BEGUN_MAX
            && let Some(oldest) = oldest(&all, None)
        {
            all.remove(&oldest);
        }
        all.insert(sha256(begun.bound.state.as_bytes()), begun);
    }

    /// Takes out the sign-in of this state, if it is this browser's: whoever has the state alone
    /// can neither use nor end it.
    fn take(&self, state: &str, browser: &str, now: Instant) -> Option<Begun> {
        let (state, browser) = (sha256(state.as_bytes()), sha256(browser.as_bytes()));
        let mut all = locked(&self.begun);
        if all.get(&state)?.browser != browser {
            return None;
        }
        let begun = all.remove(&state)?;
        (now.saturating_duration_since(begun.at) < BEGUN_FOR).then_some(begun)
    }

    /// Has the provider asked on a thread that may block.
    async fn ask<T: Send + 'static>(
        &self,
        provider: &Arc<Provider>,
        ask: impl FnOnce(&Provider) -> Result<T, ProviderFault> + Send + 'static,
    ) -> Result<Result<T, ProviderFault>, NotSignedIn> {
        let busy = || {
            NotSignedIn::Desk(DeskRefused::Overloaded {
                retry_after_s: BUSY_RETRY_S,
            })
        };
        let permit = tokio::time::timeout(CALL_WAIT, self.calls.acquire()).await;
        let Ok(Ok(_permit)) = permit else {
            return Err(busy());
        };
        let provider = Arc::clone(provider);
        let asked = tokio::task::spawn_blocking(move || ask(&provider)).await;
        asked.map_err(|_| NotSignedIn::Away)
    }
}

impl Service {
    /// Begins a sign-in at the provider, on a page in this language.
    pub async fn begin_at_provider(
        &self,
        origin: Origin,
        language: &'static str,
    ) -> Result<Way, NotSignedIn> {
        let at = &self.desk.provider;
        let provider = at.provider.get().ok_or(NotSignedIn::Off)?;
        self.is_held_up(origin)?;
        let bound = Bound {
            state: fresh(),
            nonce: fresh(),
            verifier: fresh(),
        };
        let (asked, now) = (bound.clone(), tick());
        let begun = at.ask(provider, move |provider| provider.begin(&asked, now));
        let address = begun.await?.map_err(|fault| {
            tracing::warn!(%fault, "nobody can sign in at the agency's provider now");
            NotSignedIn::Away
        })?;
        let browser = fresh();
        at.keep(Begun {
            bound,
            browser: sha256(browser.as_bytes()),
            from: origin.from,
            at: now,
            language,
        });
        Ok(Way { address, browser })
    }

    /// Signs in whoever came back from the provider; and the language that they began in, if they
    /// began here.
    pub async fn finish_at_provider(
        &self,
        origin: Origin,
        came: CameBack,
    ) -> (Option<&'static str>, Result<SignedIn, NotSignedIn>) {
        let at = &self.desk.provider;
        let Some(provider) = at.provider.get() else {
            return (None, Err(NotSignedIn::Off));
        };
        let begun = at.take(&came.state, &came.browser, tick());
        let Some(begun) = begun else {
            return (None, Err(NotSignedIn::NotBegun));
        };
        let signed = self.come_back(origin, provider, &begun, came).await;
        (Some(begun.language), signed)
    }

    async fn come_back(
        &self,
        origin: Origin,
        provider: &Arc<Provider>,
        begun: &Begun,
        came: CameBack,
    ) -> Result<SignedIn, NotSignedIn> {
        self.is_held_up(origin)?;
        if !provider.is_answer_of(came.issuer.as_deref()) {
            return Err(NotSignedIn::Refused);
        }
        let code = came.code.filter(|code| !code.is_empty());
        let code = code.ok_or(NotSignedIn::Declined)?;
        if code.len() > CAME_BYTES_MAX {
            return Err(NotSignedIn::Refused);
        }
        let bound = begun.bound.clone();
        let (now, at) = (tick(), wall());
        let finish = move |provider: &Provider| provider.finish(&code, &bound, now, at);
        let came = self.desk.provider.ask(provider, finish).await?;
        let came = came.map_err(|fault| {
            let from = origin.from;
            tracing::warn!(%from, %fault, "the provider signed nobody in at the desk");
            if fault.is_of_answer() {
                self.desk.provider.wrong.note_pair(&wrong(from), wall());
                NotSignedIn::Refused
            } else {
                NotSignedIn::Away
            }
        })?;
        let (role, bounds) = match &came.given {
            Given::Role(role, bounds) => (*role, bounds.clone()),
            Given::Nothing => return Err(NotSignedIn::NoRole),
            Given::Stronger => return Err(NotSignedIn::Stronger),
        };
        let id = self.settle(provider, &came, role, &bounds).await?;
        Ok(self.begin_session(id, Stage::Whole, origin).await?)
    }

    /// Whether too much was wrong from this address: then nothing is looked at.
    fn is_held_up(&self, origin: Origin) -> Allowed<()> {
        let held_up = &self.desk.provider.wrong;
        let wait = held_up.pair_wait(&wrong(origin.from), wall());
        wait.map_or(Ok(()), |retry_after_s| {
            Err(DeskRefused::WrongAgain { retry_after_s })
        })
    }

    /// Makes the account of whoever came, or changes it to what the claims give: its number, if it
    /// may sign in.
    async fn settle(
        &self,
        provider: &Provider,
        came: &Came,
        role: Role,
        bounds: &Bounds,
    ) -> Result<AccountId, NotSignedIn> {
        let subject = self.keys.provider_subject(provider.issuer(), &came.subject);
        let _one = self.desk.provider.settling.lock().await;
        let mut tries = 1..=TRIES;
        loop {
            let is_last = tries.next().is_none_or(|tried| tried == TRIES);
            match self.settle_once(&subject, came, role, bounds).await {
                // An administrator made an account meanwhile.
                Err(NotSignedIn::Desk(DeskRefused::Impossible(_))) if !is_last => {}
                settled => return settled,
            }
        }
    }

    async fn settle_once(
        &self,
        subject: &[u8; 32],
        came: &Came,
        role: Role,
        bounds: &Bounds,
    ) -> Result<AccountId, NotSignedIn> {
        let staff = self.staff();
        let make = |account, name, enabled| Change::ProviderAccountMade {
            account,
            name,
            subject: *subject,
            role,
            bounds: Box::new(bounds.clone()),
            enabled,
        };
        match staff.claimed(subject, role, bounds, self.clock.now()) {
            Claimed::AsItIs(id) => Ok(id),
            Claimed::Ended(_) => Err(NotSignedIn::Ended),
            Claimed::Make(id) => {
                let name = staff.name_for(&came.preferred_name);
                let made = make(id, name, true);
                self.change_staff(Actor::System, vec![made]).await?;
                Ok(id)
            }
            Claimed::Change(id) => {
                let known = staff.accounts.get(&id).ok_or(NotSignedIn::Ended)?;
                let set = Change::StaffSet {
                    account: id,
                    name: known.name.clone(),
                    role,
                    bounds: bounds.clone(),
                    enabled: true,
                };
                self.change_staff(Actor::System, vec![set]).await?;
                self.desk.sessions.revoke(id, None);
                Ok(id)
            }
            Claimed::Waits {
                account,
                is_new,
                is_asked,
            } => {
                let mut changes = Vec::new();
                let known = staff.accounts.get(&account);
                let name = match known.filter(|_| !is_new) {
                    Some(known) => known.name.clone(),
                    None => staff.name_for(&came.preferred_name),
                };
                if is_new {
                    changes.push(make(account, name.clone(), false));
                }
                if !is_asked {
                    changes.push(Change::AccountActAsked {
                        act: staff.next_act(),
                        what: Box::new(AccountAct::Set {
                            account: Some(account),
                            name,
                            role,
                            bounds: bounds.clone(),
                            enabled: true,
                        }),
                        sealed: Vec::new(),
                        reason: CLAIMED.to_owned(),
                    });
                }
                if !changes.is_empty() {
                    self.change_staff(Actor::System, changes).await?;
                }
                // What it was before the provider claims no more.
                self.desk.sessions.revoke(account, None);
                Err(NotSignedIn::Waits(role))
            }
        }
    }
}

fn wrong(from: IpAddr) -> Wrong<'static> {
    Wrong {
        from,
        name: "",
        born: None,
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn begun(from: u8, at: Instant) -> (Begun, String, String) {
        let (state, browser) = (fresh(), fresh());
        let begun = Begun {
            bound: Bound {
                state: state.clone(),
                nonce: fresh(),
                verifier: fresh(),
            },
            browser: sha256(browser.as_bytes()),
            from: Ipv4Addr::new(10, 0, 0, from).into(),
            at,
            language: "en",
        };
        (begun, state, browser)
    }

    #[test]
    fn a_sign_in_is_used_once_by_its_own_browser_within_ten_minutes() {
        let (at, now) = (AtProvider::default(), tick());
        let (one, state, browser) = begun(1, now);
        at.keep(one);
        assert!(at.take(&state, "another", now).is_none());
        assert!(at.take("another", &browser, now).is_none());
        let nearly = now + BEGUN_FOR - Duration::from_secs(1);
        assert!(at.take(&state, &browser, nearly).is_some());
        assert!(at.take(&state, &browser, nearly).is_none(), "once");
        let (one, state, browser) = begun(1, now);
        at.keep(one);
        assert!(at.take(&state, &browser, now + BEGUN_FOR).is_none());
    }

    #[test]
    fn sign_ins_on_their_way_have_a_bound_by_address_and_of_all() {
        let (at, now) = (AtProvider::default(), tick());
        let (other, state, browser) = begun(2, now);
        at.keep(other);
        for seconds in 0..=OF_ADDRESS_MAX as u64 {
            at.keep(begun(1, now + Duration::from_secs(seconds)).0);
        }
        let later = now + Duration::from_secs(OF_ADDRESS_MAX as u64);
        assert_eq!(locked(&at.begun).len(), OF_ADDRESS_MAX + 1);
        assert!(at.take(&state, &browser, later).is_some(), "of another");
        {
            let mut all = locked(&at.begun);
            for number in 0..BEGUN_MAX as u64 {
                let mut state = [0; 32];
                state[..8].copy_from_slice(&number.to_be_bytes());
                all.insert(state, begun(3, now).0);
            }
            all.retain(|state, _| state[8..] == [0; 24]);
        }
        at.keep(begun(1, later).0);
        assert_eq!(locked(&at.begun).len(), BEGUN_MAX);
        at.keep(begun(1, now + BEGUN_FOR).0);
        assert_eq!(locked(&at.begun).len(), 2, "what is too old is forgotten");
    }

    #[test]
    fn wrong_answers_hold_up_their_own_address_alone() {
        let (at, now) = (AtProvider::default(), wall());
        let [own, other] = [1, 2].map(|last| wrong(Ipv4Addr::new(10, 0, 0, last).into()));
        for _ in 0..ADDRESS_LIMIT.burst {
            assert_eq!(at.wrong.pair_wait(&own, now), None);
            at.wrong.note_pair(&own, now);
        }
        assert!(at.wrong.pair_wait(&own, now).is_some());
        assert_eq!(at.wrong.pair_wait(&other, now), None);
        assert_eq!(at.wrong.pair_wait(&own, now.plus_s(1)), None);
    }
}
