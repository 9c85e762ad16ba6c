//! What a data plane learns of itself: since when it runs healthy, and how long its levels take.

use pdp_policies::decision::{DecisionRecord, Phase};
use pdp_policies::flux::Health;
use pdp_policies::gate::LENGTHS;
use pdp_policies::{At, Digest, Span};
use pdp_transport::cli::failure::Result;

use crate::customer::Customer;
use crate::state::{Healthy, State};
use crate::status::{Outcome, Seen};
use crate::target::{Applied, ComponentHealth, Tidied};

/// Two looks that are further apart don't say what was between them.
const GAP: Span = Span::from_seconds(2 * 3600);

/// Remembers since when what is installed runs healthy. A pass that couldn't look changes nothing.
pub(crate) fn health(customer: &Customer, state: &mut State, outcome: &Outcome, now: At) -> Result<()> {
    let done = state.record.as_ref().filter(|record| matches!(record.phase(), Phase::Done {}));
    let healthy = match (done.and_then(DecisionRecord::installed), &outcome.seen) {
        (_, Seen::Unavailable(_) | Seen::Refused { .. }) => return Ok(()),
        (Some(installed), _) if customer.measures_health && all_healthy(customer, &outcome.tidied) => {
            let before = state.healthy.clone().filter(|before| before.sha256 == installed.sha256);
            Some(seen_again(before, installed.sha256, now))
        }
        _ => None,
    };
    state.save_healthy(healthy)
}

/// Nobody knows what was between two looks that are far apart: it begins anew. A look is written down now and then alone.
fn seen_again(before: Option<Healthy>, sha256: Digest, now: At) -> Healthy {
    let fresh = Healthy { sha256, since: now, seen: now };
    match before {
        Some(before) if before.seen == At::never() => Healthy { seen: now, ..before },
        Some(before) if now.seconds_since(before.seen) > GAP.seconds() => fresh,
        Some(before) if now.seconds_since(before.seen) > GAP.seconds() / 4 => Healthy { seen: now, ..before },
        Some(before) => before,
        None => fresh,
    }
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
    let Some((took, record)) = update.and_then(|record| Some((took(record)?, record))) else { return Ok(()) };
    let mut lengths = state.lengths.clone();
    // Beyond that people, or an outage, held it up: no level needs a window for them.
    lengths.push(Span::from_seconds(took).min(record.target().longest()));
    let old = lengths.len().saturating_sub(LENGTHS);
    state.save_lengths(lengths.split_off(old))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> At {
        At::from_unix(1_796_000_000 + minutes * 60)
    }

    #[test]
    fn a_gap_between_two_looks_begins_anew_and_a_look_is_written_now_and_then() {
        let sha256 = Digest::of(b"42");
        let first = seen_again(None, sha256, at(0));
        assert_eq!(first, Healthy { sha256, since: at(0), seen: at(0) });
        assert_eq!(seen_again(Some(first.clone()), sha256, at(5)), first, "nothing to write");
        let later = seen_again(Some(first.clone()), sha256, at(40));
        assert_eq!(later, Healthy { sha256, since: at(0), seen: at(40) });
        assert_eq!(
            seen_again(Some(later), sha256, at(161)),
            Healthy { sha256, since: at(161), seen: at(161) }
        );
        // As an older version wrote it.
        let old = Healthy { sha256, since: at(0), seen: At::never() };
        assert_eq!(seen_again(Some(old), sha256, at(500)), Healthy { sha256, since: at(0), seen: at(500) });
    }
}
