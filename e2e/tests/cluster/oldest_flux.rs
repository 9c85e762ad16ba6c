//! The oldest Flux that is supported: its helm-controller has Helm 3, post-renders no hooks, and keeps no inventory.

use anyhow::Result;
use pdp_e2e::cluster::{Cluster, Flux, Kind, SubscriptionState, tools};
use pdp_e2e::{Fate, Line};
use serde_json::{Value, json};

use crate::digests::{level, runs_by_digest, until_applied};
use crate::plane::{Plane, release};
use crate::scenario::Scenario;

const NAMESPACE: &str = "oldest";
const ENFORCER: &str = "choreo-connect-enforcer";

/// A chart with a CronJob besides, whose values may add a container.
fn with_more(line: &mut Line) -> Result<()> {
    let more = "containers:\n{{- with .Values.sidecar }}\n        - {name: sidecar, image: {{ . | quote }}}\n{{- end }}";
    line.replace(ENFORCER, "templates/workload.yaml", "containers:", more)?;
    line.write(ENFORCER, "templates/nightly.yaml", NIGHTLY)
}

const NIGHTLY: &str = r#"apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec:
  schedule: "0 3 * * *"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers:
            - {name: main, image: "{{ .Values.nightly | default (printf "%s:%s" .Values.image.repository .Values.image.tag) }}"}
"#;

fn is_held(state: &SubscriptionState) -> bool {
    let obstacles = state.status("obstacles");
    let detail = |it: &Value| it["detail"].as_str().unwrap_or_default().to_owned();
    let unmet = |it: &Value| it["code"] == "RequiresUnmet" && detail(it).contains("rbac.listWorkloads");
    obstacles.as_array().is_some_and(|all| all.iter().any(unmet))
}

/// Its pods never get ready.
fn bad(line: &mut Line) -> Result<()> {
    with_more(line)?;
    line.fate(ENFORCER, Fate::NeverReady)
}

/// Waits until a level failed and 41 is back.
fn goes_back(plane: &Plane<'_>, level: u64) -> SubscriptionState {
    let failed = |state: &SubscriptionState| {
        state.phase() == "quarantined" && state.target() == Some(level) && state.level() == Some(41)
    };
    plane.subscription.until(&plane.pdp_sync, &format!("level {level} to fail"), failed).unwrap();
    plane.subscription.state()
}

#[test]
fn levels_install_go_back_and_foreign_images_are_seen_with_the_oldest_helm_controller() {
    let _scenario = Scenario::begin("oldest Flux: held without the right to see images; then all as ever");
    let cluster = Cluster::start(tools(), Flux::Oldest).unwrap();
    let plane = Plane::before_41(&cluster, NAMESPACE, with_more, bad);
    let (subscription, pdp_sync) = (&plane.subscription, &plane.pdp_sync);
    subscription.until(pdp_sync, "level 41 to be held", is_held).unwrap();
    assert!(cluster.api.list(Kind::HELM_RELEASE, NAMESPACE).unwrap().is_empty());

    cluster.let_pdp_sync_list_workloads(NAMESPACE).unwrap();
    subscription.until_level(pdp_sync, 41).unwrap();
    let applied = |number: u32| {
        let named = level(&plane.world, number, "azure");
        until_applied(&cluster, NAMESPACE, &named.artifacts).unwrap();
        named.images
    };
    runs_by_digest(&cluster, &plane.world.target_namespaces(41).unwrap(), &applied(41));
    let live = plane.live(Kind::HELM_RELEASE, ENFORCER);
    assert!(live["status"]["inventory"].is_null() && live["spec"]["postRenderStrategy"].is_null(), "{live}");

    plane.world.open(42, &["general=100"]).unwrap();
    assert!(!goes_back(&plane, 42).is("ForeignImage"), "{}", subscription.describe());
    applied(41);

    let theirs = format!("pdp-values-{ENFORCER}");
    plane.give(&theirs, "sidecar: evil.example/thing:1\nnightly: evil.example/other:1\n");
    release(&plane.world, 43, NAMESPACE, with_more);
    plane.world.open(43, &["general=100"]).unwrap();
    let cause = goes_back(&plane, 43).status("target")["cause"].as_str().unwrap().to_owned();
    for place in ["container sidecar: evil.example/thing:1", "CronJob wso2-dataplane-oldest/nightly"] {
        assert!(cause.starts_with("ForeignImage: ") && cause.contains(place), "{cause}");
    }
    let own = json!({ "spec": { "policy": { "ownImages": ["evil.example/thing", "evil.example/other"] } } });
    subscription.patch(&own).unwrap();
    subscription.until_level(pdp_sync, 43).unwrap();
    applied(43);
}
