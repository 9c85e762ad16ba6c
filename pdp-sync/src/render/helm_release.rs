//! Flux `HelmRelease` (helm.toolkit.fluxcd.io/v2): a chart from its source, images pinned after rendering.

use pdp_policies::decision::Inputs;
use pdp_policies::release::{Component, PDP_SYNC};
use serde_json::{Value, json};

use super::{Place, images, inline_values, source_name};

/// `release_values` names the ConfigMap of the release's own values, if the component has any.
pub(super) fn render(
    place: Place<'_>,
    component: &Component,
    inputs: &Inputs,
    release_values: Option<&str>,
) -> Value {
    let mut upgrade = json!({ "crds": "CreateReplace", "remediation": { "retries": 0 } });
    if inputs.flux.as_ref().is_some_and(|flux| flux.renames_in_place) {
        upgrade["chartNameChangeStrategy"] = "InPlaceUpdate".into();
    }
    if component.name.as_str() == PDP_SYNC {
        // Where the new one doesn't get up there is no pdp-sync to go back: Helm puts the old one back, which then
        // finds the failure.
        upgrade["remediation"]["remediateLastFailure"] = true.into();
        upgrade["remediation"]["strategy"] = "rollback".into();
    }
    let mut release = json!({
        "apiVersion": "helm.toolkit.fluxcd.io/v2",
        "kind": "HelmRelease",
        "metadata": { "name": component.name, "namespace": place.namespace },
        "spec": {
            "interval": "1h",
            "chartRef": { "kind": "OCIRepository", "name": source_name(component) },
            "releaseName": component.release_name,
            "targetNamespace": component.namespace,
            "storageNamespace": component.namespace,
            "timeout": format!("{}s", component.timeout.seconds()),
            // Going back is pdp-sync's decision; Helm's own remediation would uninstall a failed first install.
            "install": { "createNamespace": true, "crds": "CreateReplace", "remediation": { "retries": 0 } },
            "upgrade": upgrade,
            "valuesFrom": values_from(component, inputs, release_values),
            "postRenderers": [{ "kustomize": { "images": images(component, inputs) } }],
        },
    });
    if inputs.flux.as_ref().is_some_and(|flux| flux.post_renders_hooks) {
        release["spec"]["postRenderStrategy"] = "combined".into();
    }
    if let Some(values) = inline_values(component, inputs) {
        release["spec"]["values"] = values.into();
    }
    release
}

/// Later ones win: the customer's. Without the release's own the component must not be installed; the others needn't be there.
pub(super) fn values_from(
    component: &Component,
    inputs: &Inputs,
    release_values: Option<&str>,
) -> Vec<Value> {
    let own = release_values.map(|name| json!({ "kind": "ConfigMap", "name": name }));
    let others = inputs.values_from(&component.name);
    let others =
        others.into_iter().map(|name| json!({ "kind": "ConfigMap", "name": name, "optional": true }));
    own.into_iter().chain(others).collect()
}
