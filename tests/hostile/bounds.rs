//! What must hold while the crowd is there.

use std::fs;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use sumun::web::door::bounds::{LINGER_BYTES_MAX, PLAIN_BYTES, TLS_BYTES};

use super::client::Client;
use super::crowd::Crowd;
use super::kinds::Kind;
use super::meter::Meter;
use super::number;
use super::world::{OPEN, Server, World, fresh_key, person};

/// One crowd at a time: they share the machine.
pub static ONE: Mutex<()> = Mutex::new(());
/// All connections together may hold this, by the settings of these tests.
pub const HELD_MIB: usize = 64;
/// What the program itself takes for its work, in the settings of these tests.
const AROUND_BYTES: usize = 48 << 20;

fn serve(world: &World, tls: bool) -> Server {
    let file = world.path("server.toml");
    let text = fs::read_to_string(&file).unwrap();
    let text = text.replace("plain_http = true", &format!("plain_http = {}", !tls));
    let settings = format!("{text}held_mib_max = {HELD_MIB}\nexempt_networks = []\n");
    fs::write(file, settings).unwrap();
    world.serve()
}

fn crowd(server: &Server, tls: bool, kinds: &[Kind]) -> Crowd {
    sumun::server::raise_file_limit();
    Crowd {
        server: server.public,
        tls,
        kinds: kinds.to_vec(),
        connections: number("SUMUN_HOSTILE_CONNECTIONS", 2_000),
        addresses: 500,
    }
}

fn seconds() -> Duration {
    Duration::from_secs(number("SUMUN_HOSTILE_SECONDS", 10))
}

/// What a server with that many connections may take more than one without.
pub fn bound(tls: bool, connections: u64) -> usize {
    let each = if tls { TLS_BYTES } else { PLAIN_BYTES };
    connections as usize * each + (HELD_MIB << 20) + AROUND_BYTES
}

/// Looks at the memory for so long; the most of it.
fn most_memory(meter: Meter, during: Duration) -> usize {
    let began = Instant::now();
    let mut most = 0;
    while began.elapsed() < during {
        most = most.max(meter.memory());
        std::thread::sleep(Duration::from_millis(50));
    }
    most
}

/// Each kind by itself drives what a connection may hold to its end.
fn each_kind_stays_under_the_bound(tls: bool) {
    let _one = ONE.lock().unwrap_or_else(|held| held.into_inner());
    let world = World::new(1);
    let server = serve(&world, tls);
    let meter = Meter(server.id());
    let before = meter.memory();
    for kind in Kind::ALL {
        let crowd = crowd(&server, tls, &[kind]);
        let connections = crowd.connections;
        let gathered = crowd.gather();
        let most = most_memory(meter, seconds() / 2);
        let taken = gathered.figures().taken_max.load(Ordering::Relaxed);
        drop(gathered);
        let grew = most.saturating_sub(before);
        println!(
            "{kind:?}, {connections} connections: {} MiB more at the most, {taken} bytes taken",
            grew >> 20
        );
        assert!(grew < bound(tls, connections), "{kind:?}: {grew} bytes");
        if kind == Kind::HugeBody {
            // What the kernel kept on both sides, and what is thrown away before the cut.
            assert!(
                taken < 8 << 20,
                "{taken} bytes of a refused body were taken"
            );
            assert!(taken >= LINGER_BYTES_MAX as u64, "{taken}");
        }
    }
    // The allocator gives back what is free while it is asked for something: a few people come.
    let mut left = usize::MAX;
    for round in 0..30 {
        let few = Crowd {
            connections: 40,
            ..crowd(&server, tls, &[Kind::HugeBody, Kind::AsksForLeave])
        };
        let few = few.gather();
        std::thread::sleep(Duration::from_secs(1));
        drop(few);
        std::thread::sleep(Duration::from_secs(1));
        left = meter.memory().saturating_sub(before);
        // What is stated for a server without connections, which the crowd took far more than.
        if left < AROUND_BYTES {
            println!("after {round} visits: {} MiB more", left >> 20);
            return;
        }
    }
    panic!("{left} bytes did not come back within a minute");
}

#[test]
fn no_kind_of_connection_takes_more_memory_than_stated() {
    each_kind_stays_under_the_bound(false);
}

