//! Which artifact keys count for which digest: one in use for all, one out of use for what was promoted while it was in
//! use.

use std::collections::BTreeSet;

use sigstore_types::DerPublicKey;

use super::catalog::Catalog;
use crate::digest::Digest;
use crate::keys::{KeyList, KeyState, ListedKey};
use crate::names::{Level, Line};
use crate::time::At;

/// The artifact keys that count.
#[derive(Debug, Clone)]
pub struct Vouchers {
    in_use: Vec<DerPublicKey>,
    retired: Vec<(DerPublicKey, BTreeSet<Digest>)>,
}

impl Vouchers {
    /// As a catalog lists them. A key without the date of its retirement vouches for nothing.
    pub fn of(catalog: &Catalog) -> Self {
        Self::under(catalog, catalog.artifact_keys())
    }

    /// Those that count for statements about artifacts, in the same way; for images, too.
    pub fn of_statements(catalog: &Catalog) -> Self {
        Self::under(catalog, catalog.statement_keys())
    }

    /// As another list would have it for what this catalog promotes: what a change of keys would cost.
    pub fn under(catalog: &Catalog, keys: &KeyList) -> Self {
        let retired = keys.keys.iter().filter(|key| key.state == KeyState::Retired);
        let since = |key: &ListedKey| Some((key.der()?, promoted_before(catalog, key.retired_at?)));
        Self { retired: retired.filter_map(since).collect(), ..Self::in_use(keys) }
    }

    /// Those of a list that sign today.
    pub fn in_use(keys: &KeyList) -> Self {
        Self { in_use: keys.active_keys().filter_map(ListedKey::der).collect(), retired: Vec::new() }
    }

    /// True if no key counts for anything.
    pub fn is_empty(&self) -> bool {
        self.in_use.is_empty() && self.retired.is_empty()
    }

    pub(super) fn for_digest<'a>(&'a self, digest: &'a Digest) -> impl Iterator<Item = &'a DerPublicKey> {
        let retired = self.retired.iter().filter(|(_, digests)| digests.contains(digest)).map(|(key, _)| key);
        self.in_use.iter().chain(retired)
    }
}

/// What one level would lose with the last of others: its artifacts that only a key out of use signed count because
/// these levels held them before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carried {
    /// The level that holds them now; none for one of another line.
    pub level: Option<Level>,
    /// Levels of the line that held one of them while the key was in use.
    pub by: BTreeSet<Level>,
}

/// All that levels of `line` carry for levels that were promoted later, of whatever line.
pub fn carried(catalog: &Catalog, line: &Line) -> Vec<Carried> {
    let retired = catalog.artifact_keys().keys.iter().filter(|key| key.state == KeyState::Retired);
    let dates: BTreeSet<At> = retired.filter_map(|key| key.retired_at).collect();
    if dates.is_empty() {
        return Vec::new();
    }
    let (mut own, mut all) = (Vec::new(), Vec::new());
    for channel in catalog.channels() {
        for (level, promotion) in &channel.levels {
            let Some(digests) = digests_of(catalog, &channel.line, *level) else { continue };
            if channel.line == *line {
                own.push((*level, promotion.promoted_at, digests.clone()));
            }
            all.push(((channel.line == *line).then_some(*level), promotion.promoted_at, digests));
        }
    }
    let mut found = Vec::new();
    for date in dates {
        for (level, _, digests) in all.iter().filter(|(_, at, _)| *at >= date) {
            for digest in digests {
                let held = own.iter().filter(|(_, at, held)| *at < date && held.contains(digest));
                let by: BTreeSet<Level> = held.map(|(level, ..)| *level).collect();
                found.extend((!by.is_empty()).then_some(Carried { level: *level, by }));
            }
        }
    }
    found
}

/// Bundle and artifacts of a level.
fn digests_of(catalog: &Catalog, line: &Line, level: Level) -> Option<BTreeSet<Digest>> {
    let release = &catalog.release(line, level).ok()?.release;
    let artifacts = release.components.iter().map(|it| it.artifact.digest());
    Some(artifacts.chain([release.bundle.digest]).collect())
}

/// Bundles, artifacts and images of all levels that were promoted before `at`.
fn promoted_before(catalog: &Catalog, at: At) -> BTreeSet<Digest> {
    let mut digests = BTreeSet::new();
    for channel in catalog.channels() {
        for level in channel.levels.iter().filter(|(_, it)| it.promoted_at < at).map(|(level, _)| *level) {
            digests.extend(digests_of(catalog, &channel.line, level).into_iter().flatten());
            let release = catalog.release(&channel.line, level);
            digests.extend(release.iter().flat_map(|it| it.release.images()).map(|image| image.digest));
        }
    }
    digests
}
