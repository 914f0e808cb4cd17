//! Lists in pieces: their size, their order, and what a journal of another day means.

use super::*;
use crate::domain::apply::apply;
use crate::domain::campaign::eligibility::{Answer, Subject};
use crate::domain::entry::{Actor, Entry};
use crate::domain::ids::{
    CampaignIndex, HoldId, LineIndex, PersonKey, Seq, SiteIndex, VaccineIndex,
};
use crate::domain::line::Given;
use crate::domain::state::State;
use crate::domain::time::{Day, Stamp};

const JULY: &str = include_str!("../../../data/campaign.toml");
const INDEX: CampaignIndex = CampaignIndex(0);

/// A journal by hand.
struct Journal {
    state: State,
    now: Stamp,
}

impl Journal {
    fn new() -> Self {
        let mut journal = Self {
            state: State::default(),
            now: Stamp(1),
        };
        journal.add(Change::Founded {
            simulated_clock: false,
            head_public_key: [0; 32],
        });
        journal
    }

    /// Adds an entry by way of its bytes, as a replay does.
    fn try_add(&mut self, change: Change) -> Result<(), String> {
        let entry = Entry {
            seq: Seq(self.state.seq.0 + 1),
            stamp: self.now,
            previous: self.state.head,
            actor: Actor::operator(&"x".repeat(500)),
            change,
        };
        let mut bytes = Vec::new();
        let hash = entry.encode(&mut bytes);
        let entry = Entry::decode(&bytes).map_err(|fault| fault.to_string())?;
        apply(&mut self.state, &entry, hash).map_err(|contradiction| contradiction.what)
    }

    fn add(&mut self, change: Change) {
        self.try_add(change).expect("it follows");
    }

    fn add_all(&mut self, changes: Vec<Change>) {
        changes.into_iter().for_each(|change| self.add(change));
    }
}

fn activated() -> Journal {
    let mut journal = Journal::new();
    let (campaign, _) = Campaign::parse(JULY).unwrap();
    journal.add_all(activation(INDEX, 1, JULY, &campaign).unwrap());
    journal
}

fn site(number: u32, text: &str) -> SiteRow {
    SiteRow {
        site: format!("site-{number}"),
        name_ko: text.to_owned(),
        name_en: text.to_owned(),
        region: "11/110".to_owned(),
        address: text.to_owned(),
        lat_e6: 37_500_000,
        lng_e6: 127_000_000,
        phone: "021230000".to_owned(),
    }
}

fn slot(site: u32, start_min: u16) -> SlotRow {
    SlotRow {
        site: SiteIndex(site),
        vaccine: VaccineIndex(0),
        date: Day(18_841),
        start_min,
        start: Stamp(i64::from(start_min)),
        end: Stamp(i64::from(start_min) + 1),
        capacity: [3, 2, 1, 0, 0],
    }
}

#[test]
fn what_an_activation_meant_is_in_the_journal_and_no_parser_is_asked_again() {
    let (campaign, _) = Campaign::parse(JULY).unwrap();
    // No check of any day would take this text; its zone is in no table, its times are no times.
    let source = "what = [ was written then\u{f0000}\ntimezone = \"Asia/Atlantis\"\n";
    assert!(Campaign::parse(source).is_err());
    let mut compiled = campaign.clone();
    compiled.zone = crate::domain::time::Zone::of_journal("Asia/Atlantis");
    let mut journal = Journal::new();
    journal.add_all(activation(INDEX, 1, source, &compiled).unwrap());
    let known = &journal.state.campaigns[0];
    assert_eq!(&*known.catalog.versions[0].source, source);
    let rules = &known.catalog.campaign.rules;
    let subject = Subject {
        born: jiff::civil::date(1967, 3, 4),
        groups: 0,
    };
    let answer = |text: &str| {
        let at = Stamp::parse(text).unwrap();
        assert_eq!(
            rules.decide(&subject, at),
            campaign.rules.decide(&subject, at)
        );
        rules.decide(&subject, at).answer
    };
    assert_eq!(answer("2021-07-19T19:59:59+09:00"), Answer::NotOpenYet);
    assert_eq!(answer("2021-07-19T20:00:00+09:00"), Answer::Eligible);
    assert_eq!(answer("2021-07-20T18:00:00+09:00"), Answer::OpeningClosed);
}

