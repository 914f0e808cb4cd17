//! What a roster file would change, in numbers: who is new, changed, gone and moved between groups,
//! and who may book when. No name, no code and no key of a person leaves this.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rayon::prelude::*;

use super::{AtInstant, CHUNK, Effect, INSTANTS_MAX, faults};
use crate::clock::Entropy;
use crate::crypto::Sha256;
use crate::domain::campaign::Campaign;
use crate::domain::campaign::eligibility::{Answer, Subject};
use crate::domain::campaign::timeline::timeline;
use crate::domain::ids::PersonKey;
use crate::domain::roster::{Changed, Roster, RosterPerson};
use crate::domain::staff::proposal::RosterFile;
use crate::domain::text::grouped;
use crate::domain::time::{Day, Stamp};
use crate::engine::command::Accepted;
use crate::engine::import::roster::{compare, stand};
use crate::files::SHOWN_MAX;
use crate::files::roster::{PreparedRoster, Reading, SamePerson, SealedContacts};
use crate::service::Service;
use crate::service::desk::rosters::{Compared, HowToRead};

/// Lines of the file, and moves between groups, that are shown.
const SHOWN: usize = 50;

/// What a roster file changes, in numbers.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RosterNumbers {
    pub file: RosterFile,
    /// Of the file as it was sent, so that its owner can compare it; it is never in the journal.
    pub sent_sha256: String,
    pub unchanged: u64,
    pub name: u64,
    pub phone: u64,
    pub birth_date: u64,
    pub region: u64,
    pub groups: u64,
    /// People who were recognised under a new code.
    pub new_code: u64,
    /// Lines of people who may be somebody known under a new code.
    pub undecided_lines: Vec<u32>,
    /// Rows that look like one person under two codes.
    pub same_person: u64,
    /// Some of them: the line, and the earlier line that it is like.
    pub same_person_lines: Vec<(u32, u32)>,
    /// Groups before, groups after, people; the most people first.
    pub group_moves: Vec<(String, String, u64)>,
    /// People who stay and lose a right at one of the instants.
    pub lose: u64,
    /// Of all who are gone or lose a right: they have a booking or a hold, and keep it.
    pub booked: u64,
    /// Of the same: they have a place in a line.
    pub waiting: u64,
}

/// Why a file that was proposed is not read.
pub(in crate::service::desk) enum NotRead {
    /// It is not there, or is another one; nothing of its rows is said.
    NotThere(String),
    /// What is wrong with its rows, by line.
    Findings(Vec<String>),
}

/// Reads a sealed file against the roster in force.
pub(in crate::service::desk) fn read(
    service: &Service,
    file: &RosterFile,
    contacts: SealedContacts,
    now: Stamp,
) -> Result<(PreparedRoster, String), NotRead> {
    let rosters = &service.desk.rosters;
    let opened = rosters.open(&service.keys, &file.sha256);
    let (how, opened) = opened.map_err(NotRead::NotThere)?;
    let HowToRead { encoding, country } = how;
    let vault = service.shared.state().vault.clone();
    let entropy = Entropy::system();
    let reading = Reading {
        keys: &service.keys,
        entropy: &entropy,
        today: Day::of(now.instant().to_zoned(jiff::tz::TimeZone::UTC).date()),
        in_force: &service.shared.roster(),
        vault: &vault,
        same_person: SamePerson::Warn,
        encoding,
        country,
        faults_max: SHOWN_MAX,
        contacts,
    };
    let mut sent = Sent {
        from: opened,
        sha256: Sha256::default(),
    };
    let prepared = reading.read(&mut sent);
    let prepared = prepared.map_err(|report| NotRead::Findings(faults(&report)))?;
    // What a spreadsheet has behind its last sheet.
    let rest = std::io::copy(&mut sent, &mut std::io::sink());
    rest.map_err(|fault| NotRead::NotThere(fault.to_string()))?;
    let sent = data_encoding::HEXLOWER.encode(&sent.sha256.finish());
    Ok((prepared, sent))
}

/// The file as it was sent, and its hash once it is read.
struct Sent<R> {
    from: R,
    sha256: Sha256,
}

impl<R: std::io::Read> std::io::Read for Sent<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let read = self.from.read(into)?;
        self.sha256.update(&into[..read]);
        Ok(read)
    }
}

