//! The bytes of every variant that an entry can have, kept for ever in `tests/golden/entries.txt`.
//!
//! A change of the format that nobody meant shows here: an enum that grew in its middle, a field
//! that came or went. A variant without a sample fails too, and the failure prints the line to add.
//! A line that is there is never changed: journals have such bytes.

use std::collections::{BTreeMap, BTreeSet};

use data_encoding::HEXLOWER;

use super::*;
use crate::domain::agency::LogoKind;
use crate::domain::agency::rows::{AgencyRow, TextOf};
use crate::domain::booking::relocation::{Cause, Prefer, Unanswered};
use crate::domain::booking::site::{SiteRow, SlotRow};
use crate::domain::campaign::rows::CampaignRow;
use crate::domain::campaign::{IdentityField, Order};
use crate::domain::ids::{
    BookingNumber, CampaignId, CampaignIndex, HoldId, LineIndex, PersonKey, Pool, RelocationIndex,
    SiteIndex, SlotIndex, VaccineIndex,
};
use crate::domain::line::told::{Told, WaitBecause};
use crate::domain::line::windows::{Basis, Plan};
use crate::domain::line::{Given, Notice};
use crate::domain::staff::account_act::AccountAct;
use crate::domain::staff::api_key::{ApiKeyId, Scope};
use crate::domain::staff::proposal::{
    Asking, ClosePlan, Decision, KeyChange, Proposal, Rollover, RosterFile, SlotRange,
};
use crate::domain::staff::{AccountId, Bounds};
use crate::domain::time::Day;

const KEPT: &str = include_str!("../../../tests/golden/entries.txt");

/// A function that names a value's variant, and the list of all names. It has no wildcard: a new
/// variant does not compile before it is named here, and then needs a sample.
macro_rules! variants {
    ($name:ident, $all:ident, $kind:ident: $($variant:ident)*) => {
        const $all: &[&str] = &[$(concat!(stringify!($kind), "::", stringify!($variant))),*];

        fn $name(value: &$kind) -> &'static str {
            match value {
                $($kind::$variant { .. } => {
                    concat!(stringify!($kind), "::", stringify!($variant))
                })*
            }
        }
    };
}

variants!(change_name, CHANGES, Change:
    Founded Started ClockStepped ClockBehind PieceAdded CampaignActivated SitesImported
    SlotsImported RosterImported HoldPlaced HoldEnded Booked Moved Cancelled Refused NumbersLeased
    PlacesGiven ServingAdvanced DrawCommitted DrawRevealed LineEnded GateSet
    TokenKeyRotated PersonRekeyed WindowsPlanned AgencyActivated Agreed HoldExtended
    LineTold Stopped
    PersonalKeysRotated HeadKeyRotated VaultSealed PersonErased VaultEmptied PersonalDataSeen
    StaffSet StaffCredentialsSet StaffSession ProposalPart Proposed ProposalDecided ProposalEnded
    SlotsSet RelocationBegun SlotsClosed SlotsReopened MoveOffered Relocated ReasonGiven
    ProposalScheduled ProposalStepDone ApiKeyMade ApiKeyEnded
    AccountActAsked AccountActConfirmed AccountActDropped ProposalSeen ProposalCalledOff
    ProviderAccountMade);
variants!(purpose_name, PURPOSES, Purpose: Shown Erased Reviewed Compared StoredAgain Telephoned);
variants!(session_name, SESSIONS, SessionAct: SignedIn SignedOut Revoked);
variants!(proposal_name, PROPOSALS, Proposal: Campaign Agency Sites Slots Gate Close
    Reopen Split Roster Keys AgencyLogo AgencyAgain Retime);
variants!(key_change_name, KEY_CHANGES, KeyChange:
    Tokens TokensRevoked Heads Names NamesForgotten);
