//! State in Secrets. Every write says which version it replaces: two pdp-syncs can't both decide.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::{ObjectMeta, PostParams};
use pdp_transport::cli::failure::{Failure, Result};

use crate::cluster::Cluster;
use crate::crd::{MANAGER, SUBSCRIPTION_LABEL};

/// What the API server takes in one Secret (bytes), with some room for its metadata.
const MAX_SECRET_BYTES: usize = 1_000_000;

/// The Secrets of one subscription, as they were when the pass began.
#[derive(Debug)]
pub(crate) struct SecretStore {
    cluster: Cluster,
    subscription: String,
    /// By the last part of their names.
    secrets: BTreeMap<&'static str, Secret>,
}

/// The Secret that holds a piece. The decision stands apart, so that losing the rest never loses it.
fn holder(name: &str) -> &'static str {
    match name {
        "record.json" => "decision",
        "key.pem" | "enrolled.json" => "identity",
        _ => "state",
    }
}

impl SecretStore {
    /// Reads the Secrets.
    pub(crate) fn open(cluster: &Cluster, subscription: &str) -> Result<Self> {
        let mut store = Self {
            cluster: cluster.clone(),
            subscription: subscription.to_owned(),
            secrets: BTreeMap::new(),
        };
        for part in ["decision", "identity", "state"] {
            let name = store.name(part);
            let secret = cluster.wait(|| format!("get Secret {name}"), store.api().get_opt(&name))?;
            store.secrets.extend(secret.map(|secret| (part, secret)));
        }
        Ok(store)
    }

    pub(crate) fn get(&self, name: &str) -> Option<Vec<u8>> {
        Some(self.secrets.get(holder(name))?.data.as_ref()?.get(name)?.0.clone())
    }

    pub(crate) fn put(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        let part = holder(name);
        let full = self.name(part);
        let what = || format!("write {name} of Secret {full}");
        let (api, parameters) =
            (self.api(), PostParams { field_manager: Some(MANAGER.into()), ..Default::default() });
        let old = self.secrets.get(part).cloned();
        let mut secret = old.clone().unwrap_or_else(|| self.empty(&full));
        secret.data.get_or_insert_default().insert(name.to_owned(), ByteString(bytes.to_vec()));
        let size: usize =
            secret.data.iter().flatten().map(|(key, value)| key.len() + value.0.len() * 4 / 3).sum();
        if size > MAX_SECRET_BYTES {
            return Err(
                Failure::new("StateTooLarge", what()).cause(format!("{size} bytes don't fit a Secret"))
            );
        }
        let written = match old {
            Some(_) => self.cluster.wait(what, api.replace(&full, &parameters, &secret)),
            None => self.cluster.wait(what, api.create(&parameters, &secret)),
        };
        self.secrets.insert(part, written?);
        Ok(())
    }

    fn empty(&self, name: &str) -> Secret {
        let labels = BTreeMap::from([
            ("app.kubernetes.io/managed-by".to_owned(), MANAGER.to_owned()),
            (SUBSCRIPTION_LABEL.to_owned(), self.subscription.clone()),
        ]);
        let metadata =
            ObjectMeta { name: Some(name.to_owned()), labels: Some(labels), ..ObjectMeta::default() };
        Secret { metadata, type_: Some("updates.pdp.wso2.com/state".to_owned()), ..Secret::default() }
    }

    fn name(&self, part: &str) -> String {
        format!("pdp-{}-{part}", self.subscription)
    }

    fn api(&self) -> Api<Secret> {
        Api::namespaced(self.cluster.client.clone(), &self.cluster.namespace)
    }
}

#[cfg(test)]
mod tests;
