//! What another level does to the objects of one component in a cluster: both sides rendered, compared. Pure.

mod fixed;
mod hooks;
mod identity;
mod rights;

use std::collections::{BTreeMap, BTreeSet};

use pdp_policies::KubernetesName;
use serde::Serialize;
use serde_json::Value;

pub(crate) use fixed::FixedField;
pub(crate) use hooks::Hook;
use identity::Identity;

use crate::crd_change::{CrdBreak, breaks};
use crate::kubernetes_list::items;
pub(crate) use rights::RightsChange;

/// These run pods for ever: another pod template restarts them.
const RESTARTED: [&str; 3] = ["apps/DaemonSet", "apps/Deployment", "apps/StatefulSet"];
const DEFINITION: &str = "apiextensions.k8s.io/CustomResourceDefinition";
/// Helm takes away no object that carries this with the value `keep`.
const POLICY: &str = "helm.sh/resource-policy";

/// One side of a component: what is applied.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Applied<'a> {
    /// The rendered objects, hooks among them.
    pub(crate) objects: &'a [Value],
    /// Where an object goes that names no namespace.
    pub(crate) namespace: &'a KubernetesName,
    /// `Kind/name` of what stays although the component goes.
    pub(crate) outlives: &'a BTreeSet<String>,
}

/// What differs. An object is shown as `Kind name` or `Kind namespace/name`.
#[derive(Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ObjectsDiff {
    pub(crate) new: Vec<String>,
    pub(crate) changed: Vec<String>,
    /// No longer applied, and deleted.
    pub(crate) deleted: Vec<String>,
    /// No longer applied, and nobody deletes them.
    pub(crate) left: Vec<String>,
    /// Workloads whose pods are replaced.
    pub(crate) restarts: Vec<String>,
    /// Fields that a cluster doesn't let anybody change: the update fails there.
    pub(crate) fixed: Vec<FixedField>,
    /// What definitions of kinds take away from those that use them.
    pub(crate) definitions: Vec<Definition>,
    /// What service accounts and people may do now and might not before, or the other way round.
    pub(crate) rights: Vec<RightsChange>,
    /// Hooks that run when it is updated, or goes back.
    pub(crate) hooks: Vec<Hook>,
}

/// A definition, and one thing that somebody relied on.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Definition {
    /// Its name, such as `gateways.example.com`.
    pub(crate) name: String,
    #[serde(flatten)]
    pub(crate) lost: CrdBreak,
}

/// Compares what one side applies with what the other does; a side that isn't there applies nothing.
pub(crate) fn compare(was: &Applied<'_>, is: &Applied<'_>) -> ObjectsDiff {
    let (old, new) = (by_identity(was), by_identity(is));
    let mut found = ObjectsDiff { hooks: hooks::of(was.objects, is.objects), ..ObjectsDiff::default() };
    for (identity, object) in &new {
        match old.get(identity) {
            None => found.new.push(identity.to_string()),
            Some(before) if before == object => {}
            Some(before) => changed(identity, before, object, &mut found),
        }
    }
    for (identity, object) in old.iter().filter(|(identity, _)| !new.contains_key(*identity)) {
        let list = if stays(identity, object, was.outlives) { &mut found.left } else { &mut found.deleted };
        list.push(identity.to_string());
    }
    let all: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    found.rights = all
        .into_iter()
        .filter_map(|identity| {
            rights::change(identity, old.get(identity).copied(), new.get(identity).copied())
        })
        .collect();
    found
}

/// What definitions take away that another component brought before; `own` is what this one brought itself.
pub(crate) fn taken_over(others: &[&[Value]], own: &[Value], now: &[Value]) -> Vec<Definition> {
    let own: BTreeSet<_> = definitions(own).map(|(name, _)| name).collect();
    let new = definitions(now).filter(|(name, _)| !own.contains(name));
    let before = |name: &str| {
        let mut all = others.iter().flat_map(|objects| definitions(objects));
        all.find(|(other, _)| *other == name).map(|(_, object)| object)
    };
    let lost = |(name, object): (&str, &Value)| -> Vec<Definition> {
        let lost = before(name).map(|before| breaks(before, object)).unwrap_or_default();
        lost.into_iter().map(|lost| Definition { name: name.to_owned(), lost }).collect()
    };
    new.flat_map(lost).collect()
}

