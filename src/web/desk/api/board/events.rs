//! The body of a viewer's events.
//!
//! A frame is asked for when the connection can take one: a slow viewer is given the newest next,
//! and nothing is kept for it meanwhile. Every three seconds it is looked whether the session goes
//! on.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use actix_web::body::{BodySize, MessageBody};
use actix_web::web::Bytes;

use crate::clock::tick;
use crate::domain::staff::Bounds;
use crate::identity::staff::sessions::Certificate;
use crate::service::Service;
use crate::service::desk::board::Viewer;
use crate::web::desk::staff::{Allowed, Caller, Staff, Watchers};

/// How long a session can have ended before its events do.
const LOOK_EVERY: Duration = Duration::from_secs(3);
/// What is sent where there is no new frame: a comment, by which a viewer knows that the connection
/// stands.
const STILL_THERE: &[u8] = b": no news\n\n";

/// Who watches, and with which right.
struct Watching {
    service: Arc<Service>,
    viewer: Viewer,
    caller: Caller,
    certificate: Option<Certificate>,
    bounds: Bounds,
    looked: Instant,
}

type Next = Pin<Box<dyn Future<Output = Option<(Watching, Bytes)>>>>;

/// The events; each is made once, and shared by all who are sent it.
pub struct Events(Next);

impl Events {
    pub fn new(staff: Staff<Watchers>, viewer: Viewer, now: Instant) -> Self {
        let watching = Watching {
            service: staff.service,
            viewer,
            caller: staff.caller,
            certificate: staff.origin.certificate,
            bounds: staff.account.bounds,
            looked: now,
        };
        Self(Box::pin(watching.next()))
    }
}

impl Watching {
    /// The bounds of whoever watches; none when they may not any more.
    fn bounds_now(&self) -> Option<Bounds> {
        match &self.caller {
            Caller::Person(person) => {
                let (token, roles) = (&person.token, Watchers::ROLES);
                self.service.watches_on(token, self.certificate, roles)
            }
            Caller::Key(key) => self.service.key_goes_on(*key, Watchers::SCOPE),
        }
    }

    /// The next event; none when it is the end.
    async fn next(mut self) -> Option<(Self, Bytes)> {
        let frame = tokio::time::timeout(LOOK_EVERY, self.viewer.next()).await;
        if self.looked.elapsed() >= LOOK_EVERY || frame.is_err() {
            self.bounds = self.bounds_now()?;
            self.looked = tick();
        }
        let event = match frame {
            Ok(frame) => Bytes::from_owner(frame?.forms(&self.bounds).event),
            Err(_) => Bytes::from_static(STILL_THERE),
        };
        Some((self, event))
    }
}

impl MessageBody for Events {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        let this = self.get_mut();
        let next = ready!(this.0.as_mut().poll(context));
        let Some((watching, event)) = next else {
            // Never polled again after its end; if it were, it would have ended once more.
            this.0 = Box::pin(std::future::ready(None));
            return Poll::Ready(None);
        };
        this.0 = Box::pin(watching.next());
        Poll::Ready(Some(Ok(event)))
    }
}
