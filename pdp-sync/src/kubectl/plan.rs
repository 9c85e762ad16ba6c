//! `kubectl pdp plan`: what the next start would change, as far as this data plane knows it.

use pdp_policies::decision::DecisionRecord;
use pdp_policies::release::{Component, Release};
use pdp_policies::{At, ComponentName, Digest, Level};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::{print, say};
use serde::Serialize;

use super::cluster::Cluster;
use super::table::{or_dash, table};
use super::{Common, secrets, seen, words};
use crate::crd::{ObstacleStatus, TargetPhase, UpdateSubscription};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    common: Common,
}

pub(super) async fn run(args: &Args) -> Result<u8> {
    let cluster = Cluster::of(&args.common).await?;
    let of = cluster.subscription(args.common.name.as_deref()).await?;
    let (record, missing) = secrets::if_allowed(secrets::record(&cluster, &of).await)?;
    let (state, _) = secrets::if_allowed(cluster.secret(&of, &secrets::state_of(&of)).await)?;
    if let Some(missing) = missing {
        say(&format!("◎ components aren't compared: {missing}"));
    }
    let bytes = state.as_ref().and_then(|state| secrets::bytes(state, "candidate.json"));
    let plan = plan(&of, record.as_ref(), candidate(&of, bytes)?.as_ref());
    print(args.common.output, &plan, &text(&plan, pdp_transport::cli::clock::now()))?;
    Ok(if plan.level.is_some() { exit::NEGATIVE } else { exit::DONE })
}

/// The stored descriptor, if it is the target's: another level's says nothing about this one.
fn candidate(of: &UpdateSubscription, bytes: Option<&[u8]>) -> Result<Option<Release>> {
    let target = seen::status(of).target.as_ref();
    let (Some(bytes), Some(target)) = (bytes, target) else { return Ok(None) };
    if Digest::of(bytes) != target.release_digest {
        return Ok(None);
    }
    Ok(Some(Release::read("candidate.json", bytes)?))
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Plan {
    pdp: String,
    from: Option<Level>,
    /// The level that comes next, none if there is nothing newer.
    level: Option<Level>,
    phase: Option<TargetPhase>,
    obstacles: Vec<ObstacleStatus>,
    /// None if the level's descriptor isn't here.
    changes: Option<Vec<Change>>,
}

/// What becomes of one component.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Change {
    /// None for what is taken away.
    stage: Option<u32>,
    component: ComponentName,
    kind: ChangeKind,
    from: Option<Version>,
    to: Option<Version>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum ChangeKind {
    New,
    Changed,
    Same,
    Removed,
}

#[derive(Debug, Serialize)]
struct Version {
    version: String,
    digest: Digest,
}

impl Version {
    fn of(component: &Component) -> Self {
        Self { version: component.version.clone(), digest: component.artifact.digest() }
    }
}

fn plan(of: &UpdateSubscription, record: Option<&DecisionRecord>, candidate: Option<&Release>) -> Plan {
    let status = seen::status(of);
    let changes = candidate.map(|candidate| changes(of, record.and_then(installed), candidate));
    Plan {
        pdp: seen::id(of).to_string(),
        from: status.level,
        level: status.target.as_ref().map(|target| target.level),
        phase: status.target.as_ref().map(|target| target.phase),
        obstacles: status.obstacles.clone(),
        changes,
    }
}

/// The release that counts as installed.
pub(super) fn installed(record: &DecisionRecord) -> Option<&Release> {
    let digest = record.installed()?;
    if digest == record.target_digest() { Some(record.target()) } else { record.last_good() }
}

/// By stage and name, in the order of the start; what is taken away comes last.
fn changes(of: &UpdateSubscription, installed: Option<&Release>, next: &Release) -> Vec<Change> {
    let here = |name: &ComponentName| installed?.components.iter().find(|c| c.name == *name);
    let mut found: Vec<_> = next
        .components_for(of.spec.platform, &of.spec.leave_out)
        .into_iter()
        .map(|component| {
            let before = here(&component.name);
            let kind = match before {
                None => ChangeKind::New,
                Some(before)
                    if before.artifact == component.artifact && before.images == component.images =>
                {
                    ChangeKind::Same
                }
                Some(_) => ChangeKind::Changed,
            };
            let (from, to) = (before.map(Version::of), Some(Version::of(component)));
            Change { stage: Some(component.stage), component: component.name.clone(), kind, from, to }
        })
        .collect();
    let gone = next.removed.iter().filter_map(here);
    found.extend(gone.map(|component| Change {
        stage: None,
        component: component.name.clone(),
        kind: ChangeKind::Removed,
        from: Some(Version::of(component)),
        to: None,
    }));
    found
}

fn text(plan: &Plan, now: At) -> String {
    let (Some(level), Some(phase)) = (plan.level, plan.phase) else {
        return format!("{}: nothing would change, nothing newer is promoted", plan.pdp);
    };
    let mut lines =
        vec![format!("{}: level {} -> {level}, which {}", plan.pdp, or_dash(plan.from), words::phase(phase))];
    let obstacle = |o: &ObstacleStatus| {
        let until =
            o.next.map_or_else(String::new, |at| format!(", until {} at least", words::when(at, now)));
        format!("  ✗ {}: {}{until}", o.code, o.detail)
    };
    lines.extend(plan.obstacles.iter().map(obstacle));
    match &plan.changes {
        Some(changes) => {
            let rows: Vec<_> = changes.iter().map(row).collect();
            lines.push(table(&["STAGE", "COMPONENT", "VERSION", "DIGEST", "CHANGE"], &rows));
        }
        None => lines.push(
            "◎ its components aren't shown: the level's descriptor isn't stored in this data plane"
                .to_owned(),
        ),
    }
    lines.join("\n")
}

fn row(change: &Change) -> Vec<String> {
    let arrow = |part: fn(&Version) -> String| match (&change.from, &change.to) {
        (Some(from), Some(to)) if part(from) != part(to) => format!("{} -> {}", part(from), part(to)),
        (Some(from), None) => part(from),
        (_, to) => or_dash(to.as_ref().map(part)),
    };
    let kind = match change.kind {
        ChangeKind::New => "new",
        ChangeKind::Changed => "changed",
        ChangeKind::Same => "as before",
        ChangeKind::Removed => "taken away",
    };
    vec![
        or_dash(change.stage),
        change.component.to_string(),
        arrow(|v| v.version.clone()),
        arrow(|v| v.digest.short()),
        kind.to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::kubectl::testing::{descriptor, healthy, now, record, waiting};

    #[test]
    fn components_are_compared_when_the_candidate_is_there() {
        let bytes = descriptor(42);
        let next = candidate(&waiting(), Some(&bytes)).unwrap().unwrap();
        insta::assert_snapshot!(text(&plan(&waiting(), Some(&record("done")), Some(&next)), now()));
    }

    #[test]
    fn without_it_the_level_and_its_obstacles_are_shown() {
        insta::assert_snapshot!(text(&plan(&waiting(), None, None), now()));
        assert!(
            candidate(&waiting(), Some(&descriptor(41))).unwrap().is_none(),
            "another level's descriptor"
        );
        assert!(candidate(&waiting(), None).unwrap().is_none());
    }

    #[test]
    fn nothing_newer_changes_nothing() {
        let plan = plan(&healthy(), None, None);
        assert_eq!(text(&plan, now()), "nordbank/prod: nothing would change, nothing newer is promoted");
    }
}
