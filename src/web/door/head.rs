//! A request's head, read strictly from the bytes that came: which request it is, where its body
//! ends, and whether the connection goes on after it.
//!
//! Copies nothing. Whatever two readers could understand in two ways is refused: a line that ends
//! without a carriage return, two lengths, a length and chunks, a coding other than `chunked`, no
//! host or two (RFC 9112, sections 2.2, 3.2, 6.3 and 11.2).

use std::mem::MaybeUninit;

use actix_web::http::Method;
use httparse::{Header, Status};

use super::bounds::{BODY_BYTES_MAX, HEAD_BYTES_MAX, HEADERS_MAX, TARGET_BYTES_MAX};
use crate::web::headers::Headers;

/// A head, as it lies in the bytes that came.
#[derive(Debug)]
pub struct Head<'b> {
    pub method: Method,
    /// Path and query, as they were sent.
    pub target: &'b str,
    pub path: &'b str,
    /// The name that the client called, with its port.
    pub host: Option<&'b str>,
    pub lines: Lines<'b>,
    pub body: Framing,
    /// Whether the client can send another request on this connection.
    pub persists: bool,
    /// Whether the client waits for `100 Continue` before it sends the body.
    pub expects_continue: bool,
    pub is_http_1_0: bool,
    /// Bytes of the head.
    pub length: usize,
}

/// Where the body of a request ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Framing {
    /// After so many bytes, at most `BODY_BYTES_MAX`.
    Length(usize),
    Chunked,
}

/// The header lines of a head.
#[derive(Clone, Copy, Debug)]
pub struct Lines<'b>(pub &'b [Header<'b>]);

/// Why a head is refused, with the status of the answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HeadFault {
    Malformed,
    BodyTooLong,
    TargetTooLong,
    HeadTooLong,
    ExpectationUnknown,
    VersionUnknown,
}

impl HeadFault {
    pub fn status(self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::BodyTooLong => 413,
            Self::TargetTooLong => 414,
            Self::ExpectationUnknown => 417,
            Self::HeadTooLong => 431,
            Self::VersionUnknown => 505,
        }
    }
}

/// Room for the header lines of a head.
pub type Room<'b> = [MaybeUninit<Header<'b>>; HEADERS_MAX];

pub fn room<'b>() -> Room<'b> {
    [const { MaybeUninit::uninit() }; HEADERS_MAX]
}

impl<'b> Head<'b> {
    /// Reads a head; none if it has not come whole.
    pub fn read(bytes: &'b [u8], room: &'b mut Room<'b>) -> Result<Option<Self>, HeadFault> {
        // What lies behind a head of this length is not looked at.
        let within = &bytes[..bytes.len().min(HEAD_BYTES_MAX)];
        let mut parsed = httparse::Request::new(&mut []);
        let length = match parsed.parse_with_uninit_headers(within, room) {
            Ok(Status::Complete(length)) => length,
            Ok(Status::Partial) if within.len() == HEAD_BYTES_MAX => {
                return Err(too_long(within));
            }
            Ok(Status::Partial) => return Ok(None),
            Err(httparse::Error::TooManyHeaders) => return Err(HeadFault::HeadTooLong),
            Err(httparse::Error::Version) => return Err(HeadFault::VersionUnknown),
            Err(_) => return Err(HeadFault::Malformed),
        };
        let malformed = HeadFault::Malformed;
        if !has_whole_lines(&within[..length]) {
            return Err(malformed);
        }
        let (Some(method), Some(target), Some(version)) =
            (parsed.method, parsed.path, parsed.version)
        else {
            return Err(malformed);
        };
        let lines: &'b [Header<'b>] = parsed.headers;
        let method = Method::from_bytes(method.as_bytes()).map_err(|_| malformed)?;
        let mut found = Found::default();
        for line in lines {
            found.note(line)?;
        }
        let (named, target) = split_target(target).ok_or(malformed)?;
        if target.len() > TARGET_BYTES_MAX {
            return Err(HeadFault::TargetTooLong);
        }
        // The name in an absolute target counts more than the header (RFC 9112, 3.2.2).
        let host = named.or(found.host);
        let is_http_1_0 = version == 0;
        if !named.is_none_or(is_host) || !found.host.map_or(is_http_1_0, is_host) {
            return Err(malformed);
        }
        let path = target.split_once('?').map_or(target, |(path, _)| path);
        Ok(Some(Self {
            method,
            target,
            path,
            host,
            lines: Lines(lines),
            body: found.framing(is_http_1_0)?,
            persists: !found.closes && !is_http_1_0,
            expects_continue: found.expects_continue && !is_http_1_0,
            is_http_1_0,
            length,
        }))
    }

    pub fn has_body(&self) -> bool {
        self.body != Framing::Length(0)
    }
}

/// What the header lines say about the request itself.
#[derive(Default)]
struct Found<'b> {
    host: Option<&'b str>,
    length: Option<usize>,
    chunked: bool,
    closes: bool,
    expects_continue: bool,
}

