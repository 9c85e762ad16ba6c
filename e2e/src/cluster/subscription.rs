//! An `UpdateSubscription` as a customer writes it, and its status as a customer reads it.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::api::{Api, condition};
use super::control_plane::Cluster;
use super::kind::Kind;
use super::pdp_sync::PdpSync;
use super::troubles::troubles;
use crate::world::World;

const CATALOG: &str = "catalog";

/// A subscription in one namespace: built first, then applied, then looked at.
#[derive(Debug, Clone)]
pub struct Subscription {
    api: Api,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    spec: Value,
    /// What it needs beside it: root, sources.
    beside: Vec<Value>,
}

/// A subscription as the API server has it now; null inside if there is none.
#[derive(Debug, Clone, Default)]
pub struct SubscriptionState(pub Value);

impl Cluster {
    /// Begins the subscription `pdp` of a namespace: `acme/prod`, ring `general`, platform `azure`, catalog
    /// straight from the world's Git host, the world's registry as mirror, looking every 2 seconds.
    ///
    /// # Errors
    /// When the world has no root.
    pub fn subscription(&self, world: &World, namespace: &str) -> Result<Subscription> {
        let root = std::fs::read_to_string(world.root()).context("the world's root")?;
        let root = json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": { "name": "pdp-root", "namespace": namespace },
            "data": { "1.root.json": root },
        });
        let spec = json!({
            "organization": "acme", "dataPlane": "prod", "line": "pdp-2026", "ring": "general",
            "platform": "azure", "interval": "2s",
            "catalog": { "git": { "url": world.git.url("catalog"), "branch": CATALOG } },
            "mirror": { "host": world.registry_host() },
        });
        let (namespace, name) = (namespace.to_owned(), "pdp".to_owned());
        Ok(Subscription { api: self.api.clone(), namespace, name, spec, beside: vec![root] })
    }
}

impl Subscription {
    /// Another name than `pdp`.
    #[must_use]
    pub fn named(self, name: &str) -> Self {
        Self { name: name.to_owned(), ..self }
    }

    /// Sets a field of `spec`; null takes it away.
    #[must_use]
    pub fn with(mut self, field: &str, value: Value) -> Self {
        match self.spec.as_object_mut() {
            Some(spec) if value.is_null() => drop(spec.remove(field)),
            _ => self.spec[field] = value,
        }
        self
    }

    /// The catalog from a Flux `GitRepository` of the namespace, which is made too.
    #[must_use]
    pub fn from_git_repository(self, world: &World) -> Self {
        let git = json!({
            "interval": "2s", "url": world.git.url("catalog"), "ref": { "branch": CATALOG },
        });
        self.over_flux(Kind::GIT_REPOSITORY, &git)
    }

    /// The catalog from a Flux `OCIRepository` of the namespace, which is made too. `repository` is
    /// `host/path` as in `publisher catalog publish --oci`.
    #[must_use]
    pub fn from_oci_repository(self, repository: &str) -> Self {
        let oci = json!({
            "interval": "2s", "url": format!("oci://{repository}"), "ref": { "tag": "latest" },
            "insecure": true,
        });
        self.over_flux(Kind::OCI_REPOSITORY, &oci)
    }

