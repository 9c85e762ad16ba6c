//! Whether a login may write, found out before there is anything to write.

use bytes::Bytes;
use pdp_policies::Digest;

use super::registry::Registry;
use super::repository::Repository;
use super::source::Source;
use super::upload::Upload;
use crate::error::Result;

impl Registry {
    /// Asks whether this login may push to a repository: an upload is begun, and given up. Nothing of it stays; registries
    /// that don't know how to give one up forget it by themselves.
    ///
    /// # Errors
    /// `LoginNeeded`, and what requests can end with.
    pub async fn may_push(&self, repository: &Repository) -> Result<()> {
        let (what, source) = (format!("begin an upload to {repository}"), Source::Memory(Bytes::new()));
        let upload = Upload { registry: self, repository, what, digest: Digest::of(b""), size: 0, source };
        upload.begun_and_given_up().await
    }
}
