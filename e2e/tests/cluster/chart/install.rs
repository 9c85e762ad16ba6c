use pdp_e2e::cluster::{Api, Kind, condition, shared};
use serde_json::{Value, json};

use super::Release;
use super::artifact::{self, GROUP};

fn definition(api: &Api, plural: &str) -> Value {
    api.get(Kind::DEFINITION, "", &format!("{plural}.{GROUP}")).unwrap().unwrap_or_default()
}

#[test]
fn the_chart_comes_with_its_definitions_follows_their_changes_and_leaves_them() {
    let cluster = shared();
    let release = Release::new(&cluster, "chart-life").installed();
    for plural in ["updatesubscriptions", "updateapprovals"] {
        assert_eq!(condition(&definition(&cluster.api, plural), "Established")["status"], "True", "{plural}");
    }

    // The next version of the chart adds a column, and this time somebody subscribes by values.
    let mut files = artifact::files();
    let (_, definitions) = files.iter_mut().find(|(path, _)| path == "files/crds.yaml").unwrap();
    let column = "    - jsonPath: .status.level\n";
    assert_eq!(definitions.matches(column).count(), 1);
    *definitions = definitions.replace(
        column,
        &format!("    - jsonPath: .spec.line\n      name: Line\n      type: string\n{column}"),
    );
    let spec = json!({
        "organization": "acme", "dataPlane": "prod", "line": "pdp-2026", "ring": "general", "platform": "azure",
        "catalog": { "git": { "url": "https://git.wso2.example/pdp/catalog", "branch": "catalog" } },
    });
    let release =
        release.with("subscription", json!({ "name": "pdp", "spec": spec })).with("root", json!("{}\n"));
    let digest = release.apply(&files);
    release.until_ready(&digest);
    let columns =
        &definition(&cluster.api, "updatesubscriptions")["spec"]["versions"][0]["additionalPrinterColumns"];
    assert_eq!(columns[0]["name"], "Line", "the definition follows the chart");
    assert!(release.inventory().contains(&"pdp UpdateSubscription".to_owned()), "{:?}", release.inventory());
    assert_eq!(release.get(Kind::CONFIG_MAP, "pdp-root")["data"]["1.root.json"], "{}\n");

    // Uninstalled: the program goes, what people wrote stays, and so do its definitions.
    cluster.api.delete(Kind::HELM_RELEASE, &release.namespace, "pdp-sync").unwrap();
    cluster.wait_for("the release to go", || release.get(Kind::HELM_RELEASE, "pdp-sync").is_null()).unwrap();
    assert!(release.get(Kind::DEPLOYMENT, "pdp-sync").is_null());
    assert!(definition(&cluster.api, "updatesubscriptions").is_object());
    assert!(release.get(Kind::CONFIG_MAP, "pdp-root").is_object());
    let (status, kept) =
        cluster.api.text(&format!("/apis/{GROUP}/v1/namespaces/chart-life/updatesubscriptions/pdp")).unwrap();
    assert_eq!(status, 200, "{kept}");
    assert!(!kept.contains("deletionTimestamp"), "{kept}");
    for plural in ["updatesubscriptions", "updateapprovals"] {
        cluster.api.delete(Kind::DEFINITION, "", &format!("{plural}.{GROUP}")).unwrap();
    }
}

#[test]
fn its_pod_is_admitted_where_only_restricted_ones_are() {
    let cluster = shared();
    let release = Release::new(&cluster, "chart-pod").with("crds", json!({ "install": false })).installed();
    let deployment = release.get(Kind::DEPLOYMENT, "pdp-sync");
    assert_eq!(condition(&deployment, "Available")["status"], "True", "{:#}", deployment["status"]);
    let pods = cluster.api.list(Kind::POD, &release.namespace).unwrap();
    assert_eq!(pods.len(), 1);
    let container = &pods[0]["spec"]["containers"][0];
    let image = container["image"].as_str().unwrap();
    assert!(image.starts_with("registry.wso2.example/wso2/pdp-sync@sha256:5"), "{image}");
    assert_eq!(pods[0]["spec"]["serviceAccountName"], "pdp-sync");
    assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], true);

    let careless = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "careless", "namespace": release.namespace },
        "spec": { "containers": [{ "name": "main", "image": image }] },
    });
    let refused = cluster.api.apply(Kind::POD, &careless).unwrap_err().to_string();
    assert!(refused.contains("violates PodSecurity"), "the namespace does look: {refused}");
}

