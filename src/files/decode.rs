//! From the bytes of a file to UTF-8 with a known delimiter.
//!
//! Owns recognising how a file is written: a spreadsheet, or text in UTF-8, UTF-16 or CP949, with
//! commas, semicolons or tabs. CP949 is never guessed: many of its files are UTF-8 too. Bytes that
//! are no text become `NO_TEXT` each, so that they are told where they stand.

use std::io::{self, Cursor, Read};

use encoding_rs::{Decoder, DecoderResult, EUC_KR, UTF_16BE, UTF_16LE};
use serde::{Deserialize, Serialize};

use super::field::FieldFault;
use super::header::{Column, known_names};
use super::report::Reason;
use super::workbook;

/// A byte that no UTF-8 has: it stands for what could not be decoded.
pub(super) const NO_TEXT: u8 = 0xff;
/// As much of a file is looked at to recognise how it is written.
const HEAD_BYTES: u64 = 64 * 1024;
const PIECE_BYTES: usize = 64 * 1024;

/// How the operator says that a file is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum Encoding {
    /// By its mark, or as UTF-8.
    #[default]
    #[serde(rename = "auto")]
    Auto,
    #[serde(rename = "utf-8")]
    Utf8,
    /// As Windows writes Korean: EUC-KR and its extension.
    #[serde(rename = "cp949")]
    Cp949,
    #[serde(rename = "utf-16")]
    Utf16,
}

/// How a file was found to be written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Written {
    Utf8,
    Cp949,
    Utf16,
    Workbook,
}

impl Written {
    /// What a person reads of bytes that are not text.
    pub(super) fn fault(self, at: usize, byte: u8) -> FieldFault {
        let detail = match self {
            Self::Utf8 => format!(
                "byte {} of the field is 0x{byte:02X}, which is not UTF-8: a CSV file that Excel \
                 saved in Korea is in CP949, so import it with --encoding cp949, or save it in \
                 Excel as “CSV UTF-8” or as .xlsx",
                at + 1
            ),
            Self::Cp949 => format!(
                "byte {} of the field begins something that is not CP949: leave --encoding out, \
                 or save the file in Excel as “CSV UTF-8” or as .xlsx",
                at + 1
            ),
            Self::Utf16 | Self::Workbook => {
                "the field is not whole: save the file again as “CSV UTF-8” or as .xlsx".to_owned()
            }
        };
        (Reason::Encoding, detail)
    }
}

/// A file as UTF-8.
pub(super) struct Opened<'a> {
    pub(super) text: Box<dyn Read + Send + 'a>,
    pub(super) written: Written,
    pub(super) delimiter: u8,
}

/// Recognises how a file is written.
///
/// # Errors
/// A file that can't be read as this program reads files, with what to do.
pub(super) fn open<'a>(
    mut source: impl Read + Send + 'a,
    asked: Encoding,
    columns: &[Column],
) -> Result<Opened<'a>, FieldFault> {
    let mut head = Vec::new();
    let read = (&mut source).take(HEAD_BYTES).read_to_end(&mut head);
    read.map_err(unreadable)?;
    if head.starts_with(b"PK\x03\x04") {
        let csv = workbook::to_csv(Cursor::new(head).chain(source))?;
        return Ok(Opened {
            text: Box::new(Cursor::new(csv)),
            written: Written::Workbook,
            delimiter: b',',
        });
    }
    if head.starts_with(b"\xd0\xcf\x11\xe0") {
        let detail = "is an old Excel file (.xls) or has a password: save it without one, as .xlsx \
                      or as “CSV UTF-8”";
        return Err((Reason::Unreadable, detail.into()));
    }
    let (written, decoder) = recognised(&head, asked)?;
    let (mut start, rest): (_, Box<dyn Read + Send + 'a>) = match decoder {
        None => {
            let mark = if head.starts_with(UTF_8_MARK) { 3 } else { 0 };
            head.drain(..mark);
            (head, Box::new(source))
        }
        Some(decoder) => {
            let mut rest = Decoded::new(Cursor::new(head).chain(source), decoder);
            let mut start = Vec::new();
            let read = (&mut rest).take(HEAD_BYTES).read_to_end(&mut start);
            read.map_err(unreadable)?;
            (start, Box::new(rest))
        }
    };
    let delimiter = delimiter(&mut start, columns)?;
    Ok(Opened {
        text: Box::new(Cursor::new(start).chain(rest)),
        written,
        delimiter,
    })
}

fn unreadable(fault: io::Error) -> FieldFault {
    let detail = format!("the file cannot be read: {fault}");
    (Reason::Unreadable, detail)
}

const UTF_8_MARK: &[u8] = b"\xef\xbb\xbf";

