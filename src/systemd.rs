//! What a service manager hands over and is told: `sockets`, `credentials` and `notify`.
//!
//! The protocols are systemd's (sd_listen_fds(3), sd_notify(3), systemd.exec(5), "Credentials").
//! Nothing here is needed: without systemd's variables in the environment a server binds its own
//! sockets, reads its own files and tells nobody.

pub mod credentials;
pub mod notify;
pub mod sockets;

use notify::Manager;
use sockets::{HandedFault, Sockets};

/// What the environment of this process says of a service manager.
#[derive(Debug, Default)]
pub struct Started {
    pub sockets: Sockets,
    pub manager: Manager,
}

impl Started {
    /// Takes what was handed over. To be called once, before any other thread runs: the variables
    /// that name the sockets are removed, so that no child takes them for its own.
    ///
    /// # Errors
    /// A socket that is no listening TCP socket, or has a name that means nothing here.
    pub fn from_environment() -> Result<Self, HandedFault> {
        Ok(Self {
            sockets: Sockets::from_environment()?,
            manager: Manager::from_environment(),
        })
    }
}
