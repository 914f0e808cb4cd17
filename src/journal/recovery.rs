//! From the data file to a state: replay on all cores, the chain checked, every seat counted again.
//!
//! Blocks go through `pipeline`: read in order by one thread, decoded and hashed by all, and
//! applied in order by another. The first entry that does not follow is named and nothing is
//! served.

use super::block::entries;
use super::checkpoint::{CheckpointFault, Mark};
use super::pipeline::{self, Entries, Part};
use super::store::{Read, StoreFault, StoredHead};
use crate::crypto::Sha256;
use crate::domain::apply::{Contradiction, apply, touch};
use crate::domain::entry::{Entry, Hash, head_message};
use crate::domain::ids::Seq;
use crate::domain::roster::Roster;
use crate::domain::state::State;
use crate::keys::verify_head;

/// Entries whose rows are read before they are applied: what they need fits the nearest cache.
const TOUCHED_AHEAD: usize = 32;

/// Why the journal and the state it should give do not agree.
#[derive(Debug, thiserror::Error)]
pub enum RecoveryFault {
    #[error(transparent)]
    Store(#[from] StoreFault),
    #[error("the first bad entry is {seq}: it {what}")]
    Entry { seq: Seq, what: String },
    #[error("the first bad entry is {}: it {}", .0.seq, .0.what)]
    Contradiction(#[from] Contradiction),
    #[error("campaign {campaign}, slot {slot}: bookings and holds count {counted}, entries {kept}")]
    Seats {
        campaign: String,
        slot: usize,
        counted: String,
        kept: String,
    },
    #[error("the signed head of entry {seq} {what}")]
    Head { seq: Seq, what: &'static str },
    #[error("the roster table does not match the journal: {0}")]
    Roster(String),
    #[error("the checkpoint is damaged: {0}")]
    Checkpoint(CheckpointFault),
    #[error("the checkpoint of entry {0} is not what the entries up to it give")]
    CheckpointDiffers(Seq),
    #[error("the data file has no first entry: it was never founded")]
    NotFounded,
}

/// Replays the whole journal. `head` is handed each entry's sequence and hash, in order.
pub fn replay(
    read: &Read,
    mut head: impl FnMut(Seq, &Hash) + Send,
) -> Result<State, RecoveryFault> {
    replay_from(read, State::default(), |state, hash| head(state.seq, hash))
}

/// Replays what follows a state. `applied` is handed the state after each entry, and its hash.
pub fn replay_from(
    read: &Read,
    mut state: State,
    mut applied: impl FnMut(&State, &Hash) + Send,
) -> Result<State, RecoveryFault> {
    let from = Seq(state.seq.0 + 1);
    pipeline::run(
        |look| {
            let blocks = read.blocks(from, |first, block| {
                let bytes = block.to_vec();
                look(Part {
                    first: first.0,
                    bytes,
                })
            });
            Ok(blocks?)
        },
        decode_block,
        |entries| {
            // The first block can begin before the state ends.
            let known = entries.partition_point(|(entry, _)| entry.seq < from);
            apply_all(&mut state, &entries[known..], &mut applied)
        },
    )?;
    Ok(state)
}

/// Replays the whole journal. `seen` is handed each entry with the state after it, and its hash.
pub fn replay_each(
    read: &Read,
    mut seen: impl FnMut(&State, &Entry, &Hash) + Send,
) -> Result<State, RecoveryFault> {
    let mut state = State::default();
    pipeline::run(
        |look| {
            let blocks = read.blocks(Seq(1), |first, block| {
                let bytes = block.to_vec();
                look(Part {
                    first: first.0,
                    bytes,
                })
            });
            Ok(blocks?)
        },
        decode_block,
        |entries| {
            let mut these = entries.iter();
            apply_all(&mut state, entries, |state, hash| {
                if let Some((entry, _)) = these.next() {
                    seen(state, entry, hash);
                }
            })
        },
    )?;
    Ok(state)
}

/// Applies entries in order. `applied` is handed the state after each, and its hash.
pub fn apply_all<F: From<Contradiction>>(
    state: &mut State,
    entries: &[(Entry, Hash)],
    mut applied: impl FnMut(&State, &Hash),
) -> Result<(), F> {
    for entries in entries.chunks(TOUCHED_AHEAD) {
        entries.iter().for_each(|(entry, _)| touch(state, entry));
        for (entry, hash) in entries {
            apply(state, entry, *hash)?;
            applied(state, hash);
        }
    }
    Ok(())
}

fn decode_block(block: &Part, into: &mut Entries) -> Result<(), RecoveryFault> {
    into.reserve(block.bytes.len() / 128);
    for (at, bytes) in entries(&block.bytes).enumerate() {
        let seq = Seq(block.first + at as u64);
        let bytes = bytes.map_err(|what| RecoveryFault::Entry { seq, what })?;
        let entry = Entry::decode(bytes).map_err(|fault| RecoveryFault::Entry {
            seq,
            what: fault.to_string(),
        })?;
        if entry.seq != seq {
            return Err(RecoveryFault::Entry {
                seq,
                what: format!("says it is {}", entry.seq),
            });
        }
        into.push((entry, Hash::of(bytes)));
    }
    Ok(())
}

/// What a restart rebuilds, checked.
#[derive(Debug)]
pub struct Recovered {
    pub state: State,
    pub roster: Roster,
    /// Why the newest checkpoint was not used, though there is one.
    pub ignored: Option<CheckpointFault>,
}

/// Rebuilds what serving needs, from the newest checkpoint that can be used and what follows it.
pub fn recover(read: &Read) -> Result<Recovered, RecoveryFault> {
    let (state, roster) = rayon::join(|| resumed(read), || stored_roster(read));
    let (state, ignored) = state?;
    attested(read, state, roster?, ignored)
}

fn resumed(read: &Read) -> Result<(State, Option<CheckpointFault>), RecoveryFault> {
    let Some(mark) = read.checkpoint()? else {
        return Ok((recounted(replay(read, |_, _| {})?)?, None));
    };
    match loaded(read, &mark)? {
        Ok(state) => Ok((replay_from(read, state, |_, _| {})?, None)),
        Err(fault) => Ok((recounted(replay(read, |_, _| {})?)?, Some(fault))),
    }
}

fn loaded(read: &Read, mark: &Mark) -> Result<Result<State, CheckpointFault>, RecoveryFault> {
    Ok(read.load_checkpoint(mark, |state| state.keys.head_at(mark.seq))?)
}

/// Replays the whole journal and compares it with everything that is stored beside it. `head` is
/// handed each entry's sequence and hash, in order.
pub fn recover_all(
    read: &Read,
    mut head: impl FnMut(Seq, &Hash) + Send,
) -> Result<Recovered, RecoveryFault> {
    let mark = read.checkpoint()?;
    let loaded = mark.as_ref().map(|mark| loaded(read, mark)).transpose()?;
    let (kept, fault) = match loaded {
        None => (None, None),
        Some(Ok(state)) => (Some(state), None),
        // An older program wrote it: the next start of this one ignores it.
        Some(Err(CheckpointFault::Layout)) => (None, None),
        Some(Err(fault)) => (None, Some(fault)),
    };
    let mut differs = None;
    let (state, roster) = rayon::join(
        || {
            replay_from(read, State::default(), |state, hash| {
                head(state.seq, hash);
                if let Some(kept) = kept.as_ref().filter(|kept| kept.seq == state.seq)
                    && kept != state
                {
                    differs = Some(state.seq);
                }
            })
        },
        || stored_roster(read),
    );
    let (state, roster) = (recounted(state?)?, roster?);
    // Told after the entries, so that the first bad entry is named.
    if let Some(fault) = fault {
        return Err(RecoveryFault::Checkpoint(fault));
    }
    if let Some(seq) = differs {
        return Err(RecoveryFault::CheckpointDiffers(seq));
    }
    attested(read, state, roster, None)
}

/// Compares what was rebuilt with the newest signed head and the roster that is stored.
fn attested(
    read: &Read,
    state: State,
    (mut roster, digest): (Roster, [u8; 32]),
    ignored: Option<CheckpointFault>,
) -> Result<Recovered, RecoveryFault> {
    let known = state.keys.head().ok_or(RecoveryFault::NotFounded)?;
    if let Some(head) = read.last_head()? {
        let attested = read.hash_at(head.seq)?;
        let key = state.keys.head_at(head.seq).unwrap_or(known);
        check_head(&head, attested.as_ref(), &key)?;
    }
    check_roster(&state, &roster, digest)?;
    roster.personal_keys = state.keys.personal;
    Ok(Recovered {
        state,
        roster,
        ignored,
    })
}

/// Checks a stored head against the hash that the journal has at its sequence.
pub fn check_head(
    head: &StoredHead,
    in_journal: Option<&Hash>,
    public_key: &[u8; 32],
) -> Result<(), RecoveryFault> {
    let fault = |what| {
        Err(RecoveryFault::Head {
            seq: head.seq,
            what,
        })
    };
    let message = head_message(head.seq, &head.hash, head.stamp);
    let signature = head.signature.as_slice().try_into();
    if !signature.is_ok_and(|signature| verify_head(public_key, &message, signature)) {
        return fault("has a signature that does not fit it");
    }
    match in_journal {
        None => fault("attests an entry that the journal does not have: its tail was cut"),
        Some(hash) if *hash != head.hash => fault("attests another entry than the journal has"),
        Some(_) => Ok(()),
    }
}

/// The roster that is stored, and its digest.
fn stored_roster(read: &Read) -> Result<(Roster, [u8; 32]), StoreFault> {
    let roster = read.roster()?.unwrap_or_default();
    let digest = digest(&roster);
    Ok((roster, digest))
}

fn check_roster(state: &State, roster: &Roster, digest: [u8; 32]) -> Result<(), RecoveryFault> {
    let people = roster.people.len() as u64;
    match state.roster {
        None if people == 0 => Ok(()),
        None => Err(RecoveryFault::Roster(format!(
            "{people} people that no entry imported"
        ))),
        Some(mark) if (mark.version, mark.people) != (roster.version, people) => {
            Err(RecoveryFault::Roster(format!(
                "version {} with {people} people, the journal has version {} with {}",
                roster.version, mark.version, mark.people
            )))
        }
        Some(mark) if mark.digest != digest => Err(RecoveryFault::Roster(
            "its people differ from those that were imported".to_owned(),
        )),
        Some(_) => Ok(()),
    }
}

/// The SHA-256 of a roster's tables and people, as the journal records it.
pub fn digest(roster: &Roster) -> [u8; 32] {
    let mut digest = Sha256::default();
    roster.digest_input(|piece| digest.update(piece));
    digest.finish()
}

/// A replayed state whose seats were counted again.
fn recounted(state: State) -> Result<State, RecoveryFault> {
    for campaign in &state.campaigns {
        if let Some((slot, counted, kept)) = campaign.recount().into_iter().next() {
            return Err(RecoveryFault::Seats {
                campaign: campaign.id.to_string(),
                slot,
                counted: format!("{counted:?}"),
                kept: format!("{kept:?}"),
            });
        }
    }
    Ok(state)
}
