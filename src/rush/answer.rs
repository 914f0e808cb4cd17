//! What answers say, and whether they may say it: the contract of each call.

use std::borrow::Cow;

use serde::Deserialize;

mod kinds;

pub use kinds::{CODES, Code, KINDS, Kind};

#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlaceState {
    Lobby,
    /// Their window has not come.
    Window,
    Waiting,
    Admitted,
}

#[derive(Clone, Copy, PartialEq, Debug, Deserialize)]
pub struct Place {
    pub state: PlaceState,
    pub number: u64,
    pub ahead: u64,
    pub wait_s: [u64; 2],
    pub next_poll_s: u32,
    /// Came when their turn had been given on, and waits for the next that is free.
    #[serde(default)]
    pub late: bool,
}

#[derive(Deserialize, Debug)]
pub struct Slot<'a> {
    #[serde(borrow)]
    pub slot: Cow<'a, str>,
    pub free: u32,
}

#[derive(Deserialize, Debug)]
pub struct Site<'a> {
    #[serde(borrow)]
    pub site: Cow<'a, str>,
    pub free: u32,
}

#[derive(Deserialize, Debug)]
pub struct DayFree<'a> {
    #[serde(borrow)]
    pub date: Cow<'a, str>,
    pub free: u32,
}

#[derive(Deserialize, Debug)]
pub struct Dose<'a> {
    #[serde(borrow)]
    pub site: Cow<'a, str>,
    #[serde(borrow)]
    pub start: Cow<'a, str>,
}

#[derive(Deserialize, Debug)]
pub struct Booking<'a> {
    #[serde(borrow)]
    pub number: Cow<'a, str>,
    #[serde(borrow)]
    pub status: Cow<'a, str>,
    #[serde(borrow)]
    pub doses: Vec<Dose<'a>>,
    #[serde(borrow)]
    pub booked_at: Cow<'a, str>,
}

/// A well-formed no.
#[derive(Debug)]
pub struct Refusal<'a> {
    pub code: Code,
    pub retry_after_s: Option<u32>,
    pub place: Option<Place>,
    pub alternatives: Vec<Slot<'a>>,
}

