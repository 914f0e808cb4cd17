//! One mistake at a time in a sound file: the finding, and the line it names.

mod whole;

use super::*;
use proptest::prelude::*;

const JULY: &str = include_str!("../../../data/campaign.toml");
const AUGUST: &str = include_str!("../../../data/campaign-august.toml");

/// The findings about July's file after `old` became `new` in its first place.
fn findings(old: &str, new: &str) -> Vec<Finding> {
    assert!(JULY.contains(old), "{old}");
    match Campaign::parse(&JULY.replacen(old, new, 1)) {
        Ok((_, warnings)) => warnings,
        Err(findings) => findings,
    }
}

/// The one finding after an edit, with the line it is on.
fn only(old: &str, new: &str) -> (Severity, String) {
    let found = findings(old, new);
    let [finding] = found.as_slice() else {
        panic!("{found:#?}")
    };
    let edited = JULY.replacen(old, new, 1);
    let line = edited
        .lines()
        .nth(finding.line as usize - 1)
        .unwrap_or_default();
    (finding.severity, format!("{} | {}", finding.message, line))
}

fn refused(old: &str, new: &str, message: &str, line: &str) {
    let (severity, found) = only(old, new);
    assert_eq!(severity, Severity::Error, "{found}");
    let (said, on) = found.split_once(" | ").unwrap();
    assert!(said.contains(message), "{said}");
    assert!(on.contains(line), "{found}");
}

#[test]
fn both_files_of_2021_are_sound() {
    let (july, warnings) = Campaign::parse(JULY).unwrap();
    assert_eq!(warnings, []);
    assert_eq!((july.cohorts.len(), july.openings.len()), (3, 5));
    let gate = GateRules {
        finish_min: 10,
        window_min: 10,
        window_people: None,
        reveal_min: 1_440,
        ..GateRules::DEFAULT
    };
    assert_eq!(july.gate, gate);
    assert_eq!(july.booking, BookingRules::DEFAULT);
    let (august, warnings) = Campaign::parse(AUGUST).unwrap();
    assert_eq!(warnings, []);
    assert_eq!((august.cohorts.len(), august.openings.len()), (2, 13));
    assert_eq!(august.openings[0].birth_day_last_digits, [9]);
}

#[test]
fn unknown_keys_are_refused_by_name() {
    refused(
        "hold_s = 300",
        "hold_sec = 300",
        "[booking] has no key `hold_sec`",
        "hold_sec",
    );
    refused("[gate]", "[gates]\n[gate]", "has no key `gates`", "[gates]");
    let born = "born = [\"1967-01-01\", \"1968-12-31\"]";
    let more = &format!("age = 53\n{born}");
    refused(born, more, "cohort 2 has no key `age`", "age = 53");
}

#[test]
fn dates_and_times_that_are_none() {
    refused(
        "1968-12-31",
        "1967-02-30",
        "date that the calendar does not have",
        "1967-02-30",
    );
    refused(
        "1968-12-31",
        "0001-01-01",
        "nobody is born on",
        "0001-01-01",
    );
    refused(
        "1968-12-31",
        "9999-12-31",
        "nobody is born on",
        "9999-12-31",
    );
    refused(
        "1968-12-31",
        "1968-12-3",
        "write it as 1967-03-04",
        "1968-12-3",
    );
    refused(
        "1968-12-31",
        "1966-12-31",
        "nobody can be in it",
        "1966-12-31",
    );
    for (time, why) in [
        ("2021-07-19T24:00", "no time of day"),
        ("2021-07-19T20:60", "no time of day"),
        ("2021-07-19T20:00:60", "no time of day"),
        ("2021-07-19T3:00", "write it as"),
        ("2021-07-19 20:00", "write it as"),
        ("2021-07-19T20:00+09:00", "write it as"),
        ("2021-02-29T20:00", "calendar does not have"),
        ("0001-01-01T00:00", "years 2000 to 2199"),
        ("9999-12-31T23:59", "years 2000 to 2199"),
    ] {
        refused("2021-07-19T20:00", time, why, time);
    }
}

#[test]
fn names_that_do_not_fit_together() {
    let unknown = "cohorts = [\"born-1962-1966\", \"nobody\"]";
    refused(
        "cohorts = [\"born-1962-1966\"]",
        unknown,
        "no [[cohort]] has the id",
        "nobody",
    );
    let twice = "cohorts = [\"born-1962-1966\", \"born-1962-1966\"]";
    refused(
        "cohorts = [\"born-1962-1966\"]",
        twice,
        "named twice",
        "cohorts",
    );
    refused(
        "cohorts = [\"born-1962-1966\"]",
        "cohorts = []",
        "is for no cohort",
        "cohorts",
    );
    let found = findings("id = \"born-1967-1968\"", "id = \"born-1962-1966\"");
    assert!(
        found[0].message.contains("used twice: number 1"),
        "{found:#?}"
    );
    refused("id = \"mrna\"", "id = \"mRNA!\"", "is not an id", "mRNA!");
    refused("id = \"kr-2021-50s\"", "id = \"\"", "is not an id", "id");
    refused(
        "Asia/Seoul",
        "Asia/Soul",
        "is not an IANA time zone",
        "Asia/Soul",
    );
}

