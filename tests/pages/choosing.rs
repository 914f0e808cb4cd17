//! Choosing a site, a day and a time: what is kept when a choice comes to nothing, and when there
//! is nothing to choose.

use super::browser::{PHONE, browse};
use super::client::Client;
use super::demo::Demo;
use super::world::text;
use serde_json::json;

/// A page as its text.
fn page(client: &mut Client, session: &str, page: &str) -> String {
    let path = format!("//ko/kr-2021-50s{page}");
    let answer = client.call("GET", &path, Some(session), &[], None).is(200);
    text(&answer.body)
}

fn between<'a>(page: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = page
        .split_once(before)
        .unwrap_or_else(|| panic!("no {before} in {page}"));
    rest.split_once(after).unwrap().0
}

/// Where the earliest day of the first site is, behind the campaign's address.
fn first_day(near: &str) -> &str {
    let link = between(near, "<a class=\"soon ", ">");
    between(link, "href=\"/ko/kr-2021-50s", "\"")
}

/// The site, the day and the reason stay when a time is given back or its hold has ended.
#[test]
fn a_hold_that_comes_to_nothing_leads_back_to_its_day() {
    let demo = Demo::start(super::demo::OPEN, |campaign| {
        campaign.replace("hold_s = 300", "hold_s = 6")
    });
    for script in [true, false] {
        let kind = super::browser::Kind { script, ..PHONE };
        browse(kind, &demo.base(), async |browser| {
            browser.come_in(&demo.people[usize::from(script)]).await;
            browser.choose_day(1).await;
            let day = browser.page().await;
            browser.click("button.choice:not([disabled])").await;
            browser.at("/confirm").await;
            browser.click("form[action$='/release'] button").await;
            browser.at(&day).await;
            browser.reads("#before", "선택을 취소했습니다").await;
            browser.look("released").await;
            browser.client.refresh().await.unwrap();
            browser.reads("#before", "선택을 취소했습니다").await;
            browser.click("button.choice:not([disabled])").await;
            browser.at("/confirm").await;
            // Nobody presses anything.
            browser.at(&day).await;
            browser.reads("#before", "선택이 해제되었습니다").await;
        });
    }
}

/// A form that comes after the end of its hold leads there, too.
#[test]
fn a_booking_after_the_end_of_its_hold_leads_back_to_its_day() {
    let demo = Demo::open();
    let mut client = demo.client();
    let session = demo.lets_in(0);
    let near = page(&mut client, &session, "/sites");
    let day = first_day(&near);
    let times = page(&mut client, &session, day);
    let slot = between(&times, "<button name=\"slot\" value=\"", "\"");
    let form = format!("hold=1&slot={slot}");
    let request = format!(
        "POST /ko/kr-2021-50s/book HTTP/1.1\r\nHost: localhost\r\n\
         Authorization: Bearer {session}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\n\r\n{form}",
        form.len()
    );
    let answer = client.send(request.as_bytes()).unwrap().is(303);
    let there = format!("/ko/kr-2021-50s{day}?ended");
    assert_eq!(answer.header("location"), Some(&*there));
}

/// While a pause freezes the sessions, every page says so before anything is pressed.
#[test]
fn a_freeze_is_seen_before_anything_is_pressed() {
    let demo = Demo::open();
    browse(PHONE, &demo.base(), async |browser| {
        browser.come_in(&demo.people[0]).await;
        demo.operate(&["gate", "pause", "--freeze", "--reason", "점검 중입니다"]);
        browser.go("/sites").await;
        browser.reads("#frozen", "점검 중입니다").await;
        browser.click(".sites .site").await;
        browser.text(".calendar").await;
        browser.reads("#frozen", "점검 중입니다").await;
        browser.day(0).await;
        browser.reads("#frozen", "점검 중입니다").await;
        assert_eq!(browser.count("button.choice:enabled").await, 0);
        browser.look("frozen-times").await;
        demo.operate(&["gate", "resume"]);
        browser.client.refresh().await.unwrap();
        browser.click("button.choice:enabled").await;
        browser.at("/confirm").await;
        assert_eq!(browser.count("#frozen").await, 0);
        demo.operate(&["gate", "pause", "--freeze", "--reason", "점검 중입니다"]);
        browser.client.refresh().await.unwrap();
        browser.reads("#frozen", "점검 중입니다").await;
        assert_eq!(browser.count("main form button:enabled").await, 0);
        browser.look("frozen-confirm").await;
    });
}

