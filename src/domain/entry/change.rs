//! Everything that can change state, as the journal records it.

use serde::{Deserialize, Serialize};

use crate::domain::agency::rows::AgencyRow;
use crate::domain::booking::relocation::{Cause, Unanswered};
use crate::domain::booking::site::{SiteRow, SlotRow};
use crate::domain::campaign::rows::CampaignRow;
use crate::domain::entry::Role;
use crate::domain::ids::{
    BookingNumber, CampaignIndex, HoldId, LineIndex, PersonKey, Pool, RelocationIndex, SlotIndex,
};
use crate::domain::line::told::Told;
use crate::domain::line::windows::Plan;
use crate::domain::line::{Given, Notice};
use crate::domain::shown;
use crate::domain::staff::account_act::AccountAct;
use crate::domain::staff::api_key::{ApiKeyId, Scope};
use crate::domain::staff::proposal::{Decision, EffectDigest, Proposal};
use crate::domain::staff::{AccountId, Bounds};
use crate::domain::time::Stamp;

/// The slots of a booking or hold, first dose first.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Doses {
    pub first: SlotIndex,
    pub second: Option<SlotIndex>,
}

impl Doses {
    pub fn slots(self) -> impl Iterator<Item = SlotIndex> {
        std::iter::once(self.first).chain(self.second)
    }

    pub fn has(self, slot: SlotIndex) -> bool {
        self.first == slot || self.second == Some(slot)
    }

    /// The slots that `other` does not have.
    pub fn beyond(self, other: Self) -> impl Iterator<Item = SlotIndex> {
        self.slots().filter(move |slot| !other.has(*slot))
    }
}

/// What makes a repeated request recognisable, also after a crash.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Idempotency {
    /// From the person, the campaign and the Idempotency-Key.
    pub key: [u8; 16],
    /// From what was asked: operation, booking and body.
    pub request: [u8; 8],
}

/// Why a hold ended without a booking. Variants are appended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldEnd {
    Expired,
    Released,
    /// One of its slots was closed.
    Closed,
}

/// Why the rules said no. Variants are appended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusedFor {
    NotEligible,
    NotOpenYet,
    OpeningClosed,
}

/// What operators can do to a gate. Variants are appended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateAct {
    /// Nobody is called; people in session finish, or are frozen too.
    Pause {
        reason: String,
        freezes: bool,
    },
    Resume,
    Rate {
        admit_per_s: u32,
    },
    Active {
        active_max: u32,
    },
    /// A message for everybody; empty for none.
    Message {
        text: String,
    },
    /// A public value that goes into the seed of a line's draw, and where it can be looked up.
    /// Nobody could know it when the seed was committed to. The first one counts.
    DrawValue {
        line: LineIndex,
        value: String,
        source: String,
    },
    /// `Pause` with its reason in English too.
    PauseSaid {
        reason: Notice,
        freezes: bool,
    },
    /// `Message` in English too.
    MessageSaid {
        message: Notice,
    },
    /// A pause without a freeze that the next start of the server ends: people in session finish
    /// before it is stopped.
    Drain {
        reason: Notice,
    },
}

/// A part of a list that is too long for one entry. Variants are appended.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Piece {
    /// A part of a campaign file, in whole characters.
    Source(String),
    /// A part of what a campaign file meant when it was activated.
    Rules(Vec<CampaignRow>),
    Sites(Vec<SiteRow>),
    Slots(Vec<SlotRow>),
    /// A part of what an agency's file meant when it was activated.
    Agency(Vec<AgencyRow>),
    /// Slots that are closed, or open again.
    Closing(Vec<SlotIndex>),
}

