//! What the desk costs: the list of a country's sites, a hundred viewers of the board, and bookings
//! under a flood of sign-ins.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use data_encoding::BASE32_NOPAD;
use rustix::net::{AddressFamily, SocketType, bind, connect, socket};
use serde_json::{Value, json};
use sumun::clock::wall;
use sumun::identity::staff::otp;

use super::evening::Evening;
use super::measure::{Busy, keep};
use super::{CONNECTIONS, Done, expect, figures};
use sumun::rush::engine::{Engine, Pace};

/// Where everything is.
pub struct Place<'a> {
    pub address: SocketAddr,
    pub server: u32,
    pub campaign: &'a str,
    pub roster: &'a Path,
    pub people: usize,
    /// What a demo told when it was ready: the desk's address and its accounts.
    pub ready: &'a Path,
}

const VIEWERS: usize = 100;
const LISTED_TIMES: usize = 200;
/// Sign-ins a second, as many bookings, and the addresses that the sign-ins come from.
const SIGN_INS_PER_S: usize = 200;
const BOOKED_PER_S: f64 = 200.0;
const FLOODERS: usize = 200;
const TURNS: usize = 3;

pub fn desk(results: &Path, place: &Place<'_>, run_for: Duration) -> Done {
    let ready: Value = serde_json::from_slice(&std::fs::read(place.ready)?)?;
    let url = ready["desk_url"].as_str().unwrap_or_default();
    let address = url.trim_start_matches("http://").trim_end_matches("/desk");
    let desk: SocketAddr = address.parse()?;
    let token = sign_in(desk, &ready)?;
    sites(results, desk, &token, place)?;
    board(results, desk, &token, place, run_for)?;
    flood(results, desk, place, run_for)
}

fn sign_in(desk: SocketAddr, ready: &Value) -> Result<String, Box<dyn std::error::Error>> {
    let staff = ready["staff"].as_array().into_iter().flatten();
    let mut operators = staff.filter(|one| one["role"] == "operator");
    let one = operators.next().ok_or("the demo has no operator")?;
    let secret = one["totp_secret"].as_str().unwrap_or_default();
    let secret = BASE32_NOPAD.decode(secret.as_bytes())?;
    let body = json!({ "name": one["name"], "password": one["password"],
                       "otp": otp::code(&secret, wall()) });
    let mut stream = TcpStream::connect(desk)?;
    let (status, told) = post(&mut stream, "/api/desk/v1/sign-in", &body)?;
    let told: Value = serde_json::from_slice(&told)?;
    let token = told["token"].as_str();
    Ok(token.ok_or(format!("sign-in: {status} {told}"))?.to_owned())
}

/// The first page of a campaign's sites with the sums over all of them.
fn sites(results: &Path, desk: SocketAddr, token: &str, place: &Place<'_>) -> Done {
    let mut stream = TcpStream::connect(desk)?;
    let path = format!("/api/desk/v1/campaigns/{}/sites", place.campaign);
    let mut took = Vec::new();
    let (mut count, mut first) = (Value::Null, 0.0);
    for turn in 0..LISTED_TIMES {
        let since = Instant::now();
        let (status, told) = get(&mut stream, &path, token)?;
        let ms = since.elapsed().as_secs_f64() * 1e3;
        if status != 200 {
            return Err(format!("sites: {status} {}", String::from_utf8_lossy(&told)).into());
        }
        if turn == 0 {
            let told: Value = serde_json::from_slice(&told)?;
            (count, first) = (told["count"].clone(), ms);
        }
        took.push(ms);
    }
    took.sort_by(f64::total_cmp);
    let told = json!({ "per_s": 1e3 / took[took.len() / 2], "sites": count, "first_ms": first,
                       "p50_ms": took[took.len() / 2], "p99_ms": took[took.len() * 99 / 100],
                       "max_ms": took[took.len() - 1] });
    Ok(keep(results, "desk_sites", told)?)
}

/// How much more of a core the server takes with a hundred viewers than with one.
fn board(
    results: &Path,
    desk: SocketAddr,
    token: &str,
    place: &Place<'_>,
    run_for: Duration,
) -> Done {
    let mut shares = Vec::new();
    for viewers in [1, VIEWERS] {
        let streams = (0..viewers).map(|_| watch(desk, token));
        let streams: Vec<BufReader<TcpStream>> = streams.collect::<io::Result<_>>()?;
        let is_over = AtomicBool::new(false);
        let read = AtomicU64::new(0);
        let (over, events) = (&is_over, &read);
        let busy = std::thread::scope(|scope| {
            for mut stream in streams {
                scope.spawn(move || {
                    let mut line = String::new();
                    while !over.load(Ordering::Relaxed) {
                        line.clear();
                        if stream.read_line(&mut line).is_err() || line.is_empty() {
                            return;
                        }
                        events.fetch_add(u64::from(line.starts_with("data:")), Ordering::Relaxed);
                    }
                });
            }
            let cpu = ticks(place.server);
            let since = Instant::now();
            std::thread::sleep(run_for * 2);
            let share = (ticks(place.server) - cpu) / since.elapsed().as_secs_f64();
            over.store(true, Ordering::Relaxed);
            share
        });
        let events = read.load(Ordering::Relaxed);
        let seconds = (run_for * 2).as_secs_f64();
        if (events as f64) < viewers as f64 * seconds * 0.8 {
            return Err(format!("{viewers} viewers saw {events} events in {seconds} s").into());
        }
        shares.push(busy);
    }
    let told = json!({ "per_s": VIEWERS, "one_percent": shares[0],
                       "hundred_percent": shares[1] });
    Ok(keep(results, "desk_board", told)?)
}

