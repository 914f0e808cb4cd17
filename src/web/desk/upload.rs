//! Bodies that are taken as they arrive: a file as the whole body, or as a part of a form.
//!
//! A file goes on in pieces to whoever seals it, so that no more of it than a few pieces is in the
//! memory. A part of a form (RFC 7578) is read by the rules of RFC 2046, as far as browsers use
//! them: a name for each part, and its bytes.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use actix_web::body::{BodyStream, MessageBody as _};
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{HttpRequest, web};
use memchr::memmem;
use tokio::sync::mpsc;

use crate::service::desk::rosters::Arriving;

/// Pieces of a file that wait to be sealed.
const PIECES_WAITING: usize = 8;
/// A sender that sends nothing for so long has gone.
const SILENT_MAX: Duration = Duration::from_secs(30);
/// Bytes of what stands before a part.
const HEAD_BYTES_MAX: usize = 8 << 10;
/// Parts of a form.
const PARTS_MAX: usize = 20;

/// Why a body is not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum UploadFault {
    #[error("it did not arrive whole")]
    NotWhole,
    #[error("it is not a form with parts")]
    Form,
    #[error("it is longer than it may be")]
    TooLong,
}

/// A body as it arrives.
pub struct Body(BodyStream<web::Payload>);

impl Body {
    pub fn of(payload: web::Payload) -> Self {
        Self(BodyStream::new(payload))
    }

    /// The next bytes; none at the end.
    async fn next(&mut self) -> Result<Option<web::Bytes>, UploadFault> {
        let next = poll_fn(|context| Pin::new(&mut self.0).poll_next(context));
        match tokio::time::timeout(SILENT_MAX, next).await {
            Ok(None) => Ok(None),
            Ok(Some(Ok(bytes))) => Ok(Some(bytes)),
            Ok(Some(Err(_))) | Err(_) => Err(UploadFault::NotWhole),
        }
    }
}

/// The whole body as a file, for whoever takes it in while it arrives.
pub fn arriving(body: web::Payload) -> Arriving {
    let (pieces, arriving) = mpsc::channel(PIECES_WAITING);
    let mut body = Body::of(body);
    actix_web::rt::spawn(async move {
        while let Ok(next) = body.next().await {
            let is_over = next.is_none();
            let piece = next.map(|bytes| bytes.to_vec());
            if pieces.send(piece).await.is_err() || is_over {
                return;
            }
        }
    });
    arriving
}

/// A form with parts, as it arrives.
pub struct Parts {
    body: Body,
    /// `\r\n--` and the boundary.
    delimiter: Vec<u8>,
    held: Vec<u8>,
    is_in_part: bool,
    seen: usize,
}

impl Parts {
    /// # Errors
    /// When the request says that it is something else.
    pub fn of(request: &HttpRequest, payload: web::Payload) -> Result<Self, UploadFault> {
        let kind = request.headers().get(CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok());
        let boundary = kind.and_then(boundary).ok_or(UploadFault::Form)?;
        Ok(Self {
            body: Body::of(payload),
            delimiter: format!("\r\n--{boundary}").into_bytes(),
            // As if a line had ended before the first part.
            held: b"\r\n".to_vec(),
            is_in_part: false,
            seen: 0,
        })
    }

    async fn more(&mut self) -> Result<(), UploadFault> {
        let bytes = self.body.next().await?.ok_or(UploadFault::NotWhole)?;
        self.held.extend_from_slice(&bytes);
        Ok(())
    }

    /// The name of the next part, behind what is left of the one before; none behind the last.
    pub async fn next(&mut self) -> Result<Option<String>, UploadFault> {
        while self.is_in_part {
            self.piece().await?;
        }
        self.seen += 1;
        if self.seen > PARTS_MAX {
            return Err(UploadFault::TooLong);
        }
        loop {
            if let Some(found) = self.head()? {
                return Ok(found);
            }
            self.more().await?;
        }
    }

    /// The head of a part, once it is here whole.
    fn head(&mut self) -> Result<Option<Option<String>>, UploadFault> {
        let Some(rest) = self.held.get(self.delimiter.len()..) else {
            return Ok(None);
        };
        if !self.held.starts_with(&self.delimiter) {
            return Err(UploadFault::Form);
        }
        if rest.starts_with(b"--") {
            return Ok(Some(None));
        }
        let Some(end) = memmem::find(rest, b"\r\n\r\n") else {
            let is_short = rest.len() <= HEAD_BYTES_MAX;
            return if is_short {
                Ok(None)
            } else {
                Err(UploadFault::Form)
            };
        };
        let head = std::str::from_utf8(&rest[..end]).map_err(|_| UploadFault::Form)?;
        let name = name(head).ok_or(UploadFault::Form)?.to_owned();
        self.held.drain(..self.delimiter.len() + end + 4);
        self.is_in_part = true;
        Ok(Some(Some(name)))
    }

