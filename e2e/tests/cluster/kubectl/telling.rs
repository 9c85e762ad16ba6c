//! What is only told: status, why, history, plan.

use std::process::Stdio;

use pdp_e2e::cluster::{Kind, shared};
use pdp_e2e::{Running, wait_for};
use serde_json::Value;

use crate::scenario::Scenario;

use super::{Place, descriptor, healthy, record, waiting};

#[test]
fn status_and_why_say_where_each_data_plane_stands() {
    let cluster = shared();
    let _scenario = Scenario::begin("kubectl pdp status and why");
    let place = Place::new(&cluster, "kubectl-tell");
    let nothing = place.pdp(&["status"]);
    assert_eq!(nothing.code, Some(2));
    assert!(
        nothing.stderr.starts_with("error[NotFound]: no UpdateSubscription in namespace kubectl-tell"),
        "{}",
        nothing.stderr
    );

    place.subscription("prod", &waiting());
    let one = place.pdp(&["status"]);
    assert!(one.ok() && one.stdout.starts_with("nordbank/prod  level 41 (2026.10)  ✔ healthy"), "{one:?}");
    let why = place.pdp(&["why"]);
    assert!(why.ok(), "waiting is no error: {why:?}");
    for words in [
        "level 42 is next, not applied because:",
        "✗ OutsideWindow: no window is open",
        "2026-11-28T21:00:00Z (in 5d 9h)",
        "kubectl edit usub prod -n kubectl-tell",
    ] {
        assert!(why.stdout.contains(words), "{words} in {}", why.stdout);
    }

    place.subscription("staging", &healthy());
    let both = place.pdp(&["status"]);
    assert_eq!(both.stdout.lines().count(), 3, "{}", both.stdout);
    let everywhere = place.pdp_with(&place.kubeconfig, &["status", "-A", "-o", "json"]);
    let all: Vec<Value> = serde_json::from_str(&everywhere.stdout).unwrap();
    let here: Vec<_> =
        all.iter().filter(|one| one["namespace"] == "kubectl-tell").map(|one| &one["name"]).collect();
    assert_eq!(here, ["prod", "staging"]);
    let which = place.pdp(&["why"]);
    assert!(
        which.stderr.starts_with("error[Ambiguous]:")
            && which.stderr.contains("prod -n kubectl-tell, staging -n"),
        "{}",
        which.stderr
    );
    let up_to_date = place.pdp(&["why", "staging", "-o", "json"]);
    let up_to_date: Value = serde_json::from_str(&up_to_date.stdout).unwrap();
    assert_eq!(up_to_date["answer"], "upToDate");
    let missing = place.pdp(&["why", "other"]);
    assert!(
        missing.stderr.starts_with("error[NotFound]: get updatesubscriptions") && missing.code == Some(2),
        "{}",
        missing.stderr
    );

    let mut stalled = healthy();
    stalled["refusal"] = serde_json::json!({
        "code": "VersionFloor", "subject": "metadata/channels.json", "detail": "version 11, 12 was seen", "hint": "check mirrors",
    });
    place.status("staging", &stalled);
    assert_eq!(place.pdp(&["why", "staging"]).code, Some(1), "a refusal needs a person");
}

#[test]
fn watch_prints_a_line_at_every_change() {
    let cluster = shared();
    let _scenario = Scenario::begin("kubectl pdp status --watch");
    let place = Place::new(&cluster, "kubectl-watch");
    place.subscription("prod", &healthy());
    let mut command = place.command(&place.kubeconfig, &["status", "prod", "--watch", "-n", "kubectl-watch"]);
    command.stdin(Stdio::null());
    let log = tempfile::tempdir().unwrap();
    let watching = Running::start(command, log.path().join("watch.log")).unwrap();
    wait_for("the first line", || watching.stdout().lines().count() == 1).unwrap();
    place.status("prod", &waiting());
    wait_for("the change", || watching.stdout().contains("Blocked=OutsideWindow")).unwrap();
    assert_eq!(watching.stdout().lines().count(), 2, "{}{}", watching.stdout(), watching.stderr());
}

#[test]
fn history_and_plan_read_what_is_stored() {
    let cluster = shared();
    let _scenario = Scenario::begin("kubectl pdp history and plan");
    let place = Place::new(&cluster, "kubectl-stored");
    place.subscription("prod", &waiting());
    let bare = place.pdp(&["history"]);
    assert!(
        bare.ok() && bare.stdout.contains("41     ✔ healthy") && !bare.stdout.contains("newest decision"),
        "{bare:?}"
    );
    let unknown = place.pdp(&["plan"]);
    assert_eq!(unknown.code, Some(1), "a level waits");
    assert!(unknown.stdout.contains("its components aren't shown"), "{}", unknown.stdout);

    place.secret("pdp-prod-decision", &[("record.json", record().to_string().as_bytes())]);
    place.secret("pdp-prod-state", &[("candidate.json", &descriptor(42))]);
    let history = place.pdp(&["history"]);
    assert!(
        history.stdout.contains("started by the channel (version 12: 100 % of ring `general`)"),
        "{}",
        history.stdout
    );
    let plan = place.pdp(&["plan"]);
    assert!(plan.stdout.contains("1.0.41 -> 1.0.42") && plan.stdout.contains("changed"), "{}", plan.stdout);
    place.status("prod", &serde_json::json!({ "target": null }));
    assert_eq!(place.pdp(&["plan"]).code, Some(0), "nothing waits");
}

#[test]
fn one_that_can_not_be_read_is_named_and_hides_no_other() {
    let cluster = shared();
    let _scenario = Scenario::begin("kubectl pdp beside a subscription that can't be read");
    let place = Place::new(&cluster, "kubectl-unread");
    place.subscription("prod", &healthy());
    place.subscription("slip", &healthy());
    let bad = serde_json::json!({ "spec": { "leaveOut": ["No Name!"] } });
    place.api.patch(Kind::SUBSCRIPTION, place.namespace, "slip", &bad).unwrap();
    let all = place.pdp(&["status"]);
    assert!(all.ok() && all.stdout.contains("nordbank/prod"), "{all:?}");
    assert!(
        all.stderr.contains("kubectl-unread/slip can't be read") && all.stderr.contains("No Name!"),
        "{all:?}"
    );
    let one = place.pdp(&["why", "slip"]);
    assert!(one.stderr.starts_with("error[BadSubscription]: kubectl-unread/slip"), "{one:?}");
    assert!(place.pdp(&["why", "prod"]).ok());
}
