//! Calendar files (RFC 5545): a few events in UTC.
//!
//! Written here because the libraries stamp events with the machine's clock, which is not the
//! server's, and bring a second library for dates.

use std::fmt::Write as _;

use actix_web::HttpResponse;
use actix_web::http::header::CONTENT_DISPOSITION;

use crate::domain::time::Stamp;

/// What a file does to the calendar that takes it (RFC 5546).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Method {
    /// Its events are put in, or changed.
    Publish,
    /// Its events are taken out.
    Cancel,
}

impl Method {
    pub fn name(self) -> &'static str {
        match self {
            Self::Publish => "PUBLISH",
            Self::Cancel => "CANCEL",
        }
    }
}

pub struct Event {
    /// Names the event, also in a later file that moves or cancels it.
    pub uid: String,
    /// Grows with every change of the event.
    pub sequence: u64,
    /// When it was last changed.
    pub stamp: Stamp,
    pub cancelled: bool,
    /// Who holds it: the programme's name.
    pub organizer: String,
    pub start: Stamp,
    pub end: Stamp,
    pub summary: String,
    pub place: String,
    pub note: String,
    /// How long before it the alarm rings, as a duration of RFC 5545.
    pub alarm: &'static str,
}

/// Octets of a line, without its end.
const LINE_BYTES_MAX: usize = 75;

/// The answer with such a file, under a name for whoever keeps it.
pub fn answer(method: Method, name: &str, events: &[Event]) -> HttpResponse {
    let kind = format!("text/calendar; charset=utf-8; method={}", method.name());
    let kept = format!("attachment; filename=\"{name}.ics\"");
    HttpResponse::Ok()
        .content_type(kind)
        .insert_header((CONTENT_DISPOSITION, kept))
        .body(file(method, events))
}

fn file(method: Method, events: &[Event]) -> String {
    let mut file = String::new();
    let mut line = |name: &str, value: &str| fold(&mut file, &format!("{name}:{value}"));
    line("BEGIN", "VCALENDAR");
    line("VERSION", "2.0");
    line("PRODID", "-//Sumun//Sumun//EN");
    line("METHOD", method.name());
    for event in events {
        line("BEGIN", "VEVENT");
        line("UID", &escaped(&event.uid));
        line("SEQUENCE", &event.sequence.to_string());
        line("DTSTAMP", &utc(event.stamp));
        line("DTSTART", &utc(event.start));
        line("DTEND", &utc(event.end));
        line(
            "STATUS",
            if event.cancelled {
                "CANCELLED"
            } else {
                "CONFIRMED"
            },
        );
        // A method wants an organizer, and the agency gives nobody's address for mail.
        let organizer = format!("ORGANIZER;CN=\"{}\"", parameter(&event.organizer));
        line(&organizer, "invalid:nomail");
        line("SUMMARY", &escaped(&event.summary));
        line("LOCATION", &escaped(&event.place));
        line("DESCRIPTION", &escaped(&event.note));
        if !event.cancelled {
            line("BEGIN", "VALARM");
            line("ACTION", "DISPLAY");
            line("TRIGGER", &format!("-{}", event.alarm));
            line("DESCRIPTION", &escaped(&event.summary));
            line("END", "VALARM");
        }
        line("END", "VEVENT");
    }
    line("END", "VCALENDAR");
    file
}

fn utc(stamp: Stamp) -> String {
    stamp.instant().strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// Section 3.3.11: backslash, semicolon, comma and line ends.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' | ';' | ',' => {
                escaped.push('\\');
                escaped.push(letter);
            }
            '\n' => escaped.push_str("\\n"),
            letter if letter.is_control() => {}
            letter => escaped.push(letter),
        }
    }
    escaped
}

/// Section 3.2: a quoted parameter holds no quote and no control character.
fn parameter(text: &str) -> String {
    let letters = text.chars().filter(|letter| !letter.is_control());
    letters
        .map(|letter| if letter == '"' { '\'' } else { letter })
        .collect()
}

/// Section 3.1: a longer line goes on behind a line end and a space, never within a character.
fn fold(file: &mut String, line: &str) {
    let mut room = LINE_BYTES_MAX;
    for letter in line.chars() {
        if letter.len_utf8() > room {
            file.push_str("\r\n ");
            room = LINE_BYTES_MAX - 1;
        }
        room -= letter.len_utf8();
        file.push(letter);
    }
    let _ = write!(file, "\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Event {
        Event {
            uid: "7K3M-9QXT-2R-1@sumun".to_owned(),
            sequence: 7,
            stamp: Stamp::parse("2021-07-19T20:01:02+09:00").unwrap(),
            cancelled: false,
            organizer: "접종 \"가을\"".to_owned(),
            start: Stamp::parse("2021-07-26T09:00:00+09:00").unwrap(),
            end: Stamp::parse("2021-07-26T09:30:00+09:00").unwrap(),
            summary: "접종, 1차; \\".to_owned(),
            place: "서울특별시 종로구 ".repeat(8),
            alarm: "PT24H",
            note: "첫 줄\n둘째 줄\r\u{7}".to_owned(),
        }
    }

    #[test]
    fn a_file_is_escaped_folded_and_in_utc() {
        let file = file(Method::Publish, &[event()]);
        for line in [
            "METHOD:PUBLISH",
            "STATUS:CONFIRMED",
            "DTSTAMP:20210719T110102Z",
            "DTSTART:20210726T000000Z",
            "SUMMARY:접종\\, 1차\\; \\\\",
            "DESCRIPTION:첫 줄\\n둘째 줄",
            "ORGANIZER;CN=\"접종 '가을'\":invalid:nomail",
            "BEGIN:VALARM",
        ] {
            assert!(file.contains(&format!("\r\n{line}\r\n")), "{line}: {file}");
        }
        let lines: Vec<&str> = file.split("\r\n").collect();
        assert!(lines.iter().all(|line| line.len() <= 75), "{file}");
        let unfolded = file.replace("\r\n ", "");
        assert!(unfolded.contains(&"서울특별시 종로구 ".repeat(8)));
        assert!(file.ends_with("END:VCALENDAR\r\n"));
        assert!(!file.replace("\r\n", "").contains(['\r', '\n', '\u{7}']));
    }

    #[test]
    fn a_cancelled_event_rings_no_alarm() {
        let cancelled = Event {
            cancelled: true,
            ..event()
        };
        let file = file(Method::Cancel, &[cancelled]);
        assert!(file.contains("\r\nMETHOD:CANCEL\r\n"));
        assert!(file.contains("\r\nSTATUS:CANCELLED\r\n"));
        assert!(!file.contains("VALARM"));
    }
}
