//! A provider of a test's own: OpenID Connect as far as the desk needs it, over HTTPS of an
//! authority of its own, and everything that one can do wrongly.

use std::collections::{BTreeMap, HashMap};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use data_encoding::{BASE64, BASE64URL_NOPAD};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{self, EcdsaKeyPair, KeyPair as _, RsaKeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};
use sumun::clock::wall;
use sumun::crypto::sha256;

pub const CLIENT: &str = "sumun desk";
pub const SECRET: &str = "a secret: 100%+";
pub const DESK: &str = "https://desk.example";
const RSA: &str = include_str!("rsa.pem");

/// How a token is signed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Signed {
    Es256,
    Rs256,
    /// With ES256, by a key of the same name that the provider has not.
    Forged,
    None,
    /// With the client's secret, or with the public key as if it were one.
    Hmac,
    HmacOfPublic,
}

/// What the provider answers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Answers {
    Well,
    /// It closes each connection at once.
    NotAtAll,
    TooLong,
    Redirect,
    NoJson,
    Error,
}

type Change = Box<dyn Fn(&mut Value, &mut Value) + Send>;

struct State {
    key: EcdsaKeyPair,
    key_id: String,
    signed: Signed,
    answers: Answers,
    /// Changes header and claims of the next tokens.
    change: Option<Change>,
    /// What a code is good for: nonce, challenge, claims.
    codes: HashMap<String, (String, String, Value)>,
    next: u32,
    calls: BTreeMap<String, usize>,
    /// In place of what the document says.
    document: Value,
    /// Whether the client shows itself in the form.
    takes_form: bool,
}

pub struct Provider {
    address: SocketAddr,
    pub issuer: String,
    /// Its authority, in PEM.
    pub authority: String,
    state: Arc<Mutex<State>>,
    stop: Arc<AtomicBool>,
}

fn new_key() -> EcdsaKeyPair {
    let (random, algorithm) = (
        SystemRandom::new(),
        &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
    );
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
    EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap()
}

fn rsa() -> RsaKeyPair {
    let key = PrivateKeyDer::from_pem_slice(RSA.as_bytes()).unwrap();
    RsaKeyPair::from_pkcs8(key.secret_der()).unwrap()
}

/// The fields of a form or of an address behind its `?`.
pub fn fields(text: &str) -> BTreeMap<String, String> {
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    let plain = |text: &str| {
        let mut bytes = text.bytes();
        let mut plain = Vec::new();
        while let Some(byte) = bytes.next() {
            plain.push(match byte {
                b'+' => b' ',
                b'%' => {
                    let hex = [bytes.next().unwrap(), bytes.next().unwrap()];
                    u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap()
                }
                byte => byte,
            });
        }
        String::from_utf8(plain).unwrap()
    };
    pairs
        .map(|(name, value)| (plain(name), plain(value)))
        .collect()
}

