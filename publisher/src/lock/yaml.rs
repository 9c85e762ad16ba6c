//! YAML documents of charts, none left out.

use serde_json::Value;

/// All documents that aren't empty, or where reading ended.
pub(super) fn documents(text: &str) -> Result<Vec<Value>, String> {
    let documents = serde_saphyr::from_multiple::<Option<Value>>(text)
        .map_err(|error| error.without_snippet().to_string())?;
    Ok(documents.into_iter().flatten().filter(|document| !document.is_null()).collect())
}
