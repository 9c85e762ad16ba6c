//! The release's own values of a component, as the ConfigMap that Flux reads them from. Its name changes with them, so a
//! `HelmRelease` changes exactly when its values do, and the way back finds the old ones.

use pdp_policies::decision::Inputs;
use pdp_policies::release::Component;
use pdp_policies::release_values::{config_map_name, text};
use serde_json::{Value, json};

use super::Place;

/// Name and text of the ConfigMap, none if the component has no values on the platform.
fn content(component: &Component, inputs: &Inputs) -> Option<(String, String)> {
    let values = component.values_on(inputs.platform);
    let text = (!values.is_empty()).then(|| text(&values))?;
    Some((config_map_name(&component.name, &text), text))
}

/// The name of the ConfigMap, if there is one.
pub(super) fn name(component: &Component, inputs: &Inputs) -> Option<String> {
    content(component, inputs).map(|(name, _)| name)
}

/// The ConfigMap, if there is one.
pub(super) fn render(place: Place<'_>, component: &Component, inputs: &Inputs) -> Option<Value> {
    let (name, text) = content(component, inputs)?;
    Some(json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": name,
            "namespace": place.namespace,
            // A customer's Kustomization may fill in variables: these values are the release's.
            "annotations": { "kustomize.toolkit.fluxcd.io/substitute": "disabled" },
        },
        "immutable": true,
        "data": { "values.yaml": text },
    }))
}
