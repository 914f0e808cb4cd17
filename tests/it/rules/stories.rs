//! Failures of that summer, each told and then made impossible.

use jiff::civil::date;
use sumun::domain::campaign::Campaign;
use sumun::domain::campaign::eligibility::{Answer, Rule};
use sumun::domain::time::Stamp;

use super::campaigns::{AUGUST, JULY, at, campaign, dates, decide, decide_on};

/// 20 July 2021, 03:00. For hours people born in 1967 and 1968 were told "not eligible, come back
/// on 21 July at 20:00" while their opening ran. The page took the hour from the browser's clock,
/// without a leading zero, and compared text: "202107203" sorts after the limit "2021072018", since
/// "3" sorts after "1". From two to nine in the morning every hour did. Here an instant is a number
/// of nanoseconds of the server's clock, so no hour is special.
#[test]
fn at_three_in_the_morning_of_20_july_people_may_book() {
    assert!("202107203" > "2021072018", "how the page compared");
    let july = campaign(JULY);
    let until = at(&july, "2021-07-20T18:00");
    for hour in 2..=9 {
        for time in [format!("{hour:02}:00"), format!("{hour:02}:59:59")] {
            let now = at(&july, &format!("2021-07-20T{time}"));
            for born in dates(date(1967, 1, 1), date(1968, 12, 31)) {
                let decision = decide_on(&july, born, now);
                assert_eq!(decision.answer, Answer::Eligible, "born {born} at {time}");
                assert_eq!(
                    decision.rule,
                    Rule::Open {
                        opening: 2,
                        cohort: 1
                    }
                );
                assert_eq!(decision.next_change, Some(until));
            }
        }
    }
}

/// A day cut at midnight UTC hid slots. That is nine in the morning in Seoul, a time at which
/// nothing may change: neither an answer nor the digit of anyone's birth day.
#[test]
fn at_midnight_utc_nothing_changes() {
    for (source, first, last) in [
        (JULY, "2021-07-12T00:00:00Z", date(1962, 1, 1)),
        (AUGUST, "2021-08-09T00:00:00Z", date(1972, 1, 1)),
    ] {
        let campaign = campaign(source);
        let midnight = at(&campaign, first);
        for day in 0..45 {
            let midnight = midnight.plus_s(day * 86_400);
            for born in dates(last, date(last.year() + 32, 1, 31)) {
                let answer = |ns| decide_on(&campaign, born, Stamp(midnight.0 + ns)).answer;
                assert_eq!(answer(-1), answer(0), "born {born}");
                assert_eq!(answer(0), answer(1), "born {born}");
            }
        }
    }
    // And the local midnight at which July's first opening begins is not one in UTC.
    let july = campaign(JULY);
    assert_eq!(
        decide(&july, "1962-01-01", "2021-07-11T14:59:59Z").answer,
        Answer::NotOpenYet
    );
    assert_eq!(
        decide(&july, "1962-01-01", "2021-07-11T15:00:00Z").answer,
        Answer::Eligible
    );
}

/// A birthday that most years do not have is a birthday: the 29th, so digit 9 and its evening.
#[test]
fn people_born_on_29_february_have_digit_nine() {
    let july = campaign(JULY);
    for born in ["1964-02-29", "1968-02-29"] {
        assert_eq!(
            decide(&july, born, "2021-07-22T12:00").answer,
            Answer::Eligible
        );
    }
    assert_eq!(
        decide(&july, "1968-02-29", "2021-07-20T03:00").answer,
        Answer::Eligible
    );
    let august = campaign(AUGUST);
    for born in ["1972-02-29", "1984-02-29", "1988-02-29", "2000-02-29"] {
        let answer = |now| decide(&august, born, now).answer;
        assert_eq!(answer("2021-08-09T19:59:59"), Answer::NotOpenYet);
        assert_eq!(answer("2021-08-09T20:00"), Answer::Eligible);
        assert_eq!(answer("2021-08-10T18:00"), Answer::OpeningClosed);
        // Neither with those of the 28th nor with those of 1 March.
        assert_eq!(answer("2021-08-11T21:00"), Answer::OpeningClosed);
        assert_eq!(answer("2021-08-18T21:00"), Answer::OpeningClosed);
    }
}

