//! The certificates of a server's listeners, as `doctor` looks at them.

use std::path::Path;

use super::{Finding, bad, fine, warn};
use crate::clock::wall;
use crate::config::Config;
use crate::ops::certificates::files;
use crate::ops::folder::Folder;
use crate::tls::{Endpoint, Files, Pair};

/// The pair that people meet.
pub fn of_people(folder: &Folder, config: &Config) -> Finding {
    const WHAT: &str = "certificate";
    if config.plain_http {
        return fine(WHAT, "none is used: plain HTTP on loopback".to_owned());
    }
    let pair = match Pair::read(&files(folder, config), wall()) {
        Ok(pair) => pair,
        Err(fault) => return bad(WHAT, fault.to_string()),
    };
    let described = &pair.described;
    let mut looks: Vec<_> = pair
        .warnings(wall())
        .iter()
        .map(ToString::to_string)
        .collect();
    let unnamed: Vec<_> = config
        .hosts
        .iter()
        .filter(|host| !described.is_for(host))
        .collect();
    if !unnamed.is_empty() {
        looks.push(format!(
            "it is not for {unnamed:?} of `hosts`: browsers refuse it there; take one with all \
             names"
        ));
    }
    if looks.is_empty() {
        let days = described.days_left(wall());
        let signed = if described.is_self_signed {
            ", self-signed: browsers will warn".to_owned()
        } else {
            format!(", signed by {}", described.issuer)
        };
        fine(WHAT, format!("valid for {days} days{signed}"))
    } else {
        warn(WHAT, looks.join("; "))
    }
}

/// Who gets to the admin listener.
pub fn of_admin(folder: &Folder, config: &Config) -> Finding {
    const WHAT: &str = "admin listen";
    let address = config.admin_listen;
    let Some(authority) = &config.admin_client_ca else {
        if address.ip().is_loopback() {
            return fine(WHAT, format!("{address}: this host alone"));
        }
        return bad(
            WHAT,
            format!(
                "{address} shows metrics to everybody who reaches it: set admin_listen to an \
                 address of loopback, or admin_client_ca"
            ),
        );
    };
    let beside = |path: &Path| folder.path().join(path);
    let pair = match (&config.admin_certificate, &config.admin_certificate_key) {
        (Some(certificate), Some(key)) => Files {
            certificate: beside(certificate),
            key: beside(key),
        },
        _ => files(folder, config),
    };
    let authority = beside(authority);
    let tls = match Endpoint::open(pair, Some(authority.clone()), wall()) {
        Ok(tls) => tls,
        Err(fault) => return bad(WHAT, fault.to_string()),
    };
    let looks: Vec<_> = tls
        .warnings(wall())
        .iter()
        .map(ToString::to_string)
        .collect();
    let says = format!(
        "{address}: clients with a certificate of {}",
        authority.display()
    );
    if looks.is_empty() {
        fine(WHAT, says)
    } else {
        warn(WHAT, format!("{says}; {}", looks.join("; ")))
    }
}