variants!(cause_name, CAUSES, Cause: Closure Interval Retimed);
variants!(asking_name, ASKINGS, Asking: Offered Moved Telephoned);
variants!(prefer_name, PREFERS, Prefer: SameSite SameDay);
variants!(unanswered_name, UNANSWERED, Unanswered: Moved Telephoned);
variants!(rollover_name, ROLLOVERS, Rollover: Next Last);
variants!(account_act_name, ACCOUNT_ACTS, AccountAct: Set Reset);
variants!(scope_name, SCOPES, Scope: Board Proposals Accounts Record Sites);
variants!(decision_name, DECISIONS, Decision: Approved Declined Withdrawn);
variants!(actor_name, ACTORS, Actor: System Citizen Operator Staff Proxy);
variants!(role_name, ROLES, Role:
    Administrator Operator Approver Site Agent Auditor Reporter);
variants!(piece_name, PIECES, Piece: Source Rules Sites Slots Agency Closing);
variants!(row_name, ROWS, CampaignRow:
    Id Name Zone Identity Cohort Opening Vaccine HoldS ChangeUntilDays Order LobbyOpensMin
    LastEntryMin FinishMin AdmitPerS ActiveMax SessionIdleS WindowMin WindowPeople RevealMin
    HoldExtendS PersonalDataDays);
variants!(agency_row_name, AGENCY_ROWS, AgencyRow:
    Text Logo Colour Telephone ConsentVersion Link Vaccine);
variants!(text_name, TEXTS, TextOf:
    Name Hours Privacy Accessibility Terms Consent Landing Confirmation Print LinkLabel VaccineName
    VaccineBring);
variants!(logo_name, LOGOS, LogoKind: Svg Png);
variants!(field_name, FIELDS, IdentityField: Name BirthDate Code);
variants!(order_name, ORDERS, Order: Arrival Draw Windows);
variants!(refused_name, REFUSED, RefusedFor: NotEligible NotOpenYet OpeningClosed);
variants!(end_name, ENDS, HoldEnd: Expired Released Closed);
variants!(act_name, ACTS, GateAct: Pause Resume Rate Active Message DrawValue PauseSaid
    MessageSaid Drain);
variants!(because_name, BECAUSES, WaitBecause: Paused Busy Full Lowered Shared);
variants!(pool_name, POOL_NAMES, Pool: Public Assisted Partner WalkIn Later);

const CAMPAIGN: CampaignIndex = CampaignIndex(3);
const PERSON: PersonKey = PersonKey([0xab; 16]);
const STAMP: Stamp = Stamp(1_626_692_400_000_000_000);

fn range() -> SlotRange {
    SlotRange {
        sites: vec!["A".to_owned()],
        from: Day(18_841),
        until: Day(18_842),
        vaccine: Some("mrna".to_owned()),
        minutes: Some((540, 720)),
    }
}

/// What gives people other seats.
fn of_relocations(
    campaign: CampaignIndex,
    person: PersonKey,
    number: BookingNumber,
) -> Vec<Change> {
    let relocation = RelocationIndex(300);
    let (from, to) = (
        Doses {
            first: SlotIndex(1),
            second: Some(SlotIndex(2)),
        },
        Doses {
            first: SlotIndex(1),
            second: Some(SlotIndex(300)),
        },
    );
    let causes = [
        (
            Cause::Closure {
                prefer: Prefer::SameSite,
            },
            Unanswered::Moved,
        ),
        (
            Cause::Closure {
                prefer: Prefer::SameDay,
            },
            Unanswered::Telephoned,
        ),
        (
            Cause::Interval {
                vaccine: VaccineIndex(1),
                days_before: 28,
                days: 42,
            },
            Unanswered::Moved,
        ),
        (
            Cause::Retimed {
                proposal: 300,
                minutes: -30,
            },
            Unanswered::Telephoned,
        ),
    ];
    let begun = causes.map(|(cause, unanswered)| Change::RelocationBegun {
        campaign,
        relocation,
        cause,
        reason: Notice {
            text: "점검".to_owned(),
            en: Some("maintenance".to_owned()),
        },
        until: STAMP,
        unanswered,
    });
    let (parts, rows) = (3, 300);
    let mut changes = begun.to_vec();
    changes.extend([
        Change::SlotsSet {
            campaign,
            parts,
            rows,
        },
        Change::SlotsClosed {
            campaign,
            parts,
            rows,
            relocation,
        },
        Change::SlotsReopened {
            campaign,
            parts,
            rows,
        },
        Change::MoveOffered {
            campaign,
            relocation,
            person,
            number,
            from,
            to,
            pool: Pool::Public,
            until: STAMP,
            released: Some(HoldId(9)),
        },
        Change::Relocated {
            campaign,
            relocation,
            person,
            number,
            from,
            to,
            pool: Pool::Assisted,
            hold: Some(HoldId(300)),
            released: None,
        },
    ]);
    changes
}

