//! `publisher release bump`: a newer chart of one component, pinned in the release.yaml, and what it brings.

use std::path::{Path, PathBuf};

use pdp_policies::version_range;
use pdp_policies::{ComponentName, Digest};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::cli::output::{self, Format};
use pdp_transport::files;
use serde::Serialize;

use super::fetch::FetchArgs;
use crate::charts::{self, Chart, Fetch, Origin, Pinned, Reach, Trouble, Versions};
use crate::diff::{ChartDiff, chart_text, charts as compare};
use crate::release_edit::{Edit, edited};
use crate::release_file::{ComponentEntry, ReleaseFile};
use crate::yaml_file;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The component.
    component: ComponentName,
    /// The version (default: the newest one within reach).
    version: Option<String>,
    /// The release.yaml.
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
    /// How far ahead the newest one may be. One before a release counts if the present one is such, too.
    #[arg(long, value_enum, default_value = "any", conflicts_with = "version")]
    reach: Reach,
    /// Only shows what it brings.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    fetch: FetchArgs,
}

/// What was decided.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Bump {
    component: ComponentName,
    from: String,
    to: String,
    digest: Digest,
    /// All newer versions that there are, the newest first.
    newer: Vec<String>,
    /// None if the present one can't be had any more.
    brings: Option<ChartDiff>,
    written: bool,
}

pub(crate) async fn run(args: &Args, format: Format) -> Result<u8> {
    let hint = "give the path of a release.yaml with --file";
    let file: ReleaseFile = yaml_file::good(&args.file, hint)?;
    let component = found(&file, args)?;
    let origin = origin(component)?;
    let fetch = args.fetch.open();
    let versions = fetch.versions(&origin).await.map_err(|trouble| failed(args, trouble))?;
    let Some(to) = chosen(args, component, &versions)? else {
        let text = format!("✔ {} {}: nothing newer within reach", component.name, component.version);
        output::print(format, &serde_json::Value::Null, &text)?;
        return Ok(exit::DONE);
    };
    let new = fetch.pin(&origin, &to).await.map_err(|trouble| failed(args, trouble))?;
    let brings = brings(&fetch, &origin, component, &new).await?;
    if !args.dry_run {
        write(&args.file, component, &to, new.digest)?;
    }
    let newer = newer(&versions, &component.version);
    let from = component.version.clone();
    let (component, digest) = (component.name.clone(), new.digest);
    report(&Bump { component, from, to, digest, newer, brings, written: !args.dry_run }, format)
}

fn found<'a>(file: &'a ReleaseFile, args: &Args) -> Result<&'a ComponentEntry> {
    let names = || file.components.iter().map(|it| it.name.to_string()).collect::<Vec<_>>().join(", ");
    file.components.iter().find(|it| it.name == args.component).ok_or_else(|| {
        Failure::new("NotFound", format!("{} has no component `{}`", args.file.display(), args.component))
            .hint(format!("it has: {}", names()))
    })
}

fn origin(component: &ComponentEntry) -> Result<Origin> {
    let manifests = || {
        Failure::new("NotFetched", format!("component `{}` consists of manifests", component.name))
            .hint("put the newer manifests in their folder, and write its version")
    };
    let chart = component.chart.as_ref().ok_or_else(manifests)?;
    Origin::of(chart).map_err(|Trouble { code, message, hint, .. }| Failure::new(code, message).hint(hint))
}

/// None if there is nothing newer within reach.
fn chosen(args: &Args, component: &ComponentEntry, versions: &Versions) -> Result<Option<String>> {
    if let Some(version) = &args.version {
        return Ok(Some(version.clone()));
    }
    let from = version_range::version(&component.version).ok_or_else(|| {
        Failure::new("BadChartVersion", format!("`{}` is no version of a chart", component.version))
            .hint("say which version it shall be")
    })?;
    Ok(charts::newest(versions, &from, args.reach).map(str::to_owned))
}

fn newer(versions: &Versions, from: &str) -> Vec<String> {
    let from = version_range::version(from);
    let newer = versions.iter().rev().filter(|(version, _)| from.as_ref().is_none_or(|from| *version > from));
    newer.map(|(_, text)| text.clone()).collect()
}

/// Compares with the present one, as it is pinned.
async fn brings(
    fetch: &Fetch<'_>,
    origin: &Origin,
    component: &ComponentEntry,
    new: &Pinned,
) -> Result<Option<ChartDiff>> {
    let Ok(old) = charts::read(origin, &component.version, None, fetch).await else { return Ok(None) };
    let read = |files| {
        Chart::read(files)
            .map_err(|Trouble { code, message, hint, .. }| Failure::new(code, message).hint(hint))
    };
    let diff = compare(&read(&old)?, &read(&new.files)?);
    diff.map(Some).map_err(|cause| {
        Failure::new("BadChart", format!("`{}` can't be compared", component.name)).cause(cause)
    })
}

/// Everything else of the file stays.
fn write(path: &Path, component: &ComponentEntry, version: &str, digest: Digest) -> Result<()> {
    let name = component.name.to_string();
    let edits = [
        Edit::ComponentVersion { component: name.clone(), version: version.to_owned() },
        Edit::ChartDigest { component: name, digest },
    ];
    let text =
        std::fs::read_to_string(path).map_err(|e| Failure::new("Io", path.display().to_string()).cause(e))?;
    let text = edited(&text, &edits).map_err(|cause| {
        Failure::new("BadYaml", format!("{} isn't changed", path.display()))
            .cause(cause)
            .hint(format!("write it yourself: version {version}, digest {digest}"))
    })?;
    Ok(files::write_atomic(path, text.as_bytes())?)
}

fn report(bump: &Bump, format: Format) -> Result<u8> {
    let sign = if bump.written { "✔" } else { "◎" };
    let mut lines = vec![format!("{sign} {} {} -> {}", bump.component, bump.from, bump.to)];
    match &bump.brings {
        Some(diff) => lines.extend(chart_text(diff)),
        None => lines.push(format!("  {} can't be had any more: nothing to compare with", bump.from)),
    }
    let others: Vec<_> = bump.newer.iter().filter(|it| **it != bump.to).take(5).cloned().collect();
    if !others.is_empty() {
        lines.push(format!("  also there: {}", others.join(", ")));
    }
    lines.push("  next: `publisher release lock`, then `publisher release diff` with --objects".to_owned());
    output::print(format, bump, &lines.join("\n"))?;
    Ok(exit::DONE)
}

fn failed(args: &Args, trouble: Trouble) -> Failure {
    let Trouble { code, message, hint, .. } = trouble;
    Failure::new(code, message).hint(hint).within(&format!("component `{}`", args.component))
}
