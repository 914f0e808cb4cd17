//! What is told of each campaign: gate, seats, bookings, and who was refused by the rules.

use super::figures::{Figures, Labels};
use crate::domain::ids::{CampaignIndex, Seats};
use crate::engine::shared::Offer;
use crate::gate::Gate;
use crate::gate::board::LineView;
use crate::service::Service;

/// The states of a gate or of an opening's line.
const STATES: [&str; 5] = ["before", "lobby", "open", "paused", "closed"];
/// Slots whose seats are counted while readers hold the state: some twenty microseconds.
const SLOTS_AT_ONCE: usize = 4_096;
const RULES: [&str; 3] = ["not_eligible", "not_open_yet", "opening_closed"];

/// What is collected of one figure over all campaigns.
struct Family {
    name: &'static str,
    help: &'static str,
    values: Vec<(Labels, i64)>,
}

#[derive(Default)]
struct Families(Vec<Family>);

impl Families {
    fn value(&mut self, name: &'static str, help: &'static str, labels: &Labels, value: i64) {
        let at = self.0.iter().position(|family| family.name == name);
        let at = at.unwrap_or_else(|| {
            let values = Vec::new();
            self.0.push(Family { name, help, values });
            self.0.len() - 1
        });
        self.0[at].values.push((labels.clone(), value));
    }
}

pub fn add(figures: &mut Figures, service: &Service) {
    let mut families = Families::default();
    let gates = service.gates();
    let offers = service.shared.offers();
    for offer in offers.iter() {
        let id = offer.catalog.campaign.id.to_string();
        let labels = vec![("campaign".to_owned(), id.clone())];
        journalled(&mut families, service, offer.catalog.index, &labels);
        seats(&mut families, service, offer, &labels);
        if let Some((_, gate)) = gates.iter().find(|(name, _)| *name == id) {
            of_gate(&mut families, gate, &labels);
        }
    }
    let admitted = gates.into_iter();
    figures.counters(
        "gate_admitted",
        "Sessions that began with a turn, since the start of the process",
        "campaign",
        admitted.map(|(name, gate)| (name, gate.sessions.admitted())),
    );
    for Family { name, help, values } in families.0 {
        figures.labelled(name, help, values);
    }
}

/// Labels with one more.
fn with(labels: &Labels, name: &str, value: &str) -> Labels {
    let mut labels = labels.clone();
    labels.push((name.to_owned(), value.to_owned()));
    labels
}

fn journalled(families: &mut Families, service: &Service, index: CampaignIndex, labels: &Labels) {
    let state = service.shared.state();
    let Some(known) = state.campaign(index) else {
        return;
    };
    let (bookings, holds) = (known.bookings.len(), known.holds.len());
    let refused = known.refusal_counts;
    drop(state);
    let mut of_all = |name, help, value: usize| families.value(name, help, labels, value as i64);
    of_all("bookings_made", "Bookings ever made", bookings);
    of_all("holds_running", "Holds that run", holds);
    for (rule, count) in RULES.iter().zip(refused) {
        families.value(
            "refused_by_rules",
            "Refusals by the rules that are in the journal: one a person and reason",
            &with(labels, "reason", rule),
            count as i64,
        );
    }
}

/// Adds up the seats of a campaign: what is free by the counters, the rest by the journal's state.
fn seats(families: &mut Families, service: &Service, offer: &Offer, labels: &Labels) {
    let sum = |seats: &Seats| seats.iter().map(|seats| u64::from(*seats)).sum::<u64>();
    let free: u64 = offer
        .seats
        .iter()
        .map(|site| site.look(|slots| slots.iter().map(sum).sum::<u64>()))
        .sum();
    let capacity: u64 = offer
        .catalog
        .slots
        .iter()
        .map(|slot| sum(&slot.capacity))
        .sum();
    let (mut booked, mut held, mut from) = (0, 0, 0);
    loop {
        let state = service.shared.state();
        let Some(known) = state.campaign(offer.catalog.index) else {
            break;
        };
        let slots = from..known.usage.len().min(from + SLOTS_AT_ONCE);
        if slots.is_empty() {
            break;
        }
        from = slots.end;
        for usage in slots.filter_map(|slot| known.usage.get(slot)) {
            booked += sum(&usage.booked);
            held += sum(&usage.held);
        }
    }
    let figures = [("free", free), ("held", held), ("booked", booked)];
    for (name, seats) in figures {
        families.value(
            "seats",
            "Seats of all slots and pools; what is claimed at this moment is in none",
            &with(labels, "state", name),
            seats as i64,
        );
    }
    families.value(
        "seats_capacity",
        "Seats of all slots and pools",
        labels,
        capacity as i64,
    );
}

fn of_gate(families: &mut Families, gate: &Gate, labels: &Labels) {
    families.value(
        "sessions_active",
        "Sessions that count",
        labels,
        gate.sessions.active() as i64,
    );
    families.value(
        "gate_active_max",
        "Sessions that may count at a time",
        labels,
        gate.limits.active_max() as i64,
    );
    let board = gate.board.load();
    families.value(
        "gate_admit_per_second",
        "People that the gate calls a second at the most",
        labels,
        i64::from(board.view.admit_per_s),
    );
    for state in STATES {
        let is_it = i64::from(board.view.state == state);
        let labels = with(labels, "state", state);
        families.value("gate_state", "1 for the gate's state", &labels, is_it);
    }
    for line in &board.view.lines {
        of_line(families, line, labels);
    }
}

/// Of each opening that is open, whose lobby is, or whose draw is committed to.
fn of_line(families: &mut Families, line: &LineView, labels: &Labels) {
    let labels = with(labels, "opening", &line.opening.from);
    families.value(
        "gate_serving",
        "Numbers up to this one may go in",
        &labels,
        line.serving as i64,
    );
    families.value(
        "gate_waiting",
        "People who wait in the line",
        &labels,
        line.waiting as i64,
    );
    for state in STATES {
        let is_it = i64::from(line.state == state);
        let labels = with(&labels, "state", state);
        families.value(
            "gate_opening_state",
            "1 for the state of the opening's line",
            &labels,
            is_it,
        );
    }
}
