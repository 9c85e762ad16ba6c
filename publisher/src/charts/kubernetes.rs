//! A chart's `kubeVersion` against what the release lets in.

use std::collections::BTreeSet;

use semver::{Version, VersionReq};

use super::metadata::Metadata;
use super::trouble::Trouble;
use super::version::Range;

/// Minor versions of Kubernetes that are looked at, beside those that the two sides name.
const MINORS: u64 = 100;

/// # Errors
/// `BadChart`, `KubernetesNotRequired`: Helm would refuse the chart in a data plane that the release lets in.
pub(crate) fn check(chart: &Metadata, requires: Option<&VersionReq>) -> Result<(), Trouble> {
    if chart.kube_version.is_empty() {
        return Ok(());
    }
    let wanted = &chart.kube_version;
    let Some(range) = Range::parse(wanted) else {
        let message = format!("`kubeVersion: {wanted}` is no range of versions");
        return Err(Trouble::new("Chart.yaml", "BadChart", message, "Helm installs it nowhere: correct it"));
    };
    let Some(refused) = let_in_and_refused(requires, &range) else { return Ok(()) };
    let said = requires.map_or_else(|| "nothing".to_owned(), |requires| format!("`{requires}`"));
    let message = format!(
        "the chart takes Kubernetes {wanted}, requires.kubernetes says {said}: {refused} is let in and refused by Helm"
    );
    let hint = "narrow `requires.kubernetes` until the chart takes all of it";
    Err(Trouble::new("Chart.yaml", "KubernetesNotRequired", message, hint))
}

/// The lowest version that the release lets in and the chart doesn't take. Helm looks at the three numbers alone.
fn let_in_and_refused(requires: Option<&VersionReq>, range: &Range) -> Option<Version> {
    let comparators = requires.into_iter().flat_map(|requires| &requires.comparators);
    let required = comparators.map(|of| (of.minor.unwrap_or(0), of.patch.unwrap_or(0)));
    let ranged = range.named().map(|version| (version.minor, version.patch));
    let mut asked: BTreeSet<(u64, u64)> = (0..MINORS).map(|minor| (minor, 0)).collect();
    for (minor, patch) in required.chain(ranged) {
        let patches = [patch.saturating_sub(1), patch, patch.saturating_add(1)];
        asked.extend(patches.map(|patch| (minor, patch)));
    }
    let versions = asked.into_iter().map(|(minor, patch)| Version::new(1, minor, patch));
    let let_in = |version: &Version| requires.is_none_or(|requires| requires.matches(version));
    versions.filter(let_in).find(|version| !range.takes(version))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn whatever_the_release_lets_in_the_chart_has_to_take() {
        for (requires, kube_version, refused) in [
            (Some(">=1.33"), ">=1.25.0-0", None),
            (Some(">=1.25"), ">= 1.25.0-0", None),
            (Some(">=1.24"), ">=1.25.0-0", Some("1.24.0")),
            (Some(">=1.33"), ">=1.25 <1.40.0-0", Some("1.40.0")),
            (Some(">=1.33, <1.40"), ">=1.25 <1.40.0-0", None),
            (Some(">=1.33"), ">=1.33.2", Some("1.33.0")),
            (Some(">=1.33.2"), ">1.33.1", None),
            (Some("=1.34"), "1.33.x", Some("1.34.0")),
            (None, ">=1.19.0-0", Some("1.0.0")),
            (None, "*", None),
            (Some(">=1.33"), ">=1.33, !=1.34.5", Some("1.34.5")),
        ] {
            let requires = requires.map(|text| text.parse().unwrap());
            let found = let_in_and_refused(requires.as_ref(), &Range::parse(kube_version).unwrap());
            assert_eq!(
                found.map(|version| version.to_string()).as_deref(),
                refused,
                "{requires:?} {kube_version}"
            );
        }
    }
}