impl<'b> Found<'b> {
    fn note(&mut self, line: &Header<'b>) -> Result<(), HeadFault> {
        let malformed = HeadFault::Malformed;
        let is = |name: &str| line.name.eq_ignore_ascii_case(name);
        let text = || std::str::from_utf8(line.value).map_err(|_| malformed);
        match line.name.len() {
            4 if is("host") => {
                let before = self.host.replace(text()?);
                before.map_or(Ok(()), |_| Err(malformed))?;
            }
            6 if is("expect") => {
                if !text()?.eq_ignore_ascii_case("100-continue") {
                    return Err(HeadFault::ExpectationUnknown);
                }
                self.expects_continue = true;
            }
            10 if is("connection") => {
                let mut options = text()?.split(',').map(str::trim);
                self.closes |= options.any(|option| option.eq_ignore_ascii_case("close"));
            }
            14 if is("content-length") => {
                let length = length(text()?)?;
                if self.length.replace(length).is_some() {
                    return Err(malformed);
                }
            }
            17 if is("transfer-encoding") => {
                if self.chunked || !text()?.eq_ignore_ascii_case("chunked") {
                    return Err(malformed);
                }
                self.chunked = true;
            }
            _ => {}
        }
        Ok(())
    }

    fn framing(&self, is_http_1_0: bool) -> Result<Framing, HeadFault> {
        match (self.length, self.chunked) {
            (None, true) if !is_http_1_0 => Ok(Framing::Chunked),
            (_, true) => Err(HeadFault::Malformed),
            (Some(length), false) if length > BODY_BYTES_MAX => Err(HeadFault::BodyTooLong),
            (length, false) => Ok(Framing::Length(length.unwrap_or(0))),
        }
    }
}

/// Digits alone: no sign, no space, no list.
fn length(text: &str) -> Result<usize, HeadFault> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits {
        return Err(HeadFault::Malformed);
    }
    // More digits than a number has room for are too long as well.
    text.parse().map_err(|_| HeadFault::BodyTooLong)
}

/// What is too long: the target, if the first line does not end.
fn too_long(head: &[u8]) -> HeadFault {
    if memchr::memchr(b'\n', head).is_some_and(|end| end < TARGET_BYTES_MAX + 64) {
        HeadFault::HeadTooLong
    } else {
        HeadFault::TargetTooLong
    }
}

/// Whether every line feed comes after a carriage return, and every carriage return before one.
fn has_whole_lines(head: &[u8]) -> bool {
    let mut feeds = memchr::memchr2_iter(b'\r', b'\n', head);
    while let Some(at) = feeds.next() {
        if head[at] != b'\r' || feeds.next() != Some(at + 1) || head[at + 1] != b'\n' {
            return false;
        }
    }
    true
}

/// The host of a target in absolute form, and its path and query; none if it is in no form that a
/// server takes.
fn split_target(target: &str) -> Option<(Option<&str>, &str)> {
    if target.contains('#') {
        return None;
    }
    if target.starts_with('/') || target == "*" {
        return Some((None, target));
    }
    let (scheme, rest) = target.split_once("://")?;
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return None;
    }
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (host, path) = rest.split_at(end);
    match path {
        "" => Some((Some(host), "/")),
        path if path.starts_with('/') => Some((Some(host), path)),
        _ => None,
    }
}

/// A name or an address, and perhaps a port.
fn is_host(host: &str) -> bool {
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, port)) if address.parse::<std::net::Ipv6Addr>().is_ok() => ("v6", port),
            _ => return false,
        },
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    let is_port = |port: &str| {
        let digits = port.strip_prefix(':');
        digits.is_some_and(|digits| digits.parse::<u16>().is_ok() && !digits.starts_with('+'))
    };
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    !name.is_empty()
        && name.len() <= 255
        && name.bytes().all(letter)
        && (port.is_empty() || is_port(port))
}

impl Headers for Lines<'_> {
    fn values<'a>(&'a self, name: &'static str) -> impl Iterator<Item = &'a str> {
        let named = move |line: &&Header<'_>| line.name.eq_ignore_ascii_case(name);
        let visible = |byte: &u8| matches!(byte, b' '..=b'~' | b'\t');
        let lines = self.0.iter().filter(named).map(|line| line.value);
        let lines = lines.filter(move |value| value.iter().all(visible));
        lines.filter_map(|value| std::str::from_utf8(value).ok())
    }

    fn bytes<'a>(&'a self, name: &'static str) -> impl Iterator<Item = &'a [u8]> {
        let named = move |line: &&Header<'_>| line.name.eq_ignore_ascii_case(name);
        self.0.iter().filter(named).map(|line| line.value)
    }

    fn has(&self, name: &'static str) -> bool {
        let mut lines = self.0.iter();
        lines.any(|line| line.name.eq_ignore_ascii_case(name))
    }
}

#[cfg(test)]
#[path = "head/tests.rs"]
mod tests;
