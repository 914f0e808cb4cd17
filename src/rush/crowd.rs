//! The people of a rush: who they are, what they tend to do, and where each of them stands.
//!
//! Invariant: what somebody tends to do depends on the seed and their position alone.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context as _, bail};

use super::random::Random;

/// The shares of people who do this or that, and their tempo.
#[derive(Clone, Debug, PartialEq)]
pub struct Habits {
    /// Ignore `next_poll_s` and hammer.
    pub bots: f64,
    /// A bot asks this often, in seconds.
    pub bot_every_s: f64,
    /// Open a second tab while they wait.
    pub tabs: f64,
    /// Lose patience: half of them in the line, half on the booking pages.
    pub give_up: f64,
    /// Keep a seat by a hold before they book it.
    pub hold: f64,
    /// Look at their booking afterwards.
    pub look: f64,
    /// Move their booking.
    pub moves: f64,
    /// Cancel their booking.
    pub cancel: f64,
    /// Requests whose connection is a new one.
    pub reconnect: f64,
    /// Requests whose connection is lost before the answer: airplane mode.
    pub cut: f64,
    /// The mean time between two clicks, in seconds.
    pub think_s: f64,
    /// What people come with.
    pub clients: Clients,
}

/// The parts of people who come with the pages in a browser, with the pages without a script, and
/// with a program of their own that calls the API.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clients {
    pub pages: f64,
    pub plain: f64,
    pub api: f64,
}

impl Clients {
    pub const API: Self = Self {
        pages: 0.0,
        plain: 0.0,
        api: 1.0,
    };
}

impl std::fmt::Display for Clients {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { pages, plain, api } = self;
        write!(f, "pages={pages},plain={plain},api={api}")
    }
}

impl std::str::FromStr for Clients {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut clients = Self {
            pages: 0.0,
            plain: 0.0,
            api: 0.0,
        };
        for part in text.split(',') {
            let (name, share) = part.split_once('=').unwrap_or((part, ""));
            let place = match name.trim() {
                "pages" => &mut clients.pages,
                "plain" => &mut clients.plain,
                "api" => &mut clients.api,
                other => return Err(format!("{other:?} is none of pages, plain and api")),
            };
            let share = share.trim().parse().ok();
            let share = share.filter(|share| (0.0..=1.0).contains(share));
            *place = share.ok_or_else(|| format!("{part:?}: a share is from 0 to 1"))?;
        }
        let sum = clients.pages + clients.plain + clients.api;
        if (sum - 1.0).abs() > 0.001 {
            return Err(format!("the shares are {sum} together, not 1"));
        }
        Ok(clients)
    }
}

impl Default for Habits {
    fn default() -> Self {
        Self {
            bots: 0.01,
            bot_every_s: 0.5,
            tabs: 0.1,
            give_up: 0.04,
            hold: 0.5,
            look: 0.3,
            moves: 0.03,
            cancel: 0.02,
            reconnect: 0.01,
            cut: 0.002,
            think_s: 4.0,
            clients: Clients {
                pages: 0.8,
                plain: 0.1,
                api: 0.1,
            },
        }
    }
}

pub const BOT: u32 = 1;
pub const TAB: u32 = 1 << 1;
pub const QUITS_WAITING: u32 = 1 << 2;
pub const QUITS_BOOKING: u32 = 1 << 3;
pub const HOLDS: u32 = 1 << 4;
pub const LOOKS: u32 = 1 << 5;
pub const MOVES: u32 = 1 << 6;
pub const CANCELS: u32 = 1 << 7;
/// A change of their booking was asked for and no answer to it has come.
pub const UNSURE: u32 = 1 << 8;
/// Their last look at the line was before their turn.
pub const WAITED: u32 = 1 << 9;
/// Looked up at the end.
pub const CHECKED: u32 = 1 << 10;
/// Had a booking before this rush.
pub const BEFORE: u32 = 1 << 11;
/// Has a session rather than a place token.
pub const IN: u32 = 1 << 12;
/// Has looked at the board or the first page: counted as come.
pub const CAME: u32 = 1 << 14;
/// Has a booking that was acknowledged.
pub const BOOKED: u32 = 1 << 13;

/// Comes with the pages in a browser.
pub const PAGES: u32 = 1 << 15;
/// The browser runs scripts.
pub const SCRIPT: u32 = 1 << 16;
/// The browser has the script, the style sheet and the icon of the pages.
pub const HAS_SCRIPT: u32 = 1 << 17;
pub const HAS_STYLE: u32 = 1 << 18;
pub const HAS_ICON: u32 = 1 << 19;
pub const HAS_LOGO: u32 = 1 << 21;
/// Came on an evening before this one.
pub const AGAIN: u32 = 1 << 20;

