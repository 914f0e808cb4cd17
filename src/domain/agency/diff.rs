//! What differs between two versions of an agency's file, as people will see it.

use super::{Agency, Texts};
use crate::domain::campaign::diff::{Changes, FieldChange};

/// Characters of a text that a change shows.
const SHOWN_CHARS: usize = 80;
/// Of these before the first difference.
const BEFORE_CHARS: usize = 20;

const NEW_CONSENT: &str = "people agree to this wording from now on; give it a version of its own";

/// All changes, in the order of the file. `old` is none before the first version.
pub fn diff(old: Option<&Agency>, new: &Agency) -> Vec<FieldChange> {
    let mut changes = Changes::default();
    let mut texts = |field: &str, of: &dyn Fn(&Agency) -> Option<&Texts>, caution| {
        compare(&mut changes, field, old.and_then(of), of(new), caution);
    };
    texts("name", &|agency| Some(&agency.name), None);
    texts("hours", &|agency| agency.hours.as_ref(), None);
    texts("privacy", &|agency| agency.privacy.as_ref(), None);
    texts(
        "accessibility",
        &|agency| agency.accessibility.as_ref(),
        None,
    );
    texts("terms", &|agency| agency.terms.as_ref(), None);
    let consent = |agency: &Agency| {
        agency
            .consent
            .as_ref()
            .map(|consent| consent.version.clone())
    };
    let is_same_version = old.and_then(consent) == consent(new);
    let caution = is_same_version.then_some(NEW_CONSENT);
    texts(
        "consent.text",
        &|agency| Some(&agency.consent.as_ref()?.text),
        caution,
    );
    texts("text.landing", &|agency| agency.landing.as_ref(), None);
    texts(
        "text.confirmation",
        &|agency| agency.confirmation.as_ref(),
        None,
    );
    texts("text.print", &|agency| agency.print.as_ref(), None);
    changes.push("consent.version", old.and_then(consent), consent(new), None);
    let telephone = |agency: &Agency| agency.telephone.clone();
    changes.push("telephone", old.and_then(telephone), telephone(new), None);
    let colour = |agency: &Agency| agency.colour.map(|colour| colour.to_string());
    changes.push("colour", old.and_then(colour), colour(new), None);
    logo(&mut changes, old, new);
    links(&mut changes, old, new);
    vaccines(&mut changes, old, new);
    changes.0
}

/// Compares a text language by language.
fn compare(
    changes: &mut Changes,
    field: &str,
    old: Option<&Texts>,
    new: Option<&Texts>,
    caution: Option<&'static str>,
) {
    let find = |texts: Option<&Texts>, tag: &str| -> Option<String> {
        let mut all = texts?.iter();
        all.find(|(known, _)| *known == tag)
            .map(|(_, text)| text.to_owned())
    };
    let tags = |texts: Option<&Texts>| -> Vec<String> {
        let all = texts.iter().flat_map(|texts| texts.iter());
        all.map(|(tag, _)| tag.to_owned()).collect()
    };
    let mut all = tags(new);
    all.extend(tags(old).into_iter().filter(|tag| find(new, tag).is_none()));
    for tag in all {
        let (before, after) = (find(old, &tag), find(new, &tag));
        if before == after {
            continue;
        }
        let texts = [&before, &after].map(|text| text.as_deref().unwrap_or_default());
        let [one, other] = texts.map(str::chars);
        let same = one
            .zip(other)
            .take_while(|(one, other)| one == other)
            .count();
        let shown = |text: Option<String>| text.map(|text| shown(&text, same));
        changes.push(
            format!("{field}.{tag}"),
            shown(before),
            shown(after),
            caution,
        );
    }
}

/// A text around the first character that differs.
fn shown(text: &str, same: usize) -> String {
    let from = match text.chars().nth(SHOWN_CHARS) {
        Some(_) => same.saturating_sub(BEFORE_CHARS),
        None => 0,
    };
    let part = text.chars().skip(from).take(SHOWN_CHARS);
    let part: String = part.map(|c| if c == '\n' { ' ' } else { c }).collect();
    let before = if from > 0 { "…" } else { "" };
    let after = if text.chars().nth(from + SHOWN_CHARS).is_some() {
        "…"
    } else {
        ""
    };
    let chars = text.chars().count();
    format!("\"{before}{part}{after}\" ({chars} characters)")
}

fn logo(changes: &mut Changes, old: Option<&Agency>, new: &Agency) {
    let before = old.and_then(|agency| agency.logo.as_ref());
    if before == new.logo.as_ref() {
        return;
    }
    let shown = |logo: &super::Logo| {
        let digest = crate::domain::entry::Hash::of(&logo.bytes).to_string();
        let (kind, bytes) = (logo.kind.name(), logo.bytes.len());
        let digest = &digest[..8];
        format!(
            "{kind}, {} × {}, {bytes} bytes, {digest}",
            logo.width, logo.height
        )
    };
    changes.push(
        "logo",
        before.map(shown),
        new.logo.as_ref().map(shown),
        None,
    );
}

fn links(changes: &mut Changes, old: Option<&Agency>, new: &Agency) {
    let before = old.map_or(&[][..], |agency| &agency.links);
    for at in 0..before.len().max(new.links.len()) {
        let field = format!("link {}", at + 1);
        let (old, new) = (before.get(at), new.links.get(at));
        let url = |link: &super::Link| link.url.clone();
        changes.push(format!("{field}.url"), old.map(url), new.map(url), None);
        let (old, new) = (old.map(|link| &link.label), new.map(|link| &link.label));
        compare(changes, &format!("{field}.label"), old, new, None);
    }
}

fn vaccines(changes: &mut Changes, old: Option<&Agency>, new: &Agency) {
    let gone = old.iter().flat_map(|agency| &agency.vaccines);
    let gone = gone.filter(|known| new.vaccine(&known.id).is_none());
    let ids = new.vaccines.iter().chain(gone).map(|vaccine| &vaccine.id);
    for id in ids {
        let (old, new) = (old.and_then(|agency| agency.vaccine(id)), new.vaccine(id));
        let field = format!("vaccine {id}");
        let names = [old, new].map(|vaccine| vaccine.map(|vaccine| &vaccine.name));
        compare(changes, &format!("{field}.name"), names[0], names[1], None);
        let bring = [old, new].map(|vaccine| vaccine.and_then(|vaccine| vaccine.bring.as_ref()));
        compare(changes, &format!("{field}.bring"), bring[0], bring[1], None);
    }
}
