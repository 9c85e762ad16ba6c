//! `kubectl pdp` on a real API server: hand-made subscriptions, every command, and too few rights.

mod acting;
mod real;
mod rights;
mod telling;
mod trust;
mod verify;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use base64::{Engine, engine::general_purpose::STANDARD};
use pdp_e2e::cluster::{Api, Cluster, Kind};
use pdp_e2e::{Finished, Program};
use serde_json::{Value, json};

const REQUESTED_AT: &str = "reconcile.fluxcd.io/requestedAt";

/// A namespace of its own.
pub(crate) struct Place {
    api: Api,
    namespace: &'static str,
    kubeconfig: PathBuf,
}

impl Place {
    pub(crate) fn new(cluster: &Cluster, namespace: &'static str) -> Self {
        cluster.namespace(namespace).unwrap();
        Self { api: cluster.api.clone(), namespace, kubeconfig: cluster.kubeconfig() }
    }

    /// A subscription, and the status as pdp-sync would have left it.
    fn subscription(&self, name: &str, status: &Value) {
        let object = json!({
            "apiVersion": "updates.pdp.wso2.com/v1", "kind": "UpdateSubscription",
            "metadata": { "name": name, "namespace": self.namespace },
            "spec": {
                "organization": "nordbank", "dataPlane": name, "line": "pdp-2026", "ring": "general", "platform": "azure",
                "catalog": { "fluxSource": { "kind": "GitRepository", "name": "pdp-catalog" } },
            },
        });
        self.api.apply(Kind::SUBSCRIPTION, &object).unwrap();
        self.status(name, status);
    }

    fn status(&self, name: &str, status: &Value) {
        self.api
            .patch_status(Kind::SUBSCRIPTION, self.namespace, name, &json!({ "status": status }))
            .unwrap();
    }

    fn get(&self, name: &str) -> Value {
        self.api.get(Kind::SUBSCRIPTION, self.namespace, name).unwrap().unwrap()
    }

    fn secret(&self, name: &str, data: &[(&str, &[u8])]) {
        let data: serde_json::Map<_, _> =
            data.iter().map(|(key, bytes)| ((*key).to_owned(), STANDARD.encode(bytes).into())).collect();
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": { "name": name, "namespace": self.namespace }, "data": data,
        });
        self.api.apply(Kind::SECRET, &secret).unwrap();
    }

    /// `kubectl pdp ...` in this namespace.
    pub(crate) fn pdp(&self, args: &[&str]) -> Finished {
        self.pdp_with(&self.kubeconfig, &[args, &["-n", self.namespace]].concat())
    }

    fn pdp_with(&self, kubeconfig: &Path, args: &[&str]) -> Finished {
        let output = self.command(kubeconfig, args).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Finished { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }

    fn command(&self, kubeconfig: &Path, args: &[&str]) -> Command {
        let mut command = Program::KubectlPdp.command().unwrap();
        command
            .args(args)
            .arg("--kubeconfig")
            .arg(kubeconfig)
            .env("PDP_NOW", "2026-11-23T12:00:00Z")
            .stdin(Stdio::null());
        command
    }

    /// Answers requests as pdp-sync (and, for its source, Flux) would.
    fn answering(&self, name: &str) -> Answering {
        let end = Arc::new(AtomicBool::new(false));
        let (api, namespace, name, ended) =
            (self.api.clone(), self.namespace, name.to_owned(), Arc::clone(&end));
        let thread = std::thread::spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                for (kind, name) in
                    [(Kind::GIT_REPOSITORY, "pdp-catalog"), (Kind::SUBSCRIPTION, name.as_str())]
                {
                    answer(&api, kind, namespace, name);
                }
                std::thread::sleep(std::time::Duration::from_millis(50));
            }
        });
        Answering { end, thread: Some(thread) }
    }
}

