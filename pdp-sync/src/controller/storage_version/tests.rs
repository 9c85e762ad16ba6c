//! Against an API server that is played by a few routes over a map.
#![allow(clippy::unwrap_used)]
use std::collections::{BTreeMap, HashMap};
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use proptest::prelude::*;

use super::*;

const NAME: &str = "widgets.example.com";

fn definition(versions: &[(&str, bool, bool)], stored: &[&str]) -> Value {
    let version = |(name, served, storage): &(&str, bool, bool)| json!({ "name": name, "served": served, "storage": storage });
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": { "name": NAME, "resourceVersion": "7" },
        "spec": {
            "group": "example.com", "scope": "Namespaced",
            "names": { "kind": "Widget", "plural": "widgets" },
            "versions": versions.iter().map(version).collect::<Vec<_>>(),
        },
        "status": { "storedVersions": stored },
    })
}

fn decide(versions: &[(&str, bool, bool)], stored: &[&str]) -> Step {
    step(&serde_json::from_value(definition(versions, stored)).unwrap())
}

const BOTH: &[(&str, bool, bool)] = &[("v1beta1", true, false), ("v1", true, true)];

#[test]
fn only_other_stored_versions_need_a_step() {
    assert_eq!(decide(BOTH, &["v1"]), Step::Nothing);
    assert_eq!(decide(BOTH, &[]), Step::Nothing);
    let rewrite =
        |from: &[&str]| Step::Rewrite { to: "v1".into(), from: from.iter().map(|v| v.to_string()).collect() };
    assert_eq!(decide(BOTH, &["v1beta1", "v1"]), rewrite(&["v1beta1"]));
    assert_eq!(decide(BOTH, &["v1beta1"]), rewrite(&["v1beta1"]));
    assert_eq!(decide(&[("v1", false, true)], &["v1beta1", "v1"]), Step::Impossible);
    assert_eq!(decide(&[], &["v1"]), Step::Impossible);
}

#[test]
fn the_patch_is_empty_unless_a_manager_names_another_version() {
    let entry = |version: &str| ManagedFieldsEntry {
        api_version: Some(version.to_owned()),
        manager: Some("flux".to_owned()),
        ..ManagedFieldsEntry::default()
    };
    assert_eq!(patch(&[entry("example.com/v1")], Some("3".into()), "example.com/v1"), json!({}));
    assert_eq!(patch(&[], None, "example.com/v1"), json!({}));
    let changed =
        patch(&[entry("example.com/v1beta1"), entry("example.com/v1")], Some("3".into()), "example.com/v1");
    assert_eq!(changed["metadata"]["resourceVersion"], "3");
    let versions: Vec<_> =
        changed["metadata"]["managedFields"].as_array().unwrap().iter().map(|e| &e["apiVersion"]).collect();
    assert_eq!(versions, ["example.com/v1", "example.com/v1"]);
}

proptest! {
    #[test]
    fn what_stays_is_served_and_never_among_what_goes(
        versions in prop::collection::vec(("v[1-3]", any::<bool>(), any::<bool>()), 0..4),
        stored in prop::collection::vec("v[1-3]", 0..4),
    ) {
        let versions: Vec<_> = versions.iter().map(|(name, served, storage)| (name.as_str(), *served, *storage)).collect();
        let stored: Vec<_> = stored.iter().map(String::as_str).collect();
        if let Step::Rewrite { to, from } = decide(&versions, &stored) {
            prop_assert!(versions.contains(&(to.as_str(), true, true)));
            prop_assert!(!from.contains(&to) && from.iter().all(|version| stored.contains(&version.as_str())));
        }
    }
}

