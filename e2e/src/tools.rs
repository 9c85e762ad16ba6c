//! The tools, built from Go modules with pinned versions, once: the binaries are cached by the hash of their
//! module files.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};

/// A folder below `e2e/tools`, and what is built in it.
#[derive(Debug)]
struct Module {
    folder: &'static str,
    /// Package and binary.
    packages: &'static [(&'static str, &'static str)],
    /// Folders of the first package's module that the program reads while it runs; copied to a folder named like
    /// the binary with `.files`.
    files: &'static [&'static str],
    /// Build tags of a program that needs C, none if it doesn't.
    cgo: Option<&'static str>,
    /// Where the custom resource definitions go, if it is a controller of Flux.
    definitions: &'static str,
}

impl Module {
    const fn new(folder: &'static str, packages: &'static [(&'static str, &'static str)]) -> Self {
        Self { folder, packages, files: &[], cgo: None, definitions: CURRENT }
    }
}

/// Folders of custom resource definitions: Flux's, and those of the oldest helm-controller that is supported.
const CURRENT: &str = "crds";
const OLDEST: &str = "crds-of-the-oldest";

const OLAREG: Module = Module::new("olareg", &[("github.com/olareg/olareg/cmd/olareg", "olareg")]);
const GO_TUF: Module = Module::new("go-tuf", &[("pdp.e2e/tools/go-tuf", "go-tuf")]);
/// The Helm that helm-controller is built with.
const HELM_4: Module = Module::new("helm4", &[("helm.sh/helm/v4/cmd/helm", "helm4")]);
/// Reads workflows of GitHub Actions as their makers mean them.
const ACTIONLINT: Module =
    Module::new("actionlint", &[("github.com/rhysd/actionlint/cmd/actionlint", "actionlint")]);
const COSIGN: Module = Module::new("cosign", &[("github.com/sigstore/cosign/v3/cmd/cosign", "cosign")]);

/// What the tests on a cluster need.
const CLUSTER: [Module; 9] = [
    Module::new("etcd", &[("go.etcd.io/etcd/server/v3", "etcd")]),
    Module::new(
        "kubernetes",
        &[
            ("k8s.io/kubernetes/cmd/kube-apiserver", "kube-apiserver"),
            ("k8s.io/kubernetes/cmd/kube-controller-manager", "kube-controller-manager"),
        ],
    ),
    Module::new("kwok", &[("sigs.k8s.io/kwok/cmd/kwok", "kwok")]),
    Module::new("source-controller", &[("github.com/fluxcd/source-controller", "source-controller")]),
    Module::new(
        "kustomize-controller",
        &[("github.com/fluxcd/kustomize-controller", "kustomize-controller")],
    ),
    Module::new("helm-controller", &[("github.com/fluxcd/helm-controller", "helm-controller")]),
    Module {
        definitions: OLDEST,
        ..Module::new(
            "helm-controller-oldest",
            &[("github.com/fluxcd/helm-controller", "helm-controller-oldest")],
        )
    },
    OLAREG,
    COSIGN,
];

/// What the tests against other people's servers need.
const HOSTS: [Module; 9] = [
    Module::new("distribution", &[("github.com/distribution/distribution/v3/cmd/registry", "registry")]),
    Module {
        folder: "gitea",
        packages: &[("code.gitea.io/gitea", "gitea")],
        files: &["options", "templates", "public"],
        cgo: Some("sqlite sqlite_unlock_notify"),
        definitions: CURRENT,
    },
    Module::new("crane", &[("github.com/google/go-containerregistry/cmd/crane", "crane")]),
    GO_TUF,
    Module::new("helm", &[("helm.sh/helm/v3/cmd/helm", "helm")]),
    Module::new("oras", &[("oras.land/oras/cmd/oras", "oras")]),
    Module::new("regctl", &[("github.com/regclient/regclient/cmd/regctl", "regctl")]),
    OLAREG,
    COSIGN,
];

/// The Kubernetes libraries report this version; without it kube-apiserver would say v0.0.0.
const KUBERNETES: (&str, &str, &str) = ("v1.36.3", "1", "36");

/// A folder with all binaries, and Flux's custom resource definitions.
#[derive(Debug, Clone)]
pub struct Tools {
    folder: PathBuf,
}