/// What somebody does next, or where they ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Step {
    /// Not come yet: the first thing is a look at the board.
    Come,
    Enter,
    Wait,
    Admit,
    Sites,
    Days,
    Slots,
    Hold,
    Book,
    Look,
    Move,
    Cancel,
    // Ends:
    Served,
    Cancelled,
    TurnedAway,
    GaveUp,
    FoundNothing,
}

impl Step {
    pub fn is_end(self) -> bool {
        self as u8 >= Self::Served as u8
    }
}

/// What stands in a person's browser.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Shows {
    Nothing,
    Landing,
    Form,
    Room,
    /// The pages in session.
    Inside,
    /// The question whether to cancel.
    Cancel,
}

/// Where a person's browser is on its way to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Load {
    /// Nowhere: what comes next is the person's next step.
    Idle,
    /// To `Person::to`: by a link, a redirect, or a reload.
    Navigates,
    /// The waiting room's script fetches the room anew, and shows it in the place of the old.
    Fetches,
}

/// One person. A million of them should fit: some 100 bytes and a token of 82, or two cookies.
#[derive(Debug)]
pub struct Person {
    /// The place's token, then the session's; of a browser, all its cookies.
    pub token: Option<Box<str>>,
    /// The hold, then the booking's number.
    pub paper: Option<Box<str>>,
    /// The number in the line; zero for none.
    pub number: u64,
    /// Milliseconds of the rush: when their wait began, and their last look at the line.
    pub waits_from_ms: u32,
    pub looked_ms: u32,
    /// The wait that was shown first, in seconds.
    pub told_s: [u32; 2],
    /// Names of the site, the day and the slot chosen, and of the booking's site and first start.
    pub site: u32,
    pub date: u32,
    pub slot: u32,
    pub booked_site: u32,
    pub start: u32,
    pub traits: u32,
    pub step: Step,
    /// The step to continue with after the person has entered again; `Come` if there is none.
    pub back: Step,
    /// Faults in a row, for the time until the next try.
    pub failures: u8,
    /// Slots tried; for a bot in the line, what it asks next.
    pub tries: u8,
    /// How far they look: 0 their district, 1 their province, 2 anywhere.
    pub wide: u8,
    /// Requests with an Idempotency-Key so far.
    pub keys: u8,
    pub load: Load,
    pub shows: Shows,
    /// Of a browser: names of the address that it is on its way to, of the hold that its person
    /// has, and of the tag of the first page that it keeps.
    pub to: u32,
    pub hold: u32,
    pub etag: u32,
    /// What the waiting room shows beside its figures; see `document::scene_of`.
    pub scene: u32,
    /// Milliseconds of the rush: when the person last went in from the waiting room.
    pub went_ms: u32,
    /// The second, of Unix time on the server's clock, at which the token of the evening before
    /// was given.
    pub token_at_s: u32,
}

const _: () = assert!(size_of::<Person>() <= 112);

/// All people, and the names that they share.
pub struct Crowd {
    pub people: Vec<Person>,
    pub names: Names,
    /// `name,birth_date,code,region` of each, one after the other.
    text: String,
    /// Where each one's text ends, and how long its parts are.
    ends: Vec<(u32, [u8; 3])>,
}

impl Crowd {
    /// Reads people of a roster file: `skip` are left out, then at most `count` are taken.
    pub fn read(
        file: &Path,
        skip: usize,
        count: Option<usize>,
        seed: u64,
        habits: &Habits,
    ) -> anyhow::Result<Self> {
        let shown = file.display();
        let reader = csv::Reader::from_path(file);
        let mut reader = reader
            .with_context(|| format!("can't read the people of {shown}: give --people FILE.csv"))?;
        let headers = reader.headers()?.clone();
        let column = |name: &str| headers.iter().position(|header| header.trim() == name);
        let (Some(name), Some(born), Some(code)) =
            (column("name"), column("birth_date"), column("code"))
        else {
            bail!("{shown} is not a roster: it needs the columns name, birth_date and code");
        };
        let region = column("region");
        let mut crowd = Self {
            people: Vec::new(),
            names: Names::default(),
            text: String::new(),
            ends: Vec::new(),
        };
        for row in reader
            .records()
            .skip(skip)
            .take(count.unwrap_or(usize::MAX))
        {
            let row = row.with_context(|| format!("{shown} can't be read"))?;
            let region = region.map_or("", |at| &row[at]);
            crowd.push([&row[name], &row[born], &row[code], region], seed, habits)?;
        }
        if crowd.people.is_empty() {
            bail!("{shown} has no people left to come: it needs more than {skip} rows");
        }
        Ok(crowd)
    }

