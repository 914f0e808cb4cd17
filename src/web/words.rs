//! What problems say to people, in Korean and English.

use actix_web::http::header::{ACCEPT_LANGUAGE, HeaderMap};

/// The language of an answer. Korean unless English is preferred.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Lang {
    Ko,
    En,
}

impl Lang {
    pub fn of(headers: &HeaderMap) -> Self {
        let header = headers.get(ACCEPT_LANGUAGE);
        let header = header.and_then(|value| value.to_str().ok());
        header.map_or(Self::Ko, Self::preferred)
    }

    /// The better liked of the two, by RFC 9110 weights; the first named of equals.
    fn preferred(header: &str) -> Self {
        let mut best = (Self::Ko, 0_u32);
        for item in header.split(',').take(16) {
            let mut parts = item.trim().split(';');
            let tag = parts.next().unwrap_or("").trim();
            let lang = match tag.split('-').next() {
                Some(tag) if tag.eq_ignore_ascii_case("ko") => Self::Ko,
                Some(tag) if tag.eq_ignore_ascii_case("en") => Self::En,
                _ => continue,
            };
            let weight = parts.find_map(|part| part.trim().strip_prefix("q="));
            let weight = weight.map_or(1.0, |text| text.trim().parse::<f64>().unwrap_or(0.0));
            let thousandths = (weight.clamp(0.0, 1.0) * 1000.0) as u32;
            if thousandths > best.1 {
                best = (lang, thousandths);
            }
        }
        best.0
    }

    /// Picks a text by language.
    pub fn pick<'a>(self, ko: &'a str, en: &'a str) -> &'a str {
        match self {
            Self::Ko => ko,
            Self::En => en,
        }
    }
}

/// A problem's HTTP status, and its title and detail in both languages.
pub struct Words {
    pub status: u16,
    title: [&'static str; 2],
    detail: [&'static str; 2],
}

impl Words {
    pub fn title(&self, lang: Lang) -> &'static str {
        lang.pick(self.title[0], self.title[1])
    }

    pub fn detail(&self, lang: Lang) -> &'static str {
        lang.pick(self.detail[0], self.detail[1])
    }
}

