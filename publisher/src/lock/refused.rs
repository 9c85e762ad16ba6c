//! What is rendered well, and every data plane would refuse. Pure.

use std::collections::{BTreeMap, BTreeSet};

use pdp_transport::cli::failure::{Failure, Result};
use serde_json::Value;

use super::merge_keys;
use crate::kubernetes_list::{self, items};
use crate::lint::{flux_objects, unknown_fields};

/// A label's value: so long at the most.
const MAX_LABEL: usize = 63;

/// `known` are those whose fields can be judged.
///
/// # Errors
/// `HiddenList`, `LabelRefused`, `RepeatedKey`, `UnknownField`, `FluxObject`.
pub(super) fn check(objects: &[Value], known: &[Value]) -> Result<()> {
    lists(objects)?;
    labels(objects)?;
    keys(objects)?;
    fields(known)?;
    flux(objects)
}

fn lists(objects: &[Value]) -> Result<()> {
    told(
        "HiddenList",
        "lists that aren't called one: a cluster gets what is in them, and nothing else",
        kubernetes_list::hidden(objects).into_iter(),
        kubernetes_list::HINT,
    )
}

/// A cluster refuses `1.0.0+abc` as a label; it is what a label made of the plain chart version becomes.
fn labels(objects: &[Value]) -> Result<()> {
    let mut bad = BTreeMap::new();
    for object in objects.iter().flat_map(items) {
        let labels = object["metadata"]["labels"].as_object().into_iter().flatten();
        let texts = labels.filter_map(|(key, value)| Some((key, value.as_str()?)));
        for (key, value) in texts.filter(|(_, value)| !is_label(value)) {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let place = format!("{}/{}", text(&object["kind"]), text(&object["metadata"]["name"]));
            bad.insert(place, format!("{key}: {value}"));
        }
    }
    let lines = bad.iter().map(|(place, label)| format!("{place}: {}", pdp_policies::printable(label)));
    told(
        "LabelRefused",
        "labels that a cluster refuses",
        lines,
        "Flux adds `+<digest>` to a chart's version: write `.Chart.Version | replace \"+\" \"_\"` in the template",
    )
}

/// Helm 4 and Flux apply on the server's side, which refuses two elements with one key.
fn keys(objects: &[Value]) -> Result<()> {
    let repeated = merge_keys::repeated(objects);
    let lines = repeated.iter().map(ToString::to_string);
    told(
        "RepeatedKey",
        "lists that a cluster refuses",
        lines,
        "keep one of each: in `values` of the component if it is added there, else in the chart",
    )
}

/// As `release lint` judges manifests.
fn fields(objects: &[Value]) -> Result<()> {
    let unknown: BTreeSet<_> = unknown_fields::unknown_in(objects).into_iter().collect();
    let lines = unknown.into_iter();
    told(
        "UnknownField",
        "fields that Kubernetes doesn't know",
        lines,
        "correct the `values` that they come from, else the chart: a cluster refuses the whole object",
    )
}

fn flux(objects: &[Value]) -> Result<()> {
    let found = flux_objects::of(objects).into_iter();
    told(
        "FluxObject",
        "objects of Flux's own kinds: Flux would install what nobody signed",
        found,
        flux_objects::HINT,
    )
}

fn told(code: &'static str, what: &str, lines: impl Iterator<Item = String>, hint: &str) -> Result<()> {
    let lines: Vec<_> = lines.collect();
    match lines.is_empty() {
        true => Ok(()),
        false => Err(Failure::new(code, what.to_owned()).cause(lines.join("\n")).hint(hint)),
    }
}

fn is_label(value: &str) -> bool {
    let edge = |c: Option<char>| c.is_none_or(|c| c.is_ascii_alphanumeric());
    value.len() <= MAX_LABEL
        && edge(value.chars().next())
        && edge(value.chars().last())
        && value.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::slice::from_ref;

    use serde_json::json;

    use super::*;

    fn code(object: &Value) -> Option<String> {
        check(from_ref(object), from_ref(object)).err().map(|failure| failure.code.to_string())
    }

    #[test]
    fn each_object_is_judged_alone_and_in_a_list() {
        let pod = |more: Value| json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "a" }, "spec": more });
        let labelled =
            json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "labels": { "chart": "1.0.0+a" } } });
        let release = json!({ "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "metadata": { "name": "a" } });
        for (object, wanted) in [
            (pod(json!({ "containers": [{ "name": "a", "image": "b" }] })), None),
            (labelled, Some("LabelRefused")),
            (pod(json!({ "volumes": [{ "name": "a" }, { "name": "a" }] })), Some("RepeatedKey")),
            (pod(json!({ "containres": [] })), Some("UnknownField")),
            (release, Some("FluxObject")),
        ] {
            assert_eq!(code(&object).as_deref(), wanted, "{object}");
            let list = json!({ "apiVersion": "v1", "kind": "List", "items": [object] });
            assert_eq!(code(&list).as_deref(), wanted, "{list}");
            let hidden = json!({ "apiVersion": "v1", "kind": "ConfigMap", "items": [object] });
            assert_eq!(code(&hidden).as_deref(), Some("HiddenList"), "{hidden}");
            assert_eq!(flux(&[hidden]).is_err(), wanted == Some("FluxObject"), "each in it is judged");
        }
    }

    #[test]
    fn fields_of_another_kubernetes_are_not_judged() {
        let pod = json!({ "apiVersion": "v1", "kind": "Pod", "spec": { "newField": 1 } });
        assert!(check(from_ref(&pod), &[]).is_ok());
    }
}
