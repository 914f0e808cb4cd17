//! What is taken as a head, and what is refused.

use super::*;

/// What matters of a head: method, target, host, framing, whether the connection goes on.
type Seen = (String, String, Option<String>, Framing, bool);

fn read(bytes: &[u8]) -> Result<Option<Seen>, HeadFault> {
    let mut room = room();
    let head = Head::read(bytes, &mut room)?;
    Ok(head.map(|head| {
        (
            head.method.to_string(),
            head.target.to_owned(),
            head.host.map(str::to_owned),
            head.body,
            head.persists,
        )
    }))
}

fn fault(head: &str) -> Option<HeadFault> {
    read(head.as_bytes()).err()
}

#[test]
fn a_head_says_what_is_asked_and_where_its_body_ends() {
    let (method, target, host, body, persists) =
        read(b"POST /a?b=c HTTP/1.1\r\nHost: x.example:8443\r\nContent-Length: 12\r\n\r\n")
            .unwrap()
            .unwrap();
    assert_eq!((&*method, &*target), ("POST", "/a?b=c"));
    assert_eq!(host.as_deref(), Some("x.example:8443"));
    assert_eq!((body, persists), (Framing::Length(12), true));
    let chunked = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n";
    assert_eq!(read(chunked).unwrap().unwrap().3, Framing::Chunked);
    let last = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: foo, Close\r\n\r\n";
    assert!(!read(last).unwrap().unwrap().4);
    let old = read(b"GET / HTTP/1.0\r\n\r\n").unwrap().unwrap();
    assert_eq!((old.2, old.4), (None, false));
}

#[test]
fn a_target_with_a_host_is_taken_apart() {
    let absolute = |target: &str| {
        let head = format!("GET {target} HTTP/1.1\r\nHost: other\r\n\r\n");
        read(head.as_bytes()).map(|head| head.map(|head| (head.1, head.2.unwrap())))
    };
    let of = |path: &str| Ok(Some((path.to_owned(), "x:1".to_owned())));
    assert_eq!(absolute("http://x:1/a?b"), of("/a?b"));
    assert_eq!(absolute("HTTPS://x:1"), of("/"));
    for wrong in [
        "ftp://x/",
        "x:443",
        "http:///a",
        "/a#b",
        "http://u@x/",
        "http://x?a",
    ] {
        assert_eq!(absolute(wrong), Err(HeadFault::Malformed), "{wrong}");
    }
}

#[test]
fn what_could_be_read_in_two_ways_is_refused() {
    let start = "POST / HTTP/1.1\r\nHost: x\r\n";
    for lines in [
        "Content-Length: 1\r\nContent-Length: 1\r\n\r\n",
        "Content-Length: 1, 1\r\n\r\n",
        "Content-Length: +1\r\n\r\n",
        "Content-Length: -1\r\n\r\n",
        "Content-Length: 0x1\r\n\r\n",
        "Content-Length:\r\n\r\n",
        "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        "Transfer-Encoding: gzip, chunked\r\n\r\n",
        "Transfer-Encoding: identity\r\n\r\n",
        "Transfer-Encoding : chunked\r\n\r\n",
        "A: b\n\r\n",
        "A: b\r\n\n",
        "A: b\r\n c: d\r\n\r\n",
        "A: b\rc: d\r\n\r\n",
        "A\0: b\r\n\r\n",
        "A: b\0\r\n\r\n",
        ": b\r\n\r\n",
        "Host: x\r\n\r\n",
        "Host: y\r\n\r\n",
    ] {
        let answer = fault(&format!("{start}{lines}"));
        assert_eq!(answer, Some(HeadFault::Malformed), "{lines:?}");
    }
    let old = "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(fault(old), Some(HeadFault::Malformed));
    for line in [
        "GET  / HTTP/1.1",
        "GET / a HTTP/1.1",
        "GET /\t HTTP/1.1",
        " GET / HTTP/1.1",
    ] {
        let answer = fault(&format!("{line}\r\nHost: x\r\n\r\n"));
        assert!(answer.is_some(), "{line:?}");
    }
    assert_eq!(
        fault("GET / HTTP/2.0\r\nHost: x\r\n\r\n"),
        Some(HeadFault::VersionUnknown)
    );
    assert_eq!(
        fault("GET / HTTP/1.1\r\nHost: x\r\nExpect: a-miracle\r\n\r\n"),
        Some(HeadFault::ExpectationUnknown)
    );
}