impl Tools {
    /// Builds what the tests on a cluster need and isn't cached yet, with a line of progress per tool.
    /// `PDP_E2E_TOOLS` may name another cache.
    ///
    /// # Errors
    /// When a tool doesn't build: a missing tool fails the run.
    pub fn for_clusters() -> Result<Self> {
        Self::build(&CLUSTER)
    }

    /// As above, for the tests against other people's servers.
    ///
    /// # Errors
    /// As above.
    pub fn for_hosts() -> Result<Self> {
        Self::build(&HOSTS)
    }

    /// go-tuf alone.
    ///
    /// # Errors
    /// As above.
    pub fn for_catalogs() -> Result<Self> {
        Self::build(&[GO_TUF])
    }

    /// `helm4` alone, the Helm that helm-controller is built with.
    ///
    /// # Errors
    /// As above.
    pub fn for_charts() -> Result<Self> {
        Self::build(&[HELM_4])
    }

    /// `helm4` and `cosign`: what a release is made with without us.
    ///
    /// # Errors
    /// As above.
    pub fn for_releases() -> Result<Self> {
        Self::build(&[HELM_4, COSIGN])
    }

    /// actionlint alone.
    ///
    /// # Errors
    /// As above.
    pub fn for_workflows() -> Result<Self> {
        Self::build(&[ACTIONLINT])
    }

    /// A registry that keeps repositories apart.
    ///
    /// # Errors
    /// As above.
    pub fn for_registries() -> Result<Self> {
        Self::build(&[OLAREG])
    }

    fn build(modules: &[Module]) -> Result<Self> {
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let cache = cache()?;
        for (number, module) in modules.iter().enumerate() {
            let folder = source(module.folder);
            let mark = cache.join(format!("{}.{}", module.folder, hash(&folder)?));
            let whole = module.packages.iter().all(|(_, binary)| cache.join(binary).exists());
            if mark.exists() && whole {
                continue;
            }
            say(&format!("◎ building {} ({}/{}), once", module.folder, number + 1, modules.len()));
            let started = Instant::now();
            build_module(module, &folder, &cache)?;
            std::fs::write(&mark, "")?;
            say(&format!("✔ {} in {} s", module.folder, started.elapsed().as_secs()));
        }
        Ok(Self { folder: cache })
    }

    /// Where a tool is.
    pub fn path(&self, binary: &str) -> PathBuf {
        self.folder.join(binary)
    }

    /// A command that runs a tool, deaf to the caller's environment.
    pub fn command(&self, binary: &str) -> Command {
        let mut command = Command::new(self.folder.join(binary));
        crate::programs::forget_environment(&mut command);
        command.stdin(Stdio::null());
        command
    }

    /// The folder with what a program reads while it runs.
    pub fn files(&self, binary: &str) -> PathBuf {
        self.folder.join(format!("{binary}.files"))
    }

    /// The version of the module that is built in a folder below `e2e/tools`, without the `v`.
    ///
    /// # Errors
    /// When its `go.mod` names no tool.
    pub fn version(folder: &str) -> Result<String> {
        let file = source(folder).join("go.mod");
        let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        let tool = text.lines().find_map(|line| line.strip_prefix("tool "));
        let tool = tool.with_context(|| format!("no `tool` in {}", file.display()))?;
        let required = text.lines().filter_map(|line| line.trim().split_once(' '));
        let of_tool = required.filter(|(module, _)| tool.starts_with(module));
        let (_, version) = of_tool.max_by_key(|(module, _)| module.len()).context("the tool's own module")?;
        let version = version.split(' ').next().unwrap_or_default();
        Ok(version.trim_start_matches('v').to_owned())
    }

    /// Flux's custom resource definitions, as YAML.
    ///
    /// # Errors
    /// When a file can't be read.
    pub fn definitions(&self) -> Result<Vec<String>> {
        definitions(&self.folder.join(CURRENT))
    }

    /// Those of the oldest helm-controller that is supported.
    ///
    /// # Errors
    /// As above.
    pub fn oldest_definitions(&self) -> Result<Vec<String>> {
        definitions(&self.folder.join(OLDEST))
    }
}

fn definitions(folder: &Path) -> Result<Vec<String>> {
    sorted_files(folder)?.iter().map(|path| Ok(std::fs::read_to_string(path)?)).collect()
}

/// Straight to the terminal: the test harness keeps what the print macros write to itself.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// A file or folder below `e2e/tools`.
pub(crate) fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tools").join(name)
}

