//! Signed notes (C2SP signed-note): a text, and lines with the signatures of named keys.
//!
//! A signature counts only for a key that its reader knows by name and key; all others are passed
//! over. Nothing here holds a secret: who signs is handed in.

use std::fmt;
use std::str::FromStr;

use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};

use crate::crypto::{Sha256, is_signed};

/// The longest note that is read: sixteen signatures of any kind fit several times.
pub const NOTE_BYTES_MAX: usize = 256 << 10;
const SIGNATURES_MAX: usize = 64;
const SIGNATURE_BEGINS: &str = "\u{2014} ";

/// What a key signs; the byte that stands for it in key ids and verifier keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Ed25519 over the text.
    Ed25519 = 1,
    /// Ed25519 over a time and the text: a witness's cosignature.
    Cosignature = 4,
}

/// A public key and the name under which it signs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifierKey {
    name: String,
    pub kind: Kind,
    pub key: [u8; 32],
}

/// Why a text is no note, or a note not signed as is wanted.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NoteFault {
    #[error("is no signed note: {0}")]
    Form(&'static str),
    #[error("is not signed by {0}")]
    NotSigned(String),
    #[error("has a signature of {0} that does not fit it: it was changed")]
    Signature(String),
    #[error("is no key: it looks like `name+0123abcd+base64`, and {0}")]
    Key(&'static str),
}

/// Whether a key may have this name.
pub fn is_key_name(name: &str) -> bool {
    let forbidden = |letter: char| letter.is_whitespace() || letter.is_control() || letter == '+';
    !name.is_empty() && !name.contains(forbidden)
}

impl VerifierKey {
    /// # Errors
    /// When no key may have that name.
    pub fn new(name: &str, kind: Kind, key: [u8; 32]) -> Result<Self, NoteFault> {
        if !is_key_name(name) {
            return Err(NoteFault::Key("a name has no spaces and no +"));
        }
        let name = name.to_owned();
        Ok(Self { name, kind, key })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// The four bytes that stand for the key beside its name.
    pub fn id(&self) -> [u8; 4] {
        let mut context = Sha256::default();
        context.update(self.name.as_bytes());
        context.update(&[b'\n', self.kind as u8]);
        context.update(&self.key);
        let [first, second, third, fourth, ..] = context.finish();
        [first, second, third, fourth]
    }

    /// The line of a signature by this key.
    pub fn signature(&self, bytes: &[u8]) -> Signature {
        Signature {
            name: self.name.clone(),
            id: self.id(),
            bytes: bytes.to_vec(),
        }
    }
}

/// As the text that is handed on (a "vkey").
impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = u32::from_be_bytes(self.id());
        let mut key = vec![self.kind as u8];
        key.extend_from_slice(&self.key);
        write!(f, "{}+{id:08x}+{}", self.name, BASE64.encode(&key))
    }
}

impl FromStr for VerifierKey {
    type Err = NoteFault;

    fn from_str(text: &str) -> Result<Self, NoteFault> {
        let mut parts = text.trim().splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoteFault::Key("it has three parts"));
        };
        let bytes = BASE64.decode(key.as_bytes());
        let bytes = bytes.map_err(|_| NoteFault::Key("its third part is base64"))?;
        let kind = match bytes.first() {
            Some(1) => Kind::Ed25519,
            Some(4) => Kind::Cosignature,
            _ => return Err(NoteFault::Key("this program knows Ed25519 alone")),
        };
        let key = bytes[1..].try_into();
        let key = key.map_err(|_| NoteFault::Key("an Ed25519 key has 32 bytes"))?;
        let read = Self::new(name, kind, key)?;
        let id = HEXLOWER_PERMISSIVE.decode(id.as_bytes());
        if id.is_ok_and(|id| id == read.id()) {
            Ok(read)
        } else {
            Err(NoteFault::Key(
                "its second part does not fit the others: it was changed",
            ))
        }
    }
}

/// One line of a note.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signature {
    pub name: String,
    pub id: [u8; 4],
    pub bytes: Vec<u8>,
}

impl Signature {
    pub fn is_by(&self, key: &VerifierKey) -> bool {
        self.name == key.name && self.id == key.id()
    }

    fn parse(line: &str) -> Option<Self> {
        let (name, text) = line.strip_prefix(SIGNATURE_BEGINS)?.split_once(' ')?;
        let bytes = BASE64.decode(text.as_bytes()).ok()?;
        let (id, bytes) = bytes.split_first_chunk()?;
        let is_one = is_key_name(name) && !bytes.is_empty();
        is_one.then(|| Self {
            name: name.to_owned(),
            id: *id,
            bytes: bytes.to_vec(),
        })
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [self.id.as_slice(), &self.bytes].concat();
        writeln!(
            f,
            "{SIGNATURE_BEGINS}{} {}",
            self.name,
            BASE64.encode(&bytes)
        )
    }
}

/// A text with its signatures.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Note {
    /// With its final line feed.
    pub text: String,
    pub signatures: Vec<Signature>,
}

impl Note {
    /// The signatures by a key; those of Ed25519 are checked.
    ///
    /// # Errors
    /// When there is none, or one does not fit.
    pub fn check(&self, key: &VerifierKey) -> Result<(), NoteFault> {
        let mut theirs = self
            .signatures
            .iter()
            .filter(|found| found.is_by(key))
            .peekable();
        if theirs.peek().is_none() {
            return Err(NoteFault::NotSigned(key.name.clone()));
        }
        let fits = |signature: &Signature| {
            let bytes = signature.bytes.as_slice().try_into();
            bytes.is_ok_and(|bytes| is_signed(&key.key, self.text.as_bytes(), bytes))
        };
        if theirs.all(fits) {
            Ok(())
        } else {
            Err(NoteFault::Signature(key.name.clone()))
        }
    }
}

impl FromStr for Note {
    type Err = NoteFault;

    fn from_str(note: &str) -> Result<Self, NoteFault> {
        let fault = |what| Err(NoteFault::Form(what));
        if note.len() > NOTE_BYTES_MAX {
            return fault("it is longer than any");
        }
        if note.contains(|letter: char| letter < ' ' && letter != '\n') {
            return fault("it has characters that no note has");
        }
        let Some(end) = note.rfind("\n\n") else {
            return fault("no empty line stands before signatures");
        };
        let (text, lines) = (&note[..end + 1], &note[end + 2..]);
        let Some(lines) = lines.strip_suffix('\n') else {
            return fault("its last line is cut short, or it has no signature");
        };
        let signatures: Option<Vec<_>> = lines.split('\n').map(Signature::parse).collect();
        match signatures {
            None => fault("a line behind the text is no signature"),
            Some(all) if all.len() > SIGNATURES_MAX => fault("it has more signatures than any"),
            Some(signatures) => Ok(Self {
                text: text.to_owned(),
                signatures,
            }),
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures
            .iter()
            .try_for_each(|line| write!(f, "{line}"))
    }
}
