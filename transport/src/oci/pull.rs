//! Reading: by digest, up to a limit, every byte compared.

use std::io::Write;
use std::path::Path;

use pdp_policies::Digest;
use reqwest::{Response, StatusCode, header};
use sha2::Digest as _;

use super::MAX_MANIFEST_BYTES;
use super::descriptor::Descriptor;
use super::registry::Registry;
use super::repository::Repository;
use super::source::check_digest;
use crate::error::{Error, Kind, Result};
use crate::http;
use crate::kept_blob::KeptBlob;

/// Everything that an image can be; registries answer 404 to whoever doesn't accept the very type.
const MANIFESTS: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json";

impl Registry {
    /// The exact bytes of a manifest or index.
    ///
    /// # Errors
    /// `NotFound`, `TooLarge`, `DigestMismatch`, and what requests can end with.
    pub async fn manifest(&self, repository: &Repository, digest: &Digest) -> Result<Vec<u8>> {
        let what = format!("manifest {repository}@{}", digest.short());
        let answer = self.get_manifest(repository, &digest.to_string(), &what).await?;
        let answer = answer.ok_or_else(|| http::refused(&what, StatusCode::NOT_FOUND))?;
        let bytes = self.read(&what, answer, MAX_MANIFEST_BYTES).await?;
        check(&what, digest, &bytes)?;
        Ok(bytes)
    }

    /// What a tag points at, none if there is no such tag. Tags move: never trust the content.
    ///
    /// # Errors
    /// `TooLarge`, and what requests can end with.
    pub async fn resolve_tag(&self, repository: &Repository, tag: &str) -> Result<Option<(Digest, Vec<u8>)>> {
        let what = format!("tag {repository}:{tag}");
        let Some(answer) = self.get_manifest(repository, tag, &what).await? else { return Ok(None) };
        let bytes = self.read(&what, answer, MAX_MANIFEST_BYTES).await?;
        Ok(Some((Digest::of(&bytes), bytes)))
    }

    async fn get_manifest(
        &self,
        repository: &Repository,
        name: &str,
        what: &str,
    ) -> Result<Option<Response>> {
        let url = self.url(repository, &format!("manifests/{name}"))?;
        let answer = self
            .send(repository, what, || self.http().get(url.clone()).header(header::ACCEPT, MANIFESTS))
            .await?;
        match answer.status() {
            StatusCode::NOT_FOUND => Ok(None),
            status if status.is_success() => self.no_page(what, &answer).map(|()| Some(answer)),
            _ => Err(self.refused(what, answer).await),
        }
    }

    /// True if the registry has the manifest.
    ///
    /// # Errors
    /// What requests can end with.
    pub async fn has_manifest(&self, repository: &Repository, digest: &Digest) -> Result<bool> {
        self.has(repository, &format!("manifests/{digest}")).await
    }

    /// True if the repository has the blob.
    ///
    /// # Errors
    /// What requests can end with.
    pub async fn has_blob(&self, repository: &Repository, digest: &Digest) -> Result<bool> {
        let there = self.has(repository, &format!("blobs/{digest}")).await?;
        if there {
            self.saw_blob(repository, digest)?;
        }
        Ok(there)
    }

    /// Other repositories of its registry may have the blob from this one.
    ///
    /// # Errors
    /// `BadRepository` for a registry that can't be asked like this.
    pub fn saw_blob(&self, repository: &Repository, digest: &Digest) -> Result<()> {
        self.memory().keep_blob(self.origin(repository)?, *digest, repository.path_there());
        Ok(())
    }

    /// The media type of a manifest or index as the registry tells it, empty if it doesn't; none if it isn't there.
    pub(super) async fn manifest_type(
        &self,
        repository: &Repository,
        digest: &Digest,
    ) -> Result<Option<String>> {
        let kind = |answer: &Response| {
            let told = answer.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
            told.and_then(|told| told.split(';').next()).unwrap_or_default().trim().to_owned()
        };
        let found = self.head(repository, &format!("manifests/{digest}")).await?;
        Ok(found.as_ref().map(kind))
    }

    async fn has(&self, repository: &Repository, rest: &str) -> Result<bool> {
        Ok(self.head(repository, rest).await?.is_some())
    }

