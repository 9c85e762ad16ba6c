//! Fields that a cluster refuses to change once the object is there: the update fails, and goes back.
//!
//! Source: the validation of updates in kubernetes/kubernetes `pkg/apis/*/validation`, version 1.34.

use serde::Serialize;
use serde_json::{Value, json};

use super::identity::Identity;

/// A field that differs and must not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct FixedField {
    /// `Kind name`.
    pub(crate) object: String,
    /// A JSON Pointer.
    pub(crate) field: String,
}

/// A JSON Pointer, and what the API server sets where nothing stands.
type Field = (&'static str, Option<&'static str>);

/// Fields by group and kind.
const FIELDS: [(&str, &[Field]); 15] = [
    ("rbac.authorization.k8s.io/ClusterRoleBinding", &[("/roleRef", None)]),
    ("apps/DaemonSet", &[("/spec/selector", None)]),
    ("apps/Deployment", &[("/spec/selector", None)]),
    ("networking.k8s.io/IngressClass", &[("/spec/controller", None)]),
    (
        "batch/Job",
        &[
            ("/spec/selector", None),
            ("/spec/template", None),
            ("/spec/completionMode", Some("NonIndexed")),
            ("/spec/podFailurePolicy", None),
            ("/spec/successPolicy", None),
            ("/spec/backoffLimitPerIndex", None),
            ("/spec/managedBy", None),
        ],
    ),
    ("storage.k8s.io/CSIDriver", &[("/spec/attachRequired", None), ("/spec/volumeLifecycleModes", None)]),
    ("PersistentVolume", &[("/spec/volumeMode", Some("Filesystem"))]),
    (
        "PersistentVolumeClaim",
        &[
            ("/spec/accessModes", None),
            ("/spec/storageClassName", None),
            ("/spec/selector", None),
            ("/spec/volumeMode", Some("Filesystem")),
            ("/spec/volumeName", None),
            ("/spec/dataSource", None),
            ("/spec/dataSourceRef", None),
        ],
    ),
    (
        "scheduling.k8s.io/PriorityClass",
        &[("/value", None), ("/preemptionPolicy", Some("PreemptLowerPriority"))],
    ),
    ("apps/ReplicaSet", &[("/spec/selector", None)]),
    ("rbac.authorization.k8s.io/RoleBinding", &[("/roleRef", None)]),
    ("node.k8s.io/RuntimeClass", &[("/handler", None)]),
    ("Secret", &[("/type", Some("Opaque"))]),
    (
        "apps/StatefulSet",
        &[
            ("/spec/selector", None),
            ("/spec/serviceName", None),
            ("/spec/podManagementPolicy", Some("OrderedReady")),
            ("/spec/volumeClaimTemplates", None),
        ],
    ),
    (
        "storage.k8s.io/StorageClass",
        &[
            ("/provisioner", None),
            ("/parameters", None),
            ("/reclaimPolicy", Some("Delete")),
            ("/volumeBindingMode", Some("Immediate")),
        ],
    ),
];

/// These may be `immutable: true`.
const SEALED: [&str; 2] = ["ConfigMap", "Secret"];
/// What sizes are written in.
const UNITS: [(&str, f64); 11] = [
    ("", 1.0),
    ("k", 1e3),
    ("M", 1e6),
    ("G", 1e9),
    ("T", 1e12),
    ("P", 1e15),
    ("Ki", 1024.0),
    ("Mi", 1_048_576.0),
    ("Gi", 1_073_741_824.0),
    ("Ti", 1_099_511_627_776.0),
    ("Pi", 1_125_899_906_842_624.0),
];
/// Of a PersistentVolume's spec: all but where the data is.
const VOLUME_FIELDS: [&str; 9] = [
    "accessModes",
    "capacity",
    "claimRef",
    "mountOptions",
    "nodeAffinity",
    "persistentVolumeReclaimPolicy",
    "storageClassName",
    "volumeAttributesClassName",
    "volumeMode",
];

pub(super) fn changed(identity: &Identity, was: &Value, is: &Value) -> Vec<FixedField> {
    let fields =
        FIELDS.iter().find(|(kind, _)| *kind == identity.group_kind()).map_or(&[][..], |(_, fields)| fields);
    let differ = fields.iter().filter(|(field, default)| {
        let value = |object: &Value| object.pointer(field).filter(|it| !it.is_null()).cloned();
        let or_default = |value: Option<Value>| value.or_else(|| default.map(|it| json!(it)));
        or_default(value(was)) != or_default(value(is))
    });
    let mut found: Vec<_> = differ.map(|(field, _)| (*field).to_owned()).collect();
    found.extend(address(identity, was, is));
    found.extend(completions(identity, was, is));
    found.extend(smaller(identity, was, is));
    found.extend(source(identity, was, is));
    if SEALED.contains(&identity.group_kind().as_str()) {
        found.extend(sealed(was, is));
    }
    let object = identity.to_string();
    found.into_iter().map(|field| FixedField { object: object.clone(), field }).collect()
}

