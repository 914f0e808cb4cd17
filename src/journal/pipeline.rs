//! Entries from a source of bytes to whoever takes them in order, on all cores.
//!
//! One thread reads parts of the source, the pool decodes and hashes many parts at a time, and one
//! thread takes the entries, all at the same time. The start of a server, the check of a data file
//! and the check of an export are three uses of it.
//!
//! Invariants: entries come in the order of the source. The fault that is told is the first in that
//! order, whichever thread was faster: every entry before it was taken, and nothing behind it.
//! Memory is bounded: at most four pieces are read and not decoded, and four decoded and not taken.

use std::sync::mpsc::sync_channel;

use rayon::prelude::*;

use crate::domain::entry::{Entry, Hash};

/// Bytes of the source that are decoded together: hundreds of parts, to keep every core busy.
const PIECE_BYTES: usize = 4 << 20;

/// A part of the source that can be decoded by itself.
pub struct Part {
    /// The number of the first entry, or of the first line, that is in it.
    pub first: u64,
    pub bytes: Vec<u8>,
}

/// The entries of a part, each with its hash.
pub type Entries = Vec<(Entry, Hash)>;

/// What was decoded of a part up to the first fault, and the fault.
type Decoded<T, F> = (T, Result<(), F>);

/// Reads, decodes and takes entries until the source ends, or the first fault.
///
/// `read` hands over parts until it is told to stop. `decode` adds the entries of a part up to the
/// first that can't be read, and what else is made of them. `take` is handed them in order.
///
/// The caller decodes, on the pool's threads; reading and taking have threads of their own, which
/// never wait for the pool: callers can be some of its threads, or all of them at once.
pub fn run<T: Default + Send, F: Send>(
    read: impl FnOnce(&mut dyn FnMut(Part) -> bool) -> Result<(), F> + Send,
    decode: impl Fn(&Part, &mut T) -> Result<(), F> + Sync,
    mut take: impl FnMut(&T) -> Result<(), F> + Send,
) -> Result<(), F> {
    std::thread::scope(|scope| {
        let (send_piece, pieces) = sync_channel::<Vec<Part>>(2);
        let (send_decoded, decoded) = sync_channel::<Vec<Decoded<T, F>>>(2);
        let reader = scope.spawn(move || {
            let (mut piece, mut bytes) = (Vec::new(), 0);
            let mut is_open = true;
            let done = read(&mut |part| {
                bytes += part.bytes.len();
                piece.push(part);
                if bytes >= PIECE_BYTES {
                    bytes = 0;
                    is_open = send_piece.send(std::mem::take(&mut piece)).is_ok();
                }
                is_open
            });
            if is_open {
                let _ = send_piece.send(piece);
            }
            done
        });
        let taker = scope.spawn(move || {
            for (entries, done) in decoded.into_iter().flatten() {
                take(&entries)?;
                done?;
            }
            Ok(())
        });
        let decode_part = |part: &Part| {
            let mut entries = T::default();
            let done = decode(part, &mut entries);
            (entries, done)
        };
        for piece in pieces {
            let piece = piece.par_iter().map(decode_part).collect();
            // The taker stops at the first fault.
            if send_decoded.send(piece).is_err() {
                break;
            }
        }
        drop(send_decoded);
        let taken = taker.join().expect("taking entries does not panic");
        let read_all = reader.join().expect("reading a source does not panic");
        // What could not be read lies behind what was taken.
        taken.and(read_all)
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::entry::{Actor, Change};
    use crate::domain::ids::Seq;
    use crate::domain::time::Stamp;

    /// More parts than the pipeline holds: eight make a piece.
    const PARTS: u64 = 100;

    /// Where reading, decoding and taking fail. Each part has one entry, of the same number.
    #[derive(Clone, Copy, Default)]
    struct Faults<'a> {
        unreadable_after: Option<u64>,
        undecodable: &'a [u64],
        refused: Option<u64>,
    }

    type Fault = (&'static str, u64);

    fn entry(number: u64) -> (Entry, Hash) {
        let entry = Entry {
            seq: Seq(number),
            stamp: Stamp(0),
            previous: Hash::NONE,
            actor: Actor::System,
            change: Change::TokenKeyRotated { id: 0 },
        };
        let hash = entry.encode(&mut Vec::new());
        (entry, hash)
    }

    /// The numbers of the entries that were taken, and how it ended.
    fn taken(parts: impl Iterator<Item = u64> + Send, faults: Faults) -> (Vec<u64>, Option<Fault>) {
        let mut taken = Vec::new();
        let done = run(
            |look| {
                for first in parts {
                    let bytes = vec![0; PIECE_BYTES / 8];
                    if !look(Part { first, bytes }) {
                        return Ok(());
                    }
                    if faults.unreadable_after == Some(first) {
                        return Err(("read", first));
                    }
                }
                Ok(())
            },
            |part, into: &mut Entries| {
                // The earlier of neighbours takes longer.
                std::thread::sleep(Duration::from_micros(200 * (8 - part.first % 8)));
                into.push(entry(part.first));
                if faults.undecodable.contains(&part.first) {
                    return Err(("decode", part.first));
                }
                Ok(())
            },
            |entries: &Entries| {
                for (entry, _) in entries {
                    if faults.refused == Some(entry.seq.0) {
                        return Err(("take", entry.seq.0));
                    }
                    taken.push(entry.seq.0);
                }
                Ok(())
            },
        );
        (taken, done.err())
    }

    #[test]
    fn entries_are_taken_in_the_order_of_the_source() {
        let (taken, fault) = taken(1..=PARTS, Faults::default());
        assert!(taken.into_iter().eq(1..=PARTS));
        assert_eq!(fault, None);
    }

    #[test]
    fn of_several_faults_the_first_in_the_source_is_told_and_nothing_behind_it_is_taken() {
        let (read, refused) = (Some(60), Some(40));
        let cases: [(&[u64], _, _, Fault); 7] = [
            (&[30, 31], None, None, ("decode", 30)),
            (&[30, 99], None, None, ("decode", 30)),
            (&[41], None, refused, ("take", 40)),
            (&[39], None, refused, ("decode", 39)),
            (&[], read, refused, ("take", 40)),
            (&[60], read, None, ("decode", 60)),
            (&[], read, None, ("read", 60)),
        ];
        for (undecodable, unreadable_after, refused, told) in cases {
            let faults = Faults {
                unreadable_after,
                undecodable,
                refused,
            };
            let (taken, fault) = taken(1..=PARTS, faults);
            assert_eq!(fault, Some(told));
            // The entry that is refused is not taken; one before a fault in its part is.
            let last = told.1 - u64::from(told.0 == "take");
            assert!(taken.into_iter().eq(1..=last), "{told:?}");
        }
    }

    #[test]
    fn a_source_without_end_is_left_at_the_first_fault() {
        let faults = Faults {
            undecodable: &[70],
            ..Faults::default()
        };
        assert_eq!(taken(1.., faults).1, Some(("decode", 70)));
    }
}
