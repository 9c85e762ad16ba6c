//! A draft in the folder of its line: the level's folder, and the files of charts and manifests beside it.

use std::path::Path;

use pdp_policies::release::Release;
use pdp_transport::cli::failure::{Failure, Result, internal};
use serde_json::Value;

use super::published::{self, release_yaml, values_file as values_of};
use super::text::{Head, folder, text, values_file};
use super::{Draft, From};
use crate::lint::Source;

/// The level's folder is there as a whole, or not at all; it is moved to its place last.
///
/// # Errors
/// `AlreadyThere`, `Io`.
pub(crate) fn write(line: &Path, head: &Head, draft: &Draft) -> Result<()> {
    let place = line.join(head.level.to_string());
    let fail = |e: std::io::Error| Failure::new("Io", format!("write {}", place.display())).cause(e);
    absent(&place)?;
    std::fs::create_dir_all(line).map_err(fail)?;
    let level = tempfile::Builder::new().prefix(".level-").tempdir_in(line).map_err(fail)?;
    put(&level.path().join("release.yaml"), text(head, draft).as_bytes()).map_err(fail)?;
    for entry in &draft.components {
        if !entry.values.is_empty() {
            let values = serde_saphyr::to_string(&entry.values).map_err(internal)?;
            put(&level.path().join(values_file(entry)), values.as_bytes()).map_err(fail)?;
        }
        if let From::Folder { files, .. } | From::Manifests { files, .. } = &entry.origin {
            // `../charts/name` of the level's own folder.
            let to = line.join(folder(entry).trim_start_matches("../"));
            absent(&to)?;
            for (path, bytes) in files {
                put(&to.join(path), bytes).map_err(fail)?;
            }
        }
    }
    readable(level.path()).map_err(fail)?;
    std::fs::rename(level.keep(), &place).map_err(fail)
}

/// The same of a published level, with the files of each component.
///
/// # Errors
/// `AlreadyThere`, `Io`.
pub(crate) fn write_published(line: &Path, of: &Release, sources: &[Source]) -> Result<()> {
    let place = line.join(of.level.to_string());
    let fail = |e: std::io::Error| Failure::new("Io", format!("write {}", place.display())).cause(e);
    absent(&place)?;
    std::fs::create_dir_all(line).map_err(fail)?;
    let level = tempfile::Builder::new().prefix(".level-").tempdir_in(line).map_err(fail)?;
    let yaml = |value: &Value| serde_saphyr::to_string(value).map_err(internal);
    put(&level.path().join("release.yaml"), yaml(&release_yaml(of))?.as_bytes()).map_err(fail)?;
    for (component, files) in of.components.iter().zip(sources) {
        let own = std::iter::once((None, &component.values));
        let each =
            component.platform_values.iter().map(|(platform, values)| (Some(platform.to_string()), values));
        for (platform, values) in own.chain(each).filter(|(_, values)| !values.is_empty()) {
            let text = serde_saphyr::to_string(values).map_err(internal)?;
            put(&level.path().join(values_of(component, platform.as_deref())), text.as_bytes())
                .map_err(fail)?;
        }
        let to = line.join(published::folder(component).trim_start_matches("../"));
        absent(&to)?;
        for (path, bytes) in files {
            put(&to.join(path), bytes).map_err(fail)?;
        }
    }
    readable(level.path()).map_err(fail)?;
    std::fs::rename(level.keep(), &place).map_err(fail)
}

/// # Errors
/// `AlreadyThere`.
pub(crate) fn absent(place: &Path) -> Result<()> {
    match place.exists() {
        false => Ok(()),
        true => Err(Failure::new("AlreadyThere", format!("{} is there already", place.display()))
            .hint("go on with it, or take it away first")),
    }
}

fn put(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    std::fs::create_dir_all(file.parent().unwrap_or(file))?;
    std::fs::write(file, bytes)
}

/// As a folder that somebody made: a temporary one is its owner's alone.
pub(crate) fn readable(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755))
}