/// What a roster file would do, and whom its figures tell of.
pub(in crate::service::desk) fn of_roster(
    service: &Service,
    file: &RosterFile,
    now: Stamp,
) -> (Effect, Option<Compared>) {
    let not_possible = |faults| {
        let effect = Effect {
            faults,
            ..Effect::default()
        };
        (effect, None)
    };
    // One file is read at a time: two of a country don't fit into the memory.
    let _lane = service.shared.roster_lane().wait();
    let (prepared, sent_sha256) = match read(service, file, SealedContacts::not_wanted(), now) {
        Ok(read) => read,
        Err(NotRead::NotThere(why)) => return not_possible(vec![why]),
        Err(NotRead::Findings(faults)) => return not_possible(faults),
    };
    let (shared, store, keys) = (&service.shared, &service.store, &service.keys);
    let none = Accepted::default();
    let Ok(compared) = compare(shared, store, keys, &prepared, none) else {
        let why = "the data file can't be read: look at the server's log";
        return not_possible(vec![why.to_owned()]);
    };
    let next = &prepared.roster;
    let base = &compared.base;
    let known_before = compared.known_before();
    let gone: Vec<PersonKey> = {
        let stayed: BTreeSet<&PersonKey> = known_before.values().collect();
        let gone = compared.difference.gone.iter();
        let gone = gone.map(|at| base.people[*at as usize].key);
        gone.filter(|key| !stayed.contains(key)).collect()
    };
    let offers = shared.offers().clone();
    let campaigns: Vec<&Campaign> = offers
        .iter()
        .map(|offer| &*offer.catalog.campaign)
        .collect();
    let now = Stamp(now.0 - now.0.rem_euclid(Stamp::SECOND));
    let asked = Asked::of(base, next, &campaigns, now);
    let (counts, losers) = asked.all(&known_before, &gone);
    let changed = |what: fn(&Changed) -> bool| {
        let changed = compared.difference.changed.iter();
        changed.filter(|changed| what(changed)).count() as u64
    };
    let touched: Vec<PersonKey> = gone.iter().chain(&losers).copied().collect();
    let (booked, waiting) = stand(shared, &touched);
    let news = &compared.news;
    let numbers = RosterNumbers {
        file: RosterFile {
            sha256: file.sha256,
            bytes: service.desk.rosters.bytes(&file.sha256).unwrap_or(0),
            base: base.version,
            people: next.people.len() as u64,
            added: compared.counts.added as u64,
            changed: compared.counts.changed as u64,
            gone: compared.counts.gone as u64,
            erased_back: news.erased_back as u64,
        },
        sent_sha256,
        unchanged: compared.counts.unchanged,
        name: changed(|changed| changed.name),
        phone: changed(|changed| changed.phone),
        birth_date: changed(|changed| changed.birth_date),
        region: changed(|changed| changed.region),
        groups: changed(|changed| changed.groups),
        new_code: news.rekeyed as u64,
        undecided_lines: news.undecided.iter().take(SHOWN).copied().collect(),
        same_person: news.same_people.total,
        same_person_lines: news.same_people.lines.iter().take(SHOWN).copied().collect(),
        group_moves: group_moves(base, next, &compared.difference.changed),
        lose: losers.len() as u64,
        booked,
        waiting,
    };
    let takes = numbers.file.gone + numbers.lose;
    let looked_at = compared.look_at(next);
    let effect = Effect {
        cautions: cautions(&numbers),
        at: asked.told(&counts),
        rows: Some(numbers.file.people),
        takes,
        roster: Some(Box::new(numbers)),
        ..Effect::default()
    };
    let looked_at = looked_at.map(|(rows, people)| Compared { rows, people });
    (effect, looked_at)
}

fn cautions(numbers: &RosterNumbers) -> Vec<String> {
    let mut cautions = Vec::new();
    let RosterFile {
        gone, erased_back, ..
    } = numbers.file;
    if gone > 0 {
        cautions.push(format!(
            "{} people are not in the file any more: they book nothing new; what they have booked \
             stays, and they can look at, move and cancel it",
            grouped(gone)
        ));
    }
    if erased_back > 0 {
        cautions.push(format!(
            "the names and telephone numbers of {} people were erased, and this stores them again",
            grouped(erased_back)
        ));
    }
    cautions
}

/// Moves of people between sets of groups.
fn group_moves(base: &Roster, next: &Roster, changed: &[Changed]) -> Vec<(String, String, u64)> {
    let mut moves: BTreeMap<(u16, u16), u64> = BTreeMap::new();
    for changed in changed.iter().filter(|changed| changed.groups) {
        let old = base.people[changed.old as usize].groups.0;
        let new = next.people[changed.new as usize].groups.0;
        *moves.entry((old, new)).or_default() += 1;
    }
    let told = |roster: &Roster, at: u16| roster.group_sets[usize::from(at)].join(", ");
    let mut moves: Vec<_> = moves.into_iter().collect();
    moves.sort_by_key(|((old, new), people)| (std::cmp::Reverse(*people), *old, *new));
    let moves = moves.into_iter().take(SHOWN);
    moves
        .map(|((old, new), people)| (told(base, old), told(next, new), people))
        .collect()
}

