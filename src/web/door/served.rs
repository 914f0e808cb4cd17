//! What was answered, counted for monitoring: how long each kind of call took, statuses, and
//! refusals by code.
//!
//! Each worker counts for itself, without a lock and without touching what another worker writes;
//! whoever looks adds the workers up. The time of an answer runs from when its request has come
//! whole until the answer is ready to leave: waiting for a turn and for the commit is in it, the
//! client's network is not. What was put off has a count and no time, because it waits on purpose.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use actix_web::http::Method;

use super::load::Class;
use crate::measure::{Counted, Histogram};
use crate::web::words::{Lang, PROBLEMS};

macro_rules! calls {
    ($($call:ident = $name:literal),+ $(,)?) => {
        /// What a request asks for, as coarsely as monitoring tells it.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Call {
            $($call),+
        }

        impl Call {
            pub const ALL: &[Self] = &[$(Self::$call),+];

            /// Its name in metrics and logs.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$call => $name),+
                }
            }
        }
    };
}

calls! {
    Board = "board",
    Place = "place",
    Enter = "enter",
    Admit = "admit",
    Leave = "leave",
    Campaign = "campaign",
    Openings = "openings",
    Sites = "sites",
    Days = "days",
    Slots = "slots",
    Hold = "hold",
    Extend = "extend",
    Release = "release",
    Book = "book",
    MyBooking = "my_booking",
    Move = "move",
    Cancel = "cancel",
    Now = "now",
    Health = "health",
    Description = "description",
    Metrics = "metrics",
    Asset = "asset",
    FirstPage = "first_page",
    TextPage = "text_page",
    DayPage = "day_page",
    EnterPage = "enter_page",
    EnterForm = "enter_form",
    WaitPage = "wait_page",
    AdmitForm = "admit_form",
    SitesPage = "sites_page",
    HoldForm = "hold_form",
    ConfirmPage = "confirm_page",
    BookForm = "book_form",
    BookingPage = "booking_page",
    ChangeForm = "change_form",
    Other = "other",
}

impl Call {
    /// What a request asks for, by its first line alone.
    pub fn of(method: &Method, path: &str) -> Self {
        if let Some(rest) = path.strip_prefix("/api/v1/campaigns/") {
            return match rest.split_once('/') {
                None => Self::Campaign,
                Some((_, call)) => Self::of_campaign(call),
            };
        }
        match path {
            "/" => return Self::FirstPage,
            "/healthz" | "/readyz" => return Self::Health,
            "/metrics" => return Self::Metrics,
            "/api/v1/now" => return Self::Now,
            "/api/openapi.json" => return Self::Description,
            _ => {}
        }
        if path.starts_with("/assets/") {
            return Self::Asset;
        }
        let mut parts = path.splitn(4, '/').skip(1);
        match parts.next().and_then(Lang::of_tag) {
            Some(_) => Self::of_page(method, parts.nth(1).unwrap_or_default()),
            None => Self::Other,
        }
    }

    fn of_campaign(call: &str) -> Self {
        match call {
            "gate/board" => Self::Board,
            "gate/place" => Self::Place,
            "gate/enter" => Self::Enter,
            "gate/admit" => Self::Admit,
            "gate/leave" => Self::Leave,
            "openings" => Self::Openings,
            "sites" => Self::Sites,
            "holds" => Self::Hold,
            "bookings" => Self::Book,
            "bookings/mine" | "bookings/mine/proof" => Self::MyBooking,
            _ => match call.split_once('/') {
                Some(("sites", rest)) if rest.ends_with("/days") => Self::Days,
                Some(("sites", rest)) if rest.ends_with("/slots") => Self::Slots,
                Some(("holds", rest)) if rest.ends_with("/extend") => Self::Extend,
                Some(("holds", _)) => Self::Release,
                Some(("bookings", rest)) if rest.ends_with("/move") => Self::Move,
                Some(("bookings", rest)) if rest.ends_with("/cancel") => Self::Cancel,
                _ => Self::Other,
            },
        }
    }

    fn of_page(method: &Method, page: &str) -> Self {
        let is_form = *method == Method::POST;
        match page.split('/').next().unwrap_or_default() {
            "" => Self::FirstPage,
            "privacy" | "terms" | "accessibility" => Self::TextPage,
            "day" => Self::DayPage,
            "enter" if is_form => Self::EnterForm,
            "enter" => Self::EnterPage,
            "wait" | "window.ics" => Self::WaitPage,
            "admit" => Self::AdmitForm,
            "sites" => Self::SitesPage,
            "hold" | "extend" | "release" => Self::HoldForm,
            "confirm" => Self::ConfirmPage,
            "book" => Self::BookForm,
            "booking" | "booking.ics" | "proof" => Self::BookingPage,
            "move" | "cancel" => Self::ChangeForm,
            "leave" => Self::Leave,
            _ => Self::Other,
        }
    }
}

/// The name of a request's class in metrics: that of its `Class`, but what makes a booking final
/// has one of its own.
pub fn class_name(call: Call, class: Class) -> &'static str {
    let is_final = matches!(call, Call::Book | Call::BookForm);
    if is_final && class == Class::Session {
        "confirm"
    } else {
        class.name()
    }
}

/// The counts of one worker.
#[derive(Debug)]
pub struct Served {
    /// By call, and for each by class.
    times: Box<[[Histogram; Class::ALL.len()]]>,
    /// By the first digit of the status.
    statuses: [AtomicU64; 6],
    /// By the position of the code in `PROBLEMS`.
    refusals: Box<[AtomicU64]>,
}

