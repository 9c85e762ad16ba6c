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

#[test]
fn stock_flux_accepts_what_is_signed_and_refuses_another_key() {
    let world = World::start().unwrap();
    world.release(41, "emergency").unwrap();
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
