//! What changes something: reconcile, suspend, resume, rollback.

use pdp_e2e::cluster::{Kind, shared};
use serde_json::json;

use crate::scenario::Scenario;

use super::{Place, REQUESTED_AT, healthy, record};

#[test]
fn reconcile_asks_and_waits_for_the_answer() {
    let cluster = shared();
    let _scenario = Scenario::begin("kubectl pdp reconcile: asked and answered");
    let place = Place::new(&cluster, "kubectl-ask");
    place.subscription("prod", &healthy());
    let silent = place.pdp(&["reconcile", "--timeout", "1s"]);
    assert!(silent.stderr.contains("error[TimedOut]: no answer from prod within 1s"), "{}", silent.stderr);

    // Suspended, so that Flux leaves the answer to this test.
    let source = json!({
        "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository",
        "metadata": { "name": "pdp-catalog", "namespace": place.namespace },
        "spec": { "interval": "1h", "url": "https://git.example/catalog", "suspend": true },
    });
    place.api.apply(Kind::GIT_REPOSITORY, &source).unwrap();
    let answering = place.answering("prod");
    let asked = place.pdp(&["reconcile", "--force", "--with-source"]);
    assert!(asked.ok() && asked.stdout.starts_with("✔ nordbank/prod is at level 41"), "{asked:?}");
    let annotations = &place.get("prod")["metadata"]["annotations"];
    // The clock stands still for these commands: the second request still is another text.
    assert_eq!(annotations[REQUESTED_AT], "2026-11-23T12:00:01Z");
    assert_eq!(annotations["reconcile.fluxcd.io/forceAt"], annotations[REQUESTED_AT]);
    let source = place.api.get(Kind::GIT_REPOSITORY, place.namespace, "pdp-catalog").unwrap().unwrap();
    assert!(source["status"]["lastHandledReconcileAt"].is_string(), "{source}");
    drop(answering);
    let fast = place.pdp(&["reconcile", "--timeout", "0s"]);
    assert!(fast.ok() && fast.stdout.contains("✔ asked for a look at 2026-11-23T12:00:02Z"), "{fast:?}");
}

#[test]
fn suspend_says_why_and_resume_asks_for_a_look() {
    let cluster = shared();
    let _scenario = Scenario::begin("kubectl pdp suspend and resume");
    let place = Place::new(&cluster, "kubectl-hold");
    place.subscription("prod", &healthy());
    assert!(place.pdp(&["suspend", "--reason", "audit week"]).ok());
    let suspended = place.get("prod");
    assert_eq!(suspended["spec"]["suspend"], true);
    assert_eq!(suspended["metadata"]["annotations"]["updates.pdp.wso2.com/suspend-reason"], "audit week");
    let why = place.pdp(&["why"]);
    assert!(why.ok() && why.stdout.contains("✗ Suspended: audit week"), "{why:?}");
    let unheard = place.pdp(&["reconcile"]);
    assert!(
        unheard.stderr.starts_with("error[Suspended]:") && unheard.stderr.contains("kubectl pdp resume prod"),
        "{}",
        unheard.stderr
    );

    let _answering = place.answering("prod");
    assert!(place.pdp(&["resume"]).ok());
    let resumed = place.get("prod");
    assert_eq!(resumed["spec"]["suspend"], false);
    let annotations = &resumed["metadata"]["annotations"];
    assert!(
        annotations["updates.pdp.wso2.com/suspend-reason"].is_null() && annotations[REQUESTED_AT].is_string()
    );
}

#[test]
fn pins_and_freezes_say_what_will_happen_and_a_trial_changes_nothing() {
    let cluster = shared();
    let _scenario = Scenario::begin("kubectl pdp pin, unpin, freeze, unfreeze");
    let place = Place::new(&cluster, "kubectl-policy");
    place.subscription("prod", &healthy());
    let policy = || place.get("prod")["spec"]["policy"].clone();
    let pin = ["pin", "--level", "41", "--reason", "quarter-end", "--until", "2027-01-31T00:00:00Z"];
    let said =
        "nothing above level 41 starts, security fixes neither, until 2027-01-31T00:00:00Z (in 68d 12h)";
    let trial = place.pdp(&[&pin[..], &["--dry-run"]].concat());
    assert!(trial.ok() && trial.stdout.contains(said) && policy()["pin"].is_null(), "{trial:?}");
    let pinned = place.pdp(&pin);
    assert!(pinned.ok() && pinned.stdout.contains(said), "{pinned:?}");
    assert_eq!(policy()["pin"]["to"]["level"], 41);
    let slip = place.pdp(&["pin", "--security-only", "--reason", "r", "--until", "2026-01-31T00:00:00Z"]);
    assert!(!slip.ok() && slip.stderr.contains("error[PolicyIneffective]"), "another one is new: {slip:?}");
    let ended = place.pdp(&["pin", "--level", "41", "--reason", "r", "--until", "2026-01-31T00:00:00Z"]);
    assert!(ended.ok(), "one that was in force may be ended by its date: {ended:?}");
    let frozen = place.pdp(&["freeze", "--reason", "year end", "--until", "2027-01-04T00:00:00Z"]);
    assert!(frozen.ok() && frozen.stdout.contains("nothing starts from now"), "{frozen:?}");
    let slip = place.pdp(&["freeze", "--reason", "slip", "--until", "2026-01-04T00:00:00Z"]);
    assert!(!slip.ok() && slip.stderr.contains("error[PolicyIneffective]"), "{slip:?}");
    assert_eq!(policy()["freezes"].as_array().map(Vec::len), Some(1));
    let free = place.pdp(&["unpin"]);
    assert!(free.ok() && free.stdout.contains("! loosens pin") && policy()["pin"].is_null(), "{free:?}");
    assert!(place.pdp(&["unfreeze"]).ok() && policy()["freezes"].is_null());
    let none = place.pdp(&["unfreeze"]);
    assert!(!none.ok() && none.stderr.contains("no freeze in force"), "{none:?}");
}

#[test]
fn rollback_is_confirmed_set_and_let_go() {
    let cluster = shared();
    let _scenario = Scenario::begin("kubectl pdp rollback: confirmed, set, let go");
    let place = Place::new(&cluster, "kubectl-back");
    place.subscription("prod", &healthy());
    place.secret("pdp-prod-decision", &[("record.json", record().to_string().as_bytes())]);
    let unasked = place.pdp(&["rollback", "--reason", "payments time out"]);
    assert_eq!(unasked.code, Some(2));
    assert!(
        unasked.stderr.contains("level 41 -> 40") && unasked.stderr.contains("stay at level 41"),
        "{}",
        unasked.stderr
    );
    assert!(
        unasked.stderr.contains("error[NotConfirmed]:") && unasked.stderr.contains("--yes"),
        "{}",
        unasked.stderr
    );
    assert!(place.get("prod")["spec"]["rollback"].is_null(), "nothing was changed");

    assert!(place.pdp(&["rollback", "--reason", "payments time out", "--yes"]).ok());
    assert_eq!(place.get("prod")["spec"]["rollback"], json!({ "from": 41, "reason": "payments time out" }));
    let again = place.pdp(&["rollback", "--reason", "again", "--yes"]);
    assert!(again.stderr.starts_with("error[NothingToGoBackTo]:"), "{}", again.stderr);
    let go = place.pdp(&["rollback", "--let-go"]);
    assert!(go.ok() && place.get("prod")["spec"]["rollback"].is_null(), "{go:?}");
    assert!(place.pdp(&["rollback", "--let-go"]).stdout.contains("nothing to let go"));
}
