//! `publisher channel prune`: levels that nobody can need leave their channel. Their descriptors follow with
//! `publisher release prune`.

use std::collections::BTreeSet;

use pdp_policies::rollout::Phase;
use pdp_policies::trust::carried;
use pdp_policies::{At, Keep, Kept, Level, Line, Pruning, prune};
use pdp_transport::channel_server::{InstalledView, Page, RolloutView};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::{self, Format};

use crate::catalog::{ChangeArgs, Current, Other};
use crate::commands::blocking;
use crate::commands::release::promote;
use crate::keys::AskedKeyArgs;
use crate::server::AskedServerArgs;

/// Levels that were promoted later than so many days ago stay.
const DAYS: u32 = 400;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The release line.
    #[arg(long)]
    line: Line,
    /// So many of the newest levels stay.
    #[arg(long, value_name = "LEVELS", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..))]
    keep: u16,
    /// Levels that were promoted later than so many days ago stay (default: 400).
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(..=20_000))]
    older_than: Option<u32>,
    /// Don't ask the channel server what is installed where: what data planes run can go.
    #[arg(long, requires = "older_than")]
    without_server: bool,
    /// Only show what would go, and why each other level stays; nothing is proposed.
    #[arg(long)]
    show: bool,
    #[command(flatten)]
    server: AskedServerArgs,
    #[command(flatten)]
    catalog: ChangeArgs,
    #[command(flatten)]
    keys: AskedKeyArgs,
}

/// What the channel server knows.
#[derive(Debug, Default)]
struct Asked {
    installed: Vec<InstalledView>,
    rollouts: Vec<RolloutView>,
}

pub(crate) async fn run(args: Args, format: Format, now: At) -> Result<u8> {
    let asked = ask(&args).await?;
    blocking(move || decide(&args, &asked, format, now)).await
}

async fn ask(args: &Args) -> Result<Asked> {
    if args.without_server {
        return Ok(Asked::default());
    }
    let hint = "name the channel server with `--server`; or `--without-server` with `--older-than`";
    let desk = args.server.needed(&args.catalog.git.connection.http()?, hint)?;
    let installed = desk.installed().await?;
    let rollouts: Page<RolloutView> = desk.get("v1/rollouts").await?;
    Ok(Asked { installed, rollouts: rollouts.items })
}

fn decide(args: &Args, asked: &Asked, format: Format, now: At) -> Result<u8> {
    let keys = if args.show { Vec::new() } else { args.keys.unlock()? };
    let current = Current::fetch(&args.catalog, now)?;
    let channel = super::current(&current, &args.line)?;
    let needs = promote::needs(&current, &channel)?;
    let days = args.older_than.unwrap_or(DAYS);
    let keep = Keep {
        newest: args.keep.into(),
        promoted_since: At::from_unix(now.unix() - 86_400 * i64::from(days)),
        reported: &promote::reported(&current, &args.line, &asked.installed).collect(),
        ceilings: &ceilings(&args.line, &asked.rollouts),
        carried: &carried(&current.catalog, &args.line),
    };
    let pruning = prune(&channel, keep, |level| needs.get(&level).copied());
    if args.show || pruning.gone.is_empty() {
        output::print(format, &pruning, &shown(&pruning))?;
        return Ok(exit::DONE);
    }
    let channel = channel.without(&pruning.gone);
    let proposed = super::propose(&current, &args.catalog, &channel, Other::Stays, &keys, now)?;
    let text = format!(
        "✔ {} levels of `{}` leave the channel, {} stay: {proposed}\n  `publisher release prune` takes their descriptors \
         out",
        pruning.gone.len(),
        args.line,
        pruning.kept.len()
    );
    output::print(format, &pruning, &text)?;
    Ok(exit::DONE)
}

/// The highest level that is open to each ring.
fn ceilings(line: &Line, rollouts: &[RolloutView]) -> BTreeSet<Level> {
    let stands = |view: &&RolloutView| view.line == *line && view.phase != Phase::Withdrawn;
    let opened = rollouts.iter().filter(stands).flat_map(|view| {
        view.rings.iter().filter(|ring| ring.opened.is_some()).map(|ring| (&ring.ring, view.level))
    });
    let mut highest = std::collections::BTreeMap::new();
    for (ring, level) in opened {
        let top = highest.entry(ring).or_insert(level);
        *top = level.max(*top);
    }
    highest.into_values().collect()
}

fn shown(pruning: &Pruning) -> String {
    let gone: Vec<_> = pruning.gone.iter().map(ToString::to_string).collect();
    let first = match gone.as_slice() {
        [] => "◎ every level stays".to_owned(),
        gone => format!("{} levels can go: {}", gone.len(), gone.join(", ")),
    };
    let words = |(level, reasons): (&Level, &BTreeSet<Kept>)| {
        let reasons: Vec<_> = reasons.iter().map(ToString::to_string).collect();
        format!("{level:>5}  stays: {}", reasons.join("; "))
    };
    std::iter::once(first).chain(pruning.kept.iter().rev().map(words)).collect::<Vec<_>>().join("\n")
}