/// An answer within the contract.
#[derive(Debug)]
pub enum Said<'a> {
    Board,
    Entered { place: Place, token: Cow<'a, str> },
    Place(Place),
    Session { token: Cow<'a, str> },
    Sites(Vec<Site<'a>>),
    Days(Vec<DayFree<'a>>),
    Slots(Vec<Slot<'a>>),
    Held { hold: Cow<'a, str> },
    Booking(Booking<'a>),
    Refused(Refusal<'a>),
}

/// Reads an answer; the error says what is outside the contract.
pub fn read(kind: Kind, status: u16, body: &[u8]) -> Result<Said<'_>, String> {
    if status != kind.success() {
        return refusal(kind, status, body).map(Said::Refused);
    }
    let said = match kind {
        Kind::Board => {
            let board: BoardBody = parse(body)?;
            let states = ["before", "lobby", "open", "paused", "closed"];
            if !states.contains(&&*board.state) {
                return Err(format!("a board with the state {:?}", board.state));
            }
            Said::Board
        }
        Kind::Enter => {
            let EnterBody { place, token } = parse(body)?;
            Said::Entered {
                place: sound(place)?,
                token,
            }
        }
        Kind::Place => Said::Place(sound(parse::<PlaceBody>(body)?.place)?),
        Kind::Admit => {
            let SessionBody { token, session } = parse(body)?;
            let _: &Cow<str> = &session.expires_at;
            Said::Session { token }
        }
        Kind::Sites => Said::Sites(parse::<SitesBody>(body)?.sites),
        Kind::Days => Said::Days(parse::<DaysBody>(body)?.days),
        Kind::Slots => Said::Slots(parse::<SlotsBody>(body)?.slots),
        Kind::Hold => Said::Held {
            hold: parse::<HoldBody>(body)?.hold,
        },
        Kind::Book | Kind::Mine | Kind::Move | Kind::Cancel => {
            let booking = parse::<BookingBody>(body)?.booking;
            let wanted = match kind {
                Kind::Cancel => "cancelled",
                _ => "booked",
            };
            if booking.status != wanted || booking.number.is_empty() || booking.doses.is_empty() {
                return Err(format!("a booking that is not {wanted}: {booking:?}"));
            }
            Said::Booking(booking)
        }
        _ => return Err(format!("{} is no call of the API", kind.name())),
    };
    Ok(said)
}

fn refusal(kind: Kind, status: u16, body: &[u8]) -> Result<Refusal<'_>, String> {
    let problem: Problem = parse(body).map_err(|why| format!("status {status}: {why}"))?;
    let code = Code::known(&problem.code)
        .filter(|code| code.has_status(status))
        .ok_or_else(|| format!("status {status} with the code {:?}", problem.code))?;
    if !kind.may_refuse(code) {
        return Err(format!("{} refused with {}", kind.name(), code.name()));
    }
    let must_say = matches!(code, Code::Overloaded | Code::TooManyAttempts);
    if must_say && problem.retry_after_s.is_none() {
        return Err(format!("{} without retry_after_s", code.name()));
    }
    if code == Code::NotAdmitted && problem.place.is_none() {
        return Err("not_admitted without a place".to_owned());
    }
    if problem.alternatives.len() > 5 {
        return Err("more than five alternatives".to_owned());
    }
    Ok(Refusal {
        code,
        retry_after_s: problem.retry_after_s,
        place: problem.place.map(sound).transpose()?,
        alternatives: problem.alternatives,
    })
}

/// Nobody is sent away for longer: whose window is far away is told to come in an hour at most.
pub const POLL_S_MAX: u32 = 3_600;

fn sound(place: Place) -> Result<Place, String> {
    let [least, most] = place.wait_s;
    let polls = (1..=POLL_S_MAX).contains(&place.next_poll_s);
    let admitted = place.state != PlaceState::Admitted || place.ahead == 0;
    // Who comes in past every line, to look after a booking, has no number, nor has anybody before
    // their window.
    let has_none = matches!(place.state, PlaceState::Admitted | PlaceState::Window);
    let has_number = place.number > 0 || has_none;
    if has_number && least <= most && polls && admitted {
        Ok(place)
    } else {
        Err(format!("a place that can't be: {place:?}"))
    }
}

fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| {
        let text = String::from_utf8_lossy(&body[..body.len().min(200)]);
        format!("{error}: {text}")
    })
}

#[derive(Deserialize)]
struct BoardBody<'a> {
    #[serde(borrow)]
    state: Cow<'a, str>,
}

#[derive(Deserialize)]
struct EnterBody<'a> {
    place: Place,
    #[serde(borrow)]
    token: Cow<'a, str>,
}

#[derive(Deserialize)]
struct PlaceBody {
    place: Place,
}

/// What a look at the place says to the script of the waiting room, beside the place.
#[derive(Deserialize, Debug)]
pub struct Look<'a> {
    #[serde(borrow)]
    pub place: LookedPlace<'a>,
    #[serde(default)]
    pub paused: bool,
    #[serde(borrow)]
    pub message: Option<Cow<'a, str>>,
}

/// What that script reads of the place and `Place` does not hold.
#[derive(Deserialize, Debug)]
pub struct LookedPlace<'a> {
    #[serde(borrow)]
    pub wait_because: Option<Cow<'a, str>>,
    pub may_not_reach: Option<serde::de::IgnoredAny>,
}

/// Reads what the script of the waiting room reads.
pub fn look(body: &[u8]) -> Result<Look<'_>, String> {
    parse(body)
}

#[derive(Deserialize)]
struct SessionBody<'a> {
    #[serde(borrow)]
    session: SessionView<'a>,
    #[serde(borrow)]
    token: Cow<'a, str>,
}

#[derive(Deserialize)]
struct SessionView<'a> {
    #[serde(borrow)]
    expires_at: Cow<'a, str>,
}

#[derive(Deserialize)]
struct SitesBody<'a> {
    #[serde(borrow)]
    sites: Vec<Site<'a>>,
}

