//! The ground that the scenarios stand on: identities, records of writes, restarts, fates of pods, registries.

use std::collections::BTreeSet;
use std::path::Path;

use pdp_e2e::cluster::{Cluster, Flux, Kind, Olareg, Part, alone, condition, rights, shared, tools};
use pdp_e2e::{DataPlane, Fate, World};
use serde_json::{Value, json};

use crate::scenario::Scenario;

fn config_map(namespace: &str, name: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name, "namespace": namespace } })
}

#[test]
fn a_service_account_can_do_what_it_may_and_each_write_is_on_record() {
    let cluster = shared();
    let _scenario = Scenario::begin("harness: exactly one account's rights, every write on record");
    cluster.admit_pdp_sync("harness-rights").unwrap();
    cluster.namespace("harness-elsewhere").unwrap();
    let token = cluster.token_for("pdp-sync", "harness-rights").unwrap();
    let (api, since) = (cluster.api.with_token(&token), cluster.moment());
    let secret = |namespace: &str| json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "s", "namespace": namespace } });
    api.create(Kind::SECRET, &secret("harness-rights")).unwrap();
    let refused = api.create(Kind::SECRET, &secret("harness-elsewhere")).unwrap_err();
    assert!(refused.to_string().contains("403"), "{refused}");
    let account = json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "s", "namespace": "harness-rights" } });
    assert!(api.create(Kind::SERVICE_ACCOUNT, &account).is_err());
    assert!(api.list(Kind::SUBSCRIPTION, "harness-rights").unwrap().is_empty());
    assert!(api.get(Kind::NAMESPACE, "", "kube-system").unwrap().is_some());

    let requests = || cluster.requests_by("pdp-sync", "harness-rights", since).unwrap();
    cluster.wait_for("five requests on record", || requests().len() == 5).unwrap();
    let create = |resource: &str| ("create".to_owned(), resource.to_owned());
    let writes = cluster.writes_by("pdp-sync", "harness-rights", since).unwrap();
    assert_eq!(writes, [create("secrets"), create("secrets"), create("serviceaccounts")]);
    let granted: BTreeSet<_> =
        Cluster::rights_of_pdp_sync("harness-rights").unwrap().iter().flat_map(rights).collect();
    let refused: Vec<_> = requests().into_iter().filter(|request| request.code == 403).collect();
    assert_eq!(refused.len(), 2);
    assert!(!granted.contains(&refused[1].right), "nobody granted {:?}", refused[1].right);
    assert!(requests().iter().filter(|request| request.code < 300).all(|r| granted.contains(&r.right)));
}

#[test]
fn the_api_server_comes_back_on_its_port_and_everybody_goes_on() {
    let mut cluster = alone();
    let _scenario = Scenario::begin("harness: kube-apiserver killed and started again, all go on");
    cluster.namespace("harness-restart").unwrap();
    cluster.api.apply(Kind::CONFIG_MAP, &config_map("harness-restart", "before")).unwrap();
    cluster.stop(Part::ApiServer);
    assert!(cluster.api.text("/readyz").is_err());
    cluster.wait_for("a stopped part to be no failure", || true).unwrap();
    cluster.start_again(Part::ApiServer).unwrap();
    assert!(cluster.api.get(Kind::CONFIG_MAP, "harness-restart", "before").unwrap().is_some());
    // The controllers watch again: a new namespace gets its service account.
    cluster.namespace("harness-restarted").unwrap();
    cluster
        .wait_for("the controllers to go on", || {
            let found = cluster.api.get(Kind::SERVICE_ACCOUNT, "harness-restarted", "default");
            found.is_ok_and(|found| found.is_some())
        })
        .unwrap();
}

#[test]
fn source_controller_comes_back_with_empty_storage() {
    let mut cluster = alone();
    let _scenario = Scenario::begin("harness: source-controller comes back with empty storage");
    let world = World::start().unwrap();
    cluster.namespace("harness-source").unwrap();
    let git = json!({
        "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository",
        "metadata": { "name": "catalog", "namespace": "harness-source" },
        "spec": { "interval": "1h", "url": world.git.url("catalog"), "ref": { "branch": "catalog" } },
    });
    world.publish_catalog().unwrap();
    cluster.api.apply(Kind::GIT_REPOSITORY, &git).unwrap();
    let files = |cluster: &Cluster| count(&cluster.folder().join("source/gitrepository/harness-source"));
    cluster.wait_for("an artifact", || files(&cluster) > 0).unwrap();
    cluster.stop(Part::SourceController);
    cluster.empty_source_storage().unwrap();
    assert_eq!(files(&cluster), 0);
    cluster.start_again(Part::SourceController).unwrap();
    cluster.wait_for("the artifact to be fetched again", || files(&cluster) > 0).unwrap();
}

