//! People with a browser, against pages that are made up here.

use super::*;

const LANDING: &str = "<link rel=\"icon\" href=\"/assets/i.svg\">\
                       <script type=\"module\" src=\"/assets/p.js\"></script><h2 id=\"when\">";
const FORM: &str =
    "<link rel=\"stylesheet\" href=\"/assets/p.css\"><input id=\"code\" name=\"code\">";
const BUSY: &str = "<div data-code=\"overloaded\">";
const NO_BOOKING: &str = "<h1 id=\"none\">";
const CONFIRM: &str = "<input type=\"hidden\" name=\"hold\" value=\"5\">\
    <input type=\"hidden\" name=\"slot\" value=\"6\">";
const BOOKED: &str = "<div class=\"ticket\"><strong class=\"number\">N-1</strong></div>\
    <dd><time datetime=\"2021-08-02T09:00:00+09:00\"></time><br><span>A</span><br></dd>\
    <p class=\"quiet\">2021년 7월 19일 월요일 20:01:00에</p>";

fn room(state: &str, number: u64) -> String {
    format!(
        "<div id=\"own\" data-state=\"{state}\" data-poll=\"9\" data-because=\"\">\
         <dd id=\"number\">{number}</dd><dd id=\"ahead\">3명</dd><dd id=\"wait\">1~8분</dd>"
    )
}

/// One person with a browser; `script` says whether it runs any.
fn browser(script: bool) -> Scene {
    let mut scene = scene(1);
    let person = &mut scene.crowd.people[0];
    person.set(PAGES, true);
    person.set(SCRIPT, script);
    scene
}

/// The next request of the first tab is answered so; when it was sent, and what it was. Assets
/// are answered well meanwhile.
fn answers(scene: &mut Scene, status: u16, head: &str, body: &str) -> (u64, String) {
    loop {
        let (due, who, kind, request) = next(scene);
        let mut answer = Answer {
            status,
            head: head.as_bytes(),
            body: body.as_bytes(),
        };
        if kind == Kind::Asset {
            (answer.status, answer.head) = (200, b"cache-control: public, immutable");
        }
        scene.answered(who, kind, answer, due);
        if who.part == Part::Own {
            return (due, request);
        }
    }
}

fn shown(scene: &mut Scene, body: &str) -> (u64, String) {
    answers(scene, 200, "", body)
}

fn sent_on(scene: &mut Scene, to: &str) -> (u64, String) {
    answers(scene, 303, &format!("location: {to}"), "")
}

/// The answer to a form that a script sends: it names the next page.
fn told_on(scene: &mut Scene, to: &str) -> (u64, String) {
    answers(scene, 204, &format!("sumun-location: {to}"), "")
}

/// To the waiting room, in which the person has number 7.
fn until_room(scene: &mut Scene) {
    shown(scene, LANDING);
    shown(scene, FORM);
    let next = "location: /ko/c/wait\r\nset-cookie: place=t1; Path=/";
    if scene.crowd.people[0].is(SCRIPT) {
        answers(scene, 204, &format!("sumun-{next}"), "");
    } else {
        answers(scene, 303, next, "");
    }
    let (_, request) = shown(scene, &room("waiting", 7));
    assert!(request.starts_with("GET /ko/c/wait ") && request.contains("Cookie: place=t1\r\n"));
}

fn until_booking(scene: &mut Scene) {
    until_room(scene);
    shown(
        scene,
        r#"{"place":{"state":"admitted","number":7,"ahead":0,"wait_s":[0,5],"next_poll_s":5}}"#,
    );
    shown(
        scene,
        "<div id=\"own\" data-state=\"admitted\" data-poll=\"5\">",
    );
    sent_on(scene, "/ko/c/sites");
    shown(scene, "<li><a class=\"site\" href=\"/ko/c/sites/A\"></li>");
    shown(scene, "<a href=\"/ko/c/sites/A/2021-08-02\">");
    shown(scene, "<button name=\"slot\" value=\"6\" class=\"choice\">");
    told_on(scene, "/ko/c/confirm");
    shown(scene, CONFIRM);
}

