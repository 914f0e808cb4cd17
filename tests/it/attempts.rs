//! Wrong credentials through HTTP: what they cost, and whom they cost nothing.

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::client::{Answer, Client};
use super::world::{CAMPAIGN, OPEN, Person, World, credentials, person};

/// The roster has them; codes of later positions are nobody's.
const PEOPLE: u64 = 20_000;
const GUESSERS: u64 = 200;
/// People who enter at the same time; each hand brings the next of its share.
const HANDS: u64 = 8;

/// Enters as somebody behind a proxy that all of a /24 comes through.
fn enter_from(client: &mut Client, from: &str, person: &Person) -> Answer {
    let body = credentials(person);
    let forwarded = [("X-Forwarded-For", from)];
    client.call("POST", "/gate/enter", None, &forwarded, Some(&body))
}

fn neighbour(at: u64) -> String {
    format!("203.0.113.{}", at % 254 + 1)
}

/// A person of the roster under a code that is a code, and nobody's.
fn guessed(victim: u64, guess: u64) -> Person {
    Person {
        code: person(OPEN, PEOPLE + guess).code,
        ..person(OPEN, victim)
    }
}

fn retry_after_s(answer: &Answer) -> u64 {
    let told = answer.json["retry_after_s"].as_u64().unwrap();
    assert_eq!(answer.header("retry-after"), Some(&*told.to_string()));
    told
}

#[test]
fn a_wrong_one_waits_ever_longer_and_the_right_one_enters_at_once() {
    let world = World::new(2);
    let server = world.serve();
    let mut client = server.client();
    let enter =
        |client: &mut Client, who: &Person| client.post("/gate/enter", None, &credentials(who));
    for guess in 0..5 {
        enter(&mut client, &guessed(0, guess)).problem(403, "identity_not_found");
    }
    let mut told = Vec::new();
    for guess in 5..8 {
        // The name is written another way: it is the same person all the same.
        let mut wrong = guessed(0, guess);
        wrong.name = format!(" {}\u{3000}{}", &wrong.name[..3], &wrong.name[3..]);
        let began = Instant::now();
        let answer = enter(&mut client, &wrong).problem(429, "too_many_attempts");
        assert!(
            began.elapsed() > Duration::from_millis(900),
            "it is told late"
        );
        let detail = answer.json["detail"].as_str().unwrap();
        assert!(detail.contains("Right ones enter at once"), "{detail}");
        told.push(retry_after_s(&answer));
    }
    assert!(
        told.is_sorted_by(|less, more| less + 25 < *more),
        "{told:?}"
    );
    // Somebody else at that address mistypes for the first time: a plain answer.
    enter(&mut client, &guessed(1, 9)).problem(403, "identity_not_found");
    // Right ones enter, also the person whom all of it was about.
    let began = Instant::now();
    enter(&mut client, &person(OPEN, 0)).is(200);
    enter(&mut client, &person(OPEN, 1)).is(200);
    assert!(began.elapsed() < Duration::from_millis(900), "at once");
}

/// The page says what to do and when, and not that the person was wrong several times.
#[test]
fn the_page_of_a_wrong_one_says_that_a_right_one_goes_in_at_once() {
    let world = World::new(1);
    let server = world.serve();
    let mut client = server.client();
    let form = |who: &Person| {
        let born = who.birth_date.replace('-', "");
        let body = format!("name={}&birth_date={born}&code={}", who.name, who.code);
        format!(
            "POST /en/{CAMPAIGN}/enter HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let mut last = None;
    for guess in 0..6 {
        let answer = client.send(form(&guessed(0, guess)).as_bytes()).unwrap();
        last = Some(answer);
    }
    let last = last.unwrap().is(429);
    let page = String::from_utf8_lossy(&last.body).into_owned();
    assert!(
        page.contains("No person matches what was entered"),
        "{page}"
    );
    assert!(
        page.contains("As soon as they are right you go in at once"),
        "{page}"
    );
    assert!(page.contains("for the next 1 minute"), "{page}");
    assert!(!page.contains("several times"), "{page}");
    client
        .send(form(&person(OPEN, 0)).as_bytes())
        .unwrap()
        .is(303);
}

/// Once, sixty wrong codes from one address kept out all who came from it and from its /24.
#[test]
fn everybody_gets_in_beside_guessers_in_the_same_network_and_guessers_get_nothing() {
    let world = World::new(PEOPLE);
    let file = world.path("server.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(file, format!("{text}trusted_proxies = [\"127.0.0.0/8\"]\n")).unwrap();
    let server = world.serve();
    let (everybody_is_in, put_off) = (AtomicBool::new(false), AtomicUsize::new(0));
    let limited = AtomicUsize::new(0);
    let guess = |guesser: u64| {
        let mut client = server.client();
        for guess in 0.. {
            if everybody_is_in.load(Ordering::Relaxed) {
                return guess;
            }
            let wrong = guessed(guesser + guess * GUESSERS, guesser * 1_000 + guess);
            let answer = enter_from(&mut client, &neighbour(guesser), &wrong);
            match answer.code() {
                "identity_not_found" => {}
                "too_many_attempts" => {
                    limited.fetch_add(1, Ordering::Relaxed);
                }
                _ => panic!("{answer:?}"),
            }
        }
        unreachable!("the crowd gets in before numbers end")
    };
    let come_in = |hand: u64| {
        let mut client = server.client();
        for at in (hand..PEOPLE).step_by(HANDS as usize) {
            // Some mistype first, and are told so.
            if at % 4_000 == hand {
                let answer = enter_from(&mut client, &neighbour(at), &guessed(at, 999_000 + at));
                assert!(matches!(answer.status, 403 | 429), "{answer:?}");
            }
            let answer = enter_from(&mut client, &neighbour(at), &person(OPEN, at));
            if answer.code() == "overloaded" {
                // Guessers and the crowd together asked more than a network may; nobody is wrong.
                put_off.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            let place = answer.is(200);
            assert_ne!(place.json["token"], Value::Null);
        }
    };
    thread::scope(|scope| {
        let guessers: Vec<_> = (0..GUESSERS)
            .map(|guesser| scope.spawn(move || guess(guesser)))
            .collect();
        // They have spent all that their network is forgiven before anybody comes.
        let began = Instant::now();
        while limited.load(Ordering::Relaxed) < GUESSERS as usize {
            assert!(
                began.elapsed() < Duration::from_secs(60),
                "nobody was limited"
            );
            thread::sleep(Duration::from_millis(20));
        }
        let people: Vec<_> = (0..HANDS)
            .map(|hand| scope.spawn(move || come_in(hand)))
            .collect();
        let all_in = people.into_iter().all(|person| person.join().is_ok());
        everybody_is_in.store(true, Ordering::Relaxed);
        let guesses: u64 = guessers
            .into_iter()
            .map(|guesser| guesser.join().unwrap())
            .sum();
        assert!(all_in, "somebody was kept out");
        assert!(guesses > 2 * GUESSERS, "{guesses}");
    });
    assert_eq!(put_off.into_inner(), 0, "of {PEOPLE}");
}
