//! The inventory of a level, read where it is copied from. What isn't there is told all at once.

use std::collections::BTreeSet;
use std::sync::Arc;

use pdp_policies::release::{Image, Release};
use pdp_policies::trust::Vouchers;
use pdp_policies::{Digest, Level};
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::oci::{INDEX_TYPE, MANIFEST_TYPE, Registry, Repository};

use super::inventory::{Inventory, Tag};
use super::{signatures, statements};
use crate::commands::release::{named, tags};
use crate::images::{From, Read, tree};
use crate::several::gather;

/// The keys by which attachments come along.
pub(crate) struct Keys {
    pub(crate) releases: Vouchers,
    pub(crate) statements: Vouchers,
}

/// Adds a level to an inventory: its bundle with every component, the signatures of each and what is stated about it, its
/// images, its tags.
///
/// # Errors
/// `ImageMissing` with every image that isn't whole, `BadImage`, and what requests can end with.
pub(crate) async fn listed(
    registry: &Arc<Registry>,
    (release, bundle, keys): (&Release, &Repository, &Keys),
    way: impl Fn(&str) -> Result<(Repository, Repository)>,
    inventory: &mut Inventory,
) -> Result<()> {
    let (_, to) = way(&release.bundle.repository)?;
    let documents = tree(&From::Registry(registry, bundle.clone()), release.bundle.digest).await?;
    inventory.add(bundle, &to, &documents);
    let mut subjects = Vec::new();
    for (what, digest) in named(release) {
        signatures::add(registry, (bundle, &to), (what, digest), &keys.releases, inventory).await?;
        subjects.push(((bundle.clone(), what.to_owned(), digest), to.clone()));
    }
    inventory.tags.extend(tags(release).map(|(name, digest)| tag(release.level, bundle, &to, name, digest)));
    let images: BTreeSet<&Image> = release.images().collect();
    let images: Result<Vec<_>> =
        images.into_iter().map(|image| Ok((way(image.pull_name())?, image.digest))).collect();
    for ((from, to), documents) in trees(registry, images?).await? {
        inventory.add(&from, &to, &documents);
        // Only there can the vendor have attached any.
        let own = documents.iter().filter(|_| from.host == bundle.host);
        subjects.extend(own.map(|it| ((from.clone(), from.to_string(), it.digest), to.clone())));
    }
    statements::add(registry, subjects, &keys.statements, inventory).await
}

type Way = (Repository, Repository);

async fn trees(registry: &Arc<Registry>, images: Vec<(Way, Digest)>) -> Result<Vec<(Way, Vec<Read>)>> {
    let registry = registry.clone();
    let read = gather("images", images, move |(way, digest)| {
        let registry = registry.clone();
        async move {
            match tree(&From::Registry(&registry, way.0.clone()), digest).await {
                Ok(documents) => Ok(Ok((way, documents))),
                Err(failure) if failure.code == "ImageMissing" => {
                    Ok(Err(format!("{}, for {}@{digest}", failure.what, way.0)))
                }
                Err(failure) => Err(failure),
            }
        }
    });
    let (whole, missing): (Vec<_>, Vec<_>) = read.await?.into_iter().partition(std::result::Result::is_ok);
    let missing: BTreeSet<_> = missing.into_iter().filter_map(std::result::Result::err).collect();
    match missing.is_empty() {
        true => Ok(whole.into_iter().flatten().collect()),
        false => Err(not_there(missing)),
    }
}

/// What the registry that is read from hasn't.
pub(super) fn not_there(missing: BTreeSet<String>) -> Failure {
    let lines: Vec<_> = missing.iter().map(String::as_str).collect();
    Failure::new("ImageMissing", format!("{} thing(s) aren't where they are copied from", missing.len()))
        .cause(lines.join("\n"))
        .hint("nothing was tagged; ask the vendor, or name a registry that has all of it with --registry")
}

fn tag(level: Level, from: &Repository, to: &Repository, name: String, digest: Digest) -> Tag {
    let is_level = name == level.to_string();
    let media_type = if is_level { INDEX_TYPE } else { MANIFEST_TYPE };
    Tag { is_level, to: to.clone(), name, digest, media_type, from: from.clone() }
}
