//! Booking: what is offered, and what is decided about a person's request.

pub mod catalog;
pub mod decide;
pub mod next;
pub mod refusal;
pub mod relocation;
pub mod site;
