//! Who looked at whose personal data: the looks of a span of time, and a sheet for their review.
//!
//! Everything comes from the journal's entries: people are pseudonyms. `summing` counts the looks
//! and picks those that a reviewer has to ask about.

mod summing;

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use jiff::civil::{Date, Weekday};
use rayon::prelude::*;
use serde::Serialize;

use super::AuditFault;
use crate::domain::entry::{Actor, Change, Entry, Look, Purpose};
use crate::domain::ids::Seq;
use crate::domain::time::{Stamp, Zone};
use crate::journal::block::entries;
use crate::journal::store::Read;
use summing::Summing;

/// Blocks that are decoded together, on all cores.
const BLOCKS_AT_ONCE: usize = 512;
/// People who were looked at most, and different reasons of an account: so many are named.
const NAMED_MAX: usize = 20;
/// Looks to be asked about that the sheet lists; all of them are counted.
const ASKED_MAX: usize = 500;
/// Local hours in which a look is told apart, from and until.
pub const NIGHT: (i8, i8) = (22, 6);
/// An account that looks more often on one day is asked about each further look: a letter takes
/// some minutes to answer, so these are two to three hours of nothing else.
pub const A_DAY: u64 = 20;
/// From so many looks of one account at one person on, each is asked about: one to answer a letter,
/// and one more when the answer is sent.
pub const AT_ONE_PERSON: u64 = 3;
/// One look at so many people is asked about: it is more than a household.
pub const PEOPLE_AT_ONCE: usize = 10;

/// Why a reviewer has to ask about a look.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Asked {
    AtNight,
    /// On a Saturday or a Sunday. Holidays are not known.
    OnWeekend,
    /// The account had looked `A_DAY` times on that day already.
    ManyThatDay,
    /// The account had looked at that person more than once already.
    SamePersonAgain,
    /// `PEOPLE_AT_ONCE` people or more at once.
    ManyPeople,
    /// A roster file with fewer people of the roster was tried: so a name can be guessed.
    FewCompared,
}

/// One look, or one erasure.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Seen {
    pub seq: u64,
    /// In the zone of the review, to the second.
    pub at: String,
    pub account: String,
    pub origin: String,
    pub purpose: Purpose,
    pub reason: String,
    pub people: Vec<String>,
    /// Whether it was at night, by the clock of the zone.
    pub at_night: bool,
    /// Whether it was on a Saturday or a Sunday, by the calendar of the zone.
    pub on_weekend: bool,
    /// Why it has to be asked about; empty if it has not.
    pub asked: Vec<Asked>,
}

/// What an account did.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct OfAccount {
    pub looks: u64,
    /// People, each counted once.
    pub people: u64,
    pub at_night: u64,
    pub on_weekend: u64,
    /// Looks on the day that had most of them.
    pub most_a_day: u64,
    /// Looks that have to be asked about.
    pub asked: u64,
    pub by_purpose: BTreeMap<Purpose, u64>,
    pub origins: BTreeMap<String, u64>,
    /// The first different reasons that were given, with how often.
    pub reasons: BTreeMap<String, u64>,
    /// Looks with further reasons.
    pub other_reasons: u64,
}

/// The sheet of a span of time.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Review {
    pub looks: u64,
    /// People, each counted once.
    pub people: u64,
    pub accounts: BTreeMap<String, OfAccount>,
    /// The people who were looked at most often, with how often; once is not told.
    pub most_looked_at: Vec<(String, u64)>,
    /// Looks that have to be asked about.
    pub asked: u64,
    /// The first of them.
    pub to_ask: Vec<Seen>,
    /// Reviews that were put on record in this span; they are not counted as looks.
    pub reviews: Vec<Seen>,
    /// Entries of the span that were read.
    pub entries: u64,
    pub record: Record,
}

/// The record that a review was made from.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Record {
    /// The entries of the span, first and last; none if it has none.
    pub first_entry: Option<u64>,
    pub last_entry: Option<u64>,
    /// The last entry that was there.
    pub newest_entry: u64,
    pub newest_hash: String,
    /// The newest signed head.
    pub head: Option<SignedHead>,
}

/// A head as the record has it; `audit verify --head` compares one with another copy.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct SignedHead {
    pub seq: u64,
    pub hash: String,
    pub stamp: String,
    pub stamp_ns: i64,
    pub signature: String,
}

impl Review {
    /// The accounts, those with most to be asked about first.
    pub fn unusual_first(&self) -> Vec<(&str, &OfAccount)> {
        let accounts = self.accounts.iter();
        let mut accounts: Vec<_> = accounts.map(|(name, of)| (name.as_str(), of)).collect();
        accounts.sort_by_key(|(_, of)| std::cmp::Reverse((of.asked, of.people, of.looks)));
        accounts
    }
}

/// The first day of a month that is written as 2021-07.
pub fn first_of_month(text: &str) -> Result<Date, String> {
    let first = format!("{text}-01").parse();
    first.map_err(|_| "write the month as 2021-07".to_owned())
}

