//! Images where no post-renderer comes: Helm values carry them, with the digest, and from a mirror where there is one.
//!
//! A release says which image goes to which values, as texts with `{host}`, `{path}`, `{name}` and `{digest}`. A data plane
//! fills them in and gives them to Flux so that no other values come after them. Lists replace each other in Helm: where one
//! list carries several images, one entry has them all, the further ones as `{name:KEY}` and the like.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::digest::Digest;
use crate::json_pointer;
use crate::values::over;

/// The feature that a release with such values names in `critical`: a reader that doesn't know them would run those images
/// by their tag.
pub const IMAGE_VALUES: &str = "imageValues";
/// The feature that a release names in `critical` besides, if one entry carries several images.
pub const IMAGE_VALUES_OTHERS: &str = "imageValuesOthers";
/// The texts that are filled in.
const FIELDS: [&str; 4] = ["host", "path", "name", "digest"];
/// So many images one entry carries besides its own.
const MAX_OTHERS: usize = 16;
/// The longest name of one of them (bytes).
const MAX_KEY: usize = 32;
/// So deep may values be nested.
const MAX_DEPTH: usize = 16;

/// An image that is carried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CarriedImage {
    /// `host/path` at its makers, without a tag; a customer's mirror replaces the host.
    pub image: String,
    /// What is run.
    pub digest: Digest,
}

/// One image, or several, and the values that carry it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ImageValues {
    /// `host/path` at its makers, without a tag; a customer's mirror replaces the host.
    pub image: String,
    /// What is run.
    pub digest: Digest,
    /// Further images that the same values carry, by a key of lower-case letters, digits and `-`; at most 16.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub others: BTreeMap<String, CarriedImage>,
    /// Helm values. In their texts `{host}`, `{path}`, `{name}` (host and path) and `{digest}` are filled in, and for a further
    /// image `{host:KEY}`, `{path:KEY}`, `{name:KEY}` and `{digest:KEY}`.
    #[schemars(with = "std::collections::BTreeMap<String, serde_json::Value>")]
    pub values: Map<String, Value>,
}

impl ImageValues {
    /// Every image that it carries, its own first, as `host/path` and digest.
    pub fn images(&self) -> impl Iterator<Item = (&str, Digest)> {
        let others = self.others.values().map(|other| (other.image.as_str(), other.digest));
        std::iter::once((self.image.as_str(), self.digest)).chain(others)
    }

    /// What is wrong with it, in words; nothing if it is good.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = self.wrong_others();
        let mut texts = Vec::new();
        // All of them, also behind one that is too deep.
        let values = self.values.values();
        if values.filter(|value| !walk(value, MAX_DEPTH, &mut |text| texts.push(text.to_owned()))).count() > 0
        {
            problems.push(format!("values are nested more than {MAX_DEPTH} deep"));
        }
        let known: Vec<_> = self.keys().flat_map(|key| FIELDS.map(|field| placeholder(field, key))).collect();
        for text in &texts {
            let rest = known.iter().fold(text.clone(), |rest, field| rest.replace(field, ""));
            if rest.contains(['{', '}']) {
                problems.push(format!(
                    "`{}` has braces around something else than host, path, name or digest",
                    crate::printable(text)
                ));
            }
        }
        let digests = self.keys().map(|key| placeholder("digest", key));
        let idle = digests.filter(|digest| !texts.iter().any(|text| text.contains(digest)));
        problems.extend(idle.map(|digest| format!("no text has `{digest}`")));
        let bad = self.images().filter(|(image, _)| !image.contains('/'));
        problems.extend(bad.map(|(image, _)| format!("`{}` is no `host/path`", crate::printable(image))));
        problems
    }

    fn wrong_others(&self) -> Vec<String> {
        let is_plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
        let is_key = |key: &str| (1..=MAX_KEY).contains(&key.len()) && key.bytes().all(is_plain);
        let bad = self.others.keys().filter(|key| !is_key(key));
        let mut problems: Vec<_> = bad
            .map(|key| {
                format!("`{}` is no key: write at most {MAX_KEY} of a-z, 0-9 and -", crate::printable(key))
            })
            .collect();
        if self.others.len() > MAX_OTHERS {
            problems.push(format!("more than {MAX_OTHERS} further images"));
        }
        problems
    }

    /// The keys of its images, none for its own.
    fn keys(&self) -> impl Iterator<Item = Option<&str>> {
        std::iter::once(None).chain(self.others.keys().map(|key| Some(key.as_str())))
    }

    /// The values for images that are pulled from where `pulled` says, as `host/path`.
    fn filled(&self, pulled: &impl Fn(&str) -> String) -> Map<String, Value> {
        let mut fields = Vec::new();
        for (key, (image, digest)) in self.keys().zip(self.images()) {
            let name = pulled(image);
            let (host, path) = name.split_once('/').unwrap_or_default();
            let with = [host.to_owned(), path.to_owned(), name.clone(), digest.to_string()];
            fields.extend(FIELDS.map(|field| placeholder(field, key)).into_iter().zip(with));
        }
        let fill =
            |text: &str| fields.iter().fold(text.to_owned(), |text, (field, with)| text.replace(field, with));
        table(&self.values, &fill)
    }
}

