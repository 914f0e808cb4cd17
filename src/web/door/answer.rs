//! Answers as bytes: a head of prepared lines, what every answer carries, and the body.
//!
//! A prepared answer is copied together and leaves in one call. What routes answer is written from
//! its header map. Every answer says when it was made, that its type is not to be guessed, and over
//! TLS that only TLS is to be used.

use std::cell::RefCell;

use actix_http::Response;
use actix_http::body::MessageBody as _;
use actix_http::header::{CONTENT_SECURITY_POLICY, HeaderMap};
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Bytes;

use crate::clock;
use crate::web::request_id::{REQUEST_ID, RequestId};

/// A longer body is not copied behind its head.
const COPIED_BYTES_MAX: usize = 16 * 1024;
/// Browsers keep to TLS for a year (RFC 6797).
const ONLY_TLS: &str = "strict-transport-security: max-age=31536000\r\n";
const NO_GUESS: &str = "x-content-type-options: nosniff\r\n";
/// The content security policy of an answer that is no page: it may load nothing and be framed
/// nowhere.
const NO_PAGE: &str = "content-security-policy: default-src 'none'; frame-ancestors 'none'\r\n\
                       referrer-policy: no-referrer\r\n";

/// An answer that is ready to leave.
#[derive(Default, Debug)]
pub struct Out {
    /// The head, and the body unless it is long.
    pub bytes: Vec<u8>,
    /// A long body, perhaps shared with other answers.
    pub shared: Bytes,
    /// Whether it is kept back before it leaves, as every "too many" (429) is: whoever sends one
    /// wrong guess after the other hears of one in a second on each connection.
    pub is_late: bool,
    /// The problem code of a refusal.
    pub code: Option<&'static str>,
    /// The reference of the request, if the answer carries it.
    pub request_id: Option<RequestId>,
}

/// The problem code of a refusal, as an extension of its answer.
#[derive(Clone, Copy, Debug)]
pub struct Code(pub &'static str);

/// How an answer ends.
#[derive(Clone, Copy, Debug)]
pub struct End<'a> {
    /// What every answer of this moment carries.
    pub common: &'a Common,
    /// Whether the connection goes on.
    pub persists: bool,
}

/// The lines that every answer carries.
#[derive(Debug)]
pub struct Common {
    only_tls: bool,
    lines: RefCell<Vec<u8>>,
}

impl Common {
    pub fn new(only_tls: bool) -> Self {
        let common = Self {
            only_tls,
            lines: RefCell::default(),
        };
        common.renew();
        common
    }

    /// Makes the lines again, because they contain the current second.
    pub fn renew(&self) {
        let now = clock::wall().instant();
        let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&now);
        let mut lines = self.lines.borrow_mut();
        lines.clear();
        if let Ok(date) = date {
            for part in ["date: ", &date, "\r\n"] {
                lines.extend_from_slice(part.as_bytes());
            }
        }
        lines.extend_from_slice(NO_GUESS.as_bytes());
        if self.only_tls {
            lines.extend_from_slice(ONLY_TLS.as_bytes());
        }
    }
}

impl Out {
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty() && self.shared.is_empty()
    }

    pub fn length(&self) -> usize {
        self.bytes.len() + self.shared.len()
    }

    /// Makes room for the next answer.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.shared = Bytes::new();
        self.is_late = false;
        self.code = None;
        self.request_id = None;
    }

    /// The bytes from a position on, as far as they lie in one piece; none at the end.
    pub fn rest(&self, sent: usize) -> Option<&[u8]> {
        let rest = match sent.checked_sub(self.bytes.len()) {
            None => &self.bytes[sent..],
            Some(sent) => self.shared.get(sent..).unwrap_or_default(),
        };
        (!rest.is_empty()).then_some(rest)
    }

    /// What is left when so many bytes have been sent.
    pub fn after(&self, sent: usize) -> Self {
        let of_shared = sent.saturating_sub(self.bytes.len());
        Self {
            bytes: self.bytes[sent.min(self.bytes.len())..].to_vec(),
            shared: self.shared.slice(of_shared.min(self.shared.len())..),
            is_late: self.is_late,
            code: self.code,
            request_id: self.request_id,
        }
    }

    /// The status, off the first line: `HTTP/1.1 200 …`; 0 if there is no answer.
    pub fn status(&self) -> u16 {
        let digits = self.bytes.get(9..12).unwrap_or_default();
        let number = |number: u16, digit: &u8| number * 10 + u16::from(digit.wrapping_sub(b'0'));
        digits.iter().fold(0, number)
    }

    /// Writes the line of the reference.
    pub fn reference(&mut self, id: RequestId) {
        self.request_id = Some(id);
        for part in [REQUEST_ID, ": ", id.as_str(), "\r\n"] {
            self.text(part);
        }
    }

    fn text(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
    }

    /// Writes a head: its prepared lines, from the status line on, and the length of the body,
    /// which the caller puts behind it; no length where an answer has no body by its status.
    pub fn head(&mut self, lines: &[u8], length: Option<usize>, end: &End<'_>) {
        self.bytes.extend_from_slice(lines);
        if let Some(length) = length {
            self.text("content-length: ");
            self.number(length);
            self.text("\r\n");
        }
        self.bytes.extend_from_slice(&end.common.lines.borrow());
        let last = if end.persists {
            "\r\n"
        } else {
            "connection: close\r\n\r\n"
        };
        self.text(last);
    }

    fn number(&mut self, mut number: usize) {
        let mut digits = [0; 20];
        let mut at = digits.len();
        loop {
            at -= 1;
            digits[at] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                break;
            }
        }
        self.bytes.extend_from_slice(&digits[at..]);
    }

    /// Puts a body behind its head.
    pub fn body(&mut self, body: Bytes) {
        if body.len() <= COPIED_BYTES_MAX {
            self.bytes.extend_from_slice(&body);
        } else {
            self.shared = body;
        }
    }

    /// Writes an answer that was made without a route.
    pub fn made(&mut self, response: HttpResponse, to_head: bool, end: &End<'_>) {
        let (response, body) = Response::from(response).into_parts();
        let body = body.try_into_bytes().unwrap_or_default();
        self.response(&response, body, to_head, end);
    }

    /// Writes what a route answered. An answer to HEAD has the length of its body, and no body.
    pub fn response(&mut self, response: &Response<()>, body: Bytes, to_head: bool, end: &End<'_>) {
        let status = response.status();
        self.is_late = status == StatusCode::TOO_MANY_REQUESTS;
        self.code = response.extensions().get::<Code>().map(|Code(code)| *code);
        self.bytes
            .extend_from_slice(&header_lines(status, response.headers()));
        let known = response.headers().get(REQUEST_ID);
        match known.and_then(|known| RequestId::parse(known.as_bytes())) {
            Some(known) => self.request_id = Some(known),
            None => self.reference(RequestId::next()),
        }
        let is_bare = matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        self.head(&[], (!is_bare).then_some(body.len()), end);
        if !is_bare && !to_head {
            self.body(body);
        }
    }
}

