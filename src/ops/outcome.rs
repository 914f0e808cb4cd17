//! What comes of operators' work: typed outcomes, which also travel over the control socket.
//!
//! Nothing here is laid out for a terminal: the command line and other edges find their own words.
//! Figures that scripts read have the names that they have in the command line's JSON.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::campaign::Finding;
use crate::domain::campaign::diff::FieldChange;
use crate::domain::entry::{GateAct, Role};
use crate::domain::staff::Bounds;
use crate::files::Report;
use crate::gate::board::BoardView;
pub use crate::service::activation::{ActivationDryRun, LineEffect, LineTouched, WindowsAhead};

/// An error and what caused it, in one line. Some errors say their cause themselves: what was said
/// is not said again.
pub fn why(error: &anyhow::Error) -> String {
    let mut told = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !told.contains(&cause) {
            told = told + ": " + &cause;
        }
    }
    told
}

/// What every piece of work ends with.
pub type Finished = Result<Done, WorkFault>;

/// Work that was done, or looked up.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Done {
    /// The campaign file of this version is in force; `changed` if it was not before.
    Activated {
        campaign: String,
        version: u32,
        changed: bool,
    },
    /// What an activation would do to people who wait; nothing was changed.
    ActivationDryRun(ActivationDryRun),
    /// The agency's file of this version is in force; `changed` if it was not before.
    AgencyActivated {
        campaign: String,
        version: u32,
        changed: bool,
        /// Vaccines of the campaign that it has no name for.
        vaccines_unnamed: Vec<String>,
    },
    /// What an agency's file would change for people; nothing was changed.
    AgencyDryRun(AgencyDryRun),
    /// The agency's file of each campaign that has one.
    Agencies(Vec<AgencyInForce>),
    /// A password for an account's first time, told once.
    StaffPassword {
        name: String,
        password: String,
    },
    StaffEnabled {
        name: String,
        enabled: bool,
    },
    StaffList(Vec<StaffAccount>),
    Sites(Imported),
    Slots(SlotsImported),
    Roster(RosterImported),
    /// What an import of the roster would do; nothing was changed.
    DryRun(RosterDryRun),
    /// Keys for names and telephone numbers but those in force were removed.
    PersonalKeysForgotten {
        /// The ones that are in force.
        id: u8,
        removed: usize,
    },
    Person(Box<PersonShown>),
    PersonErased {
        had_row: bool,
    },
    /// That the looks of a month were reviewed is on record.
    Reviewed,
    HeadKeyRotated {
        /// The first entry whose head it signs.
        seq: u64,
        public_key: String,
    },
    TokenKeyRotated {
        id: u8,
        /// What was signed before is not good any more.
        revoked: bool,
    },
    /// An act at a gate that is in force now.
    Gate {
        campaign: String,
        act: GateAct,
    },
    Campaigns(Vec<CampaignInForce>),
    RosterStats(RosterStats),
    Head(SignedHead),
    Checkpoint(CheckpointSeen),
    Proofs(Proofs),
    GateStatus(Vec<GateStatus>),
    Health(HealthSeen),
    /// Frames of a copy come behind this; none if the journal does not have the entry that they
    /// should go on from.
    Copy {
        has_entry: bool,
    },
}

/// What an agency's file would change for people.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AgencyDryRun {
    pub campaign: String,
    pub version: u32,
    pub changes: Vec<FieldChange>,
    pub vaccines_unnamed: Vec<String>,
}

/// An agency's file that is in force.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AgencyInForce {
    pub campaign: String,
    pub version: u32,
    /// RFC 3339, in the campaign's zone.
    pub activated_at: String,
    pub name: CampaignName,
    /// The version of the text that people agree to.
    pub consent: Option<String>,
}

/// What an import of slots did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SlotsImported {
    pub added: usize,
    /// With another capacity.
    pub changed: usize,
    /// With another end.
    pub corrected: usize,
    /// Added, although their time has begun: nobody can book them.
    pub past: usize,
    /// Overlapping with another slot of the vaccine at the site.
    pub overlapping: usize,
}

/// What an import of sites did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Imported {
    pub added: usize,
    pub changed: usize,
}

/// What is kept of a person, as an operator is shown it. `Debug` tells nothing of them.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct PersonShown {
    pub person: String,
    /// None when it was erased, or does not open.
    pub name: Option<String>,
    pub phone: Option<String>,
    /// There is a sealed row that the folder's keys do not open.
    pub is_unopened: bool,
    pub birth_date: Option<String>,
    pub region: String,
    pub groups: Vec<String>,
    pub on_roster: bool,
    pub campaigns: Vec<PersonBooking>,
}

impl std::fmt::Debug for PersonShown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PersonShown(…)")
    }
}

/// What a person has in a campaign.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PersonBooking {
    pub campaign: String,
    /// The latest booking.
    pub number: Option<String>,
    pub is_cancelled: bool,
    /// Whether they have a number in a line.
    pub has_place: bool,
}

/// The roster that is in force, by how its people differ from those of the version before it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RosterImported {
    pub version: u32,
    pub added: usize,
    pub changed: usize,
    pub gone: usize,
    pub unchanged: u64,
    #[serde(flatten)]
    pub notes: RosterNotes,
}

/// What a person has to look at after an import of the roster.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct RosterNotes {
    /// People who were recognised under a new code.
    pub new_code: usize,
    /// Lines of people who are perhaps known under another code.
    pub undecided_lines: Vec<u32>,
    /// Bookings of people who are not on the roster any more, and their numbers.
    pub gone_with_booking: usize,
    pub gone_booking_numbers: Vec<String>,
    /// Rows that look like one person under two codes: how many, and the lines of some, each with
    /// the earlier line that it is like.
    pub same_person: u64,
    pub same_person_lines: Vec<(u32, u32)>,
    /// People whose names were erased, and are stored again.
    #[serde(default)]
    pub erased_back: usize,
}

