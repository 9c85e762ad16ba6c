//! `publisher release prune`: the descriptors of pruned levels leave the catalog. Its Git history keeps them.

use pdp_policies::trust::Role;
use pdp_policies::{At, Level, Line};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::{self, Format};

use crate::catalog::role::{RoleFile, Targets};
use crate::catalog::{ChangeArgs, Current, Other, level_of, propose, targets};
use crate::commands::channel;
use crate::keys::KeyArgs;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The release line.
    #[arg(long)]
    line: Line,
    #[command(flatten)]
    catalog: ChangeArgs,
    #[command(flatten)]
    keys: KeyArgs,
}

/// As the open proposal of `publisher channel prune` has the channel, if there is one: both can be published together,
/// and `publisher catalog publish` never publishes this one first.
pub(crate) fn run(args: &Args, format: Format, now: At) -> Result<u8> {
    let keys = args.keys.unlock()?;
    let current = Current::fetch(&args.catalog, now)?;
    let open = channel::proposed(&current).into_iter().filter(|open| open.line == args.line);
    let open = open.max_by_key(|open| open.pruned_through);
    let channel = open.map_or_else(|| channel::current(&current, &args.line), Ok)?;
    let listed = targets(&RoleFile::read(&current.tree, Role::Releases)?);
    let pruned = |name: &String| level_of(&channel, name).filter(|level| channel.may_be_pruned(*level));
    let gone: Vec<(Level, String)> =
        listed.into_iter().filter_map(|name| Some((pruned(&name)?, name))).collect();
    let levels: Vec<_> = gone.iter().map(|(level, _)| *level).collect();
    if gone.is_empty() {
        let text = "✔ every descriptor is of a level that its channel names, or never named";
        output::print(format, &levels, text)?;
        return Ok(exit::DONE);
    }
    let change: Targets = gone.into_iter().map(|(_, name)| (name, None)).collect();
    let proposed = propose(&current, &args.catalog, Role::Releases, &change, Other::Stays, &keys, now)?;
    let text = format!("✔ {} descriptors of `{}` leave the catalog: {proposed}", levels.len(), args.line);
    output::print(format, &levels, &text)?;
    Ok(exit::DONE)
}
