//! One connection: reads a request, has it answered, sends the answer, and only then goes on to the
//! next.
//!
//! No byte is taken over from the network while an answer is pending, so a client that does not
//! read stops its own connection. What comes in is read into a buffer that all connections of a
//! worker share; a connection keeps bytes of its own only while a request has not come whole, while
//! one waits for its turn, and while the network does not take an answer. All of these bytes are
//! counted, and a connection that would bring them over their bound is dropped.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::ReadBuf;

use super::answer::Out;
use super::bounds::{LINGER_BYTES_MAX, READ_BYTES_MAX, REQUESTS_MAX};
use super::deadlines::{Exchange, Stage};
use super::front::Joins;
use super::head::HeadFault;
use super::io::Io;
use super::load::{Class, Load};
use super::request::{Asked, Reading, Refusal, Seen, Turn};
use super::served::Call;
use super::worker::{Scratch, Worker};
use crate::events::Event;

const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// A connection, from its first request to its last answer.
pub struct Connection {
    worker: Rc<Worker>,
    exchange: Rc<Exchange>,
    io: Io,
    /// Whom it comes from: the peer, or whom a PROXY header named.
    from: SocketAddr,
    /// What has come and belongs to no answered request.
    input: Vec<u8>,
    /// Whether `input` is known to hold no whole request.
    needs_more: bool,
    reading: Reading,
    unsent: Out,
    /// How much of `unsent` has left.
    sent: usize,
    held: Held,
    requests: u32,
}

/// What comes of looking for the next request.
enum Step {
    /// It was answered, and the answer has left.
    Answered {
        persists: bool,
    },
    /// It was answered; the answer is in `unsent`.
    Unsent {
        persists: bool,
    },
    /// It is to be served.
    Ask(Asked),
    Refused(Refusal),
    /// The client waits for leave to send the body.
    Continue,
    /// Nothing more comes, or the connection's time is over.
    Ended,
}

impl Connection {
    pub fn new(
        worker: Rc<Worker>,
        exchange: Rc<Exchange>,
        io: Io,
        from: SocketAddr,
        early: Vec<u8>,
    ) -> Self {
        let load = Arc::clone(&worker.load.shared);
        Self {
            worker,
            exchange,
            io,
            from,
            input: early,
            needs_more: false,
            reading: Reading::default(),
            unsent: Out::default(),
            sent: 0,
            held: Held { load, bytes: 0 },
            requests: 0,
        }
    }

    /// Serves requests until the connection ends.
    pub async fn serve(mut self) {
        loop {
            let step = std::future::poll_fn(|cx| self.poll_request(cx)).await;
            let persists = match step {
                Step::Answered { persists } => Some(persists),
                Step::Unsent { persists } => {
                    self.keep_back().await;
                    self.send().await.then_some(persists)
                }
                Step::Ask(asked) => self.ask(asked).await,
                Step::Refused(refusal) => self.refuse(refusal).await,
                Step::Continue => {
                    self.unsent.bytes = CONTINUE.to_vec();
                    self.send().await.then_some(true)
                }
                Step::Ended => None,
            };
            match persists {
                None => return,
                Some(false) => return self.linger().await,
                Some(true) => {}
            }
        }
    }

    /// Looks for the next request in what has come, and takes over more if there is none.
    fn poll_request(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        let worker = Rc::clone(&self.worker);
        loop {
            if self.exchange.is_ended() {
                return Poll::Ready(Step::Ended);
            }
            let scratch = &mut *worker.scratch.borrow_mut();
            if self.needs_more || self.input.is_empty() {
                let room = READ_BYTES_MAX - self.input.len();
                let mut read = ReadBuf::new(&mut scratch.input[..room]);
                let Poll::Ready(done) = self.io.poll_read(cx, &mut read) else {
                    // A request that has come is still answered when the server stops.
                    if self.exchange.is_leaving() {
                        return Poll::Ready(Step::Ended);
                    }
                    self.exchange.wake_at_end(cx);
                    return Poll::Pending;
                };
                let came = read.filled().len();
                if done.is_err() || came == 0 {
                    return Poll::Ready(Step::Ended);
                }
                if self.input.is_empty() {
                    let Scratch { input, out } = scratch;
                    if let Some(step) = self.step(cx, &input[..came], out) {
                        return Poll::Ready(step);
                    }
                    continue;
                }
                self.input.extend_from_slice(&scratch.input[..came]);
            }
            let input = std::mem::take(&mut self.input);
            if let Some(step) = self.step(cx, &input, &mut scratch.out) {
                return Poll::Ready(step);
            }
        }
    }