/// The instants at which both rosters are asked, by the rules of each campaign.
struct Asked<'a> {
    base: &'a Roster,
    next: &'a Roster,
    rules: Vec<OfCampaign<'a>>,
    /// Positions of rules, and instants.
    at: Vec<(usize, Stamp)>,
}

struct OfCampaign<'a> {
    rules: &'a Campaign,
    /// What the rules know of each set of groups, of the roster in force and of the next.
    old: Vec<u64>,
    new: Vec<u64>,
}

/// May book, gain, lose.
type Counts = Vec<[u64; 3]>;

impl<'a> Asked<'a> {
    fn of(base: &'a Roster, next: &'a Roster, campaigns: &[&'a Campaign], now: Stamp) -> Self {
        let bits = |roster: &Roster, rules: &Campaign| {
            let of_set = |set: &Vec<String>| rules.rules.group_bits(set.iter().map(String::as_str));
            roster.group_sets.iter().map(of_set).collect::<Vec<u64>>()
        };
        let of_campaign = |rules: &&'a Campaign| OfCampaign {
            rules,
            old: bits(base, rules),
            new: bits(next, rules),
        };
        let each = (INSTANTS_MAX / campaigns.len().max(1)).max(2);
        let mut at = Vec::new();
        for (position, rules) in campaigns.iter().enumerate() {
            let mut instants = BTreeSet::from([now]);
            let to_come = timeline(rules).into_iter().map(|change| change.at);
            instants.extend(to_come.filter(|at| now < *at));
            at.extend(instants.into_iter().take(each).map(|at| (position, at)));
        }
        Self {
            base,
            next,
            rules: campaigns.iter().map(of_campaign).collect(),
            at,
        }
    }

    fn may(rules: &Campaign, bits: &[u64], person: &RosterPerson, at: Stamp) -> bool {
        let groups = bits.get(usize::from(person.groups.0)).copied();
        let subject = Subject {
            born: person.born.date(),
            groups: groups.unwrap_or(0),
        };
        rules.rules.decide(&subject, at).answer == Answer::Eligible
    }

    /// Counts at each instant, and the people who stay and lose a right at one of them.
    fn all(
        &self,
        known_before: &HashMap<PersonKey, PersonKey>,
        gone: &[PersonKey],
    ) -> (Counts, Vec<PersonKey>) {
        let none = || (vec![[0; 3]; self.at.len()], Vec::new());
        let parts = self.next.people.par_chunks(CHUNK).map(|part| {
            let (mut counts, mut losers): (Counts, Vec<PersonKey>) = none();
            for person in part {
                let old_key = known_before.get(&person.key).unwrap_or(&person.key);
                let before = self.base.find(old_key);
                let mut loses = false;
                for (count, (position, at)) in counts.iter_mut().zip(&self.at) {
                    let of = &self.rules[*position];
                    let after = Self::may(of.rules, &of.new, person, *at);
                    let earlier =
                        before.is_some_and(|before| Self::may(of.rules, &of.old, before, *at));
                    count[0] += u64::from(after);
                    count[1] += u64::from(after && !earlier);
                    count[2] += u64::from(earlier && !after);
                    loses |= earlier && !after;
                }
                if loses {
                    losers.push(person.key);
                }
            }
            (counts, losers)
        });
        let (mut counts, losers) = parts.reduce(none, |(mut counts, mut losers), other| {
            for (count, more) in counts.iter_mut().zip(other.0) {
                for (count, more) in count.iter_mut().zip(more) {
                    *count += more;
                }
            }
            losers.extend(other.1);
            (counts, losers)
        });
        for person in gone.iter().filter_map(|key| self.base.find(key)) {
            for (count, (position, at)) in counts.iter_mut().zip(&self.at) {
                let of = &self.rules[*position];
                count[2] += u64::from(Self::may(of.rules, &of.old, person, *at));
            }
        }
        (counts, losers)
    }

    fn told(&self, counts: &Counts) -> Vec<AtInstant> {
        let told = counts.iter().zip(&self.at);
        told.map(|([may_book, gain, lose], (position, at))| {
            let rules = self.rules[*position].rules;
            AtInstant {
                campaign: Some(rules.id.to_string()),
                at: rules.zone.rfc3339(*at),
                people: self.next.people.len() as u64,
                may_book: *may_book,
                gain: *gain,
                lose: *lose,
            }
        })
        .collect()
    }
}