#[test]
fn identity_must_tell_namesakes_apart() {
    refused(", \"code\"]", "]", "must have `code`", "identity");
    let fields = "[\"name\", \"birth_date\", \"code\"]";
    for too_few in ["[\"code\"]", "[\"name\", \"code\"]"] {
        refused(fields, too_few, "must have `birth_date`", "identity");
    }
    let two = "[\"birth_date\", \"code\"]";
    assert_eq!(findings(fields, two), []);
    refused(
        "\"code\"]",
        "\"code\", \"phone\"]",
        "not `phone`",
        "identity",
    );
    refused(
        "\"code\"]",
        "\"code\", \"name\"]",
        "`name` twice",
        "identity",
    );
}

#[test]
fn numbers_have_bounds_and_types() {
    for (key, old, new, why) in [
        (
            "hold_s",
            "hold_s = 300",
            "hold_s = 0",
            "from 1 to 3600, not `0`",
        ),
        ("hold_s", "hold_s = 300", "hold_s = 86400", "from 1 to 3600"),
        (
            "personal_data_days",
            "hold_extend_s = 300",
            "hold_extend_s = 300\npersonal_data_days = 36501",
            "from 0 to 36500",
        ),
        (
            "hold_extend_s",
            "hold_extend_s = 300",
            "hold_extend_s = -1",
            "from 0 to 3600, not `-1`",
        ),
        (
            "hold_extend_s",
            "hold_extend_s = 300",
            "hold_extend_s = 3601",
            "from 0 to 3600",
        ),
        (
            "hold_s",
            "hold_s = 300",
            "hold_s = \"300\"",
            "a whole number, not a TOML string",
        ),
        (
            "hold_s",
            "hold_s = 300",
            "hold_s = 300.5",
            "a whole number, not a TOML float",
        ),
        ("admit", "admit_per_s = 280", "admit_per_s = 0", "from 1 to"),
        (
            "active",
            "active_max = 60000",
            "active_max = 99999999999999999999",
            "from 1 to",
        ),
        (
            "idle",
            "session_idle_s = 600",
            "session_idle_s = -1",
            "from 1 to",
        ),
        (
            "lobby",
            "lobby_opens_min = 30",
            "lobby_opens_min = -5",
            "after its opening",
        ),
        (
            "lobby",
            "lobby_opens_min = 30",
            "lobby_opens_min = 9999",
            "from 0 to 1440",
        ),
        (
            "order",
            "order = \"arrival\"",
            "order = \"luck\"",
            "`arrival`, `draw` or `windows`",
        ),
        ("doses", "doses = 2", "doses = 3", "from 1 to 2"),
        (
            "interval",
            "interval_days = 28",
            "interval_days = 0",
            "at least 1",
        ),
        (
            "interval",
            "doses = 2",
            "doses = 1",
            "must be 0 or left out",
        ),
    ] {
        refused(old, new, why, key);
    }
    let digits = |digits| format!("until = \"2021-07-20T18:00\"\nbirth_day_last_digits = {digits}");
    let until = "until = \"2021-07-20T18:00\"";
    refused(until, &digits("[10]"), "from 0 to 9, not `10`", "digits");
    refused(until, &digits("[-1]"), "from 0 to 9", "digits");
    refused(until, &digits("[3, 3]"), "digit 3 twice", "digits");
    refused(until, &digits("3"), "a list in square brackets", "digits");
}

/// The pages once died of a private-use character.
#[test]
fn the_characters_of_texts_are_checked() {
    for (odd, code) in [
        ('\u{f0000}', "F0000"),
        ('\u{202e}', "202E"),
        ('\u{fdd0}', "FDD0"),
    ] {
        let name = JULY.replacen("ko = \"", &format!("ko = \"{odd}"), 1);
        let born = "born = [\"1962-01-01\", \"1966-12-31\"]";
        let with_group = format!("{born}\ngroups_any = [\"a{odd}\"]");
        let group = JULY.replacen(born, &with_group, 1);
        for (text, key, position) in [(name, "name", 1), (group, "groups_any", 2)] {
            assert_ne!(text, JULY, "{key}");
            let mut found = Campaign::parse(&text).unwrap_err();
            found.retain(|finding| finding.severity == Severity::Error);
            assert_eq!(found.len(), 1, "{found:?}");
            let line = text.lines().position(|line| line.contains(odd)).unwrap() + 1;
            assert_eq!(found[0].line as usize, line);
            let wanted = format!("character {position} is U+{code}");
            assert!(found[0].message.contains(&wanted), "{found:?}");
        }
    }
    assert!(Campaign::parse(JULY).is_ok());
}