/// A folder of the cache that `make` fills once for each state of a folder below `e2e/tools`. What was cut off is
/// made anew; who asks at the same time waits.
pub(crate) fn cached(name: &str, make: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let cache = cache()?;
    let folder = cache.join(format!("{name}.{}.d", hash(&source(name))?));
    let mark = folder.join("whole");
    if !mark.exists() {
        say(&format!("◎ building {name}, once"));
        let started = Instant::now();
        crate::reaper::clear(&folder)?;
        make(&folder)?;
        std::fs::write(&mark, "")?;
        say(&format!("✔ {name} in {} s", started.elapsed().as_secs()));
    }
    Ok(folder)
}

fn cache() -> Result<PathBuf> {
    let own = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/e2e-tools");
    let cache = std::env::var_os("PDP_E2E_TOOLS").map_or_else(own, PathBuf::from);
    [CURRENT, OLDEST].iter().try_for_each(|name| std::fs::create_dir_all(cache.join(name)))?;
    Ok(cache.canonicalize()?)
}

/// The first digits of the hash over all files of a folder, by their names.
fn hash(folder: &Path) -> Result<String> {
    let mut hash = Sha256::new();
    for file in sorted_files(folder)? {
        hash.update(std::fs::read(&file).with_context(|| file.display().to_string())?);
    }
    Ok(hex::encode(&hash.finalize()[..6]))
}

fn build_module(module: &Module, folder: &Path, cache: &Path) -> Result<()> {
    for (package, binary) in module.packages {
        go_build(folder, package, module.cgo, &cache.join(binary))?;
        if package.starts_with("github.com/fluxcd/") {
            copy_definitions(folder, package, &cache.join(module.definitions))?;
        }
    }
    match module.packages {
        [(package, binary), ..] if !module.files.is_empty() => {
            let to = cache.join(format!("{binary}.files"));
            let from = module_folder(folder, package)?;
            module.files.iter().try_for_each(|name| copy_folder(&from.join(name), &to.join(name)))
        }
        _ => Ok(()),
    }
}

fn sorted_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut paths: Vec<_> = entries.map(|entry| entry.map(|e| e.path())).collect::<Result<_, _>>()?;
    paths.sort();
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() { files.extend(sorted_files(&path)?) } else { files.push(path) }
    }
    Ok(files)
}

/// Built beside its place and renamed: a build that was cut off leaves nothing that looks whole.
fn go_build(folder: &Path, package: &str, cgo: Option<&str>, binary: &Path) -> Result<()> {
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
    let with_c = if cgo.is_some() { "1" } else { "0" };
    command
        .current_dir(folder)
        .env("CGO_ENABLED", with_c)
        .env("GOFLAGS", "-mod=readonly")
        .env("GOWORK", "off");
    command.args(["build", "-trimpath", "-buildvcs=false", "-tags", cgo.unwrap_or_default()]);
    command.args(["-ldflags", &flags, "-o"]).arg(&new).arg(package);
    let status = command.status().context("run go: it is needed to build the tools of these tests")?;
    ensure!(status.success(), "{package} doesn't build");
    Ok(std::fs::rename(new, binary)?)
}

/// Where a module lies in the module cache.
fn module_folder(folder: &Path, module: &str) -> Result<PathBuf> {
    let output = Command::new("go")
        .current_dir(folder)
        .env("GOFLAGS", "-mod=readonly")
        .args(["list", "-m", "-f", "{{.Dir}}", module])
        .output()?;
    ensure!(output.status.success(), "go list {module}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(PathBuf::from(String::from_utf8(output.stdout)?.trim()))
}

/// A controller's definitions lie in its module.
fn copy_definitions(folder: &Path, module: &str, to: &Path) -> Result<()> {
    for entry in std::fs::read_dir(module_folder(folder, module)?.join("config/crd/bases"))? {
        let path = entry?.path();
        let name = path.file_name().context("a file has a name")?;
        copy_content(&path, &to.join(name))?;
    }
    Ok(())
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from).with_context(|| from.display().to_string())? {
        let entry = entry?;
        let there = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &there)?;
        } else {
            copy_content(&entry.path(), &there)?;
        }
    }
    Ok(())
}

/// Files of the module cache are read-only; only their content is taken.
fn copy_content(from: &Path, to: &Path) -> Result<()> {
    Ok(std::fs::write(to, std::fs::read(from)?)?)
}