    /// The next bytes of this part; none at its end.
    pub async fn piece(&mut self) -> Result<Option<Vec<u8>>, UploadFault> {
        loop {
            if !self.is_in_part {
                return Ok(None);
            }
            if let Some(end) = memmem::find(&self.held, &self.delimiter) {
                self.is_in_part = end > 0;
                if end == 0 {
                    return Ok(None);
                }
                return Ok(Some(self.held.drain(..end).collect()));
            }
            // The end may have begun.
            let sure = (self.held.len() + 1).saturating_sub(self.delimiter.len());
            if sure > 0 {
                return Ok(Some(self.held.drain(..sure).collect()));
            }
            self.more().await?;
        }
    }

    /// The whole of this part, of at most so many bytes.
    pub async fn whole(&mut self, bytes_max: usize) -> Result<Vec<u8>, UploadFault> {
        let mut whole = Vec::new();
        while let Some(piece) = self.piece().await? {
            if whole.len() + piece.len() > bytes_max {
                return Err(UploadFault::TooLong);
            }
            whole.extend_from_slice(&piece);
        }
        Ok(whole)
    }

    /// This part as a file, for whoever takes it in while it arrives. Nothing behind it is read.
    pub fn arriving(mut self) -> Arriving {
        let (pieces, arriving) = mpsc::channel(PIECES_WAITING);
        actix_web::rt::spawn(async move {
            while let Ok(piece) = self.piece().await {
                let is_over = piece.is_none();
                if pieces.send(piece).await.is_err() {
                    return;
                }
                if is_over {
                    // A little of what is behind it is read, so that the sender hears the answer.
                    for _ in 0..PIECES_WAITING {
                        if !matches!(self.body.next().await, Ok(Some(_))) {
                            return;
                        }
                    }
                    return;
                }
            }
        });
        arriving
    }
}

/// The boundary that a content type names.
fn boundary(kind: &str) -> Option<&str> {
    let (essence, parameters) = kind.split_once(';')?;
    if !essence.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let mut parameters = parameters.split(';').map(str::trim);
    let boundary = parameters.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.eq_ignore_ascii_case("boundary").then_some(value)
    })?;
    let boundary = boundary.trim_matches('"');
    // RFC 2046, 5.1.1.
    (1..=70).contains(&boundary.len()).then_some(boundary)
}

/// The name of a part.
fn name(head: &str) -> Option<&str> {
    let line = head.split("\r\n").find(|line| {
        let name = line.split(':').next().unwrap_or_default();
        name.eq_ignore_ascii_case("content-disposition")
    })?;
    let (_, rest) = line.split_once("; name=\"")?;
    rest.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boundary_and_names_are_read_as_browsers_write_them() {
        let kind = "multipart/form-data; boundary=----WebKitFormBoundaryAbC";
        assert_eq!(boundary(kind), Some("----WebKitFormBoundaryAbC"));
        assert_eq!(
            boundary("multipart/form-data; boundary=\"a b\""),
            Some("a b")
        );
        for none in [
            "text/plain",
            "multipart/form-data",
            "multipart/form-data; boundary=",
            "application/x-www-form-urlencoded; boundary=a",
        ] {
            assert_eq!(boundary(none), None, "{none}");
        }
        let head = "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a; name=\".csv\"\
                    \r\nContent-Type: text/csv";
        assert_eq!(name(head), Some("file"));
        assert_eq!(name("Content-Type: text/csv"), None);
    }

    fn parts(held: &[u8]) -> Parts {
        use actix_web::FromRequest as _;
        let request = actix_web::test::TestRequest::default().to_http_request();
        let mut none = actix_web::dev::Payload::None;
        let payload = web::Payload::from_request(&request, &mut none).into_inner();
        Parts {
            body: Body::of(payload.unwrap()),
            delimiter: b"\r\n--x".to_vec(),
            held: [b"\r\n", held].concat(),
            is_in_part: false,
            seen: 0,
        }
    }

    #[actix_web::test]
    async fn a_form_is_read_part_by_part_and_one_that_is_cut_short_is_refused() {
        let form = b"--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n2\r\n--x\r\n\
                     Content-Disposition: form-data; name=\"file\"; filename=\"b\"\r\n\r\n\r\n\
                     --x--";
        let mut whole = parts(form);
        assert_eq!(whole.next().await, Ok(Some("a".to_owned())));
        assert_eq!(whole.whole(4).await, Ok(b"1\r\n2".to_vec()));
        assert_eq!(whole.next().await, Ok(Some("file".to_owned())));
        assert_eq!(whole.whole(0).await, Ok(Vec::new()));
        assert_eq!(whole.next().await, Ok(None));
        let mut long = parts(form);
        let _ = long.next().await;
        assert_eq!(long.whole(3).await, Err(UploadFault::TooLong));
        for end in 0..form.len() - 2 {
            let mut cut = parts(&form[..end]);
            let mut ended = Ok(());
            while ended.is_ok() {
                ended = match cut.next().await {
                    Ok(Some(_)) => cut.whole(100).await.map(|_| ()),
                    Ok(None) => break,
                    Err(fault) => Err(fault),
                };
            }
            assert_eq!(ended, Err(UploadFault::NotWhole), "{end}");
        }
    }
}
