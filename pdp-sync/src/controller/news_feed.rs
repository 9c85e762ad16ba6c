//! Waiting for the channel server's news beside the passes: one long poll per subscription.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use kube::runtime::reflector::ObjectRef;
use pdp_policies::{At, Span};
use tokio::sync::mpsc::UnboundedSender;

use super::watches::Guarded;
use crate::customer::Customer;
use crate::identity::Identity;
use crate::instruct;
use crate::state::State;

/// Where news goes.
pub(super) type News = UnboundedSender<ObjectRef<Guarded>>;

/// Waits on a thread of its own until there is news, or the server's own pace says to ask again; then wakes a pass.
/// While one wait is going on, a second one isn't begun.
pub(super) fn listen(
    waiting: &Arc<AtomicBool>,
    news: &News,
    customer: Customer,
    state: State,
    identity: Identity,
    longest: Span,
    now: At,
) {
    if waiting.swap(true, Ordering::AcqRel) {
        return;
    }
    let (waiting, news) = (Arc::clone(waiting), news.clone());
    tokio::task::spawn_blocking(move || {
        instruct::wait_for_news(&customer, &state, &identity, longest, now);
        waiting.store(false, Ordering::Release);
        let object = ObjectRef::new(&customer.name).within(&customer.namespace);
        // Nobody hears it once the controller is ending.
        let _ = news.send(object);
    });
}
