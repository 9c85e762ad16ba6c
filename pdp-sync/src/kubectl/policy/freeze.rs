//! `kubectl pdp freeze`: nothing starts between two times.

use pdp_policies::policy::{Freeze, Policy};
use pdp_policies::{At, ObstacleCode};
use pdp_transport::cli::failure::Result;

use super::{Edit, when};
use crate::crd::UpdateSubscription;
use crate::kubectl::words;

#[derive(Debug, clap::Args)]
pub(in crate::kubectl) struct Args {
    #[command(flatten)]
    edit: Edit,
    /// Why, for people.
    #[arg(long)]
    reason: String,
    /// Its first second; now if absent.
    #[arg(long)]
    from: Option<At>,
    /// The first second after it, such as 2027-01-04T00:00:00Z.
    #[arg(long)]
    until: At,
}

pub(in crate::kubectl) async fn run(args: &Args) -> Result<u8> {
    super::change(&args.edit, ObstacleCode::Frozen, |of, now| {
        let from = args.from.unwrap_or(now);
        Ok(frozen(of, Freeze { reason: args.reason.clone(), from, until: args.until }, now))
    })
    .await
}

/// Freezes that are over are left out: they hold nothing any more.
fn frozen(of: &UpdateSubscription, freeze: Freeze, now: At) -> (Policy, String) {
    let from = if freeze.from <= now {
        "from now".to_owned()
    } else {
        format!("from {}", words::when(freeze.from, now))
    };
    let says = format!("nothing starts {from}, {}; what was begun goes on", when(freeze.until, now));
    let mut freezes: Vec<_> = of.spec.policy.freezes.iter().filter(|it| it.until > now).cloned().collect();
    freezes.push(freeze);
    (Policy { freezes, ..of.spec.policy.clone() }, says)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::kubectl::testing::{now, subscription};
    use serde_json::json;

    #[test]
    fn a_freeze_is_added_and_those_that_are_over_go() {
        let over = json!({ "reason": "r", "from": "2025-12-20T00:00:00Z", "until": "2026-01-04T00:00:00Z" });
        let next = json!({ "reason": "r", "from": "2027-12-20T00:00:00Z", "until": "2028-01-04T00:00:00Z" });
        let of = subscription(&json!({ "spec": { "policy": { "freezes": [over, next] } } }));
        let freeze = |from: &str| Freeze {
            reason: "year end".into(),
            from: from.parse().unwrap(),
            until: "2027-01-04T00:00:00Z".parse().unwrap(),
        };
        for (from, wanted) in [
            (
                "2026-11-23T12:00:00Z",
                "nothing starts from now, until 2027-01-04T00:00:00Z (in 41d 12h); what was begun goes on",
            ),
            (
                "2026-12-20T00:00:00Z",
                "nothing starts from 2026-12-20T00:00:00Z (in 26d 12h), until 2027-01-04T00:00:00Z (in 41d 12h); \
                 what was begun goes on",
            ),
        ] {
            let (policy, says) = frozen(&of, freeze(from), now());
            assert_eq!((policy.freezes.len(), says.as_str()), (2, wanted));
        }
    }
}