fn definitions(objects: &[Value]) -> impl Iterator<Item = (&str, &Value)> {
    let all = objects.iter().flat_map(items).filter(|object| object["kind"] == "CustomResourceDefinition");
    all.filter_map(|object| Some((object["metadata"]["name"].as_str()?, object)))
}

fn changed(identity: &Identity, before: &Value, object: &Value, found: &mut ObjectsDiff) {
    found.changed.push(identity.to_string());
    found.fixed.extend(fixed::changed(identity, before, object));
    if identity.group_kind() == DEFINITION {
        let lost = breaks(before, object).into_iter();
        found.definitions.extend(lost.map(|lost| Definition { name: identity.name.clone(), lost }));
    }
    if RESTARTED.contains(&identity.group_kind().as_str()) && !waits_for_deletion(object) {
        let template = |object: &Value| object["spec"]["template"].clone();
        if template(before) != template(object) {
            found.restarts.push(identity.to_string());
        }
    }
}

/// `OnDelete`: pods get the new template when somebody deletes them.
fn waits_for_deletion(object: &Value) -> bool {
    object["spec"]["updateStrategy"]["type"] == "OnDelete"
}

fn stays(identity: &Identity, object: &Value, outlives: &BTreeSet<String>) -> bool {
    object["metadata"]["annotations"][POLICY] == "keep"
        || outlives.contains(&format!("{}/{}", identity.kind, identity.name))
}

