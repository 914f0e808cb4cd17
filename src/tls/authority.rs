//! Certificates that this host makes: a local authority of its own, server certificates that it
//! signs, and requests for another authority.
//!
//! Writes no file; `ops::certificates` does.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData, SerialNumber, SignatureAlgorithm,
};
use rustls::SignatureScheme;
use rustls::sign::SigningKey;
use rustls_pki_types::CertificateDer;
use x509_parser::prelude::{FromDer as _, SubjectPublicKeyInfo};

use crate::clock::Entropy;
use crate::domain::time::Stamp;

/// Ten years, with two or three leap days.
const AUTHORITY_DAYS: i64 = 3_652;
/// A year: browsers take at most 398 days from public authorities, and Mozilla's recommendation
/// for servers ("intermediate") is at most 366.
const SERVER_DAYS: i64 = 365;
/// Valid from a day before: clients whose clocks are slow take it at once.
const EARLIER_DAYS: i64 = 1;
const DAY_S: i64 = 86_400;
/// A common name has 64 characters at the most (RFC 5280, `ub-common-name`).
const COMMON_NAME_MAX: usize = 64;
/// A host name, and a part of it between dots (RFC 1035).
const NAME_BYTES_MAX: usize = 253;
const LABEL_BYTES_MAX: usize = 63;

