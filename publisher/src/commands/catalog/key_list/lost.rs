//! Which promoted levels a change of the artifact keys would leave without a signature that counts.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use pdp_policies::trust::{Vouchers, signed_artifact};
use pdp_policies::{KeyList, Level, Line, Release};
use pdp_transport::Kind;
use pdp_transport::cli::failure::Result;
use pdp_transport::oci::{Registry, Repository};

use crate::catalog::{Current, published};
use crate::commands::release::{each, named, signatures, target};

/// A level, and what nobody would vouch for any more.
#[derive(Debug)]
pub(super) struct Lost {
    line: Line,
    pub(super) level: Level,
    /// The bundle or a component, and why its signatures don't count.
    what: String,
    why: String,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "level {} of `{}`: {}: {}", self.level, self.line, self.what, self.why)
    }
}

/// Looks at every promoted level in the registry, those that were withdrawn too: they may still run somewhere. Of each
/// one the first thing that would be lost is told.
pub(super) async fn lost(
    current: &Current,
    list: &KeyList,
    registry: Registry,
    elsewhere: Option<&str>,
) -> Result<Vec<Lost>> {
    let keys = Arc::new(Vouchers::under(&current.catalog, list));
    let (registry, found) = (Arc::new(registry), Arc::new(Mutex::new(Vec::new())));
    let mut levels = Vec::new();
    for (line, level) in promoted(current) {
        let release = current.catalog.release(&line, level)?.release.clone();
        levels.push((target(&release.bundle.repository, elsewhere)?, release));
    }
    let all = found.clone();
    each("levels", levels, move |(repository, release)| {
        let (registry, keys, all) = (registry.clone(), keys.clone(), all.clone());
        async move {
            let lost = first_lost(&registry, &repository, &release, &keys).await?;
            all.lock().unwrap_or_else(PoisonError::into_inner).extend(lost);
            Ok(())
        }
    })
    .await?;
    let mut found = std::mem::take(&mut *found.lock().unwrap_or_else(PoisonError::into_inner));
    found.sort_by(|a, b| (&a.line, a.level).cmp(&(&b.line, b.level)));
    Ok(found)
}

async fn first_lost(
    registry: &Registry,
    repository: &Repository,
    release: &Release,
    keys: &Vouchers,
) -> Result<Option<Lost>> {
    for (what, digest) in named(release) {
        let why = match signatures(registry, repository, &digest).await {
            Ok(found) => signed_artifact(what, &digest, &found, keys).err().map(|it| it.to_string()),
            // What isn't there has no signature either; anything else may pass.
            Err(error) if error.kind == Kind::NotFound => Some(error.to_string()),
            Err(error) => return Err(error.into()),
        };
        if let Some(why) = why {
            let (line, level, what) = (release.line.clone(), release.level, what.to_owned());
            return Ok(Some(Lost { line, level, what, why }));
        }
    }
    Ok(None)
}

fn promoted(current: &Current) -> Vec<(Line, Level)> {
    let of = |channel: &pdp_policies::Channel| {
        let levels = channel.levels.keys().map(|level| (channel.line.clone(), *level));
        levels.collect::<Vec<_>>()
    };
    current.catalog.channels().flat_map(of).collect()
}

/// Releases of the catalog that no channel promotes.
pub(super) fn unpromoted(current: &Current) -> Result<Vec<(Line, Level)>> {
    let promoted = promoted(current);
    let all = published(current)?.into_iter().map(|release| (release.line, release.level));
    Ok(all.filter(|it| !promoted.contains(it)).collect())
}