#[test]
fn somebody_with_a_browser_goes_from_page_to_page_and_books() {
    let mut scene = browser(true);
    until_booking(&mut scene);
    let (_, request) = told_on(&mut scene, "/ko/c/booking");
    assert!(request.starts_with("POST /ko/c/book ") && request.ends_with("\r\n\r\nhold=5&slot=6"));
    assert!(request.contains("\r\nSumun-Script: 1\r\n"), "{request}");
    shown(&mut scene, BOOKED);
    let totals = &scene.record.totals;
    assert_eq!((totals.entered, totals.admitted, totals.booked), (1, 1, 1));
    assert_eq!((scene.going, scene.inside, scene.waiting), (0, 0, 0));
    assert_eq!(faults(&scene), vec![]);
}

#[test]
fn a_hold_that_ended_leads_back_to_the_times_of_its_day() {
    let mut scene = browser(false);
    until_booking_without_script(&mut scene);
    shown(&mut scene, "<a href=\"/ko/c/sites/A/2021-08-02\">");
    shown(
        &mut scene,
        "<button name=\"slot\" value=\"6\" class=\"choice\">",
    );
    sent_on(&mut scene, "/ko/c/confirm");
    shown(&mut scene, CONFIRM);
    sent_on(&mut scene, "/ko/c/sites/A/2021-08-02?ended");
    shown(
        &mut scene,
        "<button name=\"slot\" value=\"7\" class=\"choice\">",
    );
    assert_eq!(scene.record.refused_with(Code::HoldExpired), 1);
    let (_, request) = sent_on(&mut scene, "/ko/c/confirm");
    assert!(request.starts_with("POST /ko/c/hold ") && request.ends_with("\r\n\r\nslot=7"));
    assert_eq!(faults(&scene), vec![]);
}

#[test]
fn where_ones_own_region_is_full_all_regions_are_looked_at() {
    let mut scene = browser(false);
    shown(&mut scene, LANDING);
    shown(&mut scene, FORM);
    sent_on(&mut scene, "/ko/c/sites");
    let full = "<li><a class=\"site\" href=\"/ko/c/sites/A\"></a><b class=\"seats none\"></b></li>";
    shown(&mut scene, full);
    let (_, request) = shown(&mut scene, "<li><a href=\"/ko/c/sites?region=11\"></li>");
    assert!(
        request.starts_with("GET /ko/c/sites?region=all "),
        "{request}"
    );
    let (_, request) = shown(
        &mut scene,
        "<li><a href=\"/ko/c/sites?region=11/110\"></li>",
    );
    assert!(
        request.starts_with("GET /ko/c/sites?region=11 "),
        "{request}"
    );
    assert_eq!(faults(&scene), vec![]);
}

#[test]
fn the_rooms_script_waits_longer_after_each_failure_and_never_less_than_told() {
    let mut scene = browser(true);
    until_room(&mut scene);
    let busy = r#"{"code":"overloaded","retry_after_s":12}"#;
    let (mut before, _) = answers(&mut scene, 503, "retry-after: 12", busy);
    for (told, from, to) in [("1", 12, 18), ("1", 10, 15), ("1", 20, 30), ("1", 40, 60)] {
        let head = format!("retry-after: {told}");
        let (at, request) = answers(&mut scene, 503, &head, busy);
        assert!(request.starts_with("GET /c/gate/place "), "{request}");
        let waited = at - before;
        assert!((from * SECOND..=to * SECOND).contains(&waited), "{waited}");
        before = at;
    }
    assert_eq!(faults(&scene), vec![]);
}

#[test]
fn without_a_script_the_room_is_loaded_again_when_it_says() {
    let mut scene = browser(false);
    shown(&mut scene, LANDING);
    shown(&mut scene, FORM);
    sent_on(&mut scene, "/ko/c/wait");
    let (first, _) = shown(&mut scene, &room("waiting", 7));
    let (second, request) = answers(&mut scene, 503, "retry-after: 4", BUSY);
    assert_eq!(second - first, 9 * SECOND);
    assert!(request.starts_with("GET /ko/c/wait ") && request.contains("navigate"));
    let (third, _) = shown(&mut scene, &room("waiting", 8));
    assert_eq!(third - second, 4 * SECOND);
    assert_eq!(faults(&scene), [Fault::AnotherPlace]);
}

