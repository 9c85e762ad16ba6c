//! Charts as Helm sees them: where they come from, which files they are, what they say, what they hold.
//!
//! A chart comes from a folder, a `.tgz`, a registry or a chart repository ([`read`]); what is fetched is pinned by its
//! digest. [`Chart`] is what Helm makes of the files.

mod available;
mod chart;
mod dependency;
mod fetch;
mod fields;
mod folder;
mod glob;
mod ignore;
mod kept;
mod kubernetes;
mod metadata;
mod origin;
mod packed;
mod registry;
mod repository;
mod subcharts;
mod text;
mod trouble;
mod yaml;

use std::path::Path;

pub(crate) use available::{Pinned, Reach, Versions, newest};
pub(crate) use chart::Chart;
pub(crate) use dependency::Dependency;
pub(crate) use fetch::Fetch;
pub(crate) use folder::{manifests as manifest_files, readable as readable_files};
pub(crate) use kubernetes::check as check_kubernetes;
pub(crate) use origin::Origin;
pub(crate) use subcharts::check as check_subcharts;
pub(crate) use trouble::Trouble;

use crate::lint::Source;
use pdp_transport::files::read_capped;

/// A component's files may hold no more than this (bytes).
pub(crate) const MAX_SOURCE_BYTES: u64 = 32 * 1024 * 1024;
/// Helm reads no larger file of a chart (bytes).
const MAX_FILE_BYTES: u64 = 5 * 1024 * 1024;
/// A packed chart may not be larger (bytes): a data plane reads no more.
pub(crate) const MAX_PACKED_BYTES: u64 = 16 * 1024 * 1024;

/// The files that a chart is packed from; `path` is where it lies if it isn't fetched.
///
/// # Errors
/// What is wrong with the chart's place, or with its files.
pub(crate) async fn read(
    origin: &Origin,
    version: &str,
    path: Option<&Path>,
    fetch: &Fetch<'_>,
) -> Result<Source, Trouble> {
    let files = match (origin, path) {
        (Origin::Path(_), Some(path)) if path.is_dir() => folder::chart(path)?,
        (Origin::Path(name), path) => {
            let missing =
                || Trouble::new(name, "NotFound", format!("no chart at {name}"), "is the path right?");
            let packed = path.map(|path| read_capped(path, MAX_PACKED_BYTES)).transpose()?.flatten();
            packed::files(&packed.ok_or_else(missing)?, MAX_SOURCE_BYTES)?
        }
        _ => packed::files(&fetch.chart(origin, version).await?, MAX_SOURCE_BYTES)?,
    };
    Ok(subcharts::kept(files))
}

/// The files of a packed chart without the folder that they lie in.
///
/// # Errors
/// `Garbage`, `TooLarge`, `UnsafePath`.
pub(crate) fn unpacked(tgz: &[u8]) -> Result<Source, pdp_transport::Error> {
    packed::files(tgz, MAX_SOURCE_BYTES)
}