/// What a roster file would do.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RosterDryRun {
    pub people: usize,
    pub added: usize,
    pub changed: usize,
    pub gone: usize,
    pub unchanged: u64,
    pub changed_fields: ChangedFields,
    #[serde(flatten)]
    pub notes: RosterNotes,
    /// Why it would not be imported as it is, if so.
    pub would_be_refused: Option<String>,
}

/// How many people have another name, and so on. One person may count in several.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ChangedFields {
    pub name: usize,
    pub phone: usize,
    pub birth_date: usize,
    pub region: usize,
    pub groups: usize,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CampaignInForce {
    pub campaign: String,
    pub name: CampaignName,
    pub versions: Vec<CampaignVersion>,
    pub sites: usize,
    pub slots: usize,
    /// Bookings that were not cancelled.
    pub bookings: usize,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CampaignName {
    pub ko: String,
    pub en: String,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CampaignVersion {
    pub version: u32,
    /// RFC 3339, in the campaign's zone.
    pub activated_at: String,
}

#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct RosterStats {
    /// 0 where no roster was imported.
    pub version: u32,
    pub people: u64,
    /// None where the people themselves are not in memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_birth_year: Option<BTreeMap<i16, u64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<BTreeSet<String>>,
}

/// The signed head: what an auditor keeps, to find later whether the journal's tail was cut.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SignedHead {
    pub seq: u64,
    pub stamp_ns: i64,
    pub stamp: String,
    pub hash: String,
    pub signature: String,
    pub public_key: String,
}

/// The newest checkpoint of the tree over the journal.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CheckpointSeen {
    pub origin: String,
    /// Entries.
    pub size: u64,
    /// In hex.
    pub root: String,
    /// What verifies it, with the origin as its name.
    pub public_key: String,
    /// The signed note itself.
    pub note: String,
    /// The note behind the proof that it continues an older one, if that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continued: Option<String>,
}

/// Proofs that entries are in the record.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Proofs {
    pub public_key: String,
    /// In the order of the journal.
    pub entries: Vec<EntryProof>,
}

/// An account of the desk.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StaffAccount {
    pub name: String,
    pub role: Role,
    pub bounds: Bounds,
    pub enabled: bool,
    /// Whether it has set a password and one-time codes of its own.
    pub set_up: bool,
    /// Whether it signs in at the agency's own provider.
    #[serde(default)]
    pub of_provider: bool,
    /// RFC 3339, in UTC.
    pub signed_in_at: Option<String>,
}

/// The proof of one entry, which carries the entry's bytes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct EntryProof {
    pub seq: u64,
    /// RFC 3339, in UTC.
    pub stamp: String,
    /// `booked`, `moved`, `cancelled` or `other`.
    pub what: String,
    pub campaign: Option<String>,
    /// The doses of a booking, for people to read. The entry itself has the slots' numbers.
    pub doses: Vec<ProvedDose>,
    /// The text of C2SP tlog-proof.
    pub proof: String,
}

/// What the number of a slot in an entry stands for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ProvedDose {
    pub slot: u32,
    /// RFC 3339, in the campaign's zone.
    pub start: String,
    /// The site's id and its name.
    pub site: String,
    pub name: String,
    pub vaccine: String,
}

/// What a campaign's board shows, and what it does not.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct GateStatus {
    pub campaign: String,
    pub board: BoardView,
    /// People in session.
    pub active: u64,
    pub active_max: u32,
}

/// What `/readyz` says.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct HealthSeen {
    pub not_ready: Vec<String>,
    pub warnings: Vec<String>,
    /// The clock is behind the journal, and time stands still until then.
    pub stands_still_until: Option<String>,
    /// When the data folder was last in use before this start, and the seconds from then to it.
    #[serde(default)]
    pub last_use_before_start: Option<String>,
    #[serde(default)]
    pub away_before_start_s: Option<i64>,
}

/// Work that was not done, and why.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkFault {
    /// Rows of a file can't be taken; nothing was imported.
    Rows(Report),
    /// A campaign's or an agency's file can't be used; nothing was activated.
    Findings(Vec<Finding>),
    /// No campaign of that name is active.
    NoSuchCampaign,
    /// The commit failed: it may or may not be in the journal, and the server stops.
    OutcomeUnknown,
    /// The writer answered something that no work of an operator leads to: a defect.
    Unexpected(String),
    /// Everything else that can't be done.
    Refused(WorkRefused),
}

/// Why something can't be done, and what to do about it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct WorkRefused {
    pub what: String,
    /// Where in a file, if that is known.
    pub place: Option<String>,
    pub to_do: Option<String>,
}

impl WorkRefused {
    pub fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            place: None,
            to_do: None,
        }
    }

    pub fn at(self, place: impl Into<String>) -> Self {
        Self {
            place: Some(place.into()),
            ..self
        }
    }

    pub fn to_do(self, to_do: impl Into<String>) -> Self {
        Self {
            to_do: Some(to_do.into()),
            ..self
        }
    }
}

impl fmt::Display for WorkRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if let Some(place) = &self.place {
            write!(f, " {place}")?;
        }
        if let Some(to_do) = &self.to_do {
            write!(f, ": {to_do}")?;
        }
        Ok(())
    }
}

impl std::error::Error for WorkRefused {}

impl From<WorkRefused> for WorkFault {
    fn from(refused: WorkRefused) -> Self {
        Self::Refused(refused)
    }
}

impl From<Report> for WorkFault {
    fn from(report: Report) -> Self {
        Self::Rows(report)
    }
}
