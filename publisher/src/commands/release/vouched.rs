//! A promoted level, judged as a data plane judges it: catalog, descriptor, bundle, components, every signature.

use std::sync::Arc;

use pdp_policies::release::Release;
use pdp_policies::trust::{self, Freshness, Vouchers};
use pdp_policies::{At, Digest, Level, Line};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::oci::{Registry, Repository};

use super::places::{found, places};
use super::signed::{named, signatures};
use crate::catalog::Current;
use crate::several::ask_each;

/// A release of the catalog, and where its bundle lies with every signature.
pub(super) struct Vouched {
    pub(super) release: Release,
    pub(super) repository: Repository,
}

/// Judges a level and its tags. `elsewhere` is looked at instead of the place that the release names, or that it moved to.
///
/// # Errors
/// `CatalogExpired`, every refusal, `TagMoved`, `TagMissing`, and what requests can end with.
pub(super) async fn vouched(
    registry: &Arc<Registry>,
    current: &Current,
    (line, level): (&Line, Level),
    elsewhere: Option<&str>,
    now: At,
) -> Result<Vouched> {
    let release = current.catalog.release(line, level)?.release.clone();
    let placed = placed(registry, current, release, elsewhere, now).await?;
    let (signed, tagged) = tokio::join!(
        all_signed(registry, &placed, Vouchers::of(&current.catalog)),
        tagged(registry, &placed.repository, &placed.release)
    );
    let vouched = signed?;
    tagged?;
    Ok(vouched)
}

/// As [`vouched`], of a release that need not be promoted; its tags aren't looked at.
pub(super) async fn vouched_release(
    registry: &Arc<Registry>,
    current: &Current,
    release: Release,
    elsewhere: Option<&str>,
    now: At,
) -> Result<Vouched> {
    let placed = placed(registry, current, release, elsewhere, now).await?;
    all_signed(registry, &placed, Vouchers::of(&current.catalog)).await
}

/// A release, and where its bundle lies; nobody has looked at signatures yet.
struct Placed {
    release: Release,
    repository: Repository,
}

async fn placed(
    registry: &Arc<Registry>,
    current: &Current,
    release: Release,
    elsewhere: Option<&str>,
    now: At,
) -> Result<Placed> {
    if let Freshness::Expired(role) = current.catalog.freshness(now) {
        return Err(Failure::new("CatalogExpired", format!("`{role}` of the catalog is past its expiry"))
            .hint("`publisher catalog refresh`, or sign the role anew")
            .exit(exit::EXPIRED));
    }
    let places = places(current.catalog.channel(&release.line), &release, elsewhere, now)?;
    let found = found(registry, &places, &release.bundle.digest).await;
    let (repository, index) = found.map_err(|nowhere| nowhere.failure)?;
    trust::bundle(&index, &release)?;
    Ok(Placed { release, repository })
}

async fn all_signed(registry: &Arc<Registry>, placed: &Placed, keys: Vouchers) -> Result<Vouched> {
    let Placed { release, repository } = placed;
    let all = named(release).into_iter().map(|(what, digest)| (what.to_owned(), digest)).collect();
    let (registry, place, keys) = (registry.clone(), repository.clone(), Arc::new(keys));
    let bundle = release.bundle.digest;
    ask_each("signatures", all, move |(what, digest)| {
        let (registry, place, keys) = (registry.clone(), place.clone(), keys.clone());
        async move {
            // The bundle itself was read already.
            let manifest = async {
                match digest == bundle {
                    true => Ok(()),
                    false => registry.manifest(&place, &digest).await.map(drop),
                }
            };
            let (manifest, bundles) = tokio::join!(manifest, signatures(&registry, &place, &digest));
            manifest?;
            trust::signed_artifact(&what, &digest, &bundles?, &keys)?;
            Ok(())
        }
    })
    .await?;
    Ok(Vouched { release: release.clone(), repository: repository.clone() })
}

/// The tags that a release has: of each component, and the level's own last.
pub(crate) fn tags(release: &Release) -> impl Iterator<Item = (String, Digest)> {
    let components =
        release.components.iter().map(|c| (format!("{}-{}", release.level, c.name), c.artifact.digest()));
    components.chain([(release.level.to_string(), release.bundle.digest)])
}

/// No PDP follows tags, but people do: a moved one is worth an alarm.
///
/// # Errors
/// `TagMoved`, `TagMissing`, and what requests can end with.
async fn tagged(registry: &Arc<Registry>, repository: &Repository, release: &Release) -> Result<()> {
    let (registry, place) = (registry.clone(), repository.clone());
    ask_each("tags", tags(release).collect(), move |(tag, digest)| {
        let (registry, place) = (registry.clone(), place.clone());
        async move {
            let found = registry.resolve_tag(&place, &tag).await?.map(|(found, _)| found);
            match found {
                Some(found) if found == digest => Ok(()),
                found => Err(wrong_tag(&format!("{place}:{tag}"), &digest, found)),
            }
        }
    })
    .await
}

fn wrong_tag(tag: &str, digest: &Digest, found: Option<Digest>) -> Failure {
    let what = format!("tag {tag} doesn't point at {digest}");
    let failure = match found {
        Some(found) => Failure::new("TagMoved", what)
            .cause(format!("it points at {found}"))
            .hint("PDPs go by digest and are safe; find out who may write to the registry"),
        None => Failure::new("TagMissing", what)
            .cause("there is no such tag")
            .hint("PDPs go by digest and need none; a copy that was made by digest has none: copy by tag"),
    };
    failure.exit(exit::NEGATIVE)
}
