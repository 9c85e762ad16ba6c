//! Every image string in rendered manifests, with the place where it stands. Pure.
//!
//! In containers and image volumes whatever stands there is an image. Anywhere else a text counts as one if it names host
//! and tag, or if the field, flag or variable is called an image's.

use serde_json::{Map, Value};

use super::document::Place;
use super::reference::Reference;

/// One image string in one object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Seen {
    pub(crate) image: Reference,
    pub(crate) place: Place,
    pub(crate) in_hook: bool,
    /// `kind/name` of the object.
    pub(crate) object: String,
}

/// All image strings of rendered objects, and texts that stand where an image has to but aren't one.
pub(crate) fn images(objects: &[Value]) -> (Vec<Seen>, Vec<String>) {
    let mut walk = Walk::default();
    for object in objects.iter().flat_map(items) {
        walk.object(object);
    }
    walk.seen.sort();
    walk.seen.dedup();
    (walk.seen, walk.bad)
}

/// The objects of a `List`, or the object itself.
fn items(object: &Value) -> Vec<&Value> {
    match (object["kind"].as_str(), object["items"].as_array()) {
        (Some(kind), Some(items)) if kind.ends_with("List") => items.iter().collect(),
        _ => vec![object],
    }
}

#[derive(Default)]
struct Walk {
    seen: Vec<Seen>,
    bad: Vec<String>,
    object: String,
    in_hook: bool,
    /// What a plain field of this object is.
    field: Option<Place>,
}

impl Walk {
    fn object(&mut self, object: &Value) {
        let kind = object["kind"].as_str().unwrap_or_default();
        if kind == "CustomResourceDefinition" {
            // Schemas: prose and examples. What an operator makes of a default, no rendering shows.
            return;
        }
        self.object = format!("{kind}/{}", object["metadata"]["name"].as_str().unwrap_or_default());
        self.in_hook = object["metadata"]["annotations"]["helm.sh/hook"].is_string();
        self.field = Some(match kind {
            "ConfigMap" | "Secret" => Place::ConfigMap,
            _ => Place::CustomResource,
        });
        for (key, value) in object.as_object().into_iter().flatten() {
            match key.as_str() {
                "metadata" | "kind" | "apiVersion" | "status" => {}
                _ => self.value(key, value),
            }
        }
    }

    fn value(&mut self, key: &str, value: &Value) {
        match (key, value) {
            ("containers", Value::Array(list)) => self.containers(list, Place::Container),
            ("initContainers", Value::Array(list)) => self.containers(list, Place::InitContainer),
            ("ephemeralContainers", Value::Array(list)) => self.containers(list, Place::EphemeralContainer),
            ("volumes", Value::Array(list)) => list.iter().for_each(|volume| self.volume(volume)),
            ("env", Value::Array(list)) => list.iter().for_each(|variable| self.variable(variable)),
            ("args" | "command", Value::Array(list)) => self.arguments(list),
            ("labels" | "annotations" | "matchLabels" | "nodeSelector", Value::Object(_)) => {}
            (_, Value::Object(map)) => self.map(key, map),
            (_, Value::Array(list)) => list.iter().for_each(|inner| self.value(key, inner)),
            (_, Value::String(text)) => self.text(key, text),
            _ => {}
        }
    }

    fn map(&mut self, key: &str, map: &Map<String, Value>) {
        if let Some(image) = is_image_name(key).then(|| from_parts(map)).flatten() {
            self.add(image, self.field.unwrap_or(Place::CustomResource));
        }
        for (key, value) in map {
            self.value(key, value);
        }
    }

    fn containers(&mut self, list: &[Value], place: Place) {
        for container in list {
            match container["image"].as_str() {
                Some(text) => self.must(text, place),
                None if container["image"].is_null() => {}
                None => self.bad.push(format!("{}: an image that isn't text", self.object)),
            }
            for (key, value) in container.as_object().into_iter().flatten().filter(|(key, _)| *key != "image")
            {
                self.value(key, value);
            }
        }
    }

    fn volume(&mut self, volume: &Value) {
        match volume["image"]["reference"].as_str() {
            Some(text) => self.must(text, Place::ImageVolume),
            None => self.value("volume", volume),
        }
    }

    fn variable(&mut self, variable: &Value) {
        let (name, value) = (variable["name"].as_str().unwrap_or_default(), variable["value"].as_str());
        if let Some(text) = value {
            self.words(is_image_name(name), text, Place::Environment);
        }
    }

    fn arguments(&mut self, list: &[Value]) {
        let mut named = false;
        for text in list.iter().filter_map(Value::as_str) {
            match text.split_once('=').filter(|(flag, _)| flag.starts_with('-')) {
                Some((flag, value)) => self.words(is_image_name(flag), value, Place::Argument),
                None => self.words(named, text, Place::Argument),
            }
            // `--image NAME`: the next word is the flag's.
            named = text.starts_with('-') && !text.contains('=') && is_image_name(text);
        }
    }

    fn text(&mut self, key: &str, text: &str) {
        let place = self.field.unwrap_or(Place::CustomResource);
        self.words(is_image_name(key), text, place);
    }

    /// A text that is called an image is one if it can be; within other texts words with host and tag are.
    fn words(&mut self, called_image: bool, text: &str, place: Place) {
        if let Some(image) = Reference::parse(text.trim()).filter(|_| called_image) {
            return self.add(image, place);
        }
        let apart = |c: char| c.is_whitespace() || "\"'`,;=()[]{}<>|".contains(c);
        for word in text.split(apart) {
            if let Some(image) = Reference::parse(word.trim_end_matches('.')).filter(is_telling) {
                self.add(image, place);
            }
        }
    }

    fn must(&mut self, text: &str, place: Place) {
        match Reference::parse(text.trim()) {
            Some(image) => self.add(image, place),
            None => self.bad.push(format!("{}: `{}`", self.object, pdp_policies::printable(text))),
        }
    }

    fn add(&mut self, image: Reference, place: Place) {
        self.seen.push(Seen { image, place, in_hook: self.in_hook, object: self.object.clone() });
    }
}

/// Host and tag or digest: nothing else looks like this but `host:port` (no path) and addresses (`//`).
fn is_telling(image: &Reference) -> bool {
    let host =
        image.host().is_some_and(|host| host.contains('.') && host.bytes().any(|b| b.is_ascii_alphabetic()));
    host && (image.tag.is_some() || image.digest.is_some())
}

/// `image`, `baseImage`, `RELATED_IMAGE_X`, `--acme-http01-solver-image`; no `imagePullPolicy`.
pub(super) fn is_image_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.ends_with("image") || name.contains("image_") && !name.contains("pull")
}

/// `{registry, repository, tag, digest}` as values and some custom resources write it.
pub(super) fn from_parts(map: &Map<String, Value>) -> Option<Reference> {
    let text = |keys: &[&str]| {
        keys.iter().find_map(|key| map.get(*key).and_then(Value::as_str)).filter(|text| !text.is_empty())
    };
    let path = text(&["repository", "name"])
        .filter(|_| map.contains_key("repository") || map.contains_key("tag"))?;
    let mut whole = match text(&["registry"]) {
        Some(registry) => format!("{}/{path}", registry.trim_end_matches('/')),
        None => path.to_owned(),
    };
    let scalar = |value: &Value| match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    if let Some(tag) = map.get("tag").and_then(scalar) {
        whole.push_str(&format!(":{tag}"));
    }
    if let Some(digest) = text(&["digest", "sha"]).filter(|digest| digest.starts_with("sha256:")) {
        whole.push_str(&format!("@{digest}"));
    }
    Reference::parse(&whole)
}
