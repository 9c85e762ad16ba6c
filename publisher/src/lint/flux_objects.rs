//! Objects that tell Flux what to install. In a data plane pdp-sync alone writes those: what others name is under no lock and no
//! signature, and may be a component's own object, over which the two would fight. Pure.
//!
//! Flux's controllers and the definitions of its kinds are a component like any other.

use std::collections::BTreeSet;

use pdp_policies::printable;
use serde_json::Value;

use crate::kubernetes_list::items;

pub(crate) const HINT: &str =
    "take it out: what it installs is a component of its own, and where that comes from pdp-sync says";

/// Flux's own, and the operator's that installs Flux. Alerts and receivers install nothing.
const GROUPS: [&str; 5] = [
    "fluxcd.controlplane.io",
    "helm.toolkit.fluxcd.io",
    "image.toolkit.fluxcd.io",
    "kustomize.toolkit.fluxcd.io",
    "source.toolkit.fluxcd.io",
];

/// `Kind/name` of each, once and in order.
pub(crate) fn of(objects: &[Value]) -> BTreeSet<String> {
    objects.iter().flat_map(items).filter(|object| is_one(object)).map(shown).collect()
}

fn is_one(object: &Value) -> bool {
    let api = object["apiVersion"].as_str().unwrap_or_default();
    api.split_once('/').is_some_and(|(group, _)| GROUPS.contains(&group))
}

fn shown(object: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    printable(&format!("{}/{}", text(&object["kind"]), text(&object["metadata"]["name"]))).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_tells_flux_what_to_install_is_found_and_flux_itself_is_not() {
        let object =
            |api: &str, kind: &str| json!({ "apiVersion": api, "kind": kind, "metadata": { "name": "a" } });
        for (object, found) in [
            (object("helm.toolkit.fluxcd.io/v2", "HelmRelease"), Some("HelmRelease/a")),
            (object("kustomize.toolkit.fluxcd.io/v1", "Kustomization"), Some("Kustomization/a")),
            (object("source.toolkit.fluxcd.io/v1", "OCIRepository"), Some("OCIRepository/a")),
            (object("fluxcd.controlplane.io/v1", "FluxInstance"), Some("FluxInstance/a")),
            (
                json!({ "kind": "List", "items": [object("source.toolkit.fluxcd.io/v1", "GitRepository")] }),
                Some("GitRepository/a"),
            ),
            (object("kustomize.config.k8s.io/v1beta1", "Kustomization"), None),
            (object("notification.toolkit.fluxcd.io/v1beta3", "Alert"), None),
            (object("apiextensions.k8s.io/v1", "CustomResourceDefinition"), None),
            (object("v1", "Service"), None),
        ] {
            let wanted: Vec<_> = found.into_iter().collect();
            assert_eq!(of(&[object]).iter().map(String::as_str).collect::<Vec<_>>(), wanted);
        }
    }
}
