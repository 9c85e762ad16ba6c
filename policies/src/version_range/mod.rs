//! Ranges of versions, everywhere as Helm reads them (github.com/Masterminds/semver): `1.x || >=2 <3`.

mod bound;
mod edges;
mod older;
mod text;

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use semver::Version;
use serde::{Deserialize, Serialize};

use self::bound::Bound;
pub use self::text::version;
use crate::present_version::PresentVersion;
use crate::printable::printable;

/// The feature that a release names in `critical` if an older reader would take one of its ranges for something else.
pub const VERSION_RANGES: &str = "versionRanges";

/// Longer texts are no ranges to Helm (bytes).
const MAX_RANGE: usize = 512;
/// More alternatives are no range to Helm.
const MAX_ALTERNATIVES: usize = 32;

/// A text that Helm takes for no range of versions.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no range of versions: write such as `>=1.33`, `>=1.33 <1.40`, `1.33 - 1.36` or `~1.33 || ~1.35`, as for Helm"
)]
pub struct BadVersionRange(String);

/// A range: alternatives of bounds that all have to hold. It is kept, and written again, as the text that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct VersionRange {
    text: String,
    alternatives: Vec<Vec<Bound>>,
}

impl VersionRange {
    /// True if Helm takes the version: one before a release only if the same alternative names one before a release.
    pub fn takes(&self, version: &Version) -> bool {
        self.alternatives.iter().any(|bounds| {
            let before_releases = bounds.iter().any(Bound::names_suffix);
            (version.pre.is_empty() || before_releases) && bounds.iter().all(|bound| bound.takes(version))
        })
    }

    /// True if what is here meets it. For releases that is what Helm says; a version before its release meets a bound
    /// without a suffix if both it and the release do.
    pub fn lets_in(&self, present: &PresentVersion) -> bool {
        self.alternatives.iter().any(|bounds| bounds.iter().all(|bound| bound.lets_in(present.judged())))
    }

    /// True if the versions of pdp-sync that read Rust's requirements take the text for the same versions.
    pub fn is_as_before(&self) -> bool {
        older::is_as_before(&self.text)
    }
}

impl FromStr for VersionRange {
    type Err = BadVersionRange;
    fn from_str(text: &str) -> Result<Self, BadVersionRange> {
        let bad = || BadVersionRange(printable(&text.chars().take(80).collect::<String>()));
        let alternatives: Vec<_> = text.split("||").take(MAX_ALTERNATIVES + 1).collect();
        if text.len() > MAX_RANGE || alternatives.len() > MAX_ALTERNATIVES {
            return Err(bad());
        }
        let bounds =
            alternatives.iter().enumerate().map(|(n, alternative)| text::bounds(alternative, n == 0));
        let alternatives = bounds.collect::<Option<_>>().ok_or_else(bad)?;
        Ok(Self { text: text.to_owned(), alternatives })
    }
}

impl TryFrom<String> for VersionRange {
    type Error = BadVersionRange;
    fn try_from(text: String) -> Result<Self, BadVersionRange> {
        text.parse()
    }
}

impl From<VersionRange> for String {
    fn from(range: VersionRange) -> Self {
        range.text
    }
}

impl fmt::Display for VersionRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests;
