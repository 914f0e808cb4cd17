//! Compares the answers that tests get with the OpenAPI description.

use std::sync::LazyLock;

use serde_json::Value;

use super::client::Answer;

pub fn description() -> Value {
    let text = sumun::web::described().to_json().unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Asserts that an answer has a status, a content type and, if it is a problem, a code that the
/// description of its call names. Calls and methods that are not described are not looked at.
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
}
