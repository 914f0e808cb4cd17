//! A crowd of hostile connections, in a thread of its own: as many as asked for at every moment,
//! from many addresses of loopback, for so long.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;

use super::kinds::{Kind, behave};

/// One that is ended comes again after this.
const AGAIN: Duration = Duration::from_millis(250);

/// What a crowd is.
#[derive(Clone)]
pub struct Crowd {
    pub server: SocketAddr,
    pub tls: bool,
    pub kinds: Vec<Kind>,
    pub connections: u64,
    /// The addresses that it comes from.
    pub addresses: u64,
}

/// A crowd that is there.
pub struct Gathered {
    figures: Arc<Figures>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
pub struct Figures {
    /// Connections that stand.
    pub open: AtomicU64,
    /// Connections that the server ended.
    pub ended: AtomicU64,
    /// The most that the server took from one connection.
    pub taken_max: AtomicU64,
    stop: AtomicBool,
}

impl Crowd {
    /// Gathers the crowd; it goes when what is returned is dropped.
    pub fn gather(self) -> Gathered {
        let figures = Arc::new(Figures::default());
        let its = Arc::clone(&figures);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(self.go(its));
        });
        Gathered {
            figures,
            thread: Some(thread),
        }
    }

    async fn go(self, figures: Arc<Figures>) {
        for at in 0..self.connections {
            let (crowd, figures) = (self.clone(), Arc::clone(&figures));
            tokio::spawn(async move { crowd.one(at, &figures).await });
            if at % 100 == 99 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        while !figures.stop.load(Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// One connection after the other.
    async fn one(&self, at: u64, figures: &Figures) {
        let kind = self.kinds[at as usize % self.kinds.len()];
        loop {
            if let Ok(tcp) = self.connect(at).await {
                figures.open.fetch_add(1, Ordering::Relaxed);
                let taken = self.behave(kind, tcp).await.unwrap_or(0);
                figures.open.fetch_sub(1, Ordering::Relaxed);
                figures.ended.fetch_add(1, Ordering::Relaxed);
                figures.taken_max.fetch_max(taken, Ordering::Relaxed);
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    async fn connect(&self, at: u64) -> io::Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::new(address(at % self.addresses), 0))?;
        socket.connect(self.server).await
    }

    async fn behave(&self, kind: Kind, mut tcp: TcpStream) -> io::Result<u64> {
        if !self.tls || matches!(kind, Kind::Silent | Kind::HalfHandshake) {
            return behave(kind, &mut tcp).await;
        }
        let name = ServerName::try_from("localhost").unwrap();
        let mut tls = connector().connect(name, tcp).await?;
        behave(kind, &mut tls).await
    }
}

/// Addresses of loopback, each in another /24 than the one before.
pub fn address(at: u64) -> IpAddr {
    let (group, network) = (at / 250 % 250, at % 250);
    IpAddr::V4(Ipv4Addr::new(127, 1 + group as u8, 1 + network as u8, 1))
}

impl Gathered {
    pub fn figures(&self) -> &Figures {
        &self.figures
    }

    pub fn open(&self) -> u64 {
        self.figures.open.load(Ordering::Relaxed)
    }

    /// Waits until so many stand, a minute at the most.
    pub fn wait_for(&self, open: u64) {
        for _ in 0..600 {
            if self.open() >= open {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("only {} of {open} connections stand", self.open());
    }
}

impl Drop for Gathered {
    fn drop(&mut self) {
        self.figures.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Takes any certificate: the server under test has one that it made itself.
#[derive(Debug)]
struct AnyCertificate;

fn connector() -> TlsConnector {
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(ring)
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate))
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![
            SignatureScheme::ECDSA_NISTP256_SHA256,
            SignatureScheme::RSA_PSS_SHA256,
        ]
    }
}
