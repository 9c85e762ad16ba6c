//! The catalog as a tree of bytes: from a Git branch, an OCI artifact or a folder. Nobody judges it here.

use std::path::Path;

use pdp_policies::{CatalogTree, MAX_TREE_BYTES, TreeRefusal};

use crate::archive;
use crate::error::{Error, Kind, Result};
use crate::files;
use crate::flux_artifact::{self, FluxArtifact};
use crate::git::{CommitId, GitOptions, Remote};
use crate::http::HttpOptions;
use crate::kept_blob::KeptBlob;
use crate::oci::{Descriptor, Manifest, Registry, Repository};

/// The branch that the catalog lies on at the vendor's.
pub const CATALOG_BRANCH: &str = "catalog";
/// Artifact type of a catalog in a registry.
pub const CATALOG_TYPE: &str = "application/vnd.wso2.pdp.catalog.v1";
/// Media type of its one layer.
pub const CATALOG_LAYER: &str = "application/vnd.wso2.pdp.catalog.v1.tar+gzip";
/// The folders that make up a catalog; whatever else lies beside them is left alone.
const FOLDERS: [&str; 2] = ["metadata/", "targets/"];

/// Names the bytes of a catalog: a commit, or a digest. Two sources with the same mark hold the same bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark(String);

/// What a source holds.
#[derive(Debug)]
pub enum Found {
    /// The bytes of the mark that the caller knows; nothing was read.
    Same,
    /// Other bytes, and their mark if something names them.
    New(Option<Mark>, CatalogTree),
}

/// From a branch; also says at which commit. None if there is no such branch.
///
/// # Errors
/// What fetching can end with; `TooLarge`, `UnsafePath`.
pub fn from_git(remote: &Remote, branch: &str) -> Result<Option<(CommitId, CatalogTree)>> {
    let Some(commit) = remote.fetch(branch)? else { return Ok(None) };
    Ok(Some((commit, at_commit(remote, branch, commit)?)))
}

/// The vendor's repository has no such branch.
pub fn no_branch(remote: &Remote, branch: &str) -> Error {
    let what = format!("branch `{branch}` of {}", remote.shown());
    Error::new(Kind::NotFound, what, "the vendor has published none there")
}

fn at_commit(remote: &Remote, branch: &str, commit: CommitId) -> Result<CatalogTree> {
    // There may be many branches: which one is wrong?
    let named = |e: Error| Error { what: format!("{} (branch `{branch}`)", e.what), ..e };
    remote.files(commit, "", MAX_TREE_BYTES).and_then(tree).map_err(named)
}

/// From a branch that must be there, by way of a cache folder. One request if it hasn't moved.
///
/// # Errors
/// `NotFound`, and as [`from_git`].
pub fn from_branch(
    url: &str,
    branch: &str,
    cache: &Path,
    options: GitOptions,
    known: Option<&Mark>,
) -> Result<Found> {
    let remote = Remote::open(url, cache, options)?;
    let commit = remote.fetch(branch)?.ok_or_else(|| no_branch(&remote, branch))?;
    let mark = Mark(format!("commit {commit}"));
    if known == Some(&mark) {
        return Ok(Found::Same);
    }
    Ok(Found::New(Some(mark), at_commit(&remote, branch, commit)?))
}

/// From an OCI artifact, none if there is no such tag. The tag is only an address. One request if it hasn't moved.
///
/// # Errors
/// What requests can end with; `Garbage` for anything but one catalog layer.
pub async fn from_oci(
    registry: &Registry,
    repository: &Repository,
    tag: &str,
    kept: &KeptBlob,
    known: Option<&Mark>,
) -> Result<Option<Found>> {
    let what = format!("catalog {repository}:{tag}");
    let garbage = |cause: &str| Error::new(Kind::Garbage, &what, cause);
    let Some((digest, bytes)) = registry.resolve_tag(repository, tag).await? else { return Ok(None) };
    let mark = Mark(format!("manifest {digest}"));
    if known == Some(&mark) {
        return Ok(Some(Found::Same));
    }
    let manifest: Manifest = serde_json::from_slice(&bytes).map_err(|e| garbage(&e.to_string()))?;
    let [layer] = manifest.layers.as_slice() else { return Err(garbage("not exactly one layer")) };
    if layer.media_type != CATALOG_LAYER {
        return Err(garbage("its layer is not a catalog"));
    }
    let archive = registry.blob_or_kept(repository, layer, MAX_TREE_BYTES, kept).await?;
    Ok(Some(Found::New(Some(mark), tree(archive::unpack(&archive, MAX_TREE_BYTES)?)?)))
}

/// From the archive of a Flux source (`status.artifact`), whatever Git host or registry stands behind it. No request
/// if it is the one that is kept.
///
/// # Errors
/// What requests can end with; `DigestMismatch`, `TooLarge`, `UnsafePath`, `Garbage`.
pub async fn from_flux(
    artifact: &FluxArtifact,
    options: &HttpOptions,
    kept: &KeptBlob,
    known: Option<&Mark>,
) -> Result<Found> {
    let mark = Mark(format!("archive {}", artifact.digest));
    if known == Some(&mark) {
        return Ok(Found::Same);
    }
    let archive = flux_artifact::fetch(artifact, MAX_TREE_BYTES, options, kept).await?;
    Ok(Found::New(Some(mark), tree(archive::unpack(&archive, MAX_TREE_BYTES)?)?))
}

/// From a folder.
///
/// # Errors
/// `NotFound`, `TooLarge`, `UnsafePath`, `Io`.
pub fn from_folder(folder: &Path) -> Result<CatalogTree> {
    tree(files::read_folder(folder, MAX_TREE_BYTES)?)
}

/// Publishes a catalog as an OCI artifact under a tag; the same catalog gives the same digest.
///
/// # Errors
/// What requests can end with.
pub async fn to_oci(
    registry: &Registry,
    repository: &Repository,
    tag: &str,
    tree: &CatalogTree,
) -> Result<()> {
    let files: Vec<_> = tree.iter().map(|(path, content)| (path.to_owned(), content.to_vec())).collect();
    let layer = archive::pack(&files)?;
    let descriptor = Descriptor::of(CATALOG_LAYER, &layer);
    registry.push_artifact(repository, tag, CATALOG_TYPE, descriptor, &layer).await
}

fn tree(files: Vec<(String, Vec<u8>)>) -> Result<CatalogTree> {
    let mut tree = CatalogTree::new();
    for (path, content) in files {
        if !FOLDERS.iter().any(|folder| path.starts_with(folder)) {
            continue;
        }
        tree.insert(&path, content).map_err(|refusal| {
            let kind = match refusal {
                TreeRefusal::Path(_) => Kind::UnsafePath,
                TreeRefusal::TooLarge(_) => Kind::TooLarge,
            };
            Error::new(kind, "read a catalog", refusal.to_string())
        })?;
    }
    Ok(tree)
}
