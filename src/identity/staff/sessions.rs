//! The sessions of the people behind the desk. In memory alone: a start of the server ends them.
//!
//! A session is known by the hash of its token, so what is in memory opens nothing. It is over half
//! an hour after its last use and twelve hours after it began, when its account is ended or has
//! other credentials, and when it comes over a connection with another certificate than it began
//! with.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use data_encoding::BASE64URL_NOPAD;

use super::otp::SECRET_BYTES;
use crate::clock::Entropy;
use crate::crypto::sha256;
use crate::domain::staff::{Account, AccountId};
use crate::domain::time::Stamp;
use crate::sync::locked;

/// A session that is not used ends after this.
pub const IDLE: Duration = Duration::from_secs(30 * 60);
/// No session is longer.
pub const WHOLE: Duration = Duration::from_secs(12 * 60 * 60);
/// Sessions of one account at the same time; one more ends the one that was used longest ago.
pub const OF_ACCOUNT_MAX: usize = 8;
/// Sessions of all: some for each of 13,000 sites.
pub const MAX: usize = 100_000;

/// The SHA-256 of a client certificate.
pub type Certificate = [u8; 32];

/// What a session may be used for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// To set one's own password and one-time codes, and for nothing else.
    SetUp,
    /// For what the role may.
    Whole,
}

/// A session, as whoever has it is shown it.
#[derive(Clone, Debug)]
pub struct Session {
    /// Names it among those of its account.
    pub id: u64,
    pub account: AccountId,
    pub stage: Stage,
    pub from: IpAddr,
    pub began_at: Stamp,
    began: Instant,
    seen: Instant,
    /// How often the account's credentials had been set.
    credentials: u32,
    certificate: Option<Certificate>,
    /// The secret of one-time codes that is being set up.
    pub offered: Option<[u8; SECRET_BYTES]>,
}

/// Where a session comes from.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    pub from: IpAddr,
    pub certificate: Option<Certificate>,
}

#[derive(Default)]
struct All {
    by_token: HashMap<[u8; 32], Session>,
    next: u64,
    /// The last step whose one-time code was used, by the hash of the secret: another secret has
    /// codes of its own.
    used: HashMap<[u8; 32], i64>,
}

/// All sessions.
#[derive(Default)]
pub struct Sessions(Mutex<All>);

fn hash_of(token: &str) -> [u8; 32] {
    sha256(token.as_bytes())
}

impl Session {
    fn runs(&self, now: Instant) -> bool {
        now.duration_since(self.seen) < IDLE && now.duration_since(self.began) < WHOLE
    }

    /// Whether it runs, comes with its certificate, and its account may still come.
    fn is_good(
        &self,
        certificate: Option<Certificate>,
        now: Instant,
        account: impl FnOnce(AccountId) -> Option<(bool, u32)>,
    ) -> bool {
        self.runs(now)
            && self.certificate == certificate
            && account(self.account) == Some((true, self.credentials))
    }

    /// Whole seconds until it ends, if it is not used.
    pub fn ends_in_s(&self, now: Instant) -> u64 {
        let idle = IDLE.saturating_sub(now.duration_since(self.seen));
        let whole = WHOLE.saturating_sub(now.duration_since(self.began));
        idle.min(whole).as_secs()
    }
}

impl Sessions {
    /// Begins a session: its token, and what it is. None if there are too many.
    pub fn begin(
        &self,
        entropy: &Entropy,
        (id, account): (AccountId, &Account),
        stage: Stage,
        origin: Origin,
        (now, at): (Instant, Stamp),
    ) -> Option<(String, Session)> {
        let token = BASE64URL_NOPAD.encode(&entropy.bytes::<32>());
        let mut all = locked(&self.0);
        let own: Vec<([u8; 32], Instant)> = all
            .by_token
            .iter()
            .filter(|(_, known)| known.account == id)
            .map(|(token, known)| (*token, known.seen))
            .collect();
        if own.len() >= OF_ACCOUNT_MAX
            && let Some((oldest, _)) = own.iter().min_by_key(|(_, seen)| *seen)
        {
            all.by_token.remove(oldest);
        }
        if all.by_token.len() >= MAX {
            all.by_token.retain(|_, known| known.runs(now));
        }
        if all.by_token.len() >= MAX {
            return None;
        }
        all.next += 1;
        let session = Session {
            id: all.next,
            account: id,
            stage,
            from: origin.from,
            began_at: at,
            began: now,
            seen: now,
            credentials: account.credentials,
            certificate: origin.certificate,
            offered: None,
        };
        all.by_token.insert(hash_of(&token), session.clone());
        Some((token, session))
    }

