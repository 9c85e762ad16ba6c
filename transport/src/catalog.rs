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

/// From a branch; also says at which commit. None if there is no such branch.
///
/// # Errors
/// What fetching can end with; `TooLarge`, `UnsafePath`.
pub fn from_git(remote: &Remote, branch: &str) -> Result<Option<(CommitId, CatalogTree)>> {
    let Some(commit) = remote.fetch(branch)? else { return Ok(None) };
    let read = remote.files(commit, "", MAX_TREE_BYTES).and_then(tree);
    // There may be many branches: which one is wrong?
    let named = |e: Error| Error { what: format!("{} (branch `{branch}`)", e.what), ..e };
    Ok(Some((commit, read.map_err(named)?)))
}

/// From a branch that must be there, by way of a cache folder.
///
/// # Errors
/// `NotFound`, and as [`from_git`].
pub fn from_branch(url: &str, branch: &str, cache: &Path, options: GitOptions) -> Result<CatalogTree> {
    let remote = Remote::open(url, cache, options)?;
    let missing = || {
        let what = format!("branch `{branch}` of {}", remote.shown());
        Error::new(Kind::NotFound, what, "the vendor has published none there")
    };
    from_git(&remote, branch)?.map(|(_, tree)| tree).ok_or_else(missing)
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
) -> Result<Option<CatalogTree>> {
    let what = format!("catalog {repository}:{tag}");
    let garbage = |cause: &str| Error::new(Kind::Garbage, &what, cause);
    let Some((_, bytes)) = registry.resolve_tag(repository, tag).await? else { return Ok(None) };
    let manifest: Manifest = serde_json::from_slice(&bytes).map_err(|e| garbage(&e.to_string()))?;
    let [layer] = manifest.layers.as_slice() else { return Err(garbage("not exactly one layer")) };
    if layer.media_type != CATALOG_LAYER {
        return Err(garbage("its layer is not a catalog"));
    }
    let archive = registry.blob_or_kept(repository, layer, MAX_TREE_BYTES, kept).await?;
    tree(archive::unpack(&archive, MAX_TREE_BYTES)?).map(Some)
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
) -> Result<CatalogTree> {
    let archive = flux_artifact::fetch(artifact, MAX_TREE_BYTES, options, kept).await?;
    tree(archive::unpack(&archive, MAX_TREE_BYTES)?)
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
