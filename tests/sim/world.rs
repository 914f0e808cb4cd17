//! The small world of the simulation: twelve people, three sites, two vaccines, short openings.
//!
//! Everything is made as text or plain rows, the way an agency's files arrive. Secrets are fixed,
//! so that a seed writes the same bytes on every run.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::{Arc, OnceLock};

use sumun::clock::Entropy;
use sumun::domain::agency::rows::{AgencyRow, TextOf};
use sumun::domain::booking::site::{SiteRow, SlotRow};
use sumun::domain::campaign::rows::CampaignRow;
use sumun::domain::campaign::{IdentityField, Order};
use sumun::domain::crockford;
use sumun::domain::ids::{LineIndex, PersonKey, Seats, SiteIndex, VaccineIndex};
use sumun::domain::roster::contact::Contact;
use sumun::domain::time::{Day, Stamp};
use sumun::files::roster::{PreparedRoster, read};
use sumun::keys::Keys;

use crate::random::Random;

pub const SECOND: i64 = 1_000_000_000;
pub const MINUTE: i64 = 60 * SECOND;
pub const HOUR: i64 = 60 * MINUTE;
pub const DAY: i64 = 24 * HOUR;
/// Seoul keeps nine hours ahead all year.
pub const SEOUL: i64 = 9 * HOUR;
/// 2021-07-19T19:58 in Seoul.
pub const EVENING: Stamp = Stamp(1_626_692_280 * SECOND);
pub const SITES: u32 = 3;
/// Days between the two doses of the first vaccine; the second vaccine has one dose.
pub const INTERVAL: i32 = 2;

/// Secrets made for these tests alone.
const KEYS: &str = r#"{
  "form": 1,
  "person": "a7e35b8178600d0ef179a0d50e8c98fe898c336331852e59c2d3ff455d226d74",
  "name": "ddfd6d151708ca70258bc08b372a199da32b2808773c3b2946f2a6ca57cba592",
  "vault": "7e2562f7974a2a26eea69e29c3ae5908e1ab2242483112118a18230f42ef18f9",
  "number": "27765e305aa3dc930b15ac41eb00f93f4f413dc44fd5ff196bdaa40d46fcdcd2",
  "token_current": {
    "id": 1,
    "key": "3eb836d1a1391587b1603768da753ef94897d04eea7d6e361a27129df2450fb5"
  },
  "head": "KEY"
}"#;
const HEAD_KEY: [&str; 2] = [
    "3051020101300506032b6570042204207bc9e3c19026e388f12b7fd3a8bd5f7d8274872e4b19faba",
    "794fd1ffd2ac5cc48121001509cac142849e2ec1b3f7272605aa3ea13b6b0d48f3b9592a760ad70d9bd9ff",
];

/// The secrets of every run.
pub fn keys() -> Arc<Keys> {
    static MADE: OnceLock<Arc<Keys>> = OnceLock::new();
    let load = || {
        let folder = tempfile::tempdir().unwrap();
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let mut file = options.open(Keys::file(folder.path())).unwrap();
        let text = KEYS.replace("KEY", &HEAD_KEY.concat());
        file.write_all(text.as_bytes()).unwrap();
        Arc::new(Keys::load(folder.path()).unwrap())
    };
    Arc::clone(MADE.get_or_init(load))
}

/// Somebody an agency could know. `born` as in the file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Somebody {
    pub key: PersonKey,
    code: String,
    pub born: String,
    pub carer: bool,
    phone: String,
}

impl Somebody {
    /// What the vault must have of them: the telephone number with its country.
    pub fn contact(&self) -> Contact {
        Contact {
            name: format!("김{}", self.code),
            phone: self.phone.replacen('0', "+82", 1),
        }
    }
}

/// Twelve people: five of each opening's age, one older carer, one in no cohort.
pub fn people() -> Vec<Somebody> {
    let keys = keys();
    let values = (1..).map(|at: u64| at * 7_654_321);
    let values = values.filter(|value| crockford::is_plain(*value)).take(12);
    let somebody = |(at, value): (usize, u64)| Somebody {
        key: keys.person_key(value),
        code: crockford::format(value),
        born: match at {
            0..5 => format!("196{}-03-0{}", 5 + at % 5, at + 1),
            5..10 => format!("197{}-11-1{}", at % 5, at - 5),
            10 => "1940-01-01".to_owned(),
            _ => "1999-12-31".to_owned(),
        },
        carer: at == 10 || at == 3,
        phone: format!("010123400{at:02}"),
    };
    values.enumerate().map(somebody).collect()
}

