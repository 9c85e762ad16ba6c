//! What wakes a pass: edits of the subscription, requests to reconcile, what Flux says of our objects, new approvals,
//! new content of the catalog's source, and news of the channel server.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use kube::api::PartialObjectMeta;
use kube::core::{DeserializeGuard, DynamicObject};
use kube::runtime::reflector::{self, ObjectRef, Store};
use kube::runtime::utils::Backoff;
use kube::runtime::watcher::{Config, Error, Event, watcher};
use kube::runtime::{Controller, Predicate, WatchStreamExt, predicates};
use kube::{Api, Resource, ResourceExt};
use tokio::sync::mpsc::UnboundedReceiver;

use super::health::Health;
use super::resolve::source_kind;
use crate::changes::Changes;
use crate::cluster::{Cluster, Kind};
use crate::crd::{CatalogSource, SUBSCRIPTION_LABEL, UpdateApproval, UpdateSubscription};
use crate::time::jittered;

/// A subscription, or why it can't be read: one that can't be read keeps nobody else from being looked at.
pub(super) type Guarded = DeserializeGuard<UpdateSubscription>;

/// Changes that come close together wake one pass.
const DEBOUNCE: Duration = Duration::from_millis(300);
/// A watch that broke off is tried again after this long at most, give or take.
const MAX_PAUSE: Duration = Duration::from_secs(8);
/// So many subscriptions are worked on at once; a namespace has one.
const CONCURRENCY: u16 = 4;
/// The kinds whose changes matter: what we wrote, and what a catalog may come from.
const WATCHED: [Kind; 5] =
    [Kind::OciRepository, Kind::GitRepository, Kind::HelmRelease, Kind::Kustomization, Kind::ConfigMap];
/// So many watches tell of changes.
pub(super) const TELLING: usize = WATCHED.len();

/// A controller with all its watches, and all subscriptions as its watch sees them. `health` hears when every
/// subscription was seen, `changes` whatever the other watches say.
pub(super) fn controller(
    cluster: &Cluster,
    news: UnboundedReceiver<ObjectRef<Guarded>>,
    health: Arc<Health>,
    changes: &Arc<Changes>,
) -> (Controller<Guarded>, Store<Guarded>) {
    let api: Api<Guarded> = Api::namespaced(cluster.client.clone(), &cluster.namespace);
    let (reader, writer) = reflector::store();
    // A status that we wrote ourselves wakes nobody.
    let wakes = predicates::generation.combine(predicates::annotations).combine(predicates::finalizers);
    let own = watcher(api, Config::default())
        .backoff(Pause::default())
        .reflect(writer)
        .inspect_ok(move |event| {
            if matches!(event, Event::InitDone) {
                health.synced();
            }
        })
        .applied_objects()
        .predicate_filter(wakes, Default::default());
    let own = without_errors("UpdateSubscription", own);
    let mut controller = Controller::for_stream(own, reader.clone())
        .with_config(kube::runtime::Config::default().debounce(DEBOUNCE).concurrency(CONCURRENCY))
        .reconcile_on(stream::unfold(news, |mut news| async move { Some((news.recv().await?, news)) }));
    let approvals: Api<UpdateApproval> = Api::namespaced(cluster.client.clone(), &cluster.namespace);
    let all = reader.clone();
    let approved = watcher(approvals, Config::default()).backoff(Pause::default()).touched_objects();
    let approved = without_errors("UpdateApproval", approved);
    controller = controller.watches_stream(approved, move |_| everyone(&all));
    for kind in WATCHED {
        // Metadata alone: that something changed is enough to look at it.
        let api: Api<PartialObjectMeta<DynamicObject>> =
            Api::namespaced_with(cluster.client.clone(), &cluster.namespace, &kind.resource());
        let config = Config::default().labels(kind.label().unwrap_or_default());
        let touched = watcher(api, config).inspect(telling(changes, kind.name()));
        let touched = touched.backoff(Pause::default()).touched_objects();
        let all = reader.clone();
        controller = controller.watches_stream_with(
            without_errors(kind.name(), touched),
            move |object| concerned(&all, kind, &object),
            kind.resource(),
        );
    }
    (controller, reader)
}

/// Notes whatever a watch says.
fn telling<T>(changes: &Arc<Changes>, watch: &'static str) -> impl FnMut(&Result<Event<T>, Error>) + use<T> {
    let changes = Arc::clone(changes);
    move |said| changes.saw(watch, said)
}

/// How long a watch that broke off waits before the next try: twice as long each time, up to [`MAX_PAUSE`].
#[derive(Debug, Default)]
struct Pause {
    tries: u32,
}

impl Iterator for Pause {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let pause = Duration::from_secs(1).saturating_mul(2u32.saturating_pow(self.tries));
        self.tries = self.tries.saturating_add(1);
        Some(jittered(pause.min(MAX_PAUSE)))
    }
}

impl Backoff for Pause {
    fn reset(&mut self) {
        self.tries = 0;
    }
}

/// A watch mends itself, and its errors end here: for each one that the controller heard of, it would hold back all
/// watches together for up to half a minute, and be deaf for minutes after a restart of the API server.
fn without_errors<T: Send>(
    what: &'static str,
    watch: impl Stream<Item = Result<T, Error>> + Send,
) -> impl Stream<Item = Result<T, Error>> + Send {
    let mut told = String::new();
    watch.filter_map(move |item| {
        if let Err(error) = &item {
            let words = error.to_string();
            if words != told {
                tracing::warn!(what, %error, "a watch broke off; it is tried again");
                told = words;
            }
        }
        std::future::ready(item.ok().map(Ok))
    })
}

fn everyone(all: &Store<Guarded>) -> Vec<ObjectRef<Guarded>> {
    all.state().iter().map(|it| ObjectRef::from_obj(&**it)).collect()
}

/// Whose object it is, or whose catalog comes from it.
fn concerned(
    all: &Store<Guarded>,
    kind: Kind,
    object: &PartialObjectMeta<DynamicObject>,
) -> Vec<ObjectRef<Guarded>> {
    let owner = object.labels().get(SUBSCRIPTION_LABEL);
    let reads = |it: &UpdateSubscription| match &it.spec.catalog {
        CatalogSource::FluxSource { kind: k, name } => source_kind(*k) == kind && *name == object.name_any(),
        CatalogSource::Oci { .. } | CatalogSource::Git { .. } => false,
    };
    let concerned = |it: &Guarded| owner == it.meta().name.as_ref() || it.0.as_ref().is_ok_and(&reads);
    all.state().iter().filter(|it| concerned(it)).map(|it| ObjectRef::from_obj(&**it)).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_watch_is_tried_again_for_ever_and_soon() {
        let mut pause = Pause::default();
        let first = pause.next().unwrap();
        assert!(pause.by_ref().take(100).all(|it| it <= MAX_PAUSE * 2));
        assert!(pause.next().unwrap() > first);
        pause.reset();
        assert!(pause.next().unwrap() < Duration::from_secs(2));
    }

    #[tokio::test]
    async fn an_error_of_a_watch_never_reaches_the_controller() {
        let items = vec![Ok(1), Err(Error::NoResourceVersion), Ok(2)];
        let left: Vec<_> = without_errors("Test", stream::iter(items)).map(Result::unwrap).collect().await;
        assert_eq!(left, [1, 2]);
    }
}
