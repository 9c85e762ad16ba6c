//! The catalog in Git: read it, propose a change to a role, merge proposals, publish.

mod changes;
mod clock;
mod current;
mod endings;
mod holders;
mod merge;
mod proposal;
mod pruned;
mod publish;
pub(crate) mod role;
mod words;

pub(crate) use current::{CatalogArgs, Current, judge};
pub(crate) use endings::{Ending, endings, tell};
pub(crate) use holders::Holders;
pub(crate) use merge::{Pending, leave_out, pending};
pub(crate) use pdp_transport::cli::root::read as read_root;
pub(crate) use proposal::{Other, Proposal, Proposed, propose};
pub(crate) use pruned::{drop_unlisted, level_of, targets};
pub(crate) use publish::{Online, first_push, push};

/// The branch that PDPs follow; `catalog publish` is its only writer.
pub(crate) use pdp_transport::catalog::CATALOG_BRANCH as BRANCH;
/// Where people's proposals lie until they are merged.
pub(crate) const PROPOSALS: &str = "proposals/";
