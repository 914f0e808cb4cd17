//! A request's body: whether it has come whole, and its bytes. Chunks are put together as they
//! come; extensions of chunks and trailers are refused, for we ask for none (RFC 9112, 7.1).

use httparse::Status;

use super::bounds::{BODY_BYTES_MAX, CHUNK_LINE_BYTES_MAX, CHUNKED_BYTES_MAX};
use super::head::{Framing, HeadFault};

/// A body that is coming in.
#[derive(Debug)]
pub struct Body {
    framing: Framing,
    /// How far the bytes that came were read.
    at: usize,
    /// What chunks held so far.
    joined: Vec<u8>,
}

/// A body that has come.
#[derive(PartialEq, Eq, Debug)]
pub struct Whole {
    /// Bytes that it took, with what stands around chunks.
    pub taken: usize,
    /// What the chunks held; none if the body lies there as it came.
    pub joined: Option<Vec<u8>>,
}

impl Whole {
    /// The body's bytes, which came in `bytes`.
    pub fn bytes<'a>(&'a self, bytes: &'a [u8]) -> &'a [u8] {
        self.joined.as_deref().unwrap_or(&bytes[..self.taken])
    }
}

impl Body {
    pub fn new(framing: Framing) -> Self {
        Self {
            framing,
            at: 0,
            joined: Vec::new(),
        }
    }

    /// Bytes that it holds beside those that came.
    pub fn held(&self) -> usize {
        self.joined.capacity()
    }

    /// Looks at all bytes of the body that have come so far; none if there must come more.
    pub fn read(&mut self, bytes: &[u8]) -> Result<Option<Whole>, HeadFault> {
        if let Framing::Length(length) = self.framing {
            return Ok((bytes.len() >= length).then_some(Whole {
                taken: length,
                joined: None,
            }));
        }
        loop {
            let rest = &bytes[self.at.min(bytes.len())..];
            let (line, size) = match httparse::parse_chunk_size(rest) {
                Ok(Status::Complete(found)) => found,
                Ok(Status::Partial) if rest.len() > CHUNK_LINE_BYTES_MAX => {
                    return Err(HeadFault::Malformed);
                }
                Ok(Status::Partial) => return self.waits(bytes),
                Err(_) => return Err(HeadFault::Malformed),
            };
            let digits = rest[..line].strip_suffix(b"\r\n");
            let is_size =
                |digits: &[u8]| !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit);
            if !digits.is_some_and(is_size) {
                return Err(HeadFault::Malformed);
            }
            let size = usize::try_from(size).map_err(|_| HeadFault::BodyTooLong)?;
            if size > BODY_BYTES_MAX - self.joined.len() {
                return Err(HeadFault::BodyTooLong);
            }
            let Some(chunk) = rest.get(line..line + size + 2) else {
                // The end of the chunk has not come. The part that has come may already be
                // malformed.
                let ends = rest.get(line + size).is_none_or(|byte| *byte == b'\r');
                return if ends {
                    self.waits(bytes)
                } else {
                    Err(HeadFault::Malformed)
                };
            };
            let Some(chunk) = chunk.strip_suffix(b"\r\n") else {
                return Err(HeadFault::Malformed);
            };
            self.at += line + size + 2;
            self.joined.extend_from_slice(chunk);
            if size == 0 {
                return Ok(Some(Whole {
                    taken: self.at,
                    joined: Some(std::mem::take(&mut self.joined)),
                }));
            }
        }
    }

    fn waits(&self, bytes: &[u8]) -> Result<Option<Whole>, HeadFault> {
        if bytes.len() >= CHUNKED_BYTES_MAX {
            return Err(HeadFault::BodyTooLong);
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(framing: Framing, bytes: &[u8]) -> Result<Option<Whole>, HeadFault> {
        Body::new(framing).read(bytes)
    }

    #[test]
    fn a_body_of_a_length_is_whole_when_its_last_byte_is_there() {
        let five = Framing::Length(5);
        assert_eq!(read(five, b"four"), Ok(None));
        let whole = read(five, b"five!GET /").unwrap().unwrap();
        assert_eq!(whole.bytes(b"five!GET /"), b"five!");
        assert_eq!(whole.taken, 5);
        assert_eq!(read(Framing::Length(0), b"").unwrap().unwrap().taken, 0);
    }

    #[test]
    fn chunks_are_joined_however_they_come() {
        let sent = b"3\r\nabc\r\n0A\r\n0123456789\r\n0\r\n\r\nGET /";
        let length = sent.len() - 5;
        let mut body = Body::new(Framing::Chunked);
        for cut in 0..length {
            assert_eq!(body.read(&sent[..cut]), Ok(None), "{cut}");
        }
        let whole = body.read(&sent[..length]).unwrap().unwrap();
        assert_eq!(whole.bytes(sent), b"abc0123456789");
        assert_eq!(whole.taken, length);
        assert_eq!(read(Framing::Chunked, sent), Ok(Some(whole)));
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for wrong in [
            "3\nabc\r\n0\r\n\r\n",
            "3;a=b\r\nabc\r\n0\r\n\r\n",
            "3 \r\nabc\r\n0\r\n\r\n",
            "0x3\r\nabc\r\n0\r\n\r\n",
            "-3\r\nabc\r\n0\r\n\r\n",
            "3\r\nabcd\r\n0\r\n\r\n",
            "3\r\nabc\n0\r\n\r\n",
            "0\r\nTrailer: x\r\n\r\n",
            "\r\n",
            "000000000000000000000000000000000000003\r\nabc\r\n0\r\n\r\n",
        ] {
            let answer = read(Framing::Chunked, wrong.as_bytes());
            assert_eq!(answer, Err(HeadFault::Malformed), "{wrong:?}");
        }
    }

    #[test]
    fn too_much_is_refused_before_it_has_come() {
        let too_long = Err(HeadFault::BodyTooLong);
        assert_eq!(read(Framing::Chunked, b"1001\r\n"), too_long);
        assert_eq!(read(Framing::Chunked, b"ffffffffffffff\r\n"), too_long);
        // A body of single bytes, each with a line of its own.
        let many = b"1\r\nx\r\n".repeat(CHUNKED_BYTES_MAX / 6 + 1);
        assert_eq!(read(Framing::Chunked, &many), too_long);
        let fits = b"1\r\nx\r\n".repeat(CHUNKED_BYTES_MAX / 6 - 1);
        assert_eq!(read(Framing::Chunked, &fits), Ok(None));
    }
}
