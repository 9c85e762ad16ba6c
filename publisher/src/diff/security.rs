//! What a level fixes: by itself, or by the levels that it is made of.

use pdp_policies::release::Advisory;

use super::Published;
use crate::exposure::Lineage;

/// Each advisory once: the level's own first, then those of the newest level that it is made of.
pub(super) fn fixed(of: &Published, all: &[Published]) -> Vec<Advisory> {
    let level = of.0.level;
    // One that is built anew is compared as it is, not as it was published.
    let mut all: Vec<_> = all.iter().filter(|(other, _)| other.level != level).cloned().collect();
    all.push(of.clone());
    let lineage = Lineage::of(level, &all);
    let mut releases: Vec<_> = lineage.releases().collect();
    releases.sort_by_key(|release| std::cmp::Reverse(release.level));
    let mut found: Vec<Advisory> = of.0.advisories.clone();
    for advisory in releases.into_iter().flat_map(|release| &release.advisories) {
        if found.iter().all(|it| it.id != advisory.id) {
            found.push(advisory.clone());
        }
    }
    found
}