/// What stands in a text for an image's field.
fn placeholder(field: &str, key: Option<&str>) -> String {
    match key {
        Some(key) => format!("{{{field}:{key}}}"),
        None => format!("{{{field}}}"),
    }
}

/// What a reader of a release with these has to know.
pub fn features<'a>(all: impl Iterator<Item = &'a ImageValues>) -> Vec<&'static str> {
    let others: Vec<_> = all.map(|one| !one.others.is_empty()).collect();
    let carried = (!others.is_empty()).then_some(IMAGE_VALUES);
    carried.into_iter().chain(others.contains(&true).then_some(IMAGE_VALUES_OTHERS)).collect()
}

/// All values of a component's images; `pulled` says where an image is pulled from.
pub fn filled(all: &[ImageValues], pulled: impl Fn(&str) -> String) -> Map<String, Value> {
    all.iter().map(|one| one.filled(&pulled)).fold(Map::new(), over)
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
        ImageValues { image: image.to_owned(), digest: Digest::of(b"x"), others: BTreeMap::new(), values }
    }

    fn with(others: &[(&str, &str)], values: Value) -> ImageValues {
        let one = |(key, image): &(&str, &str)| {
            let other = CarriedImage { image: (*image).to_owned(), digest: Digest::of(image.as_bytes()) };
            ((*key).to_owned(), other)
        };
        ImageValues { others: others.iter().map(one).collect(), ..of("q.io/a", values) }
    }

    #[test]
    fn one_list_carries_several_images() {
        let args = json!({ "extraArgs": ["--a={name}@{digest}", "--b={host:b}/{path:b}@{digest:b}", "--c={name:c-1}@{digest:c-1}"] });
        let several = with(&[("b", "q.io/x/b"), ("c-1", "r.io/c")], args);
        assert_eq!(several.problems(), Vec::<String>::new());
        let pull = |name: &str| format!("m.example/{}", name.split_once('/').unwrap().1);
        let wanted = json!({ "extraArgs": [
            format!("--a=m.example/a@{}", Digest::of(b"x")),
            format!("--b=m.example/x/b@{}", Digest::of(b"q.io/x/b")),
            format!("--c=m.example/c@{}", Digest::of(b"r.io/c")),
        ] });
        assert_eq!(Value::Object(filled(&[several], pull)), wanted);
    }

    #[test]
    fn a_further_image_that_could_not_be_filled_in_is_named() {
        let good = json!({ "a": ["{digest}", "{digest:b}"] });
        let many: Vec<_> = (0..=MAX_OTHERS).map(|number| format!("k{number}")).collect();
        let all: Vec<_> = many.iter().map(|key| (key.as_str(), "q.io/b")).collect();
        for (others, values, cause) in [
            (&[("b", "q.io/b")][..], good.clone(), None),
            (&[("b", "q.io/b")], json!({ "a": "{digest}" }), Some("no text has `{digest:b}`")),
            (&[("b", "q.io/b")], json!({ "a": ["{digest}", "{digest:b}{name:c}"] }), Some("has braces")),
            (&[("b", "short")], good.clone(), Some("is no `host/path`")),
            (&[("B", "q.io/b")], good.clone(), Some("is no key")),
            (&[("", "q.io/b")], good.clone(), Some("is no key")),
            (&all, good, Some("more than 16 further images")),
        ] {
            let problems = with(others, values.clone()).problems();
            match cause {
                None => assert_eq!(problems, Vec::<String>::new()),
                Some(cause) => {
                    assert!(problems.iter().any(|one| one.contains(cause)), "{values}: {problems:?}")
                }
            }
        }
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
