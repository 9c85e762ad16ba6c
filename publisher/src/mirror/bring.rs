//! Copying: blobs, then manifests from the innermost out, then signatures. Every byte is compared with its digest
//! before it is sent.

use std::sync::Arc;

use pdp_transport::cli::failure::Result;
use pdp_transport::oci::Registry;

use super::inventory::{Form, Item, steps};
use crate::images::{Blob, From};
use crate::several::each;

/// Brings every item there. Run again, it sends only what is lacking.
///
/// # Errors
/// `ImageMissing`, `DigestMismatch`, `SizeMismatch`, and what requests can end with.
pub(crate) async fn bring(registry: &Arc<Registry>, items: Vec<Item>) -> Result<()> {
    for (name, items) in steps(items) {
        let r = registry.clone();
        each(name, items.clone(), move |item| {
            let registry = r.clone();
            async move { one(&registry, &item).await }
        })
        .await?;
        confirm(registry, items).await?;
    }
    Ok(())
}

async fn one(registry: &Registry, item: &Item) -> Result<()> {
    let from = From::Registry(registry, item.from.clone());
    match item.form {
        Form::Blob { size } => from.send(&Blob::new(item.digest, size), registry, &item.to).await?,
        Form::Manifest { media_type, .. } => {
            let bytes = from.manifest(&item.digest).await?;
            registry.push_manifest(&item.to, None, media_type, &bytes).await?;
        }
        Form::Signature { .. } => {
            let bytes = from.manifest(&item.digest).await?;
            registry.push_referrer(&item.to, &bytes).await?;
        }
    }
    Ok(())
}

/// Who wrote the same lists meanwhile, and more slowly, may have lost ours.
async fn confirm(registry: &Arc<Registry>, items: Vec<Item>) -> Result<()> {
    let signatures: Vec<_> =
        items.into_iter().filter(|item| matches!(item.form, Form::Signature { .. })).collect();
    if signatures.is_empty() {
        return Ok(());
    }
    let r = registry.clone();
    each("lists", signatures, move |item| {
        let registry = r.clone();
        async move {
            let bytes = registry.manifest(&item.to, &item.digest).await?;
            Ok(registry.confirm_referrer(&item.to, &bytes).await?)
        }
    })
    .await
}
