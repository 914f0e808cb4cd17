//! The certificates of a data folder: made, renewed, asked for.
//!
//! A key is written before the certificate that belongs to it, each under another name first and
//! then renamed, so a server that reads them in between finds an old file or a whole new one. A
//! server takes a pair only when both belong together.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, fchown};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::folder::Folder;
use crate::clock::wall;
use crate::config::Config;
use crate::tls::authority::{self, AuthorityFault, Name};
use crate::tls::pair::read_key;
use crate::tls::{Described, Files, PairFault, SigningKey, read_chain};

/// Why certificates stayed as they were.
#[derive(Debug, thiserror::Error)]
pub enum CertificatesFault {
    #[error(transparent)]
    Pair(#[from] PairFault),
    #[error(transparent)]
    Authority(#[from] AuthorityFault),
    #[error(
        "{} was signed by \"{issuer}\", not by this folder's authority: ask that authority for a \
         new one with `sumun certs request`, or move the file away to go over to this folder's",
        path.display()
    )]
    OfAnother { path: PathBuf, issuer: String },
    #[error(
        "{} is missing, so this folder's authority can't sign: put it back, or move {} away as \
         well, and a new authority is made, which clients have to be told of",
        missing.display(),
        other.display()
    )]
    HalfAuthority { missing: PathBuf, other: PathBuf },
    #[error("{} exists already: move it away, or name another file", path.display())]
    Exists { path: PathBuf },
    #[error("can't write {}: {why}", path.display())]
    Unwritten { path: PathBuf, why: std::io::Error },
}

/// What was asked for, or made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// The certificate signing request, PKCS #10 in PEM.
    pub pem: String,
    /// The key that it is for.
    pub key: PathBuf,
    pub names: Vec<Name>,
}

/// Where the server's pair lies.
pub fn files(folder: &Folder, config: &Config) -> Files {
    folder.certificate_files(config)
}

/// Makes the authority and the server's certificate of a new folder; leaves a certificate alone
/// that somebody put there before.
///
/// # Errors
/// When a file can't be written.
pub fn found(folder: &Folder, names: &[Name]) -> Result<(), CertificatesFault> {
    let files = Files {
        certificate: folder.certificate(),
        key: folder.certificate_key(),
    };
    if files.certificate.exists() {
        return Ok(());
    }
    issue(folder, &files, &authority::with_loopback(names), false)
}

/// Issues a new server certificate from the folder's authority, in place of the present one: for
/// the present key, or with `new_key` for a new one. Without names, those of the present
/// certificate stay. A folder whose certificate signed itself gets an authority.
///
/// # Errors
/// When another authority signed the present certificate, or a file can't be read or written.
pub fn renew(
    folder: &Folder,
    files: &Files,
    names: &[Name],
    new_key: bool,
) -> Result<Described, CertificatesFault> {
    let present = match read_chain(&files.certificate) {
        Ok(chain) => Described::of(&chain[0]),
        Err(PairFault::CertificateUnread { why, .. })
            if why.kind() == std::io::ErrorKind::NotFound =>
        {
            None
        }
        Err(fault) => return Err(fault.into()),
    };
    let own = read_chain(&folder.authority().certificate).ok();
    let own = own.and_then(|chain| Described::of(&chain[0]));
    if let Some(present) = present.as_ref().filter(|present| !present.is_self_signed)
        && own.is_none_or(|own| own.subject != present.issuer)
    {
        return Err(CertificatesFault::OfAnother {
            path: files.certificate.clone(),
            issuer: present.issuer.clone(),
        });
    }
    let names = match (names, &present) {
        ([], Some(present)) => {
            let kept = present.names.iter().map(|name| Name::parse(name));
            kept.collect::<Result<Vec<_>, _>>()?
        }
        (names, _) => names.to_vec(),
    };
    let new_key = new_key || !files.key.exists();
    issue(folder, files, &authority::with_loopback(&names), new_key)?;
    let chain = read_chain(&files.certificate)?;
    Described::of(&chain[0]).ok_or_else(|| {
        let (path, at) = (files.certificate.clone(), 1);
        PairFault::NotX509 { path, at }.into()
    })
}

