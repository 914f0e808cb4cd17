//! What a browser does by itself: it sends what a step of its person needs, follows redirects,
//! keeps cookies and assets, polls as the waiting room's script does, and sends a form again that
//! the pages' script sends again. `seen` has what the person does.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::io::Read as _;

use super::{Answer, Part, Scene, Who};
use crate::rush::answer::{self, Code, Kind, Said};
use crate::rush::crowd::{
    BOOKED, HAS_ICON, HAS_LOGO, HAS_SCRIPT, HAS_STYLE, Load, Person, SCRIPT, Shows, Step, UNSURE,
};
use crate::rush::http::{value_of, values_of};
use crate::rush::pages::request::{By, Request, form};
use crate::rush::pages::{cookies, document};
use crate::rush::record::Fault;

/// The waiting room's script: the wait after a failure, doubled with each, and the longest.
const LATER_S: f64 = 5.0;
const LATER_S_MAX: f64 = 300.0;
/// The pages' script: the wait after a lost network, doubled with each, and the longest.
const LOST_S: f64 = 1.0;
const LOST_S_MAX: f64 = 60.0;
/// A form that was put off: at most so long, unless the server says longer.
const PUT_OFF_S_MAX: f64 = 300.0;
/// No page is longer, unpacked.
const PAGE_BYTES_MAX: u64 = 1 << 20;

/// What a browser asks for next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Next {
    kind: Kind,
    by: By,
    posts: bool,
}

impl Next {
    fn page(kind: Kind) -> Self {
        Self {
            kind,
            by: By::Navigation,
            posts: false,
        }
    }

    fn form(kind: Kind, has_script: bool) -> Self {
        let by = if has_script {
            By::Fetch
        } else {
            By::Navigation
        };
        Self {
            kind,
            by,
            posts: true,
        }
    }
}

impl Scene {
    /// Appends what a browser sends next, and returns its kind.
    pub(super) fn page_asks(&mut self, who: Who, into: &mut Vec<u8>) -> Kind {
        let next = self.next_of(who);
        if next.kind == Kind::SignIn && !who.is_beside() {
            self.wants_number(who.person);
        }
        let me = who.person;
        let path = self.path_of(who, next.kind);
        let person = &self.crowd.people[me as usize];
        let etag = if next.kind == Kind::Landing {
            self.crowd.names.text(person.etag)
        } else {
            ""
        };
        let request = Request {
            host: &self.setting.host,
            origin: &self.setting.origin,
            path: &path,
            by: next.by,
            cookies: person.token.as_deref().unwrap_or_default(),
            etag,
            form: next.posts.then(|| self.form_of(me, next.kind)),
        };
        request.push(into);
        if matches!(next.kind, Kind::BookForm | Kind::CancelForm) {
            self.person(me).set(UNSURE, true);
        }
        next.kind
    }

    fn next_of(&self, who: Who) -> Next {
        let beside = |by| Next {
            kind: Kind::Asset,
            by,
            posts: false,
        };
        match who.part {
            Part::Own => self.next_of_own(who.person),
            Part::Tab => Next::page(Kind::Room),
            Part::Script => beside(By::Script),
            Part::Style => beside(By::Style),
            Part::Icon | Part::Logo => beside(By::Icon),
        }
    }

    fn next_of_own(&self, me: u32) -> Next {
        let person = &self.crowd.people[me as usize];
        let has_script = person.is(SCRIPT);
        if person.load != Load::Idle {
            let kind = self.kind_at(self.crowd.names.text(person.to));
            let mut next = Next::page(kind.unwrap_or(Kind::Landing));
            if person.load == Load::Fetches {
                next.by = By::Fetch;
            }
            return next;
        }
        match (person.step, person.shows) {
            (Step::Come, _) => Next {
                by: By::Typed,
                ..Next::page(Kind::Landing)
            },
            (Step::Enter, Shows::Form) => Next::form(Kind::SignIn, has_script),
            (Step::Enter, _) => Next::page(Kind::Form),
            (Step::Wait, Shows::Room) if has_script => Next {
                by: By::Fetch,
                ..Next::page(Kind::Place)
            },
            // The room's own script sends its form as the browser does.
            (Step::Admit, Shows::Room) => Next::form(Kind::GoIn, false),
            (Step::Wait | Step::Admit, _) => Next::page(Kind::Room),
            (Step::Sites, _) => Next::page(Kind::Regions),
            (Step::Days, _) => Next::page(Kind::DaysPage),
            (Step::Slots, _) => Next::page(Kind::TimesPage),
            (Step::Hold, _) => Next::form(Kind::HoldForm, has_script),
            (Step::Book | Step::Move, _) => Next::form(Kind::BookForm, has_script),
            (Step::Cancel, Shows::Cancel) => Next::form(Kind::CancelForm, has_script),
            (Step::Cancel, _) => Next::page(Kind::CancelPage),
            _ => Next::page(Kind::BookingPage),
        }
    }

