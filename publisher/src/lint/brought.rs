//! Namespaces and definitions of kinds: what a component brings, what of it the base had and this level hasn't, and what
//! two components bring. Pure.

use std::collections::BTreeMap;

use pdp_policies::ComponentName;
use pdp_policies::helm_yaml;
use pdp_policies::outlives::Outlives;
use serde_json::Value;

use super::{Source, seen};
use crate::build::in_crds;
use crate::crd_change::{self, CrdBreak};
use crate::kubernetes_list::items;
use crate::kustomize;
use crate::release_file::ComponentEntry;

/// One such object.
#[derive(Debug, Clone)]
pub(crate) struct Brought {
    pub(super) component: ComponentName,
    pub(super) by_chart: bool,
    /// Its file within the component's.
    pub(super) path: String,
    /// `CustomResourceDefinition/<name>` or `Namespace/<name>`.
    pub(super) id: String,
    object: Value,
}

/// What isn't there any more, or not as it was.
#[derive(Debug)]
pub(super) enum Lost<'a> {
    Gone(&'a Brought),
    Broken { now: &'a Brought, by: CrdBreak },
}

impl Lost<'_> {
    /// How `drops` says that it is meant; none for what every cluster refuses.
    pub(super) fn name(&self) -> Option<String> {
        match self {
            Self::Gone(before) => Some(before.id.clone()),
            Self::Broken { now, by } => Some(format!("{}/{}", now.id, by.whole_version()?)),
        }
    }
}

/// Of a chart what lies in `crds/`, also of subcharts: what templates make is only known once they are rendered.
pub(super) fn of(component: &ComponentEntry, source: &Source) -> Vec<Brought> {
    let by_chart = component.chart.is_some();
    let mut all = Vec::new();
    let files = if by_chart { seen::of(component, source) } else { kustomize::build(source).documents };
    for (path, bytes) in files.iter().filter(|(path, _)| !by_chart || in_crds(path)) {
        let text = std::str::from_utf8(bytes).unwrap_or_default().trim_start_matches('\u{feff}');
        let documents = helm_yaml::documents(text).unwrap_or_default();
        let objects = documents.iter().flat_map(items);
        all.extend(objects.filter_map(|object| Brought::new(component, path, object.clone())));
    }
    all
}

/// Of what is rendered for every cluster.
pub(crate) fn rendered(component: &ComponentEntry, objects: &[Value]) -> Vec<Brought> {
    let mut all: Vec<Brought> = Vec::new();
    let single = objects.iter().flat_map(items);
    for one in single.filter_map(|object| Brought::new(component, "rendered", object.clone())) {
        if !all.iter().any(|other| other.id == one.id && other.object == one.object) {
            all.push(one);
        }
    }
    all
}

impl Brought {
    fn new(component: &ComponentEntry, path: &str, object: Value) -> Option<Self> {
        let id = Outlives::of(&object).filter(|_| is_whole(&object))?.to_string();
        let (by_chart, path) = (component.chart.is_some(), path.to_owned());
        Some(Self { component: component.name.clone(), by_chart, path, id, object })
    }
}

/// A patch says less.
fn is_whole(object: &Value) -> bool {
    object["kind"] == "Namespace" && object.get("$patch").is_none() || object["spec"]["group"].is_string()
}

/// What `before` had and `now` hasn't, in the order of `before`.
pub(super) fn lost<'a>(before: &'a [Brought], now: &'a [Brought]) -> Vec<Lost<'a>> {
    let mut found = Vec::new();
    for old in before {
        match successor(old, now) {
            None => found.push(Lost::Gone(old)),
            Some(now) => {
                let whole = breaks(old, now).filter(CrdBreak::is_of_whole_objects);
                found.extend(whole.map(|by| Lost::Broken { now, by }));
            }
        }
    }
    found
}

/// Fields of definitions that hold less than they did, each with the definition as it is now.
pub(super) fn narrowed<'a>(before: &[Brought], now: &'a [Brought]) -> Vec<(&'a Brought, CrdBreak)> {
    let both = before.iter().filter_map(|old| Some((old, successor(old, now)?)));
    let of_fields = |(old, now)| {
        let fields = breaks(old, now).filter(|by| !by.is_of_whole_objects());
        fields.map(move |by| (now, by)).collect::<Vec<_>>()
    };
    both.flat_map(of_fields).collect()
}

/// The object of the same name: of the same component, or of another one that brings it now.
fn successor<'a>(old: &Brought, now: &'a [Brought]) -> Option<&'a Brought> {
    let same = |new: &&Brought| new.id == old.id;
    let own = now.iter().filter(same).find(|new| new.component == old.component);
    own.or_else(|| now.iter().find(same))
}

fn breaks(old: &Brought, now: &Brought) -> impl Iterator<Item = CrdBreak> + use<> {
    crd_change::breaks(&old.object, &now.object).into_iter()
}

