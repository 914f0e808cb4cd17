//! The roster file, fault by fault.

use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::clock::Entropy;
use crate::demo;
use crate::domain::crockford;
use crate::domain::roster::Roster;
use crate::domain::roster::contact::Contact;
use crate::domain::roster::difference;
use crate::domain::spelling::phone::{self, Country};
use crate::domain::time::Day;
use crate::files::roster::{
    PreparedRoster, Reading, SamePeople, SamePerson, SealedContacts, read, write_csv,
};
use crate::files::{Encoding, SHOWN_MAX};
use crate::keys::Keys;

pub(super) const HEADER: &str = "name,birth_date,code,phone,region,groups\n";

fn code(value: u64) -> String {
    crockford::format(value * 37)
}

fn today() -> Day {
    Day::of(date(2021, 7, 19))
}

pub(super) fn read_with(keys: &Keys, file: &[u8]) -> Result<PreparedRoster, Report> {
    read(file, keys, &Entropy::system(), today())
}

pub(super) fn read_text(rows: &str) -> Result<PreparedRoster, Report> {
    let keys = Keys::generate(&Entropy::system());
    read_with(&keys, format!("{HEADER}{rows}").as_bytes())
}

fn refused(rows: &str) -> Report {
    match read_text(rows) {
        Ok(_) => panic!("{rows} was taken"),
        Err(report) => report,
    }
}

/// What was sealed of the person at an index.
pub(super) fn contact(keys: &Keys, prepared: &PreparedRoster, at: usize) -> Contact {
    let mut sealed = Vec::new();
    assert!(prepared.contacts.read(at, &mut sealed).unwrap());
    let key = prepared.roster.people[at].key;
    Contact::decode(&keys.open(key, &sealed).unwrap()).unwrap()
}

/// A good row with one column's text replaced.
pub(super) fn row_with(column: usize, text: &str) -> String {
    let code = code(1);
    let mut fields = [
        "김영숙",
        "1967-03-04",
        &code,
        "010-1234-5678",
        "11/110",
        "health-worker",
    ];
    fields[column] = text;
    fields.join(",")
}

/// Good for the reader, this text in this column of line 3 is the only fault of the file.
pub(super) fn assert_fault(column: usize, text: &str, reason: Reason) -> String {
    let first = format!("박철수,1968-02-29,{},,,\n", code(2));
    let report = refused(&format!("{first}{}\n", row_with(column, text)));
    assert_eq!(report.rows, 2);
    let fault = only(report);
    let name = HEADER.trim().split(',').nth(column).unwrap();
    let place = (fault.line, &*fault.column, fault.reason);
    assert_eq!(place, (Some(3), name, reason), "{fault}");
    fault.to_string()
}

#[test]
fn a_good_file_becomes_pseudonyms_and_sealed_contacts() {
    let keys = Keys::generate(&Entropy::system());
    let rows = format!(
        "{}\n박철수,1968-02-29,{},,,\n",
        row_with(4, "26/350"),
        code(2)
    );
    let prepared = read_with(&keys, format!("{HEADER}{rows}").as_bytes()).unwrap();
    let roster = &prepared.roster;
    assert_eq!(roster.people.len(), 2);
    assert_eq!(prepared.contacts.len(), 2);
    let key = keys.person_key(37);
    let person = roster.find(&key).unwrap();
    assert_eq!(person.born, Day::of(date(1967, 3, 4)));
    assert_eq!(
        person.name_tag,
        keys.personal(0).unwrap().name_tag(key, "김 영숙")
    );
    assert_eq!(
        person.detail_tag,
        keys.personal(0).unwrap().detail_tag(key, "+821012345678")
    );
    assert_eq!(roster.region(person), "26/350");
    assert_eq!(roster.groups(person), ["health-worker"]);
    let other = roster.find(&keys.person_key(74)).unwrap();
    assert_eq!((roster.region(other), roster.groups(other).len()), ("", 0));
    for (at, person) in roster.people.iter().enumerate() {
        let contact = contact(&keys, &prepared, at);
        let name = if person.key == key {
            "김영숙"
        } else {
            "박철수"
        };
        assert_eq!(contact.name, name);
    }
    let parts = (
        roster.people.clone(),
        roster.group_sets.clone(),
        roster.regions.clone(),
    );
    crate::domain::roster::Roster::assemble(0, parts.0, parts.1, parts.2).unwrap();
}