/// Whose opening is over sees no times that they can't have; who has a booking may move it.
#[test]
fn after_the_opening_only_those_with_a_booking_choose() {
    let demo = Demo::start("2021-07-20T17:59:50+09:00", |campaign| {
        campaign.replace("finish_min = 10", "finish_min = 0")
    });
    let mut client = demo.client();
    let [late, booked] = [0, 1].map(|person| demo.lets_in(person));
    let near = page(&mut client, &booked, "/sites");
    let site = between(&near, "<a class=\"site\" href=\"/ko/kr-2021-50s", "\"").to_owned();
    let day = first_day(&near).to_owned();
    let times = page(&mut client, &booked, &day);
    let slot = between(&times, "<button name=\"slot\" value=\"", "\"").to_owned();
    client.book(&booked, "first", &slot).is(201);
    let began = std::time::Instant::now();
    while !page(&mut client, &late, "/sites").contains("<h1 id=\"over\">") {
        assert!(began.elapsed().as_secs() < 30, "the opening does not end");
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    for address in ["/sites?region=all", "/sites?earliest=11", &site, &day] {
        let shown = page(&mut client, &late, address);
        assert!(shown.contains("<h1 id=\"over\">"), "{address}");
        assert!(
            !shown.contains("명 가능") && !shown.contains("<button"),
            "{address}"
        );
        assert!(
            !page(&mut client, &booked, address).contains("id=\"over\""),
            "{address}"
        );
    }
}

/// On English pages a screen reader is told what is Korean.
#[test]
fn korean_on_english_pages_is_marked() {
    let demo = Demo::open();
    browse(PHONE, &demo.base(), async |browser| {
        browser.lang = "en";
        browser.come_in(&demo.people[0]).await;
        browser.choose_day(0).await;
        browser.click("button.choice:enabled").await;
        browser.at("/confirm").await;
        for page in [
            "/sites",
            "/sites?earliest=11",
            "/sites?region=all",
            "/confirm",
        ] {
            browser.go(page).await;
            browser.text("footer").await;
            let unmarked = "const main = document.querySelector('main'); \
                            const texts = document.createTreeWalker(main, \
                            NodeFilter.SHOW_TEXT); const found = []; \
                            while (texts.nextNode()) { const one = texts.currentNode; \
                            if (/[가-힣]/.test(one.data) && \
                            one.parentElement.closest('[lang]').lang !== 'ko') \
                            found.push(one.data); } return found";
            assert_eq!(browser.script(unmarked).await, json!([]), "{page}");
        }
    });
}

/// On a desk a province can be chosen on the outline; on a phone there is the list alone.
#[test]
fn a_province_is_chosen_on_the_outline_of_the_country() {
    let demo = Demo::open();
    let desk = super::browser::Kind {
        width: 1280,
        ..PHONE
    };
    let shown = "return document.querySelector('.outline').checkVisibility()";
    browse(desk, &demo.base(), async |browser| {
        browser.come_in(&demo.people[0]).await;
        browser.go("/sites?region=all").await;
        assert_eq!(browser.count(".outline a").await, 17);
        assert_eq!(browser.script(shown).await, json!(true));
        browser.click(".outline a[href$='=42']").await;
        browser.reads("h1", "강원도").await;
    });
    browse(PHONE, &demo.base(), async |browser| {
        browser.come_in(&demo.people[0]).await;
        browser.go("/sites?region=all").await;
        assert_eq!(browser.script(shown).await, json!(false));
    });
}

/// At 200 % text on a phone the calendar is a list; each of its days names its weekday.
#[test]
fn a_days_weekday_is_read_also_in_large_text() {
    let demo = Demo::open();
    browse(PHONE, &demo.base(), async |browser| {
        browser.large_text().await;
        browser.come_in(&demo.people[0]).await;
        browser.click(".sites .site").await;
        browser.text(".calendar").await;
        let without = "const css = '.calendar a, .calendar .today > *'; \
                       const days = [...document.querySelectorAll(css)]; \
                       return [days.length > 0, days.filter((one) => \
                       !/\\d+ [월화수목금토일]/.test(one.innerText)).length]";
        assert_eq!(browser.script(without).await, json!([true, 0]));
    });
}

/// A search keeps its words in the field and says how many sites it found.
#[test]
fn a_search_keeps_its_words() {
    let demo = Demo::open();
    browse(PHONE, &demo.base(), async |browser| {
        browser.come_in(&demo.people[0]).await;
        browser.fill("query", "종로예방").await;
        browser.click("form[role=search] button").await;
        browser.reads("h1", "“종로예방” 찾기 결과").await;
        assert_eq!(browser.value("query").await, "종로예방");
        browser.reads("main", "곳을 찾았습니다").await;
        browser.reads(".sites", "종로구").await;
        browser.look("found").await;
    });
}

/// The earliest days of a province come in the order of day, time and distance, and lead to the
/// times of their day.
#[test]
fn the_earliest_days_of_a_province_come_first_and_lead_to_their_times() {
    let demo = Demo::open();
    let mut client = demo.client();
    let session = demo.lets_in(0);
    let shown = page(&mut client, &session, "/sites?earliest=11");
    assert!(shown.contains("aria-current=\"step\">접종 기관<"));
    let rows: Vec<&str> = shown
        .split("<li><a href=\"/ko/kr-2021-50s/sites")
        .skip(1)
        .collect();
    assert_eq!(rows.len(), 20);
    let order = |row: &&str| {
        let at = between(row, "<strong>", "</strong>").to_owned();
        let km = between(row, "<small>", " km</small>");
        let km = km.rsplit(", ").next().unwrap().parse::<f64>().unwrap();
        (at, (km * 10.0).round() as u32)
    };
    let orders: Vec<_> = rows.iter().map(order).collect();
    assert!(orders.is_sorted(), "{orders:?}");
    assert!(orders[0].0 < orders[19].0, "{orders:?}");
    let day = format!("/sites{}", rows[0].split('"').next().unwrap());
    let times = page(&mut client, &session, &day);
    assert!(times.contains("aria-current=\"step\">시간<"));
    let is_free = |button: &&str| !button.contains(" disabled>");
    let buttons = times.split("<button name=\"slot\"").skip(1).filter(is_free);
    let free: Vec<(&str, u32)> = buttons
        .map(|button| {
            let seats = between(button, "<span class=\"seats", "명 가능");
            let seats = seats.rsplit('>').next().unwrap();
            (
                between(button, "<strong>", "</strong>"),
                seats.parse().unwrap(),
            )
        })
        .collect();
    assert!(orders[0].0.ends_with(free[0].0), "{orders:?} {free:?}");
    let all: u32 = free.iter().map(|(_, seats)| seats).sum();
    assert!(rows[0].contains(&format!("{all}명 가능")), "{free:?}");
}
