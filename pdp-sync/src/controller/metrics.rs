//! Figures for Prometheus: Flux's own name for durations, `pdp_sync_*` for the rest. Described in `docs/metrics.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use pdp_policies::trust::Role;
use pdp_policies::{At, Level, RefusalCode};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets_range};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use crate::crd::{ConditionType, HistoryResult, UpdateSubscriptionStatus};

/// One subscription.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, EncodeLabelSet)]
pub(crate) struct Subscription {
    pub(crate) name: String,
    pub(crate) namespace: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reconciled {
    kind: &'static str,
    name: String,
    namespace: String,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, EncodeLabelSet)]
struct ConditionLabels {
    name: String,
    namespace: String,
    r#type: String,
    status: String,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, EncodeLabelSet)]
struct BlockedLabels {
    name: String,
    namespace: String,
    code: &'static str,
    owner: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, EncodeLabelSet)]
struct RefusalLabels {
    name: String,
    namespace: String,
    code: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, EncodeLabelSet)]
struct AppliedLabels {
    name: String,
    namespace: String,
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, EncodeLabelSet)]
struct RoleLabels {
    name: String,
    namespace: String,
    role: &'static str,
}

/// What a pass knows beside the status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// So many promoted levels are newer than the installed one.
    pub(crate) lag: Option<u64>,
    /// When the catalog was signed.
    pub(crate) catalog_signed: Option<At>,
    /// When each of its roles expires.
    pub(crate) catalog_expires: Option<[(Role, At); 6]>,
    /// The end of the last pass that reached the vendor.
    pub(crate) last_success: Option<At>,
}

/// The series of one subscription that may go away.
#[derive(Debug, Default)]
struct Shown {
    conditions: BTreeSet<ConditionLabels>,
    blocked: BTreeSet<BlockedLabels>,
    refusals: BTreeSet<RefusalLabels>,
    applied: BTreeSet<AppliedLabels>,
}

type Gauges = Family<Subscription, Gauge>;

/// All figures.
#[derive(Debug)]
pub(crate) struct Metrics {
    durations: Family<Reconciled, Histogram, fn() -> Histogram>,
    level: Gauges,
    target: Gauges,
    lag: Gauges,
    conditions: Family<ConditionLabels, Gauge>,
    blocked: Family<BlockedLabels, Gauge>,
    refusals: Family<RefusalLabels, Counter>,
    applied: Family<AppliedLabels, Counter>,
    catalog_signed: Gauges,
    catalog_expires: Gauges,
    role_expires: Family<RoleLabels, Gauge>,
    last_success: Gauges,
    exposed: Gauges,
    repairs: Family<Subscription, Counter>,
    shown: Mutex<BTreeMap<Subscription, Shown>>,
    registry: Registry,
}

impl Metrics {
    /// No figures yet; `version` is this program's.
    pub(crate) fn new(version: &str) -> Self {
        let mut metrics = Self {
            // As Flux's controllers cut them: ten buckets between 10 ms and half an hour.
            durations: Family::new_with_constructor(|| {
                Histogram::new(exponential_buckets_range(0.01, 1800.0, 10))
            }),
            level: Gauges::default(),
            target: Gauges::default(),
            lag: Gauges::default(),
            conditions: Family::default(),
            blocked: Family::default(),
            refusals: Family::default(),
            applied: Family::default(),
            catalog_signed: Gauges::default(),
            catalog_expires: Gauges::default(),
            role_expires: Family::default(),
            last_success: Gauges::default(),
            exposed: Gauges::default(),
            repairs: Family::default(),
            shown: Mutex::default(),
            registry: Registry::default(),
        };
        metrics.register(version);
        metrics
    }

    fn register(&mut self, version: &str) {
        let to = &mut self.registry;
        to.register("gotk_reconcile_duration_seconds", "Duration of passes", self.durations.clone());
        to.register("pdp_sync", "This program", Info::new(vec![("version", version.to_owned())]));
        to.register("pdp_sync_level", "The installed level", self.level.clone());
        to.register("pdp_sync_target_level", "The level that is applied or waited for", self.target.clone());
        to.register("pdp_sync_lag_levels", "Promoted levels above the installed one", self.lag.clone());
        to.register("pdp_sync_condition", "1 for each condition as it stands", self.conditions.clone());
        to.register("pdp_sync_blocked", "1 for each obstacle before the target", self.blocked.clone());
        to.register("pdp_sync_refusals", "Documents and artifacts refused, by code", self.refusals.clone());
        to.register("pdp_sync_levels_applied", "Levels that ended, by result", self.applied.clone());
        let (signed, expires) = ("When the catalog was signed", "When the catalog expires");
        to.register("pdp_sync_catalog_signed_timestamp_seconds", signed, self.catalog_signed.clone());
        to.register("pdp_sync_catalog_expires_timestamp_seconds", expires, self.catalog_expires.clone());
        let roles = "When each role of the catalog expires";
        to.register("pdp_sync_role_expires_timestamp_seconds", roles, self.role_expires.clone());
        let success = "End of the last pass that reached the vendor";
        to.register("pdp_sync_last_success_timestamp_seconds", success, self.last_success.clone());
        to.register("pdp_sync_exposed", "1 below the vendor's security floor", self.exposed.clone());
        to.register("pdp_sync_drift_repairs", "Objects of Flux that were put back", self.repairs.clone());
    }

    /// A pass over a subscription took so long.
    pub(crate) fn reconciled(&self, of: &Subscription, took: Duration) {
        self.durations.get_or_create(&reconciled(of)).observe(took.as_secs_f64());
    }

