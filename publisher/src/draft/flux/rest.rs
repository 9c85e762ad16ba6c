//! What lies in the folder, and becomes no part of any component.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::super::{Entry, From, Left};
use super::kustomization::Built;
use super::{Key, Objects, inner, shown};

/// So many objects of a file are named, the others counted.
const MOST: usize = 5;
const NOBODY: &str =
    "no Kustomization in this folder applies it: make manifests of it, and a component of those";

pub(super) fn told(
    objects: &Objects,
    built: &BTreeMap<Key, Built>,
    components: &[Entry],
    left: &mut Vec<Left>,
) {
    let applied: BTreeSet<_> = built
        .values()
        .filter(|it| it.is_component)
        .flat_map(|it| it.taken.iter().map(String::as_str))
        .collect();
    files(objects, &applied, left);
    maps(objects, &applied, left);
    namespaces(objects, &applied, components, left);
    others(objects, left);
    charts(objects, components, left);
}

/// Objects that are nobody's, file by file.
fn files(objects: &Objects, applied: &BTreeSet<&str>, left: &mut Vec<Left>) {
    let mut by_file: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (path, object) in objects.plain.iter().filter(|(path, _)| !applied.contains(path.as_str())) {
        if object["kind"] != "Namespace" {
            by_file.entry(path).or_default().push(name(object));
        }
    }
    for (path, names) in by_file {
        let more = names.len().checked_sub(MOST).filter(|more| *more > 0);
        let more = more.map(|more| format!(" and {more} more")).unwrap_or_default();
        let shown = names.iter().take(MOST).cloned().collect::<Vec<_>>().join(", ");
        left.push(Left::new(path, "", format!("{shown}{more}: {NOBODY}")));
    }
}

/// ConfigMaps that hold no values of a release.
fn maps(objects: &Objects, applied: &BTreeSet<&str>, left: &mut Vec<Left>) {
    let used: BTreeSet<_> =
        objects.all.iter().filter(|(key, _)| key.0 == "HelmRelease").flat_map(values).collect();
    for key in objects.all.keys().filter(|key| key.0 == "ConfigMap" && !used.contains(*key)) {
        let path = objects.paths.get(key).map(String::as_str).unwrap_or_default();
        if !applied.contains(path) {
            left.push(Left::new(path, "", format!("{}: {NOBODY}", shown(key))));
        }
    }
}

fn values((key, release): (&Key, &Value)) -> Vec<Key> {
    let all = release["spec"]["valuesFrom"].as_array().into_iter().flatten();
    let all = all.filter(|it| it["kind"] == "ConfigMap");
    let one = |it: &Value| Some(("ConfigMap".to_owned(), key.1.clone(), it["name"].as_str()?.to_owned()));
    all.filter_map(one).collect()
}

/// A namespace is made for the components in it, and is bare.
fn namespaces(objects: &Objects, applied: &BTreeSet<&str>, components: &[Entry], left: &mut Vec<Left>) {
    for (path, object) in objects.plain.iter().filter(|(path, _)| !applied.contains(path.as_str())) {
        let metadata = &object["metadata"];
        let bare = metadata["labels"].is_null() && metadata["annotations"].is_null();
        let made = components.iter().any(|it| metadata["name"] == it.namespace.as_str());
        if object["kind"] == "Namespace" && !(bare && made) {
            let why = "a namespace is made for the components in it, without labels: make manifests of it if it needs more";
            left.push(Left::new(path, "", format!("{}: {why}", name(object))));
        }
    }
}

/// Flux's objects that install nothing.
fn others(objects: &Objects, left: &mut Vec<Left>) {
    const KNOWN: [&str; 8] = [
        "Bucket",
        "ConfigMap",
        "GitRepository",
        "HelmChart",
        "HelmRelease",
        "HelmRepository",
        "Kustomization",
        "OCIRepository",
    ];
    for key in objects.all.keys().filter(|key| !KNOWN.contains(&key.0.as_str())) {
        left.push(Left::new(
            shown(key),
            "",
            "it installs nothing: the cluster keeps it, or pdp-sync does what it is for",
        ));
    }
}

/// Charts that no release installs.
fn charts(objects: &Objects, components: &[Entry], left: &mut Vec<Left>) {
    for folder in &objects.charts {
        let files = objects.under(folder);
        let is_used = |entry: &Entry| match &entry.origin {
            From::Folder { files: own, .. } => *own == files,
            From::Manifests { files: own, .. } => {
                files.iter().all(|(_, bytes)| own.iter().any(|(_, it)| it == bytes))
            }
            From::Chart { .. } => false,
        };
        if !components.iter().any(is_used) {
            let path = inner::joined(folder, "Chart.yaml");
            left.push(Left::new(path, "", "no HelmRelease in this folder installs the chart"));
        }
    }
}

fn name(object: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let space = object["metadata"]["namespace"].as_str().map(|it| format!("{it}/")).unwrap_or_default();
    pdp_policies::printable(&format!(
        "{} {space}{}",
        text(&object["kind"]),
        text(&object["metadata"]["name"])
    ))
    .to_string()
}
