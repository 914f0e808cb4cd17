//! Connections with deadlines: whoever is slower than the setting `exchange_s` at sending a request
//! or at taking its answer is dropped, however the seconds are spread over its bytes.
//!
//! An exchange begins with the first byte of a request (or with the connection) and ends when its
//! answer has left. A sweep each second ends the connections whose exchange takes too long, those
//! that have idled too long between two, and when the server stops, all that idle. No timer and no
//! look at the clock a request.

use std::cell::{Cell, RefCell};
use std::io;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use actix_web::rt::net::TcpStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::server::TlsStream;

use super::load::Load;

const SWEEP: Duration = Duration::from_secs(1);
/// A connection that is not used is kept this long while connections are to spare, so that the last
/// are for those who come.
const KEEP_ALIVE_S: u32 = 75;

/// The connections of one worker.
pub struct Connections {
    load: Arc<Load>,
    exchange_s: u32,
    /// Sweeps since the start, and one.
    sweeps: Cell<u32>,
    all: RefCell<Vec<Weak<Exchange>>>,
}

/// Why a connection is ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Late,
    Idle,
}

/// What is known of a connection.
pub struct Exchange {
    connections: Rc<Connections>,
    /// The sweep at which the exchange in progress began, or the last one ended.
    since: Cell<u32>,
    idle: Cell<bool>,
    answering: Cell<bool>,
    end: Cell<Option<End>>,
    waker: RefCell<Option<Waker>>,
    /// Requests so far.
    pub requests: Cell<u32>,
}

impl Connections {
    pub fn new(load: Arc<Load>, exchange_s: u32) -> Rc<Self> {
        Rc::new(Self {
            load,
            exchange_s,
            sweeps: Cell::new(1),
            all: RefCell::default(),
        })
    }

    /// Takes a connection in.
    pub fn take(self: &Rc<Self>, tcp: TcpStream) -> Connection {
        let exchange = Rc::new(Exchange {
            connections: Rc::clone(self),
            since: Cell::new(self.sweeps.get()),
            idle: Cell::new(false),
            answering: Cell::new(false),
            end: Cell::new(None),
            waker: RefCell::default(),
            requests: Cell::new(0),
        });
        self.all.borrow_mut().push(Rc::downgrade(&exchange));
        self.load.connections.fetch_add(1, Ordering::Relaxed);
        Connection { tcp, exchange }
    }

    /// Goes on for as long as the worker runs.
    pub async fn keep_sweeping(self: Rc<Self>) {
        loop {
            tokio::time::sleep(SWEEP).await;
            self.sweep();
        }
    }

    fn sweep(&self) {
        let now = self.sweeps.get() + 1;
        self.sweeps.set(now);
        let stopping = self.load.is_stopping();
        let kept_s = (f64::from(KEEP_ALIVE_S) * self.load.spare()) as u32;
        self.all.borrow_mut().retain(|exchange| {
            let Some(exchange) = exchange.upgrade() else {
                return false;
            };
            let passed_s = now - exchange.since.get();
            let end = match exchange.idle.get() {
                true if stopping || passed_s > kept_s => End::Idle,
                false if passed_s > self.exchange_s => End::Late,
                _ => return true,
            };
            if end == End::Late {
                self.load.dropped.fetch_add(1, Ordering::Relaxed);
            }
            exchange.end.set(Some(end));
            if let Some(waker) = exchange.waker.take() {
                waker.wake();
            }
            false
        });
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let load = &self.connections.load;
        load.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Exchange {
    /// With the first byte of a request, or of an answer to one that came along with another.
    fn begins(&self) {
        if self.idle.replace(false) {
            self.since.set(self.connections.sweeps.get());
        }
    }

    fn answers(&self) {
        self.begins();
        self.answering.set(true);
    }

    fn check(&self, cx: &Context<'_>) -> io::Result<()> {
        if self.end.get() == Some(End::Late) {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let mut waker = self.waker.borrow_mut();
        if waker
            .as_ref()
            .is_none_or(|known| !known.will_wake(cx.waker()))
        {
            *waker = Some(cx.waker().clone());
        }
        Ok(())
    }
}

/// A TCP connection with a deadline.
pub struct Connection {
    tcp: TcpStream,
    exchange: Rc<Exchange>,
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.exchange.check(cx)?;
        if self.exchange.end.get() == Some(End::Idle) {
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.tcp).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.exchange.begins();
        }
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.exchange.check(cx)?;
        self.exchange.answers();
        Pin::new(&mut self.tcp).poll_write(cx, bytes)
    }

    // Called when all that there is to write has been taken.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.exchange.check(cx)?;
        if self.exchange.answering.replace(false) {
            self.exchange.idle.set(true);
            let now = self.exchange.connections.sweeps.get();
            self.exchange.since.set(now);
        }
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.exchange.check(cx)?;
        self.exchange.answers();
        Pin::new(&mut self.tcp).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }
}

/// With or without TLS.
pub enum Io {
    Plain(Connection),
    Tls(Box<TlsStream<Connection>>),
}

impl Io {
    pub fn exchange(&self) -> &Rc<Exchange> {
        match self {
            Self::Plain(connection) => &connection.exchange,
            Self::Tls(tls) => &tls.get_ref().0.exchange,
        }
    }
}

/// The same call of whichever stream it is.
macro_rules! either {
    ($io:expr, $stream:ident => $call:expr) => {
        match $io.get_mut() {
            Io::Plain($stream) => {
                let $stream = Pin::new($stream);
                $call
            }
            Io::Tls($stream) => {
                let $stream = Pin::new($stream.as_mut());
                $call
            }
        }
    };
}

impl AsyncRead for Io {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        either!(self, stream => stream.poll_read(cx, buffer))
    }
}

impl AsyncWrite for Io {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        either!(self, stream => stream.poll_write(cx, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => stream.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => stream.poll_shutdown(cx))
    }
}
