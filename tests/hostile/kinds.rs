//! What hostile connections do. Each goes on until the server ends it.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Connects, and sends nothing.
    Silent,
    /// Sends half a head, and nothing more.
    HalfHead,
    /// Sends a head, a byte a second.
    ByteASecond,
    /// Asks for pages without end, and never reads one.
    NeverReads,
    /// Asks for sixteen pages at a time, and reads them.
    Pipelines,
    /// Asks for leave to send a body, and sends none.
    AsksForLeave,
    /// Sends a body of gigabytes, whatever the answer.
    HugeBody,
    /// Sends half a TLS handshake.
    HalfHandshake,
}

impl Kind {
    pub const ALL: [Self; 8] = [
        Self::Silent,
        Self::HalfHead,
        Self::ByteASecond,
        Self::NeverReads,
        Self::Pipelines,
        Self::AsksForLeave,
        Self::HugeBody,
        Self::HalfHandshake,
    ];

    /// Those whose connections make no progress once they stand.
    pub const STUCK: [Self; 4] = [
        Self::Silent,
        Self::HalfHead,
        Self::NeverReads,
        Self::AsksForLeave,
    ];
}

const PAGE: &[u8] = b"GET /ko/test-open HTTP/1.1\r\nHost: x\r\n\r\n";
/// The start of a TLS 1.3 ClientHello that says it has 512 bytes.
const HELLO: &[u8] = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03half a handshake";

/// Behaves so on one connection; how many bytes the server took.
pub async fn behave(
    kind: Kind,
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
) -> io::Result<u64> {
    match kind {
        Kind::Silent => until_end(stream).await,
        Kind::HalfHead => {
            stream.write_all(&PAGE[..PAGE.len() - 4]).await?;
            until_end(stream).await
        }
        Kind::ByteASecond => {
            for byte in PAGE.iter().cycle() {
                stream
                    .write_all(&[if *byte == b'\n' { b' ' } else { *byte }])
                    .await?;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            Ok(0)
        }
        Kind::NeverReads => write_for_ever(stream, &PAGE.repeat(64)).await,
        Kind::Pipelines => {
            let mut room = vec![0; 64 * 1024];
            loop {
                stream.write_all(&PAGE.repeat(16)).await?;
                if stream.read(&mut room).await? == 0 {
                    return Ok(0);
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
        Kind::AsksForLeave => {
            let head = b"POST /api/v1/campaigns/test-open/gate/enter HTTP/1.1\r\nHost: x\r\n\
                         Content-Type: application/json\r\nContent-Length: 1000\r\n\
                         Expect: 100-continue\r\n\r\n";
            stream.write_all(head).await?;
            until_end(stream).await
        }
        Kind::HugeBody => {
            let head = b"POST /api/v1/campaigns/test-open/gate/enter HTTP/1.1\r\nHost: x\r\n\
                         Content-Length: 3000000000\r\n\r\n";
            stream.write_all(head).await?;
            write_for_ever(stream, &[b'x'; 16 * 1024]).await
        }
        Kind::HalfHandshake => {
            stream.write_all(HELLO).await?;
            until_end(stream).await
        }
    }
}

async fn until_end(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<u64> {
    let mut room = [0; 1024];
    while stream.read(&mut room).await? > 0 {}
    Ok(0)
}

async fn write_for_ever(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<u64> {
    let mut taken = 0;
    loop {
        match stream.write(bytes).await {
            Ok(0) | Err(_) => return Ok(taken),
            Ok(more) => taken += more as u64,
        }
        // Whoever only writes would never let others of this program go on.
        tokio::task::yield_now().await;
    }
}
