//! One mistake at a time in a sound file, the bounds of its texts, its rows and its changes.

use super::*;
use crate::domain::agency::rows::{AgencyRow, TextOf};

const EXAMPLE: &str = include_str!("../../../data/agency.toml");
const LOGO: &[u8] = include_bytes!("../../../data/agency-logo.svg");
const SMALL: &str = "[agency]\nname = { ko = \"청\", en = \"Agency\" }\n";

fn parse(text: &str) -> Result<(Agency, Vec<Finding>), Vec<Finding>> {
    Agency::parse(text, |_| Ok(LOGO.to_vec()))
}

fn example() -> Agency {
    let (agency, warnings) = parse(EXAMPLE).expect("the example is sound");
    assert_eq!(warnings, []);
    agency
}

/// The only finding of a file that has one mistake.
fn mistake(text: &str) -> (u32, String) {
    let findings = parse(text).expect_err(text);
    let [finding] = findings.as_slice() else {
        panic!("{text}: {findings:?}");
    };
    assert!(finding.is_error());
    (finding.line, finding.message.clone())
}

#[test]
fn the_example_says_everything_in_both_languages() {
    let agency = example();
    assert_eq!(agency.name.of("ko"), "질병예방청");
    assert_eq!(agency.name.of("en"), "Agency for Disease Prevention");
    assert_eq!(agency.name.of("vi"), agency.name.of("en"), "else English");
    assert_eq!(agency.colour, Colour::read("#0b50d0"));
    let consent = agency.consent.as_ref().unwrap();
    assert_eq!(consent.version, "2021-07-01");
    assert!(consent.text.of("en").contains("\n\n- Purpose: "));
    assert_eq!(agency.links.len(), 2);
    let vaccine = agency.vaccine("mrna").unwrap();
    assert!(vaccine.bring.is_some() && agency.vaccine("other").is_none());
    let logo = agency.logo.as_ref().unwrap();
    assert_eq!(
        (logo.kind, logo.width, logo.height),
        (LogoKind::Svg, 48, 48)
    );
    let all = [
        &agency.privacy,
        &agency.accessibility,
        &agency.terms,
        &agency.landing,
    ];
    let all = all
        .into_iter()
        .chain([&agency.confirmation, &agency.print, &agency.hours]);
    for texts in all {
        let tags: Vec<&str> = texts.as_ref().unwrap().iter().map(|(tag, _)| tag).collect();
        assert_eq!(tags, ["ko", "en"], "in the order of the file");
    }
}

#[test]
fn a_file_needs_no_more_than_a_name() {
    let (agency, warnings) = parse(SMALL).unwrap();
    assert_eq!(warnings, []);
    assert_eq!(
        (agency.logo, agency.consent, agency.links.len()),
        (None, None, 0)
    );
    assert!(Agency::parse(SMALL, |_| unreachable!("there is no logo")).is_ok());
}