#[test]
fn the_digest_knows_the_content_and_not_the_order() {
    let keys = Keys::generate(&Entropy::system());
    let (one, two) = (
        row_with(5, "b;a"),
        format!("박철수,1968-02-29,{},,36/110,c", code(2)),
    );
    let read = |rows: &str| read_with(&keys, format!("{HEADER}{rows}").as_bytes()).unwrap();
    let (forth, back) = (
        read(&format!("{one}\n{two}\n")),
        read(&format!("{two}\n{one}\n")),
    );
    let digest = |read: &PreparedRoster| read.digest.with_left(&[]);
    assert_eq!(digest(&forth), digest(&back));
    assert_eq!(forth.roster, back.roster);
    let other = read(&format!("{two}\n{}\n", row_with(5, "b")));
    assert_ne!(digest(&forth), digest(&other));
    let changes = difference(&forth.roster, &other.roster);
    assert_eq!((changes.unchanged, changes.changed.len()), (1, 1));
    assert!(changes.changed[0].groups && !changes.changed[0].region);
}

#[test]
fn dates_out_of_all_reason_are_refused() {
    for text in ["0001-01-01", "9999-12-31", "1849-12-31", "2021-07-20"] {
        assert_fault(1, text, Reason::DateOutOfRange);
    }
    for text in ["1850-01-01", "2021-07-19"] {
        read_text(&row_with(1, text)).unwrap();
    }
}

#[test]
fn bad_codes_are_refused_and_never_repeated() {
    let good = code(1);
    let wrong_check = format!("{}1", &good[..9]);
    for (text, why) in [
        ("", "10 characters"),
        ("123456789", "10 characters"),
        ("12345678901", "10 characters"),
        ("12345678é0", "outside"),
        ("12345U7890", "outside"),
        (&*wrong_check, "check character"),
    ] {
        let told = assert_fault(2, text, Reason::BadCode);
        assert!(told.contains(why), "{told}");
        assert!(text.is_empty() || !told.contains(text), "{told}");
    }
}

#[test]
fn bad_regions_are_refused() {
    for text in [
        "11",
        "11110",
        "11/11",
        "1/110",
        "11/1100",
        "11-110",
        "서울/110",
        "11/+10",
        "99/999",
    ] {
        assert_fault(4, text, Reason::BadRegion);
    }
    let prepared = read_text(&row_with(4, "51/110")).unwrap();
    assert_eq!(prepared.roster.regions, ["", "42/110"]);
}

#[test]
fn bad_groups_are_refused() {
    let long = "a".repeat(65);
    for text in ["a;", ";a", "a;;b", &long] {
        let quoted = format!("\"{text}\"");
        assert_fault(5, &quoted, Reason::BadGroup);
    }
    // A campaign file may name these, so people may have them.
    for text in ["Health", "a b", "의료진", "a, b", "b; a"] {
        let quoted = format!("\"{text}\"");
        let prepared = read_text(&row_with(5, &quoted)).unwrap();
        let groups: Vec<_> = text.rsplit("; ").collect();
        assert_eq!(prepared.roster.group_sets[1], groups, "{text}");
    }
}

#[test]
fn a_wrong_encoding_is_told_with_its_byte() {
    let keys = Keys::generate(&Entropy::system());
    // 김 in EUC-KR is B1 E8.
    let row = [b"A\xb1\xe8,1967-03-04,", code(1).as_bytes(), b",,,\n"].concat();
    let report = read_with(&keys, &[HEADER.as_bytes(), &row].concat())
        .err()
        .unwrap();
    let told = report.to_string();
    assert!(
        told.contains("line 2, name: byte 2 of the field is 0xB1"),
        "{told}"
    );
    assert_only(report, 2, "name", Reason::Encoding);
}

