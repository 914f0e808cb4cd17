//! Why a certificate and its key can't be used, and what to look at though they can: each says
//! which file, why, and what to do.

use std::io;
use std::path::PathBuf;

use super::described::date;

/// Why a pair is refused.
#[derive(Debug, thiserror::Error)]
pub enum PairFault {
    #[error("can't read the certificate {}: {why}; {}", path.display(), to_read(why))]
    CertificateUnread { path: PathBuf, why: io::Error },
    #[error("can't read the key {}: {why}; {}", path.display(), to_read(why))]
    KeyUnread { path: PathBuf, why: io::Error },
    #[error(
        "the key {} can be read by others than its owner (mode {mode:04o}): chmod 0600 it, or \
         0640 where a group must read it, and make a new key if somebody may have read it",
        path.display()
    )]
    KeyOpen { path: PathBuf, mode: u32 },
    #[error(
        "the key {0} is encrypted, and nobody types its password when the server starts: decrypt \
         it with (umask 077; openssl pkey -in {0} -out {0}.plain) and mv {0}.plain {0}",
        path.display()
    )]
    KeyEncrypted { path: PathBuf },
    #[error(
        "{} holds no private key in PEM ({why}): it may be cut, or another file; put the key of \
         the certificate there",
        path.display()
    )]
    KeyMissing { path: PathBuf, why: String },
    #[error(
        "the key {} can't be used: it must be P-256, P-384, Ed25519, or RSA of 2048 to 4096 bits",
        path.display()
    )]
    KeyUnusable { path: PathBuf },
    #[error(
        "{} can't be read as certificates in PEM ({why}): it may be cut; put the whole chain \
         there, the server's own first",
        path.display()
    )]
    ChainDamaged { path: PathBuf, why: String },
    #[error(
        "{} holds no certificate in PEM: put the chain there, the server's own first",
        path.display()
    )]
    ChainEmpty { path: PathBuf },
    #[error(
        "certificate {at} in {} is no X.509 certificate: put the whole chain there anew",
        path.display()
    )]
    NotX509 { path: PathBuf, at: usize },
    #[error(
        "the key {} does not belong to {}: put both files of one pair there{}",
        key.display(),
        certificate.display(),
        belongs_to(*belongs_to_number)
    )]
    Mismatch {
        certificate: PathBuf,
        key: PathBuf,
        /// Which certificate of the file it belongs to instead, from 1.
        belongs_to_number: Option<usize>,
    },
    #[error(
        "the certificate {} is not valid before {}: put one there that is, or set the clock right",
        path.display(),
        date(*from_s)
    )]
    NotYetValid { path: PathBuf, from_s: i64 },
    #[error(
        "the certificate {} has expired on {}: put a new one there (`sumun certs renew` for one \
         of this folder's own authority, `sumun certs request` for one of the agency's), or set \
         the clock right",
        path.display(),
        date(*until_s)
    )]
    Expired { path: PathBuf, until_s: i64 },
    #[error(
        "{} holds no authority that can be trusted for client certificates: put its certificate \
         there in PEM",
        path.display()
    )]
    NoAuthority { path: PathBuf },
    #[error(
        "{} holds no authority that can be trusted for the provider's certificate: put the \
         certificate of the authority that signed it there in PEM",
        path.display()
    )]
    NoProviderAuthority { path: PathBuf },
    #[error("TLS can't be set up: {0}")]
    Tls(#[from] rustls::Error),
}

/// What should be looked at though the pair can be used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CertificateWarning {
    #[error(
        "the certificate {} ends in {days} days, on {}: renew it",
        path.display(),
        date(*until_s)
    )]
    EndsSoon {
        path: PathBuf,
        days: i64,
        until_s: i64,
    },
    #[error(
        "the certificate {} has expired on {}: renew it",
        path.display(),
        date(*until_s)
    )]
    Ended { path: PathBuf, until_s: i64 },
    #[error(
        "certificate {at} in {} is not signed by the one behind it: put the server's own first, \
         then each with the one that signed it behind it",
        path.display()
    )]
    ChainBroken { path: PathBuf, at: usize },
    #[error(
        "certificate {at} in {} is not valid now: put the authority's present one there",
        path.display()
    )]
    ChainOutOfDate { path: PathBuf, at: usize },
    #[error(
        "{} holds the server's certificate alone, which \"{issuer}\" signed: if that is an \
         intermediate authority, put its certificate behind the server's, or some clients will \
         not trust it",
        path.display()
    )]
    ChainShort { path: PathBuf, issuer: String },
    #[error(
        "the certificate {} names no host (no subject alternative name): browsers refuse it",
        path.display()
    )]
    NoNames { path: PathBuf },
}

impl CertificateWarning {
    /// Whether it is of the certificate's end, and not of the chain.
    pub fn is_of_end(&self) -> bool {
        matches!(self, Self::EndsSoon { .. } | Self::Ended { .. })
    }
}

fn to_read(why: &io::Error) -> &'static str {
    match why.kind() {
        io::ErrorKind::NotFound => {
            "put it there, or name another in server.toml; `sumun init` makes one"
        }
        io::ErrorKind::PermissionDenied => {
            "let the server's user read it (chown, or chmod 0640 and its group)"
        }
        _ => "name a file in server.toml",
    }
}

fn belongs_to(number: Option<usize>) -> String {
    match number {
        Some(number) => {
            format!("; it belongs to certificate {number} of the file, which must be first")
        }
        None => String::new(),
    }
}