    /// The address that a request goes to.
    fn path_of(&self, who: Who, kind: Kind) -> String {
        let person = &self.crowd.people[who.person as usize];
        let text = |id| self.crowd.names.text(id);
        let base = &self.setting.base;
        let asset = |at: usize| format!("/assets/{}", self.assets[at]);
        match who.part {
            Part::Script => return asset(0),
            Part::Style => return asset(1),
            Part::Icon => return asset(2),
            Part::Logo => return asset(3),
            Part::Tab => {}
            Part::Own if person.load != Load::Idle => return text(person.to).to_owned(),
            Part::Own => {}
        }
        match kind {
            Kind::Place => format!("{}/gate/place", self.setting.path),
            Kind::Form | Kind::SignIn => format!("{base}/enter"),
            Kind::Room => format!("{base}/wait"),
            Kind::GoIn => format!("{base}/admit"),
            // Whoever found nothing near looks at all regions.
            Kind::Regions if person.wide > 0 => format!("{base}/sites?region=all"),
            Kind::Regions => format!("{base}/sites"),
            Kind::DaysPage => format!("{base}/sites/{}", text(person.site)),
            Kind::TimesPage => {
                format!("{base}/sites/{}/{}", text(person.site), text(person.date))
            }
            Kind::HoldForm => format!("{base}/hold"),
            Kind::BookForm => format!("{base}/book"),
            Kind::BookingPage => format!("{base}/booking"),
            Kind::CancelPage | Kind::CancelForm => format!("{base}/cancel"),
            _ => base.clone(),
        }
    }

    /// The fields of a form, in its order.
    fn form_of(&self, me: u32, kind: Kind) -> String {
        let person = &self.crowd.people[me as usize];
        let text = |id| self.crowd.names.text(id);
        let paper = person.paper.as_deref().unwrap_or_default();
        match kind {
            Kind::SignIn => {
                let [name, born, code, _] = self.crowd.credentials(me);
                let own = [("name", name), ("birth_date", born), ("code", code)];
                // Whoever is asked for their consent gives it.
                let agreed = self.agreed.as_deref().map(|version| ("agreed", version));
                form(&own.into_iter().chain(agreed).collect::<Vec<_>>())
            }
            Kind::HoldForm => form(&[("slot", text(person.slot))]),
            Kind::BookForm if person.is(BOOKED) => {
                let (hold, slot) = (text(person.hold), text(person.slot));
                form(&[("hold", hold), ("slot", slot), ("number", paper)])
            }
            Kind::BookForm => form(&[("hold", text(person.hold)), ("slot", text(person.slot))]),
            Kind::CancelForm => form(&[("number", paper)]),
            _ => String::new(),
        }
    }

    /// The page at an address of the campaign.
    fn kind_at(&self, address: &str) -> Option<Kind> {
        let page = address.strip_prefix(self.setting.base.as_str())?;
        let path = page.split('?').next().unwrap_or(page);
        let parts: Vec<&str> = path.split('/').collect();
        Some(match parts.as_slice() {
            [""] => Kind::Landing,
            ["", "enter"] => Kind::Form,
            ["", "wait"] => Kind::Room,
            ["", "sites"] => Kind::Regions,
            ["", "sites", _] => Kind::DaysPage,
            ["", "sites", _, _] => Kind::TimesPage,
            ["", "confirm"] => Kind::Confirm,
            ["", "booking"] => Kind::BookingPage,
            ["", "cancel"] => Kind::CancelPage,
            _ => return None,
        })
    }

    /// An answer has come to a browser.
    pub(super) fn page_answered(&mut self, who: Who, kind: Kind, answer: Answer<'_>) {
        for set in values_of(answer.head, b"set-cookie:") {
            let person = self.person(who.person);
            let had = person.token.take().unwrap_or_default();
            let has = cookies::put(&had, set);
            person.token = (!has.is_empty()).then(|| has.into());
        }
        match who.part {
            Part::Own => self.own_answered(who, kind, answer),
            Part::Tab => self.tab_answered(who, answer),
            Part::Script | Part::Style | Part::Icon | Part::Logo => {
                self.asset_answered(who, answer);
            }
        }
    }

