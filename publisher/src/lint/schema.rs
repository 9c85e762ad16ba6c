//! The release's own values against the schema of their chart: what no customer can put right is found here.

use pdp_policies::helm_yaml;
use pdp_policies::values::merged;
use pdp_policies::values_schema::{MAX_SCHEMA_BYTES, violations};
use serde_json::{Map, Value};

use super::Report;
use crate::charts::Chart;
use crate::release_file::ComponentEntry;

const HINT: &str = "correct the component's `values` or `platformValues`";

/// Findings where a chart with its values isn't what its schema takes. Without values of the release it is the chart's own
/// matter; what a subchart's key holds is left to Helm, as `release lock` runs it.
pub(super) fn check(component: &ComponentEntry, chart: &Chart, report: &mut Report<'_>) {
    let Some(schema) = chart.file("values.schema.json") else { return };
    let variants: Vec<_> = component.variants().into_iter().filter(|values| !values.is_empty()).collect();
    if variants.is_empty() {
        return;
    }
    let place = format!("components.{}.values", component.name);
    if schema.len() > MAX_SCHEMA_BYTES {
        let message =
            format!("values.schema.json has more than {MAX_SCHEMA_BYTES} bytes: values aren't judged");
        report.add(place, "SchemaViolation", message, "make the chart's values.schema.json smaller");
        return;
    }
    let Ok(schema) = serde_json::from_slice::<Value>(schema) else { return };
    let text = chart.file("values.yaml").map(String::from_utf8_lossy).unwrap_or_default();
    let Ok(defaults) = helm_yaml::values_file(&text) else { return };
    for values in variants {
        for message in refused(&schema, defaults.clone(), values, &subcharts(chart)) {
            report.add(place.as_str(), "SchemaViolation", message, HINT);
        }
    }
}

/// Keys below which a subchart finds its values.
fn subcharts(chart: &Chart) -> Vec<String> {
    let asked = &chart.metadata.dependencies;
    let key = |name: &String, alias: &String| if alias.is_empty() { name.clone() } else { alias.clone() };
    asked.iter().map(|it| key(&it.name, &it.alias)).collect()
}

/// What the schema refuses of `values` over `defaults`.
fn refused(
    schema: &Value,
    defaults: Map<String, Value>,
    values: Map<String, Value>,
    subcharts: &[String],
) -> Vec<String> {
    match violations(schema, merged(defaults, [values]), subcharts) {
        Ok(found) => found.iter().map(ToString::to_string).collect(),
        Err(cause) => vec![format!("values.schema.json can't be used: {cause}")],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_schema_refuses_is_named_by_its_path() {
        let schema = json!({
            "required": ["replicas", "db"],
            "additionalProperties": false,
            "properties": { "replicas": { "type": "integer" }, "db": { "required": ["user"] } },
        });
        let table = |value: Value| value.as_object().cloned().unwrap_or_default();
        let judge = |values: Value| {
            refused(&schema, table(json!({ "replicas": 1 })), table(values), &["db".to_owned()])
        };
        assert_eq!(judge(json!({ "replicas": 2 })), Vec::<String>::new());
        assert_eq!(judge(json!({ "replicas": "two" })), ["replicas: value is not of type \"integer\""]);
        assert_eq!(judge(json!({ "replicas": null })), ["top level: \"replicas\" is a required property"]);
        assert!(judge(json!({ "replica": 2 }))[0].starts_with("top level: "));
    }
}