/// Changes what the agency knows of somebody.
pub fn change(person: &mut Somebody, random: &mut Random) {
    match random.below(3) {
        0 => person.carer = !person.carer,
        1 => person.phone = format!("01099{:06}", random.below(1_000_000)),
        _ => person.born = format!("19{}-05-05", random.pick(&["66", "68", "71", "73", "98"])),
    }
}

/// The roster file of these people, read as `roster import` reads it.
pub fn roster(people: &[Somebody]) -> PreparedRoster {
    let mut text = "name,birth_date,code,phone,region,groups\n".to_owned();
    for person in people {
        let groups = if person.carer { "carer" } else { "" };
        let Somebody {
            born, code, phone, ..
        } = person;
        text += &format!("김{code},{born},{code},{phone},11/110,{groups}\n");
    }
    let today = Day::of(jiff::civil::date(2021, 7, 19));
    let read = read(text.as_bytes(), &keys(), &Entropy::system(), today);
    read.unwrap_or_else(|report| panic!("the roster is well-formed: {report:?}"))
}

/// A small file of an agency: one telephone number makes one version.
pub fn agency_text(telephone: &str) -> String {
    format!(
        "[agency]\nname = {{ ko = \"청\", en = \"Agency\" }}\ntelephone = \"{telephone}\"\n\
         [agency.consent]\nversion = \"1\"\ntext = {{ ko = \"예\", en = \"Yes\" }}\n\
         [[agency.vaccine]]\nid = \"mrna\"\nname = {{ ko = \"백신\", en = \"Vaccine\" }}\n"
    )
}

/// What the journal must say of that file.
pub fn agency_rows(telephone: &str) -> Vec<AgencyRow> {
    let text = |of: TextOf, [ko, en]: [&str; 2]| {
        [("ko", ko), ("en", en)].map(|(tag, text)| AgencyRow::Text {
            of,
            tag: tag.to_owned(),
            text: text.to_owned(),
        })
    };
    let mut rows = Vec::from(text(TextOf::Name, ["청", "Agency"]));
    rows.push(AgencyRow::Telephone(telephone.to_owned()));
    rows.push(AgencyRow::ConsentVersion("1".to_owned()));
    rows.extend(text(TextOf::Consent, ["예", "Yes"]));
    let id = "mrna".to_owned();
    rows.push(AgencyRow::Vaccine { id });
    rows.extend(text(TextOf::VaccineName(0), ["백신", "Vaccine"]));
    rows
}

/// One version of a campaign's rules, as the simulation knows them.
#[derive(Clone, PartialEq, Debug)]
pub struct Rules {
    pub id: String,
    pub hold_s: i64,
    /// 0 when holds can't be extended.
    pub hold_extend_s: i64,
    pub change_days: i32,
    /// For each of `COHORTS`: its openings, in order, half-open.
    pub openings: [Vec<(Stamp, Stamp)>; 3],
}

/// Names, first and last birth date, and whether only carers are in it.
pub const COHORTS: [(&str, &str, &str, bool); 3] = [
    ("early", "1965-01-01", "1969-12-31", false),
    ("late", "1970-01-01", "1974-12-31", false),
    ("carers", "1930-01-01", "1949-12-31", true),
];

impl Rules {
    /// Rules whose openings lie about `now`.
    pub fn about(id: &str, now: Stamp, random: &mut Random) -> Self {
        let minute = now.0.div_euclid(MINUTE);
        let mut openings: [Vec<(Stamp, Stamp)>; 3] = Default::default();
        for cohort in &mut openings {
            let mut from = minute - 20 + random.below(30) as i64;
            for _ in 0..1 + random.below(3) {
                let until = from + 5 + random.below(240) as i64;
                cohort.push((Stamp(from * MINUTE), Stamp(until * MINUTE)));
                from = until + 1 + random.below(40) as i64;
            }
        }
        Self {
            id: id.to_owned(),
            hold_s: 60 + random.below(240) as i64,
            hold_extend_s: random.below(4) as i64 * 60,
            change_days: random.below(2) as i32,
            openings,
        }
    }