/// What is added to a small file, the line of the mistake, and what is said of it.
const MISTAKES: &[(&str, u32, &str)] = &[
    ("name_ = 1", 3, "has no key `name_`"),
    ("colour = \"blue\"", 3, "write it as \"#0b50d0\""),
    (
        "colour = \"#ff8800\"",
        3,
        "a contrast of 2.3 : 1, and 4.5 : 1 is needed",
    ),
    ("colour = \"#777777\"", 3, "a contrast of 4.4 : 1"),
    ("telephone = \"call us\"", 3, "write it as people dial it"),
    ("telephone = 1339", 3, "must be a text in double quotes"),
    (
        "logo = \"../logo.svg\"",
        3,
        "must be a file beside this one",
    ),
    (
        "logo = \"/etc/passwd\"",
        3,
        "must be a file beside this one",
    ),
    ("logo = 'a\\..\\b'", 3, "must be a file beside this one"),
    ("logo = \"a/../../b\"", 3, "must be a file beside this one"),
    ("hours = \"always\"", 3, "as a table"),
    ("hours = { ko = \"늘\" }", 3, "needs `en`"),
    (
        "hours = { ko = \"늘\", en = \" \" }",
        3,
        "must not be empty",
    ),
    (
        "hours = { ko = \"늘\", en = \"a\", EN = \"b\" }",
        3,
        "two or three small letters",
    ),
    (
        "hours = { ko = \"늘\", en = \"a\", english = \"b\" }",
        3,
        "two or three small letters",
    ),
    (
        "terms = { ko = \"\"\"가\n나\u{e000}\"\"\", en = \"a\" }",
        3,
        "on line 2 of it character 2",
    ),
    (
        "terms = { ko = \"가\\u0007\", en = \"a\" }",
        3,
        "a control character",
    ),
    ("[agency.consent]\nversion = \"1\"", 3, "needs `text`"),
    (
        "[agency.consent]\ntext = { ko = \"가\", en = \"a\" }",
        3,
        "needs `version`",
    ),
    ("[agency.text]\nprivacy = 1", 4, "has no key `privacy`"),
    ("link = 1", 3, "write [[agency.link]] in double brackets"),
    (
        "[[agency.link]]\nlabel = { ko = \"가\", en = \"a\" }\nurl = \"http://example.org\"",
        5,
        "agency.link 1: url: `http://example.org` can't be used: write it as https://",
    ),
    (
        "[[agency.link]]\nlabel = { ko = \"가\", en = \"a\" }\nurl = \"https://a.org/\\\"x\"",
        5,
        "can't be used",
    ),
    (
        "[[agency.link]]\nlabel = { ko = \"가\\n나\", en = \"a\" }\nurl = \"https://a.org\"",
        4,
        "must be on one line",
    ),
    ("[[agency.vaccine]]\nid = \"a\"", 3, "needs `name`"),
    (
        "[[agency.vaccine]]\nid = \"a\"\nname = { ko = \"가\", en = \"a\" }\n\
         [[agency.vaccine]]\nid = \"a\"\nname = { ko = \"가\", en = \"a\" }",
        6,
        "there is a [[agency.vaccine]] `a` before",
    ),
];

#[test]
fn every_mistake_is_told_with_its_line() {
    for (text, line, said) in MISTAKES {
        let (found, message) = mistake(&format!("{SMALL}{text}\n"));
        assert!(message.contains(said), "{text}: {message}");
        assert_eq!(found, *line, "{text}: {message}");
    }
    let (_, message) = mistake("[other]\n[agency]\nname = { ko = \"청\", en = \"A\" }");
    assert!(message.contains("has no key `other`"));
    assert!(mistake("[agency").1.contains("not TOML"));
    assert!(mistake("").1.contains("needs `agency`"));
    assert!(mistake("[agency]").1.contains("needs `name`"));
}

#[test]
fn what_is_wrong_with_the_logo_is_told_at_its_line() {
    let text = format!("{SMALL}logo = \"seal.svg\"\n");
    let findings = Agency::parse(&text, |path| Err(format!("{path} is lost"))).unwrap_err();
    assert_eq!((findings.len(), findings[0].line), (1, 3));
    assert!(findings[0].message.contains("`seal.svg`: seal.svg is lost"));
    let findings = Agency::parse(&text, |_| Ok(b"<html/>".to_vec())).unwrap_err();
    assert!(
        findings[0].message.contains("logo: `seal.svg` is no SVG"),
        "{findings:?}"
    );
}

/// Each bound: just what is allowed, and one more.
#[test]
fn texts_lists_and_languages_have_bounds() {
    let text = |key: &str, chars: usize| {
        format!(
            "{key} = {{ ko = \"{}\", en = \"a\" }}\n",
            "가".repeat(chars)
        )
    };
    let links = |count: usize| {
        let link = format!(
            "[[agency.link]]\n{}url = \"https://a.org/\"\n",
            text("label", 3)
        );
        link.repeat(count)
    };
    let languages = |count: usize| {
        let tags = (0..count - 2).map(|at| format!(", x{}", char::from(b'a' + at as u8)));
        let tags: String = tags.map(|tag| format!("{tag} = \"a\"")).collect();
        format!("hours = {{ ko = \"가\", en = \"a\"{tags} }}\n")
    };
    let name = |chars: usize| SMALL.replace("청", &"가".repeat(chars));
    for (fits, too_much) in [
        (name(100), name(101)),
        (text("hours", 1_000), text("hours", 1_001)),
        (text("privacy", 20_000), text("privacy", 20_001)),
        (links(8), links(9)),
        (languages(16), languages(17)),
    ] {
        let file = |text: String| {
            let is_whole = text.starts_with("[agency]\n");
            if is_whole {
                text
            } else {
                format!("{SMALL}{text}")
            }
        };
        assert!(parse(&file(fits)).is_ok());
        let (_, message) = mistake(&file(too_much));
        assert!(message.contains("at most"), "{message}");
    }
}

