//! Images where no post-renderer comes: Helm values carry them, with the digest, and from a mirror where there is one.
//!
//! A release says which image goes to which values, as texts with `{host}`, `{path}`, `{name}` and `{digest}`. A data plane
//! fills them in and gives them to Flux so that no other values come after them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::digest::Digest;
use crate::json_pointer;
use crate::values::over;

/// The feature that a release with such values names in `critical`: a reader that doesn't know them would run those images
/// by their tag.
pub const IMAGE_VALUES: &str = "imageValues";
/// So deep may values be nested.
const MAX_DEPTH: usize = 16;

/// One image and the values that carry it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ImageValues {
    /// `host/path` at its makers, without a tag; a customer's mirror replaces the host.
    pub image: String,
    /// What is run.
    pub digest: Digest,
    /// Helm values. In their texts `{host}`, `{path}`, `{name}` (host and path) and `{digest}` are filled in.
    #[schemars(with = "std::collections::BTreeMap<String, serde_json::Value>")]
    pub values: Map<String, Value>,
}

impl ImageValues {
    /// What is wrong with it, in words; nothing if it is good.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut carries = false;
        let mut check = |text: &str| {
            carries |= text.contains("{digest}");
            let rest = ["{host}", "{path}", "{name}", "{digest}"]
                .iter()
                .fold(text.to_owned(), |rest, field| rest.replace(field, ""));
            if rest.contains(['{', '}']) {
                problems.push(format!(
                    "`{}` has braces around something else than host, path, name or digest",
                    crate::printable(text)
                ));
            }
        };
        // All of them, also behind one that is too deep.
        let deep = self.values.values().filter(|value| !walk(value, MAX_DEPTH, &mut check)).count() > 0;
        if deep {
            problems.push(format!("values are nested more than {MAX_DEPTH} deep"));
        }
        if !carries {
            problems.push("no text has `{digest}`".to_owned());
        }
        if !self.image.contains('/') {
            problems.push(format!("`{}` is no `host/path`", crate::printable(&self.image)));
        }
        problems
    }

    /// The values for an image that is pulled as `name` (`host/path`).
    fn filled(&self, name: &str) -> Map<String, Value> {
        let (host, path) = name.split_once('/').unwrap_or_default();
        let digest = self.digest.to_string();
        let fill = |text: &str| {
            let fields =
                [("{host}", host), ("{path}", path), ("{name}", name), ("{digest}", digest.as_str())];
            fields.iter().fold(text.to_owned(), |text, (field, with)| text.replace(field, with))
        };
        table(&self.values, &fill)
    }
}

/// All values of a component's images; `pulled` says where an image is pulled from.
pub fn filled(all: &[ImageValues], pulled: impl Fn(&str) -> String) -> Map<String, Value> {
    all.iter().map(|one| one.filled(&pulled(&one.image))).fold(Map::new(), over)
}

/// Places that two images would fill, as JSON Pointers.
pub fn collisions(all: &[ImageValues]) -> Vec<String> {
    let places: Vec<_> = all.iter().map(|one| places(&one.values)).collect();
    let below = |a: &str, b: &str| a == b || a.strip_prefix(b).is_some_and(|rest| rest.starts_with('/'));
    let mut found = Vec::new();
    for (number, these) in places.iter().enumerate() {
        for other in places.iter().skip(number + 1).flatten() {
            found.extend(these.iter().filter(|one| below(one, other) || below(other, one)).cloned());
        }
    }
    found
}

/// The places of all values that are no tables, as JSON Pointers (RFC 6901).
pub fn places(values: &Map<String, Value>) -> Vec<String> {
    let mut found = Vec::new();
    for (key, value) in values {
        let here = json_pointer::below("", key);
        match value {
            Value::Object(inner) => {
                found.extend(places(inner).into_iter().map(|rest| format!("{here}{rest}")));
            }
            _ => found.push(here),
        }
    }
    found
}

