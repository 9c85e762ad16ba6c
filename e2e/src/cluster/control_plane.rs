//! etcd, kube-apiserver, kube-controller-manager and kwok, started in the order in which each needs the other.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use aws_lc_rs::encoding::{AsDer, EcPrivateKeyRfc5915Der};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use serde_json::json;

use super::api::{Api, Kind, condition};
use super::flux;
use super::tools::Tools;
use crate::programs::{Running, free_port};
use crate::wait_at_most;

/// The administrator's token; the cluster lives on loopback and for a test only.
const TOKEN: &str = "test-admin";
/// A control plane is up in seconds; a loaded machine takes longer.
const UP: Duration = Duration::from_secs(120);

/// A control plane with Flux. Everything ends with this value.
#[derive(Debug)]
pub struct Cluster {
    /// As an administrator.
    pub api: Api,
    /// The tools that it was made of.
    pub tools: Tools,
    // Dropped from first to last: controllers before the API server, that before etcd.
    processes: Vec<Running>,
    folder: tempfile::TempDir,
}

impl Cluster {
    /// Starts everything and waits until it is usable.
    ///
    /// # Errors
    /// When a process doesn't come up; says the last lines of its log.
    pub fn start(tools: Tools) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("pdp-cluster-").tempdir()?;
        let path = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(path("certs"))?;
        std::fs::write(path("tokens.csv"), format!("{TOKEN},admin,1,\"system:masters\"\n"))?;
        service_account_key(&path("sa.key"))?;
        let (etcd, secure) = (free_port()?, free_port()?);
        let mut processes = vec![start_etcd(&tools, folder.path(), etcd)?];
        processes.push(start_api_server(&tools, folder.path(), etcd, secure)?);
        let server = format!("https://127.0.0.1:{secure}");
        let certificate = path("certs/apiserver.crt");
        wait(&mut processes, "the API server's certificate", || certificate.exists())?;
        let api = Api::new(&server, TOKEN, &std::fs::read(&certificate)?)?;
        wait(&mut processes, "the API server", || api.text("/readyz").is_ok_and(|(code, _)| code == 200))?;
        std::fs::write(path("kubeconfig"), kubeconfig(&server, &certificate).to_string())?;
        processes.push(start_controller_manager(&tools, folder.path())?);
        processes.push(start_kwok(&tools, folder.path())?);
        let mut cluster = Self { api, tools, processes, folder };
        cluster.prepare()?;
        Ok(cluster)
    }

    /// A node, a rule that puts every pod on it, Flux's definitions, and Flux.
    fn prepare(&mut self) -> Result<()> {
        let api = self.api.clone();
        flux::define(&api, &self.tools)?;
        api.apply(Kind::MUTATING_POLICY, &every_pod_on_the_node())?;
        api.apply(Kind::MUTATING_BINDING, &bound())?;
        api.apply(Kind::NODE, &json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": "n0" } }))?;
        self.namespace("flux-system")?;
        let started = flux::start(&self.tools, self.folder.path(), &self.kubeconfig())?;
        self.processes.extend(started);
        wait(&mut self.processes, "the default service account", || {
            api.get(Kind::SERVICE_ACCOUNT, "default", "default").is_ok_and(|found| found.is_some())
        })?;
        wait(&mut self.processes, "the node", || {
            api.get(Kind::NODE, "", "n0")
                .is_ok_and(|node| node.is_some_and(|node| condition(&node, "Ready")["status"] == "True"))
        })?;
        flux::wait(&api, &mut self.processes)
    }

    /// Makes a namespace.
    ///
    /// # Errors
    /// When the API server refuses it.
    pub fn namespace(&self, name: &str) -> Result<()> {
        let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } });
        self.api.apply(Kind::NAMESPACE, &namespace).map(|_| ())
    }

    /// The administrator's kubeconfig.
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    /// Waits up to two minutes for something to come true in the cluster.
    ///
    /// # Errors
    /// When it doesn't, or when a process of the cluster died.
    pub fn wait_for(&mut self, what: &str, condition: impl FnMut() -> bool) -> Result<()> {
        wait(&mut self.processes, what, condition)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        while let Some(process) = self.processes.pop() {
            drop(process);
        }
    }
}

/// Waits; a process that ended fails the run at once, with its last words.
pub(super) fn wait(processes: &mut [Running], what: &str, mut condition: impl FnMut() -> bool) -> Result<()> {
    let mut dead = None;
    let waited = wait_at_most(UP, what, || {
        dead = processes.iter_mut().find_map(|process| process.code().map(|code| (code, process.stderr())));
        dead.is_some() || condition()
    });
    match dead {
        Some((code, words)) => {
            let last: Vec<_> = words.lines().rev().take(20).collect();
            let last: Vec<_> = last.into_iter().rev().collect();
            anyhow::bail!("waiting for {what}: a process ended with {code}:\n{}", last.join("\n"))
        }
        None => waited,
    }
}

