//! Everything that a level needs in registries, whether it is there or not.

use std::collections::{BTreeMap, BTreeSet};

use pdp_policies::trust::SIGSTORE_BUNDLE;
use pdp_policies::{Digest, Level, Release};
use pdp_transport::cli::failure::Result;
use pdp_transport::oci::{Registry, Repository};

use crate::commands::release::named;
use crate::images::{From, reach};

/// More attachments of one thing aren't listed: signatures and statements of ten years.
const MAX_ATTACHED: usize = 256;

/// What must stay, and for which levels.
#[derive(Debug, Default)]
pub(crate) struct Needed {
    pub(crate) digests: BTreeMap<(Repository, Digest), BTreeSet<Level>>,
    /// What is needed and isn't there.
    pub(crate) absent: BTreeSet<String>,
    /// Images that were read, with every document.
    images: BTreeMap<(Repository, Digest), BTreeSet<Digest>>,
}

impl Needed {
    fn add(&mut self, repository: &Repository, digest: Digest, level: Level) {
        self.digests.entry((repository.clone(), digest)).or_default().insert(level);
    }

    /// What a repository must keep.
    pub(crate) fn of(&self, repository: &Repository) -> BTreeSet<Digest> {
        let there = |(place, _): &&(Repository, Digest)| place.to_string() == repository.to_string();
        self.digests.keys().filter(there).map(|(_, digest)| *digest).collect()
    }
}

/// Where a level's bundle lies, and whether it is there.
#[derive(Debug)]
pub(crate) struct Where {
    pub(crate) repository: Repository,
    pub(crate) is_there: bool,
}

/// Adds a level: its bundle, components, and its images with all parts; signatures and statements of each.
///
/// # Errors
/// `BadImage`, and what requests can end with; what isn't there is no error.
pub(crate) async fn needed(
    registry: &Registry,
    release: &Release,
    bundle: &Where,
    place: impl Fn(&str) -> Result<Repository>,
    all: &mut Needed,
) -> Result<()> {
    for (what, digest) in named(release) {
        all.add(&bundle.repository, digest, release.level);
        if !bundle.is_there {
            all.absent.insert(format!("{what} of level {}: {}@{digest}", release.level, bundle.repository));
            continue;
        }
        for entry in registry.referrers(&bundle.repository, &digest, SIGSTORE_BUNDLE, MAX_ATTACHED).await? {
            all.add(&bundle.repository, entry.digest, release.level);
        }
    }
    for image in release.images() {
        let place = place(image.pull_name())?;
        // Only there can the vendor have attached anything.
        let own = place.host == bundle.repository.host;
        image_parts(registry, &place, (image.digest, own), release.level, all).await?;
    }
    Ok(())
}

async fn image_parts(
    registry: &Registry,
    repository: &Repository,
    (digest, own): (Digest, bool),
    level: Level,
    all: &mut Needed,
) -> Result<()> {
    let key = (repository.clone(), digest);
    // Most images are the same in many levels: they are read once.
    if !all.images.contains_key(&key) {
        let (documents, gaps) = reach(&From::Registry(registry, repository.clone()), digest).await?;
        all.absent.extend(gaps.keys().map(|gap| format!("{repository}@{gap}, for image {digest}")));
        let mut parts: BTreeSet<_> = documents.iter().map(|it| it.digest).collect();
        for part in documents.iter().filter(|_| own) {
            let attached =
                registry.referrers(repository, &part.digest, SIGSTORE_BUNDLE, MAX_ATTACHED).await?;
            parts.extend(attached.into_iter().map(|it| it.digest));
        }
        parts.extend(gaps.into_keys());
        all.images.insert(key.clone(), parts);
    }
    for part in all.images.get(&key).cloned().unwrap_or_default() {
        all.add(repository, part, level);
    }
    Ok(())
}
