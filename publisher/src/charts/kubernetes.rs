//! A chart's `kubeVersion` against what the release lets in.

use std::collections::BTreeSet;

use pdp_policies::{Platform, PresentVersion, VersionRange};
use semver::{Prerelease, Version};

use super::metadata::Metadata;
use super::trouble::Trouble;

/// Kubernetes 1 is looked at, no other.
const MAJOR: u64 = 1;
/// The suffixes of the platforms that always have one, so that the chart is judged without a cluster.
const SUFFIXES: [(Platform, &str); 2] = [(Platform::Aws, "eks-1"), (Platform::Gcp, "gke.1")];

/// # Errors
/// `BadChart`, `KubernetesNotRequired`, `KubernetesSuffixRefused`: Helm would refuse the chart in a data plane that the
/// release lets in.
pub(crate) fn check(
    chart: &Metadata,
    requires: Option<&VersionRange>,
    platforms: &[Platform],
) -> Result<(), Trouble> {
    if chart.kube_version.is_empty() {
        return Ok(());
    }
    let wanted = &chart.kube_version;
    let Ok(range) = wanted.parse() else {
        let message = format!("`kubeVersion: {wanted}` is no range of versions");
        return Err(Trouble::new("Chart.yaml", "BadChart", message, "Helm installs it nowhere: correct it"));
    };
    if let Some(refused) = let_in_and_refused(requires, &range, "") {
        let said = requires.map_or_else(|| "nothing".to_owned(), |requires| format!("`{requires}`"));
        let message = format!(
            "the chart takes Kubernetes {wanted}, requires.kubernetes says {said}: {refused} is let in and refused by Helm"
        );
        let hint = "narrow `requires.kubernetes` until the chart takes all of it";
        return Err(Trouble::new("Chart.yaml", "KubernetesNotRequired", message, hint));
    }
    let runs_on = |platform: &Platform| platforms.is_empty() || platforms.contains(platform);
    let suffixes = SUFFIXES.iter().filter(|(platform, _)| runs_on(platform));
    let mut refused =
        suffixes.filter_map(|(of, suffix)| Some((of, let_in_and_refused(requires, &range, suffix)?)));
    refused.next().map_or(Ok(()), |(platform, refused)| {
        let message = format!(
            "the chart takes Kubernetes {wanted}: Helm takes v{refused} of {platform} for what comes before the release, and refuses it"
        );
        let hint = "write a suffix behind each version of `kubeVersion`, such as `>=1.25.0-0`, or leave out the platform";
        Err(Trouble::new("Chart.yaml", "KubernetesSuffixRefused", message, hint))
    })
}

/// The lowest version that the release lets in and that Helm refuses with this suffix. In a cluster Helm looks at all that
/// the cluster says, so a vendor's suffix is a version before the release.
fn let_in_and_refused(
    requires: Option<&VersionRange>,
    range: &VersionRange,
    suffix: &str,
) -> Option<Version> {
    let mut asked: BTreeSet<Version> =
        requires.into_iter().chain([range]).flat_map(VersionRange::edges).collect();
    asked.insert(Version::new(MAJOR, 0, 0));
    let suffixed = |version: Version| Some(Version { pre: Prerelease::new(suffix).ok()?, ..version });
    let let_in =
        |version: &Version| requires.is_none_or(|it| it.lets_in(&PresentVersion::from(version.clone())));
    let releases = asked.into_iter().filter(|version| version.major == MAJOR && version.pre.is_empty());
    releases.filter_map(suffixed).filter(let_in).find(|version| !range.takes(version))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn refused(requires: Option<&str>, kube_version: &str, suffix: &str) -> Option<String> {
        let requires = requires.map(|text| text.parse().unwrap());
        let found = let_in_and_refused(requires.as_ref(), &kube_version.parse().unwrap(), suffix);
        found.map(|version| version.to_string())
    }

    #[test]
    fn whatever_the_release_lets_in_the_chart_has_to_take() {
        for (requires, kube_version, lowest) in [
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
            (Some(">=1.33, !=1.34.5"), ">=1.33, !=1.34.5", None),
            (Some("~1.33 || ~1.35"), ">=1.33 <1.34 || >=1.35", None),
            (Some("~1.33 || ~1.35"), ">=1.33 <1.35", Some("1.35.0")),
            (Some("1.33 - 1.36"), "<1.36.4 || >1.36.4", Some("1.36.4")),
            (Some("!=1.34.x"), "!=1.34.5", None),
            (Some("!=1.34.5"), "!=1.34.x", Some("1.34.0")),
            (Some("!=1.34.0"), "!=1.34.x", Some("1.34.1")),
            (Some(">=1.33"), ">=1.33 <1.777.3 || >1.777.3", Some("1.777.3")),
        ] {
            assert_eq!(refused(requires, kube_version, "").as_deref(), lowest, "{requires:?} {kube_version}");
        }
    }

    #[test]
    fn a_vendors_suffix_is_taken_only_by_a_range_that_names_one() {
        for (requires, kube_version, lowest) in [
            (">=1.33", ">=1.25", Some("1.33.0-eks-1")),
            (">=1.33", ">=1.25.0-0", None),
            (">=1.33", ">=1.33.0-0", None),
            (">=1.33", ">=1.25.0-0 <1.40 || >=1.40", Some("1.40.1-eks-1")),
            (">=1.33 <1.40", ">=1.25.0-0 <1.40.0-0", None),
        ] {
            let (found, expected) = (refused(Some(requires), kube_version, "eks-1"), lowest);
            assert_eq!(found.as_deref(), expected, "{requires} {kube_version}");
        }
    }

    #[test]
    fn platforms_whose_versions_have_no_suffix_need_none() {
        let chart = |range: &str| {
            let yaml = format!("{{apiVersion: v2, name: a, version: 1.0.0, kubeVersion: '{range}'}}");
            super::super::Chart::read(&vec![("Chart.yaml".to_owned(), yaml.into_bytes())]).unwrap().metadata
        };
        let requires = ">=1.33".parse().unwrap();
        for (range, platforms, code) in [
            (">=1.25.0-0", &[][..], None),
            (">=1.25", &[], Some("KubernetesSuffixRefused")),
            (">=1.25", &[Platform::Aws, Platform::Azure], Some("KubernetesSuffixRefused")),
            (">=1.25", &[Platform::Gcp], Some("KubernetesSuffixRefused")),
            (">=1.25", &[Platform::Azure, Platform::OnPrem], None),
            (">=1.35", &[], Some("KubernetesNotRequired")),
            ("newest", &[], Some("BadChart")),
        ] {
            let found = check(&chart(range), Some(&requires), platforms).err().map(|trouble| trouble.code);
            assert_eq!(found, code, "{range} {platforms:?}");
        }
    }
}
