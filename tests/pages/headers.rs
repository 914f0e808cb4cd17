//! What every answer carries, asked for without a browser.

use super::client::{Answer, Client};
use super::demo::Demo;

fn ask(client: &mut Client, method: &str, path: &str, head: &[&str], body: &str) -> Answer {
    let lines: String = head.iter().map(|line| format!("{line}\r\n")).collect();
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\n{lines}Content-Type: \
         application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    client.send(request.as_bytes()).unwrap()
}

const P: &str = "/ko/kr-2021-50s";

fn enter(client: &mut Client, demo: &Demo) -> String {
    let person = &demo.people[0];
    let fields = [
        ("name", person.name.as_str()),
        ("birth_date", &person.birth_date),
        ("code", &person.code),
        ("agreed", "1"),
    ];
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    let answer = ask(client, "POST", &format!("{P}/enter"), &[], &body).is(303);
    let cookies = answer
        .headers
        .iter()
        .filter(|(name, _)| name == "set-cookie");
    let cookies = cookies.map(|(_, value)| {
        assert!(value.starts_with("__Host-"), "{value}");
        for part in ["; Secure", "; HttpOnly", "; SameSite=Strict", "; Path=/"] {
            assert!(value.contains(part), "{value} without {part}");
        }
        value.split(';').next().unwrap().to_owned()
    });
    let cookies: Vec<String> = cookies.collect();
    assert_eq!(cookies.len(), 3, "{answer:?}");
    format!("Cookie: {}", cookies.join("; "))
}

#[test]
fn every_page_is_guarded_and_personal_ones_are_not_kept() {
    let demo = Demo::open();
    let mut client = demo.client();
    let cookie = enter(&mut client, &demo);
    let public = ["/", "/ko", "/en", P];
    let personal = [
        "/enter",
        "/wait",
        "/sites",
        "/confirm",
        "/booking",
        "/cancel",
        "/booking.ics",
        "/proof",
        "/proof/made",
        "/nothing",
    ];
    let personal = personal.map(|page| format!("{P}{page}"));
    let pages = public
        .iter()
        .copied()
        .chain(personal.iter().map(String::as_str));
    for page in pages {
        let answer = ask(&mut client, "GET", page, &[&cookie], "");
        assert!(answer.status < 500, "{page}: {answer:?}");
        let header = |name: &str| answer.header(name).unwrap_or_default().to_owned();
        let policy = header("content-security-policy");
        for part in [
            "default-src 'none'",
            "frame-ancestors 'none'",
            "form-action 'self'",
            "base-uri 'none'",
        ] {
            assert!(policy.contains(part), "{page}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{page}: {policy}");
        assert_eq!(header("x-frame-options"), "DENY", "{page}");
        assert_eq!(header("referrer-policy"), "no-referrer", "{page}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{page}");
        // Also the first page, for whoever has something here already.
        assert_eq!(header("cache-control"), "no-store", "{page}");
        if public.contains(&page) {
            let answer = ask(&mut client, "GET", page, &[], "");
            assert_ne!(answer.header("cache-control"), Some("no-store"), "{page}");
        }
    }
}

#[test]
fn a_form_of_another_site_is_refused() {
    let demo = Demo::open();
    let mut client = demo.client();
    let cookie = enter(&mut client, &demo);
    let hold = format!("{P}/hold");
    for foreign in ["Sec-Fetch-Site: cross-site", "Origin: http://evil.example"] {
        let answer = ask(&mut client, "POST", &hold, &[&cookie, foreign], "slot=0");
        assert_eq!(answer.status, 403, "{answer:?}");
    }
    let own = "Sec-Fetch-Site: same-origin";
    ask(&mut client, "POST", &hold, &[&cookie, own], "slot=0").is(303);
}

#[test]
fn prepared_pages_have_a_tag_and_assets_stay_for_ever() {
    let demo = Demo::open();
    let mut client = demo.client();
    let landing = ask(&mut client, "GET", P, &[], "").is(200);
    let tag = landing.header("etag").unwrap().to_owned();
    let known = format!("If-None-Match: {tag}");
    let again = ask(&mut client, "GET", P, &[&known], "").is(304);
    assert!(again.body.is_empty());
    let packed = ask(&mut client, "GET", P, &["Accept-Encoding: gzip"], "").is(200);
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    assert!(packed.body.len() < landing.body.len() / 2);
    let text = String::from_utf8(landing.body).unwrap();
    let at = text.find("/assets/page.").unwrap();
    let path = text[at..].split('"').next().unwrap();
    let asset = ask(&mut client, "GET", path, &["Accept-Encoding: br, gzip"], "").is(200);
    assert_eq!(asset.header("content-encoding"), Some("br"));
    assert!(asset.header("cache-control").unwrap().contains("immutable"));
    ask(&mut client, "GET", "/assets/page.0.js", &[], "").is(404);
    // Nothing inline but what the policy names by its hash.
    assert!(
        !text.contains(" style=") && !text.contains(" onclick="),
        "{text}"
    );
    // English where the browser asks for it, at the address of all.
    let english = ask(&mut client, "GET", "/", &["Accept-Language: en"], "").is(200);
    assert!(
        String::from_utf8(english.body)
            .unwrap()
            .contains("lang=\"en\"")
    );
}

/// The empty form may be gone back to; with a trace of somebody in it, it is not kept. Whoever
/// leaves takes along what was kept for going back.
#[test]
fn the_empty_form_alone_may_be_gone_back_to() {
    let demo = Demo::open();
    let mut client = demo.client();
    let form = format!("{P}/enter");
    let empty = ask(&mut client, "GET", &form, &[], "").is(200);
    let kept = empty.header("cache-control").unwrap();
    assert!(kept.starts_with("private, max-age=0"), "{kept}");
    let faulty = ask(&mut client, "POST", &form, &[], "name=x").is(422);
    assert_eq!(faulty.header("cache-control"), Some("no-store"));
    let cookie = enter(&mut client, &demo);
    let known = ask(&mut client, "GET", &form, &[&cookie], "").is(200);
    assert_eq!(known.header("cache-control"), Some("no-store"));
    let left = ask(&mut client, "POST", &format!("{P}/leave"), &[&cookie], "").is(303);
    assert_eq!(left.header("clear-site-data"), Some("\"cache\""));
}
