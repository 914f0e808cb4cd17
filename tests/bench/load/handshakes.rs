//! Full TLS handshakes a second: connects, shakes hands, asks once, goes; no ticket is ever used.
//!
//! The client believes any certificate, so that as much as can be of the machine is the server's.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring::{default_provider, kx_group};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use serde_json::json;

use super::Done;
use super::measure::{Busy, keep};

/// Clients that each shake one hand after the other: enough to keep every core busy.
const CLIENTS: usize = 16;

pub fn handshakes(
    results: &Path,
    name: &str,
    address: SocketAddr,
    server: Option<u32>,
    run_for: Duration,
) -> Done {
    let mut provider = default_provider();
    // P-256 for the key exchange too; the certificate's key is.
    provider.kx_groups = vec![kx_group::SECP256R1];
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anyone))
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    let config = Arc::new(config);
    let (done, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let busy = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| {
                scope.spawn(|| -> std::io::Result<()> {
                    while !stop.load(Ordering::Relaxed) {
                        shake(address, &config)?;
                        done.fetch_add(1, Ordering::Relaxed);
                    }
                    Ok(())
                })
            })
            .collect();
        std::thread::sleep(Duration::from_secs(1));
        done.store(0, Ordering::Relaxed);
        let busy = Busy::begin(server);
        std::thread::sleep(run_for);
        let (count, seconds) = (done.load(Ordering::Relaxed), busy.seconds());
        let busy = busy.end();
        stop.store(true, Ordering::Relaxed);
        for client in clients {
            client.join().expect("a client does not panic")?;
        }
        std::io::Result::Ok((count as f64 / seconds, busy))
    });
    let (per_s, busy) = busy?;
    keep(
        results,
        name,
        json!({ "per_s": per_s.round(), "busy": busy }),
    )?;
    Ok(())
}

fn shake(address: SocketAddr, config: &Arc<ClientConfig>) -> std::io::Result<()> {
    let mut tcp = TcpStream::connect(address)?;
    tcp.set_nodelay(true)?;
    let name = ServerName::try_from("localhost").expect("a host's name");
    let client = ClientConnection::new(Arc::clone(config), name);
    let mut client = client.map_err(std::io::Error::other)?;
    let mut tls = rustls::Stream::new(&mut client, &mut tcp);
    tls.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut start = [0; 12];
    tls.read_exact(&mut start)?;
    match &start {
        b"HTTP/1.1 200" => Ok(()),
        other => Err(std::io::Error::other(
            String::from_utf8_lossy(other).into_owned(),
        )),
    }
}

/// Believes everybody: a measurement trusts nobody with anything.
#[derive(Debug)]
struct Anyone;

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ECDSA_NISTP256_SHA256]
    }
}