#[test]
fn the_same_code_twice_names_both_lines() {
    let (one, two) = (row_with(0, "김영숙"), row_with(0, "박철수"));
    // However it is typed, it is the same code.
    let report = refused(&format!(
        "{one}\n{}\n",
        two.replace(&code(1), &code(1).to_lowercase())
    ));
    assert!(
        report
            .to_string()
            .contains("line 3, code: has the same code as line 2"),
        "{report}"
    );
    assert_only(report, 3, "code", Reason::SameCodeTwice);
    let report = refused(&format!("{one}\n{one}\n{one}\n"));
    assert_eq!(report.by_reason[&Reason::SameCodeTwice], 2);
    assert_eq!(report.faults_total, 2);
}

fn reading<'a>(keys: &'a Keys, entropy: &'a Entropy, in_force: &'a Roster) -> Reading<'a> {
    Reading {
        keys,
        entropy,
        today: today(),
        in_force,
        vault: &crate::domain::personal::NOTHING_ERASED,
        same_person: SamePerson::Warn,
        encoding: Encoding::Auto,
        country: Country::default(),
        faults_max: SHOWN_MAX,
        contacts: SealedContacts::in_memory(),
    }
}

/// Two people of one name and birth date without a telephone made the whole file be refused.
#[test]
fn the_same_person_twice_names_both_lines_and_is_refused_if_wanted() {
    let (keys, entropy) = (Keys::generate(&Entropy::system()), Entropy::system());
    let read_as = |same_person, rows: &str| {
        let nobody = Roster::default();
        let reading = Reading {
            same_person,
            ..reading(&keys, &entropy, &nobody)
        };
        reading.read(format!("{HEADER}{rows}").as_bytes())
    };
    for phone in ["010-1234-5678", ""] {
        let (one, two) = (row_with(2, &code(1)), row_with(2, &code(2)));
        let one = one.replace("010-1234-5678", phone);
        let spaced = two
            .replace("김영숙", "김 영숙")
            .replace("010-1234-5678", &phone.replace("010-", "+82-10-"));
        let rows = format!("{one}\n{spaced}\n");
        let report = read_as(SamePerson::Refuse, &rows).err().unwrap();
        assert!(
            report.to_string().contains("the same person as line 2"),
            "{report}"
        );
        assert_only(report, 3, "", Reason::SamePersonTwice);
        let taken = read_as(SamePerson::Warn, &rows).unwrap();
        assert_eq!(taken.same_people.lines, [(3, 2)]);
        assert_eq!(taken.same_people.total, 1);
    }
    let (one, two) = (row_with(2, &code(1)), row_with(2, &code(2)));
    for other in [
        two.replace("김영숙", "김영순"),
        two.replace("1967", "1968"),
        two.replace("5678", "5679"),
        two.replace("010-1234-5678", ""),
        two.replace("11/110", "11/140"),
    ] {
        let read = read_as(SamePerson::Refuse, &format!("{one}\n{other}\n")).unwrap();
        assert_eq!(read.same_people, SamePeople::default());
    }
}

/// Every row of an imported file was sealed again, which took most of an import's time and disk.
#[test]
fn a_row_whose_contact_did_not_change_is_not_sealed_again() {
    let (keys, entropy) = (Keys::generate(&Entropy::system()), Entropy::system());
    let other = format!("박철수,1968-02-29,{},,,", code(2));
    let file = |first: &str| format!("{HEADER}{first}\n{other}\n");
    let before = read_with(&keys, file(&row_with(4, "")).as_bytes()).unwrap();
    for (first, sealed) in [
        (row_with(4, "11/140"), false),
        (row_with(5, ""), false),
        (row_with(1, "1967-03-05"), false),
        (row_with(3, "+82 10 1234 5678"), false),
        (row_with(3, "010-1234-5679"), true),
        (row_with(0, "김영순"), true),
        (row_with(2, &code(3)), true),
    ] {
        let reading = reading(&keys, &entropy, &before.roster);
        let after = reading.read(file(&first).as_bytes()).unwrap();
        assert_eq!(after.contacts.len(), usize::from(sealed), "{first}");
        assert_eq!(after.strangers.len(), usize::from(first.contains(&code(3))));
    }
}