fn of_staff() -> Vec<Change> {
    let text = str::to_owned;
    let account = AccountId(300);
    let campaign = CampaignId::try_from(text("kr-2021-50s")).expect("a campaign's id");
    let mut changes = vec![
        Change::StaffSet {
            account,
            name: text("kim"),
            role: Role::Site,
            bounds: Bounds {
                campaigns: vec![text("kr-2021-50s")],
                provinces: vec![text("11")],
                sites: vec![text("A"), text("B")],
            },
            enabled: true,
        },
        Change::StaffCredentialsSet {
            account,
            sealed: vec![0x5e; 40],
            own: true,
        },
        Change::ProposalPart {
            proposal: 7,
            part: 1,
            text: text("[campaign]"),
        },
        Change::ProposalEnded {
            proposal: 7,
            done: true,
            what: text("version 2"),
        },
        Change::ProposalScheduled {
            proposal: 7,
            due: STAMP,
        },
        Change::ReasonGiven {
            reason: text("the queue grows"),
        },
        Change::ProposalStepDone {
            proposal: 7,
            step: 2,
            what: text("300 seats"),
        },
    ];
    let sessions = [
        SessionAct::SignedIn,
        SessionAct::SignedOut,
        SessionAct::Revoked,
    ];
    changes.extend(sessions.map(|act| Change::StaffSession {
        account,
        act,
        origin: text("10.1.2.3"),
    }));
    let proposals = [
        Proposal::Campaign,
        Proposal::Agency {
            campaign: campaign.clone(),
        },
        Proposal::Sites {
            campaign: campaign.clone(),
        },
        Proposal::Slots {
            campaign: campaign.clone(),
        },
        Proposal::Gate {
            campaign: campaign.clone(),
            act: GateAct::Resume,
        },
        Proposal::Reopen {
            campaign: campaign.clone(),
            range: range(),
        },
    ];
    let askings = [
        (Asking::Offered, Prefer::SameSite, Unanswered::Moved),
        (Asking::Moved, Prefer::SameDay, Unanswered::Telephoned),
        (Asking::Telephoned, Prefer::SameSite, Unanswered::Telephoned),
    ];
    let closes = askings.map(|(asking, prefer, unanswered)| Proposal::Close {
        campaign: campaign.clone(),
        range: range(),
        plan: ClosePlan {
            asking,
            prefer,
            reason: Notice {
                text: text("점검"),
                en: None,
            },
            until: STAMP,
            unanswered,
        },
    });
    let splits = [Rollover::Next, Rollover::Last].map(|rollover| Proposal::Split {
        campaign: campaign.clone(),
        range: range(),
        at: vec![STAMP, STAMP.plus_s(86_400)],
        rollover,
    });
    let keys = KeyChange::ALL.map(|change| Proposal::Keys { change });
    let files = [
        Proposal::Roster {
            file: RosterFile {
                sha256: [0x78; 32],
                bytes: 70_000,
                base: 3,
                people: 142_310,
                added: 400,
                changed: 300,
                gone: 200,
                erased_back: 1,
            },
        },
        Proposal::AgencyLogo {
            campaign: campaign.clone(),
            text_bytes: 300,
        },
        Proposal::AgencyAgain {
            campaign: campaign.clone(),
            version: 2,
        },
        Proposal::Retime {
            campaign: campaign.clone(),
            range: range(),
            minutes: -30,
            reason: Notice {
                text: text("점검"),
                en: None,
            },
        },
    ];
    let proposals = proposals.into_iter().chain(closes).chain(splits);
    let proposals = proposals.chain(keys).chain(files);
    changes.extend(proposals.map(Box::new).map(|what| Change::Proposed {
        proposal: 7,
        parts: 2,
        sha256: [0x77; 32],
        what,
        reason: text("the August rotation"),
        takes: 142_310,
    }));
    let decisions = [Decision::Approved, Decision::Declined, Decision::Withdrawn];
    changes.extend(decisions.map(|decision| Change::ProposalDecided {
        proposal: 7,
        decision,
        typed: 142_310,
        reason: text("read"),
    }));
    changes.push(Change::ProposalSeen {
        proposal: 7,
        digest: [0x79; 16],
        named: true,
    });
    changes.push(Change::ProposalCalledOff {
        proposal: 7,
        reason: text("a mistake"),
    });
    changes.push(Change::AccountActConfirmed { act: 300 });
    changes.push(Change::AccountActDropped { act: 300 });
    let acts = [
        AccountAct::Set {
            account: Some(account),
            name: text("kim"),
            role: Role::Approver,
            bounds: Bounds::default(),
            enabled: true,
        },
        AccountAct::Reset { account },
    ];
    changes.extend(acts.map(|what| Change::AccountActAsked {
        act: 300,
        what: Box::new(what),
        sealed: vec![0x5e; 37],
        reason: text("new here"),
    }));
    changes.push(Change::ProviderAccountMade {
        account,
        name: text("kim"),
        subject: [0x77; 32],
        role: Role::Site,
        bounds: Box::new(Bounds {
            sites: vec![text("A")],
            ..Bounds::default()
        }),
        enabled: true,
    });
    changes.push(Change::ApiKeyEnded { key: ApiKeyId(300) });
    changes.extend(Scope::ALL.map(|scope| Change::ApiKeyMade {
        key: ApiKeyId(300),
        name: text("wall"),
        sha256: [0x77; 32],
        scopes: vec![scope],
        bounds: Box::new(Bounds {
            campaigns: vec![text("kr-2021-50s")],
            ..Bounds::default()
        }),
        until: STAMP.plus_s(86_400),
        reason: text("the wall screen"),
    }));
    changes
}

