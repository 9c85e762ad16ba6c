//! What of the subscription a decision was made with, and what its objects are rendered from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::names::{ComponentName, Platform};

/// What of the subscription was copied when the decision was made: an edit in mid-apply changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Inputs {
    /// Host and path that replace the vendor's registry host, if the customer has a mirror.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mirror: Option<String>,
    /// Where the vendor's artifacts lie by now, in place of the repository that the release names; a mirror goes before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_to: Option<String>,
    /// Where the PDP runs.
    pub platform: Platform,
    /// Optional components that the customer leaves out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<ComponentName>,
    /// `<prefix><component>`: the ConfigMap with the platform's values for one chart; none in records of older versions,
    /// which knew one for all charts alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component_platform_values: Option<String>,
    /// What the Flux objects of a cluster name besides; none where they are only written to Git.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flux: Option<FluxInputs>,
}

impl Inputs {
    /// The ConfigMaps with values that others give a component; the last one wins, the customer's.
    pub fn values_from(&self, component: &ComponentName) -> Vec<String> {
        let (platform, customer) = match &self.flux {
            Some(flux) => (flux.platform_values.as_str(), flux.customer_values.as_str()),
            None => ("pdp-platform-values", "pdp-values-"),
        };
        let each = self.component_platform_values.as_ref().map(|prefix| format!("{prefix}{component}"));
        let customer = format!("{customer}{component}");
        std::iter::once(platform.to_owned()).chain(each).chain([customer]).collect()
    }
}

/// Names of objects in the cluster that Flux is told to use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FluxInputs {
    /// The ConfigMap with values for every chart.
    pub platform_values: String,
    /// `<prefix><component>`: the ConfigMap with the customer's values for one chart.
    pub customer_values: String,
    /// The Secret with the registry's login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pull_secret: Option<String>,
    /// The Secret with the registry's CA.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cert_secret: Option<String>,
    /// The Secret with the keys by which Flux verifies; it doesn't if none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify_secret: Option<String>,
    /// True if helm-controller can keep a release whose chart was renamed (1.6, Flux 2.9). An older one
    /// would uninstall it first, so it isn't told, and a renamed chart waits.
    #[serde(default)]
    pub renames_in_place: bool,
    /// True if helm-controller can be told to post-render hooks (1.6, Flux 2.9). An older one never does; a newer one
    /// does unless a feature gate says otherwise.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub post_renders_hooks: bool,
}
