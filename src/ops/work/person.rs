//! What is kept of one person, shown or erased: who is meant, what for, and from where.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::crockford;
use crate::domain::entry::{Look, Purpose};
use crate::domain::ids::{BookingNumber, PersonKey};
use crate::domain::state::Status;
use crate::domain::text::{check, unfit};
use crate::domain::time::Stamp;
use crate::engine::command::{Operation, PersonSeen};
use crate::engine::import::REFUSED;
use crate::engine::shared::Shared;
use crate::keys::Keys;
use crate::ops::outcome::{PersonBooking, PersonShown, WorkRefused};

/// Characters of a reason, and of an origin.
const TEXT_MAX: usize = 200;

/// By what a person is found. Nobody can be searched for.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// The invitation code.
    Code(String),
    /// The number of a booking.
    Number(String),
}

impl fmt::Debug for Who {
    /// A code lets people in: it is in no log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(_) => f.write_str("somebody, by code"),
            Self::Number(_) => f.write_str("somebody, by number"),
        }
    }
}

/// What is done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonAct {
    Show,
    Erase,
}

pub(super) fn prepare(
    shared: &Shared,
    keys: &Keys,
    who: &Who,
    act: PersonAct,
    reason: &str,
    origin: &str,
    now: Stamp,
) -> Result<Operation, WorkRefused> {
    let reason = reason.trim();
    check(reason, TEXT_MAX).map_err(|fault| WorkRefused::new(format!("the reason {fault}")))?;
    if !reason.chars().any(char::is_alphanumeric) {
        let why = "a look at personal data needs a reason in words";
        return Err(WorkRefused::new(why).to_do("say it with --reason, without naming anybody"));
    }
    let begins = reason.to_lowercase();
    if REFUSED.iter().any(|own| begins.starts_with(own)) {
        let why = "the reason begins as the record tells of a look that was refused";
        return Err(WorkRefused::new(why).to_do("say it in other words"));
    }
    let has_code = |code: &String| {
        let plain = |text: &str| text.replace(['-', ' '], "").to_uppercase();
        code.len() > 3 && plain(reason).contains(&plain(code))
    };
    if matches!(who, Who::Code(code) if has_code(code)) {
        let why = "the reason has the invitation code in it, and would keep it for ever";
        return Err(WorkRefused::new(why).to_do("say it without the code"));
    }
    let person = find(shared, keys, who)?;
    let look = Look {
        purpose: match act {
            PersonAct::Show => Purpose::Shown,
            PersonAct::Erase => Purpose::Erased,
        },
        origin: fit_origin(origin),
        reason: reason.to_owned(),
        people: vec![person],
    };
    Ok(match act {
        PersonAct::Show => Operation::ShowPerson { look },
        PersonAct::Erase => Operation::ErasePerson { look, now },
    })
}

/// An origin as it stands in an entry: short, and without what a text may not have.
pub(super) fn fit_origin(origin: &str) -> String {
    let fit = origin.chars().filter(|letter| unfit(*letter).is_none());
    fit.take(TEXT_MAX).collect()
}

fn find(shared: &Shared, keys: &Keys, who: &Who) -> Result<PersonKey, WorkRefused> {
    match who {
        Who::Code(code) => {
            let code = crockford::parse(code)
                .map_err(|fault| WorkRefused::new(format!("the code {fault}")))?;
            let person = keys.person_key(code);
            let roster = shared.roster();
            let is_known = roster.find(&person).is_some() || roster.find_left(&person).is_some();
            let has_booked = || {
                let state = shared.state();
                let mut campaigns = state.campaigns.iter();
                campaigns.any(|campaign| campaign.latest_booking(&person).is_some())
            };
            if is_known || has_booked() {
                Ok(person)
            } else {
                let why = "nobody on the roster has this code";
                Err(WorkRefused::new(why).to_do("look whether it is the newest one"))
            }
        }
        Who::Number(number) => {
            let number = BookingNumber::parse(number)
                .map_err(|fault| WorkRefused::new(format!("the booking number {fault}")))?;
            let at = keys
                .booking_index(number)
                .and_then(|at| usize::try_from(at).ok());
            let state = shared.state();
            let mut found = state.campaigns.iter().filter_map(|campaign| {
                let booking = campaign.bookings.get(at?)?;
                (booking.number == number).then_some(booking.person)
            });
            found.next().ok_or_else(|| {
                WorkRefused::new("no booking has this number")
                    .to_do("look whether it is typed right")
            })
        }
    }
}

/// What an operator is shown.
pub(super) fn shown(seen: &PersonSeen) -> PersonShown {
    let bookings = seen.standings.iter().map(|standing| PersonBooking {
        campaign: standing.campaign.to_string(),
        number: standing.booking.map(|booking| booking.number.to_string()),
        is_cancelled: standing
            .booking
            .is_some_and(|booking| booking.status == Status::Cancelled),
        has_place: standing.has_place,
    });
    PersonShown {
        person: seen.person.to_string(),
        name: seen.contact.as_ref().map(|contact| contact.name.clone()),
        phone: seen.contact.as_ref().map(|contact| contact.phone.clone()),
        is_unopened: seen.has_row && seen.contact.is_none(),
        birth_date: seen.born.map(|born| born.date().to_string()),
        region: seen.region.clone(),
        groups: seen.groups.clone(),
        on_roster: seen.on_roster,
        campaigns: bookings.collect(),
    }
}