#[test]
fn a_source_of_a_mebibyte_is_split_between_characters_and_comes_together_again() {
    let (campaign, _) = Campaign::parse(JULY).unwrap();
    // Three bytes a character, so that no bound falls between two by chance.
    let source = format!("{JULY}# {}", "가".repeat((1 << 20) / 3));
    let changes = activation(INDEX, 1, &source, &campaign).unwrap();
    assert!(changes.len() > 17, "{} entries", changes.len());
    let mut journal = Journal::new();
    for (at, change) in changes.iter().enumerate() {
        assert!(
            journal.state.campaigns.is_empty(),
            "nothing before entry {at}"
        );
        journal.add(change.clone());
    }
    assert_eq!(
        &*journal.state.campaigns[0].catalog.versions[0].source,
        source
    );
    assert_eq!(journal.state.pending, None);
}

#[test]
fn the_longest_rows_of_every_kind_fit_their_entries() {
    // As long as a file may make them: see the bounds of `files` and of `campaign`.
    let wide = "\u{1f600}";
    let mut longest = site(0, &wide.repeat(200));
    longest.site = "x".repeat(64);
    let places = vec![(PersonKey([7; 16]), Given::new(u64::from(u32::MAX), true))];
    assert_eq!(encoded_bytes(&places), 1 + 21);
    let cohort = CampaignRow::Cohort {
        id: "x".repeat(64),
        born_first: Day(i32::MIN),
        born_last: Day(i32::MAX),
        groups_any: vec![wide.repeat(64); crate::domain::campaign::GROUPS_MAX],
    };
    let opening = CampaignRow::Opening {
        from: Stamp(i64::MIN),
        until: Stamp::MAX,
        cohorts: vec![u16::MAX; crate::domain::campaign::COHORTS_MAX],
        birth_day_last_digits: (0..10).collect(),
        line: LineIndex(u16::MAX),
    };
    for row in [
        encoded_bytes(&longest),
        encoded_bytes(&cohort),
        encoded_bytes(&opening),
    ] {
        assert!(row <= PIECE_BYTES_MAX, "{row} bytes");
    }
    // Many of the longest: every entry is read again, by `add`.
    let mut journal = activated();
    let rows: Vec<_> = (0..500)
        .map(|number| SiteRow {
            site: format!("{number:064}"),
            ..longest.clone()
        })
        .collect();
    let changes = sites(INDEX, &rows).unwrap();
    assert!(changes.len() > 20);
    journal.add_all(changes);
    assert_eq!(journal.state.campaigns[0].catalog.sites.len(), 500);
}

#[test]
fn a_row_that_no_entry_can_hold_is_refused() {
    let most = PIECE_BYTES_MAX - encoded_bytes(&site(1, "")) - 2;
    let mut row = site(1, "");
    row.address = "x".repeat(most);
    assert_eq!(encoded_bytes(&row), PIECE_BYTES_MAX);
    assert_eq!(sites(INDEX, std::slice::from_ref(&row)).unwrap().len(), 2);
    row.address.push('x');
    assert_eq!(sites(INDEX, &[row]), Err(RowTooLong(PIECE_BYTES_MAX + 1)));
}

#[test]
fn runs_are_as_long_as_they_may_be_and_lose_nothing() {
    let rows: Vec<_> = (0..10_000).map(|at| slot(at, 540)).collect();
    let runs = split(&rows).unwrap();
    assert_eq!(runs.concat(), rows);
    let sizes: Vec<usize> = runs
        .iter()
        .map(|run| run.iter().map(encoded_bytes).sum())
        .collect();
    let (last, full) = sizes.split_last().unwrap();
    assert!(
        full.iter().all(|size| *size > PIECE_BYTES_MAX - 64),
        "{sizes:?}"
    );
    assert!(
        full.iter()
            .chain([last])
            .all(|size| *size <= PIECE_BYTES_MAX)
    );
    assert_eq!(split::<SlotRow>(&[]), Ok(Vec::new()));
}

