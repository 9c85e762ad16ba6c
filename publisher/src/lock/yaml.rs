//! YAML of charts, none of it left out.

use pdp_policies::helm_yaml;
use serde_json::Value;

/// All documents that aren't empty, or where reading ended.
pub(crate) fn documents(text: &str) -> Result<Vec<Value>, String> {
    let documents = helm_yaml::documents(text).map_err(|problem| problem.to_string())?;
    Ok(documents.into_iter().filter(|document| !document.is_null()).collect())
}

/// A chart's values, as Helm puts their documents together.
pub(super) fn values(text: &str) -> Result<Value, String> {
    helm_yaml::values_file(text).map(Value::Object).map_err(|problem| problem.to_string())
}