    /// Levels opened and granted by the world's channel server: enrols with a one-time token, which is made too.
    /// Enrolment tells the ring.
    ///
    /// # Errors
    /// When the server doesn't run or gives no token.
    pub fn from_server(mut self, world: &World) -> Result<Self> {
        let token = world.publisher(&["pdp", "token", "acme/prod"])?.stdout;
        self.beside.push(json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": { "name": "enrol", "namespace": self.namespace }, "stringData": { "token": token },
        }));
        let (url, token) = (world.server()?.url(), json!({ "name": "enrol", "key": "token" }));
        let server = json!({ "server": { "url": url, "enrolmentTokenSecretRef": token } });
        Ok(self.with("ring", Value::Null).with("instruction", server))
    }

    fn over_flux(mut self, kind: Kind, spec: &Value) -> Self {
        self.beside.push(json!({
            "apiVersion": kind.api_version(), "kind": kind.name(),
            "metadata": { "name": CATALOG, "namespace": self.namespace }, "spec": spec,
        }));
        self.with("catalog", json!({ "fluxSource": { "kind": kind.name(), "name": CATALOG } }))
    }

    /// The object.
    pub fn object(&self) -> Value {
        json!({
            "apiVersion": Kind::SUBSCRIPTION.api_version(), "kind": Kind::SUBSCRIPTION.name(),
            "metadata": { "name": self.name, "namespace": self.namespace }, "spec": self.spec,
        })
    }

    /// Applies it and what it needs; again after `with`, as a customer edits it.
    ///
    /// # Errors
    /// When the API server refuses it.
    pub fn apply(self) -> Result<Self> {
        self.api.apply_all(&self.beside)?;
        self.api.apply(Kind::SUBSCRIPTION, &self.object())?;
        Ok(self)
    }

    /// A merge patch of the object, such as `{"spec": {"suspend": true}}`.
    ///
    /// # Errors
    /// When the API server refuses it.
    pub fn patch(&self, patch: &Value) -> Result<()> {
        self.api.patch(Kind::SUBSCRIPTION, &self.namespace, &self.name, patch).map(|_| ())
    }

    /// Asks for a reconcile now, as `flux reconcile` does, and gives the token that the status will answer.
    ///
    /// # Errors
    /// When the API server refuses it.
    pub fn request(&self) -> Result<String> {
        let token = jiff::Timestamp::now().to_string();
        self.patch(&json!({ "metadata": { "annotations": { "reconcile.fluxcd.io/requestedAt": token } } }))?;
        Ok(token)
    }

    /// Deletes it; doesn't wait until it is gone.
    ///
    /// # Errors
    /// When the API server refuses it.
    pub fn delete(&self) -> Result<bool> {
        self.api.delete(Kind::SUBSCRIPTION, &self.namespace, &self.name)
    }

    /// As it is now.
    pub fn state(&self) -> SubscriptionState {
        let found = self.api.get(Kind::SUBSCRIPTION, &self.namespace, &self.name);
        SubscriptionState(found.ok().flatten().unwrap_or_default())
    }

    /// Waits; when in vain, shows the status, the Flux objects that aren't ready, and pdp-sync's last lines.
    ///
    /// # Errors
    /// When it doesn't come true, or when pdp-sync died.
    pub fn until(
        &self,
        pdp_sync: &PdpSync,
        what: &str,
        condition: impl Fn(&SubscriptionState) -> bool,
    ) -> Result<()> {
        pdp_sync.wait(what, || condition(&self.state())).with_context(|| self.describe())
    }

    /// Waits until a level is installed, healthy and settled, with nothing under way.
    ///
    /// # Errors
    /// As above.
    pub fn until_level(&self, pdp_sync: &PdpSync, level: u64) -> Result<()> {
        self.until(pdp_sync, &format!("level {level} to be ready"), |state| {
            state.level() == Some(level) && state.is_ready()
        })
    }

    /// What a reader of a failed test needs.
    pub fn describe(&self) -> String {
        let status = &self.state().0["status"];
        format!("{}/{}: {status:#}\n{}", self.namespace, self.name, troubles(&self.api, &self.namespace))
    }
}

impl SubscriptionState {
    /// A field of the status.
    pub fn status(&self, field: &str) -> &Value {
        &self.0["status"][field]
    }

    /// The installed level, none before the first.
    pub fn level(&self) -> Option<u64> {
        self.status("level").as_u64()
    }

    /// The level that matters next, if there is one.
    pub fn target(&self) -> Option<u64> {
        self.status("target")["level"].as_u64()
    }

    /// How far the target is, such as `applying`; empty without a target.
    pub fn phase(&self) -> &str {
        self.status("target")["phase"].as_str().unwrap_or_default()
    }

    /// The condition of this type, null if it has none.
    pub fn condition(&self, r#type: &str) -> Value {
        condition(&self.0, r#type)
    }

    /// True if that condition is `True`.
    pub fn is(&self, r#type: &str) -> bool {
        self.condition(r#type)["status"] == "True"
    }

    /// The reason of a condition, empty if it has none.
    pub fn reason(&self, r#type: &str) -> String {
        self.condition(r#type)["reason"].as_str().unwrap_or_default().to_owned()
    }

    /// `Ready`, for the generation that is there now.
    pub fn is_ready(&self) -> bool {
        self.is("Ready") && self.status("observedGeneration") == &self.0["metadata"]["generation"]
    }

    /// Codes of all obstacles.
    pub fn obstacles(&self) -> Vec<String> {
        let all = self.status("obstacles").as_array().into_iter().flatten();
        all.filter_map(|obstacle| obstacle["code"].as_str().map(str::to_owned)).collect()
    }

    /// What happened, the newest first: level and result, such as `(42, "failed")`.
    pub fn history(&self) -> Vec<(u64, String)> {
        let all = self.status("history").as_array().into_iter().flatten();
        let entry = |entry: &Value| Some((entry["level"].as_u64()?, entry["result"].as_str()?.to_owned()));
        all.filter_map(entry).collect()
    }

    /// The state of a component, such as `healthy`; empty if it isn't listed.
    pub fn component(&self, name: &str) -> String {
        let mut all = self.status("components").as_array().into_iter().flatten();
        let found = all.find(|component| component["name"] == name);
        found.and_then(|component| component["state"].as_str()).unwrap_or_default().to_owned()
    }
}
