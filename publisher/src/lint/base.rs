//! Against the level it was made from: nothing is forgotten, nothing changes its name.

use std::path::{Path, PathBuf};

use pdp_policies::Level;
use pdp_transport::Error;
use pdp_transport::cli::failure::Result;

use super::Report;
use crate::release_file::ReleaseFile;
use crate::yaml_file;

/// The release that this one was made from, and its file.
#[derive(Debug)]
pub(super) struct Base {
    pub(super) file: ReleaseFile,
    pub(super) path: PathBuf,
}

/// Compares what the two files say; none if there is no base, or none that can be read.
pub(super) fn check(
    file: &ReleaseFile,
    path: &Path,
    given: Option<&Path>,
    report: &mut Report<'_>,
) -> Result<Option<Base>> {
    let Some(base) = file.base else {
        if let Some(older) = older(file, path, given)? {
            let message = format!("level {older} of {} is there, and no `base` to compare with", file.line);
            let hint = format!("write `base: {older}`, or the level that this one was made from");
            report.add("base", "BaseForgotten", message, &hint);
        }
        return Ok(None);
    };
    let beside = || beside(path).join(base.to_string()).join("release.yaml");
    let found: PathBuf = given.map(Path::to_owned).unwrap_or_else(beside);
    let Some(before) = find(&found)?.filter(|before| (&before.line, before.level) == (&file.line, base))
    else {
        let message =
            format!("the release.yaml of base {base} of {} can't be read at {}", file.line, found.display());
        report.add("base", "BaseMissing", message, "name it with --base-release");
        return Ok(None);
    };
    compare(file, &before, report);
    Ok(Some(Base { file: before, path: found }))
}

/// The highest level of the line below this one, of those that lie beside it or that was given.
fn older(file: &ReleaseFile, path: &Path, given: Option<&Path>) -> Result<Option<Level>> {
    let folder = beside(path);
    let mut levels = numbered(&folder, file.level)?;
    levels.sort_unstable_by(|one, other| other.cmp(one));
    let all = given.map(Path::to_owned).into_iter();
    for found in all.chain(levels.iter().map(|level| folder.join(level.to_string()).join("release.yaml"))) {
        let older = find(&found)?.filter(|it| it.line == file.line && it.level < file.level);
        if let Some(older) = older {
            return Ok(Some(older.level));
        }
    }
    Ok(None)
}

/// The folders whose names are levels below this one.
fn numbered(folder: &Path, below: Level) -> Result<Vec<Level>> {
    let fail = |error: std::io::Error| Error::io(format!("read {}", folder.display()), &error);
    let mut levels = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(fail)? {
        let name = entry.map_err(fail)?.file_name();
        levels
            .extend(name.to_str().and_then(|name| name.parse::<Level>().ok()).filter(|level| *level < below));
    }
    Ok(levels)
}

/// The line's folder, in which each level has one.
fn beside(path: &Path) -> PathBuf {
    path.parent().unwrap_or(Path::new("")).join("..")
}

fn find(path: &Path) -> Result<Option<ReleaseFile>> {
    Ok(yaml_file::find::<ReleaseFile>(path)?.and_then(std::result::Result::ok))
}

fn compare(file: &ReleaseFile, before: &ReleaseFile, report: &mut Report<'_>) {
    for old in &before.components {
        let place = format!("components.{}", old.name);
        match file.components.iter().find(|c| c.name == old.name) {
            None if !file.removed.contains(&old.name) => {
                let message = format!("`{}` is in base {} but not here", old.name, before.level);
                report.add(
                    "components",
                    "ForgottenComponent",
                    message,
                    "add it, or list it under `removed:`",
                );
            }
            Some(new) if (&new.release_name, &new.namespace) != (&old.release_name, &old.namespace) => {
                let message =
                    format!("`{}` was released as `{}/{}`", old.name, old.namespace, old.release_name);
                report.add(place, "ReleaseNameChanged", message, "release name and namespace never change");
            }
            _ => {}
        }
    }
}
