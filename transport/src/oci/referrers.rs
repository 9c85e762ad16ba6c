//! What refers to a manifest (signatures): by the referrers API and by the tag `sha256-<hex>`, whoever keeps which.

use std::collections::{BTreeMap, BTreeSet};

use pdp_policies::Digest;
use reqwest::{Response, header};
use url::Url;

use super::MAX_MANIFEST_BYTES;
use super::descriptor::{Descriptor, INDEX_TYPE, Index, Manifest};
use super::links::next_page;
use super::patience::Patience;
use super::registry::Registry;
use super::repository::Repository;
use crate::error::{Error, Kind, Result};
use crate::http;

/// A longer list of referrers is refused: so many pages, and so many bytes in all.
const MOST_PAGES: usize = 32;
const MOST_BYTES: u64 = 2 * MAX_MANIFEST_BYTES;
/// So many entries that don't say what they are get opened.
const MOST_OPENED: usize = 16;

/// Which referrers are looked for.
#[derive(Debug, Clone, Copy)]
pub struct Which<'a> {
    /// What they are.
    pub artifact_type: &'a str,
    /// At most so many.
    pub limit: usize,
    /// Larger contents are passed over (bytes).
    pub max_bytes: u64,
    /// Says by its annotations whether one is looked at. It is asked of the list and, as some lists have none, of the manifest.
    pub wanted: fn(&BTreeMap<String, String>) -> bool,
}

/// What the referrers API says.
pub(super) enum Listing {
    Entries(Vec<Descriptor>),
    /// There is no such API.
    Missing,
    /// There may be a list, but it isn't for us, or not now.
    Withheld(Error),
}

impl Registry {
    /// At most `limit` referrers of `digest` with this artifact type: what the API lists, and what the tag does. An
    /// entry without a type is opened, up to a limit.
    ///
    /// # Errors
    /// What requests can end with: a broken registry, or one that withholds the list, never looks like "no
    /// referrers".
    pub async fn referrers(
        &self,
        repository: &Repository,
        digest: &Digest,
        artifact_type: &str,
        limit: usize,
    ) -> Result<Vec<Descriptor>> {
        let all = Which { artifact_type, limit, max_bytes: MAX_MANIFEST_BYTES, wanted: |_| true };
        self.referrers_like(repository, digest, &all).await
    }

    /// As above; those that aren't wanted don't count.
    ///
    /// # Errors
    /// As above.
    pub async fn referrers_like(
        &self,
        repository: &Repository,
        digest: &Digest,
        which: &Which<'_>,
    ) -> Result<Vec<Descriptor>> {
        let (mut wanted, mut seen, mut opened) = (Vec::new(), BTreeSet::new(), 0);
        for entry in self.all_referrers(repository, digest).await? {
            let passed_over = wanted.len() == which.limit || !(which.wanted)(&entry.annotations);
            if passed_over || !seen.insert(entry.digest) {
                continue;
            }
            let kind = match &entry.artifact_type {
                None if opened < MOST_OPENED => {
                    opened += 1;
                    self.type_of(repository, &entry).await?
                }
                known => known.clone(),
            };
            if kind.as_deref() == Some(which.artifact_type) {
                wanted.push(entry);
            }
        }
        Ok(wanted)
    }

    /// Everything that the API and the tag list.
    async fn all_referrers(&self, repository: &Repository, digest: &Digest) -> Result<Vec<Descriptor>> {
        let (listing, tagged) =
            tokio::join!(self.listing(repository, digest), self.fallback(repository, digest));
        union(listing?, tagged)
    }

    /// What an entry is that doesn't say so: some copy tools drop the type. None if it can't be read.
    async fn type_of(&self, repository: &Repository, entry: &Descriptor) -> Result<Option<String>> {
        let bytes = match self.manifest(repository, &entry.digest).await {
            Err(error) if error.kind.says_nothing_of_content() => return Err(error),
            Err(_) => return Ok(None),
            Ok(bytes) => bytes,
        };
        let manifest = serde_json::from_slice::<Manifest>(&bytes).ok();
        Ok(manifest.map(|manifest| manifest.artifact_type.unwrap_or(manifest.config.media_type)))
    }

