//! What wakes a pass: edits of the subscription, requests to reconcile, what Flux says of our objects, new approvals,
//! new content of the catalog's source, and news of the channel server.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{TryStreamExt, stream};
use kube::api::PartialObjectMeta;
use kube::core::DynamicObject;
use kube::runtime::reflector::{self, ObjectRef, Store};
use kube::runtime::watcher::{Config, Event, watcher};
use kube::runtime::{Controller, Predicate, WatchStreamExt, predicates};
use kube::{Api, ResourceExt};
use tokio::sync::mpsc::UnboundedReceiver;

use super::health::Health;
use super::resolve::source_kind;
use crate::cluster::{Cluster, Kind};
use crate::crd::{CatalogSource, SUBSCRIPTION_LABEL, UpdateApproval, UpdateSubscription};

/// Changes that come close together wake one pass.
const DEBOUNCE: Duration = Duration::from_millis(300);
/// So many subscriptions are worked on at once; a namespace has one.
const CONCURRENCY: u16 = 4;
/// The kinds whose changes matter: what we wrote, and what a catalog may come from.
const WATCHED: [Kind; 4] = [Kind::OciRepository, Kind::GitRepository, Kind::HelmRelease, Kind::Kustomization];

/// A controller with all its watches. `health` hears when every subscription was seen.
pub(super) fn controller(
    cluster: &Cluster,
    news: UnboundedReceiver<ObjectRef<UpdateSubscription>>,
    health: Arc<Health>,
) -> Controller<UpdateSubscription> {
    let api: Api<UpdateSubscription> = Api::namespaced(cluster.client.clone(), &cluster.namespace);
    let (reader, writer) = reflector::store();
    // A status that we wrote ourselves wakes nobody.
    let wakes = predicates::generation.combine(predicates::annotations).combine(predicates::finalizers);
    let own = watcher(api, Config::default())
        .default_backoff()
        .reflect(writer)
        .inspect_ok(move |event| {
            if matches!(event, Event::InitDone) {
                health.synced();
            }
        })
        .applied_objects()
        .predicate_filter(wakes, Default::default());
    let mut controller = Controller::for_stream(own, reader.clone())
        .with_config(kube::runtime::Config::default().debounce(DEBOUNCE).concurrency(CONCURRENCY))
        .reconcile_on(stream::unfold(news, |mut news| async move { Some((news.recv().await?, news)) }));
    let approvals: Api<UpdateApproval> = Api::namespaced(cluster.client.clone(), &cluster.namespace);
    let all = reader.clone();
    controller = controller.watches(approvals, Config::default(), move |_| everyone(&all));
    for kind in WATCHED {
        // Metadata alone: that something changed is enough to look at it.
        let api: Api<PartialObjectMeta<DynamicObject>> =
            Api::namespaced_with(cluster.client.clone(), &cluster.namespace, &kind.resource());
        let changes = watcher(api, Config::default()).default_backoff().touched_objects();
        let all = reader.clone();
        controller = controller.watches_stream_with(
            changes,
            move |object| concerned(&all, kind, &object),
            kind.resource(),
        );
    }
    controller
}

fn everyone(all: &Store<UpdateSubscription>) -> Vec<ObjectRef<UpdateSubscription>> {
    all.state().iter().map(|it| ObjectRef::from_obj(&**it)).collect()
}

/// Whose object it is, or whose catalog comes from it.
fn concerned(
    all: &Store<UpdateSubscription>,
    kind: Kind,
    object: &PartialObjectMeta<DynamicObject>,
) -> Vec<ObjectRef<UpdateSubscription>> {
    let owner = object.labels().get(SUBSCRIPTION_LABEL);
    let reads = |it: &UpdateSubscription| match &it.spec.catalog {
        CatalogSource::FluxSource { kind: k, name } => source_kind(*k) == kind && *name == object.name_any(),
        CatalogSource::Oci { .. } | CatalogSource::Git { .. } => false,
    };
    let concerned = |it: &UpdateSubscription| owner == it.metadata.name.as_ref() || reads(it);
    all.state().iter().filter(|it| concerned(it)).map(|it| ObjectRef::from_obj(&**it)).collect()
}