#[test]
fn tags_in_a_plain_text_are_a_warning() {
    let text = format!("{SMALL}hours = {{ ko = \"<b>늘</b>\", en = \"a < b\" }}\n");
    let (agency, warnings) = parse(&text).unwrap();
    assert_eq!((warnings.len(), warnings[0].line), (1, 3));
    assert_eq!(agency.hours.unwrap().of("en"), "a < b");
}

#[test]
fn an_agency_comes_back_from_its_rows() {
    let small = parse(SMALL).unwrap().0;
    let long = "가".repeat(20_000);
    let long = format!("{SMALL}terms = {{ ko = \"{long}\", en = \"a\" }}\n");
    let long = parse(&long).unwrap().0;
    for agency in [example(), small, long] {
        let rows = agency.rows();
        assert_eq!(Agency::of_rows(&rows), Ok(agency));
        assert!(
            crate::domain::pieces::split(&rows).is_ok(),
            "each row fits into an entry"
        );
    }
}

#[test]
fn a_kind_of_row_that_is_missing_means_none_and_one_that_is_doubled_is_named() {
    let rows = example().rows();
    let without = |is_gone: &dyn Fn(&AgencyRow) -> bool| {
        let rows: Vec<AgencyRow> = rows.iter().filter(|row| !is_gone(row)).cloned().collect();
        Agency::of_rows(&rows)
    };
    let is_of = |row: &AgencyRow, wanted: TextOf| match row {
        AgencyRow::Text { of, .. } => *of == wanted,
        _ => false,
    };
    let no_logo = without(&|row| matches!(row, AgencyRow::Logo { .. }));
    assert_eq!(no_logo.unwrap().logo, None);
    assert_eq!(
        without(&|row| is_of(row, TextOf::Hours)).unwrap().hours,
        None
    );
    assert!(without(&|row| is_of(row, TextOf::Name)).is_err());
    assert!(
        without(&|row| is_of(row, TextOf::Consent)).is_err(),
        "half of it"
    );
    assert!(
        without(&|row| matches!(row, AgencyRow::Link { .. })).is_err(),
        "a label of nothing"
    );
    for row in &rows {
        let mut doubled = rows.clone();
        doubled.push(row.clone());
        let is_one = matches!(
            row,
            AgencyRow::Logo { .. }
                | AgencyRow::Colour(_)
                | AgencyRow::Telephone(_)
                | AgencyRow::ConsentVersion(_)
        );
        assert_eq!(Agency::of_rows(&doubled).is_err(), is_one, "{row:?}");
    }
}

#[test]
fn a_diff_shows_each_field_around_what_changed() {
    let old = example();
    assert_eq!(diff::diff(Some(&old), &old), []);
    let all = diff::diff(None, &old);
    assert!(all.len() > 20 && all.iter().all(|change| change.old.is_none()));
    let text = EXAMPLE
        .replace(
            "as long as the law requires, and then deleted",
            "a year, and then deleted",
        )
        .replace(
            "to stop their processing. Please call",
            "to stop it. Please call",
        )
        .replace("#0b50d0", "#0b50d1")
        .replace(
            "for as long as the law requires\n\nYou do not",
            "for a year\n\nYou do not",
        )
        .replace("id = \"mrna\"", "id = \"other\"");
    let new = parse(&text).unwrap().0;
    let found = diff::diff(Some(&old), &new);
    let fields: Vec<&str> = found.iter().map(|change| change.field.as_str()).collect();
    let expected = [
        "privacy.en",
        "consent.text.en",
        "colour",
        "vaccine other.name.ko",
        "vaccine other.name.en",
        "vaccine other.bring.ko",
        "vaccine other.bring.en",
        "vaccine mrna.name.ko",
        "vaccine mrna.name.en",
        "vaccine mrna.bring.ko",
        "vaccine mrna.bring.en",
    ];
    assert_eq!(fields, expected);
    let shown = found[0].new.as_deref().unwrap();
    assert!(shown.contains("a year, and then deleted"), "{shown}");
    assert!(
        found[1].caution.is_some(),
        "the same version of another wording"
    );
}
