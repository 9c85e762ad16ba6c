//! What refers to a manifest (signatures): by the referrers API, or by the tag `sha256-<hex>` where there is none.

use pdp_policies::Digest;
use reqwest::StatusCode;

use super::MAX_MANIFEST_BYTES;
use super::descriptor::{Descriptor, INDEX_TYPE, Index, MANIFEST_TYPE, Manifest};
use super::registry::Registry;
use super::repository::Repository;
use crate::error::{Error, Kind, Result};
use crate::http;

/// Other writers of the same fallback tag are waited for this often.
const TRIES: u32 = 8;

impl Registry {
    /// At most `limit` referrers of `digest` with this artifact type.
    ///
    /// # Errors
    /// What requests can end with: a broken registry never looks like "no referrers".
    pub async fn referrers(
        &self,
        repository: &Repository,
        digest: &Digest,
        artifact_type: &str,
        limit: usize,
    ) -> Result<Vec<Descriptor>> {
        let what = format!("referrers of {repository}@{}", digest.short());
        let url = self.url(repository, &format!("referrers/{digest}"))?;
        let answer = self.send(repository, &what, || self.http().get(url.clone())).await?;
        let index = match answer.status() {
            StatusCode::NOT_FOUND => self.fallback(repository, digest).await?,
            status if status.is_success() => {
                Some(parse(&what, &self.read(&what, answer, MAX_MANIFEST_BYTES).await?)?)
            }
            status => return Err(http::refused(&what, status)),
        };
        let entries = index.map(|index| index.manifests).unwrap_or_default();
        let wanted =
            entries.into_iter().filter(|entry| entry.artifact_type.as_deref() == Some(artifact_type));
        Ok(wanted.take(limit).collect())
    }

    /// The content (first layer) of at most `limit` referrers of this artifact type.
    ///
    /// Anyone may attach anything: what isn't a manifest is passed over.
    ///
    /// # Errors
    /// `TooLarge`, `SizeMismatch`, `DigestMismatch`, and what requests can end with.
    pub async fn attached(
        &self,
        repository: &Repository,
        digest: &Digest,
        artifact_type: &str,
        limit: usize,
    ) -> Result<Vec<Vec<u8>>> {
        let mut contents = Vec::new();
        for referrer in self.referrers(repository, digest, artifact_type, limit).await? {
            let bytes = self.manifest(repository, &referrer.digest).await?;
            let Ok(manifest) = serde_json::from_slice::<Manifest>(&bytes) else { continue };
            if let Some(layer) = manifest.layers.first() {
                contents.push(self.blob(repository, &layer.digest, layer.size, MAX_MANIFEST_BYTES).await?);
            }
        }
        Ok(contents)
    }

    async fn fallback(&self, repository: &Repository, digest: &Digest) -> Result<Option<Index>> {
        let tag = fallback_tag(digest);
        match self.resolve_tag(repository, &tag).await? {
            Some((_, bytes)) => Ok(Some(parse(&format!("tag {repository}:{tag}"), &bytes)?)),
            None => Ok(None),
        }
    }

    /// Pushes a manifest that has a `subject`, and keeps the fallback tag where the registry doesn't.
    ///
    /// # Errors
    /// `Garbage` for a manifest without subject, and what requests can end with.
    pub async fn push_referrer(&self, repository: &Repository, bytes: &[u8]) -> Result<Digest> {
        let what = format!("push referrer to {repository}");
        let garbage = |cause: String| Error::new(Kind::Garbage, &what, cause);
        let manifest: Manifest = serde_json::from_slice(bytes).map_err(|e| garbage(e.to_string()))?;
        let subject = manifest.subject.as_ref().ok_or_else(|| garbage("it has no subject".into()))?.digest;
        let (digest, kept) = self.put_manifest(repository, None, MANIFEST_TYPE, bytes).await?;
        if !kept {
            self.keep_fallback(repository, &subject, entry(&manifest, bytes)).await?;
        }
        Ok(digest)
    }

    /// Adds an entry to the fallback index. Tags know no compare-and-swap: write, wait, read back, repeat.
    /// A writer that is slower than the wait can still lose another's entry; publishing again puts it back.
    async fn keep_fallback(
        &self,
        repository: &Repository,
        subject: &Digest,
        entry: Descriptor,
    ) -> Result<()> {
        let tag = fallback_tag(subject);
        for tries in 1..=TRIES {
            let found = self.fallback(repository, subject).await?;
            let mut index = found.unwrap_or_else(|| Index::new(None, Vec::new()));
            if index.manifests.iter().any(|old| old.digest == entry.digest) {
                return Ok(());
            }
            index.manifests.push(entry.clone());
            index.manifests.sort_by_key(|entry| entry.digest);
            let bytes = serde_json::to_vec(&index)
                .map_err(|e| Error::new(Kind::Garbage, format!("tag {tag}"), e.to_string()))?;
            self.push_manifest(repository, Some(&tag), INDEX_TYPE, &bytes).await?;
            tokio::time::sleep(http::pause(tries)).await;
        }
        let what = format!("tag {repository}:{tag}");
        Err(Error::new(Kind::BranchMoved, what, "others keep writing it at the same time"))
    }
}

fn fallback_tag(digest: &Digest) -> String {
    format!("sha256-{}", digest.hex())
}

fn entry(manifest: &Manifest, bytes: &[u8]) -> Descriptor {
    let mut entry = Descriptor::of(MANIFEST_TYPE, bytes);
    entry.artifact_type = manifest.artifact_type.clone();
    entry.annotations = manifest.annotations.clone();
    entry
}

fn parse(what: &str, bytes: &[u8]) -> Result<Index> {
    serde_json::from_slice(bytes).map_err(|e| Error::new(Kind::Garbage, what, e.to_string()))
}
