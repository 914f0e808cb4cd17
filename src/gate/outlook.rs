//! What people who wait are told: how long it may take, why it takes longer, when to ask again.
//!
//! Pure arithmetic over a few figures that the keeper renews ten times a second. It promises the
//! server that polls stay within a budget: `POLLS_PER_S_MAX` together, whatever the length of the
//! line, for up to `POLLS_PER_S_MAX` × `POLL_S_MAX` = 6 M people.

pub use crate::domain::line::told::WaitBecause;
use crate::domain::line::windows::Window;
use crate::domain::time::Stamp;

/// Seconds between two polls of somebody who waits: the least and the most.
const POLL_S_MIN: f64 = 5.0;
const POLL_S_MAX: f64 = 300.0;
/// Polls a second of all waiting people together: 6,000,000 people / 300 s.
pub const POLLS_PER_S_MAX: f64 = 20_000.0;
/// The part of the budget that is kept free, because polls outside of slots come at random: three
/// standard deviations of 20,000 are 424.
const POLLS_PER_S_SPARE: f64 = 500.0;
/// A called person polls after this time in a pause, or sooner in a short line, and after at most
/// twice as long.
const PAUSED_POLL_S: u32 = 30;
/// A line may move faster than it did by this factor, for example when more people do not come.
const FASTER: f64 = 1.3;
/// A line may move slower than it did by this factor, when sessions take longer or the brake pulls.
const SLOWER: f64 = 0.7;
/// Nobody is asked to poll again sooner than after this, unless their turn comes earlier.
const FLOOR_S_MIN: f64 = 14.0;
/// A person who polls once, when their turn has come, polls after their estimated wait times this.
const LATER: f64 = 1.02;
/// Nobody polls sooner than after `POLL_S_MIN`, so a person with a shorter wait polls late. People
/// with short waits poll after `POLL_S_MIN` plus their wait, less this part of the wait. So they
/// come about as fast as they are called, and not all at once.
const SPREAD: f64 = 0.25;
/// Added to the upper end of every wait, however well the rate is known.
const SLACK_S: f64 = 30.0;
/// Whoever waits looks this often while the line is short, so that they see it move.
const LIVELY_S_MIN: f64 = 12.0;
/// The part of the budget for looks that are only there to see the line move: half of it. So
/// 120,000 people look every 12 s, a million every 100 s, and from three million on nobody looks
/// sooner than they would without.
const LIVELY_PER_S_MAX: f64 = POLLS_PER_S_MAX / 2.0;
/// Seconds between two looks of somebody whose window is far away: at least, and less than twice.
const WINDOW_POLL_S: u64 = 1_800;
/// So many people who look a window up ask as often as one who waits far back.
pub const WINDOW_LOOKS: u64 = WINDOW_POLL_S / POLL_S_MAX as u64;

/// People who poll: they wait, or are called and may not know it yet.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Crowd {
    /// People called a second, as far as is known.
    pub per_s: f64,
    pub people: u64,
}

impl Crowd {
    pub fn new(per_s: f64, people: u64) -> Self {
        Self { per_s, people }
    }

    /// Both together.
    pub fn and(self, other: Self) -> Self {
        Self::new(self.per_s + other.per_s, self.people + other.people)
    }
}

/// The figures behind every answer to somebody who waits.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Outlook {
    /// People called a second, as far as is known.
    per_s: f64,
    /// Nobody is asked to poll again sooner than after this, unless their turn comes earlier.
    floor_s: f64,
    /// The line is called at this rate at least, if that is less than `per_s` says: all places are
    /// taken, and how long people stay is not measured yet.
    least_per_s: Option<f64>,
    /// Nobody who waits looks less often than this, unless their turn comes before.
    lively_s: f64,
    /// Seconds in which all waiting people could poll once within the budget.
    cycle_s: u64,
    /// People who came too late after they were called, and wait for the next free turn.
    late: u64,
    pub because: Option<WaitBecause>,
}

