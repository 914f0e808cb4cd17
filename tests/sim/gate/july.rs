//! The campaign file of a life: evenings after each other, and what operators change of them.

use sumun::domain::ids::PersonKey;
use sumun::domain::time::Stamp;

use crate::random::Random;

/// 20:00 in Seoul: minutes count from here.
const EIGHT: Stamp = Stamp(1_626_692_400 * Stamp::SECOND);
/// The last evening is for everybody, and long enough for all who are left.
const LAST_FROM: i64 = 40;
const LAST_UNTIL: i64 = 46 * 60;
/// The first and the last year of each cohort: whoever was born in 1964 or 1965 is in two.
const COHORTS: [(u16, u16); 3] = [(1960, 1964), (1965, 1969), (1964, 1965)];
pub const ORDERS: [&str; 3] = ["arrival", "draw", "windows"];
pub const WINDOW_S: u32 = 60;

#[derive(Clone, Debug, PartialEq)]
pub struct Evening {
    /// Positions of its cohorts.
    pub cohorts: Vec<usize>,
    /// In minutes from eight o'clock.
    pub from_min: i64,
    pub until_min: i64,
    /// The position of its line.
    pub line: usize,
}

/// What the rules in force say, in the simulation's own terms.
#[derive(Clone, Debug, PartialEq)]
pub struct July {
    pub order: &'static str,
    pub evenings: Vec<Evening>,
    pub lobby_min: i64,
    pub reveal_min: i64,
    pub finish_min: i64,
    pub last_entry_min: i64,
    pub idle_s: i64,
    pub admit_per_s: u64,
    pub active_max: u64,
    pub window_people: Option<u32>,
}

/// How far an evening is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Phase {
    Before,
    Lobby,
    Open,
    Finishing,
    Over,
}

impl Evening {
    fn new(cohorts: &[usize], from_min: i64, minutes: i64, line: usize) -> Self {
        Self {
            cohorts: cohorts.to_vec(),
            from_min,
            until_min: from_min + minutes,
            line,
        }
    }

    pub fn from(&self) -> Stamp {
        EIGHT.plus_s(60 * self.from_min)
    }

    pub fn until(&self) -> Stamp {
        EIGHT.plus_s(60 * self.until_min)
    }

    pub fn is_for(&self, person: &PersonKey) -> bool {
        let year = born(person);
        let mut cohorts = self.cohorts.iter().map(|at| COHORTS[*at]);
        cohorts.any(|(first, last)| (first..=last).contains(&year))
    }

    pub fn is_last(&self) -> bool {
        self.from_min == LAST_FROM
    }
}

/// The year in which a person was born.
pub fn born(person: &PersonKey) -> u16 {
    1960 + u16::from(person.0[15]) % 10
}

impl July {
    pub fn new(random: &mut Random, admit_per_s: u64, active_max: u64) -> Self {
        let mut below = |bound: u64| random.below(bound) as i64;
        let first = 2 + below(4);
        let beside = below(3);
        let second = first.max(beside + 3) + below(3);
        let evenings = vec![
            Evening::new(&[0], 0, first, 0),
            Evening::new(&[1], beside, 3, 1),
            Evening::new(&[0, 1], second, 2 + below(3), 2),
            Evening::new(&[2], second + below(3), 2 + below(3), 3),
            Evening::new(&[0], second + 5 + below(4), 2 + below(3), 4),
            Evening::new(&[0, 1, 2], LAST_FROM, LAST_UNTIL - LAST_FROM, 5),
        ];
        Self {
            order: *random.pick(&ORDERS),
            evenings,
            lobby_min: random.below(3) as i64,
            reveal_min: random.below(4) as i64,
            finish_min: random.below(3) as i64,
            last_entry_min: random.below(2) as i64,
            idle_s: 90,
            admit_per_s,
            active_max,
            window_people: random.percent(80).then(|| 3 + random.below(8) as u32),
        }
    }

