//! Before a decision is stored: artifacts are right, values fit, the names are free, Flux has fetched everything,
//! and the last good artifacts are in its storage, so that going back needs nobody.
//!
//! The sources that are written here apply nothing.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use pdp_policies::decision::DecisionRecord;
use pdp_policies::flux::Health;
use pdp_policies::release::Component;
use pdp_policies::trust::{Catalog, Verified};
use pdp_policies::{At, Digest, Obstacle, ObstacleCode};
use pdp_transport::cli::failure::{Result, internal};

use super::artifact_keys;
use super::desired::{self, Desired, Owner};
use super::memory::Memory;
use super::observed::{Objects, is_ours};
use pdp_transport::oci::OciOptions;

use crate::cluster::{Cluster, Kind, name_of};
use crate::crd::Signatures;
use crate::preflight;
use crate::target::{ComponentHealth, Images, Preflight};
use crate::values;

/// Helm reads this key of a values ConfigMap unless told otherwise.
const VALUES_KEY: &str = "values.yaml";

/// What is looked at, and with what.
pub(super) struct Check<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) artifacts: &'a OciOptions,
    pub(super) signatures: Signatures,
    pub(super) owner: Owner<'a>,
    pub(super) memory: &'a Memory,
    pub(super) catalog: &'a Verified<Catalog>,
    pub(super) record: &'a DecisionRecord,
    pub(super) now: At,
    pub(super) images: &'a Images<'a>,
}

impl Check<'_> {
    pub(super) fn run(&self, objects: &Objects) -> Result<Preflight> {
        let texts = self.values()?;
        let mark = self.mark(&texts)?;
        if !self.memory.has_checked(mark) {
            if let Some(verdict) = self.artifacts(&texts)? {
                return Ok(verdict);
            }
            self.memory.checked(mark);
        }
        let wanted = self.wanted();
        let mut obstacles = self.strangers(objects, &wanted);
        obstacles.extend(self.unlabelled(objects, &wanted)?);
        obstacles.extend(self.suspended(objects, &wanted));
        obstacles.extend((self.images)()?);
        if !obstacles.is_empty() {
            return Ok(Preflight::Blocked(obstacles));
        }
        if self.record.inputs().flux.as_ref().is_some_and(|flux| flux.verify_secret.is_some()) {
            artifact_keys::keep(self.cluster, self.owner.subscription, self.catalog.artifact_keys())?;
        }
        self.fetch(objects, &wanted)
    }

    /// Every byte and signature of every artifact, and the customer's values against each chart's schema.
    fn artifacts(&self, texts: &BTreeMap<String, String>) -> Result<Option<Preflight>> {
        let mut problems = Vec::new();
        let mut inspect = |component: &Component, chart: &[u8]| {
            let sources = self.sources(component, texts);
            let sources: Vec<_> = sources.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
            let (fixed, own) =
                (values::Fixed::of(component), component.values_on(self.record.inputs().platform));
            for problem in values::problems(chart, &fixed, own, &sources)? {
                problems.push(format!("{}: {problem}", component.name));
            }
            Ok(())
        };
        let (endpoint, signatures) = (self.artifacts, self.signatures);
        if let Err(trouble) =
            preflight::artifacts(endpoint, signatures, self.catalog, self.record, Some(&mut inspect))?
        {
            return Ok(Some(Preflight::Trouble(trouble)));
        }
        let invalid = |problem| Obstacle::new(ObstacleCode::CustomerValuesInvalid, None, problem);
        let obstacles: Vec<_> = problems.into_iter().map(invalid).collect();
        Ok((!obstacles.is_empty()).then_some(Preflight::Blocked(obstacles)))
    }

    /// The texts of a component's values, the later ones win.
    fn sources(&self, component: &Component, texts: &BTreeMap<String, String>) -> Vec<(String, String)> {
        let names = self.names(component);
        names
            .into_iter()
            .filter_map(|name| Some((format!("ConfigMap {name}"), texts.get(&name)?.clone())))
            .collect()
    }

    fn names(&self, component: &Component) -> Vec<String> {
        self.record.inputs().values_from(&component.name)
    }

    /// The values ConfigMaps that are there, by name.
    fn values(&self) -> Result<BTreeMap<String, String>> {
        let api: Api<ConfigMap> = Api::namespaced(self.cluster.client.clone(), &self.cluster.namespace);
        let mut texts = BTreeMap::new();
        for component in self.components() {
            for name in self.names(component) {
                if texts.contains_key(&name) {
                    continue;
                }
                let found = self.cluster.wait(|| format!("get ConfigMap {name}"), api.get_opt(&name))?;
                let text = found.and_then(|map| map.data?.remove(VALUES_KEY));
                texts.extend(text.map(|text| (name, text)));
            }
        }
        Ok(texts)
    }

    /// Changes with everything that the answer of [`Self::artifacts`] depends on.
    fn mark(&self, texts: &BTreeMap<String, String>) -> Result<Digest> {
        let keys = self.catalog.artifact_keys();
        let all = (self.record.target_digest(), self.record.inputs(), texts, keys, self.signatures);
        Ok(Digest::of(&serde_json::to_vec(&all).map_err(internal)?))
    }

    fn components(&self) -> Vec<&Component> {
        let inputs = self.record.inputs();
        self.record.target().components_for(inputs.platform, &inputs.left_out)
    }

    fn wanted(&self) -> Vec<Desired> {
        self.components().into_iter().map(|c| Desired::target(self.owner, self.record, c)).collect()
    }

    /// Objects of our names that nobody handed over.
    fn strangers(&self, objects: &Objects, wanted: &[Desired]) -> Vec<Obstacle> {
        let names = |desired: &Desired| {
            let needed = desired.needed().map(|(kind, it)| (kind, name_of(it).to_owned()));
            std::iter::once((desired.kind, desired.name.to_string())).chain(needed).collect::<Vec<_>>()
        };
        let strange = wanted.iter().flat_map(names).filter(|(kind, name)| objects.is_strange(*kind, name));
        strange.map(|(kind, name)| stranger(kind, &name, self.owner)).collect()
    }

    /// ConfigMaps of our names without any subscription's label: those aren't listed.
    fn unlabelled(&self, objects: &Objects, wanted: &[Desired]) -> Result<Vec<Obstacle>> {
        let kind = Kind::ConfigMap;
        let names = wanted.iter().filter_map(|desired| desired.values.as_ref()).map(name_of);
        let unseen = |name: &&str| objects.get(kind, name).is_none() && !objects.is_strange(kind, name);
        let mut found = Vec::new();
        for name in names.filter(unseen) {
            let there = self.cluster.get(kind, name)?.filter(|it| !is_ours(it, self.owner.subscription));
            found.extend(there.map(|_| stranger(kind, name, self.owner)));
        }
        Ok(found)
    }

    /// Objects that this level writes or takes away, but a person suspended. Flux wouldn't uninstall a suspended one.
    fn suspended(&self, objects: &Objects, wanted: &[Desired]) -> Vec<Obstacle> {
        let kinds = [Kind::HelmRelease, Kind::Kustomization];
        let removed = self.record.target().removed.iter();
        let removed = removed.flat_map(|name| kinds.map(|kind| (kind, name.as_str())));
        let written = wanted.iter().map(|desired| (desired.kind, desired.name.as_str()));
        let touched = written.chain(removed).filter(|(kind, name)| objects.is_suspended(*kind, name));
        touched.map(|(kind, name)| suspended(kind, name)).collect()
    }

    /// Lets Flux fetch what is missing, and says what it waits for.
    fn fetch(&self, objects: &Objects, wanted: &[Desired]) -> Result<Preflight> {
        let before = self.components().into_iter();
        let before = before.filter_map(|c| Desired::last_good(self.owner, self.record, &c.name));
        let all: Vec<_> = wanted.iter().cloned().chain(before).collect();
        let mut open = Vec::new();
        for desired in &all {
            let live = objects.get(Kind::OciRepository, desired.source_name());
            if !live.is_some_and(|live| desired::holds(&desired.source, live))
                && !self.apply_source(desired)?
            {
                let health = Health::Waiting("ForeignWriter".to_owned());
                open.push(ComponentHealth { name: desired.name.clone(), health });
                continue;
            }
            match objects.source_health(desired, self.now) {
                Health::Healthy { .. } => {}
                health => open.push(ComponentHealth { name: desired.name.clone(), health }),
            }
        }
        Ok(if open.is_empty() { Preflight::Ready } else { Preflight::NotYet(open) })
    }

    /// False if others change it too often.
    fn apply_source(&self, desired: &Desired) -> Result<bool> {
        let (kind, name) = (Kind::OciRepository, desired.source_name());
        let content = desired.content()?;
        if self.memory.wait(kind, name, content, self.now).is_some() {
            return Ok(false);
        }
        self.cluster.apply(kind, &desired.source)?;
        self.memory.written(kind, name, content, self.now);
        Ok(true)
    }
}

