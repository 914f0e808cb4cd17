//! Keep-alive connections to one server on one thread: requests out, answers in, over epoll.
//!
//! Knows HTTP/1.1 as far as answers with a Content-Length go, and TLS; not what is asked. A
//! connection that the server closes is opened again when it is needed next. Whoever sends knows
//! from `has_idle` that there is a connection to send on.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};
use rustls::{ClientConfig, ClientConnection};
use rustls_pki_types::ServerName;

use super::http::{Head, NotHttp, head_of};
use crate::clock::tick;

/// The longest answer that is read: a day of slots is some 4 kB, a page of sites 20 kB.
const ANSWER_BYTES_MAX: usize = 256 << 10;
const INBOX_BYTES: usize = 4 << 10;
/// An answer that takes longer is given up, and its connection with it.
pub const ANSWER_MAX: Duration = Duration::from_secs(30);
/// Connections that are attended to in one go; the others are there at the next.
const EVENTS_MAX: usize = 64;
/// On loopback, connections come from so many addresses: with one, when most of its ports are in
/// use, the kernel takes longer to find a free one than the server to answer.
const SOURCES: u32 = 16;
/// This part of the connections is used by people in session only. At home each of them has a
/// connection of their own, and waits behind nobody who only polls or browses.
const KEPT_INSIDE: usize = 8;
/// How often overdue answers are looked for.
const OVERDUE_EVERY: Duration = Duration::from_secs(1);

/// Where to connect, and how.
#[derive(Clone, Debug)]
pub struct Way {
    pub address: SocketAddr,
    pub tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
}

/// What became of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Heard<'a> {
    Response {
        status: u16,
        /// The status line and the headers.
        head: &'a [u8],
        body: &'a [u8],
    },
    Broken(Broken),
}

/// Why there is no answer: it may have been done or not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Broken {
    /// Nobody listens, or the connection could not be made.
    Unreachable,
    /// The connection ended first.
    Closed,
    /// Longer than `ANSWER_MAX`.
    Overdue,
    /// What came is not an HTTP/1.1 answer with a Content-Length, or too long.
    NotHttp,
}

/// A request on its way.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    pub ticket: u64,
    /// When it should have been sent: its time counts from here.
    pub due: Instant,
    pub sent: Instant,
}

/// What a person's connection does to a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Connectivity {
    #[default]
    Steady,
    /// A new connection: the last one was lost a moment ago.
    Fresh,
    /// Lost as soon as the request has left.
    Cut,
}

#[derive(Debug)]
struct Link {
    stream: Option<TcpStream>,
    tls: Option<Box<ClientConnection>>,
    connected: bool,
    /// Registered for being writable.
    wants_out: bool,
    outbox: Vec<u8>,
    inbox: Vec<u8>,
    filled: usize,
    asked: Option<Asked>,
}

/// Connections to one server.
pub struct Wire {
    way: Way,
    links: Vec<Link>,
    epoll: OwnedFd,
    idle: Vec<u32>,
    /// Answered to the next `wait`: what failed while it was sent.
    failed: Vec<(Asked, Broken)>,
    looked: Instant,
    /// Connections made so far.
    pub connects: u64,
}

impl Wire {
    /// Connections are made when they are needed first.
    pub fn new(way: Way, connections: usize) -> io::Result<Self> {
        let link = || Link {
            stream: None,
            tls: None,
            connected: false,
            wants_out: false,
            outbox: Vec::new(),
            inbox: vec![0; INBOX_BYTES],
            filled: 0,
            asked: None,
        };
        Ok(Self {
            way,
            links: (0..connections).map(|_| link()).collect(),
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            idle: (0..connections as u32).rev().collect(),
            failed: Vec::new(),
            looked: tick(),
            connects: 0,
        })
    }

    /// Makes all connections that are not made yet, some at a time, so that no request waits for
    /// one later.
    pub fn connect_all(&mut self) -> io::Result<()> {
        const AT_ONCE: usize = 100;
        let deadline = tick() + ANSWER_MAX;
        let mut next = 0;
        while tick() < deadline {
            let making = self.links[..next].iter().filter(|link| !link.connected);
            for _ in making.count()..AT_ONCE.min(self.links.len() - next) {
                self.links[next].connect(&self.way, &self.epoll, next as u32)?;
                self.connects += 1;
                next += 1;
            }
            self.wait(Duration::from_millis(1), &mut |_, _| {})?;
            if next == self.links.len() && self.links.iter().all(|link| link.connected) {
                return Ok(());
            }
        }
        Err(io::Error::other(
            "the server does not take so many connections",
        ))
    }

    pub fn has_idle(&self) -> bool {
        !self.idle.is_empty()
    }

    /// Whether more connections are idle than are kept for people in session.
    pub fn has_idle_for_all(&self) -> bool {
        self.idle.len() > self.links.len() / KEPT_INSIDE
    }

    /// Requests on their way.
    pub fn in_flight(&self) -> usize {
        self.links.len() - self.idle.len() + self.failed.len()
    }

