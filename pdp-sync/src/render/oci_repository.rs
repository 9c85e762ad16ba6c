//! Flux `OCIRepository` (source.toolkit.fluxcd.io/v1): one artifact by digest.

use pdp_policies::decision::Inputs;
use pdp_policies::release::{Artifact, Component, Release};
use pdp_transport::oci::Repository;
use serde_json::{Value, json};

use super::{Place, repository, source_name};

const HELM_LAYER: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";

pub(super) fn render(place: Place<'_>, release: &Release, component: &Component, inputs: &Inputs) -> Value {
    let there = repository(release, inputs);
    let mut spec = json!({
        "interval": "1h",
        "url": format!("oci://{there}"),
        "ref": { "digest": component.artifact.digest() },
    });
    // Plain HTTP is for a registry on this very machine, as in tests; everything else speaks TLS.
    if there.parse::<Repository>().is_ok_and(|repository| repository.is_loopback()) {
        spec["insecure"] = true.into();
    }
    if matches!(component.artifact, Artifact::Chart { .. }) {
        spec["layerSelector"] = json!({ "mediaType": HELM_LAYER, "operation": "copy" });
    }
    if let Some(flux) = &inputs.flux {
        let mut name = |field: &str, secret: &Option<String>| {
            if let Some(secret) = secret {
                spec[field] = json!({ "name": secret });
            }
        };
        name("secretRef", &flux.pull_secret);
        name("certSecretRef", &flux.cert_secret);
        if let Some(keys) = &flux.verify_secret {
            spec["verify"] = json!({ "provider": "cosign", "secretRef": { "name": keys } });
        }
    }
    json!({
        "apiVersion": "source.toolkit.fluxcd.io/v1",
        "kind": "OCIRepository",
        "metadata": { "name": source_name(component), "namespace": place.namespace },
        "spec": spec,
    })
}