    /// The answer to HEAD, none if it isn't there.
    async fn head(&self, repository: &Repository, rest: &str) -> Result<Option<Response>> {
        let what = format!("look for {repository}/{rest}");
        let url = self.url(repository, rest)?;
        let answer = self
            .send(repository, &what, || self.http().head(url.clone()).header(header::ACCEPT, MANIFESTS))
            .await?;
        match answer.status() {
            StatusCode::NOT_FOUND => Ok(None),
            status if status.is_success() => Ok(Some(answer)),
            status => Err(http::refused(&what, status)),
        }
    }

    /// A blob of exactly `size` bytes, refused before reading if that is more than `max`.
    ///
    /// # Errors
    /// `NotFound`, `TooLarge`, `SizeMismatch`, `DigestMismatch`, and what requests can end with.
    pub async fn blob(
        &self,
        repository: &Repository,
        digest: &Digest,
        size: u64,
        max: u64,
    ) -> Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(usize::try_from(size.min(max)).unwrap_or_default());
        let keep = |piece: &[u8]| {
            bytes.extend_from_slice(piece);
            Ok(())
        };
        self.read_blob(repository, digest, size, max, keep).await?;
        Ok(bytes)
    }

    /// As [`Registry::blob`], unless `kept` holds it; keeps it.
    pub(crate) async fn blob_or_kept(
        &self,
        repository: &Repository,
        blob: &Descriptor,
        max: u64,
        kept: &KeptBlob,
    ) -> Result<Vec<u8>> {
        if let Some(bytes) = kept.get(&blob.digest, max).filter(|bytes| bytes.len() as u64 == blob.size) {
            return Ok(bytes);
        }
        let bytes = self.blob(repository, &blob.digest, blob.size, max).await?;
        kept.put(&blob.digest, &bytes);
        Ok(bytes)
    }

    /// As [`Registry::blob`], into a file: it is there as a whole, with the right bytes, or not at all. However large
    /// it is, only a piece of it is in memory.
    ///
    /// # Errors
    /// As [`Registry::blob`]; `DiskFull`, `Io`.
    pub async fn blob_to_file(
        &self,
        repository: &Repository,
        digest: &Digest,
        size: u64,
        max: u64,
        path: &Path,
    ) -> Result<()> {
        let what = || format!("write {}", path.display());
        let fail = |e: std::io::Error| Error::io(what(), &e);
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(fail)?;
        self.read_blob(repository, digest, size, max, |piece| file.write_all(piece).map_err(fail)).await?;
        file.as_file().sync_all().map_err(fail)?;
        file.persist(path).map_err(|e| Error::io(what(), &e.error))?;
        Ok(())
    }

    /// As [`Registry::blob`], but nothing is kept: its bytes are there, and they are the right ones.
    ///
    /// # Errors
    /// As [`Registry::blob`].
    pub async fn check_blob(
        &self,
        repository: &Repository,
        digest: &Digest,
        size: u64,
        max: u64,
    ) -> Result<()> {
        self.read_blob(repository, digest, size, max, |_| Ok(())).await
    }

    /// Reads a blob piece by piece. What `keep` got counts only if this ends well.
    async fn read_blob(
        &self,
        repository: &Repository,
        digest: &Digest,
        size: u64,
        max: u64,
        mut keep: impl FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        let what = format!("blob {repository}@{}", digest.short());
        if size > max {
            return Err(Error::new(Kind::TooLarge, what, format!("{size} bytes, at most {max}")));
        }
        let url = self.url(repository, &format!("blobs/{digest}"))?;
        let mut answer = self.send(repository, &what, || self.http().get(url.clone())).await?;
        if !answer.status().is_success() {
            return Err(self.refused(&what, answer).await);
        }
        // A login page isn't a forged blob: nobody has to be alarmed.
        self.no_page(&what, &answer)?;
        let (mut hash, mut read) = (sha2::Sha256::new(), 0);
        while let Some(piece) = self.chunk(&what, &mut answer).await? {
            read += piece.len() as u64;
            if read > size {
                return Err(Error::new(Kind::TooLarge, what, format!("more than {size} bytes")));
            }
            hash.update(&piece);
            keep(&piece)?;
        }
        if read != size {
            return Err(Error::new(Kind::SizeMismatch, what, format!("{read} bytes instead of {size}")));
        }
        check_digest(&what, digest, hash)
    }
}

fn check(what: &str, digest: &Digest, bytes: &[u8]) -> Result<()> {
    if Digest::of(bytes) == *digest {
        return Ok(());
    }
    Err(Error::new(Kind::DigestMismatch, what, format!("the bytes are {}", Digest::of(bytes))))
}
