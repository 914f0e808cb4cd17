//! Start-up and shutdown order of a server.
//!
//! Recovered state, then the writer, the daily log and the tree, the control socket, and only then
//! the listeners. Shutdown is the reverse: no new requests, the writer empties its queue, the log
//! catches up. `watch` looks each second whether every thread that must live does.

mod secure;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

mod leave;
mod listeners;
mod report;

pub use crate::web::desk::serve::address as desk_address;
pub use listeners::BACKLOG;

use actix_server::Server;
use tokio::signal::unix::{Signal, SignalKind, signal};

use listeners::Listeners;
use report::Reports;

use crate::clock::tick;
use crate::config::Config;
use crate::engine::core::{CommitFailed, Core};
use crate::engine::watch::{Condition, Seen};
use crate::engine::{daylog, tree, writer};
use crate::identity::provider::Provider;
use crate::ops::backup::notes::Notes;
use crate::ops::control;
use crate::ops::folder::Folder;
use crate::service::Service;
use crate::service::desk::board::door::Counting;
use crate::service::desk::board::start as start_board;
use crate::service::keeper::{self, Keeper};
use crate::systemd::Started;
use crate::systemd::notify::Manager;
use crate::tls::Endpoint;
use crate::web::desk;
use crate::web::door::client::Proxies;
use crate::web::door::networks::{Bounds, Networks};
use crate::web::door::{self, Listener, load::Load};
use crate::web::words;
use secure::{REDIRECT_CONNECTIONS_MAX, Secure};

/// How often it is looked whether something that was approved is due.
const APPROVED_LOOK: std::time::Duration = std::time::Duration::from_millis(500);

/// What the process exits with after a failed commit: systemd starts it again, and it recovers.
pub const EXIT_COMMIT_FAILED: i32 = 70;
/// What it exits with after a thread panicked that can't be begun again: the state that it left is
/// not known, and recovery by a new start is.
pub const EXIT_THREAD_PANICKED: i32 = 71;
/// Answers that are on their way when a commit fails have this long to leave.
const LAST_ANSWERS: Duration = Duration::from_millis(300);
/// How often ended sessions are forgotten.
const SWEEP: Duration = Duration::from_secs(10);
/// How often the threads are looked at.
const LOOK: Duration = Duration::from_secs(1);
/// How often it is noted that the folder is in use.
const NOTE_USE: Duration = Duration::from_secs(60);
/// Connections of monitoring at the same time, and what they may hold together.
const ADMIN_CONNECTIONS_MAX: usize = 64;
const ADMIN_HELD_BYTES_MAX: usize = 4 << 20;

/// Files for all but connections: monitoring's 64, the data folder's, sockets and pipes.
const FILES_KEPT: usize = 200;

/// Files for all but people's connections.
pub fn files_kept(config: &Config) -> usize {
    let redirect = config
        .redirect_listen
        .map_or(0, |_| REDIRECT_CONNECTIONS_MAX);
    FILES_KEPT + redirect
}

/// Where a running server listens.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    pub public: SocketAddr,
    pub admin: SocketAddr,
    /// None while the desk is closed.
    pub desk: Option<SocketAddr>,
}

