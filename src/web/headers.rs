//! Reading a request's headers, wherever they lie: in the bytes of a head that was just read, or
//! in the map that routes get. What reads a language, a token or an encoding takes any of them.

use actix_web::http::header::HeaderMap;

/// The headers of a request.
pub trait Headers {
    /// The values of a header in the order in which they came; `name` is in lower case. Values that
    /// are not visible ASCII are left out.
    fn values<'a>(&'a self, name: &'static str) -> impl Iterator<Item = &'a str>;

    /// The same as bytes, whatever they are.
    fn bytes<'a>(&'a self, name: &'static str) -> impl Iterator<Item = &'a [u8]>;

    /// Whether there is such a header, whatever its value.
    fn has(&self, name: &'static str) -> bool;

    /// The first value of a header.
    fn value(&self, name: &'static str) -> Option<&str> {
        self.values(name).next()
    }
}

impl Headers for HeaderMap {
    fn values<'a>(&'a self, name: &'static str) -> impl Iterator<Item = &'a str> {
        self.get_all(name).filter_map(|value| value.to_str().ok())
    }

    fn bytes<'a>(&'a self, name: &'static str) -> impl Iterator<Item = &'a [u8]> {
        self.get_all(name).map(|value| value.as_bytes())
    }

    fn has(&self, name: &'static str) -> bool {
        self.contains_key(name)
    }
}