    /// With one thing changed, and what it is. May be a file that is refused.
    pub fn changed(&self, random: &mut Random, now: Stamp) -> (Self, &'static str) {
        let mut next = self.clone();
        let at = random.below(self.evenings.len() as u64 - 1) as usize;
        let evening = &mut next.evenings[at];
        let by = 1 + random.below(3) as i64;
        let now_min = (now.0 - EIGHT.0) / (60 * Stamp::SECOND);
        let what = match random.below(19) {
            0..4 => {
                next.order = *random.pick(&ORDERS);
                "orders changed"
            }
            4 | 5 => {
                evening.from_min += by;
                evening.until_min += by;
                "openings postponed"
            }
            6 => {
                evening.from_min -= by;
                "openings brought forward"
            }
            7 => {
                evening.until_min += by;
                "openings lengthened"
            }
            8 => {
                evening.until_min -= by;
                "openings shortened"
            }
            9 | 16 | 17 => {
                next.idle_s = 60 + 30 * by;
                "idle times changed"
            }
            10 => {
                next.admit_per_s = 1 + random.below(10);
                "rates of the rules changed"
            }
            11 => {
                next.finish_min = random.below(3) as i64;
                next.last_entry_min = random.below(2) as i64;
                "times to finish changed"
            }
            12 | 13 => {
                evening.until_min = now_min + 1 + by;
                "openings prolonged until soon"
            }
            14 => {
                next.lobby_min = random.below(3) as i64;
                next.reveal_min = random.below(4) as i64;
                "lobbies changed"
            }
            _ => {
                evening.cohorts = match random.below(3) {
                    0 => vec![0],
                    1 => vec![1],
                    _ => vec![0, 1],
                };
                "cohorts changed"
            }
        };
        (next, what)
    }

    pub fn phase(&self, evening: &Evening, now: Stamp) -> Phase {
        let before_min = if self.order == "windows" {
            self.reveal_min
        } else {
            self.lobby_min
        };
        match () {
            () if now < evening.from().plus_s(-60 * before_min) => Phase::Before,
            () if now < evening.from() => Phase::Lobby,
            () if now < evening.until() => Phase::Open,
            () if now < evening.until().plus_s(60 * self.finish_min) => Phase::Finishing,
            () => Phase::Over,
        }
    }

    pub fn evening(&self, line: usize) -> Option<&Evening> {
        self.evenings.iter().find(|evening| evening.line == line)
    }

    /// How many of these people the evening of a line is for.
    pub fn people_of(&self, line: usize, people: &[PersonKey]) -> u64 {
        let evening = self.evening(line);
        let is_for = |key: &&PersonKey| evening.is_some_and(|evening| evening.is_for(key));
        people.iter().filter(is_for).count() as u64
    }

    /// The evenings of a person by their beginning.
    pub fn evenings_of(&self, person: &PersonKey) -> Vec<&Evening> {
        let theirs = self.evenings.iter();
        let mut theirs: Vec<_> = theirs.filter(|evening| evening.is_for(person)).collect();
        theirs.sort_by_key(|evening| evening.from_min);
        theirs
    }

    pub fn text(&self) -> String {
        let time = |minute: i64| {
            let minute = 20 * 60 + minute;
            let (day, hour) = (19 + minute / 1440, minute / 60 % 24);
            format!("2021-07-{day:02}T{hour:02}:{:02}", minute % 60)
        };
        let mut text = String::from(
            "[campaign]\nid = \"evening\"\nname = { ko = \"예약\", en = \"Booking\" }\n\
             timezone = \"Asia/Seoul\"\nidentity = [\"name\", \"birth_date\", \"code\"]\n\
             [[vaccine]]\nid = \"mrna\"\ndoses = 1\n",
        );
        for (at, (first, last)) in COHORTS.iter().enumerate() {
            text += &format!(
                "[[cohort]]\nid = \"c{at}\"\nborn = [\"{first}-01-01\", \"{last}-12-31\"]\n"
            );
        }
        for evening in &self.evenings {
            let cohorts = evening.cohorts.iter().map(|at| format!("\"c{at}\""));
            let cohorts: Vec<_> = cohorts.collect();
            let (from, until) = (time(evening.from_min), time(evening.until_min));
            text += &format!(
                "[[opening]]\ncohorts = [{}]\nfrom = \"{from}\"\nuntil = \"{until}\"\n",
                cohorts.join(", ")
            );
        }
        text += &format!(
            "[gate]\norder = \"{}\"\nlobby_opens_min = {}\nreveal_min = {}\nfinish_min = {}\n\
             last_entry_min = {}\nsession_idle_s = {}\nadmit_per_s = {}\nactive_max = {}\n\
             window_min = {}\n",
            self.order,
            self.lobby_min,
            self.reveal_min,
            self.finish_min,
            self.last_entry_min,
            self.idle_s,
            self.admit_per_s,
            self.active_max,
            WINDOW_S / 60,
        );
        if let Some(people) = self.window_people {
            text += &format!("window_people = {people}\n");
        }
        text
    }
}
