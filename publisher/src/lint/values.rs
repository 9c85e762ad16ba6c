//! Values of the release itself: files beside the levels, read as Helm reads them.

use std::path::Path;

use pdp_policies::helm_yaml;
use pdp_policies::release_values;
use serde_json::{Map, Value};

use super::{Report, samples};
use crate::release_file::{ComponentEntry, Given};

const HINT: &str = "write values as in a chart's values.yaml, in one document";

/// What the files say that could be read; the others become findings.
pub(super) fn read(release: &Path, component: &ComponentEntry, report: &mut Report<'_>) -> Given {
    let place = format!("components.{}", component.name);
    let mut given = Given::default();
    if let Some(file) = &component.values {
        given.all = table(release, file, &format!("{place}.values"), report);
    }
    for (platform, file) in &component.platform_values {
        let values = table(release, file, &format!("{place}.platformValues.{platform}"), report);
        given.each.insert(*platform, values);
    }
    let mut problems = release_values::wrong(&given.all, &given.each);
    problems.extend(release_values::elsewhere(&given.each, &component.platforms));
    let named = component.values.is_some() || !component.platform_values.is_empty();
    if component.chart.is_none() && named {
        problems.push("manifests have no values".to_owned());
    }
    for problem in problems {
        report.add(format!("{place}.values"), "BadValues", problem, "correct the files that it names");
    }
    given
}

fn table(release: &Path, file: &str, place: &str, report: &mut Report<'_>) -> Map<String, Value> {
    let cause = match samples::one(release, file).map(|text| read_text(&text)) {
        Ok(Ok(values)) => return values,
        Ok(Err(cause)) | Err(cause) => cause,
    };
    report.add(place, "ValuesUnreadable", format!("`{}`: {cause}", pdp_policies::printable(file)), HINT);
    Map::new()
}

/// Helm drops a second document of a ConfigMap in silence, so it is refused.
fn read_text(text: &str) -> Result<Map<String, Value>, String> {
    let values = helm_yaml::values(text).map_err(|problem| problem.to_string())?;
    match helm_yaml::documents(text).map_err(|problem| problem.to_string())?.len() {
        0 | 1 => Ok(values),
        _ => Err("more than one document".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic)]
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_read_as_helm_reads_them_and_one_document_is_all() {
        for (text, wanted) in [
            ("", Ok(json!({}))),
            ("mode: 0644\non: y\n", Ok(json!({ "mode": 420, "true": true }))),
            ("---\na: 1\n", Ok(json!({ "a": 1 }))),
            ("a: 1\n---\nb: 2\n", Err("more than one document")),
            ("- a\n", Err("file: not a mapping of names to values")),
            ("a: [\n", Err("1:4")),
        ] {
            match (read_text(text).map(Value::Object), wanted) {
                (Ok(found), Ok(wanted)) => assert_eq!(found, wanted, "{text:?}"),
                (Err(found), Err(wanted)) => assert!(found.starts_with(wanted), "{text:?}: {found}"),
                other => panic!("{text:?}: {other:?}"),
            }
        }
    }
}
