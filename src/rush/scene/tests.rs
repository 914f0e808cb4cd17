//! People against answers that are made up here.

mod pages;

use std::io::Write as _;

use super::*;
use crate::rush::answer::{Code, Kind};
use crate::rush::crowd::*;

const WAITING: &str = r#"{"place":{"state":"waiting","number":7,"ahead":3,"wait_s":[4,40],
                          "next_poll_s":9},"token":"t1"}"#;
const ADMITTED: &str = r#"{"place":{"state":"admitted","number":7,"ahead":0,"wait_s":[0,5],
                           "next_poll_s":5},"token":"t1"}"#;
const SESSION: &str = r#"{"session":{"expires_at":"2021-07-19T20:10:00+09:00"},"token":"s1"}"#;
const SITES: &str = r#"{"sites":[{"site":"A","free":3},{"site":"B","free":0}],"next_cursor":null}"#;
const DAYS: &str = r#"{"days":[{"date":"2021-08-01","free":0},{"date":"2021-08-02","free":3}]}"#;
const SLOTS: &str = r#"{"slots":[{"slot":"5","free":0},{"slot":"6","free":3}]}"#;
const BOOKING: &str = r#"{"booking":{"number":"N-1","status":"booked","seq":1,
    "booked_at":"2021-07-19T20:01:00+09:00",
    "doses":[{"dose":1,"site":"A","start":"2021-08-02T09:00:00+09:00"}]}}"#;

/// So many people who do nothing special.
pub(super) fn scene(people: usize) -> Scene {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "name,birth_date,code,phone,region,groups").unwrap();
    for at in 0..people {
        writeln!(file, "김\"\"{at},1967-03-04,CODE{at},,11/110,").unwrap();
    }
    let habits = Habits {
        bots: 0.0,
        tabs: 0.0,
        give_up: 0.0,
        hold: 0.0,
        look: 0.0,
        moves: 0.0,
        cancel: 0.0,
        clients: Clients::API,
        ..Habits::default()
    };
    let crowd = Crowd::read(file.path(), 0, None, 1, &habits).unwrap();
    let setting = Setting {
        path: "/c".to_owned(),
        base: "/ko/c".to_owned(),
        host: "h:1".to_owned(),
        origin: "http://h:1".to_owned(),
        habits,
        seed: 1,
        key: "rush-1".to_owned(),
        speed: 1.0,
        opening_ns: 0,
        began_at: "2021-07-19T20:00:00+09:00".parse().unwrap(),
        drawn: false,
    };
    let mut scene = Scene::new(setting, crowd);
    (0..people as u32).for_each(|person| scene.expect(person, 0));
    scene
}

fn answer(status: u16, body: &str) -> Answer<'_> {
    Answer {
        status,
        head: b"",
        body: body.as_bytes(),
    }
}

/// The next who acts, and the request.
fn next(scene: &mut Scene) -> (u64, Who, Kind, String) {
    let Reverse((due, who)) = scene.timers.pop().expect("somebody acts");
    let mut request = Vec::new();
    let kind = scene.ask(who, &mut request, due);
    (due, who, kind, String::from_utf8(request).unwrap())
}

/// Lets the next who acts be answered so; when it was due, and the request.
fn turn(scene: &mut Scene, wanted: Kind, status: u16, body: &str) -> (u64, String) {
    let (due, who, kind, request) = next(scene);
    assert_eq!(kind, wanted, "{request}");
    scene.answered(who, kind, answer(status, body), due);
    (due, request)
}

