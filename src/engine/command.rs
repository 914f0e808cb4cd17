//! What is asked of the writer, and what it answers.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::oneshot;

use super::import::lists::{List, ListId};
use super::import::roster::StagedRoster;
use super::in_flight::Flight;
use super::shared::Offer;
use crate::domain::agency::Agency;
use crate::domain::booking::decide::Request;
use crate::domain::booking::refusal::Refusal;
use crate::domain::booking::relocation::{Cause, Planned, Unanswered};
use crate::domain::booking::site::{SiteRow, SlotRow};
use crate::domain::campaign::eligibility::Subject;
use crate::domain::entry::{Actor, Change, Doses, GateAct, Look, RefusedFor};
use crate::domain::ids::{
    BookingNumber, CampaignId, CampaignIndex, HoldId, PersonKey, RelocationIndex, Seq, SlotIndex,
};
use crate::domain::line::Notice;
use crate::domain::roster::contact::Contact;
use crate::domain::state::Booking;
use crate::domain::time::{Day, Stamp};
use crate::files::roster::{PreparedRoster, SamePeople};
use crate::seats::Claim;

/// A change that somebody wants. The writer owns it from here: whoever asked may hang up.
pub enum Command {
    /// A person's request. `claim` holds the seats of a `Seat::Claimed` or of a new hold.
    Ask {
        campaign: CampaignIndex,
        request: Request,
        claim: Option<Claim>,
        /// What the asker saw of the person already.
        seen: Option<SubjectSeen>,
        /// None where nobody else can ask for the person meanwhile.
        flight: Option<Flight>,
        reply: oneshot::Sender<Outcome>,
    },
    /// A refusal by the rules that was answered already and must stand in the journal.
    NoteRefusal {
        campaign: CampaignIndex,
        person: PersonKey,
        rules: u32,
        reason: RefusedFor,
    },
    /// A change by the gate's keeper, which alone makes them; answered when it is durable.
    Keep {
        change: Change,
        reply: oneshot::Sender<Outcome>,
    },
    /// An act of somebody at the command line of this host, or behind the desk.
    Operate {
        actor: Actor,
        operation: Operation,
        reply: oneshot::Sender<Outcome>,
    },
}

/// A person as the rules see them, by an offer that may have been replaced since.
pub struct SubjectSeen {
    pub offer: Arc<Offer>,
    pub subject: Subject,
}

impl Command {
    /// Whether an operator wanted this and has gone without waiting for it. A replaced key of
    /// tokens is in its file already: the journal must have it.
    pub(super) fn is_given_up(&self) -> bool {
        match self {
            Self::Operate {
                operation, reply, ..
            } => reply.is_closed() && !operation.has_begun(),
            _ => false,
        }
    }
}

/// What operators want. The first five can take minutes: `import::perform` does that part on the
/// operator's thread, and where nothing is served the writer does it itself.
pub enum Operation {
    /// Puts a campaign file into force.
    Activate {
        source: String,
        /// What is over by now is not gone on with.
        now: Stamp,
        /// Whether the days between two doses may change.
        shifts: bool,
    },
    /// Puts an agency's file into force for a campaign.
    ActivateAgency {
        campaign: CampaignId,
        source: String,
        /// What the text and its logo's file mean.
        agency: Box<Agency>,
    },
    ImportSites {
        campaign: CampaignId,
        rows: Vec<SiteRow>,
    },
    ImportSlots {
        campaign: CampaignId,
        /// The version of the campaign that the rows were read against: they name its vaccines by
        /// position. None when nothing else can have changed it since.
        version: Option<u32>,
        rows: Vec<SlotRow>,
        /// Slots that have begun by now are told.
        now: Stamp,
    },
    /// Closes slots to everybody new.
    CloseSlots {
        campaign: CampaignId,
        slots: Vec<SlotIndex>,
        begin: Begin,
    },
    /// Opens slots again.
    ReopenSlots {
        campaign: CampaignId,
        slots: Vec<SlotIndex>,
    },
    /// Begins to give people other seats, where no slots are closed for it.
    BeginRelocation {
        campaign: CampaignIndex,
        begin: Begin,
    },
    /// Gives people other seats, or offers them. Who changed their booking meanwhile, or whose
    /// seats are gone, is left out.
    Relocate {
        campaign: CampaignIndex,
        relocation: RelocationIndex,
        people: Vec<Planned>,
        /// Until when an offer is kept; none moves people at once.
        offered_until: Option<Stamp>,
    },
    /// Something at a campaign's gate; at the only campaign's if none is named.
    Gate {
        campaign: Option<CampaignId>,
        act: GateAct,
        /// Why, for the record alone.
        reason: Option<String>,
    },
    ImportRoster {
        prepared: Box<PreparedRoster>,
        accepted: Accepted,
    },
    /// Pieces of a list, before its last entry.
    AddPieces { list: ListId, pieces: Vec<Change> },
    /// Puts a list into force whose other pieces came before.
    PutListInForce { list: Box<List> },
    /// Moves what people have to their new keys, from the first to the second.
    Rekey { people: Vec<(PersonKey, PersonKey)> },
    /// Puts a roster into force whose rows are stored.
    PutRosterInForce { staged: Box<StagedRoster> },
    /// The key of tokens has been replaced.
    TokenKeyRotated {
        id: u8,
        /// What was signed before is not good any more.
        revoked: bool,
    },
    /// Seals names and telephone numbers, and compares names, with these keys, which were made.
    RotatePersonalKeys { id: u8 },
    /// Signs heads with this key, which was made.
    RotateHeadKey {
        public_key: [u8; 32],
        /// Where the secrets are.
        folder: PathBuf,
    },
    /// Shows what is kept of the one person of the look, once that is in the journal.
    ShowPerson { look: Look },
    /// Erases the name and the telephone number of the one person of the look.
    ErasePerson { look: Look, now: Stamp },
    /// Journals what the program itself did beside the writer.
    RecordOwn { change: Change },
    /// Changes of accounts, sessions and proposals, each checked against those before it.
    Staff { changes: Vec<Change> },
    /// Journals what an operator did elsewhere: a look at personal data, an erased row.
    Record { change: Change },
}

