//! The lines of an export, read back into entries on all cores.
//!
//! What is compared is the entry, not its spelling. Most lines are what `line_of` writes for the
//! entry that the line's bytes are: their bytes are taken from where that form has them, and the
//! rest of the line must be what they say. Any other line is read as JSON, and must have the same
//! names and values, each name once: white space, escapes, an order of names, a byte order mark and
//! empty lines change nothing of what an entry says.

mod otherwise;

use std::io::{BufRead, Read as _};

use data_encoding::BASE64_NOPAD;
use memchr::{memchr, memchr_iter, memrchr};

use super::{AuditFault, ShownStamp, line_at};
use crate::domain::entry::{ENTRY_BYTES_MAX, Entry, Hash};
use crate::journal::pipeline::{self, Entries, Part};
use crate::tree::leaf;
use crate::tree::range::Range;

/// Bytes of lines that one thread decodes at a time.
const PART_BYTES: u64 = 32 << 10;
/// Most lines are about a booking, and have more.
const LINE_BYTES: usize = 512;
/// No line is longer, by far: a line has at most 30 times the bytes of its entry. Rows of a few
/// bytes grow most when they are shown in words.
const LINE_BYTES_MAX: u64 = 64 * ENTRY_BYTES_MAX as u64;
/// What some programs put before a text of UTF-8.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Entries of an export that stand one behind the other.
#[derive(Default)]
pub(super) struct Lines {
    pub(super) entries: Entries,
    /// Their leaves, cut where a root is asked for; none unless one is. They count as following
    /// each other, which has to be checked of the entries.
    pub(super) leaves: Vec<Range>,
}

/// Hands the entries of an export to `take`, in order. What is wrong with a line is told after
/// every line before it was taken. `roots_at` are the sizes of trees that are asked for.
pub(super) fn read(
    source: impl BufRead + Send,
    roots_at: &[u64],
    take: impl FnMut(&Lines) -> Result<(), AuditFault> + Send,
) -> Result<(), AuditFault> {
    let decode = |part: &Part, into: &mut Lines| decode_lines(part, roots_at, into);
    pipeline::run(|look| read_parts(source, look), decode, take)
}

/// Cuts the source into parts of whole lines.
fn read_parts(
    mut source: impl BufRead,
    look: &mut dyn FnMut(Part) -> bool,
) -> Result<(), AuditFault> {
    let mut first = 1;
    loop {
        let (mut bytes, fault) = part_of_lines(&mut source);
        let ends = memchr_iter(b'\n', &bytes).count() as u64;
        if let Some(what) = fault {
            bytes.truncate(memrchr(b'\n', &bytes).map_or(0, |end| end + 1));
            look(Part { first, bytes });
            let line = first + ends;
            return Err(AuditFault::Line { line, what });
        }
        if bytes.is_empty() || !look(Part { first, bytes }) {
            return Ok(());
        }
        first += ends;
    }
}

/// The next bytes of the source, up to the end of a line, and why there are no more.
fn part_of_lines(source: &mut impl BufRead) -> (Vec<u8>, Option<String>) {
    let mut bytes = Vec::with_capacity(PART_BYTES as usize + 1024);
    let read = source.take(PART_BYTES).read_to_end(&mut bytes);
    let read = read.and_then(|_| source.take(LINE_BYTES_MAX).read_until(b'\n', &mut bytes));
    let fault = match read {
        Err(error) => Some(error.to_string()),
        Ok(rest) if rest as u64 == LINE_BYTES_MAX && bytes.last() != Some(&b'\n') => {
            Some("it is longer than any line of an export".to_owned())
        }
        Ok(_) => None,
    };
    (bytes, fault)
}

fn decode_lines(part: &Part, roots_at: &[u64], into: &mut Lines) -> Result<(), AuditFault> {
    into.entries.reserve(part.bytes.len() / LINE_BYTES);
    let mut room = Room::default();
    let (mut rest, mut number) = (part.bytes.as_slice(), part.first);
    while !rest.is_empty() {
        let end = memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
        let (line, behind) = rest.split_at(end);
        let text = line.strip_suffix(b"\n").map_or(line, |line| {
            // An export that went through another system can have its line ends.
            line.strip_suffix(b"\r").unwrap_or(line)
        });
        if let Some(entry) = entry_of_line(text, &mut room) {
            into.push(entry, &room.bytes, roots_at);
        } else if !is_blank(text) {
            let fault = |what| AuditFault::Line { line: number, what };
            let entry = otherwise::entry_of_line(text, &mut room.bytes).map_err(fault)?;
            into.push(entry, &room.bytes, roots_at);
        }
        (rest, number) = (behind, number + 1);
    }
    Ok(())
}

impl Lines {
    fn push(&mut self, entry: (Entry, Hash), bytes: &[u8], roots_at: &[u64]) {
        if !roots_at.is_empty() {
            let begin = entry.0.seq.0.saturating_sub(1);
            let is_cut = |range: &Range| roots_at.contains(&range.end());
            if self.leaves.last().is_none_or(is_cut) {
                let begin = self.leaves.last().map_or(begin, Range::end);
                self.leaves.push(Range::at(begin));
            }
            let range = self.leaves.last_mut().expect("one is there");
            range.push(leaf(bytes));
        }
        self.entries.push(entry);
    }
}

/// Whether a line says nothing.
fn is_blank(line: &[u8]) -> bool {
    line.strip_prefix(BYTE_ORDER_MARK)
        .unwrap_or(line)
        .trim_ascii()
        .is_empty()
}

/// Memory to work in, kept from line to line.
#[derive(Default)]
struct Room {
    bytes: Vec<u8>,
    line: Vec<u8>,
    stamp: ShownStamp,
}

/// The entry of a line and its hash; none if the line is not what an export writes for its bytes.
fn entry_of_line(line: &[u8], room: &mut Room) -> Option<(Entry, Hash)> {
    let line = line.strip_suffix(br#""}"#)?;
    let (readable, text) = line.split_at_checked(memrchr(b'"', line)? + 1)?;
    let readable = readable.strip_suffix(br#"","bytes":""#)?;
    decode_base64(text, &mut room.bytes)?;
    let entry = Entry::decode(&room.bytes).ok()?;
    room.line.clear();
    let hash = line_at(&entry, &room.bytes, false, &mut room.stamp, &mut room.line);
    let is_same = room.line.strip_suffix(b"\"}\n") == Some(readable);
    is_same.then_some((entry, hash))
}

/// Decodes base64 that is written in the one form that its bytes have. With padding a decoder
/// also takes forms in several pieces, so it is taken off first.
fn decode_base64(text: &[u8], into: &mut Vec<u8>) -> Option<()> {
    let padding = text.iter().rev().take_while(|byte| **byte == b'=').count();
    let bare = &text[..text.len() - padding];
    if bare.len().next_multiple_of(4) != text.len() {
        return None;
    }
    into.resize(BASE64_NOPAD.decode_len(bare.len()).ok()?, 0);
    BASE64_NOPAD.decode_mut(bare, into).ok()?;
    Some(())
}

#[cfg(test)]
mod length_tests;
#[cfg(test)]
mod tests;