/// Every problem code with its status and words.
const PROBLEMS: &[(&str, Words)] = &[
    (
        "invalid_request",
        Words {
            status: 400,
            title: [
                "요청을 이해할 수 없습니다",
                "The request can't be understood",
            ],
            detail: [
                "표시된 항목을 고쳐 다시 보내 주세요.",
                "Correct the fields named and send it again.",
            ],
        },
    ),
    (
        "identity_not_found",
        Words {
            status: 403,
            title: [
                "입력하신 정보와 일치하는 분을 찾지 못했습니다",
                "No person matches what was entered",
            ],
            detail: [
                "이름, 생년월일, 초대 코드를 안내문과 비교해 주세요.",
                "Compare the name, birth date and invitation code with your letter.",
            ],
        },
    ),
    (
        "too_many_attempts",
        Words {
            status: 429,
            title: ["잘못된 시도가 너무 많았습니다", "Too many wrong attempts"],
            detail: [
                "잠시 기다린 뒤 다시 해 주세요.",
                "Wait a little and try again.",
            ],
        },
    ),
    (
        "not_eligible",
        Words {
            status: 403,
            title: ["이번 예약 대상이 아닙니다", "Not among those who may book"],
            detail: [
                "이 예약은 정해진 대상자만 할 수 있습니다.",
                "This programme is for the people named in its rules.",
            ],
        },
    ),
    (
        "not_open_yet",
        Words {
            status: 403,
            title: ["아직 예약 기간이 아닙니다", "Your opening has not come yet"],
            detail: [
                "안내된 시각에 다시 와 주세요.",
                "Come back at the time shown.",
            ],
        },
    ),
    (
        "opening_closed",
        Words {
            status: 403,
            title: ["예약 기간이 끝났습니다", "Your opening is over"],
            detail: [
                "다음 예약 기간이 있으면 그 시각이 함께 표시됩니다.",
                "If another opening comes, its time is shown.",
            ],
        },
    ),
    (
        "place_invalid",
        Words {
            status: 401,
            title: [
                "대기 번호를 확인할 수 없습니다",
                "The place can't be verified",
            ],
            detail: [
                "다시 들어오시면 같은 번호를 받습니다.",
                "Enter again: you get the same place.",
            ],
        },
    ),
    (
        "session_invalid",
        Words {
            status: 401,
            title: ["예약 화면에 들어갈 권한이 없습니다", "No session"],
            detail: [
                "대기실로 들어와 차례를 기다려 주세요.",
                "Enter the waiting room and wait for your turn.",
            ],
        },
    ),
    (
        "session_expired",
        Words {
            status: 401,
            title: [
                "오래 쉬어 연결이 끝났습니다",
                "The session ended after a long pause",
            ],
            detail: [
                "다시 들어오시면 이어서 할 수 있습니다.",
                "Enter again to go on.",
            ],
        },
    ),
    (
        "not_admitted",
        Words {
            status: 403,
            title: ["아직 차례가 아닙니다", "It is not your turn yet"],
            detail: ["번호는 그대로 유지됩니다.", "Your place is kept."],
        },
    ),
    (
        "slot_full",
        Words {
            status: 409,
            title: ["그 시간은 자리가 없습니다", "That time is full"],
            detail: [
                "가까운 다른 시간을 골라 주세요.",
                "Choose one of the alternatives nearby.",
            ],
        },
    ),
    (
        "already_booked",
        Words {
            status: 409,
            title: ["이미 예약이 있습니다", "There is a booking already"],
            detail: [
                "예약을 확인하거나 변경할 수 있습니다.",
                "You can look at it or move it.",
            ],
        },
    ),
    (
        "hold_expired",
        Words {
            status: 404,
            title: ["잡아 둔 자리의 시간이 지났습니다", "The hold has ended"],
            detail: ["시간을 다시 골라 주세요.", "Choose a time again."],
        },
    ),
    (
        "no_booking",
        Words {
            status: 404,
            title: ["예약이 없습니다", "No booking"],
            detail: ["예약 번호를 확인해 주세요.", "Check the booking number."],
        },
    ),
    (
        "not_found",
        Words {
            status: 404,
            title: ["찾을 수 없습니다", "Not found"],
            detail: ["주소를 확인해 주세요.", "Check the address."],
        },
    ),
    (
        "method_not_allowed",
        Words {
            status: 405,
            title: [
                "이 주소에서 쓸 수 없는 방식입니다",
                "This address does not take that method",
            ],
            detail: ["Allow 머리글을 보세요.", "See the Allow header."],
        },
    ),
    (
        "change_deadline_passed",
        Words {
            status: 409,
            title: ["변경할 수 있는 기한이 지났습니다", "Too late to change"],
            detail: [
                "접종 기관에 전화로 문의해 주세요.",
                "Please call the vaccination site.",
            ],
        },
    ),
    (
        "idempotency_conflict",
        Words {
            status: 409,
            title: [
                "같은 요청 키로 다른 요청이 왔습니다",
                "The key was used for another request",
            ],
            detail: [
                "새 Idempotency-Key로 보내 주세요.",
                "Send it with a new Idempotency-Key.",
            ],
        },
    ),
    (
        "paused",
        Words {
            status: 503,
            title: ["예약이 잠시 멈췄습니다", "Booking is paused"],
            detail: ["번호는 그대로 유지됩니다.", "Your place is kept."],
        },
    ),
    (
        "overloaded",
        Words {
            status: 503,
            title: ["지금은 처리할 수 없습니다", "Too busy right now"],
            detail: [
                "표시된 시간 뒤에 다시 해 주세요.",
                "Try again after the time shown.",
            ],
        },
    ),
    (
        "outcome_unknown",
        Words {
            status: 500,
            title: ["결과를 확인하지 못했습니다", "The outcome is unknown"],
            detail: [
                "같은 Idempotency-Key로 다시 보내 주세요.",
                "Repeat the request with the same Idempotency-Key.",
            ],
        },
    ),
];

/// The words of a code.
///
/// # Panics
/// When the code has none: codes are literals of this crate.
pub fn words(code: &str) -> &'static Words {
    let known = PROBLEMS.iter().find(|(known, _)| *known == code);
    &known
        .unwrap_or_else(|| panic!("problem code {code} has no words"))
        .1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_better_liked_language_wins() {
        assert_eq!(Lang::preferred("en-US,en;q=0.9,ko;q=0.8"), Lang::En);
        assert_eq!(Lang::preferred("fr, ko;q=0.3, en;q=0.2"), Lang::Ko);
        assert_eq!(Lang::preferred("ko;q=0.1, en"), Lang::En);
        assert_eq!(Lang::preferred(";;;q=,=,en;q=x"), Lang::Ko);
        assert_eq!(Lang::preferred(""), Lang::Ko);
    }
}
