//! The release.yaml of a published level, from its descriptor. Pure.

use pdp_policies::image_values::ImageValues;
use pdp_policies::release::{Artifact, Component, Release};
use pdp_policies::{API_VERSION, Digest};
use serde_json::{Map, Value, json};

/// All that the descriptor says but its advisories: those are the catalog's, and no news of the level after it.
pub(super) fn release_yaml(of: &Release) -> Value {
    let components: Vec<_> = of.components.iter().map(component).collect();
    without_nothing(json!({
        "apiVersion": API_VERSION, "line": of.line, "level": of.level, "version": of.version, "kind": of.kind,
        "base": of.base, "supersedes": of.supersedes, "repository": of.bundle.repository, "requires": of.requires,
        "usualLength": of.usual_length, "removed": of.removed, "components": components,
    }))
}

fn component(of: &Component) -> Value {
    let folder = folder(of);
    let (chart, manifests) = match &of.artifact {
        Artifact::Chart { name, .. } => (json!({ "name": name, "path": folder }), Value::Null),
        Artifact::Manifests { .. } => (Value::Null, json!({ "path": folder })),
    };
    let platforms: Map<String, Value> = of
        .platform_values
        .keys()
        .map(|it| (it.to_string(), json!(values_file(of, Some(&it.to_string())))))
        .collect();
    without_nothing(json!({
        "name": of.name, "version": of.version, "stage": of.stage, "chart": chart, "manifests": manifests,
        "releaseName": of.release_name, "namespace": of.namespace, "onFailure": of.on_failure, "timeout": of.timeout,
        "settle": of.settle, "platforms": of.platforms, "optional": of.optional,
        "values": (!of.values.is_empty()).then(|| values_file(of, None)), "platformValues": platforms,
        "imageValues": of.image_values.iter().map(carried).collect::<Vec<_>>(), "images": unseen(of),
    }))
}

/// Where a component's own files go, relative to the release.yaml. Its digest tells it from other levels'.
pub(super) fn folder(of: &Component) -> String {
    let kind = if matches!(of.artifact, Artifact::Manifests { .. }) { "manifests" } else { "charts" };
    format!("../{kind}/{}-{}", of.name, of.artifact.digest().short())
}

pub(super) fn values_file(of: &Component, platform: Option<&str>) -> String {
    let platform = platform.map(|it| format!("-{it}")).unwrap_or_default();
    format!("values/{}{platform}.yaml", of.name)
}

/// By its digest: under which tag it was found, nobody knows here.
fn carried(it: &ImageValues) -> Value {
    let pinned = |image: &str, digest: Digest| format!("{image}@{digest}");
    let others = it.others.iter().map(|(key, one)| (key.clone(), json!(pinned(&one.image, one.digest))));
    without_nothing(json!({
        "image": pinned(&it.image, it.digest), "others": others.collect::<Map<_, _>>(), "values": it.values,
    }))
}

/// Images that no rendering shows. Those that values carry are found by those.
fn unseen(of: &Component) -> Vec<Value> {
    let is_carried =
        |digest: Digest| of.image_values.iter().flat_map(ImageValues::images).any(|(_, it)| it == digest);
    let kept = of.images.iter().filter(|image| image.runtime && !is_carried(image.digest));
    kept.map(|image| json!(image)).collect()
}

/// What isn't said isn't written.
fn without_nothing(value: Value) -> Value {
    let says = |value: &Value| match value {
        Value::Null | Value::Bool(false) => false,
        Value::Array(list) => !list.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        _ => true,
    };
    match value {
        Value::Object(fields) => Value::Object(fields.into_iter().filter(|(_, value)| says(value)).collect()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::release_file::ReleaseFile;

    #[test]
    fn a_descriptor_becomes_a_file_that_says_the_same_without_its_advisories() {
        let digest = Digest::of(b"x");
        let images = json!([
            { "name": "q.example/seen", "digest": digest },
            { "name": "q.example/hidden", "digest": digest, "runtime": true },
        ]);
        let release: Release = serde_json::from_value(json!({
            "apiVersion": API_VERSION, "line": "pdp-2026", "level": 7, "version": "7", "kind": "security",
            "base": 6, "supersedes": [5], "requires": { "kubernetes": ">=1.33", "flux": ">=2.9" }, "usualLength": "20m",
            "advisories": [{ "id": "W-1", "severity": "critical", "confirmedAt": "2026-11-20T00:00:00Z", "publishedAt": "2026-11-23T00:00:00Z" }],
            "bundle": { "repository": "registry.example/pdp", "digest": digest, "size": 1 },
            "components": [{
                "name": "agent", "version": "1.0.0", "stage": 3, "artifact": { "chart": { "name": "the-agent", "digest": digest, "size": 1 } },
                "releaseName": "agent", "namespace": "pdp", "onFailure": "hold", "timeout": "5m", "settle": "30s",
                "platforms": ["azure"], "optional": true, "images": images, "values": { "a": 1 }, "platformValues": { "azure": { "b": 2 } },
                "imageValues": [{ "image": "q.example/carried", "digest": Digest::of(b"c"), "values": { "i": "{name}@{digest}" } }],
            }],
        }))
        .unwrap();
        let text = serde_saphyr::to_string(&release_yaml(&release)).unwrap();
        let file: ReleaseFile = pdp_policies::yaml::read(&text).unwrap();
        assert_eq!((file.level, file.base, file.kind), (release.level, release.base, release.kind));
        assert!(file.advisories.is_empty() && file.supersedes.len() == 1);
        assert_eq!((file.requires, file.usual_length), (release.requires, release.usual_length));
        let (is, was) = (&file.components[0], &release.components[0]);
        assert_eq!((&is.name, is.stage, is.on_failure, is.optional), (&was.name, 3, was.on_failure, true));
        assert_eq!((is.timeout, is.settle, &is.platforms), (was.timeout, was.settle, &was.platforms));
        let chart = is.chart.as_ref().unwrap();
        assert_eq!(chart.path, Some(format!("../charts/agent-{}", digest.short())));
        assert_eq!(is.values.as_deref(), Some("values/agent.yaml"));
        assert_eq!(is.platform_values.values().collect::<Vec<_>>(), ["values/agent-azure.yaml"]);
        assert_eq!(is.images.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["q.example/hidden"]);
        assert_eq!(is.image_values[0].image, format!("q.example/carried@{}", Digest::of(b"c")));
    }
}