    fn own_answered(&mut self, who: Who, kind: Kind, answer: Answer<'_>) {
        let me = who.person;
        let Next { by, posts, .. } = self.next_of_own(me);
        // A script is told the next page, and the browser goes there; else it follows a redirect.
        let next = match answer.status {
            303 => value_of(answer.head, b"location:"),
            204 if by == By::Fetch => value_of(answer.head, b"sumun-location:"),
            _ => None,
        };
        if kind == Kind::SignIn && next.is_some() {
            self.knows_number(me);
        }
        if kind == Kind::Place {
            return self.polled(who, answer);
        }
        if let Some(to) = next {
            if self.kind_at(to).is_none() {
                return self.broke_contract(who, kind, &format!("a redirect to {to:?}"));
            }
            if by == By::Fetch && !posts {
                // The script does not follow it: the browser itself loads the room anew.
                let room = format!("{}/wait", self.setting.base);
                return self.goes_to(me, &room, Load::Navigates, 0.0);
            }
            return self.goes_to(me, to, Load::Navigates, 0.0);
        }
        if by == By::Fetch && !posts && answer.status >= 500 {
            self.record.refused(Kind::Place, Code::Overloaded);
            self.person(me).load = Load::Idle;
            return self.poll_later(me, retry_after(answer.head));
        }
        let Some(page) = unpacked(answer) else {
            return self.broke_contract(who, kind, "a page that can't be unpacked");
        };
        let is_put_off = answer.status == 503 && document::code(&page) == Some("overloaded");
        if is_put_off && posts {
            return self.form_put_off(me, kind, by, retry_after(answer.head));
        }
        let Person { load: was, to, .. } = self.crowd.people[me as usize];
        if answer.status >= 500 && !posts {
            // The page of a busy server asks again by itself, at the same address.
            let Some(code) = document::code(&page).and_then(Code::known) else {
                return self.broke_contract(who, kind, &format!("status {}", answer.status));
            };
            self.record.refused(kind, code);
            let after_s = retry_after(answer.head).unwrap_or(5.0);
            return self.after(me, after_s);
        }
        self.fetch_assets(me, &page);
        if kind == Kind::Landing
            && let Some(etag) = value_of(answer.head, b"etag:")
        {
            self.person(me).etag = self.crowd.names.id(etag);
        }
        let address = match was {
            Load::Idle => String::new(),
            _ => self.crowd.names.text(to).to_owned(),
        };
        self.person(me).load = Load::Idle;
        self.sees(who, kind, answer, &page, &address);
    }

    /// The browser goes to an address, after seconds of the server's clock.
    pub(super) fn goes_to(&mut self, me: u32, to: &str, load: Load, after_s: f64) {
        let to = self.crowd.names.id(to);
        let person = self.person(me);
        (person.to, person.load) = (to, load);
        self.after(me, after_s);
    }

    /// A form that a busy server put off. The script sends it again when it was told, and later
    /// each time; without a script, the person sends it again.
    fn form_put_off(&mut self, me: u32, kind: Kind, by: By, told_s: Option<f64>) {
        self.record.refused(kind, Code::Overloaded);
        let told_s = told_s.unwrap_or(LATER_S);
        let thinks_s = self.thinks_s(me);
        let jitter = 1.0 + self.chance(me).share() / 2.0;
        let person = self.person(me);
        person.load = Load::Idle;
        person.failures = person.failures.saturating_add(1);
        let grown_s = told_s * f64::from(1_u32 << (person.failures - 1).min(16));
        let wait_s = if by == By::Fetch {
            grown_s.min(told_s.max(PUT_OFF_S_MAX)) * jitter
        } else {
            told_s.max(thinks_s)
        };
        self.after(me, wait_s);
    }

    /// The script of the waiting room has an answer to its look at the place.
    fn polled(&mut self, who: Who, answer: Answer<'_>) {
        let me = who.person;
        let Answer { status, head, body } = answer;
        let room = format!("{}/wait", self.setting.base);
        if status != 200 {
            match answer::read(Kind::Place, status, body) {
                Ok(Said::Refused(no)) => self.record.refused(Kind::Place, no.code),
                Ok(_) => {}
                Err(why) => return self.broke_contract(who, Kind::Place, &why),
            }
            if status == 429 || status >= 500 {
                return self.poll_later(me, retry_after(head));
            }
            return self.goes_to(me, &room, Load::Navigates, 0.0);
        }
        let place = match answer::read(Kind::Place, status, body) {
            Ok(Said::Place(place)) => place,
            Ok(_) => return,
            Err(why) => return self.broke_contract(who, Kind::Place, &why),
        };
        let looked = match answer::look(body) {
            Ok(looked) => looked,
            Err(why) => return self.broke_contract(who, Kind::Place, &why),
        };
        self.person(me).failures = 0;
        self.check_place(who, &place);
        let state = match place.state {
            answer::PlaceState::Window => "window",
            _ if looked.paused => "paused",
            _ if place.late => "waiting",
            answer::PlaceState::Admitted => "admitted",
            answer::PlaceState::Lobby => "lobby",
            answer::PlaceState::Waiting => "waiting",
        };
        let because = looked.place.wait_because.unwrap_or_default();
        let message = looked.message.unwrap_or_default();
        let ends = looked.place.may_not_reach.is_some();
        let scene = document::scene_of(state, &because, ends, &message);
        if scene != self.person(me).scene {
            return self.goes_to(me, &room, Load::Fetches, 0.0);
        }
        self.looked(me, &place);
    }

