//! ID tokens (OpenID Connect Core 1.0, 3.1.3.7) and the keys that sign them (RFC 7517): what a
//! token has to be, before anything that it says is believed.
//!
//! Invariant: `Claims` exist only of a token whose signature, by RS256 or ES256, was verified with
//! a key of the provider, and which is of this provider, for this desk, for this sign-in, and of
//! now.

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value};

use crate::crypto::{is_es256, is_rs256, sha256};

/// How far the provider's clock may be off.
pub const CLOCK_OFF_S: i64 = 60;
/// A token is used as soon as it was made.
const AGE_S_MAX: i64 = 10 * 60;
/// Tokens with some hundred roles have 20 kB.
const TOKEN_BYTES_MAX: usize = 64 << 10;
/// Keys of one provider that are looked at.
const KEYS_MAX: usize = 64;
/// What a provider calls its user (Core 1.0, 2).
const SUBJECT_BYTES_MAX: usize = 255;

/// How a token is signed. There is no way without a signature or with a shared secret.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Algorithm {
    Rs256,
    Es256,
}

/// Why a token is not taken. Its text is logged and has nothing of the token's.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TokenFault {
    #[error("it is no signed token")]
    Form,
    #[error("it is signed otherwise than with RS256 or ES256")]
    Algorithm,
    #[error("the provider has no key of the name that it names")]
    UnknownKey,
    #[error("its signature does not fit")]
    Signature,
    #[error("it is of another issuer")]
    Issuer,
    #[error("it is for another client")]
    Audience,
    #[error("it has expired, or is older than {AGE_S_MAX} s: are both clocks right?")]
    Expired,
    #[error("it is from later than now: are both clocks right?")]
    Early,
    #[error("it is of another sign-in")]
    Nonce,
    #[error("it does not say whom it is about")]
    Subject,
}

/// A key of the provider.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Key {
    id: Option<String>,
    public: Public,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Public {
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    P256 { x: [u8; 32], y: [u8; 32] },
}

fn bytes(value: &Value) -> Option<Vec<u8>> {
    BASE64URL_NOPAD.decode(value.as_str()?.as_bytes()).ok()
}

impl Key {
    /// The keys of a set that can be used here; others are left out, as RFC 7517 (5) has it.
    pub fn all(set: &Value) -> Vec<Self> {
        let listed = set["keys"].as_array();
        let listed = listed.into_iter().flatten().take(KEYS_MAX);
        listed.filter_map(Self::read).collect()
    }

    fn read(key: &Value) -> Option<Self> {
        let is_unless_other = |name: &str, wanted: &str| {
            let said = key.get(name);
            said.is_none_or(|said| said.as_str() == Some(wanted))
        };
        if !is_unless_other("use", "sig") {
            return None;
        }
        let public = match key["kty"].as_str()? {
            "RSA" if is_unless_other("alg", "RS256") => Public::Rsa {
                modulus: bytes(&key["n"])?,
                exponent: bytes(&key["e"])?,
            },
            "EC" if key["crv"] == "P-256" && is_unless_other("alg", "ES256") => Public::P256 {
                x: bytes(&key["x"])?.try_into().ok()?,
                y: bytes(&key["y"])?.try_into().ok()?,
            },
            _ => return None,
        };
        let id = key["kid"].as_str().map(str::to_owned);
        Some(Self { id, public })
    }

    fn algorithm(&self) -> Algorithm {
        match self.public {
            Public::Rsa { .. } => Algorithm::Rs256,
            Public::P256 { .. } => Algorithm::Es256,
        }
    }

    fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.public {
            Public::Rsa { modulus, exponent } => is_rs256(modulus, exponent, message, signature),
            Public::P256 { x, y } => is_es256(x, y, message, signature),
        }
    }
}

/// A token of which nothing is believed yet.
pub struct Unproven<'a> {
    algorithm: Algorithm,
    key: Option<String>,
    signed: &'a str,
    claims: &'a str,
    signature: Vec<u8>,
}

/// What a token has to be of and for.
#[derive(Clone, Copy)]
pub struct Expected<'a> {
    pub issuer: &'a str,
    pub client_id: &'a str,
    pub nonce: &'a str,
    /// Seconds since 1970.
    pub now_s: i64,
}

/// What a token says that was proven.
#[derive(Clone, PartialEq, Debug)]
pub struct Claims(Map<String, Value>);

fn object(part: &str) -> Option<Map<String, Value>> {
    let json = BASE64URL_NOPAD.decode(part.as_bytes()).ok()?;
    serde_json::from_slice(&json).ok()
}

