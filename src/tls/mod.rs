//! HTTPS: rustls with ring, certificates that are checked before they are used, and that can be
//! replaced while serving.
//!
//! `pair` reads a certificate with its key and is the one place that says whether they can be used;
//! `endpoint` is the TLS of one listener and keeps what is in use when the files are not fit;
//! `authority` makes certificates and requests; `described` says what a certificate is; `outside`
//! is the trust of the one call that the server itself makes.

pub mod authority;
pub mod described;
pub mod endpoint;
pub mod fault;
pub mod outside;
pub mod pair;

pub use described::Described;
pub use endpoint::{Endpoint, Endpoints};
pub use fault::{CertificateWarning, PairFault};
pub use pair::{Files, Pair, read_chain};
pub use rustls::sign::SigningKey;

/// From so many days before its end, a certificate is warned of.
pub const WARN_DAYS: i64 = 30;
