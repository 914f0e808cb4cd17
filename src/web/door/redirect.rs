//! What the plain listener answers: the same path over TLS, on a name that the settings have.
//!
//! Nothing of the request but its path and query stands in the answer, and these only if each byte
//! is visible ASCII: no request can put a line of its own or a host of its own there.

use actix_web::http::StatusCode;

use super::answer::{End, Out, api_lines};
use super::head::{Head, HeadFault};
use super::request::{Refusal, served};

/// Browsers may keep a redirection so long.
const KEPT: &str = "max-age=86400";

/// Sends a request on (308: a form stays a form), or refuses it: 421 for a host that is not served
/// or not named, 400 for a target that is no path.
pub fn answer(hosts: &[String], head: &Head<'_>, out: &mut Out, end: &End<'_>) {
    match location(hosts, head) {
        Ok(location) => {
            let headers = [("location", &*location), ("cache-control", KEPT)];
            let lines = api_lines(StatusCode::PERMANENT_REDIRECT, &headers);
            out.head(&lines, Some(0), end);
        }
        Err(refusal) => out.made(refusal.problem().response(), false, end),
    }
}

fn location(hosts: &[String], head: &Head<'_>) -> Result<String, Refusal> {
    let host = head.host.and_then(|host| served(hosts, host));
    let host = host.ok_or(Refusal::HostUnknown)?;
    let is_visible = head.target.bytes().all(|byte| byte.is_ascii_graphic());
    if !head.target.starts_with('/') || !is_visible {
        return Err(Refusal::Head(HeadFault::Malformed));
    }
    Ok(format!("https://{host}{}", head.target))
}

#[cfg(test)]
mod tests {
    use super::super::head::room;
    use super::*;

    fn sent_to(request: &str) -> Result<String, u16> {
        let hosts = ["book.example.go.kr", "[::1]"].map(str::to_owned);
        let mut room = room();
        let head = Head::read(request.as_bytes(), &mut room).map_err(HeadFault::status)?;
        let location = location(&hosts, &head.expect("the head is whole"));
        location.map_err(|refusal| match refusal {
            Refusal::HostUnknown => 421,
            Refusal::Head(fault) => fault.status(),
        })
    }

    #[test]
    fn a_request_is_sent_to_a_name_of_the_settings_and_to_no_other() {
        let of = |target: &str, host: &str| {
            sent_to(&format!("GET {target} HTTP/1.1\r\nhost: {host}\r\n\r\n"))
        };
        let good = |location: &str| Ok(location.to_owned());
        let host = "book.example.go.kr";
        assert_eq!(of("/", host), good("https://book.example.go.kr/"));
        let with_port = of("/ko/a?b=%0d%0a", "BOOK.example.go.kr:80");
        assert_eq!(with_port, good("https://book.example.go.kr/ko/a?b=%0d%0a"));
        assert_eq!(of("/x", "[::1]:8080"), good("https://[::1]/x"));
        // A path that looks like a host stays a path.
        let as_path = good("https://book.example.go.kr//evil.example/");
        assert_eq!(of("//evil.example/", host), as_path);
        assert_eq!(of("/", "evil.example"), Err(421));
        assert_eq!(of("http://evil.example/x", host), Err(421));
        assert_eq!(of("/", "book.example.go.kr.evil.example"), Err(421));
        assert_eq!(of("*", host), Err(400));
        assert_eq!(of("/caf\u{e9}", host), Err(400));
        assert_eq!(of("/", "book.example.go.kr\rx: y"), Err(400));
        assert_eq!(sent_to("GET / HTTP/1.0\r\n\r\n"), Err(421));
    }
}
