//! `pdp-sync plan`: what the next pass would write.

use std::sync::Arc;

use pdp_policies::decision::{DecisionRecord, Evidence, PolicyMark};
use pdp_policies::gate::Verdict;
use pdp_policies::{At, Digest, document};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Failure, Result, internal};
use pdp_transport::cli::output::{Format, print};
use serde_json::json;

use super::Common;
use crate::connection::Connection;
use crate::fetch::{self, Fetched, Judgement};
use crate::instruct;
use crate::moving;
use crate::reconcile::{self, Plane};
use crate::state::State;
use crate::subscription::Subscription;
use crate::target::Found;
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
    let subscription = Subscription::read(&args.common.subscription, clock.now())?;
    let state = State::peek(&args.common.state, &subscription.spec.root)?;
    subscription.refuse_pin_that_is_over(state.policy.as_ref(), clock.now())?;
    let connection = Connection::new(&args.common.connection)?;
    let plane = Plane::of(&subscription, &connection, &Arc::default(), &Arc::default())?;
    let fetched = known(&plane, &state, clock.now())?;
    let verdict = reconcile::decide(&plane.customer, &fetched, &state, &Found::default(), clock.now())?;
    let permit = match verdict {
        Verdict::Proceed(permit) => permit,
        Verdict::UpToDate => return nothing(format, "up to date"),
        Verdict::WaitUntil(_, waiting)
        | Verdict::NeedsGrant(waiting)
        | Verdict::NeedsApproval(waiting)
        | Verdict::Held(waiting) => {
            let why: Vec<_> = waiting.obstacles.iter().map(ToString::to_string).collect();
            return nothing(format, &format!("level {} waits: {}", waiting.level, why.join("; ")));
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
    let made = GitTarget::open(&subscription, &plane.endpoints, &state.cache("plan-target"))?;
    let wanted =
        git_apply::all_files(made.place, &record).into_iter().map(|(path, content)| (path, Some(content)));
    let changes = git::changes(&made.head()?.files, &wanted.collect(), made.place);
    let paths: Vec<_> = changes.iter().map(|change| change.path.as_str()).collect();
    let text = format!("level {} would be written:\n  {}", record.target().level, paths.join("\n  "));
    print(format, &json!({ "level": record.target().level, "files": paths }), &text)?;
    Ok(if paths.is_empty() { exit::DONE } else { exit::NEGATIVE })
}

/// The catalog as it is now, and what was heard before: a plan asks nobody for leave.
fn known(plane: &Plane, state: &State, now: At) -> Result<Fetched> {
    let cache = state.cache("plan-catalog");
    let catalog = match fetch::catalog(&plane.endpoints, state, &cache, &plane.last, now).judgement {
        Judgement::Trusted(catalog, _) => catalog,
        Judgement::Refused { refusal, .. } => return Err(Failure::from(refusal).exit(exit::NEGATIVE)),
        Judgement::Unavailable(failure) => return Err(failure),
    };
    let heard = instruct::known(&plane.customer, &plane.approvals(), state, &catalog, now);
    Ok(Fetched { catalog, heard: Box::new(heard) })
}

fn nothing(format: Format, why: &str) -> Result<u8> {
    print(
        format,
        &json!({ "level": null, "files": [], "why": why }),
        &format!("nothing would be written: {why}"),
    )?;
    Ok(exit::DONE)
}