#[test]
fn people_go_on_between_the_pieces_and_all_of_a_list_lands_at_once() {
    let mut journal = activated();
    journal.add_all(sites(INDEX, &[site(0, "first"), site(1, "second")]).unwrap());
    journal.add_all(slots(INDEX, &[slot(0, 540)]).unwrap());
    let rows: Vec<_> = (600..620).map(|start_min| slot(1, start_min)).collect();
    let pieces = rows.chunks(7).map(|rows| Piece::Slots(rows.to_vec()));
    let changes = list(
        INDEX,
        pieces.collect(),
        Change::SlotsImported {
            campaign: INDEX,
            parts: 3,
            rows: 20,
        },
    );
    for (at, change) in changes.into_iter().enumerate() {
        assert_eq!(journal.state.campaigns[0].catalog.slots.len(), 1);
        journal.add(change);
        if at < 3 {
            // A person holds a seat, and gives it back.
            let (campaign, person) = (INDEX, PersonKey([at as u8; 16]));
            let pool = crate::domain::ids::Pool::Partner;
            journal.add(Change::HoldPlaced {
                campaign,
                person,
                doses: crate::domain::entry::Doses {
                    first: crate::domain::ids::SlotIndex(0),
                    second: None,
                },
                pool,
                until: Stamp(9),
                released: None,
            });
            let hold = HoldId(journal.state.seq.0);
            journal.add(Change::HoldEnded {
                campaign,
                person,
                hold,
                pool,
                reason: crate::domain::entry::HoldEnd::Released,
            });
        }
    }
    assert_eq!(journal.state.campaigns[0].catalog.slots.len(), 21);
    assert_eq!(journal.state.campaigns[0].recount(), []);
}

#[test]
fn a_list_that_was_never_ended_never_lands() {
    let mut journal = activated();
    let three = [site(0, "a"), site(1, "b"), site(2, "c")];
    let mut unfinished = sites(INDEX, &three).unwrap();
    let last = unfinished.pop().unwrap();
    journal.add_all(unfinished);
    assert!(journal.state.pending.is_some());
    journal.add(Change::Started {
        program: "again".to_owned(),
    });
    journal.add_all(sites(INDEX, &[site(7, "new")]).unwrap());
    assert_eq!(journal.state.pending, None);
    let known = &journal.state.campaigns[0].catalog.sites;
    assert_eq!(known.len(), 1);
    assert_eq!(known[0].row.name_ko, "new");
    let lost = journal.try_add(last).unwrap_err();
    assert!(lost.contains("none is in progress"), "{lost}");
}

#[test]
fn an_end_that_does_not_fit_its_pieces_is_a_contradiction() {
    let rows = [slot(0, 540), slot(0, 570)];
    let good = slots(INDEX, &rows).unwrap();
    let refused = |changes: Vec<Change>| {
        let mut journal = activated();
        journal.add_all(sites(INDEX, &[site(0, "a")]).unwrap());
        let mut told = Ok(());
        for change in changes {
            told = told.and_then(|()| journal.try_add(change));
        }
        told.expect_err("it does not fit")
    };
    let end = |parts, rows| Change::SlotsImported {
        campaign: INDEX,
        parts,
        rows,
    };
    let first = good[0].clone();
    let told = refused(vec![first.clone(), end(2, 2)]);
    assert!(told.contains("ends a list of 2 parts"), "{told}");
    let told = refused(vec![first.clone(), end(1, 3)]);
    assert!(told.contains("ends a list of 3 rows, and 2 came"), "{told}");
    let other = CampaignIndex(1);
    let told = refused(vec![
        first.clone(),
        Change::SlotsImported {
            campaign: other,
            parts: 1,
            rows: 2,
        },
    ]);
    assert!(told.contains("of campaign 1"), "{told}");
    let told = refused(vec![
        first.clone(),
        Change::SitesImported {
            campaign: INDEX,
            parts: 1,
            rows: 2,
        },
    ]);
    assert!(
        told.contains("sites from a list of something else"),
        "{told}"
    );
    let part = |part, piece| Change::PieceAdded {
        campaign: INDEX,
        part,
        piece,
    };
    let told = refused(vec![first.clone(), part(2, Piece::Slots(Vec::new()))]);
    assert!(told.contains("part 2 of a list"), "{told}");
    // The same slot in two pieces.
    let again = part(1, Piece::Slots(vec![slot(0, 570)]));
    let told = refused(vec![first, again, end(2, 3)]);
    assert!(told.contains("twice"), "{told}");
    let (campaign, _) = Campaign::parse(JULY).unwrap();
    let mut changes = activation(INDEX, 2, JULY, &campaign).unwrap();
    if let Some(Change::CampaignActivated { source_sha256, .. }) = changes.last_mut() {
        source_sha256[0] ^= 1;
    }
    let told = refused(changes);
    assert!(told.contains("another SHA-256"), "{told}");
}

