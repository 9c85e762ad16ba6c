//! What was seen is shown; forgetting it takes a root and a word.

use base64::{Engine, engine::general_purpose::STANDARD};
use pdp_e2e::cluster::{Kind, shared};
use serde_json::json;

use crate::scenario::Scenario;

use super::{Place, artifact, healthy, sha256};

#[test]
fn trust_is_shown_and_reset_with_a_root_alone() {
    let cluster = shared();
    let _scenario = Scenario::begin("kubectl pdp trust show and reset");
    let place = Place::new(&cluster, "kubectl-trust");
    place.subscription("prod", &healthy());
    let root = br#"{"signed":{"_type":"root","version":1}}"#;
    let floors = json!({
        "pinnedRoot": STANDARD.encode(root), "root": STANDARD.encode(root), "rootVersion": 1,
        "roles": { "channels": { "version": 12, "keys": artifact(0) } }, "levels": {},
    });
    let key = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIGNhbGwgbWUgSXNobWFlbCwgc29tZSB5ZWFycyBhZ28h\n-----END PRIVATE KEY-----\n";
    let enrolled =
        br#"{"id":{"organization":"nordbank","dataPlane":"prod"},"ring":"general","pollAfter":"1m"}"#;
    place.secret("pdp-prod-state", &[("floors.json", floors.to_string().as_bytes()), ("policy.json", b"{}")]);
    place.secret("pdp-prod-identity", &[("key.pem", key.as_bytes()), ("enrolled.json", enrolled)]);
    let show = place.pdp(&["trust", "show"]);
    assert!(show.ok(), "{show:?}");
    for words in [
        &format!("version 1  sha256:{}", sha256(root)),
        "channels 12",
        "nordbank/prod, ring `general`",
        "public key   sha256:",
    ] {
        assert!(show.stdout.contains(words), "{words} in {}", show.stdout);
    }
    let secret = key.lines().nth(1).unwrap();
    let machine = place.pdp(&["trust", "show", "-o", "json"]);
    assert!(!show.stdout.contains(secret) && !machine.stdout.contains(secret), "the private key is printed");

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("1.root.json");
    std::fs::write(&file, root).unwrap();
    let file = file.to_str().unwrap();
    let unasked = place.pdp(&["trust", "reset", "--root", file]);
    assert!(unasked.code == Some(2) && unasked.stderr.contains("error[NotConfirmed]:"), "{unasked:?}");
    assert!(unasked.stderr.contains("may serve an old one"), "what is lost is said: {}", unasked.stderr);
    let reset = place.pdp(&["trust", "reset", "--root", file, "--yes"]);
    assert!(reset.ok(), "{reset:?}");
    let state = place.api.get(Kind::SECRET, place.namespace, "pdp-prod-state").unwrap().unwrap();
    assert_eq!(state["data"]["root.json"], STANDARD.encode(root));
    assert!(state["data"]["floors.json"].is_null() && state["data"]["policy.json"].is_string(), "{state}");
    assert!(place.pdp(&["trust", "show"]).stdout.contains("no catalog was seen yet"));
}
