#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::extract::{Path, State as Given};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use kube::{Client, Config};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::*;
use crate::content::Content;
use crate::state::State;

type Objects = Arc<Mutex<BTreeMap<String, Value>>>;

/// As much of an API server as the store talks to: Secrets of one namespace, replaced only by who read the newest.
struct ApiServer {
    objects: Objects,
    cluster: Cluster,
    _runtime: Runtime,
}

impl ApiServer {
    fn start(objects: BTreeMap<String, Value>) -> Self {
        let objects: Objects = Arc::new(Mutex::new(objects));
        let runtime = Runtime::new().unwrap();
        let app = Router::new()
            .route("/api/v1/namespaces/pdp-system/secrets", post(create))
            .route("/api/v1/namespaces/pdp-system/secrets/{name}", get(read).put(replace))
            .with_state(objects.clone());
        let client = runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = format!("http://{}", listener.local_addr().unwrap());
            tokio::spawn(async move { axum::serve(listener, app).await });
            Client::try_from(Config::new(address.parse().unwrap())).unwrap()
        });
        let cluster = Cluster::new(client, runtime.handle().clone(), "pdp-system");
        Self { objects, cluster, _runtime: runtime }
    }

    fn state(&self) -> State {
        let root = Content::Given { what: "root".to_owned(), bytes: Some(frozen("vendor/1.root.json")) };
        let secrets = SecretStore::open(&self.cluster, "pdp").unwrap();
        State::in_cluster(secrets, &std::env::temp_dir(), &root).unwrap()
    }
}

type Answer = (StatusCode, Json<Value>);

fn status(code: StatusCode, reason: &str) -> Answer {
    let value = json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "message": reason, "reason": reason,
        "code": code.as_u16(),
    });
    (code, Json(value))
}

async fn read(Given(objects): Given<Objects>, Path(name): Path<String>) -> Answer {
    match objects.lock().unwrap().get(&name) {
        Some(object) => (StatusCode::OK, Json(object.clone())),
        None => status(StatusCode::NOT_FOUND, "NotFound"),
    }
}

async fn create(Given(objects): Given<Objects>, Json(mut object): Json<Value>) -> Answer {
    object["metadata"]["resourceVersion"] = "1".into();
    let name = object["metadata"]["name"].as_str().unwrap().to_owned();
    objects.lock().unwrap().insert(name, object.clone());
    (StatusCode::CREATED, Json(object))
}

async fn replace(
    Given(objects): Given<Objects>,
    Path(name): Path<String>,
    Json(mut object): Json<Value>,
) -> Answer {
    let mut objects = objects.lock().unwrap();
    let version = &objects[&name]["metadata"]["resourceVersion"];
    if object["metadata"]["resourceVersion"] != *version {
        return status(StatusCode::CONFLICT, "Conflict");
    }
    let next = version.as_str().unwrap().parse::<u64>().unwrap() + 1;
    object["metadata"]["resourceVersion"] = next.to_string().into();
    objects.insert(name, object.clone());
    (StatusCode::OK, Json(object))
}

fn folder() -> PathBuf {
    concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/frozen/55b220a").into()
}

fn frozen(path: &str) -> Vec<u8> {
    std::fs::read(folder().join(path)).unwrap()
}

fn frozen_secrets() -> BTreeMap<String, Value> {
    let secrets = ["decision", "identity", "state"].map(|part| {
        let name = format!("pdp-pdp-{part}");
        let object: Value = serde_json::from_slice(&frozen(&format!("secrets/{name}.json"))).unwrap();
        (name, object)
    });
    secrets.into()
}

#[test]
fn secrets_of_an_older_version_are_read_and_written_on() {
    let server = ApiServer::start(frozen_secrets());
    let mut state = server.state();
    assert!(state.unfinished().is_some_and(|record| record.target().level.0 == 41));
    assert_eq!(state.enrolled.as_ref().unwrap().id.to_string(), "medicus/prod");
    assert_eq!(state.instruction.as_ref().unwrap().source, "server");
    assert!(state.policy.is_some() && state.reported.is_some() && !state.written.is_empty());
    assert!(state.own_key().unwrap().is_some());
    assert!(state.events.is_empty(), "{:?}", state.events);

    let record = state.record.clone().unwrap();
    state.save_record(record).unwrap();
    state.save_written().unwrap();
    let again = server.state();
    assert_eq!(again.written, state.written);
    assert!(again.unfinished().is_some());
    let objects = server.objects.lock().unwrap();
    let labels = &objects["pdp-pdp-decision"]["metadata"]["labels"];
    assert_eq!(*labels, frozen_secrets()["pdp-pdp-decision"]["metadata"]["labels"]);
}

#[test]
fn who_read_before_another_wrote_writes_nothing() {
    let server = ApiServer::start(frozen_secrets());
    let (mut first, mut second) = (server.state(), server.state());
    let record = first.record.clone().unwrap();
    first.save_record(record.clone()).unwrap();
    assert!(second.save_record(record).is_err());
}
