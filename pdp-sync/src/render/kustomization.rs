//! Flux `Kustomization` (kustomize.toolkit.fluxcd.io/v1): plain manifests, images pinned.

use pdp_policies::decision::Inputs;
use pdp_policies::release::Component;
use serde_json::{Value, json};

use super::{Place, images, source_name};

pub(super) fn render(place: Place<'_>, component: &Component, inputs: &Inputs) -> Value {
    json!({
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": { "name": component.name, "namespace": place.namespace },
        "spec": {
            "interval": "1h",
            "sourceRef": { "kind": "OCIRepository", "name": source_name(component) },
            "path": "./",
            "prune": true,
            // Losing the subscription never uninstalls anything.
            "deletionPolicy": "Orphan",
            "wait": true,
            "timeout": format!("{}s", component.timeout.seconds()),
            "images": images(component, inputs),
        },
    })
}
