//! Whom a connection or a request comes from: the peer, or whom a trusted proxy speaks for.
//!
//! Only a peer in `trusted_proxies` may name a client. It may begin a connection with a PROXY
//! header (version 1 or 2), and it may add its client's address to each request, in the one header
//! that the setting `client_header` names: X-Forwarded-For or Forwarded (RFC 7239). The other
//! header is never read, because a proxy that adds to one header passes on what a client wrote into
//! the other. Each proxy appends the address that it saw. The list is therefore read from its end,
//! up to the first address that is not a trusted proxy: that is the client, and what the client
//! itself wrote into the list stands before it and is not read.

use std::net::IpAddr;

use ipnet::IpNet;
use proxy_header::{Error, ParseConfig, ProxyHeader};

use super::bounds::PROXY_BYTES_MAX;
use crate::config::ClientHeader;
use crate::web::headers::Headers;

/// The proxies that are listened to, and the header in which they say whom they saw.
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    networks: Vec<IpNet>,
    header: ClientHeader,
}

/// What the first bytes of a connection are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Start {
    /// They may become a PROXY header.
    Unknown,
    /// No PROXY header.
    Other,
    /// A header of so many bytes; it names an address, unless the proxy speaks for itself.
    Header(usize, Option<IpAddr>),
}

/// A PROXY header that can't be read: whom it is about is not known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BadHeader;

const VERSION_1: &[u8] = b"PROXY ";
const VERSION_2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

impl Proxies {
    pub fn new(networks: Vec<IpNet>, header: ClientHeader) -> Self {
        Self { networks, header }
    }

    pub fn trusts(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.networks.iter().any(|net| net.contains(&peer))
    }

    /// Whom a request comes from, on a connection that comes from `from`.
    pub fn client(&self, from: IpAddr, headers: &impl Headers) -> IpAddr {
        if self.networks.is_empty() || !self.trusts(from) {
            return from;
        }
        let mut named = Vec::new();
        match self.header {
            ClientHeader::XForwardedFor => {
                for value in headers.bytes("x-forwarded-for") {
                    let value = String::from_utf8_lossy(value);
                    named.extend(value.split(',').map(address));
                }
            }
            ClientHeader::Forwarded => {
                for value in headers.bytes("forwarded") {
                    let value = String::from_utf8_lossy(value);
                    named.extend(elements(&value).map(forwarded_for));
                }
            }
        }
        let mut client = from;
        // An element that can't be read ends the reading: no trusted proxy vouches for what stands
        // before it.
        while self.trusts(client)
            && let Some(Some(before)) = named.pop()
        {
            client = before;
        }
        client
    }
}

/// Looks for a PROXY header in the first bytes of a trusted proxy's connection.
///
/// # Errors
/// When there is one and it can't be read.
pub fn start(bytes: &[u8]) -> Result<Start, BadHeader> {
    let begins = |whole: &[u8]| bytes.starts_with(whole) || whole.starts_with(bytes);
    if !begins(VERSION_1) && !begins(VERSION_2) {
        return Ok(Start::Other);
    }
    let config = ParseConfig {
        include_tlvs: false,
        ..ParseConfig::default()
    };
    let is_line_whole = bytes.starts_with(VERSION_1) && bytes.ends_with(b"\n");
    let bytes_max = if is_line_whole { 0 } else { PROXY_BYTES_MAX };
    match ProxyHeader::parse(bytes, config) {
        Ok((header, length)) => {
            let source = header.proxied_address().map(|address| address.source.ip());
            Ok(Start::Header(length, source))
        }
        Err(Error::BufferTooShort) if bytes.len() < bytes_max => Ok(Start::Unknown),
        Err(_) => Err(BadHeader),
    }
}

/// The elements of a `Forwarded` list. A comma between quotes does not separate elements.
fn elements(value: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    value.split(move |letter| {
        quoted ^= letter == '"';
        letter == ',' && !quoted
    })
}

/// The address of an element's `for`.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    element.split(';').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        let is_for = name.trim().eq_ignore_ascii_case("for");
        is_for.then(|| address(value.trim().trim_matches('"')))
    })?
}

