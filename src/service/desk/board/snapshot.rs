//! The evening at one moment, as everybody behind the desk is shown it.
//!
//! Counts that say "since the start" begin at zero with the process; those of bookings and of
//! numbers are the journal's, and a start changes nothing of them.

use serde::Serialize;
use utoipa::ToSchema;

/// Everything at one moment.
#[derive(Clone, PartialEq, Debug, Default, Serialize, ToSchema)]
pub struct BoardSnapshot {
    /// Counts the snapshots of this process, from 1.
    pub number: u64,
    #[schema(format = DateTime)]
    pub as_of: String,
    /// People in all lines.
    pub waiting: u64,
    /// Sessions that take a place.
    pub sessions: u64,
    /// Bookings ever made, cancelled ones among them.
    pub bookings: u64,
    /// In the last second.
    pub bookings_per_s: f64,
    /// Sessions that began with a turn, in the last second.
    pub admitted_per_s: f64,
    pub campaigns: Vec<CampaignNow>,
    /// The openings that are open, can still be finished, or whose lobby is open; and the next
    /// eight. By campaign and beginning.
    pub openings: Vec<OpeningNow>,
    pub server: ServerNow,
}

/// A campaign and its gate.
#[derive(Clone, PartialEq, Debug, Default, Serialize, ToSchema)]
pub struct CampaignNow {
    pub campaign: String,
    /// `before`, `lobby`, `open`, `paused` or `closed`.
    pub state: String,
    pub paused: Option<PauseNow>,
    /// What everybody is told now, apart from a pause.
    pub message: Option<NoticeNow>,
    pub waiting: u64,
    pub sessions: u64,
    pub active_max: u32,
    /// Sessions that began with a turn, since the start of the server.
    pub admitted: u64,
    pub admitted_per_s: f64,
    pub bookings: u64,
    pub bookings_per_s: f64,
    /// Seats that are kept for people who decide.
    pub holds: u64,
    pub controller: ControllerNow,
    /// Refusals by the rules that are in the journal: one a person and reason.
    pub refused_by_rules: Vec<CodeCount>,
    /// Seats of slots to come, by province and vaccine.
    pub seats: Vec<SeatsNow>,
    /// When the seats were counted.
    #[schema(format = DateTime)]
    pub seats_as_of: String,
}

/// A pause, and what people are told of it.
#[derive(Clone, PartialEq, Debug, Default, Serialize, ToSchema)]
pub struct PauseNow {
    #[schema(format = DateTime)]
    pub since: String,
    pub reason: NoticeNow,
    /// Whether sessions stand still too.
    pub freezes: bool,
}

/// What people are told: in the campaign's own language, and in English if that was given.
#[derive(Clone, PartialEq, Debug, Default, Serialize, ToSchema)]
pub struct NoticeNow {
    pub text: String,
    pub en: Option<String>,
}

/// One opening's line.
#[derive(Clone, PartialEq, Debug, Default, Serialize, ToSchema)]
pub struct OpeningNow {
    pub campaign: String,
    #[schema(format = DateTime)]
    pub from: String,
    #[schema(format = DateTime)]
    pub until: String,
    /// `before`, `lobby`, `open`, `paused`, `finishing` or `closed`.
    pub state: String,
    /// Numbers up to this one were called.
    pub serving: u64,
    /// People who have a number.
    pub numbers_given: u64,
    /// People who have a number and were not called.
    pub waiting: u64,
    /// Those of them who wait in the lobby.
    pub lobby: u64,
    /// People who came when their turn had been given on, and wait for another.
    pub late: u64,
    /// Turns that are kept for people who were called.
    pub called: u64,
    /// Sessions that began with a turn of this line, since the start of the server.
    pub admitted: u64,
    pub admitted_per_s: f64,
    /// Sessions of them that take a place.
    pub sessions: u64,
    /// The part of the gate's rate that the line has, from 0 to 1.
    pub share: f64,
}

/// What the gate does by itself.
#[derive(Clone, PartialEq, Debug, Default, Serialize, ToSchema)]
pub struct ControllerNow {
    /// People a second, as the campaign's file or an operator set it.
    pub rate_set_per_s: u32,
    /// The same after the brake.
    pub rate_in_force_per_s: f64,
    /// Nothing if it does only what was set.
    pub acts: Vec<OwnAct>,
}

