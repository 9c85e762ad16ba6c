//! etcd, kube-apiserver, kube-controller-manager, kwok and Flux, started in the order in which each needs the other.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::api::{Api, condition};
use super::audit::{self, Moment, Request};
use super::definitions::{self, Flux};
use super::kind::Kind;
use super::local;
use super::part::{Part, Site};
use super::processes::Processes;
use super::stand_ins;
use crate::reaper;
use crate::tools::Tools;

/// The administrator's token; the cluster lives on loopback and for a test only.
const TOKEN: &str = "test-admin";

/// A control plane with Flux. Everything ends with this value, and at the latest with this process.
#[derive(Debug)]
pub struct Cluster {
    /// As an administrator.
    pub api: Api,
    /// The tools that it was made of.
    pub tools: Tools,
    site: Site,
    processes: Processes,
    folder: tempfile::TempDir,
}

impl Cluster {
    /// Starts everything and waits until it is usable.
    ///
    /// # Errors
    /// When a process doesn't come up; says the last lines of its log.
    pub fn start(tools: Tools, flux: Flux) -> Result<Self> {
        let cluster = Self::start_bare(tools, flux)?;
        cluster.complete()?;
        Ok(cluster)
    }

    /// Starts what a bare cluster lacks, once Flux's definitions are there.
    ///
    /// # Errors
    /// As above.
    pub fn complete(&self) -> Result<()> {
        self.run(&[Part::ControllerManager, Part::Kwok])?;
        self.api.apply_all(&stand_ins::node_and_scheduler())?;
        self.admit_flux()?;
        self.run(&Part::FLUX)?;
        Part::FLUX.into_iter().try_for_each(|part| self.flux_ready(part))?;
        self.wait_for("the default service account", || {
            self.api.get(Kind::SERVICE_ACCOUNT, "default", "default").is_ok_and(|found| found.is_some())
        })?;
        self.wait_for("the node", || {
            let node = self.api.get(Kind::NODE, "", "n0").ok().flatten().unwrap_or_default();
            condition(&node, "Ready")["status"] == "True"
        })
    }

    /// etcd and kube-apiserver alone, with definitions in another state: nothing acts on any object.
    ///
    /// # Errors
    /// As above.
    pub fn start_bare(tools: Tools, flux: Flux) -> Result<Self> {
        let cluster = Self::control_plane(tools, flux)?;
        cluster.define(flux)?;
        Ok(cluster)
    }

    /// etcd and kube-apiserver.
    fn control_plane(tools: Tools, flux: Flux) -> Result<Self> {
        let folder = reaper::folder("pdp-cluster-")?;
        let site = Site::new(folder.path(), flux == Flux::Oldest)?;
        std::fs::create_dir_all(site.path("certs"))?;
        std::fs::create_dir_all(site.storage())?;
        std::fs::write(site.path("tokens.csv"), format!("{TOKEN},admin,1,\"system:masters\"\n"))?;
        std::fs::write(site.path("audit-policy.yaml"), audit::POLICY)?;
        stand_ins::service_account_key(&site.path("sa.key"))?;
        let processes = Processes::new(&logs(folder.path()))?;
        processes.start(&tools, &site, Part::Etcd)?;
        processes.start(&tools, &site, Part::ApiServer)?;
        let certificate = site.path("certs/apiserver.crt");
        // The file is there a moment before its content.
        let whole = || std::fs::read_to_string(&certificate).is_ok_and(|pem| pem.contains("END CERTIFICATE"));
        processes.wait("the API server's certificate", whole)?;
        let server = format!("https://127.0.0.1:{}", site.api_server);
        let api = Api::new(&server, TOKEN, &std::fs::read(&certificate)?)?;
        let cluster = Self { api, tools, site, processes, folder };
        cluster.api_ready()?;
        cluster.write_kubeconfig("kubeconfig", "", TOKEN)?;
        Ok(cluster)
    }

    /// Definitions of Flux and of pdp-sync; waits until they are served.
    ///
    /// # Errors
    /// When the API server refuses one.
    pub fn define(&self, flux: Flux) -> Result<()> {
        let mut wanted = definitions::of_flux(&self.tools, flux)?;
        wanted.extend(definitions::of_pdp_sync()?);
        self.api.apply_all(&wanted)?;
        for definition in wanted {
            // `Established` comes a moment before the server answers for the kind.
            let path = definitions::path(&definition).context("a definition has a version")?;
            self.wait_for(&path, || self.api.text(&path).is_ok_and(|(code, _)| code == 200))
                .with_context(|| format!("{:?}", self.api.text(&path)))?;
        }
        Ok(())
    }

    fn run(&self, parts: &[Part]) -> Result<()> {
        parts.iter().try_for_each(|part| self.processes.start(&self.tools, &self.site, *part))
    }

    /// Kills a part (`kill -9`). For a cluster that other tests use, take `alone()`.
    pub fn stop(&mut self, part: Part) {
        self.processes.stop(part);
    }

    /// Asks a part to end, as a drained node does (`SIGTERM`), and waits until it has.
    ///
    /// # Errors
    /// When it doesn't end.
    pub fn terminate(&mut self, part: Part) -> Result<()> {
        self.processes.terminate(part)
    }

