//! A HelmRelease as a component.

use pdp_policies::Digest;
use serde_json::Value;

use super::super::{Entry, Left};
use super::fields::{Reason, told};
use super::{Key, Objects, TIMEOUT, Waiting, shown, sources, timeout, values};

/// Fields that are taken over, or say nothing of what is installed.
const COUNT: [&str; 9] = [
    "chart",
    "chartRef",
    "dependsOn",
    "interval",
    "releaseName",
    "targetNamespace",
    "timeout",
    "values",
    "valuesFrom",
];
const REASONS: [Reason; 13] = [
    ("suspend", "it is suspended: a component of a level is applied"),
    ("kubeConfig", "it goes to another cluster: give that one a subscription of its own"),
    ("postRenderers", "a release has none of its own: bring it into the values, or into a chart"),
    ("commonMetadata", "a release adds no labels: bring them into the values, or into a chart"),
    ("serviceAccountName", "pdp-sync's subscription says on whose rights components are applied"),
    ("storageNamespace", "a component's records lie in its own namespace"),
    ("install", "pdp-sync says how a component is installed: see whether it needs what stands there"),
    ("upgrade", "pdp-sync says how a component is updated: see whether it needs what stands there"),
    ("rollback", "`onFailure` of the component says whether it goes back"),
    ("uninstall", "pdp-sync says how a component is taken away"),
    ("test", "a component is good once its workloads are, for as long as `settle` says"),
    ("driftDetection", "pdp-sync's subscription says what is done about changes by others"),
    ("maxHistory", "pdp-sync says how many records Helm keeps"),
];
/// Of `spec.chart.spec`, and of a HelmChart.
const OF_CHART: [&str; 5] = ["chart", "interval", "reconcileStrategy", "sourceRef", "version"];
const CHART_REASONS: [Reason; 3] = [
    (
        "valuesFiles",
        "the chart's `values.yaml` alone counts: write what those files say into the component's values",
    ),
    (
        "valuesFile",
        "the chart's `values.yaml` alone counts: write what that file says into the component's values",
    ),
    ("verify", "the release is signed as a whole, with the digest of the chart"),
];
/// Of what charts are fetched from.
const OF_SOURCE: [&str; 7] = ["interval", "ref", "timeout", "type", "url", "ignore", "recurseSubmodules"];
const SOURCE_REASONS: [Reason; 4] = [
    ("secretRef", "no login stands in a release: whoever builds it logs in, see docs/release-engineering.md"),
    ("certSecretRef", "no certificate stands in a release: whoever builds it gives `--ca`"),
    ("verify", "the release is signed as a whole, with the digest of the chart"),
    ("suspend", "its source is suspended: the level has the chart that is there now"),
];
/// Helm's limit.
const MAX_RELEASE_NAME: usize = 53;

pub(super) fn component(
    objects: &Objects,
    key: &Key,
    object: &Value,
    left: &mut Vec<Left>,
) -> Option<Waiting> {
    let (spec, (_, namespace, name)) = (&object["spec"], key);
    told(key, ("spec", spec), &COUNT, &REASONS, left);
    told(key, ("spec.chart.spec", &spec["chart"]["spec"]), &OF_CHART, &CHART_REASONS, left);
    told_of_sources(objects, namespace, spec, left);
    let mut tell = |field: &str, why: String| left.push(Left::new(shown(key), field, why));
    let origin = match sources::of(objects, namespace, spec) {
        Ok(origin) => origin,
        Err((field, why)) => {
            tell(field, why);
            return None;
        }
    };
    let target = spec["targetNamespace"].as_str().unwrap_or(namespace);
    let names = name.parse().ok().zip(release_name(spec, name).parse().ok()).zip(target.parse().ok());
    let Some(((component, release_name), target)) = names else {
        tell("", "its name, its release's or its namespace's is none that a component can have".to_owned());
        return None;
    };
    let (values, problems) = values::of(objects, namespace, spec);
    problems.into_iter().for_each(|(field, why)| tell(&field, why));
    let entry = Entry {
        name: component,
        stage: 1,
        origin,
        release_name,
        namespace: target,
        timeout: timeout(&spec["timeout"]).unwrap_or(TIMEOUT),
        values,
    };
    Some(Waiting { key: key.clone(), entry, after: after(key, spec) })
}

fn told_of_sources(objects: &Objects, namespace: &str, spec: &Value, left: &mut Vec<Left>) {
    for source in sources::keys(objects, namespace, spec) {
        let Some(object) = objects.of(&source) else { continue };
        let (counts, reasons) = match source.0.as_str() {
            "HelmChart" => (&OF_CHART[..], &CHART_REASONS[..]),
            _ => (&OF_SOURCE[..], &SOURCE_REASONS[..]),
        };
        told(&source, ("spec", &object["spec"]), counts, reasons, left);
    }
}

/// As Flux names a release that says no name: with the namespace that it goes to, and cut with a hash.
fn release_name(spec: &Value, name: &str) -> String {
    let given = spec["releaseName"].as_str().filter(|it| !it.is_empty());
    let whole = match (given, spec["targetNamespace"].as_str().filter(|it| !it.is_empty())) {
        (Some(given), _) => given.to_owned(),
        (None, Some(target)) => format!("{target}-{name}"),
        (None, None) => name.to_owned(),
    };
    if whole.len() <= MAX_RELEASE_NAME {
        return whole;
    }
    let hash = Digest::of(whole.as_bytes()).hex();
    let cut: String = whole.chars().take(40).collect();
    format!("{cut}-{}", hash.get(..12).unwrap_or_default())
}

/// In the same namespace unless another is named.
pub(super) fn after(key: &Key, spec: &Value) -> Vec<Key> {
    let all = spec["dependsOn"].as_array().into_iter().flatten();
    let one = |it: &Value| {
        let namespace = it["namespace"].as_str().unwrap_or(&key.1).to_owned();
        Some((key.0.clone(), namespace, it["name"].as_str()?.to_owned()))
    };
    all.filter_map(one).collect()
}
