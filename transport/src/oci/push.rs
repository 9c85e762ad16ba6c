//! Writing: what is there already is not sent again; every answer is checked.

use pdp_policies::Digest;
use reqwest::{Response, StatusCode, header};
use url::Url;

use super::descriptor::{Descriptor, EMPTY_CONFIG, EMPTY_TYPE, MANIFEST_TYPE, Manifest};
use super::registry::Registry;
use super::repository::Repository;
use crate::error::{Error, Kind, Result};
use crate::http;

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
        if self.has_blob(repository, &digest).await? {
            return Ok(Pushed::AlreadyThere);
        }
        let what = format!("push blob {repository}@{}", digest.short());
        let start = self.url(repository, "blobs/uploads/")?;
        let answer = self.send(repository, &what, || self.http().post(start.clone())).await?;
        if !answer.status().is_success() {
            return Err(http::refused(&what, answer.status()));
        }
        let url = self.upload_url(repository, &what, &answer, &digest)?;
        let answer = self
            .send(repository, &what, || {
                self.count_sent(bytes.len());
                let put = self.http().put(url.clone());
                put.header(header::CONTENT_TYPE, "application/octet-stream").body(bytes.to_vec())
            })
            .await?;
        // A repeated PUT may find the upload finished by the first one.
        if answer.status() == StatusCode::NOT_FOUND && self.has_blob(repository, &digest).await? {
            return Ok(Pushed::AlreadyThere);
        }
        if !answer.status().is_success() {
            return Err(http::refused(&what, answer.status()));
        }
        self.count_blob();
        Ok(Pushed::Uploaded)
    }

    /// Sends a manifest under its digest, or under a tag. Exactly these bytes; no one else's digest is believed.
    ///
    /// # Errors
    /// `LoginNeeded`, and what requests can end with.
    pub async fn push_manifest(
        &self,
        repository: &Repository,
        tag: Option<&str>,
        media_type: &str,
        bytes: &[u8],
    ) -> Result<Digest> {
        self.put_manifest(repository, tag, media_type, bytes).await.map(|(digest, _)| digest)
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

    /// As `push_manifest`; also tells whether the registry keeps referrers by itself (`OCI-Subject`).
    pub(super) async fn put_manifest(
        &self,
        repository: &Repository,
        tag: Option<&str>,
        media_type: &str,
        bytes: &[u8],
    ) -> Result<(Digest, bool)> {
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
        if !answer.status().is_success() {
            return Err(http::refused(&what, answer.status()));
        }
        Ok((digest, answer.headers().contains_key("oci-subject")))
    }

    /// Where the registry wants an upload: anywhere, but from TLS only to TLS. Another origin gets no login.
    fn upload_url(
        &self,
        repository: &Repository,
        what: &str,
        answer: &Response,
        digest: &Digest,
    ) -> Result<Url> {
        let garbage = |cause: &str| Error::new(Kind::Garbage, what, cause);
        let location = answer.headers().get(header::LOCATION).and_then(|v| v.to_str().ok());
        let base = self.url(repository, "blobs/uploads/")?;
        let mut url = location
            .and_then(|location| base.join(location).ok())
            .ok_or_else(|| garbage("the registry named no upload location"))?;
        let _ = (url.set_username(""), url.set_password(None));
        http::may_go_on(&base, &url, self.exceptions()).map_err(|cause| garbage(&cause))?;
        url.query_pairs_mut().append_pair("digest", &digest.to_string());
        Ok(url)
    }
}