    fn push(&mut self, parts: [&str; 4], seed: u64, habits: &Habits) -> anyhow::Result<()> {
        let mut lengths = [0; 3];
        for (length, part) in lengths.iter_mut().zip(parts) {
            *length = u8::try_from(part.len()).context("a name, date or code is too long")?;
        }
        parts.iter().for_each(|part| self.text.push_str(part));
        let end = u32::try_from(self.text.len()).context("too many people: take fewer")?;
        self.ends.push((end, lengths));
        let at = self.people.len() as u32;
        self.people.push(Person::new(traits(seed, at, habits)));
        Ok(())
    }

    /// Name, birth date, code and region of somebody.
    pub fn credentials(&self, person: u32) -> [&str; 4] {
        let at = person as usize;
        let start = at
            .checked_sub(1)
            .map_or(0, |before| self.ends[before].0 as usize);
        let (end, [name, born, code]) = self.ends[at];
        let text = &self.text[start..end as usize];
        let (name, rest) = text.split_at(usize::from(name));
        let (born, rest) = rest.split_at(usize::from(born));
        let (code, region) = rest.split_at(usize::from(code));
        [name, born, code, region]
    }
}

impl Person {
    fn new(traits: u32) -> Self {
        Self {
            token: None,
            paper: None,
            number: 0,
            waits_from_ms: 0,
            looked_ms: 0,
            told_s: [0; 2],
            site: 0,
            date: 0,
            slot: 0,
            booked_site: 0,
            start: 0,
            traits,
            step: Step::Come,
            back: Step::Come,
            failures: 0,
            tries: 0,
            wide: 0,
            keys: 0,
            load: Load::Idle,
            shows: Shows::Nothing,
            to: 0,
            hold: 0,
            etag: 0,
            scene: 0,
            went_ms: 0,
            token_at_s: 0,
        }
    }

    /// Makes the person ready for another evening. They keep their booking, what their browser
    /// has, and their token if it is still good.
    pub fn sleep(&mut self, keeps_token: bool) {
        // A program has one token, and that of a session is of no use the next day.
        let token = self.token.take();
        let keeps_token = keeps_token && !self.is(BOOKED) && (self.is(PAGES) || !self.is(IN));
        let token = token.filter(|_| keeps_token);
        let came = self.is(CAME) || self.is(AGAIN);
        let over = UNSURE | WAITED | CHECKED | BEFORE | IN | CAME;
        *self = Self {
            token,
            // Without a booking it is a hold, which is over.
            paper: self.paper.take().filter(|_| self.is(BOOKED)),
            booked_site: self.booked_site,
            start: self.start,
            etag: self.etag,
            token_at_s: self.token_at_s,
            ..Self::new(self.traits & !over)
        };
        self.set(AGAIN, came);
    }

    pub fn is(&self, what: u32) -> bool {
        self.traits & what != 0
    }

    pub fn set(&mut self, what: u32, on: bool) {
        if on {
            self.traits |= what;
        } else {
            self.traits &= !what;
        }
    }
}

fn traits(seed: u64, person: u32, habits: &Habits) -> u32 {
    let mut random = Random::of(seed, person, 0);
    let mut traits = 0;
    for (what, share) in [
        (BOT, habits.bots),
        (TAB, habits.tabs),
        (QUITS_WAITING, habits.give_up / 2.0),
        (QUITS_BOOKING, habits.give_up / 2.0),
        (HOLDS, habits.hold),
        (LOOKS, habits.look),
        (MOVES, habits.moves),
        (CANCELS, habits.cancel),
    ] {
        if random.chance(share) {
            traits |= what;
        }
    }
    let lot = random.share();
    let Clients { pages, plain, .. } = habits.clients;
    traits
        | match lot {
            // Bots call the API.
            _ if traits & BOT != 0 => 0,
            _ if lot <= pages => PAGES | SCRIPT,
            _ if lot <= pages + plain => PAGES,
            _ => 0,
        }
}

/// Sites, days, slots and instants by small numbers; zero is none.
#[derive(Default)]
pub struct Names {
    all: Vec<Box<str>>,
    ids: HashMap<Box<str>, u32>,
}

impl Names {
    pub fn id(&mut self, text: &str) -> u32 {
        if let Some(id) = self.ids.get(text) {
            return *id;
        }
        self.all.push(text.into());
        let id = self.all.len() as u32;
        self.ids.insert(text.into(), id);
        id
    }

    pub fn text(&self, id: u32) -> &str {
        let at = (id as usize).checked_sub(1);
        at.and_then(|at| self.all.get(at))
            .map_or("", |text| &**text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_clients_are_read_and_must_be_one_together() {
        let read = |text: &str| text.parse::<Clients>();
        let shares = Habits::default().clients;
        assert_eq!(read(&shares.to_string()), Ok(shares));
        assert_eq!(read("api=1"), Ok(Clients::API));
        assert_eq!(read("pages=0.25, plain=0.75").map(|read| read.api), Ok(0.0));
        for wrong in [
            "",
            "pages",
            "pages=0.5",
            "pages=2,api=-1",
            "web=1",
            "pages=x",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
