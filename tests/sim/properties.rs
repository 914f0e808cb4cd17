//! Any entry comes back from its bytes, any block from its entries, any journal gives one state;
//! and `decide` alone says what the model says.

use std::collections::VecDeque;

use proptest::prelude::*;
use sumun::audit::line_of;
use sumun::domain::agency::LogoKind;
use sumun::domain::agency::rows::{AgencyRow, TextOf};
use sumun::domain::apply::apply;
use sumun::domain::booking::decide::{Ask, Context, Request, Seat, Verdict, decide};
use sumun::domain::booking::site::{SiteRow, SlotRow};
use sumun::domain::campaign::rows::CampaignRow;
use sumun::domain::campaign::{IdentityField, Order};
use sumun::domain::entry::{
    Actor, Change, Doses, Entry, GateAct, Hash, HoldEnd, Idempotency, Look, Piece, Purpose,
    RefusedFor, Role, SessionAct,
};
use sumun::domain::ids::{
    BookingNumber, CampaignId, CampaignIndex, HoldId, LineIndex, PersonKey, Pool, Seq, SiteIndex,
    SlotIndex, VaccineIndex,
};
use sumun::domain::line::told::{Told, WaitBecause};
use sumun::domain::line::windows::{Basis, Plan};
use sumun::domain::line::{Given, Notice};
use sumun::domain::staff::proposal::{Decision, Proposal};
use sumun::domain::staff::{AccountId, Bounds};
use sumun::domain::state::State;
use sumun::domain::time::{Day, Stamp};
use sumun::engine::command::Outcome;
use sumun::journal::block::{entries, push_entry};

use crate::check::{journal, same_answer};
use crate::model::{Asked, Said, Waiting};
use crate::random::Random;
use crate::story::Story;
use crate::world::{SECOND, keys};

fn array<const N: usize>(random: &mut Random) -> [u8; N] {
    std::array::from_fn(|_| random.next() as u8)
}

/// Numbers of every length.
fn number(random: &mut Random) -> u64 {
    let shift = random.below(64);
    random.next() >> shift
}

fn maybe<T>(random: &mut Random, make: impl FnOnce(&mut Random) -> T) -> Option<T> {
    random.percent(50).then(|| make(random))
}

fn text(random: &mut Random) -> String {
    let letters = ['a', 'Z', '"', '\\', '\n', '가', '\u{10ffff}', '\0'];
    (0..random.below(20))
        .map(|_| *random.pick(&letters))
        .collect()
}

fn doses(random: &mut Random) -> Doses {
    let first = SlotIndex(number(random) as u32);
    Doses {
        first,
        second: maybe(random, |random| SlotIndex(number(random) as u32)),
    }
}

/// Up to three of something.
fn some<T>(random: &mut Random, mut make: impl FnMut(&mut Random) -> T) -> Vec<T> {
    (0..random.below(4)).map(|_| make(random)).collect()
}

