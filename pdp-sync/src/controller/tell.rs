//! Telling people what happened: Kubernetes Events beside the subscription, and Flux's notification-controller.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use kube::{Resource, ResourceExt};
use pdp_policies::decision::DecisionRecord;
use pdp_policies::flux::Kind;
use pdp_policies::release::{Artifact, Component};
use pdp_policies::{At, ComponentName};

use super::events::news::news;
use super::events::notification::{Involved, Notifier, event};
use super::events::{News, kubernetes};
use super::metrics::Subscription;
use crate::cluster::Cluster;
use crate::crd::{UpdateSubscription, UpdateSubscriptionStatus as Status};

/// Who is told, and what was told already that a status doesn't show.
#[derive(Debug)]
pub(super) struct Teller {
    notifier: Option<Notifier>,
    /// The pod's name.
    instance: String,
    told: Mutex<BTreeSet<(String, String)>>,
}

impl Teller {
    pub(super) fn new(notifier: Option<Notifier>) -> Self {
        let instance = std::env::var("HOSTNAME").unwrap_or_else(|_| "pdp-sync".to_owned());
        Self { notifier, instance, told: Mutex::default() }
    }

    /// Tells what a change of the status is worth, and `more`.
    pub(super) fn tell(
        &self,
        cluster: &Cluster,
        object: &UpdateSubscription,
        (before, after): (&Status, &Status),
        record: Option<&DecisionRecord>,
        more: Vec<News>,
        now: At,
    ) {
        let regarding = object.object_ref(&());
        let of = Subscription { name: object.name_any(), namespace: cluster.namespace.clone() };
        for news in news(before, after).into_iter().chain(more) {
            tracing::info!(reason = news.reason, revision = news.revision, "{}", news.message);
            let written =
                cluster.run(kubernetes::write(&cluster.client, &regarding, &news, &self.instance, now));
            if let Err(failure) = written {
                tracing::warn!(code = failure.code, reason = news.reason, "{failure}");
            }
            if let (Some(notifier), Some(involved)) = (&self.notifier, involved(record, &news, &of)) {
                notifier.tell(event(&news, &involved, &of, &self.instance, now));
            }
        }
    }

    /// True the first time that this process meets `reason` for this subscription.
    pub(super) fn is_new(&self, subscription: &str, reason: &str) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.insert((subscription.to_owned(), reason.to_owned()))
    }
}

/// Flux's alerts know Flux's kinds alone: the component that it is about, else the first one.
fn involved(record: Option<&DecisionRecord>, news: &News, of: &Subscription) -> Option<Involved> {
    let components = &record?.target().components;
    let named = |name: &ComponentName| components.iter().find(|component| component.name == *name);
    let component: &Component = news.component.as_ref().and_then(named).or(components.first())?;
    Some(Involved {
        kind: match component.artifact {
            Artifact::Chart { .. } => Kind::HelmRelease,
            Artifact::Manifests { .. } => Kind::Kustomization,
        },
        name: component.name.to_string(),
        namespace: of.namespace.clone(),
        uid: None,
        resource_version: None,
    })
}
