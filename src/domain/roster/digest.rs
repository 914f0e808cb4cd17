//! The digest of a roster, which its entry in the journal has.
//!
//! It covers the two tables, the people, and the people who left. Who left is known last, by the
//! writer; everything before is hashed beside it.

use crate::crypto::Sha256;

use super::{DigestForm, Roster, RosterPerson, people_digest_input};

/// A SHA-256 over the tables and the people of a roster, to be ended with the people who left.
#[derive(Clone)]
pub struct RosterDigest(Sha256);

impl RosterDigest {
    /// Hashes all but the people who left.
    pub fn of_people(roster: &Roster) -> Self {
        let mut context = Sha256::default();
        roster.all_but_left(DigestForm::WithLeft, &mut |piece| context.update(piece));
        Self(context)
    }

    /// The digest of the roster that these people left; they are in order of key.
    pub fn with_left(&self, left: &[RosterPerson]) -> [u8; 32] {
        let mut context = self.0.clone();
        people_digest_input(left, &mut |piece| context.update(piece));
        context.finish()
    }
}
