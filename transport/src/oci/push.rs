//! Writing: what is there already is not sent again; every answer is checked.

use std::path::Path;

use pdp_policies::Digest;
use reqwest::header;

use super::descriptor::{Descriptor, EMPTY_CONFIG, EMPTY_TYPE, MANIFEST_TYPE, Manifest};
use super::registry::Registry;
use super::repository::Repository;
use super::source::{Source, check_file};
use super::upload::Upload;
use crate::error::{Error, Kind, Result};

/// What registries with immutable tags answer when one is written again.
const IMMUTABLE: [u16; 5] = [400, 403, 405, 409, 412];

/// Whether something had to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushed {
    /// It was there.
    AlreadyThere,
    /// It was sent.
    Uploaded,
}

impl Registry {
    /// Sends a blob unless the repository has it.
    ///
    /// # Errors
    /// `LoginNeeded`, and what requests can end with.
    pub async fn push_blob(&self, repository: &Repository, bytes: &[u8]) -> Result<Pushed> {
        let digest = Digest::of(bytes);
        if self.provides(repository, &digest).await? {
            return Ok(Pushed::AlreadyThere);
        }
        let source = Source::Memory(bytes::Bytes::copy_from_slice(bytes));
        self.upload(repository, digest, bytes.len() as u64, source).await
    }

    /// Sends a blob from a file unless the repository has it; it is never in memory as a whole. Its size and digest
    /// are compared before it is sent.
    ///
    /// # Errors
    /// `NotFound`, `SizeMismatch`, `DigestMismatch`, `LoginNeeded`, and what requests can end with.
    pub async fn push_blob_file(
        &self,
        repository: &Repository,
        path: &Path,
        digest: &Digest,
        size: u64,
    ) -> Result<Pushed> {
        if self.provides(repository, digest).await? {
            return Ok(Pushed::AlreadyThere);
        }
        self.send_blob_file(repository, path, digest, size).await
    }

    /// The same without asking first whether the repository has it.
    ///
    /// # Errors
    /// As above.
    pub async fn send_blob_file(
        &self,
        repository: &Repository,
        path: &Path,
        digest: &Digest,
        size: u64,
    ) -> Result<Pushed> {
        let (file, wanted) = (path.to_owned(), *digest);
        let checked = tokio::task::spawn_blocking(move || check_file(&file, &wanted, size)).await;
        checked.map_err(|e| Error::new(Kind::Io, format!("read {}", path.display()), e.to_string()))??;
        self.upload(repository, *digest, size, Source::File(path.to_owned())).await
    }

    async fn upload(
        &self,
        repository: &Repository,
        digest: Digest,
        size: u64,
        source: Source,
    ) -> Result<Pushed> {
        let what = format!("push blob {repository}@{}", digest.short());
        let upload = Upload { registry: self, repository, what, digest, size, source };
        if !upload.run().await? {
            return Ok(Pushed::AlreadyThere);
        }
        self.saw_blob(repository, &digest)?;
        self.count_blob();
        Ok(Pushed::Uploaded)
    }

    /// Sends a manifest under its digest, or under a tag; nothing is sent if the tag is there already. Exactly these
    /// bytes; no one else's digest is believed.
    ///
    /// # Errors
    /// `TagTaken` for a tag that the registry doesn't move and that names something else, `LoginNeeded`, and what
    /// requests can end with.
    pub async fn push_manifest(
        &self,
        repository: &Repository,
        tag: Option<&str>,
        media_type: &str,
        bytes: &[u8],
    ) -> Result<Digest> {
        let digest = Digest::of(bytes);
        let Some(tag) = tag else {
            return self.put_manifest(repository, None, media_type, bytes).await.map(|_| digest);
        };
        if self.tagged(repository, tag).await?.is_some_and(|found| found == digest) {
            return Ok(digest);
        }
        self.put_manifest(repository, Some(tag), media_type, bytes).await.map(|_| digest)
    }

    /// Sends a manifest under a tag whatever the tag names, for one that isn't expected to be there.
    ///
    /// # Errors
    /// As [`Registry::push_manifest`].
    pub async fn send_manifest(
        &self,
        repository: &Repository,
        tag: &str,
        media_type: &str,
        bytes: &[u8],
    ) -> Result<()> {
        self.put_manifest(repository, Some(tag), media_type, bytes).await.map(|_| ())
    }

    async fn tagged(&self, repository: &Repository, tag: &str) -> Result<Option<Digest>> {
        Ok(self.resolve_tag(repository, tag).await?.map(|(digest, _)| digest))
    }

    /// Sends an artifact of one layer and moves a tag to it; the same layer gives the same digest.
    ///
    /// # Errors
    /// `LoginNeeded`, and what requests can end with.
    pub async fn push_artifact(
        &self,
        repository: &Repository,
        tag: &str,
        artifact_type: &str,
        layer: Descriptor,
        content: &[u8],
    ) -> Result<()> {
        let manifest = Manifest {
            schema_version: 2,
            media_type: MANIFEST_TYPE.to_owned(),
            artifact_type: Some(artifact_type.to_owned()),
            config: Descriptor::of(EMPTY_TYPE, EMPTY_CONFIG),
            layers: vec![layer],
            subject: None,
            annotations: Default::default(),
        };
        let bytes = serde_json::to_vec(&manifest)
            .map_err(|e| Error::new(Kind::Garbage, "write a manifest", e.to_string()))?;
        self.push_blob(repository, EMPTY_CONFIG).await?;
        self.push_blob(repository, content).await?;
        self.push_manifest(repository, Some(tag), MANIFEST_TYPE, &bytes).await.map(|_| ())
    }

    /// As `push_manifest`, but sent whatever is there; also tells whether the registry keeps referrers by itself
    /// (`OCI-Subject`).
    pub(super) async fn put_manifest(
        &self,
        repository: &Repository,
        tag: Option<&str>,
        media_type: &str,
        bytes: &[u8],
    ) -> Result<bool> {
        let digest = Digest::of(bytes);
        let name = tag.map_or_else(|| digest.to_string(), str::to_owned);
        let what = format!("push manifest {repository}:{name}");
        let url = self.url(repository, &format!("manifests/{name}"))?;
        let answer = self
            .send(repository, &what, || {
                self.count_sent(bytes.len());
                self.http().put(url.clone()).header(header::CONTENT_TYPE, media_type).body(bytes.to_vec())
            })
            .await?;
        if answer.status().is_success() {
            return Ok(answer.headers().contains_key("oci-subject"));
        }
        let status = answer.status().as_u16();
        let refused = self.refused(&what, answer).await;
        if IMMUTABLE.contains(&status) {
            self.is_there(repository, &what, tag, &digest, refused).await?;
            return Ok(false);
        }
        Err(refused)
    }

    /// A registry that doesn't write over what it has refuses to: that is well if what it has is this.
    async fn is_there(
        &self,
        repository: &Repository,
        what: &str,
        tag: Option<&str>,
        digest: &Digest,
        refused: Error,
    ) -> Result<()> {
        let found = match tag {
            Some(tag) => self.tagged(repository, tag).await?,
            None => self.has_manifest(repository, digest).await?.then_some(*digest),
        };
        match found {
            Some(found) if found == *digest => Ok(()),
            Some(found) => {
                let cause =
                    format!("the tag names {found} and can't be moved to {digest}: {}", refused.cause);
                Err(Error::new(Kind::TagTaken, what, cause))
            }
            None => Err(refused),
        }
    }
}
