//! Lists whose elements have keys: server-side apply, which Flux and Helm 4 use, refuses an object in which two elements of
//! such a list have the same. Pure.
//!
//! The lists are those with `x-kubernetes-list-map-keys` in the OpenAPI of Kubernetes 1.33 to 1.37 that people write, and
//! names of ports, which a cluster refuses twice by a rule of its own.

use std::collections::BTreeMap;
use std::fmt;

use pdp_policies::printable;
use serde_json::Value;

use crate::kubernetes_list::items;

/// An element that stands in a list more than once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Repeated {
    /// `Kind/name`.
    object: String,
    /// Such as `spec.containers[app].env`.
    list: String,
    /// Such as `name=A` or `containerPort=80, protocol=TCP`.
    key: String,
    times: usize,
}

impl fmt::Display for Repeated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { object, list, key, times } = self;
        f.write_str(&printable(&format!("{object}: {list} has {key} {times} times")))
    }
}

/// A list: where it is, the fields that are its key together, each with what it is if nobody wrote it, and the lists in
/// its elements.
struct List {
    path: &'static [&'static str],
    key: &'static [(&'static str, Option<&'static str>)],
    inner: &'static [List],
}

const fn list(path: &'static [&'static str], key: &'static [(&'static str, Option<&'static str>)]) -> List {
    List { path, key, inner: &[] }
}

const NAME: &[(&str, Option<&str>)] = &[("name", None)];
const PROTOCOL: (&str, Option<&str>) = ("protocol", Some("TCP"));

const CONTAINER: &[List] = &[
    list(&["env"], NAME),
    list(&["ports"], &[("containerPort", None), PROTOCOL]),
    list(&["ports"], NAME),
    list(&["volumeMounts"], &[("mountPath", None)]),
    list(&["volumeDevices"], &[("devicePath", None)]),
    list(&["resources", "claims"], NAME),
];
const POD: &[List] = &[
    List { path: &["containers"], key: NAME, inner: CONTAINER },
    List { path: &["initContainers"], key: NAME, inner: CONTAINER },
    List { path: &["ephemeralContainers"], key: NAME, inner: CONTAINER },
    list(&["volumes"], NAME),
    list(&["imagePullSecrets"], NAME),
    list(&["hostAliases"], &[("ip", None)]),
    list(&["topologySpreadConstraints"], &[("topologyKey", None), ("whenUnsatisfiable", None)]),
    list(&["resourceClaims"], NAME),
    list(&["schedulingGates"], NAME),
];
const SERVICE: &[List] = &[list(&["ports"], &[("port", None), PROTOCOL]), list(&["ports"], NAME)];
const SECRETS: &[List] = &[list(&["secrets"], NAME)];
const WEBHOOKS: &[List] =
    &[List { path: &["webhooks"], key: NAME, inner: &[list(&["matchConditions"], NAME)] }];

/// Where the lists of an object are, by its group and kind.
fn lists(object: &Value) -> Option<(&'static [&'static str], &'static [List])> {
    let api = object["apiVersion"].as_str().unwrap_or_default();
    let group = api.split_once('/').map_or("", |(group, _)| group);
    let template: &[&str] = &["spec", "template", "spec"];
    Some(match (group, object["kind"].as_str()?) {
        ("", "Pod") => (&["spec"], POD),
        ("", "PodTemplate") => (&["template", "spec"], POD),
        ("", "ReplicationController") => (template, POD),
        ("apps", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet") => (template, POD),
        ("batch", "Job") => (template, POD),
        ("batch", "CronJob") => (&["spec", "jobTemplate", "spec", "template", "spec"], POD),
        ("", "Service") => (&["spec"], SERVICE),
        ("", "ServiceAccount") => (&[], SECRETS),
        (
            "admissionregistration.k8s.io",
            "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration",
        ) => (&[], WEBHOOKS),
        _ => return None,
    })
}

/// Every repeated element of rendered objects, or of manifests, once and in order.
pub(crate) fn repeated(objects: &[Value]) -> Vec<Repeated> {
    let mut found = Vec::new();
    for object in objects.iter().flat_map(items) {
        let Some((path, lists)) = lists(object) else { continue };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let name = format!("{}/{}", text(&object["kind"]), text(&object["metadata"]["name"]));
        let place = path.iter().map(|field| format!("{field}.")).collect::<String>();
        walk(&name, &place, at(object, path), lists, &mut found);
    }
    found.sort();
    found.dedup();
    found
}

