//! `kubectl pdp rollback`: a person's way back to the last good level.

use pdp_policies::Level;
use pdp_policies::decision::DecisionRecord;
use pdp_policies::release::OnFailure;
use pdp_transport::cli::confirm::confirm;
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::cli::output::{print, say};
use serde::Serialize;
use serde_json::{Value, json};

use super::cluster::Cluster;
use super::{Common, secrets, seen};
use crate::crd::{TargetPhase, UpdateSubscription};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    common: Common,
    /// Why, for people.
    #[arg(long, required_unless_present = "let_go")]
    reason: Option<String>,
    /// Doesn't ask.
    #[arg(short, long)]
    yes: bool,
    /// Ends a rollback: levels start again.
    #[arg(long, conflicts_with = "reason")]
    let_go: bool,
}

pub(super) async fn run(args: &Args) -> Result<u8> {
    let cluster = Cluster::of(&args.common).await?;
    let of = cluster.subscription(args.common.name.as_deref()).await?;
    match &args.reason {
        Some(reason) => go_back(&cluster, &of, args, reason).await,
        None => let_go(&cluster, &of, args).await,
    }
}

async fn go_back(cluster: &Cluster, of: &UpdateSubscription, args: &Args, reason: &str) -> Result<u8> {
    let (record, _) = secrets::if_allowed(secrets::record(cluster, of).await)?;
    let way = way_back(of, record.as_ref())?;
    say(&way_text(&way));
    confirm(&format!("leave level {}", way.from), &way.from.to_string(), args.yes)?;
    cluster.patch(of, &change(of, &json!({ "from": way.from, "reason": reason }))).await?;
    let text = format!(
        "✔ asked to go back from level {} to {}\n  kubectl pdp status {} --watch",
        way.from,
        way.to,
        seen::place(of)
    );
    print(args.common.output, &way, &text)?;
    Ok(exit::DONE)
}

async fn let_go(cluster: &Cluster, of: &UpdateSubscription, args: &Args) -> Result<u8> {
    let Some(rollback) = &of.spec.rollback else {
        print(args.common.output, &json!({ "rollback": null }), "nothing to let go: no rollback is set")?;
        return Ok(exit::DONE);
    };
    cluster.patch(of, &change(of, &Value::Null)).await?;
    let text =
        format!("✔ let go of the rollback from level {}: levels start again, that one too", rollback.from);
    print(args.common.output, &json!({ "rollback": null, "was": rollback }), &text)?;
    Ok(exit::DONE)
}

/// Only on what was looked at: an edit or a new level in between is a `Conflict`.
fn change(of: &UpdateSubscription, rollback: &Value) -> Value {
    json!({ "metadata": { "resourceVersion": of.metadata.resource_version }, "spec": { "rollback": rollback } })
}

/// What would happen.
#[derive(Debug, Serialize)]
struct WayBack {
    pdp: String,
    from: Level,
    to: Level,
    /// Components that would stay as they are; none known without the right to read the decision.
    hold: Option<Vec<String>>,
}

fn way_back(of: &UpdateSubscription, record: Option<&DecisionRecord>) -> Result<WayBack> {
    let (status, pdp) = (seen::status(of), seen::id(of).to_string());
    let nothing = |what: &str| Failure::new("NothingToGoBackTo", format!("{pdp}: {what}"));
    if let Some(rollback) = &of.spec.rollback {
        return Err(nothing(&format!("level {} is being taken back already", rollback.from))
            .hint(format!("kubectl pdp why {}", seen::place(of))));
    }
    let begun =
        status.target.as_ref().filter(|t| matches!(t.phase, TargetPhase::Applying | TargetPhase::GoingBack));
    if let Some(target) = begun {
        return Err(nothing(&format!("level {} is under way; what was begun goes first", target.level))
            .hint(format!("kubectl pdp status {} --watch", seen::place(of))));
    }
    let from = status.level.ok_or_else(|| nothing("nothing is installed"))?;
    let good = status.last_good.as_ref().filter(|good| good.level != from);
    let good = good.ok_or_else(|| {
        nothing(&format!("no level before {from} is known"))
            .hint("it was the first, or its artifacts are gone")
    })?;
    Ok(WayBack { from, to: good.level, hold: record.map(holding), pdp })
}

/// Components that say that going back would hurt more.
fn holding(record: &DecisionRecord) -> Vec<String> {
    let components = record.target().components_for(record.inputs().platform, &record.inputs().left_out);
    let hold = components.into_iter().filter(|component| component.on_failure == OnFailure::Hold);
    hold.map(|component| format!("{} {}", component.name, component.version)).collect()
}

fn way_text(way: &WayBack) -> String {
    let mut lines = vec![format!(
        "{}: level {} -> {}, and nothing newer starts until you let go",
        way.pdp, way.from, way.to
    )];
    match way.hold.as_deref() {
        Some([]) => lines.push("  ✔ every component goes back".to_owned()),
        Some(hold) => lines.push(format!(
            "  ✗ stay at level {}, going back would hurt more: {}",
            way.from,
            hold.join(", ")
        )),
        None => lines.push(
            "  ◎ which components would stay isn't known here: the decision record can't be read".to_owned(),
        ),
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::kubectl::testing::{applying, healthy, never_looked_at, record, taken_back};

    #[test]
    fn the_way_back_names_both_levels_and_what_stays() {
        let way = way_back(&healthy(), Some(&record("done"))).unwrap();
        insta::assert_snapshot!(way_text(&way));
        let unknown = way_back(&healthy(), None).unwrap();
        assert!(way_text(&unknown).contains("isn't known here"));
    }

    #[test]
    fn there_is_no_way_back_from_nothing_and_none_while_something_is_under_way() {
        for (one, words) in [
            (never_looked_at(), "nothing is installed"),
            (applying(), "is under way"),
            (taken_back(), "taken back already"),
        ] {
            let failure = way_back(&one, None).unwrap_err();
            assert!(failure.code == "NothingToGoBackTo" && failure.what.contains(words), "{failure}");
        }
    }

    #[test]
    fn the_patch_counts_only_for_what_was_looked_at() {
        let change = change(&healthy(), &Value::Null);
        assert_eq!(change["metadata"]["resourceVersion"], "7");
        assert!(change["spec"]["rollback"].is_null());
    }
}
