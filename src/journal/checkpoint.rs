//! A checkpoint: the state as of an entry, as numbered parts of bytes.
//!
//! Owns the parts and their order, and what proves that they are whole: the SHA-256 over the
//! SHA-256 of each part, signed with the journal's key together with the entry. The first part is
//! the frame, with everything that is not a list; then come the lists of each campaign, in pieces.
//! A program that writes them otherwise has another `LAYOUT`, and does not use a checkpoint of this
//! one.
//!
//! Every structure is taken apart without `..`: what is added to the state and forgotten here does
//! not compile.

mod frame;

use std::sync::Arc;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::domain::booking::catalog::{Site, Slot};
use crate::domain::booking::relocation::AgencyMove;
use crate::domain::booking::site::SiteRow;
use crate::domain::entry::Hash;
use crate::domain::growing::Table;
use crate::domain::ids::{PersonKey, Seq, SlotIndex};
use crate::domain::line::Given;
use crate::domain::repeats::{Repeat, Repeats};
use crate::domain::state::{Booking, CampaignState, Standing, State};
use crate::domain::time::Stamp;

/// The form of the parts.
use frame::{Frame, frame, state_of};

const LAYOUT: u32 = 8;
/// Rows of one part of sites and slots; other lists are cut as they lie in memory.
const PART_ROWS: usize = 4_096;

/// What is known of a checkpoint without reading its parts.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Mark {
    pub layout: u32,
    /// The entry that it is as of, and that entry's hash.
    pub seq: Seq,
    pub head: Hash,
    pub parts: u32,
    /// The SHA-256 over the SHA-256 of each part in order.
    pub digest: [u8; 32],
    /// Ed25519 over `Mark::message`.
    pub signature: Vec<u8>,
    /// Names the rows in the data file.
    pub generation: u64,
}

impl Mark {
    /// The bytes that the signature covers.
    pub fn message(&self) -> Vec<u8> {
        let mut message = b"sumun checkpoint v1".to_vec();
        message.extend_from_slice(&self.layout.to_be_bytes());
        message.extend_from_slice(&self.seq.0.to_be_bytes());
        message.extend_from_slice(&self.head.0);
        message.extend_from_slice(&self.parts.to_be_bytes());
        message.extend_from_slice(&self.digest);
        message
    }

    pub fn is_of_this_layout(&self) -> bool {
        self.layout == LAYOUT
    }

    /// The mark of a checkpoint with these digests, to be signed.
    pub fn of(state: &State, digests: &[Hash], generation: u64) -> Self {
        Self {
            layout: LAYOUT,
            seq: state.seq,
            head: state.head,
            parts: digests.len() as u32,
            digest: digest_of(digests),
            signature: Vec::new(),
            generation,
        }
    }
}

fn digest_of(digests: &[Hash]) -> [u8; 32] {
    let bytes: Vec<u8> = digests.iter().flat_map(|digest| digest.0).collect();
    Hash::of(&bytes).0
}

/// Why a checkpoint is not used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CheckpointFault {
    #[error("it was written by another version of the program")]
    Layout,
    #[error("its entry {0} is not in the journal, or has another hash")]
    Entry(Seq),
    #[error("its signature does not fit it")]
    Signature,
    #[error("its bytes are not those that were signed")]
    Digest,
    #[error("part {part} can't be read: {what}")]
    Part { part: usize, what: String },
}

/// A piece of a list, of the campaign at this position. Parts of tables have their number.
#[derive(Serialize, Deserialize)]
enum List {
    Sites(u16, Vec<(SiteRow, Vec<SlotIndex>)>),
    Slots(u16, Vec<Slot>),
    Bookings(u16, Vec<Booking>),
    Standings(u16, u16, Vec<(PersonKey, Standing)>),
    Repeats(u16, u16, Vec<([u8; 16], Repeat)>),
    RepeatAges(u16, Vec<(Stamp, [u8; 16])>),
    Refusals(u16, u16, Vec<(u64, ())>),
    /// Of a campaign's line.
    Places(u16, u16, u16, Vec<(PersonKey, Given)>),
    Moved(u16, u16, Vec<(PersonKey, AgencyMove)>),
}

