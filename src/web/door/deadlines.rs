//! The deadlines of connections: how long each may take for what it does now.
//!
//! A sweep looks at every connection once a second, a twentieth of them at a time, and ends those
//! that are over the time of their stage. Every deadline gets shorter as connections get scarce. A
//! request sets no timer and does not read the clock. A connection that makes no progress costs one
//! look of the sweep a second.

use std::cell::{Cell, RefCell};
use std::net::IpAddr;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::bounds::{FIRST_BYTE_S, HANDSHAKE_S, IDLE_S, LINGER_S, SCARCE_S};
use super::load::Load;
use crate::events::Event;

/// Parts of a second in which the connections are looked at, part after part.
const STEPS: u32 = 20;
const STEP: Duration = Duration::from_millis(1_000 / STEPS as u64);

/// What a connection does now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// It was accepted, and has sent nothing.
    Silent,
    Handshake,
    /// A request is coming in.
    Request,
    /// A request has come and is being served: the server's time, not the client's.
    Serving,
    /// An answer is leaving.
    Answer,
    /// Between two requests.
    Idle,
    /// The last answer has left; what still comes is thrown away.
    Linger,
}

impl Stage {
    /// Seconds that it may take; none if it ends by itself.
    fn s_max(self, exchange_s: u32) -> Option<u32> {
        match self {
            Self::Silent => Some(FIRST_BYTE_S.min(exchange_s)),
            Self::Handshake => Some(HANDSHAKE_S.min(exchange_s)),
            Self::Request | Self::Answer => Some(exchange_s),
            Self::Idle => Some(IDLE_S),
            Self::Linger => Some(LINGER_S),
            Self::Serving => None,
        }
    }

    /// The security event that is counted when its time is over.
    fn event(self) -> Option<Event> {
        match self {
            Self::Silent => Some(Event::ConnectionSilent),
            Self::Handshake => Some(Event::HandshakeSlow),
            Self::Request => Some(Event::RequestSlow),
            Self::Answer => Some(Event::AnswerSlow),
            Self::Idle | Self::Linger | Self::Serving => None,
        }
    }
}

/// The connections of one worker.
pub struct Connections {
    load: Arc<Load>,
    exchange_s: u32,
    /// Seconds since the start.
    second: Cell<u32>,
    all: RefCell<Vec<Weak<Exchange>>>,
    /// Where the next step goes on.
    next: Cell<usize>,
}

/// One connection, as far as its deadline needs to know.
pub struct Exchange {
    connections: Rc<Connections>,
    stage: Cell<Stage>,
    since: Cell<u32>,
    ended: Cell<bool>,
    waker: RefCell<Option<Waker>>,
    /// Whom it comes from.
    from: Cell<IpAddr>,
}

impl Connections {
    pub fn new(load: Arc<Load>, exchange_s: u32) -> Rc<Self> {
        Rc::new(Self {
            load,
            exchange_s,
            second: Cell::new(0),
            all: RefCell::default(),
            next: Cell::new(0),
        })
    }

    /// Takes a connection in.
    pub fn take(self: &Rc<Self>, from: IpAddr) -> Rc<Exchange> {
        let exchange = Rc::new(Exchange {
            connections: Rc::clone(self),
            stage: Cell::new(Stage::Silent),
            since: Cell::new(self.second.get()),
            ended: Cell::new(false),
            waker: RefCell::default(),
            from: Cell::new(from),
        });
        self.all.borrow_mut().push(Rc::downgrade(&exchange));
        self.load.connections.fetch_add(1, Ordering::Relaxed);
        exchange
    }

    /// Goes on for as long as the worker runs; `each_second` is called once a second.
    pub async fn keep_sweeping(self: Rc<Self>, each_second: impl Fn()) {
        loop {
            for _ in 0..STEPS {
                tokio::time::sleep(STEP).await;
                self.step();
            }
            self.second.set(self.second.get() + 1);
            each_second();
        }
    }

    /// Looks at the next twentieth.
    fn step(&self) {
        let mut all = self.all.borrow_mut();
        let spare = self.load.spare();
        // A server that stops does not keep idle connections for the rest of a second.
        let steps = if self.load.ends_idle() { 1 } else { STEPS };
        let mut left = all.len().div_ceil(steps as usize);
        let mut at = self.next.get();
        while left > 0 && !all.is_empty() {
            left -= 1;
            if at >= all.len() {
                at = 0;
            }
            let Some(exchange) = all[at].upgrade() else {
                all.swap_remove(at);
                continue;
            };
            at += 1;
            if self.is_over(&exchange, spare) {
                exchange.end();
            } else if exchange.is_leaving() {
                exchange.wake();
            }
        }
        self.next.set(at);
    }

