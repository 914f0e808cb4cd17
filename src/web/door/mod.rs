//! The door: from an accepted TCP connection to an answered request. TLS, deadlines, what is put
//! off under load, then the routes. One protocol, HTTP/1.1: a connection asks one thing at a time,
//! so that bounding connections bounds everything behind them.

pub mod connection;
pub mod front;
pub mod load;
pub mod turns;

use std::net::TcpListener;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_http::body::BoxBody;
use actix_http::{HttpService, KeepAlive};
use actix_http::{Request, Response};
use actix_server::ServerBuilder;
use actix_service::{
    IntoServiceFactory as _, ServiceFactory as _, ServiceFactoryExt as _, fn_factory, fn_service,
    map_config,
};
use actix_web::dev::AppConfig;
use actix_web::rt::net::TcpStream;
use actix_web::{App, web};
use tokio_rustls::TlsAcceptor;

use connection::{Connections, Io};
use front::{Front, Joins, Turn};
use load::{Class, Load, WorkerLoad};
use turns::Turns;

use crate::service::Service;

/// Somebody who is told goodbye has this long to say it back.
const DISCONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Serves people on a listener. A request must arrive, and its answer leave, within `exchange_s`.
pub fn listen(
    server: ServerBuilder,
    listener: TcpListener,
    service: Arc<Service>,
    load: Arc<Load>,
    tls: Option<rustls::ServerConfig>,
    exchange_s: u32,
) -> std::io::Result<ServerBuilder> {
    let data = web::Data::from(Arc::clone(&service));
    let acceptor = tls.map(|config| TlsAcceptor::from(Arc::new(config)));
    server.listen("public", listener, move || {
        let connections = Connections::new(Arc::clone(&load), exchange_s);
        let worker = WorkerLoad::new(Arc::clone(&load));
        let front = Rc::new(Front::new(Arc::clone(&service), Rc::clone(&worker)));
        actix_web::rt::spawn(Rc::clone(&connections).keep_sweeping());
        actix_web::rt::spawn(Rc::clone(&worker).keep_measuring());
        let handshakes = Rc::new(Turns::for_handshakes());
        let (to_requests, to_late, to_handshakes) = (
            Rc::clone(&worker),
            Rc::clone(&worker),
            Rc::clone(&handshakes),
        );
        actix_web::rt::spawn(async move { to_requests.turns.keep_giving().await });
        actix_web::rt::spawn(async move { to_late.late_turns.keep_giving().await });
        actix_web::rt::spawn(async move { to_handshakes.keep_giving().await });
        let app = App::new()
            .app_data(data.clone())
            .configure(crate::web::configure)
            .into_factory();
        let app = map_config(app, |()| AppConfig::default());
        let fronted = fn_factory(move || {
            let (app, front, worker) = (app.new_service(()), Rc::clone(&front), Rc::clone(&worker));
            async move {
                let app = Rc::new(app.await?);
                Ok::<_, ()>(fn_service(move |request: Request| {
                    serve(
                        Rc::clone(&front),
                        Rc::clone(&worker),
                        Rc::clone(&app),
                        request,
                    )
                }))
            }
        });
        let http = HttpService::build()
            // Deadlines are the connection's own: see `connection`.
            .keep_alive(KeepAlive::Os)
            .client_request_timeout(Duration::ZERO)
            .client_disconnect_timeout(DISCONNECT_TIMEOUT)
            .on_connect_ext(|io: &Io, known| {
                known.insert(Rc::clone(io.exchange()));
            })
            .h1(fronted)
            .map_err(|_| ());
        let acceptor = acceptor.clone();
        fn_service(move |tcp: TcpStream| {
            let peer = tcp.peer_addr().ok();
            // Answers are written whole; there is nothing to wait for.
            let _ = tcp.set_nodelay(true);
            let connection = connections.take(tcp);
            let (acceptor, handshakes) = (acceptor.clone(), Rc::clone(&handshakes));
            async move {
                let io = match acceptor {
                    None => Io::Plain(connection),
                    Some(acceptor) => {
                        handshakes.take().await;
                        let tls = acceptor.accept(connection).await.map_err(|_| ())?;
                        Io::Tls(Box::new(tls))
                    }
                };
                Ok((io, peer))
            }
        })
        .and_then(http)
    })
}

/// Serves a request when its turn has come.
async fn serve<A, R>(
    front: Rc<Front>,
    worker: Rc<WorkerLoad>,
    app: Rc<A>,
    request: Request,
) -> Result<Response<BoxBody>, actix_web::Error>
where
    A: actix_service::Service<Request, Response = R, Error = actix_web::Error>,
    R: Into<Response<BoxBody>>,
{
    let class = front.class(&request);
    if class != Class::Session {
        match front.joins(&request, class) {
            Joins::Now => worker.turns.take().await,
            Joins::Late => worker.come_late().await,
            Joins::PutOff(come_back_s) => {
                worker.come_late().await;
                return Ok(front.put_off(&request, come_back_s));
            }
        }
    }
    match front.turn(&request, class) {
        Turn::Answered(response) => Ok(response),
        Turn::Routed { last } => {
            let mut response = app.call(request).await?.into();
            if last {
                front::close(&mut response);
            }
            Ok(response)
        }
    }
}
