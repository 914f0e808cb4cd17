//! The OpenAPI description: well-formed by its own rules, and true of what is served.
//!
//! Every answer that a test gets to a described call is compared with it too, by `answers::check`.

use std::collections::BTreeSet;

use serde_json::Value;
use sumun::web::call::IDEMPOTENCY_KEY_MAX;
use sumun::web::gate::{CODE_CHARACTERS_MAX, NAME_CHARACTERS_MAX};

use super::answers::description;

const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];
const CAMPAIGN: &str = "/api/v1/campaigns/{campaign}";

/// Every operation, with its name as `get /path`.
fn operations(description: &Value) -> Vec<(String, &Value)> {
    let mut found = Vec::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            assert!(METHODS.contains(&method.as_str()), "{path}: {method}");
            found.push((format!("{method} {path}"), operation));
        }
    }
    assert!(!found.is_empty());
    found
}

fn operation<'a>(description: &'a Value, method: &str, call: &str) -> &'a Value {
    &description["paths"][format!("{CAMPAIGN}{call}")][method]
}

#[test]
fn every_response_says_what_it_is() {
    let description = description();
    assert_eq!(description["openapi"].as_str().unwrap(), "3.1.0");
    for (name, operation) in operations(&description) {
        for (status, response) in operation["responses"].as_object().unwrap() {
            let said = response["description"].as_str().unwrap_or_default();
            assert!(!said.is_empty(), "{name} {status}");
        }
        let summary = operation["summary"].as_str().unwrap_or_default();
        assert!(!summary.is_empty(), "{name}");
    }
}

#[test]
fn every_problem_is_described_as_it_is_sent() {
    let description = description();
    let known: BTreeSet<_> = sumun::web::problem_codes().collect();
    for (name, operation) in operations(&description) {
        for (status, response) in operation["responses"].as_object().unwrap() {
            let status: u16 = status.parse().unwrap();
            let content = response["content"].as_object();
            if status < 400 || name.ends_with("z") {
                continue;
            }
            let content = content.unwrap_or_else(|| panic!("{name} {status}"));
            let kinds: Vec<_> = content.keys().collect();
            assert_eq!(kinds, ["application/problem+json"], "{name} {status}");
            let parts = &content["application/problem+json"]["schema"]["allOf"];
            assert_eq!(parts[0]["$ref"], "#/components/schemas/Problem");
            let codes = parts[1]["properties"]["code"]["enum"].as_array().unwrap();
            for code in codes {
                let code = code.as_str().unwrap();
                assert!(known.contains(code), "{name} {status}: {code}");
            }
            let waits = [429, 503].contains(&status);
            let has = response["headers"]["Retry-After"].is_object();
            assert!(has || !waits, "{name} {status} says when to come back");
        }
    }
}

#[test]
fn every_call_that_needs_a_token_names_a_scheme_that_is_defined() {
    let description = description();
    let schemes = &description["components"]["securitySchemes"];
    for (scheme, cookie) in [
        ("place", "__Host-sumun-place"),
        ("session", "__Host-sumun-session"),
    ] {
        let scheme = &schemes[scheme];
        assert_eq!(
            (&scheme["type"], &scheme["in"]),
            (&"apiKey".into(), &"cookie".into())
        );
        assert_eq!(scheme["name"], cookie);
    }
    assert_eq!(
        (&schemes["bearer"]["type"], &schemes["bearer"]["scheme"]),
        (&"http".into(), &"bearer".into())
    );
    for (name, operation) in operations(&description) {
        let needs = operation["security"].as_array();
        let refuses = operation["responses"]["401"].is_object();
        assert_eq!(needs.is_some(), refuses, "{name}");
        for alternative in needs.into_iter().flatten() {
            for scheme in alternative.as_object().unwrap().keys() {
                assert!(schemes[scheme].is_object(), "{name}: {scheme}");
            }
        }
    }
}