/// Hands each part of a state to `put`, in order, until it fails.
pub fn write<E>(state: &State, mut put: impl FnMut(Vec<u8>) -> Result<(), E>) -> Result<(), E> {
    put(bytes_of(&frame(state)))?;
    for campaign in &state.campaigns {
        let at = campaign.catalog.index.0;
        let mut list = |list: List| put(bytes_of(&list));
        let catalog = &campaign.catalog;
        for sites in catalog.sites.chunks(PART_ROWS) {
            let row = |site: &Site| (site.row.clone(), site.slots.clone());
            list(List::Sites(at, sites.iter().map(row).collect()))?;
        }
        for slots in catalog.slots.chunks(PART_ROWS) {
            list(List::Slots(at, slots.to_vec()))?;
        }
        for bookings in campaign.bookings.parts() {
            list(List::Bookings(at, bookings.to_vec()))?;
        }
        each(&campaign.standings, |part, rows| {
            list(List::Standings(at, part, rows))
        })?;
        let (known, by_age) = campaign.repeats.rows();
        each(known, |part, rows| list(List::Repeats(at, part, rows)))?;
        let mut ages = by_age.iter().copied().peekable();
        while ages.peek().is_some() {
            let rows = ages.by_ref().take(PART_ROWS).collect();
            list(List::RepeatAges(at, rows))?;
        }
        each(&campaign.refusals, |part, rows| {
            list(List::Refusals(at, part, rows))
        })?;
        each(&campaign.moved, |part, rows| {
            list(List::Moved(at, part, rows))
        })?;
        for (line, known) in (0..).zip(&campaign.lines) {
            each(&known.given, |part, rows| {
                list(List::Places(at, line, part, rows))
            })?;
        }
    }
    Ok(())
}

/// Hands the parts of a table that have rows to `put`, each with its number.
fn each<K: Eq + std::hash::Hash + Copy, V: Copy, E>(
    table: &Table<K, V>,
    mut put: impl FnMut(u16, Vec<(K, V)>) -> Result<(), E>,
) -> Result<(), E> {
    for (part, rows) in table.parts().enumerate() {
        if !rows.is_empty() {
            let rows = rows.iter().map(|(key, value)| (*key, *value));
            put(part as u16, rows.collect())?;
        }
    }
    Ok(())
}

/// Puts a state together from parts that come in order.
pub struct Reader {
    state: Option<State>,
    digests: Vec<Hash>,
}

/// A list that was read, and its rows sorted into their part of a table.
enum Ready {
    Frame(Box<Frame>),
    Sites(u16, Vec<(SiteRow, Vec<SlotIndex>)>),
    Slots(u16, Vec<Slot>),
    Bookings(u16, Vec<Booking>),
    Standings(u16, u16, Part<PersonKey, Standing>),
    Repeats(u16, u16, Part<[u8; 16], Repeat>),
    RepeatAges(u16, Vec<(Stamp, [u8; 16])>),
    Refusals(u16, u16, Part<u64, ()>),
    Places(u16, u16, u16, Part<PersonKey, Given>),
    Moved(u16, u16, Part<PersonKey, AgencyMove>),
}

type Part<K, V> = std::collections::HashMap<K, V, crate::domain::state::KeyHash>;
type Found<T> = Result<T, String>;

impl Default for Reader {
    fn default() -> Self {
        let digests = Vec::new();
        Self {
            state: None,
            digests,
        }
    }
}

impl Reader {
    /// Takes the next parts; decodes them on all cores.
    pub fn take(&mut self, parts: &[Vec<u8>]) -> Result<(), CheckpointFault> {
        let first = self.digests.len();
        let decode = |(at, bytes): (usize, &Vec<u8>)| {
            let ready = ready(first + at == 0, bytes);
            let ready = ready.map_err(|what| CheckpointFault::Part {
                part: first + at,
                what,
            });
            Ok((Hash::of(bytes), ready?))
        };
        let decoded: Result<Vec<_>, _> = parts.par_iter().enumerate().map(decode).collect();
        for (digest, ready) in decoded? {
            let part = self.digests.len();
            self.digests.push(digest);
            let put = self.put(ready);
            put.map_err(|what| CheckpointFault::Part { part, what })?;
        }
        Ok(())
    }