fn rows() -> Vec<CampaignRow> {
    use super::super::campaign::Order;
    use CampaignRow::{
        ActiveMax, AdmitPerS, ChangeUntilDays, Cohort, FinishMin, HoldExtendS, HoldS, Id,
        LastEntryMin, LobbyOpensMin, Name, Opening, PersonalDataDays, RevealMin, SessionIdleS,
        Vaccine, WindowMin, WindowPeople, Zone,
    };
    let text = str::to_owned;
    let mut rows = vec![
        Id(text("kr-2021-50s")),
        Name {
            ko: text("예약"),
            en: text("Booking"),
        },
        Zone(text("Asia/Seoul")),
        CampaignRow::Identity(vec![
            IdentityField::Name,
            IdentityField::BirthDate,
            IdentityField::Code,
        ]),
        Cohort {
            id: text("born-1967"),
            born_first: Day(-1_096),
            born_last: Day(-732),
            groups_any: vec![text("carer")],
        },
        Opening {
            from: STAMP,
            until: STAMP.plus_s(3_600),
            cohorts: vec![0, 300],
            birth_day_last_digits: vec![1, 9],
            line: LineIndex(4),
        },
        Vaccine {
            id: text("mrna"),
            doses: 2,
            interval_days: 28,
        },
        HoldS(300),
        HoldExtendS(600),
        PersonalDataDays(365),
        ChangeUntilDays(2),
        LobbyOpensMin(30),
        LastEntryMin(5),
        FinishMin(10),
        AdmitPerS(280),
        ActiveMax(60_000),
        SessionIdleS(600),
        WindowMin(10),
        WindowPeople(Some(20_000)),
        RevealMin(1_440),
    ];
    rows.extend(Order::ALL.map(CampaignRow::Order));
    rows
}

