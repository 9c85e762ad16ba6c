//! The image closure: every image that a component can make the cluster fetch is listed by digest.
//!
//! Found are `image:` fields in manifests and templates and `image: {repository}` maps in values.
//! What only a running program names can't be found: list it with `runtime: true`.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Finding, Linted, Report, seen};
use crate::release_file::ComponentEntry;

/// The images of every component whose files could be read.
pub(super) fn check_all(linted: &Linted, findings: &mut Vec<Finding>) {
    let components = linted.file.components.iter().zip(&linted.places).zip(&linted.sources);
    for ((component, place), files) in components.filter(|(_, files)| !files.is_empty()) {
        let mut report = Report { file: place.clone(), findings };
        check(component, &seen::of(component, files), &mut report);
    }
}

fn check(component: &ComponentEntry, files: &[(String, Vec<u8>)], report: &mut Report<'_>) {
    let mut found = BTreeSet::new();
    for (path, bytes) in files.iter().filter(|(path, _)| is_yaml(path)) {
        let text = String::from_utf8_lossy(bytes);
        for name in in_file(path, &text) {
            if !component.images.iter().any(|image| image.name == name) {
                let message = format!("image `{name}` of `{}` has no digest", component.name);
                report.add(path, "UndigestedImage", message, "list it under `images:` with its digest");
            }
            found.insert(name);
        }
    }
    for image in component.images.iter().filter(|image| !image.runtime && !found.contains(&image.name)) {
        let message = format!("image `{}` of `{}` is listed but not used", image.name, component.name);
        report.add("images", "UnusedImage", message, "take it out, or mark it `runtime: true`");
    }
}

fn is_yaml(path: &str) -> bool {
    path.ends_with(".yaml") || path.ends_with(".yml") || path.ends_with(".tpl")
}

/// The names of all images in a file. Templates aren't YAML, so those are read line by line.
fn in_file(path: &str, text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    if path.contains("templates/") {
        found.extend(text.lines().filter_map(literal));
        return found;
    }
    if let Ok(documents) = serde_saphyr::from_multiple::<Value>(text) {
        for document in &documents {
            collect(document, &mut found);
        }
    }
    found
}

/// The image of a template's line such as `image: docker.io/x/y:1`, none if it is computed.
fn literal(line: &str) -> Option<String> {
    let value = line.trim().trim_start_matches("- ").strip_prefix("image:")?.trim().trim_matches(['"', '\'']);
    (!value.is_empty() && !value.contains("{{")).then(|| without_tag(value))
}

fn collect(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                match inner {
                    Value::String(image) if key == "image" && !image.is_empty() => {
                        found.insert(without_tag(image));
                    }
                    Value::Object(parts) if key.to_lowercase().ends_with("image") => {
                        found.extend(from_parts(parts))
                    }
                    _ => collect(inner, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        _ => {}
    }
}

/// `{registry, repository, tag}` as charts' values write it.
fn from_parts(parts: &serde_json::Map<String, Value>) -> Option<String> {
    let repository = parts.get("repository")?.as_str()?;
    match parts.get("registry").and_then(Value::as_str) {
        Some(registry) if !registry.is_empty() => Some(format!("{registry}/{repository}")),
        _ => Some(repository.to_owned()),
    }
}

/// The name without `:tag` and `@digest`; a port's colon stays.
fn without_tag(image: &str) -> String {
    let name = image.split('@').next().unwrap_or(image);
    match name.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name.to_owned(),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_images_in_values_manifests_and_templates() {
        let values = "image: {registry: docker.io, repository: a/b, tag: '1'}\nproxyImage:\n  repository: h.example:5/c\ninit: [{image: 'q.example/d:2@sha256:00'}]\n";
        let found: Vec<_> = in_file("values.yaml", values).into_iter().collect();
        assert_eq!(found, ["docker.io/a/b", "h.example:5/c", "q.example/d"]);
        let template = "  - image: \"docker.io/x/y:1\"\n    image: {{ .Values.i }}\n";
        assert_eq!(in_file("templates/a.yaml", template).into_iter().collect::<Vec<_>>(), ["docker.io/x/y"]);
    }
}
