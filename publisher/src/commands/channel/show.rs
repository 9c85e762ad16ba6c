//! `publisher channel show`.

use pdp_policies::trust::Freshness;
use pdp_policies::{At, Channel, Level, Line, Promotion};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::{self, Format};

use crate::catalog::{CatalogArgs, Current};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The release line.
    #[arg(long)]
    line: Line,
    #[command(flatten)]
    catalog: CatalogArgs,
}

pub(crate) fn run(args: &Args, format: Format, now: At) -> Result<u8> {
    let current = Current::fetch(&args.catalog, now)?;
    let channel = super::current(&current, &args.line)?;
    let fresh = match current.catalog.freshness(now) {
        Freshness::Fresh => "fresh".to_owned(),
        Freshness::Stale(age) => format!("stale: {} hours old", age / 3600),
        Freshness::Expired(role) => format!("`{role}` is past its expiry"),
    };
    let mut lines =
        vec![format!("{}  catalog signed {} ({fresh})", channel.line, current.catalog.signed_at())];
    if let Some(stop) = &channel.stop {
        lines.push(format!("✗ STOPPED since {}: {}", stop.at, stop.reason));
    }
    lines.push(format!("{:>5}  {:20}  {:12}  {:22}  OPEN TO", "LEVEL", "PROMOTED", "TEMPO", "STATE"));
    lines.extend(channel.levels.iter().rev().map(|(level, promotion)| row(&channel, *level, promotion)));
    lines.extend(channel.moves.iter().map(|one| {
        format!(
            "the {} moves from {} to {} since {}, until {}",
            one.kind, one.from, one.to, one.since, one.until
        )
    }));
    output::list(format, &channel, channel.levels.keys().rev(), &lines.join("\n"))?;
    Ok(exit::DONE)
}

/// Whom it is for isn't written there: the catalog names no customers.
fn hotfix(promotion: &Promotion) -> String {
    let base = promotion.base.map_or_else(String::new, |base| format!(" of {base}"));
    format!("hotfix{base} for {}", promotion.audience.len())
}

fn row(channel: &Channel, level: Level, promotion: &Promotion) -> String {
    let state = match channel.withdrawn.get(&level) {
        Some(w) => w.fixed_by.map_or("withdrawn".to_owned(), |fix| format!("withdrawn, see {fix}")),
        None if promotion.is_hotfix() => hotfix(promotion),
        None => "promoted".to_owned(),
    };
    let open: Vec<_> = promotion.open_to.iter().map(|(ring, share)| format!("{ring} {share}")).collect();
    let open = if open.is_empty() { "nobody yet".to_owned() } else { open.join(", ") };
    format!(
        "{level:>5}  {:20}  {:12}  {state:22}  {open}",
        promotion.promoted_at.to_string(),
        format!("{:?}", promotion.tempo)
    )
}
