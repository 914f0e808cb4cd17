//! What became of keys that were replaced or removed, in words and for scripts.

use serde_json::json;

use crate::cli::Output;

pub(super) fn token(id: u8, revoked: bool) -> Output {
    let before = if revoked {
        "nothing that was signed before is good any more, and people enter again to have their \
         place back"
    } else {
        "those of the key before it stay good"
    };
    let human = format!(
        "key {id} signs places and sessions from now on; {before}; seal it anew with \
         `sumun keys export`"
    );
    Output::done(human, json!({ "token_key": id, "revoked": revoked }))
}

pub(super) fn head(seq: u64, public_key: &str) -> Output {
    let human = format!(
        "heads from entry {seq} on are signed with the key {public_key}, which the key before it \
         vouches for in that entry: give the new one to whoever checks heads, and seal it anew \
         with `sumun keys export`"
    );
    Output::done(human, json!({ "seq": seq, "public_key": public_key }))
}

pub(super) fn forgotten(id: u8, removed: usize) -> Output {
    let human = match removed {
        0 => format!("there are no keys for names and telephone numbers but those in force ({id})"),
        _ => format!(
            "names and telephone numbers in copies that were sealed with {removed} former keys \
             can't be opened any more, unless somebody has an older `sumun keys export`"
        ),
    };
    Output::done(human, json!({ "personal_keys": id, "removed": removed }))
}
