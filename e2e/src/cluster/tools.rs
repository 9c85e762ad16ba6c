//! The tools, built from Go modules with pinned versions, once: the binaries are cached by the hash of their
//! module files.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};

/// Module folder below `e2e/tools`, and what is built in it: package and binary.
const TOOLS: [(&str, &[(&str, &str)]); 8] = [
    ("etcd", &[("go.etcd.io/etcd/server/v3", "etcd")]),
    (
        "kubernetes",
        &[
            ("k8s.io/kubernetes/cmd/kube-apiserver", "kube-apiserver"),
            ("k8s.io/kubernetes/cmd/kube-controller-manager", "kube-controller-manager"),
        ],
    ),
    ("kwok", &[("sigs.k8s.io/kwok/cmd/kwok", "kwok")]),
    ("source-controller", &[("github.com/fluxcd/source-controller", "source-controller")]),
    ("kustomize-controller", &[("github.com/fluxcd/kustomize-controller", "kustomize-controller")]),
    ("helm-controller", &[("github.com/fluxcd/helm-controller", "helm-controller")]),
    ("olareg", &[("github.com/olareg/olareg/cmd/olareg", "olareg")]),
    ("cosign", &[("github.com/sigstore/cosign/v3/cmd/cosign", "cosign")]),
];

/// The Kubernetes libraries report this version; without it kube-apiserver would say v0.0.0.
const KUBERNETES: (&str, &str, &str) = ("v1.36.3", "1", "36");

/// A folder with all binaries, and Flux's custom resource definitions.
#[derive(Debug, Clone)]
pub struct Tools {
    folder: PathBuf,
}

impl Tools {
    /// Builds what isn't cached yet, with a line of progress per tool. `PDP_E2E_TOOLS` may name another cache.
    ///
    /// # Errors
    /// When a tool doesn't build: a missing tool fails the run.
    pub fn build() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let cache =
            std::env::var_os("PDP_E2E_TOOLS").map_or_else(|| root.join("../target/e2e-tools"), PathBuf::from);
        std::fs::create_dir_all(cache.join("crds"))?;
        let cache = cache.canonicalize()?;
        for (number, (module, packages)) in TOOLS.iter().enumerate() {
            let folder = root.join("tools").join(module);
            let mark = cache.join(format!("{module}.{}", hash(&folder)?));
            let whole = packages.iter().all(|(_, binary)| cache.join(binary).exists());
            if mark.exists() && whole {
                continue;
            }
            say(&format!("◎ building {module} ({}/{}), once", number + 1, TOOLS.len()));
            let started = Instant::now();
            for (package, binary) in *packages {
                go_build(&folder, package, &cache.join(binary))?;
                if package.starts_with("github.com/fluxcd/") {
                    copy_definitions(&folder, package, &cache.join("crds"))?;
                }
            }
            std::fs::write(&mark, "")?;
            say(&format!("✔ {module} in {} s", started.elapsed().as_secs()));
        }
        Ok(Self { folder: cache })
    }

    /// A command that runs a tool, deaf to the caller's environment.
    pub fn command(&self, binary: &str) -> Command {
        let mut command = Command::new(self.folder.join(binary));
        crate::programs::forget_environment(&mut command);
        command.stdin(Stdio::null());
        command
    }

    /// Flux's custom resource definitions, as YAML.
    ///
    /// # Errors
    /// When a file can't be read.
    pub fn definitions(&self) -> Result<Vec<String>> {
        let mut paths: Vec<_> = std::fs::read_dir(self.folder.join("crds"))?
            .map(|entry| entry.map(|e| e.path()))
            .collect::<Result<_, _>>()?;
        paths.sort();
        paths.iter().map(|path| Ok(std::fs::read_to_string(path)?)).collect()
    }
}

/// Straight to the terminal: the test harness keeps what the print macros write to itself.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// The first digits of the hash over the module files.
fn hash(folder: &Path) -> Result<String> {
    let mut hash = Sha256::new();
    for file in ["go.mod", "go.sum"] {
        hash.update(
            std::fs::read(folder.join(file)).with_context(|| format!("{}/{file}", folder.display()))?,
        );
    }
    Ok(hex::encode(&hash.finalize()[..6]))
}

/// Built beside its place and renamed: a build that was cut off leaves nothing that looks whole.
fn go_build(folder: &Path, package: &str, binary: &Path) -> Result<()> {
    let (version, major, minor) = KUBERNETES;
    let stamp = "k8s.io/component-base/version";
    let flags = match package.starts_with("k8s.io/") {
        true => format!(
            "-s -w -X {stamp}.gitVersion={version} -X {stamp}.gitMajor={major} -X {stamp}.gitMinor={minor}"
        ),
        false => "-s -w".to_owned(),
    };
    let new = binary.with_extension("new");
    let mut command = Command::new("go");
    command.current_dir(folder).env("CGO_ENABLED", "0").env("GOFLAGS", "-mod=readonly").env("GOWORK", "off");
    command.args(["build", "-trimpath", "-buildvcs=false", "-ldflags", &flags, "-o"]).arg(&new).arg(package);
    let status = command.status().context("run go: it is needed to build the tools of the cluster tests")?;
    ensure!(status.success(), "{package} doesn't build");
    Ok(std::fs::rename(new, binary)?)
}

/// A controller's definitions lie in its module.
fn copy_definitions(folder: &Path, module: &str, to: &Path) -> Result<()> {
    let output = Command::new("go")
        .current_dir(folder)
        .env("GOFLAGS", "-mod=readonly")
        .args(["list", "-m", "-f", "{{.Dir}}", module])
        .output()?;
    ensure!(output.status.success(), "go list {module}: {}", String::from_utf8_lossy(&output.stderr));
    let module = PathBuf::from(String::from_utf8(output.stdout)?.trim());
    for entry in std::fs::read_dir(module.join("config/crd/bases"))? {
        let path = entry?.path();
        let name = path.file_name().context("a file has a name")?;
        // Files of the module cache are read-only; only their content is taken.
        std::fs::write(to.join(name), std::fs::read(&path)?)?;
    }
    Ok(())
}