fn agency_rows() -> Vec<AgencyRow> {
    let texts = [
        TextOf::Name,
        TextOf::Hours,
        TextOf::Privacy,
        TextOf::Accessibility,
        TextOf::Terms,
        TextOf::Consent,
        TextOf::Landing,
        TextOf::Confirmation,
        TextOf::Print,
        TextOf::LinkLabel(1),
        TextOf::VaccineName(300),
        TextOf::VaccineBring(2),
    ];
    let text = |of| AgencyRow::Text {
        of,
        tag: "ko".to_owned(),
        text: "글".to_owned(),
    };
    let logo = |kind| AgencyRow::Logo {
        kind,
        bytes: vec![1, 2, 255],
        width: 48,
        height: 300,
    };
    let mut rows: Vec<_> = texts.map(text).into();
    rows.extend([LogoKind::Svg, LogoKind::Png].map(logo));
    rows.extend([
        AgencyRow::Colour([0x0b, 0x50, 0xd0]),
        AgencyRow::Telephone("1339".to_owned()),
        AgencyRow::ConsentVersion("2021-07-01".to_owned()),
        AgencyRow::Link {
            url: "https://www.example.org/".to_owned(),
        },
        AgencyRow::Vaccine {
            id: "mrna".to_owned(),
        },
    ]);
    rows
}

fn pieces() -> Vec<Piece> {
    let site = SiteRow {
        site: "s-1".to_owned(),
        name_ko: "접종센터".to_owned(),
        name_en: "Centre".to_owned(),
        region: "11/110".to_owned(),
        address: "1 Main Street".to_owned(),
        lat_e6: 37_500_000,
        lng_e6: -127_000_000,
        phone: "021230000".to_owned(),
    };
    let slot = SlotRow {
        site: SiteIndex(1),
        vaccine: VaccineIndex(2),
        date: Day(18_841),
        start_min: 540,
        start: STAMP,
        end: STAMP.plus_s(1_800),
        capacity: [10, 0, 300, 0, 0],
    };
    let mut pieces = vec![
        Piece::Source("[campaign]\n".to_owned()),
        Piece::Sites(vec![site]),
        Piece::Slots(vec![slot]),
    ];
    pieces.extend(rows().into_iter().map(|row| Piece::Rules(vec![row])));
    let agency = agency_rows().into_iter();
    pieces.extend(agency.map(|row| Piece::Agency(vec![row])));
    pieces.push(Piece::Closing(vec![SlotIndex(1), SlotIndex(300)]));
    pieces
}

fn actors() -> Vec<Actor> {
    let roles = [
        Role::Administrator,
        Role::Operator,
        Role::Approver,
        Role::Site,
        Role::Agent,
        Role::Auditor,
        Role::Reporter,
    ];
    let mut actors = vec![
        Actor::System,
        Actor::Citizen,
        Actor::Operator("root".to_owned()),
        Actor::Proxy { person: PERSON },
    ];
    actors.extend(roles.map(|role| Actor::Staff {
        account: "kim".to_owned(),
        role,
        for_person: (role == Role::Agent).then_some(PERSON),
    }));
    actors
}

fn told(because: Option<WaitBecause>) -> Told {
    Told {
        newest: 1_540_000,
        serving: 300,
        waiting: 1_539_700,
        late: 2,
        active: 60_000,
        wait_s: [4_231, 7_888],
        because,
        called_per_1000_s: 279_900,
        admit_per_s: 280,
        active_max: 60_000,
        brake_permille: 670,
        share_permille: 1_000,
    }
}