/// The lines of an answer with those headers, from its status line on. What the answer itself or
/// every answer carries is left out; what is no page gets a policy that allows nothing.
pub fn header_lines(status: StatusCode, headers: &HeaderMap) -> Vec<u8> {
    let mut lines = status_line(status);
    for (name, value) in headers {
        if matches!(
            name.as_str(),
            "connection"
                | "content-length"
                | "date"
                | "transfer-encoding"
                | "x-content-type-options"
        ) {
            continue;
        }
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            lines.extend_from_slice(part);
        }
    }
    let is_page = headers.contains_key(CONTENT_SECURITY_POLICY);
    if !is_page && status != StatusCode::NOT_MODIFIED {
        lines.extend_from_slice(NO_PAGE.as_bytes());
    }
    lines
}

/// The first line of an answer.
fn status_line(status: StatusCode) -> Vec<u8> {
    let reason = status.canonical_reason().unwrap_or("Refused");
    format!("HTTP/1.1 {} {reason}\r\n", status.as_u16()).into_bytes()
}

/// The lines of an API's answer that never changes, from its status line on.
pub fn api_lines(status: StatusCode, headers: &[(&str, &str)]) -> Vec<u8> {
    let mut lines = status_line(status);
    for (name, value) in headers {
        lines.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    lines.extend_from_slice(NO_PAGE.as_bytes());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_http::header::{CONTENT_TYPE, HeaderValue};

    fn written(write: impl FnOnce(&mut Out)) -> String {
        let mut out = Out::default();
        write(&mut out);
        let all = [&out.bytes[..], &out.shared[..]].concat();
        String::from_utf8(all).unwrap()
    }

    #[test]
    fn an_answer_carries_its_length_date_and_policies() {
        let common = Common::new(true);
        let end = End {
            common: &common,
            persists: false,
        };
        let mut response = Response::with_body(StatusCode::OK, ());
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(CONTENT_TYPE, json);
        let body = Bytes::from_static(b"{}");
        let text = written(|out| out.response(&response, body.clone(), false, &end));
        assert!(text.starts_with("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"));
        for line in [
            "content-length: 2",
            "x-content-type-options: nosniff",
            "strict-transport-security: max-age=31536000",
            "content-security-policy: default-src 'none'; frame-ancestors 'none'",
            "connection: close",
        ] {
            assert!(text.contains(&format!("\r\n{line}\r\n")), "{line}: {text}");
        }
        let date = text.split("date: ").nth(1).unwrap();
        assert_eq!(date.find(" GMT\r\n"), Some(25), "{date}");
        assert!(text.ends_with("\r\n\r\n{}"));
        let to_head = written(|out| out.response(&response, body, true, &end));
        // Each has a reference of its own, of one length.
        let without = |text: &str| {
            let (before, after) = text.split_once("x-request-id: ").unwrap();
            format!("{before}{}", &after[8..])
        };
        assert_eq!(without(&to_head), without(&text[..text.len() - 2]));
    }

    #[test]
    fn an_answer_without_a_body_has_no_length() {
        let common = Common::new(false);
        let end = End {
            common: &common,
            persists: true,
        };
        for status in [StatusCode::NOT_MODIFIED, StatusCode::NO_CONTENT] {
            let response = Response::with_body(status, ());
            let text = written(|out| out.response(&response, Bytes::new(), false, &end));
            assert!(!text.contains("content-length"), "{text}");
            assert!(!text.contains("strict-transport"), "{text}");
            assert!(text.ends_with("\r\n\r\n"));
        }
    }

    #[test]
    fn a_long_body_is_not_copied() {
        let body = Bytes::from(vec![b'x'; COPIED_BYTES_MAX + 1]);
        let mut out = Out::default();
        out.body(body.clone());
        assert_eq!(out.shared.as_ptr(), body.as_ptr());
        assert_eq!(out.length(), body.len());
    }
}