/// Processor time of a process so far, in percent of a second.
fn ticks(process: u32) -> f64 {
    let told = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let behind = told.rsplit_once(')').map_or("", |(_, behind)| behind);
    let fields = behind.split_whitespace().skip(11).take(2);
    fields.filter_map(|text| text.parse::<f64>().ok()).sum()
}

/// Bookings at a rate, without and with sign-ins by wrong passwords from many addresses.
fn flood(results: &Path, desk: SocketAddr, place: &Place<'_>, run_for: Duration) -> Done {
    let engine = Engine::connect(place.address, CONNECTIONS)?;
    let mut evening = Evening::at(engine, place.campaign);
    expect(&evening.sign_in(place.roster, 0, place.people)?, 200)?;
    evening.list_seats()?;
    let open = Pace::Open(BOOKED_PER_S);
    expect(&evening.book(open, Duration::from_secs(1))?, 201)?;
    for turn in 0..TURNS {
        let told = evening.book(open, run_for)?;
        expect(&told, 201)?;
        let without = figures(&told, Value::Null);
        let flood = Flood::begin(desk, turn);
        let busy = Busy::begin(Some(place.server));
        let told = evening.book(open, run_for)?;
        let seconds = busy.seconds();
        let mut with = figures(&told, busy.end());
        let (sent, hashed) = flood.end();
        expect(&told, 201)?;
        let p99 = |told: &Value| told["p99_ms"].as_f64().unwrap_or(f64::NAN);
        with["p99_times"] = json!(p99(&with) / p99(&without));
        with["p99_without_ms"] = without["p99_ms"].clone();
        with["sign_ins_per_s"] = json!(sent as f64 / seconds);
        with["wrong_per_s"] = json!(hashed as f64 / seconds);
        keep(results, "desk_flood", with)?;
    }
    Ok(())
}

/// Threads that sign in by wrong passwords.
struct Flood {
    is_over: Arc<AtomicBool>,
    threads: Vec<std::thread::JoinHandle<(u64, u64)>>,
}

impl Flood {
    fn begin(desk: SocketAddr, turn: usize) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let threads = (0..FLOODERS).map(|at| {
            let is_over = Arc::clone(&is_over);
            std::thread::spawn(move || flood_from(desk, (turn, at), &is_over))
        });
        Self {
            threads: threads.collect(),
            is_over,
        }
    }

    /// Sign-ins that were answered, and those of them whose password was compared.
    fn end(self) -> (u64, u64) {
        self.is_over.store(true, Ordering::Relaxed);
        let counts = self.threads.into_iter().map(|thread| thread.join());
        counts
            .flatten()
            .fold((0, 0), |(a, b), (sent, hashed)| (a + sent, b + hashed))
    }
}

/// Each sign-in is from another address and for another name: none is held up for itself.
fn flood_from(desk: SocketAddr, (turn, at): (usize, usize), is_over: &AtomicBool) -> (u64, u64) {
    let every = Duration::from_secs_f64(FLOODERS as f64 / SIGN_INS_PER_S as f64);
    let (mut sent, mut hashed) = (0, 0);
    let mut next = Instant::now() + every.mul_f64(at as f64 / FLOODERS as f64);
    while !is_over.load(Ordering::Relaxed) {
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
        next += every;
        let from = Ipv4Addr::new(127, 1 + turn as u8, at as u8, 1 + (sent % 250) as u8);
        let body = json!({ "name": format!("nobody{turn}x{at}x{sent}"), "otp": "123456",
                           "password": "a wrong password" });
        let answered = from_address(from, desk)
            .and_then(|mut stream| post(&mut stream, "/api/desk/v1/sign-in", &body));
        if let Ok((status, _)) = answered {
            sent += 1;
            hashed += u64::from(status == 401);
        }
    }
    (sent, hashed)
}

/// A connection from an address of this host.
fn from_address(from: Ipv4Addr, to: SocketAddr) -> io::Result<TcpStream> {
    let made = socket(AddressFamily::INET, SocketType::STREAM, None)?;
    bind(&made, &SocketAddrV4::new(from, 0))?;
    connect(&made, &to)?;
    Ok(TcpStream::from(made))
}

fn watch(desk: SocketAddr, token: &str) -> io::Result<BufReader<TcpStream>> {
    let mut stream = TcpStream::connect(desk)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    write!(
        stream,
        "GET /api/desk/v1/board/events HTTP/1.1\r\nHost: desk\r\n\
         Authorization: Bearer {token}\r\n\r\n"
    )?;
    Ok(BufReader::new(stream))
}

fn get(stream: &mut TcpStream, path: &str, token: &str) -> io::Result<(u16, Vec<u8>)> {
    // In one piece: the second of two small ones waits for the other side's acknowledgement.
    let asked =
        format!("GET {path} HTTP/1.1\r\nHost: desk\r\nAuthorization: Bearer {token}\r\n\r\n");
    stream.write_all(asked.as_bytes())?;
    answer(stream)
}

fn post(stream: &mut TcpStream, path: &str, body: &Value) -> io::Result<(u16, Vec<u8>)> {
    let body = body.to_string();
    let asked = format!(
        "POST {path} HTTP/1.1\r\nHost: desk\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(asked.as_bytes())?;
    answer(stream)
}

/// The status and body of an answer with a length.
fn answer(stream: &mut TcpStream) -> io::Result<(u16, Vec<u8>)> {
    let mut reader = BufReader::new(stream);
    let (mut status, mut length, mut line) = (0, 0, String::new());
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let lower = line.to_ascii_lowercase();
        if let Some(version) = lower.strip_prefix("http/1.1 ") {
            status = version[..3].parse().unwrap_or(0);
        } else if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        } else if line == "\r\n" {
            let mut body = vec![0; length];
            reader.read_exact(&mut body)?;
            return Ok((status, body));
        }
    }
}
