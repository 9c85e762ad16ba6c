//! What Flux's objects install, as a draft. Pure.
//!
//! The objects are read as they stand in files: patches of kustomizations aren't applied, and are told.

mod helm_release;
mod kustomization;
mod sources;
mod stages;
#[cfg(test)]
mod tests;
mod values;

use std::collections::{BTreeMap, BTreeSet};

use pdp_policies::{ComponentName, Span, helm_yaml};
use serde_json::Value;

use super::{Draft, Entry, Left};
use crate::kubernetes_list::items;
use crate::lint::Source;

/// How long Flux waits where nothing is said.
const TIMEOUT: Span = Span::from_seconds(300);
/// In these fields a kustomization changes what its files say.
const CHANGES: [&str; 8] = [
    "patches",
    "patchesStrategicMerge",
    "patchesJson6902",
    "configMapGenerator",
    "secretGenerator",
    "namePrefix",
    "nameSuffix",
    "namespace",
];

/// An object, by kind, namespace and name.
pub(super) type Key = (String, String, String);

/// All objects of a folder.
#[derive(Debug, Default)]
pub(super) struct Objects {
    all: BTreeMap<Key, Value>,
    files: Source,
}

/// A component, and what has to be installed before it.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) key: Key,
    pub(super) entry: Entry,
    pub(super) after: Vec<Key>,
}

/// `files` are those of the folder, `path` by `path`.
pub(crate) fn drafted(files: Source) -> Draft {
    let mut left = Vec::new();
    let objects = Objects::read(files, &mut left);
    let mut found = Vec::new();
    for (key, object) in &objects.all {
        match key.0.as_str() {
            "HelmRelease" => found.extend(helm_release::component(&objects, key, object, &mut left)),
            "Kustomization" => found.extend(kustomization::component(&objects, key, object, &mut left)),
            _ => {}
        }
    }
    named_once(&mut found);
    let components = stages::ordered(found, &mut left);
    left.sort();
    left.dedup();
    Draft { components, left }
}

impl Objects {
    fn read(files: Source, left: &mut Vec<Left>) -> Self {
        let mut all = BTreeMap::new();
        for (path, bytes) in
            files.iter().filter(|(path, _)| path.ends_with(".yaml") || path.ends_with(".yml"))
        {
            let text = String::from_utf8_lossy(bytes);
            match helm_yaml::documents(&text) {
                Ok(documents) => documents.iter().flat_map(items).for_each(|object| {
                    told_if_changing(path, object, left);
                    if let Some(key) = key(object) {
                        all.insert(key, object.clone());
                    }
                }),
                Err(problem) => {
                    left.push(Left::new(path.clone(), "", format!("it can't be read: {problem}")))
                }
            }
        }
        Self { all, files }
    }

    pub(super) fn get(&self, kind: &str, namespace: &str, name: &str) -> Option<&Value> {
        self.all.get(&(kind.to_owned(), namespace.to_owned(), name.to_owned()))
    }

    /// The files under a folder, by their paths in it.
    pub(super) fn under(&self, folder: &str) -> Source {
        let folder = folder.trim_start_matches("./").trim_matches('/');
        let inside = |path: &str| match folder {
            "" | "." => Some(path.to_owned()),
            folder => path.strip_prefix(folder)?.strip_prefix('/').map(str::to_owned),
        };
        self.files.iter().filter_map(|(path, bytes)| Some((inside(path)?, bytes.clone()))).collect()
    }
}

/// Of Flux's objects, and of ConfigMaps, which may hold values.
fn key(object: &Value) -> Option<Key> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let (api, kind) = (object["apiVersion"].as_str()?, text(&object["kind"])?);
    let counts = api.contains(".toolkit.fluxcd.io/") || api == "v1" && kind == "ConfigMap";
    let namespace = text(&object["metadata"]["namespace"]).unwrap_or_else(|| "default".to_owned());
    counts.then_some((kind, namespace, text(&object["metadata"]["name"])?))
}

fn told_if_changing(path: &str, object: &Value, left: &mut Vec<Left>) {
    let own = object["apiVersion"].as_str().is_some_and(|api| api.starts_with("kustomize.config.k8s.io/"));
    let named =
        ["kustomization.yaml", "kustomization.yml"].iter().any(|name| path.rsplit('/').next() == Some(name));
    if !(own || named) {
        return;
    }
    for field in CHANGES.into_iter().filter(|field| !object[*field].is_null()) {
        let why = "what it changes isn't taken over: run `kustomize build` on its folder, and give what that prints";
        left.push(Left::new(path, field, why));
    }
}

/// Two of one name get their namespaces before it.
fn named_once(found: &mut [Waiting]) {
    let names: Vec<_> = found.iter().map(|it| it.entry.name.clone()).collect();
    let mut taken = BTreeSet::new();
    for waiting in found.iter_mut() {
        let own = &waiting.entry.name;
        if names.iter().filter(|name| *name == own).count() > 1 {
            let (kind, namespace, name) = &waiting.key;
            let longer =
                [format!("{namespace}-{name}"), format!("{namespace}-{name}-{}", kind.to_lowercase())];
            let free = longer
                .iter()
                .filter_map(|it| it.parse::<ComponentName>().ok())
                .find(|it| !taken.contains(it));
            waiting.entry.name = free.unwrap_or_else(|| own.clone());
        }
        taken.insert(waiting.entry.name.clone());
    }
}

/// `Kind namespace/name`.
pub(super) fn shown((kind, namespace, name): &Key) -> String {
    pdp_policies::printable(&format!("{kind} {namespace}/{name}")).to_string()
}

/// What Go takes for a length of time, such as `5m0s`; a whole number of seconds of at least one.
pub(super) fn timeout(value: &Value) -> Option<Span> {
    let length: jiff::SignedDuration = value.as_str()?.parse().ok()?;
    u32::try_from(length.as_secs()).ok().filter(|seconds| *seconds > 0).map(Span::from_seconds)
}
