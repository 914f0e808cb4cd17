//! Pages whose bytes are made once and sent many times.
//!
//! A page may have holes. A hole is a place in the page for a value that differs from person to
//! person, such as their number. The text between two holes is a part. Parts are compressed when
//! the page is made, so that an answer only copies bytes. This is how the gzip form of a filled
//! page comes about (RFC 1951, 1952):
//! - each part is a run of deflate blocks that ends at a whole byte;
//! - each value follows its part as stored (not compressed) blocks;
//! - the check sum of the page is computed from the check sums of the parts and the values.

mod gzip;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    HeaderMap, HeaderValue, VARY,
};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use flate2::Crc;

use gzip::{
    GZIP_FOOT_BYTES, GZIP_HEAD, STORED_BYTES_MAX, STORED_HEAD_BYTES, deflate, product, push_stored,
    shift, summed,
};

use super::assets::takes;
use super::when::When;
use super::{guard, landing, waiting};
use crate::domain::entry::Hash;
use crate::domain::ids::CampaignIndex;
use crate::service::Here;
use crate::sync::locked;
use crate::web::door::answer::{End, Out, header_lines};
use crate::web::headers::Headers;
use crate::web::words::Lang;

/// Who may see a page. This decides whether browsers and proxies may cache it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum For {
    Everyone,
    /// One person: it is cached nowhere.
    One,
}

/// The character that marks the first hole in a template; the next holes have the characters after
/// it. They are private-use characters. Our own texts have none of them, and `without_holes`
/// replaces them in texts from outside.
const HOLES: u32 = 0xf_0000;
/// The most holes that a page may have.
const HOLES_MAX: u32 = 16;
/// For a page for everyone: browsers ask each time, and its tag tells whether it changed.
const PUBLIC: &str = "public, max-age=0, must-revalidate";

/// The mark of a hole: what a template has where `values[at]` goes.
pub fn hole(at: usize) -> String {
    let known = u32::try_from(at).ok().filter(|at| *at < HOLES_MAX);
    let mark = known.and_then(|at| char::from_u32(HOLES + at));
    mark.expect("a page has few holes").into()
}

fn is_hole(mark: char) -> bool {
    (HOLES..HOLES + HOLES_MAX).contains(&(mark as u32))
}

/// A text from outside (an operator's message, a campaign's name) without the marks of holes. Each
/// mark becomes U+FFFD, the sign for an unknown character. Such texts are refused where they enter,
/// but a journal of an older program may hold some.
pub fn without_holes(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hole) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace(is_hole, "\u{fffd}"))
}

/// A page that is ready to be filled and sent. The heads of its answers are made beforehand too.
pub struct Prepared {
    parts: Vec<Part>,
    /// The bodies of a page for everyone; none for a page with holes.
    whole: Option<Bodies>,
    etag: HeaderValue,
    plain_head: Head,
    gzip_head: Head,
    /// For a browser that has the page already (304).
    unchanged_head: Head,
}

/// The head of an answer, in the two forms in which answers are given.
struct Head {
    /// For answers of routes.
    headers: HeaderMap,
    /// For answers that the door writes itself: bytes, from the status line on.
    lines: Vec<u8>,
}

impl Head {
    fn new(status: StatusCode, headers: HeaderMap) -> Self {
        Self {
            lines: header_lines(status, &headers),
            headers,
        }
    }
}

struct Bodies {
    plain: Bytes,
    gzip: Bytes,
}

/// The text up to a hole, or from the last hole to the end of the page.
struct Part {
    plain: String,
    /// The text as deflate blocks that end at a whole byte. The blocks of the last part end the
    /// stream.
    packed: Vec<u8>,
    crc: u32,
    /// Multiplying the check sum of some bytes with this gives their share in the check sum of
    /// these bytes followed by this part.
    shift: u32,
    /// The position of the value that follows the part; none at the end of the page.
    hole: Option<usize>,
}

