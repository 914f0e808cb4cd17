//! The loop of a rush: lets people act when they are due, on whatever connection is idle.
//!
//! Open loop: when somebody acts does not depend on how others are answered. A request that finds
//! every connection busy waits here, and its time counts from when it was due. When this program
//! itself is late, that is measured and told apart.

use std::cmp::Reverse;
use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use super::answer::Kind;
use super::curve::Curve;
use super::random::Random;
use super::record::Record;
use super::scene::{Answer, PARTS, Scene, Who};
use super::wire::{Broken, Connectivity, Heard, Way, Wire};
use crate::clock::tick;

const SECOND_NS: u64 = 1_000_000_000;
/// Requests on their way when the time is over have this long.
const LAST_ANSWERS: Duration = Duration::from_secs(5);
/// The looking up at the end takes at most this long.
const CHECK_MAX: Duration = Duration::from_secs(120);
/// People looked up each second.
const CHECK_PER_S: f64 = 4_000.0;
/// Requests that are sent before answers are read again. An answer's time counts until it is read,
/// so this must be few.
const SENT_MAX: usize = 32;
const WAIT_MAX: Duration = Duration::from_millis(20);

/// A rush that runs.
pub struct Drive {
    pub scene: Scene,
    wire: Wire,
    began: Instant,
    /// Due and not sent: every connection is busy. One queue a `Standing`, the first goes first.
    queues: [VecDeque<(u64, Who)>; 3],
    out: Vec<u8>,
    random: Random,
    /// Whether the loop never sleeps. It then takes the same processor time at every load.
    pub spins: bool,
}

impl Drive {
    pub fn new(scene: Scene, way: Way, connections: usize) -> io::Result<Self> {
        let random = Random::new(scene.setting.seed);
        Ok(Self {
            scene,
            wire: Wire::new(way, connections)?,
            began: tick(),
            queues: Default::default(),
            out: Vec::with_capacity(4096),
            random,
            spins: false,
        })
    }

    /// Makes all connections before the rush begins.
    pub fn connect_all(&mut self) -> io::Result<()> {
        self.wire.connect_all()?;
        self.began = tick();
        Ok(())
    }

    /// Nanoseconds of the rush so far.
    pub fn now(&self) -> u64 {
        self.began.elapsed().as_nanos() as u64
    }

    /// Lets people come by the curve.
    pub fn expect(&mut self, people: impl IntoIterator<Item = u32>, curve: &Curve) {
        let Scene { setting, .. } = &self.scene;
        let (opening_ns, speed, seed) = (setting.opening_ns as f64, setting.speed, setting.seed);
        for person in people {
            let at_s = curve.arrival_of(seed, person);
            let due = (opening_ns + at_s / speed * 1e9).max(0.0);
            self.scene.expect(person, due as u64);
        }
    }

    /// Runs until everybody has come to an end, or the time is over; `tell` once a second.
    pub fn run(
        &mut self,
        until: Duration,
        tell: &mut impl FnMut(&Scene, usize) -> bool,
    ) -> io::Result<()> {
        self.advance(until, tell)?;
        self.finish(tell)
    }

    /// Runs until everybody has come to an end, or that time of the rush; more may follow.
    pub fn advance(
        &mut self,
        until: Duration,
        tell: &mut impl FnMut(&Scene, usize) -> bool,
    ) -> io::Result<()> {
        let until_ns = until.as_nanos() as u64;
        while self.scene.going > 0 && self.now() < until_ns && self.turn(true, tell)? {}
        Ok(())
    }

    /// Closed loop: always so many people on their way, until that time of the rush.
    pub fn keep_going(&mut self, people: usize, from: &mut u32, until: Duration) -> io::Result<()> {
        let until_ns = until.as_nanos() as u64;
        let all = self.scene.crowd.people.len() as u32;
        while self.now() < until_ns {
            while self.scene.going < people && *from < all {
                let now = self.now();
                self.scene.expect(*from, now);
                *from += 1;
            }
            if self.scene.going == 0 {
                break;
            }
            self.turn(true, &mut |_, _| true)?;
        }
        Ok(())
    }

    /// Nobody acts any more; waits for the answers that are on their way.
    pub fn finish(&mut self, tell: &mut impl FnMut(&Scene, usize) -> bool) -> io::Result<()> {
        self.queues.iter_mut().for_each(VecDeque::clear);
        let last = tick();
        while self.wire.in_flight() > 0 && last.elapsed() < LAST_ANSWERS {
            self.turn(false, tell)?;
        }
        Ok(())
    }

    /// Looks everything up that was promised.
    pub fn check(
        &mut self,
        most: usize,
        tell: &mut impl FnMut(&Scene, usize) -> bool,
    ) -> io::Result<()> {
        let now = self.now();
        self.scene.begin_check(most, CHECK_PER_S, now);
        self.run(Duration::from_nanos(now) + CHECK_MAX, tell)
    }

