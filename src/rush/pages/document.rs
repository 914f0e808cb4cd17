//! What a person reads on the shipped pages: figures, choices, numbers, refusals.
//!
//! Knows the pages by their own marks: addresses of links and forms, names of fields, ids, classes.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crate::rush::answer::{Booking, DayFree, Dose, POLL_S_MAX, Place, PlaceState, Site, Slot};

/// The text between two marks, behind the first of which it begins.
pub fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after).map(|(found, _)| found)
}

/// What stands behind each `before`, up to the next `after`.
fn each<'a>(text: &'a str, before: &'a str, after: &'a str) -> impl Iterator<Item = &'a str> {
    let pieces = text.split(before).skip(1);
    pieces.map(move |piece| piece.split(after).next().unwrap_or(piece))
}

/// The code of a refusal's page.
pub fn code(page: &str) -> Option<&str> {
    between(page, "data-code=\"", "\"")
}

/// The identity form stands on the page.
pub fn has_form(page: &str) -> bool {
    page.contains("<input id=\"code\" name=\"code\"")
}

/// The page that begins with the state of the gate.
pub fn is_landing(page: &str) -> bool {
    page.contains("<h2 id=\"when\">")
}

/// A field that is sent with a form but not shown.
pub fn hidden<'a>(page: &'a str, name: &str) -> Option<&'a str> {
    let before = format!("<input type=\"hidden\" name=\"{name}\" value=\"");
    between(page, &before, "\"")
}

/// The waiting room as it is shown.
#[derive(Clone, PartialEq, Debug)]
pub struct Room {
    pub place: Place,
    /// What a look at the place must say for the script to leave the page as it is.
    pub scene: u32,
    /// The wait is shown.
    pub shows_wait: bool,
}

/// What the waiting room shows beside its figures, as one number to compare.
pub fn scene_of(state: &str, because: &str, ends: bool, message: &str) -> u32 {
    let mut hasher = DefaultHasher::new();
    (state, because, ends, message).hash(&mut hasher);
    hasher.finish() as u32
}

/// Reads the waiting room.
pub fn room(page: &str) -> Result<Room, String> {
    let missing = |what: &str| format!("a waiting room without {what}");
    let own = |name: &str| {
        let own = between(page, "<div id=\"own\"", ">")?;
        between(own, &format!(" data-{name}=\""), "\"")
    };
    let state = own("state").ok_or_else(|| missing("a state"))?;
    let poll = own("poll").and_then(|poll| poll.parse().ok());
    let next_poll_s: u32 = poll.ok_or_else(|| missing("the time of the next look"))?;
    if !(1..=POLL_S_MAX).contains(&next_poll_s) {
        return Err(format!(
            "a waiting room that is looked at after {next_poll_s} s"
        ));
    }
    let figure = |id: &str| {
        let text = between(page, &format!(" id=\"{id}\">"), "<")?;
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        digits.parse::<u64>().ok()
    };
    let has_number = !matches!(state, "admitted" | "window");
    let number = figure("number").filter(|_| has_number);
    if number.is_none() && has_number {
        return Err(missing("a number"));
    }
    let wait = between(page, " id=\"wait\">", "<");
    let [least, most] = wait.map_or([0, 0], wait_s);
    let place = Place {
        state: match state {
            "admitted" => PlaceState::Admitted,
            "lobby" => PlaceState::Lobby,
            "window" => PlaceState::Window,
            "waiting" | "paused" => PlaceState::Waiting,
            other => return Err(format!("a waiting room in the state {other:?}")),
        },
        number: number.unwrap_or(0),
        ahead: figure("ahead").unwrap_or(0),
        wait_s: [least, most],
        next_poll_s,
        late: false,
    };
    let message = between(page, " id=\"message\">", "<").unwrap_or_default();
    let because = own("because").unwrap_or_default();
    let ends = page.contains(" id=\"ends\">");
    Ok(Room {
        place,
        scene: scene_of(state, because, ends, message),
        shows_wait: wait.is_some(),
    })
}

/// Each number of a text, with what follows it.
fn numbers(text: &str) -> impl Iterator<Item = (u64, &str)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let from = rest.find(|letter: char| letter.is_ascii_digit())?;
        let digits = &rest[from..];
        let end = digits.find(|letter: char| !letter.is_ascii_digit());
        let end = end.unwrap_or(digits.len());
        rest = &digits[end..];
        Some((digits[..end].parse().unwrap_or(0), rest))
    })
}

/// The seconds that the words of a wait stand for: minutes are rounded up, so "3 to 8 minutes" is
/// more than 2 and at most 8.
fn wait_s(words: &str) -> [u64; 2] {
    let (mut hours, mut minutes) = (0, Vec::new());
    for (number, behind) in numbers(words) {
        if behind.starts_with("시간") {
            hours = number;
        } else {
            let whole = hours.saturating_mul(60).saturating_add(number);
            minutes.push(whole);
            hours = 0;
        }
    }
    let least = minutes.first().copied().unwrap_or(0);
    let most = minutes.last().copied().unwrap_or(0);
    [least.saturating_sub(1), most].map(|minutes| minutes.saturating_mul(60))
}

