//! People whom the agency's own provider signs in (OpenID Connect Core 1.0): the authorization code
//! flow with PKCE, from the address that a browser is sent to, to what a proven token claims.
//!
//! Owns the settings, the client's secret and what is remembered of the provider: its document and
//! its keys, an hour each. It keeps nothing of a person. It must not decide who may sign in:
//! `service/desk/provider` does. `outside` makes the calls, `discovery` reads what the provider
//! says of itself, `token` proves tokens.

pub mod discovery;
pub mod outside;
pub mod token;

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use data_encoding::{BASE64, BASE64URL_NOPAD};
use serde_json::Value;

use crate::config::provider::ProviderSettings;
use crate::crypto::sha256;
use crate::domain::entry::Role;
use crate::domain::staff::Bounds;
use crate::domain::time::Stamp;
use crate::sync::locked;
use crate::tls::outside::trusting;
use discovery::{ClientShown, Document};
use outside::{CallFault, Outside};
use token::{Claims, Expected, Key, TokenFault, Unproven};

/// What is known of the provider is asked for again after this.
const KNOWN_FOR: Duration = Duration::from_secs(60 * 60);
/// A token with a key that is not known has the keys asked for again, once in this time.
const KEYS_AGAIN: Duration = Duration::from_secs(60);
/// A provider that was away is not asked about itself again for this long: whoever floods sign-ins
/// makes no more calls than that.
const AWAY_FOR: Duration = Duration::from_secs(2);
/// What a client's mode of secrets may not have, as with keys.
const MODE_NOT_FOR_SECRETS: u32 = 0o037;
const SECRET_BYTES_MAX: u64 = 1_024;

/// Where the provider sends people back to, behind the desk's address.
pub const CALLBACK: &str = "/desk/oidc/callback";

/// Why a sign-in at the provider came to nothing. Its text is logged, and shown to nobody.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ProviderFault {
    #[error(transparent)]
    Call(#[from] CallFault),
    #[error("{0}")]
    Document(String),
    #[error("the provider was away just now, and is not asked again yet")]
    Away,
    #[error("the provider answers without an ID token")]
    NoToken,
    #[error("the ID token is refused: {0}")]
    Token(#[from] TokenFault),
}

impl ProviderFault {
    /// Whether the provider did not take the code, or gave a token that is not taken: whoever came
    /// with that is at fault, or the provider is set up wrongly.
    pub fn is_of_answer(&self) -> bool {
        match self {
            Self::Token(_) | Self::NoToken => true,
            Self::Call(CallFault::Status { status, .. }) => (400..500).contains(status),
            _ => false,
        }
    }
}

/// The provider, ready to be asked.
pub struct Provider {
    settings: ProviderSettings,
    secret: String,
    outside: Outside,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    document: Option<(Arc<Document>, Instant)>,
    keys: Option<(Arc<Vec<Key>>, Instant)>,
    /// When a token last named a key that was not known.
    unknown_at: Option<Instant>,
    away_at: Option<Instant>,
}

/// What one sign-in is bound by. All three are random, and of this sign-in alone.
#[derive(Clone, Debug)]
pub struct Bound {
    pub state: String,
    pub nonce: String,
    pub verifier: String,
}

/// What a role is given for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Given {
    Role(Role, Bounds),
    /// No row of the table fits.
    Nothing,
    /// A row fits, but for its role the sign-in was not strong enough.
    Stronger,
}

/// Who came, and what the provider claims of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Came {
    /// What the provider calls them for ever. It is hashed with a key before it is kept.
    pub subject: String,
    /// By what they want to be known.
    pub preferred_name: String,
    pub given: Given,
}

/// Whether a role changes something: then the settings may demand how its sign-in is made.
fn changes_something(role: Role) -> bool {
    !matches!(role, Role::Auditor | Role::Reporter)
}

impl Provider {
    /// Reads what the settings name; paths are relative to the folder. Calls nobody.
    ///
    /// # Errors
    /// When it can't be used: says which file, why, and what to do.
    pub fn open(folder: &Path, settings: &ProviderSettings) -> Result<Self, String> {
        settings.check()?;
        let secret = read_secret(&folder.join(&settings.client_secret_file))?;
        let tls = trusting(&folder.join(&settings.authority)).map_err(|fault| {
            let why = fault.to_string();
            format!("[provider] authority: {why}")
        })?;
        Ok(Self {
            settings: settings.clone(),
            secret,
            outside: Outside::new(tls),
            known: Mutex::default(),
        })
    }