impl Outlook {
    /// The outlook of a line that is called at `per_s`, one of those whose people are `all`.
    ///
    /// How the budget is kept. Far back, people ask every 300 s at the slot of their number:
    /// `people / 300` a second, to the person. Whoever waits `w` seconds more and is nearer asks
    /// after `w / 2`; those with less than twice `floor_s` to wait ask once, when their turn has
    /// come. At `per_s` people for each second of wait, this costs on top of `people / 300`
    ///
    /// ```text
    /// ∫ from 2·floor to 600 of per_s · 2/w dw = 2 · per_s · ln(300 / floor)
    /// ```
    ///
    /// for the halving, `per_s` for everybody's last poll, and at most `per_s` for those who have
    /// to ask once more because the line was slower than it looked. The floor follows from what
    /// the budget has left for that. With nothing left it is 300 s: whoever waits for longer comes
    /// by slot, and the others once, when their turn has come. There are 300 s × `per_s` of these,
    /// so their slots cost as much: sending them to those would save nothing, and turns would stand
    /// unused for up to 300 s.
    ///
    /// While the line is short nobody waits for half of their wait: everybody looks every
    /// `lively_s`, so that a pause, a message or a faster line is seen soon. That costs at most
    /// `LIVELY_PER_S_MAX`, and replaces slots and halving as long as it is less than 300 s.
    pub fn of(per_s: f64, all: Crowd, late: u64, because: Option<WaitBecause>) -> Self {
        let per_s = per_s.max(0.01);
        let Crowd { people, .. } = all;
        let all_per_s = all.per_s.max(0.01);
        let slots = people as f64 / POLL_S_MAX;
        let left = POLLS_PER_S_MAX - POLLS_PER_S_SPARE - slots - 2.0 * all_per_s;
        let floor_s = POLL_S_MAX * (-left.max(0.0) / (2.0 * all_per_s)).exp();
        Self {
            per_s,
            least_per_s: None,
            floor_s: floor_s.clamp(FLOOR_S_MIN, POLL_S_MAX),
            lively_s: (people as f64 / LIVELY_PER_S_MAX).clamp(LIVELY_S_MIN, POLL_S_MAX),
            cycle_s: (people as f64 / (POLLS_PER_S_MAX / 2.0))
                .clamp(POLL_S_MIN, POLL_S_MAX)
                .ceil() as u64,
            late,
            because,
        }
    }

    /// People called a second, as far as is known.
    pub fn per_s(&self) -> f64 {
        self.per_s
    }

    /// The same for a line of which little is known but that it is called at this rate at least.
    pub fn at_least_per_s(self, per_s: f64) -> Self {
        let least_per_s = (per_s < self.per_s).then_some(per_s.max(0.001));
        Self {
            least_per_s,
            ..self
        }
    }

    /// Whether the line moves. If it does, a person near the front polls next when their turn has
    /// come.
    fn moves(&self) -> bool {
        self.because != Some(WaitBecause::Paused)
    }

    /// A person who waits for less than this polls once more, when their turn has come. A person
    /// who waits for longer polls after half of the wait, so at least half of this remains then.
    /// Without this bound a person could poll just before their turn and be told `POLL_S_MIN`:
    /// people would come in waves, and turns would stand unused between them.
    fn near_s(&self) -> f64 {
        (self.floor_s * 2.0).min(POLL_S_MAX)
    }

    /// For how long a called person may not know of it, because their next poll has not come.
    pub fn unaware_s(&self) -> i64 {
        (self.near_s() * LATER + 1.0).ceil() as i64
    }

    /// The wait of somebody with `ahead` people in front of a line that moves from `after_s` on: an
    /// honest range in seconds.
    pub fn wait_s(&self, ahead: u64, after_s: u64) -> [u64; 2] {
        let (least, most) = if ahead == 0 {
            (0.0, POLL_S_MIN)
        } else {
            let usual = ahead as f64 / self.per_s;
            (usual / FASTER, usual / SLOWER + SLACK_S)
        };
        let most = match self.least_per_s {
            Some(per_s) => most.max((ahead + 1) as f64 / per_s + SLACK_S),
            None => most,
        };
        [after_s + least as u64, after_s + most.ceil() as u64]
    }

    /// The wait of somebody who was called.
    pub fn called_wait_s(&self) -> [u64; 2] {
        [0, POLL_S_MIN as u64]
    }