/// Serves until a signal, on the sockets that the service manager handed over or on its own.
/// `ready` is called once it does.
pub fn run(
    mut core: Core,
    folder: &Folder,
    config: &Config,
    started: Started,
    ready: impl FnOnce(&Addresses),
) -> anyhow::Result<()> {
    config.check().map_err(anyhow::Error::msg)?;
    let provider = config.provider.as_ref();
    let provider = provider.map(|settings| Provider::open(folder.path(), settings));
    let provider = provider.transpose().map_err(anyhow::Error::msg)?;
    for (tag, faults) in words::install(folder.languages()?) {
        tracing::error!(
            language = tag,
            fault = faults.first(),
            faults = faults.len(),
            "the catalogue of this language is not used; `sumun languages check` says why"
        );
    }
    let (store, shared) = (Arc::clone(core.store()), Arc::clone(core.shared()));
    let (keys, clock) = (Arc::clone(core.keys()), core.clock().clone());
    if let Some(away) = shared.away.get() {
        tracing::info!(
            last_use = %away.last_use.instant(),
            away_s = away.seconds(),
            "nobody used the data folder before this start for so long, by the clock; if that is \
             not so, the clock is wrong"
        );
    }
    core.tell_start(format!("sumun {}", env!("CARGO_PKG_VERSION")));
    core.end_drains()?;
    let (writer, writing) = writer::spawn(core);
    let service = Service::new(shared, Arc::clone(&store), writer.clone(), keys, clock);
    if let Some(provider) = provider {
        tracing::info!(
            issuer = provider.issuer(),
            "people can sign in at the desk at the agency's provider; the server calls it for that"
        );
        service.desk.provider.switch_on(provider);
    }
    let service = Arc::new(service);
    service.desk.rosters.lie_in(folder.path());
    let log = daylog::start(Arc::clone(&store), &service.shared, folder.log())?;
    let origin = config.record_origin.as_deref();
    let key = tree::key_of(&service.keys, &service.shared, origin)?;
    let signer = Arc::clone(&service.keys);
    let tree = tree::start(store, &service.shared, signer, key, &folder.tree())?;
    control::serve(&folder.socket(), Arc::clone(&service))?;
    let keeper = Keeper::ready(Arc::clone(&service));
    let keeping = std::thread::Builder::new().name(keeper::NAME.to_owned());
    keeping.spawn(move || keeper.run())?;
    let watched = std::thread::Builder::new().name("watch-writer".to_owned());
    let watched = watched.spawn(move || stop_if_failed(writing.join()))?;
    let (stop_watching, stopped) = mpsc::channel();
    let watching = std::thread::Builder::new().name("watch".to_owned());
    let (watching_service, watching_folder) = (Arc::clone(&service), folder.clone());
    let reports = Reports::new(started.manager.clone());
    let watching =
        watching.spawn(move || watch(&watching_service, &watching_folder, reports, &stopped))?;
    let events = Arc::clone(&service.events);
    let serving =
        actix_web::rt::System::new().block_on(listen(service, folder, config, started, ready));
    drop(stop_watching);
    let _ = watching.join();
    events.log_last();
    writer.stop();
    let _ = watched.join();
    log.finish();
    tree.finish();
    let _ = std::fs::remove_file(folder.socket());
    serving
}

/// Looks at the threads each second until the channel closes: says what is wrong once when it
/// begins and once when it ends, and ends the process when a thread is gone.
fn watch(service: &Service, folder: &Folder, mut reports: Reports, stopped: &mpsc::Receiver<()>) {
    let wait = reports.wait(LOOK);
    let watch = &service.shared.watch;
    let beat = watch.enlist("watch", None);
    let mut told: Vec<Seen> = Vec::new();
    let mut noted = None;
    loop {
        beat.beat();
        let seen = watch.look();
        reports.tell(&seen, service, wait);
        let faulty: Vec<Seen> = seen
            .into_iter()
            .filter(|seen| seen.condition.is_fault())
            .collect();
        let is_told = |name: &str| told.iter().any(|seen| seen.name == name);
        for seen in faulty.iter().filter(|seen| !is_told(seen.name)) {
            tracing::error!(
                thread = seen.name,
                condition = ?seen.condition,
                "a thread that must live is not well"
            );
        }
        for seen in &told {
            if !faulty.iter().any(|faulty| faulty.name == seen.name) {
                tracing::info!(thread = seen.name, "the thread is well again");
            }
        }
        let is_gone = |seen: &Seen| seen.condition == Condition::Panicked;
        if let Some(gone) = faulty.iter().find(|seen| is_gone(seen)) {
            tracing::error!(thread = gone.name, "stopping: the thread panicked");
            std::thread::sleep(LAST_ANSWERS);
            std::process::exit(EXIT_THREAD_PANICKED);
        }
        told = faulty;
        service.room.look(&service.store);
        service.copied.note_all(Notes::of(folder).times());
        // A simulated time says nothing about the clock of this host.
        if !service.clock.is_simulated()
            && noted.is_none_or(|noted: Instant| noted.elapsed() >= NOTE_USE)
        {
            noted = Some(tick());
            note_use(service, folder);
        }
        if stopped.recv_timeout(wait) != Err(RecvTimeoutError::Timeout) {
            break;
        }
    }
    if !service.clock.is_simulated() {
        note_use(service, folder);
    }
}