/// How a file with this head is written, and what decodes it; UTF-8 needs nothing.
fn recognised(head: &[u8], asked: Encoding) -> Result<(Written, Option<Decoder>), FieldFault> {
    let utf_16 = utf_16(head);
    let is_marked_utf_8 = head.starts_with(UTF_8_MARK);
    let wrong = |is: &str| {
        let detail = format!("the file is in {is}: leave --encoding out, it is recognised");
        Err((Reason::Encoding, detail))
    };
    match (asked, utf_16) {
        (Encoding::Auto | Encoding::Utf16, Some(decoder)) => Ok((Written::Utf16, Some(decoder))),
        (Encoding::Utf8 | Encoding::Cp949, Some(_)) => wrong("UTF-16"),
        (Encoding::Utf16 | Encoding::Cp949, None) if is_marked_utf_8 => wrong("UTF-8"),
        (Encoding::Utf16, None) => Err((
            Reason::Encoding,
            "the file is not in UTF-16: leave --encoding out, or say cp949 if Excel saved it in \
             Korea"
                .into(),
        )),
        (Encoding::Auto | Encoding::Utf8, None) => Ok((Written::Utf8, None)),
        (Encoding::Cp949, None) => {
            let decoder = EUC_KR.new_decoder_without_bom_handling();
            Ok((Written::Cp949, Some(decoder)))
        }
    }
}

/// What decodes a file in UTF-16, by its mark, or by its zeros: a header has some delimiters and
/// digits at least, and of each one byte is plain and the other zero, always the same.
fn utf_16(head: &[u8]) -> Option<Decoder> {
    const LOOKED_AT_BYTES: usize = 512;
    let (little, big) = (
        UTF_16LE.new_decoder_with_bom_removal(),
        UTF_16BE.new_decoder_with_bom_removal(),
    );
    if head.starts_with(b"\xff\xfe") {
        return Some(little);
    }
    if head.starts_with(b"\xfe\xff") {
        return Some(big);
    }
    let pairs = head[..head.len().min(LOOKED_AT_BYTES)].as_chunks::<2>().0;
    let is_plain = |byte: u8| matches!(byte, b'\t' | b'\r' | b'\n' | b' '..=b'~');
    let count = |zero: usize| {
        let of = |pair: &&[u8; 2]| pair[zero] == 0 && is_plain(pair[1 - zero]);
        pairs.iter().filter(of).count()
    };
    let (in_little, in_big) = (count(1), count(0));
    let most = in_little.max(in_big);
    if most < 2 || most * 16 < pairs.len() {
        return None;
    }
    Some(if in_little > in_big { little } else { big })
}

/// The delimiter that a `sep=` line names, or else the one that makes the first line the header.
/// The text of a `sep=` line is taken away; its line stays and counts.
fn delimiter(start: &mut Vec<u8>, columns: &[Column]) -> Result<u8, FieldFault> {
    const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];
    let is_end = |byte: &u8| matches!(byte, b'\n' | b'\r');
    let begin = start.iter().position(|byte| !is_end(byte)).unwrap_or(0);
    let length = start[begin..].iter().position(is_end);
    let end = length.map_or(start.len(), |length| begin + length);
    let line = &start[begin..end];
    let bare = line.strip_prefix(b"\"").unwrap_or(line);
    if let Some((b"sep=" | b"SEP=" | b"Sep=", rest)) = bare.split_at_checked(4) {
        let told = rest.first().copied().unwrap_or_default();
        if !DELIMITERS.contains(&told) {
            let detail = "the `sep=` line names a delimiter that is not read: use a comma, a \
                          semicolon or a tab";
            return Err((Reason::NoHeader, detail.into()));
        }
        start.drain(begin..end);
        return Ok(told);
    }
    let known = |delimiter: &u8| known_names(line, *delimiter, columns);
    // Of several that are as good, the comma.
    let best = DELIMITERS
        .iter()
        .rev()
        .max_by_key(|delimiter| known(delimiter));
    Ok(*best.unwrap_or(&b','))
}

/// Decodes as it is read.
struct Decoded<R> {
    source: R,
    decoder: Decoder,
    raw: Vec<u8>,
    raw_from: usize,
    text: Vec<u8>,
    text_from: usize,
    /// The source has ended.
    ended: bool,
    /// The decoder has given all that it had.
    finished: bool,
}

impl<R: Read> Decoded<R> {
    fn new(source: R, decoder: Decoder) -> Self {
        Self {
            source,
            decoder,
            raw: Vec::new(),
            raw_from: 0,
            text: Vec::new(),
            text_from: 0,
            ended: false,
            finished: false,
        }
    }

    /// Decodes the next piece into `text`.
    fn advance(&mut self) -> io::Result<()> {
        if self.raw_from == self.raw.len() && !self.ended {
            self.raw.resize(PIECE_BYTES, 0);
            let length = self.source.read(&mut self.raw)?;
            self.raw.truncate(length);
            self.raw_from = 0;
            self.ended = length == 0;
        }
        self.text.resize(PIECE_BYTES, 0);
        let (outcome, read, written) = self.decoder.decode_to_utf8_without_replacement(
            &self.raw[self.raw_from..],
            // Room for the byte that stands for what can't be decoded.
            &mut self.text[..PIECE_BYTES - 1],
            self.ended,
        );
        self.raw_from += read;
        self.text.truncate(written);
        self.text_from = 0;
        match outcome {
            DecoderResult::Malformed(..) => self.text.push(NO_TEXT),
            DecoderResult::InputEmpty => self.finished = self.ended,
            DecoderResult::OutputFull => {}
        }
        Ok(())
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.text_from == self.text.len() && !self.finished {
            self.advance()?;
        }
        let length = (&self.text[self.text_from..]).read(buffer)?;
        self.text_from += length;
        Ok(length)
    }
}
