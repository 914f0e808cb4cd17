//! The rows of the table: what is wanted of each measurement, and of which peer.

use serde_json::Value;

/// What a figure has to be.
pub enum Wanted {
    /// At least this many times the peer's rate.
    Times(f64, &'static str),
    AtLeast(f64),
    AtMost(f64),
}

pub struct Row {
    pub what: &'static str,
    /// The measurement and its figure.
    pub of: (&'static str, &'static str),
    pub unit: &'static str,
    pub wanted: Wanted,
}

const fn row(
    what: &'static str,
    of: (&'static str, &'static str),
    unit: &'static str,
    wanted: Wanted,
) -> Row {
    Row {
        what,
        of,
        unit,
        wanted,
    }
}

use Wanted::{AtLeast, AtMost, Times};

pub const ROWS: &[Row] = &[
    row(
        "durable bookings",
        ("book", "per_s"),
        "/s",
        Times(3.0, "postgres"),
    ),
    row(
        "durable bookings",
        ("book", "per_s"),
        "/s",
        Times(1.0, "redis"),
    ),
    row(
        "durable bookings",
        ("book", "per_s"),
        "/s",
        Times(0.4, "nginx"),
    ),
    row(
        "answer time at half that, p50",
        ("book_half", "p50_ms"),
        "ms",
        AtMost(2.0),
    ),
    row(
        "answer time at half that, p99",
        ("book_half", "p99_ms"),
        "ms",
        AtMost(5.0),
    ),
    row(
        "refusals slot_full",
        ("refuse", "per_s"),
        "/s",
        Times(0.7, "nginx"),
    ),
    row(
        "board answers",
        ("board", "per_s"),
        "/s",
        Times(0.95, "nginx_by_load"),
    ),
    row(
        "board answers, by wrk",
        ("board_by_wrk", "per_s"),
        "/s",
        Times(0.95, "nginx"),
    ),
    row(
        "place polls",
        ("place", "per_s"),
        "/s",
        Times(0.85, "nginx_by_load"),
    ),
    row(
        "first page, by wrk",
        ("page_landing", "per_s"),
        "/s",
        Times(0.8, "nginx"),
    ),
    row(
        "waiting room of a person, by wrk",
        ("page_wait", "per_s"),
        "/s",
        Times(0.8, "nginx"),
    ),
    row(
        "enter, places and refusals",
        ("enter_mixed", "per_s"),
        "/s",
        Times(0.5, "nginx_by_load"),
    ),
    row(
        "memory of a waiting person",
        ("waiting_memory", "bytes_each"),
        "B",
        AtMost(64.0),
    ),
    row(
        "full TLS handshakes, P-256",
        ("tls", "per_s"),
        "/s",
        Times(1.5, "nginx_tls"),
    ),
    row(
        "board over TLS, by wrk",
        ("tls_board", "per_s"),
        "/s",
        Times(0.95, "nginx_tls_board"),
    ),
    row(
        "bookings while followed",
        ("copies_follow", "per_s"),
        "/s",
        Times(0.9, "copies_none"),
    ),
    row(
        "bookings while all is copied too",
        ("copies_all", "per_s"),
        "/s",
        Times(0.9, "copies_none"),
    ),
    row(
        "followed, p99 at 2,000/s, times",
        ("copies_follow", "open_p99_times"),
        "x",
        AtMost(2.0),
    ),
    row(
        "all copied, p99 at 2,000/s, times",
        ("copies_all", "open_p99_times"),
        "x",
        AtMost(2.0),
    ),
    row(
        "most that is lost with the host",
        ("copies_lag", "seconds"),
        "s",
        AtMost(3.0),
    ),
    row(
        "copy of everything",
        ("copies_full", "mb_per_s"),
        "MB/s",
        Times(0.5, "copies_disk"),
    ),
    row(
        "copy of everything",
        ("copies_full", "mb_per_s"),
        "MB/s",
        AtLeast(200.0),
    ),
    row(
        "copied, restored once and verified",
        ("copies_full", "verified_mb_per_s"),
        "MB/s",
        AtLeast(100.0),
    ),
    row(
        "eligibility decisions, one core",
        ("eligibility", "per_s"),
        "M/s",
        AtLeast(10.0),
    ),
    row(
        "import of the roster",
        ("import", "seconds"),
        "s",
        AtMost(15.0),
    ),
    row(
        "import of the roster, peak",
        ("import", "peak_mib"),
        "MiB",
        AtMost(1024.0),
    ),
    row(
        "the desk's list of 13,000 sites, first",
        ("desk_sites", "first_ms"),
        "ms",
        AtMost(50.0),
    ),
    row(
        "the desk's list of 13,000 sites, p99",
        ("desk_sites", "p99_ms"),
        "ms",
        AtMost(50.0),
    ),
    row(
        "the board for 100 viewers",
        ("desk_board", "hundred_percent"),
        "% of a core",
        AtMost(2.0),
    ),
    row(
        "booking p99 under 200 sign-ins a second, times that without",
        ("desk_flood", "p99_times"),
        "",
        AtMost(2.0),
    ),
    row(
        "preview at one instant",
        ("preview", "seconds"),
        "s",
        AtMost(1.5),
    ),
    row(
        "restart after kill -9 until ready",
        ("restart", "seconds"),
        "s",
        AtMost(1.0),
    ),
    row(
        "restart, resident when ready",
        ("restart", "resident_mib"),
        "MiB",
        AtMost(1228.8),
    ),
    row(
        "restart of a country until ready",
        ("restart_country", "seconds"),
        "s",
        AtMost(10.0),
    ),
    row(
        "restart of a country, resident",
        ("restart_country", "resident_mib"),
        "MiB",
        AtMost(8192.0),
    ),
];

/// Measurements that are shown for themselves.
pub const ALSO: &[(&str, &str)] = &[
    ("nginx", "nginx by wrk"),
    ("nginx_by_load", "nginx by this generator"),
    ("postgres", "PostgreSQL, best of 8, 16, 64 clients"),
    ("redis", "Redis, appendfsync always"),
    ("enter", "sign-in calls"),
    ("enter_mixed", "enter, places and refusals"),
    ("place", "place polls"),
    ("board", "board answers"),
    ("tls", "full TLS handshakes, P-256"),
    ("nginx_tls", "nginx: full TLS handshakes, P-256"),
    ("tls_board", "board over TLS, by wrk"),
    ("nginx_tls_board", "nginx: small answers over TLS, by wrk"),
    ("book", "durable bookings"),
    ("book_half", "durable bookings at half the rate"),
    ("refuse", "refusals slot_full"),
    ("desk_flood", "bookings under 200 sign-ins a second"),
];

/// The best of the measurements of that name.
pub fn best<'a>(results: &'a [Value], name: &str) -> Option<&'a Value> {
    let named = results.iter().filter(|one| one["name"] == name);
    named.max_by(|one, other| {
        let rate = |value: &Value| value["per_s"].as_f64().unwrap_or(0.0);
        rate(one).total_cmp(&rate(other))
    })
}
