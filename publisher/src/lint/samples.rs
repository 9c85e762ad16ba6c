//! Sample values of a component: what customers may write, to render with.

use std::path::Path;

use pdp_transport::files;

use super::{Report, folder};
use crate::release_file::ComponentEntry;

/// As much as a ConfigMap holds (bytes).
const MAX_BYTES: u64 = 1024 * 1024;

/// The texts of all sample files that could be read; the others become findings.
pub(super) fn read(release: &Path, component: &ComponentEntry, report: &mut Report<'_>) -> Vec<String> {
    let read = |sample: &String| one(release, sample).map_err(|cause| (sample.clone(), cause));
    let (good, bad): (Vec<_>, Vec<_>) = component.sample_values.iter().map(read).partition(Result::is_ok);
    for (sample, cause) in bad.into_iter().filter_map(Result::err) {
        let place = format!("components.{}.sampleValues", component.name);
        report.add(
            place,
            "SampleUnreadable",
            format!("`{sample}`: {cause}"),
            "keep sample values beside the levels: ../samples/...",
        );
    }
    good.into_iter().filter_map(Result::ok).collect()
}

/// The text of one file of values.
pub(super) fn one(release: &Path, sample: &str) -> Result<String, String> {
    let path = folder(release, sample).map_err(|trouble| trouble.message)?;
    let bytes = files::read_capped(&path, MAX_BYTES).map_err(|error| error.cause.to_string())?;
    String::from_utf8(bytes.ok_or("there is no such file")?).map_err(|_| "it isn't UTF-8".to_owned())
}
