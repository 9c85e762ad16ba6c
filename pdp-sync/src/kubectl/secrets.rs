//! The Secrets in which pdp-sync keeps what it knows: their names, and their content as types.

use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use pdp_policies::decision::DecisionRecord;
use pdp_transport::cli::Failure;
use pdp_transport::cli::failure::Result;

use super::cluster::Cluster;
use crate::crd::UpdateSubscription;

/// `record.json`: what was decided.
pub(super) fn decision_of(of: &UpdateSubscription) -> String {
    format!("pdp-{}-decision", of.name_any())
}

/// `floors.json` and others: what was seen.
pub(super) fn state_of(of: &UpdateSubscription) -> String {
    format!("pdp-{}-state", of.name_any())
}

/// `key.pem` and `enrolled.json`: who it is to the channel server.
pub(super) fn identity_of(of: &UpdateSubscription) -> String {
    format!("pdp-{}-identity", of.name_any())
}

/// `*.pub`: the keys that sign artifacts.
pub(super) fn artifact_keys_of(of: &UpdateSubscription) -> String {
    format!("pdp-{}-artifact-keys", of.name_any())
}

/// One key's bytes.
pub(super) fn bytes<'a>(secret: &'a Secret, key: &str) -> Option<&'a [u8]> {
    Some(&secret.data.as_ref()?.get(key)?.0)
}

/// The decision record, rehashed; none before the first decision.
///
/// # Errors
/// `Forbidden`; `HashMismatch` and others for a record that was tampered with.
pub(super) async fn record(cluster: &Cluster, of: &UpdateSubscription) -> Result<Option<DecisionRecord>> {
    let secret = cluster.secret(of, &decision_of(of)).await?;
    let bytes = secret.as_ref().and_then(|secret| bytes(secret, "record.json"));
    Ok(bytes.map(DecisionRecord::load).transpose()?)
}

/// What is nice to know but not worth failing for: without the right to read Secrets it is a word on stderr.
pub(super) fn if_allowed<T>(read: Result<Option<T>>) -> Result<(Option<T>, Option<String>)> {
    match read {
        Ok(found) => Ok((found, None)),
        Err(Failure { code, hint, .. }) if code == "Forbidden" => Ok((None, hint)),
        Err(failure) => Err(failure),
    }
}
