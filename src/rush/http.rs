//! Requests as bytes, and the few single calls that a measurement needs around it.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Appends a GET with the session's token.
pub fn push_get(into: &mut Vec<u8>, path: &str, token: &str) {
    let _ = write!(
        into,
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n"
    );
}

/// Appends a POST of a JSON body; `token` and `key` may be empty.
pub fn push_post(into: &mut Vec<u8>, path: &str, token: &str, key: u64, body: &str) {
    let _ = write!(
        into,
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n",
        body.len()
    );
    if !token.is_empty() {
        let _ = write!(into, "Authorization: Bearer {token}\r\n");
    }
    if key > 0 {
        let _ = write!(into, "Idempotency-Key: bench-{key:016x}\r\n");
    }
    into.extend_from_slice(b"\r\n");
    into.extend_from_slice(body.as_bytes());
}

/// One GET on a connection of its own.
pub fn get(address: SocketAddr, path: &str) -> io::Result<(u16, String)> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let ask = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(ask.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let status = answer.get(9..12).and_then(|digits| digits.parse().ok());
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let status = status.ok_or_else(|| io::Error::other("not an HTTP answer"))?;
    Ok((status, body.to_owned()))
}
