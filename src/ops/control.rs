//! The door for operators while a server runs: a Unix socket in the data folder that only the
//! server's user and group can open.
//!
//! A request is one line of JSON, `{work, length}`, and then `length` bytes of a file. The answer
//! is one line, `{finished}`, whose shape is in `outcome`; behind the answer to a copy come its
//! frames. Empty lines before the answer say that the server is still at it. Who asks is the
//! account that the kernel names, not what the request says.
//!
//! Several requests are served at the same time, and each thing has a bound: `listen` reads request
//! lines, `lanes` says how many requests of each kind may run, `attend` does one request, `stream`
//! knows when a caller is too slow or has gone, `ask` is the command line's side.

mod ask;
mod attend;
mod lanes;
mod listen;
mod stream;
#[cfg(test)]
mod tests;

use std::fs;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::ops::outcome::Finished;
use crate::ops::work::Work;

pub use ask::{NoSuchEntry, ask, ask_stream, connect, open_source};
pub use listen::serve;

#[derive(Serialize, Deserialize)]
struct Asked {
    work: Work,
    length: u64,
}

#[derive(Serialize, Deserialize)]
struct Answered {
    finished: Finished,
}

impl Answered {
    /// The line that an answer is sent as.
    fn line(finished: Finished) -> Vec<u8> {
        let mut line = serde_json::to_vec(&Self { finished }).unwrap_or_default();
        line.push(b'\n');
        line
    }
}

/// How long the server waits for a caller. Tests have shorter ones.
#[derive(Clone, Copy, Debug)]
struct Patience {
    /// For the request line, from the connection on. `sumun` sends it at once.
    line: Duration,
    /// For the next `stream::PROGRESS_BYTES` of a file that is sent, or of an answer that is read.
    /// An import from a slow disk goes on for hours, as long as it moves.
    progress: Duration,
    /// Between two signs that the server is still at it.
    sign_of_life: Duration,
}

const PATIENCE: Patience = Patience {
    line: Duration::from_secs(5),
    progress: Duration::from_secs(60),
    sign_of_life: Duration::from_secs(2),
};

/// The account at the other end, as the kernel knows it.
fn operator_of(stream: &UnixStream) -> std::io::Result<String> {
    let peer = rustix::net::sockopt::socket_peercred(stream)?;
    Ok(account_name(peer.uid.as_raw()))
}

/// The name of a user id, or the id itself where the host has no name for it.
pub fn account_name(uid: u32) -> String {
    let accounts = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let named = accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, id) = (fields.next()?, fields.nth(1)?);
        (id.parse() == Ok(uid)).then(|| name.to_owned())
    });
    named.unwrap_or_else(|| format!("uid {uid}"))
}