    /// The lines of its openings, in the file's order, when `before` is in force and the campaign
    /// has had so many lines. Each opening is for one cohort. It goes on with the line of the one
    /// that began at the same instant, else with that of the nearest that is not over, else it has
    /// a new one.
    pub fn lines_after(&self, before: Option<(&Self, &[u16])>, had: u16, now: Stamp) -> Vec<u16> {
        let flat = |rules: &Self| -> Vec<(usize, Stamp, Stamp)> {
            let all = rules.openings.iter().enumerate();
            let all = all.flat_map(|(cohort, openings)| {
                openings
                    .iter()
                    .map(move |(from, until)| (cohort, *from, *until))
            });
            all.collect()
        };
        let mut old: Vec<_> = before.map_or_else(Vec::new, |(rules, lines)| {
            flat(rules).into_iter().zip(lines.iter().copied()).collect()
        });
        let new = flat(self);
        let mut lines: Vec<Option<u16>> = vec![None; new.len()];
        for (at, (cohort, from, _)) in new.iter().enumerate() {
            if let Some(same) = old
                .iter()
                .position(|(it, _)| (it.0, it.1) == (*cohort, *from))
            {
                lines[at] = Some(old.remove(same).1);
            }
        }
        for (at, (cohort, from, until)) in new.iter().enumerate() {
            if lines[at].is_some() || *until <= now {
                continue;
            }
            let mut nearest: Option<(u64, usize)> = None;
            for (place, ((its, begins, ends), _)) in old.iter().enumerate() {
                let apart = begins.0.abs_diff(from.0);
                let fits = its == cohort && now < *ends;
                if fits && nearest.is_none_or(|(best, _)| apart < best) {
                    nearest = Some((apart, place));
                }
            }
            lines[at] = nearest.map(|(_, place)| old.remove(place).1);
        }
        let mut next = had;
        let fresh = |line: Option<u16>| {
            line.unwrap_or_else(|| {
                next += 1;
                next - 1
            })
        };
        lines.into_iter().map(fresh).collect()
    }

    /// What the file means, as the journal must keep it, with the lines of its openings.
    pub fn rows(&self, lines: &[u16]) -> Vec<CampaignRow> {
        let mut lines = lines.iter().copied().map(LineIndex);
        let day = |text: &str| Day::of(text.parse().expect("a date of the cohorts"));
        let mut rows = vec![
            CampaignRow::Id(self.id.clone()),
            CampaignRow::Name {
                ko: "예약".to_owned(),
                en: "Booking".to_owned(),
            },
            CampaignRow::Zone("Asia/Seoul".to_owned()),
            CampaignRow::Identity(vec![
                IdentityField::Name,
                IdentityField::BirthDate,
                IdentityField::Code,
            ]),
        ];
        for (name, first, last, carers) in COHORTS {
            rows.push(CampaignRow::Cohort {
                id: name.to_owned(),
                born_first: day(first),
                born_last: day(last),
                groups_any: carers.then(|| "carer".to_owned()).into_iter().collect(),
            });
        }
        for (cohort, openings) in self.openings.iter().enumerate() {
            rows.extend(openings.iter().map(|(from, until)| CampaignRow::Opening {
                from: *from,
                until: *until,
                cohorts: vec![cohort as u16],
                birth_day_last_digits: Vec::new(),
                line: lines.next().expect("each opening has a line"),
            }));
        }
        for (id, doses, interval_days) in [("mrna", 2, INTERVAL as u16), ("single", 1, 0)] {
            rows.push(CampaignRow::Vaccine {
                id: id.to_owned(),
                doses,
                interval_days,
            });
        }
        rows.extend([
            CampaignRow::HoldS(self.hold_s as u32),
            CampaignRow::ChangeUntilDays(self.change_days as u16),
            CampaignRow::Order(Order::Arrival),
            CampaignRow::LobbyOpensMin(1),
            CampaignRow::LastEntryMin(0),
            CampaignRow::FinishMin(0),
            CampaignRow::AdmitPerS(280),
            CampaignRow::ActiveMax(60_000),
            CampaignRow::SessionIdleS(600),
            CampaignRow::WindowMin(10),
            CampaignRow::WindowPeople(None),
            CampaignRow::RevealMin(1_440),
            CampaignRow::HoldExtendS(self.hold_extend_s as u32),
            CampaignRow::PersonalDataDays(0),
        ]);
        rows
    }

