//! The workloads of a chart where helm-controller keeps no inventory (before 1.5, Flux 2.8): by the labels that it gives
//! everything that it applies. What runs in a hook isn't among them, as in an inventory.

use std::fmt::Debug;

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, StatefulSet};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use kube::api::{ListParams, PartialObjectMeta};
use kube::{Api, ResourceExt};
use pdp_transport::cli::failure::Result;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::inventory::{Workload, WorkloadKind};
use crate::cluster::Cluster;

/// How the workloads of a chart are found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum ChartWorkloads {
    /// helm-controller lists what it applied.
    #[default]
    Inventory,
    /// It doesn't; they are listed.
    Labels,
    /// It doesn't, and pdp-sync may list none.
    Unseen,
}

impl ChartWorkloads {
    /// How it is where helm-controller keeps no inventory.
    pub(crate) fn without_inventory(cluster: &Cluster) -> Result<Self> {
        let deployments: Api<Deployment> = Api::all(cluster.client.clone());
        let one = ListParams::default().limit(1);
        let asked = cluster.wait(|| "list Deployments".to_owned(), deployments.list_metadata(&one));
        match asked {
            Ok(_) => Ok(Self::Labels),
            Err(failure) if failure.code == "Forbidden" => Ok(Self::Unseen),
            Err(failure) => Err(failure),
        }
    }
}

/// All workloads that carry the labels of this HelmRelease, at most `most` of each kind.
pub(super) fn workloads(cluster: &Cluster, release: &Value, most: usize) -> Result<Vec<Workload>> {
    let which =
        ListParams::default().labels(&selector(release)).limit(u32::try_from(most).unwrap_or(u32::MAX));
    let mut all = list::<Deployment>(cluster, WorkloadKind::Deployment, &which)?;
    all.extend(list::<StatefulSet>(cluster, WorkloadKind::StatefulSet, &which)?);
    all.extend(list::<DaemonSet>(cluster, WorkloadKind::DaemonSet, &which)?);
    all.extend(list::<CronJob>(cluster, WorkloadKind::CronJob, &which)?);
    all.extend(list::<Job>(cluster, WorkloadKind::Job, &which)?);
    Ok(all)
}

fn selector(release: &Value) -> String {
    let of = |key: &str| release["metadata"][key].as_str().unwrap_or_default();
    let (name, namespace) = (of("name"), of("namespace"));
    format!("helm.toolkit.fluxcd.io/name={name},helm.toolkit.fluxcd.io/namespace={namespace}")
}

fn list<K>(cluster: &Cluster, kind: WorkloadKind, which: &ListParams) -> Result<Vec<Workload>>
where
    K: kube::Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned,
{
    let api: Api<K> = Api::all(cluster.client.clone());
    let found = cluster.wait(|| format!("list {kind:?}s"), api.list_metadata(which))?;
    let workload = |it: PartialObjectMeta<K>| {
        let namespace = it.namespace().unwrap_or_default();
        Workload { kind, namespace, name: it.name_any() }
    };
    Ok(found.items.into_iter().map(workload).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_labels_name_the_helm_release_and_its_namespace() {
        let release = serde_json::json!({ "metadata": { "name": "cilium", "namespace": "pdp" } });
        let wanted = "helm.toolkit.fluxcd.io/name=cilium,helm.toolkit.fluxcd.io/namespace=pdp";
        assert_eq!(selector(&release), wanted);
    }
}
