//! The commands by which anybody checks the signatures with stock tools.

use kube::ResourceExt;
use pdp_policies::decision::{DecisionRecord, Inputs};
use pdp_policies::release::Release;

use crate::crd::UpdateSubscription;
use crate::kubectl::plan::installed;
use crate::kubectl::secrets;
use crate::render::repository;

/// A command per key to fetch it, then one per artifact of the installed level.
pub(super) fn commands(of: &UpdateSubscription, record: &DecisionRecord, keys: &[String]) -> Vec<String> {
    let Some(release) = installed(record) else { return Vec::new() };
    let inputs = if std::ptr::eq(release, record.target()) {
        Some(record.inputs())
    } else {
        record.last_good_inputs()
    };
    let mut commands: Vec<_> = keys.iter().map(|key| fetch(of, key)).collect();
    let key = keys.first().map_or("artifact.pub", String::as_str);
    commands.extend(verify(release, inputs.unwrap_or(record.inputs()), key));
    commands
}

fn fetch(of: &UpdateSubscription, key: &str) -> String {
    let (secret, namespace) = (secrets::artifact_keys_of(of), of.namespace().unwrap_or_default());
    let path = key.replace('.', "\\.");
    format!("kubectl get secret {secret} -n {namespace} -o jsonpath='{{.data.{path}}}' | base64 -d > {key}")
}

/// Signatures carry no log entry: the root that is pinned here takes its place.
fn verify(release: &Release, inputs: &Inputs, key: &str) -> Vec<String> {
    let there = repository(release, inputs);
    let components = release.components_for(inputs.platform, &inputs.left_out);
    let digests =
        std::iter::once(release.bundle.digest).chain(components.iter().map(|c| c.artifact.digest()));
    digests
        .map(|digest| format!("cosign verify --key {key} --insecure-ignore-tlog=true {there}@{digest}"))
        .collect()
}
