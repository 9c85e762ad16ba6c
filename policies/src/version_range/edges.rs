//! The versions at which a range begins or ends: whoever looks at them has looked at all versions.

use std::collections::BTreeSet;

use semver::{Prerelease, Version};

use super::VersionRange;
use super::bound::Bound;
use crate::present_version::PresentVersion;

/// The first pre-release that there is of any version.
const FIRST_SUFFIX: &str = "alpha";

impl VersionRange {
    /// The versions that can be here at which what is let in, or what Helm takes, may change. Between two of them that
    /// follow each other, all releases are alike; so are those below the first one.
    pub fn edges(&self) -> BTreeSet<Version> {
        let possible = |version: &Version| PresentVersion::from(version.clone()).judged() == version;
        self.alternatives.iter().flatten().flat_map(of_bound).filter(possible).collect()
    }

    /// The lowest version that is let in, of those from `from` on and below `below`, by their numbers: what comes before
    /// one of the two goes with it. None if there is none.
    pub fn lowest(&self, from: &Version, below: Option<&Version>) -> Option<PresentVersion> {
        let mut asked = self.edges();
        asked.insert(from.clone());
        let numbers = |version: &Version| (version.major, version.minor, version.patch);
        let within = |version: &Version| {
            numbers(version) >= numbers(from) && below.is_none_or(|below| numbers(version) < numbers(below))
        };
        asked.into_iter().filter(within).map(PresentVersion::from).find(|present| self.lets_in(present))
    }
}

/// The version that it names, the next ones, and what comes right before and behind a suffix that it names.
fn of_bound(bound: &Bound) -> impl Iterator<Item = Version> {
    let Version { major, minor, patch, ref pre, .. } = bound.version;
    let next = [
        Some(Version::new(major, minor, patch)),
        patch.checked_add(1).map(|patch| Version::new(major, minor, patch)),
        minor.checked_add(1).map(|minor| Version::new(major, minor, 0)),
        major.checked_add(1).map(|major| Version::new(major, 0, 0)),
    ];
    let suffixes = [FIRST_SUFFIX.to_owned(), pre.to_string(), format!("{pre}.0")];
    let named = bound.names_suffix();
    let suffixed = suffixes.into_iter().filter(move |_| named).filter_map(move |suffix| {
        Some(Version { pre: Prerelease::new(&suffix).ok()?, ..Version::new(major, minor, patch) })
    });
    next.into_iter().flatten().chain(suffixed)
}
