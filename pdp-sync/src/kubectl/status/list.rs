//! Several data planes, one line each.

use kube::ResourceExt;
use pdp_policies::At;

use crate::crd::{ConditionType, UpdateSubscription};
use crate::kubectl::table::{or_dash, table};
use crate::kubectl::{seen, words};

/// The table.
pub(super) fn text(all: &[UpdateSubscription], now: At) -> String {
    if all.is_empty() {
        return "no UpdateSubscription".to_owned();
    }
    let rows: Vec<_> = all.iter().map(|one| row(one, now)).collect();
    table(&["NAMESPACE", "NAME", "LEVEL", "TARGET", "READY", "BLOCKED", "NEXT"], &rows)
}

fn row(of: &UpdateSubscription, now: At) -> Vec<String> {
    let status = seen::status(of);
    let suspended = of.spec.suspend.then(|| "Suspended".to_owned());
    let blocked = seen::condition(of, ConditionType::Blocked).map(|c| c.reason.clone());
    vec![
        of.namespace().unwrap_or_default(),
        of.name_any(),
        or_dash(status.level),
        or_dash(status.target.as_ref().map(|target| target.level)),
        seen::condition_word(of, ConditionType::Ready).to_owned(),
        or_dash(suspended.or(blocked)),
        or_dash(status.next_action.as_ref().map(|next| words::when(next.at, now))),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubectl::testing::{healthy, now, suspended, waiting};

    #[test]
    fn one_line_each() {
        insta::assert_snapshot!(text(&[healthy(), waiting(), suspended()], now()));
        assert_eq!(text(&[], now()), "no UpdateSubscription");
    }
}
