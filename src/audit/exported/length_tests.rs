//! No line that an export writes is longer than the longest that is read, and none comes near it.

use super::*;
use crate::audit::line_of;
use crate::audit::verify_export;
use crate::domain::booking::site::{SiteRow, SlotRow};
use crate::domain::campaign::IdentityField;
use crate::domain::campaign::rows::CampaignRow;
use crate::domain::entry::{Actor, Change, GateAct, Piece, golden};
use crate::domain::ids::{CampaignIndex, LineIndex, PersonKey, Seq, SiteIndex, VaccineIndex};
use crate::domain::line::Given;
use crate::domain::time::{Day, Stamp};

/// JSON writes each of these as six characters.
const ESCAPED: char = '\u{1}';
/// One byte in an entry, and shown with all nine digits of a second's fraction.
const LONG_STAMP: Stamp = Stamp(-1);

/// The line of an export for a change by somebody, and the bytes of its entry.
fn line(actor: Actor, change: Change) -> (Vec<u8>, usize) {
    let entry = Entry {
        seq: Seq(u64::MAX),
        stamp: LONG_STAMP,
        previous: Hash([7; 32]),
        actor,
        change,
    };
    let (mut bytes, mut line) = (Vec::new(), Vec::new());
    entry.encode(&mut bytes);
    line_of(&entry, &bytes, true, &mut line);
    (line, bytes.len())
}

/// Checks a line as an export of its own; how many times its entry's bytes it is long.
fn times(line: &[u8], bytes: usize) -> f64 {
    let read = verify_export(line, None).map_err(|fault| fault.to_string());
    assert_eq!(read.map(|read| read.first), Ok(u64::MAX));
    let times = line.len() as f64 / bytes as f64;
    assert!(times <= 32.0, "{times} times {bytes} bytes");
    times
}

/// A change with so many rows or characters.
type Made = Box<dyn Fn(usize) -> Change>;

fn rule(row: CampaignRow) -> Made {
    piece(move |count| Piece::Rules(vec![row.clone(); count]))
}

fn piece(make: impl Fn(usize) -> Piece + 'static) -> Made {
    Box::new(move |count| Change::PieceAdded {
        campaign: CampaignIndex(u16::MAX),
        part: u32::MAX,
        piece: make(count),
    })
}

/// Changes that can have any length, of the shortest rows or of characters that are escaped.
fn of_any_length() -> Vec<(&'static str, Made)> {
    let none = String::new;
    let campaign = CampaignIndex(0);
    let escaped = |count| ESCAPED.to_string().repeat(count);
    let site = SiteRow {
        site: none(),
        name_ko: none(),
        name_en: none(),
        region: none(),
        address: none(),
        lat_e6: -64,
        lng_e6: -64,
        phone: none(),
    };
    let slot = SlotRow {
        site: SiteIndex(127),
        vaccine: VaccineIndex(255),
        date: Day(-1),
        start_min: 127,
        start: LONG_STAMP,
        end: LONG_STAMP,
        capacity: [0; crate::domain::ids::POOLS],
    };
    let cohort = CampaignRow::Cohort {
        id: none(),
        born_first: Day(-1),
        born_last: Day(-1),
        groups_any: Vec::new(),
    };
    let opening = CampaignRow::Opening {
        from: LONG_STAMP,
        until: LONG_STAMP,
        cohorts: Vec::new(),
        birth_day_last_digits: Vec::new(),
        line: LineIndex(u16::MAX),
    };
    let place = (PersonKey([0xAB; 16]), Given::new(u64::from(u32::MAX), true));
    vec![
        ("source", piece(move |count| Piece::Source(escaped(count)))),
        (
            "sites",
            piece(move |count| Piece::Sites(vec![site.clone(); count])),
        ),
        ("slots", piece(move |count| Piece::Slots(vec![slot; count]))),
        ("cohorts", rule(cohort)),
        ("openings", rule(opening)),
        ("ids", rule(CampaignRow::Id(none()))),
        ("zones", rule(CampaignRow::Zone(none()))),
        (
            "names",
            rule(CampaignRow::Name {
                ko: none(),
                en: none(),
            }),
        ),
        ("settings", rule(CampaignRow::ChangeUntilDays(127))),
        (
            "identity",
            piece(|count| {
                Piece::Rules(vec![CampaignRow::Identity(vec![
                    IdentityField::BirthDate;
                    count
                ])])
            }),
        ),
        (
            "places",
            Box::new(move |count| Change::PlacesGiven {
                campaign,
                line: LineIndex(u16::MAX),
                places: vec![place; count],
            }),
        ),
        (
            "pause",
            Box::new(move |count| {
                let act = GateAct::Pause {
                    reason: escaped(count),
                    freezes: false,
                };
                Change::GateSet { campaign, act }
            }),
        ),
        (
            "message",
            Box::new(move |count| Change::GateSet {
                campaign,
                act: GateAct::Message {
                    text: escaped(count),
                },
            }),
        ),
        (
            "started",
            Box::new(move |count| Change::Started {
                program: escaped(count),
            }),
        ),
    ]
}

#[test]
fn the_longest_entries_that_json_makes_longest_are_exported_and_read_again() {
    let mut most = 0.0_f64;
    for (name, change) in of_any_length() {
        let bytes = |count| line(Actor::System, change(count)).1;
        // Between two counts whose lengths are written in as many bytes.
        let each = (bytes(1_100) - bytes(1_000)) / 100;
        let count = 1_000 + (ENTRY_BYTES_MAX - bytes(1_000)) / each - 3;
        let (line, bytes) = line(Actor::System, change(count));
        assert!(bytes > ENTRY_BYTES_MAX - 200, "{name}: {bytes}");
        let times = times(&line, bytes);
        println!("{name}: {times:.1}");
        most = most.max(times);
    }
    // What the bound's comment says.
    assert!((28.0..30.0).contains(&most), "{most}");
}

#[test]
fn no_kind_of_entry_takes_a_line_that_is_too_long() {
    let escaped = || ESCAPED.to_string().repeat(10_000);
    for sample in golden::samples() {
        let (line, bytes) = line(sample.actor.clone(), sample.change.clone());
        times(&line, bytes);
        let actor = match sample.actor {
            Actor::Operator(_) => Actor::Operator(escaped()),
            Actor::Staff {
                role, for_person, ..
            } => Actor::Staff {
                account: escaped(),
                role,
                for_person,
            },
            other => other,
        };
        let (line, bytes) = self::line(actor, sample.change);
        times(&line, bytes);
    }
}
