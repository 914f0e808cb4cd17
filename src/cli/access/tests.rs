//! The sheet of a review, with texts that would be tags.

use std::collections::BTreeMap;

use super::*;
use crate::audit::access::{OfAccount, Record, SignedHead};
use crate::domain::entry::Purpose;

fn seen() -> Seen {
    Seen {
        seq: 4_711,
        at: "2021-07-19T23:05:00+09:00".to_owned(),
        account: "uid 1005 (host)".to_owned(),
        origin: "ssh 192.0.2.7".to_owned(),
        purpose: Purpose::Shown,
        reason: "<b>a letter</b>".to_owned(),
        people: vec!["0f3a".to_owned()],
        at_night: true,
        on_weekend: false,
        asked: vec![Asked::AtNight],
    }
}

fn one_look() -> Review {
    let of = OfAccount {
        looks: 1,
        people: 1,
        at_night: 1,
        most_a_day: 1,
        asked: 1,
        by_purpose: BTreeMap::from([(Purpose::Shown, 1)]),
        origins: BTreeMap::from([("ssh 192.0.2.7".to_owned(), 1)]),
        reasons: BTreeMap::from([("<b>a letter</b>".to_owned(), 1)]),
        ..OfAccount::default()
    };
    let head = SignedHead {
        seq: 9_000,
        hash: "ab12".to_owned(),
        stamp: "2021-08-02T00:00:00Z".to_owned(),
        stamp_ns: 0,
        signature: String::new(),
    };
    Review {
        looks: 1,
        people: 1,
        accounts: BTreeMap::from([(seen().account, of)]),
        asked: 1,
        to_ask: vec![seen()],
        record: Record {
            first_entry: Some(4_000),
            last_entry: Some(8_000),
            newest_entry: 9_000,
            newest_hash: "ab12".to_owned(),
            head: Some(head),
        },
        ..Review::default()
    }
}

#[test]
fn a_sheet_says_what_it_was_made_from_and_has_room_for_the_reviewer() {
    let zone = Zone::named("Asia/Seoul").unwrap();
    let mut review = one_look();
    let sheet = page::of("2021-07", &zone, &review, &[seen()]);
    for wanted in [
        "접속기록 점검표 2021-07",
        "Review of looks at personal data",
        "4,000 – 8,000",
        "9,000, 2021-08-02T00:00:00Z<br><code>ab12</code>",
        "사용자 번호 1005",
        "SSH, 192.0.2.7",
        "&lt;b&gt;a letter&lt;/b&gt;",
        "at night</span></td>",
        "서명<br><span lang=\"en\">signature</span>",
        "점검 결과<br><span lang=\"en\">findings</span>",
    ] {
        assert!(sheet.contains(wanted), "{wanted} is not in {sheet}");
    }
    for foreign in ["<b>a letter", "<script", "http:", "https:", "url(", "<img"] {
        assert!(!sheet.contains(foreign), "{foreign} is in {sheet}");
    }
    assert!(!sheet.contains("No signed head covers"), "{sheet}");
    // A month whose last entries are behind the newest head.
    review.record.last_entry = Some(9_001);
    let sheet = page::of("2021-07", &zone, &review, &[seen()]);
    assert!(sheet.contains("No signed head covers"), "{sheet}");
    // A month without entries needs no head.
    review.record.last_entry = None;
    let sheet = page::of("2021-07", &zone, &review, &[]);
    assert!(!sheet.contains("No signed head covers"), "{sheet}");
}

#[test]
fn the_terminal_names_what_is_to_be_asked_about_and_the_head() {
    let zone = Zone::named("Asia/Seoul").unwrap();
    let said = told(&one_look(), "2021-07", &zone);
    for wanted in [
        "1 looks at 1 people, 1 of them to be asked about",
        "entry 4711, 2021-07-19T23:05:00+09:00: uid 1005 (host), at_night; reason given: <b>",
        "made from entries 4000 to 8000 of a record that ends with 9000; signed head 9000 ab12",
    ] {
        assert!(said.contains(wanted), "{wanted} is not in {said}");
    }
}
