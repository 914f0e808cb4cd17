//! Start-up and shutdown order of a server.
//!
//! Recovered state, then the writer, the daily log, the control socket, and only then the
//! listeners. Shutdown is the reverse: no new requests, the writer empties its queue, the log
//! catches up.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use actix_web::{App, HttpServer, web};
use anyhow::Context as _;

use crate::config::Config;
use crate::control;
use crate::daylog::DayLog;
use crate::folder::Folder;
use crate::ledger::core::{CommitFailed, Core};
use crate::ledger::writer;
use crate::service::Service;
use crate::tls::Certificates;

/// What the process exits with after a failed commit: systemd starts it again, and it recovers.
pub const EXIT_COMMIT_FAILED: i32 = 70;
/// Answers that are on their way when a commit fails have this long to leave.
const LAST_ANSWERS: Duration = Duration::from_millis(300);
/// A request's head must arrive within this; whoever is slower is dropped.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// Connections that the kernel keeps until they are accepted.
const BACKLOG: u32 = 8_192;
/// How often ended sessions are forgotten.
const SWEEP: Duration = Duration::from_secs(10);
/// Requests in progress have this long when the server stops.
const SHUTDOWN_S: u64 = 10;

/// Where a running server listens.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    pub public: SocketAddr,
    pub admin: SocketAddr,
}

/// Serves until a signal; `ready` is called once it does.
pub fn run(
    core: Core,
    folder: &Folder,
    config: &Config,
    ready: impl FnOnce(&Addresses),
) -> anyhow::Result<()> {
    config.check().map_err(anyhow::Error::msg)?;
    let (store, shared) = (Arc::clone(core.store()), Arc::clone(core.shared()));
    let (keys, clock) = (Arc::clone(core.keys()), core.clock().clone());
    let (writer, writing) = writer::spawn(core);
    let service = Service::new(shared, Arc::clone(&store), writer.clone(), keys, clock);
    let service = Arc::new(service);
    let log = DayLog::follow(store, folder.log());
    let log = log.with_context(|| format!("can't write to {}", folder.log().display()))?;
    control::serve(&folder.socket(), Arc::clone(&service))?;
    let watched = std::thread::Builder::new().name("watch-writer".to_owned());
    let watched = watched.spawn(move || stop_if_failed(writing.join()))?;
    let serving = actix_web::rt::System::new().block_on(listen(service, folder, config, ready));
    writer.stop();
    let _ = watched.join();
    log.finish();
    let _ = std::fs::remove_file(folder.socket());
    serving
}

/// Ends the process when the writer could not commit: nothing may be acknowledged after that.
fn stop_if_failed(ended: std::thread::Result<Result<(), CommitFailed>>) {
    match ended {
        Ok(Ok(())) => return,
        Ok(Err(failed)) => tracing::error!(
            error = %failed,
            "stopping: the last answers are outcome_unknown; check the disk's space and health, \
             the server recovers when it is started again"
        ),
        Err(_) => tracing::error!("stopping: an invariant of the writer does not hold"),
    }
    std::thread::sleep(LAST_ANSWERS);
    std::process::exit(EXIT_COMMIT_FAILED);
}

async fn listen(
    service: Arc<Service>,
    folder: &Folder,
    config: &Config,
    ready: impl FnOnce(&Addresses),
) -> anyhow::Result<()> {
    let beside = |path: &PathBuf| folder.path().join(path);
    let data = web::Data::from(Arc::clone(&service));
    let public_data = data.clone();
    let public = HttpServer::new(move || {
        App::new()
            .app_data(public_data.clone())
            .configure(crate::web::configure)
    })
    .workers(config.workers())
    .max_connections(config.connections_max.div_ceil(config.workers()))
    .backlog(BACKLOG)
    .keep_alive(KEEP_ALIVE)
    .client_request_timeout(HEAD_TIMEOUT)
    .shutdown_timeout(SHUTDOWN_S)
    .tcp_nodelay(true)
    .disable_signals();
    let taken = |address: SocketAddr| {
        format!("can't listen on {address}: is another server running? choose another address")
    };
    let mut certificates = None;
    let public = if config.plain_http {
        public
            .bind(config.listen)
            .with_context(|| taken(config.listen))?
    } else {
        let (certificate, key) = (beside(&config.certificate), beside(&config.certificate_key));
        let loaded = Arc::new(Certificates::load(certificate, key)?);
        certificates = Some(Arc::clone(&loaded));
        let tls = loaded.server_config()?;
        public
            .bind_rustls_0_23(config.listen, tls)
            .with_context(|| taken(config.listen))?
    };
    let admin = HttpServer::new(move || {
        App::new()
            .app_data(data.clone())
            .configure(crate::web::admin::configure)
    })
    .workers(1)
    .disable_signals()
    .bind(config.admin_listen)
    .with_context(|| taken(config.admin_listen))?;
    let addresses = Addresses {
        public: public.addrs()[0],
        admin: admin.addrs()[0],
    };
    let (public, admin) = (public.run(), admin.run());
    let (stop_public, stop_admin) = (public.handle(), admin.handle());
    actix_web::rt::spawn(async move {
        wait_for_signal(certificates).await;
        tracing::info!("stopping: no new requests");
        stop_public.stop(true).await;
        stop_admin.stop(false).await;
    });
    actix_web::rt::spawn(async move {
        loop {
            tokio::time::sleep(SWEEP).await;
            let now = service.clock.now();
            service
                .gates()
                .iter()
                .for_each(|(_, gate)| gate.sessions.sweep(now));
        }
    });
    tracing::info!(public = %addresses.public, admin = %addresses.admin, "ready");
    ready(&addresses);
    let (public, admin) = tokio::join!(public, admin);
    public?;
    admin?;
    Ok(())
}

/// Waits for SIGTERM or SIGINT; SIGHUP reads the certificate again.
async fn wait_for_signal(certificates: Option<Arc<Certificates>>) {
    use tokio::signal::unix::{SignalKind, signal};
    let listen = |kind| signal(kind).expect("the operating system tells about its signals");
    let mut terminate = listen(SignalKind::terminate());
    let mut interrupt = listen(SignalKind::interrupt());
    let mut hangup = listen(SignalKind::hangup());
    loop {
        tokio::select! {
            _ = terminate.recv() => return,
            _ = interrupt.recv() => return,
            _ = hangup.recv() => {
                let reloaded = certificates.as_ref().map(|known| known.reload());
                match reloaded {
                    Some(Err(error)) => tracing::error!(%error, "the certificate was not reloaded"),
                    Some(Ok(())) => tracing::info!("the certificate was reloaded"),
                    None => {}
                }
            }
        }
    }
}
