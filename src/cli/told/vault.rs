//! What a look at the vault found, in words and for scripts.

use serde_json::{Value, json};

use crate::journal::vault::{DigestSeen, RowFault, VaultSeen};

/// One line on rows that are as they should be.
pub fn rows_seen(seen: &VaultSeen) -> String {
    if seen.were_opened {
        format!("{} rows of the vault were opened", seen.rows)
    } else {
        format!(
            "{} rows of the vault were counted, and not opened: that takes the keys.json that \
             belongs to this data file, in the folder that --data names",
            seen.rows
        )
    }
}

/// A line for each fault that is named, and one for those that are not.
pub fn vault_faults(seen: &VaultSeen) -> String {
    let named = seen.faults.iter();
    let mut lines: Vec<String> = named
        .map(|(person, fault)| format!("row of person {person} in the vault: {}", words(*fault)))
        .collect();
    let left_out = seen.faults_total - seen.faults.len() as u64;
    if left_out > 0 {
        lines.push(format!("and {left_out} more rows of the vault"));
    }
    if seen.digest == DigestSeen::Differs {
        lines.push(
            "the vault: its rows are not those of which the journal has the digest; a row was \
             changed, or exchanged for an older one: restore a backup that verifies, or import \
             the roster anew and find out who did it"
                .to_owned(),
        );
    }
    lines.join("\n")
}

/// The same for scripts: the fields of an answer that are about the vault.
pub fn vault_json(seen: &VaultSeen) -> Value {
    let named = seen
        .faults
        .iter()
        .map(|(person, fault)| json!({ "person": person.to_string(), "what": name(*fault) }));
    json!({
        "rows": seen.rows,
        "opened": seen.were_opened,
        "faults_total": seen.faults_total,
        "faults": named.collect::<Vec<_>>(),
        "digest": match seen.digest {
            DigestSeen::None => "none",
            DigestSeen::Fits => "fits",
            DigestSeen::Differs => "differs",
        },
    })
}

fn name(fault: RowFault) -> &'static str {
    match fault {
        RowFault::Missing => "missing",
        RowFault::Unopened => "unopened",
        RowFault::Foreign => "foreign",
        RowFault::Stale => "stale",
        RowFault::NotErased => "not_erased",
    }
}

/// What is wrong, and what to do.
fn words(fault: RowFault) -> &'static str {
    match fault {
        RowFault::Missing => {
            "it is missing, and name and telephone number with it; restore a backup that verifies, \
             or import the roster without this person and then with them"
        }
        RowFault::Unopened => {
            "the folder's key does not open it: its bytes were changed, or it is another person's; \
             restore a backup that verifies, or import the roster without this person and then \
             with them"
        }
        RowFault::Foreign => {
            "nobody on the roster has this key, and nobody who left it: find out who put it there; \
             the next import of a roster erases it"
        }
        RowFault::Stale => {
            "there are more rows of this person than the one in force: find out who put them \
             there; the next import of a roster erases them"
        }
        RowFault::NotErased => {
            "the journal says that name and telephone number were erased, and here they are: find \
             out who put them there, and erase them again with `sumun person erase`"
        }
    }
}