/// An object that a person suspended.
pub(super) fn suspended(kind: Kind, name: &str) -> Obstacle {
    let detail = format!("{} `{name}` is suspended; `flux resume` it to go on", kind.name());
    Obstacle::new(ObstacleCode::ComponentSuspended, None, detail)
}

/// An object that somebody else holds.
pub(super) fn stranger(kind: Kind, name: &str, owner: Owner<'_>) -> Obstacle {
    let label = format!("{}={}", crate::crd::SUBSCRIPTION_LABEL, owner.subscription);
    let kind = kind.name();
    let detail = format!(
        "{kind} `{name}` belongs to someone else; hand it over with the label `{label}`, or remove it"
    );
    Obstacle::new(ObstacleCode::ForeignOwner, None, detail)
}

/// A kind without which nothing can be installed.
pub(super) fn not_served(kind: Kind) -> Obstacle {
    let kind = kind.name();
    let detail =
        format!("the API server doesn't serve {kind} of the version that is needed; install or update Flux");
    Obstacle::new(ObstacleCode::RequiresUnmet, None, detail)
}

/// Images that nobody signed could run, and nobody would see it.
pub(super) fn unseen_workloads() -> Obstacle {
    let detail = "this helm-controller keeps no inventory and pdp-sync may not list workloads, so it can't see which images \
                  charts run: update Flux to 2.8 or newer, or install pdp-sync with `rbac.listWorkloads: true`";
    Obstacle::new(ObstacleCode::RequiresUnmet, None, detail)
}