impl Prepared {
    /// Cuts a page into parts at the marks of its holes. A page for everyone has no holes: a mark
    /// in its text is shown as it is.
    pub fn new(page: &str, policy: &str, lang: Lang, whom: For) -> Self {
        let for_all = whom == For::Everyone;
        let is_hole = |mark: char| !for_all && is_hole(mark);
        let mut holes = page.chars().filter(|mark| is_hole(*mark));
        let part = |piece: &str| {
            let hole = holes.next().map(|mark| (mark as u32 - HOLES) as usize);
            Part::new(piece, hole)
        };
        let parts: Vec<Part> = page.split(is_hole).map(part).collect();
        let etag = etag_of(page);
        let unchanged = unchanged_headers(&etag, policy, whom);
        let plain = page_headers(&unchanged, lang);
        let mut gzip = plain.clone();
        gzip.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        let mut prepared = Self {
            parts,
            whole: None,
            etag,
            plain_head: Head::new(StatusCode::OK, plain),
            gzip_head: Head::new(StatusCode::OK, gzip),
            unchanged_head: Head::new(StatusCode::NOT_MODIFIED, unchanged),
        };
        prepared.whole = for_all.then(|| prepared.bodies());
        prepared
    }

    fn bodies(&self) -> Bodies {
        let (mut plain, mut gzip) = (Vec::new(), Vec::new());
        self.plain(&[], &mut plain);
        self.gzip(&[], &mut gzip);
        Bodies {
            plain: plain.into(),
            gzip: gzip.into(),
        }
    }

    /// The answer of a route: the page with `values` in its holes, or 304.
    fn answer(&self, headers: &impl Headers, values: &[String]) -> HttpResponse {
        if self.has_it(headers) {
            let status = StatusCode::NOT_MODIFIED;
            return answer(status, &self.unchanged_head.headers, BoxBody::new(()));
        }
        let mut page = Vec::new();
        let head = if takes(headers, "gzip") {
            self.gzip(values, &mut page);
            &self.gzip_head
        } else {
            self.plain(values, &mut page);
            &self.plain_head
        };
        answer(StatusCode::OK, &head.headers, BoxBody::new(page))
    }

    /// The same answer, as bytes that the door sends.
    fn write(&self, headers: &impl Headers, values: &[String], out: &mut Out, end: &End<'_>) {
        if self.has_it(headers) {
            out.head(&self.unchanged_head.lines, None, end);
            return;
        }
        let packs = takes(headers, "gzip");
        let head = if packs {
            &self.gzip_head
        } else {
            &self.plain_head
        };
        if let Some(whole) = &self.whole {
            let body = if packs { &whole.gzip } else { &whole.plain };
            out.head(&head.lines, Some(body.len()), end);
            out.body(body.clone());
        } else if packs {
            out.head(&head.lines, Some(self.gzip_length(values)), end);
            self.gzip(values, &mut out.bytes);
        } else {
            out.head(&head.lines, Some(self.plain_length(values)), end);
            self.plain(values, &mut out.bytes);
        }
    }

    /// Whether this is a page for everyone and the browser has it already.
    fn has_it(&self, headers: &impl Headers) -> bool {
        self.whole.is_some() && self.is_known(headers)
    }

    /// Whether the browser names the tag of this page.
    fn is_known(&self, headers: &impl Headers) -> bool {
        headers.value("if-none-match").is_some_and(|tags| {
            let mut tags = tags.split(',').map(str::trim);
            tags.any(|tag| tag.strip_prefix("W/").unwrap_or(tag) == self.etag)
        })
    }

    fn plain_length(&self, values: &[String]) -> usize {
        let lengths = self.parts.iter();
        let lengths = lengths.map(|part| part.plain.len() + part.value(values).len());
        lengths.sum()
    }

    /// Appends the page with `values` in its holes.
    fn plain(&self, values: &[String], page: &mut Vec<u8>) {
        for part in &self.parts {
            page.extend_from_slice(part.plain.as_bytes());
            page.extend_from_slice(part.value(values).as_bytes());
        }
    }

    fn gzip_length(&self, values: &[String]) -> usize {
        let lengths = self.parts.iter().map(|part| {
            let value = part.value(values).len();
            part.packed.len() + value + value.div_ceil(STORED_BYTES_MAX) * STORED_HEAD_BYTES
        });
        GZIP_HEAD.len() + lengths.sum::<usize>() + GZIP_FOOT_BYTES
    }