/// False if it is deeper than `depth`.
fn walk(value: &Value, depth: usize, text: &mut impl FnMut(&str)) -> bool {
    match value {
        _ if depth == 0 => false,
        Value::String(found) => {
            text(found);
            true
        }
        Value::Array(list) => list.iter().all(|inner| walk(inner, depth - 1, text)),
        Value::Object(map) => map.values().all(|inner| walk(inner, depth - 1, text)),
        _ => true,
    }
}

fn table(values: &Map<String, Value>, fill: &impl Fn(&str) -> String) -> Map<String, Value> {
    values.iter().map(|(key, value)| (key.clone(), one(value, fill))).collect()
}

fn one(value: &Value, fill: &impl Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(fill(text)),
        Value::Array(list) => Value::Array(list.iter().map(|inner| one(inner, fill)).collect()),
        Value::Object(map) => Value::Object(table(map, fill)),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn of(image: &str, values: Value) -> ImageValues {
        let values = serde_json::from_value(values).unwrap();
        ImageValues { image: image.to_owned(), digest: Digest::of(b"x"), values }
    }

    #[test]
    fn an_image_is_filled_in_at_its_makers_and_at_a_mirror() {
        let whole = of("q.io/a/b", json!({ "args": ["--image={name}:v1@{digest}"], "replicas": 2 }));
        let parts = of(
            "q.io/c",
            json!({ "image": { "registry": "{host}", "repository": "{path}", "tag": "v1@{digest}" } }),
        );
        let digest = Digest::of(b"x");
        let all = [whole, parts];
        for (pulled, host, folder) in [("", "q.io", ""), ("m.example:5/p/", "m.example:5", "p/")] {
            let pull = |name: &str| match pulled {
                "" => name.to_owned(),
                mirror => format!("{mirror}{}", name.split_once('/').unwrap().1),
            };
            let image = json!({ "registry": host, "repository": format!("{folder}c"), "tag": format!("v1@{digest}") });
            let args = [format!("--image={host}/{folder}a/b:v1@{digest}")];
            let wanted = json!({ "args": args, "replicas": 2, "image": image });
            assert_eq!(Value::Object(filled(&all, pull)), wanted);
        }
    }

    #[test]
    fn what_could_not_be_filled_in_is_named() {
        for (image, values, cause) in [
            ("q.io/a", json!({ "a": "{digest}" }), None),
            ("q.io/a", json!({ "a": "{name}:1" }), Some("no text has `{digest}`")),
            ("q.io/a", json!({ "a": "{nam}@{digest}" }), Some("has braces")),
            ("q.io/a", json!({ "a": "{{ .Values.b }}@{digest}" }), Some("has braces")),
            ("short", json!({ "a": "{digest}" }), Some("is no `host/path`")),
        ] {
            let problems = of(image, values.clone()).problems();
            match cause {
                None => assert_eq!(problems, Vec::<String>::new()),
                Some(cause) => {
                    assert!(problems.iter().any(|one| one.contains(cause)), "{values}: {problems:?}")
                }
            }
        }
        let deep = (0..MAX_DEPTH).fold(json!("{digest}"), |inner, _| json!({ "a": inner }));
        let deep = of("q.io/a", json!({ "a": deep, "b": "{digest}" }));
        assert_eq!(deep.problems(), ["values are nested more than 16 deep"]);
    }

    #[test]
    fn two_images_at_one_place_are_named() {
        let at = |values| of("q.io/a", values);
        let apart = [at(json!({ "a": { "b": "1" } })), at(json!({ "a": { "c": "1" }, "ab": "1" }))];
        assert_eq!(collisions(&apart), Vec::<String>::new());
        assert_eq!(
            collisions(&[at(json!({ "a": { "b/c": "1" } })), at(json!({ "a": { "b/c": "2" } }))]),
            ["/a/b~1c"]
        );
        assert_eq!(collisions(&[at(json!({ "a": "1" })), at(json!({ "a": { "b": "2" } }))]), ["/a"]);
    }
}
