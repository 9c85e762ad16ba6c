//! What pods run: an image that the release knows by name has to be there by the release's digest.

use std::collections::{BTreeMap, BTreeSet};

use pdp_policies::decision::DecisionRecord;
use pdp_policies::{Digest, split_image};
use serde::Serialize;
use serde_json::Value;

use super::report::sides;
use crate::render::mirrored;

/// The images of the pods there.
#[derive(Debug, Default, Serialize)]
pub(super) struct Images {
    /// Containers that run an image of the release by its digest.
    pub(super) right: usize,
    /// Images that the release knows by name, but not by this tag or digest: `namespace/pod: image`.
    pub(super) wrong: Vec<String>,
    /// Images that no component of the release names; the namespaces may hold other people's pods.
    pub(super) foreign: BTreeSet<String>,
}

/// The namespaces of all components.
pub(super) fn namespaces(record: &DecisionRecord) -> BTreeSet<String> {
    let components = sides(record).into_iter().flat_map(|(release, _)| release.components.iter());
    components.map(|component| component.namespace.as_str().to_owned()).collect()
}

/// Compares the images of all pods that aren't ending.
pub(super) fn compare(record: &DecisionRecord, pods: &[Value]) -> Images {
    let known = known(record);
    let mut images = Images::default();
    for pod in pods.iter().filter(|pod| pod["metadata"]["deletionTimestamp"].is_null()) {
        for image in images_of(pod) {
            let (name, digest) = split_image(&image);
            match known.get(name) {
                None => drop(images.foreign.insert(image)),
                Some(right) if digest.is_some_and(|digest| right.contains(&digest)) => images.right += 1,
                Some(_) => {
                    let place = |field: &str| pod["metadata"][field].as_str().unwrap_or_default().to_owned();
                    images.wrong.push(format!("{}/{}: {image}", place("namespace"), place("name")));
                }
            }
        }
    }
    images
}

/// Digests by the names under which the release's images can appear.
fn known(record: &DecisionRecord) -> BTreeMap<String, BTreeSet<Digest>> {
    let mut known: BTreeMap<String, BTreeSet<Digest>> = BTreeMap::new();
    for (release, inputs) in sides(record) {
        for image in release.images() {
            let mirrored = mirrored(image.pull_name(), inputs);
            for name in [Some(image.name.clone()), image.from.clone(), mirrored].into_iter().flatten() {
                known.entry(name).or_default().insert(image.digest);
            }
        }
    }
    known
}

fn images_of(pod: &Value) -> Vec<String> {
    let lists = ["initContainers", "containers", "ephemeralContainers"];
    let containers = lists.iter().filter_map(|list| pod["spec"][list].as_array()).flatten();
    containers.filter_map(|container| container["image"].as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubectl::testing::record;
    use serde_json::json;

    fn pod(name: &str, image: &str) -> Value {
        json!({ "metadata": { "namespace": "kube-system", "name": name }, "spec": { "containers": [{ "image": image }] } })
    }

    #[test]
    fn an_image_of_the_release_needs_its_digest_others_are_only_named() {
        let record = record("done");
        let component = &record.target().components[0];
        let image = &component.images[0];
        let other = Digest::of(b"other");
        let pods = [
            pod("right", &format!("{}@{}", image.name, image.digest)),
            pod("tag", &format!("{}:latest", image.name)),
            pod("digest", &format!("{}@{other}", image.name)),
            pod("foreign", "registry.k8s.io/coredns:1.12"),
            json!({
                "metadata": { "namespace": "kube-system", "name": "ending", "deletionTimestamp": "2026-11-23T12:00:00Z" },
                "spec": { "containers": [{ "image": format!("{}:old", image.name) }] },
            }),
            json!({
                "metadata": { "namespace": "kube-system", "name": "init" },
                "spec": { "initContainers": [{ "image": image.name }], "containers": [] },
            }),
        ];
        let images = compare(&record, &pods);
        assert_eq!(images.right, 1);
        assert_eq!(images.foreign.len(), 1);
        let wrong: Vec<_> = images.wrong.iter().map(|w| w.split(':').next().unwrap_or_default()).collect();
        assert_eq!(wrong, ["kube-system/tag", "kube-system/digest", "kube-system/init"]);
    }
}