impl Provider {
    pub fn start() -> Self {
        let authority_key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let authority = params.self_signed(&authority_key).unwrap().pem();
        let signer = Issuer::new(params, authority_key);
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let own = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        let own = own.signed_by(&key, &signer).unwrap();
        let chain = vec![CertificateDer::from(own.der().to_vec())];
        let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let ring = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(ring)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, private)
            .unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let issuer = format!("https://{address}/realms/agency");
        let state = State {
            key: new_key(),
            key_id: "k1".to_owned(),
            signed: Signed::Es256,
            answers: Answers::Well,
            change: None,
            codes: HashMap::new(),
            next: 0,
            calls: BTreeMap::new(),
            document: json!({}),
            takes_form: false,
        };
        let state = Arc::new(Mutex::new(state));
        let stop = Arc::new(AtomicBool::new(false));
        let (kept, ends, config) = (Arc::clone(&state), Arc::clone(&stop), Arc::new(config));
        let own = issuer.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if ends.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
                serve(stream, &config, &kept, &own);
            }
        });
        Self {
            address,
            issuer,
            authority,
            state,
            stop,
        }
    }

    fn with<T>(&self, with: impl FnOnce(&mut State) -> T) -> T {
        with(&mut self.state.lock().unwrap())
    }

    pub fn sign(&self, signed: Signed) {
        self.with(|state| state.signed = signed);
    }

    pub fn answer(&self, answers: Answers) {
        self.with(|state| state.answers = answers);
    }

    /// Changes header and claims of the tokens from now on.
    pub fn change(&self, change: impl Fn(&mut Value, &mut Value) + Send + 'static) {
        self.with(|state| state.change = Some(Box::new(change)));
    }

    pub fn change_nothing(&self) {
        self.with(|state| state.change = None);
    }

    /// Says something else in its document.
    pub fn say(&self, document: Value) {
        self.with(|state| state.document = document);
    }

    pub fn take_form(&self) {
        self.with(|state| {
            state.takes_form = true;
            state.document = json!({
                "token_endpoint_auth_methods_supported": ["client_secret_post"],
            });
        });
    }

    /// Signs with another key from now on, and tells that one alone.
    pub fn rotate(&self, key_id: &str) {
        self.with(|state| {
            state.key = new_key();
            state.key_id = key_id.to_owned();
        });
    }

    /// How often a path was asked for.
    pub fn calls(&self, path: &str) -> usize {
        self.with(|state| state.calls.get(path).copied().unwrap_or(0))
    }

    /// Signs somebody in who was sent here: where their browser is sent back to.
    pub fn sign_in(&self, location: &str, claims: &Value) -> String {
        let (endpoint, query) = location.split_once('?').unwrap();
        assert_eq!(endpoint, format!("{}/authorize", self.issuer));
        let sent = fields(query);
        let redirect = format!("{DESK}/desk/oidc/callback");
        for (name, value) in [
            ("response_type", "code"),
            ("client_id", CLIENT),
            ("redirect_uri", &redirect),
            ("scope", "openid profile"),
            ("code_challenge_method", "S256"),
        ] {
            assert_eq!(sent[name], value, "{location}");
        }
        assert!(
            ["state", "nonce", "code_challenge"]
                .iter()
                .all(|name| sent[*name].len() == 43)
        );
        self.with(|state| {
            state.next += 1;
            let code = format!("code/{}", state.next);
            let bound = (
                sent["nonce"].clone(),
                sent["code_challenge"].clone(),
                claims.clone(),
            );
            state.codes.insert(code.clone(), bound);
            let code = code.replace('/', "%2F");
            format!("/desk/oidc/callback?code={code}&state={}", sent["state"])
        })
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
    }
}

/// One request on each connection.
fn serve(stream: TcpStream, config: &Arc<ServerConfig>, state: &Mutex<State>, issuer: &str) {
    if state.lock().unwrap().answers == Answers::NotAtAll {
        return;
    }
    let connection = ServerConnection::new(Arc::clone(config)).unwrap();
    let mut stream = StreamOwned::new(connection, stream);
    let Some((head, body)) = read(&mut stream) else {
        return;
    };
    let path = head.split(' ').nth(1).unwrap_or_default();
    let path = path
        .strip_prefix("/realms/agency")
        .unwrap_or(path)
        .to_owned();
    let (status, more, body) = {
        let mut state = state.lock().unwrap();
        *state.calls.entry(path.clone()).or_default() += 1;
        match state.answers {
            Answers::Redirect => {
                let to = format!("Location: {issuer}/elsewhere\r\n");
                (302, to, String::new())
            }
            Answers::TooLong => {
                // As it should be, but for its length.
                let (status, mut body) = state.answered(&path, issuer, &head, &body);
                body["much"] = json!("x".repeat(300 << 10));
                (status, String::new(), body.to_string())
            }
            Answers::NoJson => (200, String::new(), "<html>".to_owned()),
            Answers::Error => (500, String::new(), "{}".to_owned()),
            _ => {
                let (status, body) = state.answered(&path, issuer, &head, &body);
                (status, String::new(), body.to_string())
            }
        }
    };
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status} X\r\n{more}Content-Type: application/json\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    let _ = stream.write_all(answer.as_bytes());
    stream.conn.send_close_notify();
    let _ = stream.flush();
}

fn read(stream: &mut StreamOwned<ServerConnection, TcpStream>) -> Option<(String, String)> {
    let mut bytes = Vec::new();
    let mut part = [0; 4_096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let line = line.to_ascii_lowercase();
                line.strip_prefix("content-length: ")?.parse().ok()
            });
            if body.len() >= length.unwrap_or(0) {
                return Some((head.to_owned(), body.to_owned()));
            }
        }
        match stream.read(&mut part) {
            Ok(0) | Err(_) => return None,
            Ok(count) => bytes.extend_from_slice(&part[..count]),
        }
    }
}

impl State {
    fn answered(&mut self, path: &str, issuer: &str, head: &str, body: &str) -> (u16, Value) {
        match path {
            "/.well-known/openid-configuration" => {
                let mut document = json!({
                    "issuer": issuer,
                    "authorization_endpoint": format!("{issuer}/authorize"),
                    "token_endpoint": format!("{issuer}/token"),
                    "jwks_uri": format!("{issuer}/keys"),
                    "code_challenge_methods_supported": ["plain", "S256"],
                });
                for (name, value) in self.document.as_object().unwrap() {
                    document[name] = value.clone();
                }
                (200, document)
            }
            "/keys" => (200, self.keys()),
            "/token" => self.token(issuer, head, body),
            _ => (404, json!({})),
        }
    }

