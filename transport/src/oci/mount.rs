//! A blob that another repository of the same registry has isn't sent: the registry is asked to take it from there.

use pdp_policies::Digest;
use reqwest::{StatusCode, header};

use super::registry::Registry;
use super::repository::Repository;
use crate::error::Result;

impl Registry {
    /// True if the repository has the blob, or has taken it from another one of its registry, which must have been seen to
    /// have it. A registry that doesn't do that, or not with this login, is no error: the blob is to be sent.
    ///
    /// # Errors
    /// What looking for the blob can end with.
    pub async fn provides(&self, repository: &Repository, digest: &Digest) -> Result<bool> {
        if self.has_blob(repository, digest).await? {
            return Ok(true);
        }
        let (origin, here) = (self.origin(repository)?, repository.path_there());
        let Some(from) = self.memory().elsewhere(&origin, digest, &here) else { return Ok(false) };
        // Its word isn't enough: some say "created" and have nothing.
        Ok(self.mount(repository, digest, &from).await && self.has_blob(repository, digest).await?)
    }

    /// True if the registry says that it has done it. An upload that it begins instead is left to its own end.
    async fn mount(&self, repository: &Repository, digest: &Digest, from: &str) -> bool {
        let Ok(mut url) = self.url(repository, "blobs/uploads/") else { return false };
        url.query_pairs_mut().append_pair("mount", &digest.to_string()).append_pair("from", from);
        let post = || self.http().post(url.clone()).header(header::CONTENT_LENGTH, 0);
        let what = format!("take blob {} from {from} into {repository}", digest.short());
        let answer = self.send(repository, &what, post).await;
        answer.is_ok_and(|answer| answer.status() == StatusCode::CREATED)
    }
}
