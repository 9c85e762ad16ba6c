//! Two schemas of one version: what objects lose, and what of them is refused.

use std::collections::BTreeSet;

use serde_json::Value;

use super::narrower::{self, Narrower};
use super::{CrdBreak, is};

const ANY: &str = "any";
const INT_OR_STRING: &str = "integer or string";
const PRESERVED: &str = "x-kubernetes-preserve-unknown-fields";
/// Every object has them, whatever its schema says.
const OF_ALL: [&str; 3] = ["apiVersion", "kind", "metadata"];

pub(super) fn breaks(version: &str, old: &Value, new: &Value) -> Vec<CrdBreak> {
    let mut walk = Walk { version, found: Vec::new() };
    if old.is_object() && new.is_object() {
        walk.schema("", old, new);
    }
    walk.found
}

struct Walk<'a> {
    version: &'a str,
    found: Vec<CrdBreak>,
}

impl Walk<'_> {
    fn schema(&mut self, place: &str, old: &Value, new: &Value) {
        let (was, is) = (kind(old), kind(new));
        if !takes(is, was) {
            let (version, field) = (self.version.to_owned(), place.to_owned());
            return self.found.push(CrdBreak::TypeChanged { version, field, was: was.into(), is: is.into() });
        }
        self.fields(place, old, new);
        self.other_fields(place, old, new);
        self.required(place, old, new);
        self.narrowed(place, old, new);
        if let (Some(old), Some(new)) = (old.get("items"), new.get("items")) {
            self.schema(&format!("{place}[]"), old, new);
        }
    }

    fn fields(&mut self, place: &str, old: &Value, new: &Value) {
        for (name, before) in old["properties"].as_object().into_iter().flatten() {
            if place.is_empty() && OF_ALL.contains(&name.as_str()) {
                continue;
            }
            let field = below(place, name);
            match new["properties"].get(name).or_else(|| others(new)) {
                Some(after) => self.schema(&field, before, after),
                None if takes_any(new) => {}
                None => self.removed(field),
            }
        }
    }

    /// Names that `properties` doesn't list.
    fn other_fields(&mut self, place: &str, old: &Value, new: &Value) {
        match (others(old), others(new)) {
            (Some(before), Some(after)) => self.schema(&below(place, "*"), before, after),
            (before, None) if (before.is_some() || takes_any(old)) && !takes_any(new) => {
                self.removed(below(place, "*"));
            }
            _ => {}
        }
    }

    fn required(&mut self, place: &str, old: &Value, new: &Value) {
        let names = |schema: &Value| -> BTreeSet<String> {
            let all = schema["required"].as_array().into_iter().flatten();
            all.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        for name in names(new).difference(&names(old)) {
            if new["properties"][name].get("default").is_none() {
                let (version, field) = (self.version.to_owned(), below(place, name));
                self.found.push(CrdBreak::NewlyRequired { version, field });
            }
        }
    }

    fn narrowed(&mut self, place: &str, old: &Value, new: &Value) {
        for Narrower { rule, was, is } in narrower::of(old, new) {
            let (version, field) = (self.version.to_owned(), place.to_owned());
            self.found.push(CrdBreak::Narrowed { version, field, rule, was, is });
        }
    }

    fn removed(&mut self, field: String) {
        self.found.push(CrdBreak::FieldRemoved { version: self.version.to_owned(), field });
    }
}

fn below(place: &str, name: &str) -> String {
    if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") }
}

fn kind(schema: &Value) -> &str {
    match schema["type"].as_str() {
        _ if is(&schema["x-kubernetes-int-or-string"]) => INT_OR_STRING,
        Some(kind) if !kind.is_empty() => kind,
        _ => ANY,
    }
}

/// True if whatever is `was` is `is` as well.
fn takes(is: &str, was: &str) -> bool {
    is == was
        || is == ANY
        || (is == "number" && was == "integer")
        || (is == INT_OR_STRING && matches!(was, "integer" | "string"))
}

/// The schema of names that aren't listed.
fn others(schema: &Value) -> Option<&Value> {
    schema.get("additionalProperties").filter(|others| others.is_object())
}

/// True if names that aren't listed stay as they are.
fn takes_any(schema: &Value) -> bool {
    is(&schema[PRESERVED]) || is(&schema["additionalProperties"])
}