    fn is_over(&self, exchange: &Exchange, spare: f64) -> bool {
        let stage = exchange.stage.get();
        if exchange.ended.get() {
            return false;
        }
        let Some(s_max) = stage.s_max(self.exchange_s) else {
            return false;
        };
        // Who has connected and asked nothing for a second connects again.
        let s_max = if stage == Stage::Silent && self.load.is_stopping() {
            1
        } else {
            s_max
        };
        let scarce_s = (f64::from(s_max) * spare) as u32;
        // When all connections are taken, idle ones have no minimum time and are ended at once.
        let least_s = if stage == Stage::Idle {
            0
        } else {
            SCARCE_S.min(s_max)
        };
        let over = self.second.get() - exchange.since.get() > scarce_s.max(least_s);
        if over && let Some(event) = stage.event() {
            self.load.events.note(event, Some(exchange.from.get()));
        }
        over
    }
}

impl Exchange {
    /// Goes on to a stage, whose time begins now.
    pub fn enter(&self, stage: Stage) {
        self.stage.set(stage);
        self.since.set(self.connections.second.get());
    }

    pub fn stage(&self) -> Stage {
        self.stage.get()
    }

    /// A proxy said whom the connection comes from.
    pub fn comes_from(&self, from: IpAddr) {
        self.from.set(from);
    }

    pub fn from(&self) -> IpAddr {
        self.from.get()
    }

    /// Whether the connection's time is over.
    pub fn is_ended(&self) -> bool {
        self.ended.get()
    }

    /// Whether the connection is to go when it has nothing more to read: it waits for its next
    /// request, and the server stops.
    pub fn is_leaving(&self) -> bool {
        self.stage.get() == Stage::Idle && self.connections.load.ends_idle()
    }

    /// Has the connection's task woken when its time is over.
    pub fn wake_at_end(&self, cx: &Context<'_>) {
        let mut waker = self.waker.borrow_mut();
        let knows = |known: &Waker| known.will_wake(cx.waker());
        if !waker.as_ref().is_some_and(knows) {
            *waker = Some(cx.waker().clone());
        }
    }

    /// Waits for something, but no longer than the connection's deadline.
    pub async fn within<T>(&self, what: impl Future<Output = T>) -> Option<T> {
        let mut what = std::pin::pin!(what);
        std::future::poll_fn(|cx| {
            if self.is_ended() {
                return Poll::Ready(None);
            }
            let polled = what.as_mut().poll(cx).map(Some);
            if polled.is_pending() {
                self.wake_at_end(cx);
            }
            polled
        })
        .await
    }

    fn end(&self) {
        self.ended.set(true);
        self.wake();
    }

    fn wake(&self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let load = &self.connections.load;
        load.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    fn second(connections: &Connections) {
        (0..STEPS).for_each(|_| connections.step());
        connections.second.set(connections.second.get() + 1);
    }

    /// Seconds until a connection in that stage is ended, with so many of 100 connections open.
    fn ends_after(stage: Stage, open: usize) -> Option<u32> {
        let load = Arc::new(Load::new(100, usize::MAX, Arc::default(), Arc::default()));
        let connections = Connections::new(Arc::clone(&load), 30);
        let exchange = connections.take(HERE);
        load.connections.store(open, Ordering::Relaxed);
        exchange.enter(stage);
        let ends = (0..200).find(|_| {
            second(&connections);
            exchange.is_ended()
        });
        load.connections.store(1, Ordering::Relaxed);
        ends
    }

    #[test]
    fn each_stage_has_its_time_and_less_of_it_when_connections_are_scarce() {
        use Stage::{Answer, Handshake, Idle, Linger, Request, Serving, Silent};
        let stages = [Silent, Handshake, Request, Answer, Idle, Linger];
        let at = |open| stages.map(|stage| ends_after(stage, open).unwrap());
        let to_spare = [FIRST_BYTE_S, HANDSHAKE_S, 30, 30, IDLE_S, LINGER_S];
        assert_eq!(at(50), to_spare.map(|s| s + 1));
        assert_eq!(at(90), [4, 4, 12, 12, 30, 2].map(|s: u32| s + 1));
        assert_eq!(at(100), [2, 2, 2, 2, 0, 2].map(|s: u32| s + 1));
        assert_eq!(ends_after(Serving, 100), None);
    }

    #[test]
    fn every_connection_is_looked_at_each_second_while_others_come_and_go() {
        let load = Arc::new(Load::new(1_000, usize::MAX, Arc::default(), Arc::default()));
        let connections = Connections::new(Arc::clone(&load), 1);
        let mut open: Vec<_> = (0..100).map(|_| connections.take(HERE)).collect();
        let mut at = 0;
        open.retain(|_| {
            at += 1;
            at % 3 != 0
        });
        second(&connections);
        second(&connections);
        open.extend((0..10).map(|_| connections.take(HERE)));
        second(&connections);
        let ended = open.iter().filter(|exchange| exchange.is_ended());
        assert_eq!(ended.count(), 67);
        assert_eq!(load.events.count(Event::ConnectionSilent), 67);
        assert_eq!(connections.all.borrow().len(), open.len());
    }
}