fn start_etcd(tools: &Tools, folder: &Path, port: u16) -> Result<Running> {
    let (client, peer) = (format!("http://127.0.0.1:{port}"), format!("http://127.0.0.1:{}", free_port()?));
    let mut command = tools.command("etcd");
    command.arg("--data-dir").arg(folder.join("etcd"));
    command.args(["--listen-client-urls", &client, "--advertise-client-urls", &client]);
    command.args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer]);
    command.args([
        "--initial-cluster",
        &format!("default={peer}"),
        "--unsafe-no-fsync",
        "--log-level",
        "warn",
    ]);
    Running::start(command, folder.join("etcd.log"))
}

fn start_api_server(tools: &Tools, folder: &Path, etcd: u16, port: u16) -> Result<Running> {
    let mut command = tools.command("kube-apiserver");
    command
        .args([&format!("--etcd-servers=http://127.0.0.1:{etcd}"), &format!("--secure-port={port}")])
        .args([
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            "--endpoint-reconciler-type=none",
        ])
        .args([
            "--service-account-issuer=https://kubernetes.default.svc",
            "--service-cluster-ip-range=10.0.0.0/24",
        ])
        .args(["--authorization-mode=RBAC", "--profiling=false"])
        .arg(format!("--cert-dir={}", folder.join("certs").display()))
        .arg(format!("--token-auth-file={}", folder.join("tokens.csv").display()))
        .arg(format!("--service-account-key-file={}", folder.join("sa.key").display()))
        .arg(format!("--service-account-signing-key-file={}", folder.join("sa.key").display()));
    Running::start(command, folder.join("kube-apiserver.log"))
}

/// The node lifecycle is kwok's: the controller for it would find the node dead after forty seconds.
fn start_controller_manager(tools: &Tools, folder: &Path) -> Result<Running> {
    let mut command = tools.command("kube-controller-manager");
    command
        .arg(format!("--kubeconfig={}", folder.join("kubeconfig").display()))
        .args(["--secure-port=0", "--bind-address=127.0.0.1", "--leader-elect=false"])
        .arg(format!("--service-account-private-key-file={}", folder.join("sa.key").display()))
        .arg(format!("--root-ca-file={}", folder.join("certs/apiserver.crt").display()))
        .arg("--use-service-account-credentials=false")
        .arg(format!("--flex-volume-plugin-dir={}", folder.join("volumes").display()))
        .arg("--controllers=*,-node-lifecycle-controller,-node-ipam-controller,-taint-eviction-controller");
    Running::start(command, folder.join("kube-controller-manager.log"))
}

fn start_kwok(tools: &Tools, folder: &Path) -> Result<Running> {
    let stages = Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/stages.yaml");
    let mut command = tools.command("kwok");
    command
        .arg(format!("--kubeconfig={}", folder.join("kubeconfig").display()))
        .arg(format!("--config={}", stages.display()))
        .args(["--manage-all-nodes=true", "--node-ip=127.0.0.1", "--cidr=10.244.0.0/24"])
        .arg(format!("--server-address=127.0.0.1:{}", free_port()?));
    Running::start(command, folder.join("kwok.log"))
}

fn kubeconfig(server: &str, certificate: &Path) -> serde_json::Value {
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "e2e",
        "clusters": [{ "name": "e2e", "cluster": { "server": server, "certificate-authority": certificate } }],
        "users": [{ "name": "admin", "user": { "token": TOKEN } }],
        "contexts": [{ "name": "e2e", "context": { "cluster": "e2e", "user": "admin" } }],
    })
}

/// The key that signs service accounts' tokens.
fn service_account_key(path: &Path) -> Result<()> {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).ok().context("no randomness")?;
    let der: EcPrivateKeyRfc5915Der<'_> = pair.private_key().as_der().ok().context("no key")?;
    Ok(std::fs::write(path, pem::encode(&pem::Pem::new("EC PRIVATE KEY", der.as_ref().to_vec())))?)
}

/// Stands in for the scheduler: there is one node.
fn every_pod_on_the_node() -> serde_json::Value {
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingAdmissionPolicy",
        "metadata": { "name": "on-n0" },
        "spec": {
            "matchConstraints": { "resourceRules": [{
                "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"],
            }]},
            "matchConditions": [{ "name": "unscheduled", "expression": "!has(object.spec.nodeName)" }],
            "failurePolicy": "Fail", "reinvocationPolicy": "Never",
            "mutations": [{ "patchType": "JSONPatch", "jsonPatch": {
                "expression": "[JSONPatch{op: \"add\", path: \"/spec/nodeName\", value: \"n0\"}]",
            }}],
        },
    })
}

fn bound() -> serde_json::Value {
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingAdmissionPolicyBinding",
        "metadata": { "name": "on-n0" }, "spec": { "policyName": "on-n0" },
    })
}
