//! What one account proposes and another approves.
//!
//! A proposal is in the journal with all of its text before anybody can approve it, and the
//! approval is an entry before anything of it is done: what was done is what was read. Who proposed
//! is known by the number of the account, so neither another session nor another name is a second
//! pair of eyes.

mod key_change;
mod roster_file;

use serde::{Deserialize, Serialize};

use super::{AccountId, StaffState};
use crate::crypto::sha256;
use crate::domain::booking::relocation::{Prefer, Unanswered};
use crate::domain::entry::{Actor, GateAct, Role};
use crate::domain::ids::CampaignId;
use crate::domain::line::Notice;
use crate::domain::shown;
use crate::domain::time::{Day, Stamp};

pub use key_change::KeyChange;
pub use roster_file::RosterFile;

/// Proposals that nobody has decided yet.
pub const OPEN_MAX: usize = 50;
/// Decided ones that the desk still shows; all are in the journal.
pub const DECIDED_KEPT: usize = 200;
/// Bytes of one part of a text.
pub const PART_BYTES: usize = 32 << 10;
/// Bytes of a whole text: a spreadsheet of slots that was saved as CSV.
pub const TEXT_BYTES_MAX: usize = 32 << 20;
/// Letters of a reason.
pub const REASON_CHARACTERS_MAX: usize = 500;

/// What is to be done. Variants are appended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proposal {
    /// The text is a campaign file, to come into force.
    Campaign,
    /// The text is an agency's file for this campaign.
    Agency { campaign: CampaignId },
    /// The text is a CSV of sites.
    Sites { campaign: CampaignId },
    /// The text is a CSV of slots.
    Slots { campaign: CampaignId },
    /// An act at the gate that can't be taken back; there is no text.
    Gate { campaign: CampaignId, act: GateAct },
    /// Slots are closed, with a plan for the people who are booked there.
    Close {
        campaign: CampaignId,
        range: SlotRange,
        plan: ClosePlan,
    },
    /// Slots that were closed are open again.
    Reopen {
        campaign: CampaignId,
        range: SlotRange,
    },
    /// Seats are opened to the public in equal parts, one at each of these instants.
    Split {
        campaign: CampaignId,
        range: SlotRange,
        #[serde(serialize_with = "instants")]
        at: Vec<Stamp>,
        rollover: Rollover,
    },
    /// A roster file becomes the roster of every campaign. There is no text: the file lies sealed
    /// beside the journal, which has no name and no birth date.
    Roster { file: RosterFile },
    /// Keys are replaced; there is no text.
    Keys { change: KeyChange },
    /// The text is an agency's file for this campaign, and behind so many bytes its logo's file in
    /// base64.
    AgencyLogo {
        campaign: CampaignId,
        text_bytes: u32,
    },
    /// A version of the agency's file that was in force is so again; there is no text.
    AgencyAgain { campaign: CampaignId, version: u32 },
    /// Slots begin so many minutes later, or earlier if it is negative, and their people with them.
    Retime {
        campaign: CampaignId,
        range: SlotRange,
        minutes: i16,
        /// Told to the people concerned.
        reason: Notice,
    },
}

fn instants<S: serde::Serializer>(stamps: &[Stamp], into: S) -> Result<S::Ok, S::Error> {
    if into.is_human_readable() {
        return into.collect_seq(stamps.iter().map(|at| at.instant().to_string()));
    }
    stamps.serialize(into)
}

/// Which slots: of these sites, on these days, both included.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SlotRange {
    /// Sites by id; none for every site of the campaign.
    pub sites: Vec<String>,
    #[serde(serialize_with = "shown::text")]
    pub from: Day,
    #[serde(serialize_with = "shown::text")]
    pub until: Day,
    /// Of one vaccine by id, if it is named.
    pub vaccine: Option<String>,
    /// Slots that start at or after this minute of the day, and before that one.
    pub minutes: Option<(u16, u16)>,
}

/// What becomes of the people who are booked in slots that are closed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ClosePlan {
    pub asking: Asking,
    pub prefer: Prefer,
    /// Told to the people concerned.
    pub reason: Notice,
    /// Until when they can answer.
    #[serde(serialize_with = "shown::instant")]
    pub until: Stamp,
    pub unanswered: Unanswered,
}

/// How people come to other seats. Variants are appended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asking {
    /// Seats are held for them, and they are asked.
    Offered,
    /// They are moved at once.
    Moved,
    /// Somebody telephones.
    Telephoned,
}

/// What becomes of seats that were opened on a day and not taken. Variants are appended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rollover {
    /// They stay open on the next day, beside its own.
    Next,
    /// They come back with the last part.
    Last,
}

