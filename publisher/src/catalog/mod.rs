//! The catalog in Git: read it, propose a change to a role, merge proposals, publish.

mod afterwards;
mod again;
mod brake;
mod changes;
mod channel_words;
mod clock;
mod current;
mod endings;
pub(crate) mod holder_change;
mod holder_words;
mod holders;
mod key_words;
mod laid;
mod level_words;
mod meanwhile;
mod merge;
pub(crate) mod offices;
mod proposal;
mod pruned;
mod publish;
mod releases;
pub(crate) mod role;
mod three_way;
mod words;

pub(crate) use afterwards::{Afterwards, afterwards};
pub(crate) use again::Again;
pub(crate) use current::{AskedCatalogArgs, CatalogArgs, ChangeArgs, Current, judge};
pub(crate) use endings::{Ending, endings, tell};
pub(crate) use holder_words::of_holders;
pub(crate) use holders::Holders;
pub(crate) use laid::{Laid, laid_next};
pub(crate) use merge::{Pending, lacking, leave_out, pending};
pub(crate) use pdp_transport::cli::root::read as read_root;
pub(crate) use proposal::{Other, Proposal, Proposed, check_no_other, propose, propose_next};
pub(crate) use pruned::{drop_unlisted, level_of, targets};
pub(crate) use publish::{Online, ReadBack, first_push, push, read_back};
pub(crate) use releases::{published, published_level, published_of};

/// The branch that PDPs follow; `catalog publish` is its only writer.
pub(crate) use pdp_transport::catalog::CATALOG_BRANCH as BRANCH;
/// Where people's proposals lie until they are merged.
pub(crate) const PROPOSALS: &str = "proposals/";
