//! A Kustomization as a component, if what it builds is more than Flux's own objects.

use std::collections::{BTreeMap, BTreeSet};

use pdp_policies::helm_yaml;
use serde_json::{Value, json};

use super::super::{Entry, From, Left};
use super::fields::{Reason, told};
use super::helm_release::after;
use super::{Key, Objects, TIMEOUT, Waiting, inner, key as key_of, shown, timeout};
use crate::kubernetes_list::items;
use crate::kustomize;
use crate::lint::Source;

/// Fields that are taken over, or say nothing of what is applied.
const COUNT: [&str; 8] =
    ["dependsOn", "interval", "path", "prune", "retryInterval", "sourceRef", "timeout", "wait"];
const REASONS: [Reason; 16] = [
    ("suspend", "it is suspended: a component of a level is applied"),
    ("kubeConfig", "it goes to another cluster: give that one a subscription of its own"),
    ("patches", "write them into a kustomization.yaml of the manifests"),
    ("patchesStrategicMerge", "write them into a kustomization.yaml of the manifests"),
    ("patchesJson6902", "write them into a kustomization.yaml of the manifests"),
    ("images", "the lock says which image it is"),
    ("components", "write them into a kustomization.yaml of the manifests"),
    ("commonMetadata", "write it into a kustomization.yaml of the manifests, as `labels`"),
    ("targetNamespace", "write it into a kustomization.yaml of the manifests, as `namespace`"),
    ("namePrefix", "write it into a kustomization.yaml of the manifests"),
    ("nameSuffix", "write it into a kustomization.yaml of the manifests"),
    ("postBuild", "nothing is substituted: what differs by customer is a chart's value"),
    ("decryption", "what is secret stands in no release"),
    ("serviceAccountName", "pdp-sync's subscription says on whose rights components are applied"),
    ("healthChecks", "pdp-sync waits for every workload of the component"),
    ("force", "pdp-sync deletes nothing to write it anew"),
];

/// What one builds out of the folder.
#[derive(Debug)]
pub(super) struct Built {
    /// With the kustomization that Flux makes.
    files: Source,
    /// Files that are taken in, by their paths in the whole folder.
    pub(super) taken: BTreeSet<String>,
    /// Flux's own objects in it.
    pub(super) members: BTreeSet<Key>,
    pub(super) after: Vec<Key>,
    /// True if anything is built that isn't Flux's, a ConfigMap, or a Namespace that its components make anyway.
    pub(super) is_component: bool,
}

/// What every Kustomization builds whose path is here.
pub(super) fn built(objects: &Objects, left: &mut Vec<Left>) -> BTreeMap<Key, Built> {
    let all = objects.all.iter().filter(|(key, _)| key.0 == "Kustomization");
    all.filter_map(|(key, object)| Some((key.clone(), one(objects, key, object, left)?))).collect()
}

fn one(objects: &Objects, key: &Key, object: &Value, left: &mut Vec<Left>) -> Option<Built> {
    let spec = &object["spec"];
    told(key, ("spec", spec), &COUNT, &REASONS, left);
    if spec["prune"] == false {
        left.push(Left::new(shown(key), "spec.prune", "what a component applies no more goes"));
    }
    let source = spec["sourceRef"]["kind"].as_str().unwrap_or_default();
    if !["", "GitRepository"].contains(&source) {
        let why = format!("its files come from {source}, and those of this folder are taken: compare them");
        left.push(Left::new(shown(key), "spec.sourceRef", pdp_policies::printable(&why).to_string()));
    }
    if let Some(why) = objects.elsewhere(&key.1, &spec["sourceRef"]) {
        left.push(Left::new(shown(key), "spec.sourceRef", why));
        return None;
    }
    let path = spec["path"].as_str().filter(|path| !path.is_empty()).unwrap_or(".");
    let files = objects.under(path);
    if files.is_empty() {
        let why = format!("`{path}` isn't in these files");
        left.push(Left::new(shown(key), "spec.path", pdp_policies::printable(&why).to_string()));
        return None;
    }
    let files = with_root(files);
    let built = kustomize::build(&files);
    for trouble in built.troubles {
        let why = format!("{}: {}: {}", trouble.code, trouble.place, trouble.message);
        left.push(Left::new(shown(key), "spec.path", pdp_policies::printable(&why).to_string()));
    }
    let values: Vec<_> = built.documents.iter().flat_map(|(_, bytes)| read(bytes)).collect();
    let all: Vec<_> = values.iter().flat_map(items).collect();
    let whole = |it: &&String| files.iter().any(|(path, _)| path == *it);
    let taken = built
        .documents
        .iter()
        .map(|(path, _)| path)
        .filter(whole)
        .map(|it| inner::joined(path, it))
        .collect();
    let members = all.iter().filter_map(|object| key_of(object)).filter(|key| key.0 != "ConfigMap").collect();
    let is_component = all.iter().any(|object| is_more(object));
    Some(Built { files, taken, members, after: after(key, spec), is_component })
}

fn read(bytes: &[u8]) -> Vec<Value> {
    helm_yaml::documents(&String::from_utf8_lossy(bytes)).unwrap_or_default()
}

fn is_more(object: &Value) -> bool {
    object["kind"].is_string() && key_of(object).is_none() && object["kind"] != "Namespace"
}

pub(super) fn component(key: &Key, object: &Value, built: &Built, left: &mut Vec<Left>) -> Option<Waiting> {
    let (spec, (_, namespace, name)) = (&object["spec"], key);
    let target = spec["targetNamespace"].as_str().unwrap_or(namespace);
    let Some(((component, release_name), target)) =
        name.parse().ok().zip(name.parse().ok()).zip(target.parse().ok())
    else {
        left.push(Left::new(shown(key), "", "its name or its namespace's is none that a component can have"));
        return None;
    };
    for member in &built.members {
        let why = format!(
            "{} lies among its manifests, and is no part of a component: take it out there",
            shown(member)
        );
        left.push(Left::new(shown(key), "spec.path", why));
    }
    let entry = Entry {
        name: component,
        stage: 1,
        origin: From::Manifests { files: built.files.clone(), overlay: None },
        release_name,
        namespace: target,
        timeout: timeout(&spec["timeout"]).unwrap_or(TIMEOUT),
        values: serde_json::Map::new(),
    };
    Some(Waiting { key: key.clone(), entry, after: after(key, spec) })
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
