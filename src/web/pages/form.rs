//! Reading forms: what was typed, as text. A field that is missing is empty.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, web};

use crate::web::read::Bytes;

pub struct Form(BTreeMap<String, String>);

impl Form {
    /// The fields of a form's body; of one that can't be read, none.
    pub fn of(body: Bytes) -> Self {
        let body = body.unwrap_or_default();
        Self::parse(std::str::from_utf8(&body).unwrap_or_default())
    }

    /// The fields of an address.
    pub fn of_address(request: &HttpRequest) -> Self {
        Self::parse(request.query_string())
    }

    fn parse(text: &str) -> Self {
        let pairs = web::Query::<Vec<(String, String)>>::from_query(text);
        Self(pairs.map_or_else(|_| BTreeMap::new(), |pairs| pairs.0.into_iter().collect()))
    }

    pub fn field(&self, name: &str) -> &str {
        self.0.get(name).map_or("", |value| value.trim())
    }

    /// As it was typed, white space and all: for passwords.
    pub fn raw(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// A number written with digits alone.
    pub fn number<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        let text = self.field(name);
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if digits { text.parse().ok() } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_body_is_read() {
        let form = Form::of(Ok(web::Bytes::from_static(b"slot=12&key=+a+&x=%EA%B9%80")));
        assert_eq!(form.number::<u32>("slot"), Some(12));
        assert_eq!((form.field("key"), form.field("x")), ("a", "김"));
        for bytes in [&b"%%%=&&&"[..], b"\xff\xfe", b"slot=-1", b"slot=%2B1", b""] {
            let form = Form::of(Ok(web::Bytes::copy_from_slice(bytes)));
            assert_eq!(form.number::<u32>("slot"), None);
        }
    }
}
