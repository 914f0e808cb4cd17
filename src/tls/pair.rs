//! A certificate chain and its key, checked before they are used.
//!
//! What is refused: files that can't be read, are no PEM, or are cut; a key that others can read,
//! that is encrypted, or that belongs to another certificate; a certificate that is not valid now.
//! What is warned of: the end of the certificate from 30 days before it, and a chain that clients
//! may not be able to follow.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::sign::{CertifiedKey, SigningKey};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::certificate::X509Certificate;
use x509_parser::error::X509Error;
use x509_parser::prelude::FromDer as _;

use super::WARN_DAYS;
use super::described::Described;
use super::fault::{CertificateWarning, PairFault};
use crate::domain::time::Stamp;

/// A chain of a dozen certificates has 24 kB.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// What a key's mode may not have: writing or running by the group, anything by everybody.
const MODE_NOT_FOR_KEYS: u32 = 0o037;

/// Where a certificate and its key lie.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Files {
    /// PEM, the server's own certificate first.
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// A certificate and its key, which can be used.
#[derive(Clone, Debug)]
pub struct Pair {
    /// What clients are sent: the chain without a self-signed authority at its end.
    pub certified: Arc<CertifiedKey>,
    /// The server's own certificate.
    pub described: Described,
    /// What is to be said of the chain; its end is in `warnings`.
    chain_warnings: Vec<CertificateWarning>,
    path: PathBuf,
}

impl Pair {
    /// Reads and checks a pair as of `now`, which is the wall clock.
    ///
    /// # Errors
    /// When it can't be used: says which file, why, and what to do.
    pub fn read(files: &Files, now: Stamp) -> Result<Self, PairFault> {
        let key = read_key(&files.key)?;
        let chain = read_chain(&files.certificate)?;
        let path = files.certificate.clone();
        let described = described(&chain, &path)?;
        let mut certified = CertifiedKey::new(chain, key);
        if certified.keys_match().is_err() {
            return Err(PairFault::Mismatch {
                belongs_to_number: owner_of(&certified),
                certificate: path,
                key: files.key.clone(),
            });
        }
        let (from_s, until_s) = (described[0].from_s, described[0].until_s);
        if now.unix_s() < from_s {
            return Err(PairFault::NotYetValid { path, from_s });
        }
        if now.unix_s() >= until_s {
            return Err(PairFault::Expired { path, until_s });
        }
        let chain_warnings = chain_warnings(&certified.cert, &described, &path, now);
        // A client that trusts the authority at the end has it; it need not be sent (RFC 8446,
        // 4.4.2).
        if described.len() > 1 && described.last().is_some_and(|last| last.is_self_signed) {
            certified.cert.pop();
        }
        Ok(Self {
            chain_warnings,
            described: described[0].clone(),
            certified: Arc::new(certified),
            path,
        })
    }

    /// What should be looked at now.
    pub fn warnings(&self, now: Stamp) -> Vec<CertificateWarning> {
        let (path, until_s) = (self.path.clone(), self.described.until_s);
        let days = self.described.days_left(now);
        let end = if days < 0 {
            Some(CertificateWarning::Ended { path, until_s })
        } else if days < WARN_DAYS {
            Some(CertificateWarning::EndsSoon {
                path,
                days,
                until_s,
            })
        } else {
            None
        };
        end.into_iter()
            .chain(self.chain_warnings.iter().cloned())
            .collect()
    }
}

/// The certificates of a PEM file, the server's own first.
///
/// # Errors
/// When the file can't be read, is cut, or holds none.
pub fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, PairFault> {
    let path_of = || path.to_path_buf();
    let (text, _) = read_file(path).map_err(|why| PairFault::CertificateUnread {
        path: path_of(),
        why,
    })?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let chain = chain.map_err(|error| PairFault::ChainDamaged {
        path: path_of(),
        why: error.to_string(),
    })?;
    if chain.is_empty() {
        return Err(PairFault::ChainEmpty { path: path_of() });
    }
    Ok(chain)
}

