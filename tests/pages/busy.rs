//! A form that meets a server with too much to do: nobody reads it, and nothing typed is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::body::MessageBody as _;
use actix_web::http::Method;
use actix_web::http::header::HeaderMap;
use sumun::web::pages;

use super::browser::{Kind, PHONE, browse};
use super::demo::Demo;
use super::door::{self, Fate};

/// The server's answer, as it is sent.
fn put_off(path: &str) -> Vec<u8> {
    let answer = pages::put_off(&Method::POST, path, &HeaderMap::new(), 8);
    let mut bytes = format!("HTTP/1.1 {}\r\nConnection: close\r\n", answer.status());
    for (name, value) in answer.headers() {
        bytes.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
    }
    let body = answer.into_body().try_into_bytes().unwrap();
    bytes.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
    [bytes.as_bytes(), &body].concat()
}

fn typed_stays(lang: &'static str, says: &str) {
    let demo = Demo::open();
    let busy = Arc::new(AtomicBool::new(false));
    let puts_off = Arc::clone(&busy);
    // The next form is put off with the server's own answer.
    let address = door::before(demo.address(), move |head| {
        if head.starts_with("POST") && puts_off.swap(false, Ordering::SeqCst) {
            return Fate::Answered(put_off(door::path(head)));
        }
        Fate::PassedOn
    });
    let kind = Kind {
        script: false,
        ..PHONE
    };
    let base = format!("http://{address}");
    let person = &demo.people[0];
    browse(kind, &base, async |browser| {
        browser.lang = lang;
        browser.go("/enter").await;
        busy.store(true, Ordering::SeqCst);
        browser.sign_in(person).await;
        browser.reads("#summary", says).await;
        assert_eq!(browser.count("meta[http-equiv=refresh]").await, 0);
        browser.look("busy").await;
        browser.client.back().await.unwrap();
        browser.text("#name").await;
        assert_eq!(browser.value("name").await, person.name);
        assert_eq!(browser.value("birth_date").await, person.birth_date);
        // Browsers keep no field that is never to be filled in by itself, as the code is.
        browser.fill("code", &person.code).await;
        browser.look("busy-back").await;
        browser.click("main form button").await;
        browser.at("/sites").await;
    });
}

#[test]
fn what_was_typed_is_one_step_back_in_korean() {
    typed_stays("ko", "입력하신 내용이 그대로 있습니다");
}

#[test]
fn what_was_typed_is_one_step_back_in_english() {
    typed_stays("en", "what you typed is still there");
}

/// A page that is looked at asks again by itself; the answer to a form never does.
#[test]
fn only_what_loses_nothing_is_asked_for_again() {
    let of = |method: Method| {
        let answer = pages::put_off(&method, "/ko/one/enter", &HeaderMap::new(), 8);
        assert_eq!(answer.status(), 503);
        assert_eq!(answer.headers().get("retry-after").unwrap(), "8");
        assert_eq!(answer.headers().get("cache-control").unwrap(), "no-store");
        answer.headers().contains_key("refresh")
    };
    assert!(of(Method::GET));
    assert!(!of(Method::POST));
}
