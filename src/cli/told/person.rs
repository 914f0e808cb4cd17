//! What is kept of a person, in words and for scripts.

use serde_json::json;

use crate::cli::Output;
use crate::ops::outcome::PersonShown;

pub(super) fn shown(person: &PersonShown) -> Output {
    let name = match (&person.name, person.is_unopened) {
        (Some(name), _) => name.clone(),
        (None, true) => "(sealed with other keys)".to_owned(),
        (None, false) => "(erased)".to_owned(),
    };
    let mut lines = vec![
        format!("name      {name}"),
        format!("telephone {}", person.phone.as_deref().unwrap_or_default()),
        format!(
            "born      {}",
            person.birth_date.as_deref().unwrap_or_default()
        ),
        format!("region    {}", person.region),
        format!("groups    {}", person.groups.join(", ")),
        format!("person    {}", person.person),
    ];
    if !person.on_roster {
        lines.push("is not on the roster in force".to_owned());
    }
    for campaign in &person.campaigns {
        let booking = match (&campaign.number, campaign.is_cancelled) {
            (Some(number), false) => format!("booking {number}"),
            (Some(number), true) => format!("booking {number}, cancelled"),
            (None, _) if campaign.has_place => "a place in a line".to_owned(),
            (None, _) => "nothing".to_owned(),
        };
        lines.push(format!("{}: {booking}", campaign.campaign));
    }
    lines.push("this look is on record".to_owned());
    Output::done(lines.join("\n"), json!(person))
}

pub(super) fn erased(had_row: bool) -> Output {
    let human = if had_row {
        "name and telephone number are erased; what the person did stays in the journal under the \
         pseudonym. Copies that were made before have them until they are pruned (`sumun backup \
         prune`): a folder of copies that goes on beyond this is restored without them, a single \
         copy or a time before it with them. The person can't sign in any more; birth date, region \
         and groups stay until a roster comes without them, and a roster that has the person \
         brings name and telephone number again"
    } else {
        "there was no name and no telephone number of this person any more"
    };
    Output::done(human, json!({ "erased": had_row }))
}

pub(super) fn reviewed() -> Output {
    let human = "that the looks of the month were reviewed is on record, with your account and the \
                 findings; keep the signed sheet too";
    Output::done(human, json!({ "reviewed": true }))
}