    pub fn issuer(&self) -> &str {
        &self.settings.issuer
    }

    fn redirect_uri(&self) -> String {
        format!("{}{CALLBACK}", self.settings.desk_address)
    }

    /// Where a browser is sent to sign in.
    pub fn begin(&self, bound: &Bound, now: Instant) -> Result<String, ProviderFault> {
        let document = self.document(now)?;
        let challenge = BASE64URL_NOPAD.encode(&sha256(bound.verifier.as_bytes()));
        let (redirect, classes) = (self.redirect_uri(), self.settings.acr.join(" "));
        let mut wanted = vec![
            ("response_type", "code"),
            ("client_id", &self.settings.client_id),
            ("redirect_uri", &redirect),
            // `profile` has the name by which somebody wants to be known.
            ("scope", "openid profile"),
            ("state", &bound.state),
            ("nonce", &bound.nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        if !classes.is_empty() {
            wanted.push(("acr_values", &classes));
        }
        let endpoint = &document.authorization_endpoint;
        let joint = if endpoint.contains('?') { '&' } else { '?' };
        Ok(format!("{endpoint}{joint}{}", form(&wanted)))
    }

    /// Whether an answer in the address can be this provider's, by the issuer that it names
    /// (RFC 9207).
    pub fn is_answer_of(&self, issuer: Option<&str>) -> bool {
        let known = locked(&self.known);
        let document = known.document.as_ref();
        let names_itself = document.is_some_and(|(document, _)| document.names_itself);
        match issuer {
            Some(issuer) => issuer == self.settings.issuer,
            None => !names_itself,
        }
    }

    /// Who came back with this code, as of the wall clock.
    pub fn finish(
        &self,
        code: &str,
        bound: &Bound,
        now: Instant,
        wall: Stamp,
    ) -> Result<Came, ProviderFault> {
        let document = self.document(now)?;
        let redirect = self.redirect_uri();
        let mut sent = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &redirect),
            ("code_verifier", &bound.verifier),
        ];
        let (client, secret) = (&self.settings.client_id, &self.secret);
        let mut shown = None;
        match document.client_shown {
            ClientShown::Basic => {
                let both = format!("{}:{}", encoded(client), encoded(secret));
                shown = Some(format!("Basic {}", BASE64.encode(both.as_bytes())));
            }
            ClientShown::Post => {
                sent.extend([("client_id", client.as_str()), ("client_secret", secret)]);
            }
        }
        let endpoint = &document.token_endpoint;
        let answer = self
            .outside
            .post(endpoint, shown.as_deref(), &form(&sent))?;
        let token = answer["id_token"].as_str().ok_or(ProviderFault::NoToken)?;
        let claims = self.proven(token, &document, &bound.nonce, now, wall)?;
        Ok(Came {
            subject: claims.subject().to_owned(),
            preferred_name: claims.preferred_name().to_owned(),
            given: self.given(&claims),
        })
    }

    fn proven(
        &self,
        token: &str,
        document: &Document,
        nonce: &str,
        now: Instant,
        wall: Stamp,
    ) -> Result<Claims, ProviderFault> {
        let token = Unproven::read(token)?;
        let expected = Expected {
            issuer: &self.settings.issuer,
            client_id: &self.settings.client_id,
            nonce,
            now_s: wall.unix_s(),
        };
        let keys = self.keys(document, now, false)?;
        match token.prove(&keys, expected) {
            Err(TokenFault::UnknownKey) => {
                let keys = self.keys(document, now, true)?;
                Ok(token.prove(&keys, expected)?)
            }
            proven => Ok(proven?),
        }
    }

    /// What the claims give, by the first row of the table that fits.
    fn given(&self, claims: &Claims) -> Given {
        let has = claims.texts(&self.settings.roles_claim);
        let mut rows = self.settings.roles.iter();
        let Some(row) = rows.find(|row| has.contains(&row.value.as_str())) else {
            return Given::Nothing;
        };
        let (classes, means) = (&self.settings.acr, &self.settings.amr);
        let is_strong = (classes.is_empty() || claims.has_class(classes))
            && (means.is_empty() || claims.has_means(means));
        if changes_something(row.role) && !is_strong {
            return Given::Stronger;
        }
        Given::Role(row.role, row.bounds())
    }

