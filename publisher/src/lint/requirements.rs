//! `requires`: that something can meet it at all.

use pdp_policies::VersionRange;
use pdp_policies::release::Requires;
use semver::Version;

use super::Report;

/// The oldest Kubernetes 1 that pdp-sync runs on; there is no Kubernetes 2.
const KUBERNETES: (Version, Version) = (Version::new(1, 30, 0), Version::new(2, 0, 0));
/// The oldest Flux that pdp-sync works with.
const FLUX: Version = Version::new(2, 6, 0);
const ANY: Version = Version::new(0, 0, 0);

pub(super) fn check(requires: &Requires, report: &mut Report<'_>) {
    let Requires { pdp_sync, kubernetes, flux, .. } = requires;
    let (oldest, none) = &KUBERNETES;
    judge("pdpSync", pdp_sync.as_ref(), "version", (&ANY, None), report);
    judge("kubernetes", kubernetes.as_ref(), "Kubernetes from 1.30 on", (oldest, Some(none)), report);
    judge("flux", flux.as_ref(), "Flux from 2.6 on", (&FLUX, None), report);
}

fn judge(
    field: &str,
    required: Option<&VersionRange>,
    what: &str,
    (from, below): (&Version, Option<&Version>),
    report: &mut Report<'_>,
) {
    let Some(required) = required.filter(|required| required.lowest(from, below).is_none()) else { return };
    let message = format!("`{required}` is met by no {what}");
    let hint = "write such as `>=1.33`, `>=1.33 <1.40` or `~1.33 || ~1.35`; a vendor's suffix meets nothing";
    report.add(format!("requires.{field}"), "RequirementNeverMet", message, hint);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn places(requires: &str) -> Vec<String> {
        let requires = pdp_policies::yaml::read(requires).unwrap();
        let mut findings = Vec::new();
        check(&requires, &mut Report { file: String::new(), findings: &mut findings });
        assert!(findings.iter().all(|finding| finding.code == "RequirementNeverMet"));
        findings.into_iter().map(|finding| finding.place).collect()
    }

    #[test]
    fn a_requirement_that_nothing_meets_is_a_finding() {
        for (requires, found) in [
            ("{}", &[][..]),
            ("{pdpSync: '>=0.1.0', kubernetes: '>=1.33', flux: '>=2.7'}", &[]),
            ("{kubernetes: '~1.29 || ~1.30', flux: '2.6.x'}", &[]),
            ("{kubernetes: '<1.31'}", &[]),
            (
                "{pdpSync: '>=2 <1', kubernetes: '>=2 <1', flux: '>=2 <1'}",
                &["requires.pdpSync", "requires.kubernetes", "requires.flux"],
            ),
            ("{kubernetes: '<1.30'}", &["requires.kubernetes"]),
            ("{kubernetes: '<1.20 || >=2'}", &["requires.kubernetes"]),
            ("{kubernetes: '>=33'}", &["requires.kubernetes"]),
            ("{kubernetes: 1.34.1-gke.1829001}", &["requires.kubernetes"]),
            ("{flux: '<2.6'}", &["requires.flux"]),
            ("{flux: '2.7 - 2.6'}", &["requires.flux"]),
            ("{pdpSync: '=0.9.0-rc.1'}", &[]),
            ("{pdpSync: '>1.2.3 <1.2.4'}", &["requires.pdpSync"]),
        ] {
            assert_eq!(places(requires), found, "{requires}");
        }
    }
}
