//! `publisher release diff`: what another level changes.

use std::path::PathBuf;
use std::str::FromStr;

use pdp_policies::release::{Component, Release};
use pdp_policies::{At, ComponentName, Digest, Line, Platform};
use pdp_transport::channel_server::InstalledView;
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Result, internal};
use pdp_transport::cli::output::{self, Format};
use serde_json::Value;

use super::fetch::CacheArgs;
use super::side::{Side, Which};
use crate::advisories::{AdvisoriesArgs, tell};
use crate::applied::{Cluster, objects};
use crate::catalog::{AskedCatalogArgs, Current, published_of};
use crate::commands::blocking;
use crate::diff::{Applied, ComponentDiff, Diff, What, compare, diff, taken_over, text};
use crate::lock::Helm;
use crate::progress::Progress;
use crate::server::AskedServerArgs;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A level of the catalog, the folder of a built release, or a release.yaml.
    from: Which,
    /// What it is compared with.
    to: Which,
    /// The release line.
    #[arg(long)]
    pub(super) line: Line,
    /// Also renders what differs: objects that come and go, workloads that restart, fields that no cluster changes,
    /// definitions that break, rights, hooks.
    #[arg(long)]
    pub(super) objects: bool,
    /// The Helm 4 program that renders the charts.
    #[arg(long, env = "PUBLISHER_HELM", value_name = "PROGRAM", default_value = "helm")]
    helm: PathBuf,
    /// The SHA-256 that this program has to have: `sha256:<hex>`; another one isn't run.
    #[arg(long, env = "PUBLISHER_HELM_DIGEST", value_name = "DIGEST")]
    helm_digest: Option<Digest>,
    /// The Kubernetes version that charts are rendered for.
    #[arg(long, value_name = "VERSION", default_value = "v1.34.1")]
    kubernetes: String,
    /// The platform whose values are taken (default: the first on which a component runs).
    #[arg(long)]
    platform: Option<Platform>,
    /// Values as a customer gives them to a component, where its chart can't do without.
    #[arg(long, value_name = "COMPONENT=FILE")]
    values: Vec<Given>,
    /// `host[:port][/prefix]` to read bundles from instead of the hosts that releases name, or that they moved to.
    #[arg(long, env = "PUBLISHER_REGISTRY", value_name = "HOST")]
    pub(super) registry: Option<String>,
    /// Asked how many data planes are on either level, if it is given.
    #[command(flatten)]
    server: AskedServerArgs,
    #[command(flatten)]
    advisories: AdvisoriesArgs,
    #[command(flatten)]
    pub(super) cache: CacheArgs,
    /// Needed where a level of the catalog is compared.
    #[command(flatten)]
    pub(super) catalog: AskedCatalogArgs,
}

/// `COMPONENT=FILE`.
#[derive(Debug, Clone)]
struct Given {
    component: ComponentName,
    file: PathBuf,
}

impl FromStr for Given {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let (component, file) = text.split_once('=').ok_or("write COMPONENT=FILE")?;
        let component = component.parse().map_err(|e| format!("{e}"))?;
        Ok(Self { component, file: file.into() })
    }
}

pub(crate) async fn run(args: Args, format: Format, now: At) -> Result<u8> {
    let (current, args) = blocking(move || Ok((fetched(&args, now)?, args))).await?;
    let from = Side::open(&args, &args.from, current.as_ref(), now).await?;
    let to = Side::open(&args, &args.to, current.as_ref(), now).await?;
    let (Some(from), Some(to)) = (from.or_report(format)?, to.or_report(format)?) else {
        return Ok(exit::NEGATIVE);
    };
    let mut all = vec![(from.release.clone(), from.digest), (to.release.clone(), to.digest)];
    all.extend(others(current.as_ref(), &args.line, &all)?);
    tell(&args.advisories.read()?, &mut all)?;
    let mut diff = match &all[..] {
        [from, to, known @ ..] => diff(from, to, known),
        _ => return Err(internal("two sides are compared")),
    };
    if let Some(installed) = installed(&args).await? {
        diff.count(&installed, (from.digest, to.digest));
    }
    if args.objects {
        render(&args, &from, &to, &mut diff).await?;
    }
    output::print(format, &diff, &text(&diff))?;
    Ok(exit::DONE)
}

