//! What others read off an `UpdateSubscription`: Flux's status contract, kstatus, columns, events, logs, probes.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use pdp_e2e::Fate;
use pdp_e2e::cluster::{Kind, Subscription, SubscriptionState, shared};
use serde_json::{Value, json};

use crate::plane::{Plane, release};
use crate::scenario::Scenario;

/// As kstatus computes it from an object of any kind (sigs.k8s.io/cli-utils, `pkg/kstatus`).
#[derive(Debug, PartialEq, Eq)]
enum Kstatus {
    InProgress,
    Failed,
    Current,
    Terminating,
}

fn kstatus(state: &SubscriptionState) -> Kstatus {
    let object = &state.0;
    let behind = object["status"]["observedGeneration"] != object["metadata"]["generation"];
    match () {
        () if object["metadata"]["deletionTimestamp"].is_string() => Kstatus::Terminating,
        () if behind => Kstatus::InProgress,
        () if state.is("Reconciling") => Kstatus::InProgress,
        () if state.is("Stalled") => Kstatus::Failed,
        () if state.is("Ready") => Kstatus::Current,
        () => Kstatus::InProgress,
    }
}

/// Looks at the object as often as it can until `story` is over.
fn watched(subscription: &Subscription, story: impl FnOnce()) -> Vec<SubscriptionState> {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut seen: Vec<SubscriptionState> = Vec::new();
            while !over.load(Relaxed) {
                let now = subscription.state();
                let version = |state: &SubscriptionState| state.0["metadata"]["resourceVersion"].clone();
                if seen.last().map(version) != Some(version(&now)) {
                    seen.push(now);
                }
            }
            seen
        });
        let story = std::panic::catch_unwind(std::panic::AssertUnwindSafe(story));
        over.store(true, Relaxed);
        let seen = watcher.join().unwrap();
        story.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        seen
    })
}

/// Flux's rules for its conditions, for every state that was ever there.
fn keeps_the_contract(state: &SubscriptionState) {
    let status = &state.0["status"];
    assert!(!(state.is("Reconciling") && state.is("Stalled")), "both at once: {status:#}");
    for kind in ["Reconciling", "Stalled"] {
        let there = state.condition(kind);
        assert!(
            there.is_null() || there["status"] == "True",
            "{kind} is there only while it is true: {status:#}"
        );
        assert!(
            there.is_null() || state.condition("Ready")["status"] != "True",
            "{kind} and ready: {status:#}"
        );
    }
    for condition in status["conditions"].as_array().into_iter().flatten() {
        for field in ["type", "status", "reason", "lastTransitionTime"] {
            assert!(condition[field].is_string(), "{field} of {condition}");
        }
        assert!(condition["message"].as_str().is_some_and(|words| !words.is_empty()), "{condition}");
    }
    let under_way = ["applying", "goingBack", "takingBack"].contains(&state.phase());
    assert!(!under_way || kstatus(state) != Kstatus::Current, "current while it moves: {status:#}");
}

#[test]
fn conditions_columns_events_logs_and_probes_are_as_flux_has_them() {
    let cluster = shared();
    let _scenario =
        Scenario::begin("contract: kstatus, conditions, columns, events, notifications, logs, probes");
    let plane = Plane::at_41(&cluster, "contract", |_| Ok(()));
    let (subscription, pdp_sync, api) = (&plane.subscription, &plane.pdp_sync, &cluster.api);
    release(&plane.world, 43, "contract", |line| line.fate("choreo-connect-enforcer", Fate::NeverReady));
    pdp_sync.kill();
    let before = pdp_sync.log().len();
    pdp_sync.start(&[("LOG_FORMAT", "json")]).unwrap();
    pdp_sync.ready().unwrap();
    let stalled = |state: &SubscriptionState| kstatus(state) == Kstatus::Failed;
    let seen = watched(subscription, || {
        plane.world.open(42, &["general=100"]).unwrap();
        subscription.until_level(pdp_sync, 42).unwrap();
        plane.world.open(43, &["general=100"]).unwrap();
        subscription.until(pdp_sync, "level 43 to fail", stalled).unwrap();
    });
    seen.iter().for_each(keeps_the_contract);
    let kinds: Vec<_> = seen.iter().map(kstatus).collect();
    let first = |kind: Kstatus| kinds.iter().position(|it| *it == kind);
    assert!(first(Kstatus::InProgress) < kinds.iter().rposition(|it| *it == Kstatus::Current), "{kinds:?}");
    assert_eq!(kinds.last(), Some(&Kstatus::Failed), "{kinds:?}");

    let token = subscription.request().unwrap();
    let handled = |state: &SubscriptionState| state.status("lastHandledReconcileAt") == &json!(token);
    subscription.until(pdp_sync, "the request to be answered", handled).unwrap();

    let columns = api.table(Kind::SUBSCRIPTION, "contract", "pdp").unwrap();
    let cell = |title: &str| {
        let found = columns.iter().find(|(name, _)| name == title);
        found.unwrap_or_else(|| panic!("no column {title} in {columns:?}")).1.clone()
    };
    assert_eq!((cell("Level"), cell("Ready")), (json!(42), json!("False")));

    let events = api.list(Kind::EVENT, "contract").unwrap();
    let ours: Vec<_> = events.iter().filter(|event| event["regarding"]["name"] == "pdp").collect();
    let told = |reason: &str, r#type: &str| {
        let mut all = ours.iter().filter(|event| event["reason"] == reason && event["type"] == r#type);
        assert!(all.next().is_some(), "no {type} event {reason}: {ours:#?}");
    };
    told("LevelHealthy", "Normal");
    told("LevelFailed", "Warning");
    notified(&pdp_sync.notifications.all());
    for line in pdp_sync.log()[before..].lines() {
        let entry: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        assert!(entry["timestamp"].is_string() && entry["level"].is_string(), "{line}");
    }

    subscription.delete().unwrap();
    pdp_sync.wait("the subscription to go", || subscription.state().0.is_null()).unwrap();
}

/// Flux's notification-controller routes by involved object, severity and revision.
fn notified(all: &[Value]) {
    let of = |reason: &str| {
        let found = all.iter().find(|event| event["reason"] == reason);
        found.unwrap_or_else(|| panic!("no notification {reason}: {all:#?}")).clone()
    };
    for (reason, severity) in [("LevelHealthy", "info"), ("LevelFailed", "error")] {
        let event = of(reason);
        assert_eq!(event["severity"], severity, "{event}");
        assert_eq!(
            event["involvedObject"]["kind"], "HelmRelease",
            "Flux's alerts know Flux's kinds: {event}"
        );
        assert_eq!(event["reportingController"], "pdp-sync", "{event}");
        let metadata = event["metadata"].as_object().unwrap();
        assert!(
            metadata.iter().any(|(key, value)| key.ends_with("revision") && value.is_string()),
            "{event}"
        );
    }
}
