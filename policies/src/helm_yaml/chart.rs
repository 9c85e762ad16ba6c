//! `Chart.yaml`, whose fields have types: Helm makes text of a number where it wants text.

use serde_json::Value;

use super::{Result, Table, number, values};

/// The fields that aren't text, or lists or maps of text.
const OTHERS: [&str; 3] = ["deprecated", "enabled", "import-values"];

/// What `Chart.yaml` says, as Helm reads it: `version: 1.10` is `1.1`.
///
/// # Errors
/// As [`values`].
pub fn chart(text: &str) -> Result<Table> {
    Ok(with_texts(values(text)?))
}

fn with_texts(table: Table) -> Table {
    let entry = |(key, value): (String, Value)| match OTHERS.contains(&key.as_str()) {
        true => (key, value),
        false => (key, texts(value)),
    };
    table.into_iter().map(entry).collect()
}

fn texts(value: Value) -> Value {
    match value {
        Value::Bool(value) => Value::String(value.to_string()),
        Value::Number(number) => match number.as_f64() {
            Some(value) if number.is_f64() => Value::String(number::short(value)),
            _ => Value::String(number.to_string()),
        },
        Value::Array(items) => Value::Array(items.into_iter().map(texts).collect()),
        Value::Object(table) => Value::Object(with_texts(table)),
        other => other,
    }
}
