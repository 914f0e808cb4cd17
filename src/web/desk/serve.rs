//! The listener of the desk: TLS as people have it, or with clients' certificates; a worker of its
//! own, so that nobody behind the desk waits for the crowd.

use std::any::Any;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::{Extensions, Server};
use actix_web::rt::net::TcpStream;
use actix_web::{App, HttpServer, web};
use tokio_rustls::server::TlsStream;

use super::staff::Presented;
use crate::crypto::sha256;
use crate::service::Service;
use crate::tls::Endpoint;

/// Connections at the same time: some for each of 13,000 sites.
const CONNECTIONS_MAX: usize = 20_000;
/// A request's head must arrive within this.
const HEAD_MAX: Duration = Duration::from_secs(20);
/// A connection without a request is kept for this.
const KEPT: Duration = Duration::from_secs(60);
/// Answers that are on their way when the server stops have this long.
const SHUTDOWN_S: u64 = 2;

/// The desk, ready to be run; without TLS only where the settings allow it.
pub fn serve(
    sockets: Vec<TcpListener>,
    service: Arc<Service>,
    tls: Option<Arc<Endpoint>>,
) -> anyhow::Result<Option<Server>> {
    if sockets.is_empty() {
        return Ok(None);
    }
    let mut server = HttpServer::new(move || {
        App::new()
            .app_data(web::Data::from(Arc::clone(&service)))
            .configure(super::configure)
    })
    .workers(1)
    .max_connections(CONNECTIONS_MAX)
    .client_request_timeout(HEAD_MAX)
    .keep_alive(KEPT)
    .shutdown_timeout(SHUTDOWN_S)
    .disable_signals()
    .on_connect(present);
    for socket in sockets {
        server = match &tls {
            Some(tls) => {
                let config = rustls::ServerConfig::clone(&tls.config());
                server.listen_rustls_0_23(socket, config)?
            }
            None => server.listen(socket)?,
        };
    }
    Ok(Some(server.run()))
}

/// Keeps the certificate that a client showed beside its connection.
fn present(connection: &dyn Any, data: &mut Extensions) {
    let stream = connection.downcast_ref::<TlsStream<TcpStream>>();
    let shown = stream.and_then(|stream| stream.get_ref().1.peer_certificates()?.first());
    if let Some(certificate) = shown {
        data.insert(Presented(sha256(certificate)));
    }
}

/// Where the desk is to be found, as people write it.
pub fn address(listen: SocketAddr, is_plain: bool) -> String {
    let scheme = if is_plain { "http" } else { "https" };
    format!("{scheme}://{listen}/desk")
}
