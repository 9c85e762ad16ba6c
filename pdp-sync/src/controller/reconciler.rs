//! One reconcile: read the object, make a pass, write what came of it, say when to look again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kube::ResourceExt;
use kube::core::DeserializeGuard;
use kube::runtime::controller::Action;
use pdp_policies::gate::Verdict;
use pdp_policies::{At, Obstacle, ObstacleCode, RefusalCode};
use pdp_transport::cli::failure::{Failure, Result};
use serde_json::json;

use super::conditions::Stand;
use super::context::{Context, Entry};
use super::events::News as Told;
use super::handled::{self, Handled};
use super::resolve::{self, AtHand, source_kind};
use super::status::{self, Facts};
use super::storage_version;
use super::watches::Guarded;
use super::{finalizer, news_feed, own_status, unreadable};
use crate::crd::{
    CatalogSource, FINALIZER, REQUESTED_AT, UpdateSubscription, UpdateSubscriptionStatus as Status,
};
use crate::customer::Customer;
use crate::fault;
use crate::flux::{FluxTarget, Reading};
use crate::instruct::Trouble;
use crate::reconcile::{self, Plane};
use crate::secret_store::SecretStore;
use crate::state::State;
use crate::status::{Outcome, Seen};
use crate::target::Applied;
use crate::time::{Clock, jittered};

/// After a pass that couldn't be finished, at most this long passes before the next.
const RETRY: Duration = Duration::from_secs(30);
/// While Flux fetches, nothing but its word is waited for; this is for what nobody tells.
const WHILE_FETCHING: Duration = Duration::from_secs(5);
/// What a reconcile that couldn't even read or write its object leads to.
pub(super) fn after_error<T>(_: Arc<Guarded>, failure: &Failure, _: Arc<T>) -> Action {
    tracing::warn!(code = failure.code, "a reconcile broke off; it is tried again: {failure}");
    Action::requeue(jittered(RETRY / 3))
}

/// One reconcile of the subscription of this name.
pub(super) fn reconcile(name: &str, context: &Context) -> Result<Action> {
    let get = || format!("get UpdateSubscription {name}");
    let object = match context.cluster.wait(get, context.api().get_opt(name))? {
        None => return Ok(Action::await_change()),
        Some(DeserializeGuard(Ok(object))) => object,
        Some(DeserializeGuard(Err(invalid))) => return unreadable::tell(name, &invalid, context),
    };
    let finalizers = object.finalizers();
    match (object.metadata.deletion_timestamp.is_some(), finalizers.iter().any(|it| it == FINALIZER)) {
        (true, true) => return set_finalizer(&object, context, false),
        (true, false) => return Ok(Action::await_change()),
        (false, false) => return set_finalizer(&object, context, true),
        (false, true) => {}
    }
    let before = object.status.clone().unwrap_or_default();
    let handled = handled::handled(object.annotations(), &before);
    if object.spec.suspend {
        let generation = object.metadata.generation.unwrap_or_default();
        let status = status::standing(&Stand::Suspended, generation, &before, Clock::new().now());
        own_status::write(name, context, &before, answered(status, &handled))?;
        return Ok(Action::await_change());
    }
    let entry = context.entry(name);
    if handled.forced {
        entry.memory.forget();
        entry.images.forget();
        entry.last.forget();
    }
    let started = Instant::now();
    match pass(&object, context, &entry) {
        Ok(Ok(passed)) => conclude(&object, context, &entry, &before, &handled, passed, started.elapsed()),
        Ok(Err(first)) => {
            let generation = object.metadata.generation.unwrap_or_default();
            let now = Clock::new().now();
            let pause = jittered(Duration::from_secs(object.spec.interval.seconds().unsigned_abs().max(1)));
            let status = answered(status::shut_out(&first, generation, &before, now), &handled);
            without_pass(&object, context, &entry, &before, status, started.elapsed(), (now, pause))
        }
        Err(failure) => {
            tracing::warn!(code = failure.code, "{failure}");
            let generation = object.metadata.generation.unwrap_or_default();
            let now = Clock::new().now();
            let pause = jittered(if failure.transient { RETRY / 3 } else { RETRY });
            let status = answered(status::unusable(failure, generation, &before, now), &handled);
            without_pass(&object, context, &entry, &before, status, started.elapsed(), (now, pause))
        }
    }
}

