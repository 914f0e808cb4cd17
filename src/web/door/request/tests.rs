//! A request is read the same however it comes: whole, or a byte at a time, also when it is none.
//! `SUMUN_FUZZ_CASES` sets how many damaged requests are tried; the default is small.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::super::bounds::READ_BYTES_MAX;
use super::*;

/// What is read: how many bytes the request had, what was asked, and its body.
type Read = Result<(usize, String, Vec<u8>), Refusal>;

fn look(reading: &mut Reading, input: &[u8]) -> Option<Read> {
    let mut room = room();
    match reading.read(input, &mut room, &[]) {
        Ok(None) => None,
        Err(refusal) => Some(Err(refusal)),
        Ok(Some((head, body))) => {
            let seen = format!("{} {} {:?}", head.method, head.target, head.host);
            let bytes = body.bytes(&input[head.length..]).to_vec();
            Some(Ok((head.length + body.taken, seen, bytes)))
        }
    }
}

fn whole(input: &[u8]) -> Option<Read> {
    look(&mut Reading::default(), input)
}

fn byte_after_byte(input: &[u8]) -> Option<Read> {
    let mut reading = Reading::default();
    (1..=input.len()).find_map(|length| look(&mut reading, &input[..length]))
}

const REQUESTS: [&str; 8] = [
    "GET /ko/one HTTP/1.1\r\nHost: book.example\r\nAccept-Encoding: gzip, br\r\n\
     Cookie: __Host-sumun-place=abc; other=1\r\n\r\n",
    "POST /api/v1/campaigns/one/gate/enter HTTP/1.1\r\nHost: x\r\n\
     Content-Type: application/json\r\nContent-Length: 11\r\n\r\n{\"name\":\"\"}",
    "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n\
     4\r\nabcd\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
    "GET http://x:80/a?b=c HTTP/1.1\r\nHost: y\r\nConnection: close\r\n\r\n",
    "HEAD / HTTP/1.0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n\
     0\r\n\r\n",
    "DELETE /a HTTP/1.1\r\nHost: [::1]:8443\r\nContent-Length: 0\r\n\r\nGET / HTTP/1.1\r\nHost: x",
];

/// A request with some of its bytes replaced, left out, doubled, or something put between.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let bytes = prop_oneof![
        Just(b'\r'),
        Just(b'\n'),
        Just(b':'),
        Just(b' '),
        Just(0),
        Just(b','),
        Just(b'1'),
        any::<u8>()
    ];
    let damage = (any::<prop::sample::Index>(), 0..4_u8, bytes);
    let damages = prop::collection::vec(damage, 0..4);
    (prop::sample::select(&REQUESTS[..]), damages).prop_map(|(request, damages)| {
        let mut request = request.as_bytes().to_vec();
        for (at, how, byte) in damages {
            let at = at.index(request.len());
            match how {
                0 => request[at] = byte,
                1 => drop(request.remove(at)),
                2 => request.insert(at, byte),
                _ => request.insert(at, request[at]),
            }
        }
        request
    })
}

#[test]
fn requests_are_read_the_same_in_pieces() {
    for request in REQUESTS {
        let whole = whole(request.as_bytes());
        assert!(whole.is_some(), "{request:?}");
        assert_eq!(byte_after_byte(request.as_bytes()), whole, "{request:?}");
    }
}

#[test]
fn damaged_requests_are_read_or_refused_the_same_in_pieces() {
    let cases = std::env::var("SUMUN_FUZZ_CASES").ok();
    let cases = cases.map_or(2_000, |cases| cases.parse().expect("a number"));
    let mut runner = TestRunner::new(Config::with_cases(cases));
    let same = runner.run(&damaged(), |request| {
        match (whole(&request), byte_after_byte(&request)) {
            // Something wrong is wrong wherever it is noticed first.
            (Some(Err(_)), Some(Err(_))) => {}
            (whole, in_pieces) => prop_assert_eq!(whole, in_pieces),
        }
        Ok(())
    });
    same.unwrap_or_else(|fault| panic!("{fault}"));
}

/// Whatever comes, what is kept of a request that has not come whole is bounded: before the room
/// is full, the request is whole or refused.
#[test]
fn no_request_is_longer_than_the_room_for_it() {
    let starts = [
        "",
        "GET /",
        "GET / HTTP/1.1\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nA: ",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4096\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1000\r\n",
    ];
    for start in starts {
        for more in ["a", "0", "\r\n", "A: b\r\n", "1\r\na\r\n", "\n", " ", ";"] {
            let mut input = start.as_bytes().to_vec();
            while input.len() < READ_BYTES_MAX {
                input.extend_from_slice(more.as_bytes());
            }
            assert!(
                whole(&input[..READ_BYTES_MAX]).is_some(),
                "{start:?}, {more:?}"
            );
        }
    }
}
