//! The figures of an evening, as `figures.json` has them.
//!
//! Each follows from the entries of the journal alone, so that two people who have the same entries
//! have the same figures. Instants are RFC 3339 in the campaign's zone, to the millisecond at the
//! most. Nobody is in here: numbers of people, never a pseudonym. Accounts of operators stand
//! beside what they did.

use std::collections::BTreeMap;

use serde::Serialize;

/// The form of figures and pages. Another form has another number, and is recomputed by the program
/// that wrote it.
pub const FORM: u32 = 1;

/// Everything that is said of one opening.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Figures {
    pub form: u32,
    pub campaign: CampaignTold,
    /// The opening's line, by its position in the campaign.
    pub line: u16,
    /// The journal ended before the opening was over.
    pub so_far: bool,
    pub journal: JournalTold,
    pub span: Span,
    pub opened: Opened,
    /// The versions of the rules that were in force in the span, the first one before it.
    pub rules: Vec<RulesTold>,
    pub numbers: Numbers,
    pub waits: Waits,
    pub draws: Vec<DrawTold>,
    pub bookings: Bookings,
    pub refusals: Vec<RefusalTold>,
    pub acts: Vec<Act>,
    /// Acts beyond those that are listed.
    pub acts_left_out: u64,
    pub happenings: Vec<Happening>,
    /// Seconds of the opening in which no server was there: from a stop in order to the next start,
    /// and from the last entry before a start without one.
    pub out_of_service_s: u64,
    pub controller: Vec<Controlled>,
    pub minutes: Vec<Minute>,
}

#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct CampaignTold {
    pub id: String,
    pub name_ko: String,
    pub name_en: String,
    pub zone: String,
}

#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct JournalTold {
    /// The Ed25519 key that signs its heads, in hex.
    pub public_key: String,
    /// The name of the record in checkpoints: the settings of the server have it, and no entry.
    pub origin: String,
    /// The same key in the text form of C2SP signed notes, by that name; none if no key may have
    /// it.
    pub verifier_key: Option<String>,
    pub simulated_clock: bool,
}

/// The time that the figures are of, and its entries.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Span {
    pub from: String,
    pub until: String,
    /// The first entry from then on.
    pub first_entry: u64,
    /// The last entry of the evening.
    pub last_entry: u64,
    pub last_stamp: String,
    pub last_hash: String,
    /// Minutes that one row of `minutes` stands for: 1, unless the span is longer than two days.
    pub row_min: u32,
}

/// What was opened for whom, as the rules said at the end of the evening.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Opened {
    pub from: String,
    pub until: String,
    pub cohorts: Vec<CohortTold>,
    /// Last digits of the day of birth; empty for every day.
    pub birth_day_last_digits: Vec<u8>,
    pub gate: GateTold,
    pub hold_s: u32,
    pub hold_extend_s: u32,
    pub change_until_days: u16,
}

#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct CohortTold {
    pub id: String,
    /// First and last birth date; none where the file names none.
    pub born: Option<[String; 2]>,
    pub groups_any: Vec<String>,
}

#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct GateTold {
    pub order: &'static str,
    /// For so many minutes before the opening people could come.
    pub lobby_min: u32,
    pub last_entry_min: u32,
    pub finish_min: u32,
    pub admit_per_s: u32,
    pub active_max: u32,
    pub session_idle_s: u32,
}

/// An activated campaign file.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct RulesTold {
    pub version: u32,
    pub activated_at: String,
    pub entry: u64,
    pub by: String,
    pub source_sha256: String,
    /// The opening as this version has it; none if it has none.
    pub opening: Option<[String; 2]>,
}

/// The line: its numbers, and whether its order was kept.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Numbers {
    /// Numbers that somebody had.
    pub given: u64,
    pub people: u64,
    pub highest: u64,
    /// Numbers below the highest that nobody had: a start leaves the rest of a lease.
    pub never_given: u64,
    /// Given before the opening, in the lobby.
    pub before_opening: u64,
    /// Given from the opening on.
    pub after_opening: u64,
    pub first_at: Option<String>,
    pub last_at: Option<String>,
    /// Given to two people.
    pub twice: u64,
    /// The last number called.
    pub serving: u64,
    /// Numbers that were called, of those that somebody had.
    pub called: u64,
    pub never_called: u64,
    /// Entries that called a lower number than one before.
    pub serving_went_back: u64,
    /// People who held or booked first in the span, by themselves, with a number of this line.
    pub acted: u64,
    /// Of them, those whose number was not called by then, and who had no other way in.
    pub acted_before_call: u64,
    /// People who did so without a number of this line: with a booking or a place of another line.
    pub acted_without_number: u64,
    /// From the call to the first hold or booking, in seconds.
    pub call_to_act_s: Spread,
    /// The most people at a time who had come too late and waited for the next free turn.
    pub late_most: u64,
}

