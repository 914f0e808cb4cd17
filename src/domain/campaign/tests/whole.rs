//! Mistakes that only the file as a whole shows.

use super::*;

#[test]
fn local_times_that_a_zone_skips_or_repeats_are_refused_with_both_readings() {
    let text = JULY.replace("Asia/Seoul", "Europe/Berlin");
    let text = text
        .replace("2021-07-12T00:00", "2021-03-28T02:30")
        .replace("2021-07-24T18:00", "2021-10-31T02:30");
    let found = Campaign::parse(&text).unwrap_err();
    assert_eq!(found.len(), 3, "{found:#?}");
    for reading in ["2021-03-28T01:30:00+01:00", "2021-03-28T03:30:00+02:00"] {
        assert!(found[0].message.contains(reading), "{found:#?}");
    }
    for reading in ["2021-10-31T02:30:00+02:00", "2021-10-31T02:30:00+01:00"] {
        assert!(found[1].message.contains(reading), "{found:#?}");
        assert!(found[2].message.contains(reading), "{found:#?}");
    }
}

#[test]
fn openings_that_overlap_or_are_empty() {
    refused(
        "2021-07-20T18:00",
        "2021-07-19T20:00",
        "opening 3 is empty",
        "[[opening]]",
    );
    refused(
        "2021-07-20T18:00",
        "2021-07-19T19:00",
        "opening 3 is empty",
        "[[opening]]",
    );
    refused(
        "2021-07-20T18:00",
        "2021-07-21T20:00:01",
        "opening 5 overlaps opening 3 (line 44) for cohort born-1967-1968",
        "[[opening]]",
    );
    assert_eq!(
        findings("2021-07-20T18:00", "2021-07-21T20:00"),
        [],
        "touching is not overlapping"
    );
    let shared = findings("1966-12-31", "1967-01-01");
    assert_eq!(
        shared
            .iter()
            .map(|finding| finding.line)
            .collect::<Vec<_>>(),
        [44, 56]
    );
    for finding in shared {
        assert_eq!(finding.severity, Severity::Warning);
        assert!(
            finding.message.contains("somebody can be in both"),
            "{}",
            finding.message
        );
    }
}

#[test]
fn digits_keep_openings_apart() {
    let parted = AUGUST.replace("2021-08-10T18:00", "2021-08-12T18:00");
    assert!(Campaign::parse(&parted).is_ok());
    let common = parted.replace("[0]", "[0, 9]");
    let found = Campaign::parse(&common).unwrap_err();
    assert!(
        found[0].message.contains("overlaps opening 1"),
        "{found:#?}"
    );
    let missing = AUGUST.replace("[0]", "[1]");
    assert!(
        Campaign::parse(&missing).is_ok(),
        "the last opening takes everyone"
    );
}

#[test]
fn cohorts_that_nobody_is_or_that_nothing_opens() {
    let unborn = findings(
        "[\"1969-01-01\", \"1971-12-31\"]",
        "[\"2022-01-01\", \"2030-12-31\"]",
    );
    assert!(
        unborn[0]
            .message
            .contains("nobody can be in cohort born-1969-1971"),
        "{unborn:#?}"
    );
    let more = "[[cohort]]\nid = \"young\"\nborn = [\"1990-01-01\", \"1991-12-31\"]\n[[opening]]";
    let (severity, found) = only("[[opening]]", more);
    assert_eq!(severity, Severity::Warning);
    assert!(
        found.starts_with("no opening names cohort young | [[cohort]]"),
        "{found}"
    );
    let opening = |digit, from: u8, until: u8| {
        format!(
            "[[opening]]\ncohorts = [\"one\"]\nbirth_day_last_digits = [{digit}]\n\
             from = \"2021-07-0{from}T00:00\"\nuntil = \"2021-07-0{until}T00:00\"\n"
        )
    };
    let born = "[[cohort]]\nid = \"one\"\nborn = [\"1990-01-01\", \"1990-01-01\"]\n";
    let more = format!("{born}{}{}[[opening]]", opening(1, 1, 2), opening(5, 2, 3));
    let (severity, found) = only("[[opening]]", &more);
    assert_eq!(severity, Severity::Warning);
    assert!(
        found.starts_with("opening 2 takes nobody of cohort one"),
        "{found}"
    );
}

#[test]
fn people_left_out_of_a_rotation_are_told() {
    let (severity, found) = only(
        "until = \"2021-07-12T15:30\"",
        "until = \"2021-07-12T15:30\"\n[[cohort]]\n\
        id = \"young\"\nborn = [\"1990-01-01\", \"1991-12-31\"]\n[[opening]]\n\
        cohorts = [\"young\"]\nfrom = \"2021-07-01T00:00\"\nuntil = \"2021-07-02T00:00\"\n\
        birth_day_last_digits = [0, 1, 2, 3, 4, 5, 6, 8]",
    );
    assert_eq!(severity, Severity::Warning);
    assert!(
        found.contains("ending in [7, 9] gets an opening"),
        "{found}"
    );
}

#[test]
fn too_many_groups_are_a_finding() {
    let cohort =
        |at: usize| format!("[[cohort]]\nid = \"g{at}\"\ngroups_any = [\"a{at}\", \"b{at}\"]\n");
    let with = |count| {
        let cohorts: String = (0..count).map(cohort).collect();
        Campaign::parse(&JULY.replacen("[[opening]]", &format!("{cohorts}[[opening]]"), 1))
    };
    assert!(with(6).is_ok());
    let found = with(33).unwrap_err();
    assert!(
        found
            .iter()
            .any(|f| f.message.contains("66 groups: at most 64")),
        "{found:#?}"
    );
    let found = with(32).unwrap_err();
    assert!(
        found.iter().any(|f| f.message.contains("kinds of people")),
        "{found:#?}"
    );
}
