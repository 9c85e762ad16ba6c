//! A Kustomization as a component, if what it builds is more than Flux's own objects.

use std::collections::BTreeSet;

use pdp_policies::helm_yaml;
use serde_json::{Value, json};

use super::super::{Entry, From, Left};
use super::helm_release::after;
use super::{Key, Objects, TIMEOUT, Waiting, key as key_of, shown, timeout};
use crate::kustomize;
use crate::lint::Source;

/// Fields that change what is applied, or where, and have no place in a release.
const LEFT: [(&str, &str); 8] = [
    ("suspend", "it is suspended: a component of a level is applied"),
    ("kubeConfig", "it goes to another cluster: give that one a subscription of its own"),
    ("patches", "write them into a kustomization.yaml of the manifests"),
    ("images", "the lock says which image it is"),
    ("components", "write them into a kustomization.yaml of the manifests"),
    ("postBuild", "nothing is substituted: what differs by customer is a chart's value"),
    ("decryption", "what is secret stands in no release"),
    ("namePrefix", "write it into a kustomization.yaml of the manifests"),
];

pub(super) fn component(
    objects: &Objects,
    key: &Key,
    object: &Value,
    left: &mut Vec<Left>,
) -> Option<Waiting> {
    let (spec, (_, namespace, name)) = (&object["spec"], key);
    let path = spec["path"].as_str().unwrap_or(".");
    let files = objects.under(path);
    if files.is_empty() {
        left.push(Left::new(shown(key), "spec.path", format!("`{path}` isn't in these files")));
        return None;
    }
    let files = with_root(files);
    if !applies_more(&files) {
        return None;
    }
    for (field, why) in LEFT.iter().filter(|(field, _)| !spec[*field].is_null() && spec[*field] != false) {
        left.push(Left::new(shown(key), &format!("spec.{field}"), *why));
    }
    let target = spec["targetNamespace"].as_str().unwrap_or(namespace);
    let Some(((component, release_name), target)) =
        name.parse().ok().zip(name.parse().ok()).zip(target.parse().ok())
    else {
        left.push(Left::new(shown(key), "", "its name or its namespace's is none that a component can have"));
        return None;
    };
    let entry = Entry {
        name: component,
        stage: 1,
        origin: From::Manifests { files, overlay: None },
        release_name,
        namespace: target,
        timeout: timeout(&spec["timeout"]).unwrap_or(TIMEOUT),
        values: serde_json::Map::new(),
    };
    Some(Waiting { key: key.clone(), entry, after: after(key, spec) })
}

/// Whether anything is built that isn't Flux's, or a Namespace that its components make anyway.
fn applies_more(files: &Source) -> bool {
    let documents = kustomize::build(files).documents;
    let read = |(_, bytes): &(String, Vec<u8>)| {
        helm_yaml::documents(&String::from_utf8_lossy(bytes)).unwrap_or_default()
    };
    let more = |object: &Value| {
        object["kind"].is_string() && key_of(object).is_none() && object["kind"] != "Namespace"
    };
    documents.iter().flat_map(read).any(|object| more(&object))
}

/// With the kustomization that Flux makes where there is none: every file, and folders that have one of their own.
fn with_root(mut files: Source) -> Source {
    if files.iter().any(|(path, _)| is_root(path)) {
        return files;
    }
    let folders: Vec<_> = files
        .iter()
        .filter_map(|(path, _)| path.rsplit_once('/').filter(|(_, name)| is_root(name)))
        .collect();
    let yaml = files.iter().filter(|(path, _)| path.ends_with(".yaml") || path.ends_with(".yml"));
    let resource = |path: &String| {
        let folder =
            folders.iter().map(|(folder, _)| *folder).find(|folder| path.starts_with(&format!("{folder}/")));
        folder.map_or_else(|| path.clone(), str::to_owned)
    };
    let resources: BTreeSet<_> = yaml.map(|(path, _)| resource(path)).collect();
    let root = json!({ "apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": resources });
    files.push((
        "kustomization.yaml".to_owned(),
        serde_saphyr::to_string(&root).unwrap_or_default().into_bytes(),
    ));
    files.sort();
    files
}

fn is_root(path: &str) -> bool {
    ["kustomization.yaml", "kustomization.yml", "Kustomization"].contains(&path)
}
