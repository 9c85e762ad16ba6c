//! Attachments that nobody's key stands behind: whoever may push may attach them.

use pdp_e2e::{Registry, World};
use serde_json::Value;

use crate::statements::{BUNDLE, CYCLONEDX, OPENVEX, referrers};

/// Attaches copies of the level's SBOM that nobody's key stands behind.
pub(crate) fn stranger(world: &World, bundle: &str) {
    let content = world.registry.content();
    let list = referrers(&world.registry, BUNDLE, bundle);
    let sbom = |it: &&Value| it["annotations"]["dev.sigstore.bundle.predicateType"] == CYCLONEDX;
    let entry = list.iter().find(sbom).unwrap();
    let own = content.manifest(BUNDLE, entry["digest"].as_str().unwrap()).unwrap().unwrap().bytes;
    let mut forged: Value = serde_json::from_slice(&own).unwrap();
    // A bundle that is there: the signature of the release.
    let signature = |it: &&Value| {
        it["annotations"]["dev.sigstore.bundle.predicateType"] != CYCLONEDX
            && it["annotations"]["dev.sigstore.bundle.predicateType"] != OPENVEX
    };
    let entry = list.iter().find(signature).unwrap();
    let good = content.manifest(BUNDLE, entry["digest"].as_str().unwrap()).unwrap().unwrap().bytes;
    let good: Value = serde_json::from_slice(&good).unwrap();
    forged["layers"] = good["layers"].clone();
    attach(&world.registry, forged.to_string());
    // The same with a size that nothing there has.
    forged["layers"][0]["size"] = 3.into();
    attach(&world.registry, forged.to_string());
}

/// Pushes a manifest as anybody may who may push.
pub(crate) fn attach(registry: &Registry, manifest: String) {
    let digest = crate::forge::sha256(manifest.as_bytes());
    let url = format!("http://{}/v2/{BUNDLE}/manifests/sha256:{digest}", registry.host());
    let put = reqwest::blocking::Client::new().put(url);
    let put = put.header("content-type", "application/vnd.oci.image.manifest.v1+json").body(manifest).send();
    assert!(put.unwrap().status().is_success());
}