/// A Service keeps the address that it has; where none is written the cluster's own stays.
fn address(identity: &Identity, was: &Value, is: &Value) -> Option<String> {
    let address =
        |object: &Value| object["spec"]["clusterIP"].as_str().filter(|it| !it.is_empty()).map(str::to_owned);
    let external = |object: &Value| object["spec"]["type"] == "ExternalName";
    let new =
        address(is).filter(|_| identity.group_kind() == "Service" && !external(was) && !external(is))?;
    (address(was) != Some(new)).then(|| "/spec/clusterIP".to_owned())
}

/// A Job's, unless it is indexed: there they may rise and fall with `parallelism`.
fn completions(identity: &Identity, was: &Value, is: &Value) -> Option<String> {
    let spec = |object: &Value| object["spec"].clone();
    let field = |object: &Value| match (&spec(object)["completions"], &spec(object)["parallelism"]) {
        (Value::Null, Value::Null) => json!(1),
        (completions, _) => completions.clone(),
    };
    let indexed = is["spec"]["completionMode"] == "Indexed";
    let differs = identity.group_kind() == "batch/Job" && !indexed && field(was) != field(is);
    differs.then(|| "/spec/completions".to_owned())
}

/// A claim grows, and never shrinks.
fn smaller(identity: &Identity, was: &Value, is: &Value) -> Option<String> {
    const FIELD: &str = "/spec/resources/requests/storage";
    let size = |object: &Value| bytes(object.pointer(FIELD)?);
    let shrinks = identity.group_kind() == "PersistentVolumeClaim" && size(is)? < size(was)?;
    shrinks.then(|| FIELD.to_owned())
}

/// A quantity as people write sizes; none if it is written otherwise.
fn bytes(quantity: &Value) -> Option<f64> {
    let text = quantity.as_str().map_or_else(|| quantity.to_string(), str::to_owned);
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    let factor = UNITS.iter().find(|(name, _)| *name == unit)?.1;
    Some(number.parse::<f64>().ok()? * factor)
}

/// Where a volume's data is: every field of its spec that names a driver.
fn source(identity: &Identity, was: &Value, is: &Value) -> Option<String> {
    let driver = |object: &Value| {
        let all = object["spec"].as_object().into_iter().flatten();
        let found = all.filter(|(name, _)| !VOLUME_FIELDS.contains(&name.as_str()));
        found.map(|(name, value)| (name.clone(), value.clone())).collect::<Vec<_>>()
    };
    let (old, new) = (driver(was), driver(is));
    let differs = identity.group_kind() == "PersistentVolume" && old != new;
    let named = new.first().or(old.first()).map(|(name, _)| format!("/spec/{name}"));
    named.filter(|_| differs)
}

