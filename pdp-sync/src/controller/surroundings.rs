//! What the cluster itself says: its identity, its versions, and what this Flux can do.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps,
};
use kube::{Api, Resource};
use pdp_policies::{Digest, Obstacle, ObstacleCode, PresentVersion};
use pdp_transport::cli::failure::Result;

use super::watches::Guarded;
use crate::cluster::Cluster;
use crate::flux::ChartWorkloads;
use crate::target::Found;

/// What doesn't change from pass to pass.
#[derive(Debug, Clone, Default)]
pub(super) struct Surroundings {
    /// SHA-256 of the UID of the namespace kube-system: tells clusters apart, and nothing else.
    pub(super) cluster_id: Option<Digest>,
    kubernetes: Option<PresentVersion>,
    flux: Option<PresentVersion>,
    /// True if helm-controller can keep a release whose chart was renamed.
    pub(super) renames_in_place: bool,
    /// True if helm-controller can be told to post-render hooks.
    pub(super) post_renders_hooks: bool,
    /// How the workloads of charts are found.
    pub(super) charts: ChartWorkloads,
}

/// Fields of a HelmRelease that an older helm-controller doesn't have.
const RENAMES_IN_PLACE: &[&str] = &["spec", "upgrade", "chartNameChangeStrategy"];
const KEEPS_INVENTORY: &[&str] = &["status", "inventory"];
const POST_RENDERS_HOOKS: &[&str] = &["spec", "postRenderStrategy"];

impl Surroundings {
    /// Asks the API server. What pdp-sync may not read stays unknown.
    pub(super) fn read(cluster: &Cluster) -> Result<Self> {
        let version = cluster.wait(|| "get the version".to_owned(), cluster.client.apiserver_version())?;
        let namespaces: Api<Namespace> = Api::all(cluster.client.clone());
        let system =
            cluster.wait(|| "get namespace kube-system".to_owned(), namespaces.get_opt("kube-system"));
        let uid = allowed(system)?.flatten().and_then(|namespace| namespace.metadata.uid);
        let definitions: Api<CustomResourceDefinition> = Api::all(cluster.client.clone());
        let name = "helmreleases.helm.toolkit.fluxcd.io";
        let helm = cluster.wait(|| format!("get CustomResourceDefinition {name}"), definitions.get_opt(name));
        let helm = allowed(helm)?.flatten();
        let charts = match helm.as_ref().is_some_and(|crd| !has_field(crd, KEEPS_INVENTORY)) {
            true => ChartWorkloads::without_inventory(cluster)?,
            false => ChartWorkloads::Inventory,
        };
        Ok(Self {
            cluster_id: uid.map(|uid| Digest::of(uid.as_bytes())),
            kubernetes: version.git_version.parse().ok(),
            flux: helm
                .as_ref()
                .and_then(|crd| crd.metadata.labels.as_ref()?.get("app.kubernetes.io/version")?.parse().ok()),
            renames_in_place: helm.as_ref().is_some_and(|crd| has_field(crd, RENAMES_IN_PLACE)),
            post_renders_hooks: helm.as_ref().is_some_and(|crd| has_field(crd, POST_RENDERS_HOOKS)),
            charts,
        })
    }

    /// Versions, and another subscription that was first in this namespace.
    pub(super) fn found(&self, all: &[Arc<Guarded>], name: &str) -> Found {
        let age = |it: &Guarded| {
            let made = it.meta().creation_timestamp.as_ref().map(|time| time.0);
            (made, it.meta().name.clone().unwrap_or_default())
        };
        let first = all.iter().map(|it| age(it)).min().map(|(_, name)| name);
        let obstacles = first.filter(|first| first != name).map(|first| {
            let detail = format!(
                "UpdateSubscription `{first}` was first in this namespace: one namespace, one data plane"
            );
            Obstacle::new(ObstacleCode::ForeignOwner, None, detail)
        });
        let (kubernetes, flux) = (self.kubernetes.clone(), self.flux.clone());
        Found { obstacles: obstacles.into_iter().collect(), kubernetes, flux }
    }
}

/// What pdp-sync may not see is unknown, not an error.
fn allowed<T>(answer: Result<T>) -> Result<Option<T>> {
    match answer {
        Err(failure) if failure.code == "Forbidden" => Ok(None),
        other => other.map(Some),
    }
}

/// True if objects of this kind may have the field.
fn has_field(crd: &CustomResourceDefinition, path: &[&str]) -> bool {
    let versions = crd.spec.versions.iter().filter(|version| version.name == "v2");
    let schemas = versions.filter_map(|version| version.schema.as_ref()?.open_api_v3_schema.as_ref());
    let field = |schema: &JSONSchemaProps, name: &str| schema.properties.as_ref()?.get(name).cloned();
    schemas
        .filter_map(|schema| path.iter().try_fold(schema.clone(), |schema, name| field(&schema, name)))
        .next()
        .is_some()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_a_helm_controller_with_the_field_is_told() {
        let crd = |properties: serde_json::Value| -> CustomResourceDefinition {
            let fields = serde_json::json!({ "properties": properties });
            let schema = serde_json::json!({ "openAPIV3Schema": { "properties": { "spec": fields, "status": fields } } });
            let version = |name: &str| serde_json::json!({ "name": name, "served": true, "storage": true, "schema": schema });
            let names = serde_json::json!({ "kind": "HelmRelease", "plural": "helmreleases" });
            let spec = serde_json::json!({ "group": "g", "scope": "Namespaced", "names": names, "versions": [version("v2")] });
            serde_json::from_value(serde_json::json!({ "metadata": {}, "spec": spec })).unwrap()
        };
        let new = crd(serde_json::json!({ "postRenderStrategy": { "type": "string" } }));
        let old = crd(serde_json::json!({ "postRenderers": { "type": "array" } }));
        assert!(has_field(&new, POST_RENDERS_HOOKS) && !has_field(&old, POST_RENDERS_HOOKS));
        assert!(!has_field(&new, RENAMES_IN_PLACE) && !has_field(&new, KEEPS_INVENTORY));
        assert!(has_field(&crd(serde_json::json!({ "inventory": {} })), KEEPS_INVENTORY));
    }
}