    /// Sends a request on an idle connection; what happens to it comes from `wait`. True when the
    /// request has left and its connection was cut: nothing more is heard of it.
    ///
    /// # Panics
    /// When no connection is idle.
    pub fn send(&mut self, ticket: u64, due: Instant, bytes: &[u8], line: Connectivity) -> bool {
        let at = self.idle.pop().expect("the caller saw an idle connection");
        let link = &mut self.links[at as usize];
        if line == Connectivity::Fresh {
            link.hang_up(true);
        }
        let asked = Asked {
            ticket,
            due,
            sent: tick(),
        };
        if link.stream.is_none() {
            if link.connect(&self.way, &self.epoll, at).is_err() {
                link.hang_up(false);
                self.idle.push(at);
                self.failed.push((asked, Broken::Unreachable));
                return false;
            }
            self.connects += 1;
        }
        link.asked = Some(asked);
        let queued = match &mut link.tls {
            Some(tls) => tls.writer().write_all(bytes),
            None => {
                link.outbox.extend_from_slice(bytes);
                Ok(())
            }
        };
        // While it connects, or handshakes, the request waits for its event.
        let flushed = queued.and_then(|()| {
            if link.connected {
                link.flush(&self.epoll, at)
            } else {
                Ok(())
            }
        });
        if flushed.is_err() {
            link.asked = None;
            link.hang_up(false);
            self.idle.push(at);
            self.failed.push((asked, Broken::Closed));
            return false;
        }
        if line == Connectivity::Cut && link.connected && !link.wants_out {
            link.asked = None;
            link.hang_up(false);
            self.idle.push(at);
            return true;
        }
        false
    }

    /// Waits up to `timeout` and tells what was heard.
    pub fn wait(
        &mut self,
        timeout: Duration,
        hear: &mut impl FnMut(Asked, Heard),
    ) -> io::Result<()> {
        for (asked, broken) in self.failed.drain(..) {
            hear(asked, Heard::Broken(broken));
        }
        let timeout = Timespec::try_from(timeout).expect("timeouts are short");
        let mut events = Vec::with_capacity(EVENTS_MAX);
        match epoll::wait(&self.epoll, spare_capacity(&mut events), Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        for event in &events {
            let at = event.data.u64() as u32;
            let link = &mut self.links[at as usize];
            let flags = event.flags;
            let was_asked = link.asked.is_some();
            let ended = link.attend(&self.epoll, at, flags, hear);
            if was_asked && ended {
                self.idle.push(at);
            }
        }
        if self.looked.elapsed() > OVERDUE_EVERY {
            self.looked = tick();
            self.give_up_overdue(hear);
        }
        Ok(())
    }

    fn give_up_overdue(&mut self, hear: &mut impl FnMut(Asked, Heard)) {
        for (at, link) in (0..).zip(&mut self.links) {
            if let Some(asked) = link
                .asked
                .take_if(|asked| asked.sent.elapsed() > ANSWER_MAX)
            {
                link.hang_up(true);
                self.idle.push(at);
                hear(asked, Heard::Broken(Broken::Overdue));
            }
        }
    }
}

impl Link {
    fn connect(&mut self, way: &Way, epoll: &OwnedFd, at: u32) -> io::Result<()> {
        let family = match way.address {
            SocketAddr::V4(_) => AddressFamily::INET,
            SocketAddr::V6(_) => AddressFamily::INET6,
        };
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let socket = rustix::net::socket_with(family, SocketType::STREAM, flags, None)?;
        sockopt::set_tcp_nodelay(&socket, true)?;
        if let SocketAddr::V4(to) = way.address
            && to.ip().is_loopback()
        {
            let from = Ipv4Addr::from_bits(Ipv4Addr::LOCALHOST.to_bits() + at % SOURCES);
            rustix::net::bind(&socket, &SocketAddrV4::new(from, 0))?;
        }
        self.connected = match rustix::net::connect(&socket, &way.address) {
            Ok(()) => true,
            Err(rustix::io::Errno::INPROGRESS) => false,
            Err(error) => return Err(error.into()),
        };
        let data = epoll::EventData::new_u64(u64::from(at));
        // Both events at first: the socket becomes writable when the connection is made.
        let interest = epoll::EventFlags::IN | epoll::EventFlags::OUT;
        epoll::add(epoll, &socket, data, interest)?;
        self.wants_out = true;
        self.stream = Some(TcpStream::from(socket));
        if let Some((config, name)) = &way.tls {
            let tls = ClientConnection::new(Arc::clone(config), name.clone());
            self.tls = Some(Box::new(tls.map_err(io::Error::other)?));
        }
        Ok(())
    }

    /// Ends the connection; `at_once` without leaving the port in TIME_WAIT.
    fn hang_up(&mut self, at_once: bool) {
        if let Some(stream) = self.stream.take()
            && at_once
        {
            let _ = sockopt::set_socket_linger(&stream, Some(Duration::ZERO));
        }
        self.tls = None;
        self.connected = false;
        self.wants_out = false;
        self.outbox.clear();
        self.filled = 0;
    }

