//! Where state survives a restart: a folder, or Secrets of the cluster.

use std::path::{Path, PathBuf};

use pdp_transport::cli::failure::Result;
use pdp_transport::files;

use crate::secret_store::SecretStore;

/// No state file is larger (bytes).
const MAX_STATE_BYTES: u64 = 16 * 1024 * 1024;

/// Named pieces of state, each written whole.
#[derive(Debug)]
pub(crate) enum Store {
    /// Files of a folder.
    Folder(PathBuf),
    /// Keys of Secrets, written only if nobody else wrote since they were read.
    Secrets(SecretStore),
}

impl Store {
    /// One piece, none if it isn't there.
    pub(crate) fn get(&self, name: &str) -> Result<Option<Vec<u8>>> {
        match self {
            Self::Folder(folder) => Ok(files::read_capped(&folder.join(name), MAX_STATE_BYTES)?),
            Self::Secrets(secrets) => Ok(secrets.get(name)),
        }
    }

    /// Writes one piece.
    pub(crate) fn put(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        match self {
            Self::Folder(folder) => Ok(files::write_atomic(&folder.join(name), bytes)?),
            Self::Secrets(secrets) => secrets.put(name, bytes),
        }
    }

    /// The root that a namespace trusts beyond the life of its subscription; a folder is its own.
    pub(crate) fn pinned_root(&self) -> Result<Option<Vec<u8>>> {
        match self {
            Self::Folder(_) => Ok(None),
            Self::Secrets(secrets) => Ok(secrets.pinned()?.map(|pin| pin.root)),
        }
    }

    /// Remembers that root.
    pub(crate) fn pin(&mut self, root: &[u8]) -> Result<()> {
        match self {
            Self::Folder(_) => Ok(()),
            Self::Secrets(secrets) => secrets.pin(root),
        }
    }

    /// Keeps an unreadable piece for people, out of the way.
    pub(crate) fn set_aside(&self, name: &str) {
        match self {
            Self::Folder(folder) => {
                let path: &Path = &folder.join(name);
                let _ = std::fs::rename(path, path.with_extension("unreadable"));
            }
            // The next write replaces the key; a Secret has room for no second copy of everything.
            Self::Secrets(_) => {}
        }
    }
}
