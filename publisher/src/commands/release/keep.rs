//! `publisher release keep`: what registries must keep for the catalog, and what a repository has beside that.
//! It deletes nothing.

use std::collections::BTreeSet;
use std::sync::Arc;

use pdp_policies::{At, Digest, Level, Release};
use pdp_transport::channel_server::InstalledView;
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::cli::output::{self, Format, say};
use pdp_transport::oci::{Registry, Repository};
use serde_json::{Value, json};

use super::places::{found, places};
use super::publish::target;
use crate::catalog::{CatalogArgs, Current, published};
use crate::commands::blocking;
use crate::images::{From, reach};
use crate::retention::{Needed, Spare, Tagged, Where, needed, spare};
use crate::server::AskedServerArgs;
use crate::several::gather;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Lists what of this repository the catalog doesn't need.
    #[arg(long, value_name = "HOST/PATH")]
    repository: Vec<String>,
    /// `host[:port][/prefix]` to look at instead of the hosts that releases name: a mirror.
    #[arg(long, env = "PUBLISHER_REGISTRY", value_name = "HOST")]
    registry: Option<String>,
    /// Don't ask the channel server what is installed where: levels that left the catalog count as installed nowhere.
    #[arg(long)]
    without_server: bool,
    #[command(flatten)]
    server: AskedServerArgs,
    #[command(flatten)]
    catalog: CatalogArgs,
}

pub(crate) async fn run(args: Args, format: Format, now: At) -> Result<u8> {
    let repositories: std::result::Result<Vec<Repository>, _> =
        args.repository.iter().map(|text| text.parse()).collect();
    let repositories = repositories?;
    let installed = installed(&args).await?;
    let registry = Arc::new(args.catalog.git.connection.registry()?);
    let (current, args) = blocking(move || Ok((Current::fetch(&args.catalog, now)?, args))).await?;
    let releases = published(&current)?;
    all_are_known(&current, &releases, &installed)?;
    let elsewhere = args.registry.as_deref();
    let mut all = Needed::default();
    for release in &releases {
        let bundle = located(&registry, &current, release, elsewhere, now).await?;
        needed(&registry, release, &bundle, |name| target(name, elsewhere), &mut all).await?;
    }
    let mut spares = Vec::new();
    for repository in repositories {
        is_of_the_catalog(&all, &repository)?;
        let newest = newest(&releases, &repository, &all);
        let tagged = tagged(&registry, &repository).await?;
        spares.push((repository.clone(), spare(tagged, &all.of(&repository), newest)));
    }
    all.absent.iter().for_each(|what| say(&format!("◎ isn't there: {what}")));
    output::print(format, &value(&releases, &all, &spares), &text(&all, &spares))?;
    Ok(exit::DONE)
}

async fn installed(args: &Args) -> Result<Vec<InstalledView>> {
    if args.without_server {
        return Ok(Vec::new());
    }
    let hint = "name the channel server with `--server`; or `--without-server`";
    let desk = args.server.needed(&args.catalog.git.connection.http()?, hint)?;
    desk.installed().await
}

/// A data plane may have to go back to what it runs: nothing is called spare as long as nobody knows what that is.
fn all_are_known(current: &Current, releases: &[Release], installed: &[InstalledView]) -> Result<()> {
    let listed = |release: &Release| {
        current.tree.get(&format!("targets/{}", Release::target_name(&release.line, release.level)))
    };
    let known: BTreeSet<Digest> = releases.iter().filter_map(listed).map(Digest::of).collect();
    let unknown = |view: &&InstalledView| !known.contains(&view.sha256);
    let levels: BTreeSet<Level> = installed.iter().filter(unknown).map(|view| view.level).collect();
    if levels.is_empty() {
        return Ok(());
    }
    let levels: Vec<_> = levels.iter().map(ToString::to_string).collect();
    Err(Failure::new(
        "LevelUnknown",
        format!("data planes run levels that left the catalog: {}", levels.join(", ")),
    )
    .cause(
        "what they need in registries stands in their descriptors, which only the catalog's Git history has",
    )
    .hint("let these data planes update first; or, with `--without-server`, keep these levels by hand")
    .exit(exit::NEGATIVE))
}

