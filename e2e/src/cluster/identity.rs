//! Who a program is towards the API server: a service account, its token, its kubeconfig.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::control_plane::Cluster;
use super::kind::Kind;

/// The rules that pdp-sync's chart grants: what it may not do there, it can't do here.
const IN_ITS_NAMESPACE: [&str; 2] = [
    include_str!("../../../pdp-sync/chart/files/rights/namespace.yaml"),
    include_str!("../../../pdp-sync/chart/files/rights/secrets.yaml"),
];
const IN_THE_CLUSTER: [&str; 1] = [include_str!("../../../pdp-sync/chart/files/rights/cluster.yaml")];

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
    /// When a file of the chart is no YAML.
    pub fn rights_of_pdp_sync(namespace: &str) -> Result<Vec<Value>> {
        let local = json!({ "name": "pdp-sync", "namespace": namespace });
        let global = json!({ "name": format!("{namespace}:pdp-sync") });
        let account = json!({ "apiVersion": "v1", "kind": Kind::SERVICE_ACCOUNT.name(), "metadata": local });
        Ok(vec![
            account,
            role(Kind::ROLE, &local, &IN_ITS_NAMESPACE)?,
            binding(Kind::ROLE_BINDING, Kind::ROLE, &local, namespace),
            role(Kind::CLUSTER_ROLE, &global, &IN_THE_CLUSTER)?,
            binding(Kind::CLUSTER_ROLE_BINDING, Kind::CLUSTER_ROLE, &global, namespace),
        ])
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

fn role(kind: Kind, metadata: &Value, texts: &[&str]) -> Result<Value> {
    let mut rules: Vec<Value> = Vec::new();
    for text in texts {
        rules.extend(serde_saphyr::from_str::<Vec<Value>>(text).context("the chart's rights")?);
    }
    Ok(json!({
        "apiVersion": kind.api_version(), "kind": kind.name(), "metadata": metadata, "rules": rules,
    }))
}

fn binding(kind: Kind, role: Kind, metadata: &Value, namespace: &str) -> Value {
    json!({
        "apiVersion": kind.api_version(), "kind": kind.name(), "metadata": metadata,
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io", "kind": role.name(), "name": metadata["name"],
        },
        "subjects": [{ "kind": "ServiceAccount", "name": "pdp-sync", "namespace": namespace }],
    })
}
