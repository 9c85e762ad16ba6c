//! Plain manifests: a kustomization that names only what lies in its folder.

use pdp_policies::VersionRange;
use pdp_policies::helm_yaml;

use super::{Report, Source, flux_objects, unknown_fields};
use crate::charts::Trouble;
use crate::kustomize;
use crate::lock;
use crate::release_file::ManifestsSource;

pub(super) fn check(files: &Source, kubernetes: Option<&VersionRange>, report: &mut Report<'_>) {
    let built = kustomize::build(files);
    built.troubles.into_iter().for_each(|trouble| report.trouble(trouble));
    let judged = unknown_fields::is_for(kubernetes);
    for (path, content) in &built.documents {
        let objects = helm_yaml::documents(&String::from_utf8_lossy(content)).unwrap_or_default();
        for repeated in lock::repeated(&objects) {
            let hint = "keep one of each: a cluster refuses the whole object";
            report.add(path.as_str(), "RepeatedKey", repeated.to_string(), hint);
        }
        let unknown = if judged { unknown_fields::unknown_in(&objects) } else { Vec::new() };
        for unknown in unknown {
            let message = format!("{unknown} is no field that Kubernetes knows");
            report.add(
                path.as_str(),
                "UnknownField",
                message,
                "check its spelling and indentation: a cluster refuses the whole object",
            );
        }
        for object in flux_objects::of(&objects) {
            let message = format!("{object} is Flux's own kind: Flux would install what nobody signed");
            report.add(path.as_str(), "FluxObject", message, flux_objects::HINT);
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
