//! Pages that are the same for everyone, as bytes that are made once.
//!
//! A page may have holes for the little that is a person's own. Its gzip form is still one stream:
//! what stands around the holes is compressed beforehand and ends on a byte, what is put into them
//! goes in as stored blocks, and the check sum is combined from those of the parts (RFC 1951,
//! 1952).

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, ETAG, HeaderMap,
    IF_NONE_MATCH, VARY,
};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use flate2::{Compress, Compression, Crc, FlushCompress};

use super::assets::takes;
use crate::domain::entry::Hash;
use crate::domain::ids::CampaignIndex;
use crate::web::words::Lang;

/// Where a template has a hole.
pub const HOLE: &str = "<!--hole-->";
/// The most that a stored block holds.
const STORED_BYTES_MAX: usize = u16::MAX as usize;
const GZIP_HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// A page with holes, ready to be filled.
pub struct Prepared {
    parts: Vec<Part>,
    /// The name of its bytes, as long as nothing is put in.
    etag: String,
    policy: String,
    lang: Lang,
}

struct Part {
    plain: String,
    /// Deflate blocks that end on a byte; those of the last part end the stream.
    packed: Vec<u8>,
    crc: Crc,
}

impl Prepared {
    /// Takes a page apart at its holes.
    pub fn new(page: &str, policy: String, lang: Lang) -> Self {
        let pieces: Vec<&str> = page.split(HOLE).collect();
        let last = pieces.len() - 1;
        let part = |(at, piece): (usize, &&str)| {
            let mut crc = Crc::new();
            crc.update(piece.as_bytes());
            let packed = deflate(piece.as_bytes(), at == last);
            let plain = (*piece).to_owned();
            Part { plain, packed, crc }
        };
        let hash = Hash::of(page.as_bytes()).to_string();
        Self {
            parts: pieces.iter().enumerate().map(part).collect(),
            etag: format!("\"{}\"", &hash[..16]),
            policy,
            lang,
        }
    }

    /// The page for everyone, or that the browser has it already.
    pub fn answer(&self, headers: &HeaderMap, kept: &'static str) -> HttpResponse {
        let known = headers.get(IF_NONE_MATCH);
        let known = known.and_then(|tag| tag.to_str().ok());
        let same = known.is_some_and(|tags| {
            let tags = tags.split(',').map(|tag| tag.trim());
            tags.into_iter()
                .any(|tag| tag.strip_prefix("W/").unwrap_or(tag) == self.etag)
        });
        let mut answer = match same {
            true => HttpResponse::NotModified(),
            false => HttpResponse::Ok(),
        };
        answer
            .insert_header((ETAG, self.etag.as_str()))
            .insert_header((CACHE_CONTROL, kept))
            .insert_header((VARY, "Accept-Encoding, Accept-Language"));
        if same {
            return answer.finish();
        }
        self.body(headers, answer, &[])
    }

    /// The page for one person.
    pub fn filled(&self, headers: &HeaderMap, values: &[&str]) -> HttpResponse {
        let mut answer = HttpResponse::Ok();
        answer.insert_header((CACHE_CONTROL, "no-store"));
        self.body(headers, answer, values)
    }

    fn body(
        &self,
        headers: &HeaderMap,
        mut answer: actix_web::HttpResponseBuilder,
        values: &[&str],
    ) -> HttpResponse {
        answer
            .content_type("text/html; charset=utf-8")
            .insert_header((CONTENT_LANGUAGE, self.lang.tag()))
            .insert_header((CONTENT_SECURITY_POLICY, self.policy.as_str()));
        if takes(headers, "gzip") {
            answer.insert_header((CONTENT_ENCODING, "gzip"));
            return answer.body(Bytes::from(self.gzip(values)));
        }
        answer.body(Bytes::from(self.plain(values)))
    }

    fn plain(&self, values: &[&str]) -> Vec<u8> {
        let mut page = Vec::new();
        for (at, part) in self.parts.iter().enumerate() {
            page.extend_from_slice(part.plain.as_bytes());
            page.extend_from_slice(values.get(at).unwrap_or(&"").as_bytes());
        }
        page
    }