    /// Appends the gzip form of the page with `values` in its holes.
    fn gzip(&self, values: &[String], page: &mut Vec<u8>) {
        page.reserve(self.gzip_length(values));
        page.extend_from_slice(&GZIP_HEAD);
        let (mut crc, mut amount) = (0, 0);
        for part in &self.parts {
            page.extend_from_slice(&part.packed);
            crc = product(part.shift, crc) ^ part.crc;
            let value = part.value(values).as_bytes();
            for block in value.chunks(STORED_BYTES_MAX) {
                push_stored(page, block, false);
            }
            crc = summed(crc, value);
            amount += part.plain.len() + value.len();
        }
        page.extend_from_slice(&crc.to_le_bytes());
        // The format has the length modulo 2^32.
        page.extend_from_slice(&(amount as u32).to_le_bytes());
    }
}

/// A page, and the values that go into its holes.
pub struct Filled {
    pub page: Arc<Prepared>,
    pub values: Vec<String>,
}

impl From<Arc<Prepared>> for Filled {
    fn from(page: Arc<Prepared>) -> Self {
        Self {
            page,
            values: Vec::new(),
        }
    }
}

impl Filled {
    /// The answer as routes give it.
    pub fn answer(&self, headers: &impl Headers) -> HttpResponse {
        self.page.answer(headers, &self.values)
    }

    /// The answer as bytes that the door sends.
    pub fn write(&self, headers: &impl Headers, out: &mut Out, end: &End<'_>) {
        self.page.write(headers, &self.values, out, end);
    }
}

impl Part {
    fn new(plain: &str, hole: Option<usize>) -> Self {
        let mut crc = Crc::new();
        crc.update(plain.as_bytes());
        Self {
            plain: plain.to_owned(),
            packed: deflate(plain.as_bytes(), hole.is_none()),
            crc: crc.sum(),
            shift: shift(plain.len()),
            hole,
        }
    }

    fn value<'a>(&self, values: &'a [String]) -> &'a str {
        let value = self.hole.and_then(|hole| values.get(hole));
        value.map_or("", String::as_str)
    }
}

/// A tag that changes with the page.
fn etag_of(page: &str) -> HeaderValue {
    let hash = Hash::of(page.as_bytes()).to_string();
    let etag = format!("\"{}\"", &hash[..16]);
    HeaderValue::try_from(etag).expect("a hash in hex is ASCII")
}

/// The headers of a 304. A page for one person has no tag and is never answered so. The policy is
/// the page's own: a browser puts these headers in place of those that it keeps with the page.
fn unchanged_headers(etag: &HeaderValue, policy: &str, whom: For) -> HeaderMap {
    let policy = HeaderValue::try_from(policy).expect("policies are ASCII");
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    if whom == For::Everyone {
        let vary = HeaderValue::from_static("Accept-Encoding, Accept-Language");
        headers.insert(ETAG, etag.clone());
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(PUBLIC));
        headers.insert(VARY, vary);
    }
    guard::protect(&mut headers);
    headers
}

/// The headers of an answer with the page: those of a 304, and what describes the page.
fn page_headers(unchanged: &HeaderMap, lang: Lang) -> HeaderMap {
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    let mut headers = unchanged.clone();
    headers.insert(CONTENT_TYPE, kind);
    headers.insert(CONTENT_LANGUAGE, HeaderValue::from_static(lang.tag()));
    headers
}

fn answer(status: StatusCode, headers: &HeaderMap, body: BoxBody) -> HttpResponse {
    let mut answer = HttpResponse::with_body(status, body);
    *answer.headers_mut() = headers.clone();
    answer
}

/// A cache of prepared pages. Each page is stored with the values that it was made of, and is made
/// again when these change.
pub struct Shelf<Key, Of>(Mutex<HashMap<Key, (Of, Arc<Prepared>)>>);

/// More pages than are in use at a time. A shelf that has so many is cleared.
const SHELF_PAGES_MAX: usize = 256;