    /// Answers the first request of `input` at once if that is possible, and keeps the rest of the
    /// input. None if the connection goes on with its next request.
    fn step(&mut self, cx: &mut Context<'_>, input: &[u8], out: &mut Out) -> Option<Step> {
        self.needs_more = false;
        let persists = self.requests + 1 < REQUESTS_MAX && !self.worker.load.shared.is_stopping();
        out.clear();
        let seen = self
            .worker
            .look(&mut self.reading, input, self.from, persists, out);
        match seen {
            Seen::Answered { taken, persists } => {
                self.requests += 1;
                self.keep(&input[taken..]);
                if out.is_late {
                    self.unsent = out.after(0);
                    return Some(Step::Unsent { persists });
                }
                match write(&mut self.io, cx, out, 0) {
                    Ok(Written { done: true, .. }) => {
                        self.exchange.enter(Stage::Idle);
                        self.held.release();
                        // Goes on with what has come, in the same step.
                        (!persists).then_some(Step::Answered { persists })
                    }
                    Ok(Written { sent, .. }) => {
                        self.unsent = out.after(sent);
                        Some(Step::Unsent { persists })
                    }
                    Err(_) => Some(Step::Ended),
                }
            }
            Seen::Waits(asked) => {
                self.requests += 1;
                self.keep(&input[asked.bytes.len()..]);
                Some(Step::Ask(asked))
            }
            Seen::Refused(refusal) => Some(Step::Refused(refusal)),
            Seen::Continue => {
                self.keep(input);
                self.needs_more = true;
                Some(Step::Continue)
            }
            Seen::Incomplete => {
                self.keep(input);
                self.needs_more = true;
                if self.exchange.stage() != Stage::Request {
                    self.exchange.enter(Stage::Request);
                }
                (!self.hold(0)).then_some(Step::Ended)
            }
        }
    }

    /// Keeps what has come behind a request.
    fn keep(&mut self, rest: &[u8]) {
        self.input = rest.to_vec();
    }

    /// Counts what the connection holds; false if it may not hold that much.
    fn hold(&mut self, more: usize) -> bool {
        let bytes = self.input.capacity() + self.reading.held() + more;
        let holds = self.held.set(bytes);
        if !holds {
            let events = &self.worker.load.shared.events;
            events.note(Event::MemoryShort, Some(self.from.ip()));
        }
        holds
    }

    /// Serves a request that could not be answered at once. Returns whether the connection may take
    /// another request; none if the connection has ended.
    async fn ask(&mut self, asked: Asked) -> Option<bool> {
        self.exchange.enter(Stage::Serving);
        if !self.hold(asked.bytes.len()) {
            return None;
        }
        let worker = Rc::clone(&self.worker);
        let persists = asked.persists;
        let (call, class, came) = (asked.call, asked.class, asked.came);
        let mut out = Out::default();
        match worker.turn_of(&asked) {
            Turn::Taken => {}
            Turn::Wanted(Joins::Now) => worker.load.turns.take().await,
            Turn::Wanted(Joins::Late) => worker.load.come_late().await,
            Turn::Wanted(Joins::PutOff(s)) => {
                worker.load.come_late().await;
                worker.put_off(&asked, s, &mut out);
            }
        }
        // What was put off waited on purpose.
        let is_put_off = !out.is_empty();
        if out.is_empty()
            && let Some(booking) = worker.books(&asked)
        {
            drop(asked);
            worker.book(booking, persists, &mut out).await;
        } else if out.is_empty()
            && let Some((request, to_head)) = worker.answer(&asked, &mut out)
        {
            drop(asked);
            let response = (worker.routes)(request).await;
            worker
                .write_response(response, to_head, persists, &mut out)
                .await;
        }
        if out.is_empty() {
            return self.refuse(Refusal::Head(HeadFault::Malformed)).await;
        }
        let took = (!is_put_off).then(|| came.elapsed());
        worker.load.answered(call, class, took, &out);
        self.unsent = out;
        self.keep_back().await;
        self.send().await.then_some(persists)
    }

