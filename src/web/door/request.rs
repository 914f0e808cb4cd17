//! A request on its way from the bytes that came to an answer: whether it has come whole, what it
//! waits for, and the form in which routes take it.

use std::net::SocketAddr;
use std::time::Instant;

use actix_http::{Payload, Request, Version};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::http::{Method, Uri};
use actix_web::web::Bytes;

use super::body::{Body, Whole};
use super::front::Joins;
use super::head::{Framing, Head, HeadFault, Room, room};
use super::load::Class;
use super::served::Call;
use crate::events::Event;
use crate::web::problem::{FieldFault, Problem};
use crate::web::words::Lang;

/// A request that is coming in.
#[derive(Default)]
pub struct Reading {
    body: Option<Body>,
    leave: Leave,
}

/// Whether the client was told to go on and send the body.
#[derive(Default, PartialEq, Eq)]
enum Leave {
    #[default]
    NotAsked,
    Asked,
    Given,
}

/// What is seen in the bytes that came.
pub enum Seen {
    /// The request has not come whole.
    Incomplete,
    /// The client waits for `100 Continue`.
    Continue,
    /// It was answered; `taken` bytes were its own.
    Answered {
        taken: usize,
        persists: bool,
    },
    Waits(Asked),
    Refused(Refusal),
}

/// A request that was not answered at once.
pub struct Asked {
    /// Its bytes.
    pub bytes: Vec<u8>,
    pub body: Whole,
    pub call: Call,
    pub class: Class,
    /// When it had come whole.
    pub came: Instant,
    pub turn: Turn,
    /// Whom it comes from.
    pub client: SocketAddr,
    /// Whether the connection goes on after the answer.
    pub persists: bool,
}

/// What a request waits for before it is answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Turn {
    /// For nothing: it needs no turn, or has it.
    Taken,
    Wanted(Joins),
}

/// Why a request is refused before anything is known of it but its head.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    Head(HeadFault),
    /// It is for a host that is not served here.
    HostUnknown,
}

impl Reading {
    /// Reads a request; none if it has not come whole.
    pub fn read<'b>(
        &mut self,
        input: &'b [u8],
        room: &'b mut Room<'b>,
        hosts: &[String],
    ) -> Result<Option<(Head<'b>, Whole)>, Refusal> {
        let Some(head) = Head::read(input, room).map_err(Refusal::Head)? else {
            return Ok(None);
        };
        let is_served = |host| served(hosts, host).is_some();
        if !hosts.is_empty() && !head.host.is_some_and(is_served) {
            return Err(Refusal::HostUnknown);
        }
        if head.body == Framing::Length(0) {
            let body = Whole {
                taken: 0,
                joined: None,
            };
            return Ok(Some((head, body)));
        }
        if matches!(head.method, Method::GET | Method::HEAD) {
            return Err(Refusal::Head(HeadFault::BodyTooLong));
        }
        let body = self.body.get_or_insert_with(|| Body::new(head.body));
        let rest = &input[head.length..];
        match body.read(rest).map_err(Refusal::Head)? {
            Some(whole) => {
                *self = Self::default();
                Ok(Some((head, whole)))
            }
            None => {
                if head.expects_continue && rest.is_empty() && self.leave == Leave::NotAsked {
                    self.leave = Leave::Asked;
                }
                Ok(None)
            }
        }
    }

    /// Bytes that it holds beside those that came.
    pub fn held(&self) -> usize {
        self.body.as_ref().map_or(0, Body::held)
    }

    /// Whether the client waits to be told to go on; it is told once.
    pub fn wants_leave(&mut self) -> bool {
        let asked = self.leave == Leave::Asked;
        if asked {
            self.leave = Leave::Given;
        }
        asked
    }
}

/// The one of those names that a host is, without its port.
pub fn served<'h>(hosts: &'h [String], host: &str) -> Option<&'h str> {
    let end = match host.rfind(':') {
        Some(at) if !host.ends_with(']') => at,
        _ => host.len(),
    };
    let mut names = hosts.iter().map(String::as_str);
    names.find(|known| known.eq_ignore_ascii_case(&host[..end]))
}

impl Asked {
    /// Reads the head again, which has come whole.
    pub fn with_head<T>(&self, look: impl FnOnce(&Head<'_>) -> T) -> Option<T> {
        let mut room = room();
        let head = Head::read(&self.bytes, &mut room).ok()??;
        Some(look(&head))
    }
}

/// The request as routes take it, and whether it asks for the head of the answer alone: an answer
/// to HEAD is that to GET without its body. None if its target can't be taken apart.
pub fn for_routes(head: &Head<'_>, asked: &Asked) -> Option<(Request, bool)> {
    let body = asked.body.bytes(&asked.bytes[head.length..]);
    let (_, mut payload) = actix_http::h1::Payload::create(true);
    payload.unread_data(Bytes::copy_from_slice(body));
    let mut request = Request::with_payload(Payload::from(payload));
    let into = request.head_mut();
    let to_head = head.method == Method::HEAD;
    into.method = if to_head {
        Method::GET
    } else {
        head.method.clone()
    };
    into.uri = Uri::try_from(head.target).ok()?;
    into.version = if head.is_http_1_0 {
        Version::HTTP_10
    } else {
        Version::HTTP_11
    };
    into.peer_addr = Some(asked.client);
    for line in head.lines.0 {
        let name = HeaderName::from_bytes(line.name.as_bytes());
        let value = HeaderValue::from_bytes(line.value);
        if let (Ok(name), Ok(value)) = (name, value) {
            into.headers.append(name, value);
        }
    }
    Some((request, to_head))
}

impl Refusal {
    pub fn event(self) -> Event {
        use HeadFault::{BodyTooLong, HeadTooLong, TargetTooLong};
        match self {
            Self::HostUnknown => Event::HostUnknown,
            Self::Head(BodyTooLong | HeadTooLong | TargetTooLong) => Event::RequestTooLong,
            Self::Head(_) => Event::RequestMalformed,
        }
    }

    /// The answer. Which language the client reads is not known.
    pub fn problem(self) -> Problem {
        let (status, field, reason) = match self {
            Self::HostUnknown => (421, "Host", "is not served here"),
            Self::Head(fault) => {
                let (field, reason) = fault.reason();
                (fault.status(), field, reason)
            }
        };
        let fault = FieldFault {
            field: field.to_owned(),
            reason: reason.to_owned(),
        };
        Problem::invalid(Lang::EN, status, &[fault])
    }
}

impl HeadFault {
    fn reason(self) -> (&'static str, &'static str) {
        match self {
            Self::Malformed => ("request", "is not HTTP that can be read in one way only"),
            Self::BodyTooLong => (
                "body",
                "is longer than 4096 bytes, or this call takes no body",
            ),
            Self::TargetTooLong => ("target", "is longer than 2048 bytes"),
            Self::HeadTooLong => (
                "headers",
                "are more than 64, or with the first line longer than 8192 bytes",
            ),
            Self::ExpectationUnknown => ("Expect", "can only be 100-continue"),
            Self::VersionUnknown => ("version", "can only be HTTP/1.1 or HTTP/1.0"),
        }
    }
}

#[cfg(test)]
#[path = "request/tests.rs"]
mod tests;