impl<Key: Eq + std::hash::Hash, Of: PartialEq> Shelf<Key, Of> {
    /// The page of this key. It is made if there is none, or if it was made of other values than
    /// `of`.
    pub fn page(&self, key: Key, of: Of, make: impl FnOnce(&Of) -> Prepared) -> Arc<Prepared> {
        let mut pages = locked(&self.0);
        if let Some((known, page)) = pages.get(&key)
            && *known == of
        {
            return Arc::clone(page);
        }
        if pages.len() >= SHELF_PAGES_MAX {
            pages.clear();
        }
        let page = Arc::new(make(&of));
        pages.insert(key, (of, Arc::clone(&page)));
        page
    }
}

impl<Key, Of> Default for Shelf<Key, Of> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

/// The prepared pages of all campaigns.
#[derive(Default)]
pub struct PreparedPages {
    pub landings: Shelf<(CampaignIndex, Lang, Option<landing::Has>), landing::MadeOf>,
    pub rooms: Shelf<(CampaignIndex, Lang, waiting::Scene), waiting::MadeOf>,
    /// The time of day that was shown last: the campaign, the second, and the text.
    clock: Mutex<(CampaignIndex, i64, String)>,
}

impl PreparedPages {
    /// The time of day in the campaign's zone, with its seconds. The text is made once a second.
    pub fn clock_s(&self, here: &Here) -> String {
        let mut clock = locked(&self.clock);
        let second = here.now.unix_s();
        if (clock.0, clock.1) != (here.index, second) || clock.2.is_empty() {
            let zone = &here.offer.catalog.campaign.zone;
            let when = When {
                lang: Lang::KO,
                zone,
            };
            *clock = (here.index, second, when.clock_s(here.now));
        }
        clock.2.clone()
    }
}