fn until_booking(scene: &mut Scene) {
    turn(scene, Kind::Board, 200, r#"{"state":"open"}"#);
    turn(scene, Kind::Enter, 200, ADMITTED);
    turn(scene, Kind::Admit, 200, SESSION);
    turn(scene, Kind::Sites, 200, SITES);
    turn(scene, Kind::Days, 200, DAYS);
    turn(scene, Kind::Slots, 200, SLOTS);
}

fn faults(scene: &Scene) -> Vec<Fault> {
    scene.record.faults.keys().copied().collect()
}

#[test]
fn somebody_waits_as_told_and_books() {
    let mut scene = scene(1);
    turn(&mut scene, Kind::Board, 200, r#"{"state":"open"}"#);
    let (entered, request) = turn(&mut scene, Kind::Enter, 200, WAITING);
    assert!(
        request.contains("\"birth_date\":\"1967-03-04\""),
        "{request}"
    );
    let (polled, request) = turn(&mut scene, Kind::Place, 200, ADMITTED);
    assert_eq!(polled - entered, 9 * SECOND, "exactly as told");
    assert!(request.contains("Bearer t1"));
    // Nine seconds are within 4 to 40.
    let totals = &scene.record.totals;
    assert_eq!((totals.waits, totals.waits_within), (1, 1));
    turn(&mut scene, Kind::Admit, 200, SESSION);
    let (_, request) = turn(&mut scene, Kind::Sites, 200, SITES);
    assert!(request.contains("region=11/110") && request.contains("Bearer s1"));
    let (_, request) = turn(&mut scene, Kind::Days, 200, DAYS);
    assert!(request.contains("/sites/A/days"), "the site with seats");
    let (_, request) = turn(&mut scene, Kind::Slots, 200, SLOTS);
    assert!(request.contains("date=2021-08-02"), "the day with seats");
    let (_, request) = turn(&mut scene, Kind::Book, 201, BOOKING);
    assert!(request.contains(r#"{"slot":"6"}"#) && request.contains("Idempotency-Key: rush-1-0-1"));
    assert_eq!((scene.going, scene.inside, scene.waiting), (0, 0, 0));
    assert_eq!((scene.record.totals.booked, faults(&scene)), (1, vec![]));
}

#[test]
fn a_request_without_an_answer_is_repeated_with_its_key_and_another_has_another() {
    let mut scene = scene(1);
    until_booking(&mut scene);
    let (due, who, _, first) = next(&mut scene);
    scene.unanswered(who, due);
    let full = r#"{"code":"slot_full","alternatives":[{"slot":"9","free":1}]}"#;
    let (later, again) = turn(&mut scene, Kind::Book, 409, full);
    assert_eq!(first, again);
    assert!(later > due);
    let (_, other) = turn(&mut scene, Kind::Book, 201, BOOKING);
    assert!(
        other.contains("rush-1-0-2") && other.contains(r#"{"slot":"9"}"#),
        "{other}"
    );
    assert_eq!(faults(&scene), vec![]);
}

#[test]
fn overload_is_waited_out_as_told_and_is_no_fault() {
    let mut scene = scene(1);
    until_booking(&mut scene);
    let busy = r#"{"code":"overloaded","retry_after_s":17}"#;
    let (refused, first) = turn(&mut scene, Kind::Book, 503, busy);
    let (again, second) = turn(&mut scene, Kind::Book, 201, BOOKING);
    assert_eq!((again - refused, first), (17 * SECOND, second));
    assert_eq!(scene.record.refused_with(Code::Overloaded), 1);
    assert_eq!(faults(&scene), vec![]);
}

#[test]
fn another_number_than_before_and_a_number_of_two_are_faults() {
    let mut one = scene(1);
    turn(&mut one, Kind::Board, 200, r#"{"state":"open"}"#);
    turn(&mut one, Kind::Enter, 200, WAITING);
    let other = WAITING.replace("\"number\":7", "\"number\":8");
    turn(&mut one, Kind::Place, 200, &other);
    assert_eq!(faults(&one), [Fault::AnotherPlace]);

    // Whoever types faster enters first.
    let mut two = scene(2);
    while two.record.totals.entered < 2 {
        let (due, who, kind, _) = next(&mut two);
        let body = match kind {
            Kind::Board => r#"{"state":"open"}"#,
            _ => WAITING,
        };
        two.answered(who, kind, answer(200, body), due);
    }
    assert_eq!(faults(&two), [Fault::NumberTwice]);
}

#[test]
fn a_booking_that_is_gone_or_another_at_the_end_is_a_fault() {
    let changed = BOOKING.replace("N-1", "N-2");
    let none = r#"{"code":"no_booking"}"#;
    for (status, body, wanted) in [
        (200, BOOKING, vec![]),
        (200, changed.as_str(), vec![Fault::OtherBooking]),
        (404, none, vec![Fault::LostBooking]),
    ] {
        let mut scene = scene(1);
        until_booking(&mut scene);
        turn(&mut scene, Kind::Book, 201, BOOKING);
        scene.begin_check(10, 100.0, 0);
        turn(&mut scene, Kind::Mine, status, body);
        assert_eq!(faults(&scene), wanted, "{body}");
        assert_eq!((scene.going, scene.record.totals.checked), (0, 1));
    }
}

#[test]
fn a_booking_nobody_was_told_of_is_a_fault_unless_it_is_an_older_one() {
    for (at, wanted) in [
        ("2021-07-19T20:01:00+09:00", vec![Fault::OtherBooking]),
        ("2021-07-19T19:00:00+09:00", vec![]),
    ] {
        let mut scene = scene(1);
        until_booking(&mut scene);
        turn(&mut scene, Kind::Book, 409, r#"{"code":"already_booked"}"#);
        let booking = BOOKING.replace("2021-07-19T20:01:00+09:00", at);
        turn(&mut scene, Kind::Mine, 200, &booking);
        assert_eq!(faults(&scene), wanted, "{at}");
    }
}

#[test]
fn a_refused_token_is_a_fault_and_an_ended_session_is_not() {
    for (code, wanted) in [
        ("session_expired", vec![]),
        ("session_invalid", vec![Fault::TokenRefused]),
    ] {
        let mut scene = scene(1);
        until_booking(&mut scene);
        let (due, who, kind, first) = next(&mut scene);
        // The answer of the first try was lost: the same request follows once in again.
        scene.unanswered(who, due);
        assert_eq!(kind, Kind::Book);
        let body = format!(r#"{{"code":"{code}"}}"#);
        turn(&mut scene, Kind::Book, 401, &body);
        turn(&mut scene, Kind::Enter, 200, ADMITTED);
        turn(&mut scene, Kind::Admit, 200, SESSION);
        let (_, again) = turn(&mut scene, Kind::Book, 201, BOOKING);
        assert_eq!((first, faults(&scene)), (again, wanted));
    }
}