#[test]
fn every_reference_leads_to_something() {
    fn look(description: &Value, at: &Value, seen: &mut usize) {
        match at {
            Value::Object(members) => {
                if let Some(to) = members.get("$ref") {
                    let to = to.as_str().unwrap();
                    let pointer = to.strip_prefix('#').unwrap();
                    assert!(description.pointer(pointer).is_some(), "{to}");
                    *seen += 1;
                }
                members.values().for_each(|at| look(description, at, seen));
            }
            Value::Array(items) => items.iter().for_each(|at| look(description, at, seen)),
            _ => {}
        }
    }
    let description = description();
    let mut seen = 0;
    look(&description, &description, &mut seen);
    assert!(seen > 20);
}

#[test]
fn every_parameter_is_of_its_path_and_has_a_schema() {
    let description = description();
    let mut ids = BTreeSet::new();
    for (name, operation) in operations(&description) {
        let id = operation["operationId"].as_str().unwrap();
        assert!(ids.insert(id.to_owned()), "{id} is there twice");
        let empty = Vec::new();
        let parameters = operation["parameters"].as_array().unwrap_or(&empty);
        let mut in_path = BTreeSet::new();
        let mut known = BTreeSet::new();
        for parameter in parameters {
            let (place, called) = (&parameter["in"], parameter["name"].as_str().unwrap());
            assert!(
                known.insert((place.to_string(), called)),
                "{name}: {called}"
            );
            assert!(parameter["schema"]["type"].is_string(), "{name}: {called}");
            if place == "path" {
                assert_eq!(parameter["required"], true, "{name}: {called}");
                in_path.insert(called);
            }
        }
        let braced = |part: &str| part.starts_with('{');
        let wanted = name.split('/').filter(|part| braced(part));
        let wanted: BTreeSet<_> = wanted.map(|part| part.trim_matches(['{', '}'])).collect();
        assert_eq!(in_path, wanted, "{name}");
    }
}

#[test]
fn requests_are_described_with_the_limits_that_are_kept() {
    let description = description();
    let schemas = &description["components"]["schemas"];
    let enter = &schemas["EnterRequest"]["properties"];
    assert_eq!(enter["name"]["maxLength"], NAME_CHARACTERS_MAX);
    assert_eq!(enter["code"]["maxLength"], CODE_CHARACTERS_MAX);
    assert_eq!(enter["birth_date"]["format"], "date");
    for (name, takes_agreed) in [("SeatRequest", false), ("BookRequest", true)] {
        let seat = schemas[name]["oneOf"].as_array().unwrap();
        let alone: Vec<_> = seat.iter().map(|one| one["required"].clone()).collect();
        assert_eq!(
            alone,
            [serde_json::json!(["hold"]), serde_json::json!(["slot"])]
        );
        assert!(seat.iter().all(|one| one["additionalProperties"] == false));
        let has_agreed = |one: &Value| one["properties"]["agreed"].is_object();
        assert!(seat.iter().all(|one| has_agreed(one) == takes_agreed));
    }
    assert_eq!(
        schemas["HoldRequest"]["properties"]["slot"]["pattern"],
        "^[0-9]+$"
    );
    for call in [
        "/bookings",
        "/bookings/{number}/move",
        "/bookings/{number}/cancel",
    ] {
        let parameters = &operation(&description, "post", call)["parameters"];
        let is_key = |one: &&Value| one["name"] == "Idempotency-Key" && one["in"] == "header";
        let key = parameters.as_array().unwrap().iter().find(is_key);
        let key = &key.unwrap()["schema"];
        assert_eq!(key["maxLength"], IDEMPOTENCY_KEY_MAX, "{call}");
    }
    for (name, operation) in operations(&description) {
        let Some(body) = operation.get("requestBody") else {
            continue;
        };
        assert!(body["content"]["application/json"].is_object(), "{name}");
        for status in ["400", "413", "415", "422"] {
            assert!(
                operation["responses"][status].is_object(),
                "{name} {status}"
            );
        }
    }
    for (name, operation) in operations(&description) {
        if !name.starts_with("get ") {
            let refused = &operation["responses"]["403"].to_string();
            assert!(refused.contains("foreign_request"), "{name}");
        }
    }
}
