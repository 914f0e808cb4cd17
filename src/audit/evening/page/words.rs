//! The languages of the page, and words for the names that figures have.

use crate::domain::text::grouped;

/// A language of the page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Language {
    Korean,
    English,
}

impl Language {
    pub fn pick<'t>(self, korean: &'t str, english: &'t str) -> &'t str {
        match self {
            Self::Korean => korean,
            Self::English => english,
        }
    }

    /// A span of seconds for people.
    pub(super) fn span(self, seconds: u64) -> String {
        let (hours, minutes, rest) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
        match (self, hours, minutes) {
            (Self::Korean, 0, 0) => format!("{rest}초"),
            (Self::Korean, 0, _) => format!("{minutes}분 {rest}초"),
            (Self::Korean, ..) => format!("{hours}시간 {minutes}분"),
            (Self::English, 0, 0) => format!("{rest} s"),
            (Self::English, 0, _) => format!("{minutes} min {rest} s"),
            (Self::English, ..) => format!("{} h {minutes} min", grouped(hours)),
        }
    }

    /// What a name of the figures means; a name without words stays what it is.
    pub(super) fn name(self, name: &str) -> &str {
        let known = NAMES.iter().find(|(known, ..)| *known == name);
        known.map_or(name, |(_, korean, english)| self.pick(korean, english))
    }
}

/// An instant as `2021-07-19 20:05:00`, without its offset: the page names the zone once.
pub(super) fn clock(at: &str) -> String {
    let whole = at.get(..19).unwrap_or(at);
    whole.replacen('T', " ", 1)
}

/// Two instants as `2021-07-19 20:00:00 – 20:05:00`, with the second date if it is another.
pub(super) fn between(from: &str, until: &str) -> String {
    let (from, until) = (clock(from), clock(until));
    match (from.get(..10), until.split_at_checked(11)) {
        (Some(date), Some((other, time))) if other.trim_end() == date => format!("{from} – {time}"),
        _ => format!("{from} – {until}"),
    }
}

const NAMES: &[(&str, &str, &str)] = &[
    ("arrival", "먼저 온 순서", "by arrival"),
    ("draw", "대기실 추첨", "drawn in the lobby"),
    ("windows", "추첨한 시간대", "by windows, drawn by lot"),
    ("paused", "일시 정지", "paused"),
    ("busy", "서버가 바쁨", "servers were busy"),
    ("full", "자리가 다 참", "as many were in as may be"),
    ("lowered", "입장 속도를 낮춤", "the rate was lowered"),
    ("shared", "다른 예약과 나눔", "shared with another opening"),
    ("not_eligible", "대상이 아님", "not eligible"),
    ("not_open_yet", "아직 열리지 않음", "not open yet"),
    ("opening_closed", "예약이 끝남", "the opening was over"),
    ("public", "일반", "public"),
    ("assisted", "대리 접수", "assisted"),
    ("partner", "협력 기관", "partner"),
    ("citizen", "본인", "by themselves"),
    ("proxy", "가족 등 다른 사람", "by another person for them"),
    ("staff", "담당자", "by staff"),
    ("operator", "운영자", "by operators"),
    (
        "paused_and_frozen",
        "일시 정지, 예약 화면도 멈춤",
        "paused, sessions frozen too",
    ),
    (
        "drained",
        "서버 재시작까지 일시 정지",
        "paused until a restart",
    ),
    ("resumed", "다시 시작", "resumed"),
    ("rate_set", "입장 속도 변경", "rate set"),
    ("active_set", "동시 인원 변경", "people in at a time set"),
    ("message_set", "알림 변경", "message set"),
    (
        "draw_value_given",
        "추첨에 넣을 공개 값",
        "public value for the draw",
    ),
    ("rules_activated", "규칙 적용", "rules activated"),
    (
        "agency_activated",
        "기관 안내 적용",
        "agency's file activated",
    ),
    ("sites_imported", "접종 기관 등록", "sites imported"),
    ("slots_imported", "예약 시간 등록", "slots imported"),
    ("roster_imported", "대상자 명단 등록", "roster imported"),
    (
        "token_key_replaced",
        "서명 키 교체",
        "key of tokens replaced",
    ),
    (
        "head_key_replaced",
        "헤드 서명 키 교체",
        "key of heads replaced",
    ),
    (
        "personal_keys_replaced",
        "이름·전화번호 키 교체",
        "keys of names and telephone numbers replaced",
    ),
    (
        "personal_data_seen",
        "개인정보 조회",
        "personal data looked at",
    ),
    (
        "looks_reviewed",
        "접속기록 점검",
        "looks at personal data reviewed",
    ),
    ("person_erased", "개인정보 삭제", "a person's name erased"),
    ("vault_emptied", "개인정보 전체 삭제", "all names erased"),
    ("started", "서버 시작", "server started"),
    (
        "started_after_crash",
        "서버 시작 (정상 종료 기록이 없음)",
        "server started, without a stop in order on record before",
    ),
    ("stopped", "서버 정상 종료", "server stopped in order"),
    ("clock_stepped", "시계가 바뀜", "the clock stepped"),
    (
        "clock_behind",
        "시계가 마지막 항목보다 늦음",
        "the clock was behind the last entry",
    ),
];
