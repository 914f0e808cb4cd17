//! What a proposal would do, worked out before anybody approves it: what changes in the file, how
//! many people of the whole roster get other answers and when, what becomes of those who wait, and
//! who of those who are booked gets other seats.

pub mod agency;
mod keys;
mod retention;
pub mod roster;
pub mod seats;

use std::collections::BTreeSet;

use data_encoding::HEXLOWER;
use rayon::prelude::*;

use crate::crypto::sha256;

use crate::domain::campaign::diff::{FieldChange, diff};
use crate::domain::campaign::eligibility::{Answer, Subject};
use crate::domain::campaign::timeline::timeline;
use crate::domain::campaign::{Campaign, Finding};
use crate::domain::entry::GateAct;
use crate::domain::line::gate_act;
use crate::domain::roster::{Roster, RosterPerson};
use crate::domain::staff::proposal::Proposal;
use crate::domain::time::Stamp;
use crate::engine::import::lists::fits_slots;
use crate::files::Report;
use crate::service::Service;
use crate::service::activation::{LineTouched, dry_run};
use roster::RosterNumbers;

/// Instants at which a whole roster is asked: each takes a second for 60 million people.
const INSTANTS_MAX: usize = 64;
/// People that one core asks at a stretch.
const CHUNK: usize = 16_384;
/// Faults of a file that are told.
const FAULTS_MAX: usize = 50;

/// What a proposal would do.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Effect {
    /// The campaign that it is about.
    pub campaign: String,
    /// Why it can't be done; nothing else is known then.
    pub faults: Vec<String>,
    /// What a reviewer should know.
    pub cautions: Vec<String>,
    pub changes: Vec<FieldChange>,
    /// The whole roster, now and at the next instants at which an answer changes.
    pub at: Vec<AtInstant>,
    /// Lines with people for whom something changes.
    pub lines: Vec<LineTouched>,
    /// Rows of a list.
    pub rows: Option<u64>,
    /// What becomes of people who are booked.
    pub moves: Option<Moves>,
    /// What a roster file changes.
    pub roster: Option<Box<RosterNumbers>>,
    /// The most people who lose a right at one of the instants, or whose seats are others.
    pub takes: u64,
    /// The sites that it is about, by id; none for all of the campaign.
    pub sites: Option<Vec<String>>,
    /// Of the rows that change and of everybody who gets other seats, so that nobody approves what
    /// they have not seen. Counts of people who wait or may book are not in it.
    pub digest: String,
}

/// What becomes of people who are booked.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Moves {
    /// Slots that are closed.
    pub slots: u64,
    /// Holds of people who are deciding, which end.
    pub holds: u64,
    pub people: u64,
    /// Other seats were found for so many.
    pub found: u64,
    pub to_other_sites: u64,
    pub on_other_days: u64,
    /// For so many none were found: somebody has to call them.
    pub without: u64,
    /// Some of those, by number.
    pub without_numbers: Vec<String>,
    /// Some of those who move: number, dose before, dose after.
    pub examples: Vec<[String; 3]>,
    /// Of all who move, and of those without other seats.
    pub digest: [u8; 32],
}

/// How many people may book at an instant, by the rules in force and by the new ones.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AtInstant {
    /// The campaign, where it is not the one that all is about.
    pub campaign: Option<String>,
    /// RFC 3339, in the campaign's zone.
    pub at: String,
    pub people: u64,
    /// They may book by the new rules.
    pub may_book: u64,
    /// They may book by the new rules and not by those in force.
    pub gain: u64,
    /// They may book by the rules in force and not by the new ones.
    pub lose: u64,
}

/// Works out what a proposal would do. It takes seconds for a whole country.
pub fn effect(service: &Service, what: &Proposal, text: &str, now: Stamp) -> Effect {
    let effect = worked_out(service, what, text, now);
    let mut told = format!(
        "{:?}",
        (
            what,
            &effect.changes,
            &effect.moves,
            effect.rows,
            effect.takes
        )
    );
    if let Some(roster) = &effect.roster {
        told += &format!("{:?}", (roster.file, &roster.group_moves));
    }
    Effect {
        digest: HEXLOWER.encode(&sha256(told.as_bytes())[..16]),
        ..effect
    }
}