/// Files in a folder and below.
fn count(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| if entry.path().is_dir() { count(&entry.path()) } else { 1 }).sum()
}

#[test]
fn a_bare_control_plane_knows_an_older_flux_or_none() {
    let tools = tools();
    let _scenario = Scenario::begin("harness: a control plane with an older Flux, and without Flux");
    let old = Cluster::start_bare(tools.clone(), Flux::Old).unwrap();
    assert!(old.api.list(Kind::OCI_REPOSITORY, "").is_err(), "v1 isn't served");
    assert!(old.api.list(Kind::GIT_REPOSITORY, "").is_ok());
    drop(old);
    let none = Cluster::start_bare(tools, Flux::Missing).unwrap();
    assert!(none.api.list(Kind::GIT_REPOSITORY, "").is_err());
    assert!(none.api.list(Kind::SUBSCRIPTION, "").is_ok());
}

#[test]
fn a_real_registry_with_and_without_referrers_holds_what_publisher_pushed() {
    let tools = tools();
    let _scenario = Scenario::begin("harness: olareg with and without the referrers API takes a release");
    for referrers in [true, false] {
        let registry = Olareg::start(&tools, referrers).unwrap();
        let mut world = World::start().unwrap();
        world.outside.registry = Some(registry.host());
        world.catalog_in_oci = true;
        world.release(41, "emergency").unwrap();
        world.open(41, &["general=100"]).unwrap();
        let plane = world.data_plane("acme", "prod", "general", "").unwrap();
        let passed = plane.pass(&world, &[]).unwrap();
        assert_eq!(plane.level(), Some(41), "referrers {referrers}: {}", passed.stderr);
    }
}

/// What each Flux object of a namespace is like now.
struct Applied<'a>(&'a Cluster, &'a str);

impl Applied<'_> {
    fn release(&self, name: &str) -> Value {
        self.0.api.get(Kind::HELM_RELEASE, self.1, name).ok().flatten().unwrap_or_default()
    }

    fn ready(&self, name: &str, status: &str) -> bool {
        let release = self.release(name);
        condition(&release, "Ready")["status"] == status
            && condition(&release, "Reconciling")["status"] != "True"
            && release["status"]["observedGeneration"] == release["metadata"]["generation"]
    }

    fn at_chart_of(&self, name: &str, digest: &str) -> bool {
        self.release(name)["status"]["lastAttemptedRevisionDigest"] == digest
    }
}

/// The Flux objects of a data plane with a Git target, straight from its repository.
fn objects(world: &World, plane: &DataPlane) -> Vec<Value> {
    let files = world.git.files(&plane.name, "main").unwrap();
    let wanted = files.iter().filter(|(path, _)| path.starts_with("pdp/") && path.ends_with(".yaml"));
    let parsed = wanted.map(|(_, text)| serde_saphyr::from_str(&String::from_utf8_lossy(text)).unwrap());
    parsed.filter(|object: &Value| Kind::of(object).is_some_and(|kind| Kind::FLUX.contains(&kind))).collect()
}

