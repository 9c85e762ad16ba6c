//! `images:` of a kustomization: kustomize renames in the lists `containers` and `initContainers`, wherever they are.

use serde_json::Value;

use super::file::Rename;

/// The document with its images renamed, one entry after the other.
pub(super) fn apply(value: &mut Value, renames: &[Rename]) {
    // Kustomize leaves definitions alone.
    if value.get("kind").and_then(Value::as_str) == Some("CustomResourceDefinition") {
        return;
    }
    renames.iter().for_each(|rename| within(value, rename));
}

fn within(value: &mut Value, rename: &Rename) {
    match value {
        Value::Object(table) => {
            for (key, inner) in table {
                within(inner, rename);
                if let ("containers" | "initContainers", Value::Array(items)) = (key.as_str(), inner) {
                    items
                        .iter_mut()
                        .filter_map(|item| item.get_mut("image"))
                        .for_each(|image| one(image, rename));
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| within(item, rename)),
        _ => {}
    }
}

fn one(image: &mut Value, rename: &Rename) {
    let Value::String(text) = image else { return };
    let (Some(new), Some(rest)) = (&rename.new_name, text.strip_prefix(rename.name.as_str())) else { return };
    if is_tag(rest) {
        *text = format!("{new}{rest}");
    }
}

/// `:tag`, `@digest`, both, or nothing: the name was whole.
fn is_tag(rest: &str) -> bool {
    let plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "_.{}-".contains(c));
    let (tag, digest) = rest.split_once("@sha256:").unwrap_or((rest, ""));
    (tag.is_empty() || tag.strip_prefix(':').is_some_and(plain)) && plain(digest)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whole_names_in_lists_of_containers_are_renamed_in_order() {
        let rename = |name: &str, new: &str| Rename { name: name.into(), new_name: Some(new.into()) };
        let renames = [rename("nginx", "r.example/nginx"), rename("r.example/nginx", "s.example/nginx")];
        for (before, after) in [
            ("nginx", "s.example/nginx"),
            ("nginx:1.2", "s.example/nginx:1.2"),
            ("nginx:1@sha256:ab", "s.example/nginx:1@sha256:ab"),
            ("r.example/nginx:1", "s.example/nginx:1"),
            ("nginx-slim:1", "nginx-slim:1"),
            ("library/nginx", "library/nginx"),
        ] {
            let mut pod = json!({"spec": {"initContainers": [{"image": before}], "image": before}});
            apply(&mut pod, &renames);
            assert_eq!(pod, json!({"spec": {"initContainers": [{"image": after}], "image": before}}));
        }
        let mut definition = json!({"kind": "CustomResourceDefinition", "containers": [{"image": "nginx"}]});
        let before = definition.clone();
        apply(&mut definition, &renames);
        assert_eq!(definition, before);
    }
}
