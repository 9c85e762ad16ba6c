//! A chart in a repository over HTTP: `index.yaml` says where each version's packed chart is.

use std::collections::BTreeMap;

use pdp_policies::Digest;
use pdp_transport::Web;
use serde::Deserialize;
use url::Url;

use super::MAX_PACKED_BYTES;
use super::fetch::unpinned;
use super::kept::Kept;
use super::trouble::Trouble;

/// The largest known one has about 20 MiB (bytes).
const MAX_INDEX_BYTES: u64 = 64 * 1024 * 1024;

#[derive(Deserialize)]
struct Index {
    #[serde(default)]
    entries: BTreeMap<String, Vec<Entry>>,
}

#[derive(Deserialize)]
struct Entry {
    version: String,
    #[serde(default)]
    urls: Vec<String>,
}

pub(super) async fn chart(
    web: &Web,
    kept: &Kept,
    repository: &str,
    name: &str,
    version: &str,
    digest: Option<&Digest>,
) -> Result<Vec<u8>, Trouble> {
    if let Some(chart) = digest.and_then(|digest| kept.get(digest, MAX_PACKED_BYTES)) {
        return Ok(chart);
    }
    let (url, chart) = fetched(web, repository, name, version).await?;
    pinned(&url, &Digest::of(&chart), digest)?;
    kept.put(&Digest::of(&chart), &chart);
    Ok(chart)
}

/// What lies there as this version now.
pub(super) async fn newly(
    web: &Web,
    repository: &str,
    name: &str,
    version: &str,
) -> Result<Vec<u8>, Trouble> {
    Ok(fetched(web, repository, name, version).await?.1)
}

/// Every version that the index lists.
pub(super) async fn versions(web: &Web, repository: &str, name: &str) -> Result<Vec<String>, Trouble> {
    let (base, index) = index(web, repository).await?;
    let entries = entries(&index, name).map_err(|cause| not_found(&base, &cause))?;
    Ok(entries.into_iter().map(|entry| entry.version).collect())
}

async fn index(web: &Web, repository: &str) -> Result<(Url, Vec<u8>), Trouble> {
    let base = web.address(&format!("{}/", repository.trim_end_matches('/')))?;
    let index = web.file(&web.beside(&base, "index.yaml")?, MAX_INDEX_BYTES).await?;
    Ok((base, index))
}

async fn fetched(web: &Web, repository: &str, name: &str, version: &str) -> Result<(Url, Vec<u8>), Trouble> {
    let (base, index) = index(web, repository).await?;
    let named = named(&index, name, version).map_err(|cause| not_found(&base, &cause))?;
    let url = web.beside(&base, &named)?;
    let chart = web.file(&url, MAX_PACKED_BYTES).await?;
    Ok((url, chart))
}

fn not_found(base: &Url, cause: &str) -> Trouble {
    let message = format!("{base}index.yaml: {cause}");
    Trouble::new("chart", "NotFound", message, "check repository, name and version")
}

fn pinned(url: &Url, found: &Digest, wanted: Option<&Digest>) -> Result<(), Trouble> {
    let what = url.as_str().split('?').next().unwrap_or_default();
    match wanted {
        Some(wanted) if wanted == found => Ok(()),
        Some(wanted) => {
            let message = format!("{what} is {found}, not {wanted}");
            let hint = "somebody put another chart there: ask its makers which one is right";
            Err(Trouble::new("chart", "DigestMismatch", message, hint))
        }
        None => Err(unpinned(what, found)),
    }
}

/// Where the index says that a version is.
fn named(index: &[u8], name: &str, version: &str) -> Result<String, String> {
    let entries = entries(index, name)?;
    let entry = entries.iter().find(|entry| entry.version == version);
    let entry = entry.ok_or_else(|| format!("it lists no version {version} of `{name}`"))?;
    entry.urls.first().cloned().ok_or_else(|| format!("it says nowhere where {version} of `{name}` is"))
}

fn entries(index: &[u8], name: &str) -> Result<Vec<Entry>, String> {
    let text = std::str::from_utf8(index).map_err(|_| "it isn't UTF-8")?;
    let mut index = read(text.trim_start_matches('\u{feff}'))?;
    index.entries.remove(name).ok_or_else(|| format!("it lists no chart `{name}`"))
}

/// Large indexes are usual, aliases in one aren't.
fn read(text: &str) -> Result<Index, String> {
    let budget = serde_saphyr::budget! { max_events: 50_000_000, max_nodes: 50_000_000, max_anchors: 100 };
    let options = serde_saphyr::options! {
        emit_comments: false,
        budget: budget,
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::LastWins,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| error.without_snippet().to_string())
}
