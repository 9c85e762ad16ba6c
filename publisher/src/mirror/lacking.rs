//! Looking: what a mirror lacks, and whether what it lacks is where it is copied from.

use std::collections::BTreeSet;
use std::sync::Arc;

use pdp_transport::cli::failure::Result;
use pdp_transport::oci::{Registry, Repository};

use super::inventory::{Form, Item};
use super::listed::not_there;
use crate::several::gather;

/// Every item that isn't there.
///
/// # Errors
/// What requests can end with.
pub(crate) async fn lacking(registry: &Arc<Registry>, items: Vec<Item>) -> Result<Vec<Item>> {
    without(registry, items, |item| item.to.clone()).await
}

/// Fails for what can't be copied: the source has it no more.
///
/// # Errors
/// `ImageMissing` with all of it, and what requests can end with.
pub(crate) async fn absent(registry: &Arc<Registry>, lacking: Vec<Item>) -> Result<()> {
    // Its manifests were all read.
    let blobs = lacking.into_iter().filter(|item| matches!(item.form, Form::Blob { .. })).collect();
    let missing = without(registry, blobs, |item| item.from.clone()).await?;
    let missing: BTreeSet<_> =
        missing.iter().map(|item| format!("{} has no blob {}", item.from, item.digest)).collect();
    if missing.is_empty() { Ok(()) } else { Err(not_there(missing)) }
}

async fn without(
    registry: &Arc<Registry>,
    items: Vec<Item>,
    place: impl Fn(&Item) -> Repository,
) -> Result<Vec<Item>> {
    let registry = registry.clone();
    let missing = gather("looked at", items, move |item| {
        let (registry, place) = (registry.clone(), place(&item));
        async move { Ok((!has(&registry, &place, &item).await?).then_some(item)) }
    });
    Ok(missing.await?.into_iter().flatten().collect())
}

async fn has(registry: &Registry, place: &Repository, item: &Item) -> Result<bool> {
    Ok(match &item.form {
        Form::Blob { .. } => registry.has_blob(place, &item.digest).await?,
        Form::Manifest { .. } => registry.has_manifest(place, &item.digest).await?,
        // One that nobody lists is found by nobody.
        Form::Signature { of } => {
            registry.has_manifest(place, &item.digest).await?
                && registry.lists_referrer(place, of, &item.digest).await?.is_some()
        }
    })
}
