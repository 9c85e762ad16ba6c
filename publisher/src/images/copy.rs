//! One image, byte for byte: parts before what names them, so that what is half done is never complete to a reader.

use std::collections::BTreeMap;
use std::path::PathBuf;

use pdp_policies::Digest;
use pdp_transport::cli::failure::{Failure, Result, internal};
use pdp_transport::oci::{Layout, MAX_MANIFEST_BYTES, Registry, Repository};

use super::document::{Blob, Document};

/// An index of indexes of images, and no deeper.
const MAX_DEPTH: usize = 3;
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
    let mut documents = Vec::new();
    let (mut level, mut depth) = (vec![digest], 0);
    while !level.is_empty() {
        depth += 1;
        if depth > MAX_DEPTH {
            return Err(Failure::new(
                "BadImage",
                format!("{digest} is an index of more than {MAX_DEPTH} levels"),
            ));
        }
        let mut next = Vec::new();
        for part in level {
            let bytes = from.manifest(&part).await?;
            let document = Document::read(&part.to_string(), &bytes)?;
            next.extend(document.parts.iter().copied());
            documents.push((document, bytes));
        }
        level = next;
    }
    let blobs: BTreeMap<_, _> =
        documents.iter().flat_map(|(document, _)| &document.blobs).map(|blob| (blob.digest, blob)).collect();
    for blob in blobs.into_values() {
        from.send(blob, to, repository).await?;
    }
    for (document, bytes) in documents.iter().rev() {
        to.push_manifest(repository, None, document.media_type, bytes).await?;
    }
    Ok(())
}

impl From<'_> {
    async fn manifest(&self, digest: &Digest) -> Result<Vec<u8>> {
        match self {
            Self::Layout(layout) => layout
                .blob(digest, MAX_MANIFEST_BYTES)
                .map_err(|error| self.missing(digest).cause(error.cause)),
            Self::Registry(registry, repository) => Ok(registry.manifest(repository, digest).await?),
        }
    }

    async fn send(&self, blob: &Blob, to: &Registry, repository: &Repository) -> Result<()> {
        match self {
            Self::Layout(layout) => {
                to.push_blob_file(repository, &layout.blob_path(&blob.digest), &blob.digest, blob.size)
                    .await?;
            }
            Self::Registry(registry, there) => {
                if to.has_blob(repository, &blob.digest).await? {
                    return Ok(());
                }
                let folder = tempfile::tempdir().map_err(internal)?;
                let file: PathBuf = folder.path().join("blob");
                registry.blob_to_file(there, &blob.digest, blob.size, MAX_BLOB_BYTES, &file).await?;
                to.push_blob_file(repository, &file, &blob.digest, blob.size).await?;
            }
        }
        Ok(())
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
