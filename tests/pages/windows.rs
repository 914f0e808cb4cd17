//! An opening by windows: people look theirs up, put it into their calendar, and come in it.

use super::browser::{Kind, PHONE, browse};
use super::calendar::read;
use super::demo::Demo;
use super::world::{Person, credentials};

/// A minute each, shown a day before.
fn demo(at: &str) -> Demo {
    let windows = "order = \"windows\"\nwindow_min = 1\nwindow_people = 400";
    let by_windows = |campaign: String| campaign.replace("order = \"arrival\"", windows);
    Demo::start(at, by_windows)
}

/// Somebody whose window begins then, as `20:01`, and who is told to come within five seconds of
/// it; and the token of their place.
fn of_window(demo: &Demo, begins: &str) -> (Person, String) {
    let mut client = demo.client();
    for person in demo.roster() {
        let entered = client.post("/gate/enter", None, &credentials(&person));
        let place = &entered.json["place"];
        let window = place["window"][0].as_str();
        let seconds = |value: &serde_json::Value| value.as_u64().unwrap_or(0);
        let soon = seconds(&place["next_poll_s"]) <= seconds(&place["wait_s"][0]) + 5;
        if soon && window.is_some_and(|from| &from[11..16] == begins) {
            let token = entered.json["token"].as_str().unwrap().to_owned();
            return (person, token);
        }
    }
    panic!("nobody's window begins at {begins}");
}

#[test]
fn a_window_is_looked_up_and_goes_in_by_itself_when_it_has_come() {
    let demo = demo("2021-07-19T19:59:45+09:00");
    let (person, _) = of_window(&demo, "20:00");
    browse(PHONE, &demo.base(), async |browser| {
        browser.go("").await;
        browser.fill("birth_date", &person.birth_date).await;
        browser.click("form[action$='/day'] button").await;
        browser
            .reads("main", "예약하실 시간을 볼 수 있습니다")
            .await;
        browser.look("verdict").await;
        browser.go("/enter").await;
        browser.sign_in(&person).await;
        browser.at("/wait").await;
        browser
            .reads("#window", "7월 19일 월요일 20:00~20:01")
            .await;
        browser.look("window").await;
        assert_eq!(browser.count("#number").await, 0);
        // Nothing is pressed, and nothing was asked for before. From the look that finds the window
        // begun to the end of the countdown it takes a while.
        tokio::time::sleep(std::time::Duration::from_secs(10)).await;
        browser.at("/sites").await;
    });
}

#[test]
fn a_window_is_printed_put_into_a_calendar_and_shown_without_a_script() {
    let demo = demo("2021-07-19T19:40:00+09:00");
    let (person, token) = of_window(&demo, "20:02");
    let kind = Kind {
        script: false,
        ..PHONE
    };
    browse(kind, &demo.base(), async |browser| {
        browser.go("/enter").await;
        browser.sign_in(&person).await;
        browser.at("/wait").await;
        browser.reads("#window", "20:02~20:03").await;
        let main = browser.text("main").await;
        assert!(
            !main.contains("인쇄"),
            "a button that can do nothing: {main}"
        );
        browser.look("window").await;
    });
    browse(PHONE, &demo.base(), async |browser| {
        browser.go("/enter").await;
        browser.sign_in(&person).await;
        browser.reads("#window", "20:02~20:03").await;
        browser.reads("#print", "인쇄하기").await;
        assert_eq!(browser.print("window").await, 1, "one sheet");
        // The rate is another one: the page shows what became of the window.
        let page = browser.text("#window").await;
        demo.operate(&["gate", "rate", "100"]);
        assert_eq!(
            browser.text("#window").await,
            page,
            "the size is the file's"
        );
    });
    let path = "//en/kr-2021-50s/window.ics";
    let mut client = demo.client();
    let file = client.call("GET", path, Some(&token), &[], None).is(200);
    let known = read("window.ics", &file.body);
    let event = &known[1][0];
    assert_eq!(known[1].as_array().unwrap().len(), 1);
    assert_eq!(event["dtstart"], "2021-07-19T11:02:00Z", "{event}");
    let again = client.call("GET", path, Some(&token), &[], None).is(200);
    assert_eq!(
        again.body, file.body,
        "the same event whenever it is asked for"
    );
}
