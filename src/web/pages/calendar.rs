//! Days as a calendar: a table a month, a week a row, Sunday first. It begins with this week.

use jiff::civil::Date;
use jiff::{Span, ToSpan as _};

use super::choose::level;
use super::frame::{grouped, seats};
use super::when::When;
use crate::availability::DayOffered;
use crate::domain::time::Day;

/// If nothing is offered for so many days, the calendar begins when something is.
const EMPTY_DAYS_MAX: i64 = 35;

/// What a calendar is made of.
pub struct Days<'a> {
    pub when: &'a When<'a>,
    pub today: Date,
    /// In order.
    pub offered: &'a [DayOffered],
}

pub struct Month {
    pub name: String,
    /// Seven cells each; none outside the month.
    pub weeks: Vec<Vec<Option<Cell>>>,
}

pub struct Cell {
    pub day: i8,
    /// The date in words, for readers who do not see the table.
    pub date: String,
    /// The short name of its weekday, for where there is no room for the table.
    pub weekday: String,
    pub is_sunday: bool,
    pub is_today: bool,
    pub is_past: bool,
    /// Where its times are; none on a day without a seat.
    pub address: Option<String>,
    pub free: String,
    /// The number alone, where there is room for no more.
    pub count: String,
    pub level: &'static str,
    /// Whether anything is offered on that day.
    pub is_offered: bool,
}

impl Days<'_> {
    /// The months from this week to the last day on which something is offered; none if that is
    /// no day.
    pub fn months(&self, to: impl Fn(Date) -> String) -> Vec<Month> {
        let (Some(first), Some(last)) = (self.offered.first(), self.offered.last()) else {
            return Vec::new();
        };
        let (first, last) = (first.date.date(), last.date.date());
        let empty = self
            .today
            .until(first)
            .map_or(0, |span| span.get_days().into());
        let start = if empty > EMPTY_DAYS_MAX {
            first
        } else {
            self.today
        };
        let shown = (sunday_of(start), last.max(start));
        let mut months = Vec::new();
        let mut month = shown.0.first_of_month();
        while month <= shown.1 {
            months.push(self.month(month, shown, &to));
            match month.checked_add(1.month()) {
                Ok(next) => month = next,
                Err(_) => break,
            }
        }
        months
    }

    /// The weeks of a month that have a day of what is shown.
    fn month(&self, first: Date, shown: (Date, Date), to: &impl Fn(Date) -> String) -> Month {
        let mut weeks: Vec<Vec<Option<Cell>>> = Vec::new();
        for day in 1..=first.days_in_month() {
            let date = jiff::civil::date(first.year(), first.month(), day);
            let is_outside = sunday_of(date) < shown.0 || sunday_of(date) > shown.1;
            if is_outside {
                continue;
            }
            let column = date.weekday().to_sunday_zero_offset() as usize;
            if column == 0 || weeks.is_empty() {
                weeks.push((0..7).map(|_| None).collect());
            }
            if let Some(week) = weeks.last_mut() {
                week[column] = Some(self.cell(date, to));
            }
        }
        Month {
            name: self.when.month(first),
            weeks,
        }
    }

    fn cell(&self, date: Date, to: &impl Fn(Date) -> String) -> Cell {
        let day = Day::of(date);
        let known = self.offered.binary_search_by_key(&day, |known| known.date);
        let offered = known.map(|at| self.offered[at].offered);
        let free = offered.map_or(0, |offered| offered.free);
        let column = date.weekday().to_sunday_zero_offset();
        Cell {
            day: date.day(),
            date: self.when.date(date),
            weekday: self.when.weekday(column).0,
            is_sunday: column == 0,
            is_today: date == self.today,
            is_past: date < self.today,
            address: (free > 0).then(|| to(date)),
            free: seats(self.when.lang, free),
            count: grouped(free.into()),
            level: offered.map_or("none", level),
            is_offered: offered.is_ok(),
        }
    }
}

fn sunday_of(date: Date) -> Date {
    let days = date.weekday().to_sunday_zero_offset();
    date.saturating_sub(Span::new().days(days))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::availability::Offered;
    use crate::domain::time::Zone;
    use crate::web::words::Lang;
    use jiff::civil::date;

    fn offered(date: Date, free: u32) -> DayOffered {
        DayOffered {
            date: Day::of(date),
            offered: Offered { free, seats: 50 },
            first: None,
        }
    }

    fn months(today: Date, offered: &[DayOffered]) -> Vec<Month> {
        let zone = Zone::named("Asia/Seoul").unwrap();
        let when = When {
            lang: Lang::EN,
            zone: &zone,
        };
        let days = Days {
            when: &when,
            today,
            offered,
        };
        days.months(|date| date.to_string())
    }

    #[test]
    fn every_day_stands_under_its_weekday_and_no_week_is_past() {
        let days = [
            offered(date(2021, 7, 26), 5),
            offered(date(2021, 8, 2), 0),
            offered(date(2021, 8, 3), 6),
        ];
        // A Wednesday.
        let months = months(date(2021, 7, 21), &days);
        assert_eq!(months.len(), 2);
        let week = &months[0].weeks[0];
        let cell = |at: usize| week[at].as_ref().unwrap();
        assert_eq!(
            (cell(0).day, cell(0).is_past, cell(0).is_sunday),
            (18, true, true)
        );
        assert_eq!(
            (cell(3).day, cell(3).is_past, cell(3).is_today),
            (21, false, true)
        );
        assert!(!cell(4).is_offered);
        let monday = months[0].weeks[1][1].as_ref().unwrap();
        assert_eq!(
            (monday.day, monday.level, monday.address.as_deref()),
            (26, "few", Some("2021-07-26"))
        );
        let august = &months[1].weeks;
        assert_eq!(
            august.len(),
            1,
            "no week after the last day that is offered"
        );
        let full = august[0][1].as_ref().unwrap();
        assert_eq!((full.day, full.is_offered, full.level), (2, true, "none"));
        assert!(full.address.is_none());
        assert_eq!(august[0][2].as_ref().unwrap().level, "many");
        let mut weeks = months.iter().flat_map(|month| &month.weeks);
        assert!(weeks.all(|week| week.len() == 7));
    }

    #[test]
    fn a_week_of_two_months_is_in_both_with_its_own_days() {
        // A Saturday; the week began in July.
        let months = months(date(2021, 8, 7), &[offered(date(2021, 9, 1), 1)]);
        assert_eq!(months[0].weeks[0][0].as_ref().unwrap().day, 1);
        // The 1st of September is a Wednesday.
        let days = |week: &[Option<Cell>]| week.iter().flatten().count();
        assert_eq!(days(months[0].weeks.last().unwrap()), 3);
        assert_eq!((months[1].weeks.len(), days(&months[1].weeks[0])), (1, 4));
    }

    #[test]
    fn long_before_the_first_day_the_calendar_begins_with_that() {
        let days = [offered(date(2021, 7, 26), 3)];
        let of = |today| months(today, &days)[0].weeks[0][1].as_ref().unwrap().day;
        assert_eq!(of(date(2021, 3, 1)), 26);
        assert_eq!(of(date(2021, 7, 6)), 5);
        assert!(months(date(2021, 7, 26), &[]).is_empty());
    }
}