fn campaign_row(random: &mut Random) -> CampaignRow {
    let stamp = |random: &mut Random| Stamp(number(random) as i64);
    let day = |random: &mut Random| Day(number(random) as i32);
    match random.below(19) {
        0 => CampaignRow::Id(text(random)),
        1 => CampaignRow::Name {
            ko: text(random),
            en: text(random),
        },
        2 => CampaignRow::Zone(text(random)),
        3 => {
            let fields = [
                IdentityField::Name,
                IdentityField::BirthDate,
                IdentityField::Code,
            ];
            CampaignRow::Identity(some(random, |random| *random.pick(&fields)))
        }
        4 => CampaignRow::Cohort {
            id: text(random),
            born_first: day(random),
            born_last: day(random),
            groups_any: some(random, text),
        },
        5 => CampaignRow::Opening {
            from: stamp(random),
            until: stamp(random),
            cohorts: some(random, |random| number(random) as u16),
            birth_day_last_digits: some(random, |random| random.next() as u8),
            line: LineIndex(number(random) as u16),
        },
        6 => CampaignRow::Vaccine {
            id: text(random),
            doses: random.next() as u8,
            interval_days: number(random) as u16,
        },
        7 => CampaignRow::HoldS(number(random) as u32),
        8 => CampaignRow::ChangeUntilDays(number(random) as u16),
        9 => CampaignRow::Order(*random.pick(&Order::ALL)),
        10 => CampaignRow::LobbyOpensMin(number(random) as u32),
        11 => CampaignRow::AdmitPerS(number(random) as u32),
        12 => CampaignRow::ActiveMax(number(random) as u32),
        13 => CampaignRow::WindowMin(number(random) as u32),
        14 => CampaignRow::WindowPeople(Some(number(random) as u32)),
        15 => CampaignRow::RevealMin(number(random) as u32),
        16 => CampaignRow::HoldExtendS(number(random) as u32),
        17 => CampaignRow::PersonalDataDays(number(random) as u32),
        _ => CampaignRow::SessionIdleS(number(random) as u32),
    }
}

fn site_row(random: &mut Random) -> SiteRow {
    SiteRow {
        site: text(random),
        name_ko: text(random),
        name_en: text(random),
        region: text(random),
        address: text(random),
        lat_e6: number(random) as i32,
        lng_e6: number(random) as i32,
        phone: text(random),
    }
}

fn slot_row(random: &mut Random) -> SlotRow {
    SlotRow {
        site: SiteIndex(number(random) as u32),
        vaccine: VaccineIndex(random.next() as u8),
        date: Day(number(random) as i32),
        start_min: number(random) as u16,
        start: Stamp(number(random) as i64),
        end: Stamp(number(random) as i64),
        capacity: std::array::from_fn(|_| number(random) as u16 * (random.below(2) as u16)),
    }
}

fn agency_row(random: &mut Random) -> AgencyRow {
    let at = number(random) as u16;
    match random.below(7) {
        0 => AgencyRow::Text {
            of: *random.pick(&[TextOf::Name, TextOf::Consent, TextOf::LinkLabel(at)]),
            tag: text(random),
            text: text(random),
        },
        1 => AgencyRow::Logo {
            kind: *random.pick(&[LogoKind::Svg, LogoKind::Png]),
            bytes: some(random, |random| random.next() as u8),
            width: number(random) as u32,
            height: number(random) as u32,
        },
        2 => AgencyRow::Colour(array(random)),
        3 => AgencyRow::Telephone(text(random)),
        4 => AgencyRow::ConsentVersion(text(random)),
        5 => AgencyRow::Link { url: text(random) },
        _ => AgencyRow::Vaccine { id: text(random) },
    }
}

fn piece(random: &mut Random) -> Piece {
    match random.below(5) {
        0 => Piece::Source(text(random)),
        1 => Piece::Rules(some(random, campaign_row)),
        2 => Piece::Sites(some(random, site_row)),
        3 => Piece::Agency(some(random, agency_row)),
        _ => Piece::Slots(some(random, slot_row)),
    }
}

fn notice(random: &mut Random) -> Notice {
    Notice {
        text: text(random),
        en: random.percent(50).then(|| text(random)),
    }
}

fn act(random: &mut Random) -> GateAct {
    match random.below(8) {
        7 => GateAct::Drain {
            reason: notice(random),
        },
        5 => GateAct::PauseSaid {
            reason: notice(random),
            freezes: random.percent(50),
        },
        6 => GateAct::MessageSaid {
            message: notice(random),
        },
        0 => GateAct::Pause {
            reason: text(random),
            freezes: random.percent(50),
        },
        1 => GateAct::Resume,
        2 => GateAct::Rate {
            admit_per_s: number(random) as u32,
        },
        3 => GateAct::Active {
            active_max: number(random) as u32,
        },
        _ => GateAct::Message { text: text(random) },
    }
}

