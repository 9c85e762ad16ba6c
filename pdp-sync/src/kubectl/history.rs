//! `kubectl pdp history`: what was installed when, and on whose word the newest decision stands.

use pdp_policies::decision::DecisionRecord;
use pdp_policies::gate::{ApprovedBy, Authority};
use pdp_policies::{At, Level, Loosening};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::{print, say};
use serde::Serialize;

use super::cluster::Cluster;
use super::table::{or_dash, table};
use super::{Common, secrets, seen, words};
use crate::crd::{HistoryEntry, UpdateSubscription};
use crate::status::authority_words;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    common: Common,
}

pub(super) async fn run(args: &Args) -> Result<u8> {
    let cluster = Cluster::of(&args.common).await?;
    let of = cluster.subscription(args.common.name.as_deref()).await?;
    let (record, missing) = secrets::if_allowed(secrets::record(&cluster, &of).await)?;
    if let Some(missing) = missing {
        say(&format!("◎ the decision record isn't shown: {missing}"));
    }
    let decision = decision(&of, record.as_ref());
    let history =
        History { pdp: seen::id(&of).to_string(), decision, entries: seen::status(&of).history.clone() };
    print(args.common.output, &history, &text(&history))?;
    Ok(exit::DONE)
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct History {
    pdp: String,
    decision: Option<Decision>,
    entries: Vec<HistoryEntry>,
}

/// The newest decision.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Decision {
    level: Level,
    decided_at: Option<At>,
    attempt: Option<u32>,
    authority: Option<Authority>,
    /// Those whose approvals the policy asked for, if the record says it.
    approved_by: Vec<ApprovedBy>,
    /// The customer's policy had been loosened since the decision before.
    policy_loosened: bool,
    /// By what, if the record says it.
    policy_changes: Vec<Loosening>,
}

/// From the record, which says most; without it from the status.
fn decision(of: &UpdateSubscription, record: Option<&DecisionRecord>) -> Option<Decision> {
    if let Some(record) = record {
        return Some(Decision {
            level: record.target().level,
            decided_at: Some(record.decided_at()),
            attempt: Some(record.attempt()),
            authority: Some(record.authority().clone()),
            approved_by: record.approved_by().to_vec(),
            policy_loosened: record.policy().loosened,
            policy_changes: record.policy().changes.clone(),
        });
    }
    let status = seen::status(of);
    let target = status.target.as_ref().filter(|target| target.decided_at.is_some())?;
    Some(Decision {
        level: target.level,
        decided_at: target.decided_at,
        attempt: target.attempt,
        authority: target.authority.clone(),
        approved_by: Vec::new(),
        policy_loosened: status.policy_loosened,
        policy_changes: Vec::new(),
    })
}

fn text(history: &History) -> String {
    let rows: Vec<_> = history.entries.iter().map(row).collect();
    let mut lines = vec![history.pdp.clone()];
    lines.push(match rows.is_empty() {
        true => "nothing has ended yet".to_owned(),
        false => table(&["LEVEL", "RESULT", "DECIDED", "ENDED", "TOOK", "FAILED"], &rows),
    });
    if let Some(decision) = &history.decision {
        let who = decision.authority.as_ref().map_or_else(|| "-".to_owned(), authority_words);
        let at = or_dash(decision.decided_at);
        let attempt =
            decision.attempt.filter(|n| *n > 1).map_or_else(String::new, |n| format!(", attempt {n}"));
        lines.push(format!("newest decision: level {}{attempt}, {at}, started by {who}", decision.level));
        lines.extend(decision.approved_by.iter().map(|by| format!("  approved by {} ({})", by.name, by.key)));
        if decision.policy_loosened {
            lines.push("  ! PolicyLoosened: the customer's policy had been loosened before".to_owned());
            lines.extend(decision.policy_changes.iter().map(|change| format!("    {change}")));
        }
    }
    lines.join("\n")
}

fn row(one: &HistoryEntry) -> Vec<String> {
    vec![
        one.level.to_string(),
        words::result(one.result).to_owned(),
        one.decided_at.to_string(),
        one.ended_at.to_string(),
        words::length(one.ended_at.seconds_since(one.decided_at)),
        or_dash(one.failed.as_ref()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubectl::testing::{healthy, quarantined, record};

    fn history(of: &UpdateSubscription, record: Option<&DecisionRecord>) -> String {
        let decision = decision(of, record);
        text(&History { pdp: seen::id(of).to_string(), decision, entries: seen::status(of).history.clone() })
    }

    #[test]
    fn what_ended_how_and_who_allowed_the_newest() {
        insta::assert_snapshot!(history(&quarantined(), Some(&record("done"))));
    }

    #[test]
    fn without_the_record_the_status_says_what_it_knows() {
        insta::assert_snapshot!(history(&quarantined(), None));
        assert!(decision(&healthy(), None).is_none());
    }
}