fn example() -> (&'static str, Agency) {
    let source = include_str!("../../../data/agency.toml");
    let logo = include_bytes!("../../../data/agency-logo.svg");
    let (agency, _) = Agency::parse(source, |_| Ok(logo.to_vec())).unwrap();
    (source, agency)
}

#[test]
fn an_agencys_file_lands_with_its_last_entry_and_no_parser_is_asked_again() {
    let (_, example) = example();
    // No check of any day would take this text.
    let source = "what = [ was written then\u{f0000}\n";
    let mut journal = activated();
    let changes = agency(INDEX, 1, source, &example).unwrap();
    let (last, pieces) = changes.split_last().unwrap();
    journal.add_all(pieces.to_vec());
    assert_eq!(journal.state.campaigns[0].agency, None);
    journal.now = Stamp(9);
    journal.add(last.clone());
    let known = journal.state.campaigns[0].agency.clone().unwrap();
    assert_eq!((known.version, known.activated_at), (1, Stamp(9)));
    assert_eq!((&*known.source, &known.agency), (source, &example));
    // Rules that come later leave it in force.
    let (campaign, _) = Campaign::parse(JULY).unwrap();
    journal.add_all(activation(INDEX, 2, JULY, &campaign).unwrap());
    assert_eq!(journal.state.campaigns[0].agency_version(), 1);
    journal.add_all(agency(INDEX, 2, source, &example).unwrap());
    assert_eq!(journal.state.campaigns[0].agency_version(), 2);
}

#[test]
fn the_longest_texts_of_an_agency_fit_their_entries() {
    let (source, mut long) = example();
    let text = "\u{1f600}".repeat(20_000);
    let texts: Vec<_> = (b'a'..b'q')
        .map(|at| (format!("x{}", at as char), text.clone()))
        .collect();
    let texts = crate::domain::agency::Texts::new(texts);
    long.privacy = Some(texts.clone());
    long.terms = Some(texts);
    let mut journal = activated();
    journal.add_all(agency(INDEX, 1, source, &long).unwrap());
    let known = journal.state.campaigns[0].agency.as_ref().unwrap();
    assert_eq!(known.agency, long);
}

#[test]
fn what_contradicts_the_agency_in_force_is_not_applied() {
    let (source, agency_of) = example();
    let list = |version: u32| agency(INDEX, version, source, &agency_of).unwrap();
    let fault = |journal: &mut Journal, changes: Vec<Change>| {
        changes
            .into_iter()
            .try_for_each(|change| journal.try_add(change))
            .unwrap_err()
    };
    let agreed = |agency: u32| Change::Agreed {
        campaign: INDEX,
        person: PersonKey([1; 16]),
        agency,
    };
    let mut journal = activated();
    assert!(fault(&mut journal, vec![agreed(0)]).contains("which is not there"));
    assert!(fault(&mut journal, vec![agreed(1)]).contains("which is not there"));
    assert!(fault(&mut journal, list(2)).contains("not the next version"));
    journal.add_all(list(1));
    journal.add_all(vec![agreed(1), agreed(1)]);
    assert!(fault(&mut journal, vec![agreed(2)]).contains("which is not there"));
    assert!(fault(&mut journal, list(1)).contains("not the next version"));

    // The rows of an agency end no other list, and those of others end none of an agency.
    let (campaign, _) = Campaign::parse(JULY).unwrap();
    let rules = activation(INDEX, 2, JULY, &campaign).unwrap();
    let same_text = agency(INDEX, 2, JULY, &agency_of).unwrap();
    for (pieces, last) in [(&same_text, &rules), (&rules, &same_text)] {
        let (last, pieces) = (last.last().unwrap(), &pieces[..pieces.len() - 1]);
        let mixed = pieces.iter().chain([last]).cloned().collect();
        let why = fault(&mut journal, mixed);
        assert!(why.contains("from a list of something else"), "{why}");
    }
    for (at, wrong) in [("parts", 0), ("rows", 1), ("sha", 2)] {
        let mut changes = list(2);
        let Some(Change::AgencyActivated {
            parts,
            rows,
            source_sha256,
            ..
        }) = changes.last_mut()
        else {
            panic!("it ends the list");
        };
        match wrong {
            0 => *parts += 1,
            1 => *rows += 1,
            _ => source_sha256[0] ^= 1,
        }
        fault(&mut journal, changes);
        assert_eq!(journal.state.campaigns[0].agency_version(), 1, "{at}");
    }
    journal.add_all(list(2));
}
