//! Days as a calendar: a table a month, a week a row, Sunday first.

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::choose::level;
use super::frame::{grouped, seats};
use super::when::When;
use crate::domain::time::Day;

pub struct Month {
    pub name: String,
    /// Seven cells each; none outside the month.
    pub weeks: Vec<Vec<Option<Cell>>>,
}

pub struct Cell {
    pub day: i8,
    /// The date in words, for readers who do not see the table.
    pub date: String,
    /// Where its times are; none on a day without a seat.
    pub address: Option<String>,
    pub free: String,
    /// The number alone, where there is room for no more.
    pub count: String,
    pub level: &'static str,
    /// Whether anything is offered on that day.
    pub offered: bool,
}

impl Month {
    /// The months from the first to the last of `days`, which are in order.
    pub fn all(when: &When, days: &[(Day, u32)], to: impl Fn(Date) -> String) -> Vec<Self> {
        let (Some((first, _)), Some((last, _))) = (days.first(), days.last()) else {
            return Vec::new();
        };
        let last = last.date();
        let mut months = Vec::new();
        let mut month = first.date().first_of_month();
        while month <= last {
            months.push(Self::of(when, month, days, &to));
            match month.checked_add(1.month()) {
                Ok(next) => month = next,
                Err(_) => break,
            }
        }
        months
    }

    fn of(when: &When, first: Date, days: &[(Day, u32)], to: &impl Fn(Date) -> String) -> Self {
        let mut cells: Vec<Option<Cell>> = Vec::new();
        cells.resize_with(first.weekday().to_sunday_zero_offset() as usize, || None);
        for day in 1..=first.days_in_month() {
            let date = jiff::civil::date(first.year(), first.month(), day);
            let known = days.binary_search_by_key(&Day::of(date), |(day, _)| *day);
            let free = known.map_or(0, |at| days[at].1);
            cells.push(Some(Cell {
                day,
                date: when.date(date),
                address: (free > 0).then(|| to(date)),
                free: seats(when.lang, free),
                count: grouped(free.into()),
                level: level(free),
                offered: known.is_ok(),
            }));
        }
        cells.resize_with(cells.len().next_multiple_of(7), || None);
        let mut weeks = Vec::new();
        while !cells.is_empty() {
            let rest = cells.split_off(7);
            weeks.push(std::mem::replace(&mut cells, rest));
        }
        Self {
            name: when.month(first),
            weeks,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Zone;
    use crate::web::words::Lang;
    use jiff::civil::date;

    #[test]
    fn every_day_stands_under_its_weekday() {
        let zone = Zone::named("Asia/Seoul").unwrap();
        let when = When {
            lang: Lang::EN,
            zone: &zone,
        };
        let days = [
            (Day::of(date(2021, 7, 26)), 3),
            (Day::of(date(2021, 8, 2)), 0),
        ];
        let months = Month::all(&when, &days, |date| date.to_string());
        assert_eq!(months.len(), 2);
        // 1 July 2021 was a Thursday.
        let week = &months[0].weeks[0];
        assert!(week[3].is_none());
        assert_eq!(week[4].as_ref().unwrap().day, 1);
        // 26 July a Monday.
        let cell = months[0].weeks[4][1].as_ref().unwrap();
        assert_eq!(
            (cell.day, cell.address.as_deref()),
            (26, Some("2021-07-26"))
        );
        let full = months[1].weeks[0][1].as_ref().unwrap();
        assert_eq!((full.day, full.offered), (2, true));
        assert!(full.address.is_none());
        assert!(
            months
                .iter()
                .all(|month| month.weeks.iter().all(|week| week.len() == 7))
        );
        assert!(Month::all(&when, &[], |date| date.to_string()).is_empty());
    }
}