fn note_use(service: &Service, folder: &Folder) {
    if let Err(error) = folder.note_use(service.clock.now()) {
        tracing::warn!(%error, "can't note that the folder is in use: is the disk full?");
    }
}

/// Ends the process when the writer could not commit: nothing may be acknowledged after that.
fn stop_if_failed(ended: std::thread::Result<Result<(), CommitFailed>>) {
    let code = match ended {
        Ok(Ok(())) => return,
        Ok(Err(failed)) => {
            tracing::error!(
                error = %failed,
                "stopping: the last answers are outcome_unknown; check the disk's space and \
                 health, the server recovers when it is started again"
            );
            EXIT_COMMIT_FAILED
        }
        Err(_) => {
            tracing::error!("stopping: an invariant of the writer does not hold");
            EXIT_THREAD_PANICKED
        }
    };
    std::thread::sleep(LAST_ANSWERS);
    std::process::exit(code);
}

/// Raises the limit of open files as far as allowed, and says how many there may be.
pub fn raise_file_limit() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let most = Rlimit {
        current: limit.maximum,
        ..limit
    };
    let _ = setrlimit(Resource::Nofile, most);
    let files = getrlimit(Resource::Nofile).current;
    files.map_or(usize::MAX, |files| files as usize)
}

/// How many connections may be open: as many as are set, or as there can be files.
fn connections_max(config: &Config) -> usize {
    let (wanted, kept) = (config.connections_max, files_kept(config));
    let allowed = raise_file_limit().saturating_sub(kept).max(1);
    if allowed < wanted {
        tracing::warn!(
            "only {allowed} connections, not {wanted}: set LimitNOFILE={} in the systemd unit",
            wanted + kept
        );
    }
    allowed.min(wanted)
}

