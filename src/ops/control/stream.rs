//! A caller's connection: deadlines by progress in both directions, and hang-ups.
//!
//! The socket never blocks; every wait is a `poll` with an end. Only the time spent waiting for the
//! caller counts, not the time in which the server does not ask for more.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, Thread};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::clock::tick;

/// A connection that moves fewer bytes in the time given is cut off: no disk or pipe is as slow.
pub(super) const PROGRESS_BYTES: u64 = 4 * 1024;

/// Waits for one of these events, a hang-up or the end of that time; none is told at the end.
fn wait(stream: &UnixStream, events: PollFlags, most: Duration) -> io::Result<PollFlags> {
    let mut fds = [PollFd::new(stream, events)];
    poll_for(&mut fds, most)?;
    Ok(fds[0].revents())
}

/// `poll` with an end; a signal counts as an early end without events.
pub(super) fn poll_for(fds: &mut [PollFd<'_>], most: Duration) -> io::Result<()> {
    let timeout = Timespec::try_from(most).map_err(io::Error::other)?;
    match poll(fds, Some(&timeout)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(fault) => Err(fault.into()),
    }
}

/// Whether the caller has closed the connection, or does so within that time. A caller who has only
/// closed its sending side still waits for the answer.
pub(super) fn is_gone(stream: &UnixStream, most: Duration) -> bool {
    let seen = wait(stream, PollFlags::empty(), most);
    seen.is_ok_and(|seen| seen.intersects(PollFlags::HUP | PollFlags::ERR))
}

/// How long may still be waited for the caller; the time starts again with each progress.
struct Progress {
    allowed: Duration,
    waited: Duration,
    bytes: u64,
}

impl Progress {
    fn new(allowed: Duration) -> Self {
        Self {
            allowed,
            waited: Duration::ZERO,
            bytes: 0,
        }
    }

    fn moved(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
        if self.bytes >= PROGRESS_BYTES {
            (self.bytes, self.waited) = (0, Duration::ZERO);
        }
    }

    /// Waits for the caller; an error when it has used up its time.
    fn wait(&mut self, stream: &UnixStream, events: PollFlags) -> io::Result<()> {
        let left = self.allowed.saturating_sub(self.waited);
        if left.is_zero() {
            let why = format!(
                "the connection moved less than {PROGRESS_BYTES} bytes in {} s",
                self.allowed.as_secs()
            );
            return Err(io::Error::new(io::ErrorKind::TimedOut, why));
        }
        let since = tick();
        wait(stream, events, left)?;
        self.waited += since.elapsed();
        Ok(())
    }
}

/// The file that a caller sends: exactly so many bytes. A caller who hangs up before its end makes
/// an error of it, not a shorter file: an import is whole or nothing.
pub(super) struct Incoming<'a> {
    stream: &'a UnixStream,
    /// What came in one piece with the request line.
    early: io::Cursor<Vec<u8>>,
    length: u64,
    left: u64,
    progress: Progress,
}

impl<'a> Incoming<'a> {
    pub(super) fn new(
        stream: &'a UnixStream,
        early: Vec<u8>,
        length: u64,
        allowed: Duration,
    ) -> Self {
        Self {
            stream,
            early: io::Cursor::new(early),
            length,
            left: length,
            progress: Progress::new(allowed),
        }
    }
}

impl Read for Incoming<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = usize::try_from(self.left).unwrap_or(usize::MAX);
        let room = room.min(buffer.len());
        let buffer = &mut buffer[..room];
        if buffer.is_empty() {
            return Ok(0);
        }
        let mut count = self.early.read(buffer)?;
        while count == 0 {
            match (&mut self.stream).read(buffer) {
                Ok(0) => {
                    let came = self.length - self.left;
                    let why = format!(
                        "the caller hung up after {came} of {} bytes; nothing was done",
                        self.length
                    );
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, why));
                }
                Ok(read) => count = read,
                Err(fault) if fault.kind() == io::ErrorKind::WouldBlock => {
                    self.progress.wait(self.stream, PollFlags::IN)?;
                }
                Err(fault) if fault.kind() == io::ErrorKind::Interrupted => {}
                Err(fault) => return Err(fault),
            }
        }
        self.progress.moved(count);
        self.left -= count as u64;
        Ok(count)
    }
}

/// The way of an answer to its caller.
pub(super) struct Outgoing<'a> {
    stream: &'a UnixStream,
    progress: Progress,
}

impl<'a> Outgoing<'a> {
    pub(super) fn new(stream: &'a UnixStream, allowed: Duration) -> Self {
        let progress = Progress::new(allowed);
        Self { stream, progress }
    }
}

impl Write for Outgoing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match (&mut self.stream).write(bytes) {
                Err(fault) if fault.kind() == io::ErrorKind::WouldBlock => {
                    self.progress.wait(self.stream, PollFlags::OUT)?;
                }
                Err(fault) if fault.kind() == io::ErrorKind::Interrupted => {}
                Ok(count) => {
                    self.progress.moved(count);
                    return Ok(count);
                }
                Err(fault) => return Err(fault),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Does `work` while a caller who waits gets an empty line every so often: it then knows that the
/// server is at it. None is sent any more when this returns.
pub(super) fn with_signs_of_life<T>(
    stream: &UnixStream,
    every: Duration,
    work: impl FnOnce() -> T,
) -> T {
    let over = AtomicBool::new(false);
    let tell = || {
        while !over.load(Ordering::Acquire) {
            thread::park_timeout(every);
            let failed = !over.load(Ordering::Acquire) && (&mut &*stream).write(b"\n").is_err();
            // The caller has gone, or does not read: more signs are of no use.
            if failed {
                return;
            }
        }
    };
    thread::scope(|scope| {
        let name = "control-alive".to_owned();
        let telling = thread::Builder::new().name(name).spawn_scoped(scope, tell);
        // Without a thread for them there are no signs; the work is done all the same.
        let telling = telling.ok().map(|telling| telling.thread().clone());
        let _end = End {
            over: &over,
            telling,
        };
        work()
    })
}

/// Ends the signs of life, also when the work panics.
struct End<'a> {
    over: &'a AtomicBool,
    telling: Option<Thread>,
}

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Release);
        if let Some(telling) = &self.telling {
            telling.unpark();
        }
    }
}
