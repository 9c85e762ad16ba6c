//! `publisher release show`: one release, from the catalog.

use pdp_policies::release::Release;
use pdp_policies::{At, Level, Line};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::{self, Format};

use crate::advisories::{AdvisoriesArgs, Told, tell};
use crate::catalog::{CatalogArgs, Current};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The level.
    level: Level,
    /// The release line.
    #[arg(long)]
    line: Line,
    #[command(flatten)]
    advisories: AdvisoriesArgs,
    #[command(flatten)]
    catalog: CatalogArgs,
}

pub(crate) fn run(args: &Args, format: Format, now: At) -> Result<u8> {
    let told = args.advisories.read()?;
    let current = Current::fetch(&args.catalog, now)?;
    let descriptor = current.catalog.release(&args.line, args.level)?;
    let mut one = [(descriptor.release.clone(), descriptor.sha256)];
    tell(&told, &mut one)?;
    let [(release, _)] = &one;
    output::list(format, release, [release.level], &text(release))?;
    Ok(exit::DONE)
}

fn text(release: &Release) -> String {
    let severity = release.severity().map_or_else(String::new, |s| format!("  max severity {s:?}"));
    let mut lines = vec![
        format!(
            "{} level {} ({})  {:?}{severity}",
            release.line, release.level, release.version, release.kind
        ),
        format!("{}@{}", release.bundle.repository, release.bundle.digest),
        format!("{:28} {:18} {:>5}  {:14} IMAGES", "COMPONENT", "VERSION", "STAGE", "ARTIFACT"),
    ];
    let fixes = release.advisories.iter().map(|it| format!("fixes {}", Told::of(it).words()));
    lines.splice(2..2, fixes);
    lines.extend(release.components.iter().map(|c| {
        let digest = c.artifact.digest().short();
        format!("{:28} {:18} {:>5}  {digest:14} {}", c.name.as_str(), c.version, c.stage, c.images.len())
    }));
    lines.extend(release.components.iter().filter(|c| c.has_values()).map(|c| {
        let all = (!c.values.is_empty()).then(|| "all platforms".to_owned());
        let platforms = all.into_iter().chain(c.platform_values.keys().map(ToString::to_string));
        format!("{}: values for {}", c.name, platforms.collect::<Vec<_>>().join(", "))
    }));
    lines.join("\n")
}
