//! What a person reads in a line of JSON.

use serde_json::{Value, json};

use super::*;
use crate::domain::booking::site::SlotRow;
use crate::domain::campaign::rows::CampaignRow;
use crate::domain::entry::{Actor, Change, Doses, HoldEnd, Piece, Role};
use crate::domain::ids::{CampaignIndex, HoldId, PersonKey, Pool, SiteIndex, SlotIndex};
use crate::domain::ids::{LineIndex, VaccineIndex};
use crate::domain::time::Day;

const PERSON: PersonKey = PersonKey([0xab; 16]);
const SHOWN: &str = "abababababababababababababababab";

fn shown(actor: Actor, change: Change) -> Value {
    let entry = Entry {
        seq: Seq(7),
        stamp: Stamp::parse("2021-07-19T20:00:00+09:00").unwrap(),
        previous: Hash([1; 32]),
        actor,
        change,
    };
    let (mut bytes, mut line) = (Vec::new(), Vec::new());
    entry.encode(&mut bytes);
    line_of(&entry, &bytes, false, &mut line);
    serde_json::from_slice(&line).unwrap()
}

fn piece(piece: Piece) -> Value {
    let change = Change::PieceAdded {
        campaign: CampaignIndex(0),
        part: 0,
        piece,
    };
    shown(Actor::Citizen, change)["change"]["piece_added"]["piece"].clone()
}

#[test]
fn actors_are_shown_in_words() {
    let actor = |actor| {
        let line = shown(actor, Change::TokenKeyRotated { id: 1 });
        assert_eq!(line["stamp"], "2021-07-19T11:00:00Z");
        line["actor"].clone()
    };
    assert_eq!(actor(Actor::System), "system");
    assert_eq!(actor(Actor::Citizen), "citizen");
    assert_eq!(
        actor(Actor::operator("root")),
        json!({ "operator": "root" })
    );
    let staff = |role, for_person| Actor::Staff {
        account: "kim".to_owned(),
        role,
        for_person,
    };
    assert_eq!(
        actor(staff(Role::Agent, Some(PERSON))),
        json!({ "staff": { "account": "kim", "role": "agent", "for_person": SHOWN } })
    );
    assert_eq!(
        actor(staff(Role::Auditor, None))["staff"]["for_person"],
        Value::Null
    );
    let proxy = Actor::Proxy { person: PERSON };
    assert_eq!(actor(proxy), json!({ "proxy": { "person": SHOWN } }));
}

#[test]
fn pools_and_rows_are_shown_in_words() {
    let ended = Change::HoldEnded {
        campaign: CampaignIndex(0),
        person: PERSON,
        hold: HoldId(3),
        pool: Pool::Partner,
        reason: HoldEnd::Released,
    };
    let ended = &shown(Actor::Citizen, ended)["change"]["hold_ended"];
    assert_eq!(
        (&ended["pool"], &ended["person"]),
        (&json!("partner"), &json!(SHOWN))
    );
    let from = Stamp::parse("2021-08-02T00:00:00Z").unwrap();
    let slot = SlotRow {
        site: SiteIndex(1),
        vaccine: VaccineIndex(0),
        date: Day(18_841),
        start_min: 545,
        start: from,
        end: from.plus_s(1_800),
        capacity: [10, 0, 2, 0, 0],
    };
    let expected = json!({
        "site": 1, "vaccine": 0, "date": "2021-08-02", "start_min": "09:05",
        "start": "2021-08-02T00:00:00Z", "end": "2021-08-02T00:30:00Z",
        "capacity": { "public": 10, "assisted": 0, "partner": 2 },
    });
    assert_eq!(
        piece(Piece::Slots(vec![slot])),
        json!({ "slots": [expected] })
    );
    let cohort = CampaignRow::Cohort {
        id: "born-1967".to_owned(),
        born_first: Day(-1_096),
        born_last: Day(-732),
        groups_any: vec!["carer".to_owned()],
    };
    let opening = CampaignRow::Opening {
        from,
        until: from.plus_s(60),
        cohorts: vec![0],
        birth_day_last_digits: vec![9],
        line: LineIndex(4),
    };
    assert_eq!(
        piece(Piece::Rules(vec![cohort, opening, CampaignRow::HoldS(300)])),
        json!({ "rules": [
            { "cohort": { "id": "born-1967", "born_first": "1967-01-01",
                "born_last": "1967-12-31", "groups_any": ["carer"] } },
            { "opening": { "from": "2021-08-02T00:00:00Z", "until": "2021-08-02T00:01:00Z",
                "cohorts": [0], "birth_day_last_digits": [9], "line": 4 } },
            { "hold_s": 300 },
        ] })
    );
    let doses = Doses {
        first: SlotIndex(4),
        second: None,
    };
    let placed = Change::HoldPlaced {
        campaign: CampaignIndex(0),
        person: PERSON,
        doses,
        pool: Pool::Assisted,
        until: from,
        released: None,
    };
    assert_eq!(
        shown(Actor::Citizen, placed)["change"]["hold_placed"]["pool"],
        "assisted"
    );
}

/// Lines of years ago are compared byte by byte with what is written today.
#[test]
fn a_line_is_json_of_the_same_bytes_for_ever() {
    let entry = Entry {
        seq: Seq(7),
        stamp: Stamp(1_626_692_400_120_000_000),
        previous: Hash([0xAB; 32]),
        actor: Actor::Operator("k\"im\n".to_owned()),
        change: Change::Started {
            program: "수문 \\".to_owned(),
        },
    };
    let mut bytes = Vec::new();
    let hash = entry.encode(&mut bytes);
    for with_bytes in [false, true] {
        let mut line = b"before".to_vec();
        assert_eq!(line_of(&entry, &bytes, with_bytes, &mut line), hash);
        let ending = if with_bytes {
            format!(r#","bytes":"{}""#, BASE64.encode(&bytes))
        } else {
            String::new()
        };
        let expected = format!(
            "before{}{}\",\"hash\":\"{hash}\"{ending}}}\n",
            r#"{"seq":7,"stamp":"2021-07-19T11:00:00.12Z","actor":{"operator":"k\"im\n"},"#,
            format_args!(
                r#""change":{{"started":{{"program":"수문 \\"}}}},"previous":"{}"#,
                "ab".repeat(32)
            ),
        );
        assert_eq!(String::from_utf8(line).unwrap(), expected);
        let read: serde_json::Value = serde_json::from_str(&expected["before".len()..]).unwrap();
        assert_eq!(read["actor"], json!({ "operator": "k\"im\n" }));
    }
}
