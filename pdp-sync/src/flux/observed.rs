//! What the cluster holds, read once at the beginning of a step, and what Flux says in it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use pdp_policies::flux::{self, FluxCondition, Health, Observed, Truth};
use pdp_policies::{At, Digest, Span};
use pdp_transport::cli::failure::Result;
use serde_json::Value;

use super::desired::Desired;
use super::watched::Watched;
use crate::cluster::{Cluster, Kind, name_of};
use crate::crd::SUBSCRIPTION_LABEL;

/// The kinds that pdp-sync writes.
pub(super) const KINDS: [Kind; 4] =
    [Kind::OciRepository, Kind::HelmRelease, Kind::Kustomization, Kind::ConfigMap];

/// All objects of the namespace: those that carry the subscription's label, and strangers.
#[derive(Debug, Default)]
pub(super) struct Objects {
    all: BTreeMap<(Kind, String), Value>,
    strangers: BTreeSet<(Kind, String)>,
    /// Kinds that the API server doesn't serve.
    pub(super) missing: Vec<Kind>,
}

impl Objects {
    pub(super) fn read(cluster: &Cluster, subscription: &str) -> Result<Self> {
        let mut objects = Self::default();
        for kind in KINDS {
            let Some(list) = cluster.list(kind)? else {
                objects.missing.push(kind);
                continue;
            };
            for object in list {
                let key = (kind, name_of(&object).to_owned());
                match is_ours(&object, subscription) {
                    true => drop(objects.all.insert(key, object)),
                    false => drop(objects.strangers.insert(key)),
                }
            }
        }
        Ok(objects)
    }

    #[cfg(test)]
    pub(super) fn put(&mut self, kind: Kind, name: &str, object: Value) {
        self.all.insert((kind, name.to_owned()), object);
    }

    /// True if an object of this name is there and nobody handed it over: it isn't touched.
    pub(super) fn is_strange(&self, kind: Kind, name: &str) -> bool {
        self.strangers.contains(&(kind, name.to_owned()))
    }

    /// True if an object of ours is there and a person suspended it: Flux would do nothing with what is written.
    pub(super) fn is_suspended(&self, kind: Kind, name: &str) -> bool {
        self.get(kind, name).is_some_and(|live| live["spec"]["suspend"] == true)
    }

    pub(super) fn get(&self, kind: Kind, name: &str) -> Option<&Value> {
        self.all.get(&(kind, name.to_owned()))
    }

    /// All of a kind.
    pub(super) fn of(&self, kind: Kind) -> impl Iterator<Item = (&str, &Value)> {
        self.all
            .iter()
            .filter(move |((k, _), _)| *k == kind)
            .map(|((_, name), object)| (name.as_str(), object))
    }

    /// The component's applier.
    pub(super) fn applier(&self, desired: &Desired) -> Option<&Value> {
        self.get(desired.kind, desired.name.as_str())
    }

    /// What Flux says of the component at exactly this digest. A failure that Flux may still heal by itself counts
    /// once it has lasted for the component's timeout.
    pub(super) fn health(&self, desired: &Desired, now: At) -> Health {
        self.judged(desired, now, false)
    }

    /// The same while a level is applied: what Flux has been at for twice the component's timeout has failed. Helm gives up
    /// by itself after the timeout, and says why; twice as long is for what it tries again and again.
    pub(super) fn health_while_watched(&self, desired: &Desired, now: At, watched: &Watched) -> Health {
        let patience = Duration::from_secs(2 * desired.timeout.seconds().unsigned_abs());
        let overdue = watched.of(desired.kind, desired.name.as_str()).is_some_and(|it| it > patience);
        self.judged(desired, now, overdue)
    }

    fn judged(&self, desired: &Desired, now: At, overdue: bool) -> Health {
        let applier = self.applier(desired);
        let observed = applier.map(|it| observed(desired.kind, it, desired.digest, desired.timeout, now));
        flux::health(observed.map(|it| Observed { overdue, ..it }).as_ref())
    }

    /// What Flux is at: kind and name of each object, and its generation.
    pub(super) fn busy(&self) -> impl Iterator<Item = (Kind, &str, i64)> {
        let busy = |object: &Value| {
            let conditions = object["status"]["conditions"].as_array().into_iter().flatten();
            conditions.map(condition).any(|it| it.kind == "Reconciling" && it.status == Truth::True)
        };
        let generation = |object: &Value| object["metadata"]["generation"].as_i64().unwrap_or_default();
        let all = self.all.iter().filter(move |(_, object)| busy(object));
        all.map(move |((kind, name), object)| (*kind, name.as_str(), generation(object)))
    }

    /// What Flux says of the component's source.
    pub(super) fn source_health(&self, desired: &Desired, now: At) -> Health {
        let kind = Kind::OciRepository;
        let source = self.get(kind, desired.source_name());
        flux::health(source.map(|it| observed(kind, it, desired.digest, desired.timeout, now)).as_ref())
    }
}

/// True if the object is labelled as this subscription's.
pub(super) fn is_ours(object: &Value, subscription: &str) -> bool {
    object["metadata"]["labels"][SUBSCRIPTION_LABEL] == subscription
}

/// The fields that the judge needs.
fn observed(kind: Kind, object: &Value, wanted: Digest, timeout: Span, now: At) -> Observed {
    let status = &object["status"];
    let digest = |value: &Value| value.as_str().and_then(flux::digest_of_revision);
    let (kind, attempted, applied) = match kind {
        Kind::HelmRelease => (
            flux::Kind::HelmRelease,
            &status["lastAttemptedRevisionDigest"],
            &status["history"][0]["ociDigest"],
        ),
        Kind::Kustomization => {
            (flux::Kind::Kustomization, &status["lastAttemptedRevision"], &status["lastAppliedRevision"])
        }
        Kind::OciRepository | Kind::GitRepository | Kind::ConfigMap => {
            let revision = &status["artifact"]["revision"];
            (flux::Kind::OciRepository, revision, revision)
        }
    };
    let conditions: Vec<_> = status["conditions"].as_array().into_iter().flatten().map(condition).collect();
    let ready_since = conditions.iter().find(|c| c.kind == "Ready").and_then(|c| c.last_transition);
    Observed {
        kind,
        generation: object["metadata"]["generation"].as_i64().unwrap_or_default(),
        deleting: object["metadata"]["deletionTimestamp"].is_string(),
        suspended: object["spec"]["suspend"] == true,
        observed_generation: status["observedGeneration"].as_i64(),
        conditions,
        attempted: digest(attempted),
        applied: digest(applied),
        wanted,
        timeout_passed: ready_since.is_some_and(|since| since.plus(timeout) < now),
        overdue: false,
    }
}

fn condition(condition: &Value) -> FluxCondition {
    let text = |field: &str| condition[field].as_str().unwrap_or_default().to_owned();
    FluxCondition {
        kind: text("type"),
        status: match condition["status"].as_str() {
            Some("True") => Truth::True,
            Some("False") => Truth::False,
            _ => Truth::Unknown,
        },
        reason: text("reason"),
        observed_generation: condition["observedGeneration"].as_i64(),
        last_transition: condition["lastTransitionTime"].as_str().and_then(|time| time.parse().ok()),
    }
}