/// `immutable: true` of a ConfigMap or a Secret.
fn sealed(was: &Value, is: &Value) -> Vec<String> {
    if was["immutable"] != true {
        return Vec::new();
    }
    let fields = ["data", "binaryData", "stringData", "immutable"];
    fields.into_iter().filter(|field| was[*field] != is[*field]).map(|field| format!("/{field}")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_custom_resource_of_the_same_kind_has_fields_of_its_own() {
        let of =
            json!({ "apiVersion": "serving.knative.dev/v1", "kind": "Service", "metadata": { "name": "a" } });
        let identity = Identity::of(&of, &"pdp".parse().unwrap()).unwrap();
        let (was, is) = (json!({ "spec": { "clusterIP": "a" } }), json!({ "spec": { "clusterIP": "b" } }));
        assert_eq!(changed(&identity, &was, &is), []);
    }

    #[test]
    fn fields_that_no_cluster_changes_are_named() {
        let claims = |size: &str| json!([{ "metadata": { "name": "data" }, "spec": { "resources": { "requests": { "storage": size } } } }]);
        for (kind, was, is, field) in [
            (
                "Deployment",
                json!({ "spec": { "selector": { "a": "1" } } }),
                json!({ "spec": { "selector": { "a": "2" } } }),
                Some("/spec/selector"),
            ),
            ("Deployment", json!({ "spec": { "replicas": 1 } }), json!({ "spec": { "replicas": 2 } }), None),
            (
                "StatefulSet",
                json!({ "spec": { "volumeClaimTemplates": claims("1Gi") } }),
                json!({ "spec": { "volumeClaimTemplates": claims("2Gi") } }),
                Some("/spec/volumeClaimTemplates"),
            ),
            (
                "StatefulSet",
                json!({ "spec": {} }),
                json!({ "spec": { "podManagementPolicy": "OrderedReady" } }),
                None,
            ),
            (
                "StatefulSet",
                json!({ "spec": {} }),
                json!({ "spec": { "podManagementPolicy": "Parallel" } }),
                Some("/spec/podManagementPolicy"),
            ),
            (
                "Service",
                json!({ "spec": { "clusterIP": "None" } }),
                json!({ "spec": { "clusterIP": "10.0.0.1" } }),
                Some("/spec/clusterIP"),
            ),
            (
                "Service",
                json!({ "spec": {} }),
                json!({ "spec": { "clusterIP": "None" } }),
                Some("/spec/clusterIP"),
            ),
            ("Service", json!({ "spec": { "clusterIP": "None" } }), json!({ "spec": {} }), None),
            (
                "Service",
                json!({ "spec": { "type": "ExternalName" } }),
                json!({ "spec": { "clusterIP": "10.0.0.1" } }),
                None,
            ),
            (
                "Job",
                json!({ "spec": { "template": { "a": 1 } } }),
                json!({ "spec": { "template": { "a": 2 } } }),
                Some("/spec/template"),
            ),
            (
                "RoleBinding",
                json!({ "roleRef": { "name": "a" } }),
                json!({ "roleRef": { "name": "b" } }),
                Some("/roleRef"),
            ),
            ("Secret", json!({}), json!({ "type": "Opaque" }), None),
            ("Secret", json!({}), json!({ "type": "kubernetes.io/tls" }), Some("/type")),
            (
                "ConfigMap",
                json!({ "immutable": true, "data": { "a": "1" } }),
                json!({ "immutable": true, "data": { "a": "2" } }),
                Some("/data"),
            ),
            (
                "ConfigMap",
                json!({ "data": { "a": "1" } }),
                json!({ "immutable": true, "data": { "a": "2" } }),
                None,
            ),
            (
                "PersistentVolumeClaim",
                json!({ "spec": { "storageClassName": "a" } }),
                json!({ "spec": { "storageClassName": "b" } }),
                Some("/spec/storageClassName"),
            ),
            (
                "PersistentVolumeClaim",
                json!({ "spec": { "resources": { "requests": { "storage": "1Gi" } } } }),
                json!({ "spec": { "resources": { "requests": { "storage": "2Gi" } } } }),
                None,
            ),
            (
                "PersistentVolumeClaim",
                json!({ "spec": { "resources": { "requests": { "storage": "1Gi" } } } }),
                json!({ "spec": { "resources": { "requests": { "storage": "1G" } } } }),
                Some("/spec/resources/requests/storage"),
            ),
            (
                "PersistentVolumeClaim",
                json!({ "spec": { "volumeName": "a" } }),
                json!({ "spec": { "volumeName": "b" } }),
                Some("/spec/volumeName"),
            ),
            (
                "PersistentVolume",
                json!({ "spec": { "capacity": { "storage": "1Gi" }, "nfs": { "path": "/a" } } }),
                json!({ "spec": { "capacity": { "storage": "2Gi" }, "nfs": { "path": "/b" } } }),
                Some("/spec/nfs"),
            ),
            (
                "Job",
                json!({ "spec": { "completions": 1 } }),
                json!({ "spec": { "completions": 2 } }),
                Some("/spec/completions"),
            ),
            (
                "Job",
                json!({ "spec": { "completions": 1, "completionMode": "Indexed" } }),
                json!({ "spec": { "completions": 2, "completionMode": "Indexed" } }),
                None,
            ),
            (
                "Job",
                json!({ "spec": {} }),
                json!({ "spec": { "managedBy": "example.com/other" } }),
                Some("/spec/managedBy"),
            ),
            (
                "CSIDriver",
                json!({ "spec": { "attachRequired": true } }),
                json!({ "spec": { "attachRequired": false } }),
                Some("/spec/attachRequired"),
            ),
            (
                "StorageClass",
                json!({ "parameters": { "type": "a" } }),
                json!({ "parameters": { "type": "b" } }),
                Some("/parameters"),
            ),
            (
                "IngressClass",
                json!({ "spec": { "controller": "a" } }),
                json!({ "spec": { "controller": "b" } }),
                Some("/spec/controller"),
            ),
        ] {
            let group = FIELDS.iter().find_map(|(of, _)| of.strip_suffix(kind)?.strip_suffix('/'));
            let api = group.map_or_else(|| "v1".to_owned(), |group| format!("{group}/v1"));
            let of = json!({ "apiVersion": api, "kind": kind, "metadata": { "name": "a" } });
            let identity = Identity::of(&of, &"pdp".parse().unwrap()).unwrap();
            let found: Vec<_> = changed(&identity, &was, &is).into_iter().map(|it| it.field).collect();
            assert_eq!(found, field.into_iter().collect::<Vec<_>>(), "{kind} {was} {is}");
        }
    }
}
