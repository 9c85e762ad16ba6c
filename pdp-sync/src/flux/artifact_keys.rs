//! The Secret with the vendor's artifact keys, by which Flux verifies sources itself (`spec.verify`).

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::{Patch, PatchParams};
use pdp_policies::{Digest, KeyList, KeyState};
use pdp_transport::cli::failure::Result;
use serde_json::json;

use crate::cluster::Cluster;
use crate::crd::{MANAGER, SUBSCRIPTION_LABEL};

/// The name of the Secret.
pub(crate) fn secret_name(subscription: &str) -> String {
    format!("pdp-{subscription}-artifact-keys")
}

/// Writes the Secret if it doesn't hold the right keys.
///
/// source-controller verifies again when it lost its storage: a key that went out of use stays, because it may have
/// signed what is installed or what there is to go back to. Only a revoked key goes.
pub(super) fn keep(cluster: &Cluster, subscription: &str, keys: &KeyList) -> Result<()> {
    let name = secret_name(subscription);
    let api: Api<Secret> = Api::namespaced(cluster.client.clone(), &cluster.namespace);
    let live = cluster.wait(|| format!("get Secret {name}"), api.get_opt(&name))?;
    let held = live.and_then(|secret| secret.data).unwrap_or_default();
    let wanted = wanted(&held, keys);
    if wanted == held {
        return Ok(());
    }
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {
            "name": name, "namespace": cluster.namespace,
            "labels": { SUBSCRIPTION_LABEL: subscription, "app.kubernetes.io/managed-by": MANAGER },
        },
        "data": wanted,
    });
    let parameters = PatchParams::apply(MANAGER).force();
    cluster.wait(|| format!("apply Secret {name}"), api.patch(&name, &parameters, &Patch::Apply(&secret)))?;
    Ok(())
}

/// What is held and all listed keys, without the revoked ones. Flux reads entries that end in `.pub`.
fn wanted(held: &BTreeMap<String, ByteString>, keys: &KeyList) -> BTreeMap<String, ByteString> {
    let entry = |pem: &str| format!("{}.pub", Digest::of(pem.as_bytes()).short());
    let mut wanted = held.clone();
    for key in &keys.keys {
        let pem = key.public_key.as_str();
        match key.state {
            KeyState::Revoked => wanted.remove(&entry(pem)),
            KeyState::Active | KeyState::Retired => {
                wanted.insert(entry(pem), ByteString(pem.as_bytes().to_vec()))
            }
        };
    }
    wanted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_out_of_use_stays_and_a_revoked_one_goes() {
        let mut list = KeyList::active(["one".to_owned(), "two".to_owned()]);
        let first = wanted(&BTreeMap::new(), &list);
        assert_eq!(first.len(), 2);
        list.keys.remove(0);
        assert_eq!(wanted(&first, &list), first, "it may have signed what is installed");
        list.keys[0].state = KeyState::Revoked;
        assert_eq!(wanted(&first, &list).len(), 1);
    }
}
