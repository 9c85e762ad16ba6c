//! A release as Flux objects, everything by digest. Pure: the same release and inputs give the same bytes.

mod helm_release;
mod kustomization;
mod oci_repository;
mod release_values;

use std::collections::BTreeMap;

use pdp_policies::decision::Inputs;
use pdp_policies::image_values::filled;
use pdp_policies::release::{Artifact, Component, Image, Release};
use pdp_transport::cli::failure::Result;
use pdp_transport::oci::Repository;
use serde_json::{Map, Value, json};

use crate::cluster::{Kind, name_of};

/// Files by their path in the customer's repository.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// Where and as what the objects are written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    /// Folder within the repository.
    pub(crate) path: &'a str,
    /// Namespace of the Flux objects.
    pub(crate) namespace: &'a str,
}

/// A component as its two Flux objects.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Objects {
    /// The `OCIRepository`.
    pub(crate) source: Value,
    pub(crate) applier_kind: Kind,
    /// The `HelmRelease` or `Kustomization`.
    pub(crate) applier: Value,
    /// The `ConfigMap` with the release's own values, if there are any.
    pub(crate) values: Option<Value>,
}

/// The Flux objects of one component.
pub(crate) fn objects(
    place: Place<'_>,
    release: &Release,
    component: &Component,
    inputs: &Inputs,
) -> Objects {
    let source = oci_repository::render(place, release, component, inputs);
    let values = release_values::render(place, component, inputs);
    let named = values.as_ref().map(name_of);
    let (applier_kind, applier) = match &component.artifact {
        Artifact::Chart { .. } => (Kind::HelmRelease, helm_release::render(place, component, inputs, named)),
        Artifact::Manifests { .. } => (Kind::Kustomization, kustomization::render(place, component, inputs)),
    };
    Objects { source, applier_kind, applier, values }
}

/// The files of one component.
pub(crate) fn component(
    place: Place<'_>,
    release: &Release,
    component: &Component,
    inputs: &Inputs,
) -> Files {
    let folder = format!("{}/{}", place.path, component.name);
    let objects = objects(place, release, component, inputs);
    let name = match objects.applier_kind {
        Kind::HelmRelease => "helm-release.yaml",
        _ => "flux-kustomization.yaml",
    };
    let mut files = BTreeMap::from([
        (format!("{folder}/oci-repository.yaml"), yaml(&objects.source)),
        (format!("{folder}/{name}"), yaml(&objects.applier)),
    ]);
    files.extend(objects.values.map(|values| (values_file(place, component), yaml(&values))));
    files
}

/// Where a component's own values are, if it has any.
pub(crate) fn values_file(place: Place<'_>, component: &Component) -> String {
    format!("{}/{}/release-values.yaml", place.path, component.name)
}

/// The list of all files below the folder, for the customer's own Flux Kustomization.
pub(crate) fn list(place: Place<'_>, files: &[String]) -> (String, Vec<u8>) {
    let own = format!("{}/kustomization.yaml", place.path);
    let inside = format!("{}/", place.path);
    let mut resources: Vec<_> = files
        .iter()
        .filter(|path| **path != own && path.ends_with(".yaml"))
        .filter_map(|path| path.strip_prefix(&inside))
        .collect();
    resources.sort_unstable();
    let list = json!({
        "apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": resources,
    });
    (own, yaml(&list))
}

/// The name of a component's source: one object per digest, so that the last good one stays.
pub(crate) fn source_name(component: &Component) -> String {
    format!("{}-{}", component.name, component.artifact.digest().short())
}

/// Every image of a component by digest, from the mirror if there is one (a kustomize `images` list).
fn images(component: &Component, inputs: &Inputs) -> Vec<Value> {
    component.rewritten().into_iter().map(|image| image_entry(component, image, inputs)).collect()
}

/// What kustomize makes of an image: another name where it is pulled from elsewhere than its name says.
pub(crate) fn image_entry(component: &Component, image: &Image, inputs: &Inputs) -> Value {
    let mut entry = json!({ "name": pattern(&image.name, component), "digest": image.digest });
    if let Some(there) = mirrored(image.pull_name(), inputs).or_else(|| image.from.clone()) {
        entry["newName"] = there.into();
    }
    entry
}