/// Names that every server certificate of the local authority has as well.
pub const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// Why nothing was made.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityFault {
    #[error(
        "{name:?} is no name for a certificate: {why}; write a host name or an address, as \
         book.example.go.kr or 10.1.2.3"
    )]
    Name { name: String, why: &'static str },
    #[error("the key is of a kind that can't sign certificates: use P-256, P-384 or RSA")]
    KeyKind,
    #[error("no certificate could be made: {0}")]
    Make(#[from] rcgen::Error),
}

/// A host name or address that stands in a certificate, in the form in which it stands there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Name(String);

impl Name {
    /// # Errors
    /// When no client could ask for it.
    pub fn parse(text: &str) -> Result<Self, AuthorityFault> {
        let bare = text.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = bare.parse::<IpAddr>() {
            return Ok(Self(address.to_string()));
        }
        let wrong = |why| {
            let name = text.to_owned();
            Err(AuthorityFault::Name { name, why })
        };
        if !text.is_ascii() {
            return wrong("a name in Korean letters goes by its form that begins with xn--");
        }
        let host = text.strip_prefix("*.").unwrap_or(text);
        if host.is_empty() || host.len() > NAME_BYTES_MAX {
            return wrong("it is empty or too long");
        }
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let is_label = |label: &str| {
            (1..=LABEL_BYTES_MAX).contains(&label.len())
                && label.bytes().all(letter)
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        if !host.split('.').all(is_label) {
            return wrong("it has a scheme, a port, a path, or characters that no host name has");
        }
        let last = host.rsplit('.').next().unwrap_or(host);
        if last.bytes().all(|byte| byte.is_ascii_digit()) {
            return wrong("it looks like an address, and is none");
        }
        Ok(Self(text.to_ascii_lowercase()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Those names, and the loopback names behind them, each once.
pub fn with_loopback(names: &[Name]) -> Vec<Name> {
    let mut all: Vec<Name> = Vec::new();
    let loopback = LOOPBACK.map(|name| Name(name.to_owned()));
    for name in names.iter().chain(&loopback) {
        if !all.contains(name) {
            all.push(name.clone());
        }
    }
    all
}

/// A new P-256 key in PEM (PKCS #8).
///
/// # Errors
/// When the operating system has no randomness to give.
pub fn new_key() -> Result<String, AuthorityFault> {
    Ok(KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?.serialize_pem())
}

/// The certificate of a new authority, in PEM: it signs servers and clients, no other authority.
///
/// # Errors
/// When the key can't sign.
pub fn authority(key: Arc<dyn SigningKey>, now: Stamp) -> Result<String, AuthorityFault> {
    let mut params = CertificateParams::default();
    // Two hosts' authorities are told apart by it.
    let mark = data_encoding::HEXLOWER.encode(&Entropy::system().bytes::<4>());
    params.distinguished_name = common_name(&format!("Sumun local authority {mark}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    valid(&mut params, now, AUTHORITY_DAYS);
    Ok(params.self_signed(&Signs::with(key)?)?.pem())
}

/// A certificate for a server's key, in PEM, signed by an authority.
///
/// # Errors
/// When a key can't sign, or the authority's certificate can't be read.
pub fn issue(
    names: &[Name],
    key: Arc<dyn SigningKey>,
    authority: &CertificateDer<'_>,
    authority_key: Arc<dyn SigningKey>,
    now: Stamp,
) -> Result<String, AuthorityFault> {
    let mut params = server_params(names)?;
    params.use_authority_key_identifier_extension = true;
    valid(&mut params, now, SERVER_DAYS);
    let issuer = Issuer::from_ca_cert_der(authority, Signs::with(authority_key)?)?;
    Ok(params.signed_by(&Signs::with(key)?, &issuer)?.pem())
}

/// A certificate signing request (PKCS #10) in PEM, for those names and that key.
///
/// # Errors
/// When the key can't sign.
pub fn request(names: &[Name], key: Arc<dyn SigningKey>) -> Result<String, AuthorityFault> {
    let params = server_params(names)?;
    Ok(params.serialize_request(&Signs::with(key)?)?.pem()?)
}

fn server_params(names: &[Name]) -> Result<CertificateParams, AuthorityFault> {
    let all: Vec<String> = names.iter().map(|name| name.0.clone()).collect();
    let mut params = CertificateParams::new(all)?;
    let short = names.iter().find(|name| name.0.len() <= COMMON_NAME_MAX);
    params.distinguished_name = common_name(short.map_or("Sumun", Name::as_str));
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(params)
}

fn common_name(name: &str) -> rcgen::DistinguishedName {
    let mut known_as = rcgen::DistinguishedName::new();
    known_as.push(DnType::CommonName, name);
    known_as
}

/// From a day ago on, for so many days; with a serial number that no other certificate has, also
/// none of the same key.
fn valid(params: &mut CertificateParams, now: Stamp, days: i64) {
    let at = |s: i64| {
        let since = Duration::from_secs(u64::try_from(s).unwrap_or(0));
        rcgen::date_time_ymd(1970, 1, 1) + since
    };
    let from_s = now.unix_s() - EARLIER_DAYS * DAY_S;
    (params.not_before, params.not_after) = (at(from_s), at(from_s + days * DAY_S));
    let mut serial = Entropy::system().bytes::<16>();
    // Positive, and with no zero in front.
    serial[0] = serial[0] & 0x7f | 0x40;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
}

/// A key of the server as one that signs certificates and requests: any that TLS takes, in any of
/// the forms in which TLS takes it.
struct Signs {
    key: Arc<dyn SigningKey>,
    scheme: SignatureScheme,
    algorithm: &'static SignatureAlgorithm,
    /// The bits of the public key.
    public: Vec<u8>,
}

impl Signs {
    fn with(key: Arc<dyn SigningKey>) -> Result<Self, AuthorityFault> {
        let kinds: [(_, &'static SignatureAlgorithm); 3] = [
            (
                SignatureScheme::ECDSA_NISTP256_SHA256,
                &rcgen::PKCS_ECDSA_P256_SHA256,
            ),
            (
                SignatureScheme::ECDSA_NISTP384_SHA384,
                &rcgen::PKCS_ECDSA_P384_SHA384,
            ),
            (SignatureScheme::RSA_PKCS1_SHA256, &rcgen::PKCS_RSA_SHA256),
        ];
        let can = |(scheme, _): &(SignatureScheme, _)| key.choose_scheme(&[*scheme]).is_some();
        let (scheme, algorithm) = kinds.into_iter().find(can).ok_or(AuthorityFault::KeyKind)?;
        let public = {
            let info = key.public_key().ok_or(AuthorityFault::KeyKind)?;
            let parsed = SubjectPublicKeyInfo::from_der(&info);
            let (_, info) = parsed.map_err(|_| AuthorityFault::KeyKind)?;
            info.subject_public_key.data.to_vec()
        };
        Ok(Self {
            key,
            scheme,
            algorithm,
            public,
        })
    }
}

impl PublicKeyData for Signs {
    fn der_bytes(&self) -> &[u8] {
        &self.public
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.algorithm
    }
}

impl rcgen::SigningKey for Signs {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        let signer = self.key.choose_scheme(&[self.scheme]);
        let signed = signer.and_then(|signer| signer.sign(message).ok());
        signed.ok_or(rcgen::Error::RemoteKeyError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_hosts_and_addresses_and_nothing_else() {
        let as_stands = |text| Name::parse(text).map(|name| name.0).ok();
        for (text, stands) in [
            ("Book.example.go.kr", "book.example.go.kr"),
            ("*.example.go.kr", "*.example.go.kr"),
            ("localhost", "localhost"),
            ("10.1.2.3", "10.1.2.3"),
            ("[2001:DB8::1]", "2001:db8::1"),
            ("xn--3e0b707e", "xn--3e0b707e"),
        ] {
            assert_eq!(as_stands(text).as_deref(), Some(stands), "{text}");
        }
        let long = "a.".repeat(127) + "kr";
        for text in [
            "",
            "https://book.example",
            "book.example:443",
            "book.example/",
            "a b",
            "10.1.2.300",
            "-a.kr",
            "a..kr",
            "a.kr.",
            "예약.kr",
            "*.",
            "a.*.kr",
            "under_score.kr",
            &long,
        ] {
            assert_eq!(as_stands(text), None, "{text}");
        }
        let all = with_loopback(&[Name("a.kr".into()), Name("::1".into()), Name("a.kr".into())]);
        let all: Vec<_> = all.iter().map(Name::as_str).collect();
        assert_eq!(all, ["a.kr", "::1", "localhost", "127.0.0.1"]);
    }
}
