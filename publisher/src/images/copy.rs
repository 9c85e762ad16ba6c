//! One image, byte for byte: parts before what names them, so that what is half done is never complete to a reader.

use std::collections::BTreeMap;
use std::path::PathBuf;

use pdp_policies::Digest;
use pdp_transport::cli::failure::{Failure, Result, internal};
use pdp_transport::oci::{Layout, MAX_MANIFEST_BYTES, Registry, Repository};
use pdp_transport::{Error, Kind};

use super::document::Blob;
use super::tree::{Read, tree};

/// No layer of a real image is larger (bytes).
const MAX_BLOB_BYTES: u64 = 64 << 30;

/// Where an image is copied from.
#[derive(Debug)]
pub(crate) enum From<'a> {
    Layout(&'a Layout),
    Registry(&'a Registry, Repository),
}

/// Copies an image and all its parts; what is there already isn't sent again.
///
/// # Errors
/// `ImageMissing` if the source hasn't all of it, `BadImage`, and what requests can end with.
pub(crate) async fn copy(
    from: &From<'_>,
    to: &Registry,
    repository: &Repository,
    digest: Digest,
) -> Result<()> {
    let documents = tree(from, digest).await?;
    let blobs: BTreeMap<_, _> =
        documents.iter().flat_map(|it| &it.document.blobs).map(|blob| (blob.digest, blob)).collect();
    for blob in blobs.into_values() {
        from.send(blob, to, repository).await?;
    }
    for Read { document, bytes, .. } in documents.iter().rev() {
        to.push_manifest(repository, None, document.media_type, bytes).await?;
    }
    Ok(())
}

impl From<'_> {
    pub(crate) async fn manifest(&self, digest: &Digest) -> Result<Vec<u8>> {
        match self {
            Self::Layout(layout) => layout
                .blob(digest, MAX_MANIFEST_BYTES)
                .map_err(|error| self.missing(digest).cause(error.cause)),
            Self::Registry(registry, repository) => {
                let found = registry.manifest(repository, digest).await;
                found.map_err(|error| self.unread(digest, error))
            }
        }
    }

    /// Sends a blob unless it is there, or in another repository of its registry that has it; its bytes are compared with its digest before.
    pub(crate) async fn send(&self, blob: &Blob, to: &Registry, repository: &Repository) -> Result<()> {
        match self {
            Self::Layout(layout) => {
                to.push_blob_file(repository, &layout.blob_path(&blob.digest), &blob.digest, blob.size)
                    .await?;
            }
            Self::Registry(registry, there) => {
                to.saw_blob(there, &blob.digest)?;
                if to.provides(repository, &blob.digest).await? {
                    return Ok(());
                }
                let folder = tempfile::tempdir().map_err(internal)?;
                let file: PathBuf = folder.path().join("blob");
                let read = registry.blob_to_file(there, &blob.digest, blob.size, MAX_BLOB_BYTES, &file).await;
                read.map_err(|error| self.unread(&blob.digest, error))?;
                to.send_blob_file(repository, &file, &blob.digest, blob.size).await?;
            }
        }
        Ok(())
    }

    fn unread(&self, digest: &Digest, error: Error) -> Failure {
        match error.kind {
            Kind::NotFound => self.missing(digest).cause(error.cause),
            _ => error.into(),
        }
    }

    fn missing(&self, digest: &Digest) -> Failure {
        let place = match self {
            Self::Layout(layout) => layout.folder().display().to_string(),
            Self::Registry(_, repository) => repository.to_string(),
        };
        Failure::new("ImageMissing", format!("{place} has no {digest}")).hint(
            "an index is copied with all its parts: `skopeo copy --all`, `regctl image copy`, `oras cp -r`",
        )
    }
}
