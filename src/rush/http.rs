//! Requests as bytes, the head of an answer, and single calls before and after a rush.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::wire::{Connectivity, Heard, Way, Wire};

/// Appends a GET with a token, which may be empty.
pub fn push_get(into: &mut Vec<u8>, path: &str, token: &str) {
    let _ = write!(into, "GET {path} HTTP/1.1\r\nHost: localhost\r\n");
    if !token.is_empty() {
        let _ = write!(into, "Authorization: Bearer {token}\r\n");
    }
    into.extend_from_slice(b"\r\n");
}

/// Appends a POST of a JSON body; `token` and `key` may be empty.
pub fn push_post(into: &mut Vec<u8>, path: &str, token: &str, key: &str, body: &str) {
    let _ = write!(
        into,
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n",
        body.len()
    );
    if !token.is_empty() {
        let _ = write!(into, "Authorization: Bearer {token}\r\n");
    }
    if !key.is_empty() {
        let _ = write!(into, "Idempotency-Key: {key}\r\n");
    }
    into.extend_from_slice(b"\r\n");
    into.extend_from_slice(body.as_bytes());
}

/// The head of an answer: where its body begins and ends, and whether the connection ends with it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head {
    pub status: u16,
    pub body: usize,
    pub whole: usize,
    pub closes: bool,
}

/// No HTTP/1.1 answer with a Content-Length.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotHttp;

/// The head of an HTTP/1.1 answer with a Content-Length, if all of the head is there.
pub fn head_of(bytes: &[u8]) -> Result<Option<Head>, NotHttp> {
    let (mut length, mut status, mut closes) = (None, None, false);
    let mut from = 0;
    while let Some(end) = bytes[from..].iter().position(|&byte| byte == b'\n') {
        let line = bytes[from..from + end].trim_ascii_end();
        from += end + 1;
        let Some(code) = status else {
            let digits = line
                .strip_prefix(b"HTTP/1.1 ")
                .and_then(|rest| rest.get(..3));
            status = Some(number(digits.ok_or(NotHttp)?).ok_or(NotHttp)? as u16);
            continue;
        };
        if line.is_empty() {
            let length = match (length, code) {
                (_, 204 | 304) => 0,
                (Some(length), _) => length,
                (None, _) => return Err(NotHttp),
            };
            return Ok(Some(Head {
                status: code,
                body: from,
                whole: from + length,
                closes,
            }));
        }
        if let Some(value) = header(line, b"content-length:") {
            length = Some(number(value).ok_or(NotHttp)?);
        } else if let Some(value) = header(line, b"connection:") {
            closes = value.eq_ignore_ascii_case(b"close");
        }
    }
    Ok(None)
}

/// The value of a header in a head; the first, if there are several.
pub fn value_of<'a>(head: &'a [u8], name: &'a [u8]) -> Option<&'a str> {
    values_of(head, name).next()
}

/// The values of a header; `name` is in small letters and ends with a colon.
pub fn values_of<'a>(head: &'a [u8], name: &'a [u8]) -> impl Iterator<Item = &'a str> {
    let lines = head.split(|&byte| byte == b'\n');
    let values = lines.filter_map(move |line| header(line.trim_ascii_end(), name));
    values.filter_map(|value| std::str::from_utf8(value).ok())
}

fn header<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (start, value) = line.split_at_checked(name.len())?;
    start
        .eq_ignore_ascii_case(name)
        .then(|| value.trim_ascii_start())
}

fn number(digits: &[u8]) -> Option<usize> {
    let number: u32 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some(number as usize)
}

/// One GET without TLS, on a connection of its own.
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

/// One request and its answer, on a connection of its own.
pub fn call(way: &Way, bytes: &[u8]) -> io::Result<(u16, Vec<u8>)> {
    let mut wire = Wire::new(way.clone(), 1)?;
    wire.send(0, crate::clock::tick(), bytes, Connectivity::Steady);
    let mut outcome = None;
    while outcome.is_none() {
        wire.wait(Duration::from_millis(100), &mut |_, heard| {
            outcome = Some(match heard {
                Heard::Response { status, body, .. } => Ok((status, body.to_vec())),
                Heard::Broken(broken) => Err(io::Error::other(format!("{broken:?}"))),
            });
        })?;
    }
    outcome.expect("the loop ends with an outcome")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_heads_in_any_pieces() {
        let text = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 2\r\n\
                     Connection: close\r\nretry-after: 3\r\n\r\n{}";
        let head = Head {
            status: 503,
            body: text.len() - 2,
            whole: text.len(),
            closes: true,
        };
        for end in 0..text.len() - 2 {
            assert_eq!(head_of(&text[..end]), Ok(None), "{end}");
        }
        assert_eq!(head_of(&text[..text.len() - 2]), Ok(Some(head)));
        assert_eq!(head_of(text), Ok(Some(head)));
    }

    #[test]
    fn an_answer_without_a_body_needs_no_length_and_others_do() {
        let none = head_of(b"HTTP/1.1 204 No Content\r\n\r\n")
            .unwrap()
            .unwrap();
        assert_eq!((none.status, none.body), (204, none.whole));
        assert_eq!(head_of(b"HTTP/1.1 200 OK\r\n\r\n"), Err(NotHttp));
        for wrong in [
            "HTTP/1.0 200 OK\r\n\r\n",
            "hello\r\n",
            "HTTP/1.1 2x0 OK\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999\r\n\r\n",
            "HTTP/1.1 \r\n\r\n",
        ] {
            assert_eq!(head_of(wrong.as_bytes()), Err(NotHttp), "{wrong}");
        }
    }
}