#[test]
fn sealed_rows_in_a_folder_are_those_in_memory_and_leave_no_file() {
    let (keys, entropy) = (Keys::generate(&Entropy::system()), Entropy::system());
    let folder = tempfile::tempdir().unwrap();
    let born = (date(1967, 1, 1), date(1968, 12, 31));
    let mut file = Vec::new();
    write_csv(demo::people(5, 5_000, born), &mut file).unwrap();
    let nobody = Roster::default();
    let there = Reading {
        contacts: SealedContacts::in_folder(folder.path()).unwrap(),
        ..reading(&keys, &entropy, &nobody)
    };
    let there = there.read(file.as_slice()).unwrap();
    let here = read_with(&keys, &file).unwrap();
    assert_eq!(there.roster, here.roster);
    for at in 0..5_000 {
        assert_eq!(contact(&keys, &there, at), contact(&keys, &here, at));
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_row_tells_all_its_faults() {
    let report = refused("김영숙,1967-02-30,1234567890,전화,11,a;;b\n");
    assert_eq!(report.faults_total, 5);
    assert_eq!(report.rows, 1);
}

#[test]
fn a_report_shows_a_thousand_faults_and_counts_all() {
    let rows = "김영숙,1967-02-30,1234567890,,,\n".repeat(5000);
    let report = refused(&rows);
    assert_eq!((report.rows, report.faults_total), (5000, 10_000));
    assert_eq!(report.faults.len(), 1_000);
    assert_eq!(report.faults[999].line, Some(501));
    let counted = [Reason::BadDate, Reason::BadCode].map(|reason| report.by_reason[&reason]);
    assert_eq!(counted, [5000, 5000]);
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["by_reason"]["bad_date"], 5000);
    assert_eq!(json["faults"][0]["line"], 2);
    assert_eq!(json["faults"][0]["column"], "birth_date");
    assert_eq!(json["faults"][0]["reason"], "bad_date");
}

#[test]
fn more_sets_of_groups_than_fit_are_refused_not_mixed_up() {
    let row = |at: u64| format!("김영숙,1967-03-04,{},010{at:08},,g-{at}\n", code(at));
    let rows: String = (1..=65_535).map(row).collect();
    assert_eq!(read_text(&rows).unwrap().roster.group_sets.len(), 65_536);
    let report = refused(&(rows + &row(65_536)));
    assert_eq!(only(report).reason, Reason::TooMany);
}

#[test]
fn generated_people_are_taken_as_they_are() {
    let keys = Keys::generate(&Entropy::system());
    let born = (date(1967, 1, 1), date(1968, 12, 31));
    let people: Vec<_> = demo::people(5, 20_000, born).collect();
    let mut file = Vec::new();
    write_csv(people.iter().cloned(), &mut file).unwrap();
    let prepared = read_with(&keys, &file).unwrap();
    let roster = &prepared.roster;
    assert_eq!(roster.people.len(), people.len());
    for line in people {
        let key = keys.person_key(crockford::parse(&line.code).unwrap());
        let at = roster.position(&key).unwrap();
        let person = &roster.people[at];
        assert_eq!(person.born, Day::of(line.birth_date));
        assert_eq!(roster.region(person), line.region);
        assert_eq!(roster.groups(person), line.groups);
        let contact = contact(&keys, &prepared, at);
        let phone = phone::read(&line.phone, Country::default()).unwrap();
        assert_eq!((contact.name, contact.phone), (line.name, phone));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn the_number_of_threads_changes_nothing(threads in 1..5_usize, count in 1..6000_u64) {
        let keys = Keys::generate(&Entropy::system());
        let born = (date(1967, 1, 1), date(1968, 12, 31));
        let mut file = Vec::new();
        write_csv(demo::people(count, count, born), &mut file).unwrap();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let there = pool.install(|| read_with(&keys, &file).unwrap());
        let here = read_with(&keys, &file).unwrap();
        prop_assert_eq!(there.roster, here.roster);
        prop_assert_eq!(there.digest.with_left(&[]), here.digest.with_left(&[]));
    }
}