    /// Seconds until the next poll of a waiting person. `lot`, from 0 to 255, spreads people who
    /// would otherwise poll at the same time.
    pub fn poll_s(&self, number: u64, ahead: u64, after_s: u64, lot: u8, now: Stamp) -> u32 {
        let wait_s = after_s as f64 + ahead as f64 / self.per_s;
        let next_s = if self.moves() && wait_s < self.near_s() {
            // If the budget is short, not at once again.
            let spread_s = wait_s + POLL_S_MIN - wait_s * SPREAD;
            (wait_s * LATER + 1.0)
                .max(spread_s)
                .max(self.floor_s / 16.0)
        } else {
            // Spreads people: from a tenth less to a tenth more.
            let apart = 0.9 + 0.2 * f64::from(lot) / 256.0;
            match (wait_s / 2.0).max(self.floor_s).min(self.lively_s) {
                next_s if next_s >= POLL_S_MAX => next_s,
                next_s => next_s * apart,
            }
        };
        if next_s >= POLL_S_MAX {
            return slot_s(number, now);
        }
        // People are told whole seconds. The lot decides who of a second's people is told one more,
        // so that they do not all poll at the same moment.
        let next_s = next_s + f64::from(lot) / 256.0;
        next_s.clamp(POLL_S_MIN, POLL_S_MAX) as u32
    }

    /// Seconds until the next poll of a person whose number is drawn in `after_s` seconds. They
    /// poll after the draw, in each second as many of them as the budget allows.
    pub fn drawn_poll_s(&self, number: u64, after_s: u64, now: Stamp) -> u32 {
        let next_s = (after_s + 1 + number % self.cycle_s).max(POLL_S_MIN as u64);
        // Before that they look as others do, unless they would come back a moment before.
        let lively_s = self.lively_s as u64 + number % 4;
        if self.lively_s < POLL_S_MAX && next_s > 2 * lively_s {
            lively_s as u32
        } else if next_s <= POLL_S_MAX as u64 {
            next_s as u32
        } else {
            slot_s(number, now)
        }
    }

    /// Seconds until the next poll of a called person: at once, or, if they came too late, when the
    /// next free turn is near.
    pub fn called_poll_s(&self, lot: u8) -> u32 {
        if !self.moves() {
            // Nobody goes in: all of them would ask again and again.
            let least_s = PAUSED_POLL_S.min(self.lively_s as u32);
            return least_s + u32::from(lot) * least_s / 255;
        }
        let wait_s = self.late as f64 / self.per_s * f64::from(lot) / 255.0;
        wait_s.clamp(POLL_S_MIN, POLL_S_MAX) as u32
    }
}

/// The wait of somebody whose window has not come: until it begins, and until its middle, by when
/// everybody who waits for it has been told.
pub fn window_wait_s(window: Window, now: Stamp) -> [u64; 2] {
    let begins_s = (window.from.0 - now.0).max(0) as u64;
    let half = (window.until.0 - window.from.0).max(0) as u64 / 2;
    [begins_s, begins_s + half].map(|ns| ns.div_ceil(Stamp::SECOND as u64))
}

/// Seconds until the next look of somebody whose window has not come. People whose window begins
/// come spread over its first half, in which all of them are let in. Whoever asks sooner in it is
/// let in sooner, so nobody has to watch. Long before it they look once or twice an hour, because
/// it may be planned anew.
pub fn window_poll_s([begins_s, half_s]: [u64; 2], lot: u8) -> u32 {
    let lot = u64::from(lot);
    let due_s = begins_s + 1 + (half_s - begins_s) * lot / 256;
    let far_s = WINDOW_POLL_S + WINDOW_POLL_S * lot / 256;
    due_s.min(far_s).max(POLL_S_MIN as u64) as u32
}