impl<'a> Unproven<'a> {
    pub fn read(token: &'a str) -> Result<Self, TokenFault> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(TokenFault::Form);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenFault::Form)?;
        let (header, claims) = signed.split_once('.').ok_or(TokenFault::Form)?;
        let header = object(header).ok_or(TokenFault::Form)?;
        let text = |name: &str| header.get(name).and_then(Value::as_str);
        let algorithm = match text("alg") {
            Some("RS256") => Algorithm::Rs256,
            Some("ES256") => Algorithm::Es256,
            _ => return Err(TokenFault::Algorithm),
        };
        // What has to be understood and is not (RFC 7515, 4.1.11).
        if header.contains_key("crit") {
            return Err(TokenFault::Form);
        }
        let signature = BASE64URL_NOPAD.decode(signature.as_bytes());
        Ok(Self {
            algorithm,
            key: text("kid").map(str::to_owned),
            signed,
            claims,
            signature: signature.map_err(|_| TokenFault::Form)?,
        })
    }

    /// What the token says, if it is what it has to be.
    pub fn prove(&self, keys: &[Key], expected: Expected<'_>) -> Result<Claims, TokenFault> {
        let of_algorithm = keys.iter().filter(|key| key.algorithm() == self.algorithm);
        let mut fit = of_algorithm.filter(|key| self.key.is_none() || key.id == self.key);
        let key = fit.next().ok_or(TokenFault::UnknownKey)?;
        // Without a name it has to be plain which key is meant.
        if self.key.is_none() && fit.next().is_some() {
            return Err(TokenFault::UnknownKey);
        }
        if !key.has_signed(self.signed.as_bytes(), &self.signature) {
            return Err(TokenFault::Signature);
        }
        let claims = Claims(object(self.claims).ok_or(TokenFault::Form)?);
        claims.check(expected)?;
        Ok(claims)
    }
}

impl Claims {
    fn check(&self, expected: Expected<'_>) -> Result<(), TokenFault> {
        let Expected {
            issuer,
            client_id,
            nonce,
            now_s,
        } = expected;
        if self.text("iss") != Some(issuer) {
            return Err(TokenFault::Issuer);
        }
        let (is_for, several) = match self.0.get("aud") {
            Some(Value::String(one)) => (one == client_id, false),
            Some(Value::Array(all)) => {
                let is_for = all.iter().any(|one| one.as_str() == Some(client_id));
                (is_for, all.len() > 1)
            }
            _ => (false, false),
        };
        // Of several audiences it has to say which one it was made for.
        let made_for = self.0.get("azp");
        let is_made_for = match made_for {
            Some(made_for) => made_for.as_str() == Some(client_id),
            None => !several,
        };
        if !is_for || !is_made_for {
            return Err(TokenFault::Audience);
        }
        let expires = self.seconds("exp").ok_or(TokenFault::Expired)?;
        let made = self.seconds("iat").ok_or(TokenFault::Expired)?;
        if now_s >= expires.saturating_add(CLOCK_OFF_S)
            || made < now_s.saturating_sub(AGE_S_MAX + CLOCK_OFF_S)
        {
            return Err(TokenFault::Expired);
        }
        let begins = match self.0.get("nbf") {
            Some(_) => self.seconds("nbf").ok_or(TokenFault::Early)?,
            None => made,
        };
        if made.max(begins) > now_s.saturating_add(CLOCK_OFF_S) {
            return Err(TokenFault::Early);
        }
        let said = self.text("nonce").unwrap_or_default();
        // As hashes, so that the time it takes tells nothing.
        if sha256(said.as_bytes()) != sha256(nonce.as_bytes()) {
            return Err(TokenFault::Nonce);
        }
        let subject = self.subject();
        if subject.is_empty() || subject.len() > SUBJECT_BYTES_MAX {
            return Err(TokenFault::Subject);
        }
        Ok(())
    }

