//! What the next night needs, looked at beforehand. Each check is a value; a failure of one is its answer. Pure.

mod hosts;
mod roles;

use pdp_transport::cli::exit;
use pdp_transport::cli::failure::Failure;
use serde::Serialize;

pub(crate) use hosts::{clock, space};
pub(crate) use roles::{Named, roles};

/// One thing that was looked at, or couldn't be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Check {
    /// Such as `role channels`, `registry registry.example`.
    pub(crate) subject: String,
    pub(crate) state: State,
    /// What was found, or why nothing was.
    pub(crate) says: String,
    /// What to do; none where nothing is.
    pub(crate) next: Option<String>,
}

/// What a check means for the next release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum State {
    /// Nobody said where it is, or it can't be told.
    NotLookedAt,
    Good,
    /// It works now, and soon won't.
    Soon,
    /// A release would fail on it.
    Bad,
}

impl Check {
    pub(crate) fn good(subject: impl Into<String>, says: impl Into<String>) -> Self {
        Self { subject: subject.into(), state: State::Good, says: says.into(), next: None }
    }

    pub(crate) fn not_looked_at(subject: impl Into<String>, why: impl Into<String>) -> Self {
        Self { state: State::NotLookedAt, ..Self::good(subject, why) }
    }

    pub(crate) fn bad(subject: impl Into<String>, says: impl Into<String>, next: &str) -> Self {
        Self { subject: subject.into(), state: State::Bad, says: says.into(), next: Some(next.to_owned()) }
    }

    /// What a request, or a program, ended with.
    pub(crate) fn failed(subject: impl Into<String>, failure: &Failure) -> Self {
        let cause = failure.cause.as_ref().map(|cause| format!(": {cause}")).unwrap_or_default();
        let says = format!("{}: {}{cause}", failure.code, failure.what);
        Self { subject: subject.into(), state: State::Bad, says, next: failure.hint.clone() }
    }
}

impl std::fmt::Display for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (sign, not) = match self.state {
            State::NotLookedAt => ("–", "not looked at: "),
            State::Good => ("✔", ""),
            State::Soon => ("◎", ""),
            State::Bad => ("✗", ""),
        };
        let says = pdp_policies::printable_lines(&self.says);
        write!(f, "{sign} {}: {not}{says}", pdp_policies::printable(&self.subject))?;
        self.next.as_ref().map_or(Ok(()), |next| write!(f, "\n    {}", pdp_policies::printable(next)))
    }
}

/// The worst answer decides: what is bad now, then what soon is.
pub(crate) fn verdict(checks: &[Check]) -> u8 {
    match checks.iter().map(|check| check.state).max() {
        Some(State::Bad) => exit::NEGATIVE,
        Some(State::Soon) => exit::ROLE_ENDS,
        Some(State::Good | State::NotLookedAt) | None => exit::DONE,
    }
}

/// The last line for people: nobody takes what wasn't looked at for good.
pub(crate) fn ending(checks: &[Check]) -> String {
    let of = |state| checks.iter().filter(move |check| check.state == state);
    let found = match (of(State::Bad).count(), of(State::Soon).count()) {
        (0, 0) => "✔ all that was looked at is good".to_owned(),
        (0, soon) => format!("◎ nothing stops a release now; {soon} soon would"),
        (bad, _) => format!("✗ {bad} would stop a release"),
    };
    let unseen: Vec<_> =
        of(State::NotLookedAt).map(|check| pdp_policies::printable(&check.subject)).collect();
    match unseen.is_empty() {
        true => found,
        false => format!("{found}; not looked at: {}", unseen.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_answer_decides() {
        let check = |state| Check { state, ..Check::good("a", "b") };
        for (states, code) in [
            (&[][..], exit::DONE),
            (&[State::Good], exit::DONE),
            (&[State::NotLookedAt], exit::DONE),
            (&[State::NotLookedAt, State::Soon], exit::ROLE_ENDS),
            (&[State::Soon, State::Good], exit::ROLE_ENDS),
            (&[State::Good, State::Bad, State::Soon], exit::NEGATIVE),
        ] {
            let all: Vec<_> = states.iter().copied().map(check).collect();
            assert_eq!(verdict(&all), code, "{states:?}");
        }
    }

    #[test]
    fn the_last_line_names_what_was_not_looked_at() {
        let (good, unseen) = (Check::good("a", "b"), Check::not_looked_at("channel server", "no --server"));
        assert_eq!(ending(std::slice::from_ref(&good)), "✔ all that was looked at is good");
        let both = [good, unseen, Check::not_looked_at("keys", "no --key")];
        assert_eq!(ending(&both), "✔ all that was looked at is good; not looked at: channel server, keys");
        assert_eq!(both[1].to_string(), "– channel server: not looked at: no --server");
        assert_eq!(ending(&[Check::bad("a", "b", "c")]), "✗ 1 would stop a release");
        assert_eq!(serde_json::json!(both[1])["state"], "notLookedAt");
    }
}
