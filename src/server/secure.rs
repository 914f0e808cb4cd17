//! The TLS of a server's listeners: opened at start, made anew at SIGHUP, looked at once a day; and
//! the listener that sends people without TLS on to it.

use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use actix_server::{Server, ServerHandle};

use super::door_settings;
use crate::clock::wall;
use crate::config::Config;
use crate::ops::folder::Folder;
use crate::service::Service;
use crate::tls::{Endpoint, Files, PairFault};
use crate::web::door::{self, Listener, load::Load};

/// How often what should be looked at is said again.
const SAY_AGAIN: Duration = Duration::from_secs(24 * 60 * 60);

/// Connections of people who came without TLS: each is asked one thing, and closed.
pub const REDIRECT_CONNECTIONS_MAX: usize = 2_048;
const REDIRECT_HELD_BYTES_MAX: usize = 4 << 20;

/// The endpoints of a server, each with the name of its listener.
#[derive(Clone, Default)]
pub struct Secure {
    pub public: Option<Arc<Endpoint>>,
    pub admin: Option<Arc<Endpoint>>,
    pub desk: Option<Arc<Endpoint>>,
}

impl Secure {
    /// Reads and checks what the settings name, or what the service manager handed over; paths are
    /// relative to the folder.
    pub fn open(folder: &Folder, config: &Config) -> Result<Self, PairFault> {
        let files = |certificate: &PathBuf, key: &PathBuf| Files {
            certificate: folder.path().join(certificate),
            key: folder.path().join(key),
        };
        let own = folder.certificate_files(config);
        let admin_pair = (&config.admin_certificate, &config.admin_certificate_key);
        let admin = match admin_pair {
            (Some(certificate), Some(key)) => files(certificate, key),
            _ => own.clone(),
        };
        let mut secure = Self::default();
        if !config.plain_http {
            secure.public = Some(Arc::new(Endpoint::open(own.clone(), None, wall())?));
        }
        if config.desk_listen.is_some() && !config.plain_http {
            let authority = config.desk_client_ca.as_ref();
            let authority = authority.map(|authority| folder.path().join(authority));
            secure.desk = Some(Arc::new(Endpoint::open(own, authority, wall())?));
        }
        if let Some(authority) = &config.admin_client_ca {
            let authority = Some(folder.path().join(authority));
            secure.admin = Some(Arc::new(Endpoint::open(admin, authority, wall())?));
        } else if !config.admin_listen.ip().is_loopback() {
            tracing::warn!(
                admin_listen = %config.admin_listen,
                "metrics are shown to everybody who reaches the admin listener: set \
                 admin_client_ca, or admin_listen to an address of loopback"
            );
        }
        secure.say_warnings();
        Ok(secure)
    }

    pub fn all(&self) -> Vec<(&'static str, Arc<Endpoint>)> {
        let all = [
            ("public", &self.public),
            ("admin", &self.admin),
            ("desk", &self.desk),
        ];
        let open = all.into_iter();
        open.filter_map(|(name, tls)| Some((name, Arc::clone(tls.as_ref()?))))
            .collect()
    }

    /// Takes what is in the files now; what is not fit stays as it was, and the log says why.
    pub fn reload(&self) {
        for (listener, tls) in self.all() {
            match tls.reload(wall()) {
                Ok(()) => tracing::info!(listener, "the certificate was reloaded"),
                Err(error) => tracing::error!(
                    listener,
                    %error,
                    "the certificate was not reloaded; the one before stays in use"
                ),
            }
        }
        self.say_warnings();
    }

    fn say_warnings(&self) {
        for (listener, tls) in self.all() {
            for warning in tls.warnings(wall()) {
                tracing::warn!(listener, "{warning}");
            }
        }
    }

    /// Says once a day what should be looked at, for as long as the server runs.
    pub async fn keep_warning(self) {
        loop {
            tokio::time::sleep(SAY_AGAIN).await;
            self.say_warnings();
        }
    }
}

/// Begins to send people without TLS on to it: the handle that stops the listeners, and their load.
/// None without a listener.
pub fn redirect(
    listeners: Vec<TcpListener>,
    service: &Arc<Service>,
    config: &Config,
) -> std::io::Result<Option<(ServerHandle, Arc<Load>)>> {
    if listeners.is_empty() {
        return Ok(None);
    }
    let load = Arc::new(Load::new(
        REDIRECT_CONNECTIONS_MAX,
        REDIRECT_HELD_BYTES_MAX,
        Arc::default(),
        Arc::clone(&service.events),
    ));
    let mut server = Server::build()
        .workers(1)
        .max_concurrent_connections(REDIRECT_CONNECTIONS_MAX)
        .disable_signals();
    let settings = door::Settings {
        listener: Listener::Redirect,
        ..door_settings(config, REDIRECT_CONNECTIONS_MAX, None)
    };
    for listener in listeners {
        let address = listener.local_addr()?;
        let loads = [&load, &load].map(Arc::clone);
        server = door::listen(
            server,
            listener,
            Arc::clone(service),
            loads,
            settings.clone(),
        )?;
        tracing::info!(redirect = %address, "requests without TLS are sent on to it");
    }
    let server = server.run();
    let handle = server.handle();
    tokio::task::spawn_local(async move {
        if let Err(error) = server.await {
            tracing::error!(%error, "the listener that sends people on to TLS has ended");
        }
    });
    Ok(Some((handle, load)))
}