#[test]
fn many_mistakes_are_told_in_one_go() {
    let text = JULY
        .replace("hold_s = 300", "hold_s = 0")
        .replace("Asia/Seoul", "Asia/Soul")
        .replace("1968-12-31", "1968-13-31")
        .replace("doses = 2", "doses = 9")
        .replace("2021-07-20T20:00", "2021-07-20T25:00");
    let found = Campaign::parse(&text).unwrap_err();
    assert_eq!(found.len(), 5, "{found:#?}");
    assert!(found.is_sorted_by_key(|finding| finding.line));
}

#[test]
fn what_is_not_toml_is_told_with_its_line() {
    let (severity, found) = only("hold_s = 300", "hold_s = = 300");
    assert_eq!(severity, Severity::Error);
    assert!(
        found.contains("not TOML") && found.contains("hold_s = = 300"),
        "{found}"
    );
    refused(
        "hold_s = 300",
        "hold_s = 300\nhold_s = 301",
        "duplicate key",
        "hold_s = 301",
    );
    for text in [
        "",
        "\0",
        "[campaign",
        "campaign = 3",
        "[campaign]\n[[campaign]]",
        "\u{feff}",
    ] {
        assert!(Campaign::parse(text).is_err(), "{text:?}");
    }
    let deep = format!(
        "{JULY}\n[x]\ny = {}{}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    assert!(Campaign::parse(&deep).is_err());
}

#[test]
fn missing_parts_are_named() {
    let found = Campaign::parse("").unwrap_err();
    let all: String = found
        .iter()
        .map(|f| f.message.as_str())
        .collect::<Vec<_>>()
        .join("; ");
    for part in [
        "needs `campaign`",
        "needs a [[cohort]]",
        "needs a [[vaccine]]",
    ] {
        assert!(all.contains(part), "{all}");
    }
    let found = Campaign::parse("[campaign]\n[[cohort]]\n[[opening]]\n[[vaccine]]").unwrap_err();
    for key in [
        "id", "name", "timezone", "identity", "born", "cohorts", "from", "until", "doses",
    ] {
        let needs = format!("needs `{key}`");
        assert!(
            found.iter().any(|f| f.message.contains(&needs)),
            "{key}: {found:#?}"
        );
    }
}

#[test]
fn sections_with_defaults_may_be_left_out() {
    let cut = JULY.find("[booking]").unwrap();
    let (campaign, warnings) = Campaign::parse(&JULY[..cut]).unwrap();
    assert_eq!(warnings, []);
    assert_eq!(
        (campaign.booking, campaign.gate),
        (BookingRules::DEFAULT, GateRules::DEFAULT)
    );
}

#[test]
fn a_flood_of_findings_is_cut_but_stays_refused() {
    let text = format!("{JULY}{}", "\nx = 1".repeat(5_000));
    let found = Campaign::parse(&text).unwrap_err();
    assert!(found.len() < 300, "{}", found.len());
    assert!(
        found
            .iter()
            .any(|finding| finding.severity == Severity::Error)
    );
}

proptest! {
    #[test]
    fn any_text_is_answered(text in ".*") {
        prop_assert!(Campaign::parse(&text).is_err());
        let _ = (read_date(&text), read_local(&text));
        let _ = read_instant(&text, &Zone::named("Asia/Seoul").unwrap());
    }

    #[test]
    fn any_value_anywhere_is_answered(place in 0..200_usize, value in "[-\"\\[\\]{}=.,0-9a-zT:]*") {
        let mut lines: Vec<&str> = JULY.lines().collect();
        let place = place % lines.len();
        let key = lines[place].split('=').next().unwrap_or_default().to_owned();
        let line = format!("{key}= {value}");
        lines[place] = &line;
        if let Err(found) = Campaign::parse(&lines.join("\n")) {
            prop_assert!(found.iter().any(|finding| finding.severity == Severity::Error));
        }
    }

    #[test]
    fn every_date_comes_back(day in -50_000..200_000_i32) {
        let date = crate::domain::time::Day(day).date();
        prop_assert_eq!(read_date(&date.to_string()), Ok(date));
    }
}
