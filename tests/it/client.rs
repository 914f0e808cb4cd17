//! A plain HTTP/1.1 client: what the tests send is exactly what they say.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};

use super::world::{CAMPAIGN, Person, credentials};

/// One kept connection.
pub struct Client {
    address: SocketAddr,
    stream: Option<BufReader<TcpStream>>,
    pub language: &'static str,
    pub campaign: String,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub json: Value,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub fn code(&self) -> &str {
        self.json["code"].as_str().unwrap_or("")
    }

    /// Asserts a problem answer and gives it back.
    #[track_caller]
    pub fn problem(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status, self.code()), (status, code), "{self:?}");
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json"),
            "{self:?}"
        );
        assert!(
            self.json["title"]
                .as_str()
                .is_some_and(|title| !title.is_empty())
        );
        assert!(
            self.json["detail"]
                .as_str()
                .is_some_and(|detail| !detail.is_empty())
        );
        self
    }

    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }
}

impl Client {
    pub fn new(address: SocketAddr) -> Self {
        Self {
            address,
            stream: None,
            language: "en",
            campaign: CAMPAIGN.to_owned(),
        }
    }

    pub fn get(&mut self, path: &str, token: Option<&str>) -> Answer {
        self.call("GET", path, token, &[], None)
    }

    pub fn post(&mut self, path: &str, token: Option<&str>, body: &Value) -> Answer {
        self.call("POST", path, token, &[], Some(body))
    }

    /// POST with an Idempotency-Key.
    pub fn post_once(&mut self, path: &str, token: &str, key: &str, body: &Value) -> Answer {
        self.call(
            "POST",
            path,
            Some(token),
            &[("Idempotency-Key", key)],
            Some(body),
        )
    }

    pub fn book(&mut self, session: &str, key: &str, slot: &str) -> Answer {
        self.post_once("/bookings", session, key, &json!({ "slot": slot }))
    }

    /// Enters, waits for the turn and goes in.
    pub fn session(&mut self, person: &Person) -> String {
        let place = self.enter(person);
        self.let_in(&place)
    }

    /// Waits for the turn of a place and goes in.
    pub fn let_in(&mut self, place: &str) -> String {
        for _ in 0..600 {
            let admitted = self.post("/gate/admit", Some(place), &Value::Null);
            if admitted.status == 200 {
                return admitted.json["token"].as_str().unwrap().to_owned();
            }
            admitted.problem(403, "not_admitted");
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the turn never came");
    }

    /// Enters; the place token.
    pub fn enter(&mut self, person: &Person) -> String {
        let entered = self.post("/gate/enter", None, &credentials(person)).is(200);
        entered.json["token"].as_str().unwrap().to_owned()
    }

    /// A call of the campaign's API, or of an absolute path that starts with `//`.
    pub fn call(
        &mut self,
        method: &str,
        path: &str,
        token: Option<&str>,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Answer {
        let body = body.filter(|body| !body.is_null()).map(Value::to_string);
        let mut head = match path.strip_prefix('/') {
            Some(absolute) if absolute.starts_with('/') => {
                format!("{method} {absolute} HTTP/1.1\r\n")
            }
            _ => {
                let campaign = &self.campaign;
                format!("{method} /api/v1/campaigns/{campaign}{path} HTTP/1.1\r\n")
            }
        };
        head.push_str(&format!(
            "Host: localhost\r\nAccept-Language: {}\r\n",
            self.language
        ));
        if let Some(token) = token {
            head.push_str(&format!("Authorization: Bearer {token}\r\n"));
        }
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if let Some(body) = &body {
            let length = body.len();
            head.push_str(&format!(
                "Content-Type: application/json\r\nContent-Length: {length}\r\n"
            ));
        } else if method == "POST" {
            head.push_str("Content-Length: 0\r\n");
        }
        head.push_str("\r\n");
        let bytes = [
            head.as_bytes(),
            body.as_deref().unwrap_or_default().as_bytes(),
        ]
        .concat();
        let answer = self
            .send(&bytes)
            .unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        let full = match path.strip_prefix('/') {
            Some(absolute) if absolute.starts_with('/') => absolute.to_owned(),
            _ => format!("/api/v1/campaigns/{}{path}", self.campaign),
        };
        super::answers::check(method, &full, &answer);
        answer
    }

    /// Sends bytes as they are and reads one answer.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<Answer> {
        if self.stream.is_none() {
            let stream = TcpStream::connect(self.address)?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(Duration::from_secs(30)))?;
            self.stream = Some(BufReader::new(stream));
        }
        let stream = self.stream.as_mut().unwrap();
        let answer = stream
            .get_mut()
            .write_all(bytes)
            .and_then(|()| read(stream));
        let ends = answer
            .as_ref()
            .is_ok_and(|answer| answer.header("connection") == Some("close"));
        if ends || answer.is_err() {
            self.stream = None;
        }
        answer
    }
}

fn read(stream: &mut BufReader<TcpStream>) -> io::Result<Answer> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let status = line
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| io::Error::other(format!("no status line: {line:?}")))?;
    let mut headers = Vec::new();
    loop {
        line.clear();
        stream.read_line(&mut line)?;
        match line.trim_end().split_once(": ") {
            Some((name, value)) => headers.push((name.to_owned(), value.to_owned())),
            None => break,
        }
    }
    let length = headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length = length
        .and_then(|(_, value)| value.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    let json = serde_json::from_slice(&body).unwrap_or(Value::Null);
    Ok(Answer {
        status,
        headers,
        body,
        json,
    })
}