    /// The session of a token, if it runs and is still its account's; using it lengthens it.
    pub fn of(
        &self,
        token: &str,
        certificate: Option<Certificate>,
        now: Instant,
        account: impl FnOnce(AccountId) -> Option<(bool, u32)>,
    ) -> Option<Session> {
        let hash = hash_of(token);
        let mut all = locked(&self.0);
        let known = all.by_token.get_mut(&hash)?;
        if !known.is_good(certificate, now, account) {
            // Another certificate ends nothing: whoever has a stolen token could end it.
            if known.certificate == certificate {
                all.by_token.remove(&hash);
            }
            return None;
        }
        known.seen = now;
        Some(known.clone())
    }

    /// The account of a token's session, if it runs and is still its account's, as `of` has it; but
    /// this is no use of the session: it neither lengthens nor ends it.
    pub fn goes_on(
        &self,
        token: &str,
        certificate: Option<Certificate>,
        now: Instant,
        account: impl FnOnce(AccountId) -> Option<(bool, u32)>,
    ) -> Option<AccountId> {
        let all = locked(&self.0);
        let known = all.by_token.get(&hash_of(token))?;
        known
            .is_good(certificate, now, account)
            .then_some(known.account)
    }

    /// Offers a secret of one-time codes to a session that sets itself up; the same until it is
    /// taken.
    pub fn offer(&self, token: &str, entropy: &Entropy) -> Option<[u8; SECRET_BYTES]> {
        let mut all = locked(&self.0);
        let known = all.by_token.get_mut(&hash_of(token))?;
        Some(*known.offered.get_or_insert_with(|| entropy.bytes()))
    }

    /// The session has set its account up, whose credentials were set so often by then.
    pub fn is_set_up(&self, token: &str, credentials: u32) {
        if let Some(known) = locked(&self.0).by_token.get_mut(&hash_of(token)) {
            known.stage = Stage::Whole;
            known.credentials = credentials;
            known.offered = None;
        }
    }

    /// Ends one session.
    pub fn end(&self, token: &str) -> Option<Session> {
        locked(&self.0).by_token.remove(&hash_of(token))
    }

    /// Ends those of an account, or one of them by its number: how many.
    pub fn revoke(&self, account: AccountId, id: Option<u64>) -> usize {
        let mut all = locked(&self.0);
        let before = all.by_token.len();
        all.by_token
            .retain(|_, known| known.account != account || id.is_some_and(|id| id != known.id));
        before - all.by_token.len()
    }

    /// Those of an account that run, the newest first.
    pub fn of_account(&self, account: AccountId, now: Instant) -> Vec<Session> {
        let all = locked(&self.0);
        let own = all.by_token.values();
        let own = own.filter(|known| known.account == account && known.runs(now));
        let mut own: Vec<Session> = own.cloned().collect();
        own.sort_by_key(|known| std::cmp::Reverse(known.id));
        own
    }

    /// The last step of which a code of this secret was used.
    pub fn used_step(&self, secret: &[u8]) -> Option<i64> {
        locked(&self.0).used.get(&sha256(secret)).copied()
    }

    /// Uses the code of a step up; false if somebody was faster.
    pub fn use_step(&self, secret: &[u8], step: i64) -> bool {
        let mut all = locked(&self.0);
        let last = all.used.entry(sha256(secret)).or_insert(i64::MIN);
        let is_new = step > *last;
        *last = step.max(*last);
        is_new
    }

