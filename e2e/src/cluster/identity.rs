//! Who a program is towards the API server: a service account, its token, its kubeconfig.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::control_plane::Cluster;
use super::kind::Kind;

/// The rights of pdp-sync, for a namespace named `NAMESPACE`.
const PDP_SYNC: &str = include_str!("../../tools/pdp-sync-rbac.yaml");

impl Cluster {
    /// A token of a service account from the TokenRequest API, good for a day.
    ///
    /// # Errors
    /// When there is no such account.
    pub fn token_for(&self, account: &str, namespace: &str) -> Result<String> {
        let path = format!("{}/token", Kind::SERVICE_ACCOUNT.path(namespace, account));
        let request = json!({
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
            "spec": { "expirationSeconds": 86400 },
        });
        let made = self.api.post(&path, &request)?;
        Ok(made["status"]["token"].as_str().context("a token")?.to_owned())
    }

    /// A kubeconfig that holds such a token and nothing else.
    ///
    /// # Errors
    /// When there is no such account.
    pub fn kubeconfig_for(&self, account: &str, namespace: &str) -> Result<PathBuf> {
        let token = self.token_for(account, namespace)?;
        self.write_kubeconfig(&format!("{namespace}.{account}.kubeconfig"), namespace, &token)
    }

    /// The objects that give pdp-sync exactly its rights in a namespace.
    ///
    /// # Errors
    /// When the file is no YAML.
    pub fn rights_of_pdp_sync(namespace: &str) -> Result<Vec<Value>> {
        Ok(serde_saphyr::from_multiple(&PDP_SYNC.replace("NAMESPACE", namespace))?)
    }

    /// Makes a namespace with pdp-sync's account and rights, and gives the account's kubeconfig.
    ///
    /// # Errors
    /// When the API server refuses it.
    pub fn admit_pdp_sync(&self, namespace: &str) -> Result<PathBuf> {
        self.namespace(namespace)?;
        self.api.apply_all(&Self::rights_of_pdp_sync(namespace)?)?;
        self.kubeconfig_for("pdp-sync", namespace)
    }
}
