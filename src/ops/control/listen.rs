//! The thread that takes connections and reads request lines; each request then has a thread.
//!
//! It never blocks on anything but `poll`, so a caller who is silent, slow or many holds up nobody:
//! connections without a line have a bound, and the oldest connection makes room for a new one.

use std::collections::VecDeque;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use rustix::event::{PollFd, PollFlags};

use super::attend::{self, Desk};
use super::lanes::{Lane, Lanes};
use super::stream::poll_for;
use super::{Answered, Asked, PATIENCE, Patience};
use crate::clock::tick;
use crate::engine::watch::Beat;
use crate::events::{Event, Events};
use crate::ops::outcome::WorkRefused;
use crate::service::Service;

/// A request line names a kind of work and a campaign, and a gate's message at the most.
const LINE_BYTES_MAX: usize = 64 * 1024;
/// Connections whose line has not come yet: with full lines they hold 4 MiB.
pub(super) const UNREAD_MAX: usize = 64;
/// How long the thread rests when the host has no file or memory for another connection.
const REST: Duration = Duration::from_millis(500);
/// How long it waits for somebody before it shows that it lives.
const BEAT: Duration = Duration::from_secs(1);

/// Listens on the socket from a thread of its own.
pub fn serve(socket: &Path, service: Arc<Service>) -> anyhow::Result<()> {
    serve_with(socket, service, PATIENCE).map(|_| ())
}

pub(super) fn serve_with(
    socket: &Path,
    service: Arc<Service>,
    patience: Patience,
) -> anyhow::Result<Arc<Desk>> {
    // This process holds the data file's lock, so the socket is one that a killed server left.
    match fs::remove_file(socket) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            bail!("can't replace {}: {error}", socket.display())
        }
        _ => {}
    }
    let listener = UnixListener::bind(socket)
        .with_context(|| format!("can't listen on {}", socket.display()))?;
    fs::set_permissions(socket, fs::Permissions::from_mode(0o660))?;
    listener.set_nonblocking(true)?;
    let folder = socket.parent().map(Path::to_path_buf).unwrap_or_default();
    let desk = Arc::new(Desk::new(service, folder, patience));
    let mut listening = Listening {
        listener,
        unread: VecDeque::new(),
        desk: Arc::clone(&desk),
    };
    let thread = std::thread::Builder::new().name("control".to_owned());
    thread.spawn(move || listening.run_watched())?;
    Ok(desk)
}

struct Listening {
    listener: UnixListener,
    /// The oldest first.
    unread: VecDeque<Unread>,
    desk: Arc<Desk>,
}

/// A connection whose request line has not come yet.
struct Unread {
    stream: UnixStream,
    since: Instant,
    bytes: Vec<u8>,
}

/// What has come of a request line.
enum RequestLine {
    /// The line without its end, and what came behind it.
    Whole(Vec<u8>, Vec<u8>),
    NotYet,
    TooLong,
    HungUp,
}

impl Listening {
    /// Listens for good. After a panic the connections without a line are let go, and it goes on:
    /// the listener itself has no state that could have been left half changed.
    fn run_watched(&mut self) {
        let beat = self.desk.service.shared.watch.enlist("control", None);
        loop {
            let _ = catch_unwind(AssertUnwindSafe(|| self.run(&beat)));
            beat.restarted();
            tracing::error!("the control socket's thread panicked: it is begun again");
            self.unread.clear();
            std::thread::sleep(REST);
        }
    }

    fn run(&mut self, beat: &Beat) {
        loop {
            beat.beat();
            if let Err(fault) = self.wait().and_then(|()| self.accept()) {
                tracing::warn!(%fault, "the control socket takes no connections for a moment");
                std::thread::sleep(REST);
            }
            self.read();
        }
    }

    /// Waits until somebody connects or sends something, or has been silent for too long.
    fn wait(&self) -> io::Result<()> {
        let mut fds = vec![PollFd::new(&self.listener, PollFlags::IN)];
        let streams = self.unread.iter().map(|unread| &unread.stream);
        fds.extend(streams.map(|stream| PollFd::new(stream, PollFlags::IN)));
        let oldest = self.unread.front();
        let most = oldest.map_or(BEAT, |oldest| {
            let line = self.desk.patience.line;
            line.saturating_sub(oldest.since.elapsed()) + Duration::from_millis(1)
        });
        poll_for(&mut fds, most.min(BEAT))
    }