/// A private key that only those may read who must, as one that can sign.
///
/// # Errors
/// When it can't be read, others can read it, it is encrypted, or of a kind that can't be used.
pub fn read_key(path: &Path) -> Result<Arc<dyn SigningKey>, PairFault> {
    let path_of = || path.to_path_buf();
    let (text, mode) = read_file(path).map_err(|why| PairFault::KeyUnread {
        path: path_of(),
        why,
    })?;
    if mode & MODE_NOT_FOR_KEYS != 0 {
        let (path, mode) = (path_of(), mode & 0o7777);
        return Err(PairFault::KeyOpen { path, mode });
    }
    if is_encrypted(&text) {
        return Err(PairFault::KeyEncrypted { path: path_of() });
    }
    let private = PrivateKeyDer::from_pem_slice(&text).map_err(|error| PairFault::KeyMissing {
        path: path_of(),
        why: error.to_string(),
    })?;
    rustls::crypto::ring::sign::any_supported_type(&private)
        .map_err(|_| PairFault::KeyUnusable { path: path_of() })
}

/// PKCS #8 says it in the header, the older form in a line below it.
fn is_encrypted(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED")
}

/// The bytes of a file and its mode, of one and the same file even while it is replaced.
fn read_file(path: &Path) -> io::Result<(Vec<u8>, u32)> {
    // Reading a pipe would wait for somebody to write to it.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let file = File::open(path)?;
    let mode = file.metadata()?.permissions().mode();
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(io::Error::other("it is longer than 1 MiB"));
    }
    Ok((bytes, mode))
}

fn described(chain: &[CertificateDer<'_>], path: &Path) -> Result<Vec<Described>, PairFault> {
    let described = |(at, der)| {
        Described::of(der).ok_or_else(|| PairFault::NotX509 {
            path: path.to_path_buf(),
            at: at + 1,
        })
    };
    chain.iter().enumerate().map(described).collect()
}

/// Which certificate behind the first the key belongs to, from 1.
fn owner_of(certified: &CertifiedKey) -> Option<usize> {
    let is_owner = |der: &CertificateDer<'static>| {
        CertifiedKey::new(vec![der.clone()], Arc::clone(&certified.key))
            .keys_match()
            .is_ok()
    };
    certified.cert.iter().position(is_owner).map(|at| at + 1)
}

fn chain_warnings(
    chain: &[CertificateDer<'_>],
    described: &[Described],
    path: &Path,
    now: Stamp,
) -> Vec<CertificateWarning> {
    let path = || path.to_path_buf();
    let mut warnings = Vec::new();
    let first = &described[0];
    if first.names.is_empty() {
        warnings.push(CertificateWarning::NoNames { path: path() });
    }
    if chain.len() == 1 && !first.is_self_signed {
        let issuer = first.issuer.clone();
        warnings.push(CertificateWarning::ChainShort {
            path: path(),
            issuer,
        });
    }
    for (at, pair) in chain.windows(2).enumerate() {
        if !is_signed_by(&pair[0], &pair[1]) {
            let at = at + 1;
            warnings.push(CertificateWarning::ChainBroken { path: path(), at });
        }
    }
    for (at, above) in described.iter().enumerate().skip(1) {
        if now.unix_s() < above.from_s || now.unix_s() >= above.until_s {
            let at = at + 1;
            warnings.push(CertificateWarning::ChainOutOfDate { path: path(), at });
        }
    }
    warnings
}

/// Whether the signature fits. A signature of a kind that can't be checked here counts as fitting.
fn is_signed_by(certificate: &CertificateDer<'_>, signer: &CertificateDer<'_>) -> bool {
    let parse = |der| X509Certificate::from_der(der).ok();
    let (Some((_, certificate)), Some((_, signer))) = (parse(certificate), parse(signer)) else {
        return false;
    };
    certificate.issuer() == signer.subject()
        && matches!(
            certificate.verify_signature(Some(signer.public_key())),
            Ok(()) | Err(X509Error::SignatureUnsupportedAlgorithm)
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_does_not_end_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("long.pem");
        let file = File::create(&path).unwrap();
        file.set_len(FILE_BYTES_MAX).unwrap();
        assert!(matches!(
            read_chain(&path),
            Err(PairFault::ChainEmpty { .. })
        ));
        file.set_len(FILE_BYTES_MAX + 1).unwrap();
        let told = read_chain(&path).unwrap_err().to_string();
        assert!(told.contains("longer than 1 MiB"), "{told}");
        for no_file in [Path::new("/dev/zero"), folder.path()] {
            let told = read_chain(no_file).unwrap_err().to_string();
            assert!(told.contains("it is no file"), "{told}");
        }
    }
}