#[test]
fn a_component_gets_the_fate_that_its_image_names() {
    const NAMESPACE: &str = "harness-fates";
    let cluster = shared();
    let _scenario =
        Scenario::begin("harness: never ready, ready then failing, failing hook, failing when told");
    let world = World::start().unwrap();
    world.release_variant(41, "fates").unwrap();
    world
        .release_with(42, "emergency", |line| {
            line.in_namespaces("fates")?;
            line.fate("secret-resolver", Fate::NeverReady)?;
            line.fate("choreo-connect-adapter", Fate::ReadyThenFails)?;
            line.fate("pdp-agent", Fate::HookFails)
        })
        .unwrap();
    let plane = world.data_plane("acme", "fates", "general", "").unwrap();
    let text = std::fs::read_to_string(&plane.subscription).unwrap();
    let text = text.replace("namespace: flux-system", &format!("namespace: {NAMESPACE}"));
    std::fs::write(&plane.subscription, text).unwrap();
    let targets = world.target_namespaces(41).unwrap();
    targets.iter().map(String::as_str).chain([NAMESPACE]).for_each(|name| cluster.namespace(name).unwrap());
    let applied = Applied(&cluster, NAMESPACE);
    let apply = |level: u32| {
        world.open(level, &["general=100"]).unwrap();
        assert!(plane.pass(&world, &[]).unwrap().ok());
        let objects = objects(&world, &plane);
        cluster.api.apply_all(&objects).unwrap();
        move |component: &str| digest(&objects, component)
    };
    let three = ["secret-resolver", "choreo-connect-adapter", "pdp-agent"];
    let wanted = apply(41);
    for name in three {
        cluster
            .wait_for(name, || applied.ready(name, "True") && applied.at_chart_of(name, &wanted(name)))
            .unwrap();
    }
    let wanted = apply(42);
    let attempted = |name: &str, status: &str| {
        let at = || applied.ready(name, status) && applied.at_chart_of(name, &wanted(name));
        let what = format!("{name} to be {status}");
        cluster.wait_for(&what, at).unwrap_or_else(|e| panic!("{e:#} {:#}", applied.release(name)["status"]));
    };
    attempted("choreo-connect-adapter", "True");
    attempted("secret-resolver", "False");
    attempted("pdp-agent", "False");
    let unavailable = |namespace: &str, name: &str| {
        let found = cluster.api.get(Kind::DEPLOYMENT, namespace, name).ok().flatten().unwrap_or_default();
        condition(&found, "Available")["status"] == "False"
    };
    let adapter = || unavailable("wso2-dataplane-fates", "choreo-connect-adapter");
    cluster.wait_for("the adapter to fail after it was ready", adapter).unwrap();
    cluster.let_pods_fail("wso2-dataplane-fates", "choreo-connect-router").unwrap();
    let router = || unavailable("wso2-dataplane-fates", "choreo-connect-router");
    cluster.wait_for("the router to fail when told", router).unwrap();
}

fn digest(objects: &[Value], component: &str) -> String {
    let release = objects.iter().find(|o| o["kind"] == "HelmRelease" && o["metadata"]["name"] == component);
    let source = &release.unwrap()["spec"]["chartRef"]["name"];
    let source = objects.iter().find(|o| o["kind"] == "OCIRepository" && &o["metadata"]["name"] == source);
    source.unwrap()["spec"]["ref"]["digest"].as_str().unwrap().to_owned()
}

#[test]
fn a_line_takes_every_edit_that_a_scenario_needs() {
    let _scenario =
        Scenario::begin("harness: a level with a renamed chart, one component removed, one forgotten");
    let world = World::start().unwrap();
    world.release_variant(41, "edits").unwrap();
    world
        .release_with(42, "emergency", |line| {
            line.rename_chart("secret-resolver", "other-secrets")?;
            line.forget("logging-agent");
            line.remove("observability-agent");
            line.write("certificate-manager", "crds/more.yaml", "kind: ConfigMap\n")?;
            line.image_of("pdp-agent", "registry.wso2.example/wso2/pdp-agent:fail-2.6.0")?;
            line.set("cilium", "onFailure", json!("rollback"))?;
            line.replace("secret-resolver", "values.yaml", "replicas: 1", "replicas: 2")
        })
        .unwrap();
    let release = std::fs::read(world.path("level-42/release-pdp-2026-42.json")).unwrap();
    let release: Value = serde_json::from_slice(&release).unwrap();
    let components = release["components"].as_array().unwrap();
    let component = |name: &str| components.iter().find(|component| component["name"] == name);
    assert_eq!(component("secret-resolver").unwrap()["artifact"]["chart"]["name"], "other-secrets");
    assert_eq!(component("cilium").unwrap()["onFailure"], "rollback");
    assert_eq!(component("cilium").unwrap()["namespace"], "kube-system-edits");
    assert!(component("logging-agent").is_none() && component("observability-agent").is_none());
    assert_eq!(release["removed"], json!(["observability-agent"]));
}
