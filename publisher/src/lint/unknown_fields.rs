//! Fields of manifests that Kubernetes doesn't know: server-side apply, which Flux uses, refuses the whole object. Pure.
//!
//! Known are those of the oldest Kubernetes that is supported, so a release has to be for that one to be judged.

use k8s_openapi::api::admissionregistration::v1::{
    MutatingWebhookConfiguration, ValidatingWebhookConfiguration,
};
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{
    ConfigMap, LimitRange, Namespace, PersistentVolume, PersistentVolumeClaim, Pod, ResourceQuota, Secret,
    Service, ServiceAccount,
};
use k8s_openapi::api::networking::v1::{Ingress, IngressClass, NetworkPolicy};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding};
use k8s_openapi::api::scheduling::v1::PriorityClass;
use k8s_openapi::api::storage::v1::StorageClass;
use pdp_policies::{VersionRange, printable};
use semver::Version;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::kubernetes_list::items;

/// The minor version of Kubernetes whose fields are known.
const KUBERNETES: u64 = 33;
/// What holds quantities, which may be written as numbers.
const QUANTITIES: [&str; 13] = [
    "limits",
    "requests",
    "capacity",
    "hard",
    "default",
    "defaultRequest",
    "max",
    "min",
    "maxLimitRequestRatio",
    "overhead",
    "sizeLimit",
    "divisor",
    "averageValue",
];

/// True for a version of that Kubernetes, such as `v1.33.4`.
pub(crate) fn knows(kubernetes: &str) -> bool {
    let version = Version::parse(kubernetes.trim_start_matches('v'));
    version.is_ok_and(|version| (version.major, version.minor) == (1, KUBERNETES))
}

/// True if a release may be installed on the Kubernetes whose fields are known.
pub(crate) fn is_for(kubernetes: Option<&VersionRange>) -> bool {
    let (first, next) = (Version::new(1, KUBERNETES, 0), Version::new(1, KUBERNETES + 1, 0));
    kubernetes.is_none_or(|range| range.lowest(&first, Some(&next)).is_some())
}

/// `Kind/name: place` of each unknown field of manifests, or of patches; nothing for kinds that aren't Kubernetes' own.
pub(crate) fn unknown_in(objects: &[Value]) -> Vec<String> {
    objects.iter().flat_map(items).flat_map(unknown).collect()
}

fn unknown(object: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (api, kind) = (text(&object["apiVersion"]), text(&object["kind"]));
    let Some(read) = reader(&api, &kind) else { return Vec::new() };
    let name = format!("{kind}/{}", text(&object["metadata"]["name"]));
    let places = read(&written_out(object, false)).into_iter();
    // Patches have directives.
    let places = places.filter(|place| !place.rsplit('.').next().is_some_and(|field| field.starts_with('$')));
    places.map(|place| printable(&format!("{name}: {place}"))).collect()
}

type Reader = fn(&Value) -> Vec<String>;

fn reader(api: &str, kind: &str) -> Option<Reader> {
    Some(match (api, kind) {
        ("v1", "ConfigMap") => ignored::<ConfigMap>,
        ("v1", "LimitRange") => ignored::<LimitRange>,
        ("v1", "Namespace") => ignored::<Namespace>,
        ("v1", "PersistentVolume") => ignored::<PersistentVolume>,
        ("v1", "PersistentVolumeClaim") => ignored::<PersistentVolumeClaim>,
        ("v1", "Pod") => ignored::<Pod>,
        ("v1", "ResourceQuota") => ignored::<ResourceQuota>,
        ("v1", "Secret") => ignored::<Secret>,
        ("v1", "Service") => ignored::<Service>,
        ("v1", "ServiceAccount") => ignored::<ServiceAccount>,
        ("apps/v1", "DaemonSet") => ignored::<DaemonSet>,
        ("apps/v1", "Deployment") => ignored::<Deployment>,
        ("apps/v1", "ReplicaSet") => ignored::<ReplicaSet>,
        ("apps/v1", "StatefulSet") => ignored::<StatefulSet>,
        ("batch/v1", "CronJob") => ignored::<CronJob>,
        ("batch/v1", "Job") => ignored::<Job>,
        ("autoscaling/v2", "HorizontalPodAutoscaler") => ignored::<HorizontalPodAutoscaler>,
        ("networking.k8s.io/v1", "Ingress") => ignored::<Ingress>,
        ("networking.k8s.io/v1", "IngressClass") => ignored::<IngressClass>,
        ("networking.k8s.io/v1", "NetworkPolicy") => ignored::<NetworkPolicy>,
        ("policy/v1", "PodDisruptionBudget") => ignored::<PodDisruptionBudget>,
        ("rbac.authorization.k8s.io/v1", "ClusterRole") => ignored::<ClusterRole>,
        ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding") => ignored::<ClusterRoleBinding>,
        ("rbac.authorization.k8s.io/v1", "Role") => ignored::<Role>,
        ("rbac.authorization.k8s.io/v1", "RoleBinding") => ignored::<RoleBinding>,
        ("scheduling.k8s.io/v1", "PriorityClass") => ignored::<PriorityClass>,
        ("storage.k8s.io/v1", "StorageClass") => ignored::<StorageClass>,
        ("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration") => {
            ignored::<MutatingWebhookConfiguration>
        }
        ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration") => {
            ignored::<ValidatingWebhookConfiguration>
        }
        _ => return None,
    })
}

