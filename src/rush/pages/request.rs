//! Requests as Chromium sends them for the shipped pages. What the server never reads is left out:
//! the client hints and the `Cache-Control` of a reload. `tests/pages/sent.rs` compares these with
//! what a real browser sends.

use std::io::Write as _;

const AGENT: &str = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) \
                     Chrome/137.0.0.0 Mobile Safari/537.36";
const ENCODINGS: &str = "gzip, deflate, br, zstd";
const LANGUAGES: &str = "ko-KR,ko;q=0.9,en-US;q=0.8,en;q=0.7";
const ACCEPT_PAGE: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,image/jxl,\
                           image/avif,image/webp,image/apng,*/*;q=0.8,\
                           application/signed-exchange;v=b3;q=0.7";
const ACCEPT_STYLE: &str = "text/css,*/*;q=0.1";
const ACCEPT_IMAGE: &str = "image/jxl,image/avif,image/webp,image/apng,image/svg+xml,image/*,\
                            */*;q=0.8";
const FORM: &str = "application/x-www-form-urlencoded";
/// What `fetch` adds when a script hands it a form's fields.
const FORM_OF_SCRIPT: &str = "application/x-www-form-urlencoded;charset=UTF-8";

/// What in a browser asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum By {
    /// An address that was typed or opened: no page sent the person there.
    Typed,
    /// A link, a form of its own, a redirect or a reload.
    Navigation,
    /// `fetch` of a page's script.
    Fetch,
    Script,
    Style,
    Icon,
}

/// One request of a browser.
#[derive(Debug)]
pub struct Request<'a> {
    /// The server as its address names it, such as `127.0.0.1:8021`.
    pub host: &'a str,
    /// `http://` or `https://` and the host.
    pub origin: &'a str,
    pub path: &'a str,
    pub by: By,
    pub cookies: &'a str,
    /// The tag of the page that the browser has kept; empty if there is none.
    pub etag: &'a str,
    /// The fields of a form that is sent with POST.
    pub form: Option<String>,
}

impl Request<'_> {
    /// Appends the request.
    pub fn push(&self, into: &mut Vec<u8>) {
        let method = if self.form.is_some() { "POST" } else { "GET" };
        let (path, host) = (self.path, self.host);
        let _ = write!(
            into,
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: keep-alive\r\n"
        );
        self.push_form_headers(into);
        let (accept, mode, dest) = match self.by {
            By::Typed | By::Navigation => (ACCEPT_PAGE, "navigate", "document"),
            By::Fetch => ("*/*", "cors", "empty"),
            By::Script => ("*/*", "cors", "script"),
            By::Style => (ACCEPT_STYLE, "no-cors", "style"),
            By::Icon => (ACCEPT_IMAGE, "no-cors", "image"),
        };
        if matches!(self.by, By::Typed | By::Navigation) {
            into.extend_from_slice(b"Upgrade-Insecure-Requests: 1\r\n");
        }
        let site = if self.by == By::Typed {
            "none"
        } else {
            "same-origin"
        };
        let _ = write!(
            into,
            "User-Agent: {AGENT}\r\nAccept: {accept}\r\nSec-Fetch-Site: {site}\r\n\
             Sec-Fetch-Mode: {mode}\r\nSec-Fetch-Dest: {dest}\r\n\
             Accept-Encoding: {ENCODINGS}\r\nAccept-Language: {LANGUAGES}\r\n"
        );
        if !self.cookies.is_empty() {
            let _ = write!(into, "Cookie: {}\r\n", self.cookies);
        }
        if !self.etag.is_empty() {
            let _ = write!(into, "If-None-Match: {}\r\n", self.etag);
        }
        into.extend_from_slice(b"\r\n");
        into.extend_from_slice(self.form.as_deref().unwrap_or_default().as_bytes());
    }

    /// A form of the browser's own has no origin, because our pages send no referrer; one that a
    /// script sends has.
    fn push_form_headers(&self, into: &mut Vec<u8>) {
        let origin = match (&self.form, self.by) {
            (Some(_), By::Fetch) | (None, By::Script) => Some(self.origin),
            (Some(_), _) => Some("null"),
            (None, _) => None,
        };
        if let Some(form) = &self.form {
            let kind = if self.by == By::Fetch {
                FORM_OF_SCRIPT
            } else {
                FORM
            };
            let length = form.len();
            let _ = write!(into, "Content-Length: {length}\r\nContent-Type: {kind}\r\n");
        }
        if let Some(origin) = origin {
            let _ = write!(into, "Origin: {origin}\r\n");
        }
        if self.form.is_some() && self.by == By::Fetch {
            into.extend_from_slice(b"Sumun-Script: 1\r\n");
        }
    }
}

/// The fields of a form as its body: `name=value&name=value`, in the form's order.
pub fn form(fields: &[(&str, &str)]) -> String {
    let mut body = String::new();
    for (name, value) in fields {
        if !body.is_empty() {
            body.push('&');
        }
        body.push_str(name);
        body.push('=');
        push_encoded(&mut body, value);
    }
    body
}

/// The WHATWG URL standard's `application/x-www-form-urlencoded` serializer.
fn push_encoded(body: &mut String, value: &str) {
    for byte in value.bytes() {
        match byte {
            b'*' | b'-' | b'.' | b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => {
                body.push(char::from(byte));
            }
            b' ' => body.push('+'),
            _ => {
                const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
                body.push('%');
                body.push(char::from(DIGITS[usize::from(byte >> 4)]));
                body.push(char::from(DIGITS[usize::from(byte & 15)]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forms_fields_are_written_as_browsers_write_them() {
        let body = form(&[("name", "김 a&b"), ("code", "0-9_A.*")]);
        assert_eq!(body, "name=%EA%B9%80+a%26b&code=0-9_A.*");
    }

    #[test]
    fn a_form_of_a_script_says_its_origin_and_one_of_the_browser_says_none() {
        let sent = |by| {
            let mut bytes = Vec::new();
            let request = Request {
                host: "h:1",
                origin: "http://h:1",
                path: "/ko/c/book",
                by,
                cookies: "a=b",
                etag: "",
                form: Some("hold=7".to_owned()),
            };
            request.push(&mut bytes);
            String::from_utf8(bytes).unwrap()
        };
        let native = sent(By::Navigation);
        assert!(native.starts_with("POST /ko/c/book HTTP/1.1\r\nHost: h:1\r\n"));
        assert!(native.contains("\r\nOrigin: null\r\n") && native.ends_with("\r\n\r\nhold=7"));
        let script = sent(By::Fetch);
        assert!(
            script.contains("\r\nOrigin: http://h:1\r\n") && script.contains("\r\nCookie: a=b")
        );
        assert!(script.contains("Content-Length: 6\r\n") && script.contains("charset=UTF-8"));
    }
}
