//! A catalog that moved while something was proposed on it: the proposal is outdated before anybody signs it.

use pdp_policies::At;
use pdp_policies::trust::Role;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::say;

use super::BRANCH;
use super::again::change_on_top;
use super::current::{ChangeArgs, Current};
use super::proposal::{Proposed, with_targets};
use super::role::{RoleFile, Targets};

/// A change on the catalog as it is by now.
pub(super) struct OnTop {
    pub(super) current: Current,
    pub(super) next: RoleFile,
    pub(super) targets: Targets,
}

/// What was proposed as `next`, on top of what somebody published since `current` was fetched, and its outdated branch is
/// taken away. None if nobody did, or if that says the same.
///
/// # Errors
/// `ProposalOvertaken` if both change the same value.
pub(super) fn on_top(
    current: &Current,
    args: &ChangeArgs,
    proposed: &Proposed,
    next: &RoleFile,
    targets: &Targets,
    now: At,
) -> Result<Option<OnTop>> {
    let newer = match args.dry.is_on() {
        true => Ok(None),
        false => newer(current, args, next.role, now),
    };
    // The proposal is made: that nobody can be asked is no failure of it.
    let newer = newer.unwrap_or_else(|failure| {
        say(&format!("◎ it wasn't looked whether somebody published meanwhile: {}", failure.code));
        None
    });
    let Some(newer) = newer else { return Ok(None) };
    let tree = with_targets(&current.tree, targets)?;
    let targets = change_on_top(&proposed.branch, &current.tree, (next, &tree), &newer.tree)?;
    take_away(current, args, proposed);
    if targets.is_empty() {
        say(&format!("◎ what is published by now says what `{}` proposed", proposed.branch));
        return Ok(None);
    }
    let next = RoleFile::read(&newer.tree, next.role)?.next(&targets, now);
    say(&format!("◎ somebody published `{}` in the same moment: proposed again on top of it", next.role));
    Ok(Some(OnTop { current: newer, next, targets }))
}

/// The catalog as it is by now, if a next version of the role was published since `current` was fetched.
fn newer(current: &Current, args: &ChangeArgs, role: Role, now: At) -> Result<Option<Current>> {
    let heads = current.remote.branches(BRANCH)?;
    if heads.iter().any(|(branch, commit)| branch == BRANCH && *commit == current.commit) {
        return Ok(None);
    }
    let newer = Current::fetch(args, now)?;
    let version = |of: &Current| RoleFile::read(&of.tree, role).map(|file| file.version());
    Ok((version(&newer)? > version(current)?).then_some(newer))
}

/// Whoever published may have taken it away, or proposed it again without its signatures: both is as good.
fn take_away(current: &Current, args: &ChangeArgs, proposed: &Proposed) {
    if let Err(failure) = args.push(&current.remote, &proposed.branch, Some(proposed.commit), None)
        && failure.code != "BranchMoved"
    {
        say(&format!("◎ `{}` is outdated, and stays there: {}", proposed.branch, failure.code));
    }
}
