//! Which artifact keys count for which digest: one in use for all, one out of use for what was promoted while it was in
//! use.

use std::collections::BTreeSet;

use sigstore_types::DerPublicKey;

use super::catalog::Catalog;
use crate::digest::Digest;
use crate::keys::{KeyList, KeyState, ListedKey};
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

    pub(super) fn for_digest<'a>(&'a self, digest: &'a Digest) -> impl Iterator<Item = &'a DerPublicKey> {
        let retired = self.retired.iter().filter(|(_, digests)| digests.contains(digest)).map(|(key, _)| key);
        self.in_use.iter().chain(retired)
    }
}

/// Bundles and artifacts of all levels that were promoted before `at`.
fn promoted_before(catalog: &Catalog, at: At) -> BTreeSet<Digest> {
    let mut digests = BTreeSet::new();
    for channel in catalog.channels() {
        for level in channel.levels.iter().filter(|(_, it)| it.promoted_at < at).map(|(level, _)| *level) {
            let Ok(descriptor) = catalog.release(&channel.line, level) else { continue };
            digests.insert(descriptor.release.bundle.digest);
            digests.extend(descriptor.release.components.iter().map(|it| it.artifact.digest()));
        }
    }
    digests
}
