//! The door: from an accepted TCP connection to an answered request.
//!
//! Owns everything between the network and the routes: whom a connection comes from, TLS, HTTP/1.1
//! itself, deadlines, what is put off under load, and the answers that everybody asks for. A
//! connection asks one thing at a time, and each thing that a client can make the host hold has a
//! bound; `bounds` has those that are fixed, `config` those that are set.

pub mod answer;
pub mod bounds;
pub mod client;
pub mod front;
pub mod head;
pub mod load;
pub mod networks;
pub mod served;
pub mod turns;

mod body;
mod connection;
mod counted;
mod deadlines;
mod io;
mod redirect;
mod request;
mod worker;

use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::sync::Arc;

use actix_http::body::BoxBody;
use actix_http::{Request, Response};
use actix_server::ServerBuilder;
use actix_service::{
    IntoServiceFactory as _, Service as _, ServiceFactory as _, fn_factory, fn_service, map_config,
};
use actix_web::dev::AppConfig;
use actix_web::rt::net::TcpStream;
use actix_web::{App, web};
use client::Proxies;
use tokio::io::AsyncReadExt as _;
use tokio_rustls::TlsAcceptor;

use answer::Common;
use bounds::PROXY_BYTES_MAX;
use client::Start;
use connection::Connection;
use deadlines::{Connections, Exchange, Stage};
use front::Front;
use io::Io;
use load::{Load, WorkerLoad};
use networks::{Networks, Over};
use turns::Turns;
use worker::{Routes, Worker};

use crate::events::Event;
use crate::service::Service;
use crate::tls::Endpoint;

/// Whom a listener serves: which routes it has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Listener {
    /// People, with pages and API; what everybody asks for is answered from prepared bytes.
    Public,
    /// Monitoring.
    Admin,
    /// Whoever comes without TLS: every request is sent on to the same path with it.
    Redirect,
}

/// What the settings decide at the door.
#[derive(Clone)]
pub struct Settings {
    pub listener: Listener,
    /// A request must arrive within this, and its answer leave.
    pub exchange_s: u32,
    /// The host names that are served; all if there are none.
    pub hosts: Vec<String>,
    pub proxies: Proxies,
    pub networks: Arc<Networks>,
    pub tls: Option<Arc<Endpoint>>,
    /// Whether browsers are told to use nothing but TLS.
    pub only_tls: bool,
}

/// Serves a listener. `shown` is the load that monitoring is told of.
pub fn listen(
    server: ServerBuilder,
    listener: TcpListener,
    service: Arc<Service>,
    [load, shown]: [Arc<Load>; 2],
    settings: Settings,
) -> std::io::Result<ServerBuilder> {
    let name = match settings.listener {
        Listener::Public => "public",
        Listener::Admin => "admin",
        Listener::Redirect => "redirect",
    };
    server.listen(name, listener, move || {
        let (service, settings) = (Arc::clone(&service), settings.clone());
        let loads = [&load, &shown].map(Arc::clone);
        fn_factory(move || {
            let door = Door::open(Arc::clone(&service), loads.clone(), settings.clone());
            async move {
                let door = Rc::new(door.await?);
                Ok::<_, ()>(fn_service(move |tcp: TcpStream| {
                    let door = Rc::clone(&door);
                    async move {
                        door.attend(tcp).await;
                        Ok::<_, ()>(())
                    }
                }))
            }
        })
    })
}

/// The door of one worker.
struct Door {
    worker: Rc<Worker>,
    connections: Rc<Connections>,
    networks: Arc<Networks>,
    tls: Option<Arc<Endpoint>>,
    handshakes: Rc<Turns>,
}

impl Door {
    async fn open(
        service: Arc<Service>,
        [load, shown]: [Arc<Load>; 2],
        settings: Settings,
    ) -> Result<Self, ()> {
        let connections = Connections::new(Arc::clone(&load), settings.exchange_s);
        let load = WorkerLoad::new(load);
        let networks = settings.networks;
        let front = Front::new(
            settings.listener,
            Arc::clone(&service),
            Rc::clone(&load),
            Arc::clone(&networks),
            settings.hosts.clone(),
        );
        let worker = Rc::new(Worker {
            load: Rc::clone(&load),
            front,
            common: Common::new(settings.only_tls),
            persists: settings.listener != Listener::Redirect,
            proxies: settings.proxies,
            hosts: settings.hosts,
            routes: routes(settings.listener, service, shown).await?,
            scratch: Default::default(),
        });
        let handshakes = Rc::new(Turns::for_handshakes());
        let (to_requests, to_late) = (Rc::clone(&load), Rc::clone(&load));
        let to_handshakes = Rc::clone(&handshakes);
        let (sweeping, renewing) = (Rc::clone(&connections), Rc::clone(&worker));
        let spawn = actix_web::rt::spawn::<std::pin::Pin<Box<dyn Future<Output = ()>>>>;
        spawn(Box::pin(load.keep_measuring()));
        spawn(Box::pin(
            async move { to_requests.turns.keep_giving().await },
        ));
        spawn(Box::pin(
            async move { to_late.late_turns.keep_giving().await },
        ));
        spawn(Box::pin(async move { to_handshakes.keep_giving().await }));
        spawn(Box::pin(async move {
            sweeping.keep_sweeping(|| renewing.common.renew()).await;
        }));
        Ok(Self {
            worker,
            connections,
            networks,
            tls: settings.tls,
            handshakes,
        })
    }