/// Writes the status when there was no pass, and arranges for the next look.
fn without_pass(
    object: &UpdateSubscription,
    context: &Context,
    entry: &Entry,
    before: &Status,
    status: Status,
    took: Duration,
    (now, pause): (At, Duration),
) -> Result<Action> {
    let of = context.label(&object.name_any());
    context.signals.passed(&of, &entry.remembered, (before, &status), took, (now, pause));
    own_status::write(&object.name_any(), context, before, status)?;
    Ok(Action::requeue(pause))
}

/// What a pass worked on, and what came of it.
struct Passed {
    customer: Customer,
    interval: u64,
    state: State,
    outcome: Outcome,
    now: At,
}

/// One pass, or the obstacle: a subscription that isn't the first of its namespace starts nothing, so none of its
/// Secrets is read and no host that it names is asked.
fn pass(
    object: &UpdateSubscription,
    context: &Context,
    entry: &Entry,
) -> Result<std::result::Result<Passed, Obstacle>> {
    let clock = Clock::new();
    let name = object.name_any();
    let cache = context.cache.join(&name);
    std::fs::create_dir_all(&cache)
        .map_err(|e| Failure::new("Io", format!("cache folder {}", cache.display())).cause(e))?;
    let surroundings = context.surroundings()?;
    let found = surroundings.found(&context.all.state(), &name);
    if let Some(first) = found.obstacles.first() {
        return Ok(Err(first.clone()));
    }
    let secrets = SecretStore::open(&context.cluster, &name)?;
    // Without a rule they count for nobody; with one a start depends on them, so they are read anew.
    let approvals = match &object.spec.policy.approval {
        Some(_) => resolve::approvals(&context.cluster)?,
        None => Vec::new(),
    };
    let at_hand = AtHand { surroundings: &surroundings, approvals: &approvals, secrets: &secrets };
    let subscription = resolve::resolve(&context.cluster, object, &at_hand, &cache)?;
    let problems = subscription.problems();
    if !problems.is_empty() {
        return Err(
            Failure::new("BadSubscription", "the subscription can't be used").cause(problems.join("; "))
        );
    }
    let plane = Plane::of(&subscription, &context.connection, &entry.last, &entry.images)?;
    let mut state = State::in_cluster(secrets, &cache, &subscription.spec.root)?;
    let target = FluxTarget {
        cluster: &context.cluster,
        name: &name,
        artifacts: &plane.endpoints.artifacts,
        signatures: plane.customer.signatures,
        own_images: &plane.customer.policy.own_images,
        memory: &entry.memory,
        charts: surroundings.charts,
        surroundings: found,
        clock: &clock,
        changes: &context.changes,
        read: Reading::default(),
    };
    let outcome = reconcile::pass(&plane, &mut state, &target, &clock);
    let interval = subscription.spec.interval.seconds().unsigned_abs();
    Ok(Ok(Passed { customer: plane.customer, interval, state, outcome, now: clock.now() }))
}

/// Writes the status and arranges for what comes next.
fn conclude(
    object: &UpdateSubscription,
    context: &Context,
    entry: &Entry,
    before: &Status,
    handled: &Handled,
    passed: Passed,
    took: Duration,
) -> Result<Action> {
    let Passed { customer, interval, state, mut outcome, now } = passed;
    entry.remembered.learn(&outcome, now);
    let signed_at = entry.remembered.signed_at();
    let generation = object.metadata.generation.unwrap_or_default();
    let facts = Facts { outcome: &outcome, record: state.record.as_ref(), signed_at, generation, now };
    let status = answered(status::of(&facts, before), handled);
    if needs_more(&outcome) {
        context.forget_surroundings();
    }
    let behind = is_behind(&outcome);
    if behind {
        ask_source(object, context, now)?;
    }
    let pause = next(&outcome, interval, behind, now);
    let of = context.label(&customer.name);
    context.signals.passed(&of, &entry.remembered, (before, &status), took, (now, pause));
    if !outcome.tidied.repaired.is_empty() {
        context.signals.metrics.repaired(&of, outcome.tidied.repaired.len() as u64);
    }
    let more = unseen(context, &customer.name, &state, &outcome);
    let both = (before, &status);
    context.teller.tell(&context.cluster, object, both, state.record.as_ref(), more, now);
    fault::point("before-status");
    own_status::write(&object.name_any(), context, before, status)?;
    fault::point("after-status");
    if matches!(outcome.applied, Some(Applied::Healthy)) {
        context.cluster.spawn(keep_readable(context.cluster.client.clone()));
    }
    if let Some((identity, longest)) = outcome.next_poll.take() {
        news_feed::listen(&entry.waiting, &context.news, customer, state, identity, longest, now);
    }
    Ok(Action::requeue(pause))
}

