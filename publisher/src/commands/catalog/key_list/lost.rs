//! Which promoted levels a change of the artifact keys would leave without a signature that counts.

use std::fmt;
use std::sync::Arc;

use pdp_policies::trust::{Vouchers, signed_artifact};
use pdp_policies::{At, KeyList, Level, Line, Release};
use pdp_transport::Kind;
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::oci::{Registry, Repository};

use crate::catalog::{Current, published};
use crate::commands::release::{Nowhere, found, named, places, signatures};
use crate::several::gather;

/// A level, and what nobody would vouch for any more.
#[derive(Debug)]
pub(super) struct Lost {
    line: Line,
    pub(super) level: Level,
    /// The bundle or a component, and why its signatures don't count.
    what: String,
    why: String,
    /// Why it can't be looked at: signatures may be there that nobody sees from here.
    pub(super) unseen: Option<Failure>,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "level {} of `{}`: {}: {}", self.level, self.line, self.what, self.why)
    }
}

/// Looks at every promoted level where data planes find it, those that were withdrawn too: they may still run somewhere.
/// Of each one the first thing that would be lost is told. What can't be looked at is told as such.
pub(super) async fn lost(
    current: &Current,
    list: &KeyList,
    registry: Registry,
    elsewhere: Option<&str>,
    now: At,
) -> Result<Vec<Lost>> {
    let keys = Arc::new(Vouchers::under(&current.catalog, list));
    let registry = Arc::new(registry);
    let mut levels = Vec::new();
    for (line, level) in promoted(current) {
        let release = current.catalog.release(&line, level)?.release.clone();
        levels.push((places(current.catalog.channel(&line), &release, elsewhere, now)?, release));
    }
    let lost = gather("levels", levels, move |(places, release)| {
        let (registry, keys) = (registry.clone(), keys.clone());
        async move { Ok(first_lost(&registry, &places, &release, &keys).await) }
    });
    let mut found: Vec<_> = lost.await?.into_iter().flatten().collect();
    found.sort_by(|a, b| (&a.line, a.level).cmp(&(&b.line, b.level)));
    Ok(found)
}

async fn first_lost(
    registry: &Registry,
    places: &[Repository],
    release: &Release,
    keys: &Vouchers,
) -> Option<Lost> {
    let lost = |what: &str, why: String, unseen: Option<Failure>| {
        Some(Lost { line: release.line.clone(), level: release.level, what: what.to_owned(), why, unseen })
    };
    let repository = match found(registry, places, &release.bundle.digest).await {
        Ok((repository, _)) => repository,
        // What isn't there has no signature either; anything else may pass.
        Err(Nowhere { is_gone, failure }) => {
            let why = failure.cause.as_ref().map_or_else(String::new, |cause| format!(": {cause}"));
            let why = format!("[{}] {}{why}", failure.code, failure.what);
            return lost("the bundle", why, (!is_gone).then_some(failure));
        }
    };
    for (what, digest) in named(release) {
        match signatures(registry, &repository, &digest).await {
            Ok(found) => {
                if let Err(refusal) = signed_artifact(what, &digest, &found, keys) {
                    return lost(what, refusal.to_string(), None);
                }
            }
            Err(error) if error.kind == Kind::NotFound => return lost(what, error.to_string(), None),
            Err(error) => return lost(what, error.to_string(), Some(error.into())),
        }
    }
    None
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