/// Something that the server does by itself, and why.
#[derive(Clone, PartialEq, Debug, Default, Serialize, ToSchema)]
pub struct OwnAct {
    /// `brakes` (lets fewer people in a second than is set), `lets_go` (the rate grows back),
    /// `full` (calls nobody until somebody leaves), `puts_off` (requests are told to come back),
    /// `refuses_bookings`, `stands_still` (time does, and so does every line).
    pub what: &'static str,
    /// `writer_delay_ms`, `worker_delay_ms`, `sessions_and_called`, `requests_per_s`,
    /// `disk_free_mib` or `clock_behind_s`.
    pub why: &'static str,
    /// In the unit that `why` names.
    pub figure: f64,
    /// What the figure is measured by; none if there is no bound.
    pub bound: Option<f64>,
}

/// Seats of slots to come in one province with one vaccine.
#[derive(Clone, PartialEq, Debug, Default, Serialize, ToSchema)]
pub struct SeatsNow {
    /// The first part of a region's code: `11`.
    pub province: String,
    pub vaccine: String,
    /// In all pools; what is held is not left.
    pub left: u64,
    pub capacity: u64,
}

/// The server.
#[derive(Clone, PartialEq, Debug, Default, Serialize, ToSchema)]
pub struct ServerNow {
    pub connections: u64,
    pub connections_max: u64,
    /// Of the last second. Classes that were not asked for in it are not among them.
    pub answers: Vec<AnswersNow>,
    /// Codes that were never told are not among them.
    pub refusals: Vec<RefusalsNow>,
    /// What it does by itself, apart from the gates.
    pub acts: Vec<OwnAct>,
    pub writer: WriterNow,
    pub clock: ClockNow,
    pub certificates: Vec<CertificateNow>,
    pub disk: DiskNow,
    pub copies: CopiesNow,
    /// Why bookings can't be made; empty while they can. Looked at every ten seconds.
    pub not_ready: Vec<String>,
    /// What somebody should look at. Looked at every ten seconds.
    pub warnings: Vec<String>,
}

/// Answers of one class.
#[derive(Clone, PartialEq, Debug, Default, Serialize, ToSchema)]
pub struct AnswersNow {
    /// `confirm`, `session`, `enter`, `poll`, `browse` or `free`.
    pub class: &'static str,
    pub per_s: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
}

/// Refusals with one problem code.
#[derive(Clone, PartialEq, Debug, Default, Serialize, ToSchema)]
pub struct RefusalsNow {
    pub code: &'static str,
    pub last_minute: u64,
    /// Since the start of the server.
    pub in_all: u64,
}

#[derive(Clone, PartialEq, Debug, Default, Serialize, ToSchema)]
pub struct CodeCount {
    pub code: &'static str,
    pub count: u64,
}

/// The writer. Times are of the last second, and none if nothing was done in it.
#[derive(Clone, PartialEq, Debug, Default, Serialize, ToSchema)]
pub struct WriterNow {
    pub is_running: bool,
    /// Commands that wait.
    pub queue: u64,
    /// The last entry of the journal.
    pub entries: u64,
    pub commits_per_s: f64,
    /// How long commands waited until the writer took them.
    pub queued_p99_ms: Option<f64>,
    pub commit_p50_ms: Option<f64>,
    pub commit_p99_ms: Option<f64>,
    /// How long it took to settle the tail into the data file.
    pub settle_p99_ms: Option<f64>,
}

#[derive(Clone, PartialEq, Debug, Default, Serialize, ToSchema)]
pub struct ClockNow {
    /// How far the wall clock moved away from the server's time, which does not follow it.
    pub step_s: f64,
    /// How far the clock is behind the last entry: time stands still meanwhile.
    pub behind_s: f64,
}

#[derive(Clone, PartialEq, Debug, Default, Serialize, ToSchema)]
pub struct CertificateNow {
    pub listener: &'static str,
    /// Negative when it has expired.
    pub days_left: i64,
}

#[derive(Clone, PartialEq, Debug, Default, Serialize, ToSchema)]
pub struct DiskNow {
    /// None before it was looked at.
    pub free_bytes: Option<u64>,
    /// `enough`, `little`, `very_little` or `too_little` (bookings are refused).
    pub level: &'static str,
    pub data_file_bytes: u64,
    pub tail_bytes: u64,
}

/// Copies outside the data folder.
#[derive(Clone, PartialEq, Debug, Default, Serialize, ToSchema)]
pub struct CopiesNow {
    pub places: u64,
    /// Seconds since some copy was known to have every entry; none if there never was one.
    pub age_s: Option<u64>,
    /// Seconds since a restore was last rehearsed; none if it never was.
    pub drill_age_s: Option<u64>,
    pub drill_is_good: bool,
}
