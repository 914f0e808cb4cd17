//! What the pages tell, asked for without a browser.

use super::client::Client;
use super::world::{CAMPAIGN, OPEN, World, campaign_text, person, text};

const CARERS: &str = r#"
[[cohort]]
id = "carers"
groups_any = ["carer", "nurse"]

[[cohort]]
id = "old-helpers"
born = ["1930-01-01", "1939-12-31"]
groups_any = ["helper"]

[[opening]]
cohorts = ["carers", "old-helpers"]
from = "2020-01-01T00:00"
until = "2190-01-01T00:00"
"#;

fn page(client: &mut Client, path: &str, token: Option<&str>) -> String {
    let path = format!("//en/{CAMPAIGN}{path}");
    text(&client.call("GET", &path, token, &[], None).is(200).body)
}

fn day(client: &mut Client, born: &str) -> String {
    let body = format!("birth_date={born}");
    let head = format!(
        "POST /en/{CAMPAIGN}/day HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let asked = client.send(head.as_bytes()).unwrap().is(303);
    assert_eq!(
        asked.header("location"),
        Some(&*format!("/en/{CAMPAIGN}/day"))
    );
    let cookie = asked
        .header("set-cookie")
        .unwrap()
        .split(';')
        .next()
        .unwrap();
    let path = format!("//en/{CAMPAIGN}/day");
    let headers = [("Cookie", cookie)];
    text(&client.call("GET", &path, None, &headers, None).is(200).body)
}

/// Once, everybody was told that they were not among those who may book, and the first page said
/// "born 1 January 1850 – 31 December 2199".
#[test]
fn a_cohort_of_groups_alone_is_told_by_its_groups() {
    let world = World::new(1);
    let campaign = world.write("groups.toml", &campaign_text(CARERS));
    world.ok(&["campaign", "activate", campaign.to_str().unwrap()]);
    let server = world.serve();
    let mut client = server.client();
    let landing = page(&mut client, "", None);
    assert!(landing.contains("For: carer, nurse"), "{landing}");
    assert!(
        !landing.contains("1850") && !landing.contains("2199"),
        "{landing}"
    );
    assert!(landing.contains("(for: helper)"), "{landing}");

    let maybe = day(&mut client, "19900304");
    assert!(
        maybe.contains("You may be among those who may book"),
        "{maybe}"
    );
    assert!(
        maybe.contains("this programme is for carer, nurse. Sign in"),
        "{maybe}"
    );
    assert!(!maybe.contains("is not open"), "{maybe}");
    assert!(maybe.contains("/enter"), "{maybe}");
    assert!(day(&mut client, "19350304").contains("carer, nurse, helper"));
    // An opening by birth date is told as before, with the groups that may have another.
    let later = day(&mut client, "19680304");
    assert!(
        later.contains("For people born in 1968, booking starts")
            && later.contains("(carer, nurse)"),
        "{later}"
    );
    let open = day(&mut client, "19670304");
    assert!(
        open.contains("For people born in 1967, booking is open now") && !open.contains("carer"),
        "{open}"
    );

    let asked = client.get("/openings?birth_date=1990-03-04", None).is(200);
    assert_eq!(asked.json["answer"], "not_eligible");
    assert_eq!(
        asked.json["groups_may_differ"],
        serde_json::json!(["carer", "nurse"])
    );
}

#[test]
fn a_campaign_without_cohorts_of_groups_says_who_is_not_among_them() {
    let world = World::new(1);
    let server = world.serve();
    let mut client = server.client();
    let not = day(&mut client, "19900304");
    assert!(
        not.contains("For people born in 1990, this programme is not open"),
        "{not}"
    );
}

#[test]
fn pages_say_when_there_is_nothing_to_choose() {
    let header = "site,vaccine,date,start,end,public,assisted\n";
    let full = format!("{header}C,single,2180-08-02,09:00,09:30,1,0\n");
    for (slots, words) in [
        (header, "No times can be booked yet."),
        (&*full, "All sites near you are full."),
    ] {
        let world = World::with_slots(2, slots);
        let server = world.serve();
        let mut client = server.client();
        if slots == full {
            let session = client.session(&person(OPEN, 1));
            let before = page(&mut client, "/sites", Some(&session));
            assert!(!before.contains(words), "{before}");
            let slot = server.slot(&session, "C", "2180-08-02", 0);
            client.book(&session, "k1", &slot).is(201);
        }
        let session = client.session(&person(OPEN, 0));
        let sites = page(&mut client, "/sites", Some(&session));
        assert!(
            sites.contains(words) && (sites.contains("later") || sites.contains("at once")),
            "{sites}"
        );
    }
}

/// The number of somebody who waits, a turn, a hold, a booking: each is said first, to its own
/// person alone.
#[test]
fn the_first_page_says_first_what_the_device_has() {
    let world = World::new(3);
    let server = world.serve();
    let mut client = server.client();
    let says = |page: &str| {
        let panel = page.split("id=\"known\">").nth(1).unwrap_or_default();
        panel
            .split("</section>")
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    assert_eq!(says(&page(&mut client, "", None)), "");
    world.ok(&[
        "gate",
        "pause",
        "--reason",
        "점검",
        "--reason-en",
        "maintenance",
    ]);
    let places = [0, 1].map(|at| client.enter(&person(OPEN, at)));
    for (place, number) in places.iter().zip(["number 1.", "number 2."]) {
        let told = says(&page(&mut client, "", Some(place)));
        assert!(told.contains(number), "{told}");
        assert!(page(&mut client, "", Some(place)).contains("maintenance"));
    }
    world.ok(&["gate", "resume"]);
    let session = client.let_in(&places[0]);
    let told = says(&page(&mut client, "", Some(&session)));
    assert!(told.contains("It is your turn to book"), "{told}");
    let slot = server.slot(&session, "A", "2180-08-02", 0);
    let hold = client.post(
        "/holds",
        Some(&session),
        &serde_json::json!({ "slot": slot }),
    );
    hold.is(201);
    let told = says(&page(&mut client, "", Some(&session)));
    assert!(
        told.contains("not booked yet") && told.contains("/confirm"),
        "{told}"
    );
    client.book(&session, "k1", &slot).is(201);
    let told = says(&page(&mut client, "", Some(&session)));
    assert!(
        told.contains("You have a booking.") && told.contains("/booking"),
        "{told}"
    );
    let other = says(&page(&mut client, "", Some(&places[1])));
    assert!(
        other.contains("It is your turn") || other.contains("number 2."),
        "{other}"
    );
}
