//! The version of what is here: of the cluster's Kubernetes and Flux, and of pdp-sync itself.

use std::fmt;
use std::str::FromStr;

use semver::{Prerelease, Version};

use crate::printable::printable;

/// Longer texts are no versions (bytes).
const MAX_VERSION: usize = 256;
/// What comes before a release begins with one of these and a number, if any; every other suffix is a vendor's.
const BEFORE_RELEASES: [&str; 7] = ["alpha", "beta", "rc", "pre", "preview", "dev", "snapshot"];

/// A text that begins with no version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no version: it has to begin with two or three numbers, such as v1.34.1")]
pub struct NotAVersion(String);

/// A version as it says itself, and the one that it counts as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresentVersion {
    said: String,
    judged: Version,
}

impl PresentVersion {
    /// What it counts as: `v1.34.1-gke.1829001` is 1.34.1, `v1.36.0-rc.0` comes before 1.36.0.
    pub fn judged(&self) -> &Version {
        &self.judged
    }
}

/// The one rule for suffixes. What follows `+` never counts, what follows `-` only if it begins with a word for what
/// comes before a release.
fn judged(numbers: Version, suffix: &str) -> Version {
    let first = suffix.split(['.', '-']).next().unwrap_or_default();
    let word = first.trim_end_matches(|c: char| c.is_ascii_digit()).to_ascii_lowercase();
    if !BEFORE_RELEASES.contains(&word.as_str()) {
        return numbers;
    }
    // Texts that are no suffix to semver (`rc.01`) come before the release, too.
    let pre = Prerelease::new(suffix).or_else(|_| Prerelease::new(&word)).unwrap_or_default();
    Version { pre, ..numbers }
}

/// `1.34` or `1.34.1`.
fn numbers(text: &str) -> Option<Version> {
    let mut parts = text.split('.').map(|digits| match digits.bytes().all(|b| b.is_ascii_digit()) {
        true => digits.parse().ok(),
        false => None,
    });
    let (major, minor, patch) = (parts.next()??, parts.next()??, parts.next().unwrap_or(Some(0))?);
    parts.next().is_none().then(|| Version::new(major, minor, patch))
}

impl FromStr for PresentVersion {
    type Err = NotAVersion;
    fn from_str(text: &str) -> Result<Self, NotAVersion> {
        let bad = || NotAVersion(printable(&text.chars().take(80).collect::<String>()));
        let bare = text.strip_prefix('v').unwrap_or(text);
        let (bare, _) = bare.split_once('+').unwrap_or((bare, ""));
        let (bare, suffix) = bare.split_once('-').unwrap_or((bare, ""));
        let numbers = numbers(bare).filter(|_| text.len() <= MAX_VERSION).ok_or_else(bad)?;
        Ok(Self { said: printable(text), judged: judged(numbers, suffix) })
    }
}

impl From<Version> for PresentVersion {
    fn from(version: Version) -> Self {
        let numbers = Version::new(version.major, version.minor, version.patch);
        Self { said: version.to_string(), judged: judged(numbers, &version.pre) }
    }
}

impl fmt::Display for PresentVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.said)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_vendors_suffix_counts_as_the_release_and_what_comes_before_it_does_not() {
        for (said, counts_as) in [
            ("v1.34.1", "1.34.1"),
            ("v1.34", "1.34.0"),
            ("1.30.4", "1.30.4"),
            ("v1.34.1-gke.1829001", "1.34.1"),
            ("v1.33.4-eks-113cf36", "1.33.4"),
            ("v1.30.4+k3s1", "1.30.4"),
            ("v1.31.2+rke2r1", "1.31.2"),
            ("v1.32.7-aks.1", "1.32.7"),
            ("v1.30.4-aliyun.01", "1.30.4"),
            ("v1.30.4+vmware.1-fips", "1.30.4"),
            ("v1.34.1-0", "1.34.1"),
            ("v1.34.1-12+a6c1b2f", "1.34.1"),
            ("v1.34.1-rc_oops", "1.34.1"),
            ("v1.34.1-r0-34.0.4", "1.34.1"),
            ("v1.36.0-alpha.1", "1.36.0-alpha.1"),
            ("v1.36.0-beta.2", "1.36.0-beta.2"),
            ("v1.36.0-rc.0", "1.36.0-rc.0"),
            ("v1.36.0-rc.0.12+a6c1b2f", "1.36.0-rc.0.12"),
            ("v1.36.0-alpha.1-gke.7", "1.36.0-alpha.1-gke.7"),
            ("v1.30.4-rc1+k3s1", "1.30.4-rc1"),
            ("v1.36.0-RC.1", "1.36.0-RC.1"),
            ("v1.36.0-rc.01", "1.36.0-rc"),
            ("v2.8.0-preview.1", "2.8.0-preview.1"),
            ("0.9.0-dev", "0.9.0-dev"),
        ] {
            let read: PresentVersion = said.parse().unwrap();
            assert_eq!((read.to_string().as_str(), read.judged().to_string().as_str()), (said, counts_as));
            if let Some(version) = crate::version_range::version(said) {
                assert_eq!(PresentVersion::from(version).judged(), read.judged(), "{said}");
            }
        }
    }

    #[test]
    fn what_begins_with_no_version_is_none() {
        let long = format!("v1.34.1-{}", "a".repeat(MAX_VERSION));
        for text in [
            "",
            "v",
            "1",
            "latest",
            "v1.x",
            "V1.2",
            "1.2.3.4",
            "1..2",
            " 1.2",
            "1.2 ",
            "v99999999999999999999.0",
            &long,
        ] {
            assert!(text.parse::<PresentVersion>().is_err(), "{text}");
        }
        let shown: PresentVersion = "v1.34.1-a\u{1b}[2K".parse().unwrap();
        assert_eq!(shown.to_string(), "v1.34.1-a\\u{1b}[2K");
    }
}
