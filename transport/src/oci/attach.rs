//! Attaching: a manifest that refers to another one is pushed, and listed where readers look for it.

use pdp_policies::Digest;

use super::descriptor::{Descriptor, INDEX_TYPE, Index, MANIFEST_TYPE, Manifest};
use super::referrers::{Listing, fallback_tag};
use super::registry::Registry;
use super::repository::Repository;
use crate::error::{Error, Kind, Result};
use crate::http;

/// Other writers of the same fallback tag are waited for this often.
const TRIES: u32 = 8;

/// Who lists a referrer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listed {
    /// The registry by itself: nobody can take it off the list.
    ByRegistry,
    /// The fallback tag, which the next writer may write without it.
    ByTag,
}

impl Registry {
    /// Pushes a manifest that has a `subject`, and keeps the fallback tag where the registry doesn't list it by
    /// itself. It is listed when this returns.
    ///
    /// # Errors
    /// `Garbage` for a manifest without subject, `BranchMoved` when others write the tag all the time, and what
    /// requests can end with.
    pub async fn push_referrer(&self, repository: &Repository, bytes: &[u8]) -> Result<Listed> {
        let entry = Entry::of(repository, bytes)?;
        let keeps = self.put_manifest(repository, None, MANIFEST_TYPE, bytes).await?;
        self.keep_listed(repository, &entry, keeps).await
    }

    /// Looks whether a manifest that was pushed by [`Registry::push_referrer`] is still listed, and lists it again
    /// if not: tags know no compare-and-swap, so a slower writer may have lost it since.
    ///
    /// # Errors
    /// As [`Registry::push_referrer`].
    pub async fn confirm_referrer(&self, repository: &Repository, bytes: &[u8]) -> Result<()> {
        self.keep_listed(repository, &Entry::of(repository, bytes)?, false).await.map(|_| ())
    }

    /// Reads back until the API or the tag lists the entry; adds it to the tag where neither does. A registry that
    /// claims to keep referrers is given time for it first.
    async fn keep_listed(&self, repository: &Repository, entry: &Entry, keeps: bool) -> Result<Listed> {
        for tries in 1..=TRIES {
            if let Some(listed) = self.listed(repository, entry).await? {
                return Ok(listed);
            }
            if !keeps || tries > TRIES / 2 {
                self.add_to_fallback(repository, entry).await?;
            }
            tokio::time::sleep(http::pause(tries)).await;
        }
        if let Some(listed) = self.listed(repository, entry).await? {
            return Ok(listed);
        }
        let what = format!("list {} in {repository}", entry.described.digest);
        let cause = "neither the registry's list of referrers nor the tag keeps it; do others write it, too?";
        Err(Error::new(Kind::BranchMoved, what, cause))
    }

    async fn listed(&self, repository: &Repository, entry: &Entry) -> Result<Option<Listed>> {
        self.lists_referrer(repository, &entry.subject, &entry.described.digest).await
    }

    /// Who lists `referrer` as one of `subject`, if anybody does.
    ///
    /// # Errors
    /// What requests can end with.
    pub async fn lists_referrer(
        &self,
        repository: &Repository,
        subject: &Digest,
        referrer: &Digest,
    ) -> Result<Option<Listed>> {
        let ours = |found: &Descriptor| found.digest == *referrer;
        if let Listing::Entries(entries) = self.listing(repository, subject).await?
            && entries.iter().any(ours)
        {
            return Ok(Some(Listed::ByRegistry));
        }
        let tagged = self.fallback(repository, subject).await?;
        Ok(tagged.filter(|index| index.manifests.iter().any(ours)).map(|_| Listed::ByTag))
    }

    /// Adds the entry to the index behind the fallback tag; what others have there stays.
    async fn add_to_fallback(&self, repository: &Repository, entry: &Entry) -> Result<()> {
        let tag = fallback_tag(&entry.subject);
        let found = self.fallback(repository, &entry.subject).await?;
        let mut index = found.unwrap_or_else(|| Index::new(None, Vec::new()));
        index.manifests.push(entry.described.clone());
        index.manifests.sort_by_key(|entry| entry.digest);
        let bytes = serde_json::to_vec(&index)
            .map_err(|e| Error::new(Kind::Garbage, format!("tag {tag}"), e.to_string()))?;
        self.put_manifest(repository, Some(&tag), INDEX_TYPE, &bytes).await.map(|_| ())
    }
}

/// A referrer and what it refers to.
struct Entry {
    subject: Digest,
    described: Descriptor,
}

impl Entry {
    fn of(repository: &Repository, bytes: &[u8]) -> Result<Self> {
        let garbage = |cause: String| Error::new(Kind::Garbage, format!("attach in {repository}"), cause);
        let manifest: Manifest = serde_json::from_slice(bytes).map_err(|e| garbage(e.to_string()))?;
        let mut described = Descriptor::of(MANIFEST_TYPE, bytes);
        described.artifact_type = manifest.artifact_type;
        described.annotations = manifest.annotations;
        let subject = manifest.subject.ok_or_else(|| garbage("it has no subject".into()))?;
        Ok(Self { subject: subject.digest, described })
    }
}