fn place(random: &mut Random) -> (PersonKey, Given) {
    let given = Given::new(u64::from(number(random) as u32), random.percent(50));
    (PersonKey(array(random)), given)
}

fn change(random: &mut Random) -> Change {
    let campaign = CampaignIndex(number(random) as u16);
    let line = LineIndex(number(random) as u16);
    let person = PersonKey(array(random));
    let booking = BookingNumber(number(random));
    let pool = *random.pick(&Pool::ALL);
    let hold = maybe(random, |random| HoldId(number(random)));
    let released = maybe(random, |random| HoldId(number(random)));
    let idempotency = maybe(random, |random| Idempotency {
        key: array(random),
        request: array(random),
    });
    let (from, to) = (doses(random), doses(random));
    let rules = number(random) as u32;
    match random.below(44) {
        0 => Change::Founded {
            simulated_clock: rules > 9,
            head_public_key: array(random),
        },
        1 => Change::Started {
            program: text(random),
        },
        2 => Change::ClockStepped {
            step_ns: number(random) as i64,
        },
        3 => Change::ClockBehind {
            behind_ns: -(number(random) as i64 >> 1),
        },
        4 => Change::CampaignActivated {
            campaign,
            version: rules,
            parts: number(random) as u32,
            rows: number(random) as u32,
            source_sha256: array(random),
        },
        5 => Change::SitesImported {
            campaign,
            parts: number(random) as u32,
            rows: number(random) as u32,
        },
        6 => Change::SlotsImported {
            campaign,
            parts: number(random) as u32,
            rows: number(random) as u32,
        },
        7 => Change::RosterImported {
            version: rules,
            people: number(random),
            digest: array(random),
            added: number(random),
            changed: number(random),
            gone: number(random),
        },
        8 => {
            let until = Stamp(number(random) as i64);
            Change::HoldPlaced {
                campaign,
                person,
                doses: to,
                pool,
                until,
                released,
            }
        }
        9 => {
            let reason = *random.pick(&[HoldEnd::Expired, HoldEnd::Released]);
            Change::HoldEnded {
                campaign,
                person,
                hold: HoldId(number(random)),
                pool,
                reason,
            }
        }
        10 => Change::Booked {
            campaign,
            person,
            number: booking,
            doses: to,
            pool,
            hold,
            released,
            rules,
            idempotency,
        },
        11 => Change::Moved {
            campaign,
            person,
            number: booking,
            from,
            to,
            pool,
            hold,
            released,
            idempotency,
        },
        12 => Change::Cancelled {
            campaign,
            person,
            number: booking,
            doses: to,
            pool,
            idempotency,
        },
        13 => Change::PieceAdded {
            campaign,
            part: number(random) as u32,
            piece: piece(random),
        },
        14 => Change::NumbersLeased {
            campaign,
            line,
            first: number(random),
            until: number(random),
        },
        15 => Change::PlacesGiven {
            campaign,
            line,
            places: some(random, place),
        },
        16 => Change::ServingAdvanced {
            campaign,
            line,
            serving: number(random),
        },
        17 => Change::DrawCommitted {
            campaign,
            line,
            opening: Stamp(number(random) as i64),
            commitment: array(random),
        },
        18 => Change::DrawRevealed {
            campaign,
            line,
            seed: array(random),
        },
        19 => Change::GateSet {
            campaign,
            act: act(random),
        },
        20 => Change::TokenKeyRotated {
            id: random.next() as u8,
        },
        21 => Change::PersonRekeyed {
            from: person,
            to: PersonKey(array(random)),
        },
        22 => Change::LineEnded { campaign, line },
        23 => Change::WindowsPlanned {
            campaign,
            line,
            plan: Plan {
                at: Stamp(number(random) as i64),
                basis: Basis {
                    from: Stamp(number(random) as i64),
                    until: Stamp(number(random) as i64),
                    window_s: number(random) as u32,
                    window_people: number(random) as u32,
                },
                people: number(random),
                first_lot: random.next(),
                from: Stamp(number(random) as i64),
                windows: number(random) as u32,
            },
        },
        24 => Change::AgencyActivated {
            campaign,
            version: rules,
            parts: number(random) as u32,
            rows: number(random) as u32,
            source_sha256: array(random),
        },
        25 => Change::Agreed {
            campaign,
            person,
            agency: rules,
        },
        26 => Change::HoldExtended {
            campaign,
            person,
            hold: HoldId(number(random)),
            until: Stamp(number(random) as i64),
        },
        27 => Change::PersonalKeysRotated {
            id: random.next() as u8,
        },
        28 => Change::HeadKeyRotated {
            public_key: array(random),
            signature: array::<64>(random).to_vec(),
        },
        29 => Change::VaultSealed {
            roster: rules,
            rows: number(random),
            digest: array(random),
        },
        30 => Change::PersonErased {
            person,
            version: rules,
            row: array(random),
            reason: text(random),
        },
        31 => Change::VaultEmptied {
            roster: rules,
            reason: text(random),
        },
        32 => Change::PersonalDataSeen(Look {
            purpose: *random.pick(&[
                Purpose::Shown,
                Purpose::Erased,
                Purpose::Reviewed,
                Purpose::Compared,
                Purpose::StoredAgain,
            ]),
            origin: text(random),
            reason: text(random),
            people: (0..random.below(4))
                .map(|_| PersonKey(array(random)))
                .collect(),
        }),
        33 => Change::LineTold {
            campaign,
            line,
            told: told(random),
        },
        34 => Change::Stopped {},
        35..42 => of_staff(random),
        _ => {
            let all = [
                RefusedFor::NotEligible,
                RefusedFor::NotOpenYet,
                RefusedFor::OpeningClosed,
            ];
            Change::Refused {
                campaign,
                person,
                rules,
                reason: *random.pick(&all),
            }
        }
    }
}

