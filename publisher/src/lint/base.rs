//! Against the level it was made from: nothing is forgotten, nothing changes its name.

use std::path::{Path, PathBuf};

use pdp_transport::cli::failure::Result;

use super::Report;
use crate::release_file::ReleaseFile;
use crate::yaml_file;

pub(super) fn check(
    file: &ReleaseFile,
    path: &Path,
    given: Option<&Path>,
    report: &mut Report<'_>,
) -> Result<()> {
    let Some(base) = file.base else { return Ok(()) };
    let beside = || path.parent().map(|level| level.join("..").join(base.to_string()).join("release.yaml"));
    let found: PathBuf = given.map(Path::to_owned).or_else(beside).unwrap_or_default();
    let read = yaml_file::find::<ReleaseFile>(&found)?.and_then(std::result::Result::ok);
    let Some(before) = read.filter(|before| before.level == base) else {
        let message = format!("the release.yaml of base {base} can't be read at {}", found.display());
        report.add("base", "BaseMissing", message, "name it with --base-release");
        return Ok(());
    };
    compare(file, &before, report);
    Ok(())
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
