use std::process::Command;

use serde_json::Value;

use super::file;

fn definitions() -> Vec<Value> {
    serde_saphyr::from_multiple(&file("pdp-sync/chart/files/crds.yaml")).unwrap()
}

#[test]
fn the_charts_definitions_are_the_programs_own() {
    let output = Command::new(env!("CARGO_BIN_EXE_pdp-sync")).arg("crds").output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(printed, file("pdp-sync/chart/files/crds.yaml"), "run `make reference`");
}

#[test]
fn every_field_is_described() {
    let definitions = definitions();
    assert_eq!(definitions.len(), 2);
    let mut bare = Vec::new();
    for definition in &definitions {
        for version in definition["spec"]["versions"].as_array().unwrap() {
            let schema = &version["schema"]["openAPIV3Schema"];
            undescribed(schema, definition["spec"]["names"]["kind"].as_str().unwrap(), &mut bare);
        }
    }
    assert!(bare.is_empty(), "no description: {bare:#?}");
}

fn undescribed(schema: &Value, path: &str, found: &mut Vec<String>) {
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        if field["description"].as_str().is_none_or(|text| text.trim().is_empty()) {
            found.push(path.clone());
        }
        undescribed(field, &path, found);
    }
    if schema["items"].is_object() {
        undescribed(&schema["items"], &format!("{path}[]"), found);
    }
    if schema["additionalProperties"].is_object() {
        undescribed(&schema["additionalProperties"], &format!("{path}.*"), found);
    }
}

/// Uninstalling pdp-sync must not take every subscription with it, and Flux must not read `${...}` in a text as its own.
#[test]
fn they_outlive_the_chart_and_are_no_template() {
    assert!(!file("pdp-sync/chart/files/crds.yaml").contains("{{"));
    for definition in definitions() {
        let annotations = &definition["metadata"]["annotations"];
        assert_eq!(annotations["helm.sh/resource-policy"], "keep");
        assert_eq!(annotations["kustomize.toolkit.fluxcd.io/substitute"], "disabled");
    }
}
