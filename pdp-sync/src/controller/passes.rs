//! Passes run one after the other on the thread that drives all waiting: a request and its answer wake no other
//! thread, and whatever watches, serves figures or answers the kubelet goes on while a pass waits.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use kube::ResourceExt;
use kube::runtime::controller::Action;
use pdp_transport::block_on;
use pdp_transport::cli::failure::{Result, internal};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::sync::oneshot;

use super::watches::Guarded;

/// A subscription that something woke, and who waits for what came of it.
#[derive(Debug)]
pub(super) struct Due {
    name: String,
    ended: oneshot::Sender<Result<Action>>,
}

/// Called by the runtime whenever something woke a subscription.
pub(super) async fn request(object: Arc<Guarded>, due: Arc<UnboundedSender<Due>>) -> Result<Action> {
    let (ended, end) = oneshot::channel();
    due.send(Due { name: object.name_any(), ended }).map_err(internal)?;
    end.await.map_err(internal)?
}

/// Makes every pass that is asked for, until nobody is left to ask.
///
/// # Errors
/// If nothing can be waited for.
pub(super) fn run(mut due: UnboundedReceiver<Due>, pass: impl Fn(&str) -> Result<Action>) -> Result<()> {
    while let Some(Due { name, ended }) = block_on(due.recv())? {
        // A fault of ours in one pass must not silence figures and health: it is told like any other failure.
        let outcome = catch_unwind(AssertUnwindSafe(|| pass(&name)));
        let outcome = outcome.unwrap_or_else(|_| Err(internal("the pass broke off; the log says where")));
        // The runtime may be ending and listen no more.
        let _ = ended.send(outcome);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    #[test]
    fn a_pass_that_panics_is_a_failure_and_the_next_one_runs() {
        let (requests, due) = tokio::sync::mpsc::unbounded_channel();
        let ask = |name: &str| {
            let (ended, end) = oneshot::channel();
            requests.send(Due { name: name.to_owned(), ended }).unwrap();
            end
        };
        let (mut bad, mut good) = (ask("bad"), ask("good"));
        drop(requests);
        let pass = |name: &str| match name {
            "good" => Ok(Action::await_change()),
            _ => panic!("a fault of ours"),
        };
        run(due, pass).unwrap();
        assert_eq!(bad.try_recv().unwrap().unwrap_err().code, internal("").code);
        assert!(good.try_recv().unwrap().is_ok());
    }
}