fn changes() -> Vec<Change> {
    let (campaign, person, line) = (CAMPAIGN, PERSON, LineIndex(4));
    let number = BookingNumber(0x0123_4567_89ab);
    let first = SlotIndex(70_000);
    let doses = Doses {
        first,
        second: Some(SlotIndex(70_001)),
    };
    let idempotency = Some(Idempotency {
        key: [0x1d; 16],
        request: [0x2e; 8],
    });
    let text = str::to_owned;
    let mut changes = vec![
        Change::Founded {
            simulated_clock: false,
            head_public_key: [0x5a; 32],
        },
        Change::Started {
            program: text("sumun 0.1.0"),
        },
        Change::ClockStepped { step_ns: -1 },
        Change::ClockBehind {
            behind_ns: 3_600_000_000_000,
        },
        Change::CampaignActivated {
            campaign,
            version: 2,
            parts: 3,
            rows: 40,
            source_sha256: [0x77; 32],
        },
        Change::SitesImported {
            campaign,
            parts: 1,
            rows: 200,
        },
        Change::SlotsImported {
            campaign,
            parts: 300,
            rows: 70_002,
        },
        Change::RosterImported {
            version: 1,
            people: 60_000_000,
            digest: [0x11; 32],
            added: 3,
            changed: 2,
            gone: 1,
        },
        Change::NumbersLeased {
            campaign,
            line,
            first: 1,
            until: 131_072,
        },
        Change::PlacesGiven {
            campaign,
            line,
            places: vec![
                (person, Given::new(7, false)),
                (person, Given::new(8, true)),
            ],
        },
        Change::ServingAdvanced {
            campaign,
            line,
            serving: 280,
        },
        Change::DrawCommitted {
            campaign,
            line,
            opening: STAMP,
            commitment: [0x33; 32],
        },
        Change::DrawRevealed {
            campaign,
            line,
            seed: [0x44; 32],
        },
        Change::WindowsPlanned {
            campaign,
            line,
            plan: Plan {
                at: STAMP,
                basis: Basis {
                    from: STAMP.plus_s(60),
                    until: STAMP.plus_s(3_600),
                    window_s: 600,
                    window_people: 84_000,
                },
                people: 345_000,
                first_lot: 1 << 63,
                from: STAMP.plus_s(120),
                windows: 5,
            },
        },
        Change::LineEnded { campaign, line },
        Change::AgencyActivated {
            campaign,
            version: 2,
            parts: 3,
            rows: 40,
            source_sha256: [0x66; 32],
        },
        Change::Agreed {
            campaign,
            person,
            agency: 300,
        },
        Change::HoldExtended {
            campaign,
            person,
            hold: HoldId(300),
            until: STAMP.plus_s(600),
        },
        Change::Stopped {},
        Change::TokenKeyRotated { id: 2 },
        Change::PersonalKeysRotated { id: 1 },
        Change::HeadKeyRotated {
            public_key: [0x6b; 32],
            signature: vec![0x7c; 64],
        },
        Change::VaultSealed {
            roster: 3,
            rows: 60_000_000,
            digest: [0x22; 32],
        },
        Change::PersonErased {
            person,
            version: 3,
            row: [0x44; 32],
            reason: text("asked for it in writing"),
        },
        Change::VaultEmptied {
            roster: 3,
            reason: text("due"),
        },
        Change::PersonRekeyed {
            from: PersonKey([0x22; 16]),
            to: PersonKey([0x33; 16]),
        },
        Change::Moved {
            campaign,
            person,
            number,
            from: doses,
            to: Doses {
                first,
                second: None,
            },
            pool: Pool::Assisted,
            hold: None,
            released: Some(HoldId(9)),
            idempotency,
        },
        Change::Cancelled {
            campaign,
            person,
            number,
            doses,
            pool: Pool::Partner,
            idempotency: None,
        },
        Change::Booked {
            campaign,
            person,
            number,
            doses,
            pool: Pool::Public,
            hold: Some(HoldId(300)),
            released: None,
            rules: 2,
            idempotency,
        },
    ];
    let purposes = [
        Purpose::Shown,
        Purpose::Erased,
        Purpose::Reviewed,
        Purpose::Compared,
        Purpose::StoredAgain,
        Purpose::Telephoned,
    ];
    changes.extend(purposes.map(|purpose| {
        Change::PersonalDataSeen(Look {
            purpose,
            origin: text("console"),
            reason: text("a letter of 19 July"),
            people: vec![person],
        })
    }));
    changes.extend(of_staff());
    changes.extend(of_relocations(campaign, person, number));
    changes.extend(Pool::ALL.map(|pool| Change::HoldPlaced {
        campaign,
        person,
        doses,
        pool,
        until: STAMP,
        released: None,
    }));
    changes.extend(
        [HoldEnd::Expired, HoldEnd::Released, HoldEnd::Closed].map(|reason| Change::HoldEnded {
            campaign,
            person,
            hold: HoldId(300),
            pool: Pool::Public,
            reason,
        }),
    );
    let reasons = [
        RefusedFor::NotEligible,
        RefusedFor::NotOpenYet,
        RefusedFor::OpeningClosed,
    ];
    changes.extend(reasons.map(|reason| Change::Refused {
        campaign,
        person,
        rules: 1,
        reason,
    }));
    let becauses = [
        None,
        Some(WaitBecause::Paused),
        Some(WaitBecause::Busy),
        Some(WaitBecause::Full),
        Some(WaitBecause::Lowered),
        Some(WaitBecause::Shared),
    ];
    changes.extend(becauses.map(|because| Change::LineTold {
        campaign,
        line,
        told: told(because),
    }));
    let notice = || Notice {
        text: text("점검"),
        en: Some(text("maintenance")),
    };
    let acts = [
        GateAct::Pause {
            reason: text("점검"),
            freezes: true,
        },
        GateAct::Resume,
        GateAct::Rate { admit_per_s: 280 },
        GateAct::Active { active_max: 60_000 },
        GateAct::Message {
            text: text("hello"),
        },
        GateAct::DrawValue {
            line,
            value: text("7 12 23"),
            source: text("a lottery"),
        },
        GateAct::PauseSaid {
            reason: notice(),
            freezes: true,
        },
        GateAct::MessageSaid { message: notice() },
        GateAct::Drain { reason: notice() },
    ];
    changes.extend(acts.map(|act| Change::GateSet { campaign, act }));
    changes.extend(pieces().into_iter().map(|piece| Change::PieceAdded {
        campaign,
        part: 300,
        piece,
    }));
    changes
}

