//! The processes of a cluster, and how each is called: the same way at every start.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::programs::free_port;
use crate::tools::Tools;

/// A process of a cluster, in the order in which they start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// etcd
    Etcd,
    /// kube-apiserver
    ApiServer,
    /// kube-controller-manager
    ControllerManager,
    /// kwok, which pretends the node and its pods
    Kwok,
    /// Flux's source-controller
    SourceController,
    /// Flux's kustomize-controller
    KustomizeController,
    /// Flux's helm-controller
    HelmController,
}

impl Part {
    /// Flux's three controllers.
    pub const FLUX: [Self; 3] = [Self::SourceController, Self::KustomizeController, Self::HelmController];

    /// The binary.
    pub fn name(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::ApiServer => "kube-apiserver",
            Self::ControllerManager => "kube-controller-manager",
            Self::Kwok => "kwok",
            Self::SourceController => "source-controller",
            Self::KustomizeController => "kustomize-controller",
            Self::HelmController => "helm-controller",
        }
    }
}

/// Folder and ports of one cluster; they stay the same over restarts.
#[derive(Debug)]
pub(super) struct Site {
    folder: PathBuf,
    etcd: u16,
    etcd_peer: u16,
    pub(super) api_server: u16,
    kwok: u16,
    storage: u16,
    /// Of the three Flux controllers.
    metrics: [u16; 3],
    health: [u16; 3],
    /// The oldest helm-controller that is supported runs, and not today's.
    oldest: bool,
}

impl Site {
    pub(super) fn new(folder: &Path, oldest: bool) -> Result<Self> {
        let three = || Ok::<_, anyhow::Error>([free_port()?, free_port()?, free_port()?]);
        Ok(Self {
            folder: folder.to_owned(),
            etcd: free_port()?,
            etcd_peer: free_port()?,
            api_server: free_port()?,
            kwok: free_port()?,
            storage: free_port()?,
            metrics: three()?,
            health: three()?,
            oldest,
        })
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Where source-controller keeps artifacts.
    pub(super) fn storage(&self) -> PathBuf {
        self.path("source")
    }

    /// The addresses of a Flux controller's metrics and health, none for others.
    pub(super) fn addresses(&self, part: Part) -> Option<(String, String)> {
        let number = Part::FLUX.iter().position(|flux| *flux == part)?;
        let address = |port: u16| format!("127.0.0.1:{port}");
        Some((address(*self.metrics.get(number)?), address(*self.health.get(number)?)))
    }

    /// `--flag=<path>`
    fn file(&self, flag: &str, name: &str) -> String {
        format!("--{flag}={}", self.path(name).display())
    }

    /// The command that starts a part.
    pub(super) fn command(&self, tools: &Tools, part: Part) -> Command {
        let mut command = tools.command(match part {
            Part::HelmController if self.oldest => "helm-controller-oldest",
            part => part.name(),
        });
        match part {
            Part::Etcd => self.etcd(&mut command),
            Part::ApiServer => self.api_server(&mut command),
            Part::ControllerManager => self.controller_manager(&mut command),
            Part::Kwok => self.kwok(&mut command),
            Part::SourceController => {
                let address = format!("127.0.0.1:{}", self.storage);
                command.arg(format!("--storage-path={}", self.storage().display()));
                command
                    .args([format!("--storage-addr={address}"), format!("--storage-adv-addr={address}")])
                    .arg("--concurrent=10");
            }
            Part::KustomizeController | Part::HelmController => {
                command.args(["--requeue-dependency=2s", "--concurrent=20"]);
            }
        }
        self.flux(&mut command, part);
        command
    }

    fn etcd(&self, command: &mut Command) {
        let (client, peer) =
            (format!("http://127.0.0.1:{}", self.etcd), format!("http://127.0.0.1:{}", self.etcd_peer));
        command.arg("--data-dir").arg(self.path("etcd"));
        command.args(["--listen-client-urls", &client, "--advertise-client-urls", &client]);
        command.args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer]);
        command.args(["--initial-cluster", &format!("default={peer}"), "--unsafe-no-fsync"]);
        command.args(["--log-level", "warn"]);
    }

    fn api_server(&self, command: &mut Command) {
        command
            .args([
                format!("--etcd-servers=http://127.0.0.1:{}", self.etcd),
                format!("--secure-port={}", self.api_server),
            ])
            .args(["--bind-address=127.0.0.1", "--advertise-address=127.0.0.1"])
            .args(["--endpoint-reconciler-type=none", "--service-cluster-ip-range=10.0.0.0/24"])
            .args(["--service-account-issuer=https://kubernetes.default.svc", "--authorization-mode=RBAC"])
            .arg("--profiling=false")
            .arg(self.file("cert-dir", "certs"))
            .arg(self.file("token-auth-file", "tokens.csv"))
            .arg(self.file("service-account-key-file", "sa.key"))
            .arg(self.file("service-account-signing-key-file", "sa.key"))
            .arg(self.file("audit-policy-file", "audit-policy.yaml"))
            .args([&self.file("audit-log-path", "audit.log"), "--audit-log-maxsize=10000"]);
    }

    /// The node lifecycle is kwok's: the controller for it would find the node dead after forty seconds.
    fn controller_manager(&self, command: &mut Command) {
        command
            .arg(self.file("kubeconfig", "kubeconfig"))
            .args(["--secure-port=0", "--bind-address=127.0.0.1", "--leader-elect=false"])
            .args(["--kube-api-qps=200", "--kube-api-burst=400"])
            .arg(self.file("service-account-private-key-file", "sa.key"))
            .arg(self.file("root-ca-file", "certs/apiserver.crt"))
            // As most installers do: each controller is somebody of its own, none is an administrator.
            .arg("--use-service-account-credentials=true")
            .arg(self.file("flex-volume-plugin-dir", "volumes"))
            .arg(
                "--controllers=*,-node-lifecycle-controller,-node-ipam-controller,-taint-eviction-controller",
            );
    }

    fn kwok(&self, command: &mut Command) {
        let stages = concat!(env!("CARGO_MANIFEST_DIR"), "/tools/stages.yaml");
        command
            .arg(self.file("kubeconfig", "kubeconfig"))
            .arg(format!("--config={stages}"))
            .args(["--manage-all-nodes=true", "--node-ip=127.0.0.1", "--cidr=10.244.0.0/24"])
            .arg(format!("--server-address=127.0.0.1:{}", self.kwok));
    }

    /// What all three controllers of Flux are told.
    fn flux(&self, command: &mut Command, part: Part) {
        let Some((metrics, health)) = self.addresses(part) else { return };
        let kubeconfig = format!("flux-system.{}.kubeconfig", part.name());
        command.env("KUBECONFIG", self.path(&kubeconfig)).env("RUNTIME_NAMESPACE", "flux-system");
        command.args([format!("--metrics-addr={metrics}"), format!("--health-addr={health}")]);
        command.args(["--events-addr=", "--watch-all-namespaces=true", "--log-level=info"]);
    }
}
