//! Listening sockets that the service manager made and keeps.
//!
//! The manager holds the port, also while no server runs: connections that come during a restart
//! wait in the socket's queue, and the server needs no right to bind a port under 1024. A socket is
//! known by the name that its unit gives it (`FileDescriptorName=`).

use std::net::TcpListener;

use listenfd::ListenFd;
use rustix::net::sockopt;

/// Where people connect.
pub const PUBLIC: &str = "public";
/// Where metrics and health are read.
pub const ADMIN: &str = "admin";
/// All names that mean something.
/// Of the listener that sends people without TLS on to it.
pub const REDIRECT: &str = "redirect";
/// Where the agency's people connect.
pub const DESK: &str = "desk";
const NAMES: [&str; 4] = [PUBLIC, ADMIN, REDIRECT, DESK];

/// What is wrong with a socket that was handed over.
#[derive(Debug, thiserror::Error)]
pub enum HandedFault {
    #[error(
        "the service manager handed over a socket of the name {0:?}: set FileDescriptorName= in \
         its socket unit to one of {known}", known = NAMES.join(", ")
    )]
    Name(String),
    #[error(
        "the socket {name:?} that the service manager handed over is no listening TCP socket: its \
         socket unit needs ListenStream= with a port or address, and Accept=no ({why})"
    )]
    Kind { name: String, why: String },
}

/// The sockets that were handed over and not taken yet.
#[derive(Debug, Default)]
pub struct Sockets(Vec<(String, TcpListener)>);

impl Sockets {
    /// Takes the sockets that were handed to this process and removes the variables that say so:
    /// to be called before any other thread runs.
    ///
    /// # Errors
    /// A socket that is no listening TCP socket, or has a name that means nothing here.
    pub fn from_environment() -> Result<Self, HandedFault> {
        // `listenfd` would also take sockets that are meant for no process in particular.
        let own = std::process::id().to_string();
        if std::env::var("LISTEN_PID").ok() != Some(own) {
            return Ok(Self::default());
        }
        let given = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
        let mut handed = ListenFd::from_env();
        let mut taken = Vec::new();
        for (at, name) in names(handed.len(), &given)?.into_iter().enumerate() {
            let kind = |why: String| HandedFault::Kind {
                name: name.clone(),
                why,
            };
            let socket = handed.take_tcp_listener(at);
            let socket = socket.map_err(|error| kind(error.to_string()))?;
            let socket = socket.expect("each position is taken once");
            match sockopt::socket_acceptconn(&socket) {
                Ok(true) => taken.push((name, socket)),
                Ok(false) => return Err(kind("it does not listen".to_owned())),
                Err(error) => return Err(kind(error.to_string())),
            }
        }
        Ok(Self(taken))
    }

    /// Takes the sockets of that name: several if its unit has several addresses.
    pub fn take(&mut self, name: &str) -> Vec<TcpListener> {
        let all = std::mem::take(&mut self.0);
        let (taken, left) = all.into_iter().partition(|(of, _)| of == name);
        self.0 = left;
        let taken: Vec<(String, TcpListener)> = taken;
        taken.into_iter().map(|(_, socket)| socket).collect()
    }

    /// The names of what nobody took.
    pub fn left(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }
}

/// The name of each of `count` sockets, of which `given` has those that have one, between colons.
/// A single socket without a name of ours is the public one.
fn names(count: usize, given: &str) -> Result<Vec<String>, HandedFault> {
    let known = |name: &str| NAMES.contains(&name);
    if count == 1 && !known(given) {
        return Ok(vec![PUBLIC.to_owned()]);
    }
    let mut given = given.split(':');
    let name = |_| {
        let name = given.next().unwrap_or_default();
        if known(name) {
            Ok(name.to_owned())
        } else {
            Err(HandedFault::Name(name.to_owned()))
        }
    };
    (0..count).map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_are_known_by_their_names() {
        let of = |count, given| names(count, given).map_err(|fault| fault.to_string());
        assert_eq!(of(0, ""), Ok(vec![]));
        for given in ["", "unknown", "sumun.socket", "public"] {
            assert_eq!(of(1, given), Ok(vec!["public".to_owned()]));
        }
        assert_eq!(of(1, "admin"), Ok(vec!["admin".to_owned()]));
        let three = ["public", "public", "admin"].map(str::to_owned).to_vec();
        assert_eq!(of(3, "public:public:admin"), Ok(three));
        for given in ["public", "public:", "public:metrics"] {
            let refused = of(2, given).unwrap_err();
            assert!(refused.contains("FileDescriptorName="), "{refused}");
            assert!(refused.contains("public, admin"), "{refused}");
        }
    }

    #[test]
    fn each_socket_is_taken_once() {
        let bound = || TcpListener::bind("127.0.0.1:0").unwrap();
        let named = |name: &str| (name.to_owned(), bound());
        let mut sockets = Sockets(vec![named(PUBLIC), named(ADMIN), named(PUBLIC)]);
        assert_eq!(sockets.take(PUBLIC).len(), 2);
        assert_eq!(sockets.take(PUBLIC).len(), 0);
        assert_eq!(sockets.left().collect::<Vec<_>>(), ["admin"]);
    }
}