/// Seconds until the slot of a number: people with successive numbers have successive seconds of a
/// cycle of 300, so each second of it has as many as every other. Whoever comes in time is sent 300
/// seconds on, and so is whoever is up to 4 seconds early: the second they are in becomes their
/// slot. Numbers that are given in the same second have all slots, so this evens out.
fn slot_s(number: u64, now: Stamp) -> u32 {
    let cycle = POLL_S_MAX as i64;
    let left = (number as i64 % cycle - now.unix_s()).rem_euclid(cycle);
    if left < POLL_S_MIN as i64 {
        cycle as u32
    } else {
        left as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a gate with one line.
    fn outlook(per_s: f64, people: u64, because: Option<WaitBecause>) -> Outlook {
        Outlook::of(per_s, Crowd::new(per_s, people), 0, because)
    }

    const NOW: Stamp = Stamp(1_626_692_400_000_000_000);

    /// Polls a second of a whole line that stands as it is: each person's is one in their interval.
    fn polls_per_s(per_s: f64, people: u64, because: Option<WaitBecause>) -> f64 {
        let outlook = outlook(per_s, people, because);
        // Every seventh person counts for seven.
        let ahead = (0..people).step_by(7);
        let interval = |ahead: u64| {
            // Those at a slot are on their way through their cycle: 300 s a round.
            let at_slot = ahead as f64 / per_s / 2.0 >= 300.0 || outlook.floor_s >= 300.0;
            if at_slot && !(outlook.moves() && (ahead as f64 / per_s) < outlook.near_s()) {
                300.0
            } else {
                let lot = (ahead % 256) as u8;
                f64::from(outlook.poll_s(ahead + 1, ahead, 0, lot, NOW))
            }
        };
        ahead.map(|ahead| 7.0 / interval(ahead)).sum()
    }

    #[test]
    fn a_line_of_any_length_and_speed_keeps_the_budget() {
        for people in [
            0, 1_000, 60_000, 120_000, 300_000, 1_540_000, 5_600_000, 5_950_000, 6_000_000,
        ] {
            for per_s in [1.0, 28.0, 280.0, 560.0, 2_000.0] {
                let outlook = outlook(per_s, people, Some(WaitBecause::Paused));
                assert!((5.0..=300.0).contains(&outlook.floor_s));
                let standing = polls_per_s(per_s, people, Some(WaitBecause::Paused));
                assert!(standing <= 20_000.5, "{people} at {per_s}: {standing}");
            }
        }
        // While the budget has room, people near the front poll often and learn of their turn
        // early.
        assert_eq!(outlook(280.0, 1_540_000, None).floor_s, FLOOR_S_MIN);
        assert_eq!(outlook(280.0, 6_000_000, None).floor_s, 300.0);
    }

    #[test]
    fn each_second_of_a_cycle_has_as_many_slots_and_who_comes_in_time_stays_there() {
        let mut seconds = [0; 300];
        for number in 1..=6_000 {
            let next = slot_s(number, NOW);
            assert!((5..=300).contains(&next));
            let at = NOW.plus_s(i64::from(next));
            assert_eq!(slot_s(number, at), 300);
            seconds[at.unix_s().rem_euclid(300) as usize] += 1;
        }
        // All entered in one second, which those of the next four slots share.
        let now = NOW.unix_s().rem_euclid(300) as usize;
        assert_eq!(seconds[now], 100);
        (1..5).for_each(|more| seconds[(now + more) % 300] += 20);
        seconds[now] -= 80;
        assert_eq!(seconds, [20; 300]);
    }

    #[test]
    fn the_interval_grows_with_the_wait_of_those_who_are_not_near() {
        let outlook = outlook(280.0, 1_000_000, None);
        let near = (outlook.near_s() * 280.0) as u64;
        let told_s = |ahead| outlook.poll_s(300, ahead, 0, 128, Stamp(0));
        let mut before = 0;
        for ahead in (near..400_000).step_by(500) {
            let next = told_s(ahead);
            assert!(
                next >= before && (5..=300).contains(&next),
                "{ahead}: {next}"
            );
            before = next;
        }
        // A million people within half of the budget.
        assert_eq!(before, 100);
        let mut before = 0;
        for ahead in 0..near {
            let next = told_s(ahead);
            assert!((before.max(5)..=30).contains(&next), "{ahead}: {next}");
            before = next;
        }
    }

    /// People were told to come back in 14 s when their turn was in 16: with two seconds left they
    /// were told five, the shortest that there is. So people came in waves, and of each wave turns
    /// were left that nobody used.
    #[test]
    fn nobody_comes_back_a_moment_before_their_turn_to_come_late_for_it() {
        let outlook = outlook(280.0, 1_000_000, None);
        for wait_s in 20..2_000 {
            for lot in [0, 64, 128, 192, 255] {
                let (mut passed_s, mut polls) = (0, 0);
                while passed_s < wait_s {
                    let ahead = (wait_s - passed_s) * 280;
                    let now = NOW.plus_s(passed_s as i64);
                    let told_s = outlook.poll_s(wait_s * 280, ahead, 0, lot, now);
                    passed_s += u64::from(told_s);
                    polls += 1;
                }
                let late_s = passed_s - wait_s;
                // A long wait's slot may be anywhere in the 300 s before the turn.
                assert!(
                    late_s <= 5 && (late_s <= 2 || wait_s >= 600),
                    "{wait_s}: {late_s}"
                );
                // A million people look every 100 s, and a few times more near their turn.
                assert!(polls <= 9 + wait_s / 90, "{wait_s}: {polls} polls");
            }
        }
    }

    /// With 1,500 people waiting the next look came after 217 s, and nobody saw a pause, a message
    /// or a faster line for minutes.
    #[test]
    fn people_in_a_short_line_look_every_few_seconds_however_long_it_takes() {
        for (per_s, people) in [(1.0, 1_500), (0.1, 1_500), (280.0, 100_000), (1.0, 100_000)] {
            for because in [None, Some(WaitBecause::Paused)] {
                let outlook = outlook(per_s, people, because);
                for ahead in [0, 99, people / 2, people - 1] {
                    for (lot, after_s) in [(0, 0), (128, 3_600), (255, 0), (17, 1_800)] {
                        let told_s = outlook.poll_s(7, ahead, after_s, lot, NOW);
                        let near_s = outlook.near_s() as u32 + 2;
                        assert!((5..=near_s).contains(&told_s), "{ahead}: {told_s}");
                        let wait_s = after_s as f64 + ahead as f64 / per_s;
                        if wait_s >= outlook.near_s() {
                            assert!((10..=20).contains(&told_s), "{ahead}: {told_s}");
                        }
                        let drawn_s = outlook.drawn_poll_s(ahead, after_s, NOW);
                        let soon_s = if after_s > 60 { 20 } else { 61 };
                        assert!((5..=soon_s).contains(&drawn_s), "{ahead}: {drawn_s}");
                    }
                }
            }
        }
        // Only millions look as rarely as once in five minutes.
        let far = |people| outlook(280.0, people, None).poll_s(1, people - 1, 0, 128, Stamp(0));
        assert!((90..=110).contains(&far(1_000_000)));
        assert!((200..=220).contains(&far(2_000_000)));
        assert_eq!(far(4_000_000), slot_s(1, Stamp(0)));
    }

    #[test]
    fn whoever_is_near_comes_when_their_turn_has_come_also_while_the_budget_is_short() {
        let of = |because| outlook(280.0, 6_000_000, because);
        assert_eq!(of(None).floor_s, POLL_S_MAX);
        for wait_s in (30..290).step_by(10) {
            let ahead = wait_s * 280;
            // At slots all over the cycle.
            for number in (1..=300).step_by(7) {
                let told_s = u64::from(of(None).poll_s(number, ahead, 0, 128, NOW));
                assert!(
                    (wait_s..=wait_s + 20).contains(&told_s),
                    "{wait_s}: {told_s}"
                );
                let paused = of(Some(WaitBecause::Paused));
                let at_slot = paused.poll_s(number, ahead, 0, 128, NOW);
                assert_eq!(at_slot, slot_s(number, NOW));
            }
        }
    }

    #[test]
    fn a_range_holds_what_is_usual_and_counts_from_the_opening() {
        let outlook = outlook(280.0, 1_000_000, None);
        let [least, most] = outlook.wait_s(280_000, 0);
        assert!(
            least < 1_000 && 1_000 < most && most < 2 * least,
            "{least} {most}"
        );
        assert_eq!(outlook.wait_s(280_000, 600), [least + 600, most + 600]);
        assert_eq!(outlook.wait_s(0, 0), [0, 5]);
    }
}
