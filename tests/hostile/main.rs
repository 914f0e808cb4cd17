//! A hostile crowd against the real program, on loopback: thousands of connections that never read,
//! trickle, stop in the middle, pipeline, or send on after a refusal, while somebody books.
//!
//! Asserts what must hold whatever the machine: the memory stays under the stated bound and comes
//! back, a connection without progress costs no processor, and everybody real books. How long
//! bookings took is printed, not asserted.
//!
//!   SUMUN_HOSTILE_CONNECTIONS  hostile connections at a time (2,000; by hand 19,000)
//!   SUMUN_HOSTILE_SECONDS      how long the crowd stays (10; by hand 300)

#[allow(dead_code)]
#[path = "../it/answers.rs"]
mod answers;
mod bounds;
#[allow(dead_code)]
#[path = "../it/client.rs"]
mod client;
mod crowd;
mod evening;
mod kinds;
mod meter;
#[allow(dead_code)]
#[path = "../it/world.rs"]
mod world;

/// A number from the environment.
fn number(name: &str, default: u64) -> u64 {
    let given = std::env::var(name).ok();
    given.map_or(default, |text| text.parse().expect("a number"))
}
