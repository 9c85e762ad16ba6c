//! Plain manifests: a kustomization that names only what lies in its folder.

use pdp_policies::helm_yaml;

use super::{Report, Source};
use crate::charts::Trouble;
use crate::kustomize;
use crate::lock;
use crate::release_file::ManifestsSource;

pub(super) fn check(files: &Source, report: &mut Report<'_>) {
    let built = kustomize::build(files);
    built.troubles.into_iter().for_each(|trouble| report.trouble(trouble));
    for (path, content) in &built.documents {
        let objects = helm_yaml::documents(&String::from_utf8_lossy(content)).unwrap_or_default();
        for repeated in lock::repeated(&objects) {
            let hint = "keep one of each: a cluster refuses the whole object";
            report.add(path.as_str(), "RepeatedKey", repeated.to_string(), hint);
        }
    }
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
