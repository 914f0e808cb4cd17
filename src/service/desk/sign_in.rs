//! Signing in at the desk, and setting up one's own password and one-time codes.

use std::net::IpAddr;
use std::sync::{Arc, LazyLock};

use super::{Allowed, BUSY_RETRY_S, DeskRefused, actor, enabled};
use crate::clock::{Entropy, tick, wall};
use crate::domain::entry::{Change, SessionAct};
use crate::domain::staff::{Account, AccountId};
use crate::identity::attempts::Wrong;
use crate::identity::staff::credentials::{Credentials, PasswordFault, check_password};
use crate::identity::staff::sessions::{Certificate, Origin, Session, Stage};
use crate::identity::staff::{generate_password, hash_password, otp, verify_password};
use crate::service::Service;

/// Letters of what is typed: more are no name, password or code.
const TYPED_BYTES_MAX: usize = 512;

/// What somebody typed, and where they are.
pub struct SignIn {
    pub name: String,
    pub password: String,
    /// A one-time code, or one of those for a lost phone.
    pub code: Option<String>,
    pub origin: Origin,
}

/// Who is signed in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    pub token: String,
    pub session: Session,
    pub account: Account,
}

/// What an app needs to make one-time codes.
pub struct Offered {
    /// For typing.
    pub secret: String,
    /// For a QR code.
    pub address: String,
}

impl Service {
    /// Signs somebody in. Who has not set a password of their own yet, or no one-time codes, gets a
    /// session that can do that and nothing else.
    pub async fn sign_in(self: &Arc<Self>, asked: SignIn) -> Allowed<SignedIn> {
        let SignIn {
            name,
            password,
            code,
            origin,
        } = asked;
        let typed = [Some(&name), Some(&password), code.as_ref()];
        if typed
            .iter()
            .flatten()
            .any(|text| text.len() > TYPED_BYTES_MAX)
        {
            return Err(DeskRefused::Credentials);
        }
        let name = name.trim().to_ascii_lowercase();
        if let Some(retry_after_s) = self
            .desk
            .attempts
            .pair_wait(&wrong(origin.from, &name), wall())
        {
            return Err(DeskRefused::WrongAgain { retry_after_s });
        }
        let staff = self.staff();
        let found = staff.named(&name);
        let found = found.filter(|(_, account)| account.is_enabled);
        let opened = found.and_then(|(id, account)| {
            Some((id, Credentials::open(&self.keys, id, &account.sealed)?))
        });
        // Somebody who is not there takes as long as somebody who is.
        let hash = opened.as_ref().map(|(_, known)| known.password.clone());
        let fits = move || {
            let hash = hash.as_deref().unwrap_or(&NOBODYS);
            verify_password(&password, hash)
        };
        let fits = self.desk.hashing.done(origin.from, false, fits).await;
        let fits = fits.ok_or(DeskRefused::Overloaded {
            retry_after_s: BUSY_RETRY_S,
        })?;
        let (true, Some((id, account)), Some((_, known))) = (fits, found, opened) else {
            return Err(self.failed(origin.from, &name));
        };
        if let Some(secret) = &known.otp {
            let code = code.filter(|code| !code.trim().is_empty());
            let code = code.ok_or(DeskRefused::CodeWanted)?;
            self.use_code(id, secret, &code)
                .await
                .map_err(|refused| match refused {
                    DeskRefused::Credentials => self.failed(origin.from, &name),
                    other => other,
                })?;
        }
        let stage = match known.otp {
            Some(_) if account.is_own => Stage::Whole,
            _ => Stage::SetUp,
        };
        self.begin_session(id, stage, origin).await
    }

    /// Begins a session of somebody who showed who they are, once it is on record.
    pub(super) async fn begin_session(
        &self,
        id: AccountId,
        stage: Stage,
        origin: Origin,
    ) -> Allowed<SignedIn> {
        let staff = self.staff();
        let account = enabled(&staff, id).ok_or(DeskRefused::Credentials)?;
        let signed = Change::StaffSession {
            account: id,
            act: SessionAct::SignedIn,
            origin: origin.from.to_string(),
        };
        self.change_staff(actor(account), vec![signed]).await?;
        // A recovery code that was used is a change of credentials.
        let staff = self.staff();
        let account = enabled(&staff, id).ok_or(DeskRefused::Credentials)?;
        let when = (tick(), self.clock.now());
        let (sessions, entropy) = (&self.desk.sessions, Entropy::system());
        let begun = sessions.begin(&entropy, (id, account), stage, origin, when);
        let (token, session) = begun.ok_or(DeskRefused::Overloaded {
            retry_after_s: BUSY_RETRY_S,
        })?;
        Ok(SignedIn {
            token,
            session,
            account: account.clone(),
        })
    }

    /// Counts a wrong answer, and refuses it.
    fn failed(&self, from: IpAddr, name: &str) -> DeskRefused {
        let now = wall();
        self.desk.attempts.note_pair(&wrong(from, name), now);
        tracing::warn!(%from, "somebody could not sign in at the desk");
        DeskRefused::Credentials
    }

