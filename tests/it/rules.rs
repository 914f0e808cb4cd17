//! The campaigns of July and August 2021 and others, decided as people should have been answered.

mod campaigns;
mod hostile;
mod model;
mod promises;
mod stories;
mod sweep;