    /// Whole seconds since 1970; a provider may write a fraction.
    fn seconds(&self, name: &str) -> Option<i64> {
        let number = self.0.get(name)?;
        let fraction = || number.as_f64().map(|number| number.floor() as i64);
        number.as_i64().or_else(fraction)
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    /// What the provider calls its user, for ever.
    pub fn subject(&self) -> &str {
        self.text("sub").unwrap_or_default()
    }

    /// By what its user wants to be known; it may change, and be anybody's.
    pub fn preferred_name(&self) -> &str {
        self.text("preferred_username").unwrap_or_default()
    }

    /// Whether the class of the sign-in is one of these.
    pub fn has_class(&self, classes: &[String]) -> bool {
        let said = self.text("acr");
        said.is_some_and(|said| classes.iter().any(|class| class == said))
    }

    /// Whether one of these was a means of the sign-in.
    pub fn has_means(&self, means: &[String]) -> bool {
        let said = texts(self.0.get("amr"));
        means.iter().any(|one| said.contains(&one.as_str()))
    }

    /// The texts of a claim, which may be within objects: `realm_access.roles`. A claim that has
    /// the whole name is meant before one that a dot leads to.
    pub fn texts(&self, path: &str) -> Vec<&str> {
        if let Some(whole) = self.0.get(path) {
            return texts(Some(whole));
        }
        let mut parts = path.split('.');
        let first = parts.next().and_then(|part| self.0.get(part));
        texts(
            parts
                .try_fold(first, |at, part| Some(at?.get(part)))
                .flatten(),
        )
    }
}

fn texts(value: Option<&Value>) -> Vec<&str> {
    match value {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::crypto::signer::Es256;

    const NOW_S: i64 = 1_800_000_000;
    const EXPECTED: Expected<'static> = Expected {
        issuer: "https://login.example",
        client_id: "desk",
        nonce: "n-1",
        now_s: NOW_S,
    };

    struct Signer(Es256);

    impl Signer {
        fn new() -> Self {
            Self(Es256::generate())
        }

        fn key(&self, id: &str) -> Value {
            let [x, y] = self.0.public().map(|half| BASE64URL_NOPAD.encode(&half));
            json!({ "kty": "EC", "crv": "P-256", "kid": id, "x": x, "y": y })
        }

        fn token(&self, header: &Value, claims: &Value) -> String {
            let part = |json: &Value| BASE64URL_NOPAD.encode(json.to_string().as_bytes());
            let signed = format!("{}.{}", part(header), part(claims));
            let signature = self.0.sign(signed.as_bytes());
            format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature))
        }
    }

    fn claims() -> Value {
        json!({
            "iss": "https://login.example", "aud": "desk", "sub": "u-7", "nonce": "n-1",
            "iat": NOW_S, "exp": NOW_S + 300,
        })
    }

    fn with(name: &str, value: Value) -> Value {
        let mut claims = claims();
        claims[name] = value;
        claims
    }

    #[test]
    fn a_token_is_of_this_provider_for_this_desk_this_sign_in_and_now() {
        let signer = Signer::new();
        let keys = Key::all(&json!({ "keys": [signer.key("k")] }));
        let header = json!({ "alg": "ES256", "kid": "k" });
        let prove = |claims: &Value| {
            let token = signer.token(&header, claims);
            let proven = Unproven::read(&token).unwrap().prove(&keys, EXPECTED);
            proven.map(|_| ())
        };
        for good in [
            claims(),
            with("aud", json!(["desk"])),
            with("azp", json!("desk")),
            with("exp", json!(NOW_S - 59)),
            with("iat", json!(NOW_S + 60)),
            with("iat", json!(NOW_S as f64 + 0.5)),
            with("nbf", json!(NOW_S + 60)),
        ] {
            assert_eq!(prove(&good), Ok(()), "{good}");
        }
        let mut several = with("aud", json!(["desk", "other"]));
        assert_eq!(prove(&several), Err(TokenFault::Audience));
        several["azp"] = json!("desk");
        assert_eq!(prove(&several), Ok(()));
        for (wrong, fault) in [
            (
                with("iss", json!("https://login.example/")),
                TokenFault::Issuer,
            ),
            (with("iss", Value::Null), TokenFault::Issuer),
            (with("aud", json!("other")), TokenFault::Audience),
            (with("aud", json!([])), TokenFault::Audience),
            (with("aud", Value::Null), TokenFault::Audience),
            (with("azp", json!("other")), TokenFault::Audience),
            (with("azp", json!(7)), TokenFault::Audience),
            (with("exp", json!(NOW_S - 60)), TokenFault::Expired),
            (with("exp", json!("9999999999")), TokenFault::Expired),
            (with("exp", Value::Null), TokenFault::Expired),
            (with("iat", json!(NOW_S - 661)), TokenFault::Expired),
            (with("iat", Value::Null), TokenFault::Expired),
            (with("iat", json!(NOW_S + 61)), TokenFault::Early),
            (with("nbf", json!(NOW_S + 61)), TokenFault::Early),
            (with("nbf", json!("soon")), TokenFault::Early),
            (with("nonce", json!("n-2")), TokenFault::Nonce),
            (with("nonce", Value::Null), TokenFault::Nonce),
            (with("sub", json!("")), TokenFault::Subject),
            (with("sub", json!(7)), TokenFault::Subject),
            (with("sub", json!("s".repeat(256))), TokenFault::Subject),
        ] {
            assert_eq!(prove(&wrong), Err(fault), "{wrong}");
        }
    }

    #[test]
    fn a_signature_is_by_the_key_that_is_named_and_by_no_other_way() {
        let (signer, other) = (Signer::new(), Signer::new());
        let set = json!({ "keys": [
            signer.key("k"),
            { "kty": "oct", "kid": "secret", "k": "c2VjcmV0" },
            { "kty": "EC", "crv": "P-384", "kid": "k", "x": "AA", "y": "AA" },
        ] });
        let keys = Key::all(&set);
        assert_eq!(keys.len(), 1);
        let prove = |signer: &Signer, header: Value| {
            let token = signer.token(&header, &claims());
            let proven = Unproven::read(&token)?.prove(&keys, EXPECTED);
            proven.map(|_| ())
        };
        let header = json!({ "alg": "ES256", "kid": "k" });
        assert_eq!(prove(&signer, header.clone()), Ok(()));
        assert_eq!(prove(&other, header), Err(TokenFault::Signature));
        assert_eq!(prove(&signer, json!({ "alg": "ES256" })), Ok(()));
        let unknown = json!({ "alg": "ES256", "kid": "other" });
        assert_eq!(prove(&signer, unknown), Err(TokenFault::UnknownKey));
        // The key is none of that kind.
        let rsa = json!({ "alg": "RS256", "kid": "k" });
        assert_eq!(prove(&signer, rsa), Err(TokenFault::UnknownKey));
        for algorithm in ["none", "None", "HS256", "ES384", "es256", ""] {
            let header = json!({ "alg": algorithm, "kid": "k" });
            assert_eq!(prove(&signer, header), Err(TokenFault::Algorithm));
        }
        let critical = json!({ "alg": "ES256", "kid": "k", "crit": ["x"] });
        assert_eq!(prove(&signer, critical), Err(TokenFault::Form));
        // Two keys, and the token does not say which.
        let two = Key::all(&json!({ "keys": [signer.key("k"), other.key("l")] }));
        let token = signer.token(&json!({ "alg": "ES256" }), &claims());
        let proven = Unproven::read(&token).unwrap().prove(&two, EXPECTED);
        assert_eq!(proven, Err(TokenFault::UnknownKey));
        for broken in [
            "",
            "a",
            "a.b",
            "a.b.c",
            "..",
            "e30.e30.",
            &"a".repeat(70_000),
        ] {
            assert!(Unproven::read(broken).is_err(), "{broken:.9}");
        }
        // What was signed can't be changed, nor the signature left out.
        let token = signer.token(&json!({ "alg": "ES256", "kid": "k" }), &claims());
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let (header, _) = signed.split_once('.').unwrap();
        let boss = BASE64URL_NOPAD.encode(with("sub", json!("boss")).to_string().as_bytes());
        for forged in [format!("{header}.{boss}.{signature}"), format!("{signed}.")] {
            let proven = Unproven::read(&forged).unwrap().prove(&keys, EXPECTED);
            assert_eq!(proven, Err(TokenFault::Signature));
        }
    }

    #[test]
    fn texts_are_found_within_objects_and_by_whole_names() {
        let claims = Claims(
            json!({
                "role": "one", "realm_access": { "roles": ["a", 7, "b"] }, "x.y": ["whole"],
                "x": { "y": ["inner"] }, "amr": ["pwd", "otp"], "acr": "2",
            })
            .as_object()
            .unwrap()
            .clone(),
        );
        assert_eq!(claims.texts("role"), ["one"]);
        assert_eq!(claims.texts("realm_access.roles"), ["a", "b"]);
        assert_eq!(claims.texts("x.y"), ["whole"]);
        for none in ["roles", "realm_access", "role.x", "realm_access.roles.a"] {
            assert_eq!(claims.texts(none), [""; 0], "{none}");
        }
        let list = |text: &str| vec![text.to_owned()];
        assert!(claims.has_means(&list("otp")) && !claims.has_means(&list("hwk")));
        assert!(claims.has_class(&list("2")) && !claims.has_class(&list("")));
    }
}
