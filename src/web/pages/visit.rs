//! Who visits a page, as values: a handler that asks for `Guest` can't be reached without a
//! session.

use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header::HeaderValue;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest, HttpResponse};

use super::answer::see_other;
use super::guard::FreshCookies;
use super::trouble::{self, Trouble};
use crate::domain::ids::PersonKey;
use crate::domain::state::Booking;
use crate::service::booking::Held;
use crate::service::{Here, Refused, Service};
use crate::web::call::{
    PLACE_COOKIE, SESSION_COOKIE, cookie, cookie_for, no_cookie, service, token_in, token_in_cookie,
};
use crate::web::words::Lang;

/// A visit to a page of a campaign, by anyone.
pub struct Visit {
    pub service: Arc<Service>,
    pub here: Here,
    pub lang: Lang,
    pub place: Option<String>,
    pub session: Option<String>,
    /// The version of the agency's file whose consent text the person agreed to.
    pub agreed: Option<u32>,
}

/// A visit that is over in a moment: what is needed to answer from prepared bytes, and no more.
#[derive(Clone, Copy)]
pub struct Glance<'a> {
    pub service: &'a Arc<Service>,
    pub here: &'a Here,
    pub lang: Lang,
    /// The place's token, if one was shown.
    pub place: Option<&'a str>,
}

impl Glance<'_> {
    /// The whole visit, for making what is prepared.
    pub fn visit(&self) -> Visit {
        Visit {
            service: Arc::clone(self.service),
            here: self.here.clone(),
            lang: self.lang,
            place: self.place.map(str::to_owned),
            session: None,
            agreed: None,
        }
    }
}

/// The language that an address names, or the one the browser prefers.
pub fn lang(request: &HttpRequest) -> Lang {
    let named = request.match_info().get("lang").and_then(Lang::of_tag);
    named.unwrap_or_else(|| Lang::of(request.headers()))
}

impl Visit {
    fn of(request: &HttpRequest) -> Result<Self, Trouble> {
        let campaign = request.match_info().get("campaign").unwrap_or_default();
        Self::new(request, lang(request), campaign)
    }

    /// A visit to a page of that campaign.
    pub fn new(request: &HttpRequest, lang: Lang, campaign: &str) -> Result<Self, Trouble> {
        let service = service(request);
        let here = service.campaign(campaign);
        let here = here.map_err(|_| Trouble::of(trouble::not_found(request)))?;
        let given = |name| token_in(request.headers(), name).map(str::to_owned);
        Ok(Self {
            service,
            here,
            lang,
            place: given(PLACE_COOKIE),
            session: given(SESSION_COOKIE),
            agreed: token_in_cookie(request.headers(), AGREED_COOKIE)
                .and_then(|version| version.parse().ok()),
        })
    }

    /// What a page from prepared bytes needs to know of the visit.
    pub fn glance(&self) -> Glance<'_> {
        Glance {
            service: &self.service,
            here: &self.here,
            lang: self.lang,
            place: self.place.as_deref(),
        }
    }

    /// The address of a page of this campaign.
    pub fn to(&self, page: &str) -> String {
        let campaign = self.here.offer.catalog.campaign.id.as_str();
        format!("/{}/{campaign}{page}", self.lang.tag())
    }

    /// Sends the person on.
    pub fn onward(&self, page: &str) -> HttpResponse {
        see_other(&self.to(page))
    }

    /// The person whose session runs. Whoever has none any more, but a place whose turn has come,
    /// gets one: after a restart or a long rest nobody has to begin again.
    pub fn person(&self, request: &HttpRequest) -> Result<PersonKey, Refused> {
        let session = self.session.as_deref();
        let refused = match self
            .service
            .session(&self.here, session.unwrap_or_default())
        {
            Ok(person) => return Ok(person),
            Err(refused) => refused,
        };
        let Some(place) = &self.place else {
            return Err(refused);
        };
        let (_, token) = self.service.admit(&self.here, place)?;
        give(request, SESSION_COOKIE, &token);
        self.service.session(&self.here, &token)
    }

    /// Where a person in session goes on: to their booking, their hold, or the choice of a place.
    pub fn home(&self, person: &PersonKey) -> &'static str {
        if self.service.running_hold(&self.here, person).is_some() {
            "/confirm"
        } else if self.service.active_booking(&self.here, person).is_some() {
            "/booking"
        } else {
            "/sites"
        }
    }

    /// Whether a first booking is allowed to somebody in session now.
    pub fn may_book(&self, person: &PersonKey) -> bool {
        self.service.books_until(&self.here, person).is_some()
    }

    pub fn trouble(&self, refused: &Refused) -> Trouble {
        trouble::refused(self, refused)
    }
}

