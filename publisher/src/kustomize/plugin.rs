//! Generators, transformers and replacements: which images they bring is seen, or they are refused.

use serde_json::Value;

use super::file::Rename;

/// Plugins of kustomize that touch no image.
const HARMLESS: [&str; 10] = [
    "AnnotationsTransformer",
    "ConfigMapGenerator",
    "HashTransformer",
    "LabelTransformer",
    "NamespaceTransformer",
    "PrefixSuffixTransformer",
    "PrefixTransformer",
    "ReplicaCountTransformer",
    "SecretGenerator",
    "SuffixTransformer",
];

/// What a plugin does to images.
#[derive(Debug)]
pub(super) enum Plugin {
    Nothing,
    Renames(Rename),
    /// Its kind.
    Unknown(String),
}

pub(super) fn read(config: &Value) -> Plugin {
    let kind = config.get("kind").and_then(Value::as_str).unwrap_or_default();
    let unknown = || Plugin::Unknown(kind.to_owned());
    match kind {
        "ImageTagTransformer" if config.get("fieldSpecs").is_none_or(only_containers) => {
            let rename = config.get("imageTag").and_then(|tag| serde_json::from_value(tag.clone()).ok());
            rename.map_or_else(unknown, Plugin::Renames)
        }
        kind if HARMLESS.contains(&kind) => Plugin::Nothing,
        _ => unknown(),
    }
}

/// Where images are renamed anyway.
fn only_containers(specs: &Value) -> bool {
    let path = |spec: &Value| spec.get("path").and_then(Value::as_str).unwrap_or_default().to_owned();
    let usual = |path: String| path.ends_with("ontainers[]/image") || path.ends_with("ontainers/image");
    specs.as_array().is_some_and(|specs| specs.iter().map(path).all(usual))
}

/// True if a replacement writes into a field `image`, or over something that may hold one.
pub(super) fn sets_an_image(replacement: &Value) -> bool {
    let list =
        |value: &Value, name: &str| value.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let paths = list(replacement, "targets").into_iter().flat_map(|target| list(&target, "fieldPaths"));
    paths.filter_map(|path| path.as_str().map(str::to_owned)).any(|path| {
        let last = path.rsplit('.').next().unwrap_or_default();
        let item = last.parse::<u32>().is_ok() || last.ends_with(']') && last.contains('=');
        item || may_hold_an_image(last)
    })
}

/// Of a field that is written over.
pub(super) fn may_hold_an_image(field: &str) -> bool {
    matches!(field, "image" | "containers" | "initContainers" | "spec" | "template" | "*" | "-")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_replacement_may_not_set_an_image() {
        for (path, sets) in [
            ("spec.template.spec.containers.[name=app].image", true),
            ("spec.template.spec.containers.[name=app]", true),
            ("spec.template.spec.containers.0", true),
            ("spec.template", true),
            ("spec.template.spec.containers.[name=app].env.[name=HOST].value", false),
            ("metadata.annotations.image-note", false),
            ("spec.replicas", false),
        ] {
            let replacement = json!({"source": {"kind": "ConfigMap"}, "targets": [{"fieldPaths": [path]}]});
            assert_eq!(sets_an_image(&replacement), sets, "{path}");
        }
    }

    #[test]
    fn only_plugins_that_are_followed_are_taken() {
        let name = |config: &Value| match read(config) {
            Plugin::Nothing => "nothing".to_owned(),
            Plugin::Renames(rename) => rename.name,
            Plugin::Unknown(kind) => format!("unknown {kind}"),
        };
        let tag = json!({"name": "app", "newName": "r/app"});
        for (config, said) in [
            (json!({"kind": "LabelTransformer"}), "nothing"),
            (json!({"kind": "ImageTagTransformer", "imageTag": tag}), "app"),
            (
                json!({"kind": "ImageTagTransformer", "imageTag": tag, "fieldSpecs": [{"path": "spec/image"}]}),
                "unknown ImageTagTransformer",
            ),
            (json!({"kind": "PatchTransformer"}), "unknown PatchTransformer"),
            (
                json!({"kind": "ValueAddTransformer", "targets": [{"fieldPath": "kind"}]}),
                "unknown ValueAddTransformer",
            ),
            (json!({}), "unknown "),
        ] {
            assert_eq!(name(&config), said, "{config}");
        }
    }
}
