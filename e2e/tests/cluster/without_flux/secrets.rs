//! Which Secrets pdp-sync reads: none for a subscription that may not start, and no other than it was given.

use pdp_e2e::cluster::{Cluster, Kind, Subscription, SubscriptionState};
use serde_json::json;

use super::{control_plane, seen, stands, vendor};
use crate::scenario::Scenario;

/// The catalog with a login from a Secret of this name, which is made too.
fn with_login(cluster: &Cluster, subscription: Subscription, name: &str) -> Subscription {
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": { "name": name, "namespace": subscription.namespace },
        "stringData": { "password": "for one host alone" },
    });
    cluster.api.apply(Kind::SECRET, &secret).unwrap();
    let mut catalog = subscription.object()["spec"]["catalog"].clone();
    catalog["git"]["secretRef"] = json!({ "name": name });
    subscription.with("catalog", catalog)
}

#[test]
fn a_subscription_that_may_not_start_gets_no_secret_read() {
    const NAMESPACE: &str = "unread";
    let cluster = control_plane();
    let _scenario = Scenario::begin("customer: a second and a suspended subscription get no Secret read");
    let world = vendor(NAMESPACE);
    let kubeconfig = cluster.admit_pdp_sync_for(NAMESPACE, &["pdp", "second"], &["deploy-key"]).unwrap();
    let first = cluster.subscription(&world, NAMESPACE).unwrap().apply().unwrap();
    let pdp_sync = cluster.start_pdp_sync(NAMESPACE, &kubeconfig, &[]).unwrap();
    first.until(&pdp_sync, "the first to see the catalog", |state| seen(state).is_some()).unwrap();

    let since = cluster.moment();
    let read = || {
        let all = cluster.requests_by("pdp-sync", NAMESPACE, since).unwrap();
        let secrets = all.into_iter().filter(|request| request.right.resource == "secrets");
        let mut names: Vec<_> = secrets.map(|request| request.name).collect();
        names.retain(|name| name == "deploy-key" || name.starts_with("pdp-second-"));
        names
    };
    let second = cluster.subscription(&world, NAMESPACE).unwrap().named("second");
    let second = with_login(&cluster, second, "deploy-key").with("suspend", json!(true)).apply().unwrap();
    second.until(&pdp_sync, "the second to be suspended", |it| it.reason("Ready") == "Suspended").unwrap();
    second.patch(&json!({ "spec": { "suspend": false } })).unwrap();
    let waits = |state: &SubscriptionState| {
        state.reason("Blocked") == "ForeignOwner" && state.obstacles() == ["ForeignOwner"]
    };
    second.until(&pdp_sync, "the second to name the first", waits).unwrap();
    // Its next looks, too.
    for _ in 0..2 {
        let token = second.request().unwrap();
        let answered = |state: &SubscriptionState| state.status("lastHandledReconcileAt") == &json!(token);
        second.until(&pdp_sync, "the second's answer", answered).unwrap();
    }
    assert!(waits(&second.state()) && seen(&second.state()).is_none(), "{}", second.describe());
    assert!(read().is_empty(), "it may start nothing, and yet: {:?}", read());

    // The first one frozen, it is still the second's turn to wait; the first one gone, it isn't.
    first.patch(&json!({ "spec": { "suspend": true } })).unwrap();
    first
        .until(&pdp_sync, "the first to be suspended", |it| {
            it.status("observedGeneration") == &it.0["metadata"]["generation"]
        })
        .unwrap();
    assert!(read().is_empty());
    first.delete().unwrap();
    second.until(&pdp_sync, "the second's turn", |state| seen(state).is_some()).unwrap();
    assert!(read().contains(&"deploy-key".to_owned()), "{:?}", read());
}

/// Neither is a mystery, and neither needs a restart once it is put right.
#[test]
fn a_missing_right_is_named_with_its_secret_and_the_value_of_the_chart() {
    const NAMESPACE: &str = "lacking";
    let cluster = control_plane();
    let _scenario = Scenario::begin(
        "least privilege: a missing right to a Secret is named, and it goes on once it is there",
    );
    let world = vendor(NAMESPACE);
    let kubeconfig = cluster.admit_pdp_sync_for(NAMESPACE, &["pdp"], &[]).unwrap();
    let subscription = cluster.subscription(&world, NAMESPACE).unwrap().named("prod");
    let subscription = with_login(&cluster, subscription, "git-login").apply().unwrap();
    let pdp_sync = cluster.start_pdp_sync(NAMESPACE, &kubeconfig, &[]).unwrap();
    for (secret, value, secrets) in [
        ("get Secret pdp-prod-", "list `prod` in the chart's value rbac.subscriptions", &[][..]),
        ("get Secret git-login", "list `git-login` in the chart's value rbac.secrets", &["git-login"][..]),
    ] {
        subscription.until(&pdp_sync, value, |state| stands(state, "Forbidden", &[secret, value])).unwrap();
        cluster.admit_pdp_sync_for(NAMESPACE, &["prod"], secrets).unwrap();
    }
    subscription.until(&pdp_sync, "the catalog to be seen", |state| seen(state).is_some()).unwrap();
}
