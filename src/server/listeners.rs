//! The listening sockets: those that the service manager handed over, or ones of the server's own.

use std::net::{SocketAddr, TcpListener};
use std::os::fd::AsFd;

use anyhow::Context as _;
use rustix::net::sockopt;

use crate::config::Config;
use crate::systemd::sockets::{ADMIN, DESK, PUBLIC, REDIRECT, Sockets};
use crate::web::door::bounds::{RECEIVE_BUFFER_BYTES, SEND_BUFFER_BYTES};

/// Connections that the kernel keeps until they are accepted.
pub const BACKLOG: i32 = 8_192;

/// The sockets of the listeners: at least one of the public one and of the admin one.
pub(super) struct Listeners {
    pub(super) public: Vec<TcpListener>,
    pub(super) admin: Vec<TcpListener>,
    /// Where people without TLS are sent on to it; none unless the settings name an address.
    pub(super) redirect: Vec<TcpListener>,
    /// Where the agency's people connect; none if the settings close the desk.
    pub(super) desk: Vec<TcpListener>,
}

impl Listeners {
    /// Takes what was handed over and binds the rest. The settings that are returned have the
    /// addresses that are really listened on.
    ///
    /// # Errors
    /// An address that is taken, and plain HTTP where others could read it.
    pub(super) fn open(mut handed: Sockets, config: &Config) -> anyhow::Result<(Self, Config)> {
        let opened = Self {
            public: opened(handed.take(PUBLIC), config.listen)?,
            admin: opened(handed.take(ADMIN), config.admin_listen)?,
            redirect: match config.redirect_listen {
                Some(address) => opened(handed.take(REDIRECT), address)?,
                None => Vec::new(),
            },
            desk: match config.desk_listen {
                Some(address) => opened(handed.take(DESK), address)?,
                None => Vec::new(),
            },
        };
        for name in handed.left() {
            tracing::warn!(
                socket = name,
                "a socket was handed over that nothing listens on"
            );
        }
        let mut config = config.clone();
        for socket in &opened.public {
            config.listen = socket.local_addr()?;
            config.check().map_err(anyhow::Error::msg)?;
        }
        config.listen = address(&opened.public)?;
        config.admin_listen = address(&opened.admin)?;
        if !opened.desk.is_empty() {
            config.desk_listen = Some(address(&opened.desk)?);
            config.check().map_err(anyhow::Error::msg)?;
        }
        Ok((opened, config))
    }
}

/// The address to name for all of them: the first that others than this host reach, or the first.
fn address(sockets: &[TcpListener]) -> std::io::Result<SocketAddr> {
    let all: Vec<_> = sockets.iter().map(TcpListener::local_addr).collect();
    let all = all.into_iter().collect::<Result<Vec<_>, _>>()?;
    let reached = all.iter().find(|address| !address.ip().is_loopback());
    Ok(*reached.unwrap_or(&all[0]))
}

fn opened(handed: Vec<TcpListener>, wanted: SocketAddr) -> anyhow::Result<Vec<TcpListener>> {
    for socket in &handed {
        socket.set_nonblocking(true)?;
        set_buffers(socket)?;
    }
    if !handed.is_empty() {
        return Ok(handed);
    }
    let bound = bind(wanted).with_context(|| {
        format!("can't listen on {wanted}: is another server running? choose another address")
    })?;
    Ok(vec![bound])
}

/// A listener whose queue holds a stampede for the moment that accepting takes.
fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    use rustix::net::{AddressFamily, SocketFlags, SocketType};
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(family, SocketType::STREAM, flags, None)?;
    sockopt::set_socket_reuseaddr(&socket, true)?;
    set_buffers(&socket)?;
    rustix::net::bind(&socket, &address)?;
    rustix::net::listen(&socket, BACKLOG)?;
    Ok(TcpListener::from(socket))
}

/// Connections have these from their listener.
fn set_buffers(socket: impl AsFd) -> std::io::Result<()> {
    sockopt::set_socket_send_buffer_size(&socket, SEND_BUFFER_BYTES)?;
    sockopt::set_socket_recv_buffer_size(&socket, RECEIVE_BUFFER_BYTES)?;
    Ok(())
}