/// Fields that the type hasn't. A value of another type ends it early: what a cluster says of that is left to the cluster.
fn ignored<T: DeserializeOwned>(object: &Value) -> Vec<String> {
    let mut places = Vec::new();
    // An optional part is written `.?`.
    let _ =
        serde_ignored::deserialize::<_, _, T>(object, |path| places.push(path.to_string().replace(".?", "")));
    places
}

/// With quantities as texts.
fn written_out(value: &Value, quantity: bool) -> Value {
    match value {
        Value::Number(number) if quantity => Value::String(number.to_string()),
        Value::Array(all) => all.iter().map(|inner| written_out(inner, false)).collect(),
        Value::Object(fields) => {
            let one = |(name, inner): (&String, &Value)| {
                let is_one = quantity && !inner.is_object() || QUANTITIES.contains(&name.as_str());
                (name.clone(), written_out(inner, is_one))
            };
            Value::Object(fields.iter().map(one).collect())
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn a_field_that_kubernetes_does_not_know_is_told_by_its_place() {
        let deployment = |spec: Value| {
            let template = json!({ "metadata": { "labels": { "any": "x" } }, "spec": spec });
            json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "x" }, "spec": { "template": template } })
        };
        let container = |container: Value| deployment(json!({ "containers": [container] }));
        for (object, wanted) in [
            (
                container(json!({ "name": "a", "image": "b", "env": [{ "name": "A", "value": "1" }] })),
                &[][..],
            ),
            (
                container(
                    json!({ "name": "a", "imagePullPolcy": "Always", "resources": { "limits": { "cpu": 1, "memory": "1Gi" } }, "tty": true, "zzz": 1 }),
                ),
                &[
                    "Deployment/x: spec.template.spec.containers.0.imagePullPolcy",
                    "Deployment/x: spec.template.spec.containers.0.zzz",
                ],
            ),
            (deployment(json!({ "hostNetwrok": true })), &["Deployment/x: spec.template.spec.hostNetwrok"]),
            (
                deployment(
                    json!({ "volumes": [{ "name": "v", "emptyDir": { "sizeLimit": 5, "size": 1 } }] }),
                ),
                &["Deployment/x: spec.template.spec.volumes.0.emptyDir.size"],
            ),
            (
                deployment(
                    json!({ "$setElementOrder/containers": [], "containers": [{ "name": "a", "$patch": "delete" }] }),
                ),
                &[],
            ),
            (
                json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "x", "lables": {} }, "data": { "any": "x" }, "date": {} }),
                &["ConfigMap/x: date", "ConfigMap/x: metadata.lables"],
            ),
            (
                json!({ "apiVersion": "v1", "kind": "Service", "spec": { "ports": [{ "port": 1, "targetPort": "http" }] } }),
                &[],
            ),
            (json!({ "apiVersion": "example.com/v1", "kind": "Deployment", "any": 1 }), &[]),
            (json!({ "kind": "Pod", "any": 1 }), &[]),
            (json!({ "apiVersion": "v1", "kind": "Pod", "spec": 7 }), &[]),
            (json!({ "apiVersion": "v1", "kind": "Pod", "a\u{1b}": 7 }), &["Pod/: a\\u{1b}"]),
            (json!([1]), &[]),
        ] {
            let mut found = unknown(&object);
            found.sort();
            assert_eq!(found, wanted, "{object}");
        }
    }

    #[test]
    fn objects_in_lists_are_judged_like_others() {
        let map = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "x" }, "date": {} });
        let list = json!({ "apiVersion": "v1", "kind": "List", "items": [map] });
        assert_eq!(unknown_in(&[list]), ["ConfigMap/x: date"]);
    }

    #[test]
    fn the_kubernetes_whose_fields_are_known_is_told_by_its_minor_version() {
        for (kubernetes, known) in [
            ("v1.33.4", true),
            ("1.33.0", true),
            ("v1.33.1-gke.5", true),
            ("v1.34.1", false),
            ("v2.33.0", false),
            ("x", false),
        ] {
            assert_eq!(knows(kubernetes), known, "{kubernetes}");
        }
    }

    #[test]
    fn fields_are_judged_where_the_release_is_for_the_kubernetes_that_has_them() {
        for (range, judged) in [
            (">=1.33", true),
            (">=1.33.5", true),
            (">=1.30, <1.33", false),
            (">=1.34", false),
            ("=1.33", true),
        ] {
            assert_eq!(is_for(Some(&range.parse().unwrap())), judged, "{range}");
        }
        assert!(is_for(None));
    }
}
