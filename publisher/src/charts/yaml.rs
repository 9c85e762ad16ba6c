//! YAML of charts.

use pdp_policies::helm_yaml;
use serde_json::{Map, Value};

pub(super) type Table = Map<String, Value>;

/// The mapping that a file of a chart holds; an empty file holds an empty one.
///
/// # Errors
/// What can't be read, and where.
pub(super) fn table(bytes: &[u8]) -> Result<Table, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it isn't UTF-8".to_owned())?;
    match helm_yaml::first(text.trim_start_matches('\u{feff}')) {
        Ok(Value::Object(table)) => Ok(table),
        Ok(Value::Null) => Ok(Table::new()),
        Ok(_) => Err("it isn't a mapping".to_owned()),
        Err(problem) => Err(problem.to_string()),
    }
}
