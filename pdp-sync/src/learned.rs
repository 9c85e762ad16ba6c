//! What a data plane learns of itself: since when it runs healthy, and how long its levels take.

use pdp_policies::decision::{DecisionRecord, Phase};
use pdp_policies::flux::Health;
use pdp_policies::gate::LENGTHS;
use pdp_policies::{At, Span};
use pdp_transport::cli::failure::Result;

use crate::customer::Customer;
use crate::state::{Healthy, State};
use crate::status::{Outcome, Seen};
use crate::target::{Applied, ComponentHealth, Tidied};

/// Remembers since when what is installed runs healthy. A pass that couldn't look changes nothing.
pub(crate) fn health(customer: &Customer, state: &mut State, outcome: &Outcome, now: At) -> Result<()> {
    let done = state.record.as_ref().filter(|record| matches!(record.phase(), Phase::Done {}));
    let healthy = match (done.and_then(DecisionRecord::installed), &outcome.seen) {
        (_, Seen::Unavailable(_) | Seen::Refused { .. }) => return Ok(()),
        (Some(installed), _) if customer.measures_health && all_healthy(customer, &outcome.tidied) => {
            let before = state.healthy.clone().filter(|before| before.sha256 == installed.sha256);
            Some(before.unwrap_or(Healthy { sha256: installed.sha256, since: now }))
        }
        _ => None,
    };
    state.save_healthy(healthy)
}

/// In the customer's Git a probe has said so once; in a cluster it is looked at each time.
fn all_healthy(customer: &Customer, tidied: &Tidied) -> bool {
    let parts = &tidied.components;
    let healthy = |it: &ComponentHealth| matches!(it.health, Health::Healthy { .. });
    customer.inputs.flux.is_none() || (!parts.is_empty() && parts.iter().all(healthy))
}

/// Remembers how long a level took that is done now. A first installation pulls everything, and says nothing of an update.
pub(crate) fn length(state: &mut State, applied: &Applied, now: At) -> Result<()> {
    let done = matches!(applied, Applied::Written | Applied::Healthy);
    let took = |record: &DecisionRecord| u32::try_from(now.seconds_since(record.decided_at())).ok();
    let update = state.record.as_ref().filter(|record| done && record.last_good().is_some());
    let Some(took) = update.and_then(took) else { return Ok(()) };
    let mut lengths = state.lengths.clone();
    lengths.push(Span::from_seconds(took));
    let old = lengths.len().saturating_sub(LENGTHS);
    state.save_lengths(lengths.split_off(old))
}
