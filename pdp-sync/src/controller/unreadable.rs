//! A subscription that the API server took and pdp-sync can't read: it says so itself. Nothing starts, and what runs keeps running.

use std::time::{Duration, Instant};

use kube::core::error_boundary::InvalidObject;
use kube::runtime::controller::Action;
use pdp_transport::cli::failure::{Failure, Result};

use super::context::Context;
use super::{finalizer, own_status, status};
use crate::crd::FINALIZER;
use crate::time::{Clock, jittered};

/// An edit wakes it; this is for what no edit changes, such as a newer pdp-sync.
const PAUSE: Duration = Duration::from_secs(300);

/// Writes into its status what can't be read. One that is being deleted is let go.
pub(super) fn tell(name: &str, invalid: &InvalidObject, context: &Context) -> Result<Action> {
    let started = Instant::now();
    let ours = invalid.metadata.finalizers.iter().flatten().any(|it| it == FINALIZER);
    if invalid.metadata.deletion_timestamp.is_some() {
        context.forget(name);
        return match ours {
            true => finalizer::set(&invalid.metadata, context, false).map(|()| Action::await_change()),
            false => Ok(Action::await_change()),
        };
    }
    let failure = Failure::new("BadSubscription", "the subscription can't be read")
        .cause(pdp_policies::printable(&invalid.error))
        .hint("correct what is named; nothing starts meanwhile, and what runs keeps running");
    tracing::warn!(code = failure.code, name, "{failure}");
    let before = own_status::read(name, context)?;
    let generation = invalid.metadata.generation.unwrap_or_default();
    let (now, pause) = (Clock::new().now(), jittered(PAUSE));
    let status = status::unusable(failure, generation, &before, now);
    let (of, entry) = (context.label(name), context.entry(name));
    context.signals.passed(&of, &entry.remembered, (&before, &status), started.elapsed(), (now, pause));
    own_status::write(name, context, &before, status)?;
    Ok(Action::requeue(pause))
}
