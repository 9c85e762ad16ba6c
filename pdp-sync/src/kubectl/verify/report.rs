//! All components together: what differs, and the exit code that says so.

use std::collections::BTreeSet;

use pdp_policies::decision::{DecisionRecord, Phase};
use pdp_policies::{ComponentName, Level};
use pdp_transport::cli::exit;
use serde::Serialize;
use serde_json::Value;

use super::component::{self, DifferenceKind, Row, Side};
use super::pods::{self, Images};
use super::{Found, Objects, artifacts};
use crate::crd::UpdateSubscription;
use crate::kubectl::seen;
use crate::kubectl::table::{or_dash, table};

/// The proof, or what it lacks.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    pdp: String,
    level: Option<Level>,
    /// The level that is on its way, or was given up.
    target: Option<Level>,
    components: Vec<Row>,
    /// Objects with the label that no component accounts for.
    leftovers: Vec<String>,
    pods: Option<Images>,
    /// Commands for stock tools.
    commands: Vec<String>,
}

impl Report {
    /// Another digest weighs most, then what isn't there, then the rest.
    pub(super) fn exit(&self) -> u8 {
        let wrong_pods = self.pods.as_ref().is_some_and(|pods| !pods.wrong.is_empty());
        let any = |kind| self.components.iter().flat_map(|row| &row.differences).any(|d| d.kind == kind);
        if any(DifferenceKind::Digest) || wrong_pods {
            exit::DIGEST
        } else if any(DifferenceKind::Missing) {
            exit::NOT_FOUND
        } else if any(DifferenceKind::Edited) || any(DifferenceKind::NotApplied) || !self.leftovers.is_empty()
        {
            exit::NEGATIVE
        } else {
            exit::DONE
        }
    }
}

/// The releases that components may be of now: one at rest, two while something is or was under way.
pub(super) fn sides(record: &DecisionRecord) -> Vec<Side<'_>> {
    let target = (record.target(), record.inputs());
    let before =
        record.last_good().map(|release| (release, record.last_good_inputs().unwrap_or(record.inputs())));
    match record.phase() {
        Phase::Done {} => vec![target],
        // What both have alike counts as of the level that is installed.
        Phase::Quarantined { .. } | Phase::TakenBack {} => before.into_iter().chain([target]).collect(),
        _ => std::iter::once(target).chain(before).collect(),
    }
}

/// Compares everything.
pub(super) fn report(of: &UpdateSubscription, record: &DecisionRecord, found: &Found) -> Report {
    let sides = sides(record);
    let here = |(release, inputs): &Side<'_>| -> BTreeSet<ComponentName> {
        release
            .components_for(inputs.platform, &inputs.left_out)
            .into_iter()
            .map(|c| c.name.clone())
            .collect()
    };
    let names: BTreeSet<_> = sides.iter().flat_map(here).collect();
    let installed = record.installed();
    let required: BTreeSet<_> = match installed {
        Some(level) => {
            sides.iter().filter(|(release, _)| release.level == level.level).flat_map(here).collect()
        }
        None => BTreeSet::new(),
    };
    let compare = |name| component::compare(name, &sides, &found.objects, required.contains(name));
    Report {
        pdp: seen::id(of).to_string(),
        level: installed.map(|level| level.level),
        target: Some(record.target().level).filter(|target| installed.map(|i| i.level) != Some(*target)),
        components: names.iter().filter_map(compare).collect(),
        leftovers: leftovers(&found.objects, &names),
        pods: found.pods.as_ref().map(|pods| pods::compare(record, pods)),
        commands: artifacts::commands(of, record, &found.keys),
    }
}

/// Sources of earlier digests are kept on purpose; appliers aren't.
fn leftovers(objects: &Objects, names: &BTreeSet<ComponentName>) -> Vec<String> {
    let unknown = |kind: &'static str| {
        move |object: &Value| {
            let name = object["metadata"]["name"].as_str().unwrap_or_default();
            (!names.iter().any(|known| known.as_str() == name)).then(|| format!("{kind} `{name}`"))
        }
    };
    let releases = objects.releases.iter().filter_map(unknown("HelmRelease"));
    releases.chain(objects.kustomizations.iter().filter_map(unknown("Kustomization"))).collect()
}