/// The regions to choose from, with whether one has free seats; none on the page of sites.
pub fn regions<'a>(page: &'a str, base: &str) -> Vec<(&'a str, bool)> {
    links(page, &format!("<li><a href=\"{base}/sites?region="))
}

/// The sites to choose from. The page says of a site without seats that it has none.
pub fn sites<'a>(page: &'a str, base: &str) -> Vec<Site<'a>> {
    let links = links(page, &format!("<a class=\"site\" href=\"{base}/sites/"));
    let site = |(site, free): (&'a str, bool)| Site {
        site: Cow::Borrowed(site),
        free: u32::from(free),
    };
    links.into_iter().map(site).collect()
}

fn links<'a>(page: &'a str, before: &str) -> Vec<(&'a str, bool)> {
    let pieces = page.split(before).skip(1);
    let link = |piece: &'a str| {
        let item = piece.split("</li>").next().unwrap_or(piece);
        let name = item.split('"').next().unwrap_or_default();
        (name, !item.contains("class=\"seats none\""))
    };
    pieces.map(link).collect()
}

/// The days with free seats of a site.
pub fn days<'a>(page: &'a str, base: &str, site: &str) -> Vec<DayFree<'a>> {
    let before = format!("href=\"{base}/sites/{site}/");
    let pieces = page.split(&before).skip(1);
    let date = pieces.map(|piece| piece.split('"').next().unwrap_or_default());
    date.map(|date| DayFree {
        date: Cow::Borrowed(date),
        free: 1,
    })
    .collect()
}

/// The times of a day, or the alternatives to a time that is full.
pub fn slots(page: &str) -> Vec<Slot<'_>> {
    let buttons = each(page, "<button name=\"slot\" value=\"", ">");
    let slot = |button| -> Slot<'_> {
        let button: &str = button;
        let slot = button.split('"').next().unwrap_or_default();
        Slot {
            slot: Cow::Borrowed(slot),
            free: u32::from(!button.contains(" disabled")),
        }
    };
    buttons.map(slot).collect()
}

/// The booking of the page that shows one.
pub fn booking(page: &str) -> Option<Booking<'_>> {
    let ticket = between(page, "<div class=\"ticket\">", "</div>")?;
    let number = between(ticket, "<strong class=\"number\">", "</strong>")?;
    let doses = each(page, "<dd><time datetime=\"", "</dd>");
    let dose = |dose| -> Option<Dose<'_>> {
        let dose: &str = dose;
        let start = dose.split('"').next()?;
        let site = between(dose, "<br><span>", "</span>")?;
        Some(Dose {
            site: Cow::Borrowed(site),
            start: Cow::Borrowed(start),
        })
    };
    let doses: Option<Vec<_>> = doses.map(dose).collect();
    let doses = doses.filter(|doses| !doses.is_empty())?;
    // In words there, with the offset of the doses' times.
    let offset = doses[0].start.get(19..).unwrap_or_default();
    let words = between(page, "<p class=\"quiet\">", "</p>")?;
    let parts: Vec<u64> = numbers(words).map(|(number, _)| number).collect();
    let &[year, month, day, hour, minute, second, ..] = parts.as_slice() else {
        return None;
    };
    let at = format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{offset}");
    Some(Booking {
        number: Cow::Borrowed(number),
        status: Cow::Borrowed("booked"),
        doses,
        booked_at: Cow::Owned(at),
    })
}

/// The version of the consent text that the identity form asks about, if it does.
pub fn consent(page: &str) -> Option<&str> {
    between(page, " name=\"agreed\" value=\"", "\"")
}

/// The address of a page's script, style sheet, icon and logo, where it has one of its own.
pub fn assets(page: &str) -> [Option<&str>; 4] {
    [
        between(page, "<script type=\"module\" src=\"/assets/", "\""),
        between(page, "rel=\"stylesheet\" href=\"/assets/", "\""),
        between(page, "rel=\"icon\" href=\"/assets/", "\""),
        between(page, "<img src=\"/assets/", "\""),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_read_in_minutes_and_in_hours() {
        assert_eq!(wait_s("약 5분"), [240, 300]);
        assert_eq!(wait_s("3~8분"), [120, 480]);
        assert_eq!(wait_s("95분 ~ 2시간 10분"), [94 * 60, 130 * 60]);
        assert_eq!(wait_s("2시간 5분 ~ 3시간 0분"), [124 * 60, 180 * 60]);
    }

    proptest::proptest! {
        #[test]
        fn no_text_at_all_panics(page in ".{0,400}", wait in "[0-9시간분~ ]{0,30}") {
            let page = format!("<div id=\"own\" data-state=\"waiting\" data-poll=\"5\">\
                                <dd id=\"number\">7</dd><dd id=\"wait\">{wait}</dd>{page}");
            let _ = (room(&page), booking(&page), slots(&page), days(&page, "/b", "a"));
            let _ = (regions(&page, ""), sites(&page, ""), assets(&page), hidden(&page, "hold"));
        }
    }
}
