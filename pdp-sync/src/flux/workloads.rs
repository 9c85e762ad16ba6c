//! Whether the workloads of components that settle are still up: Flux judges a release once, when it is applied.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, StatefulSet};
use kube::Api;
use pdp_policies::ComponentName;
use pdp_transport::cli::failure::Result;
use serde_json::Value;

use super::desired::Desired;
use super::observed::Objects;
use crate::cluster::Cluster;

/// More workloads of one component than this aren't looked at.
const MAX_WORKLOADS: usize = 64;

/// The first workload of each component that isn't ready.
#[derive(Debug, Default)]
pub(super) struct Workloads {
    unready: BTreeMap<ComponentName, String>,
}

impl Workloads {
    /// Looks at the workloads in the inventories of these components.
    pub(super) fn read(cluster: &Cluster, objects: &Objects, components: &[Desired]) -> Result<Self> {
        let mut unready = BTreeMap::new();
        for desired in components {
            let Some(applier) = objects.applier(desired) else { continue };
            for (namespace, name, kind) in inventory(applier).into_iter().take(MAX_WORKLOADS) {
                if !is_up(cluster, &namespace, &name, kind)? {
                    unready.insert(desired.name.clone(), format!("{kind} {namespace}/{name}"));
                    break;
                }
            }
        }
        Ok(Self { unready })
    }

    /// The component's first workload that isn't ready.
    pub(super) fn unready(&self, component: &ComponentName) -> Option<&str> {
        self.unready.get(component).map(String::as_str)
    }
}

/// The workloads in Flux's inventory: `<namespace>_<name>_<group>_<kind>`.
fn inventory(applier: &Value) -> Vec<(String, String, &'static str)> {
    let entries = applier["status"]["inventory"]["entries"].as_array();
    let ids = entries.into_iter().flatten().filter_map(|entry| entry["id"].as_str());
    ids.filter_map(|id| {
        let parts: Vec<_> = id.split('_').collect();
        let [namespace, name, "apps", kind] = parts.as_slice() else { return None };
        let kind = ["Deployment", "StatefulSet", "DaemonSet"].into_iter().find(|known| known == kind)?;
        Some(((*namespace).to_owned(), (*name).to_owned(), kind))
    })
    .collect()
}

/// A workload that went away isn't up.
fn is_up(cluster: &Cluster, namespace: &str, name: &str, kind: &'static str) -> Result<bool> {
    let client = || cluster.client.clone();
    let what = || format!("get {kind} {namespace}/{name}");
    match kind {
        "Deployment" => {
            let api: Api<Deployment> = Api::namespaced(client(), namespace);
            let found = cluster.wait(what, api.get_opt(name))?;
            Ok(found.is_some_and(|it| {
                let wanted = it.spec.and_then(|spec| spec.replicas).unwrap_or(1);
                wanted == 0 || it.status.and_then(|status| status.available_replicas).unwrap_or(0) >= 1
            }))
        }
        "StatefulSet" => {
            let api: Api<StatefulSet> = Api::namespaced(client(), namespace);
            let found = cluster.wait(what, api.get_opt(name))?;
            Ok(found.is_some_and(|it| {
                let wanted = it.spec.and_then(|spec| spec.replicas).unwrap_or(1);
                wanted == 0 || it.status.and_then(|status| status.ready_replicas).unwrap_or(0) >= 1
            }))
        }
        _ => {
            let api: Api<DaemonSet> = Api::namespaced(client(), namespace);
            let found = cluster.wait(what, api.get_opt(name))?;
            Ok(found.is_some_and(|it| {
                it.status
                    .is_some_and(|status| status.desired_number_scheduled == 0 || status.number_ready >= 1)
            }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workloads_are_found_in_fluxs_inventory() {
        let applier = serde_json::json!({ "status": { "inventory": { "entries": [
            { "id": "kube-system_cilium_apps_DaemonSet", "v": "v1" },
            { "id": "_certificates.example.com_apiextensions.k8s.io_CustomResourceDefinition", "v": "v1" },
            { "id": "a_b_apps_Deployment", "v": "v1" },
        ] } } });
        let found = inventory(&applier);
        assert_eq!(found.len(), 2);
        assert_eq!(found[1], ("a".to_owned(), "b".to_owned(), "Deployment"));
    }
}
