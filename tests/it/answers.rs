//! Compares the answers that tests get with the OpenAPI description.

use std::sync::LazyLock;

use serde_json::Value;

use super::client::Answer;

pub fn description() -> Value {
    let text = sumun::web::described().to_json().unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Asserts that an answer has a status, a content type, members and, if it is a problem, a code
/// that the description of its call names. Calls and methods not described are not looked at.
pub fn check(method: &str, path: &str, answer: &Answer) {
    static DESCRIPTION: LazyLock<Value> = LazyLock::new(description);
    let path = path.split('?').next().unwrap_or_default();
    let fits = |template: &str| {
        let (wanted, given) = (template.split('/'), path.split('/'));
        template.split('/').count() == path.split('/').count()
            && wanted
                .zip(given)
                .all(|(wanted, given)| wanted.starts_with('{') || wanted == given)
    };
    let paths = DESCRIPTION["paths"].as_object().unwrap();
    // `/bookings/mine` before `/bookings/{number}`: the one with fewer parameters.
    let fitting = paths.iter().filter(|(template, _)| fits(template));
    let Some((template, item)) = fitting.min_by_key(|(template, _)| template.matches('{').count())
    else {
        return;
    };
    let Some(operation) = item.get(method.to_lowercase()) else {
        return;
    };
    let name = format!("{method} {template}");
    let response = &operation["responses"][answer.status.to_string()];
    assert!(response.is_object(), "{name} does not say {answer:?}");
    let kind = answer.header("content-type");
    let Some(content) = response["content"].as_object() else {
        assert_eq!((kind, answer.body.len()), (None, 0), "{name}: {answer:?}");
        return;
    };
    let described = kind.and_then(|kind| content.get(kind));
    let described = described.unwrap_or_else(|| panic!("{name} is not of {kind:?}"));
    let codes = &described["schema"]["allOf"][1]["properties"]["code"]["enum"];
    if let Some(codes) = codes.as_array() {
        let names = codes.iter().any(|code| code == answer.code());
        assert!(names, "{name} does not say {}: {codes:?}", answer.code());
    }
    if kind.is_some_and(|kind| kind.ends_with("json")) {
        let mut found = Vec::new();
        unlike(
            &DESCRIPTION,
            &described["schema"],
            &answer.json,
            "",
            &mut found,
        );
        assert!(found.is_empty(), "{name} {}: {found:?}", answer.status);
    }
}

/// What of a value is not as a schema says: members that are missing, or that are not described.
fn unlike(description: &Value, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    if let Some(name) = schema["$ref"].as_str() {
        let schema = name
            .strip_prefix('#')
            .and_then(|path| description.pointer(path));
        return unlike(description, schema.unwrap(), value, at, found);
    }
    // Of a problem the second part has only the codes.
    if let Some(all) = schema["allOf"].as_array() {
        return unlike(description, &all[0], value, at, found);
    }
    if let Some(ways) = schema["oneOf"].as_array() {
        let is_null = |way: &&Value| way["type"] == "null";
        if value.is_null() && ways.iter().any(|way| is_null(&way)) {
            return;
        }
        let ways = ways.iter().filter(|way| !is_null(way));
        let each = ways.map(|way| {
            let mut found = Vec::new();
            unlike(description, way, value, at, &mut found);
            found
        });
        let nearest = each.min_by_key(Vec::len);
        return found.extend(nearest.unwrap_or_default());
    }
    if let (Some(items), Some(values)) = (schema.get("items"), value.as_array()) {
        for value in values {
            unlike(description, items, value, &format!("{at}[]"), found);
        }
    }
    let (Some(properties), Some(members)) = (schema["properties"].as_object(), value.as_object())
    else {
        return;
    };
    let required = schema["required"].as_array().into_iter().flatten();
    let missing = required.filter(|name| !members.contains_key(name.as_str().unwrap()));
    found.extend(missing.map(|name| format!("{at} has no {name}")));
    for (name, value) in members {
        let at = format!("{at}.{name}");
        match properties.get(name) {
            Some(schema) => unlike(description, schema, value, &at, found),
            None => found.push(format!("{at} is not described")),
        }
    }
}
