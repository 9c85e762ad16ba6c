//! With too few rights each command names the one that is missing.

use std::path::PathBuf;

use pdp_e2e::cluster::{Cluster, shared};
use serde_json::{Value, json};

use crate::scenario::Scenario;

use super::{Place, healthy};

/// A kubeconfig of a service account that may only look at subscriptions.
fn onlooker(cluster: &Cluster, namespace: &str) -> PathBuf {
    let named = |kind: &str, version: &str| json!({ "apiVersion": version, "kind": kind, "metadata": { "name": "onlooker", "namespace": namespace } });
    let mut role = named("Role", "rbac.authorization.k8s.io/v1");
    role["rules"] = json!([{
        "apiGroups": ["updates.pdp.wso2.com"], "resources": ["updatesubscriptions"], "verbs": ["get", "list"],
    }]);
    let mut binding = named("RoleBinding", "rbac.authorization.k8s.io/v1");
    binding["roleRef"] =
        json!({ "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "onlooker" });
    binding["subjects"] = json!([{ "kind": "ServiceAccount", "name": "onlooker", "namespace": namespace }]);
    cluster.api.apply_all(&[named("ServiceAccount", "v1"), role, binding]).unwrap();
    cluster.kubeconfig_for("onlooker", namespace).unwrap()
}

#[test]
fn each_missing_right_is_named() {
    let cluster = shared();
    let _scenario = Scenario::begin("kubectl pdp with too few rights: each is named");
    let place = Place::new(&cluster, "kubectl-rights");
    place.subscription("prod", &healthy());
    let folder = tempfile::tempdir().unwrap();
    let config = onlooker(&cluster, place.namespace);
    let root = folder.path().join("root.json");
    std::fs::write(&root, r#"{"signed":{"_type":"root","version":1}}"#).unwrap();
    let run = |args: &[&str]| place.pdp_with(&config, args);

    // The namespace comes from the context, as with kubectl.
    assert!(run(&["status"]).stdout.starts_with("nordbank/prod"), "{:?}", run(&["status"]));
    assert!(run(&["why"]).ok());
    let history = run(&["history"]);
    assert!(history.ok() && history.stderr.contains("right to get secrets"), "told, not failed: {history:?}");
    assert!(run(&["plan"]).ok());
    for (args, right) in [
        (&["status", "-A"][..], "list updatesubscriptions.updates.pdp.wso2.com in all namespaces"),
        (
            &["status", "--watch"],
            "watch updatesubscriptions.updates.pdp.wso2.com in namespace kubectl-rights",
        ),
        (&["verify"], "get secrets in namespace kubectl-rights"),
        (&["trust", "show"], "get secrets in namespace kubectl-rights"),
        (
            &["trust", "reset", "--yes", "--root", root.to_str().unwrap()],
            "get secrets in namespace kubectl-rights",
        ),
        (
            &["suspend", "--reason", "r"],
            "patch updatesubscriptions.updates.pdp.wso2.com in namespace kubectl-rights",
        ),
        (&["resume"], "patch updatesubscriptions.updates.pdp.wso2.com in namespace kubectl-rights"),
        (&["reconcile"], "patch updatesubscriptions.updates.pdp.wso2.com in namespace kubectl-rights"),
        (
            &["reconcile", "--with-source"],
            "patch gitrepositories.source.toolkit.fluxcd.io in namespace kubectl-rights",
        ),
        (
            &["rollback", "--reason", "r", "--yes"],
            "patch updatesubscriptions.updates.pdp.wso2.com in namespace kubectl-rights",
        ),
    ] {
        let refused = run(args);
        assert_eq!(refused.code, Some(4), "{args:?} {refused:?}");
        let wanted = format!("it takes the right to {right}");
        assert!(
            refused.stderr.contains("error[Forbidden]:") && refused.stderr.contains(&wanted),
            "{args:?} {}",
            refused.stderr
        );
    }
    // A token that nobody knows is another thing.
    let mut stranger: Value = serde_json::from_slice(&std::fs::read(&config).unwrap()).unwrap();
    stranger["users"][0]["user"]["token"] = "nobody".into();
    std::fs::write(&config, stranger.to_string()).unwrap();
    let stranger = run(&["status"]);
    assert!(stranger.code == Some(4) && stranger.stderr.starts_with("error[LoginNeeded]:"), "{stranger:?}");
}
