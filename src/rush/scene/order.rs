//! Who came when: numbers of a line must follow it, whoever asks.

use std::collections::HashMap;

use super::{Scene, Who};
use crate::rush::crowd::AGAIN;
use crate::rush::record::Fault;

/// When somebody asked for a number first, and when they had it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Arrival {
    pub person: u32,
    pub number: u64,
    pub asked_ns: u64,
    pub known_ns: u64,
}

#[derive(Default)]
pub struct Order {
    /// People who asked and were shown no number yet: when they asked, and when the answer came.
    asking: HashMap<u32, (u64, Option<u64>)>,
    pub arrivals: Vec<Arrival>,
}

impl Scene {
    /// The person asks for a number. Only the first time counts: its answer may be lost and the
    /// number given all the same.
    pub(super) fn wants_number(&mut self, me: u32) {
        let now = self.now;
        if self.crowd.people[me as usize].number == 0 && !self.checking {
            self.order.asking.entry(me).or_insert((now, None));
        }
    }

    /// The answer to that has come.
    pub(super) fn knows_number(&mut self, me: u32) {
        let now = self.now;
        if let Some((_, known)) = self.order.asking.get_mut(&me) {
            known.get_or_insert(now);
        }
    }

    /// There is no number yet: it is given in the person's window, in the order of the windows.
    pub(super) fn has_none_yet(&mut self, me: u32) {
        self.order.asking.remove(&me);
    }

    /// The number was shown.
    pub(super) fn has_number(&mut self, me: u32, number: u64) {
        if let Some((asked_ns, known)) = self.order.asking.remove(&me) {
            self.order.arrivals.push(Arrival {
                person: me,
                number,
                asked_ns,
                known_ns: known.unwrap_or(self.now),
            });
        }
    }

    /// Everybody of whom it is known when they asked for their number.
    pub fn arrivals(&self) -> &[Arrival] {
        &self.order.arrivals
    }

    /// Counts as a fault everybody with a number who has somebody behind them in the line that had
    /// a number already when they asked for theirs. Not for a draw, which gives others.
    pub fn check_order(&mut self) {
        if self.setting.drawn {
            return;
        }
        let mut all = self.order.arrivals.clone();
        all.sort_by_key(|arrival| arrival.number);
        // Of those behind, who had their number first: of all, and of people who are new.
        let mut first: [Option<Arrival>; 2] = [None; 2];
        for arrival in all.iter().rev() {
            let again = self.crowd.people[arrival.person as usize].is(AGAIN);
            let passed = |behind: &Arrival| behind.known_ns < arrival.asked_ns;
            let (of_all, of_new) = (first[0].filter(passed), first[1].filter(passed));
            let found = match (of_new, of_all) {
                (Some(behind), _) if again => Some((Fault::AheadOfNew, behind)),
                (_, Some(behind)) => Some((Fault::Overtaken, behind)),
                _ => None,
            };
            if let Some((fault, behind)) = found {
                let words = format!(
                    "asked after person {} had {} and got {}",
                    behind.person, behind.number, arrival.number
                );
                self.fault(Who::own(arrival.person), fault, &words);
            }
            let sooner =
                |kept: &Option<Arrival>| kept.is_none_or(|kept| arrival.known_ns < kept.known_ns);
            if sooner(&first[0]) {
                first[0] = Some(*arrival);
            }
            if !again && sooner(&first[1]) {
                first[1] = Some(*arrival);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::scene;
    use super::*;

    /// Faults of people who asked, and had their number, at these times; `again` is who came
    /// before.
    fn faults(arrivals: &[(u64, u64, u64)], again: &[usize]) -> Vec<Fault> {
        let mut scene = scene(arrivals.len());
        for (person, &(number, asked_ns, known_ns)) in (0..).zip(arrivals) {
            scene.order.arrivals.push(Arrival {
                person,
                number,
                asked_ns,
                known_ns,
            });
        }
        for &person in again {
            scene.crowd.people[person].set(AGAIN, true);
        }
        scene.check_order();
        scene.record.faults.keys().copied().collect()
    }

    #[test]
    fn numbers_follow_the_order_in_which_people_came() {
        // Two who ask at the same time may have either number.
        assert_eq!(faults(&[(1, 0, 5), (3, 6, 9), (2, 8, 9)], &[2]), []);
        let later = [(2, 0, 5), (1, 6, 9)];
        assert_eq!(faults(&later, &[]), [Fault::Overtaken]);
        assert_eq!(faults(&later, &[1]), [Fault::AheadOfNew]);
        // Also a person who came before can be overtaken.
        assert_eq!(faults(&later, &[0, 1]), [Fault::Overtaken]);
        assert_eq!(faults(&later, &[0]), [Fault::Overtaken]);
    }
}