/// How a quantity is spread; all zero of nobody.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Spread {
    pub count: u64,
    pub p10: u64,
    pub p50: u64,
    pub p90: u64,
    pub p99: u64,
    pub most: u64,
}

impl Spread {
    /// Of values in any order; each figure is one of them.
    pub fn of(values: &mut [u32]) -> Self {
        values.sort_unstable();
        let Some((most, _)) = values.split_last() else {
            return Self::default();
        };
        let at = |part: usize| u64::from(values[(values.len() - 1) * part / 100]);
        Self {
            count: values.len() as u64,
            p10: at(10),
            p50: at(50),
            p90: at(90),
            p99: at(99),
            most: u64::from(*most),
        }
    }
}

/// Waits told against waits had.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Waits {
    /// From when the number was given to when it was called, in seconds.
    pub had_s: Spread,
    /// The same without the time in which the gate was paused.
    pub had_without_pauses_s: Spread,
    /// People who were called, and were told a wait when they came: they came while the line was
    /// open and not paused, and within a minute and a half of an entry that says what was told.
    pub compared: u64,
    /// People who were called, and were told no wait when they came: in the lobby they are told
    /// when it opens, in a pause that nobody is called.
    pub untold: u64,
    /// Of them, those whose wait without pauses was within what was told around the time.
    pub within: u64,
    pub shorter: u64,
    pub longer: u64,
}

/// A draw of the line, drawn again.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct DrawTold {
    pub committed_at: String,
    /// SHA-256 of the seed, as it was committed to.
    pub commitment: String,
    /// Whether that was before anybody could come.
    pub in_time: bool,
    /// None while it is not shown.
    pub seed: Option<String>,
    pub value: Option<String>,
    pub value_source: Option<String>,
    /// People whose number was drawn.
    pub people: u64,
    /// SHA-256 over a line `NUMBER PERSON\n` for each, by number.
    pub drawn_sha256: Option<String>,
    pub plans: Vec<PlanTold>,
    /// People who had a number before their window.
    pub early: u64,
}

#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct PlanTold {
    pub from: String,
    pub windows: u32,
    pub window_s: u32,
    pub people: u64,
    pub first_lot: String,
    /// Whether the rule of plans makes the same of the same figures.
    pub by_rule: bool,
}

#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Bookings {
    pub booked: u64,
    pub moved: u64,
    pub cancelled: u64,
    pub holds: u64,
    pub holds_extended: u64,
    pub holds_expired: u64,
    pub holds_released: u64,
    /// Bookings by the pool that their seats were taken from.
    pub by_pool: BTreeMap<&'static str, u64>,
    /// Bookings by who made them: `citizen`, `proxy`, `staff`, `operator`.
    pub by_actor: BTreeMap<&'static str, u64>,
    pub best_minute: Option<String>,
    pub best_minute_booked: u64,
}

/// Refusals by the rules: each person once for a version and a reason.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct RefusalTold {
    pub reason: &'static str,
    pub rules: u32,
    pub people: u64,
}

/// An operator's act.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Act {
    pub at: String,
    pub entry: u64,
    pub by: String,
    pub act: &'static str,
    /// The reason, message, value or file that it was done with.
    pub text: Option<String>,
    pub text_en: Option<String>,
    /// The rate, the most people in, the version.
    pub number: Option<u64>,
}

/// A start, a stop or a step of the clock.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Happening {
    pub at: String,
    pub entry: u64,
    /// `started`, `started_after_crash`, `stopped`, `clock_stepped` or `clock_behind`.
    pub what: &'static str,
    pub program: Option<String>,
    pub by_ms: Option<i64>,
}

/// What the controller of the gate did: minutes in a row with the same settings and reason.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Controlled {
    pub from: String,
    pub until: String,
    pub minutes: u64,
    pub admit_per_s: u32,
    pub active_max: u32,
    /// Why people were let in slower than they had been told; none if they were not.
    pub because: Option<&'static str>,
    /// The least part of the rate that the brake left, in thousandths.
    pub brake_permille_least: u16,
    /// The least part of the rate that this line had while anybody waited in it; none if nobody
    /// did.
    pub share_permille_least: Option<u16>,
    pub active_most: u64,
}

/// A row of the evening: what happened from then on until the next row's time.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Minute {
    pub at: String,
    pub given: u64,
    /// The last number called by the end of it.
    pub serving: u64,
    /// Numbers given and not called by the end of it.
    pub waiting: u64,
    /// What the last person of the line was told in it: least and most, in seconds.
    pub told_s: Option<[u64; 2]>,
    pub because: Option<&'static str>,
    /// The middle one of the waits of those who got their number in it and were called.
    pub had_s: Option<u64>,
    pub holds: u64,
    pub booked: u64,
    pub moved: u64,
    pub cancelled: u64,
    /// By reason: not eligible, not open yet, over.
    pub refused: [u64; 3],
}