/// Gives the browser a token with the answer to this request.
pub fn give(request: &HttpRequest, name: &str, token: &str) {
    put(request, cookie(name, token));
}

/// The cookie of the birth date that somebody asked about.
pub const BORN_COOKIE: &str = "__Host-sumun-born";

/// The cookie of the version of the agency's file whose consent text somebody agreed to.
pub const AGREED_COOKIE: &str = "__Host-sumun-agreed";
/// As long as a place's cookie.
pub const AGREED_S: u32 = 86_400;

/// Has the browser keep a short value for so many seconds.
pub fn keep_for(request: &HttpRequest, name: &str, value: &str, seconds: u32) {
    put(request, cookie_for(name, value, seconds));
}

/// Has the browser forget a token.
pub fn forget(request: &HttpRequest, name: &str) {
    put(request, no_cookie(name));
}

fn put(request: &HttpRequest, cookie: HeaderValue) {
    let mut extensions = request.extensions_mut();
    let mut fresh = extensions.remove::<FreshCookies>().unwrap_or_default();
    fresh.0.push(cookie);
    extensions.insert(fresh);
}

impl FromRequest for Visit {
    type Error = Trouble;
    type Future = Ready<Result<Self, Trouble>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}

/// A visit by a person in session: the only way to the booking pages.
pub struct Guest {
    pub visit: Visit,
    pub person: PersonKey,
}

impl Guest {
    fn of(request: &HttpRequest) -> Result<Self, Trouble> {
        let visit = Visit::of(request)?;
        match visit.person(request) {
            Ok(person) => Ok(Self { visit, person }),
            Err(Refused::NotAdmitted(_) | Refused::Paused { .. }) => {
                Err(Trouble::of(visit.onward("/wait")))
            }
            Err(Refused::SessionInvalid | Refused::PlaceInvalid) => {
                Err(Trouble::of(visit.onward("/enter")))
            }
            Err(Refused::SessionExpired) => Err(Trouble::of(visit.onward("/enter?again"))),
            Err(refused) => Err(visit.trouble(&refused)),
        }
    }

    pub fn booking(&self) -> Option<Booking> {
        self.visit
            .service
            .active_booking(&self.visit.here, &self.person)
    }

    /// The page for somebody whose booking can't be changed any more; none for everybody else.
    pub fn past_deadline(&self) -> Option<Trouble> {
        let booking = self.booking()?;
        // What the agency offers can be taken while it is kept.
        if self.offer().is_some() {
            return None;
        }
        let service = &self.visit.service;
        let deadline = service.change_deadline(&self.visit.here, &booking);
        let refused = Refused::ChangeDeadlinePassed(deadline);
        (deadline <= self.visit.here.now).then(|| self.visit.trouble(&refused))
    }

    pub fn hold(&self) -> Option<Held> {
        self.visit
            .service
            .running_hold(&self.visit.here, &self.person)
    }

    /// What the agency offers them instead of their booking.
    pub fn offer(&self) -> Option<Held> {
        self.visit
            .service
            .running_offer(&self.visit.here, &self.person)
    }
}

impl FromRequest for Guest {
    type Error = Trouble;
    type Future = Ready<Result<Self, Trouble>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}
