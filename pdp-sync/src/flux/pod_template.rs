//! One workload as the cluster has it: whether it is up, and which images its pod template names. Templates and not pods,
//! so that what is put into pods at admission doesn't count.

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, StatefulSet};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{PodSpec, PodTemplateSpec};
use kube::Api;
use pdp_policies::foreign::{Template, UsedImage};
use pdp_transport::cli::failure::Result;
use serde::de::DeserializeOwned;

use super::inventory::{Workload, WorkloadKind};
use crate::cluster::Cluster;

/// What was seen of one workload.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) is_up: bool,
    /// None if it isn't there.
    pub(super) template: Option<Template>,
}

/// Asks the API server. A workload that went away isn't up, but a Job that is over may go.
pub(super) fn read(cluster: &Cluster, workload: &Workload) -> Result<Seen> {
    let found = match workload.kind {
        WorkloadKind::Deployment => get(cluster, workload)?.map(deployment),
        WorkloadKind::StatefulSet => get(cluster, workload)?.map(stateful_set),
        WorkloadKind::DaemonSet => get(cluster, workload)?.map(daemon_set),
        WorkloadKind::CronJob => get(cluster, workload)?.map(cron_job),
        WorkloadKind::Job => get(cluster, workload)?.map(job),
    };
    let may_go = workload.kind == WorkloadKind::Job;
    let (is_up, template) = found.map_or((may_go, None), |(is_up, spec)| (is_up, Some(spec)));
    let template = template.map(|spec| Template {
        workload: workload.to_string(),
        images: spec.as_ref().map(images).unwrap_or_default(),
    });
    Ok(Seen { is_up, template })
}

/// Whether it is up, and the pods that it makes.
type Found = (bool, Option<PodSpec>);

fn get<K>(cluster: &Cluster, workload: &Workload) -> Result<Option<K>>
where
    K: k8s_openapi::Resource<Scope = NamespaceResourceScope>
        + kube::Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + std::fmt::Debug
        + DeserializeOwned,
{
    let api: Api<K> = Api::namespaced(cluster.client.clone(), &workload.namespace);
    cluster.wait(|| format!("get {workload}"), api.get_opt(&workload.name))
}

fn deployment(it: Deployment) -> Found {
    let available = it.status.and_then(|status| status.available_replicas).unwrap_or(0);
    let Some(spec) = it.spec else { return (available >= 1, None) };
    (spec.replicas == Some(0) || available >= 1, spec.template.spec)
}

fn stateful_set(it: StatefulSet) -> Found {
    let ready = it.status.and_then(|status| status.ready_replicas).unwrap_or(0);
    let Some(spec) = it.spec else { return (ready >= 1, None) };
    (spec.replicas == Some(0) || ready >= 1, spec.template.spec)
}

fn daemon_set(it: DaemonSet) -> Found {
    let up = |status: k8s_openapi::api::apps::v1::DaemonSetStatus| {
        status.desired_number_scheduled == 0 || status.number_ready >= 1
    };
    (it.status.is_some_and(up), it.spec.and_then(|spec| spec.template.spec))
}

fn cron_job(it: CronJob) -> Found {
    let template = it.spec.and_then(|spec| spec.job_template.spec).map(|spec| spec.template);
    (true, template.and_then(|template: PodTemplateSpec| template.spec))
}

fn job(it: Job) -> Found {
    (true, it.spec.and_then(|spec| spec.template.spec))
}

/// Everything in a pod that makes a node fetch an image.
fn images(spec: &PodSpec) -> Vec<UsedImage> {
    let one = |what: &str, name: &str, image: Option<&String>| UsedImage {
        place: format!("{what} {name}"),
        image: image.cloned().unwrap_or_default(),
    };
    let containers = spec.containers.iter().map(|it| one("container", &it.name, it.image.as_ref()));
    let init = spec.init_containers.iter().flatten();
    let init = init.map(|it| one("init container", &it.name, it.image.as_ref()));
    let ephemeral = spec.ephemeral_containers.iter().flatten();
    let ephemeral = ephemeral.map(|it| one("ephemeral container", &it.name, it.image.as_ref()));
    let volumes = spec.volumes.iter().flatten().filter_map(|volume| {
        let image = volume.image.as_ref()?;
        Some(one("image volume", &volume.name, image.reference.as_ref()))
    });
    containers.chain(init).chain(ephemeral).chain(volumes).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn every_place_of_an_image_is_looked_at() {
        let spec: PodSpec = serde_json::from_value(json!({
            "containers": [{ "name": "app", "image": "a" }, { "name": "none" }],
            "initContainers": [{ "name": "first", "image": "b" }],
            "ephemeralContainers": [{ "name": "shell", "image": "c" }],
            "volumes": [{ "name": "data", "image": { "reference": "d" } }, { "name": "tmp", "emptyDir": {} }],
        }))
        .unwrap();
        let found: Vec<_> =
            images(&spec).into_iter().map(|used| format!("{}={}", used.place, used.image)).collect();
        assert_eq!(
            found,
            [
                "container app=a",
                "container none=",
                "init container first=b",
                "ephemeral container shell=c",
                "image volume data=d"
            ]
        );
    }

    #[test]
    fn a_workload_is_up_with_one_replica_or_none_wanted() {
        let template = json!({ "spec": { "containers": [{ "name": "app", "image": "a" }] } });
        for (replicas, available, up) in [(0, 0, true), (1, 0, false), (3, 1, true)] {
            let object = json!({
                "spec": { "replicas": replicas, "selector": {}, "template": template, "serviceName": "s" },
                "status": { "availableReplicas": available, "readyReplicas": available, "replicas": 0 },
            });
            assert_eq!(deployment(serde_json::from_value(object.clone()).unwrap()).0, up);
            assert_eq!(stateful_set(serde_json::from_value(object).unwrap()).0, up);
        }
        let pods = json!({ "template": template });
        let cron = json!({ "spec": { "schedule": "* * * * *", "jobTemplate": { "spec": pods } } });
        let (up, spec) = cron_job(serde_json::from_value(cron).unwrap());
        assert!(up && images(&spec.unwrap()).len() == 1);
        let (up, spec) = job(serde_json::from_value(json!({ "spec": pods })).unwrap());
        assert!(up && images(&spec.unwrap()).len() == 1);
    }
}
