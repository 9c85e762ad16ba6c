//! Stock tools verify what `publisher` signed: `cosign verify --key`, and Flux's `spec.verify`.

use pdp_e2e::World;
use pdp_e2e::cluster::{Kind, condition, shared, tools};
use serde_json::{Value, json};

use crate::scenario::Scenario;
use base64::{Engine, engine::general_purpose::STANDARD};

const NAMESPACE: &str = "pdp-cosign";

/// Repository and digest of each component of level 41.
fn artifacts(world: &World) -> Vec<(String, String)> {
    let file = world.path("level-41/release-pdp-2026-41.json");
    let release: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let repository = release["bundle"]["repository"].as_str().unwrap();
    let path = repository.split_once('/').unwrap().1;
    let here = format!("{}/{path}", world.registry.host());
    let digest = |c: &Value| {
        c["artifact"].as_object().unwrap().values().next().unwrap()["digest"].as_str().unwrap().to_owned()
    };
    release["components"].as_array().unwrap().iter().map(|c| (here.clone(), digest(c))).collect()
}

#[test]
fn stock_cosign_accepts_what_is_signed_and_refuses_everything_else() {
    let world = World::start().unwrap();
    world.release(41, "emergency").unwrap();
    let tools = tools();
    let _scenario = Scenario::begin("stock cosign accepts what is signed and refuses everything else");
    let verify = |key: &str, image: &str| {
        let mut command = tools.command("cosign");
        command.env("HOME", world.path("")).args(["verify", "--key", key, "--insecure-ignore-tlog=true"]);
        command.args(["--allow-http-registry", image]);
        command.output().unwrap()
    };
    let key = |name: &str| world.key(name).replace(".key", ".pub");
    for (repository, digest) in artifacts(&world).into_iter().take(3) {
        let image = format!("{repository}@{digest}");
        let good = verify(&key("artifact"), &image);
        assert!(good.status.success(), "{}", String::from_utf8_lossy(&good.stderr));
        assert!(!verify(&key("ci"), &image).status.success(), "another key must not do");
    }
    // Something in the same registry that nobody signed: the catalog's own folder pushed as an image layer.
    let unsigned = verify(
        &key("artifact"),
        &format!("{}/wso2/nothing@sha256:{}", world.registry.host(), "00".repeat(32)),
    );
    assert!(!unsigned.status.success());
}