/// Everything that can change state. Slots, people and campaigns by index or pseudonym only.
/// Variants are appended.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// The first entry of every journal.
    Founded {
        simulated_clock: bool,
        #[serde(serialize_with = "shown::hex")]
        head_public_key: [u8; 32],
    },
    /// The server started and has replayed everything before.
    Started { program: String },
    /// The wall clock moved away from the server's time by this much; it was not followed.
    ClockStepped { step_ns: i64 },
    /// The server started while the wall clock was behind the last entry by this much.
    ClockBehind { behind_ns: i64 },
    /// A part of the list in progress. Part 0 begins a list, and throws an unfinished one away;
    /// nothing of a list is in force before the entry that ends it.
    PieceAdded {
        campaign: CampaignIndex,
        /// From 0.
        part: u32,
        piece: Piece,
    },
    /// Ends a list of `Source` and `Rules` pieces: these rules came into force. The text is kept
    /// for ever, and never read again to know what it meant.
    CampaignActivated {
        campaign: CampaignIndex,
        version: u32,
        parts: u32,
        /// Compiled rows in all parts.
        rows: u32,
        /// The SHA-256 of the whole text.
        #[serde(serialize_with = "shown::hex")]
        source_sha256: [u8; 32],
    },
    /// Ends a list of `Sites` pieces: sites were added or corrected.
    SitesImported {
        campaign: CampaignIndex,
        parts: u32,
        rows: u32,
    },
    /// Ends a list of `Slots` pieces: slots were added, or their capacity changed. Another end of a
    /// known slot means nothing here; today's entries are `SlotsSet`.
    SlotsImported {
        campaign: CampaignIndex,
        parts: u32,
        rows: u32,
    },
    /// A roster came into force. Its people are in the roster table, known here by a digest.
    RosterImported {
        version: u32,
        people: u64,
        #[serde(serialize_with = "shown::hex")]
        digest: [u8; 32],
        added: u64,
        changed: u64,
        gone: u64,
    },
    HoldPlaced {
        campaign: CampaignIndex,
        #[serde(serialize_with = "shown::text")]
        person: PersonKey,
        doses: Doses,
        pool: Pool,
        #[serde(serialize_with = "shown::instant")]
        until: Stamp,
        /// The person's earlier hold, given back by this entry.
        released: Option<HoldId>,
    },
    HoldEnded {
        campaign: CampaignIndex,
        #[serde(serialize_with = "shown::text")]
        person: PersonKey,
        hold: HoldId,
        pool: Pool,
        reason: HoldEnd,
    },
    Booked {
        campaign: CampaignIndex,
        #[serde(serialize_with = "shown::text")]
        person: PersonKey,
        #[serde(serialize_with = "shown::text")]
        number: BookingNumber,
        doses: Doses,
        pool: Pool,
        /// The hold whose seats became this booking's; none if they were free.
        hold: Option<HoldId>,
        /// Another hold of the person, given back by this entry.
        released: Option<HoldId>,
        /// The version of the rules that allowed it.
        rules: u32,
        #[serde(serialize_with = "shown::idempotency")]
        idempotency: Option<Idempotency>,
    },
    Moved {
        campaign: CampaignIndex,
        #[serde(serialize_with = "shown::text")]
        person: PersonKey,
        #[serde(serialize_with = "shown::text")]
        number: BookingNumber,
        from: Doses,
        to: Doses,
        pool: Pool,
        hold: Option<HoldId>,
        released: Option<HoldId>,
        #[serde(serialize_with = "shown::idempotency")]
        idempotency: Option<Idempotency>,
    },
    Cancelled {
        campaign: CampaignIndex,
        #[serde(serialize_with = "shown::text")]
        person: PersonKey,
        #[serde(serialize_with = "shown::text")]
        number: BookingNumber,
        doses: Doses,
        pool: Pool,
        #[serde(serialize_with = "shown::idempotency")]
        idempotency: Option<Idempotency>,
    },
    /// Once per person, version of the rules and reason.
    Refused {
        campaign: CampaignIndex,
        #[serde(serialize_with = "shown::text")]
        person: PersonKey,
        rules: u32,
        reason: RefusedFor,
    },
    /// Numbers `first` to `until` of a line may be given from now on.
    NumbersLeased {
        campaign: CampaignIndex,
        line: LineIndex,
        first: u64,
        until: u64,
    },
    /// People who have their number since the last such entry.
    PlacesGiven {
        campaign: CampaignIndex,
        line: LineIndex,
        #[serde(serialize_with = "shown::places")]
        places: Vec<(PersonKey, Given)>,
    },
    /// Numbers up to this one have been called.
    ServingAdvanced {
        campaign: CampaignIndex,
        line: LineIndex,
        serving: u64,
    },
    /// The SHA-256 of the seed by which the lobby of an opening will be drawn.
    DrawCommitted {
        campaign: CampaignIndex,
        line: LineIndex,
        /// When the opening is to be, as the rules in force say.
        #[serde(serialize_with = "shown::instant")]
        opening: Stamp,
        #[serde(serialize_with = "shown::hex")]
        commitment: [u8; 32],
    },
    /// The seed itself, at the opening.
    DrawRevealed {
        campaign: CampaignIndex,
        line: LineIndex,
        #[serde(serialize_with = "shown::hex")]
        seed: [u8; 32],
    },
    /// A line's opening is over: its places, numbers and draw are worth nothing from now on.
    LineEnded {
        campaign: CampaignIndex,
        line: LineIndex,
    },
    /// An operator's act at the gate.
    GateSet {
        campaign: CampaignIndex,
        act: GateAct,
    },
    /// The key that signs places and sessions was replaced; its id in the tokens.
    TokenKeyRotated { id: u8 },
    /// A person of the roster has a new code: what they have is under the new key from now on.
    PersonRekeyed {
        #[serde(serialize_with = "shown::text")]
        from: PersonKey,
        #[serde(serialize_with = "shown::text")]
        to: PersonKey,
    },
    /// When the people of an opening may come: those whose windows have not begun.
    WindowsPlanned {
        campaign: CampaignIndex,
        line: LineIndex,
        plan: Plan,
    },
    /// Ends a list of `Source` and `Agency` pieces: the agency's words and looks came into force.
    AgencyActivated {
        campaign: CampaignIndex,
        /// Counted from 1, apart from the versions of the campaign's rules.
        version: u32,
        parts: u32,
        /// Compiled rows in all parts.
        rows: u32,
        /// The SHA-256 of the whole text.
        #[serde(serialize_with = "shown::hex")]
        source_sha256: [u8; 32],
    },
    /// A person who books agreed to the consent text of a version of the agency's file.
    Agreed {
        campaign: CampaignIndex,
        #[serde(serialize_with = "shown::text")]
        person: PersonKey,
        /// The version.
        agency: u32,
    },
    /// A person has more time to decide: their hold ends later. Once for each hold.
    HoldExtended {
        campaign: CampaignIndex,
        #[serde(serialize_with = "shown::text")]
        person: PersonKey,
        hold: HoldId,
        /// Its new end.
        #[serde(serialize_with = "shown::instant")]
        until: Stamp,
    },
    /// What the people of a line were told, once a minute while anybody has a number of it.
    LineTold {
        campaign: CampaignIndex,
        line: LineIndex,
        told: Told,
    },
    /// The server stopped in order. Where the next start has none before it, the process died.
    Stopped {},
    /// Names and telephone numbers are sealed, and names compared, with other keys from the roster
    /// on that the entry before this one brought.
    PersonalKeysRotated {
        /// Which of the keys, counted from 0.
        id: u8,
    },
    /// Heads of this entry and of those behind it are signed with another key.
    HeadKeyRotated {
        #[serde(serialize_with = "shown::hex")]
        public_key: [u8; 32],
        /// Of the key before, over `head_key_message`.
        #[serde(serialize_with = "shown::bytes")]
        signature: Vec<u8>,
    },
    /// The sealed rows of everybody on the roster in force, as they were found.
    VaultSealed {
        /// The version of the roster.
        roster: u32,
        rows: u64,
        /// See `VaultMark`.
        #[serde(serialize_with = "shown::hex")]
        digest: [u8; 32],
    },
    /// The name and the telephone number of a person were erased.
    PersonErased {
        #[serde(serialize_with = "shown::text")]
        person: PersonKey,
        /// The version of the roster that brought the row; 0 if there was none.
        version: u32,
        /// The SHA-256 of what was sealed: it tells nothing of it.
        #[serde(serialize_with = "shown::hex")]
        row: [u8; 32],
        reason: String,
    },
    /// The names and telephone numbers of everybody on this roster were erased: they were due.
    VaultEmptied {
        /// The version of the roster.
        roster: u32,
        reason: String,
    },
    /// Somebody saw personal data; the entry's actor is who.
    PersonalDataSeen(Look),
    /// An account of the desk was made, or it was changed what it may do.
    StaffSet {
        account: AccountId,
        name: String,
        role: Role,
        bounds: Bounds,
        enabled: bool,
    },
    /// An account has other credentials, sealed with a key that is not in the journal.
    StaffCredentialsSet {
        account: AccountId,
        #[serde(serialize_with = "shown::bytes")]
        sealed: Vec<u8>,
        /// Whether the account set them itself.
        own: bool,
    },
    /// A session at the desk began or ended.
    StaffSession {
        account: AccountId,
        act: SessionAct,
        /// The address that it came from.
        origin: String,
    },
    /// A part of the text of the next proposal. Part 0 begins it, and throws away what was not
    /// finished.
    ProposalPart {
        proposal: u32,
        part: u32,
        text: String,
    },
    /// An account proposed something; its text is in the parts before.
    Proposed {
        proposal: u32,
        parts: u32,
        #[serde(serialize_with = "shown::hex")]
        sha256: [u8; 32],
        what: Box<Proposal>,
        reason: String,
        /// People who lose a right or a booking by it.
        takes: u64,
    },
    /// Another account decided on it, or its own took it back.
    ProposalDecided {
        proposal: u32,
        decision: Decision,
        /// People who lose something by it, as the account typed it.
        typed: u64,
        reason: String,
    },
    /// What came of an approved proposal; what it changed is in the entries before.
    ProposalEnded {
        proposal: u32,
        done: bool,
        what: String,
    },
    /// Ends a list of `Slots` pieces: slots were added, or their capacity or end changed.
    SlotsSet {
        campaign: CampaignIndex,
        parts: u32,
        rows: u32,
    },
    /// The agency begins to give people other seats: what for, and what becomes of those who do not
    /// answer.
    RelocationBegun {
        campaign: CampaignIndex,
        relocation: RelocationIndex,
        cause: Cause,
        /// Told to the people concerned.
        reason: Notice,
        /// Until when their new seats are kept for those who are asked.
        #[serde(serialize_with = "shown::instant")]
        until: Stamp,
        unanswered: Unanswered,
    },
    /// Ends a list of `Closing` pieces: these slots take nobody new. Holds on them end in the
    /// entries behind.
    SlotsClosed {
        campaign: CampaignIndex,
        parts: u32,
        rows: u32,
        relocation: RelocationIndex,
    },
    /// Ends a list of `Closing` pieces: these slots are open again.
    SlotsReopened {
        campaign: CampaignIndex,
        parts: u32,
        rows: u32,
    },
    /// Somebody with a booking is offered other seats, which are held for them. Doses that stay
    /// where they are need no second seat.
    MoveOffered {
        campaign: CampaignIndex,
        relocation: RelocationIndex,
        #[serde(serialize_with = "shown::text")]
        person: PersonKey,
        #[serde(serialize_with = "shown::text")]
        number: BookingNumber,
        from: Doses,
        to: Doses,
        pool: Pool,
        #[serde(serialize_with = "shown::instant")]
        until: Stamp,
        /// The person's earlier hold, given back by this entry.
        released: Option<HoldId>,
    },
    /// The agency gave a booking other seats.
    Relocated {
        campaign: CampaignIndex,
        relocation: RelocationIndex,
        #[serde(serialize_with = "shown::text")]
        person: PersonKey,
        #[serde(serialize_with = "shown::text")]
        number: BookingNumber,
        from: Doses,
        to: Doses,
        pool: Pool,
        /// The offer whose seats became the booking's; none if they were free.
        hold: Option<HoldId>,
        /// Another hold of the person, given back by this entry.
        released: Option<HoldId>,
    },
    /// Why somebody did what the next entry says.
    ReasonGiven { reason: String },
    /// When a proposal is to be done, once it is approved.
    ProposalScheduled {
        proposal: u32,
        #[serde(serialize_with = "shown::instant")]
        due: Stamp,
    },
    /// A step of an approved proposal was done, counted from 1; what it changed is in the entries
    /// before.
    ProposalStepDone {
        proposal: u32,
        step: u32,
        what: String,
    },
    /// A key for a program of the agency's own was made.
    ApiKeyMade {
        key: ApiKeyId,
        name: String,
        /// Of its secret, which is nowhere else.
        #[serde(serialize_with = "shown::hex")]
        sha256: [u8; 32],
        scopes: Vec<Scope>,
        bounds: Box<Bounds>,
        #[serde(serialize_with = "shown::instant")]
        until: Stamp,
        reason: String,
    },
    /// A key was ended before its time.
    ApiKeyEnded { key: ApiKeyId },
    /// An administrator asked another account to confirm what takes two.
    AccountActAsked {
        act: u32,
        /// Boxed, as the bounds of a key are: rare entries shall not make all larger in memory.
        what: Box<AccountAct>,
        /// Half of the password that it gives, sealed with a key that is not in the journal; empty
        /// if it gives none.
        #[serde(serialize_with = "shown::bytes")]
        sealed: Vec<u8>,
        reason: String,
    },
    /// Another account confirmed it; what it did is in the entries behind.
    AccountActConfirmed { act: u32 },
    /// It was taken back or declined: the entry's actor says which.
    AccountActDropped { act: u32 },
    /// Which effect was approved by the approval in the entry before.
    ProposalSeen {
        proposal: u32,
        /// The digest of the effect.
        #[serde(serialize_with = "shown::hex")]
        digest: EffectDigest,
        /// Whether the approver named it; otherwise it was worked out when they approved.
        named: bool,
    },
    /// An approved proposal was called off before it was done.
    ProposalCalledOff { proposal: u32, reason: String },
    /// Somebody whom the agency's own provider knows came for the first time: their account was
    /// made, with what the provider's claims give.
    ProviderAccountMade {
        account: AccountId,
        name: String,
        /// A keyed hash of the provider and of the name that it never gives to anybody else.
        #[serde(serialize_with = "shown::hex")]
        subject: [u8; 32],
        role: Role,
        bounds: Box<Bounds>,
        /// Whether it may sign in, or waits until an account of the desk has confirmed it.
        enabled: bool,
    },
}

