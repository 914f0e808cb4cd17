//! Who looked at whose personal data: the looks of a span of time, and a sheet for their review.
//!
//! Everything comes from the journal's entries: people are pseudonyms.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rayon::prelude::*;
use serde::Serialize;

use super::AuditFault;
use crate::domain::entry::{Actor, Change, Entry, Look, Purpose};
use crate::domain::ids::{PersonKey, Seq};
use crate::domain::time::{Stamp, Zone};
use crate::journal::block::entries;
use crate::journal::store::Read;

/// Blocks that are decoded together, on all cores.
const BLOCKS_AT_ONCE: usize = 512;
/// People who were looked at most, and accounts that looked at one person most: so many are named.
const NAMED_MAX: usize = 20;
/// Local hours in which a look is told apart, from and until.
const NIGHT: (i8, i8) = (22, 6);

/// One look, or one erasure.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Seen {
    pub seq: u64,
    /// In the zone of the review.
    pub at: String,
    pub account: String,
    pub origin: String,
    pub purpose: Purpose,
    pub reason: String,
    pub people: Vec<String>,
    /// Whether it was at night, by the clock of the zone.
    pub at_night: bool,
}

/// What an account did.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct OfAccount {
    pub looks: u64,
    /// People, each counted once.
    pub people: u64,
    pub at_night: u64,
    pub by_purpose: BTreeMap<Purpose, u64>,
    pub origins: BTreeSet<String>,
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
    /// Entries of the span that were read.
    pub entries: u64,
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
            summing.review.entries += found.entries;
            is_behind |= found.is_behind;
            for (seq, stamp, actor, look) in found.looks {
                let seen = seen(zone, seq, stamp, &actor, &look);
                summing.add(&seen, &look.people);
                each(&seen)?;
            }
        }
        Ok(!is_behind)
    };
    read.blocks(first_at(read, from)?, |first, block| {
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
            Ok(summing.finish())
        }
    }
}

/// The first entry of that time or later, found by halving: stamps never go back.
fn first_at(read: &Read, from: Stamp) -> Result<Seq, AuditFault> {
    let stamp = |seq: u64| -> Result<Option<Stamp>, AuditFault> {
        Ok(read.entry(Seq(seq))?.map(|entry| entry.stamp))
    };
    let (mut low, mut high) = (1, 2);
    while stamp(high)?.is_some_and(|stamp| stamp < from) {
        (low, high) = (high, high * 2);
    }
    while low < high {
        let middle = low + (high - low) / 2;
        if stamp(middle)?.is_some_and(|stamp| stamp < from) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(Seq(low))
}

type OneLook = (Seq, Stamp, Actor, Look);

/// What a block has of the span.
#[derive(Default)]
struct Found {
    looks: Vec<OneLook>,
    entries: u64,
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
        if let Change::PersonalDataSeen(look) = entry.change {
            found
                .looks
                .push((entry.seq, entry.stamp, entry.actor, look));
        }
    }
    Ok(found)
}

fn seen(zone: &Zone, seq: Seq, stamp: Stamp, actor: &Actor, look: &Look) -> Seen {
    let hour = zone.local(stamp).hour();
    Seen {
        seq: seq.0,
        at: zone.rfc3339(stamp),
        account: account(actor),
        origin: look.origin.clone(),
        purpose: look.purpose,
        reason: look.reason.clone(),
        people: look.people.iter().map(ToString::to_string).collect(),
        at_night: hour >= NIGHT.0 || hour < NIGHT.1,
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

#[derive(Default)]
struct Summing {
    review: Review,
    people: HashMap<PersonKey, u64>,
    of_account: HashMap<(String, PersonKey), ()>,
}

impl Summing {
    fn add(&mut self, seen: &Seen, people: &[PersonKey]) {
        self.review.looks += 1;
        let of = self
            .review
            .accounts
            .entry(seen.account.clone())
            .or_default();
        of.looks += 1;
        of.at_night += u64::from(seen.at_night);
        *of.by_purpose.entry(seen.purpose).or_default() += 1;
        if !of.origins.contains(&seen.origin) {
            of.origins.insert(seen.origin.clone());
        }
        for person in people {
            *self.people.entry(*person).or_default() += 1;
            let new = self.of_account.insert((seen.account.clone(), *person), ());
            of.people += u64::from(new.is_none());
        }
    }

    fn finish(mut self) -> Review {
        self.review.people = self.people.len() as u64;
        let mut often: Vec<_> = self
            .people
            .into_iter()
            .filter(|(_, times)| *times > 1)
            .collect();
        often.sort_unstable_by_key(|(person, times)| (std::cmp::Reverse(*times), *person));
        let often = often.into_iter().take(NAMED_MAX);
        self.review.most_looked_at = often.map(|(who, times)| (who.to_string(), times)).collect();
        self.review
    }
}