#[test]
fn an_upgrade_that_never_gets_ready_leaves_the_old_pod_at_work() {
    let cluster = shared();
    let release =
        Release::new(&cluster, "chart-upgrade").with("crds", json!({ "install": false })).installed();
    let pods = || cluster.api.list(Kind::POD, "chart-upgrade").unwrap();
    let name = |pod: &Value| pod["metadata"]["name"].as_str().unwrap().to_owned();
    let old = name(&pods()[0]);
    let bad = json!({ "digest": format!("sha256:{}", "6".repeat(64)), "repository": "wso2/never-ready" });
    let release = release.with("image", bad);
    release.apply(&artifact::files());
    let new = || pods().iter().any(|pod| pod.to_string().contains("ImagePullBackOff"));
    cluster.wait_for("the new pod", new).unwrap();
    let all = pods();
    let elder = all.iter().find(|pod| name(pod) == old).unwrap();
    assert_eq!(condition(elder, "Ready")["status"], "True");
    assert!(elder["metadata"]["deletionTimestamp"].is_null());
    let env = elder["spec"]["containers"][0]["env"].to_string();
    assert!(env.contains("app.kubernetes.io/instance=pdp-sync") && env.contains("metadata.name"), "{env}");
}

#[test]
fn every_part_renders_and_the_api_server_takes_it() {
    let cluster = shared();
    let release = Release::new(&cluster, "chart-all")
        .with("crds", json!({ "install": false }))
        .with("metrics", json!({ "dashboard": { "enabled": true }, "kubeStateMetrics": { "enabled": true } }))
        .with("networkPolicy", json!({ "openFlux": true }))
        .with("proxy", json!({ "url": "http://proxy.acme.example:3128" }))
        .with("privateCa", json!({ "secretName": "corporate-ca" }))
        .with("rbac", json!({ "subscriptions": ["pdp"], "secrets": ["registry-login"] }))
        .with("imagePullSecrets", json!([{ "name": "registry-login" }]))
        .with("global", json!({ "imageRegistry": "registry.acme.example/wso2" }))
        .installed();
    let parts = release.inventory();
    for part in [
        "pdp-sync Deployment",
        "pdp-sync ServiceAccount",
        "pdp-sync Role",
        "pdp-sync RoleBinding",
        "pdp-sync NetworkPolicy",
        "pdp-sync-from-chart-all NetworkPolicy",
        "pdp-sync PodDisruptionBudget",
        "pdp-sync-dashboard ConfigMap",
        "pdp-sync-kube-state-metrics ConfigMap",
    ] {
        assert!(parts.iter().any(|found| found == part), "{part} is not in {parts:?}");
    }
    for kind in [Kind::CLUSTER_ROLE, Kind::CLUSTER_ROLE_BINDING] {
        assert!(release.get(kind, "chart-all:pdp-sync").is_object(), "{}", kind.name());
    }
    let template = release.get(Kind::DEPLOYMENT, "pdp-sync")["spec"]["template"]["spec"].clone();
    let container = &template["containers"][0];
    let image = container["image"].as_str().unwrap();
    assert!(image.starts_with("registry.acme.example/wso2/wso2/pdp-sync@sha256:5"), "{image}");
    let names: Vec<_> =
        container["env"].as_array().unwrap().iter().map(|env| env["name"].as_str().unwrap()).collect();
    for name in
        ["RUNTIME_NAMESPACE", "EVENTS_ADDR", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"]
    {
        assert!(names.contains(&name), "{name} is not in {names:?}");
    }
    assert_eq!(template["imagePullSecrets"][0]["name"], "registry-login");
}

#[test]
fn a_value_that_the_chart_does_not_know_stops_it() {
    let cluster = shared();
    let release = Release::new(&cluster, "chart-typo")
        .with("crds", json!({ "install": false }))
        .with("replicas", json!(2));
    release.apply(&artifact::files());
    release.until("the release to fail", |release| {
        let ready = condition(release, "Ready");
        ready["reason"] == "InstallFailed" && ready["message"].as_str().unwrap().contains("replicas")
    });
    assert!(release.get(Kind::DEPLOYMENT, "pdp-sync").is_null());
}
