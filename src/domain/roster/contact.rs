//! What the vault keeps of a person: the name and the telephone number, as bytes to be sealed.
//!
//! Owns only the form of those bytes; sealing them is the work of `keys`.

/// A person's name and telephone number as the agency wrote them.
#[derive(Clone, PartialEq, Eq)]
pub struct Contact {
    pub name: String,
    /// May be empty.
    pub phone: String,
}

impl std::fmt::Debug for Contact {
    /// Shows nothing: personal data must not reach a log by way of `{:?}`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Contact(…)")
    }
}

/// Why bytes are not a contact.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the opened bytes are not a name and a telephone number of form 1")]
pub struct ContactFault;

const FORM: u8 = 1;

impl Contact {
    /// Appends form 1: the byte 1, the length of the telephone number in one byte, the number, and
    /// the name to the end.
    ///
    /// # Panics
    /// When the number has more than 255 bytes; an imported one has at most 20.
    pub fn encode(name: &str, phone: &str, into: &mut Vec<u8>) {
        let length = u8::try_from(phone.len()).expect("a telephone number has at most 20 bytes");
        into.extend_from_slice(&[FORM, length]);
        into.extend_from_slice(phone.as_bytes());
        into.extend_from_slice(name.as_bytes());
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, ContactFault> {
        let [FORM, length, rest @ ..] = bytes else {
            return Err(ContactFault);
        };
        let (phone, name) = rest
            .split_at_checked(usize::from(*length))
            .ok_or(ContactFault)?;
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).map_err(|_| ContactFault);
        Ok(Self {
            name: text(name)?,
            phone: text(phone)?,
        })
    }
}

/// A name as its own person recognises it, and nobody else learns it: "노*수", "K** Y*******".
pub fn masked(name: &str) -> String {
    let mut words = name.split_whitespace();
    let first = words.next().unwrap_or_default();
    let rest: Vec<&str> = words.collect();
    let letters: Vec<char> = first.chars().collect();
    let stars = |count: usize| "*".repeat(count);
    if rest.is_empty() && letters.len() > 2 && !first.is_ascii() {
        let (last, middle) = (letters[letters.len() - 1], letters.len() - 2);
        return format!("{}{}{last}", letters[0], stars(middle));
    }
    let word = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().into_iter();
        let rest = letters.map(|_| '*');
        first.chain(rest).collect::<String>()
    };
    let all = [first].into_iter().chain(rest).map(word);
    all.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_masked_as_people_know_it() {
        for (name, expected) in [
            ("노정수", "노*수"),
            ("김철", "김*"),
            ("남궁민수", "남**수"),
            ("Kim Yeonghui", "K** Y*******"),
            ("", ""),
        ] {
            assert_eq!(masked(name), expected);
        }
    }

    proptest! {
        #[test]
        fn a_contact_comes_back(name in ".{0,100}", phone in "[0-9+ -]{0,20}") {
            let mut bytes = Vec::new();
            Contact::encode(&name, &phone, &mut bytes);
            prop_assert_eq!(Contact::decode(&bytes), Ok(Contact { name, phone }));
        }

        #[test]
        fn a_masked_name_keeps_its_length_and_hides_more_than_a_letter_or_two(name in ".{0,40}") {
            let masked = masked(&name);
            let told = masked.chars().filter(|letter| !"* ".contains(*letter)).count();
            let words = name.split_whitespace().count();
            prop_assert!(told <= words.max(2), "{}", masked);
        }

        #[test]
        fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = Contact::decode(&bytes);
        }
    }
}