impl Proposal {
    /// The campaign that it names; a campaign's file names its own in its text.
    pub fn campaign(&self) -> Option<&CampaignId> {
        match self {
            Self::Campaign | Self::Roster { .. } | Self::Keys { .. } => None,
            Self::Agency { campaign }
            | Self::AgencyLogo { campaign, .. }
            | Self::AgencyAgain { campaign, .. }
            | Self::Sites { campaign }
            | Self::Slots { campaign }
            | Self::Gate { campaign, .. }
            | Self::Close { campaign, .. }
            | Self::Reopen { campaign, .. }
            | Self::Split { campaign, .. }
            | Self::Retime { campaign, .. } => Some(campaign),
        }
    }
}

impl Proposal {
    /// The slots that it is about, where it names them.
    pub fn range(&self) -> Option<&SlotRange> {
        match self {
            Self::Close { range, .. }
            | Self::Reopen { range, .. }
            | Self::Split { range, .. }
            | Self::Retime { range, .. } => Some(range),
            _ => None,
        }
    }

    /// Whether it is about slots that it names: a site's people propose it for theirs, and nobody
    /// is shown what it does to slots of others.
    pub fn is_of_slots(&self) -> bool {
        match self {
            Self::Close { .. } | Self::Reopen { .. } | Self::Retime { .. } | Self::Slots { .. } => {
                true
            }
            Self::Campaign
            | Self::Agency { .. }
            | Self::AgencyLogo { .. }
            | Self::AgencyAgain { .. }
            | Self::Sites { .. }
            | Self::Gate { .. }
            | Self::Split { .. }
            | Self::Roster { .. }
            | Self::Keys { .. } => false,
        }
    }

    /// What the people concerned are told of it.
    pub fn told(&self) -> Option<&Notice> {
        match self {
            Self::Close { plan, .. } => Some(&plan.reason),
            Self::Retime { reason, .. } => Some(reason),
            _ => None,
        }
    }

    /// Whether it is about all campaigns together: an account that is bound to some has no part
    /// in it.
    pub fn is_of_all(&self) -> bool {
        matches!(self, Self::Roster { .. } | Self::Keys { .. })
    }

    /// The sealed file that it names.
    pub fn roster_file(&self) -> Option<&RosterFile> {
        match self {
            Self::Roster { file } => Some(file),
            _ => None,
        }
    }
}

/// How a proposal ended. Variants are appended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It is done right behind this entry.
    Approved,
    Declined,
    /// By the account that proposed it.
    Withdrawn,
}

/// A proposal, and what became of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Proposed {
    pub by: AccountId,
    pub at: Stamp,
    pub what: Proposal,
    pub reason: String,
    /// People who lose a right or a booking by it, as it was worked out when it was proposed.
    pub takes: u64,
    /// Empty once it is decided: the journal has it.
    pub text: String,
    pub sha256: [u8; 32],
    pub decided: Option<Decided>,
    /// When it is to be done, once it is approved; none for at once.
    pub due: Option<Stamp>,
    /// Steps of an approved one that are done.
    pub steps: u32,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Decided {
    pub by: AccountId,
    pub at: Stamp,
    pub decision: Decision,
    pub reason: String,
    /// What came of an approved one; none while it is being done.
    pub came_of_it: Option<CameOfIt>,
    /// The effect that it was approved for; none in journals from before this was kept.
    pub seen: Option<Seen>,
}

/// The effect that an approval was for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Seen {
    /// The digest of the effect.
    pub digest: EffectDigest,
    /// Whether the approver named it; otherwise it was worked out when they approved.
    pub is_named: bool,
}

/// The first 16 bytes of a SHA-256.
pub type EffectDigest = [u8; 16];

/// What came of an approved proposal.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CameOfIt {
    pub is_done: bool,
    /// Somebody called it off before it was done.
    pub is_called_off: bool,
    /// In words.
    pub what: String,
}

/// Why a proposal can't be made or decided.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ProposalFault {
    #[error("there is no proposal {0}")]
    Unknown(u32),
    #[error("the proposal's number {0} does not follow the last one")]
    Number(u32),
    #[error("the text's part {0} does not follow the one before")]
    Part(u32),
    #[error("the text is not the one that the proposal names")]
    Text,
    #[error("the text has more than {TEXT_BYTES_MAX} bytes")]
    TooLong,
    #[error("{OPEN_MAX} proposals wait for a decision: decide or withdraw some first")]
    TooMany,
    #[error("a reason has 1 to {REASON_CHARACTERS_MAX} characters")]
    Reason,
    #[error("it is decided already")]
    Decided,
    #[error(
        "whoever proposes can't approve, also under another name or in another session: it takes a \
         second account"
    )]
    SameEyes,
    #[error("only the account that proposed it can withdraw it")]
    NotTheirs,
    #[error("an account of the role {0:?} can't do this")]
    Role(Role),
    #[error("only an account of the desk can do this")]
    NoAccount,
    #[error("people lose a right or a booking by it: type how many, {expected}, to approve")]
    Typed { expected: u64 },
    #[error("it is not being done")]
    NotApproved,
    #[error("step {0} does not follow the one before")]
    Step(u32),
}

