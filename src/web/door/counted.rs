//! The counts of the door, for the board of the desk.

use std::sync::atomic::Ordering;

use super::load::{Class, Load};
use super::served::{self, class_name};
use crate::service::desk::board::door::{CLASSES, Counting, DoorCounts};
use crate::web::words::PROBLEMS;

impl Counting for Load {
    fn counts(&self) -> DoorCounts {
        let all = self.served();
        let mut counts = DoorCounts {
            refusals: Vec::with_capacity(PROBLEMS.len()),
            put_off: Class::SHED
                .map(|class| (class.name(), self.shed(class)))
                .to_vec(),
            connections: self.connections.load(Ordering::Relaxed) as u64,
            connections_max: self.connections_max() as u64,
            ..DoorCounts::default()
        };
        for (call, class, counted) in served::times(&all) {
            let name = class_name(call, class);
            if let Some(at) = CLASSES.iter().position(|known| *known == name) {
                counts.answers[at].add_all(&counted);
            }
        }
        let refused = served::refusals(&all).into_iter();
        let codes = PROBLEMS.iter().map(|(code, _)| *code);
        counts.refusals = codes.zip(refused.map(|(_, count)| count)).collect();
        counts
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::super::load::WorkerLoad;
    use super::super::served::{Call, Served};
    use super::*;

    #[test]
    fn every_class_has_its_place() {
        let served = Served::default();
        let took = Some(Duration::from_millis(1));
        for class in Class::ALL {
            served.note(Call::Book, class, took, 200, None);
            served.note(Call::Other, class, took, 200, None);
            for call in [Call::Book, Call::Other] {
                assert!(CLASSES.contains(&class_name(call, class)));
            }
        }
        let times = served::times(&[Arc::new(served)]);
        assert_eq!(times.len(), 2 * Class::ALL.len());
    }

    #[test]
    fn what_workers_answered_is_told_by_class_and_code() {
        let load = Arc::new(Load::default());
        let worker = WorkerLoad::new(Arc::clone(&load));
        worker.shared.note_shed(Class::Poll);
        let counts = load.counts();
        assert_eq!(counts.put_off, [("browse", 0), ("poll", 1), ("enter", 0)]);
        assert_eq!(counts.refusals.len(), PROBLEMS.len());
        assert!(counts.refusals.iter().all(|(_, count)| *count == 0));
        assert!(counts.answers.iter().all(|counted| counted.count() == 0));
    }
}
