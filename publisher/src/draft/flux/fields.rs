//! Fields that have no place in a release.

use serde_json::Value;

use super::super::Left;
use super::{Key, shown};

/// A field, and why what it says isn't taken over.
pub(super) type Reason = (&'static str, &'static str);

/// What is said of fields that nobody here knows.
const UNKNOWN: &str = "a release has nothing like it: see whether what is installed differs without it";

/// Tells every field of an object that says something and isn't among those that count.
pub(super) fn told(
    key: &Key,
    (place, of): (&str, &Value),
    counts: &[&str],
    reasons: &[Reason],
    left: &mut Vec<Left>,
) {
    let fields = of.as_object().into_iter().flatten();
    for (field, _) in fields.filter(|(field, value)| says(value) && !counts.contains(&field.as_str())) {
        let why = reasons.iter().find(|(name, _)| name == field).map_or(UNKNOWN, |(_, why)| *why);
        let field = pdp_policies::printable(&format!("{place}.{field}")).to_string();
        left.push(Left::new(shown(key), &field, why));
    }
}

fn says(value: &Value) -> bool {
    let empty = value.as_array().is_some_and(Vec::is_empty)
        || value.as_object().is_some_and(serde_json::Map::is_empty);
    !(value.is_null() || *value == false || *value == "" || empty)
}