/// The catalog, if a level of it is compared.
fn fetched(args: &Args, now: At) -> Result<Option<Current>> {
    let named = [&args.from, &args.to].iter().any(|it| matches!(it, Which::Level(_)));
    named.then(|| args.catalog.needed(now)).transpose()
}

/// What else is published of the line: a level fixes what the levels fixed that it is made of.
fn others(
    current: Option<&Current>,
    line: &Line,
    sides: &[(Release, Digest)],
) -> Result<Vec<(Release, Digest)>> {
    let mut all = current.map(|it| published_of(it, line)).transpose()?.unwrap_or_default();
    all.retain(|(_, digest)| sides.iter().all(|(_, side)| side != digest));
    Ok(all)
}

async fn installed(args: &Args) -> Result<Option<Vec<InstalledView>>> {
    let Some(desk) = args.server.open(&args.catalog.git.connection.http()?)? else { return Ok(None) };
    desk.installed().await.map(Some)
}

/// What a component applies on either side.
#[derive(Debug, Default)]
struct Rendered {
    was: Vec<Value>,
    is: Vec<Value>,
}

/// Compares the objects of each component that differs.
async fn render(args: &Args, from: &Side, to: &Side, diff: &mut Diff) -> Result<()> {
    let helm = Helm::open(&args.helm, args.helm_digest.as_ref()).await?;
    let progress = Progress::new("components", diff.components.len());
    let mut all = Vec::new();
    for found in &mut diff.components {
        all.push(match one(args, &helm, (from, to), found).await {
            // One that a customer's values complete hides no other one.
            Err(refused) if refused.code == "ChartRefused" => {
                found.unrendered = refused.cause;
                Rendered::default()
            }
            ended => ended?,
        });
        progress.step();
    }
    let others: Vec<_> = all.iter().map(|it| it.was.as_slice()).collect();
    for (found, rendered) in diff.components.iter_mut().zip(&all) {
        let moved = taken_over(&others, &rendered.was, &rendered.is);
        found.objects.iter_mut().for_each(|objects| objects.definitions.extend(moved.clone()));
    }
    Ok(())
}

async fn one(
    args: &Args,
    helm: &Helm,
    (from, to): (&Side, &Side),
    found: &mut ComponentDiff,
) -> Result<Rendered> {
    let given = args.values.iter().find(|it| it.component == found.name);
    let values = given.map(|it| it.file.as_path());
    let cluster = Cluster { helm, kubernetes: &args.kubernetes, platform: args.platform, values };
    let (was, is) = (from.component(&found.name), to.component(&found.name));
    // What isn't named any more stays as it is.
    let shown = is.or(was).filter(|_| found.what != What::Forgotten);
    let Some(shown) = shown else { return Ok(Rendered::default()) };
    let rendered = Rendered { was: applied(from, was, cluster).await?, is: applied(to, is, cluster).await? };
    let named = |component: Option<&Component>| {
        component.into_iter().flat_map(|it| &it.outlives).map(ToString::to_string).collect()
    };
    let (old, new) = (named(was), named(is));
    let side = |objects, outlives| Applied { objects, namespace: &shown.namespace, outlives };
    found.objects = Some(compare(&side(&rendered.was, &old), &side(&rendered.is, &new)));
    Ok(rendered)
}

async fn applied(side: &Side, component: Option<&Component>, cluster: Cluster<'_>) -> Result<Vec<Value>> {
    match (component, &side.bundle) {
        (Some(component), Some(bundle)) => objects(bundle, component, cluster).await,
        _ => Ok(Vec::new()),
    }
}