/// Pairs of definitions with one name that differ: each with the first of its name. What lies in subcharts may be switched
/// off, which only rendering tells.
pub(super) fn twice(all: &[Brought]) -> Vec<(&Brought, &Brought)> {
    let certain = |one: &&Brought| is_definition(one) && (!one.by_chart || one.path.starts_with("crds/"));
    let mut first: BTreeMap<&str, &Brought> = BTreeMap::new();
    let mut pairs = Vec::new();
    for one in all.iter().filter(certain) {
        let before = *first.entry(&one.id).or_insert(one);
        if before.object["spec"] != one.object["spec"] {
            pairs.push((before, one));
        }
    }
    pairs
}

/// Names of definitions that two components bring and that aren't the same, with the two components. Of one component all
/// that it is rendered to is compared.
pub(crate) fn unlike(all: &[Brought]) -> Vec<(&str, [&ComponentName; 2])> {
    let mut by_id: BTreeMap<&str, BTreeMap<&ComponentName, Vec<&Value>>> = BTreeMap::new();
    for one in all.iter().filter(|one| is_definition(one)) {
        by_id.entry(&one.id).or_default().entry(&one.component).or_default().push(&one.object["spec"]);
    }
    let mut found = Vec::new();
    for (id, components) in by_id {
        let mut components = components.into_iter();
        let Some((first, specs)) = components.next() else { continue };
        let same = |others: &[&Value]| {
            others.iter().all(|one| specs.contains(one)) && specs.iter().all(|one| others.contains(one))
        };
        found.extend(components.filter(|(_, others)| !same(others)).map(|(other, _)| (id, [first, other])));
    }
    found
}

fn is_definition(one: &Brought) -> bool {
    one.object["kind"] == "CustomResourceDefinition"
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::slice::from_ref;

    use serde_json::json;

    use super::*;

    fn brought(component: &str, objects: &[Value]) -> Vec<Brought> {
        let entry = json!({
            "name": component, "version": "1.0.0", "stage": 1, "chart": { "name": component }, "releaseName": component,
            "namespace": component, "onFailure": "rollback", "timeout": "5m", "settle": "10s",
        });
        rendered(&serde_json::from_value(entry).unwrap(), objects)
    }

    fn definition(name: &str, version: &str) -> Value {
        json!({
            "kind": "CustomResourceDefinition", "metadata": { "name": name },
            "spec": { "group": "example.com", "versions": [{ "name": version }] },
        })
    }

    #[test]
    fn definitions_of_two_components_have_to_be_the_same_in_every_rendering() {
        let (old, new) = (definition("a.example.com", "v1"), definition("a.example.com", "v2"));
        let other = definition("b.example.com", "v1");
        let labelled = {
            let mut labelled = old.clone();
            labelled["metadata"]["labels"] = json!({ "chart": "x" });
            labelled
        };
        for (one, two, same) in [
            (vec![&old], vec![&old], true),
            (vec![&old], vec![&labelled], true),
            (vec![&old], vec![&new], false),
            (vec![&old, &new], vec![&new, &old], true),
            (vec![&old, &new], vec![&new], false),
            (vec![&old], vec![&old, &new], false),
            (vec![&old, &new], vec![], true),
            (vec![&old], vec![&other], true),
        ] {
            let of = |name: &str, objects: &[&Value]| {
                brought(name, &objects.iter().map(|it| (*it).clone()).collect::<Vec<_>>())
            };
            let all = [of("one", &one), of("two", &two)].concat();
            let found: Vec<_> =
                unlike(&all).into_iter().map(|(id, names)| (id, names.map(|it| it.as_str()))).collect();
            let wanted = [("CustomResourceDefinition/a.example.com", ["one", "two"])];
            assert_eq!(found, if same { &[][..] } else { &wanted[..] }, "{one:?} {two:?}");
        }
    }

    #[test]
    fn a_definition_that_another_component_brings_now_is_compared_too() {
        let with = |kind: &str| {
            let mut it = definition("a.example.com", "v1");
            it["spec"]["versions"][0]["schema"]["openAPIV3Schema"] =
                json!({ "properties": { "spec": { "type": kind } } });
            it
        };
        let (before, now) = (brought("one", &[with("string")]), brought("two", &[with("integer")]));
        assert!(lost(&before, &now).is_empty());
        let found = narrowed(&before, &now);
        let told: Vec<_> = found.iter().map(|(it, by)| format!("{} {by}", it.component)).collect();
        assert_eq!(told, ["two v1: spec was string, is integer"]);
    }

    #[test]
    fn what_lies_in_a_list_is_brought_too() {
        let list = json!({ "kind": "List", "items": [definition("a.example.com", "v1"), { "kind": "Namespace", "metadata": { "name": "n" } }] });
        let ids: Vec<_> = brought("one", from_ref(&list)).into_iter().map(|it| it.id).collect();
        assert_eq!(ids, ["CustomResourceDefinition/a.example.com", "Namespace/n"]);
    }

    #[test]
    fn patches_and_other_kinds_bring_nothing() {
        for object in [
            json!({ "kind": "CustomResourceDefinition", "metadata": { "name": "a" }, "spec": { "versions": [] } }),
            json!({ "kind": "Namespace", "metadata": { "name": "a" }, "$patch": "delete" }),
            json!({ "kind": "ConfigMap", "metadata": { "name": "a" } }),
            json!({ "kind": "Namespace" }),
            json!(null),
        ] {
            assert!(brought("one", from_ref(&object)).is_empty(), "{object}");
        }
    }
}
