//! Every image string in rendered manifests, with the place where it stands. Pure.
//!
//! In containers and image volumes whatever stands there is an image. Anywhere else a text counts as one if it names host
//! and tag, or if the field, flag or variable is called an image's.

use serde_json::{Map, Value};

use super::document::Place;
use super::reference::Reference;
use super::yaml;
use crate::kubernetes_list::items;

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
    walk.bad.sort();
    walk.bad.dedup();
    (walk.seen, walk.bad)
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
        let inner = (place == Place::ConfigMap).then(|| yaml::documents(text).ok()).flatten();
        let inner: Vec<_> = inner.into_iter().flatten().filter(Value::is_object).collect();
        // A program's own configuration; anything else is text.
        for document in &inner {
            self.value(key, document);
        }
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(object: Value) -> Vec<(String, Place, bool)> {
        let (seen, bad) = images(&[object]);
        assert_eq!(bad, Vec::<String>::new());
        seen.into_iter().map(|seen| (seen.image.to_string(), seen.place, seen.in_hook)).collect()
    }

    fn one(text: &str, place: Place) -> Vec<(String, Place, bool)> {
        vec![(text.to_owned(), place, false)]
    }

    #[test]
    fn containers_are_found_at_any_depth_and_in_lists() {
        let pod = json!({ "containers": [{ "name": "a", "image": "nginx" }] });
        for object in [
            json!({ "kind": "Pod", "spec": pod }),
            json!({ "kind": "CronJob", "spec": { "jobTemplate": { "spec": { "template": { "spec": pod } } } } }),
            json!({ "kind": "Custom", "spec": { "any": [{ "deep": pod }] } }),
            json!({ "kind": "PodList", "items": [{ "kind": "Pod", "spec": pod }] }),
        ] {
            assert_eq!(found(object), one("nginx", Place::Container));
        }
        let init = json!({ "kind": "Pod", "spec": { "initContainers": [{ "image": "a/b:1" }] } });
        assert_eq!(found(init), one("a/b:1", Place::InitContainer));
        let ephemeral = json!({ "kind": "Pod", "spec": { "ephemeralContainers": [{ "image": "a/b:1" }] } });
        assert_eq!(found(ephemeral), one("a/b:1", Place::EphemeralContainer));
    }

    #[test]
    fn what_a_cluster_would_refuse_is_told() {
        for image in [json!("A/b:1"), json!("a b"), json!(7), json!("docker.io/"), json!("")] {
            let pod = json!({ "kind": "Pod", "metadata": { "name": "x" }, "spec": { "containers": [{ "image": image }] } });
            // Rendered twice, told once.
            let (seen, bad) = images(&[pod.clone(), pod]);
            assert_eq!((seen.len(), bad.len()), (0, 1), "{image}");
            assert!(bad[0].starts_with("Pod/x: "), "{bad:?}");
        }
    }

    #[test]
    fn flags_variables_and_fields_that_are_called_an_images_hold_one() {
        let args = |args: Value| json!({ "kind": "Pod", "spec": { "containers": [{ "args": args }] } });
        for (object, expected) in [
            (args(json!(["--image=busybox"])), "busybox"),
            (args(json!(["--solver-image", "a/b:1"])), "a/b:1"),
            (args(json!(["sh", "-c", "run 'quay.io/a/b:1'; wait"])), "quay.io/a/b:1"),
        ] {
            assert_eq!(found(object), one(expected, Place::Argument));
        }
        let env = json!({ "kind": "Pod", "spec": { "containers": [{ "env": [{ "name": "RELATED_IMAGE_A", "value": "a/b" }] }] } });
        assert_eq!(found(env), one("a/b", Place::Environment));
        let custom = json!({ "kind": "Alertmanager", "spec": { "baseImage": "a/b", "image": { "registry": "q.io", "repository": "c/d", "tag": 2 } } });
        let expected = [("a/b", Place::CustomResource), ("q.io/c/d:2", Place::CustomResource)];
        assert_eq!(found(custom), expected.map(|(text, place)| (text.to_owned(), place, false)));
    }

    #[test]
    fn addresses_ports_labels_and_schemas_are_no_images() {
        for object in [
            json!({ "kind": "ConfigMap", "data": { "a": "http://h.example/x:1 h.example:9090 10.0.0.1:80/x h.example/path" } }),
            json!({ "kind": "Pod", "spec": { "containers": [{ "args": ["--listen=0.0.0.0:80", "--url=h.example/x", "--image-pull-policy=Always"] }] } }),
            json!({ "kind": "Pod", "metadata": { "annotations": { "a": "q.io/a/b:1" } }, "spec": { "nodeSelector": { "k.io/a": "q.io/a:1" } } }),
            json!({ "kind": "CustomResourceDefinition", "spec": { "default": "q.io/a/b:1" } }),
            json!({ "kind": "Pod", "spec": { "containers": [{ "env": [{ "name": "IMAGE_PULL_POLICY", "value": "always" }] }] } }),
        ] {
            assert_eq!(found(object), Vec::new());
        }
    }

    #[test]
    fn a_programs_configuration_is_read_as_one() {
        let text = "nats:\n  versions: [{natsImage: \"nats:2.8\", port: 4222}]\nmetricsImage: exporter\n";
        let config = json!({ "kind": "ConfigMap", "data": { "config.yaml": text } });
        let expected = [("exporter", Place::ConfigMap), ("nats:2.8", Place::ConfigMap)];
        assert_eq!(found(config), expected.map(|(text, place)| (text.to_owned(), place, false)));
    }

    #[test]
    fn what_stands_in_a_hook_is_marked() {
        let hook = json!({ "kind": "Job", "metadata": { "annotations": { "helm.sh/hook": "pre-install" } },
            "spec": { "template": { "spec": { "containers": [{ "image": "a" }] } } } });
        assert_eq!(found(hook), [("a".to_owned(), Place::Container, true)]);
    }
}
