//! The manifests of a registry behind its API: what an attacker who owns it can change.

use std::fmt;
use std::sync::Arc;

use anyhow::{Context, Result};
use ferro_blob_store::Digest;
use ferro_oci_server::{InMemoryRegistryMeta, Reference, RegistryMeta};
use tokio::runtime::Builder;

/// Manifests and tags, changed without login, log or fault. Not to be called from async code.
#[derive(Clone, Default)]
pub struct Content {
    pub(crate) manifests: Arc<InMemoryRegistryMeta>,
}

/// Bytes as the registry serves them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// `sha256:<hex>`, as the registry names it.
    pub digest: String,
    /// Media type.
    pub kind: String,
    /// Exact bytes.
    pub bytes: Vec<u8>,
}

impl Content {
    /// The manifest behind a tag or digest.
    ///
    /// # Errors
    /// When `reference` is neither.
    pub fn manifest(&self, repository: &str, reference: &str) -> Result<Option<Manifest>> {
        let reference = parsed(reference)?;
        let found = wait(self.manifests.get_manifest(repository, &reference))??;
        Ok(found.map(|(digest, kind, bytes)| Manifest {
            digest: digest.to_string(),
            kind,
            bytes: bytes.to_vec(),
        }))
    }

    pub(crate) async fn has_tag(&self, repository: &str, tag: &str) -> bool {
        let Ok(reference) = tag.parse::<Reference>() else { return false };
        matches!(self.manifests.get_manifest(repository, &reference).await, Ok(Some(_)))
    }

    /// Puts a manifest, true or not, unchecked, behind a tag or digest, and gives its real digest.
    /// Behind a digest it may be a lie: the registry then serves `bytes` under that name.
    ///
    /// # Errors
    /// When `reference` is neither tag nor digest.
    pub fn put(&self, repository: &str, reference: &str, kind: &str, bytes: &[u8]) -> Result<String> {
        let (real, reference) = (Digest::sha256_of(bytes), parsed(reference)?);
        let name = match &reference {
            Reference::Digest(claimed) => claimed.clone(),
            Reference::Tag(_) => real.clone(),
        };
        let bytes = bytes.to_vec().into();
        wait(self.manifests.put_manifest(repository, &reference, &name, kind, bytes))??;
        Ok(real.to_string())
    }

    /// Lets a tag point at what another tag or digest points at.
    ///
    /// # Errors
    /// When there is no such manifest.
    pub fn point(&self, repository: &str, tag: &str, at: &str) -> Result<()> {
        let there = self.manifest(repository, at)?.with_context(|| format!("no manifest {at}"))?;
        self.put(repository, tag, &there.kind, &there.bytes).map(|_| ())
    }

    /// Deletes the manifest behind a tag or digest, with all its tags; false if there was none.
    ///
    /// # Errors
    /// When `reference` is neither.
    pub fn delete(&self, repository: &str, reference: &str) -> Result<bool> {
        let Some(found) = self.manifest(repository, reference)? else { return Ok(false) };
        Ok(wait(self.manifests.delete_manifest(repository, &parsed(&found.digest)?))??)
    }

    /// All tags, sorted.
    ///
    /// # Errors
    /// When the registry fails.
    pub fn tags(&self, repository: &str) -> Result<Vec<String>> {
        Ok(wait(self.manifests.list_tags(repository, None, None))??)
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Content")
    }
}

fn parsed(reference: &str) -> Result<Reference> {
    reference.parse().map_err(|e| anyhow::anyhow!("{reference} is neither tag nor digest: {e}"))
}

fn wait<T>(work: impl Future<Output = T>) -> Result<T> {
    Ok(Builder::new_current_thread().build()?.block_on(work))
}