impl Operation {
    /// Whether a part of it is done before the writer sees it, so that it can't be given up.
    pub fn has_begun(&self) -> bool {
        matches!(self, Self::TokenKeyRotated { .. })
    }
}

/// How a relocation begins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Begin {
    pub cause: Cause,
    /// Told to the people concerned; empty words are those of the cause.
    pub reason: Notice,
    /// Until when offers are kept; nobody is given a seat that begins before.
    pub until: Stamp,
    pub unanswered: Unanswered,
}

impl Begin {
    pub(super) fn change(&self, campaign: CampaignIndex, relocation: RelocationIndex) -> Change {
        let Self {
            cause,
            reason,
            until,
            unanswered,
        } = self.clone();
        Change::RelocationBegun {
            campaign,
            relocation,
            cause,
            reason,
            until,
            unanswered,
        }
    }
}

/// What an import of the roster may do that it does not do unasked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Accepted {
    /// How many people may be gone, if that is much of the roster.
    pub gone: Option<u64>,
    /// How many people whose names were erased may get them back.
    pub erased: Option<u64>,
}

/// The answer to a command: durable when it says so.
#[derive(Clone, PartialEq, Debug)]
pub enum Outcome {
    Held {
        hold: HoldId,
        doses: Doses,
        until: Stamp,
    },
    Released,
    /// Booked, moved or cancelled: the booking as it now is.
    Booking(Booking),
    /// Answered before, by this entry of the journal.
    Repeated(Seq),
    Refused(Refusal),
    Operated(Operated),
    /// What the keeper wanted, or a part of a list, is in the journal.
    Kept,
    /// What the keeper wanted contradicts the journal: it has a defect.
    Contradicts,
    /// What it was prepared from is not in force any more: nothing was done, prepare it again.
    Stale,
    /// The operation can't be done; says why and what to do.
    Impossible(String),
    /// The commit failed: it may or may not be in the journal. The process is about to stop.
    Unknown,
}

/// What an operation did.
#[derive(Clone, PartialEq, Debug)]
pub enum Operated {
    Activated {
        campaign: CampaignId,
        version: u32,
    },
    /// The very file that is in force already.
    Unchanged {
        campaign: CampaignId,
        version: u32,
    },
    AgencyActivated {
        campaign: CampaignId,
        version: u32,
        /// False for the very file that was in force already.
        is_new: bool,
        /// Vaccines of the campaign that it has no name for.
        vaccines_unnamed: Vec<String>,
    },
    Gate {
        campaign: CampaignId,
        act: GateAct,
    },
    TokenKeyRotated {
        id: u8,
        /// What was signed before is not good any more.
        revoked: bool,
    },
    HeadKeyRotated {
        /// The first entry whose head it signs.
        seq: Seq,
        public_key: [u8; 32],
    },
    PersonShown(Box<PersonSeen>),
    PersonErased {
        /// Whether there was anything to erase.
        had_row: bool,
    },
    Sites {
        added: usize,
        changed: usize,
    },
    Slots(SlotsDone),
    /// Slots take nobody new, or do again.
    SlotsClosed {
        slots: usize,
        /// None for slots that are open again.
        relocation: Option<RelocationIndex>,
    },
    RelocationBegun(RelocationIndex),
    Relocated {
        done: usize,
        /// Left out: something changed meanwhile.
        missed: usize,
    },
    Roster {
        version: u32,
        added: usize,
        changed: usize,
        gone: usize,
        unchanged: u64,
        news: Box<RosterNews>,
    },
}

/// What an import of slots did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SlotsDone {
    pub added: usize,
    /// With another capacity.
    pub changed: usize,
    /// With another end.
    pub corrected: usize,
    /// Added, although their time has begun: nobody can book them.
    pub past: usize,
    /// Added or corrected, and overlapping with another slot of the vaccine at the site.
    pub overlapping: usize,
}

/// What is kept of a person.
#[derive(Clone, PartialEq, Debug)]
pub struct PersonSeen {
    pub person: PersonKey,
    /// None when it was erased, or does not open.
    pub contact: Option<Contact>,
    /// Whether there is a sealed row.
    pub has_row: bool,
    /// None for somebody who is not known any more.
    pub born: Option<Day>,
    pub region: String,
    pub groups: Vec<String>,
    pub on_roster: bool,
    pub standings: Vec<Standings>,
}

/// What a person has in a campaign.
#[derive(Clone, PartialEq, Debug)]
pub struct Standings {
    pub campaign: CampaignId,
    /// The latest, also when it was cancelled.
    pub booking: Option<Booking>,
    /// Whether they have a number in a line.
    pub has_place: bool,
}

/// What an operator has to know of an imported roster beside its numbers.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RosterNews {
    /// People who were recognised under a new code.
    pub rekeyed: usize,
    /// Lines of people who are perhaps known under another code: too like several, or like one
    /// with another telephone number.
    pub undecided: Vec<u32>,
    /// Bookings of people who are not on the roster any more.
    pub gone_with_booking: Vec<BookingNumber>,
    /// Rows that look like one person under two codes.
    pub same_people: SamePeople,
    /// People whose names were erased and are stored again.
    pub erased_back: usize,
}