    /// Starts a part again, on its ports with its data, and waits until it is ready.
    ///
    /// # Errors
    /// When it doesn't come up.
    pub fn start_again(&mut self, part: Part) -> Result<()> {
        self.processes.stop(part);
        self.run(&[part])?;
        match part {
            Part::Etcd | Part::ApiServer => self.api_ready(),
            Part::ControllerManager | Part::Kwok => Ok(()),
            flux => self.flux_ready(flux),
        }
    }

    /// Forgets all artifacts, as source-controller does on a new node. Stop it first.
    ///
    /// # Errors
    /// When the folder can't be emptied.
    pub fn empty_source_storage(&mut self) -> Result<()> {
        reaper::clear(&self.site.storage())
    }

    fn api_ready(&self) -> Result<()> {
        self.wait_for("the API server", || self.api.text("/readyz").is_ok_and(|(code, _)| code == 200))
    }

    fn flux_ready(&self, part: Part) -> Result<()> {
        let Some((_, health)) = self.site.addresses(part) else { return Ok(()) };
        let url = format!("http://{health}/readyz");
        self.wait_for(part.name(), || local::is_ok(&url))
    }

    /// Makes a namespace; it may be there.
    ///
    /// # Errors
    /// When the API server refuses it.
    pub fn namespace(&self, name: &str) -> Result<()> {
        let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } });
        self.api.apply(Kind::NAMESPACE, &namespace).map(|_| ())
    }

    /// The administrator's kubeconfig.
    pub fn kubeconfig(&self) -> PathBuf {
        self.site.path("kubeconfig")
    }

    pub(super) fn write_kubeconfig(&self, name: &str, namespace: &str, token: &str) -> Result<PathBuf> {
        let path = self.site.path(name);
        let server = format!("https://127.0.0.1:{}", self.site.api_server);
        let text = kubeconfig(&server, &self.site.path("certs/apiserver.crt"), namespace, token);
        std::fs::write(&path, text.to_string())?;
        Ok(path)
    }

    /// Lets the pods of a component that are there now crash; later ones are well. It is its label `app`.
    ///
    /// # Errors
    /// When there is none.
    pub fn let_pods_fail(&self, namespace: &str, component: &str) -> Result<()> {
        let mut pods = self.api.list(Kind::POD, namespace)?;
        pods.retain(|pod| pod["metadata"]["labels"]["app"] == component);
        ensure!(!pods.is_empty(), "no pod of {component} in {namespace}");
        for pod in pods {
            let name = pod["metadata"]["name"].as_str().unwrap_or_default();
            let fate = json!({ "metadata": { "annotations": { "e2e.fate": "fails" } } });
            self.api.patch(Kind::POD, namespace, name, &fate)?;
        }
        Ok(())
    }

    /// A moment in the audit log, for the two below.
    pub fn moment(&self) -> Moment {
        audit::now(&self.site.path("audit.log"))
    }

    /// What a service account asked for since then.
    ///
    /// # Errors
    /// When the log can't be read.
    pub fn requests_by(&self, account: &str, namespace: &str, since: Moment) -> Result<Vec<Request>> {
        let user = format!("system:serviceaccount:{namespace}:{account}");
        audit::requests(&self.site.path("audit.log"), &user, since)
    }

    /// The writes among them: verb and resource, such as `patch` and `updatesubscriptions/status`.
    ///
    /// # Errors
    /// As above.
    pub fn writes_by(&self, account: &str, namespace: &str, since: Moment) -> Result<Vec<(String, String)>> {
        let writes = self.requests_by(account, namespace, since)?.into_iter().filter(Request::is_write);
        Ok(writes.map(|write| (write.right.verb, write.right.resource)).collect())
    }

    /// A part's process id, none while it is stopped.
    pub fn pid(&self, part: Part) -> Option<u32> {
        self.processes.pid(part)
    }

    /// Prometheus metrics of a Flux controller.
    ///
    /// # Errors
    /// When it has none, or doesn't answer.
    pub fn metrics(&self, part: Part) -> Result<String> {
        let (metrics, _) = self.site.addresses(part).context("only Flux's controllers have metrics here")?;
        Ok(local::get(&format!("http://{metrics}/metrics"))?.1)
    }

    /// The end of a part's log.
    pub fn log(&self, part: Part, lines: usize) -> String {
        self.processes.log(part, lines)
    }

    /// The cluster's folder; it goes with the cluster.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Waits up to two minutes for something to come true in the cluster.
    ///
    /// # Errors
    /// When it doesn't, or when a part of the cluster died that nobody stopped.
    pub fn wait_for(&self, what: &str, condition: impl FnMut() -> bool) -> Result<()> {
        self.processes.wait(what, condition)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.processes.stop_all();
    }
}

/// Logs outlive the run, for the reader of a failed test.
fn logs(folder: &Path) -> PathBuf {
    let name = folder.file_name().unwrap_or_default();
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tmp/cluster-logs").join(name)
}

fn kubeconfig(server: &str, certificate: &Path, namespace: &str, token: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "e2e",
        "clusters": [{ "name": "e2e", "cluster": { "server": server, "certificate-authority": certificate } }],
        "users": [{ "name": "user", "user": { "token": token } }],
        "contexts": [{ "name": "e2e", "context": { "cluster": "e2e", "user": "user", "namespace": namespace } }],
    })
}