/// Every sample: each change by a citizen, each actor with the same change. None depends on how
/// many there are.
pub fn samples() -> Vec<Entry> {
    let by_citizens = changes().into_iter().map(|change| (Actor::Citizen, change));
    let rotated = Change::TokenKeyRotated { id: 7 };
    let by_others = actors()
        .into_iter()
        .filter(|actor| *actor != Actor::Citizen);
    let by_others = by_others.map(|actor| (actor, rotated.clone()));
    let entry = |(actor, change)| Entry {
        seq: Seq(70_000),
        stamp: STAMP,
        previous: Hash([0xc4; 32]),
        actor,
        change,
    };
    by_citizens.chain(by_others).map(entry).collect()
}

/// The variants that an entry shows, its change first.
fn names(entry: &Entry) -> Vec<&'static str> {
    let mut names = vec![change_name(&entry.change), actor_name(&entry.actor)];
    if let Actor::Staff { role, .. } = &entry.actor {
        names.push(role_name(role));
    }
    match &entry.change {
        Change::PieceAdded { piece, .. } => {
            names.push(piece_name(piece));
            if let Piece::Rules(rows) = piece {
                for row in rows {
                    names.push(row_name(row));
                    match row {
                        CampaignRow::Identity(fields) => {
                            names.extend(fields.iter().map(field_name))
                        }
                        CampaignRow::Order(order) => names.push(order_name(order)),
                        _ => {}
                    }
                }
            }
            if let Piece::Agency(rows) = piece {
                names.extend(rows.iter().flat_map(agency_names));
            }
        }
        Change::HoldEnded { reason, .. } => names.push(end_name(reason)),
        Change::Refused { reason, .. } => names.push(refused_name(reason)),
        Change::GateSet { act, .. } => names.push(act_name(act)),
        Change::HoldPlaced { pool, .. } => names.push(pool_name(pool)),
        Change::PersonalDataSeen(look) => names.push(purpose_name(&look.purpose)),
        Change::StaffSession { act, .. } => names.push(session_name(act)),
        Change::Proposed { what, .. } => {
            names.push(proposal_name(what));
            match &**what {
                Proposal::Close { plan, .. } => names.extend([
                    asking_name(&plan.asking),
                    prefer_name(&plan.prefer),
                    unanswered_name(&plan.unanswered),
                ]),
                Proposal::Split { rollover, .. } => names.push(rollover_name(rollover)),
                Proposal::Keys { change } => names.push(key_change_name(change)),
                _ => {}
            }
        }
        Change::RelocationBegun {
            cause, unanswered, ..
        } => {
            names.extend([cause_name(cause), unanswered_name(unanswered)]);
            if let Cause::Closure { prefer } = cause {
                names.push(prefer_name(prefer));
            }
        }
        Change::ProposalDecided { decision, .. } => names.push(decision_name(decision)),
        Change::AccountActAsked { what, .. } => names.push(account_act_name(what)),
        Change::ApiKeyMade { scopes, .. } => names.extend(scopes.iter().map(scope_name)),
        Change::LineTold { told, .. } => names.extend(told.because.as_ref().map(because_name)),
        _ => {}
    }
    names
}

