//! `publisher channel move`: the successor of an address.

use pdp_policies::moves::{Address, LEAST_KEPT, Move, MoveKind};
use pdp_policies::{At, Channel, Line, Span};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::cli::output::{self, Format};

use crate::catalog::{ChangeArgs, Current, Other};
use crate::keys::KeyArgs;

/// So long the old address is kept unless another time is named: two years.
const KEPT: Span = Span::from_seconds(730 * 86_400);

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The release line.
    #[arg(long)]
    line: Line,
    /// What moves: `catalog` (Git or OCI, ring state too), `artifacts` (a registry or a path in it) or `server`.
    #[arg(long)]
    kind: MoveKind,
    /// The old address, as subscriptions name it.
    #[arg(long, value_name = "ADDRESS", required_unless_present = "drop", requires = "to")]
    from: Option<Address>,
    /// The new address.
    #[arg(long, value_name = "ADDRESS", requires = "from")]
    to: Option<Address>,
    /// Until when the old address is kept (UTC), 30 days from now at least; two years if it isn't given.
    #[arg(long, value_name = "TIME", requires = "from")]
    until: Option<At>,
    /// Take back the move from this address: data planes that name it go back there.
    #[arg(long, value_name = "ADDRESS", conflicts_with_all = ["from", "to", "until"])]
    drop: Option<Address>,
    #[command(flatten)]
    catalog: ChangeArgs,
    #[command(flatten)]
    keys: KeyArgs,
}

pub(crate) fn run(args: &Args, format: Format, now: At) -> Result<u8> {
    let keys = args.keys.unlock()?;
    let current = Current::fetch(&args.catalog, now)?;
    let mut channel = super::current(&current, &args.line)?;
    let what = match (&args.drop, &args.from, &args.to) {
        (Some(from), ..) => drop_move(&mut channel, args.kind, from)?,
        (None, Some(from), Some(to)) => add(&mut channel, args, from, to, now)?,
        _ => return Err(Failure::new("BadMove", "name --from and --to, or --drop")),
    };
    let proposed = super::propose(&current, &args.catalog, &channel, Other::Stays, &keys, now)?;
    output::print(format, &channel.moves, &format!("✔ {what}: {proposed}"))?;
    Ok(exit::DONE)
}

fn add(channel: &mut Channel, args: &Args, from: &Address, to: &Address, now: At) -> Result<String> {
    let kind = args.kind;
    if let Some(there) = channel.moves.iter().find(|one| (one.kind, &one.from) == (kind, from)) {
        return Err(Failure::new("BadMove", format!("the {kind} moves from {from} to {} already", there.to))
            .hint(format!("add a move from {}, or take this one back with --drop {from} first", there.to)));
    }
    let until = args.until.unwrap_or_else(|| now.plus(KEPT));
    if until < now.plus(LEAST_KEPT) {
        return Err(Failure::new("BadMove", format!("the old address would be kept until {until} only"))
            .cause(format!(
                "it is kept for {LEAST_KEPT} at least: so long it takes to put a wrong move right"
            ))
            .hint("leave out --until, or name a later time; customers need months"));
    }
    channel.moves.push(Move { kind, from: from.clone(), to: to.clone(), since: now, until });
    Ok(format!("the {kind} moves from {from} to {to}, the old address is kept until {until}"))
}

fn drop_move(channel: &mut Channel, kind: MoveKind, from: &Address) -> Result<String> {
    let before = channel.moves.len();
    channel.moves.retain(|one| (one.kind, &one.from) != (kind, from));
    if channel.moves.len() == before {
        return Err(Failure::new("NotFound", format!("the {kind} doesn't move from {from}"))
            .hint("`publisher channel show` lists the moves")
            .exit(exit::NOT_FOUND));
    }
    Ok(format!("the move of the {kind} from {from} is taken back"))
}