    /// The campaign file.
    pub fn text(&self) -> String {
        let mut text = format!(
            "[campaign]\nid = \"{}\"\nname = {{ ko = \"예약\", en = \"Booking\" }}\n\
             timezone = \"Asia/Seoul\"\nidentity = [\"name\", \"birth_date\", \"code\"]\n",
            self.id
        );
        for (name, first, last, carers) in COHORTS {
            let groups = if carers { "\"carer\"" } else { "" };
            text += &format!(
                "[[cohort]]\nid = \"{name}\"\nborn = [\"{first}\", \"{last}\"]\n\
                 groups_any = [{groups}]\n"
            );
        }
        for (cohort, openings) in COHORTS.iter().zip(&self.openings) {
            for (from, until) in openings {
                let (from, until) = (local(*from), local(*until));
                text += &format!(
                    "[[opening]]\ncohorts = [\"{}\"]\nfrom = \"{from}\"\nuntil = \"{until}\"\n",
                    cohort.0
                );
            }
        }
        text + &format!(
            "[[vaccine]]\nid = \"mrna\"\ndoses = 2\ninterval_days = {INTERVAL}\n\
             [[vaccine]]\nid = \"single\"\ndoses = 1\n\
             [booking]\nhold_s = {}\nhold_extend_s = {}\nchange_until_days = {}\n\
             [gate]\nlobby_opens_min = 1\n",
            self.hold_s, self.hold_extend_s, self.change_days
        )
    }
}

fn local(stamp: Stamp) -> String {
    let shown = Stamp(stamp.0 + SEOUL).instant();
    let utc = shown.to_zoned(jiff::tz::TimeZone::UTC);
    utc.strftime("%Y-%m-%dT%H:%M").to_string()
}

/// The date that calendars in Seoul show.
pub fn today(now: Stamp) -> i32 {
    (now.0 + SEOUL).div_euclid(DAY) as i32
}

/// Midnight of Seoul at the beginning of a date.
pub fn midnight(day: i32) -> Stamp {
    Stamp(i64::from(day) * DAY - SEOUL)
}

pub fn site(number: u32, phone: &str) -> SiteRow {
    SiteRow {
        site: format!("site-{number}"),
        name_ko: format!("접종센터 {number}"),
        name_en: format!("Centre {number}"),
        region: "11/110".to_owned(),
        address: format!("{number} Main Street"),
        lat_e6: 37_500_000,
        lng_e6: 127_000_000,
        phone: phone.to_owned(),
    }
}

pub fn slot(site: u32, vaccine: u8, day: i32, start_min: u16, capacity: Seats) -> SlotRow {
    let start = midnight(day).0 + i64::from(start_min) * MINUTE;
    SlotRow {
        site: SiteIndex(site),
        vaccine: VaccineIndex(vaccine),
        date: Day(day),
        start_min,
        start: Stamp(start),
        end: Stamp(start + 30 * MINUTE),
        capacity,
    }
}

/// Seats of every pool: one of the public pool at least.
fn seats(public_max: u64, random: &mut Random) -> Seats {
    let public = 1 + random.below(public_max) as u16;
    let mut seats = Seats::default();
    seats[..4].copy_from_slice(&[
        public,
        random.below(3) as u16,
        random.below(2) as u16,
        random.below(2) as u16,
    ]);
    seats
}

/// Slots about `now`: for a day some slots of both vaccines, and the second doses.
pub fn slots(now: Stamp, random: &mut Random) -> Vec<SlotRow> {
    let mut rows: Vec<SlotRow> = Vec::new();
    for _ in 0..3 {
        let (site, vaccine) = (random.below(3) as u32, random.below(2) as u8);
        let day = today(now) + random.below(5) as i32;
        let start_min = if random.percent(50) { 600 } else { 21 * 60 };
        let capacity = seats(3, random);
        rows.push(slot(site, vaccine, day, start_min, capacity));
        if vaccine == 0 && random.percent(80) {
            let capacity = seats(4, random);
            rows.push(slot(site, 0, day + INTERVAL, start_min, capacity));
        }
    }
    rows.sort_by_key(|row| (row.site, row.vaccine, row.date, row.start_min));
    rows.dedup_by_key(|row| (row.site, row.vaccine, row.date, row.start_min));
    rows
}
