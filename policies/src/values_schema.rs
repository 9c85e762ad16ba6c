//! Helm values against a chart's `values.schema.json`, offline. Values never appear in a message, only their paths: they may
//! be secrets.

use jsonschema::error::ValidationErrorKind;
use jsonschema::{PatternOptions, Retrieve, Uri, ValidationError};
use serde_json::{Map, Value};

use crate::json_pointer;

/// A `values.schema.json` may not be larger (bytes).
pub const MAX_SCHEMA_BYTES: usize = 1024 * 1024;

/// What a schema refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// JSON Pointer of what is wrong; empty for the values as a whole.
    pub place: String,
    /// JSON Pointer of what is to blame: below the place, where a key isn't foreseen.
    pub blamed: String,
    /// What is wrong, without any value.
    pub message: String,
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let place = if self.place.is_empty() { "top level" } else { &json_pointer::dotted(&self.place) };
        write!(f, "{place}: {}", self.message)
    }
}

/// Everything that `schema` refuses in `values`, in the order in which it is found. Helm joins the defaults of subcharts in,
/// so what lies below their keys isn't judged, and each key counts as given.
///
/// # Errors
/// When it is no schema, and why.
pub fn violations(
    schema: &Value,
    mut values: Map<String, Value>,
    subcharts: &[String],
) -> Result<Vec<Violation>, String> {
    for key in subcharts {
        values.entry(key).or_insert_with(|| Value::Object(Map::new()));
    }
    let patterns = PatternOptions::fancy_regex().backtrack_limit(100_000).size_limit(1024 * 1024);
    let options = jsonschema::options().with_retriever(Offline).with_pattern_options(patterns);
    let validator = options.build(schema).map_err(|e| e.to_string())?;
    let found =
        validator.iter_errors(&Value::Object(values)).map(|error| violation(&error)).collect::<Vec<_>>();
    Ok(found.into_iter().filter(|it| !concerns(it, subcharts)).collect())
}

fn concerns(violation: &Violation, subcharts: &[String]) -> bool {
    let first = violation.place.split('/').nth(1).unwrap_or_default();
    subcharts.iter().any(|key| key == first)
}

fn violation(error: &ValidationError<'_>) -> Violation {
    let place = error.instance_path().as_str();
    let blamed = match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            unexpected.first().map_or_else(|| place.to_owned(), |key| json_pointer::below(place, key))
        }
        _ => place.to_owned(),
    };
    Violation { place: place.to_owned(), blamed, message: error.masked().to_string() }
}

/// No schema is fetched from anywhere: what another document demands is left to Helm.
struct Offline;

impl Retrieve for Offline {
    fn retrieve(&self, _: &Uri<String>) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Value::Bool(true))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn judge(schema: &Value, values: Value) -> Result<Vec<Violation>, String> {
        violations(schema, serde_json::from_value(values).unwrap(), &[])
    }

    #[test]
    fn the_path_is_named_and_no_value() {
        let schema = json!({
            "additionalProperties": false,
            "properties": { "tls": { "properties": { "secret": { "type": "string" } } }, "size": { "maximum": 2 } },
        });
        for (values, wanted) in [
            (json!({ "size": 2 }), vec![]),
            (
                json!({ "tls": { "secret": 42 } }),
                vec!["tls.secret: value is not of type \"string\" (/tls/secret)"],
            ),
            (json!({ "size": 3 }), vec!["size: value is greater than the maximum of 2 (/size)"]),
        ] {
            let found = judge(&schema, values).unwrap();
            let found: Vec<_> = found.iter().map(|it| format!("{it} ({})", it.blamed)).collect();
            assert_eq!(found, wanted);
        }
        let found = judge(&schema, json!({ "sise": "s3cret" })).unwrap();
        assert_eq!((found[0].place.as_str(), found[0].blamed.as_str()), ("", "/sise"));
        assert!(found[0].to_string().starts_with("top level: ") && !found[0].message.contains("s3cret"));
        assert!(judge(&json!({ "type": "no such type" }), json!({})).is_err());
    }
}