    /// Uses a one-time code up, or one of those for a lost phone.
    async fn use_code(&self, id: AccountId, secret: &[u8], code: &str) -> Allowed<()> {
        // By the wall clock, as phones go by it, also where the server's time is simulated.
        let used = self.desk.sessions.used_step(secret);
        if let Some(step) = otp::step_of(secret, code, wall(), used) {
            return if self.desk.sessions.use_step(secret, step) {
                Ok(())
            } else {
                Err(DeskRefused::Credentials)
            };
        }
        // One at a time, and of what is there by then: each is good once.
        let _one = self.desk.recovering.lock().await;
        let staff = self.staff();
        let account = enabled(&staff, id).ok_or(DeskRefused::Credentials)?;
        let known = Credentials::open(&self.keys, id, &account.sealed);
        let mut known = known.ok_or(DeskRefused::Credentials)?;
        if !known.use_recovery(code) {
            return Err(DeskRefused::Credentials);
        }
        let sealed = known.seal(&self.keys, &Entropy::system(), id);
        let own = account.is_own;
        let change = Change::StaffCredentialsSet {
            account: id,
            sealed,
            own,
        };
        self.change_staff(actor(account), vec![change]).await
    }

    /// The session of a token on a connection with this certificate, and its account.
    pub fn desk_session(
        &self,
        token: &str,
        certificate: Option<Certificate>,
    ) -> Allowed<(Session, Account)> {
        let staff = self.staff();
        let known = |id: AccountId| {
            let account = staff.accounts.get(&id)?;
            Some((account.is_enabled, account.credentials))
        };
        let session = self.desk.sessions.of(token, certificate, tick(), known);
        let session = session.ok_or(DeskRefused::Session)?;
        let account = enabled(&staff, session.account).ok_or(DeskRefused::Session)?;
        Ok((session, account.clone()))
    }

    /// Ends a session by its own wish.
    pub async fn sign_out(&self, token: &str) -> Allowed<()> {
        let Some(session) = self.desk.sessions.end(token) else {
            return Ok(());
        };
        let staff = self.staff();
        let Some(account) = enabled(&staff, session.account) else {
            return Ok(());
        };
        let change = Change::StaffSession {
            account: session.account,
            act: SessionAct::SignedOut,
            origin: session.from.to_string(),
        };
        self.change_staff(actor(account), vec![change]).await
    }

    /// The secret of one-time codes that a session is offered.
    pub fn offer_codes(
        &self,
        token: &str,
        session: &Session,
        account: &Account,
    ) -> Allowed<Offered> {
        if session.stage == Stage::Whole {
            return Err(is_set_up());
        }
        let secret = self.desk.sessions.offer(token, &Entropy::system());
        let secret = secret.ok_or(DeskRefused::Session)?;
        Ok(Offered {
            secret: otp::text(&secret),
            address: otp::address("Sumun", &account.name, &secret),
        })
    }

    /// Sets one's own password and one-time codes; tells the codes for a lost phone, once.
    pub async fn set_up(
        &self,
        token: &str,
        session: &Session,
        account: &Account,
        password: &str,
        code: &str,
    ) -> Allowed<Vec<String>> {
        // Whoever finds a session open shall not be able to take the account over.
        if session.stage == Stage::Whole {
            return Err(is_set_up());
        }
        check_password(password, &account.name).map_err(DeskRefused::Password)?;
        let secret = session.offered.ok_or(DeskRefused::Code)?;
        let used = self.desk.sessions.used_step(&secret);
        let step = otp::step_of(&secret, code, wall(), used).ok_or(DeskRefused::Code)?;
        if !self.desk.sessions.use_step(&secret, step) {
            return Err(DeskRefused::Code);
        }
        let password = password.to_owned();
        let before = Credentials::open(&self.keys, session.account, &account.sealed);
        let hashed = move || {
            // Whoever handed the first password over knows it.
            if before.is_some_and(|before| before.is_password(&password)) {
                return Err(DeskRefused::Password(PasswordFault::Common));
            }
            let made = Credentials::first(&Entropy::system(), &password);
            made.map_err(DeskRefused::Impossible)
        };
        let made = self.desk.hashing.done(session.from, true, hashed).await;
        let made = made.ok_or(DeskRefused::Overloaded {
            retry_after_s: BUSY_RETRY_S,
        })?;
        let mut made = made?;
        made.otp = Some(secret);
        let codes = made.renew_recovery(&Entropy::system());
        let change = Change::StaffCredentialsSet {
            account: session.account,
            sealed: made.seal(&self.keys, &Entropy::system(), session.account),
            own: true,
        };
        self.change_staff(actor(account), vec![change]).await?;
        let now = self.staff().accounts.get(&session.account).cloned();
        let now = now.ok_or(DeskRefused::Session)?;
        self.desk.sessions.is_set_up(token, now.credentials);
        Ok(codes)
    }
}

fn is_set_up() -> DeskRefused {
    let why = "the account is set up: for another password or phone ask an administrator for a new \
               first password";
    DeskRefused::Impossible(why.to_owned())
}

/// The hash of a password that nobody has: as costly to compare with as anybody's.
static NOBODYS: LazyLock<String> = LazyLock::new(|| {
    let entropy = Entropy::system();
    hash_password(&entropy, &generate_password(&entropy)).unwrap_or_default()
});

fn wrong(from: IpAddr, name: &str) -> Wrong<'_> {
    Wrong {
        from,
        name,
        born: None,
    }
}
