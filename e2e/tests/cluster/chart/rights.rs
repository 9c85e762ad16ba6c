use pdp_e2e::cluster::{Api, Kind, shared};
use serde_json::{Value, json};

use super::Release;

fn refused(result: anyhow::Result<impl std::fmt::Debug>) {
    let error = result.unwrap_err().to_string();
    assert!(error.contains("403"), "{error}");
}

fn secret(namespace: &str, name: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": name, "namespace": namespace } })
}

fn pdp_sync(release: &Release<'_>) -> Api {
    let token = release.cluster.token_for("pdp-sync", &release.namespace).unwrap();
    release.cluster.api.with_token(&token)
}

#[test]
fn the_account_can_do_its_work_here_and_nothing_elsewhere() {
    let cluster = shared();
    let release =
        Release::new(&cluster, "chart-rights").with("crds", json!({ "install": false })).installed();
    let (own, here) = (pdp_sync(&release), release.namespace.as_str());
    own.apply(Kind::SECRET, &secret(here, "pdp-prod-state")).unwrap();
    assert!(own.get(Kind::SECRET, here, "pdp-prod-state").unwrap().is_some());
    assert!(own.get(Kind::NAMESPACE, "", "kube-system").unwrap().is_some());
    assert!(own.get(Kind::DEPLOYMENT, "flux-system", "nothing").unwrap().is_none(), "asked, and not there");
    own.list(Kind::HELM_RELEASE, here).unwrap();

    refused(own.list(Kind::SECRET, here));
    refused(own.get(Kind::SECRET, "flux-system", "anything"));
    refused(own.list(Kind::HELM_RELEASE, "flux-system"));
    refused(own.list(Kind::POD, here));
    refused(own.get(Kind::NAMESPACE, "", "default"));
    refused(own.list(Kind::DEPLOYMENT, ""));
    refused(own.get(Kind::DEFINITION, "", "certificates.cert-manager.io"));
    refused(own.delete(Kind::SECRET, here, "pdp-prod-state"));
    let role = json!({
        "apiVersion": Kind::ROLE.api_version(), "kind": "Role", "metadata": { "name": "more", "namespace": here },
        "rules": [{ "apiGroups": [""], "resources": ["secrets"], "verbs": ["list"] }],
    });
    refused(own.apply(Kind::ROLE, &role));
}

#[test]
fn with_named_subscriptions_other_secrets_are_out_of_reach() {
    let cluster = shared();
    let release = Release::new(&cluster, "chart-narrow")
        .with("crds", json!({ "install": false }))
        .with("rbac", json!({ "subscriptions": ["prod"], "secrets": ["registry-login"] }))
        .installed();
    let (own, here) = (pdp_sync(&release), release.namespace.as_str());
    for name in ["registry-login", "of-somebody-else"] {
        cluster.api.apply(Kind::SECRET, &secret(here, name)).unwrap();
    }
    for part in ["decision", "state", "identity", "artifact-keys"] {
        let name = format!("pdp-prod-{part}");
        own.create(Kind::SECRET, &secret(here, &name)).unwrap();
        own.patch(Kind::SECRET, here, &name, &json!({ "metadata": { "labels": { "a": "b" } } })).unwrap();
        assert!(own.get(Kind::SECRET, here, &name).unwrap().is_some());
    }
    assert!(own.get(Kind::SECRET, here, "registry-login").unwrap().is_some());
    refused(own.patch(
        Kind::SECRET,
        here,
        "registry-login",
        &json!({ "metadata": { "labels": { "a": "b" } } }),
    ));
    refused(own.get(Kind::SECRET, here, "of-somebody-else"));
}
