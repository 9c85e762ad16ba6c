//! `pdp-sync run`.

use std::sync::Arc;
use std::time::Duration;

use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::{Format, print};

use super::Common;
use crate::connection::Connection;
use crate::instruct;
use crate::reconcile::{self, Plane};
use crate::state::{self, State};
use crate::status::{self, Outcome, Seen, Status};
use crate::store::Store;
use crate::subscription::Subscription;
use crate::target::git::GitTarget;
use crate::time::{Clock, jittered};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    common: Common,
    /// One pass, then end.
    #[arg(long)]
    once: bool,
}

pub(crate) fn run(args: &Args, format: Format) -> Result<u8> {
    let folder = &args.common.state;
    let connection = Connection::new(&args.common.connection)?;
    let first = Subscription::read(&args.common.subscription)?;
    let mut state = State::open(folder, &first.spec.root)?;
    let mut store = Store::Folder(folder.clone());
    let (last, images) = (Arc::default(), Arc::default());
    loop {
        let clock = Clock::new();
        // Read anew each time: an edit counts from the next pass on.
        let subscription = Subscription::read(&args.common.subscription)?;
        let plane = Plane::of(&subscription, &connection, &last, &images)?;
        let outcome = match GitTarget::open(&subscription, &plane.endpoints, &state.cache("target")) {
            Ok(target) => reconcile::pass(&plane, &mut state, &target, &clock),
            Err(failure) => Outcome::default().with(Seen::Unavailable(failure)),
        };
        let before: Option<Status> = state::read(&store, "status.json").unwrap_or_default();
        let status = status::of(&subscription.pdp().to_string(), &outcome, &state, before, clock.now());
        let kept = state::write(&mut store, "status.json", &status);
        if args.once {
            print(format, &status, &status::text(&status))?;
            return kept.map(|()| outcome.exit());
        }
        if let Err(failure) = kept {
            let (code, waiting) = (&failure.code, &status.waiting_for);
            tracing::error!(code, waiting, "the status can't be kept; the next pass tries again: {failure}");
        }
        tracing::info!(level = ?status.level, target = ?status.target, conditions = ?status.conditions, "pass");
        match &outcome.next_poll {
            Some((identity, span)) => {
                instruct::wait_for_news(&plane.customer, &state, identity, *span, clock.now());
            }
            None => pause(subscription.spec.interval.seconds()),
        }
    }
}

/// The interval and up to a tenth more, so that a fleet doesn't come all at once.
fn pause(seconds: i64) {
    std::thread::sleep(jittered(Duration::from_secs(seconds.unsigned_abs().max(1))));
}
