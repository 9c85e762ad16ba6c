//! `pdp-sync plan`: what the next pass would write.

use std::sync::Arc;

use pdp_policies::decision::{DecisionRecord, Evidence, PolicyMark};
use pdp_policies::gate::{Verdict, WindowWords};
use pdp_policies::{At, Digest, Obstacle, document};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Failure, Result, internal};
use pdp_transport::cli::output::{Format, print, say};
use serde_json::json;

use super::Common;
use crate::connection::Connection;
use crate::fetch::{self, Fetched, Judgement};
use crate::instruct;
use crate::moving;
use crate::others;
use crate::reconcile::{self, Plane};
use crate::state::State;
use crate::subscription::Subscription;
use crate::target::git::{self, GitTarget};
use crate::target::git_apply;
use crate::time::Clock;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    common: Common,
}

pub(crate) fn run(args: &Args, format: Format) -> Result<u8> {
    let clock = Clock::new();
    let (subscription, state, plane) = peek(&args.common)?;
    refuse_ineffective(subscription.spec.policy.ineffective(state.policy.as_ref(), clock.now()))?;
    let fetched = known(&plane, &state, clock.now())?;
    refuse_ineffective(reconcile::ineffective(&plane.customer, &fetched.catalog, &state, clock.now()))?;
    let target = GitTarget::open(&subscription, &plane.endpoints, &state.cache("plan-target"))?;
    let found = reconcile::found(&plane.customer, &state, &target)?;
    let verdict = reconcile::decide(&plane.customer, &fetched, &state, &found, clock.now())?;
    let windows = subscription.spec.policy.windows_in_words(clock.now());
    for lint in subscription.spec.policy.lints(clock.now()) {
        say(&format!("◎ {lint}"));
    }
    let permit = match verdict {
        Verdict::Proceed(permit) => permit,
        Verdict::UpToDate => return nothing(format, "up to date", &found.obstacles, &windows),
        Verdict::WaitUntil(_, waiting)
        | Verdict::NeedsGrant(waiting)
        | Verdict::NeedsApproval(waiting)
        | Verdict::Held(waiting) => {
            let why = format!("level {} waits", waiting.level);
            return nothing(format, &why, &waiting.obstacles, &windows);
        }
    };
    let digest = Digest::of(&document::write(&subscription.spec.policy).map_err(internal)?);
    let evidence = Evidence {
        catalog: fetched.catalog.versions(),
        inputs: moving::inputs(
            &plane.endpoints,
            &plane.customer,
            &state,
            &permit.descriptor().release,
            clock.now(),
        ),
        policy: PolicyMark { digest, changed_by: None, loosened: false, changes: vec![] },
        now: clock.now(),
    };
    let record = DecisionRecord::begin(*permit, state.record.as_ref(), evidence);
    let head = target.head()?;
    let ours = git_apply::all_files(target.place, &record);
    let foreign = target.foreign(&head, &ours, &state);
    if !foreign.is_empty() {
        return nothing(format, &format!("level {} would wait", record.target().level), &foreign, &windows);
    }
    let wanted = ours.into_iter().map(|(path, content)| (path, Some(content)));
    let changes = git::changes(&head.files, &wanted.collect(), target.place);
    let paths: Vec<_> = changes.iter().map(|change| change.path.as_str()).collect();
    let level = record.target().level;
    let text = format!("level {level} would be written:\n  {}{}", paths.join("\n  "), lines(&windows));
    print(format, &json!({ "level": level, "files": paths, "windows": windows }), &text)?;
    Ok(if paths.is_empty() { exit::DONE } else { exit::NEGATIVE })
}

/// The data plane of a file, and its state beside the process that holds it; nobody is asked yet.
pub(super) fn peek(common: &Common) -> Result<(Subscription, State, Plane)> {
    let subscription = Subscription::read(&common.subscription)?;
    let state = State::peek(&common.state, &subscription.spec.root)?;
    let connection = Connection::new(&common.connection)?;
    let plane = Plane::of(&subscription, &connection, &Arc::default(), &Arc::default())?;
    Ok((subscription, state, plane))
}

/// A policy that protects nothing, or can never be met, is refused before anybody relies on it.
fn refuse_ineffective(problems: Vec<String>) -> Result<()> {
    if problems.is_empty() {
        return Ok(());
    }
    let problems: Vec<_> = problems.into_iter().map(|problem| format!("spec.policy.{problem}")).collect();
    Err(Failure::new("PolicyIneffective", "the policy doesn't do what it says, so nothing would start")
        .cause(problems.join("\n         "))
        .hint("put right what is named; see docs/formats.md, subscription")
        .exit(exit::NEGATIVE))
}

/// The catalog as it is now, and what was heard before: a plan asks nobody for leave.
pub(super) fn known(plane: &Plane, state: &State, now: At) -> Result<Fetched> {
    let cache = state.cache("plan-catalog");
    let catalog = match fetch::catalog(&plane.endpoints, state, &cache, &plane.last, now).judgement {
        Judgement::Trusted(catalog, _) => catalog,
        Judgement::Refused { refusal, .. } => return Err(Failure::from(refusal).exit(exit::NEGATIVE)),
        Judgement::Unavailable(failure) => return Err(failure),
    };
    let heard = instruct::known(&plane.customer, &plane.approvals(), state, &catalog, now);
    let identity = heard.identity.as_ref();
    let (others, _) = others::heard(&plane.customer, &plane.reports_of, identity, &state.others, now)?;
    Ok(Fetched { catalog, heard: Box::new(heard), others })
}

fn nothing(format: Format, why: &str, obstacles: &[Obstacle], windows: &[WindowWords]) -> Result<u8> {
    let told: Vec<_> = obstacles.iter().map(ToString::to_string).collect();
    let why = if told.is_empty() { why.to_owned() } else { format!("{why}: {}", told.join("; ")) };
    print(
        format,
        &json!({ "level": null, "files": [], "why": why, "obstacles": obstacles, "windows": windows }),
        &format!("nothing would be written: {why}{}", lines(windows)),
    )?;
    Ok(exit::DONE)
}

/// Windows in words, a line each and one for each of the next beginnings.
fn lines(windows: &[WindowWords]) -> String {
    windows.iter().map(|window| format!("\n{window}")).collect()
}