type Found<T> = Result<T, ProposalFault>;

pub fn is_reason(reason: &str) -> bool {
    let letters = reason.trim().chars().count();
    (1..=REASON_CHARACTERS_MAX).contains(&letters)
}

/// Whether an account of this role may propose.
pub fn may_propose(role: Role) -> bool {
    matches!(role, Role::Operator | Role::Approver | Role::Site)
}

/// Whether an account of this role may approve or decline.
pub fn may_decide(role: Role) -> bool {
    role == Role::Approver
}

impl StaffState {
    /// The number of the next proposal.
    pub fn next_proposal(&self) -> u32 {
        self.proposals.keys().next_back().map_or(1, |last| last + 1)
    }

    fn eyes(&self, actor: &Actor) -> Found<(AccountId, Role)> {
        let Actor::Staff { account, .. } = actor else {
            return Err(ProposalFault::NoAccount);
        };
        match self.named(account) {
            Some((id, known)) if known.is_enabled => Ok((id, known.role)),
            _ => Err(ProposalFault::NoAccount),
        }
    }

    /// Whether this account may make one more proposal.
    pub fn may_add_proposal(&self, actor: &Actor, reason: &str) -> Found<AccountId> {
        let (id, role) = self.eyes(actor)?;
        if !may_propose(role) {
            return Err(ProposalFault::Role(role));
        }
        if !is_reason(reason) {
            return Err(ProposalFault::Reason);
        }
        let open = self.proposals.values().filter(|one| one.decided.is_none());
        if open.count() >= OPEN_MAX {
            return Err(ProposalFault::TooMany);
        }
        Ok(id)
    }

    /// Adds a part of the text of the next proposal; part 0 begins it anew.
    pub fn add_proposal_part(&mut self, proposal: u32, part: u32, text: &str) -> Found<()> {
        if proposal != self.next_proposal() {
            return Err(ProposalFault::Number(proposal));
        }
        if part == 0 {
            self.draft = Some((0, String::new()));
        }
        let Some((next, draft)) = self.draft.as_mut().filter(|(next, _)| *next == part) else {
            return Err(ProposalFault::Part(part));
        };
        if draft.len() + text.len() > TEXT_BYTES_MAX {
            return Err(ProposalFault::TooLong);
        }
        *next += 1;
        draft.push_str(text);
        Ok(())
    }

