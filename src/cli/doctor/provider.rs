//! Whether sign-in at the agency's own provider can work, as far as this host says. Calls nobody.

use super::unit::{unit_texts, words};
use super::{Finding, bad, fine, warn};
use crate::config::Config;
use crate::identity::provider::{CALLBACK, Provider};
use crate::ops::folder::Folder;

/// None where it is not switched on.
pub fn of(folder: &Folder, config: &Config) -> Option<Finding> {
    const WHAT: &str = "provider";
    let settings = config.provider.as_ref()?;
    let provider = match Provider::open(folder.path(), settings) {
        Ok(provider) => provider,
        Err(why) => return Some(bad(WHAT, why)),
    };
    let says = format!(
        "the desk takes accounts of {}, which has to send people back to {}{CALLBACK} (it was not \
         asked)",
        provider.issuer(),
        settings.desk_address
    );
    Some(if has_no_network(&unit_texts()) {
        warn(
            WHAT,
            format!(
                "{says}; the unit gives a server no network to call it: `systemctl edit \
                 sumun.service` with the four lines: [Service] | PrivateNetwork=no | \
                 IPAddressAllow=localhost and the provider's addresses | \
                 RestrictAddressFamilies=AF_INET AF_INET6"
            ),
        )
    } else {
        fine(WHAT, says)
    })
}

/// Whether the installed unit lets a server open no connection of its own.
fn has_no_network(texts: &[String]) -> bool {
    let is_set = |value: &str| words(texts, "PrivateNetwork").any(|word| word == value);
    is_set("yes") && !is_set("no")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_without_a_network_is_told_unless_something_was_added_to_it() {
        let unit = include_str!("../../../systemd/sumun.service").to_owned();
        let added = "[Service]\nPrivateNetwork=no\n".to_owned();
        assert!(has_no_network(std::slice::from_ref(&unit)));
        assert!(!has_no_network(&[unit, added]) && !has_no_network(&[]));
    }
}
