//! Another field manager takes fields of ours, slowly, again and again.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use pdp_e2e::cluster::{Kind, SubscriptionState, shared};
use serde_json::{Value, json};

use super::{LAST, chart_refs};
use crate::plane::{Plane, release};
use crate::scenario::Scenario;

const NAMESPACE: &str = "fights";
/// Between two edits of the rival.
const PACE: Duration = Duration::from_millis(500);

/// Somebody who writes the same fields for as long as `during` lasts; it gets the number of edits so far.
fn against<T>(plane: &Plane<'_>, spec: &Value, during: impl FnOnce(&AtomicUsize) -> T) -> T {
    let object = json!({
        "apiVersion": Kind::HELM_RELEASE.api_version(), "kind": Kind::HELM_RELEASE.name(),
        "metadata": { "name": LAST, "namespace": NAMESPACE }, "spec": spec,
    });
    let (over, edits) = (AtomicBool::new(false), AtomicUsize::new(0));
    /// Ends the fight, also when the test fails.
    struct Truce<'a>(&'a AtomicBool);
    impl Drop for Truce<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    std::thread::scope(|scope| {
        let _truce = Truce(&over);
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                plane.cluster.api.apply_as("rival", Kind::HELM_RELEASE, &object).unwrap();
                edits.fetch_add(1, Ordering::Relaxed);
                std::thread::sleep(PACE);
            }
        });
        during(&edits)
    })
}

fn told(state: &SubscriptionState, field: &str) -> bool {
    let message = state.condition("Stalled")["message"].as_str().unwrap_or_default().to_owned();
    state.reason("Stalled") == "ForeignWriter"
        && ["`rival`", field, &format!("HelmRelease/{LAST}")].iter().all(|word| message.contains(word))
}

#[test]
fn a_slow_fight_is_told_bounded_and_over_when_the_other_stops() {
    let cluster = shared();
    let _scenario =
        Scenario::begin("faults: another field manager fights: told by name, few writes, recovers");
    let plane = Plane::at_41(&cluster, NAMESPACE, |_| Ok(()));
    let (subscription, pdp_sync) = (&plane.subscription, &plane.pdp_sync);
    let live = || cluster.api.get(Kind::HELM_RELEASE, NAMESPACE, LAST).unwrap().unwrap();
    let interval = live()["spec"]["interval"].clone();
    against(&plane, &json!({ "interval": "7m" }), |edits| {
        let named = |state: &SubscriptionState| told(state, "spec.interval");
        subscription.until(pdp_sync, "the fight to be told", named).unwrap();
        let (since, before) = (cluster.moment(), edits.load(Ordering::Relaxed));
        pdp_sync.wait("twenty more edits", || edits.load(Ordering::Relaxed) >= before + 20).unwrap();
        let writes = cluster.writes_by("pdp-sync", NAMESPACE, since).unwrap();
        let writes = writes.iter().filter(|(_, resource)| resource == "helmreleases").count();
        assert!(writes <= 4, "{writes} writes against 20");
        plane.world.open(42, &["general=100"]).unwrap();
        let held = |state: &SubscriptionState| state.obstacles().contains(&"HeldByEdit".to_owned());
        subscription.until(pdp_sync, "42 to wait for the end of the fight", held).unwrap();
        assert_eq!(subscription.state().level(), Some(41));
    });
    subscription.until_level(pdp_sync, 42).unwrap();
    assert_eq!(live()["spec"]["interval"], interval, "put right");
    assert!(!subscription.state().is("Stalled"), "{}", subscription.describe());

    // In mid-apply: the rival holds the component at the source of 42.
    release(&plane.world, 43, NAMESPACE, |line| {
        line.replace(LAST, "values.yaml", "replicas: 1", "replicas: 2")
    });
    let at_42 = chart_refs(&cluster.api, NAMESPACE);
    let reference = json!({ "chartRef": { "kind": "OCIRepository", "name": at_42[1] } });
    against(&plane, &reference, |_| {
        plane.world.open(43, &["general=100"]).unwrap();
        let named = |state: &SubscriptionState| told(state, "spec.chartRef.name");
        subscription.until(pdp_sync, "the fight over 43 to be told", named).unwrap();
        assert_eq!(subscription.state().level(), Some(42));
    });
    subscription.until_level(pdp_sync, 43).unwrap();
    let history = subscription.state().history();
    assert_eq!(history, [43, 42, 41].map(|level| (level, "healthy".to_owned())), "no level was called bad");
}