    /// What the provider says of itself, asked for once an hour.
    fn document(&self, now: Instant) -> Result<Arc<Document>, ProviderFault> {
        {
            let known = locked(&self.known);
            if let Some((document, at)) = &known.document
                && now.saturating_duration_since(*at) < KNOWN_FOR
            {
                return Ok(Arc::clone(document));
            }
            let away_for = known.away_at.map(|at| now.saturating_duration_since(at));
            if away_for.is_some_and(|away_for| away_for < AWAY_FOR) {
                return Err(ProviderFault::Away);
            }
        }
        let asked = self.outside.get(&discovery::address(&self.settings.issuer));
        let read = asked.map_err(ProviderFault::from).and_then(|said: Value| {
            Document::read(&said, &self.settings).map_err(ProviderFault::Document)
        });
        let mut known = locked(&self.known);
        match read {
            Ok(document) => {
                let document = Arc::new(document);
                known.document = Some((Arc::clone(&document), now));
                Ok(document)
            }
            Err(fault) => {
                known.away_at = Some(now);
                Err(fault)
            }
        }
    }

    /// The provider's keys, asked for once an hour; and `again`, for a token whose key is not among
    /// them, once a minute.
    fn keys(
        &self,
        document: &Document,
        now: Instant,
        again: bool,
    ) -> Result<Arc<Vec<Key>>, ProviderFault> {
        {
            let mut known = locked(&self.known);
            let unknown_for = known.unknown_at.map(|at| now.saturating_duration_since(at));
            let is_bounded = unknown_for.is_some_and(|unknown_for| unknown_for < KEYS_AGAIN);
            if let Some((keys, at)) = &known.keys
                && (is_bounded || !again)
                && now.saturating_duration_since(*at) < KNOWN_FOR
            {
                return Ok(Arc::clone(keys));
            }
            if again {
                known.unknown_at = Some(now);
            }
        }
        let keys = Arc::new(Key::all(&self.outside.get(&document.jwks_uri)?));
        locked(&self.known).keys = Some((Arc::clone(&keys), now));
        Ok(keys)
    }
}

/// A client's secret that only those may read who must.
fn read_secret(path: &Path) -> Result<String, String> {
    let name = path.display();
    let at = "[provider] client_secret_file";
    let unread = |why: std::io::Error| {
        format!(
            "{at}: can't read {name}: {why}; write the secret that the provider gave into it, for \
             the server's user alone"
        )
    };
    let is_file = std::fs::metadata(path).map_err(unread)?.is_file();
    if !is_file {
        return Err(format!(
            "{at}: {name} is no file: name the file with the secret"
        ));
    }
    let file = File::open(path).map_err(unread)?;
    let mode = file.metadata().map_err(unread)?.permissions().mode() & 0o7777;
    if mode & MODE_NOT_FOR_SECRETS != 0 {
        return Err(format!(
            "{at}: {name} can be read by others than its owner (mode {mode:04o}): chmod 0600 it, \
             and have the provider give another secret if somebody may have read it"
        ));
    }
    let mut text = String::new();
    let mut file = file.take(SECRET_BYTES_MAX + 1);
    file.read_to_string(&mut text).map_err(unread)?;
    let secret = text.trim_end_matches(['\n', '\r']);
    let is_fit = !secret.is_empty() && secret.bytes().all(|byte| (32..127).contains(&byte));
    if !is_fit || text.len() as u64 > SECRET_BYTES_MAX {
        return Err(format!(
            "{at}: {name} holds no secret: write it there on one line, 1 to {SECRET_BYTES_MAX} \
             letters of ASCII"
        ));
    }
    Ok(secret.to_owned())
}

/// `application/x-www-form-urlencoded`.
fn form(fields: &[(&str, &str)]) -> String {
    let pairs = fields.iter();
    let pairs = pairs.map(|(name, value)| format!("{name}={}", encoded(value)));
    pairs.collect::<Vec<_>>().join("&")
}

fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded += &format!("%{byte:02X}");
        }
    }
    encoded
}
