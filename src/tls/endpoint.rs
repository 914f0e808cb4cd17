//! The TLS of one listener: made from files, and made anew from them while serving.
//!
//! New connections take what is in use when they shake hands; connections that stand keep what they
//! have. What does not pass `Pair::read` never comes into use.
//!
//! Tickets: a client that comes back with one needs no signature, and the server keeps nothing for
//! it. Their keys are random and rotate: rustls's ring `Ticketer` makes a new key every 6 hours and
//! takes tickets of the key before, so a ticket is good for 12 hours at the most
//! (`rustls::crypto::ring::ticketer`: `TicketRotator::new(6 * 60 * 60, …)`). Tickets outlive a
//! change of the certificate, and end with the process.
//! A listener that asks for client certificates gives none: every handshake looks at the client's
//! certificate, so what a change of the authority takes away is gone at once.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use rustls::crypto::CryptoProvider;
use rustls::server::{
    ClientHello, NoServerSessionStorage, ProducesTickets, ResolvesServerCert,
    ServerSessionMemoryCache, StoresServerSessions, WebPkiClientVerifier,
};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{RootCertStore, ServerConfig};

use super::fault::{CertificateWarning, PairFault};
use super::pair::{Files, Pair, read_chain};
use crate::domain::time::Stamp;

/// Sessions of TLS 1.2 clients that take no tickets.
const SESSIONS_MAX: usize = 256;
/// Tickets that a TLS 1.3 client gets: a browser opens a second connection beside the first.
const TICKETS: usize = 2;

/// The TLS of one listener.
#[derive(Debug)]
pub struct Endpoint {
    files: Files,
    /// The authorities whose client certificates are taken; without, clients need none.
    client_ca: Option<PathBuf>,
    tickets: Option<Arc<dyn ProducesTickets>>,
    sessions: Arc<dyn StoresServerSessions>,
    current: ArcSwap<Current>,
}

/// What new connections take.
#[derive(Debug)]
struct Current {
    pair: Pair,
    config: Arc<ServerConfig>,
}

impl Endpoint {
    /// Reads and checks the files. With `client_ca`, a file of authorities in PEM, only clients
    /// with a certificate that one of them signed get through the handshake.
    ///
    /// # Errors
    /// When the pair or the authorities can't be used.
    pub fn open(files: Files, client_ca: Option<PathBuf>, now: Stamp) -> Result<Self, PairFault> {
        let (tickets, sessions): (_, Arc<dyn StoresServerSessions>) = if client_ca.is_some() {
            (None, Arc::new(NoServerSessionStorage {}))
        } else {
            let tickets = rustls::crypto::ring::Ticketer::new()?;
            (Some(tickets), ServerSessionMemoryCache::new(SESSIONS_MAX))
        };
        let current = Current::read(&files, client_ca.as_ref(), tickets.as_ref(), &sessions, now)?;
        Ok(Self {
            files,
            client_ca,
            tickets,
            sessions,
            current: ArcSwap::from_pointee(current),
        })
    }

    /// Takes what is in the files now.
    ///
    /// # Errors
    /// When it can't be used: then what is in use stays.
    pub fn reload(&self, now: Stamp) -> Result<(), PairFault> {
        let current = Current::read(
            &self.files,
            self.client_ca.as_ref(),
            self.tickets.as_ref(),
            &self.sessions,
            now,
        )?;
        self.current.store(Arc::new(current));
        Ok(())
    }

    /// The same for a server that keeps one for ever: its certificate is the one in use. Who the
    /// authorities of its clients are is read once.
    pub fn kept_config(self: &Arc<Self>) -> ServerConfig {
        let mut config = ServerConfig::clone(&self.config());
        config.cert_resolver = Arc::new(InUse(Arc::clone(self)));
        config
    }

    /// What a new connection takes.
    pub fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.current.load().config)
    }

    /// When the certificate in use ends, in seconds since 1970.
    pub fn ends_s(&self) -> i64 {
        self.current.load().pair.described.until_s
    }

    /// Whole days until then; negative when it has ended.
    pub fn days_left(&self, now: Stamp) -> i64 {
        self.current.load().pair.described.days_left(now)
    }

    /// What should be looked at now.
    pub fn warnings(&self, now: Stamp) -> Vec<CertificateWarning> {
        self.current.load().pair.warnings(now)
    }
}

/// Shows clients the certificate that is in use when they come.
#[derive(Debug)]
struct InUse(Arc<Endpoint>);

impl ResolvesServerCert for InUse {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.current.load().pair.certified))
    }
}

impl Current {
    fn read(
        files: &Files,
        client_ca: Option<&PathBuf>,
        tickets: Option<&Arc<dyn ProducesTickets>>,
        sessions: &Arc<dyn StoresServerSessions>,
        now: Stamp,
    ) -> Result<Self, PairFault> {
        let pair = Pair::read(files, now)?;
        let ring = Arc::new(rustls::crypto::ring::default_provider());
        // TLS 1.2 and 1.3.
        let building = ServerConfig::builder_with_provider(Arc::clone(&ring))
            .with_safe_default_protocol_versions()?;
        let building = match client_ca {
            None => building.with_no_client_auth(),
            Some(path) => building.with_client_cert_verifier(verifier(path, ring)?),
        };
        let certified = SingleCertAndKey::from(Arc::clone(&pair.certified));
        let mut config = building.with_cert_resolver(Arc::new(certified));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        config.session_storage = Arc::clone(sessions);
        match tickets {
            Some(tickets) => {
                config.ticketer = Arc::clone(tickets);
                config.send_tls13_tickets = TICKETS;
            }
            None => config.send_tls13_tickets = 0,
        }
        let config = Arc::new(config);
        Ok(Self { pair, config })
    }
}

/// Takes clients with a certificate of these authorities, and nobody else.
fn verifier(
    path: &Path,
    ring: Arc<CryptoProvider>,
) -> Result<Arc<dyn rustls::server::danger::ClientCertVerifier>, PairFault> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(read_chain(path)?);
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), ring).build();
    verifier.map_err(|_| PairFault::NoAuthority {
        path: path.to_path_buf(),
    })
}

/// The endpoints of a server, for whatever tells of them; empty until its listeners open.
#[derive(Debug, Default)]
pub struct Endpoints(OnceLock<Vec<(&'static str, Arc<Endpoint>)>>);

impl Endpoints {
    /// Tells them, each with the name of its listener. Once; a second time changes nothing.
    pub fn tell(&self, endpoints: Vec<(&'static str, Arc<Endpoint>)>) {
        let _ = self.0.set(endpoints);
    }

    pub fn all(&self) -> &[(&'static str, Arc<Endpoint>)] {
        self.0.get().map_or(&[], Vec::as_slice)
    }
}
