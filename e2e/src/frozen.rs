//! A vendor and data planes as files that an older version left: the folders of `fixtures/frozen`.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::channel_server::ChannelServer;
use crate::outside::Outside;
use crate::world::{DataPlane, World};

/// What stands in a frozen subscription for an address or path of the world that it was made in.
const GIT: &str = "http://git.example";
const REGISTRY: &str = "registry.example";
const SERVER: &str = "http://server.example";
const ROOT: &str = "/vendor/1.root.json";
/// Where nobody listens: the server of a world without one.
pub const NOBODY: &str = "http://127.0.0.1:9";
const TOKENS: &str = "/tokens";

impl World {
    /// Starts servers around a frozen vendor: its keys, its root, its catalog in Git, its ring state, by its clock.
    ///
    /// # Errors
    /// When a file is missing, or a server doesn't start.
    pub fn frozen(folder: &Path) -> Result<Self> {
        let mut world = Self::prepare(Outside::default(), false)?;
        copy(&folder.join("vendor/keys"), &world.path("vendor/keys"))?;
        let root = world.root();
        std::fs::create_dir_all(root.parent().context("no folder")?)?;
        std::fs::copy(folder.join("vendor/1.root.json"), root)?;
        world.git.overwrite("catalog", "catalog", &files(&folder.join("catalog/git"))?)?;
        world.git.create("ring-state")?;
        world.git.overwrite("ring-state", "ring-state", &files(&folder.join("ring-state"))?)?;
        world.set_now(clock(&folder.join("clock"))?)?;
        Ok(world)
    }

    /// A data plane as it stood then: state, repository and subscription, with this world's addresses in it.
    ///
    /// # Errors
    /// When a file is missing.
    pub fn frozen_data_plane(&self, folder: &Path) -> Result<DataPlane> {
        let text = std::fs::read_to_string(folder.join("subscription.yaml"))?;
        let of = |field: &str| {
            let line = text.lines().find_map(|line| line.trim().strip_prefix(field));
            line.with_context(|| format!("no {field}")).map(str::trim)
        };
        let name = format!("{}-{}", of("organization:")?, of("dataPlane:")?);
        let state = self.path(&format!("{name}-state"));
        copy(&folder.join("state"), &state)?;
        // A repository of files doesn't keep that nobody else may read a key.
        std::fs::set_permissions(state.join("key.pem"), std::fs::Permissions::from_mode(0o600))
            .or_else(absent)?;
        self.git.create(&name)?;
        let target = files(&folder.join("target"))?;
        if !target.is_empty() {
            self.git.overwrite(&name, "main", &target)?;
        }
        let subscription = self.path(&format!("{name}.yaml"));
        std::fs::write(&subscription, self.with_addresses(&text, folder))?;
        Ok(DataPlane { name, subscription, state })
    }

    fn with_addresses(&self, text: &str, folder: &Path) -> String {
        let git = self.git.url("");
        let text = text.replace(GIT, git.trim_end_matches('/')).replace(REGISTRY, &self.registry_host());
        let text =
            text.replace(ROOT, &self.root().to_string_lossy()).replace(TOKENS, &folder.to_string_lossy());
        text.replace(SERVER, &self.server.as_ref().map_or_else(|| NOBODY.to_owned(), ChannelServer::url))
    }
}

/// The time in a file, in Unix seconds.
///
/// # Errors
/// When there is none.
pub fn clock(file: &Path) -> Result<i64> {
    let text = std::fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?;
    Ok(text.trim().parse::<jiff::Timestamp>()?.as_second())
}

/// All files below a folder by their relative paths; none if there is no such folder.
///
/// # Errors
/// When one can't be read.
pub fn files(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let (mut found, mut folders) = (BTreeMap::new(), vec![folder.to_owned()]);
    while let Some(next) = folders.pop().filter(|next| next.exists()) {
        for entry in std::fs::read_dir(next)? {
            let path: PathBuf = entry?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(folder)?.to_string_lossy().into_owned();
            found.insert(name, std::fs::read(&path)?);
        }
    }
    Ok(found)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    for (name, bytes) in files(from)? {
        let path = to.join(name);
        std::fs::create_dir_all(path.parent().context("no folder")?)?;
        std::fs::write(path, bytes)?;
    }
    Ok(())
}

fn absent(error: std::io::Error) -> std::io::Result<()> {
    match error.kind() {
        std::io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    }
}
