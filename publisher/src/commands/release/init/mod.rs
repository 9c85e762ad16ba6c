//! `publisher release init`: the folder of a new level, made from an earlier one (its folder, or the catalog), from
//! Flux's objects, or from an umbrella chart.

mod drafted;
mod level;
mod published;

use std::path::PathBuf;

use pdp_policies::release::ReleaseKind;
use pdp_policies::{At, KubernetesName, Level, Line};
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::Format;

use super::fetch::CacheArgs;
use crate::catalog::AskedCatalogArgs;

const FILE: &str = "release.yaml";

#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("source").required(true).args(["from", "from_flux", "from_umbrella"])))]
pub(crate) struct Args {
    /// The new level.
    level: Level,
    /// The level that it is made from: its folder lies beside the new one. Where it doesn't, the level is taken from the
    /// catalog and its bundle, if --line, --catalog and --root say which.
    #[arg(long, value_name = "LEVEL")]
    from: Option<Level>,
    /// A folder with Flux's objects: HelmRelease, HelmRepository, OCIRepository, Kustomization, ConfigMap.
    #[arg(long, value_name = "DIR", requires_all = ["line", "repository"])]
    from_flux: Option<PathBuf>,
    /// A chart whose dependencies are the components: a folder or a .tgz.
    #[arg(long, value_name = "CHART", requires_all = ["line", "repository", "namespace"])]
    from_umbrella: Option<PathBuf>,
    /// A file of values that the umbrella chart is installed with.
    #[arg(long, value_name = "FILE", requires = "from_umbrella")]
    values: Option<PathBuf>,
    /// Where the umbrella's components are installed.
    #[arg(long, requires = "from_umbrella")]
    namespace: Option<KubernetesName>,
    /// The release line of the new file, or of the level in the catalog.
    #[arg(long)]
    line: Option<Line>,
    /// `host/path` where its bundles will be.
    #[arg(long, value_name = "HOST/PATH", conflicts_with = "from")]
    repository: Option<String>,
    /// The version that people are shown.
    #[arg(long)]
    version: String,
    /// What sort of change it is: update, security or hotfix.
    #[arg(long, default_value = "update", value_parser = kind)]
    kind: ReleaseKind,
    /// The folder of the line, which has a folder for each level.
    #[arg(long = "in", value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// Only says what would be written.
    #[arg(long)]
    dry_run: bool,
    /// `host[:port][/prefix]` to read the bundle from instead of the host that the release names, or that it moved to.
    #[arg(long, env = "PUBLISHER_REGISTRY", value_name = "HOST")]
    registry: Option<String>,
    #[command(flatten)]
    cache: CacheArgs,
    #[command(flatten)]
    catalog: AskedCatalogArgs,
}

fn kind(text: &str) -> std::result::Result<ReleaseKind, String> {
    serde_json::from_value(text.into()).map_err(|_| "update, security or hotfix".to_owned())
}

pub(crate) async fn run(args: Args, format: Format, now: At) -> Result<u8> {
    match (args.from, &args.line) {
        (Some(from), Some(line)) if !level::is_there(&args, from) && args.catalog.is_given() => {
            let line = line.clone();
            published::run(args, (line, from), format, now).await
        }
        (Some(from), _) => level::run(&args, from, format),
        (None, _) => drafted::run(&args, format).await,
    }
}
