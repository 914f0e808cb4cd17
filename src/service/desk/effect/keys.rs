//! What replacing keys would do.

use super::Effect;
use crate::domain::staff::proposal::KeyChange;
use crate::domain::text::grouped;
use crate::service::Service;

/// Keys of names that there can be; they are counted in a byte.
const NAMES_MAX: u8 = u8::MAX;

pub(super) fn of_keys(service: &Service, change: KeyChange) -> Effect {
    let people = service.shared.roster().people.len() as u64;
    let cautions = match change {
        KeyChange::Tokens => {
            "everybody keeps place and session; tokens of the key before the present one are not \
             good any more, and it can't be replaced again for a day"
                .to_owned()
        }
        KeyChange::TokensRevoked => {
            "every place's and session's token is refused at once: whoever waits or books signs in \
             again and has the same place; nobody loses a place, a hold or a booking"
                .to_owned()
        }
        KeyChange::Heads => {
            "heads are signed with a new key from this entry on, and the present key vouches for \
             it: auditors learn the new key from the record"
                .to_owned()
        }
        KeyChange::Names => format!(
            "the names and telephone numbers of {} people are sealed anew while people are served; \
             the present keys stay until they are removed, and copies from before need them",
            grouped(people)
        ),
        KeyChange::NamesForgotten => {
            "keys of names that are not in force are removed for good: names in copies from before \
             can't be read any more, unless somebody kept those keys"
                .to_owned()
        }
    };
    let mut cautions = vec![cautions];
    if !service.keys.are_handed() {
        cautions.push(
            "the file of the secrets, keys.json, is another one then: keep a copy of it again"
                .to_owned(),
        );
    }
    Effect {
        cautions,
        faults: faults(service, change),
        ..Effect::default()
    }
}

fn faults(service: &Service, change: KeyChange) -> Vec<String> {
    let mut faults = Vec::new();
    let is_of_folder = !matches!(change, KeyChange::Tokens | KeyChange::TokensRevoked);
    if is_of_folder && service.keys.are_handed() {
        faults.push(
            "the service manager hands the secrets over, and the server can't write them: stop it, \
             and replace this key with `sumun keys`"
                .to_owned(),
        );
    }
    if change == KeyChange::Tokens
        && let Err(why) = service.keys.may_rotate_tokens(service.clock.now())
    {
        faults.push(why.to_string());
    }
    if change == KeyChange::Names {
        if service.shared.roster().version == 0 {
            let why = "no roster was imported yet: nothing is sealed with the keys there are";
            faults.push(why.to_owned());
        }
        if service.shared.state().keys.personal == NAMES_MAX {
            let why = "the keys were replaced 255 times, which is all there can be";
            faults.push(why.to_owned());
        }
    }
    faults
}