    fn keys(&self) -> Value {
        let point = self.key.public_key().as_ref();
        let [x, y] = [&point[1..33], &point[33..]].map(|half| BASE64URL_NOPAD.encode(half));
        let rsa = rsa();
        let public: ring::rsa::PublicKeyComponents<Vec<u8>> = rsa.public().into();
        let [n, e] = [&public.n, &public.e].map(|number| BASE64URL_NOPAD.encode(number));
        json!({ "keys": [
            { "kty": "oct", "kid": "mac", "k": "AA" },
            { "kty": "EC", "crv": "P-256", "use": "sig", "kid": self.key_id, "x": x, "y": y },
            { "kty": "RSA", "alg": "RS256", "use": "sig", "kid": "r1", "n": n, "e": e },
        ] })
    }

    fn token(&mut self, issuer: &str, head: &str, body: &str) -> (u16, Value) {
        let refused = |why: &str| (400, json!({ "error": why }));
        let form = fields(body);
        let shown = head.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            let is_shown = name.eq_ignore_ascii_case("authorization");
            let basic = value.strip_prefix("Basic ").filter(|_| is_shown)?;
            let both = String::from_utf8(BASE64.decode(basic.as_bytes()).ok()?).ok()?;
            let (client, secret) = both.split_once(':')?;
            Some(fields(&format!("c={client}&s={secret}")))
        });
        let is_shown = match &shown {
            Some(shown) => !self.takes_form && shown["c"] == CLIENT && shown["s"] == SECRET,
            None => {
                let field = |name: &str| form.get(name).map(String::as_str);
                let is_ours = field("client_id") == Some(CLIENT);
                self.takes_form && is_ours && field("client_secret") == Some(SECRET)
            }
        };
        if !is_shown {
            return refused("invalid_client");
        }
        // A code is good once.
        let bound = form.get("code").and_then(|code| self.codes.remove(code));
        let Some((nonce, challenge, claims)) = bound else {
            return refused("invalid_grant");
        };
        let verifier = form["code_verifier"].as_bytes();
        let is_bound = BASE64URL_NOPAD.encode(&sha256(verifier)) == challenge
            && form["redirect_uri"] == format!("{DESK}/desk/oidc/callback");
        if !is_bound {
            return refused("invalid_grant");
        }
        let now_s = wall().unix_s();
        let mut token = json!({
            "iss": issuer, "aud": CLIENT, "azp": CLIENT, "nonce": nonce, "iat": now_s,
            "exp": now_s + 60, "email": "personal@agency.example", "name": "김민지",
        });
        for (name, value) in claims.as_object().unwrap() {
            token[name] = value.clone();
        }
        let token = self.signed(token);
        (
            200,
            json!({ "access_token": "a", "token_type": "Bearer", "id_token": token }),
        )
    }

    fn signed(&self, mut claims: Value) -> String {
        let (algorithm, key) = match self.signed {
            Signed::Es256 | Signed::Forged => ("ES256", self.key_id.as_str()),
            Signed::Rs256 => ("RS256", "r1"),
            Signed::None => ("none", self.key_id.as_str()),
            Signed::Hmac => ("HS256", "mac"),
            Signed::HmacOfPublic => ("HS256", self.key_id.as_str()),
        };
        let mut header = json!({ "alg": algorithm, "kid": key, "typ": "JWT" });
        if let Some(change) = &self.change {
            change(&mut header, &mut claims);
        }
        let part = |json: &Value| BASE64URL_NOPAD.encode(json.to_string().as_bytes());
        let signed = format!("{}.{}", part(&header), part(&claims));
        let (bytes, random) = (signed.as_bytes(), SystemRandom::new());
        let mac = |secret: &[u8]| {
            let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
            hmac::sign(&key, bytes).as_ref().to_vec()
        };
        let signature = match self.signed {
            Signed::Es256 => self.key.sign(&random, bytes).unwrap().as_ref().to_vec(),
            Signed::Forged => new_key().sign(&random, bytes).unwrap().as_ref().to_vec(),
            Signed::Rs256 => {
                let key = rsa();
                let mut signature = vec![0; key.public().modulus_len()];
                let padding = &signature::RSA_PKCS1_SHA256;
                key.sign(padding, &random, bytes, &mut signature).unwrap();
                signature
            }
            Signed::None => Vec::new(),
            Signed::Hmac => mac(SECRET.as_bytes()),
            Signed::HmacOfPublic => mac(self.key.public_key().as_ref()),
        };
        format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature))
    }
}
