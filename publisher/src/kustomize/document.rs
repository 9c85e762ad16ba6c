//! Manifests and patches as documents.

use pdp_policies::helm_yaml;
use serde_json::{Value, json};

use super::Document;
use crate::kubernetes_list;
use crate::lint::Source;

/// All documents of a text.
///
/// # Errors
/// What can't be read, and where.
pub(super) fn read(path: &str, text: &[u8]) -> Result<Vec<Document>, String> {
    let whole = values(text)?.into_iter().flat_map(operations);
    Ok(whole.map(|value| Document { path: path.to_owned(), value }).collect())
}

/// All documents of a text, as they are.
///
/// # Errors
/// What can't be read, and where.
pub(super) fn values(text: &[u8]) -> Result<Vec<Value>, String> {
    let text = std::str::from_utf8(text).map_err(|_| "it isn't UTF-8".to_owned())?;
    let text = text.trim_start_matches('\u{feff}');
    helm_yaml::documents(text).map_err(|problem| problem.to_string())
}

/// The objects of a list, as kustomize takes it apart: patches are for those.
pub(super) fn single(document: Document) -> Vec<Document> {
    if !kubernetes_list::is_named_so(&document.value) {
        return vec![document];
    }
    let inner = kubernetes_list::items(&document.value).into_iter();
    inner.map(|value| Document { path: document.path.clone(), value: value.clone() }).collect()
}

/// A JSON patch is a list of operations; what it puts in is seen as if it stood in a manifest.
fn operations(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items.iter().filter_map(put).collect(),
        Value::Null => Vec::new(),
        other => vec![other],
    }
}

fn put(operation: &Value) -> Option<Value> {
    let (path, value) = (operation.get("path")?.as_str()?, operation.get("value")?);
    let value = if path.ends_with("/image") { json!({ "image": value }) } else { value.clone() };
    let list = path.split('/').find(|part| matches!(*part, "containers" | "initContainers"));
    Some(match (list, value) {
        (Some(list), Value::Array(items)) => json!({ list: items }),
        (Some(list), item) => json!({ list: [item] }),
        // An object that has `items` would be taken for a list, and nothing else of it be seen.
        (None, value) if value["items"].is_array() => json!({ "value": value }),
        (None, value) => value,
    })
}

/// Documents as files again, once each.
pub(super) fn as_files(documents: Vec<Document>) -> Source {
    let mut files = Source::new();
    for document in documents {
        let text = serde_saphyr::to_string(&document.value).unwrap_or_else(|_| document.value.to_string());
        files.push((document.path, text.into_bytes()));
    }
    files.sort();
    files.dedup();
    files
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_image_beside_items_of_a_patch_is_seen() {
        let patch =
            br#"[{"op": "add", "path": "/spec/a", "value": {"image": "x.example/a:1", "items": []}}]"#;
        let read = read("a", patch).unwrap();
        let [one] = read.as_slice() else { unreachable!("{read:?}") };
        let found: Vec<_> = kubernetes_list::items(&one.value);
        assert!(found.iter().any(|it| it.to_string().contains("x.example/a:1")), "{found:?}");
    }
}
