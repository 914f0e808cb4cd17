//! What a proposal would do, as its pages show it.

use crate::domain::text::grouped;
use crate::service::activation::{LineEffect, LineTouched};
use crate::service::desk::effect::roster::RosterNumbers;
use crate::service::desk::effect::{AtInstant, Effect, Moves};
use crate::web::words::Lang;

/// What a proposal would do, in words.
pub(in crate::web::desk) struct EffectShown {
    pub(in crate::web::desk) cautions: Vec<String>,
    /// Field, value before, value after, caution.
    pub(in crate::web::desk) changes: Vec<(String, String, String, String)>,
    pub(in crate::web::desk) at: Vec<AtRow>,
    pub(in crate::web::desk) lines: Vec<(String, String, Vec<String>)>,
    pub(in crate::web::desk) rows: Option<String>,
    pub(in crate::web::desk) moves: Option<Moves>,
    pub(in crate::web::desk) roster: Option<RosterShown>,
    pub(in crate::web::desk) takes: u64,
    pub(in crate::web::desk) takes_told: String,
    pub(in crate::web::desk) digest: String,
}

/// What a roster file changes, in numbers.
pub(in crate::web::desk) struct RosterShown {
    /// Words, and how many.
    pub(in crate::web::desk) counts: Vec<(&'static str, String)>,
    /// The SHA-256 of the file as it was sent.
    pub(in crate::web::desk) sent: String,
    pub(in crate::web::desk) group_moves: Vec<(String, String, String)>,
}

impl RosterShown {
    fn of(numbers: &RosterNumbers) -> Self {
        let file = &numbers.file;
        let always = [
            ("roster-people", file.people),
            ("roster-added", file.added),
            ("roster-changed", file.changed),
            ("roster-gone", file.gone),
            ("roster-lose", numbers.lose),
            ("roster-booked", numbers.booked),
            ("roster-waiting", numbers.waiting),
        ];
        let some = [
            ("roster-name", numbers.name),
            ("roster-phone", numbers.phone),
            ("roster-birth-date", numbers.birth_date),
            ("roster-region", numbers.region),
            ("roster-groups", numbers.groups),
            ("roster-new-code", numbers.new_code),
            ("roster-same-person", numbers.same_person),
            ("roster-erased-back", file.erased_back),
        ];
        let some = some.into_iter().filter(|(_, people)| *people > 0);
        let counts = always.into_iter().chain(some);
        let mut counts: Vec<_> = counts
            .map(|(words, people)| (words, grouped(people)))
            .collect();
        let lines = |lines: Vec<String>| lines.join(", ");
        if !numbers.undecided_lines.is_empty() {
            let told = numbers.undecided_lines.iter().map(ToString::to_string);
            counts.push(("roster-undecided", lines(told.collect())));
        }
        if !numbers.same_person_lines.is_empty() {
            let told = numbers.same_person_lines.iter();
            let told = told.map(|(line, like)| format!("{line} = {like}"));
            counts.push(("roster-same-lines", lines(told.collect())));
        }
        let moves = numbers.group_moves.iter();
        let moved = |(from, to, people): &(String, String, u64)| {
            (from.clone(), to.clone(), grouped(*people))
        };
        Self {
            counts,
            sent: numbers.sent_sha256.clone(),
            group_moves: moves.map(moved).collect(),
        }
    }
}

pub(in crate::web::desk) struct AtRow {
    /// Empty where all is about one.
    pub(in crate::web::desk) campaign: String,
    pub(in crate::web::desk) at: String,
    pub(in crate::web::desk) may_book: String,
    pub(in crate::web::desk) gain: String,
    pub(in crate::web::desk) lose: String,
}

impl EffectShown {
    pub(in crate::web::desk) fn of(lang: Lang, effect: &Effect) -> Self {
        let at = |at: &AtInstant| AtRow {
            campaign: at.campaign.clone().unwrap_or_default(),
            at: at.at.clone(),
            may_book: grouped(at.may_book),
            gain: grouped(at.gain),
            lose: grouped(at.lose),
        };
        let line = |line: &LineTouched| {
            let span = format!("{} – {}", line.from, line.until);
            let effects = line.effects.iter();
            let effects = effects.map(|effect| effect_words(lang, effect)).collect();
            (span, grouped(line.waiting), effects)
        };
        let changes = effect.changes.iter().map(|change| {
            (
                change.field.clone(),
                change.old.clone().unwrap_or_default(),
                change.new.clone().unwrap_or_default(),
                change.caution.as_deref().unwrap_or_default().to_owned(),
            )
        });
        Self {
            cautions: effect.cautions.clone(),
            changes: changes.collect(),
            at: effect.at.iter().map(at).collect(),
            lines: effect.lines.iter().map(line).collect(),
            rows: effect.rows.map(grouped),
            moves: effect.moves.clone(),
            roster: effect.roster.as_deref().map(RosterShown::of),
            takes: effect.takes,
            takes_told: grouped(effect.takes),
            digest: effect.digest.clone(),
        }
    }
}

fn effect_words(lang: Lang, effect: &LineEffect) -> String {
    let at = |key: &str, at: &str| lang.put(key, &[("at", at.to_owned().into())]);
    let people = |key: &str, people: u64| lang.put(key, &[("people", grouped(people).into())]);
    match effect {
        LineEffect::Gone => lang.say("line-gone").to_owned(),
        LineEffect::LobbyCloses { from } => at("line-lobby-closes", from),
        LineEffect::Closes { from } => at("line-closes", from),
        LineEffect::OpensNow => lang.say("line-opens-now").to_owned(),
        LineEffect::Ends => lang.say("line-ends").to_owned(),
        LineEffect::Moved { from } => at("line-moved", from),
        LineEffect::Until { until } => at("line-until", until),
        LineEffect::NotTheirs { people: count } => people("line-not-theirs", *count),
        LineEffect::OrderKept => lang.say("line-order-kept").to_owned(),
        LineEffect::WindowsMoved { people: count } => people("line-windows-moved", *count),
        LineEffect::WindowsGone { people: count } => people("line-windows-gone", *count),
    }
}