    /// Serves one connection until it ends.
    async fn attend(&self, tcp: TcpStream) {
        let Ok(peer) = tcp.peer_addr() else {
            return;
        };
        let exchange = self.connections.take(peer.ip());
        let Some(_peer) = self.count(peer) else {
            return;
        };
        // Answers are written whole; there is nothing to wait for.
        let _ = tcp.set_nodelay(true);
        let Some(Begun { tcp, from, early }) = self.begin(tcp, peer, &exchange).await else {
            return;
        };
        let _client = if from == peer {
            None
        } else {
            exchange.comes_from(from.ip());
            let Some(client) = self.count(from) else {
                return;
            };
            Some(client)
        };
        let (io, early) = match &self.tls {
            None => (Io::Plain(tcp), early),
            Some(tls) => match self.shake_hands(tls, tcp, early, &exchange).await {
                Some(io) => (io, Vec::new()),
                None => return,
            },
        };
        exchange.enter(Stage::Silent);
        let worker = Rc::clone(&self.worker);
        Connection::new(worker, exchange, io, from, early)
            .serve()
            .await;
    }

    /// Counts a connection of an address; none if there are too many.
    fn count(&self, from: SocketAddr) -> Option<networks::Counted> {
        if self.worker.proxies.trusts(from.ip()) {
            return Some(networks::Counted::default());
        }
        let event = match self.networks.connect(from.ip()) {
            Ok(counted) => return Some(counted),
            Err(Over::Address) => Event::AddressConnections,
            Err(Over::Network) => Event::NetworkConnections,
        };
        self.note(event, from);
        None
    }

    fn note(&self, event: Event, from: SocketAddr) {
        self.worker.load.shared.events.note(event, Some(from.ip()));
    }

    /// Reads whom a trusted proxy speaks for, if it says so.
    async fn begin(
        &self,
        mut tcp: TcpStream,
        peer: SocketAddr,
        exchange: &Exchange,
    ) -> Option<Begun> {
        let mut early = Vec::new();
        let mut from = peer;
        if !self.worker.proxies.trusts(peer.ip()) {
            return Some(Begun { tcp, from, early });
        }
        loop {
            let mut part = [0; PROXY_BYTES_MAX];
            let room = &mut part[early.len()..];
            let came = exchange.within(tcp.read(room)).await?.ok()?;
            early.extend_from_slice(&room[..came]);
            match client::start(&early) {
                Ok(Start::Unknown) if came > 0 => {}
                Ok(Start::Header(length, named)) => {
                    from.set_ip(named.unwrap_or(peer.ip()));
                    early.drain(..length);
                    return Some(Begun { tcp, from, early });
                }
                Ok(_) => return Some(Begun { tcp, from, early }),
                Err(client::BadHeader) => {
                    self.note(Event::ProxyHeaderBad, peer);
                    return None;
                }
            }
        }
    }

    /// Shakes hands when something has come and it is the connection's turn.
    async fn shake_hands(
        &self,
        tls: &Endpoint,
        tcp: TcpStream,
        early: Vec<u8>,
        exchange: &Exchange,
    ) -> Option<Io> {
        if early.is_empty() {
            exchange.within(tcp.readable()).await?.ok()?;
        }
        exchange.enter(Stage::Handshake);
        exchange.within(self.handshakes.take()).await?;
        // In a box, because a handshake needs much more memory than a connection, and few are made
        // at a time.
        let acceptor = TlsAcceptor::from(tls.config());
        let shaken = Box::pin(Io::shake_hands(&acceptor, tcp, early));
        match exchange.within(shaken).await? {
            Ok(io) => Some(io),
            Err(_) => {
                let from = exchange.from();
                let events = &self.worker.load.shared.events;
                events.note(Event::HandshakeFailed, Some(from));
                None
            }
        }
    }
}

/// A connection whose origin is known, and what came behind the proxy's header.
struct Begun {
    tcp: TcpStream,
    from: SocketAddr,
    early: Vec<u8>,
}

/// The routes of one worker.
async fn routes(listener: Listener, service: Arc<Service>, shown: Arc<Load>) -> Result<Routes, ()> {
    let configure = match listener {
        Listener::Public => crate::web::configure,
        Listener::Admin => crate::web::admin::configure,
        // The front answers every request.
        Listener::Redirect => |_: &mut web::ServiceConfig| {},
    };
    let app = App::new()
        .app_data(web::Data::from(service))
        .app_data(web::Data::from(shown))
        .configure(configure)
        .into_factory();
    let app = map_config(app, |()| AppConfig::default());
    let app = Rc::new(app.new_service(()).await?);
    Ok(Box::new(move |request: Request| {
        let app = Rc::clone(&app);
        Box::pin(async move {
            let answered = app.call(request).await;
            answered.map_or_else(
                |error| Response::from(error.error_response()),
                |response| response.into(),
            ) as Response<BoxBody>
        })
    }))
}
