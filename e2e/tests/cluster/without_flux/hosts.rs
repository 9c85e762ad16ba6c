//! The administrator lists the hosts that subscriptions may name; no other hears a word.

use std::net::TcpListener;

use pdp_e2e::cluster::Kind;
use serde_json::json;

use super::{control_plane, seen, stands, vendor};
use crate::scenario::Scenario;

#[test]
fn a_host_that_the_administrator_does_not_list_hears_nothing() {
    const NAMESPACE: &str = "hosts";
    let cluster = control_plane();
    let _scenario =
        Scenario::begin("customer: a host outside the administrator's list is refused and not asked");
    let world = vendor(NAMESPACE);
    let kubeconfig = cluster.admit_pdp_sync_for(NAMESPACE, &["pdp"], &["registry-login"]).unwrap();
    let stranger = TcpListener::bind("127.0.0.1:0").unwrap();
    stranger.set_nonblocking(true).unwrap();
    let host = stranger.local_addr().unwrap().to_string();
    let login = json!({ "auths": { &host: { "username": "robot", "password": "of another registry" } } });
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/dockerconfigjson",
        "metadata": { "name": "registry-login", "namespace": NAMESPACE },
        "stringData": { ".dockerconfigjson": login.to_string() },
    });
    cluster.api.apply(Kind::SECRET, &secret).unwrap();
    let git = world.git.url("catalog");
    let git = git.trim_start_matches("http://").split('/').next().unwrap();
    let listed = format!("{git},{}", world.registry_host());
    let mirror = json!({ "host": host, "secretRef": { "name": "registry-login" } });
    let subscription = cluster.subscription(&world, NAMESPACE).unwrap();
    let subscription = subscription.with("mirror", mirror).apply().unwrap();
    let pdp_sync = cluster
        .start_pdp_sync(NAMESPACE, &kubeconfig, &[("PDP_SYNC_ALLOWED_HOSTS", listed.as_str())])
        .unwrap();
    subscription
        .until(&pdp_sync, "the host to be refused", |state| stands(state, "HostNotAllowed", &[host.as_str()]))
        .unwrap();
    let heard = stranger.accept().map(|(_, from)| from);
    assert!(heard.is_err(), "{heard:?} came all the same");
    assert_eq!(seen(&subscription.state()), None, "nobody else was asked either");

    let subscription = cluster.subscription(&world, NAMESPACE).unwrap().apply().unwrap();
    subscription.until(&pdp_sync, "the listed hosts to be asked", |state| seen(state).is_some()).unwrap();
    assert!(stranger.accept().is_err());
}
