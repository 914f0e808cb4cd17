//! What a certificate says of itself.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use jiff::Timestamp;
use rustls_pki_types::CertificateDer;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::PublicKey;

use crate::domain::time::Stamp;

const DAY_S: i64 = 86_400;

/// A certificate in words and numbers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Described {
    /// Host names and addresses that it is for.
    pub names: Vec<String>,
    pub subject: String,
    pub issuer: String,
    pub is_self_signed: bool,
    /// Seconds since 1970 from which, and until which, it is valid.
    pub from_s: i64,
    pub until_s: i64,
    /// As "P-256" or "RSA 2048".
    pub key: String,
    /// SHA-256 of its DER form, in hexadecimal.
    pub sha256: String,
}

impl Described {
    /// None if the bytes are no X.509 certificate.
    pub fn of(der: &CertificateDer<'_>) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let validity = certificate.validity();
        let digest = ring::digest::digest(&ring::digest::SHA256, der);
        Some(Self {
            names: names(&certificate),
            subject: certificate.subject().to_string(),
            issuer: certificate.issuer().to_string(),
            is_self_signed: certificate.subject() == certificate.issuer(),
            from_s: validity.not_before.timestamp(),
            until_s: validity.not_after.timestamp(),
            key: key(&certificate),
            sha256: data_encoding::HEXLOWER.encode(digest.as_ref()),
        })
    }

    /// Whole days until it ends; negative when it has ended.
    pub fn days_left(&self, now: Stamp) -> i64 {
        self.until_s.saturating_sub(now.unix_s()).div_euclid(DAY_S)
    }

    /// Whether the certificate is for a host: a name, an IPv4 address, or an IPv6 address in
    /// brackets.
    pub fn is_for(&self, host: &str) -> bool {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let parent = host.split_once('.').map(|(_, parent)| parent);
        self.names.iter().any(|name| {
            let wild = name.strip_prefix("*.");
            name.eq_ignore_ascii_case(host)
                || wild
                    .is_some_and(|of| parent.is_some_and(|parent| parent.eq_ignore_ascii_case(of)))
        })
    }
}

/// An instant of a certificate, in UTC.
pub fn date(unix_s: i64) -> String {
    match Timestamp::from_second(unix_s) {
        Ok(instant) => instant.to_string(),
        Err(_) => format!("second {unix_s} after 1970"),
    }
}

fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else {
        return Vec::new();
    };
    let named = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => address(bytes).map(|address| address.to_string()),
        _ => None,
    };
    extension
        .value
        .general_names
        .iter()
        .filter_map(named)
        .collect()
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes)
            .ok()
            .map(|bytes| Ipv4Addr::from(bytes).into()),
        16 => <[u8; 16]>::try_from(bytes)
            .ok()
            .map(|bytes| Ipv6Addr::from(bytes).into()),
        _ => None,
    }
}

fn key(certificate: &X509Certificate<'_>) -> String {
    match certificate.public_key().parsed() {
        Ok(PublicKey::RSA(key)) => format!("RSA {}", key.key_size()),
        Ok(PublicKey::EC(point)) => format!("P-{}", point.key_size()),
        _ => "another kind".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_a_star_is_for_hosts_one_label_below() {
        let described = Described {
            names: ["*.example.go.kr", "book.example", "10.1.2.3", "::1"]
                .map(str::to_owned)
                .into(),
            subject: String::new(),
            issuer: String::new(),
            is_self_signed: false,
            from_s: 0,
            until_s: 10 * DAY_S,
            key: String::new(),
            sha256: String::new(),
        };
        for host in ["Book.example.go.kr", "book.example", "10.1.2.3", "[::1]"] {
            assert!(described.is_for(host), "{host}");
        }
        for host in ["example.go.kr", "a.b.example.go.kr", "10.1.2.4", "example"] {
            assert!(!described.is_for(host), "{host}");
        }
        let left = |s: i64| described.days_left(Stamp(s * Stamp::SECOND));
        assert_eq!(
            (left(0), left(10 * DAY_S - 1), left(10 * DAY_S)),
            (10, 0, 0)
        );
        assert_eq!(left(10 * DAY_S + 1), -1);
    }
}
