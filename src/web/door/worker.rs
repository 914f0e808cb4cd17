//! What the connections of one worker share, and how each of their requests comes to its answer:
//! at once from prepared bytes, when its turn has come, from a route, or not at all.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;

use actix_http::body::BoxBody;
use actix_http::{Method, Request, Response};

use super::answer::{Common, End, Out};
use super::bounds::READ_BYTES_MAX;
use super::client::Proxies;
use super::front::{Arrived, Front, Joins};
use super::head::room;
use super::load::{Class, WorkerLoad};
use super::request::{Asked, Reading, Seen, Turn, for_routes};
use super::served::Call;
use crate::clock::tick;
use crate::web::booking::BookCall;

/// What the connections of one worker share.
pub struct Worker {
    pub load: Rc<WorkerLoad>,
    pub front: Front,
    pub common: Common,
    /// Whether a connection may go on after its first answer.
    pub persists: bool,
    pub proxies: Proxies,
    /// The names that are served; all if there are none.
    pub hosts: Vec<String>,
    pub routes: Routes,
    pub scratch: RefCell<Scratch>,
}

/// Answers a request that has a route, or none.
pub type Routes = Box<dyn Fn(Request) -> Pin<Box<dyn Future<Output = Response<BoxBody>>>>>;

/// Buffers that all connections of the worker use in turn, each during one step only.
pub struct Scratch {
    pub input: Box<[u8]>,
    pub out: Out,
}

impl Default for Scratch {
    fn default() -> Self {
        Self {
            input: vec![0; READ_BYTES_MAX].into(),
            out: Out::default(),
        }
    }
}

impl Worker {
    /// Looks for a request at the start of `input`, and answers it if nothing has to be waited for.
    pub fn look(
        &self,
        reading: &mut Reading,
        input: &[u8],
        from: SocketAddr,
        may_persist: bool,
        out: &mut Out,
    ) -> Seen {
        let mut room = room();
        let (head, body) = match reading.read(input, &mut room, &self.hosts) {
            Ok(Some(whole)) => whole,
            Ok(None) if reading.wants_leave() => return Seen::Continue,
            Ok(None) => return Seen::Incomplete,
            Err(refusal) => return Seen::Refused(refusal),
        };
        let came = tick();
        let call = Call::of(&head.method, head.path);
        let taken = head.length + body.taken;
        let persists = may_persist && head.persists && self.persists;
        let client = SocketAddr::new(self.proxies.client(from.ip(), &head.lines), from.port());
        let class = self.front.class(&head);
        let turn = if let Some(s) = self.front.over_bound_s(&head, class, client.ip()) {
            Turn::Wanted(Joins::PutOff(s))
        } else if class == Class::Session || self.load.turns.try_take() {
            let end = End {
                common: &self.common,
                persists,
            };
            let arrived = Arrived {
                head: &head,
                class,
                body: body.bytes(&input[head.length..]),
                client: client.ip(),
            };
            if self.front.answer(&arrived, out, &end) {
                let took = Some(came.elapsed());
                self.load.answered(call, class, took, out);
                return Seen::Answered { taken, persists };
            }
            Turn::Taken
        } else {
            Turn::Wanted(Joins::Now)
        };
        Seen::Waits(Asked {
            bytes: input[..taken].to_vec(),
            body,
            call,
            class,
            came,
            turn,
            client,
            persists,
        })
    }

    /// How a request that waits comes to its turn.
    pub fn turn_of(&self, asked: &Asked) -> Turn {
        match asked.turn {
            Turn::Wanted(Joins::Now) => {
                let joins = asked.with_head(|head| self.front.joins(head, asked.class));
                Turn::Wanted(joins.unwrap_or(Joins::Now))
            }
            turn => turn,
        }
    }

    /// Answers a request whose turn has come; or the request for the routes, and whether it asks
    /// for the head of the answer alone.
    pub fn answer(&self, asked: &Asked, out: &mut Out) -> Option<(Request, bool)> {
        let end = End {
            common: &self.common,
            persists: asked.persists,
        };
        asked.with_head(|head| {
            let arrived = Arrived {
                head,
                class: asked.class,
                body: asked.body.bytes(&asked.bytes[head.length..]),
                client: asked.client.ip(),
            };
            if self.front.answer(&arrived, out, &end) {
                None
            } else {
                for_routes(head, asked)
            }
        })?
    }

    /// A well-formed call to book; none for every other request.
    pub fn books(&self, asked: &Asked) -> Option<BookCall> {
        if asked.class != Class::Session {
            return None;
        }
        asked.with_head(|head| {
            self.front.books(&Arrived {
                head,
                class: asked.class,
                body: asked.body.bytes(&asked.bytes[head.length..]),
                client: asked.client.ip(),
            })
        })?
    }

    pub async fn book(&self, call: BookCall, persists: bool, out: &mut Out) {
        self.front.book(call, persists, &self.common, out).await;
    }

    pub fn put_off(&self, asked: &Asked, retry_after_s: u32, out: &mut Out) {
        let end = End {
            common: &self.common,
            persists: asked.persists,
        };
        asked.with_head(|head| {
            let to_head = head.method == Method::HEAD;
            out.made(self.front.put_off(head, retry_after_s), to_head, &end);
        });
    }

    /// Writes what a route answered, when its body is there.
    pub async fn write_response(
        &self,
        response: Response<BoxBody>,
        to_head: bool,
        persists: bool,
        out: &mut Out,
    ) {
        let (response, body) = response.into_parts();
        let body = actix_http::body::to_bytes(body).await.unwrap_or_default();
        let end = End {
            common: &self.common,
            persists,
        };
        out.response(&response, body, to_head, &end);
    }
}