    /// Makes a proposal of the parts that came before.
    #[expect(
        clippy::too_many_arguments,
        reason = "they are the fields of the entry"
    )]
    pub fn propose(
        &mut self,
        actor: &Actor,
        proposal: u32,
        parts: u32,
        sha256_of_text: [u8; 32],
        what: &Proposal,
        reason: &str,
        takes: u64,
        now: Stamp,
    ) -> Found<()> {
        let by = self.may_add_proposal(actor, reason)?;
        if proposal != self.next_proposal() {
            return Err(ProposalFault::Number(proposal));
        }
        let text = match self.draft.take() {
            Some((there, text)) if there == parts => text,
            None if parts == 0 => String::new(),
            _ => return Err(ProposalFault::Part(parts)),
        };
        if sha256(text.as_bytes()) != sha256_of_text {
            return Err(ProposalFault::Text);
        }
        let proposed = Proposed {
            by,
            at: now,
            what: what.clone(),
            reason: reason.to_owned(),
            takes,
            text,
            sha256: sha256_of_text,
            decided: None,
            due: None,
            steps: 0,
        };
        self.proposals.insert(proposal, proposed);
        Ok(())
    }

    /// Notes when a proposal that was just made is to be done.
    pub fn schedule_proposal(&mut self, actor: &Actor, proposal: u32, due: Stamp) -> Found<()> {
        let (id, _) = self.eyes(actor)?;
        let known = self.proposals.get_mut(&proposal);
        let known = known.ok_or(ProposalFault::Unknown(proposal))?;
        if known.by != id {
            return Err(ProposalFault::NotTheirs);
        }
        if known.decided.is_some() {
            return Err(ProposalFault::Decided);
        }
        known.due = Some(due);
        Ok(())
    }

    /// Whether this account may decide so; `typed` is how many people it says lose something.
    pub fn may_decide_proposal(
        &self,
        actor: &Actor,
        proposal: u32,
        decision: Decision,
        typed: u64,
    ) -> Found<AccountId> {
        let (id, role) = self.eyes(actor)?;
        let known = self.proposals.get(&proposal);
        let known = known.ok_or(ProposalFault::Unknown(proposal))?;
        if known.decided.is_some() {
            return Err(ProposalFault::Decided);
        }
        match decision {
            Decision::Withdrawn if known.by != id => return Err(ProposalFault::NotTheirs),
            Decision::Withdrawn => {}
            Decision::Approved | Decision::Declined if !may_decide(role) => {
                return Err(ProposalFault::Role(role));
            }
            Decision::Approved if known.by == id => return Err(ProposalFault::SameEyes),
            Decision::Approved if known.takes != typed => {
                let expected = known.takes;
                return Err(ProposalFault::Typed { expected });
            }
            Decision::Approved | Decision::Declined => {}
        }
        Ok(id)
    }

    pub fn decide_proposal(
        &mut self,
        actor: &Actor,
        proposal: u32,
        decision: Decision,
        typed: u64,
        reason: &str,
        now: Stamp,
    ) -> Found<()> {
        let by = self.may_decide_proposal(actor, proposal, decision, typed)?;
        let known = self.proposals.get_mut(&proposal);
        let known = known.ok_or(ProposalFault::Unknown(proposal))?;
        if decision != Decision::Approved {
            known.text = String::new();
        }
        known.decided = Some(Decided {
            by,
            at: now,
            decision,
            reason: reason.to_owned(),
            came_of_it: None,
            seen: None,
        });
        self.forget_old_proposals();
        Ok(())
    }

    /// Notes that the next step of an approved proposal is done.
    pub fn note_proposal_step(&mut self, proposal: u32, step: u32) -> Found<()> {
        let known = self.proposals.get_mut(&proposal);
        let known = known.ok_or(ProposalFault::Unknown(proposal))?;
        let is_going_on = known.decided.as_ref().is_some_and(|decided| {
            decided.decision == Decision::Approved && decided.came_of_it.is_none()
        });
        if !is_going_on {
            return Err(ProposalFault::NotApproved);
        }
        if step != known.steps + 1 {
            return Err(ProposalFault::Step(step));
        }
        known.steps = step;
        Ok(())
    }

    /// Notes which effect an account approved, right behind its approval.
    pub fn note_seen(
        &mut self,
        actor: &Actor,
        proposal: u32,
        digest: EffectDigest,
        is_named: bool,
    ) -> Found<()> {
        let (id, _) = self.eyes(actor)?;
        let decided = self.going_on(proposal)?;
        if decided.by != id || decided.seen.is_some() {
            return Err(ProposalFault::NotTheirs);
        }
        decided.seen = Some(Seen { digest, is_named });
        Ok(())
    }

    /// The approval of a proposal that is not done yet.
    fn going_on(&mut self, proposal: u32) -> Found<&mut Decided> {
        let known = self.proposals.get_mut(&proposal);
        let known = known.ok_or(ProposalFault::Unknown(proposal))?;
        let decided = known.decided.as_mut().filter(|decided| {
            decided.decision == Decision::Approved && decided.came_of_it.is_none()
        });
        decided.ok_or(ProposalFault::NotApproved)
    }

    /// Notes what came of an approved proposal.
    pub fn end_proposal(&mut self, proposal: u32, is_done: bool, what: &str) -> Found<()> {
        self.came_of(proposal, is_done, false, what.to_owned())
    }

    /// Calls off what was approved and is not done: any account that can propose can.
    pub fn call_off_proposal(&mut self, actor: &Actor, proposal: u32, reason: &str) -> Found<()> {
        let (id, role) = self.eyes(actor)?;
        if !may_propose(role) {
            return Err(ProposalFault::Role(role));
        }
        if !is_reason(reason) {
            return Err(ProposalFault::Reason);
        }
        let name = self.accounts.get(&id).map_or("", |account| &account.name);
        let what = format!("called off by {name}: {reason}");
        self.came_of(proposal, false, true, what)
    }

    fn came_of(
        &mut self,
        proposal: u32,
        is_done: bool,
        is_called_off: bool,
        what: String,
    ) -> Found<()> {
        self.going_on(proposal)?.came_of_it = Some(CameOfIt {
            is_done,
            is_called_off,
            what,
        });
        let known = self.proposals.get_mut(&proposal);
        known.ok_or(ProposalFault::Unknown(proposal))?.text = String::new();
        Ok(())
    }

    fn forget_old_proposals(&mut self) {
        let is_over = |one: &Proposed| {
            let decided = one.decided.as_ref();
            decided.is_some_and(|decided| {
                decided.decision != Decision::Approved || decided.came_of_it.is_some()
            })
        };
        let last = self.proposals.keys().next_back().copied();
        let over: Vec<u32> = self
            .proposals
            .iter()
            .filter(|(number, one)| is_over(one) && Some(**number) != last)
            .map(|(number, _)| *number)
            .collect();
        let surplus = over.len().saturating_sub(DECIDED_KEPT);
        for number in &over[..surplus] {
            self.proposals.remove(number);
        }
    }
}

#[cfg(test)]
mod tests;
