//! Where a stream comes from: the server that runs on a folder, or the folder itself at rest.

use std::io::{self, BufReader};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use super::BackupFault;
use crate::clock::tick;
use crate::journal::copy::{CopyFault, CopyPoint, End, Frame, give};
use crate::journal::store::Store;
use crate::ops::control::{self, NoSuchEntry};
use crate::ops::folder::Folder;
use crate::ops::work::Work;

/// Streams of one folder.
pub struct Source<'a> {
    folder: &'a Folder,
    /// Bytes a second at the most; none for as fast as it goes.
    pub rate_bytes: Option<u64>,
}

impl<'a> Source<'a> {
    pub fn of(folder: &'a Folder) -> Self {
        Self {
            folder,
            rate_bytes: None,
        }
    }

    /// Hands everything behind `from` to `take`, in frames.
    ///
    /// # Errors
    /// `None` within when no server runs and `at_rest` is false.
    pub fn stream(
        &self,
        from: CopyPoint,
        at_rest: bool,
        mut take: impl FnMut(Frame) -> Result<(), BackupFault>,
    ) -> Result<Option<End>, BackupFault> {
        let mut pace = Pace::new(self.rate_bytes);
        let mut take = |frame: Frame| {
            pace.keep(&frame);
            take(frame)
        };
        let server = control::connect(&self.folder.socket()).map_err(BackupFault::Server)?;
        if let Some(server) = server {
            return stream_of_server(server, from, &mut take).map(Some);
        }
        if !at_rest {
            return Ok(None);
        }
        let store = Store::look(&self.folder.data_file())?;
        let keys = self.folder.keys().map_err(BackupFault::Server)?;
        let mut fault = None;
        let end = give(&store.read()?, from, &keys, |frame| {
            take(frame).map_err(|why| {
                fault = Some(why);
                io::ErrorKind::Other.into()
            })
        });
        match fault {
            Some(fault) => Err(fault),
            None => Ok(Some(end?)),
        }
    }
}

fn stream_of_server(
    server: UnixStream,
    from: CopyPoint,
    take: &mut impl FnMut(Frame) -> Result<(), BackupFault>,
) -> Result<End, BackupFault> {
    let stream = control::ask_stream(server, Work::Copy { from }).map_err(|error| {
        if error.is::<NoSuchEntry>() {
            CopyFault::OtherJournal(from.seq).into()
        } else {
            BackupFault::Server(error)
        }
    })?;
    let mut stream = BufReader::with_capacity(1 << 20, stream);
    loop {
        let frame = Frame::read(&mut stream)?;
        if let Frame::End(end) = &frame {
            let end = (**end).clone();
            take(frame)?;
            return Ok(end);
        }
        take(frame)?;
    }
}

/// Keeps a stream from being faster than is wanted.
struct Pace {
    bytes_per_s: Option<u64>,
    since: Instant,
    bytes: u64,
}

impl Pace {
    fn new(bytes_per_s: Option<u64>) -> Self {
        Self {
            bytes_per_s,
            since: tick(),
            bytes: 0,
        }
    }

    fn keep(&mut self, frame: &Frame) {
        let Some(bytes_per_s) = self.bytes_per_s else {
            return;
        };
        self.bytes += frame.bytes() as u64;
        let due = Duration::from_secs_f64(self.bytes as f64 / bytes_per_s.max(1) as f64);
        if let Some(early) = due.checked_sub(self.since.elapsed()) {
            std::thread::sleep(early);
        }
    }
}
