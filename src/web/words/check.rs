//! A further language's catalogue against the English one: what is missing, what is too much, and
//! values that no message gets.

use std::collections::{BTreeMap, BTreeSet};

use fluent_syntax::ast::{self, Expression, InlineExpression, Pattern, PatternElement};
use fluent_syntax::parser;

use super::EN_SOURCE;

/// What one message may hold; longer ones are no translation.
const MESSAGE_BYTES_MAX: usize = 4_000;
/// Values that a language needs only if its plural forms or dates do.
const OPTIONAL: [&str; 4] = ["n", "month", "monthname", "count"];

/// The values that each message uses.
pub type Wanted = BTreeMap<String, BTreeSet<String>>;

/// Everything that is wrong with a catalogue; nothing if it can be used.
pub fn faults(tag: &str, source: &str) -> Vec<String> {
    if ["ko", "en"].contains(&tag) {
        return vec!["is a language of the program itself".to_owned()];
    }
    let is_tag = (2..=3).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_lowercase());
    if !is_tag {
        return vec!["the file's name is not a language's tag, as `vi.ftl`".to_owned()];
    }
    let mut faults = Vec::new();
    let found = wanted(source, &mut faults);
    let needed = wanted(EN_SOURCE, &mut Vec::new());
    for (key, values) in &needed {
        let Some(used) = found.get(key) else {
            faults.push(format!("lacks the message `{key}`"));
            continue;
        };
        for value in used.difference(values) {
            faults.push(format!(
                "`{key}` uses the value ${value}, which it does not get"
            ));
        }
        let is_optional = |value: &&String| OPTIONAL.contains(&value.as_str());
        for value in values.difference(used).filter(|value| !is_optional(value)) {
            faults.push(format!("`{key}` does not use its value ${value}"));
        }
    }
    let known = |key: &&String| !needed.contains_key(*key);
    let unknown = found.keys().filter(known);
    faults.extend(unknown.map(|key| format!("`{key}` is a message that nobody asks for")));
    let direction = source
        .lines()
        .find_map(|line| line.strip_prefix("direction = "));
    if !matches!(direction.map(str::trim), Some("ltr" | "rtl") | None) {
        faults.push("`direction` is `ltr` or `rtl`".to_owned());
    }
    faults
}

/// The keys of a catalogue, each with the values it uses; what can't be read is a fault.
pub fn wanted(source: &str, faults: &mut Vec<String>) -> Wanted {
    let line = |at: usize| {
        1 + source
            .bytes()
            .take(at)
            .filter(|byte| *byte == b'\n')
            .count()
    };
    let resource = match parser::parse(source) {
        Ok(resource) => resource,
        Err((resource, errors)) => {
            let told = errors
                .iter()
                .map(|error| format!("line {}: {}", line(error.pos.start), error.kind));
            faults.extend(told);
            resource
        }
    };
    let mut found = Wanted::new();
    for entry in &resource.body {
        let ast::Entry::Message(message) = entry else {
            continue;
        };
        let id = message.id.name;
        let own = message.value.iter().map(|value| (id.to_owned(), value));
        let attributes = message.attributes.iter();
        let attributes = attributes.map(|one| (format!("{id}.{}", one.id.name), &one.value));
        for (key, pattern) in own.chain(attributes) {
            let mut values = BTreeSet::new();
            collect(pattern, &mut values, &key, faults);
            if found.insert(key.clone(), values).is_some() {
                faults.push(format!("`{key}` is there twice"));
            }
        }
    }
    found
}

fn collect(
    pattern: &Pattern<&str>,
    values: &mut BTreeSet<String>,
    key: &str,
    faults: &mut Vec<String>,
) {
    let mut bytes = 0;
    for element in &pattern.elements {
        let expression = match element {
            PatternElement::Placeable { expression } => expression,
            PatternElement::TextElement { value } => {
                bytes += value.len();
                let hidden = |letter: char| {
                    (letter.is_control() && letter != '\n')
                        || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
                };
                if value.contains(hidden) {
                    faults.push(format!("`{key}` has a character that can't be seen"));
                }
                if value.contains(['<', '>']) {
                    faults.push(format!("`{key}` has `<` or `>`: messages are plain text"));
                }
                continue;
            }
        };
        let inline = match expression {
            Expression::Inline(inline) => inline,
            Expression::Select { selector, variants } => {
                for variant in variants {
                    collect(&variant.value, values, key, faults);
                }
                selector
            }
        };
        match inline {
            InlineExpression::VariableReference { id } => {
                values.insert(id.name.to_owned());
            }
            InlineExpression::StringLiteral { .. } | InlineExpression::NumberLiteral { .. } => {}
            _ => faults.push(format!(
                "`{key}` refers to another message, a term or a function: write its words out"
            )),
        }
    }
    if bytes > MESSAGE_BYTES_MAX {
        faults.push(format!(
            "`{key}` has {bytes} bytes, more than {MESSAGE_BYTES_MAX}"
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_translation_has_no_fault_and_each_lack_is_named() {
        assert_eq!(faults("vi", EN_SOURCE), Vec::<String>::new());
        let without = EN_SOURCE.replace("\nskip = ", "\nskipp = ");
        assert_eq!(
            faults("vi", &without),
            [
                "lacks the message `skip`",
                "`skipp` is a message that nobody asks for"
            ]
        );
        let other = EN_SOURCE.replace("{ $zone }", "{ $zonne }");
        assert_eq!(
            faults("vi", &other),
            [
                "`all-times` uses the value $zonne, which it does not get",
                "`all-times` does not use its value $zone",
            ]
        );
        let markup = EN_SOURCE.replace("skip = Skip", "skip = <b>Skip");
        assert_eq!(
            faults("vi", &markup),
            ["`skip` has `<` or `>`: messages are plain text"]
        );
        let unread = format!("{EN_SOURCE}\nbroken = {{ $x\n");
        assert!(
            faults("vi", &unread)[0].starts_with("line "),
            "{:?}",
            faults("vi", &unread)
        );
        assert!(!faults("../vi", EN_SOURCE).is_empty());
        assert_eq!(
            faults("ko", EN_SOURCE),
            ["is a language of the program itself"]
        );
        let hidden = EN_SOURCE.replace("skip = Skip", "skip = \u{202e}Skip");
        assert_eq!(
            faults("vi", &hidden),
            ["`skip` has a character that can't be seen"]
        );
        let way = EN_SOURCE.replace("direction = ltr", "direction = up");
        assert_eq!(faults("ar", &way), ["`direction` is `ltr` or `rtl`"]);
    }
}
