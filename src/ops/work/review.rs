//! A monthly review of the looks at personal data, put on record: by whom, of which entries, and
//! what was found.

use crate::audit::access::{first_of_month, span_of};
use crate::domain::entry::{Change, Look, Purpose};
use crate::domain::ids::Seq;
use crate::domain::text::{NOTICE_CHARS_MAX, check};
use crate::domain::time::{Stamp, Zone};
use crate::engine::command::Operation;
use crate::journal::store::Store;
use crate::ops::outcome::WorkRefused;

use super::person::fit_origin;

/// A month that is not over can't be reviewed: looks may still come into it.
pub(super) fn prepare(
    store: &Store,
    month: &str,
    zone: &str,
    findings: &str,
    origin: &str,
    now: Stamp,
) -> anyhow::Result<Result<Operation, WorkRefused>> {
    let findings = findings.trim();
    let known = check(findings, NOTICE_CHARS_MAX)
        .map_err(|fault| format!("the text of the findings {fault}"))
        .and_then(|()| {
            let zone = Zone::named(zone)?;
            let span = span_of(first_of_month(month)?, &zone)?;
            Ok((zone, span))
        });
    let (zone, (from, until)) = match known {
        Ok(known) => known,
        Err(why) => return Ok(Err(WorkRefused::new(why))),
    };
    if now < until {
        let why = format!(
            "the month {month} is not over in {}: looks may still come into it",
            zone.name()
        );
        let to_do = format!("put its review on record from {} on", zone.rfc3339(until));
        return Ok(Err(WorkRefused::new(why).to_do(to_do)));
    }
    let read = store.read()?;
    let (first, Seq(behind)) = (read.first_at(from)?, read.first_at(until)?);
    let entries = match behind.saturating_sub(1) {
        last if last < first.0 => "no entries".to_owned(),
        last => format!("entries {first} to {last}"),
    };
    let look = Look {
        purpose: Purpose::Reviewed,
        origin: fit_origin(origin),
        reason: format!("{month} {}, {entries}: {findings}", zone.name()),
        people: Vec::new(),
    };
    let change = Change::PersonalDataSeen(look);
    Ok(Ok(Operation::Record { change }))
}