    fn put(&mut self, ready: Ready) -> Found<()> {
        if let Ready::Frame(frame) = ready {
            self.state = Some(state_of(*frame)?);
            return Ok(());
        }
        let state = self.state.as_mut().ok_or("there is no frame before it")?;
        match ready {
            Ready::Frame(_) => {}
            Ready::Sites(at, sites) => {
                let catalog = Arc::make_mut(&mut campaign(state, at)?.catalog);
                catalog.restore_sites(sites);
            }
            Ready::Slots(at, slots) => {
                Arc::make_mut(&mut campaign(state, at)?.catalog)
                    .slots
                    .extend(slots);
            }
            Ready::Bookings(at, rows) => {
                if !campaign(state, at)?.bookings.put_part(rows) {
                    return Err("bookings do not lie as they were cut".to_owned());
                }
            }
            Ready::Standings(at, part, rows) => {
                campaign(state, at)?
                    .standings
                    .put_part(usize::from(part), rows);
            }
            Ready::Repeats(at, part, rows) => {
                let repeats = std::mem::take(&mut campaign(state, at)?.repeats);
                let (known, by_age) = repeats.into_rows();
                let mut known = known;
                known.put_part(usize::from(part), rows);
                campaign(state, at)?.repeats = Repeats::of_rows(known, by_age);
            }
            Ready::RepeatAges(at, rows) => {
                let repeats = std::mem::take(&mut campaign(state, at)?.repeats);
                let (known, mut by_age) = repeats.into_rows();
                by_age.extend(rows);
                campaign(state, at)?.repeats = Repeats::of_rows(known, by_age);
            }
            Ready::Refusals(at, part, rows) => {
                campaign(state, at)?
                    .refusals
                    .put_part(usize::from(part), rows);
            }
            Ready::Moved(at, part, rows) => {
                campaign(state, at)?.moved.put_part(usize::from(part), rows);
            }
            Ready::Places(at, line, part, rows) => {
                let known = campaign(state, at)?.lines.get_mut(usize::from(line));
                let known = known.ok_or_else(|| format!("it has no line {line}"))?;
                known.given.put_part(usize::from(part), rows);
            }
        }
        Ok(())
    }

    /// The state, if the parts are those that the mark was made of.
    pub fn finish(self, mark: &Mark) -> Result<State, CheckpointFault> {
        let is_whole = self.digests.len() == mark.parts as usize;
        if !is_whole || digest_of(&self.digests) != mark.digest {
            return Err(CheckpointFault::Digest);
        }
        let Some(mut state) = self.state else {
            return Err(CheckpointFault::Digest);
        };
        if (state.seq, state.head) != (mark.seq, mark.head) {
            return Err(CheckpointFault::Entry(mark.seq));
        }
        for campaign in &mut state.campaigns {
            campaign
                .count_all()
                .map_err(|what| CheckpointFault::Part { part: 0, what })?;
        }
        Ok(state)
    }
}

fn campaign(state: &mut State, at: u16) -> Found<&mut CampaignState> {
    let campaign = state.campaigns.get_mut(usize::from(at));
    campaign.ok_or_else(|| format!("campaign {at} is not in the frame"))
}

fn ready(is_first: bool, bytes: &[u8]) -> Found<Ready> {
    if is_first {
        return Ok(Ready::Frame(Box::new(value_of(bytes)?)));
    }
    fn part<K: Eq + std::hash::Hash, V>(at: u16, rows: Vec<(K, V)>) -> Found<Part<K, V>> {
        let part = Table::part_of(usize::from(at), rows);
        part.ok_or_else(|| "a row is not of its part of the table".to_owned())
    }
    Ok(match value_of(bytes)? {
        List::Sites(at, rows) => Ready::Sites(at, rows),
        List::Slots(at, rows) => Ready::Slots(at, rows),
        List::Bookings(at, rows) => Ready::Bookings(at, rows),
        List::Standings(at, number, rows) => Ready::Standings(at, number, part(number, rows)?),
        List::Repeats(at, number, rows) => Ready::Repeats(at, number, part(number, rows)?),
        List::RepeatAges(at, rows) => Ready::RepeatAges(at, rows),
        List::Refusals(at, number, rows) => Ready::Refusals(at, number, part(number, rows)?),
        List::Moved(at, number, rows) => Ready::Moved(at, number, part(number, rows)?),
        List::Places(at, line, number, rows) => {
            Ready::Places(at, line, number, part(number, rows)?)
        }
    })
}

fn bytes_of(value: &impl Serialize) -> Vec<u8> {
    postcard::to_stdvec(value).expect("plain structures have a postcard form")
}

fn value_of<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Found<T> {
    match postcard::take_from_bytes(bytes) {
        Ok((value, [])) => Ok(value),
        Ok((_, rest)) => Err(format!("{} bytes are left over", rest.len())),
        Err(error) => Err(error.to_string()),
    }
}