    /// Writes what waits, as far as it goes.
    fn flush(&mut self, epoll: &OwnedFd, at: u32) -> io::Result<()> {
        let stream = self.stream.as_mut().expect("a flushed link has a stream");
        let mut pending = false;
        match &mut self.tls {
            Some(tls) => {
                while tls.wants_write() && !pending {
                    match tls.write_tls(stream) {
                        Ok(_) => {}
                        Err(error) if error.kind() == ErrorKind::WouldBlock => pending = true,
                        Err(error) => return Err(error),
                    }
                }
            }
            None => {
                let mut written = 0;
                while written < self.outbox.len() && !pending {
                    match stream.write(&self.outbox[written..]) {
                        Ok(0) => return Err(ErrorKind::WriteZero.into()),
                        Ok(more) => written += more,
                        Err(error) if error.kind() == ErrorKind::WouldBlock => pending = true,
                        Err(error) => return Err(error),
                    }
                }
                if written == self.outbox.len() {
                    self.outbox.clear();
                } else {
                    self.outbox.drain(..written);
                }
            }
        }
        if pending != self.wants_out {
            let interest = if pending {
                epoll::EventFlags::IN | epoll::EventFlags::OUT
            } else {
                epoll::EventFlags::IN
            };
            let data = epoll::EventData::new_u64(u64::from(at));
            epoll::modify(epoll, &*stream, data, interest)?;
            self.wants_out = pending;
        }
        Ok(())
    }

    /// Acts on an event; true when what was asked has ended one way or the other.
    fn attend(
        &mut self,
        epoll: &OwnedFd,
        at: u32,
        flags: epoll::EventFlags,
        hear: &mut impl FnMut(Asked, Heard),
    ) -> bool {
        let Some(stream) = &self.stream else {
            return false;
        };
        if !self.connected {
            if let Ok(Err(_)) | Err(_) = sockopt::socket_error(stream) {
                return self.end(Broken::Unreachable, hear);
            }
            self.connected = true;
        }
        if flags.contains(epoll::EventFlags::OUT) && self.flush(epoll, at).is_err() {
            return self.end(Broken::Closed, hear);
        }
        let gone = epoll::EventFlags::IN | epoll::EventFlags::HUP | epoll::EventFlags::ERR;
        if !flags.intersects(gone) {
            return false;
        }
        let ended = match self.read() {
            Ok(ended) => ended,
            Err(_) => return self.end(Broken::Closed, hear),
        };
        // The TLS handshake may have bytes to send.
        if self.tls.as_ref().is_some_and(|tls| tls.wants_write()) && self.flush(epoll, at).is_err()
        {
            return self.end(Broken::Closed, hear);
        }
        match head_of(&self.inbox[..self.filled]) {
            Ok(Some(head)) if head.whole <= self.filled => self.answer(&head, ended, hear),
            Ok(Some(head)) if head.whole > ANSWER_BYTES_MAX => self.end(Broken::NotHttp, hear),
            Ok(_) if ended => self.end(Broken::Closed, hear),
            Ok(_) => false,
            Err(NotHttp) => self.end(Broken::NotHttp, hear),
        }
    }

    fn answer(&mut self, head: &Head, ended: bool, hear: &mut impl FnMut(Asked, Heard)) -> bool {
        let Some(asked) = self.asked.take() else {
            // An answer that nobody asked for.
            self.hang_up(true);
            return false;
        };
        let (lines, rest) = self.inbox.split_at(head.body);
        let heard = Heard::Response {
            status: head.status,
            head: lines,
            body: &rest[..head.whole - head.body],
        };
        hear(asked, heard);
        if head.closes || ended || self.filled > head.whole {
            self.hang_up(false);
        }
        self.filled = 0;
        true
    }

    fn end(&mut self, broken: Broken, hear: &mut impl FnMut(Asked, Heard)) -> bool {
        self.hang_up(false);
        match self.asked.take() {
            Some(asked) => {
                hear(asked, Heard::Broken(broken));
                true
            }
            None => false,
        }
    }

    /// Reads what has come; true when the server has ended the connection.
    fn read(&mut self) -> io::Result<bool> {
        let stream = self.stream.as_mut().expect("a read link has a stream");
        if let Some(tls) = &mut self.tls {
            let mut ended = false;
            match tls.read_tls(stream) {
                Ok(0) => ended = true,
                Ok(_) => {
                    tls.process_new_packets().map_err(io::Error::other)?;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
            loop {
                make_room(&mut self.inbox, self.filled)?;
                match tls.reader().read(&mut self.inbox[self.filled..]) {
                    Ok(0) => return Ok(true),
                    Ok(read) => self.filled += read,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(ended),
                    Err(error) => return Err(error),
                }
            }
        }
        make_room(&mut self.inbox, self.filled)?;
        match stream.read(&mut self.inbox[self.filled..]) {
            Ok(0) => Ok(true),
            Ok(read) => {
                self.filled += read;
                Ok(false)
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn make_room(inbox: &mut Vec<u8>, filled: usize) -> io::Result<()> {
    if filled < inbox.len() {
        return Ok(());
    }
    if filled >= ANSWER_BYTES_MAX {
        return Err(io::Error::other("an answer is too long"));
    }
    inbox.resize(filled * 2, 0);
    Ok(())
}