/// The proof for people.
pub(super) fn text(report: &Report) -> String {
    let target = report.target.map_or_else(String::new, |target| format!(", decided for {target}"));
    let mut lines = vec![format!("{}  level {}{target}", report.pdp, or_dash(report.level))];
    let rows: Vec<_> = report.components.iter().map(row).collect();
    lines.push(table(&["", "COMPONENT", "LEVEL", "KIND", "DIGEST", "IMAGES"], &rows));
    for one in &report.components {
        lines.extend(one.differences.iter().map(|d| format!("  ✗ {}: {}", one.component, d.detail)));
    }
    lines.extend(
        report
            .leftovers
            .iter()
            .map(|what| format!("  ✗ {what} carries the label, but is no component of this level")),
    );
    lines.extend(report.pods.iter().flat_map(pod_lines));
    lines.push(match report.exit() {
        exit::DONE => "✔ what Flux applies is what was decided, digest by digest".to_owned(),
        _ => "✗ something differs from what was decided".to_owned(),
    });
    if !report.commands.is_empty() {
        lines.push("check the signatures with stock tools:".to_owned());
        lines.extend(report.commands.iter().map(|command| format!("  {command}")));
    }
    lines.join("\n")
}

fn row(one: &Row) -> Vec<String> {
    let sign = match (one.pending, one.differences.is_empty()) {
        (true, _) => "◎",
        (false, true) => "✔",
        (false, false) => "✗",
    };
    vec![
        sign.to_owned(),
        one.component.to_string(),
        or_dash(one.level),
        one.kind.to_owned(),
        or_dash(one.digest.map(|digest| digest.short())),
        if one.pending { "not written yet".to_owned() } else { one.images.to_string() },
    ]
}

fn pod_lines(pods: &Images) -> Vec<String> {
    let mut lines: Vec<_> =
        pods.wrong.iter().map(|wrong| format!("  ✗ not by a digest of the release: {wrong}")).collect();
    let sign = if pods.right > 0 { "✔" } else { "◎" };
    lines.push(format!("  {sign} {} containers run images of the release by digest", pods.right));
    lines.extend(pods.foreign.iter().map(|image| format!("  ◎ of no component: {image}")));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubectl::testing::{flux_objects, healthy, record};
    use serde_json::json;

    fn found() -> Found {
        let (sources, releases, kustomizations) = flux_objects(41);
        Found {
            objects: Objects { sources, releases, kustomizations },
            pods: None,
            keys: vec!["artifact-1.pub".to_owned()],
        }
    }

    #[test]
    fn all_as_decided() {
        let report = report(&healthy(), &record("done"), &found());
        insta::assert_snapshot!(text(&report));
        assert_eq!(report.exit(), exit::DONE);
    }

    #[test]
    fn what_differs_is_named_and_the_worst_decides_the_exit_code() {
        let mut bad = found();
        bad.objects.kustomizations.clear();
        bad.objects.releases.push(json!({ "metadata": { "name": "old-thing" } }));
        bad.objects.releases[0]["spec"]["postRenderers"] = json!([]);
        bad.pods = Some(vec![json!({
            "metadata": { "namespace": "kube-system", "name": "p" },
            "spec": { "containers": [{ "image": "quay.io/cilium/cilium:v1" }] },
        })]);
        let worst = report(&healthy(), &record("done"), &bad);
        insta::assert_snapshot!(text(&worst));
        assert_eq!(worst.exit(), exit::DIGEST);
        let mut gone = found();
        gone.objects.kustomizations.clear();
        assert_eq!(report(&healthy(), &record("done"), &gone).exit(), exit::NOT_FOUND);
        let mut late = found();
        late.objects.releases[0]["status"] = json!({});
        assert_eq!(report(&healthy(), &record("done"), &late).exit(), exit::NEGATIVE);
        let mut more = found();
        more.objects.releases.push(json!({ "metadata": { "name": "old-thing" } }));
        assert_eq!(report(&healthy(), &record("done"), &more).exit(), exit::NEGATIVE);
    }

    #[test]
    fn a_level_on_its_way_needs_only_the_last_good_one_to_be_there() {
        let report = report(&healthy(), &record("applying"), &found());
        assert_eq!(report.exit(), exit::DONE, "{}", text(&report));
        assert_eq!((report.level, report.target), (Some(Level(41)), Some(Level(42))));
    }
}