/// Eighteen o'clock is the first instant that is too late: there is no 17:59:59 with a gap behind
/// it, and no instant that belongs to two openings.
#[test]
fn at_eighteen_exactly_it_is_over() {
    let july = campaign(JULY);
    let end = at(&july, "2021-07-20T18:00:00");
    let born = date(1967, 6, 15);
    let last = decide_on(&july, born, Stamp(end.0 - 1));
    assert_eq!(
        (last.answer, last.next_change),
        (Answer::Eligible, Some(end))
    );
    let over = decide_on(&july, born, end);
    assert_eq!(
        (over.answer, over.closed_at),
        (Answer::OpeningClosed, Some(end))
    );
    assert_eq!(over.opens_at, Some(at(&july, "2021-07-21T20:00")));
}

/// The younger must not be told to come back when it is too late for them: each gets the next
/// opening that is theirs, not that of the next evening.
#[test]
fn people_are_told_their_own_next_opening() {
    let august = campaign(AUGUST);
    for day in 1..=31_i8 {
        let decision = decide_on(&august, date(1990, 1, day), at(&august, "2021-08-09T12:00"));
        let evening = match day % 10 {
            9 => 9,
            digit => 10 + digit,
        };
        let expected = at(&august, &format!("2021-08-{evening:02}T20:00"));
        assert_eq!(decision.opens_at, Some(expected), "born on the {day}th");
        assert_eq!(decision.answer, Answer::NotOpenYet);
    }
}

fn berlin(from: &str, until: &str) -> Campaign {
    let head = &JULY[..JULY.find("[[opening]]").unwrap()];
    let tail = &JULY[JULY.find("[[vaccine]]").unwrap()..];
    let head = head.replace("Asia/Seoul", "Europe/Berlin");
    campaign(&format!(
        "{head}[[opening]]\ncohorts = [\"born-1967-1968\"]\nfrom = \"{from}\"\n\
         until = \"{until}\"\n{tail}"
    ))
}

/// Where clocks change, an evening from 20:00 to 18:00 has 21 or 23 hours, and every one of them
/// counts, the one that the clock shows twice as well.
#[test]
fn an_opening_across_a_change_of_daylight_saving() {
    for (from, until, hours) in [
        ("2021-03-27T20:00", "2021-03-28T18:00", 21),
        ("2021-10-30T20:00", "2021-10-31T18:00", 23),
        ("2021-07-19T20:00", "2021-07-20T18:00", 22),
    ] {
        let berlin = berlin(from, until);
        let (from, until) = (at(&berlin, from), at(&berlin, until));
        assert_eq!(until, from.plus_s(hours * 3_600));
        let born = date(1967, 6, 15);
        assert_eq!(
            decide_on(&berlin, born, Stamp(from.0 - 1)).answer,
            Answer::NotOpenYet
        );
        for minute in 0..hours * 60 {
            let decision = decide_on(&berlin, born, from.plus_s(minute * 60));
            assert_eq!(decision.answer, Answer::Eligible, "minute {minute}");
            assert_eq!(decision.next_change, Some(until));
        }
        assert_eq!(
            decide_on(&berlin, born, until).answer,
            Answer::OpeningClosed
        );
    }
}

/// An opening may begin or end at the change itself: 03:00 in spring is the instant at which 02:00
/// would have been; in autumn 02:59:59 of summer time is followed by 02:00:00 again.
#[test]
fn an_opening_that_begins_or_ends_at_the_change_itself() {
    let spring = berlin("2021-03-28T03:00", "2021-03-28T18:00");
    let answer = |now| decide(&spring, "1967-06-15", now).answer;
    assert_eq!(answer("2021-03-28T01:59:59"), Answer::NotOpenYet);
    assert_eq!(answer("2021-03-28T01:00:00Z"), Answer::Eligible);
    let autumn = berlin("2021-10-30T20:00", "2021-10-31T03:00");
    let answer = |now| decide(&autumn, "1967-06-15", now).answer;
    assert_eq!(answer("2021-10-31T02:30:00+02:00"), Answer::Eligible);
    assert_eq!(answer("2021-10-31T02:30:00+01:00"), Answer::Eligible);
    assert_eq!(answer("2021-10-31T02:00:00Z"), Answer::OpeningClosed);
}