fn walk(object: &str, place: &str, within: &Value, lists: &[List], found: &mut Vec<Repeated>) {
    for List { path, key, inner } in lists {
        let elements = at(within, path).as_array().map(Vec::as_slice).unwrap_or_default();
        let place = format!("{place}{}", path.join("."));
        let mut times: BTreeMap<String, usize> = BTreeMap::new();
        for (number, element) in elements.iter().enumerate().filter(|(_, it)| it.get("$patch").is_none()) {
            let own = key_of(element, key);
            let shown = element["name"].as_str().map_or_else(|| number.to_string(), str::to_owned);
            walk(object, &format!("{place}[{shown}]."), element, inner, found);
            if let Some(own) = own {
                *times.entry(own).or_default() += 1;
            }
        }
        for (key, times) in times.into_iter().filter(|(_, times)| *times > 1) {
            found.push(Repeated { object: object.to_owned(), list: place.clone(), key, times });
        }
    }
}

/// None if a part of it isn't there: what has no key isn't the same as anything.
fn key_of(element: &Value, key: &[(&str, Option<&str>)]) -> Option<String> {
    let part = |(field, default): &(&str, Option<&str>)| {
        let value = match &element[*field] {
            Value::Null => (*default)?.to_owned(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        Some(format!("{field}={value}"))
    };
    Some(key.iter().map(part).collect::<Option<Vec<_>>>()?.join(", "))
}

fn at<'a>(value: &'a Value, path: &[&str]) -> &'a Value {
    path.iter().fold(value, |value, field| &value[*field])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(object: Value) -> Vec<String> {
        repeated(&[object]).iter().map(ToString::to_string).collect()
    }

    fn pod(spec: Value) -> Value {
        json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "x" }, "spec": spec })
    }

    fn container(more: Value) -> Value {
        let mut container = json!({ "name": "a" });
        container
            .as_object_mut()
            .into_iter()
            .for_each(|it| it.extend(more.as_object().cloned().unwrap_or_default()));
        pod(json!({ "containers": [container] }))
    }

    #[test]
    fn each_list_has_its_own_key() {
        for (object, wanted) in [
            (container(json!({ "env": [{ "name": "A" }, { "name": "B" }] })), &[][..]),
            (
                container(
                    json!({ "env": [{ "name": "A", "value": "1" }, { "name": "A", "value": "2" }, { "name": "A" }] }),
                ),
                &["Pod/x: spec.containers[a].env has name=A 3 times"],
            ),
            (
                container(
                    json!({ "ports": [{ "containerPort": 53 }, { "containerPort": 53, "protocol": "UDP" }] }),
                ),
                &[],
            ),
            (
                container(
                    json!({ "ports": [{ "containerPort": 53, "name": "a" }, { "containerPort": 53, "protocol": "TCP", "name": "b" }] }),
                ),
                &["Pod/x: spec.containers[a].ports has containerPort=53, protocol=TCP 2 times"],
            ),
            (
                container(
                    json!({ "ports": [{ "containerPort": 1, "name": "a" }, { "containerPort": 2, "name": "a" }] }),
                ),
                &["Pod/x: spec.containers[a].ports has name=a 2 times"],
            ),
            (
                container(
                    json!({ "volumeMounts": [{ "mountPath": "/a", "name": "v" }, { "mountPath": "/a", "name": "w" }] }),
                ),
                &["Pod/x: spec.containers[a].volumeMounts has mountPath=/a 2 times"],
            ),
            (
                container(
                    json!({ "volumeMounts": [{ "mountPath": "/a", "name": "v" }, { "mountPath": "/b", "name": "v" }] }),
                ),
                &[],
            ),
            (
                container(json!({ "volumeDevices": [{ "devicePath": "/a" }, { "devicePath": "/a" }] })),
                &["Pod/x: spec.containers[a].volumeDevices has devicePath=/a 2 times"],
            ),
            (
                container(json!({ "resources": { "claims": [{ "name": "g" }, { "name": "g" }] } })),
                &["Pod/x: spec.containers[a].resources.claims has name=g 2 times"],
            ),
            (
                container(json!({ "args": ["a", "a"], "envFrom": [{ "prefix": "A" }, { "prefix": "A" }] })),
                &[],
            ),
            (
                pod(
                    json!({ "containers": [{ "name": "a" }, { "name": "a" }], "initContainers": [{ "name": "a" }] }),
                ),
                &["Pod/x: spec.containers has name=a 2 times"],
            ),
            (
                pod(
                    json!({ "initContainers": [{ "name": "i", "env": [{ "name": "A" }, { "name": "A" }] }] }),
                ),
                &["Pod/x: spec.initContainers[i].env has name=A 2 times"],
            ),
            (
                pod(
                    json!({ "volumes": [{ "name": "v" }, { "name": "v" }], "imagePullSecrets": [{ "name": "s" }, { "name": "s" }] }),
                ),
                &[
                    "Pod/x: spec.imagePullSecrets has name=s 2 times",
                    "Pod/x: spec.volumes has name=v 2 times",
                ],
            ),
            (
                pod(json!({ "hostAliases": [{ "ip": "10.0.0.1" }, { "ip": "10.0.0.1" }] })),
                &["Pod/x: spec.hostAliases has ip=10.0.0.1 2 times"],
            ),
            (
                pod(json!({ "topologySpreadConstraints": [
                    { "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule" },
                    { "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway" },
                    { "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "maxSkew": 2 },
                ] })),
                &[
                    "Pod/x: spec.topologySpreadConstraints has topologyKey=zone, whenUnsatisfiable=DoNotSchedule 2 times",
                ],
            ),
            (pod(json!({ "tolerations": [{ "key": "a" }, { "key": "a" }] })), &[]),
            (
                container(
                    json!({ "env": [{ "name": "A\u{1b}" }, { "name": "A\u{1b}" }, { "$patch": "delete", "name": "B" }, { "name": "B" }] }),
                ),
                &["Pod/x: spec.containers[a].env has name=A\\u{1b} 2 times"],
            ),
            (pod(json!({ "containers": [7, null, { "env": 1 }, { "env": [{}, {}] }] })), &[]),
        ] {
            assert_eq!(told(object.clone()), wanted, "{object}");
        }
    }

    #[test]
    fn pods_are_found_where_their_kind_has_them_and_only_in_kubernetes_own() {
        let twice = json!({ "volumes": [{ "name": "v" }, { "name": "v" }] });
        let template = json!({ "template": { "spec": twice } });
        for (api, kind, spec, place) in [
            ("apps/v1", "Deployment", &template, "spec.template.spec.volumes"),
            ("apps/v1", "StatefulSet", &template, "spec.template.spec.volumes"),
            ("apps/v1", "DaemonSet", &template, "spec.template.spec.volumes"),
            ("batch/v1", "Job", &template, "spec.template.spec.volumes"),
            (
                "batch/v1",
                "CronJob",
                &json!({ "jobTemplate": { "spec": template } }),
                "spec.jobTemplate.spec.template.spec.volumes",
            ),
        ] {
            let object =
                json!({ "apiVersion": api, "kind": kind, "metadata": { "name": "x" }, "spec": spec });
            let wanted = [format!("{kind}/x: {place} has name=v 2 times")];
            assert_eq!(told(object.clone()), wanted);
            assert_eq!(told(json!({ "kind": format!("{kind}List"), "items": [object] })), wanted);
        }
        assert_eq!(
            told(json!({ "apiVersion": "example.com/v1", "kind": "Deployment", "spec": template })),
            [""; 0]
        );
    }

    #[test]
    fn services_accounts_and_webhooks_have_keys_too() {
        for (object, wanted) in [
            (
                json!({ "apiVersion": "v1", "kind": "Service", "spec": { "ports": [{ "port": 53, "name": "a" }, { "port": 53, "protocol": "UDP", "name": "b" }] } }),
                &[][..],
            ),
            (
                json!({ "apiVersion": "v1", "kind": "Service", "spec": { "ports": [{ "port": 80, "name": "a" }, { "port": 80, "name": "b" }] } }),
                &["Service/: spec.ports has port=80, protocol=TCP 2 times"],
            ),
            (
                json!({ "apiVersion": "v1", "kind": "ServiceAccount", "secrets": [{ "name": "a" }, { "name": "a" }], "imagePullSecrets": [{ "name": "a" }, { "name": "a" }] }),
                &["ServiceAccount/: secrets has name=a 2 times"],
            ),
            (
                json!({ "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration", "webhooks": [{ "name": "a" }, { "name": "a" }] }),
                &["ValidatingWebhookConfiguration/: webhooks has name=a 2 times"],
            ),
        ] {
            assert_eq!(told(object.clone()), wanted, "{object}");
        }
    }
}
