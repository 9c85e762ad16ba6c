//! Who a program is towards the API server: a service account, its token, its kubeconfig.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::control_plane::Cluster;
use super::kind::Kind;
use super::part::Part;

/// The rules that pdp-sync's chart grants: what it may not do there, it can't do here.
const IN_ITS_NAMESPACE: &str = include_str!("../../../pdp-sync/chart/files/rights/namespace.yaml");
const OWN_SECRETS: &str = include_str!("../../../pdp-sync/chart/files/rights/own-secrets.yaml");
const NAMED_SECRETS: &str = include_str!("../../../pdp-sync/chart/files/rights/named-secrets.yaml");
const LIST_WORKLOADS: &str = include_str!("../../../pdp-sync/chart/files/rights/list-workloads.yaml");
const IN_THE_CLUSTER: &str = include_str!("../../../pdp-sync/chart/files/rights/cluster.yaml");

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

    /// The objects that give pdp-sync exactly its rights in a namespace: for the subscription `pdp` and the Secret
    /// `enrol`, if there is one.
    ///
    /// # Errors
    /// When a file of the chart is no YAML.
    pub fn rights_of_pdp_sync(namespace: &str) -> Result<Vec<Value>> {
        rights_for(namespace, &["pdp"], &["enrol"])
    }

    /// Makes Flux's namespace with the accounts of its controllers, cluster-admin as in Flux's own manifests, and
    /// their kubeconfigs.
    pub(super) fn admit_flux(&self) -> Result<()> {
        self.namespace("flux-system")?;
        for part in Part::FLUX {
            let name = part.name();
            let account = json!({
                "apiVersion": "v1", "kind": Kind::SERVICE_ACCOUNT.name(),
                "metadata": { "name": name, "namespace": "flux-system" },
            });
            let binding = json!({
                "apiVersion": Kind::CLUSTER_ROLE_BINDING.api_version(), "kind": Kind::CLUSTER_ROLE_BINDING.name(),
                "metadata": { "name": format!("flux-{name}") },
                "roleRef": {
                    "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin",
                },
                "subjects": [{ "kind": "ServiceAccount", "name": name, "namespace": "flux-system" }],
            });
            self.api.apply_all(&[account, binding])?;
            self.kubeconfig_for(name, "flux-system")?;
        }
        Ok(())
    }

    /// Makes a namespace with pdp-sync's account and rights, and gives the account's kubeconfig.
    ///
    /// # Errors
    /// When the API server refuses it.
    pub fn admit_pdp_sync(&self, namespace: &str) -> Result<PathBuf> {
        self.admit_pdp_sync_for(namespace, &["pdp"], &["enrol"])
    }

    /// The same with the chart's values `rbac.subscriptions` and `rbac.secrets`.
    ///
    /// # Errors
    /// When the API server refuses it.
    pub fn admit_pdp_sync_for(
        &self,
        namespace: &str,
        subscriptions: &[&str],
        secrets: &[&str],
    ) -> Result<PathBuf> {
        self.namespace(namespace)?;
        self.api.apply_all(&rights_for(namespace, subscriptions, secrets)?)?;
        self.kubeconfig_for("pdp-sync", namespace)
    }

    /// Adds what the chart's value `rbac.listWorkloads` grants.
    ///
    /// # Errors
    /// When the API server refuses it.
    pub fn let_pdp_sync_list_workloads(&self, namespace: &str) -> Result<()> {
        let name = json!({ "name": format!("{namespace}:pdp-sync-lists") });
        let role = role(Kind::CLUSTER_ROLE, &name, &[LIST_WORKLOADS.to_owned()])?;
        let binding = binding(Kind::CLUSTER_ROLE_BINDING, Kind::CLUSTER_ROLE, &name, namespace);
        self.api.apply_all(&[role, binding])
    }
}

fn rights_for(namespace: &str, subscriptions: &[&str], secrets: &[&str]) -> Result<Vec<Value>> {
    let local = json!({ "name": "pdp-sync", "namespace": namespace });
    let global = json!({ "name": format!("{namespace}:pdp-sync") });
    let account = json!({ "apiVersion": "v1", "kind": Kind::SERVICE_ACCOUNT.name(), "metadata": local });
    let parts = ["decision", "state", "identity", "artifact-keys"];
    let own = subscriptions.iter().flat_map(|name| parts.map(|part| format!("pdp-{name}-{part}")));
    let own: Vec<_> = own.chain(["pdp-trust".to_owned()]).collect();
    let mut here = vec![IN_ITS_NAMESPACE.to_owned(), OWN_SECRETS.replace("OWN", &json!(own).to_string())];
    // An empty list of names would mean all of them.
    if !secrets.is_empty() {
        here.push(NAMED_SECRETS.replace("NAMED", &json!(secrets).to_string()));
    }
    Ok(vec![
        account,
        role(Kind::ROLE, &local, &here)?,
        binding(Kind::ROLE_BINDING, Kind::ROLE, &local, namespace),
        role(Kind::CLUSTER_ROLE, &global, &[IN_THE_CLUSTER.to_owned()])?,
        binding(Kind::CLUSTER_ROLE_BINDING, Kind::CLUSTER_ROLE, &global, namespace),
    ])
}

fn role(kind: Kind, metadata: &Value, texts: &[String]) -> Result<Value> {
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