/// Kustomize reads the name as a regular expression, in which a dot is any character: `a/b.c` is `a/b-c`, too. Only where
/// another image of the component would be taken for it the dots are written out: other entries stay as they are.
fn pattern(name: &str, component: &Component) -> String {
    let same = |(a, b): (char, char)| a == b || a == '.';
    let taken = |other: &str| {
        other != name
            && other.chars().count() == name.chars().count()
            && name.chars().zip(other.chars()).all(same)
    };
    match component.images.iter().any(|other| taken(&other.name)) {
        true => name.replace('.', "[.]"),
        false => name.to_owned(),
    }
}

/// The values that a component's object has, if it has any. They come after all others: nobody's ConfigMap swaps the images
/// that they carry.
pub(crate) fn inline_values(component: &Component, inputs: &Inputs) -> Option<Map<String, Value>> {
    // A customer's mirror replaces the host.
    let pulled = |name: &str| mirrored(name, inputs).unwrap_or_else(|| name.to_owned());
    let carried = &component.image_values;
    (!carried.is_empty()).then(|| filled(carried, pulled))
}

/// What a component's object reads values from, in order.
pub(crate) fn values_from(component: &Component, inputs: &Inputs) -> Vec<Value> {
    helm_release::values_from(component, inputs, release_values::name(component, inputs).as_deref())
}

/// The same to fetch from: a scheme that the customer wrote stays with it.
///
/// # Errors
/// `BadReference`.
pub(crate) fn to_fetch_from(release: &Release, inputs: &Inputs) -> Result<Repository> {
    Ok(match &inputs.mirror {
        Some(mirror) => release.bundle.repository.parse::<Repository>()?.mirrored(mirror)?,
        None => repository(release, inputs).parse()?,
    })
}

/// Where the artifacts of a release lie: behind the mirror, else where the vendor moved them, else where the release says.
pub(crate) fn repository(release: &Release, inputs: &Inputs) -> String {
    let named = &release.bundle.repository;
    mirrored(named, inputs).or_else(|| inputs.moved_to.clone()).unwrap_or_else(|| named.clone())
}

/// The same path behind the mirror, none without one.
pub(crate) fn mirrored(name: &str, inputs: &Inputs) -> Option<String> {
    let mirror = inputs.mirror.as_deref()?;
    let repository: Repository = name.parse().ok()?;
    repository.mirrored(mirror).ok().map(|there| there.to_string())
}

fn yaml(value: &Value) -> Vec<u8> {
    // JSON is YAML: no writer's quoting rules stand between what was decided and what Flux reads.
    let mut bytes = serde_saphyr::to_string(value).unwrap_or_else(|_| value.to_string()).into_bytes();
    if bytes.last() != Some(&b'\n') {
        bytes.push(b'\n');
    }
    bytes
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use pdp_policies::Digest;

    use super::*;
    use crate::kubectl::testing::record;

    #[test]
    fn an_entry_is_written_so_that_it_reaches_its_own_image_alone() {
        let record = record("done");
        for (names, wanted) in [
            (["team/proxy.v2", "team/proxy-v2"], ["team/proxy[.]v2", "team/proxy-v2"]),
            (["q.io/a", "q-io/a"], ["q[.]io/a", "q-io/a"]),
            (["q.io/a.b", "q.io/a.c"], ["q.io/a.b", "q.io/a.c"]),
            (["q.io/a", "q.io/ab"], ["q.io/a", "q.io/ab"]),
        ] {
            let mut component = record.target().components[0].clone();
            let image = |name: &str| Image {
                name: name.to_owned(),
                from: None,
                digest: Digest::of(name.as_bytes()),
                runtime: false,
            };
            component.images = names.map(image).into();
            let entries =
                names.map(|name| image_entry(&component, &image(name), record.inputs())["name"].clone());
            assert_eq!(entries, wanted.map(Value::from));
        }
    }
}