fn worked_out(service: &Service, what: &Proposal, text: &str, now: Stamp) -> Effect {
    match what {
        Proposal::Campaign => of_campaign(service, text, now),
        Proposal::Agency { campaign } => {
            agency::of_text(service, campaign.as_str(), text, agency::no_logo)
        }
        Proposal::AgencyLogo {
            campaign,
            text_bytes,
        } => agency::of_text_with_logo(service, campaign.as_str(), text, *text_bytes),
        Proposal::AgencyAgain { campaign, version } => {
            agency::of_version(service, campaign.as_str(), *version)
        }
        Proposal::Roster { file } => service.roster_effect(file, now),
        Proposal::Keys { change } => keys::of_keys(service, *change),
        Proposal::Sites { campaign } => seats::of_sites(service, campaign.as_str(), text),
        Proposal::Slots { campaign } => seats::of_slots(service, campaign.as_str(), text, now),
        Proposal::Close {
            campaign,
            range,
            plan,
        } => seats::of_closing(service, campaign.as_str(), range, plan, now),
        Proposal::Reopen { campaign, range } => {
            seats::of_reopening(service, campaign.as_str(), range, now)
        }
        Proposal::Retime {
            campaign,
            range,
            minutes,
            reason,
        } => seats::of_retiming(service, campaign.as_str(), range, (*minutes, reason), now),
        Proposal::Split {
            campaign,
            range,
            at,
            rollover,
        } => seats::of_split(service, campaign.as_str(), range, at, *rollover, now),
        Proposal::Gate { campaign, act } => Effect {
            campaign: campaign.to_string(),
            cautions: vec![act_told(act)],
            faults: of_act(service, campaign.as_str(), act),
            ..Effect::default()
        },
    }
}

/// An act as it will be done, for whoever approves it.
pub fn act_told(act: &GateAct) -> String {
    match act {
        GateAct::DrawValue {
            line,
            value,
            source,
        } => format!("line {line}: value {value}, source {source}"),
        other => serde_json::to_string(other).unwrap_or_default(),
    }
}

/// Why an act can't be done.
fn of_act(service: &Service, campaign: &str, act: &GateAct) -> Vec<String> {
    if let Err(fault) = gate_act::check(act) {
        return vec![fault.to_string()];
    }
    let offers = service.shared.offers().clone();
    let known = offers
        .iter()
        .find(|offer| offer.catalog.campaign.id.as_str() == campaign);
    let Some(offer) = known else {
        return unknown(false, campaign);
    };
    let GateAct::DrawValue { line, .. } = act else {
        return Vec::new();
    };
    let state = service.shared.state();
    let known = state.campaign(offer.catalog.index);
    let draw = known.and_then(|known| known.line(*line)?.draw.as_ref());
    let awaits = draw.is_some_and(|draw| draw.seed.is_none() && draw.value.is_none());
    let why = "no draw of this line awaits a public value: it is committed to when its opening is \
               the next, takes one value, and none once its seed is shown";
    (!awaits).then(|| why.to_owned()).into_iter().collect()
}

fn told(findings: Vec<Finding>) -> Vec<String> {
    let told = findings.into_iter().take(FAULTS_MAX);
    told.map(|finding| format!("line {}: {}", finding.line, finding.message))
        .collect()
}