/// What the played API server holds, and how it misbehaves.
#[derive(Default)]
struct Server {
    definition: Value,
    /// Objects by namespace and name: in which version each is stored, and how many conflicts it still answers with.
    objects: BTreeMap<(String, String), (&'static str, usize)>,
    /// Status of lists, if not 200.
    refuse_list: Option<u16>,
}

type Shared = Arc<Mutex<Server>>;
type Answer = (StatusCode, Json<Value>);

fn refuse(code: u16) -> Answer {
    let reason = match code {
        404 => "NotFound",
        409 => "Conflict",
        410 => "Expired",
        _ => "Forbidden",
    };
    let status =
        json!({ "kind": "Status", "status": "Failure", "message": "no", "reason": reason, "code": code });
    (StatusCode::from_u16(code).unwrap(), Json(status))
}

fn meta(namespace: &str, name: &str, stored: &str) -> Value {
    json!({
        "apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata",
        "metadata": { "namespace": namespace, "name": name, "resourceVersion": "1",
            "managedFields": [{ "manager": "flux", "apiVersion": format!("example.com/{stored}") }] },
    })
}

async fn read_definition(State(shared): State<Shared>) -> Answer {
    match &shared.lock().unwrap().definition {
        Value::Null => refuse(404),
        definition => (StatusCode::OK, Json(definition.clone())),
    }
}

async fn cut(State(shared): State<Shared>, Json(patch): Json<Value>) -> Answer {
    let mut server = shared.lock().unwrap();
    if patch["metadata"]["resourceVersion"] != server.definition["metadata"]["resourceVersion"] {
        return refuse(409);
    }
    let versions = &patch["status"]["storedVersions"];
    server.definition["status"]["storedVersions"] = versions.clone();
    (StatusCode::OK, Json(server.definition.clone()))
}

/// Two objects a page.
async fn list(State(shared): State<Shared>, Query(query): Query<HashMap<String, String>>) -> Answer {
    let server = shared.lock().unwrap();
    if let Some(code) = server.refuse_list {
        return refuse(code);
    }
    let from: usize = query.get("continue").map_or(0, |token| token.parse().unwrap());
    let page = server.objects.iter().skip(from).take(2);
    let items: Vec<_> = page.map(|((namespace, name), (stored, _))| meta(namespace, name, stored)).collect();
    let next = if from + 2 < server.objects.len() { (from + 2).to_string() } else { String::new() };
    let kinds = json!({ "apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadataList" });
    let mut list = kinds;
    list["metadata"] = json!({ "continue": next });
    list["items"] = items.into();
    (StatusCode::OK, Json(list))
}

async fn read(State(shared): State<Shared>, Path(key): Path<(String, String)>) -> Answer {
    match shared.lock().unwrap().objects.get(&key) {
        Some((stored, _)) => (StatusCode::OK, Json(meta(&key.0, &key.1, stored))),
        None => refuse(404),
    }
}

async fn write(
    State(shared): State<Shared>,
    Path(key): Path<(String, String)>,
    Json(_): Json<Value>,
) -> Answer {
    match shared.lock().unwrap().objects.get_mut(&key) {
        None => refuse(404),
        Some((_, conflicts)) if *conflicts > 0 => {
            *conflicts -= 1;
            refuse(409)
        }
        Some((stored, _)) => {
            *stored = "v1";
            (StatusCode::OK, Json(meta(&key.0, &key.1, stored)))
        }
    }
}

async fn play(server: Server) -> (Client, Shared) {
    let shared = Arc::new(Mutex::new(server));
    let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.example.com";
    let routes = Router::new()
        .route(definitions, get(read_definition))
        .route(&format!("{definitions}/status"), axum::routing::patch(cut))
        .route("/apis/example.com/v1/widgets", get(list))
        .route("/apis/example.com/v1/namespaces/{namespace}/widgets/{name}", get(read).patch(write))
        .with_state(shared.clone());
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    (Client::try_from(kube::Config::new(url.parse().unwrap())).unwrap(), shared)
}

fn server(conflicts: usize) -> Server {
    let objects = (0..5).map(|n| ((format!("ns{}", n % 2), format!("w{n}")), ("v1beta1", conflicts)));
    Server { definition: definition(BOTH, &["v1beta1", "v1"]), objects: objects.collect(), refuse_list: None }
}

fn stored(shared: &Shared) -> (Value, Vec<&'static str>) {
    let server = shared.lock().unwrap();
    let versions = server.definition["status"]["storedVersions"].clone();
    (versions, server.objects.values().map(|(stored, _)| *stored).collect())
}

#[tokio::test]
async fn writes_every_object_of_every_namespace_then_cuts_the_list() {
    let (client, shared) = play(server(2)).await;
    assert_eq!(migrate(&client, NAME).await.unwrap(), Outcome::Migrated { objects: 5 });
    assert_eq!(stored(&shared), (json!(["v1"]), vec!["v1"; 5]));
    assert_eq!(migrate(&client, NAME).await.unwrap(), Outcome::UpToDate);
}

#[tokio::test]
async fn leaves_the_list_alone_when_an_object_was_not_written() {
    let (client, shared) = play(server(TRIES)).await;
    assert_eq!(migrate(&client, NAME).await.unwrap(), Outcome::Again);
    assert_eq!(stored(&shared).0, json!(["v1beta1", "v1"]));
    assert_eq!(migrate(&client, NAME).await.unwrap(), Outcome::Again, "the second object is contended, too");
}

#[tokio::test]
async fn leaves_the_list_alone_when_not_everything_may_be_seen() {
    let (client, shared) = play(Server { refuse_list: Some(403), ..server(0) }).await;
    let error = migrate(&client, NAME).await.unwrap_err();
    assert!(matches!(error, kube::Error::Api(status) if status.code == 403));
    assert_eq!(stored(&shared).0, json!(["v1beta1", "v1"]));
    shared.lock().unwrap().refuse_list = Some(410);
    assert_eq!(migrate(&client, NAME).await.unwrap(), Outcome::Again);
}

#[tokio::test]
async fn a_definition_that_is_not_there_is_no_error() {
    let (client, _) = play(Server::default()).await;
    assert_eq!(migrate(&client, NAME).await.unwrap(), Outcome::NotThere);
}