/// Of a repository with none of the catalog's digests nothing is known: everything in it would look spare.
fn is_of_the_catalog(all: &Needed, repository: &Repository) -> Result<()> {
    if !all.of(repository).is_empty() {
        return Ok(());
    }
    Err(Failure::new("NotFound", format!("no release of the catalog needs anything in {repository}"))
        .hint(
            "`publisher release keep` without --repository lists where things lie; --registry names a mirror",
        )
        .exit(exit::NOT_FOUND))
}

async fn located(
    registry: &Registry,
    current: &Current,
    release: &Release,
    elsewhere: Option<&str>,
    now: At,
) -> Result<Where> {
    let places = places(current.catalog.channel(&release.line), release, elsewhere, now)?;
    match found(registry, &places, &release.bundle.digest).await {
        Ok((repository, _)) => Ok(Where { repository, is_there: true }),
        Err(nowhere) if nowhere.is_gone => {
            Ok(Where { repository: target(&release.bundle.repository, elsewhere)?, is_there: false })
        }
        Err(nowhere) => Err(nowhere.failure),
    }
}

/// The newest level whose bundle lies there: tags of higher ones are being published.
fn newest(releases: &[Release], repository: &Repository, all: &Needed) -> Option<Level> {
    let there = all.of(repository);
    releases.iter().filter(|it| there.contains(&it.bundle.digest)).map(|it| it.level).max()
}

async fn tagged(registry: &Arc<Registry>, repository: &Repository) -> Result<Vec<Tagged>> {
    let tags = registry.tags(repository).await?;
    let (registry, place) = (registry.clone(), repository.clone());
    let found = gather("tags", tags, move |name| {
        let (registry, place) = (registry.clone(), place.clone());
        async move {
            let Some(digest) = registry.tag_digest(&place, &name).await? else { return Ok(None) };
            let documents = match reach(&From::Registry(&registry, place), digest).await {
                Ok((documents, _)) => documents.iter().map(|it| it.digest).collect(),
                // It is something else than an image: it has no parts that are known.
                Err(failure) if failure.code == "BadImage" => BTreeSet::from([digest]),
                Err(failure) => return Err(failure),
            };
            Ok(Some(Tagged { name, digest, documents }))
        }
    });
    Ok(found.await?.into_iter().flatten().collect())
}

fn value(releases: &[Release], all: &Needed, spares: &[(Repository, Spare)]) -> Value {
    let needed = all.digests.iter().map(|((repository, digest), levels)| {
        json!({ "repository": repository.to_string(), "digest": digest, "levels": levels })
    });
    let spares = spares.iter().map(|(repository, spare)| {
        json!({ "repository": repository.to_string(), "tags": spare.tags, "manifests": spare.manifests })
    });
    let levels: Vec<_> =
        releases.iter().map(|it| json!({ "line": it.line.to_string(), "level": it.level })).collect();
    json!({
        "levels": levels, "needed": needed.collect::<Vec<_>>(), "absent": all.absent,
        "spare": spares.collect::<Vec<_>>(),
    })
}

/// What must stay, one a line; or, of repositories that were named, what can go.
fn text(all: &Needed, spares: &[(Repository, Spare)]) -> String {
    if spares.is_empty() {
        let line = |(repository, digest): &(Repository, Digest)| format!("{repository}@{digest}");
        return all.digests.keys().map(line).collect::<Vec<_>>().join("\n");
    }
    let lines = spares.iter().flat_map(|(repository, spare)| {
        let tags = spare.tags.iter().map(move |(tag, digest)| format!("{repository}:{tag}  {digest}"));
        tags.chain(spare.manifests.iter().map(move |digest| format!("{repository}@{digest}")))
    });
    lines.collect::<Vec<_>>().join("\n")
}
