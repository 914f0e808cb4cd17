//! Sealing copies, in the age format (C2SP): to X25519 keys of people who are not on this host, or
//! with a passphrase. Whoever has this host, or the folder of copies, can open none of them.

use std::fs;
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use age::secrecy::{ExposeSecret as _, SecretString};
use age::{Decryptor, Encryptor, Identity, Recipient};

/// Why something can't be sealed or opened. Never holds a part of a secret.
#[derive(Debug, thiserror::Error)]
pub enum SealFault {
    #[error("{}: {cause}", .path.display())]
    File { path: PathBuf, cause: io::Error },
    #[error("{0}")]
    Key(String),
    #[error(
        "{} is sealed: give the file of the secret key with --identity, or of the passphrase with \
         --passphrase-file",
        .0.display()
    )]
    Sealed(PathBuf),
    #[error("{} can't be opened with what was given: {why}", .path.display())]
    Unopened { path: PathBuf, why: String },
}

impl SealFault {
    fn at(path: &Path) -> impl Fn(io::Error) -> Self + use<> {
        let path = path.to_path_buf();
        move |cause| Self::File {
            path: path.clone(),
            cause,
        }
    }
}

/// For whom a copy is sealed; for nobody if there is no key and no passphrase.
#[derive(Default)]
pub struct Recipients {
    keys: Vec<age::x25519::Recipient>,
    passphrase: Option<SecretString>,
}

/// Seals what is written to it; `finish` ends it.
pub type Sealing<W> = age::stream::StreamWriter<W>;

/// What opens sealed copies.
#[derive(Default)]
pub struct Identities(Vec<Box<dyn Identity + Send + Sync>>);

/// A file of keys or with a passphrase is a few lines long.
const KEY_FILE_BYTES_MAX: u64 = 1 << 20;

impl Recipients {
    /// Reads recipients: `age1…`, or the name of a file with one in each line.
    pub fn read(recipients: &[String], passphrase_file: Option<&Path>) -> Result<Self, SealFault> {
        let mut keys = Vec::new();
        for recipient in recipients {
            if recipient.starts_with("age1") {
                keys.push(key(recipient)?);
                continue;
            }
            if recipient.to_ascii_uppercase().starts_with("AGE-SECRET-KEY") {
                let why = "that is a secret key and no recipient, and the history of this shell \
                           has it now: make a new one (`sumun keys recipient FILE`) and name its \
                           recipient (age1…)";
                return Err(SealFault::Key(why.to_owned()));
            }
            let path = Path::new(recipient);
            let text = read_text(path)?;
            let before = keys.len();
            for (at, line) in text.lines().map(str::trim).enumerate() {
                if line.is_empty() || line.starts_with('#') {
                    continue;
                }
                // The line may be a secret: it is not told.
                keys.push(key(line).map_err(|_| {
                    let (path, line) = (path.display(), at + 1);
                    SealFault::Key(format!("{path}, line {line}: that is no recipient (age1…)"))
                })?);
            }
            if keys.len() == before {
                let why = format!("{} names no recipient (age1…)", path.display());
                return Err(SealFault::Key(why));
            }
        }
        let passphrase = passphrase_file.map(read_passphrase).transpose()?;
        if passphrase.is_some() && !keys.is_empty() {
            let why = "a copy is sealed to keys or with a passphrase, not both".to_owned();
            return Err(SealFault::Key(why));
        }
        Ok(Self { keys, passphrase })
    }

    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.passphrase.is_none()
    }

    pub fn has_passphrase(&self) -> bool {
        self.passphrase.is_some()
    }

    /// What is written to it is sealed, and goes to `into`.
    pub fn seal<W: Write>(&self, into: W) -> io::Result<Sealing<W>> {
        let encryptor = match &self.passphrase {
            Some(passphrase) => Encryptor::with_user_passphrase(passphrase.clone()),
            None => {
                let keys = self.keys.iter().map(|key| key as &dyn Recipient);
                Encryptor::with_recipients(keys).map_err(io::Error::other)?
            }
        };
        encryptor.wrap_output(into)
    }
}

impl Identities {
    /// Reads files of secret keys (`AGE-SECRET-KEY-1…` in a line), and one with a passphrase.
    pub fn read(files: &[&Path], passphrase_file: Option<&Path>) -> Result<Self, SealFault> {
        let mut all: Vec<Box<dyn Identity + Send + Sync>> = Vec::new();
        for path in files {
            let text = read_text(path)?;
            let lines = text.lines().map(str::trim);
            let mut found = false;
            for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
                // The line may be a secret: it is not told.
                let identity = age::x25519::Identity::from_str(line).map_err(|_| {
                    let why = "a line of it is no secret key (AGE-SECRET-KEY-1…)";
                    SealFault::Key(format!("{}: {why}", path.display()))
                })?;
                all.push(Box::new(identity));
                found = true;
            }
            if !found {
                let why = format!("{} has no secret key in it", path.display());
                return Err(SealFault::Key(why));
            }
        }
        if let Some(path) = passphrase_file {
            let passphrase = read_passphrase(path)?;
            all.push(Box::new(age::scrypt::Identity::new(passphrase)));
        }
        Ok(Self(all))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is read from it is what was sealed.
    pub fn open<'a, R: Read + 'a>(
        &self,
        from: R,
        path: &Path,
    ) -> Result<Box<dyn Read + 'a>, SealFault> {
        if self.is_empty() {
            return Err(SealFault::Sealed(path.to_path_buf()));
        }
        let unopened = |error: age::DecryptError| SealFault::Unopened {
            path: path.to_path_buf(),
            why: error.to_string(),
        };
        let decryptor = Decryptor::new_buffered(BufReader::new(from)).map_err(unopened)?;
        let identities = self.0.iter().map(|identity| &**identity as &dyn Identity);
        Ok(Box::new(decryptor.decrypt(identities).map_err(unopened)?))
    }
}

/// A new secret key, as the text of its file, and its recipient.
pub fn new_identity() -> (String, String) {
    let identity = age::x25519::Identity::generate();
    let recipient = identity.to_public().to_string();
    let text = format!(
        "# recipient: {recipient}\n{}\n",
        identity.to_string().expose_secret()
    );
    (text, recipient)
}

fn key(text: &str) -> Result<age::x25519::Recipient, SealFault> {
    age::x25519::Recipient::from_str(text)
        .map_err(|why| SealFault::Key(format!("{text} is no recipient (age1…): {why}")))
}

fn read_text(path: &Path) -> Result<String, SealFault> {
    let fault = SealFault::at(path);
    let file = fs::File::open(path).map_err(&fault)?;
    let mut text = String::new();
    let read = file.take(KEY_FILE_BYTES_MAX).read_to_string(&mut text);
    read.map_err(&fault)?;
    Ok(text)
}

fn read_passphrase(path: &Path) -> Result<SecretString, SealFault> {
    let text = read_text(path)?;
    let passphrase = text.trim_end_matches(['\r', '\n']);
    if passphrase.chars().count() < PASSPHRASE_CHARS_MIN {
        let why = format!(
            "{}: a passphrase has at least {PASSPHRASE_CHARS_MIN} characters",
            path.display()
        );
        return Err(SealFault::Key(why));
    }
    Ok(SecretString::from(passphrase.to_owned()))
}

/// Six words of a list of 7,776 have 77 bits; scrypt makes each guess cost a second.
const PASSPHRASE_CHARS_MIN: usize = 16;
