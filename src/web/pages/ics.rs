//! Calendar files (RFC 5545): a few events in UTC.
//!
//! Written here because the libraries stamp events with the machine's clock, which is not the
//! server's, and bring a second library for dates.

use std::fmt::Write as _;

use crate::domain::time::Stamp;

pub struct Event {
    /// Names the event, also in a later file that moves it.
    pub uid: String,
    /// Grows with every change of the event.
    pub sequence: u64,
    pub stamp: Stamp,
    pub start: Stamp,
    pub end: Stamp,
    pub summary: String,
    pub place: String,
    pub note: String,
}

/// Octets of a line, without its end.
const LINE_BYTES_MAX: usize = 75;

pub fn file(events: &[Event]) -> String {
    let mut file = String::new();
    let mut line = |name: &str, value: &str| fold(&mut file, &format!("{name}:{value}"));
    line("BEGIN", "VCALENDAR");
    line("VERSION", "2.0");
    line("PRODID", "-//Sumun//Sumun//EN");
    for event in events {
        line("BEGIN", "VEVENT");
        line("UID", &escaped(&event.uid));
        line("SEQUENCE", &event.sequence.to_string());
        line("DTSTAMP", &utc(event.stamp));
        line("DTSTART", &utc(event.start));
        line("DTEND", &utc(event.end));
        line("SUMMARY", &escaped(&event.summary));
        line("LOCATION", &escaped(&event.place));
        line("DESCRIPTION", &escaped(&event.note));
        line("BEGIN", "VALARM");
        line("ACTION", "DISPLAY");
        line("TRIGGER", "-PT24H");
        line("DESCRIPTION", &escaped(&event.summary));
        line("END", "VALARM");
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
            '\r' => {}
            letter => escaped.push(letter),
        }
    }
    escaped
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

    #[test]
    fn a_file_is_escaped_folded_and_in_utc() {
        let event = Event {
            uid: "7K3M-9QXT-2R-1@sumun".to_owned(),
            sequence: 7,
            stamp: Stamp::parse("2021-07-19T20:01:02+09:00").unwrap(),
            start: Stamp::parse("2021-07-26T09:00:00+09:00").unwrap(),
            end: Stamp::parse("2021-07-26T09:30:00+09:00").unwrap(),
            summary: "접종, 1차; \\".to_owned(),
            place: "서울특별시 종로구 ".repeat(8),
            note: "첫 줄\n둘째 줄".to_owned(),
        };
        let file = file(&[event]);
        assert!(file.contains("\r\nDTSTART:20210726T000000Z\r\n"), "{file}");
        assert!(
            file.contains("\r\nSUMMARY:접종\\, 1차\\; \\\\\r\n"),
            "{file}"
        );
        assert!(file.contains("첫 줄\\n둘째 줄"), "{file}");
        let lines: Vec<&str> = file.split("\r\n").collect();
        assert!(lines.iter().all(|line| line.len() <= 75), "{file}");
        assert!(
            file.replace("\r\n ", "")
                .contains(&"서울특별시 종로구 ".repeat(8))
        );
        assert!(file.ends_with("END:VCALENDAR\r\n"));
    }
}
