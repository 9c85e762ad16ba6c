//! Flux: its definitions, and its three controllers as processes.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use super::api::{Api, Kind};
use super::control_plane::wait as wait_with;
use super::tools::Tools;
use crate::programs::{Running, free_port};

/// Applies Flux's definitions.
pub(super) fn define(api: &Api, tools: &Tools) -> Result<()> {
    for text in tools.definitions()? {
        let definition: Value = serde_saphyr::from_str(&text).context("a definition of Flux")?;
        api.apply(Kind::DEFINITION, &definition)?;
    }
    Ok(())
}

/// Waits until the definitions are served.
pub(super) fn wait(api: &Api, processes: &mut [Running]) -> Result<()> {
    for kind in [Kind::GIT_REPOSITORY, Kind::OCI_REPOSITORY, Kind::KUSTOMIZATION, Kind::HELM_RELEASE] {
        wait_with(processes, "Flux's kinds", || api.list(kind, "").is_ok())?;
    }
    Ok(())
}

/// Starts the three controllers.
pub(super) fn start(tools: &Tools, folder: &Path, kubeconfig: &Path) -> Result<Vec<Running>> {
    let storage = folder.join("source");
    std::fs::create_dir_all(&storage)?;
    let address = format!("127.0.0.1:{}", free_port()?);
    let source = [
        format!("--storage-path={}", storage.display()),
        format!("--storage-addr={address}"),
        format!("--storage-adv-addr={address}"),
    ];
    let applier = vec!["--requeue-dependency=2s".to_owned()];
    let mut controllers = Vec::new();
    for (name, more) in [
        ("source-controller", source.to_vec()),
        ("kustomize-controller", applier.clone()),
        ("helm-controller", applier),
    ] {
        let mut command = tools.command(name);
        command.env("KUBECONFIG", kubeconfig).env("RUNTIME_NAMESPACE", "flux-system").args(more);
        command.arg(format!("--metrics-addr=127.0.0.1:{}", free_port()?));
        command.arg(format!("--health-addr=127.0.0.1:{}", free_port()?));
        command.args(["--events-addr=", "--watch-all-namespaces=true", "--log-level=info"]);
        controllers.push(Running::start(command, folder.join(format!("{name}.log")))?);
    }
    Ok(controllers)
}