#[test]
fn no_kind_of_connection_takes_more_memory_than_stated_over_tls() {
    each_kind_stays_under_the_bound(true);
}

#[test]
fn a_connection_without_progress_costs_no_processor() {
    let _one = ONE.lock().unwrap_or_else(|held| held.into_inner());
    let world = World::new(1);
    let server = serve(&world, false);
    let meter = Meter(server.id());
    let over = |during: Duration| {
        let before = meter.processor();
        std::thread::sleep(during);
        meter.processor() - before
    };
    let during = Duration::from_secs(4);
    let quiet = over(during);
    // Few enough that none is ended for scarcity and comes again.
    let mut crowd = crowd(&server, false, &Kind::STUCK);
    crowd.connections = crowd.connections.min(4_000);
    let connections = crowd.connections;
    let gathered = crowd.gather();
    gathered.wait_for(connections * 9 / 10);
    std::thread::sleep(Duration::from_secs(1));
    let stuck = over(during);
    println!(
        "{connections} stuck connections: {stuck:?} of processor in {during:?}, {quiet:?} without"
    );
    // A sweep of the connections, and some that come again: a tenth of a core at the most.
    assert!(stuck < quiet + during / 10, "{stuck:?}, {quiet:?} without");
}

/// People who come one after the other, and threads that they come in.
const PEOPLE: u64 = 400;
const THREADS: u64 = 4;
/// Each books and cancels so often: fewer changes than one person may cause in an hour.
const TIMES: usize = 25;

/// People book and cancel, each again and again, on connections of their own.
fn books(server: SocketAddr, first: u64, until: Instant) -> Vec<Duration> {
    let mut took = Vec::new();
    let people = (first..PEOPLE).step_by(THREADS as usize);
    let times = people.flat_map(|at| std::iter::repeat_n(at, TIMES).enumerate());
    let mut session = String::new();
    for (time, at) in times {
        if Instant::now() >= until {
            break;
        }
        if time == 0 {
            session = Client::new(server).session(&person(OPEN, at));
        }
        let mut client = Client::new(server);
        let began = Instant::now();
        let booked = client.book(&session, &fresh_key(), "7").is(201);
        took.push(began.elapsed());
        let number = booked.json["booking"]["number"]
            .as_str()
            .unwrap()
            .to_owned();
        let path = format!("/bookings/{number}/cancel");
        client
            .post_once(&path, &session, &fresh_key(), &serde_json::json!({}))
            .is(200);
        std::thread::sleep(Duration::from_millis(20));
    }
    took
}

#[test]
fn somebody_books_while_a_hostile_crowd_of_all_kinds_goes_on() {
    let _one = ONE.lock().unwrap_or_else(|held| held.into_inner());
    let world = World::new(PEOPLE);
    let server = serve(&world, false);
    let meter = Meter(server.id());
    let before = meter.memory();
    let crowd = crowd(&server, false, &Kind::ALL);
    let connections = crowd.connections;
    let gathered = crowd.gather();
    std::thread::sleep(Duration::from_secs(2));
    let until = Instant::now() + seconds();
    let most = std::thread::spawn(move || most_memory(meter, seconds()));
    let people: Vec<_> = (0..THREADS)
        .map(|first| {
            let address = server.public;
            std::thread::spawn(move || books(address, first, until))
        })
        .collect();
    let mut took: Vec<_> = people
        .into_iter()
        .flat_map(|person| person.join().unwrap())
        .collect();
    let grew = most.join().unwrap().saturating_sub(before);
    took.sort();
    let part = |of: f64| took[((took.len() - 1) as f64 * of) as usize];
    println!(
        "{} of {connections} hostile connections stand, {} were ended; {} bookings: p50 {:?}, \
         p99 {:?}, the longest {:?}; {} MiB more at the most",
        gathered.open(),
        gathered.figures().ended.load(Ordering::Relaxed),
        took.len(),
        part(0.5),
        part(0.99),
        part(1.0),
        grew >> 20,
    );
    assert!(took.len() > 10, "only {} bookings were made", took.len());
    assert!(grew < bound(false, connections), "{grew} bytes");
    let held = Meter::metric(server.admin, "sumun_connections_held_bytes ");
    assert!(held as usize <= HELD_MIB << 20, "{held} bytes are held");
}
