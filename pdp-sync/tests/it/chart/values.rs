use serde_json::{Value, json};

use super::{file, yaml};

fn schema() -> Value {
    serde_json::from_str(&file("pdp-sync/chart/values.schema.json")).unwrap()
}

fn accepted(changed: &Value) -> bool {
    let mut values = yaml("pdp-sync/chart/values.yaml");
    merge(&mut values, changed);
    jsonschema::validator_for(&schema()).unwrap().is_valid(&values)
}

fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from.clone(),
    }
}

#[test]
fn the_defaults_are_valid_and_sensible_changes_too() {
    let digest = format!("sha256:{}", "a".repeat(64));
    for changed in [
        json!({}),
        json!({ "image": { "digest": digest }, "global": { "imageRegistry": "registry.nordbank.example:5000/wso2" } }),
        json!({ "imagePullSecrets": [{ "name": "login" }], "proxy": { "url": "http://proxy.nordbank.example:3128" } }),
        json!({ "tolerations": [{ "key": "dedicated", "operator": "Exists" }], "nodeSelector": { "zone": "a" } }),
        json!({ "subscription": { "name": "pdp", "spec": { "organization": "nordbank" } } }),
        json!({ "networkPolicy": { "cilium": { "enabled": true, "names": ["*.wso2.example"] } } }),
        json!({ "global": { "ofAnotherChart": true } }),
        json!({ "rbac": { "subscriptions": ["prod"], "secrets": ["registry-login"], "anySecret": true } }),
        json!({ "flux": { "namespace": "flux", "serviceAccounts": ["source-controller"] } }),
        json!({ "allowedHosts": ["registry.acme.example", "git.acme.example:8443", "[::1]:5000"] }),
        json!({ "allowHttp": ["registry.acme.example:5000"] }),
        json!({ "tokenHosts": { "registry.acme.example:5000": "login.acme.example" } }),
    ] {
        assert!(accepted(&changed), "{changed}");
    }
}

#[test]
fn typing_errors_and_tags_for_digests_are_refused() {
    for changed in [
        json!({ "replicas": 2 }),
        json!({ "image": { "digest": "0.1.0" } }),
        json!({ "image": { "tga": "0.1.0" } }),
        json!({ "networkPolicy": { "outside": { "ports": ["443"] } } }),
        json!({ "networkPolicy": { "cilium": { "fqdns": [] } } }),
        json!({ "metrics": { "podMonitor": { "enable": true } } }),
        json!({ "controller": { "logFormat": "xml" } }),
        json!({ "resources": { "limit": {} } }),
        json!({ "subscription": { "spec": {} } }),
        json!({ "rbac": { "anySecrets": true } }),
        json!({ "flux": { "serviceAccounts": ["system:serviceaccount:flux:source-controller"] } }),
        json!({ "allowedHosts": ["https://registry.acme.example"] }),
        json!({ "allowedHosts": ["a.example,b.example"] }),
        json!({ "allowHttp": "registry.acme.example" }),
        json!({ "tokenHosts": { "registry.acme.example": "https://login.acme.example" } }),
        json!({ "tokenHosts": { "a.example=b.example": "login.acme.example" } }),
    ] {
        assert!(!accepted(&changed), "{changed}");
    }
}

/// Strict all the way down, but for what belongs to Kubernetes or to other charts.
#[test]
fn no_part_of_the_schema_takes_unknown_names() {
    fn open(schema: &Value, path: &str, found: &mut Vec<String>) {
        if let Some(fields) = schema["properties"].as_object() {
            if schema["additionalProperties"] != false && path != ".global" {
                found.push(path.to_owned());
            }
            fields.iter().for_each(|(name, field)| open(field, &format!("{path}.{name}"), found));
        }
        open_items(schema, path, found);
    }
    fn open_items(schema: &Value, path: &str, found: &mut Vec<String>) {
        if schema["items"].is_object() {
            open(&schema["items"], &format!("{path}[]"), found);
        }
        schema["anyOf"].as_array().into_iter().flatten().for_each(|one| open(one, path, found));
    }
    let mut found = Vec::new();
    open(&schema(), "", &mut found);
    assert!(found.is_empty(), "{found:?}");
}
