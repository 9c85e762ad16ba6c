//! What one schema takes and the next one doesn't, where the type is the same. Pure.

use std::collections::BTreeSet;

use serde_json::Value;

/// One rule that lets less through than before, with both bounds in words.
#[derive(Debug, PartialEq)]
pub(super) struct Narrower {
    pub(super) rule: &'static str,
    pub(super) was: String,
    pub(super) is: String,
}

/// Words for no bound at all.
const NONE: &str = "none";
/// Longer texts, such as patterns, are cut in what people are shown.
const LONGEST: usize = 120;
const UPPER: [&str; 4] = ["maxLength", "maxItems", "maxProperties", "maximum"];
/// Of these none is the same as zero.
const LOWER: [&str; 3] = ["minLength", "minItems", "minProperties"];
/// Whoever has another one than before may refuse what was good; nobody can compare them.
const CHANGED: [&str; 8] =
    ["pattern", "format", "multipleOf", "allOf", "anyOf", "oneOf", "not", "x-kubernetes-list-type"];
const SWITCHES: [&str; 3] = ["exclusiveMaximum", "exclusiveMinimum", "uniqueItems"];
const RULES: &str = "x-kubernetes-validations";

pub(super) fn of(old: &Value, new: &Value) -> Vec<Narrower> {
    let mut found: Vec<_> = values(old, new).into_iter().collect();
    let bound = |schema: &Value, rule: &str| schema[rule].as_f64();
    found.extend(UPPER.into_iter().filter_map(|rule| {
        let lower = bound(new, rule)? < bound(old, rule).unwrap_or(f64::INFINITY);
        lower.then(|| told(rule, old, new))
    }));
    found.extend(LOWER.into_iter().filter_map(|rule| {
        let higher = bound(new, rule)? > bound(old, rule).unwrap_or_default();
        higher.then(|| told(rule, old, new))
    }));
    let higher =
        bound(new, "minimum").is_some_and(|is| is > bound(old, "minimum").unwrap_or(f64::NEG_INFINITY));
    found.extend(higher.then(|| told("minimum", old, new)));
    let other = |rule: &&'static str| !new[*rule].is_null() && old[*rule] != new[*rule];
    found.extend(CHANGED.into_iter().filter(other).map(|rule| told(rule, old, new)));
    let on = |rule: &&'static str| new[*rule] == true && old[*rule] != true;
    found.extend(SWITCHES.into_iter().filter(on).map(|rule| told(rule, old, new)));
    found.extend((old["nullable"] == true && new["nullable"] != true).then(|| told("nullable", old, new)));
    found.extend(rules(old, new));
    found
}

/// Values that were allowed.
fn values(old: &Value, new: &Value) -> Option<Narrower> {
    let now = new["enum"].as_array()?;
    let gone: Vec<_> = match old["enum"].as_array() {
        None => return Some(told("enum", old, new)),
        Some(before) => before.iter().filter(|value| !now.contains(value)).collect(),
    };
    let words: Vec<_> = gone.iter().map(ToString::to_string).collect();
    (!gone.is_empty()).then(|| Narrower {
        rule: "enum",
        was: shortened(&format!("with {}", words.join(", "))),
        is: "without".to_owned(),
    })
}

/// Rules in CEL that weren't there.
fn rules(old: &Value, new: &Value) -> Vec<Narrower> {
    let texts = |schema: &Value| -> BTreeSet<String> {
        let all = schema[RULES].as_array().into_iter().flatten();
        all.filter_map(|rule| rule["rule"].as_str().map(str::to_owned)).collect()
    };
    let (before, now) = (texts(old), texts(new));
    let more = now.difference(&before);
    more.map(|rule| Narrower { rule: RULES, was: NONE.to_owned(), is: shortened(rule) }).collect()
}

fn told(rule: &'static str, old: &Value, new: &Value) -> Narrower {
    let words = |schema: &Value| match &schema[rule] {
        Value::Null => NONE.to_owned(),
        value => shortened(&value.to_string()),
    };
    Narrower { rule, was: words(old), is: words(new) }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}...", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_lets_less_through_is_told_and_what_lets_more_through_is_not() {
        for (old, new, wanted) in [
            (json!({}), json!({ "maxLength": 63 }), &["maxLength none 63"][..]),
            (json!({ "maxLength": 63 }), json!({ "maxLength": 20 }), &["maxLength 63 20"]),
            (json!({ "maxLength": 20 }), json!({ "maxLength": 63 }), &[]),
            (json!({ "maximum": 2 }), json!({}), &[]),
            (json!({}), json!({ "minItems": 0 }), &[]),
            (json!({}), json!({ "minItems": 1 }), &["minItems none 1"]),
            (json!({ "minimum": -5 }), json!({ "minimum": -1 }), &["minimum -5 -1"]),
            (json!({ "minimum": 1 }), json!({ "minimum": 0 }), &[]),
            (json!({ "enum": ["a", "b"] }), json!({ "enum": ["b", "c"] }), &["enum with \"a\" without"]),
            (json!({ "enum": ["a"] }), json!({ "enum": ["a", "b"] }), &[]),
            (json!({}), json!({ "enum": ["a"] }), &["enum none [\"a\"]"]),
            (json!({ "enum": ["a"] }), json!({}), &[]),
            (json!({ "pattern": "^a" }), json!({ "pattern": "^b" }), &["pattern \"^a\" \"^b\""]),
            (json!({ "pattern": "^a" }), json!({}), &[]),
            (json!({ "nullable": true }), json!({}), &["nullable true none"]),
            (json!({}), json!({ "uniqueItems": true }), &["uniqueItems none true"]),
            (
                json!({ RULES: [{ "rule": "self.a > 1" }] }),
                json!({ RULES: [{ "rule": "self.a > 1" }, { "rule": "self.b > 1" }] }),
                &["x-kubernetes-validations none self.b > 1"],
            ),
        ] {
            let found: Vec<_> =
                of(&old, &new).iter().map(|it| format!("{} {} {}", it.rule, it.was, it.is)).collect();
            assert_eq!(found, wanted, "{old} {new}");
        }
    }

    #[test]
    fn a_long_pattern_is_cut() {
        let found = of(&json!({}), &json!({ "pattern": "é".repeat(500) }));
        assert!(found.iter().all(|it| it.is.chars().count() <= LONGEST + 3), "{found:?}");
    }
}