/// What happened that no status shows. What lasts is told once per process.
fn unseen(context: &Context, name: &str, state: &State, outcome: &Outcome) -> Vec<Told> {
    let mut news = Vec::new();
    for event in &state.events {
        match *event {
            "FloorsRebuilt" => news.push(Told::floors_rebuilt()),
            _ if context.teller.is_new(name, event) => news.push(Told::root_changed()),
            _ => {}
        }
    }
    if !outcome.tidied.repaired.is_empty() {
        news.push(Told::drift_repaired(&outcome.tidied.repaired));
    }
    news
}

/// A level may have brought new definitions: objects must be readable after the next one drops a version.
async fn keep_readable(client: kube::Client) {
    for name in storage_version::DEFINITIONS {
        match storage_version::migrate(&client, name).await {
            Ok(outcome) => tracing::debug!(name, ?outcome, "stored versions"),
            Err(error) => tracing::warn!(name, %error, "objects can't be written in the storage version"),
        }
    }
}

/// When to look again if nothing wakes it before.
fn next(outcome: &Outcome, interval: u64, behind: bool, now: At) -> Duration {
    let interval = jittered(Duration::from_secs(interval.max(1)));
    let seconds = |seconds: i64| Duration::from_secs(seconds.max(1).unsigned_abs());
    let pause = match &outcome.seen {
        Seen::UnderWay(under_way) => seconds(under_way.next.seconds()),
        Seen::Preflight(..) => WHILE_FETCHING,
        Seen::Started => Duration::ZERO,
        Seen::Unavailable(failure) if failure.transient => jittered(RETRY),
        Seen::Verdict(Verdict::WaitUntil(at, _), _) => interval.min(seconds(at.seconds_since(now))),
        _ if behind => WHILE_FETCHING,
        _ => interval,
    };
    let again = outcome.tidied.fought.iter().map(|fight| seconds(fight.again.seconds_since(now)));
    again.chain([pause, interval]).min().unwrap_or(interval)
}

/// True if a level waits for another Kubernetes or Flux: what the cluster says of itself is asked for anew until it
/// is there.
fn needs_more(outcome: &Outcome) -> bool {
    let waiting = crate::status::waiting(&outcome.seen).map(|(_, obstacles)| obstacles).unwrap_or_default();
    waiting.iter().any(|obstacle| obstacle.code == ObstacleCode::RequiresUnmet)
}

/// True if the catalog at hand is older than the one that somebody else saw.
fn is_behind(outcome: &Outcome) -> bool {
    let lag = |code: &str| code == "CatalogBehind";
    let instruction = matches!(&outcome.trouble, Some(Trouble::Unavailable(code, _)) if lag(code));
    instruction
        || matches!(&outcome.seen, Seen::Refused { refusal, behind: true } if refusal.code == RefusalCode::VersionFloor)
}

/// Lets Flux fetch the catalog's source now rather than at its next interval.
fn ask_source(object: &UpdateSubscription, context: &Context, now: At) -> Result<()> {
    let CatalogSource::FluxSource { kind, name } = &object.spec.catalog else { return Ok(()) };
    let patch = json!({ "metadata": { "annotations": { REQUESTED_AT: now.to_string() } } });
    context.cluster.merge(source_kind(*kind), name, &patch).map(|_| ())
}

/// The finalizer holds a deletion until pdp-sync has let go. What runs keeps running, floors and decision stay: a
/// subscription of the same name goes on where this one ended.
fn set_finalizer(object: &UpdateSubscription, context: &Context, there: bool) -> Result<Action> {
    finalizer::set(&object.metadata, context, there)?;
    if !there {
        context.forget(&object.name_any());
        let status = object.status.clone().unwrap_or_default();
        let (both, more) = ((&status, &status), vec![Told::orphaned()]);
        context.teller.tell(&context.cluster, object, both, None, more, Clock::new().now());
    }
    Ok(Action::await_change())
}

fn answered(status: Status, handled: &Handled) -> Status {
    Status {
        last_handled_reconcile_at: handled.reconcile_at.clone(),
        last_handled_force_at: handled.force_at.clone(),
        ..status
    }
}
