//! What Flux's objects install, as a draft. Pure.
//!
//! The objects are read as they stand in files: patches of kustomizations aren't applied, and are told.

mod fields;
mod helm_release;
mod home;
mod inner;
mod kustomization;
mod order;
mod rest;
mod sources;
mod stages;
#[cfg(test)]
mod tests;
mod values;

use std::collections::{BTreeMap, BTreeSet};

use pdp_policies::{ComponentName, Span, helm_yaml};
use serde_json::Value;

use home::Home;

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

/// What to do where files contradict each other.
const ONE: &str = "give the folder of one cluster alone, or what `kustomize build` prints";

/// An object, by kind, namespace and name.
pub(super) type Key = (String, String, String);

/// All objects of a folder.
#[derive(Debug, Default)]
pub(super) struct Objects {
    /// Flux's own, and ConfigMaps.
    all: BTreeMap<Key, Value>,
    /// The files that those lie in.
    paths: BTreeMap<Key, String>,
    /// All others, with their files.
    plain: Vec<(String, Value)>,
    /// Folders of charts.
    charts: Vec<String>,
    files: Source,
    home: Home,
}

/// A component, and what has to be installed before it.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) key: Key,
    pub(super) entry: Entry,
    pub(super) after: Vec<Key>,
}

/// `files` are those of the folder, `path` by `path`; `unread` are paths that can't be read, each with the reason.
pub(crate) fn drafted(files: Source, unread: Vec<(String, String)>) -> Draft {
    let printed = |(path, why): (String, String)| {
        Left::new(pdp_policies::printable(&path).to_string(), "", pdp_policies::printable(&why).to_string())
    };
    let mut left: Vec<_> = unread.into_iter().map(printed).collect();
    let objects = Objects::read(files, &mut left);
    let built = kustomization::built(&objects, &mut left);
    let mut found = Vec::new();
    for (key, object) in &objects.all {
        match (key.0.as_str(), built.get(key).filter(|it| it.is_component)) {
            ("HelmRelease", _) => found.extend(helm_release::component(&objects, key, object, &mut left)),
            (_, Some(built)) => found.extend(kustomization::component(key, object, built, &mut left)),
            _ => {}
        }
    }
    named_once(&mut found);
    order::resolve(&mut found, &built);
    let components = stages::ordered(found, &mut left);
    rest::told(&objects, &built, &components, &mut left);
    left.sort();
    left.dedup();
    Draft { components, left }
}

impl Objects {
    fn read(files: Source, left: &mut Vec<Left>) -> Self {
        let chart = |(path, _): &(String, Vec<u8>)| path.strip_suffix("Chart.yaml").map(str::to_owned);
        let charts: Vec<_> =
            files.iter().filter_map(chart).filter(|it| it.is_empty() || it.ends_with('/')).collect();
        // A subchart belongs to the chart around it.
        let outer = charts
            .iter()
            .filter(|it| !charts.iter().any(|other| other != *it && it.starts_with(other.as_str())));
        let mut objects = Self { charts: outer.cloned().collect(), ..Self::default() };
        for (path, bytes) in files.iter().filter(|(path, _)| is_manifest(path)) {
            let of_chart = |folder: &String| path.strip_prefix(folder.as_str()).is_some_and(is_of_chart);
            if !objects.charts.iter().any(of_chart) {
                objects.file(path, bytes, left);
            }
        }
        Self { files, home: Home::of(&objects.all), ..objects }
    }

    fn file(&mut self, path: &str, bytes: &[u8], left: &mut Vec<Left>) {
        let text = std::str::from_utf8(bytes).map_err(|_| "it isn't UTF-8".to_owned());
        match text.and_then(|text| helm_yaml::documents(text).map_err(|problem| problem.to_string())) {
            Ok(documents) => {
                documents.iter().flat_map(items).for_each(|object| self.object(path, object, left))
            }
            Err(why) => left.push(Left::new(path, "", format!("it can't be read: {why}"))),
        }
    }

    fn object(&mut self, path: &str, object: &Value, left: &mut Vec<Left>) {
        told_if_changing(path, object, left);
        let Some(key) = key(object) else {
            if object["kind"].is_string() && !is_kustomize(object) {
                self.plain.push((path.to_owned(), object.clone()));
            }
            return;
        };
        if let Some(before) = self.all.get(&key).filter(|before| *before != object) {
            let keeps = is_whole(before) || !is_whole(object);
            let first = self.paths.get(&key).map(String::as_str).unwrap_or_default();
            let (counts, other) = if keeps { (first, path) } else { (path, first) };
            let why = format!("{other} has it as well, and otherwise: {counts} counts; {ONE}");
            left.push(Left::new(shown(&key), "", why));
            if keeps {
                return;
            }
        }
        self.paths.insert(key.clone(), path.to_owned());
        self.all.insert(key, object.clone());
    }

    pub(super) fn of(&self, key: &Key) -> Option<&Value> {
        self.all.get(key)
    }

    pub(super) fn get(&self, kind: &str, namespace: &str, name: &str) -> Option<&Value> {
        self.all.get(&(kind.to_owned(), namespace.to_owned(), name.to_owned()))
    }

    /// Why the files of a source aren't in this folder; none if they are.
    pub(super) fn elsewhere(&self, namespace: &str, reference: &Value) -> Option<String> {
        self.home.elsewhere(&self.all, namespace, reference)
    }

    /// The files under a folder, by their paths in it.
    pub(super) fn under(&self, folder: &str) -> Source {
        let inside = |path: &str| inner::within(folder, path).map(str::to_owned);
        self.files.iter().filter_map(|(path, bytes)| Some((inside(path)?, bytes.clone()))).collect()
    }
}

fn is_manifest(path: &str) -> bool {
    [".yaml", ".yml", ".json"].iter().any(|end| path.ends_with(end))
}

/// Templates, definitions and values are the chart's; by its path within the chart.
fn is_of_chart(path: &str) -> bool {
    let own = |folder: &str| path.starts_with(folder);
    ["templates/", "charts/", "crds/", "ci/"].into_iter().any(own)
        || path.starts_with("values")
        || path == "Chart.yaml"
}

/// A patch of one says less.
fn is_whole(object: &Value) -> bool {
    let spec = &object["spec"];
    ["chart", "chartRef", "sourceRef", "url"].iter().any(|field| !spec[*field].is_null())
}

/// What kustomize itself reads.
fn is_kustomize(object: &Value) -> bool {
    object["apiVersion"].as_str().is_some_and(|api| api.starts_with("kustomize.config.k8s.io/"))
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
    let own = is_kustomize(object);
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