fn agency_names(row: &AgencyRow) -> Vec<&'static str> {
    let mut names = vec![agency_row_name(row)];
    match row {
        AgencyRow::Text { of, .. } => names.push(text_name(of)),
        AgencyRow::Logo { kind, .. } => names.push(logo_name(kind)),
        _ => {}
    }
    names
}

#[test]
fn every_variant_has_a_sample() {
    let shown: BTreeSet<&str> = samples().iter().flat_map(names).collect();
    let all = [
        CHANGES,
        ACTORS,
        ROLES,
        SESSIONS,
        PROPOSALS,
        CAUSES,
        ASKINGS,
        PREFERS,
        UNANSWERED,
        ROLLOVERS,
        KEY_CHANGES,
        DECISIONS,
        SCOPES,
        ACCOUNT_ACTS,
        PIECES,
        ROWS,
        FIELDS,
        ORDERS,
        REFUSED,
        ENDS,
        ACTS,
        POOL_NAMES,
        BECAUSES,
        AGENCY_ROWS,
        TEXTS,
        LOGOS,
        PURPOSES,
    ];
    let missing: Vec<&str> = all
        .into_iter()
        .flatten()
        .filter(|name| !shown.contains(*name))
        .copied()
        .collect();
    assert_eq!(missing, [""; 0], "add samples of these");
}

#[test]
fn samples_have_the_bytes_that_are_kept_and_come_back_from_them() {
    let mut kept = BTreeMap::new();
    for line in KEPT.lines() {
        let (name, hex) = line.split_once(' ').expect("a name and hex");
        assert!(kept.insert(name, hex).is_none(), "{name} is there twice");
    }
    let mut missing = String::new();
    let count = samples().len();
    for entry in samples() {
        let name = names(&entry).join("+");
        let mut bytes = Vec::new();
        entry.encode(&mut bytes);
        let hex = HEXLOWER.encode(&bytes);
        let Some(known) = kept.remove(name.as_str()) else {
            missing += &format!("{name} {hex}\n");
            continue;
        };
        assert_eq!(hex, known, "{name} is encoded otherwise");
        let bytes = HEXLOWER.decode(known.as_bytes()).expect("hex");
        assert_eq!(Entry::decode(&bytes), Ok(entry), "{name}");
    }
    assert!(
        missing.is_empty(),
        "lines to add to tests/golden/entries.txt:\n{missing}"
    );
    assert!(kept.is_empty(), "samples were lost: {:?}", kept.keys());
    println!("{count} samples");
}
