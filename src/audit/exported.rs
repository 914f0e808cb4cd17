//! The lines of an export, read back into entries on all cores.
//!
//! A line has one form: what `line_of` writes for the entry that the line's bytes are. So the bytes
//! are taken from where that form has them, and the rest of the line must be what they say. Only a
//! line that fails is read as JSON, to find out what to tell about it.

use std::io::{BufRead, Read as _};

use data_encoding::{BASE64, BASE64_NOPAD};
use memchr::{memchr, memchr_iter, memrchr};
use serde::Deserialize;

use super::{AuditFault, line_of};
use crate::domain::entry::{ENTRY_BYTES_MAX, Entry, Hash};
use crate::journal::pipeline::{self, Entries, Part};

/// Bytes of lines that one thread decodes at a time.
const PART_BYTES: u64 = 32 << 10;
/// Most lines are about a booking, and have more.
const LINE_BYTES: usize = 512;
/// No line is longer, by far: a line has at most 30 times the bytes of its entry. Rows of a few
/// bytes grow most when they are shown in words.
const LINE_BYTES_MAX: u64 = 64 * ENTRY_BYTES_MAX as u64;

/// Hands the entries of an export to `take`, in order. What is wrong with a line is told after
/// every line before it was taken.
pub(super) fn read(
    source: impl BufRead + Send,
    take: impl FnMut(&Entries) -> Result<(), AuditFault> + Send,
) -> Result<(), AuditFault> {
    pipeline::run(|look| read_parts(source, look), decode_lines, take)
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

fn decode_lines(part: &Part, into: &mut Entries) -> Result<(), AuditFault> {
    into.reserve(part.bytes.len() / LINE_BYTES);
    let mut room = Room::default();
    let (mut rest, mut number) = (part.bytes.as_slice(), part.first);
    while !rest.is_empty() {
        let end = memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
        let (line, behind) = rest.split_at(end);
        let text = line.strip_suffix(b"\n").map_or(line, |line| {
            // An export that went through another system can have its line ends.
            line.strip_suffix(b"\r").unwrap_or(line)
        });
        let entry = entry_of_line(text, &mut room).ok_or_else(|| AuditFault::Line {
            line: number,
            what: fault_of_line(text),
        })?;
        into.push(entry);
        (rest, number) = (behind, number + 1);
    }
    Ok(())
}

/// Memory to work in, kept from line to line.
#[derive(Default)]
struct Room {
    bytes: Vec<u8>,
    line: Vec<u8>,
}

/// The entry of a line and its hash; none if the line is not what an export writes for its bytes.
fn entry_of_line(line: &[u8], room: &mut Room) -> Option<(Entry, Hash)> {
    let line = line.strip_suffix(br#""}"#)?;
    let (readable, text) = line.split_at_checked(memrchr(b'"', line)? + 1)?;
    let readable = readable.strip_suffix(br#"","bytes":""#)?;
    decode_base64(text, &mut room.bytes)?;
    let entry = Entry::decode(&room.bytes).ok()?;
    room.line.clear();
    let hash = line_of(&entry, &room.bytes, false, &mut room.line);
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

/// What is read of a line that is wrong.
#[derive(Deserialize)]
struct Exported {
    bytes: String,
}

/// Whether it is a line of the daily log, which has the same fields without the bytes.
fn is_logged(line: &str) -> bool {
    let logged = serde_json::from_str::<serde_json::Value>(line);
    let has = |line: &serde_json::Value, name| line.get(name).is_some();
    logged.is_ok_and(|line| {
        ["seq", "previous", "hash"]
            .iter()
            .all(|name| has(&line, name))
    })
}

/// What is wrong with a line that is not what an export writes.
fn fault_of_line(line: &[u8]) -> String {
    let Ok(line) = str::from_utf8(line) else {
        return "stream did not contain valid UTF-8".to_owned();
    };
    let exported: Exported = match serde_json::from_str(line) {
        Ok(exported) => exported,
        Err(_) if is_logged(line) => {
            return "has no `bytes`: it is of a day's file of the log, which is for reading; what \
                    can be checked is printed by `sumun audit export`"
                .to_owned();
        }
        Err(error) => return error.to_string(),
    };
    let Ok(bytes) = BASE64.decode(exported.bytes.as_bytes()) else {
        return "has no `bytes` in base64".to_owned();
    };
    match Entry::decode(&bytes) {
        Err(fault) => format!("the entry {fault}"),
        // By its line: the sequence in the bytes may be what was changed.
        Ok(_) => "the readable form is not what the bytes say".to_owned(),
    }
}

#[cfg(test)]
mod length_tests;
#[cfg(test)]
mod tests;
