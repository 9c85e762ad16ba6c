//! What keeps a rollout from going on: since when, why, and the command that ends it.

use pdp_policies::At;
use pdp_policies::rollout::{Cause, HaltScope, too_many};
use pdp_transport::channel_server::{HaltView, RingStatus, RolloutView};

use super::left::span;
use crate::commands::rollout::scope::words;

/// One thing that holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hold {
    /// Tells it from others, however long it stands and whoever asks to end it.
    pub(super) key: String,
    /// What, since when, why.
    pub(super) what: String,
    /// What ends it.
    pub(super) next: Next,
    /// True if it holds the rollout as a whole, not one organization alone.
    pub(super) whole: bool,
}

/// What people can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Next {
    /// Who does what.
    pub(super) words: String,
    /// With this command; empty if there is none.
    pub(super) command: String,
}

impl std::fmt::Display for Next {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.words)?;
        if self.command.is_empty() { Ok(()) } else { write!(f, ": {}", self.command) }
    }
}

impl Next {
    fn new(words: impl Into<String>, command: impl Into<String>) -> Self {
        Self { words: words.into(), command: command.into() }
    }
}

/// All of them, the widest first.
pub(super) fn holds(view: &RolloutView) -> Vec<Hold> {
    let mut holds: Vec<Hold> = braked(view).into_iter().collect();
    holds.extend(view.halts.iter().map(|halt| halted(view, halt)));
    holds.extend(view.paused.map(|at| paused(view, at)));
    holds
}

fn paused(view: &RolloutView, at: At) -> Hold {
    let why = match (&view.paused_by, &view.paused_reason) {
        (Some(by), Some(reason)) => format!(": {by}: {reason}"),
        _ => String::new(),
    };
    let what = format!("paused by people since {}{why}", ago(view, at));
    let next = Next::new("one person ends it", resume(view, " --pause"));
    Hold { key: format!("paused {at}"), what, next, whole: true }
}

fn ago(view: &RolloutView, at: At) -> String {
    format!("{at}, {} ago", span(view.now.seconds_since(at)))
}

fn resume(view: &RolloutView, scope: &str) -> String {
    format!("publisher rollout resume {} --line {}{scope} --reason \"...\"", view.level, view.line)
}

fn braked(view: &RolloutView) -> Option<Hold> {
    let code = view.braked.as_deref()?;
    let (what, next) = match code {
        "Stopped" => {
            let command = format!("publisher channel stop --line {} --release", view.line);
            (
                "the channel is stopped",
                Next::new("release managers end it, then `publisher catalog publish`", command),
            )
        }
        "Withdrawn" => ("the level is withdrawn", Next::new("nothing ends that: promote another level", "")),
        "CatalogExpired" => {
            let words = "whoever holds the role's keys ends it; of timestamp and snapshot";
            ("the catalog has expired", Next::new(words, "publisher catalog refresh"))
        }
        "Halted" if view.braked_since.is_some() => {
            let command = "publisher rollout resume-everything --reason \"...\"";
            ("everything is halted", Next::new("two people end it, each with", command))
        }
        _ => ("the server holds it", Next::new("its log says why; see docs/channel-server.md", "")),
    };
    let since = view.braked_since.map_or_else(String::new, |at| format!(" since {}", ago(view, at)));
    let why = view.braked_detail.as_ref().map_or_else(String::new, |why| format!(": {why}"));
    let what = format!("{code}: {what}{since}{why}; nothing starts");
    Some(Hold { key: code.to_owned(), what, next, whole: true })
}

fn halted(view: &RolloutView, halt: &HaltView) -> Hold {
    let HaltView { scope, at, cause, resume_asked } = halt;
    let option = match scope {
        HaltScope::Ring { ring } => format!(" --ring {ring}"),
        HaltScope::Organization { organization } => format!(" --organization {organization}"),
        HaltScope::Rollout {} => " --rollout".to_owned(),
    };
    let people = match resume_asked {
        Some(by) => format!("{by} asked to end it, a second person ends it"),
        None => "two people end it, each with".to_owned(),
    };
    Hold {
        key: format!("{} {at}", words(scope)),
        what: format!("{} halted since {}: {}", words(scope), ago(view, *at), why(cause)),
        next: Next::new(people, resume(view, &option)),
        whole: !matches!(scope, HaltScope::Organization { .. }),
    }
}

fn why(cause: &Cause) -> String {
    match cause {
        Cause::FailureBudget { failures, eligible, budget, chance } => {
            too_many(*failures, *eligible, *budget, *chance)
        }
        Cause::OrganizationFailures { ring, failures, allowed } => {
            format!("{failures} of its data planes failed in ring `{ring}`, {allowed} may")
        }
        Cause::Organizations { halted } => format!("{halted} organizations were halted by their failures"),
        Cause::Person { by, reason } => format!("{by}: {reason}"),
    }
}

/// True once every ring has passed.
pub(super) fn has_passed(view: &RolloutView) -> bool {
    view.rings.iter().all(|ring| ring.status == RingStatus::Passed)
}
