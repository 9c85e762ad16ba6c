//! `UpdateApproval` objects, signed with plain `ssh-keygen`: counted by people, bound to one release.

use std::path::PathBuf;
use std::process::Command;

use pdp_e2e::cluster::{Kind, SubscriptionState, shared};
use pdp_e2e::{Program, rfc3339, unix_now};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::plane::Plane;
use crate::scenario::Scenario;

const NAMESPACE: &str = "approvals";

/// A person with an SSH key; the comment is the name.
fn person(plane: &Plane<'_>, name: &str) -> (PathBuf, String) {
    let file = plane.world.path(name);
    let mut keygen = Command::new("ssh-keygen");
    keygen.args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f"]).arg(&file);
    assert!(keygen.status().unwrap().success());
    (file, std::fs::read_to_string(plane.world.path(&format!("{name}.pub"))).unwrap().trim().to_owned())
}

/// Makes the object `name`, signed with the key in `key`.
fn say(plane: &Plane<'_>, name: &str, key: &PathBuf, decision: &str, requester: &str) {
    let release = std::fs::read(plane.world.path("level-42/release-pdp-2026-42.json")).unwrap();
    let document = json!({
        "apiVersion": "updates.pdp.wso2.com/v1", "issued": rfc3339(unix_now()),
        "expires": rfc3339(unix_now() + 86_400), "organization": "acme", "dataPlane": "prod",
        "sha256": hex::encode(Sha256::digest(release)), "decision": decision, "requester": requester,
        "reason": "CVE in the enforcer", "ticket": "CHG-1042",
    });
    let file = plane.world.path(&format!("{name}.json"));
    std::fs::write(&file, document.to_string()).unwrap();
    let mut keygen = Command::new("ssh-keygen");
    keygen.args(["-q", "-Y", "sign", "-n", "approval@updates.pdp.wso2.com", "-f"]).args([key, &file]);
    assert!(keygen.status().unwrap().success());
    let signature = std::fs::read_to_string(plane.world.path(&format!("{name}.json.sig"))).unwrap();
    let object = json!({
        "apiVersion": Kind::APPROVAL.api_version(), "kind": Kind::APPROVAL.name(),
        "metadata": { "name": name, "namespace": NAMESPACE },
        "spec": { "document": document.to_string(), "signature": signature },
    });
    plane.cluster.api.create(Kind::APPROVAL, &object).unwrap();
}

#[test]
fn people_open_exactly_what_they_signed_and_one_no_is_enough() {
    let cluster = shared();
    let _scenario = Scenario::begin("customer: approvals by ssh-keygen; requester, stranger, no; then yes");
    let plane = Plane::at_41(&cluster, NAMESPACE, |_| Ok(()));
    let (subscription, pdp_sync) = (&plane.subscription, &plane.pdp_sync);
    let [lind, berg, dahl] = ["a.lind", "b.berg", "c.dahl"].map(|name| person(&plane, name));
    // A person with a key, and a key with its owner's name.
    let groups = [
        json!({ "name": "security", "quorum": 1, "approvers": [{ "name": "a.lind", "keys": [lind.1] }] }),
        json!({ "name": "operations", "quorum": 1, "approvers": [berg.1] }),
    ];
    let rule = json!({ "groups": groups });
    subscription.patch(&json!({ "spec": { "policy": { "approval": rule } } })).unwrap();
    plane.world.open(42, &["general=100"]).unwrap();
    // Each word has to be heard before what it changed, or didn't, means anything.
    let heard = |detail: &str| {
        let token = subscription.request().unwrap();
        let said = |state: &SubscriptionState| {
            state.status("lastHandledReconcileAt") == token.as_str()
                && state.target() == Some(42)
                && state.obstacles() == ["AwaitingApproval"]
                && state.status("obstacles")[0]["detail"].as_str().unwrap_or_default().starts_with(detail)
        };
        subscription.until(pdp_sync, detail, said).unwrap();
        assert_eq!(subscription.state().status("nextAction"), &Value::Null, "only people can go on");
    };
    let security = "0 of 1 approvals of `security`, waits for 1 of: a.lind";
    let operations = "0 of 1 approvals of `operations`, waits for 1 of: b.berg";
    heard(&format!("{security}; {operations}"));
    say(&plane, "asks-and-signs", &berg.0, "approve", "b.berg");
    let asked = "asks-and-signs (ApprovalInvalid: `b.berg` asked for it and may not sign it)";
    heard(&format!("{security}; {operations}; doesn't count: {asked}"));
    say(&plane, "stranger", &dahl.0, "approve", "d.ek");
    heard(&format!(
        "{security}; {operations}; doesn't count: {asked}, stranger (ApprovalInvalid: signed with the key SHA256:"
    ));
    say(&plane, "first", &lind.0, "approve", "d.ek");
    heard(operations);
    say(&plane, "again", &lind.0, "approve", "d.ek");
    heard(operations);
    say(&plane, "no", &lind.0, "reject", "d.ek");
    let mut approve = Program::KubectlPdp.command().unwrap();
    approve.args([
        "approve",
        "-n",
        NAMESPACE,
        "--level",
        "42",
        "--requester",
        "d.ek",
        "--reason",
        "CVE",
        "--yes",
    ]);
    approve.arg("--key").arg(&berg.0).arg("--kubeconfig").arg(cluster.kubeconfig());
    assert!(approve.status().unwrap().success());
    heard("rejected by a.lind: CVE in the enforcer");
    assert_eq!(subscription.state().level(), Some(41));
    assert!(cluster.api.delete(Kind::APPROVAL, NAMESPACE, "no").unwrap());
    subscription.until_level(pdp_sync, 42).unwrap();
}