/// A component's SBOM, and what is said of the level, each by its predicate as cosign names it.
fn statements() -> [(&'static str, &'static str, Option<&'static str>, Value); 3] {
    let spdx = json!({
        "spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "name": "x", "dataLicense": "CC0-1.0",
        "documentNamespace": "https://a.example/x",
        "creationInfo": { "created": "2026-11-01T00:00:00Z", "creators": ["Tool: x"] },
    });
    let vex = json!({
        "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://a.example/vex", "author": "a",
        "timestamp": "2026-11-01T00:00:00Z", "version": 1,
        "statements": [{ "vulnerability": { "name": "CVE-1" }, "products": [{ "@id": "cilium" }], "status": "fixed" }],
    });
    let cyclonedx = json!({ "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1 });
    let component = Some("cilium");
    [
        ("cyclonedx", "cilium.cdx.json", component, cyclonedx),
        ("spdxjson", "cilium.spdx.json", component, spdx),
        ("openvex", "vex.json", None, vex),
    ]
}

#[test]
fn stock_cosign_accepts_statements_by_their_own_key_and_takes_none_for_a_release() {
    let world = World::start().unwrap();
    world.statement_key().unwrap();
    let all = statements();
    let state =
        |line: &mut pdp_e2e::Line| all.iter().try_for_each(|(_, name, of, it)| line.states(name, it, *of));
    world.release_with(41, "emergency", state).unwrap();
    let tools = tools();
    let _scenario = Scenario::begin("stock cosign accepts statements by their own key");
    let cosign = |verb: &str, key: &str, more: &[&str], image: &str| {
        let mut command = tools.command("cosign");
        command.env("HOME", world.path("")).args([verb, "--key", key, "--insecure-ignore-tlog=true"]);
        command.args(more).args(["--allow-http-registry", image]);
        command.output().unwrap()
    };
    let key = |name: &str| world.public_key(name);
    let file = world.path("level-41/release-pdp-2026-41.json");
    let release: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let (repository, cilium) = artifacts(&world).remove(0);
    let bundle = release["bundle"]["digest"].as_str().unwrap();
    for (kind, _, of, _) in &all {
        let image = format!("{repository}@{}", if of.is_some() { &cilium } else { bundle });
        let stated = |key: &str| cosign("verify-attestation", key, &["--type", kind], &image);
        let good = stated(&key("statement"));
        assert!(good.status.success(), "{kind}: {}", String::from_utf8_lossy(&good.stderr));
        assert!(!stated(&key("artifact")).status.success(), "{kind}: the artifact key states nothing");
        // What is stated beside it takes nothing from the release's own signature.
        let released = cosign("verify", &key("artifact"), &[], &image);
        assert!(released.status.success(), "{}", String::from_utf8_lossy(&released.stderr));
    }
    let image = format!("{repository}@{bundle}");
    let sbom = cosign("verify-attestation", &key("statement"), &["--type", "cyclonedx"], &image);
    assert!(sbom.status.success(), "the level's own SBOM: {}", String::from_utf8_lossy(&sbom.stderr));
}

#[test]
fn stock_flux_accepts_what_is_signed_and_refuses_another_key() {
    let world = World::start().unwrap();
    world.statement_key().unwrap();
    // Flux passes over what is stated beside the signature.
    let all = statements();
    let state =
        |line: &mut pdp_e2e::Line| all.iter().try_for_each(|(_, name, of, it)| line.states(name, it, *of));
    world.release_with(41, "emergency", state).unwrap();
    let cluster = shared();
    let _scenario = Scenario::begin("stock Flux accepts what is signed and refuses another key");
    cluster.namespace(NAMESPACE).unwrap();
    let public = |name: &str| std::fs::read(world.key(name).replace(".key", ".pub")).unwrap();
    let (repository, digest) = artifacts(&world).remove(0);
    for (name, key) in [("right", "artifact"), ("wrong", "ci")] {
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": { "name": name, "namespace": NAMESPACE },
            "data": { "artifact.pub": STANDARD.encode(public(key)) },
        });
        cluster.api.apply(Kind::SECRET, &secret).unwrap();
        let source = json!({
            "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "OCIRepository",
            "metadata": { "name": name, "namespace": NAMESPACE },
            "spec": {
                "interval": "1h", "url": format!("oci://{repository}"), "insecure": true,
                "ref": { "digest": digest },
                "layerSelector": {
                    "mediaType": "application/vnd.cncf.helm.chart.content.v1.tar+gzip", "operation": "copy",
                },
                "verify": { "provider": "cosign", "secretRef": { "name": name } },
            },
        });
        cluster.api.apply(Kind::OCI_REPOSITORY, &source).unwrap();
    }
    let api = cluster.api.clone();
    let verified = |name: &str| {
        let found = api.get(Kind::OCI_REPOSITORY, NAMESPACE, name).ok().flatten().unwrap_or_default();
        let condition = condition(&found, "SourceVerified");
        (condition["status"].as_str().unwrap_or_default().to_owned(), found["status"].to_string())
    };
    cluster
        .wait_for("Flux to verify the right key", || verified("right").0 == "True")
        .unwrap_or_else(|e| panic!("{e}: {}", verified("right").1));
    cluster
        .wait_for("Flux to refuse the wrong key", || verified("wrong").0 == "False")
        .unwrap_or_else(|e| panic!("{e}: {}", verified("wrong").1));
}
