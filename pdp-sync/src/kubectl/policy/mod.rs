//! Commands that change the customer's policy: pin, unpin, freeze, unfreeze. Each says first what would happen.

pub(super) mod freeze;
pub(super) mod pin;
pub(super) mod unfreeze;
pub(super) mod unpin;

use kube::ResourceExt;
use pdp_policies::policy::Policy;
use pdp_policies::{At, ObstacleCode};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Failure, Result, internal};
use pdp_transport::cli::output::{print, say};
use serde::Serialize;
use serde_json::{Value, json};

use super::cluster::Cluster;
use super::{Common, seen, words};
use crate::crd::UpdateSubscription;

/// What all of them take.
#[derive(Debug, clap::Args)]
pub(super) struct Edit {
    #[command(flatten)]
    pub(super) common: Common,
    /// Says what would happen, and changes nothing.
    #[arg(long)]
    pub(super) dry_run: bool,
}

/// A change of the policy, as it is told and made.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Change {
    pdp: String,
    /// What will happen, and when.
    says: String,
    /// The fields of the policy that it loosens.
    loosens: Vec<String>,
    /// What may not be meant.
    lints: Vec<String>,
    /// What else keeps the next level waiting.
    still_waits: Vec<String>,
    dry_run: bool,
}

/// Says what `edit` makes of the policy, and makes it unless it is a trial. `code` is the obstacle that it is about.
///
/// # Errors
/// `PolicyIneffective` for a policy that would protect nothing; those of the API server.
async fn change(
    args: &Edit,
    code: ObstacleCode,
    edit: impl FnOnce(&UpdateSubscription, At) -> Result<(Policy, String)>,
) -> Result<u8> {
    let cluster = Cluster::of(&args.common).await?;
    let of = cluster.subscription(args.common.name.as_deref()).await?;
    let now = pdp_transport::cli::clock::now();
    let (policy, says) = edit(&of, now)?;
    refuse_ineffective(&of, &policy, now)?;
    let lints = policy.lints(now);
    let change = Change { lints, ..told(&of, &policy, says, code, args.dry_run) };
    if !args.dry_run {
        cluster.patch(&of, &patch(&of, &policy)?).await?;
    }
    print(args.common.output, &change, &text(&change))?;
    if args.dry_run {
        say("◎ nothing was changed: --dry-run");
    }
    Ok(exit::DONE)
}

/// Nothing that would hold every level by mistake is written.
fn refuse_ineffective(of: &UpdateSubscription, policy: &Policy, now: At) -> Result<()> {
    let problems = policy.ineffective(Some(&of.spec.policy), now);
    if problems.is_empty() {
        return Ok(());
    }
    let lines: Vec<_> = problems.iter().map(|problem| format!("spec.policy.{problem}")).collect();
    Err(Failure::new("PolicyIneffective", "the policy wouldn't do what it says, so nothing was changed")
        .cause(lines.join("\n         ")))
}

fn told(of: &UpdateSubscription, policy: &Policy, says: String, code: ObstacleCode, dry_run: bool) -> Change {
    let loosened = policy.loosened(&of.spec.policy);
    let others = seen::status(of).obstacles.iter().filter(|it| it.code != code);
    Change {
        pdp: seen::id(of).to_string(),
        says,
        loosens: loosened.iter().map(ToString::to_string).collect(),
        lints: Vec::new(),
        still_waits: others.map(|it| format!("{}: {}", it.code, it.detail)).collect(),
        dry_run,
    }
}

/// Only on what was looked at: an edit in between is a `Conflict`.
fn patch(of: &UpdateSubscription, policy: &Policy) -> Result<Value> {
    let value = |policy: &Policy| serde_json::to_value(policy).map_err(internal);
    let policy = replaced(&value(&of.spec.policy)?, value(policy)?);
    Ok(json!({ "metadata": { "resourceVersion": of.resource_version() }, "spec": { "policy": policy } }))
}

/// The merge patch that makes `new` of `old`: what isn't there any more is null, at every depth.
fn replaced(old: &Value, new: Value) -> Value {
    let (Value::Object(old), Value::Object(mut new)) = (old, new.clone()) else { return new };
    for (key, was) in old {
        let is = new.remove(key).map_or(Value::Null, |is| replaced(was, is));
        new.insert(key.clone(), is);
    }
    Value::Object(new)
}

fn text(change: &Change) -> String {
    let sign = if change.dry_run { "◎" } else { "✔" };
    let mut lines = vec![format!("{sign} {}: {}", change.pdp, change.says)];
    lines.extend(change.loosens.iter().map(|it| format!("  ! loosens {it}; the next decision records it")));
    lines.extend(change.lints.iter().map(|it| format!("  ! {it}")));
    lines.extend(change.still_waits.iter().map(|it| format!("  ✗ the next level still waits, {it}")));
    lines.join("\n")
}

/// A time as these commands say it.
fn when(at: At, now: At) -> String {
    if at == At::never() { "for ever".to_owned() } else { format!("until {}", words::when(at, now)) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::kubectl::testing::{now, subscription, waiting};
    use pdp_policies::policy::PinTarget;

    #[test]
    fn a_patch_takes_away_what_is_gone_and_counts_only_for_what_was_looked_at() {
        let pin = json!({ "to": { "level": 41 }, "reason": "r", "expires": "2027-01-31T00:00:00Z" });
        let of =
            subscription(&json!({ "spec": { "policy": { "pin": pin, "hold": { "reason": "audit" } } } }));
        let without = Policy { pin: None, ..of.spec.policy.clone() };
        let made = patch(&of, &without).unwrap();
        assert_eq!(made["metadata"], json!({ "resourceVersion": "7" }));
        assert_eq!(made["spec"]["policy"], json!({ "hold": { "reason": "audit" }, "pin": null }));
        let mut security = of.spec.policy.clone();
        security.pin.as_mut().unwrap().to = PinTarget::SecurityOnly {};
        let made = patch(&of, &security).unwrap();
        let to = &made["spec"]["policy"]["pin"]["to"];
        assert_eq!(*to, json!({ "level": null, "securityOnly": {} }), "a pin has one target");
    }

    #[test]
    fn what_is_loosened_and_what_still_waits_is_told() {
        let of = waiting();
        let change = told(&of, &Policy::default(), "the pin is gone".into(), ObstacleCode::Pinned, true);
        insta::assert_snapshot!(text(&change));
    }

    #[test]
    fn a_policy_that_would_protect_nothing_is_not_written() {
        let of = subscription(&json!({}));
        let (_, says) = pin::pinned(&of, &pin::tests::to_41("2027-01-31T00:00:00Z"), now()).unwrap();
        assert!(says.contains("until 2027-01-31T00:00:00Z (in 68d 12h)"), "{says}");
        let (late, _) = pin::pinned(&of, &pin::tests::to_41("2026-01-31T00:00:00Z"), now()).unwrap();
        let refused = refuse_ineffective(&of, &late, now()).unwrap_err();
        assert!(refused.code == "PolicyIneffective" && refused.to_string().contains("spec.policy.pin ends"));
    }
}