    /// Sessions that run.
    pub fn count(&self, now: Instant) -> usize {
        let all = locked(&self.0);
        all.by_token
            .values()
            .filter(|known| known.runs(now))
            .count()
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::clock::tick;
    use crate::domain::entry::Role;
    use crate::domain::staff::Bounds;

    fn account() -> Account {
        Account {
            name: "kim".to_owned(),
            role: Role::Operator,
            bounds: Bounds::default(),
            is_enabled: true,
            made_at: Stamp(0),
            sealed: Vec::new(),
            credentials: 3,
            is_own: true,
            signed_in_at: None,
            subject: None,
        }
    }

    fn origin(certificate: Option<Certificate>) -> Origin {
        Origin {
            from: Ipv4Addr::LOCALHOST.into(),
            certificate,
        }
    }

    const KIM: AccountId = AccountId(2);

    fn begin(sessions: &Sessions, certificate: Option<Certificate>, now: Instant) -> String {
        let entropy = Entropy::system();
        let kim = (KIM, &account());
        let when = (now, Stamp(0));
        let begun = sessions.begin(&entropy, kim, Stage::Whole, origin(certificate), when);
        begun.unwrap().0
    }

    #[test]
    fn a_session_ends_when_it_is_idle_and_after_twelve_hours() {
        let (sessions, now) = (Sessions::default(), tick());
        let token = begin(&sessions, None, now);
        let runs = |after: Duration| {
            let known = sessions.of(&token, None, now + after, |_| Some((true, 3)));
            known.is_some()
        };
        // Each use lengthens it.
        let nearly = IDLE - Duration::from_secs(1);
        for times in 1..24 {
            assert!(runs(nearly * times), "{times}");
        }
        assert!(!runs(WHOLE));
        let token = begin(&sessions, None, now);
        let late = sessions.of(&token, None, now + IDLE, |_| Some((true, 3)));
        assert!(late.is_none());
        assert_eq!(sessions.count(now), 0, "it is forgotten");
    }

    #[test]
    fn a_look_whether_it_goes_on_neither_lengthens_nor_ends_it() {
        let (sessions, now) = (Sessions::default(), tick());
        let token = begin(&sessions, None, now);
        let goes_on = |after: Duration, known| {
            let account = sessions.goes_on(&token, None, now + after, |_| known);
            account.is_some()
        };
        let known = Some((true, 3));
        let nearly = IDLE - Duration::from_secs(1);
        assert!(goes_on(nearly, known) && !goes_on(IDLE, known));
        for other in [Some((true, 4)), Some((false, 3)), None] {
            assert!(!goes_on(nearly, other));
        }
        let other = sessions.goes_on(&token, Some([1; 32]), now, |_| known);
        assert!(other.is_none());
        assert!(sessions.of(&token, None, now + nearly, |_| known).is_some());
        assert!(goes_on(IDLE, known), "its use has lengthened it");
        sessions.end(&token);
        assert!(!goes_on(nearly, known));
    }

    #[test]
    fn other_credentials_or_an_ended_account_end_it() {
        for known in [Some((true, 4)), Some((false, 3)), None] {
            let (sessions, now) = (Sessions::default(), tick());
            let token = begin(&sessions, None, now);
            assert!(sessions.of(&token, None, now, |_| known).is_none());
            let again = sessions.of(&token, None, now, |_| Some((true, 3)));
            assert!(again.is_none(), "it does not come back");
        }
    }

    #[test]
    fn it_is_good_on_connections_with_its_certificate_alone() {
        let (sessions, now) = (Sessions::default(), tick());
        let own = Some([1; 32]);
        let token = begin(&sessions, own, now);
        for other in [None, Some([2; 32])] {
            assert!(
                sessions
                    .of(&token, other, now, |_| Some((true, 3)))
                    .is_none()
            );
        }
        assert!(sessions.of(&token, own, now, |_| Some((true, 3))).is_some());
    }

    #[test]
    fn sessions_are_listed_and_ended_and_one_more_ends_the_oldest() {
        let (sessions, now) = (Sessions::default(), tick());
        let tokens: Vec<String> = (0..=OF_ACCOUNT_MAX)
            .map(|at| begin(&sessions, None, now + Duration::from_secs(at as u64)))
            .collect();
        let later = now + Duration::from_secs(60);
        let listed = sessions.of_account(KIM, later);
        assert_eq!(listed.len(), OF_ACCOUNT_MAX);
        let runs = |token: &str| {
            sessions
                .of(token, None, later, |_| Some((true, 3)))
                .is_some()
        };
        assert!(!runs(&tokens[0]) && runs(&tokens[1]));
        assert_eq!(sessions.revoke(KIM, Some(listed[0].id)), 1);
        assert!(!runs(&tokens[OF_ACCOUNT_MAX]));
        assert_eq!(sessions.revoke(AccountId(9), None), 0);
        assert_eq!(sessions.revoke(KIM, None), OF_ACCOUNT_MAX - 1);
    }

    #[test]
    fn a_step_is_used_once() {
        let sessions = Sessions::default();
        let (own, other) = (&[1; 20][..], &[2; 20][..]);
        assert!(sessions.use_step(own, 7));
        assert!(!sessions.use_step(own, 7) && !sessions.use_step(own, 6));
        assert!(sessions.use_step(other, 7) && sessions.use_step(own, 8));
        assert_eq!(sessions.used_step(own), Some(8));
    }
}