/// An address, perhaps with a port, IPv6 perhaps in brackets.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    if let Some(rest) = text.strip_prefix('[') {
        return rest.split(']').next()?.parse().ok();
    }
    let parsed = text.parse().ok();
    parsed.or_else(|| text.split_once(':')?.0.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

    fn ip(address: &str) -> IpAddr {
        address.parse().unwrap()
    }

    fn client(header: ClientHeader, from: &str, lines: &[(&'static str, &[u8])]) -> IpAddr {
        let networks = ["10.0.0.0/8", "2001:db8::/32"].map(|net| net.parse().unwrap());
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            let name = HeaderName::from_static(name);
            headers.append(name, HeaderValue::from_bytes(value).unwrap());
        }
        Proxies::new(networks.into(), header).client(ip(from), &headers)
    }

    #[test]
    fn only_trusted_proxies_are_believed_and_only_what_they_added() {
        let client = |from, lines: &[(&'static str, &[u8])]| {
            client(ClientHeader::XForwardedFor, from, lines)
        };
        let of = |value: &'static str| [("x-forwarded-for", value.as_bytes())];
        assert_eq!(
            client("203.0.113.1", &of("198.51.100.1")),
            ip("203.0.113.1")
        );
        assert_eq!(client("10.0.0.1", &of("198.51.100.1")), ip("198.51.100.1"));
        // A client wrote the first: the proxy added the second.
        let forged = of("192.0.2.1, 198.51.100.1");
        assert_eq!(client("10.0.0.1", &forged), ip("198.51.100.1"));
        let garbage = [("x-forwarded-for", &b"\xff\", 198.51.100.1"[..])];
        assert_eq!(client("10.0.0.1", &garbage), ip("198.51.100.1"));
        // What a client wrote into the other header counts for nothing.
        let other = [
            ("forwarded", &b"for=192.0.2.1"[..]),
            ("x-forwarded-for", b"198.51.100.1"),
        ];
        assert_eq!(client("10.0.0.1", &other), ip("198.51.100.1"));
        // Two proxies, one behind the other.
        let both = of("192.0.2.1, 198.51.100.1, 10.9.9.9");
        assert_eq!(client("10.0.0.1", &both), ip("198.51.100.1"));
        let lines = [
            ("x-forwarded-for", &b"198.51.100.1"[..]),
            ("x-forwarded-for", b"10.9.9.9"),
        ];
        assert_eq!(client("::ffff:10.0.0.1", &lines), ip("198.51.100.1"));
        assert_eq!(
            client("10.0.0.1", &of("198.51.100.1, what")),
            ip("10.0.0.1")
        );
        assert_eq!(client("10.0.0.1", &[]), ip("10.0.0.1"));
    }

    #[test]
    fn forwarded_is_read_in_all_its_forms_where_the_setting_says_so() {
        let of = |value: &str| {
            let lines = [
                ("forwarded", value.as_bytes()),
                ("x-forwarded-for", b"192.0.2.9"),
            ];
            client(ClientHeader::Forwarded, "10.0.0.1", &lines)
        };
        assert_eq!(of("for=198.51.100.1"), ip("198.51.100.1"));
        assert_eq!(
            of("proto=https;For=\"198.51.100.1:4711\""),
            ip("198.51.100.1")
        );
        assert_eq!(of("for=\"[2001:db9::1]:4711\";by=x"), ip("2001:db9::1"));
        assert_eq!(of("for=192.0.2.1, for=198.51.100.1"), ip("198.51.100.1"));
        assert_eq!(of("for=192.0.2.1, for=unknown"), ip("10.0.0.1"));
        assert_eq!(of("for=192.0.2.1, for=\"_a,b\""), ip("10.0.0.1"));
        assert_eq!(of("x"), ip("10.0.0.1"));
    }

    #[test]
    fn a_proxy_header_is_found_whole_in_pieces_or_not_at_all() {
        let line = b"PROXY TCP4 198.51.100.1 10.0.0.1 4711 443\r\n";
        let found = Start::Header(line.len(), Some(ip("198.51.100.1")));
        for cut in 0..line.len() {
            assert_eq!(start(&line[..cut]), Ok(Start::Unknown), "{cut}");
        }
        assert_eq!(start(&[line, &b"GET /"[..]].concat()), Ok(found));
        let unknown = b"PROXY UNKNOWN\r\n";
        assert_eq!(start(unknown), Ok(Start::Header(15, None)));
        let mut binary = VERSION_2.to_vec();
        binary.extend([0x21, 0x11, 0, 12, 198, 51, 100, 1, 10, 0, 0, 1, 1, 2, 3, 4]);
        for cut in 0..binary.len() {
            assert_eq!(start(&binary[..cut]), Ok(Start::Unknown), "{cut}");
        }
        let found = Start::Header(binary.len(), Some(ip("198.51.100.1")));
        assert_eq!(start(&binary), Ok(found));
        for other in [&b"POST / HTTP"[..], b"GET", b"\x16\x03\x01", b"\r\nGET"] {
            assert_eq!(start(other), Ok(Start::Other), "{other:?}");
        }
        assert_eq!(start(b"PROXY TCP4 no\r\n"), Err(BadHeader));
        let mut endless = VERSION_2.to_vec();
        endless.extend([0x21, 0x11, 0xff, 0xff]);
        endless.resize(PROXY_BYTES_MAX, 0);
        assert_eq!(start(&endless), Err(BadHeader));
    }
}