    /// The script's next look after a failure: later each time, and never sooner than it was told.
    fn poll_later(&mut self, me: u32, told_s: Option<f64>) {
        let jitter = 1.0 + self.chance(me).share() / 2.0;
        let person = self.person(me);
        person.failures = person.failures.saturating_add(1);
        let grown_s = LATER_S * f64::from(1_u32 << (person.failures - 1).min(16));
        let wait_s = told_s.unwrap_or(0.0).max(grown_s.min(LATER_S_MAX)) * jitter;
        self.after(me, wait_s);
    }

    /// A request got no answer. Scripts ask again by themselves; a person reloads a page.
    pub(super) fn page_unanswered(&mut self, me: u32) {
        let Next { kind, by, posts } = self.next_of_own(me);
        if kind == Kind::Place {
            return self.poll_later(me, None);
        }
        if by != By::Fetch {
            return self.try_again_later(me);
        }
        if !posts {
            self.person(me).load = Load::Idle;
            return self.poll_later(me, None);
        }
        let jitter = 1.0 + self.chance(me).share() / 2.0;
        let person = self.person(me);
        // Also one that was lost on the way of a redirect is sent as a whole.
        person.load = Load::Idle;
        person.failures = person.failures.saturating_add(1);
        let grown_s = LOST_S * f64::from(1_u32 << (person.failures - 1).min(16));
        self.after_real(me, grown_s.min(LOST_S_MAX) * jitter);
    }

    /// A second tab of the same browser: the room in it must show the number of the first.
    fn tab_answered(&mut self, who: Who, answer: Answer<'_>) {
        if answer.status == 503 {
            return self.record.refused(Kind::Room, Code::Overloaded);
        }
        if answer.status != 200 {
            return;
        }
        match unpacked(answer).map(|page| document::room(&page)) {
            Some(Ok(room)) => {
                self.record.totals.second_tabs += 1;
                self.check_place(who, &room.place);
            }
            Some(Err(why)) => self.broke_contract(who, Kind::Room, &why),
            None => self.broke_contract(who, Kind::Room, "a page that can't be unpacked"),
        }
    }

    /// Fetches what a page names and the browser has not: once, as the answers say.
    fn fetch_assets(&mut self, me: u32, page: &str) {
        const PARTS: [(u32, Part); 4] = [
            (HAS_SCRIPT, Part::Script),
            (HAS_STYLE, Part::Style),
            (HAS_ICON, Part::Icon),
            (HAS_LOGO, Part::Logo),
        ];
        let person = &self.crowd.people[me as usize];
        let runs = person.is(SCRIPT);
        let has_all = [HAS_STYLE, HAS_ICON, HAS_LOGO]
            .into_iter()
            .all(|part| person.is(part));
        if (person.is(HAS_SCRIPT) || !runs) && has_all {
            return;
        }
        let named = document::assets(page);
        for (at, ((has, part), name)) in PARTS.into_iter().zip(named).enumerate() {
            let Some(name) = name else { continue };
            if self.person(me).is(has) || part == Part::Script && !runs {
                continue;
            }
            if *self.assets[at] != *name {
                self.assets[at] = name.into();
            }
            // Once: it is taken as kept from here on.
            self.person(me).set(has, true);
            let who = Who { person: me, part };
            self.timers.push(Reverse((self.now, who)));
        }
    }

    fn asset_answered(&mut self, who: Who, answer: Answer<'_>) {
        let kept = value_of(answer.head, b"cache-control:").unwrap_or_default();
        if answer.status != 200 || !kept.contains("immutable") {
            let words = format!("asset: status {} with {kept:?}", answer.status);
            self.fault(who, Fault::OutsideContract, &words);
        }
    }
}

/// The seconds of `Retry-After`.
pub(super) fn retry_after(head: &[u8]) -> Option<f64> {
    let told = value_of(head, b"retry-after:")?;
    told.parse().ok()
}

/// A page's text; none if it is no text, or not packed as it says.
fn unpacked(answer: Answer<'_>) -> Option<Cow<'_, str>> {
    if value_of(answer.head, b"content-encoding:") != Some("gzip") {
        return std::str::from_utf8(answer.body).ok().map(Cow::Borrowed);
    }
    let mut text = String::new();
    let unpacker = flate2::bufread::GzDecoder::new(answer.body);
    let read = unpacker.take(PAGE_BYTES_MAX).read_to_string(&mut text);
    read.ok().map(|_| Cow::Owned(text))
}