    /// The gzip form with `values` in the holes.
    fn gzip(&self, values: &[&str]) -> Vec<u8> {
        let packed: usize = self.parts.iter().map(|part| part.packed.len()).sum();
        let stored: usize = values.iter().map(|value| value.len() + 10).sum();
        let mut page = Vec::with_capacity(GZIP_HEAD.len() + packed + stored + 8);
        page.extend_from_slice(&GZIP_HEAD);
        let mut crc = Crc::new();
        let last = self.parts.len() - 1;
        for (at, part) in self.parts.iter().enumerate() {
            page.extend_from_slice(&part.packed);
            crc.combine(&part.crc);
            let value = values.get(at).filter(|_| at < last).unwrap_or(&"");
            for block in value.as_bytes().chunks(STORED_BYTES_MAX) {
                let length = block.len() as u16;
                page.push(0);
                page.extend_from_slice(&length.to_le_bytes());
                page.extend_from_slice(&(!length).to_le_bytes());
                page.extend_from_slice(block);
            }
            let mut own = Crc::new();
            own.update(value.as_bytes());
            crc.combine(&own);
        }
        page.extend_from_slice(&crc.sum().to_le_bytes());
        page.extend_from_slice(&crc.amount().to_le_bytes());
        page
    }
}

fn deflate(plain: &[u8], last: bool) -> Vec<u8> {
    let mut packer = Compress::new(Compression::best(), false);
    // Deflate never needs more than five bytes a block of 16 kB over the plain text.
    let mut packed = Vec::with_capacity(plain.len() + plain.len() / 1_000 + 64);
    let flush = match last {
        true => FlushCompress::Finish,
        false => FlushCompress::Sync,
    };
    let done = packer.compress_vec(plain, &mut packed, flush);
    done.expect("deflate takes any bytes");
    assert_eq!(packer.total_in(), plain.len() as u64, "all was compressed");
    packed
}

/// Prepared pages by campaign and language, made again when what they show changes.
#[derive(Default)]
pub struct Kept {
    pages: Mutex<HashMap<Key, (String, Arc<Prepared>)>>,
}

/// What the routes' pages keep.
pub fn kept(request: &HttpRequest) -> &Kept {
    let kept = request.app_data::<Data<Kept>>();
    kept.expect("the pages are configured with what they keep")
}

type Key = (&'static str, Option<CampaignIndex>, Lang);

impl Kept {
    /// The page of that name; made if it was made of something other than `made_of`.
    pub fn page(
        &self,
        name: &'static str,
        campaign: Option<CampaignIndex>,
        lang: Lang,
        made_of: &str,
        make: impl FnOnce() -> Prepared,
    ) -> Arc<Prepared> {
        let mut pages = self.pages.lock().expect("no holder of this lock panics");
        let key = (name, campaign, lang);
        if let Some((of, page)) = pages.get(&key)
            && of == made_of
        {
            return Arc::clone(page);
        }
        let page = Arc::new(make());
        pages.insert(key, (made_of.to_owned(), Arc::clone(&page)));
        page
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;
    use proptest::prelude::*;

    fn unpacked(bytes: &[u8]) -> Vec<u8> {
        let mut plain = Vec::new();
        let mut reader = flate2::bufread::GzDecoder::new(bytes);
        reader.read_to_end(&mut plain).unwrap();
        plain
    }

    #[test]
    fn a_filled_page_is_one_stream_that_unpacks_to_the_plain_page() {
        let text = "자리 ".repeat(3_000);
        let page = format!("<h1>{text}</h1>{HOLE}<p>{text}</p>{HOLE}</html>");
        let prepared = Prepared::new(&page, String::new(), Lang::Ko);
        let long = "가".repeat(50_000);
        for values in [["", ""], ["7", "<b>앞에 3명</b>"], [long.as_str(), "x"]] {
            let gzip = prepared.gzip(&values);
            let plain = String::from_utf8(unpacked(&gzip)).unwrap();
            assert_eq!(plain.as_bytes(), prepared.plain(&values));
            let expected = page
                .replacen(HOLE, values[0], 1)
                .replacen(HOLE, values[1], 1);
            assert_eq!(plain, expected);
        }
        let whole = Prepared::new(&text, String::new(), Lang::Ko);
        assert_eq!(unpacked(&whole.gzip(&[])), text.as_bytes());
    }

    proptest! {
        #[test]
        fn any_page_and_value_come_back(before in ".{0,200}", value in ".{0,200}", after in ".*") {
            let page = format!("{before}{HOLE}{after}");
            let prepared = Prepared::new(&page, String::new(), Lang::En);
            let expected = format!("{before}{value}{after}");
            prop_assert_eq!(unpacked(&prepared.gzip(&[&value])), expected.into_bytes());
        }
    }
}
