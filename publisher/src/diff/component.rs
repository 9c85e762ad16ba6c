//! What becomes of each component.

use std::collections::{BTreeMap, BTreeSet};

use pdp_policies::release::{Component, Image, Release};
use pdp_policies::{ComponentName, Digest};
use serde::Serialize;
use serde_json::json;

use super::{Change, ObjectsDiff, changes};

/// A component that isn't the same in both.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ComponentDiff {
    pub(crate) name: ComponentName,
    /// The stage at which it is applied, or was.
    pub(crate) stage: u32,
    pub(crate) what: What,
    /// As its makers write it; null where it isn't there.
    pub(crate) was: Option<String>,
    pub(crate) is: Option<String>,
    /// True if chart or manifests have other bytes.
    pub(crate) artifact: bool,
    /// Fields of the release, such as its timeout.
    pub(crate) fields: Vec<Change>,
    /// Helm values of the release, for all platforms or one: `/azure/service/type`.
    pub(crate) values: Vec<Change>,
    pub(crate) images: Vec<ImageChange>,
    /// What it does in a cluster, if both sides were rendered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) objects: Option<ObjectsDiff>,
    /// Why Helm renders it for nobody as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unrendered: Option<String>,
}

/// What becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum What {
    New,
    Changed,
    /// `removed:` names it: it is uninstalled.
    Removed,
    /// It isn't named any more: it stays installed, and nobody updates it.
    Forgotten,
}

/// An image that isn't the same in both.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct ImageChange {
    pub(crate) name: String,
    pub(crate) was: Option<Digest>,
    pub(crate) is: Option<Digest>,
}

/// Those that differ by stage and name, and the names of the others.
pub(super) fn all(from: &Release, to: &Release) -> (Vec<ComponentDiff>, Vec<ComponentName>) {
    let by_name = |release: &Release| -> BTreeMap<ComponentName, Component> {
        release.components.iter().map(|it| (it.name.clone(), it.clone())).collect()
    };
    let (old, new) = (by_name(from), by_name(to));
    let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    let (mut found, mut unchanged) = (Vec::new(), Vec::new());
    for name in names {
        match (old.get(name), new.get(name)) {
            (was, is) if was == is => unchanged.push(name.clone()),
            (was, is) => found.extend(one(name, was, is, to.removed.contains(name))),
        }
    }
    found.sort_by_key(|it| (it.stage, it.name.clone()));
    (found, unchanged)
}

fn one(
    name: &ComponentName,
    was: Option<&Component>,
    is: Option<&Component>,
    removed: bool,
) -> Option<ComponentDiff> {
    let what = match (was, is) {
        (None, Some(_)) => What::New,
        (Some(_), None) if removed => What::Removed,
        (Some(_), None) => What::Forgotten,
        _ => What::Changed,
    };
    let version = |it: Option<&Component>| it.map(|it| it.version.clone());
    let both = was.zip(is);
    Some(ComponentDiff {
        name: name.clone(),
        stage: is.or(was)?.stage,
        what,
        was: version(was),
        is: version(is),
        artifact: both.is_some_and(|(was, is)| was.artifact.digest() != is.artifact.digest()),
        fields: both.map(|(was, is)| changes(&fields(was), &fields(is))).unwrap_or_default(),
        values: both.map(|(was, is)| changes(&values(was), &values(is))).unwrap_or_default(),
        images: images(was.map(|it| it.images.as_slice()), is.map(|it| it.images.as_slice())),
        objects: None,
        unrendered: None,
    })
}

/// What of the release says how it is applied.
fn fields(component: &Component) -> serde_json::Value {
    json!({
        "stage": component.stage, "releaseName": component.release_name, "namespace": component.namespace,
        "onFailure": component.on_failure, "timeout": component.timeout, "settle": component.settle,
        "platforms": component.platforms, "optional": component.optional,
    })
}

fn values(component: &Component) -> serde_json::Value {
    let mut all = serde_json::Map::new();
    all.insert("all".to_owned(), component.values.clone().into());
    for (platform, values) in &component.platform_values {
        all.insert(platform.to_string(), values.clone().into());
    }
    all.into()
}

fn images(was: Option<&[Image]>, is: Option<&[Image]>) -> Vec<ImageChange> {
    let by_name = |images: Option<&[Image]>| -> BTreeMap<String, Digest> {
        images.unwrap_or_default().iter().map(|it| (it.pull_name().to_owned(), it.digest)).collect()
    };
    let (old, new) = (by_name(was), by_name(is));
    let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    let change = |name: &String| ImageChange {
        name: name.clone(),
        was: old.get(name).copied(),
        is: new.get(name).copied(),
    };
    names.into_iter().map(change).filter(|it| it.was != it.is).collect()
}