/// What happened to a session at the desk. Variants are appended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionAct {
    SignedIn,
    SignedOut,
    /// Somebody ended all sessions of the account.
    Revoked,
}

/// Whose personal data were seen, from where and what for. It has no personal data itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Look {
    pub purpose: Purpose,
    /// The host or the address from which it was asked for.
    pub origin: String,
    /// In the words of the one who looked; may be empty where none is asked for.
    pub reason: String,
    /// At most `LOOK_PEOPLE_MAX`; who more were seen at once is in the entries behind.
    #[serde(serialize_with = "shown::texts")]
    pub people: Vec<PersonKey>,
}

/// 16 bytes each: half of the longest entry.
pub const LOOK_PEOPLE_MAX: usize = 1_800;

/// What somebody looked at personal data for. Variants are appended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// To see what is kept of one person.
    Shown,
    /// To erase it.
    Erased,
    /// To review the looks on record; of nobody. The reason has the month and the findings.
    Reviewed,
    /// To see what a roster file would change: the figures tell who of it is as the file says.
    Compared,
    /// An import stored the names again that had been erased, because it was told to.
    StoredAgain,
    /// To call people whose seats the agency took away.
    Telephoned,
}

impl Change {
    /// The line that it changes, if it is one of the keeper's changes.
    pub fn line(&self) -> Option<(CampaignIndex, LineIndex)> {
        match self {
            Self::NumbersLeased { campaign, line, .. }
            | Self::PlacesGiven { campaign, line, .. }
            | Self::ServingAdvanced { campaign, line, .. }
            | Self::DrawCommitted { campaign, line, .. }
            | Self::DrawRevealed { campaign, line, .. }
            | Self::WindowsPlanned { campaign, line, .. }
            | Self::LineTold { campaign, line, .. }
            | Self::LineEnded { campaign, line } => Some((*campaign, *line)),
            _ => None,
        }
    }
}