#[derive(Deserialize)]
struct DaysBody<'a> {
    #[serde(borrow)]
    days: Vec<DayFree<'a>>,
}

#[derive(Deserialize)]
struct SlotsBody<'a> {
    #[serde(borrow)]
    slots: Vec<Slot<'a>>,
}

#[derive(Deserialize)]
struct HoldBody<'a> {
    #[serde(borrow)]
    hold: Cow<'a, str>,
}

#[derive(Deserialize)]
struct BookingBody<'a> {
    #[serde(borrow)]
    booking: Booking<'a>,
}

#[derive(Deserialize)]
struct Problem<'a> {
    #[serde(borrow)]
    code: Cow<'a, str>,
    retry_after_s: Option<u32>,
    place: Option<Place>,
    #[serde(borrow, default)]
    alternatives: Vec<Slot<'a>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(kind: Kind, status: u16, body: &str) -> String {
        read(kind, status, body.as_bytes()).expect_err(body)
    }

    #[test]
    fn reads_what_the_contract_says() {
        let place =
            r#"{"state":"waiting","number":7,"ahead":3,"wait_s":[1,40],"next_poll_s":5,"new":1}"#;
        let body = format!(r#"{{"place":{place},"token":"abc"}}"#);
        let Ok(Said::Entered { place: at, token }) = read(Kind::Enter, 200, body.as_bytes()) else {
            panic!("{body}");
        };
        assert_eq!((at.number, at.next_poll_s, &*token), (7, 5, "abc"));
        let body =
            format!(r#"{{"code":"not_admitted","status":403,"retry_after_s":5,"place":{place}}}"#);
        let Ok(Said::Refused(no)) = read(Kind::Admit, 403, body.as_bytes()) else {
            panic!("{body}");
        };
        assert_eq!((no.code, no.retry_after_s), (Code::NotAdmitted, Some(5)));
        let full = r#"{"code":"slot_full","alternatives":[{"slot":"9","free":2,"second":null}]}"#;
        let Ok(Said::Refused(no)) = read(Kind::Book, 409, full.as_bytes()) else {
            panic!("{full}");
        };
        assert_eq!(no.alternatives[0].slot, "9");
    }

    #[test]
    fn what_is_outside_the_contract_is_a_fault() {
        let problem = |code: &str| format!(r#"{{"code":"{code}","retry_after_s":1}}"#);
        assert!(fault(Kind::Book, 500, "<html>").contains("500"));
        assert!(fault(Kind::Book, 200, "{}").contains("200"));
        assert!(fault(Kind::Book, 409, &problem("no_such_code")).contains("no_such_code"));
        assert!(fault(Kind::Book, 403, &problem("slot_full")).contains("slot_full"));
        assert!(fault(Kind::Board, 401, &problem("place_invalid")).contains("board"));
        assert!(fault(Kind::Place, 503, r#"{"code":"overloaded"}"#).contains("retry_after_s"));
        let place = r#"{"place":{"state":"admitted","number":7,"ahead":3,"wait_s":[1,2],
                        "next_poll_s":5}}"#;
        assert!(fault(Kind::Place, 200, place).contains("can't be"));
        let cancelled = r#"{"booking":{"number":"A","status":"cancelled","booked_at":"",
                            "doses":[{"site":"a","start":"b"}]}}"#;
        assert!(fault(Kind::Book, 201, cancelled).contains("not booked"));
        assert!(read(Kind::Cancel, 200, cancelled.as_bytes()).is_ok());
    }

    #[test]
    fn overload_and_pause_may_meet_any_call() {
        for kind in KINDS {
            for code in ["overloaded", "paused"] {
                let body = format!(r#"{{"code":"{code}","retry_after_s":2}}"#);
                assert!(read(kind, 503, body.as_bytes()).is_ok(), "{kind:?} {code}");
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_that_comes_panics(kind in 0..KINDS.len(), status: u16, body: Vec<u8>) {
            let _ = read(KINDS[kind], status, &body);
        }
    }
}
