//! `kubectl pdp unfreeze`: ends the freezes that are in force, or those of one reason.

use pdp_policies::policy::{Freeze, Policy};
use pdp_policies::{At, ObstacleCode};
use pdp_transport::cli::failure::{Failure, Result};

use super::Edit;
use crate::crd::UpdateSubscription;
use crate::kubectl::seen;

#[derive(Debug, clap::Args)]
pub(in crate::kubectl) struct Args {
    #[command(flatten)]
    edit: Edit,
    /// Takes away the freezes with this reason, those to come, too; else all that are in force now.
    #[arg(long)]
    reason: Option<String>,
}

pub(in crate::kubectl) async fn run(args: &Args) -> Result<u8> {
    let reason = args.reason.as_deref();
    super::change(&args.edit, ObstacleCode::Frozen, |of, now| unfrozen(of, reason, now)).await
}

fn unfrozen(of: &UpdateSubscription, reason: Option<&str>, now: At) -> Result<(Policy, String)> {
    let meant = |freeze: &Freeze| match reason {
        Some(reason) => freeze.reason == reason,
        None => freeze.from <= now && now < freeze.until,
    };
    let (gone, freezes): (Vec<_>, Vec<_>) = of.spec.policy.freezes.iter().cloned().partition(meant);
    if gone.is_empty() {
        let what =
            reason.map_or_else(|| "no freeze in force".to_owned(), |reason| format!("no freeze `{reason}`"));
        return Err(Failure::new("NotFound", format!("{} has {what}", seen::id(of))));
    }
    let names: Vec<_> =
        gone.iter().map(|freeze| format!("`{}` until {}", freeze.reason, freeze.until)).collect();
    let says = format!("frozen no more: {}; levels start once nothing else holds them", names.join(", "));
    Ok((Policy { freezes, ..of.spec.policy.clone() }, says))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::kubectl::testing::{now, subscription};
    use serde_json::json;

    #[test]
    fn what_is_in_force_ends_or_what_is_named() {
        let freeze = |reason: &str, from: &str| json!({ "reason": reason, "from": from, "until": "2027-01-04T00:00:00Z" });
        let freezes = [freeze("sale", "2026-11-01T00:00:00Z"), freeze("close", "2026-12-20T00:00:00Z")];
        let of = subscription(&json!({ "spec": { "policy": { "freezes": freezes } } }));
        for (reason, left) in [(None, Some("close")), (Some("close"), Some("sale")), (Some("other"), None)] {
            let found = unfrozen(&of, reason, now()).ok();
            let found = found.map(|(policy, _)| policy.freezes.iter().map(|it| it.reason.clone()).collect());
            assert_eq!(found, left.map(|left| vec![left.to_owned()]), "{reason:?}");
        }
    }
}
