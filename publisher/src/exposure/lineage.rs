//! The levels that a level is made of: itself, its base, the base's base. What a hotfix fixes is in no level that isn't made
//! of it, however high that is.

use std::collections::BTreeMap;

use pdp_policies::release::{Release, ReleaseKind};
use pdp_policies::{Digest, Level};

/// Of one level.
#[derive(Debug)]
pub(crate) struct Lineage<'a>(BTreeMap<Level, &'a Release>);

impl<'a> Lineage<'a> {
    /// Where a base isn't published any more, or none was named, every lower level that wasn't a hotfix counts.
    pub(crate) fn of(level: Level, releases: &'a [(Release, Digest)]) -> Self {
        let by_level: BTreeMap<_, _> = releases.iter().map(|(release, _)| (release.level, release)).collect();
        let (mut found, mut next) = (BTreeMap::new(), Some(level));
        while let Some(at) = next {
            let Some(release) = by_level.get(&at) else { break };
            found.insert(at, *release);
            // Superseded hotfixes are folded in.
            found.extend(release.supersedes.iter().filter_map(|old| Some((*old, *by_level.get(old)?))));
            next = release.base.filter(|base| *base < at);
        }
        let lowest = found.keys().next().copied().unwrap_or(level);
        let lower =
            by_level.into_iter().filter(|(other, it)| *other < lowest && it.kind != ReleaseKind::Hotfix);
        found.extend(lower.collect::<Vec<_>>());
        Self(found)
    }

    pub(crate) fn releases(&self) -> impl Iterator<Item = &'a Release> {
        self.0.values().copied()
    }

    pub(crate) fn has(&self, level: Level) -> bool {
        self.0.contains_key(&level)
    }
}
