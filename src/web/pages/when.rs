//! Dates and times in words: by language, always with the weekday, always the zone's own time.

use jiff::civil::{Date, DateTime};

use super::frame::text;
use super::visit::Visit;
use crate::domain::time::{Stamp, Zone};
use crate::web::words::{Lang, Value};

pub struct When<'a> {
    pub lang: Lang,
    pub zone: &'a Zone,
}

impl<'a> When<'a> {
    pub fn of(visit: &'a Visit) -> Self {
        Self {
            lang: visit.lang,
            zone: &visit.here.offer.catalog.campaign.zone,
        }
    }

    /// "2021년 7월 22일 목요일 20:00", "Thursday 22 July 2021, 20:00".
    pub fn instant(&self, stamp: Stamp) -> String {
        let local = self.zone.local(stamp);
        let time = [("time", text(clock(local)))];
        let mut values = self.parts(local.date());
        values.extend(time);
        self.lang.put("instant", &values)
    }

    /// "2021년 7월 22일 목요일 20:00~20:10", "Thursday 22 July 2021, 20:00–20:10".
    pub fn span(&self, from: Stamp, until: Stamp) -> String {
        let (first, last) = (self.zone.local(from), self.zone.local(until));
        let last = if first.date() == last.date() {
            clock(last)
        } else {
            self.instant(until)
        };
        let values = [("from", text(self.instant(from))), ("until", text(last))];
        self.lang.put("span", &values)
    }

    /// "오늘 20:00", "내일 20:00", or the whole date: as people say it at the instant `now`.
    pub fn near(&self, stamp: Stamp, now: Stamp) -> String {
        let (local, today) = (self.zone.local(stamp), self.local_date(now));
        let key = match local.date() {
            date if date == today => "today-at",
            date if today.tomorrow().is_ok_and(|next| next == date) => "tomorrow-at",
            date if date.year() == today.year() => "day-at",
            _ => return self.instant(stamp),
        };
        let mut values = self.parts(local.date());
        values.push(("time", text(clock(local))));
        self.lang.put(key, &values)
    }

    /// The same of an end, which is itself not in it.
    pub fn near_end(&self, stamp: Stamp, now: Stamp) -> String {
        let local = self.zone.local(stamp);
        if (local.hour(), local.minute()) == (0, 0) {
            return self.end(stamp);
        }
        self.near(stamp, now)
    }

    /// An end, which is itself not in it: midnight is the end of the day before.
    pub fn end(&self, stamp: Stamp) -> String {
        let local = self.zone.local(stamp);
        match local.date().yesterday() {
            Ok(date) if (local.hour(), local.minute()) == (0, 0) => {
                let date = [("date", text(self.date(date)))];
                self.lang.put("midnight", &date)
            }
            _ => self.instant(stamp),
        }
    }

    /// The same with seconds.
    pub fn instant_s(&self, stamp: Stamp) -> String {
        let local = self.zone.local(stamp);
        let mut values = self.parts(local.date());
        values.push(("time", text(self.clock_s(stamp))));
        self.lang.put("instant", &values)
    }

    /// "2021년 7월 22일 목요일".
    pub fn date(&self, date: Date) -> String {
        self.lang.put("date", &self.parts(date))
    }

    /// "7월 22일 (목)", where the year is plain.
    pub fn short(&self, date: Date) -> String {
        self.lang.put("date-short", &self.parts(date))
    }

    /// A birth date: without its weekday.
    pub fn born(&self, date: Date) -> String {
        self.lang.put("date-born", &self.parts(date))
    }

    /// "2021년 7월".
    pub fn month(&self, date: Date) -> String {
        self.lang.put("month", &self.parts(date))
    }

    /// The heading of a column of a calendar; 0 is Sunday.
    pub fn weekday(&self, day: i8) -> (String, String) {
        let day = [("day", Value::from(i32::from(day)))];
        (
            self.lang.put("weekday-short", &day),
            self.lang.put("weekday", &day),
        )
    }

    pub fn time(&self, stamp: Stamp) -> String {
        clock(self.zone.local(stamp))
    }

    pub fn clock_s(&self, stamp: Stamp) -> String {
        let local = self.zone.local(stamp);
        format!("{}:{:02}", clock(local), local.second())
    }

    pub fn local_date(&self, stamp: Stamp) -> Date {
        self.zone.local(stamp).date()
    }

    /// "한국 시각", or the zone's name.
    pub fn zone(&self) -> String {
        let key = self.zone.name().replace('/', "-");
        self.lang.put(
            "zone",
            &[("key", text(key)), ("name", text(self.zone.name()))],
        )
    }

    fn parts(&self, date: Date) -> Vec<(&'static str, Value)> {
        let day = [(
            "day",
            Value::from(i32::from(date.weekday().to_sunday_zero_offset())),
        )];
        let month = [("month", Value::from(i32::from(date.month())))];
        vec![
            ("year", text(date.year().to_string())),
            ("month", Value::from(i32::from(date.month()))),
            ("monthname", text(self.lang.put("month-name", &month))),
            ("date", text(date.day().to_string())),
            ("weekday", text(self.lang.put("weekday", &day))),
            ("weekdayshort", text(self.lang.put("weekday-short", &day))),
        ]
    }
}

/// 08:05: always two digits, always of 24 hours.
fn clock(local: DateTime) -> String {
    format!("{:02}:{:02}", local.hour(), local.minute())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_have_their_weekday_and_the_zones_own_time() {
        let zone = Zone::named("Asia/Seoul").unwrap();
        let stamp = Stamp::parse("2021-07-22T20:00:00+09:00").unwrap();
        let ko = When {
            lang: Lang::KO,
            zone: &zone,
        };
        let en = When {
            lang: Lang::EN,
            zone: &zone,
        };
        assert_eq!(ko.instant(stamp), "2021년 7월 22일 목요일 20:00");
        assert_eq!(en.instant(stamp), "Thursday 22 July 2021, 20:00");
        let early = Stamp::parse("2021-07-19T03:04:05+09:00").unwrap();
        assert_eq!(ko.instant_s(early), "2021년 7월 19일 월요일 03:04:05");
        assert_eq!(en.short(en.local_date(early)), "Mon 19 July");
        assert_eq!(ko.zone(), "한국 시각");
        let other = Zone::named("Europe/Berlin").unwrap();
        let en = When {
            lang: Lang::EN,
            zone: &other,
        };
        assert_eq!(en.instant(early), "Sunday 18 July 2021, 20:04");
        assert_eq!(en.zone(), "time in Europe/Berlin");
    }
}
