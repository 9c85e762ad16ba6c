//! Plain manifests: a kustomization that names only what lies in its folder.

use super::{Report, Source};
use crate::charts::Trouble;
use crate::kustomize;
use crate::release_file::ManifestsSource;

pub(super) fn check(files: &Source, report: &mut Report<'_>) {
    kustomize::build(files).troubles.into_iter().for_each(|trouble| report.trouble(trouble));
}

/// With a kustomization at the top that builds the overlay, if one is named.
///
/// # Errors
/// `TwoKustomizations`.
pub(super) fn with_root(of: &ManifestsSource, mut files: Source) -> Result<Source, Trouble> {
    if let Some(overlay) = &of.overlay {
        let message = format!("the folder has a kustomization of its own beside the overlay `{overlay}`");
        let both = || Trouble::new("overlay", "TwoKustomizations", message, "take one of the two out");
        files.push(kustomize::root(&files, overlay).ok_or_else(both)?);
    }
    Ok(files)
}