/// The prepared pages, as routes find them.
pub fn prepared_pages(request: &HttpRequest) -> &PreparedPages {
    let pages = request.app_data::<Data<PreparedPages>>();
    pages.expect("the pages are configured with their prepared pages")
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;
    use actix_web::http::header::IF_NONE_MATCH;
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
        let (one, two) = (hole(0), hole(1));
        let page = format!("<h1>{text}</h1>{one}<p>{text}</p>{two}{one}</html>");
        let prepared = Prepared::new(&page, "", Lang::KO, For::One);
        let long = "가".repeat(50_000);
        for values in [["", ""], ["7", "<b>앞에 3명</b>"], [long.as_str(), "x"]] {
            let owned = values.map(str::to_owned);
            let (mut gzip, mut plain) = (Vec::new(), Vec::new());
            prepared.gzip(&owned, &mut gzip);
            prepared.plain(&owned, &mut plain);
            assert_eq!(gzip.len(), prepared.gzip_length(&owned));
            assert_eq!(plain.len(), prepared.plain_length(&owned));
            assert_eq!(unpacked(&gzip), plain);
            let plain = String::from_utf8(plain).unwrap();
            let expected = page.replace(&one, values[0]).replace(&two, values[1]);
            assert_eq!(plain, expected);
        }
        let whole = Prepared::new(&text, "", Lang::KO, For::Everyone)
            .whole
            .unwrap();
        assert_eq!(unpacked(&whole.gzip), text.as_bytes());
        assert_eq!(whole.plain, text.as_bytes());
    }

    #[test]
    fn a_page_for_one_person_is_kept_nowhere_and_one_for_all_has_a_tag() {
        let own = Prepared::new("<p>", "", Lang::KO, For::One);
        let answer = own.answer(&HeaderMap::new(), &[]);
        assert_eq!(answer.headers().get(CACHE_CONTROL).unwrap(), "no-store");
        assert!(answer.headers().get(ETAG).is_none());
        let for_all = Prepared::new("<p>", "", Lang::KO, For::Everyone);
        let for_all = for_all.answer(&HeaderMap::new(), &[]);
        assert_eq!(for_all.headers().get(CACHE_CONTROL).unwrap(), PUBLIC);
        assert!(for_all.headers().get(ETAG).is_some());
    }

    /// A browser that came back showed the first page without its style: the answer "unchanged"
    /// had another policy than the page, and took its place.
    #[test]
    fn a_page_that_is_unchanged_keeps_its_policy() {
        let page = Prepared::new("<p>", "style-src 'sha256-x'", Lang::KO, For::Everyone);
        let mut known = HeaderMap::new();
        let first = page.answer(&known, &[]);
        known.insert(IF_NONE_MATCH, first.headers().get(ETAG).unwrap().clone());
        let again = page.answer(&known, &[]);
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        for (name, value) in again.headers() {
            assert_eq!(first.headers().get(name), Some(value), "{name}");
        }
        let policy = again.headers().get(CONTENT_SECURITY_POLICY).unwrap();
        assert_eq!(policy, "style-src 'sha256-x'");
    }

    /// A page's own text has no hole's mark in it.
    fn text() -> impl Strategy<Value = String> {
        ".{0,200}".prop_map(move |text| without_holes(&text).into_owned())
    }

    /// A gate message with U+F0000 ended the making of the first page under its shelf's lock; the
    /// page was dead until a restart, also when the message was gone.
    #[test]
    fn a_page_with_a_mark_in_its_text_is_shown_as_it_is() {
        let page = format!("<p>점검{}중 \u{1b}[2J\u{202e}</p>", hole(0));
        let for_all = Prepared::new(&page, "", Lang::KO, For::Everyone);
        let whole = for_all.whole.as_ref().unwrap();
        assert_eq!(whole.plain, page.as_bytes());
        assert_eq!(unpacked(&whole.gzip), page.as_bytes());
        let answer = for_all.answer(&HeaderMap::new(), &[]);
        assert_eq!(answer.status(), StatusCode::OK);
        let message = without_holes(&page);
        assert_eq!(message, page.replace(is_hole, "\u{fffd}"));
        let own = Prepared::new(&format!("{message}{}", hole(0)), "", Lang::KO, For::One);
        let mut shown = Vec::new();
        own.plain(&["7".to_owned()], &mut shown);
        let shown = String::from_utf8(shown).unwrap();
        assert_eq!(shown.matches('7').count(), 1, "{shown}");
    }

    #[test]
    fn a_shelf_whose_maker_panicked_still_gives_pages() {
        let shelf = Shelf::<u8, u8>::default();
        let make = |_: &_| Prepared::new("<p>", "", Lang::KO, For::Everyone);
        shelf.page(1, 1, make);
        let dead = std::thread::scope(|scope| {
            let maker = scope.spawn(|| shelf.page(1, 2, |_| panic!("as this test wants")));
            maker.join().is_err()
        });
        assert!(dead);
        let page = shelf.page(1, 2, make);
        assert!(Arc::ptr_eq(&page, &shelf.page(1, 2, |_| panic!("is kept"))));
    }

    proptest! {
        /// Any text at all, marks and all, makes a page that can be answered, filled and unpacked.
        #[test]
        fn no_text_makes_a_page_panic(text in ".{0,100}", marks in "[\u{effff}-\u{f0011}]{0,9}") {
            let page = format!("{marks}{text}{marks}");
            for whom in [For::Everyone, For::One] {
                let prepared = Prepared::new(&page, "", Lang::KO, whom);
                let mut headers = HeaderMap::new();
                prepared.answer(&headers, &[]);
                headers.insert(
                    actix_web::http::header::ACCEPT_ENCODING,
                    HeaderValue::from_static("gzip"),
                );
                prepared.answer(&headers, &["7".to_owned()]);
                let (values, mut gzip, mut plain) = (["7".to_owned()], Vec::new(), Vec::new());
                prepared.gzip(&values, &mut gzip);
                prepared.plain(&values, &mut plain);
                prop_assert_eq!(unpacked(&gzip), plain);
            }
            let all = Prepared::new(&page, "", Lang::KO, For::Everyone);
            let mut plain = Vec::new();
            all.plain(&[], &mut plain);
            prop_assert_eq!(plain, page.into_bytes());
        }

        #[test]
        fn any_page_and_value_come_back(before in text(), value in ".{0,200}", after in text()) {
            let page = format!("{before}{}{after}", hole(0));
            let prepared = Prepared::new(&page, "", Lang::EN, For::One);
            let expected = format!("{before}{value}{after}");
            let mut gzip = Vec::new();
            prepared.gzip(&[value], &mut gzip);
            prop_assert_eq!(unpacked(&gzip), expected.into_bytes());
        }
    }
}
