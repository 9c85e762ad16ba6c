//! What a component's Flux objects are to look like, and whether they do. Pure.

use std::collections::BTreeSet;

use pdp_policies::decision::DecisionRecord;
use pdp_policies::release::{Component, Release};
use pdp_policies::{ComponentName, Digest, Span};
use pdp_transport::cli::failure::{Result, internal};
use serde_json::{Value, json};

use crate::cluster::{Kind, name_of};
use crate::crd::{MANAGER, SUBSCRIPTION_LABEL};
use crate::render::{self, Place};

/// Whose objects they are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owner<'a> {
    pub(super) namespace: &'a str,
    pub(super) subscription: &'a str,
}

/// One component at one level.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Desired {
    pub(super) name: ComponentName,
    pub(super) digest: Digest,
    pub(super) timeout: Span,
    pub(super) settle: Span,
    pub(super) source: Value,
    pub(super) kind: Kind,
    pub(super) applier: Value,
    /// The `ConfigMap` with the release's own values, if it has any.
    pub(super) values: Option<Value>,
    /// What its workloads may run.
    pub(super) images: BTreeSet<Digest>,
}

impl Desired {
    /// The component as the record's target has it.
    pub(super) fn target(owner: Owner<'_>, record: &DecisionRecord, component: &Component) -> Self {
        Self::of(owner, record.target(), component, record.inputs())
    }

    /// The component as the last good level had it, none if it had no such component.
    pub(super) fn last_good(owner: Owner<'_>, record: &DecisionRecord, name: &ComponentName) -> Option<Self> {
        let (release, inputs) = (record.last_good()?, record.last_good_inputs()?);
        let components = release.components_for(inputs.platform, &inputs.left_out);
        let component = components.into_iter().find(|component| component.name == *name)?;
        Some(Self::of(owner, release, component, inputs))
    }

    fn of(
        owner: Owner<'_>,
        release: &Release,
        component: &Component,
        inputs: &pdp_policies::decision::Inputs,
    ) -> Self {
        // Paths are the Git target's.
        let place = Place { path: "", namespace: owner.namespace };
        let objects = render::objects(place, release, component, inputs);
        Self {
            name: component.name.clone(),
            digest: component.artifact.digest(),
            timeout: component.timeout,
            settle: component.settle,
            source: owned(objects.source, owner),
            kind: objects.applier_kind,
            applier: owned(objects.applier, owner),
            values: objects.values.map(|values| owned(values, owner)),
            images: component.images.iter().map(|image| image.digest).collect(),
        }
    }

    /// True if Flux would have nothing to do between the two.
    fn same_objects(&self, other: &Self) -> bool {
        (&self.source, &self.applier, &self.values) == (&other.source, &other.applier, &other.values)
    }

    /// Changes with everything that is written for it.
    pub(super) fn content(&self) -> Result<Digest> {
        Ok(Digest::of(&serde_json::to_vec(&(&self.source, &self.applier, &self.values)).map_err(internal)?))
    }

    /// The name of its `OCIRepository`.
    pub(super) fn source_name(&self) -> &str {
        name_of(&self.source)
    }

    /// All of its objects but the applier, which needs them.
    pub(super) fn needed(&self) -> impl Iterator<Item = (Kind, &Value)> {
        let values = self.values.iter().map(|values| (Kind::ConfigMap, values));
        std::iter::once((Kind::OciRepository, &self.source)).chain(values)
    }
}

/// The name of the source that an applier points to.
pub(super) fn source_of(applier: &Value) -> Option<&str> {
    let reference = applier["spec"].get("chartRef").or_else(|| applier["spec"].get("sourceRef"))?;
    reference["name"].as_str()
}

fn owned(mut object: Value, owner: Owner<'_>) -> Value {
    object["metadata"]["labels"] =
        json!({ SUBSCRIPTION_LABEL: owner.subscription, "app.kubernetes.io/managed-by": MANAGER });
    object
}

/// True if a component of this record changes anything against the last good level.
pub(super) fn is_touched(owner: Owner<'_>, record: &DecisionRecord, component: &Component) -> bool {
    let target = Desired::target(owner, record, component);
    Desired::last_good(owner, record, &component.name).is_none_or(|before| !before.same_objects(&target))
}

/// True if every field of `wanted` stands in `live` as it is; what others added is theirs.
pub(super) fn holds(wanted: &Value, live: &Value) -> bool {
    match (wanted, live) {
        (Value::Object(wanted), Value::Object(live)) => wanted
            .iter()
            .all(|(key, value)| live.get(key).map_or(is_empty(value), |there| holds(value, there))),
        (Value::Array(wanted), Value::Array(live)) => {
            wanted.len() == live.len() && wanted.iter().zip(live).all(|(wanted, live)| holds(wanted, live))
        }
        (wanted, live) => wanted == live,
    }
}

/// The API server drops what is empty.
pub(super) fn is_empty(value: &Value) -> bool {
    matches!(value, Value::Array(all) if all.is_empty()) || value.is_null()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_peoples_fields_are_theirs_and_ours_are_ours() {
        let wanted = json!({ "spec": { "a": 1, "list": [{ "x": 1 }], "none": [] } });
        for (live, same) in [
            (
                json!({ "spec": { "a": 1, "list": [{ "x": 1, "y": 2 }], "suspend": true }, "status": {} }),
                true,
            ),
            (json!({ "spec": { "a": 2, "list": [{ "x": 1 }] } }), false),
            (json!({ "spec": { "a": 1, "list": [{ "x": 1 }, { "x": 2 }] } }), false),
            (json!({ "spec": { "list": [{ "x": 1 }] } }), false),
            (json!({ "spec": { "a": 1, "list": [] } }), false),
        ] {
            assert_eq!(holds(&wanted, &live), same, "{live}");
        }
    }
}