/// When a month begins and ends in a zone; the end is the beginning of the next.
pub fn span_of(first: Date, zone: &Zone) -> Result<(Stamp, Stamp), String> {
    let next = first.checked_add(jiff::Span::new().months(1)).ok();
    let span = next.and_then(|next| Some((zone.start_of(first)?, zone.start_of(next)?)));
    span.ok_or_else(|| format!("the month {} is too far away", first.strftime("%Y-%m")))
}

/// Reads the looks from one instant until another; each is handed to `each` in order.
pub fn review(
    read: &Read,
    zone: &Zone,
    (from, until): (Stamp, Stamp),
    mut each: impl FnMut(&Seen) -> Result<(), AuditFault>,
) -> Result<Review, AuditFault> {
    let mut summing = Summing::default();
    let mut blocks: Vec<(Seq, Vec<u8>)> = Vec::new();
    let mut fault = None;
    let mut flush = |blocks: &mut Vec<(Seq, Vec<u8>)>| -> Result<bool, AuditFault> {
        let decoded: Result<Vec<Found>, AuditFault> = blocks
            .par_iter()
            .map(|(first, block)| found(*first, block, from, until))
            .collect();
        blocks.clear();
        let mut is_behind = false;
        for found in decoded? {
            summing.read(found.entries, found.first, found.last);
            is_behind |= found.is_behind;
            for (seq, stamp, actor, look) in found.looks {
                let mut seen = seen(zone, seq, stamp, &actor, &look);
                let day = zone.local(stamp).date();
                summing.add(&mut seen, day, &look.people);
                each(&seen)?;
            }
        }
        Ok(!is_behind)
    };
    read.blocks(read.first_at(from)?, |first, block| {
        blocks.push((first, block.to_vec()));
        if blocks.len() < BLOCKS_AT_ONCE {
            return true;
        }
        match flush(&mut blocks) {
            Ok(goes_on) => goes_on,
            Err(failed) => {
                fault = Some(failed);
                false
            }
        }
    })?;
    match fault {
        Some(fault) => Err(fault),
        None => {
            flush(&mut blocks)?;
            Ok(summing.finish(record(read)?))
        }
    }
}

/// The end of the record, as it is now.
fn record(read: &Read) -> Result<Record, AuditFault> {
    let newest = read.last_seq()?;
    let head = read.last_head()?.map(|head| SignedHead {
        seq: head.seq.0,
        hash: head.hash.to_string(),
        stamp: head.stamp.instant().to_string(),
        stamp_ns: head.stamp.0,
        signature: HEXLOWER.encode(&head.signature),
    });
    let hash = read.hash_at(newest)?;
    Ok(Record {
        newest_entry: newest.0,
        newest_hash: hash.map(|hash| hash.to_string()).unwrap_or_default(),
        head,
        ..Record::default()
    })
}

type OneLook = (Seq, Stamp, Actor, Look);

/// What a block has of the span.
#[derive(Default)]
struct Found {
    looks: Vec<OneLook>,
    entries: u64,
    first: Option<u64>,
    last: Option<u64>,
    /// Whether its last entry is behind the span.
    is_behind: bool,
}

fn found(first: Seq, block: &[u8], from: Stamp, until: Stamp) -> Result<Found, AuditFault> {
    let mut found = Found::default();
    for (at, bytes) in entries(block).enumerate() {
        let seq = first.0 + at as u64;
        let fault = |what: String| AuditFault::Entry { seq, what };
        let bytes = bytes.map_err(|what| fault(what.to_string()))?;
        let entry = Entry::decode(bytes).map_err(|what| fault(what.to_string()))?;
        found.is_behind = entry.stamp >= until;
        if entry.stamp < from || found.is_behind {
            continue;
        }
        found.entries += 1;
        found.first.get_or_insert(seq);
        found.last = Some(seq);
        if let Change::PersonalDataSeen(look) = entry.change {
            found
                .looks
                .push((entry.seq, entry.stamp, entry.actor, look));
        }
    }
    Ok(found)
}

fn seen(zone: &Zone, seq: Seq, stamp: Stamp, actor: &Actor, look: &Look) -> Seen {
    let local = zone.local(stamp);
    let hour = local.hour();
    Seen {
        seq: seq.0,
        at: zone.rfc3339(Stamp(stamp.0 - stamp.0.rem_euclid(Stamp::SECOND))),
        account: account(actor),
        origin: look.origin.clone(),
        purpose: look.purpose,
        reason: look.reason.clone(),
        people: look.people.iter().map(ToString::to_string).collect(),
        at_night: hour >= NIGHT.0 || hour < NIGHT.1,
        on_weekend: matches!(local.weekday(), Weekday::Saturday | Weekday::Sunday),
        asked: Vec::new(),
    }
}

/// Who it was, as the sheet names them.
fn account(actor: &Actor) -> String {
    match actor {
        Actor::System => "the program".to_owned(),
        Actor::Citizen => "a citizen".to_owned(),
        Actor::Operator(name) => format!("{name} (host)"),
        Actor::Staff { account, .. } => account.clone(),
        Actor::Proxy { .. } => "a proxy".to_owned(),
    }
}

#[cfg(test)]
mod tests;
