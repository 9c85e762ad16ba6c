//! What runs is what was decided, or it is said what isn't.

use pdp_e2e::cluster::{Kind, shared};
use serde_json::{Value, json};

use crate::scenario::Scenario;

use super::{Place, artifact, healthy, image, record};

/// Flux's objects for 41, suspended, so that their status stays as it is written here.
fn applied(place: &Place) {
    let short = &artifact(41)["sha256:".len()..][..12];
    let metadata = |name: &str| json!({ "name": name, "namespace": place.namespace, "labels": { "updates.pdp.wso2.com/subscription": "prod" } });
    let source = json!({
        "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "OCIRepository", "metadata": metadata(&format!("agent-{short}")),
        "spec": { "interval": "1h", "url": "oci://registry.example/pdp/release", "ref": { "digest": artifact(41) }, "suspend": true },
    });
    let release = json!({
        "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "metadata": metadata("agent"),
        "spec": {
            "interval": "1h", "suspend": true, "chartRef": { "kind": "OCIRepository", "name": format!("agent-{short}") },
            "valuesFrom": [
                { "kind": "ConfigMap", "name": "pdp-platform-values", "optional": true },
                { "kind": "ConfigMap", "name": "pdp-values-agent", "optional": true },
            ],
            "postRenderers": [{ "kustomize": { "images": [{ "name": "registry.example/pdp/agent", "digest": image(41) }] } }],
        },
    });
    place.api.apply(Kind::OCI_REPOSITORY, &source).unwrap();
    place.api.apply(Kind::HELM_RELEASE, &release).unwrap();
    let held = json!({
        "digest": artifact(41), "revision": artifact(41), "path": "x", "url": "http://x.example/x", "lastUpdateTime": "2026-11-20T10:00:00Z",
    });
    let name = format!("agent-{short}");
    place
        .api
        .patch_status(
            Kind::OCI_REPOSITORY,
            place.namespace,
            &name,
            &json!({ "status": { "artifact": held } }),
        )
        .unwrap();
    attempted(place, &artifact(41));
}

fn attempted(place: &Place, digest: &str) {
    let history = json!([{
        "name": "agent", "namespace": "kubectl-pods", "version": 1, "chartName": "agent", "chartVersion": "1.0.41",
        "configDigest": artifact(0), "digest": artifact(0), "ociDigest": digest, "status": "deployed",
        "firstDeployed": "2026-11-20T10:00:00Z", "lastDeployed": "2026-11-20T10:00:00Z",
    }]);
    let status = json!({ "status": { "lastAttemptedRevisionDigest": digest, "history": history } });
    place.api.patch_status(Kind::HELM_RELEASE, place.namespace, "agent", &status).unwrap();
}

fn pod(place: &Place, name: &str, image: &str) {
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "name": name, "namespace": "kubectl-pods" },
        "spec": { "containers": [{ "name": "c", "image": image }] },
    });
    place.api.apply(Kind::POD, &pod).unwrap();
}

#[test]
fn verify_compares_every_digest_and_finds_what_differs() {
    let cluster = shared();
    let _scenario = Scenario::begin("kubectl pdp verify: every digest, and what differs");
    let place = Place::new(&cluster, "kubectl-verify");
    cluster.namespace("kubectl-pods").unwrap();
    let api = cluster.api.clone();
    let ready =
        || api.get(Kind::SERVICE_ACCOUNT, "kubectl-pods", "default").is_ok_and(|found| found.is_some());
    cluster.wait_for("the service account", ready).unwrap();
    place.subscription("prod", &healthy());
    let undecided = place.pdp(&["verify"]);
    assert_eq!(undecided.code, Some(11), "{}", undecided.stderr);

    place.secret("pdp-prod-decision", &[("record.json", record().to_string().as_bytes())]);
    assert_eq!(place.pdp(&["verify"]).code, Some(11), "no Flux object is there");
    applied(&place);
    pod(&place, "right", &format!("registry.example/pdp/agent@{}", image(41)));
    pod(&place, "foreign", "other.example/thing:1");
    place.secret("pdp-prod-artifact-keys", &[("0badc0ffee00.pub", b"-----BEGIN PUBLIC KEY-----")]);
    let good = place.pdp(&["verify", "--pods"]);
    assert!(good.ok(), "{good:?}");
    for words in [
        "✔ what Flux applies is what was decided",
        "✔ 1 containers run images of the release",
        "◎ of no component: other.example/thing:1",
        "{.data.0badc0ffee00\\.pub}",
        "cosign verify --key 0badc0ffee00.pub --insecure-ignore-tlog=true registry.example/pdp/release@sha256:",
    ] {
        assert!(good.stdout.contains(words), "{words} in {}", good.stdout);
    }
    let value: Value = serde_json::from_str(&place.pdp(&["verify", "-o", "json"]).stdout).unwrap();
    assert_eq!((&value["level"], &value["components"][0]["differences"]), (&json!(41), &json!([])));

    pod(&place, "wrong", "registry.example/pdp/agent:latest");
    let wrong = place.pdp(&["verify", "--pods"]);
    assert!(wrong.code == Some(16) && wrong.stdout.contains("kubectl-pods/wrong"), "{wrong:?}");
    attempted(&place, &artifact(42));
    let other = place.pdp(&["verify"]);
    assert!(other.code == Some(1) && other.stdout.contains("lastAttemptedRevisionDigest is"), "{other:?}");

    let mut forged = record();
    forged["target"]["descriptor"] = "e30=".into();
    place.secret("pdp-prod-decision", &[("record.json", forged.to_string().as_bytes())]);
    let forged = place.pdp(&["verify"]);
    assert!(forged.code == Some(16) && forged.stderr.starts_with("error[HashMismatch]:"), "{forged:?}");
}
