//! Who comes, when, and what they are like. All of it follows from the seed.

use super::Options;
use crate::domain::ids::PersonKey;

/// What somebody is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Doing {
    /// Has not come.
    Absent = 1,
    /// Looks at their place now and then.
    Waiting,
    /// Was called and takes their time.
    Dawdling,
    /// In, for the first time or, after a mistake, again.
    In,
    /// Lost their session, for example by closing the browser, and will come in again; meanwhile it
    /// idles out.
    Lost,
    InAgain,
    Booked,
    /// Left without a word.
    Gone,
}

/// What the simulation itself keeps of people, apart from the gate's.
#[derive(Debug)]
pub struct Crowd {
    seed: u64,
    /// The same people, who come and do otherwise each evening.
    evening: u64,
    shares: [f64; 5],
    give_up_per_s: f64,
    session_s: f64,
    pub people: Vec<Person>,
}

/// What is remembered of somebody, in half a cache line.
#[derive(Clone, Copy, Debug)]
pub struct Person {
    /// What their token carries.
    pub mark: u64,
    /// When they entered, in tenths of a second since the start.
    pub entered: u32,
    /// The number by which they were called; `u32::MAX` before.
    pub turn: u32,
    /// The range that they were shown when they entered.
    pub shown: [u32; 2],
    pub doing: Doing,
}

/// The questions in which people differ; each has a random number of its own for each person.
#[derive(Clone, Copy, Debug)]
pub enum Way {
    NoShow = 0,
    SecondDevice = 1,
    Late = 2,
    Idle = 3,
    Again = 4,
}

impl Crowd {
    pub fn new(options: &Options, evening: u64) -> Self {
        let people = options.people as usize;
        let nobody = Person {
            mark: u64::MAX,
            entered: u32::MAX,
            turn: u32::MAX,
            shown: [u32::MAX; 2],
            doing: Doing::Absent,
        };
        let Options {
            no_show,
            second_device,
            late,
            idle,
            again,
            ..
        } = options;
        Self {
            seed: options.seed,
            evening,
            shares: [no_show, second_device, late, idle, again].map(|percent| percent / 100.0),
            give_up_per_s: -(1.0 - (options.give_up / 100.0).min(0.999)).ln() / 3_600.0,
            session_s: options.session_s,
            people: vec![nobody; people],
        }
    }

    /// A number that belongs to a person and a question about them.
    fn chance(&self, person: u32, question: u64) -> f64 {
        let question = question << 32 | self.evening << 36;
        let chance = mix(self.seed << 40 ^ question ^ u64::from(person));
        (chance >> 11) as f64 / (1u64 << 53) as f64
    }

    pub fn is(&self, person: u32, way: Way) -> bool {
        self.chance(person, way as u64) < self.shares[way as usize]
    }

    /// Keys are uniform, as HMAC makes them.
    pub fn key(&self, person: u32) -> PersonKey {
        let one = mix(self.seed << 40 ^ 10 << 32 ^ u64::from(person));
        let mut key = [0; 16];
        key[..8].copy_from_slice(&one.to_be_bytes());
        key[8..].copy_from_slice(&mix(one).to_be_bytes());
        PersonKey(key)
    }

    /// How long somebody waits before they give up.
    pub fn patience_s(&self, person: u32) -> f64 {
        -(1.0 - self.chance(person, 5)).ln() / self.give_up_per_s.max(1e-12)
    }

    /// How long a booking takes: a third for the least, the rest by chance.
    pub fn session_s(&self, person: u32) -> u32 {
        let least = self.session_s / 3.0;
        let more = -(1.0 - self.chance(person, 6)).ln() * (self.session_s - least);
        (least + more).clamp(1.0, 580.0) as u32
    }

    /// How long after their call somebody comes who comes late.
    pub fn late_s(&self, person: u32) -> u32 {
        60 + (self.chance(person, 7) * 1_140.0) as u32
    }

    /// How long after the first device the second one looks.
    pub fn second_device_s(&self, person: u32) -> u32 {
        1 + (self.chance(person, 8) * 600.0) as u32
    }

    /// When somebody comes, in tenths of a second since the start; the opening is at `opening_s`.
    /// In a lobby more and more come as the opening is near.
    fn arrives(&self, options: &Options, opening_s: u32, person: u32) -> u32 {
        let chance = self.chance(person, 9);
        let early = options.lobby / 100.0;
        let at_s = if chance < early {
            f64::from(opening_s) * (chance / early).sqrt()
        } else {
            let rest = (chance - early) / (1.0 - early);
            f64::from(opening_s) - (1.0 - rest).ln() * options.arrive_s
        };
        (at_s * 10.0) as u32
    }

    /// Everybody in the order in which they come, and for each tenth of a second where in it the
    /// next ones begin.
    pub fn arrivals(&self, options: &Options, opening_s: u32) -> (Vec<u32>, Vec<u32>) {
        let mut ends: Vec<u32> = Vec::new();
        for person in 0..options.people {
            let at = self.arrives(options, opening_s, person) as usize;
            if ends.len() <= at + 1 {
                ends.resize(at + 2, 0);
            }
            ends[at + 1] += 1;
        }
        for at in 1..ends.len() {
            ends[at] += ends[at - 1];
        }
        let mut next = ends.clone();
        let mut people = vec![u32::MAX; options.people as usize];
        for person in 0..options.people {
            let at = self.arrives(options, opening_s, person) as usize;
            people[next[at] as usize] = person;
            next[at] += 1;
        }
        (people, ends)
    }
}

/// SplitMix64's step (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators").
fn mix(of: u64) -> u64 {
    let mut z = of.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