#[test]
fn a_form_that_is_put_off_is_sent_again_as_it_was_and_later_each_time() {
    let mut scene = browser(true);
    until_booking(&mut scene);
    let (mut before, first) = answers(&mut scene, 503, "retry-after: 4", BUSY);
    for (from, to) in [(4, 6), (8, 12), (16, 24)] {
        let (at, again) = answers(&mut scene, 503, "retry-after: 4", BUSY);
        assert_eq!(again, first);
        let waited = at - before;
        assert!((from * SECOND..=to * SECOND).contains(&waited), "{waited}");
        before = at;
    }
    assert_eq!(
        (scene.record.refused_with(Code::Overloaded), faults(&scene)),
        (4, vec![])
    );
}

#[test]
fn assets_are_fetched_once_and_the_first_page_is_asked_for_by_its_tag() {
    let mut scene = browser(true);
    answers(&mut scene, 200, "etag: \"a\"", LANDING);
    let beside = |scene: &Scene| {
        let parts = scene.timers.iter().map(|Reverse((_, who))| who.part);
        let mut parts: Vec<Part> = parts.filter(|part| *part != Part::Own).collect();
        parts.sort();
        parts
    };
    assert_eq!(beside(&scene), [Part::Script, Part::Icon]);
    shown(&mut scene, &format!("{LANDING}{FORM}"));
    assert_eq!(beside(&scene), [Part::Style]);
    scene.timers.clear();
    scene.crowd.people[0].sleep(false);
    scene.expect(0, 0);
    let (_, request) = answers(&mut scene, 304, "etag: \"a\"", "");
    assert!(request.contains("If-None-Match: \"a\"\r\n"), "{request}");
    assert_eq!((beside(&scene), faults(&scene)), (vec![], vec![]));
}

#[test]
fn being_sent_to_the_form_is_a_fault_unless_the_session_ended() {
    for (to, wanted) in [
        ("/ko/c/enter?again", vec![]),
        ("/ko/c/enter", vec![Fault::TokenRefused]),
    ] {
        let mut scene = browser(false);
        until_booking_without_script(&mut scene);
        sent_on(&mut scene, to);
        shown(&mut scene, FORM);
        assert_eq!(faults(&scene), wanted, "{to}");
        let (_, request) = sent_on(&mut scene, "/ko/c/wait");
        assert!(request.starts_with("POST /ko/c/enter "), "{request}");
    }
}

fn until_booking_without_script(scene: &mut Scene) {
    shown(scene, LANDING);
    shown(scene, FORM);
    sent_on(scene, "/ko/c/sites");
    shown(scene, "<li><a class=\"site\" href=\"/ko/c/sites/A\"></li>");
}

#[test]
fn a_booking_that_no_page_shows_at_the_end_is_a_fault() {
    for (page, wanted) in [
        (BOOKED.to_owned(), vec![]),
        (BOOKED.replace("N-1", "N-2"), vec![Fault::OtherBooking]),
        (NO_BOOKING.to_owned(), vec![Fault::LostBooking]),
    ] {
        let mut scene = browser(true);
        until_booking(&mut scene);
        told_on(&mut scene, "/ko/c/booking");
        shown(&mut scene, BOOKED);
        scene.begin_check(10, 100.0, 0);
        let (_, request) = shown(&mut scene, &page);
        assert!(request.starts_with("GET /ko/c/booking "));
        assert_eq!((faults(&scene), scene.going), (wanted, 0), "{page}");
    }
}

#[test]
fn a_place_of_yesterday_has_ended_and_the_person_enters_anew() {
    let mut scene = browser(true);
    until_room(&mut scene);
    scene.timers.clear();
    scene.crowd.people[0].sleep(true);
    scene.expect(0, 0);
    shown(&mut scene, LANDING);
    let ended = "<div data-code=\"place_ended\">";
    let (_, request) = answers(&mut scene, 401, "", ended);
    assert!(request.starts_with("GET /ko/c/wait ") && request.contains("place=t1"));
    shown(&mut scene, FORM);
    let (_, request) = told_on(&mut scene, "/ko/c/wait");
    assert!(request.starts_with("POST /ko/c/enter "));
    assert_eq!(faults(&scene), vec![]);
}
