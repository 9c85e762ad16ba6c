//! Ranges become versions, and versions digests: what the makers of a chart publish now.

use pdp_policies::{Digest, VersionRange};

use super::{At, Draft, Entry, From, Left};
use crate::charts::{Chart, Fetch, Origin, Trouble};
use crate::progress::Progress;
use crate::release_file::ChartSource;

/// Pins every chart that is fetched. One that can't be had stays as it is, and is among what is left.
pub(crate) async fn pinned(mut draft: Draft, fetch: &Fetch<'_>) -> Draft {
    let progress = Progress::new("components", draft.components.len());
    for entry in &mut draft.components {
        if let Err(trouble) = pin(entry, fetch).await {
            let why = format!("{}: {}; {}", trouble.code, trouble.message, trouble.hint);
            draft.left.push(Left::new(format!("chart of {}", entry.name), "", why));
        }
        progress.step();
    }
    draft.left.sort();
    draft
}

async fn pin(entry: &mut Entry, fetch: &Fetch<'_>) -> Result<(), Trouble> {
    let From::Chart { name, at, version, digest } = &mut entry.origin else { return Ok(()) };
    let (oci, repository) = match at.clone() {
        At::Registry(oci) => (Some(oci), None),
        At::Repository(url) => (None, Some(url)),
    };
    let source = ChartSource { name: name.clone(), path: None, oci, repository, digest: *digest };
    let origin = Origin::of(&source)?;
    if digest.is_some() {
        *version = own_version(&origin, fetch).await?;
        return Ok(());
    }
    let chosen = chosen(&origin, version, fetch).await?;
    *digest = Some(fetch.pin(&origin, &chosen).await?.digest);
    *version = chosen;
    Ok(())
}

/// What a chart says that was named by its digest.
async fn own_version(origin: &Origin, fetch: &Fetch<'_>) -> Result<String, Trouble> {
    let files = crate::charts::read(origin, "", None, fetch).await?;
    Ok(Chart::read(&files)?.metadata.version)
}

/// The newest one that the range takes; a version that is there as it is written wins.
async fn chosen(origin: &Origin, wanted: &str, fetch: &Fetch<'_>) -> Result<String, Trouble> {
    let all = fetch.versions(origin).await?;
    if let Some(exact) = all.values().find(|it| *it == wanted) {
        return Ok(exact.clone());
    }
    let range: Option<VersionRange> = if wanted.is_empty() { "*" } else { wanted }.parse().ok();
    let takes = |range: VersionRange| {
        all.iter().rev().find(|(version, _)| range.takes(version)).map(|(_, it)| it.clone())
    };
    range.and_then(takes).ok_or_else(|| {
        let message = format!("{origin} has no version `{wanted}`");
        Trouble::new("chart", "NotFound", message, "write one that is there")
    })
}

/// Digests that sources name themselves.
pub(super) fn digest(text: &str) -> Option<Digest> {
    text.parse().ok()
}