#[test]
fn a_host_is_a_name_or_an_address_and_perhaps_a_port() {
    for good in [
        "x",
        "book.example:8443",
        "127.0.0.1",
        "[::1]:80",
        "[2001:db8::1]",
        "a_b-c.d",
    ] {
        assert!(is_host(good), "{good}");
    }
    for wrong in [
        "", ":80", "x:", "x:99999", "x:+1", "x y", "x/y", "u@x", "[::1", "[x]", "::1", "x\\",
        "x,y", "x:1:2", "가",
    ] {
        assert!(!is_host(wrong), "{wrong}");
        let head = format!("GET / HTTP/1.1\r\nHost: {wrong}\r\n\r\n");
        assert_eq!(fault(&head), Some(HeadFault::Malformed), "{wrong}");
    }
    let malformed = Some(HeadFault::Malformed);
    assert_eq!(fault("GET / HTTP/1.1\r\n\r\n"), malformed);
    // A target with a host does not make up for the header.
    assert_eq!(fault("GET http://x/ HTTP/1.1\r\n\r\n"), malformed);
    assert_eq!(
        fault("GET http://x/ HTTP/1.1\r\nHost: a b/..@\r\n\r\n"),
        malformed
    );
}

#[test]
fn heads_targets_and_bodies_have_an_end() {
    let of = |target: usize, line: usize| {
        let (target, line) = ("a".repeat(target), "b".repeat(line));
        fault(&format!(
            "GET /{target} HTTP/1.1\r\nHost: x\r\nL: {line}\r\n\r\n"
        ))
    };
    assert_eq!(of(TARGET_BYTES_MAX - 1, 1), None);
    assert_eq!(of(TARGET_BYTES_MAX, 1), Some(HeadFault::TargetTooLong));
    assert_eq!(of(HEAD_BYTES_MAX, 1), Some(HeadFault::TargetTooLong));
    let around = "GET / HTTP/1.1\r\nHost: x\r\nL: \r\n\r\n".len();
    assert_eq!(of(0, HEAD_BYTES_MAX - around), None);
    assert_eq!(
        of(0, HEAD_BYTES_MAX - around + 1),
        Some(HeadFault::HeadTooLong)
    );
    let many = |count: usize| {
        let lines = "A: b\r\n".repeat(count - 1);
        fault(&format!("GET / HTTP/1.1\r\nHost: x\r\n{lines}\r\n"))
    };
    assert_eq!(many(HEADERS_MAX), None);
    assert_eq!(many(HEADERS_MAX + 1), Some(HeadFault::HeadTooLong));
    let body = |length: &str| {
        fault(&format!(
            "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n"
        ))
    };
    assert_eq!(body("4096"), None);
    assert_eq!(body("4097"), Some(HeadFault::BodyTooLong));
    assert_eq!(body(&"9".repeat(40)), Some(HeadFault::BodyTooLong));
}

/// A head that comes in pieces is answered as the whole head is, and not before its end.
#[test]
fn a_head_in_pieces_is_the_whole_head() {
    let heads: [&[u8]; 4] = [
        b"GET /a?b HTTP/1.1\r\nHost: x\r\nCookie: a=b; c=d\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET http://x:1/ HTTP/1.1\r\nHost: y\r\nExpect: 100-continue\r\n\r\n",
        b"GET / HTTP/1.0\r\n\r\n",
    ];
    for head in heads {
        let whole = read(head).unwrap().unwrap();
        for cut in 0..head.len() {
            assert_eq!(read(&head[..cut]), Ok(None), "{cut}");
        }
        let more = [head, b"GET / HTTP/1.1\r\n"].concat();
        assert_eq!(read(&more), Ok(Some(whole)));
    }
}