    /// The content (first layer) of the referrers that are looked for.
    ///
    /// Anyone may attach anything: what isn't a manifest is passed over. So is what is listed and gone, too large, or of
    /// another size or digest than its manifest says, unless nothing else is there.
    ///
    /// # Errors
    /// `NotFound`, `TooLarge`, `SizeMismatch`, `DigestMismatch`, and what requests can end with.
    pub async fn attached(
        &self,
        repository: &Repository,
        digest: &Digest,
        which: &Which<'_>,
    ) -> Result<Vec<Vec<u8>>> {
        let (mut contents, mut lost) = (Vec::new(), None);
        for referrer in self.referrers_like(repository, digest, which).await? {
            let bytes = match self.manifest(repository, &referrer.digest).await {
                Err(error) if error.kind.is_named_wrongly() => {
                    lost = Some(error);
                    continue;
                }
                other => other?,
            };
            let Ok(manifest) = serde_json::from_slice::<Manifest>(&bytes) else { continue };
            let wanted = (which.wanted)(&manifest.annotations);
            let Some(layer) = manifest.layers.first().filter(|_| wanted) else { continue };
            if layer.size > which.max_bytes {
                let (what, max) = (format!("{repository}@{}", layer.digest), which.max_bytes);
                let cause = format!("{} bytes, at most {max}", layer.size);
                lost = Some(Error::new(Kind::TooLarge, what, cause));
                continue;
            }
            match self.blob(repository, &layer.digest, layer.size, which.max_bytes).await {
                Err(error) if error.kind.is_named_wrongly() => lost = Some(error),
                content => contents.push(content?),
            }
        }
        lost.filter(|_| contents.is_empty()).map_or(Ok(contents), Err)
    }

    /// What the referrers API says, all pages of it.
    ///
    /// # Errors
    /// `TooLarge`, `Garbage`, and what requests can end with.
    pub(super) async fn listing(&self, repository: &Repository, digest: &Digest) -> Result<Listing> {
        let what = format!("referrers of {repository}@{}", digest.short());
        let mut url = self.url(repository, &format!("referrers/{digest}"))?;
        let (mut entries, mut left) = (Vec::new(), MOST_BYTES);
        for page in 0..MOST_PAGES {
            let get = || self.http().get(url.clone()).header(header::ACCEPT, INDEX_TYPE);
            // The tag is left when the API refuses: no need to wait for long.
            let answer = self.send_within(Patience::SHORT, repository, &what, get).await;
            let answer = match (answer, page) {
                (Err(error), 0) if matches!(error.kind, Kind::LoginNeeded | Kind::RateLimited) => {
                    return Ok(Listing::Withheld(error));
                }
                (answer, _) => answer?,
            };
            if let Some(refused) = refused(&what, &answer) {
                return if page == 0 { Ok(refused) } else { Err(http::refused(&what, answer.status())) };
            }
            let next = next(&what, &url, &answer)?;
            let bytes = self.read(&what, answer, left).await?;
            left -= bytes.len() as u64;
            entries.extend(parse(&what, &bytes)?.manifests);
            let Some(next) = next else { return Ok(Listing::Entries(entries)) };
            url = next;
        }
        Err(Error::new(Kind::TooLarge, what, format!("more than {MOST_PAGES} pages")))
    }

    /// The fallback tag's index, none if there is no such tag.
    pub(super) async fn fallback(&self, repository: &Repository, digest: &Digest) -> Result<Option<Index>> {
        let tag = fallback_tag(digest);
        match self.resolve_tag(repository, &tag).await? {
            Some((_, bytes)) => Ok(Some(parse(&format!("tag {repository}:{tag}"), &bytes)?)),
            None => Ok(None),
        }
    }
}

