//! Reading: by digest, up to a limit, every byte compared.

use pdp_policies::Digest;
use reqwest::{Response, StatusCode, header};

use super::MAX_MANIFEST_BYTES;
use super::descriptor::{INDEX_TYPE, MANIFEST_TYPE};
use super::registry::Registry;
use super::repository::Repository;
use crate::error::{Error, Kind, Result};
use crate::http;

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
        let accept = format!("{MANIFEST_TYPE}, {INDEX_TYPE}");
        let answer = self
            .send(repository, what, || self.http().get(url.clone()).header(header::ACCEPT, &accept))
            .await?;
        match answer.status() {
            StatusCode::NOT_FOUND => Ok(None),
            status if status.is_success() => Ok(Some(answer)),
            status => Err(http::refused(what, status)),
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
        self.has(repository, &format!("blobs/{digest}")).await
    }

    async fn has(&self, repository: &Repository, rest: &str) -> Result<bool> {
        let what = format!("look for {repository}/{rest}");
        let url = self.url(repository, rest)?;
        let accept = format!("{MANIFEST_TYPE}, {INDEX_TYPE}");
        let answer = self
            .send(repository, &what, || self.http().head(url.clone()).header(header::ACCEPT, &accept))
            .await?;
        match answer.status() {
            StatusCode::NOT_FOUND => Ok(false),
            status if status.is_success() => Ok(true),
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
        let what = format!("blob {repository}@{}", digest.short());
        if size > max {
            return Err(Error::new(Kind::TooLarge, what, format!("{size} bytes, at most {max}")));
        }
        let url = self.url(repository, &format!("blobs/{digest}"))?;
        let answer = self.send(repository, &what, || self.http().get(url.clone())).await?;
        if !answer.status().is_success() {
            return Err(http::refused(&what, answer.status()));
        }
        let bytes = self.read(&what, answer, size).await?;
        if bytes.len() as u64 != size {
            let cause = format!("{} bytes instead of {size}", bytes.len());
            return Err(Error::new(Kind::SizeMismatch, what, cause));
        }
        check(&what, digest, &bytes)?;
        Ok(bytes)
    }
}

fn check(what: &str, digest: &Digest, bytes: &[u8]) -> Result<()> {
    if Digest::of(bytes) == *digest {
        return Ok(());
    }
    Err(Error::new(Kind::DigestMismatch, what, format!("the bytes are {}", Digest::of(bytes))))
}
