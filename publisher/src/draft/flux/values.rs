//! A HelmRelease's values: ConfigMaps in their order, its own over them.

use pdp_policies::helm_yaml;
use pdp_policies::values::over;
use serde_json::{Map, Value};

use super::Objects;

const KEY: &str = "values.yaml";

/// The values, and what of them isn't here: a field and the reason.
pub(super) fn of(
    objects: &Objects,
    namespace: &str,
    spec: &Value,
) -> (Map<String, Value>, Vec<(String, String)>) {
    let (mut values, mut problems) = (Map::new(), Vec::new());
    for (number, from) in spec["valuesFrom"].as_array().into_iter().flatten().enumerate() {
        match referenced(objects, namespace, from) {
            Ok(more) => values = over(values, more),
            Err(why) => problems.push((format!("spec.valuesFrom[{number}]"), why)),
        }
    }
    let own = spec["values"].as_object().cloned().unwrap_or_default();
    (over(values, own), problems)
}

fn referenced(objects: &Objects, namespace: &str, from: &Value) -> Result<Map<String, Value>, String> {
    let text = |key: &str| from[key].as_str().unwrap_or_default();
    let (kind, name) = (text("kind"), text("name"));
    if kind != "ConfigMap" {
        return Err(format!(
            "{kind} {name}: what is secret stands in no release; each customer gives it as a Secret"
        ));
    }
    if !text("targetPath").is_empty() {
        return Err(format!(
            "ConfigMap {name} goes to `{}` alone: write it into the values",
            text("targetPath")
        ));
    }
    let map = objects.get(kind, namespace, name);
    let map = map.ok_or_else(|| {
        format!("ConfigMap {namespace}/{name} isn't in these files: it is each cluster's own")
    })?;
    let key = from["valuesKey"].as_str().unwrap_or(KEY);
    let values = map["data"][key].as_str().ok_or_else(|| format!("ConfigMap {name} has no key `{key}`"))?;
    helm_yaml::values_file(values).map_err(|problem| format!("ConfigMap {name}, `{key}`: {problem}"))
}