fn of_campaign(service: &Service, text: &str, now: Stamp) -> Effect {
    let (next, cautions) = match Campaign::parse(text) {
        Ok(parsed) => parsed,
        Err(findings) => {
            return Effect {
                faults: told(findings),
                ..Effect::default()
            };
        }
    };
    // To the second, as people are told it.
    let now = Stamp(now.0 - now.0.rem_euclid(Stamp::SECOND));
    let seen = dry_run(&service.shared, next.clone(), now);
    let offers = service.shared.offers().clone();
    let known = offers
        .iter()
        .find(|offer| offer.catalog.campaign.id == next.id);
    let before = known.map(|offer| &offer.catalog.campaign);
    let roster = service.shared.roster();
    let mut instants = BTreeSet::from([now]);
    for rules in before.map(|before| &**before).into_iter().chain([&next]) {
        let to_come = timeline(rules).into_iter().map(|change| change.at);
        instants.extend(to_come.filter(|at| now < *at));
    }
    let before = before.map(|before| &**before);
    let shift = known.and_then(|offer| seats::of_intervals(service, offer, &next, now));
    let (moves, seats) = shift.map_or((None, None), |(moves, seats)| (Some(moves), Some(seats)));
    let moved = moves.as_ref().map_or(0, |moves| moves.people);
    let names = retention::due_at_once(service, &next, now);
    let erased = names.as_ref().map_or(0, |(people, _)| *people);
    let misfit = known.and_then(|offer| fits_slots(&offer.catalog, &next, true).err());
    let more = instants.len().saturating_sub(INSTANTS_MAX);
    let more = (more > 0).then(|| format!("{more} later instants are not looked at"));
    let instants = instants.into_iter().take(INSTANTS_MAX);
    let at: Vec<AtInstant> = instants
        .map(|at| at_instant(&roster, before, &next, at))
        .collect();
    Effect {
        campaign: next.id.to_string(),
        cautions: told(cautions)
            .into_iter()
            .chain(more)
            .chain(seats)
            .chain(names.map(|(_, told)| told))
            .collect(),
        changes: before.map_or_else(Vec::new, |before| diff(before, &next)),
        takes: [
            at.iter().map(|at| at.lose).max().unwrap_or(0),
            moved,
            erased,
        ]
        .into_iter()
        .max()
        .unwrap_or(0),
        at,
        moves,
        faults: misfit.into_iter().collect(),
        lines: seen.lines,
        ..Effect::default()
    }
}

/// Asks the whole roster, on all cores.
fn at_instant(roster: &Roster, before: Option<&Campaign>, next: &Campaign, at: Stamp) -> AtInstant {
    let bits = |rules: &Campaign| {
        let of_set = |set: &Vec<String>| rules.rules.group_bits(set.iter().map(String::as_str));
        roster.group_sets.iter().map(of_set).collect::<Vec<u64>>()
    };
    let old_bits = before.map(bits).unwrap_or_default();
    let new_bits = bits(next);
    let may = |rules: &Campaign, bits: &[u64], person: &RosterPerson| {
        let groups = bits.get(usize::from(person.groups.0)).copied();
        let subject = Subject {
            born: person.born.date(),
            groups: groups.unwrap_or(0),
        };
        rules.rules.decide(&subject, at).answer == Answer::Eligible
    };
    let counts = roster.people.par_chunks(CHUNK).map(|part| {
        let mut counts = [0_u64; 3];
        for person in part {
            let after = may(next, &new_bits, person);
            let earlier = before.is_some_and(|before| may(before, &old_bits, person));
            counts[0] += u64::from(after);
            counts[1] += u64::from(after && !earlier);
            counts[2] += u64::from(earlier && !after);
        }
        counts
    });
    let [may_book, gain, lose] =
        counts.reduce(|| [0; 3], |a, b| [a[0] + b[0], a[1] + b[1], a[2] + b[2]]);
    AtInstant {
        campaign: None,
        at: next.zone.rfc3339(at),
        people: roster.people.len() as u64,
        may_book,
        gain,
        lose,
    }
}

fn unknown(is_known: bool, campaign: &str) -> Vec<String> {
    let fault = format!("campaign `{campaign}` is not active");
    (!is_known).then_some(fault).into_iter().collect()
}

fn faults(report: &Report) -> Vec<String> {
    let told = report.faults.iter().take(FAULTS_MAX);
    let mut told: Vec<String> = told.map(ToString::to_string).collect();
    if report.faults_total as usize > told.len() {
        told.push(format!("{} faults in all", report.faults_total));
    }
    told
}
