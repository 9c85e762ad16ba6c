//! Ring state as bytes: a file on a Git branch, or an OCI artifact. Nobody judges it here.

use pdp_policies::Line;
use pdp_policies::dsse::{MAX_ENVELOPE_BYTES, RING_STATE};

use crate::error::{Error, Kind, Result};
use crate::git::{CommitId, Remote};
use crate::kept_blob::KeptBlob;
use crate::oci::{Descriptor, Manifest, Registry, Repository};

/// The branch that ring state lies on.
pub const RING_STATE_BRANCH: &str = "ring-state";
/// Artifact type of a ring state in a registry.
pub const RING_STATE_TYPE: &str = "application/vnd.wso2.pdp.ring-state.v1";

/// The file of a line on that branch.
pub fn ring_state_file(line: &Line) -> String {
    format!("ring-state-{line}.dsse.json")
}

/// The tag of a line in a registry.
pub fn ring_state_tag(line: &Line) -> String {
    format!("ring-state-{line}")
}

/// From a branch, none if there is no such branch or file.
///
/// # Errors
/// What fetching can end with; `TooLarge`, `UnsafePath`.
pub fn from_git(remote: &Remote, branch: &str, line: &Line) -> Result<Option<Vec<u8>>> {
    let named = |e: Error| Error { what: format!("{} (branch `{branch}`)", e.what), ..e };
    remote.fetch(branch)?.map_or(Ok(None), |commit| at_commit(remote, commit, line).map_err(named))
}

/// From a commit that was fetched, none if it has no such file.
///
/// # Errors
/// `TooLarge`, `UnsafePath`.
pub fn at_commit(remote: &Remote, commit: CommitId, line: &Line) -> Result<Option<Vec<u8>>> {
    let files = remote.files(commit, "", 16 * MAX_ENVELOPE_BYTES as u64)?;
    Ok(files.into_iter().find(|(path, _)| *path == ring_state_file(line)).map(|(_, content)| content))
}

/// From an OCI artifact, none if there is no such tag. One request if it hasn't moved.
///
/// # Errors
/// What requests can end with; `Garbage` for anything but one layer with an envelope.
pub async fn from_oci(
    registry: &Registry,
    repository: &Repository,
    line: &Line,
    kept: &KeptBlob,
) -> Result<Option<Vec<u8>>> {
    let tag = ring_state_tag(line);
    let what = format!("ring state {repository}:{tag}");
    let garbage = |cause: &str| Error::new(Kind::Garbage, &what, cause);
    let Some((_, bytes)) = registry.resolve_tag(repository, &tag).await? else { return Ok(None) };
    let manifest: Manifest = serde_json::from_slice(&bytes).map_err(|e| garbage(&e.to_string()))?;
    let [layer] = manifest.layers.as_slice() else { return Err(garbage("not exactly one layer")) };
    if layer.media_type != RING_STATE {
        return Err(garbage("its layer is not a ring state"));
    }
    registry.blob_or_kept(repository, layer, MAX_ENVELOPE_BYTES as u64, kept).await.map(Some)
}

/// Publishes an envelope under a tag.
///
/// # Errors
/// What requests can end with.
pub async fn to_oci(registry: &Registry, repository: &Repository, tag: &str, envelope: &[u8]) -> Result<()> {
    let layer = Descriptor::of(RING_STATE, envelope);
    registry.push_artifact(repository, tag, RING_STATE_TYPE, layer, envelope).await
}
