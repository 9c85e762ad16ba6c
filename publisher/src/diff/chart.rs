//! What a newer chart brings, by its files alone: nothing is rendered.

use std::collections::{BTreeMap, BTreeSet};

use pdp_policies::helm_yaml;
use pdp_policies::printable;
use serde::Serialize;
use serde_json::Value;

use super::objects::Definition;
use super::{Change, changes};
use crate::build::in_crds;
use crate::charts::Chart;
use crate::crd_change::breaks;

/// More values than these are counted, not shown.
const MOST_VALUES: usize = 20;

/// All that differs between two charts of one name.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ChartDiff {
    /// Of `Chart.yaml`, such as `/appVersion`.
    pub(crate) about: Vec<Change>,
    /// Of the chart's own values.
    pub(crate) values: Vec<Change>,
    /// What definitions in `crds/` take away.
    pub(crate) definitions: Vec<Definition>,
    /// Definitions in `crds/` that the newer one doesn't have; Helm takes them away nowhere.
    pub(crate) definitions_left: Vec<String>,
    /// Templates that came, went or changed, those of subcharts too.
    pub(crate) templates: BTreeSet<String>,
}

/// # Errors
/// In words, where values or definitions can't be read.
pub(crate) fn charts(was: &Chart, is: &Chart) -> Result<ChartDiff, String> {
    let about = |chart: &Chart| serde_json::from_slice::<Value>(&chart.metadata.config()).unwrap_or_default();
    let (old, new) = (definitions(was)?, definitions(is)?);
    let lost = |(name, old): (&String, &Value)| {
        let new = new.get(name)?;
        Some(
            breaks(old, new)
                .into_iter()
                .map(|lost| Definition { name: name.clone(), lost })
                .collect::<Vec<_>>(),
        )
    };
    Ok(ChartDiff {
        about: changes(&about(was), &about(is)),
        values: changes(&values(was)?, &values(is)?),
        definitions: old.iter().filter_map(lost).flatten().collect(),
        definitions_left: old.keys().filter(|name| !new.contains_key(*name)).cloned().collect(),
        templates: templates(was, is),
    })
}

fn values(chart: &Chart) -> Result<Value, String> {
    let text = String::from_utf8_lossy(chart.file("values.yaml").unwrap_or_default());
    let values = helm_yaml::values_file(&text).map_err(|problem| format!("values.yaml: {problem}"))?;
    Ok(Value::Object(values))
}

fn definitions(chart: &Chart) -> Result<BTreeMap<String, Value>, String> {
    let mut found = BTreeMap::new();
    for (path, bytes) in chart.files().into_iter().filter(|(path, _)| in_crds(path)) {
        let text = String::from_utf8_lossy(&bytes);
        let documents = helm_yaml::documents(text.trim_start_matches('\u{feff}'));
        for document in documents.map_err(|problem| format!("{path}: {problem}"))? {
            if let Some(name) = document["metadata"]["name"].as_str() {
                found.insert(name.to_owned(), document.clone());
            }
        }
    }
    Ok(found)
}

fn templates(was: &Chart, is: &Chart) -> BTreeSet<String> {
    let of = |chart: &Chart| -> BTreeSet<(String, Vec<u8>)> {
        let files = chart.files().into_iter();
        files.filter(|(path, _)| path.starts_with("templates/") || path.contains("/templates/")).collect()
    };
    of(was).symmetric_difference(&of(is)).map(|(path, _)| path.clone()).collect()
}

/// Line by line, what breaks first.
pub(crate) fn chart_text(diff: &ChartDiff) -> Vec<String> {
    let change = |of: &str, it: &Change| {
        let value = |value: &Value| printable(&value.to_string()).to_string();
        format!("  {of}{}: {} -> {}", printable(&it.field), value(&it.was), value(&it.is))
    };
    let mut lines: Vec<_> =
        diff.definitions.iter().map(|it| format!("  ✗ {}: {}", printable(&it.name), it.lost)).collect();
    lines.extend(diff.definitions_left.iter().map(|it| format!("  ! leaves behind {}", printable(it))));
    lines.extend(diff.about.iter().map(|it| change("Chart.yaml", it)));
    lines.extend(diff.values.iter().take(MOST_VALUES).map(|it| change("values", it)));
    if let Some(more) = diff.values.len().checked_sub(MOST_VALUES).filter(|more| *more > 0) {
        lines.push(format!("  values: {more} more"));
    }
    lines.push(format!("  {} templates differ", diff.templates.len()));
    lines
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn chart(files: &[(&str, &str)]) -> Chart {
        let owned = files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()));
        Chart::read(&owned.collect()).unwrap()
    }

    #[test]
    fn what_a_newer_chart_brings_is_told() {
        let definition = |version: &str| {
            format!(
                "kind: CustomResourceDefinition\nmetadata: {{name: as.example.com}}\n\
                 spec: {{versions: [{{name: {version}, served: true, storage: true}}]}}\n"
            )
        };
        let (v1, v2) = (definition("v1"), definition("v2"));
        let was = chart(&[
            ("Chart.yaml", "{apiVersion: v2, name: a, version: 1.0.0, appVersion: '1'}"),
            ("values.yaml", "replicas: 1\nimage: {tag: '1'}\n"),
            ("crds/a.yaml", &v1),
            ("crds/b.yaml", "kind: CustomResourceDefinition\nmetadata: {name: bs.example.com}\n"),
            ("templates/a.yaml", "a"),
            ("templates/same.yaml", "a"),
        ]);
        let is = chart(&[
            (
                "Chart.yaml",
                "{apiVersion: v2, name: a, version: 1.1.0, appVersion: '2', kubeVersion: '>=1.30'}",
            ),
            ("values.yaml", "replicas: 1\nimage: {tag: '2'}\n"),
            ("crds/a.yaml", &v2),
            ("templates/b.yaml", "a"),
            ("templates/same.yaml", "a"),
        ]);
        let lines = chart_text(&charts(&was, &is).unwrap());
        assert_eq!(
            lines,
            [
                "  ✗ as.example.com: version v1 is gone, in which objects are stored",
                "  ! leaves behind bs.example.com",
                "  Chart.yaml/appVersion: \"1\" -> \"2\"",
                "  Chart.yaml/kubeVersion: null -> \">=1.30\"",
                "  Chart.yaml/version: \"1.0.0\" -> \"1.1.0\"",
                "  values/image/tag: \"1\" -> \"2\"",
                "  2 templates differ",
            ]
        );
        assert_eq!(chart_text(&charts(&is, &is).unwrap()), ["  0 templates differ"]);
    }

    #[test]
    fn what_can_not_be_read_is_said() {
        let bad =
            chart(&[("Chart.yaml", "{apiVersion: v2, name: a, version: 1.0.0}"), ("values.yaml", "a: [")]);
        assert!(charts(&bad, &bad).unwrap_err().starts_with("values.yaml: "));
    }
}