    /// Waits, if the answer that is to be sent is one that leaves late.
    async fn keep_back(&self) {
        if self.unsent.is_late {
            self.exchange.enter(Stage::Serving);
            self.worker.load.come_late().await;
        }
    }

    async fn refuse(&mut self, refusal: Refusal) -> Option<bool> {
        let events = &self.worker.load.shared.events;
        events.note(refusal.event(), Some(self.from.ip()));
        self.input = Vec::new();
        let worker = Rc::clone(&self.worker);
        let mut out = Out::default();
        let response = refusal.problem().response().into();
        worker
            .write_response(response, false, false, &mut out)
            .await;
        // What can't be read asks for nothing that has a name.
        worker.load.answered(Call::Other, Class::Browse, None, &out);
        self.unsent = out;
        self.send().await.then_some(false)
    }

    /// Sends what is unsent; false if the client does not take it.
    async fn send(&mut self) -> bool {
        self.exchange.enter(Stage::Answer);
        self.sent = 0;
        let mut counted = false;
        let sent = std::future::poll_fn(|cx| {
            if self.exchange.is_ended() {
                return Poll::Ready(false);
            }
            match write(&mut self.io, cx, &self.unsent, self.sent) {
                Ok(Written { done: true, .. }) => Poll::Ready(true),
                Ok(Written { sent, .. }) => {
                    self.sent = sent;
                    if !std::mem::replace(&mut counted, true) && !self.hold(self.unsent.length()) {
                        return Poll::Ready(false);
                    }
                    self.exchange.wake_at_end(cx);
                    Poll::Pending
                }
                Err(_) => Poll::Ready(false),
            }
        })
        .await;
        self.unsent = Out::default();
        self.hold(0);
        self.exchange.enter(if self.input.is_empty() {
            Stage::Idle
        } else {
            Stage::Request
        });
        sent
    }

    /// Closes the connection for sending and discards what still comes. If the kernel closed it
    /// with unread bytes, it would reset the connection, and the client could lose the last answer.
    async fn linger(mut self) {
        self.exchange.enter(Stage::Linger);
        self.input = Vec::new();
        let worker = Rc::clone(&self.worker);
        let mut thrown_away = 0;
        let mut said = false;
        std::future::poll_fn(|cx| {
            if self.exchange.is_ended() {
                return Poll::Ready(());
            }
            self.exchange.wake_at_end(cx);
            if !said {
                if ready!(self.io.poll_shutdown(cx)).is_err() {
                    return Poll::Ready(());
                }
                said = true;
            }
            while thrown_away < LINGER_BYTES_MAX {
                let scratch = &mut *worker.scratch.borrow_mut();
                let mut read = ReadBuf::new(&mut scratch.input);
                let done = ready!(self.io.poll_read(cx, &mut read));
                let came = read.filled().len();
                if done.is_err() || came == 0 {
                    break;
                }
                thrown_away += came;
            }
            Poll::Ready(())
        })
        .await;
    }
}

/// Bytes that a connection holds, as the load counts them.
struct Held {
    load: Arc<Load>,
    bytes: usize,
}

impl Held {
    fn set(&mut self, bytes: usize) -> bool {
        let holds = self.load.hold(self.bytes, bytes);
        if holds {
            self.bytes = bytes;
        }
        holds
    }

    fn release(&mut self) {
        if self.bytes > 0 {
            self.set(0);
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.release();
    }
}

/// How far an answer has left.
struct Written {
    sent: usize,
    done: bool,
}

/// Hands over what the network takes now, from byte `sent` on.
fn write(io: &mut Io, cx: &mut Context<'_>, out: &Out, mut sent: usize) -> io::Result<Written> {
    while let Some(rest) = out.rest(sent) {
        match io.poll_write(cx, rest) {
            Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
            Poll::Ready(Ok(taken)) => sent += taken,
            Poll::Ready(Err(error)) => return Err(error),
            Poll::Pending => return Ok(Written { sent, done: false }),
        }
    }
    let done = match io.poll_flush(cx) {
        Poll::Ready(flushed) => flushed.map(|()| true)?,
        Poll::Pending => false,
    };
    Ok(Written { sent, done })
}