fn told(random: &mut Random) -> Told {
    let becauses = [
        None,
        Some(WaitBecause::Paused),
        Some(WaitBecause::Busy),
        Some(WaitBecause::Full),
        Some(WaitBecause::Lowered),
        Some(WaitBecause::Shared),
    ];
    Told {
        newest: number(random),
        serving: number(random),
        waiting: number(random),
        late: number(random),
        active: number(random),
        wait_s: [number(random), number(random)],
        because: *random.pick(&becauses),
        called_per_1000_s: number(random),
        admit_per_s: number(random) as u32,
        active_max: number(random) as u32,
        brake_permille: random.next() as u16,
        share_permille: random.next() as u16,
    }
}

fn entry(random: &mut Random) -> Entry {
    let roles = [
        Role::Administrator,
        Role::Operator,
        Role::Approver,
        Role::Site,
        Role::Agent,
        Role::Auditor,
        Role::Reporter,
    ];
    let actor = match random.below(5) {
        0 => Actor::System,
        1 => Actor::Citizen,
        2 => Actor::Operator(text(random)),
        3 => Actor::Staff {
            account: text(random),
            role: *random.pick(&roles),
            for_person: maybe(random, |random| PersonKey(array(random))),
        },
        _ => Actor::Proxy {
            person: PersonKey(array(random)),
        },
    };
    Entry {
        seq: Seq(number(random)),
        stamp: Stamp(number(random) as i64),
        previous: Hash(array(random)),
        actor,
        change: change(random),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_entry_comes_back_from_its_bytes(seed: u64) {
        let mut random = Random::new(seed);
        let entry = entry(&mut random);
        let mut bytes = Vec::new();
        let hash = entry.encode(&mut bytes);
        prop_assert_eq!(hash, Hash::of(&bytes));
        prop_assert_eq!(Entry::decode(&bytes), Ok(entry.clone()));
        for cut in 0..bytes.len() {
            prop_assert!(Entry::decode(&bytes[..cut]).is_err(), "cut to {cut}");
        }
        // One meaning has one form: other bytes are none, or another entry that has these bytes.
        for at in 0..bytes.len() {
            let whole = bytes[at];
            bytes[at] = random.next() as u8;
            if bytes[at] == whole {
                bytes[at] ^= 1;
            }
            if let Ok(other) = Entry::decode(&bytes) {
                prop_assert_ne!(&other, &entry);
                let mut again = Vec::new();
                other.encode(&mut again);
                prop_assert_eq!(&again, &bytes, "byte {}", at);
            }
            bytes[at] = whole;
        }
    }

    /// The check of an export refuses lines of more than 64 times the longest entry.
    #[test]
    fn any_entry_has_a_line_of_at_most_32_times_its_bytes(seed: u64) {
        let entry = entry(&mut Random::new(seed));
        let (mut bytes, mut line) = (Vec::new(), Vec::new());
        entry.encode(&mut bytes);
        line_of(&entry, &bytes, true, &mut line);
        prop_assert!(line.len() <= 32 * bytes.len(), "{} of {}", line.len(), bytes.len());
    }

    #[test]
    fn any_block_comes_back_and_a_cut_one_says_so(seed: u64, count in 0..12_usize) {
        let mut random = Random::new(seed);
        let all: Vec<Entry> = (0..count).map(|_| entry(&mut random)).collect();
        let mut block = Vec::new();
        let hashes: Vec<Hash> = all.iter().map(|entry| push_entry(&mut block, entry)).collect();
        let found: Vec<&[u8]> = entries(&block).map(Result::unwrap).collect();
        prop_assert_eq!(found.len(), count);
        for ((bytes, entry), hash) in found.iter().zip(&all).zip(&hashes) {
            prop_assert_eq!(Entry::decode(bytes), Ok(entry.clone()));
            prop_assert_eq!(Hash::of(bytes), *hash);
        }
        if !block.is_empty() {
            let cut = random.below(block.len() as u64) as usize;
            let found: Vec<_> = entries(&block[..cut]).collect();
            let whole = found.iter().filter(|bytes| bytes.is_ok()).count();
            prop_assert!(whole < count && found.len() <= whole + 1);
        }
    }
}

#[test]
fn a_journal_applied_twice_gives_equal_states() {
    let mut story = Story::new();
    story.long();
    let all = story.run.read(|read| journal(read, 0));
    let replay = || {
        let mut state = State::default();
        for entry in &all {
            let hash = entry.encode(&mut Vec::new());
            apply(&mut state, entry, hash).unwrap();
        }
        state
    };
    let (once, twice) = (replay(), replay());
    assert_eq!(once, twice);
    assert_eq!(once, *story.run.core().shared().state.read().unwrap());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn decide_says_what_the_model_says(seed: u64) {
        let mut story = Story::new();
        story.long();
        let mut random = Random::new(seed);
        // Half of the cases lie in some minutes in which two people have holds, one extended.
        let held = random.percent(50);
        if held {
            story.hold(2, 3);
            story.extend(2);
            story.hold(4, 3);
            prop_assert!(story.held(2).is_some() && story.held(4).is_some());
        }
        let span_s = if held { 400 } else { 400_000 };
        let run = &story.run;
        let shared = run.core().shared();
        let state = shared.state.read().unwrap();
        let campaign = &state.campaigns[0];
        let offer = shared.offer(CampaignIndex(0)).unwrap();
        for _ in 0..50 {
            let person = random.pick(&story.people).key;
            let now = Stamp(run.model.stamp.0 + (random.next() >> 13) as i64 % (span_s * SECOND));
            let request = any_request(&mut random, person, &story);
            let context = Context {
                campaign,
                subject: &|| offer.subject(&person),
                now,
                next_number: keys().booking_number(campaign.bookings.len() as u64),
            };
            // A hold that has run out by then is ended first, as the writer does.
            let expired = run.model.campaigns[0].holds.values().any(|hold| hold.until <= now);
            if expired {
                continue;
            }
            let claimed = request.ask.free_seats();
            let asked = Asked::Person { campaign: 0, request, claimed };
            let waiting = VecDeque::from([Waiting { ticket: 1, asked }]);
            let predicted = run.model.predict(&waiting, now, None);
            let (_, said) = &predicted.said[0];
            match decide(&context, &request) {
                Verdict::Change(change) => {
                    let told = predicted.entries.last().map(|(_, change)| change);
                    prop_assert_eq!(told, Some(&change));
                    let refused = matches!(said, Said::Exactly(Outcome::Refused(_)));
                    prop_assert!(!refused && !matches!(said, Said::ByRules(..)));
                }
                Verdict::Repeated(seq) => same_answer(said, &Outcome::Repeated(seq)),
                Verdict::Refused(refusal) => same_answer(said, &Outcome::Refused(refusal)),
            }
        }
    }
}

fn any_request(random: &mut Random, person: PersonKey, story: &Story) -> Request {
    let known = &story.run.model.campaigns[0];
    let at = random.below(known.slots.len() as u64) as usize;
    let doses = known.doses(at);
    let pool = *random.pick(&[Pool::Public, Pool::Public, Pool::Assisted, Pool::Partner]);
    let number = match known.active(&person) {
        Some(at) if random.percent(90) => known.bookings[at].number,
        _ => BookingNumber(random.next()),
    };
    let hold = HoldId(known.hold_of(&person).unwrap_or(random.below(60)));
    let seat = *random.pick(&[Seat::Held(hold), Seat::Claimed(doses, pool)]);
    let ask = match random.below(6) {
        0 => Ask::Hold { doses, pool },
        5 => Ask::Extend { hold },
        1 => Ask::Release { hold },
        2 => Ask::Book { seat, agreed: None },
        3 => Ask::Move { number, seat },
        _ => Ask::Cancel { number },
    };
    let mark = Idempotency {
        key: [random.below(60) as u8; 16],
        request: [1; 8],
    };
    Request {
        person,
        ask,
        idempotency: random.percent(30).then_some(mark),
    }
}

/// What is journalled of the people behind the desk.
fn of_staff(random: &mut Random) -> Change {
    let account = AccountId(number(random) as u32);
    let (proposal, part) = (number(random) as u32, number(random) as u32);
    let campaign = CampaignId::try_from("kr-2021-50s".to_owned()).unwrap();
    match random.below(8) {
        0 => Change::StaffSet {
            account,
            name: text(random),
            role: *random.pick(&[Role::Administrator, Role::Approver, Role::Site]),
            bounds: Bounds {
                campaigns: vec![text(random)],
                provinces: Vec::new(),
                sites: vec![text(random), text(random)],
            },
            enabled: part > 9,
        },
        1 => Change::StaffCredentialsSet {
            account,
            sealed: array::<48>(random).to_vec(),
            own: part > 9,
        },
        2 => Change::StaffSession {
            account,
            act: *random.pick(&[SessionAct::SignedIn, SessionAct::Revoked]),
            origin: text(random),
        },
        3 => Change::ProposalPart {
            proposal,
            part,
            text: text(random),
        },
        4 => Change::Proposed {
            proposal,
            parts: part,
            sha256: array(random),
            what: Box::new(Proposal::Slots { campaign }),
            reason: text(random),
            takes: number(random),
        },
        5 => Change::ProposalDecided {
            proposal,
            decision: *random.pick(&[Decision::Approved, Decision::Withdrawn]),
            typed: number(random),
            reason: text(random),
        },
        6 => Change::ProposalEnded {
            proposal,
            done: part > 9,
            what: text(random),
        },
        _ => Change::ProviderAccountMade {
            account,
            name: text(random),
            subject: array(random),
            role: *random.pick(&[Role::Administrator, Role::Agent]),
            bounds: Box::default(),
            enabled: part > 9,
        },
    }
}
