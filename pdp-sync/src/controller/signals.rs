//! What a pass tells others beside the status: figures, and whether passes still end.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pdp_policies::{At, Span};

use super::health::Health;
use super::metrics::{Facts, Metrics, Subscription};
use crate::crd::UpdateSubscriptionStatus as Status;
use crate::status::Outcome;

/// Figures and health of all subscriptions.
#[derive(Debug)]
pub(super) struct Signals {
    pub(super) metrics: Arc<Metrics>,
    pub(super) health: Arc<Health>,
}

/// What the figures need to be remembered of one subscription.
#[derive(Debug, Default)]
pub(super) struct Remembered(Mutex<Facts>);

impl Remembered {
    /// When the catalog was signed that was seen last.
    pub(super) fn signed_at(&self) -> Option<At> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).catalog_signed
    }

    /// Takes over what a pass learnt; what it didn't learn stays.
    pub(super) fn learn(&self, outcome: &Outcome, now: At) {
        let mut facts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if outcome.versions.is_some() {
            facts.lag = outcome.lag;
            facts.catalog_signed = outcome.catalog.as_ref().map(|catalog| catalog.signed_at);
            facts.catalog_expires = outcome.expires;
            facts.last_success = Some(now);
        }
    }

    fn facts(&self) -> Facts {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Signals {
    pub(super) fn new() -> Self {
        Self { metrics: Arc::new(Metrics::new(env!("CARGO_PKG_VERSION"))), health: Arc::default() }
    }

    /// A pass ended with `after`; the next is due after `next`.
    pub(super) fn passed(
        &self,
        of: &Subscription,
        remembered: &Remembered,
        (before, after): (&Status, &Status),
        took: Duration,
        (now, next): (At, Duration),
    ) {
        self.metrics.reconciled(of, took);
        if let Some(refusal) = &after.refusal
            && before.refusal.as_ref() != Some(refusal)
        {
            self.metrics.refused(of, refusal.code);
        }
        if let (Some(newest), true) = (after.history.first(), before.history.first() != after.history.first())
        {
            self.metrics.applied(of, newest.result);
        }
        self.metrics.observe(of, after, &remembered.facts());
        let next = Span::from_seconds(u32::try_from(next.as_secs()).unwrap_or(u32::MAX));
        self.health.passed(of, now, next);
    }

    /// A subscription was deleted.
    pub(super) fn forget(&self, of: &Subscription) {
        self.metrics.forget(of);
        self.health.forget(of);
    }
}
