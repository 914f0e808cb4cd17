//! Who asks: from what a person knows to their pseudonym, and what it costs to be wrong.

pub mod attempts;
pub mod provider;
pub mod staff;

use crate::domain::crockford;
use crate::domain::ids::PersonKey;
use crate::domain::roster::Roster;
use crate::domain::time::Day;
use crate::keys::Keys;

/// What a person says about themselves at the gate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Credentials {
    /// None where the campaign does not ask for it.
    pub name: Option<String>,
    pub birth_date: Option<Day>,
    /// The invitation code as typed.
    pub code: String,
}

/// How hard credentials are to guess, by what a campaign asks for beside the code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Strength {
    /// Name, birth date and code.
    All,
    /// Birth date and code.
    BirthDate,
    /// Less: `campaign check` refuses such a campaign; an older version may have activated one.
    Less,
}

impl Strength {
    pub const ALL: [Self; 3] = [Self::All, Self::BirthDate, Self::Less];

    /// Wrong answers that the whole server looks at in a second. Each bound keeps the number of
    /// people who are guessed in an evening far below one (`attempts/tests.rs` and SECURITY.md have
    /// the arithmetic), and the first two leave room for the mistypings of a crowd: three in a
    /// hundred of 25,000 who enter in a second are 750.
    pub const fn wrong_per_s(self) -> u32 {
        match self {
            Self::All => 50_000,
            Self::BirthDate => 2_000,
            Self::Less => 10,
        }
    }
}

impl Credentials {
    pub fn strength(&self) -> Strength {
        match (&self.name, self.birth_date) {
            (Some(_), Some(_)) => Strength::All,
            (None, Some(_)) => Strength::BirthDate,
            (_, None) => Strength::Less,
        }
    }
}

/// The person whom all of the credentials name: of the roster, or who left it with something. One
/// answer for an unknown person, a wrong name and a wrong code; the work done is the same for each.
pub fn identify(keys: &Keys, roster: &Roster, credentials: &Credentials) -> Option<PersonKey> {
    // A code that can't be one still costs the same look-up.
    let code = crockford::parse(&credentials.code);
    let key = keys.person_key(code.unwrap_or(crockford::VALUES));
    let personal = keys.personal(roster.personal_keys)?;
    let tags = credentials.name.as_ref().map(|name| {
        let tag = personal.name_tag(key, name);
        (tag, personal.former_name_tag(key, name).unwrap_or(tag))
    });
    let known = roster.find(&key).or_else(|| roster.find_left(&key))?;
    let same_name = tags
        .is_none_or(|(tag, former)| equal(&known.name_tag, &tag) | equal(&known.name_tag, &former));
    let same_birth = credentials.birth_date.is_none_or(|born| known.born == born);
    (code.is_ok() && same_name & same_birth).then_some(key)
}

/// Compares in a time that does not depend on where the two differ.
fn equal(one: &[u8; 8], other: &[u8; 8]) -> bool {
    u64::from_ne_bytes(*one) ^ u64::from_ne_bytes(*other) == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Entropy;
    use crate::domain::roster::{GroupSetIndex, RosterPerson};

    /// A roster that an earlier version of the program imported has tags of names as they were
    /// compared then.
    #[test]
    fn names_of_an_earlier_roster_are_known_as_they_were_compared_then() {
        let keys = Keys::generate(&Entropy::system());
        let (key, personal) = (keys.person_key(37), keys.personal(0).unwrap());
        let of_tag = |name_tag| Roster {
            people: vec![RosterPerson {
                key,
                name_tag,
                detail_tag: 0,
                born: Day(0),
                groups: GroupSetIndex(0),
                region: 0,
            }],
            ..Roster::default()
        };
        let enter = |roster: &Roster, name: &str| {
            let credentials = Credentials {
                name: Some(name.to_owned()),
                birth_date: None,
                code: crockford::format(37),
            };
            identify(&keys, roster, &credentials).is_some()
        };
        let former = of_tag(personal.former_name_tag(key, "O'Brien").unwrap());
        assert!(enter(&former, "O'Brien") && !enter(&former, "O'Brian"));
        let now = of_tag(personal.name_tag(key, "O'Brien"));
        assert!(enter(&now, "O'Brien") && enter(&now, "OBRIEN") && !enter(&now, "O'Brian"));
    }
}