/// A request for a certificate of another authority: for the present key, so that later one file
/// alone has to be replaced; or with `new_key` for a new key, which is written beside the present
/// one with `.new` behind its name.
///
/// # Errors
/// When the key can't be read or written.
pub fn request(
    files: &Files,
    names: Vec<Name>,
    new_key: bool,
) -> Result<Request, CertificatesFault> {
    let mut key = files.key.clone();
    if new_key {
        key = with_end(&files.key, ".new");
        write_new_key(&key, &files.key)?;
    }
    let pem = authority::request(&names, read_key(&key)?)?;
    Ok(Request { pem, key, names })
}

fn issue(
    folder: &Folder,
    files: &Files,
    names: &[Name],
    new_key: bool,
) -> Result<(), CertificatesFault> {
    let (authority_chain, authority_key) = own_authority(folder)?;
    let fresh = with_end(&files.key, ".part");
    let makes_key = new_key || !files.key.exists();
    let key = if makes_key {
        let _ = fs::remove_file(&fresh);
        write_new_key(&fresh, &files.key)?;
        read_key(&fresh)?
    } else {
        read_key(&files.key)?
    };
    let own = authority::issue(names, key, &authority_chain.0, authority_key, wall())?;
    let chain = own + &authority_chain.1;
    let part = with_end(&files.certificate, ".part");
    let _ = fs::remove_file(&part);
    write(&part, 0o644, chain.as_bytes(), &files.certificate)?;
    if makes_key {
        rename(&fresh, &files.key)?;
    }
    rename(&part, &files.certificate)
}

/// An authority's certificate, parsed and as PEM, and its key.
type Authority = (
    (rustls_pki_types::CertificateDer<'static>, String),
    Arc<dyn SigningKey>,
);

/// The folder's authority; made if there is none.
fn own_authority(folder: &Folder) -> Result<Authority, CertificatesFault> {
    let files = folder.authority();
    let halves = [
        (&files.certificate, &files.key),
        (&files.key, &files.certificate),
    ];
    if let Some((missing, other)) = halves.into_iter().find(|(a, b)| !a.exists() && b.exists()) {
        return Err(CertificatesFault::HalfAuthority {
            missing: missing.clone(),
            other: other.clone(),
        });
    }
    if !files.key.exists() {
        write_new_key(&files.key, folder.path())?;
        let made = authority::authority(read_key(&files.key)?, wall());
        let written = made
            .map_err(CertificatesFault::from)
            .and_then(|pem| write(&files.certificate, 0o644, pem.as_bytes(), folder.path()));
        if let Err(fault) = written {
            // Half an authority is of no use.
            let _ = fs::remove_file(&files.key);
            return Err(fault);
        }
    }
    let pair = crate::tls::Pair::read(&files, wall())?;
    let pem =
        fs::read_to_string(&files.certificate).map_err(|why| PairFault::CertificateUnread {
            path: files.certificate.clone(),
            why,
        })?;
    Ok((
        (pair.certified.cert[0].clone(), pem),
        Arc::clone(&pair.certified.key),
    ))
}

fn write_new_key(path: &Path, owned_as: &Path) -> Result<(), CertificatesFault> {
    write(path, 0o600, authority::new_key()?.as_bytes(), owned_as)
}

/// Writes a file that must not exist yet, durably. It belongs to whom the file or folder `owned_as`
/// belongs, if that exists and this account may give files away: root renews for the server's user.
fn write(path: &Path, mode: u32, bytes: &[u8], owned_as: &Path) -> Result<(), CertificatesFault> {
    if path.exists() {
        let path = path.to_path_buf();
        return Err(CertificatesFault::Exists { path });
    }
    let write = || {
        let mut options = fs::OpenOptions::new();
        let mut file = options.write(true).create_new(true).mode(mode).open(path)?;
        if let Ok(owner) = fs::metadata(owned_as).or_else(|_| fs::metadata(parent(owned_as))) {
            let _ = fchown(&file, Some(owner.uid()), Some(owner.gid()));
        }
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|why| CertificatesFault::Unwritten {
        path: path.to_path_buf(),
        why,
    })
}

/// Writes a request to a file that must not exist yet.
///
/// # Errors
/// When it exists, or can't be written.
pub fn write_request(path: &Path, request: &Request) -> Result<(), CertificatesFault> {
    write(path, 0o644, request.pem.as_bytes(), parent(path))
}

fn rename(from: &Path, to: &Path) -> Result<(), CertificatesFault> {
    let renamed = fs::rename(from, to).and_then(|()| fs::File::open(parent(to))?.sync_all());
    renamed.map_err(|why| CertificatesFault::Unwritten {
        path: to.to_path_buf(),
        why,
    })
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}
