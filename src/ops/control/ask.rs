//! The command line's side of the control socket: connect, ask, wait, with an end to each.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, Write as _};
use std::net::Shutdown;
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

use super::{Answered, Asked};
use crate::clock::tick;
use crate::ops::outcome::{Done, Finished, WorkFault};
use crate::ops::work::Work;

/// For a place in the socket's queue; a server that runs takes connections at once.
const CONNECT: Duration = Duration::from_secs(5);
const CONNECT_AGAIN: Duration = Duration::from_millis(20);
/// Between two signs of life of the server, which sends one every two seconds; and for it to take
/// the next piece of a file.
const SILENCE: Duration = Duration::from_secs(30);
/// For an answer that needs no work.
const STATUS: Duration = Duration::from_secs(10);
/// The longest answer is a report of ten thousand faults: some 2 MB.
const ANSWER_BYTES_MAX: u64 = 16 << 20;

/// The server that runs on a data folder, if one does.
///
/// # Errors
/// When one runs that takes no connections, or not from this account.
pub fn connect(socket: &Path) -> anyhow::Result<Option<UnixStream>> {
    let Ok(address) = SocketAddrUnix::new(socket) else {
        return Ok(None);
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let since = tick();
    loop {
        let end = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        match rustix::net::connect(&end, &address) {
            Ok(()) => {
                let stream = UnixStream::from(end);
                stream.set_nonblocking(false)?;
                return Ok(Some(stream));
            }
            Err(Errno::AGAIN) if since.elapsed() < CONNECT => std::thread::sleep(CONNECT_AGAIN),
            Err(Errno::AGAIN) => bail!(
                "the server on {} takes no connections: look at its log; if it hangs, restart it",
                socket.display()
            ),
            Err(Errno::ACCESS) => bail!(
                "no permission for {}: run this as the server's user, or as one of its group",
                socket.display()
            ),
            Err(_) => return Ok(None),
        }
    }
}

/// Asks the running server; `file` is sent along.
pub fn ask(stream: UnixStream, work: Work, file: Option<&Path>) -> anyhow::Result<Finished> {
    let waits = !matches!(work, Work::GateStatus { .. } | Work::Health);
    let patience = if waits { SILENCE } else { STATUS };
    stream.set_write_timeout(Some(patience))?;
    stream.set_read_timeout(Some(patience))?;
    let source = file.map(open_source).transpose()?;
    let sent = send(&stream, work, source);
    if sent.is_err() {
        // A server that refuses stops reading: then its answer says why, not the broken pipe. One
        // that waits for the rest of a file that can't be read learns that there is none.
        let _ = stream.shutdown(Shutdown::Write);
    }
    let mut reader = BufReader::new(&stream);
    match answer(&mut reader, patience) {
        Ok(finished) => Ok(finished),
        Err(unanswered) => {
            sent?;
            Err(unanswered)
        }
    }
}

/// Asks the running server for what comes as a stream behind its answer.
///
/// # Errors
/// Also when the answer is a refusal, or that there is no such stream.
pub fn ask_stream(stream: UnixStream, work: Work) -> anyhow::Result<impl io::Read> {
    stream.set_write_timeout(Some(SILENCE))?;
    stream.set_read_timeout(Some(SILENCE))?;
    send(&stream, work, None)?;
    let mut reader = BufReader::with_capacity(1 << 20, stream);
    match answer(&mut reader, SILENCE)? {
        Ok(Done::Copy { has_entry: true }) => Ok(reader),
        Ok(Done::Copy { has_entry: false }) => Err(NoSuchEntry.into()),
        Ok(other) => bail!("the server answered {other:?}: use a `sumun` of its version"),
        Err(WorkFault::Refused(why)) => bail!("{why}"),
        Err(fault) => bail!("the server answered {fault:?}"),
    }
}

/// The journal does not have the entry that a copy should go on from.
#[derive(Debug, thiserror::Error)]
#[error("the server's journal does not have that entry")]
pub struct NoSuchEntry;

fn answer(reader: &mut impl io::BufRead, patience: Duration) -> anyhow::Result<Finished> {
    let line = answer_line(reader, patience)?;
    let answered: Answered =
        serde_json::from_str(&line).context("the server's answer can't be read")?;
    Ok(answered.finished)
}

fn send(mut stream: &UnixStream, work: Work, source: Option<fs::File>) -> anyhow::Result<()> {
    let length = match &source {
        Some(source) => source.metadata()?.len(),
        None => 0,
    };
    let mut line = serde_json::to_vec(&Asked { work, length })?;
    line.push(b'\n');
    stream.write_all(&line)?;
    if let Some(source) = source {
        let sent = io::copy(&mut source.take(length), &mut stream)?;
        if sent != length {
            bail!("the file became shorter while it was sent: nothing was done");
        }
    }
    Ok(())
}

/// The line of the answer; empty lines before it only say that the server is at it.
fn answer_line(reader: &mut impl io::BufRead, patience: Duration) -> anyhow::Result<String> {
    let mut was_told = false;
    loop {
        let mut line = String::new();
        match reader.by_ref().take(ANSWER_BYTES_MAX).read_line(&mut line) {
            Ok(0) => {
                bail!("the server closed the connection without an answer: look at its log")
            }
            Ok(_) if line.trim().is_empty() => {
                if !was_told {
                    eprintln!("sumun: the server is at it");
                    was_told = true;
                }
            }
            Ok(_) => return Ok(line),
            Err(fault) if is_timeout(&fault) => bail!(
                "no sign of life from the server for {} s: look at its log; whether this was done, \
                 its journal knows",
                patience.as_secs()
            ),
            Err(fault) => return Err(fault).context("the server's answer did not arrive"),
        }
    }
}

fn is_timeout(fault: &io::Error) -> bool {
    matches!(
        fault.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    )
}

/// Opens a file that an operator named; `-` is standard input.
pub fn open_source(path: &Path) -> anyhow::Result<fs::File> {
    if path.as_os_str() == "-" {
        return whole_input();
    }
    let file = fs::File::open(path);
    let file = file.with_context(|| format!("can't open {}", path.display()))?;
    anyhow::ensure!(
        !file.metadata()?.is_dir(),
        "{} is a folder: name a file",
        path.display()
    );
    Ok(file)
}

/// All of standard input, in a file that has no name and is gone when it is closed: its length is
/// told before it is sent.
fn whole_input() -> anyhow::Result<fs::File> {
    let place = std::env::temp_dir().join(format!("sumun-input.{}.part", std::process::id()));
    let mut options = fs::OpenOptions::new();
    let options = options.read(true).write(true).create_new(true).mode(0o600);
    let file = options.open(&place);
    let mut file = file.with_context(|| format!("can't keep the input in {}", place.display()))?;
    fs::remove_file(&place)?;
    io::copy(&mut io::stdin().lock(), &mut file).context("can't read standard input")?;
    file.seek(io::SeekFrom::Start(0))?;
    Ok(file)
}
