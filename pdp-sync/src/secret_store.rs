//! State in Secrets. Every write says which version it replaces: two pdp-syncs can't both decide.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::{ObjectMeta, PostParams};
use pdp_transport::cli::failure::{Failure, Result};
use serde_json::Value;

use crate::cluster::{Cluster, Kind};
use crate::crd::{MANAGER, SUBSCRIPTION_LABEL, TRUST_SECRET};
use crate::pin::{Pin, Trust};
use crate::state::{ENROLLED, FLOORS, ROOT};

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

/// The last part of the name of the Secret that all subscriptions of a namespace share.
const TRUST: &str = "trust";

type Data = BTreeMap<String, ByteString>;

/// The Secret that holds a piece. The decision stands apart, so that losing the rest never loses it.
fn holder(name: &str) -> &'static str {
    match name {
        "record.json" => "decision",
        "key.pem" | ENROLLED => "identity",
        _ => "state",
    }
}

impl SecretStore {
    /// Reads the Secrets, and takes over what another subscription of this namespace trusted before.
    pub(crate) fn open(cluster: &Cluster, subscription: &str) -> Result<Self> {
        let mut store = Self {
            cluster: cluster.clone(),
            subscription: subscription.to_owned(),
            secrets: BTreeMap::new(),
        };
        for part in ["decision", "identity", "state", TRUST] {
            let secret = store.read(&store.name(part))?;
            store.secrets.extend(secret.map(|secret| (part, secret)));
        }
        match store.pinned()? {
            Some(pin) if pin.holder != subscription => store.succeed(&pin)?,
            None if trust_in(store.secrets.get("state")).is_nothing() => store.succeed_unpinned()?,
            _ => {}
        }
        Ok(store)
    }

    pub(crate) fn get(&self, name: &str) -> Option<Vec<u8>> {
        piece(self.secrets.get(holder(name)), name)
    }

    pub(crate) fn put(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        let value = ByteString(bytes.to_vec());
        self.change(holder(name), name, |data| drop(data.insert(name.to_owned(), value)))
    }

    /// The root that this namespace trusts, none before the first catalog.
    pub(crate) fn pinned(&self) -> Result<Option<Pin>> {
        self.secrets.get(TRUST).map(Pin::of).transpose()
    }

    /// Remembers the root for the namespace, and that the floors are this subscription's.
    pub(crate) fn pin(&mut self, root: &[u8]) -> Result<()> {
        let pin = Pin { root: root.to_vec(), holder: self.subscription.clone() };
        if self.pinned()?.as_ref() == Some(&pin) {
            return Ok(());
        }
        self.change(TRUST, "the root", |data| data.extend(pin.data()))
    }

    /// Its own state first: killed in between, it does the same again.
    fn succeed(&mut self, pin: &Pin) -> Result<()> {
        let theirs = self.read(&format!("pdp-{}-state", pin.holder))?;
        tracing::warn!(
            before = pin.holder,
            "this namespace's root and floors are another subscription's; they stay"
        );
        self.adopt(trust_in(theirs.as_ref()).inherited(pin))?;
        self.pin(&pin.root)
    }

    /// Versions before this one wrote no pin: whose Flux objects lie here may have seen a catalog.
    fn succeed_unpinned(&mut self) -> Result<()> {
        for name in self.owners()? {
            let trust = trust_in(self.read(&format!("pdp-{name}-state"))?.as_ref());
            if !trust.is_nothing() {
                tracing::warn!(before = name, "another subscription was here; its root and floors stay");
                return self.adopt(trust);
            }
        }
        Ok(())
    }

    /// Subscriptions whose label Flux objects of this namespace carry.
    fn owners(&self) -> Result<BTreeSet<String>> {
        let mut found = BTreeSet::new();
        for kind in [Kind::OciRepository, Kind::HelmRelease, Kind::Kustomization] {
            let objects = self.cluster.list(kind)?.unwrap_or_default();
            let label =
                |object: &Value| Some(object["metadata"]["labels"][SUBSCRIPTION_LABEL].as_str()?.to_owned());
            found.extend(objects.iter().filter_map(label));
        }
        found.remove(&self.subscription);
        Ok(found)
    }

    fn adopt(&mut self, trust: Trust) -> Result<()> {
        self.change("state", "root and floors", |data| {
            for (name, bytes) in [(FLOORS, trust.floors), (ROOT, trust.root)] {
                match bytes {
                    Some(bytes) => data.insert(name.to_owned(), ByteString(bytes)),
                    None => data.remove(name),
                };
            }
        })
    }

    fn change(&mut self, part: &'static str, label: &str, edit: impl FnOnce(&mut Data)) -> Result<()> {
        let full = self.name(part);
        let what = || format!("write {label} of Secret {full}");
        let (api, parameters) =
            (self.api(), PostParams { field_manager: Some(MANAGER.into()), ..Default::default() });
        let old = self.secrets.get(part).cloned();
        let mut secret = old.clone().unwrap_or_else(|| self.empty(part));
        edit(secret.data.get_or_insert_default());
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

    fn empty(&self, part: &str) -> Secret {
        let mut labels = BTreeMap::from([("app.kubernetes.io/managed-by".to_owned(), MANAGER.to_owned())]);
        if part != TRUST {
            labels.insert(SUBSCRIPTION_LABEL.to_owned(), self.subscription.clone());
        }
        let metadata =
            ObjectMeta { name: Some(self.name(part)), labels: Some(labels), ..ObjectMeta::default() };
        Secret { metadata, type_: Some("updates.pdp.wso2.com/state".to_owned()), ..Secret::default() }
    }

    fn name(&self, part: &str) -> String {
        match part {
            TRUST => TRUST_SECRET.to_owned(),
            part => format!("pdp-{}-{part}", self.subscription),
        }
    }

    fn read(&self, name: &str) -> Result<Option<Secret>> {
        self.cluster.wait(|| format!("get Secret {name}"), self.api().get_opt(name))
    }

    fn api(&self) -> Api<Secret> {
        Api::namespaced(self.cluster.client.clone(), &self.cluster.namespace)
    }
}

fn piece(secret: Option<&Secret>, name: &str) -> Option<Vec<u8>> {
    Some(secret?.data.as_ref()?.get(name)?.0.clone())
}

fn trust_in(state: Option<&Secret>) -> Trust {
    Trust { floors: piece(state, FLOORS), root: piece(state, ROOT) }
}
#[cfg(test)]
mod tests;
