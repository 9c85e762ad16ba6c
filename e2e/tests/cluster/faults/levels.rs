//! Levels that are bad in ways that Flux doesn't show at once, and the levels after them.

use pdp_e2e::Fate;
use pdp_e2e::cluster::shared;
use serde_json::json;

use super::{LAST, chart_refs, level_failed, sources};
use crate::plane::{Plane, release};
use crate::scenario::Scenario;

#[test]
fn a_failing_hook_goes_back_and_a_newer_level_is_taken_once_and_for_all() {
    let cluster = shared();
    let _scenario =
        Scenario::begin("faults: a failing hook goes back; 43 after the quarantined 42; sources cleared");
    let plane = Plane::at_41(&cluster, "hook", |line| line.fate(LAST, Fate::HookFails));
    let (subscription, pdp_sync) = (&plane.subscription, &plane.pdp_sync);
    let refs = || chart_refs(&cluster.api, "hook");
    let at_41 = refs();
    plane.world.open(42, &["general=100"]).unwrap();
    subscription.until(pdp_sync, "the hook to fail level 42", level_failed).unwrap();
    let state = subscription.state();
    assert_eq!((state.level(), state.phase()), (Some(41), "quarantined"), "{}", subscription.describe());
    assert_eq!(state.status("target")["failed"], LAST);
    assert_eq!(refs(), at_41, "both components are back");
    let of_42: Vec<_> = sources(&cluster.api, "hook").into_iter().filter(|it| !at_41.contains(it)).collect();
    assert_eq!(of_42.len(), 2, "the sources of 42 are there until another level is installed");

    // A forced pass looks at everything anew, and still nobody tries 42 again.
    let since = cluster.moment();
    let token = jiff::Timestamp::now().to_string();
    let ask = json!({ "reconcile.fluxcd.io/requestedAt": token, "reconcile.fluxcd.io/forceAt": token });
    subscription.patch(&json!({ "metadata": { "annotations": ask } })).unwrap();
    let answered =
        |state: &pdp_e2e::cluster::SubscriptionState| state.status("lastHandledForceAt") == &json!(token);
    subscription.until(pdp_sync, "the forced pass", answered).unwrap();
    let writes = cluster.writes_by("pdp-sync", "hook", since).unwrap();
    assert!(writes.iter().all(|(_, resource)| resource != "helmreleases"), "{writes:?}");

    release(&plane.world, 43, "hook", |line| line.replace(LAST, "values.yaml", "replicas: 1", "replicas: 2"));
    plane.world.open(43, &["general=100"]).unwrap();
    subscription.until_level(pdp_sync, 43).unwrap();
    let at_43 = refs();
    let cleared = || sources(&cluster.api, "hook").iter().all(|it| at_41.contains(it) || at_43.contains(it));
    pdp_sync.wait("what only 42 named to go", cleared).unwrap();
    let left = sources(&cluster.api, "hook");
    assert!(at_41.iter().chain(&at_43).all(|kept| left.contains(kept)), "41 is the last good one: {left:?}");
    let history = subscription.state().history();
    let entry = |level: u64, result: &str| (level, result.to_owned());
    assert_eq!(history, [entry(43, "healthy"), entry(42, "failed"), entry(41, "healthy")]);
    assert!(!subscription.state().is("Stalled"), "{}", subscription.describe());
}

#[test]
fn what_gets_ready_and_then_fails_is_noticed_although_flux_says_ready() {
    let cluster = shared();
    let _scenario = Scenario::begin("faults: ready for Flux, then failing while it settles; goes back");
    let plane = Plane::at_41(&cluster, "settles", |line| {
        line.set(LAST, "settle", json!("20s"))?;
        line.set(LAST, "timeout", json!("30s"))?;
        line.fate(LAST, Fate::ReadyThenFails)
    });
    let (subscription, pdp_sync) = (&plane.subscription, &plane.pdp_sync);
    let refs = || chart_refs(&cluster.api, "settles");
    let before = refs();
    plane.world.open(42, &["general=100"]).unwrap();
    let fell_over = |state: &pdp_e2e::cluster::SubscriptionState| {
        let components = state.status("components").to_string();
        components.contains("WorkloadNotReady")
    };
    subscription.until(pdp_sync, "the workload that fell over to be named", fell_over).unwrap();
    assert_eq!(subscription.state().level(), Some(41), "it never counted as installed");
    subscription.until(pdp_sync, "level 42 to fail", level_failed).unwrap();
    let state = subscription.state();
    assert_eq!((state.level(), state.phase()), (Some(41), "quarantined"), "{}", subscription.describe());
    assert_eq!(refs(), before, "both components are back");
    assert_eq!(state.history()[0], (42, "failed".to_owned()));
}

/// Renders to five ConfigMaps of half a megabyte each that don't compress: more than Helm's record can hold.
const LARGE: &str = "\
{{- range $map := until 5 }}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: large-{{ $map }}}
data:
  lines: |
  {{- range $line := until 8000 }}
    {{ printf \"%d %d\" $map $line | sha256sum }}
  {{- end }}
{{- end }}
";

#[test]
fn what_helm_can_not_record_fails_the_level_and_goes_back() {
    let cluster = shared();
    let _scenario = Scenario::begin("faults: a release that Helm tries to store without end; goes back");
    let plane = Plane::at_41(&cluster, "large", |line| {
        line.set(LAST, "timeout", json!("15s"))?;
        line.write(LAST, "templates/large.yaml", LARGE)
    });
    let (subscription, pdp_sync) = (&plane.subscription, &plane.pdp_sync);
    let before = chart_refs(&cluster.api, "large");
    plane.world.open(42, &["general=100"]).unwrap();
    subscription.until(pdp_sync, "level 42 to fail", level_failed).unwrap();
    let state = subscription.state();
    assert_eq!((state.level(), state.phase()), (Some(41), "quarantined"), "{}", subscription.describe());
    assert_eq!(state.status("target")["failed"], LAST);
    let cause = state.status("target")["cause"].as_str().unwrap_or_default();
    assert!(cause.starts_with("TimedOut: "), "{cause}");
    assert_eq!(chart_refs(&cluster.api, "large"), before, "both components are back");
}
