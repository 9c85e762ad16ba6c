//! Least privilege the other way round: what the chart grants is used, right by right.

use std::collections::BTreeSet;

use pdp_e2e::World;
use pdp_e2e::cluster::{Cluster, Kind, Request, Right, SubscriptionState, rights, shared};

use crate::scenario::Scenario;

const NAMESPACE: &str = "rights-used";
/// A chart and plain manifests that are taken away later; a `DaemonSet`; a `Deployment`. The first is made a
/// `StatefulSet`, the last gets a `CronJob` and a `Job`.
const COMPONENTS: [&str; 4] =
    ["certificate-manager", "flux-source-controller", "logging-agent", "choreo-connect-enforcer"];

/// A Job's pod template can't be changed, so each image has a Job of its own.
const JOBS: &str = r#"apiVersion: batch/v1
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
            - {name: main, image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"}
---
apiVersion: batch/v1
kind: Job
metadata: {name: "once-{{ .Values.image.tag }}"}
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
        - {name: main, image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"}
"#;

/// As the chart starts it.
const AS_A_POD: [(&str, &str); 2] = [("POD_NAME", "pdp-sync-0"), ("POD_SELECTOR", "app=pdp-sync")];

#[test]
fn no_right_is_granted_that_an_ordinary_life_doesnt_use() {
    let cluster = shared();
    let _scenario = Scenario::begin("least privilege: no right of the chart is unused");
    let begun = cluster.moment();
    live(&cluster);
    let requests = cluster.requests_by("pdp-sync", NAMESPACE, begun).unwrap();
    let used: BTreeSet<Right> = requests.iter().flat_map(needed).collect();
    let granted: BTreeSet<Right> = Cluster::rights_of_pdp_sync(NAMESPACE)
        .unwrap()
        .iter()
        .filter(|object| ["Role", "ClusterRole"].contains(&object["kind"].as_str().unwrap_or_default()))
        .flat_map(rights)
        .collect();
    let words = |right: &Right| format!("{} {} ({})", right.verb, right.resource, right.group);
    let unused: Vec<_> = granted.difference(&used).map(words).collect();
    assert!(unused.is_empty(), "granted, and never used: {unused:#?}");
    let refused: Vec<_> = requests.iter().filter(|request| request.code == 403).collect();
    assert!(refused.is_empty(), "needed, and not granted: {refused:#?}");
}

/// What a request needs: whoever applies what isn't there yet creates it, too.
fn needed(request: &Request) -> Vec<Right> {
    let mut all = vec![request.right.clone()];
    if request.right.verb == "patch" && request.code == 201 {
        all.push(Right { verb: "create".to_owned(), ..request.right.clone() });
    }
    all
}

/// Two levels, one that removes components, a source that falls behind, another kind of source, and the end.
fn live(cluster: &Cluster) {
    let mut world = World::start().unwrap();
    world.catalog_in_oci = true;
    release(&world, 41);
    world.open(41, &["general=100"]).unwrap();
    let kubeconfig = cluster.admit_pdp_sync(NAMESPACE).unwrap();
    world.target_namespaces(41).unwrap().iter().for_each(|name| cluster.namespace(name).unwrap());
    let subscription = cluster.subscription(&world, NAMESPACE).unwrap().from_git_repository(&world);
    let subscription = subscription.apply().unwrap();
    let pdp_sync = cluster.start_pdp_sync(NAMESPACE, &kubeconfig, &AS_A_POD).unwrap();
    subscription.until_level(&pdp_sync, 41).unwrap();
    let revision = || {
        let source = cluster.api.get(Kind::GIT_REPOSITORY, NAMESPACE, "catalog").unwrap().unwrap();
        let revision = source["status"]["artifact"]["revision"].as_str().unwrap_or_default();
        revision.rsplit(':').next().unwrap_or_default().to_owned()
    };
    let first = revision();
    for level in [42, 43] {
        release(&world, level);
        world.open(level, &["general=100"]).unwrap();
        subscription.until_level(&pdp_sync, level.into()).unwrap();
    }
    let gone = || cluster.api.get(Kind::KUSTOMIZATION, NAMESPACE, COMPONENTS[1]).unwrap().is_none();
    pdp_sync.wait("the removed manifests to go", gone).unwrap();
    let newest = revision();
    world.git.force("catalog", "catalog", &first).unwrap();
    let behind = |state: &SubscriptionState| state.status("refusal")["code"] == "VersionFloor";
    subscription.until(&pdp_sync, "the older catalog to be refused", behind).unwrap();
    world.git.force("catalog", "catalog", &newest).unwrap();
    let subscription = cluster.subscription(&world, NAMESPACE).unwrap();
    let subscription = subscription.from_oci_repository(&world.catalog_repository()).apply().unwrap();
    subscription.until_level(&pdp_sync, 43).unwrap();
    subscription.delete().unwrap();
    pdp_sync.wait("the subscription to go", || subscription.state().0.is_null()).unwrap();
}

fn release(world: &World, level: u32) {
    let edit = |line: &mut pdp_e2e::Line| {
        line.in_namespaces(NAMESPACE)?;
        line.quick();
        line.keep(&COMPONENTS);
        let stateful = "kind: StatefulSet";
        line.replace(COMPONENTS[0], "templates/workload.yaml", "kind: Deployment", stateful)?;
        line.write(COMPONENTS[3], "templates/jobs.yaml", JOBS)?;
        line.values(COMPONENTS[2], None, &format!("level: {level}\n"))?;
        if level == 43 {
            COMPONENTS[..2].iter().for_each(|name| line.remove(name));
        }
        Ok(())
    };
    world.release_with(level, "emergency", edit).unwrap();
}
