//! A draft in the folder of its line: the level's folder, and the files of charts and manifests beside it.

use std::path::Path;

use pdp_policies::Level;
use pdp_policies::release::Release;
use pdp_transport::cli::failure::{Failure, Result, internal};
use serde::Serialize;

use super::published::{self, release_yaml, values_file as values_of};
use super::text::{Head, folder, text, values_file};
use super::{Draft, From, folder as whole};
use crate::lint::Source;

/// The file that says what the level is.
const FILE: &str = "release.yaml";

/// # Errors
/// `AlreadyThere`, `Io`.
pub(crate) fn write(line: &Path, head: &Head, draft: &Draft) -> Result<()> {
    let mut own = vec![(FILE.to_owned(), text(head, draft).into_bytes())];
    for entry in draft.components.iter().filter(|it| !it.values.is_empty()) {
        own.push((values_file(entry), yaml(&entry.values)?));
    }
    let beside = draft.components.iter().filter_map(|entry| match &entry.origin {
        From::Folder { files, .. } | From::Manifests { files, .. } => Some((folder(entry), files)),
        From::Chart { .. } => None,
    });
    place(line, head.level, &own, beside.collect())
}

/// The same of a published level, with the files of each component.
///
/// # Errors
/// `AlreadyThere`, `Io`.
pub(crate) fn write_published(line: &Path, of: &Release, sources: &[Source]) -> Result<()> {
    let mut own = vec![(FILE.to_owned(), yaml(&release_yaml(of))?)];
    for component in &of.components {
        let platforms = component.platform_values.iter();
        let each = platforms.map(|(platform, values)| (Some(platform.to_string()), values));
        let all = std::iter::once((None, &component.values)).chain(each);
        for (platform, values) in all.filter(|(_, values)| !values.is_empty()) {
            own.push((values_of(component, platform.as_deref()), yaml(values)?));
        }
    }
    let beside = of.components.iter().map(published::folder).zip(sources);
    place(line, of.level, &own, beside.collect())
}

/// The level's folder comes last: whoever sees it has the components' folders, too. What a level before it has alike, or a run
/// that didn't come to its end left, is taken as it is.
fn place(line: &Path, level: Level, own: &Source, beside: Vec<(String, &Source)>) -> Result<()> {
    let to = line.join(level.to_string());
    absent(&to)?;
    let mut lacking = Vec::new();
    for (folder, files) in beside {
        // `../charts/name` of the level's own folder.
        let at = line.join(folder.trim_start_matches("../"));
        if !whole::is_there(&at, files)? {
            lacking.push((at, files));
        }
    }
    lacking.into_iter().try_for_each(|(at, files)| whole::write(&at, files))?;
    whole::write(&to, own)
}

fn yaml(value: &impl Serialize) -> Result<Vec<u8>> {
    serde_saphyr::to_string(value).map(String::into_bytes).map_err(internal)
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

/// As a folder that somebody made: a temporary one is its owner's alone.
pub(crate) fn readable(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use pdp_policies::{API_VERSION, Digest};
    use serde_json::json;

    use super::*;

    /// A level with one component, whose chart is the same in all levels.
    fn level(level: u32) -> Release {
        let digest = Digest::of(b"x");
        serde_json::from_value(json!({
            "apiVersion": API_VERSION, "line": "pdp-2026", "level": level, "version": "1", "kind": "update",
            "requires": { "kubernetes": ">=1.33", "flux": ">=2.9" },
            "bundle": { "repository": "registry.example/pdp", "digest": digest, "size": 1 },
            "components": [{
                "name": "agent", "version": "1.0.0", "stage": 1, "artifact": { "chart": { "name": "agent", "digest": digest, "size": 1 } },
                "releaseName": "agent", "namespace": "pdp", "onFailure": "hold", "timeout": "5m", "settle": "30s",
                "images": [], "values": { "a": 1 },
            }],
        }))
        .unwrap()
    }

    #[test]
    fn two_levels_have_one_folder_of_a_component_that_is_the_same_in_both() {
        let line = tempfile::tempdir().unwrap();
        let sources = [vec![("Chart.yaml".to_owned(), b"a: 1".to_vec())]];
        for number in [7, 8] {
            write_published(line.path(), &level(number), &sources).unwrap();
            assert!(line.path().join(format!("{number}/release.yaml")).exists());
            assert!(line.path().join(format!("{number}/values/agent.yaml")).exists());
        }
        let charts = line.path().join("charts");
        let folders: Vec<_> = std::fs::read_dir(&charts).unwrap().map(|it| it.unwrap().path()).collect();
        assert_eq!(folders.len(), 1, "{folders:?}");
        std::fs::write(folders[0].join("Chart.yaml"), "a: 2").unwrap();
        let error = write_published(line.path(), &level(9), &sources).unwrap_err();
        assert_eq!(error.code, "AlreadyThere");
        assert_eq!(write_published(line.path(), &level(8), &sources).unwrap_err().code, "AlreadyThere");
        assert_eq!(std::fs::read_dir(line.path()).unwrap().count(), 3, "7, 8 and charts");
    }
}