    fn turn(
        &mut self,
        acts: bool,
        tell: &mut impl FnMut(&Scene, usize) -> bool,
    ) -> io::Result<bool> {
        let mut now = self.now();
        let mut goes_on = true;
        while now / SECOND_NS > self.scene.record.seconds.len() as u64 {
            let Scene {
                waiting, inside, ..
            } = self.scene;
            let queued = self.queues.iter().map(VecDeque::len).sum::<usize>();
            self.scene.record.roll(waiting, inside, queued as u32);
            goes_on &= tell(&self.scene, queued);
        }
        let mut more = false;
        if acts {
            more = self.act(now);
            now = self.now();
        }
        let next = self.scene.timers.peek();
        let wait = match next {
            _ if self.spins || more => Duration::ZERO,
            Some(Reverse((due, _))) if acts && self.wire.has_idle() => {
                Duration::from_nanos(due.saturating_sub(now)).min(WAIT_MAX)
            }
            _ => WAIT_MAX,
        };
        let (scene, began) = (&mut self.scene, self.began);
        self.wire.wait(wait, &mut |asked, heard| {
            let at = tick();
            let now = (at - began).as_nanos() as u64;
            let (who, kind) = read_ticket(asked.ticket);
            match heard {
                Heard::Response { status, head, body } => {
                    let time_us = (at - asked.due).as_micros() as u64;
                    scene.record.answered(kind, time_us);
                    let answer = Answer { status, head, body };
                    scene.answered(who, kind, answer, now);
                }
                Heard::Broken(broken) => {
                    if broken == Broken::Unreachable {
                        scene.server_was_killed(now);
                    }
                    scene.record.broken(broken);
                    scene.unanswered(who, now);
                }
            }
        })?;
        Ok(goes_on)
    }

    /// Sends the requests of people who are due, at most `SENT_MAX` of them and while connections
    /// are idle. Returns whether more may be due.
    fn act(&mut self, now: u64) -> bool {
        while let Some(Reverse((due, who))) = self.scene.timers.peek().copied()
            && due <= now
        {
            self.scene.timers.pop();
            self.scene.record.offered((now - due) / 1_000);
            let standing = self.scene.standing(who);
            self.queues[standing as usize].push_back((due, who));
        }
        for _ in 0..SENT_MAX {
            let Some((due, who)) = self.next() else {
                return false;
            };
            self.out.clear();
            let kind = self.scene.ask(who, &mut self.out, now);
            let line = self.line();
            let due = self.began + Duration::from_nanos(due);
            let ticket = ticket(who, kind);
            self.scene.record.sent();
            if self.wire.send(ticket, due, &self.out, line) {
                self.scene.record.totals.cut += 1;
                let now = self.now();
                self.scene.unanswered(who, now);
            }
        }
        true
    }

    /// The next person who is due, if there is a connection to send on.
    fn next(&mut self) -> Option<(u64, Who)> {
        let [inside, placed, new] = &mut self.queues;
        if self.wire.has_idle()
            && let Some(next) = inside.pop_front()
        {
            return Some(next);
        }
        if !self.wire.has_idle_for_all() {
            return None;
        }
        placed.pop_front().or_else(|| new.pop_front())
    }

    fn line(&mut self) -> Connectivity {
        let habits = &self.scene.setting.habits;
        let lot = self.random.share();
        match lot {
            _ if lot < habits.cut => Connectivity::Cut,
            _ if lot < habits.cut + habits.reconnect => Connectivity::Fresh,
            _ => Connectivity::Steady,
        }
    }

    /// Connections made so far.
    pub fn connects(&self) -> u64 {
        self.wire.connects
    }

    pub fn record(&self) -> &Record {
        &self.scene.record
    }
}

fn ticket(who: Who, kind: Kind) -> u64 {
    u64::from(who.person) | (who.part as u64) << 32 | (kind as u64) << 40
}

fn read_ticket(ticket: u64) -> (Who, Kind) {
    let who = Who {
        person: ticket as u32,
        part: PARTS[(ticket >> 32 & 0xff) as usize],
    };
    (who, super::answer::KINDS[(ticket >> 40) as usize])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rush::crowd::{Crowd, Habits};
    use crate::rush::scene::{Part, Setting, Standing};

    /// At home everybody has a connection of their own. When a rush has too few connections,
    /// newcomers must not take them before people whose turn has come: fewer people would book, and
    /// the server would seem to be the reason.
    #[test]
    fn when_connections_are_short_sessions_go_first_and_newcomers_last() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("people.csv");
        std::fs::write(&file, "name,birth_date,code\nKim,1967-01-01,A\n").unwrap();
        let habits = Habits::default();
        let setting = Setting {
            path: String::new(),
            base: String::new(),
            host: String::new(),
            origin: String::new(),
            habits: habits.clone(),
            seed: 1,
            key: String::new(),
            speed: 1.0,
            opening_ns: 0,
            began_at: jiff::Timestamp::UNIX_EPOCH,
            drawn: false,
        };
        let crowd = Crowd::read(&file, 0, None, 1, &habits).unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let way = Way { address, tls: None };
        let mut drive = Drive::new(Scene::new(setting, crowd), way, 8).unwrap();
        let all = [Standing::New, Standing::Placed, Standing::Inside];
        for (person, standing) in (0..).zip([all, all].concat()) {
            let part = Part::Own;
            let who = Who { person, part };
            drive.queues[standing as usize].push_back((0, who));
        }
        let mut next = || {
            let next = drive.next()?.1.person;
            drive.wire.send(0, tick(), b"", Connectivity::Steady);
            Some(next)
        };
        let order: Vec<_> = std::iter::from_fn(&mut next).collect();
        assert_eq!(order, [2, 5, 1, 4, 0, 3]);
        // One connection of eight is kept for people in session.
        for queue in &mut drive.queues {
            queue.push_back((
                0,
                Who {
                    person: 9,
                    part: Part::Own,
                },
            ));
        }
        assert!(drive.next().is_some() && drive.wire.has_idle());
        drive.wire.send(0, tick(), b"", Connectivity::Steady);
        assert_eq!(drive.next(), None);
    }
}
