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

/// Bytes of the source that are decoded together: some hundred parts, to keep every core busy.
const PIECE_BYTES: usize = 1 << 20;

/// A part of the source that can be decoded by itself.
pub struct Part {
    /// The number of the first entry, or of the first line, that is in it.
    pub first: u64,
    pub bytes: Vec<u8>,
}

/// The entries of a part, each with its hash.
pub type Entries = Vec<(Entry, Hash)>;

/// The entries of a part up to the first fault, and the fault.
type Decoded<F> = (Entries, Result<(), F>);

/// Reads, decodes and takes entries until the source ends, or the first fault.
///
/// `read` hands over parts until it is told to stop. `decode` adds the entries of a part up to the
/// first that can't be read. `take` is handed the entries in order.
///
/// The caller decodes, on the pool's threads; reading and taking have threads of their own, which
/// never wait for the pool: callers can be some of its threads, or all of them at once.
pub fn run<F: Send>(
    read: impl FnOnce(&mut dyn FnMut(Part) -> bool) -> Result<(), F> + Send,
    decode: impl Fn(&Part, &mut Entries) -> Result<(), F> + Sync,
    mut take: impl FnMut(&Entries) -> Result<(), F> + Send,
) -> Result<(), F> {
    std::thread::scope(|scope| {
        let (send_piece, pieces) = sync_channel::<Vec<Part>>(2);
        let (send_decoded, decoded) = sync_channel::<Vec<Decoded<F>>>(2);
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
            let mut entries = Vec::new();
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