fn answer(api: &Api, kind: Kind, namespace: &str, name: &str) {
    let Some(object) = api.get(kind, namespace, name).unwrap() else { return };
    let asked = &object["metadata"]["annotations"][REQUESTED_AT];
    if asked.is_string() && *asked != object["status"]["lastHandledReconcileAt"] {
        let handled = json!({ "status": { "lastHandledReconcileAt": asked } });
        api.patch_status(kind, namespace, name, &handled).unwrap();
    }
}

/// Somebody who answers; ends with this value.
struct Answering {
    end: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

fn condition(r#type: &str, reason: &str) -> Value {
    json!({ "type": r#type, "status": "True", "reason": reason, "message": "", "lastTransitionTime": "2026-11-23T11:00:00Z" })
}

/// At level 41; nothing newer is promoted.
fn healthy() -> Value {
    json!({
        "observedGeneration": 1, "level": 41, "version": "2026.10", "releaseDigest": digest(41),
        "lastGood": { "level": 40, "releaseDigest": digest(40) },
        "conditions": [condition("Ready", "Succeeded"), condition("Healthy", "AllHealthy"), condition("UpToDate", "NothingNewer")],
        "history": [{
            "level": 41, "releaseDigest": digest(41), "result": "healthy",
            "decidedAt": "2026-11-20T10:00:00Z", "endedAt": "2026-11-20T10:07:30Z",
        }],
    })
}

/// 42 waits for a window.
fn waiting() -> Value {
    let mut status = healthy();
    status["conditions"] = json!([
        condition("Ready", "Succeeded"),
        condition("Healthy", "AllHealthy"),
        condition("Blocked", "OutsideWindow")
    ]);
    status["target"] = json!({ "level": 42, "releaseDigest": digest(42), "phase": "waiting" });
    status["obstacles"] = json!([{
        "code": "OutsideWindow", "owner": "customer", "next": "2026-11-28T21:00:00Z", "detail": "no window is open",
    }]);
    status["nextAction"] = json!({ "at": "2026-11-28T21:00:00Z", "code": "OutsideWindow" });
    status
}

/// The digest of a level's descriptor.
fn digest(level: u32) -> String {
    format!("sha256:{}", sha256(&descriptor(level)))
}

/// A release of one chart, as bytes.
fn descriptor(level: u32) -> Vec<u8> {
    let release = json!({
        "apiVersion": "updates.pdp.wso2.com/v1", "line": "pdp-2026", "level": level, "version": format!("2026.{}", level - 31),
        "kind": "update",
        "bundle": { "repository": "registry.example/pdp/release", "digest": artifact(0), "size": 1 },
        "components": [{
            "name": "agent", "version": format!("1.0.{level}"), "stage": 1, "releaseName": "agent", "namespace": "kubectl-pods",
            "artifact": { "chart": { "name": "agent", "digest": artifact(level), "size": 1 } },
            "onFailure": "hold", "timeout": "10m", "settle": "1m",
            "images": [{ "name": "registry.example/pdp/agent", "digest": image(level) }],
        }],
    });
    release.to_string().into_bytes()
}

fn artifact(level: u32) -> String {
    format!("sha256:{}", sha256(format!("artifact {level}").as_bytes()))
}

fn image(level: u32) -> String {
    format!("sha256:{}", sha256(format!("image {level}").as_bytes()))
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest;
    hex::encode(sha2::Sha256::digest(bytes))
}

/// The decision for 41, done.
fn record() -> Value {
    let stored = |level| json!({ "level": level, "sha256": sha256(&descriptor(level)), "descriptor": STANDARD.encode(descriptor(level)) });
    json!({
        "apiVersion": "updates.pdp.wso2.com/v1",
        "target": stored(41), "lastGood": stored(40),
        "inputs": { "platform": "azure" }, "lastGoodInputs": { "platform": "azure" },
        "catalog": { "timestamp": 1, "channels": 12, "targets": 3 },
        "policy": { "digest": artifact(0), "loosened": false },
        "authority": { "openTo": { "ring": "general", "percent": 100, "channels": 12 } },
        "attempt": 1, "decidedAt": "2026-11-20T10:00:00Z", "phase": { "done": {} },
    })
}
