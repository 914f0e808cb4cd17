//! Secrets that the service manager hands over as files of a folder that only this process reads.

use std::path::{Path, PathBuf};

/// `keys.json`: the secrets of the data folder.
pub const KEYS: &str = "keys.json";
/// `server.pem`: the chain of certificates.
pub const CERTIFICATE: &str = "server.pem";
/// `server.key`: the private key of the certificate.
pub const CERTIFICATE_KEY: &str = "server.key";
/// `copies.key`: what opens sealed copies, for the drill.
pub const COPIES_KEY: &str = "copies.key";

/// The file of a credential; none if it was not handed over.
pub fn credential(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("CREDENTIALS_DIRECTORY")?;
    let path = Path::new(&folder).join(name);
    path.exists().then_some(path)
}