async fn listen(
    service: Arc<Service>,
    folder: &Folder,
    config: &Config,
    started: Started,
    ready: impl FnOnce(&Addresses),
) -> anyhow::Result<()> {
    let Started { sockets, manager } = started;
    let (listeners, config) = Listeners::open(sockets, config)?;
    let config = &config;
    let addresses = Addresses {
        public: config.listen,
        admin: config.admin_listen,
        desk: config.desk_listen,
    };
    let secure = Secure::open(folder, config)?;
    service.endpoints.tell(secure.all());
    let connections_max = connections_max(config);
    let load = Arc::new(Load::new(
        connections_max,
        config.held_mib_max << 20,
        Arc::clone(&service.worker_lag_us),
        Arc::clone(&service.events),
    ));
    let mut public = Server::build()
        .workers(config.workers())
        .max_concurrent_connections(connections_max.div_ceil(config.workers()))
        .shutdown_timeout(leave::SHUTDOWN_S)
        .disable_signals();
    let settings = door_settings(config, connections_max, secure.public.clone());
    for listener in listeners.public {
        public = door::listen(
            public,
            listener,
            Arc::clone(&service),
            [&load, &load].map(Arc::clone),
            settings.clone(),
        )?;
    }
    let admin_load = Arc::new(Load::new(
        ADMIN_CONNECTIONS_MAX,
        ADMIN_HELD_BYTES_MAX,
        Arc::default(),
        Arc::clone(&service.events),
    ));
    let mut admin = Server::build()
        .workers(1)
        .max_concurrent_connections(ADMIN_CONNECTIONS_MAX)
        .disable_signals();
    let settings = door::Settings {
        listener: Listener::Admin,
        hosts: Vec::new(),
        ..door_settings(config, ADMIN_CONNECTIONS_MAX, secure.admin.clone())
    };
    for listener in listeners.admin {
        admin = door::listen(
            admin,
            listener,
            Arc::clone(&service),
            [&admin_load, &load].map(Arc::clone),
            settings.clone(),
        )?;
    }
    if config.desk_listen.is_some() {
        start_board(Arc::clone(&service), Arc::clone(&load) as Arc<dyn Counting>)?;
    }
    let board = Arc::clone(&service.desk.board);
    let desk = desk::serve::serve(listeners.desk, Arc::clone(&service), secure.desk.clone())?;
    let redirect = secure::redirect(listeners.redirect, &service, config)?;
    let (public, admin) = (public.run(), admin.run());
    let (stop_public, stop_admin) = (public.handle(), admin.handle());
    let stop_desk = desk.as_ref().map(actix_server::Server::handle);
    // Listened for before anybody is told that the server is ready.
    let signals = Signals::listen();
    let (warned, stopping) = (secure.clone(), manager.clone());
    actix_web::rt::spawn(secure.keep_warning());
    actix_web::rt::spawn(async move {
        signals.until_stop(&warned, &stopping).await;
        stopping.stopping();
        tracing::info!("stopping: no new requests");
        leave::leave(&stop_public, &load).await;
        admin_load.stop();
        if let Some((redirect, load)) = redirect {
            load.stop();
            redirect.stop(false).await;
        }
        board.stop();
        if let Some(desk) = stop_desk {
            desk.stop(true).await;
        }
        stop_admin.stop(false).await;
    });
    if let Err(refused) = service.end_interrupted_proposals().await {
        tracing::error!(?refused, "interrupted proposals are not told as such");
    }
    let sweeping = Arc::clone(&service);
    let _ = tokio::task::spawn_blocking(move || sweeping.sweep_rosters_at_start()).await;
    let approved = Arc::clone(&service);
    actix_web::rt::spawn(async move {
        loop {
            tokio::time::sleep(APPROVED_LOOK).await;
            if let Err(refused) = approved.do_due().await {
                tracing::error!(?refused, "what was approved for this instant is not done");
            }
        }
    });
    actix_web::rt::spawn(async move {
        loop {
            tokio::time::sleep(SWEEP).await;
            let now = service.clock.now();
            service
                .gates()
                .iter()
                .for_each(|(_, gate)| gate.sessions.sweep(now));
            service.events.log_rest();
        }
    });
    if let Some(desk) = desk {
        actix_web::rt::spawn(async move {
            if let Err(error) = desk.await {
                tracing::error!(%error, "the listener of the desk has ended");
            }
        });
    }
    let desk = addresses.desk.map(|desk| desk.to_string());
    tracing::info!(public = %addresses.public, admin = %addresses.admin, desk, "ready");
    manager.ready();
    ready(&addresses);
    let (public, admin) = tokio::join!(public, admin);
    public?;
    admin?;
    Ok(())
}

fn door_settings(
    config: &Config,
    connections_max: usize,
    tls: Option<Arc<Endpoint>>,
) -> door::Settings {
    let share = |set: usize, part: usize| {
        if set == 0 {
            (connections_max / part).max(1)
        } else {
            set
        }
    };
    let bounds = Bounds {
        address_connections_max: share(config.address_connections_max, 8),
        network_connections_max: share(config.network_connections_max, 4),
        address_requests_per_s: config.address_requests_per_s,
        network_requests_per_s: config.network_requests_per_s,
    };
    let proxies = config.trusted_proxies.iter().copied();
    let exempt = config.exempt_networks.iter().copied().chain(proxies);
    door::Settings {
        listener: Listener::Public,
        exchange_s: config.exchange_s,
        hosts: config.hosts.clone(),
        proxies: Proxies::new(config.trusted_proxies.clone(), config.client_header),
        networks: Arc::new(Networks::new(bounds, exempt.collect())),
        only_tls: tls.is_some() && !config.listen.ip().is_loopback(),
        tls,
    }
}

/// What operators and systemd tell the process.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    fn listen() -> Self {
        let listen = |kind| signal(kind).expect("the operating system tells about its signals");
        Self {
            terminate: listen(SignalKind::terminate()),
            interrupt: listen(SignalKind::interrupt()),
            hangup: listen(SignalKind::hangup()),
        }
    }

    /// Waits for SIGTERM or SIGINT; SIGHUP reads the certificates again.
    async fn until_stop(mut self, secure: &Secure, manager: &Manager) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = self.hangup.recv() => {
                    manager.reloading();
                    secure.reload();
                    manager.ready();
                }
            }
        }
    }
}