/// What both know. Without a tag, a list that was withheld is an error and not "nothing".
fn union(listing: Listing, tagged: Result<Option<Index>>) -> Result<Vec<Descriptor>> {
    match (listing, tagged) {
        (Listing::Entries(mut entries), Ok(tagged)) => {
            entries.extend(tagged.into_iter().flat_map(|index| index.manifests));
            Ok(entries)
        }
        // Some registries have the API and no such tags at all.
        (Listing::Entries(entries), Err(error)) if !entries.is_empty() && !error.kind.is_transient() => {
            Ok(entries)
        }
        (Listing::Withheld(error), Ok(None)) => Err(error),
        (Listing::Missing | Listing::Withheld(_), Ok(tagged)) => {
            Ok(tagged.map(|index| index.manifests).unwrap_or_default())
        }
        (_, Err(error)) => Err(error),
    }
}

/// Whether the API is missing or withheld by its first answer; none if that is a list, or claims to be one.
fn refused(what: &str, answer: &Response) -> Option<Listing> {
    let status = answer.status();
    match status.as_u16() {
        400 | 404 | 405 | 406 | 410 => Some(Listing::Missing),
        200..=299 if is_json(answer) => None,
        // A page: of a proxy, or of a registry that knows no such address.
        200..=299 => {
            let cause = "the answer is no list of referrers by its content type";
            Some(Listing::Withheld(Error::new(Kind::Garbage, what, cause)))
        }
        _ => Some(Listing::Withheld(http::refused(what, status))),
    }
}

fn is_json(answer: &Response) -> bool {
    let Some(kind) = answer.headers().get(header::CONTENT_TYPE) else { return true };
    let kind = kind.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let kind = kind.to_ascii_lowercase();
    kind.ends_with("+json") || kind == "application/json" || kind == "application/octet-stream"
}

fn next(what: &str, url: &Url, answer: &Response) -> Result<Option<Url>> {
    next_page(url, answer.headers()).map_err(|cause| Error::new(Kind::Garbage, what, cause))
}

pub(super) fn fallback_tag(digest: &Digest) -> String {
    format!("sha256-{}", digest.hex())
}

fn parse(what: &str, bytes: &[u8]) -> Result<Index> {
    serde_json::from_slice(bytes).map_err(|e| Error::new(Kind::Garbage, what, e.to_string()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn index(names: &[&str]) -> Index {
        let entries = names.iter().map(|name| Descriptor::of("t", name.as_bytes()));
        Index::new(None, entries.collect())
    }

    fn error(kind: Kind) -> Error {
        Error::new(kind, "", "")
    }

    #[test]
    fn what_is_withheld_or_broken_is_never_nothing() {
        use Listing::{Entries, Missing, Withheld};
        let some = |names: &[&str]| Entries(index(names).manifests);
        for (listing, tagged, found) in [
            (some(&["a"]), Ok(Some(index(&["b"]))), Ok(2)),
            (some(&["a"]), Ok(None), Ok(1)),
            (some(&[]), Ok(Some(index(&["b"]))), Ok(1)),
            (some(&[]), Ok(None), Ok(0)),
            (some(&["a"]), Err(error(Kind::LoginNeeded)), Ok(1)),
            (some(&[]), Err(error(Kind::LoginNeeded)), Err(Kind::LoginNeeded)),
            (some(&["a"]), Err(error(Kind::ServerFailed)), Err(Kind::ServerFailed)),
            (Missing, Ok(Some(index(&["b"]))), Ok(1)),
            (Missing, Ok(None), Ok(0)),
            (Missing, Err(error(Kind::Garbage)), Err(Kind::Garbage)),
            (Withheld(error(Kind::LoginNeeded)), Ok(Some(index(&["b"]))), Ok(1)),
            (Withheld(error(Kind::LoginNeeded)), Ok(None), Err(Kind::LoginNeeded)),
            (Withheld(error(Kind::RateLimited)), Ok(None), Err(Kind::RateLimited)),
        ] {
            assert_eq!(union(listing, tagged).map(|all| all.len()).map_err(|e| e.kind), found);
        }
    }
}