    /// Something was refused; once per refusal, not per pass.
    pub(crate) fn refused(&self, of: &Subscription, code: RefusalCode) {
        let labels =
            RefusalLabels { name: of.name.clone(), namespace: of.namespace.clone(), code: code.as_str() };
        self.refusals.get_or_create(&labels).inc();
        self.with_shown(of, |shown| shown.refusals.insert(labels));
    }

    /// A level came to its end.
    pub(crate) fn applied(&self, of: &Subscription, result: HistoryResult) {
        let result = match result {
            HistoryResult::Healthy => "healthy",
            HistoryResult::Failed => "failed",
            HistoryResult::TakenBack => "takenBack",
        };
        let labels = AppliedLabels { name: of.name.clone(), namespace: of.namespace.clone(), result };
        self.applied.get_or_create(&labels).inc();
        self.with_shown(of, |shown| shown.applied.insert(labels));
    }

    /// So many objects of Flux were put back to what they should be.
    pub(crate) fn repaired(&self, of: &Subscription, objects: u64) {
        self.repairs.get_or_create(of).inc_by(objects);
    }

    /// Takes over where a subscription stands; what doesn't hold any more disappears.
    pub(crate) fn observe(&self, of: &Subscription, status: &UpdateSubscriptionStatus, facts: &Facts) {
        let level = |level: Option<Level>| level.map(|level| i64::from(level.0));
        let at = |at: Option<At>| at.map(At::unix);
        let exposed = status.conditions.iter().any(|c| c.type_ == ConditionType::Exposed.as_str());
        set(&self.level, of, level(status.level));
        set(&self.target, of, level(status.target.as_ref().map(|target| target.level)));
        set(&self.lag, of, facts.lag.map(|lag| i64::try_from(lag).unwrap_or(i64::MAX)));
        set(&self.catalog_signed, of, at(facts.catalog_signed));
        let first = facts.catalog_expires.iter().flatten().map(|(_, at)| *at).min();
        set(&self.catalog_expires, of, at(first));
        for (role, at) in facts.catalog_expires.iter().flatten() {
            self.role_expires.get_or_create(&role_labels(of, *role)).set(at.unix());
        }
        set(&self.last_success, of, at(facts.last_success));
        set(&self.exposed, of, Some(i64::from(exposed)));
        drop(self.repairs.get_or_create(of));
        let (conditions, blocked) = (condition_labels(of, status), blocked_labels(of, status));
        self.with_shown(of, |shown| {
            replace(&self.conditions, &mut shown.conditions, conditions);
            replace(&self.blocked, &mut shown.blocked, blocked);
        });
    }

    /// A subscription was deleted: nothing of it stays.
    pub(crate) fn forget(&self, of: &Subscription) {
        for gauges in [&self.level, &self.target, &self.lag, &self.exposed] {
            gauges.remove(of);
        }
        for gauges in [&self.catalog_signed, &self.catalog_expires, &self.last_success] {
            gauges.remove(of);
        }
        for role in Role::ALL {
            self.role_expires.remove(&role_labels(of, role));
        }
        self.durations.remove(&reconciled(of));
        self.repairs.remove(of);
        let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner).remove(of).unwrap_or_default();
        shown.conditions.iter().for_each(|labels| _ = self.conditions.remove(labels));
        shown.blocked.iter().for_each(|labels| _ = self.blocked.remove(labels));
        shown.refusals.iter().for_each(|labels| _ = self.refusals.remove(labels));
        shown.applied.iter().for_each(|labels| _ = self.applied.remove(labels));
    }

    /// The text that Prometheus reads.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        let _ = encode(&mut text, &self.registry);
        text
    }

    fn with_shown<T>(&self, of: &Subscription, change: impl FnOnce(&mut Shown) -> T) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        change(shown.entry(of.clone()).or_default());
    }
}

fn reconciled(of: &Subscription) -> Reconciled {
    Reconciled { kind: "UpdateSubscription", name: of.name.clone(), namespace: of.namespace.clone() }
}

fn role_labels(of: &Subscription, role: Role) -> RoleLabels {
    RoleLabels { name: of.name.clone(), namespace: of.namespace.clone(), role: role.name() }
}

fn set(gauges: &Gauges, of: &Subscription, value: Option<i64>) {
    match value {
        Some(value) => _ = gauges.get_or_create(of).set(value),
        None => _ = gauges.remove(of),
    }
}

/// Sets the series of `now` to 1 and drops those that were shown and aren't among them.
fn replace<L>(family: &Family<L, Gauge>, shown: &mut BTreeSet<L>, now: BTreeSet<L>)
where
    L: Clone + Eq + Ord + std::hash::Hash,
{
    shown.difference(&now).for_each(|labels| _ = family.remove(labels));
    now.iter().for_each(|labels| _ = family.get_or_create(labels).set(1));
    *shown = now;
}

fn condition_labels(of: &Subscription, status: &UpdateSubscriptionStatus) -> BTreeSet<ConditionLabels> {
    let labels = |condition: &crate::crd::Condition| ConditionLabels {
        name: of.name.clone(),
        namespace: of.namespace.clone(),
        r#type: condition.type_.clone(),
        status: condition.status.clone(),
    };
    status.conditions.iter().map(labels).collect()
}

fn blocked_labels(of: &Subscription, status: &UpdateSubscriptionStatus) -> BTreeSet<BlockedLabels> {
    let labels = |obstacle: &crate::crd::ObstacleStatus| BlockedLabels {
        name: of.name.clone(),
        namespace: of.namespace.clone(),
        code: obstacle.code.as_str(),
        owner: match obstacle.owner {
            pdp_policies::Owner::Vendor => "vendor",
            pdp_policies::Owner::Customer => "customer",
        },
    };
    status.obstacles.iter().map(labels).collect()
}

#[cfg(test)]
mod tests;
