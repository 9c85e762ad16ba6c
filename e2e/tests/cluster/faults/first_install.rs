//! A level that fails before any was good: there is nothing to go back to, and nothing may go.

use pdp_e2e::Fate;
use pdp_e2e::cluster::{Kind, shared};

use super::{LAST, level_failed};
use crate::plane::{COMPONENTS, Plane};
use crate::scenario::Scenario;

const NAMESPACE: &str = "first";

/// What there is of both components: the Flux object and the workload.
fn identities(plane: &Plane<'_>) -> Vec<String> {
    let places = ["cert-manager-first", "wso2-dataplane-first"];
    let of = |kind: Kind, namespace: &str, name: &str| {
        let found = plane.cluster.api.get(kind, namespace, name).unwrap();
        let found = found.unwrap_or_else(|| panic!("{} {namespace}/{name} is gone", kind.name()));
        found["metadata"]["uid"].as_str().unwrap().to_owned()
    };
    let both = COMPONENTS.iter().zip(places);
    both.flat_map(|(name, place)| {
        [of(Kind::HELM_RELEASE, NAMESPACE, name), of(Kind::DEPLOYMENT, place, name)]
    })
    .collect()
}

#[test]
fn a_failed_first_install_stays_and_the_next_level_mends_it() {
    let cluster = shared();
    let _scenario = Scenario::begin("faults: the first level fails; nothing is uninstalled; 42 mends it");
    let bad = |line: &mut pdp_e2e::Line| line.fate(LAST, Fate::NeverReady);
    let plane = Plane::before_41(&cluster, NAMESPACE, bad, |_| Ok(()));
    let (subscription, pdp_sync) = (&plane.subscription, &plane.pdp_sync);
    subscription.until(pdp_sync, "level 41 to fail", level_failed).unwrap();
    let before = identities(&plane);
    let state = subscription.state();
    assert_eq!((state.level(), state.target()), (None, Some(42)), "{}", subscription.describe());
    let told = state.condition("Stalled")["message"].as_str().unwrap_or_default().to_owned();
    assert!(told.contains("nothing to go back to") && !told.contains("went back"), "{told}");
    assert!(
        !state.is("Ready") && !state.is("Verified") && !state.is("Healthy"),
        "{}",
        subscription.describe()
    );
    assert!(!state.is("Mixed"), "there is one level alone: {}", subscription.describe());
    assert_eq!(COMPONENTS.map(|name| state.component(name)), ["healthy", "failed"]);
    assert_eq!(state.history(), [(41, "failed".to_owned())]);
    let told = || {
        let events = pdp_sync.notifications.all().into_iter();
        events.map(|event| event["reason"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    pdp_sync.wait("the failure to be notified", || told().iter().any(|it| it == "LevelFailed")).unwrap();

    plane.world.open(42, &["general=100"]).unwrap();
    subscription.until_level(pdp_sync, 42).unwrap();
    assert_eq!(identities(&plane), before, "nothing was uninstalled on the way");
    let history = subscription.state().history();
    assert_eq!(history, [(42, "healthy".to_owned()), (41, "failed".to_owned())]);
}
