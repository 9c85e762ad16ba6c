//! The workloads of a component, as Flux's inventory lists them. Pods and what an operator makes aren't in it.

use serde_json::Value;

/// The kinds that are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WorkloadKind {
    Deployment,
    StatefulSet,
    DaemonSet,
    CronJob,
    Job,
}

/// One workload by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Workload {
    pub(super) kind: WorkloadKind,
    pub(super) namespace: String,
    pub(super) name: String,
}

impl WorkloadKind {
    fn of(group: &str, kind: &str) -> Option<Self> {
        Some(match (group, kind) {
            ("apps", "Deployment") => Self::Deployment,
            ("apps", "StatefulSet") => Self::StatefulSet,
            ("apps", "DaemonSet") => Self::DaemonSet,
            ("batch", "CronJob") => Self::CronJob,
            ("batch", "Job") => Self::Job,
            _ => return None,
        })
    }
}

impl std::fmt::Display for Workload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} {}/{}", self.kind, self.namespace, self.name)
    }
}

/// The workloads in Flux's inventory: `<namespace>_<name>_<group>_<kind>`.
pub(super) fn workloads(applier: &Value) -> Vec<Workload> {
    let entries = applier["status"]["inventory"]["entries"].as_array();
    let ids = entries.into_iter().flatten().filter_map(|entry| entry["id"].as_str());
    ids.filter_map(|id| {
        let parts: Vec<_> = id.split('_').collect();
        let [namespace, name, group, kind] = parts.as_slice() else { return None };
        let kind = WorkloadKind::of(group, kind)?;
        Some(Workload { kind, namespace: (*namespace).to_owned(), name: (*name).to_owned() })
    })
    .collect()
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
            { "id": "a_b_batch_CronJob", "v": "v1" },
            { "id": "a_b_evil.example_Deployment", "v": "v1" },
        ] } } });
        let found: Vec<_> = workloads(&applier).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["DaemonSet kube-system/cilium", "Deployment a/b", "CronJob a/b"]);
    }
}
