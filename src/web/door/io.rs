//! The bytes of a connection, with or without TLS.
//!
//! Until a TLS handshake is done, a client may send so many bytes and no more. What TLS encrypts
//! ahead of the network is bounded as well.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::rt::net::TcpStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::bounds::{HANDSHAKE_BYTES_MAX, TLS_BUFFER_BYTES_MAX};

/// A connection, as its client speaks.
pub enum Io {
    Plain(TcpStream),
    Tls(Box<TlsStream<Counted>>),
}

/// A TCP connection from which at most so many bytes are read.
pub struct Counted {
    tcp: TcpStream,
    left: u64,
    /// What was read before TLS began.
    early: Vec<u8>,
}

impl Io {
    /// Makes the TLS handshake. `early` holds the bytes that were read from the connection before
    /// it.
    ///
    /// # Errors
    /// When the client speaks no TLS that we do, hangs up, or sends too much.
    pub async fn shake_hands(
        acceptor: &TlsAcceptor,
        tcp: TcpStream,
        early: Vec<u8>,
    ) -> io::Result<Self> {
        let counted = Counted {
            tcp,
            left: HANDSHAKE_BYTES_MAX,
            early,
        };
        let accepting = acceptor.accept_with(counted, |session| {
            session.set_buffer_limit(Some(TLS_BUFFER_BYTES_MAX));
        });
        let mut tls = accepting.await?;
        tls.get_mut().0.left = u64::MAX;
        Ok(Self::Tls(Box::new(tls)))
    }

    /// Takes what has come, or says that nothing has.
    pub fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(tcp) => Pin::new(tcp).poll_read(cx, buffer),
            Self::Tls(tls) => Pin::new(tls.as_mut()).poll_read(cx, buffer),
        }
    }

    /// Hands over what the network takes now.
    pub fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(tcp) => Pin::new(tcp).poll_write(cx, bytes),
            Self::Tls(tls) => Pin::new(tls.as_mut()).poll_write(cx, bytes),
        }
    }

    /// Waits until nothing is left that was handed over and not sent.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(_) => Poll::Ready(Ok(())),
            Self::Tls(tls) => Pin::new(tls.as_mut()).poll_flush(cx),
        }
    }

    /// Closes the connection in order: with TLS, the client is told first.
    pub fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Self::Tls(tls) => Pin::new(tls.as_mut()).poll_shutdown(cx),
        }
    }
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.early.is_empty() {
            let taken = self.early.len().min(buffer.remaining());
            buffer.put_slice(&self.early[..taken]);
            self.early.drain(..taken);
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.tcp).poll_read(cx, buffer);
        let taken = (buffer.filled().len() - before) as u64;
        match self.left.checked_sub(taken) {
            Some(left) => self.left = left,
            None => return Poll::Ready(Err(io::ErrorKind::InvalidData.into())),
        }
        read
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}
