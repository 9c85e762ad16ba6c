//! `flux reconcile` for subscriptions: which request is answered, and whether it may go beyond the usual.

use std::collections::BTreeMap;

use crate::crd::{FORCE_AT, REQUESTED_AT, UpdateSubscriptionStatus};

/// The answer to the requests in the annotations of a subscription.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Handled {
    /// Goes into `status.lastHandledReconcileAt` once the pass is over.
    pub(crate) reconcile_at: Option<String>,
    /// Goes into `status.lastHandledForceAt` once the pass is over.
    pub(crate) force_at: Option<String>,
    /// A person asks for this pass.
    pub(crate) requested: bool,
    /// A person asks for this pass to go beyond the usual: both tokens are equal and neither was answered before.
    pub(crate) forced: bool,
}

/// Reads the requests. Tokens are opaque: any other text than the last one is new. Write the answer only with the
/// status of the pass that heard them, or a request is lost.
pub(crate) fn handled(annotations: &BTreeMap<String, String>, before: &UpdateSubscriptionStatus) -> Handled {
    let (requested, force) = (annotations.get(REQUESTED_AT), annotations.get(FORCE_AT));
    let (last, last_force) =
        (before.last_handled_reconcile_at.as_ref(), before.last_handled_force_at.as_ref());
    let new = requested.is_some() && requested != last;
    Handled {
        reconcile_at: requested.or(last).cloned(),
        force_at: force.or(last_force).cloned(),
        requested: new,
        forced: new && force == requested && force != last_force,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn judge(
        requested: Option<&str>,
        force: Option<&str>,
        last: Option<&str>,
        last_force: Option<&str>,
    ) -> Handled {
        let named = [(REQUESTED_AT, requested), (FORCE_AT, force)];
        let annotations =
            named.iter().filter_map(|(key, token)| Some(((*key).to_owned(), (*token)?.to_owned())));
        let before = UpdateSubscriptionStatus {
            last_handled_reconcile_at: last.map(str::to_owned),
            last_handled_force_at: last_force.map(str::to_owned),
            ..UpdateSubscriptionStatus::default()
        };
        handled(&annotations.collect(), &before)
    }

    #[test]
    fn a_force_counts_once_and_only_with_an_equal_new_request() {
        let forced = |r, f, l, lf| judge(r, f, l, lf).forced;
        assert!(forced(Some("2"), Some("2"), None, None));
        assert!(forced(Some("2"), Some("2"), Some("1"), Some("1")));
        assert!(!forced(Some("2"), Some("2"), Some("2"), Some("2")), "answered before");
        assert!(!forced(Some("3"), Some("2"), Some("1"), None), "another request");
        assert!(!forced(None, Some("2"), None, None), "no request");
        assert!(!forced(Some("2"), None, None, None), "no force");
        assert!(!forced(Some("2"), Some("2"), Some("2"), None), "the request was answered without the force");
        assert!(!forced(Some("2"), Some("2"), Some("1"), Some("2")), "the force was answered");
    }

    #[test]
    fn what_was_answered_stays_when_the_annotations_go() {
        let after = judge(None, None, Some("1"), Some("0"));
        assert_eq!((after.reconcile_at.as_deref(), after.force_at.as_deref()), (Some("1"), Some("0")));
        assert!(!after.requested);
    }

    fn token() -> impl Strategy<Value = Option<String>> {
        prop::option::of("[12]")
    }

    proptest! {
        #[test]
        fn once_answered_nothing_is_asked_any_more(r in token(), f in token(), l in token(), lf in token()) {
            let first = judge(r.as_deref(), f.as_deref(), l.as_deref(), lf.as_deref());
            let again = judge(r.as_deref(), f.as_deref(), first.reconcile_at.as_deref(), first.force_at.as_deref());
            prop_assert!(!again.requested && !again.forced);
            prop_assert_eq!((again.reconcile_at, again.force_at), (first.reconcile_at, first.force_at));
        }
    }
}
