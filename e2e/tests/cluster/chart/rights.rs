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

/// By default: the subscription is called `pdp`, no other Secret is listed.
#[test]
fn the_account_can_do_its_work_here_and_nothing_elsewhere() {
    let cluster = shared();
    let release =
        Release::new(&cluster, "chart-rights").with("crds", json!({ "install": false })).installed();
    let (own, here) = (pdp_sync(&release), release.namespace.as_str());
    for name in
        ["pdp-trust", "pdp-pdp-decision", "pdp-pdp-state", "pdp-pdp-identity", "pdp-pdp-artifact-keys"]
    {
        own.apply(Kind::SECRET, &secret(here, name)).unwrap();
        assert!(own.get(Kind::SECRET, here, name).unwrap().is_some());
    }
    for name in ["deploy-key", "pdp-prod-identity", "sh.helm.release.v1.pdp-sync.v1"] {
        refused(own.get(Kind::SECRET, here, name));
        refused(own.patch(Kind::SECRET, here, name, &json!({ "metadata": { "labels": { "a": "b" } } })));
    }
    assert!(own.get(Kind::NAMESPACE, "", "kube-system").unwrap().is_some());
    assert!(own.get(Kind::DEPLOYMENT, "flux-system", "nothing").unwrap().is_none(), "asked, and not there");
    own.list(Kind::HELM_RELEASE, here).unwrap();
    own.list(Kind::POD, here).unwrap();

    refused(own.list(Kind::SECRET, here));
    refused(own.get(Kind::SECRET, "flux-system", "anything"));
    refused(own.list(Kind::HELM_RELEASE, "flux-system"));
    refused(own.list(Kind::POD, "flux-system"));
    refused(own.get(Kind::POD, here, "pdp-sync-0"));
    refused(own.get(Kind::NAMESPACE, "", "default"));
    refused(own.list(Kind::DEPLOYMENT, ""));
    refused(own.get(Kind::DEFINITION, "", "certificates.cert-manager.io"));
    refused(own.delete(Kind::SECRET, here, "pdp-pdp-state"));
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

/// Whatever a subscription of the chart's own values refers to is readable by itself.
#[test]
fn the_charts_own_subscription_names_its_secrets() {
    let cluster = shared();
    let named = |name: &str| json!({ "name": name });
    let spec = json!({
        "organization": "acme", "dataPlane": "prod", "line": "pdp-2026", "platform": "azure", "suspend": true,
        "catalog": { "oci": { "repository": "registry.acme.example/catalog", "tag": "latest", "secretRef": named("catalog") } },
        "instruction": { "server": {
            "url": "https://updates.wso2.example", "enrolmentTokenSecretRef": { "name": "enrol", "key": "token" },
        } },
        "mirror": { "host": "registry.acme.example", "secretRef": named("mirror") },
        "pullSecretRef": named("pull"), "certSecretRef": named("ca"),
    });
    let release = Release::new(&cluster, "chart-names")
        .with("crds", json!({ "install": false }))
        .with("subscription", json!({ "name": "prod", "spec": spec }));
    let digest = release.apply(&super::artifact::shipped());
    release.until_ready(&digest);
    let (own, here) = (pdp_sync(&release), release.namespace.as_str());
    for name in ["catalog", "enrol", "mirror", "pull", "ca", "pdp-prod-state", "pdp-trust"] {
        assert!(own.get(Kind::SECRET, here, name).unwrap().is_none(), "asked, and not there");
    }
    for name in ["pdp-pdp-state", "deploy-key"] {
        refused(own.get(Kind::SECRET, here, name));
    }
    for (kind, name, namespace) in
        [(Kind::CONFIG_MAP, "ConfigMap", "flux-system"), (Kind::SERVICE_ACCOUNT, "ServiceAccount", here)]
    {
        let metadata = json!({ "name": "c", "namespace": namespace });
        refused(own.create(kind, &json!({ "apiVersion": "v1", "kind": name, "metadata": metadata })));
    }
}

#[test]
fn an_administrator_may_open_all_secrets_and_hosts_are_listed() {
    let cluster = shared();
    let release = Release::new(&cluster, "chart-any")
        .with("crds", json!({ "install": false }))
        .with("rbac", json!({ "anySecret": true }))
        .with("allowedHosts", json!(["registry.acme.example", "git.acme.example:8443"]))
        .with("allowHttp", json!(["registry.acme.example:5000"]))
        .with(
            "tokenHosts",
            json!({ "registry.acme.example": "login.acme.example", "b.example": "c.example" }),
        )
        .installed();
    let (own, here) = (pdp_sync(&release), release.namespace.as_str());
    assert!(own.get(Kind::SECRET, here, "anything").unwrap().is_none());
    refused(own.list(Kind::SECRET, here));
    let deployment = release.get(Kind::DEPLOYMENT, "pdp-sync");
    let env = deployment["spec"]["template"]["spec"]["containers"][0]["env"].as_array().unwrap();
    let value = |name: &str| env.iter().find(|it| it["name"] == name).unwrap()["value"].clone();
    assert_eq!(value("PDP_SYNC_ALLOWED_HOSTS"), "registry.acme.example,git.acme.example:8443");
    assert_eq!(value("PDP_SYNC_ALLOW_HTTP"), "registry.acme.example:5000");
    assert_eq!(value("PDP_SYNC_TOKEN_HOSTS"), "b.example=c.example,registry.acme.example=login.acme.example");
}
