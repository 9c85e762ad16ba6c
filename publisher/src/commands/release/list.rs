//! `publisher release list`: the levels of a line, what each is, and how far it is.

use std::cmp::Reverse;

use pdp_policies::release::{Release, ReleaseKind, Severity};
use pdp_policies::{At, Channel, Digest, Level, Line, printable};
use pdp_transport::channel_server::InstalledView;
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::{self, Format};
use serde::Serialize;

use crate::catalog::{CatalogArgs, Current, published_of};
use crate::commands::{blocking, channel};
use crate::server::AskedServerArgs;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The release line.
    #[arg(long)]
    line: Line,
    /// Asked how many data planes are on each level, if it is given.
    #[command(flatten)]
    server: AskedServerArgs,
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
    superseded_by: Option<Level>,
    /// On how many it is installed; none if no server was asked.
    data_planes: Option<u32>,
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

pub(crate) async fn run(args: Args, format: Format, now: At) -> Result<u8> {
    let installed = installed(&args).await?;
    let (found, channel) = blocking(move || read(&args, now)).await?;
    let row =
        |(release, digest): &(Release, Digest)| Row::of(&channel, release, *digest, installed.as_deref());
    let mut rows: Vec<_> = found.iter().map(row).collect();
    rows.sort_unstable_by_key(|row| Reverse(row.level));
    output::list(format, &rows, rows.iter().map(|row| row.level), &text(&rows))?;
    Ok(exit::DONE)
}

fn read(args: &Args, now: At) -> Result<(Vec<(Release, Digest)>, Channel)> {
    let current = Current::fetch(&args.catalog, now)?;
    let channel = channel::current(&current, &args.line)?;
    Ok((published_of(&current, &args.line)?, channel))
}

/// What data planes report to be on, if somebody is there to ask.
async fn installed(args: &Args) -> Result<Option<Vec<InstalledView>>> {
    let Some(desk) = args.server.open(&args.catalog.git.connection.http()?)? else { return Ok(None) };
    desk.installed().await.map(Some)
}

impl Row {
    fn of(channel: &Channel, release: &Release, digest: Digest, installed: Option<&[InstalledView]>) -> Self {
        let promotion = channel.levels.get(&release.level);
        let on = |all: &[InstalledView]| {
            all.iter().filter(|it| it.sha256 == digest).map(|it| it.data_planes).sum::<u32>()
        };
        Self {
            level: release.level,
            version: release.version.clone(),
            kind: release.kind,
            severity: release.severity(),
            components: release.components.len(),
            promoted_at: promotion.map(|promotion| promotion.promoted_at),
            state: State::of(channel, release.level),
            superseded_by: superseded_by(channel, release.level),
            data_planes: installed.map(on),
        }
    }
}

impl State {
    fn of(channel: &Channel, level: Level) -> Self {
        match channel.levels.contains_key(&level) {
            _ if channel.withdrawn.contains_key(&level) => Self::Withdrawn,
            true => Self::Promoted,
            false => Self::Published,
        }
    }
}

/// The lowest promoted level that says that nobody needs this one any more.
fn superseded_by(channel: &Channel, level: Level) -> Option<Level> {
    let says = channel.levels.iter().find(|(_, promotion)| promotion.supersedes.contains(&level));
    says.map(|(newer, _)| *newer)
}

fn text(rows: &[Row]) -> String {
    let head = format!(
        "{:>5}  {:16} {:9} {:9} {:10} {:20} {:>11} {:>10}  SUPERSEDED BY",
        "LEVEL", "VERSION", "KIND", "SEVERITY", "STATE", "PROMOTED", "DATA PLANES", "COMPONENTS"
    );
    std::iter::once(head).chain(rows.iter().map(line)).collect::<Vec<_>>().join("\n")
}

fn line(row: &Row) -> String {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let severity = or_dash(row.severity.map(|it| format!("{it:?}")));
    let promoted = or_dash(row.promoted_at.map(|at| at.to_string()));
    let planes = or_dash(row.data_planes.map(|it| it.to_string()));
    let newer = or_dash(row.superseded_by.map(|it| it.to_string()));
    let version = printable(&row.version).to_string();
    let (kind, state) = (format!("{:?}", row.kind), format!("{:?}", row.state));
    format!(
        "{:>5}  {version:16} {kind:9} {severity:9} {state:10} {promoted:20} {planes:>11} {:>10}  {newer}",
        row.level, row.components
    )
}
