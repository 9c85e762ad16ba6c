//! `publisher release list`: the levels of a line, what each is, and how far it is.

use pdp_policies::release::{Release, ReleaseKind, Severity};
use pdp_policies::trust::Role;
use pdp_policies::{At, Channel, Level, Line};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::{self, Format};
use serde::Serialize;

use crate::catalog::role::RoleFile;
use crate::catalog::{CatalogArgs, Current, level_of, targets};
use crate::commands::channel;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The release line.
    #[arg(long)]
    line: Line,
    #[command(flatten)]
    catalog: CatalogArgs,
}

/// One level.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    level: Level,
    version: String,
    kind: ReleaseKind,
    severity: Option<Severity>,
    components: usize,
    /// None until it is promoted.
    promoted_at: Option<At>,
    state: State,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum State {
    /// Signed into the catalog.
    Published,
    Promoted,
    Withdrawn,
}

pub(crate) fn run(args: &Args, format: Format, now: At) -> Result<u8> {
    let current = Current::fetch(&args.catalog, now)?;
    let channel = &channel::current(&current, &args.line)?;
    let listed = targets(&RoleFile::read(&current.tree, Role::Releases)?);
    let mut levels: Vec<_> = listed.iter().filter_map(|name| level_of(channel, name)).collect();
    levels.sort_unstable_by(|one, other| other.cmp(one));
    let row = |level: &Level| Ok(row(channel, &current.catalog.release(&args.line, *level)?.release));
    let rows = levels.iter().map(row).collect::<Result<Vec<_>>>()?;
    output::print(format, &rows, &text(&rows))?;
    Ok(exit::DONE)
}

fn row(channel: &Channel, release: &Release) -> Row {
    let promotion = channel.levels.get(&release.level);
    let state = match promotion {
        _ if channel.withdrawn.contains_key(&release.level) => State::Withdrawn,
        Some(_) => State::Promoted,
        None => State::Published,
    };
    Row {
        level: release.level,
        version: release.version.clone(),
        kind: release.kind,
        severity: release.severity(),
        components: release.components.len(),
        promoted_at: promotion.map(|promotion| promotion.promoted_at),
        state,
    }
}

fn text(rows: &[Row]) -> String {
    let head = format!(
        "{:>5}  {:16} {:9} {:9} {:10} {:20} COMPONENTS",
        "LEVEL", "VERSION", "KIND", "SEVERITY", "STATE", "PROMOTED"
    );
    let line = |row: &Row| {
        let severity = row.severity.map_or_else(|| "-".to_owned(), |it| format!("{it:?}"));
        let promoted = row.promoted_at.map_or_else(|| "-".to_owned(), |at| at.to_string());
        let version = pdp_policies::printable(&row.version);
        let (kind, state) = (format!("{:?}", row.kind), format!("{:?}", row.state));
        format!(
            "{:>5}  {version:16} {kind:9} {severity:9} {state:10} {promoted:20} {}",
            row.level, row.components
        )
    };
    std::iter::once(head).chain(rows.iter().map(line)).collect::<Vec<_>>().join("\n")
}