impl Default for Served {
    fn default() -> Self {
        Self {
            times: Call::ALL.iter().map(|_| Default::default()).collect(),
            statuses: Default::default(),
            refusals: PROBLEMS.iter().map(|_| AtomicU64::new(0)).collect(),
        }
    }
}

impl Served {
    /// Counts an answer; `took` is none if it was put off.
    pub fn note(
        &self,
        call: Call,
        class: Class,
        took: Option<Duration>,
        status: u16,
        code: Option<&str>,
    ) {
        if let Some(took) = took {
            self.times[call as usize][class as usize].note(took);
        }
        let first_digit = usize::from(status / 100);
        if let Some(count) = self.statuses.get(first_digit) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let at = code.and_then(|code| PROBLEMS.iter().position(|(known, _)| *known == code));
        if let Some(at) = at {
            self.refusals[at].fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The times of a kind of call.
pub type Timed = (Call, Class, Counted);

/// How long calls took, of all workers: of each kind that was ever asked for.
pub fn times(all: &[Arc<Served>]) -> Vec<Timed> {
    let kinds = Call::ALL
        .iter()
        .flat_map(|call| Class::ALL.map(|class| (*call, class)));
    let timed = kinds.filter_map(|(call, class)| {
        let mut counted = Counted::default();
        for served in all {
            counted.add(&served.times[call as usize][class as usize]);
        }
        (counted.count() > 0).then_some((call, class, counted))
    });
    timed.collect()
}

/// Answers of all workers by class of status, `1xx` to `5xx`.
pub fn statuses(all: &[Arc<Served>]) -> Vec<(String, u64)> {
    let of = |digit: usize| {
        let counts = all.iter().map(|served| &served.statuses[digit]);
        counts.map(|count| count.load(Ordering::Relaxed)).sum()
    };
    (2..6)
        .map(|digit| (format!("{digit}xx"), of(digit)))
        .collect()
}

/// Refusals of all workers by problem code.
pub fn refusals(all: &[Arc<Served>]) -> Vec<(String, u64)> {
    let of = |at: usize| {
        let counts = all.iter().map(|served| &served.refusals[at]);
        counts.map(|count| count.load(Ordering::Relaxed)).sum()
    };
    let codes = PROBLEMS.iter().enumerate();
    codes
        .map(|(at, (code, _))| ((*code).to_owned(), of(at)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_named_by_its_first_line() {
        let of = |method: &str, path: &str| Call::of(&method.parse().unwrap(), path);
        let call = |method: &str, call: &str| of(method, &format!("/api/v1/campaigns/one{call}"));
        assert_eq!(call("GET", ""), Call::Campaign);
        assert_eq!(call("GET", "/gate/board"), Call::Board);
        assert_eq!(call("GET", "/sites/A/days"), Call::Days);
        assert_eq!(call("GET", "/sites/A/slots"), Call::Slots);
        assert_eq!(call("DELETE", "/holds/12"), Call::Release);
        assert_eq!(call("POST", "/holds/12/extend"), Call::Extend);
        assert_eq!(call("POST", "/bookings"), Call::Book);
        assert_eq!(call("POST", "/bookings/12/cancel"), Call::Cancel);
        assert_eq!(call("GET", "/nothing"), Call::Other);
        assert_eq!(of("GET", "/"), Call::FirstPage);
        assert_eq!(of("GET", "/ko"), Call::FirstPage);
        assert_eq!(of("GET", "/ko/one"), Call::FirstPage);
        assert_eq!(of("GET", "/ko/one/enter"), Call::EnterPage);
        assert_eq!(of("POST", "/ko/one/enter"), Call::EnterForm);
        assert_eq!(of("GET", "/ko/one/sites/A/2021-08-02"), Call::SitesPage);
        assert_eq!(of("POST", "/en/one/book"), Call::BookForm);
        assert_eq!(of("GET", "/wp-login.php"), Call::Other);
        assert_eq!(of("GET", "/xx/one/enter"), Call::Other);
    }

    #[test]
    fn workers_are_added_up_and_what_was_put_off_has_no_time() {
        let workers = [Arc::new(Served::default()), Arc::new(Served::default())];
        let took = Some(Duration::from_millis(3));
        for served in &workers {
            served.note(Call::Book, Class::Session, took, 201, None);
            served.note(Call::Book, Class::Session, took, 409, Some("slot_full"));
            served.note(
                Call::FirstPage,
                Class::Browse,
                None,
                503,
                Some("overloaded"),
            );
        }
        let times = times(&workers);
        assert_eq!(times.len(), 1);
        let (call, class, counted) = &times[0];
        assert_eq!(class_name(*call, *class), "confirm");
        assert_eq!(counted.count(), 4);
        let told = |all: Vec<(String, u64)>, name: &str| {
            let found = all.iter().find(|(known, _)| known == name);
            found.unwrap().1
        };
        let statuses = ["2xx", "3xx", "4xx", "5xx"].map(|name| told(statuses(&workers), name));
        assert_eq!(statuses, [2, 0, 2, 2]);
        let codes = ["slot_full", "overloaded", "paused"];
        assert_eq!(codes.map(|code| told(refusals(&workers), code)), [2, 2, 0]);
    }
}
