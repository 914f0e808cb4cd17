//! The TLS of the one call that the server itself makes: to the agency's own provider of accounts,
//! with ring, trusting the authorities of one file and nobody else.

use std::path::Path;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::crypto::ring;
use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};

use super::fault::PairFault;
use super::pair::read_chain;

/// TLS that trusts the authorities of this file alone.
///
/// # Errors
/// When the file can't be read, or holds none.
pub fn trusting(authority: &Path) -> Result<TlsConfig, PairFault> {
    let chain = read_chain(authority)?;
    let (fit, _) = RootCertStore::empty().add_parsable_certificates(chain.iter().cloned());
    if fit == 0 {
        return Err(PairFault::NoProviderAuthority {
            path: authority.to_path_buf(),
        });
    }
    let roots = chain
        .iter()
        .map(|der| Certificate::from_der(der).to_owned());
    let roots = RootCerts::Specific(Arc::new(roots.collect()));
    let config = TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .root_certs(roots)
        .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()));
    Ok(config.build())
}