/// Objects that aren't hooks. Of two with one identity the last one counts, as it is applied last.
fn by_identity<'a>(side: &Applied<'a>) -> BTreeMap<Identity, &'a Value> {
    let objects = side.objects.iter().flat_map(items).filter(|object| !hooks::is_hook(object));
    objects.filter_map(|object| Some((Identity::of(object, side.namespace)?, object))).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::slice::from_ref;

    use serde_json::json;

    use super::*;

    fn between(was: &[Value], is: &[Value], outlives: &[&str]) -> ObjectsDiff {
        let namespace = "pdp".parse().unwrap();
        let outlives = outlives.iter().map(|it| (*it).to_owned()).collect();
        let side = |objects| Applied { objects, namespace: &namespace, outlives: &outlives };
        compare(&side(was), &side(is))
    }

    fn object(kind: &str, name: &str, more: Value) -> Value {
        let mut object = json!({ "apiVersion": "v1", "kind": kind, "metadata": { "name": name } });
        more.as_object().unwrap().iter().for_each(|(key, value)| object[key] = value.clone());
        object
    }

    #[test]
    fn what_comes_goes_and_stays_is_told() {
        let keep = json!({ "metadata": { "name": "kept", "annotations": { POLICY: "keep" } } });
        let was = [
            object("ConfigMap", "same", json!({})),
            object("ConfigMap", "other", json!({ "data": { "a": "1" } })),
            object("ConfigMap", "gone", json!({})),
            object("PersistentVolumeClaim", "kept", keep),
            object("CustomResourceDefinition", "as.example.com", json!({})),
        ];
        let is = [
            object("ConfigMap", "same", json!({ "metadata": { "name": "same" } })),
            object("ConfigMap", "other", json!({ "data": { "a": "2" } })),
            object("ConfigMap", "come", json!({ "metadata": { "name": "come", "namespace": "x" } })),
        ];
        let found = between(&was, &is, &["CustomResourceDefinition/as.example.com"]);
        assert_eq!(found.new, ["ConfigMap x/come"]);
        assert_eq!(found.changed, ["ConfigMap other"]);
        assert_eq!(found.deleted, ["ConfigMap gone"]);
        assert_eq!(found.left, ["CustomResourceDefinition as.example.com", "PersistentVolumeClaim kept"]);
        assert_eq!(between(&was, &was, &[]), ObjectsDiff::default());
    }

    #[test]
    fn an_object_is_the_same_in_its_own_namespace_and_in_any_version_of_its_api() {
        let named = |space: Value, api: &str| json!({ "apiVersion": api, "kind": "Ingress", "metadata": { "name": "a", "namespace": space } });
        let found = |one: Value, other: Value| between(&[one], &[other], &[]);
        let moved = found(
            named(Value::Null, "networking.k8s.io/v1beta1"),
            named(json!("pdp"), "networking.k8s.io/v1"),
        );
        assert_eq!((moved.changed.len(), moved.new.len()), (1, 0));
        let other = found(named(Value::Null, "networking.k8s.io/v1"), named(Value::Null, "extensions/v1"));
        assert_eq!((other.new.len(), other.deleted.len()), (1, 1), "another group is another object");
        let list = json!({ "kind": "IngressList", "items": [named(Value::Null, "networking.k8s.io/v1")] });
        assert_eq!(found(list, named(json!("pdp"), "networking.k8s.io/v1")).new, Vec::<String>::new());
    }

    #[test]
    fn what_a_definition_takes_away_is_told() {
        let definition = |versions: Value| {
            let names = json!({ "kind": "A", "plural": "as" });
            let spec = json!({ "group": "example.com", "scope": "Namespaced", "names": names, "versions": versions });
            object(
                "CustomResourceDefinition",
                "as.example.com",
                json!({ "apiVersion": "apiextensions.k8s.io/v1", "spec": spec }),
            )
        };
        let both = definition(
            json!([{ "name": "v1", "served": true }, { "name": "v2", "served": true, "storage": true }]),
        );
        let one = definition(json!([{ "name": "v2", "served": true, "storage": true }]));
        let found = between(from_ref(&both), from_ref(&one), &[]);
        let told: Vec<_> =
            found.definitions.iter().map(|it| (it.name.as_str(), it.lost.to_string())).collect();
        assert_eq!(told, [("as.example.com", "version v1 is gone, which was served".to_owned())]);
        assert_eq!(between(&[one], &[both], &[]).definitions, []);
    }

    #[test]
    fn another_pod_template_restarts_what_runs_for_ever() {
        let run = |kind: &str, image: &str, more: Value| {
            let mut spec =
                json!({ "template": { "spec": { "containers": [{ "name": "a", "image": image }] } } });
            more.as_object().unwrap().iter().for_each(|(key, value)| spec[key] = value.clone());
            object(kind, "a", json!({ "apiVersion": "apps/v1", "spec": spec }))
        };
        for (was, is, restarts) in [
            (run("Deployment", "a:1", json!({})), run("Deployment", "a:2", json!({})), true),
            (run("StatefulSet", "a:1", json!({})), run("StatefulSet", "a:2", json!({})), true),
            (run("DaemonSet", "a:1", json!({})), run("DaemonSet", "a:2", json!({})), true),
            (run("Deployment", "a:1", json!({})), run("Deployment", "a:1", json!({ "replicas": 2 })), false),
            (
                run("DaemonSet", "a:1", json!({})),
                run("DaemonSet", "a:2", json!({ "updateStrategy": { "type": "OnDelete" } })),
                false,
            ),
            (run("Widget", "a:1", json!({})), run("Widget", "a:2", json!({})), false),
        ] {
            let found = between(from_ref(&was), from_ref(&is), &[]);
            assert_eq!(found.restarts.len(), usize::from(restarts), "{was} {is}");
            assert_eq!(found.changed.len(), 1);
        }
    }

    #[test]
    fn a_definition_that_moves_to_another_component_is_compared_with_what_it_was() {
        let definition = |version: &str| {
            json!({
                "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": { "name": "as.example.com" },
                "spec": { "versions": [{ "name": version, "served": true, "storage": true }] },
            })
        };
        let (old, new) = (definition("v1"), definition("v2"));
        let list = json!({ "kind": "List", "items": [old] });
        let found = taken_over(&[&[], from_ref(&list)], &[], from_ref(&new));
        let words: Vec<_> = found.iter().map(|it| format!("{}: {}", it.name, it.lost)).collect();
        assert_eq!(words, ["as.example.com: version v1 is gone, in which objects are stored"]);
        assert!(taken_over(&[from_ref(&old)], from_ref(&old), from_ref(&new)).is_empty(), "compared already");
        assert!(taken_over(&[from_ref(&old)], &[], from_ref(&old)).is_empty());
    }
}