    fn accept(&mut self) -> io::Result<()> {
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(true)?;
                    let unread = Unread {
                        stream,
                        since: tick(),
                        bytes: Vec::new(),
                    };
                    // The command line sends its request at once: it is read here, before another
                    // connection could push this one out.
                    if let Some(unread) = self.look(unread) {
                        self.keep(unread);
                    }
                }
                Err(fault) if fault.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(fault) if fault.kind() == io::ErrorKind::Interrupted => {}
                Err(fault) if fault.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(fault) => return Err(fault),
            }
        }
    }

    fn keep(&mut self, unread: Unread) {
        if self.unread.len() >= UNREAD_MAX
            && let Some(oldest) = self.unread.pop_front()
        {
            refuse(
                &self.desk.service.events,
                &oldest.stream,
                WorkRefused::new("too many connections sent no request")
                    .to_do("send the request at once"),
            );
        }
        self.unread.push_back(unread);
    }

    /// Reads what has come on every connection, and closes each that was silent for too long.
    fn read(&mut self) {
        for _ in 0..self.unread.len() {
            let Some(unread) = self.unread.pop_front() else {
                return;
            };
            let Some(unread) = self.look(unread) else {
                continue;
            };
            if unread.since.elapsed() < self.desk.patience.line {
                self.unread.push_back(unread);
            } else {
                let line_s = self.desk.patience.line.as_secs();
                let why = WorkRefused::new(format!("no request line came within {line_s} s"));
                let why = why.to_do("connect and ask again");
                refuse(&self.desk.service.events, &unread.stream, why);
            }
        }
    }

    /// Reads on a connection; gives it back if there is more to come.
    fn look(&self, mut unread: Unread) -> Option<Unread> {
        match unread.line() {
            RequestLine::NotYet => return Some(unread),
            RequestLine::Whole(line, early) => self.begin(unread.stream, &line, early),
            RequestLine::TooLong => {
                let why = format!("the request line is longer than {LINE_BYTES_MAX} bytes");
                refuse(
                    &self.desk.service.events,
                    &unread.stream,
                    WorkRefused::new(why),
                );
            }
            // The command line looks in this way whether a server runs.
            RequestLine::HungUp => {}
        }
        None
    }

    /// Gives a request a thread, if its lane has room.
    fn begin(&self, stream: UnixStream, line: &[u8], early: Vec<u8>) {
        let asked: Asked = match serde_json::from_slice(line) {
            Ok(asked) => asked,
            Err(fault) => {
                let why = WorkRefused::new(format!("the request line can't be read ({fault})"));
                let why = why.to_do("use a `sumun` of the server's version");
                return refuse(&self.desk.service.events, &stream, why);
            }
        };
        if asked.length > asked.work.file_bytes_max() {
            return refuse(&self.desk.service.events, &stream, asked.work.too_long());
        }
        let lane = Lane::of(&asked.work);
        let Some(place) = Lanes::enter(&self.desk.lanes, lane) else {
            return refuse(&self.desk.service.events, &stream, lane.is_full());
        };
        // What the desk approves takes this lane too.
        let roster_lane = match lane {
            Lane::Roster => {
                let Some(taken) = self.desk.service.shared.roster_lane().take() else {
                    return refuse(&self.desk.service.events, &stream, lane.is_full());
                };
                Some(taken)
            }
            _ => None,
        };
        let desk = Arc::clone(&self.desk);
        let stream = Arc::new(stream);
        let attended = Arc::clone(&stream);
        let thread = std::thread::Builder::new().name("control-request".to_owned());
        let begun = thread.spawn(move || {
            let _place = (place, roster_lane);
            if let Err(error) = attend::attend(&desk, &attended, asked, early) {
                tracing::warn!(%error, "an operator's request failed");
            }
        });
        if begun.is_err() {
            refuse(
                &self.desk.service.events,
                &stream,
                WorkRefused::new("the host has no thread for this").to_do("ask again"),
            );
        }
    }
}

impl Unread {
    /// Reads what is there of the line.
    fn line(&mut self) -> RequestLine {
        let mut buffer = [0; 4096];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return RequestLine::HungUp,
                Ok(count) => {
                    let from = self.bytes.len();
                    self.bytes.extend_from_slice(&buffer[..count]);
                    let end = buffer[..count].iter().position(|byte| *byte == b'\n');
                    if let Some(end) = end.map(|end| from + end) {
                        let early = self.bytes.split_off(end + 1);
                        self.bytes.truncate(end);
                        return RequestLine::Whole(std::mem::take(&mut self.bytes), early);
                    }
                    if self.bytes.len() >= LINE_BYTES_MAX {
                        return RequestLine::TooLong;
                    }
                }
                Err(fault) if fault.kind() == io::ErrorKind::WouldBlock => {
                    return RequestLine::NotYet;
                }
                Err(fault) if fault.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return RequestLine::HungUp,
            }
        }
    }
}

/// Tells a caller no, in one line that the kernel takes at once; nothing of theirs was done.
fn refuse(events: &Events, mut stream: &UnixStream, why: WorkRefused) {
    events.note(Event::OperatorRefused, None);
    tracing::debug!(%why, "an operator's request was refused");
    let _ = stream.write(&Answered::line(Err(why.into())));
}
