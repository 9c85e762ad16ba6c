//! Bytes that a subscription names: by path in a file, by a Secret or ConfigMap in a cluster.

use std::collections::BTreeMap;
use std::path::PathBuf;

use pdp_policies::DataPlaneName;
use pdp_policies::trust::MAX_HANDED_REPORT_BYTES;
use pdp_transport::Error;
use pdp_transport::files;
use serde::Deserialize;

/// Something to be read once it is needed.
#[derive(Clone, Deserialize)]
#[serde(from = "PathBuf")]
pub(crate) enum Content {
    /// A file.
    File(PathBuf),
    /// What the cluster held at the beginning of the pass, and what it is called there; none if it wasn't there.
    Given { what: String, bytes: Option<Vec<u8>> },
}

impl Content {
    /// The bytes, none if there are none there.
    pub(crate) fn read(&self, max: u64) -> Result<Option<Vec<u8>>, Error> {
        match self {
            Self::File(path) => files::read_capped(path, max),
            Self::Given { what, bytes: Some(bytes) } if bytes.len() as u64 > max => {
                let cause = format!("more than {max} bytes");
                Err(Error::new(pdp_transport::Kind::TooLarge, what, cause))
            }
            Self::Given { bytes, .. } => Ok(bytes.clone()),
        }
    }
}

impl From<PathBuf> for Content {
    fn from(path: PathBuf) -> Self {
        Self::File(path)
    }
}

impl std::fmt::Display for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Given { what, .. } => f.write_str(what),
        }
    }
}

/// It may be a token.
impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Content({self})")
    }
}

/// Approvals with their signatures.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "PathBuf")]
pub(crate) enum Approvals {
    /// A folder with `*.json` and `*.json.sig`.
    Folder(PathBuf),
    /// What the cluster holds.
    Given(Vec<SignedApproval>),
}

impl From<PathBuf> for Approvals {
    fn from(path: PathBuf) -> Self {
        Self::Folder(path)
    }
}

/// One approval as it was signed.
#[derive(Debug, Clone)]
pub(crate) struct SignedApproval {
    /// Its file or object.
    pub(crate) name: String,
    pub(crate) document: Vec<u8>,
    /// Armoured SSHSIG; empty if there is none.
    pub(crate) signature: Vec<u8>,
}

/// An approval and its signature are small (bytes).
const MAX_APPROVAL_BYTES: u64 = 64 * 1024;

impl Approvals {
    /// All of them, by name; unreadable ones count for nobody.
    pub(crate) fn all(&self) -> Vec<SignedApproval> {
        let folder = match self {
            Self::Given(all) => return all.clone(),
            Self::Folder(folder) => folder,
        };
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let mut paths: Vec<_> =
            entries.map(|e| e.path()).filter(|p| p.extension().is_some_and(|e| e == "json")).collect();
        paths.sort();
        let read = |path: &std::path::Path| files::read_capped(path, MAX_APPROVAL_BYTES).ok().flatten();
        let signed = |path: &PathBuf| {
            let signature = read(&path.with_extension("json.sig")).unwrap_or_default();
            Some(SignedApproval { name: path.display().to_string(), document: read(path)?, signature })
        };
        paths.iter().filter_map(signed).collect()
    }
}

/// Reports of other data planes, each as it was handed on.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "PathBuf")]
pub(crate) enum HandedReports {
    /// A folder with `<data plane>.json`.
    Folder(PathBuf),
    /// What the cluster holds, by key.
    Given(BTreeMap<String, Vec<u8>>),
}

impl Default for HandedReports {
    fn default() -> Self {
        Self::Given(BTreeMap::new())
    }
}

impl From<PathBuf> for HandedReports {
    fn from(path: PathBuf) -> Self {
        Self::Folder(path)
    }
}

impl HandedReports {
    /// The report of one of them; one that can't be read isn't there.
    pub(crate) fn of(&self, data_plane: &DataPlaneName) -> Option<Vec<u8>> {
        let name = format!("{data_plane}.json");
        match self {
            Self::Given(all) => all.get(&name).cloned(),
            Self::Folder(folder) => {
                files::read_capped(&folder.join(name), MAX_HANDED_REPORT_BYTES as u64).ok().flatten()
            }
        }
    }
}
