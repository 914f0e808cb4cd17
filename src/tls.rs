//! HTTPS: rustls with ring, and a certificate that can be replaced while serving.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// The certificate and key in use.
#[derive(Debug)]
pub struct Certificates {
    certificate: PathBuf,
    key: PathBuf,
    current: ArcSwap<CertifiedKey>,
}

impl Certificates {
    pub fn load(certificate: PathBuf, key: PathBuf) -> anyhow::Result<Self> {
        let current = ArcSwap::from_pointee(read(&certificate, &key)?);
        Ok(Self {
            certificate,
            key,
            current,
        })
    }

    /// Takes what is in the files now; on an error the one in use stays.
    pub fn reload(&self) -> anyhow::Result<()> {
        self.current
            .store(Arc::new(read(&self.certificate, &self.key)?));
        Ok(())
    }

    pub fn server_config(self: &Arc<Self>) -> anyhow::Result<ServerConfig> {
        let ring = Arc::new(rustls::crypto::ring::default_provider());
        let resolver: Arc<dyn ResolvesServerCert> = Arc::clone(self) as _;
        let mut config = ServerConfig::builder_with_provider(ring)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(resolver);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // Who comes back with a ticket needs no signature, and the server no memory of them.
        config.ticketer = rustls::crypto::ring::Ticketer::new()?;
        config.send_tls13_tickets = 2;
        Ok(config)
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }
}

fn read(certificate: &Path, key: &Path) -> anyhow::Result<CertifiedKey> {
    let chain = read_chain(certificate)?;
    let text = fs::read(key).with_context(|| format!("can't read the key {}", key.display()))?;
    let private = PrivateKeyDer::from_pem_slice(&text).map_err(|error| {
        anyhow::anyhow!("{} holds no private key in PEM: {error}", key.display())
    })?;
    let signing = rustls::crypto::ring::sign::any_supported_type(&private)
        .with_context(|| format!("the key {} can't be used", key.display()))?;
    let certified = CertifiedKey::new(chain, signing);
    if certified.keys_match().is_err() {
        bail!(
            "the key {} does not belong to {}",
            key.display(),
            certificate.display()
        );
    }
    Ok(certified)
}

/// The certificates of a PEM file, the server's own first.
pub fn read_chain(path: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let text = fs::read(path);
    let text = text.with_context(|| format!("can't read the certificate {}", path.display()))?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let chain = chain.map_err(|error| anyhow::anyhow!("{}: {error}", path.display()))?;
    if chain.is_empty() {
        bail!("{} holds no certificate in PEM", path.display());
    }
    Ok(chain)
}
