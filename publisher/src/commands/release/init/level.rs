//! From an earlier level: all that it says, and none of its news.

use std::path::{Path, PathBuf};

use pdp_policies::Level;
use pdp_policies::release::ReleaseKind;
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::cli::output::{self, Format};
use serde_json::json;

use super::{Args, FILE};
use crate::draft::{absent, readable};
use crate::release_edit::{Edit, edited};
use crate::release_file::ReleaseFile;
use crate::yaml_file;

pub(super) fn run(args: &Args, from: Level, format: Format) -> Result<u8> {
    let (old, new) = (args.folder.join(from.to_string()), args.folder.join(args.level.to_string()));
    let (text, news) = text(args, from, &old.join(FILE))?;
    absent(&new)?;
    let mut files = files(&old)?;
    files.retain(|file| !news.iter().any(|it| Path::new(it) == file));
    if !args.dry_run {
        write(args, &new, &text, (&old, &files))?;
    }
    let file = new.join(FILE);
    let sign = if args.dry_run { "◎" } else { "✔" };
    let fixes = match args.kind {
        ReleaseKind::Security => "\n  name what it fixes under `advisories`",
        _ => "",
    };
    let said = format!(
        "{sign} {}: level {} from {}, {} more files{fixes}\n  next: `publisher release bump COMPONENT --file {}`, then `publisher release lock`",
        file.display(),
        args.level,
        from,
        files.len(),
        file.display()
    );
    output::print(format, &json!({ "file": file, "files": files, "written": !args.dry_run }), &said)?;
    Ok(exit::DONE)
}

/// True if the folder of the level has its file.
pub(super) fn is_there(args: &Args, from: Level) -> bool {
    args.folder.join(from.to_string()).join(FILE).exists()
}

/// The new release.yaml: what the old one fixed, and what it made superfluous, is no news any more. With it the files that
/// are left out for that.
fn text(args: &Args, from: Level, old: &Path) -> Result<(String, Vec<String>)> {
    let hint = "name the folder of the line with --in, and a level of it with --from; a level of the catalog is named with --line, --catalog and --root besides";
    let before: ReleaseFile = yaml_file::good(old, hint)?;
    if before.level != from || args.level <= from {
        let what = format!(
            "{} is of level {}, and {} shall follow {}",
            old.display(),
            before.level,
            args.level,
            from
        );
        return Err(Failure::new("LevelOrder", what).hint("levels only rise within a line"));
    }
    let edits = [
        Edit::Level(args.level),
        Edit::Base(from),
        Edit::Version(args.version.clone()),
        Edit::Kind(args.kind),
        Edit::Without("advisories"),
        Edit::Without("advisoryFiles"),
        Edit::Without("supersedes"),
    ];
    let text =
        std::fs::read_to_string(old).map_err(|e| Failure::new("Io", old.display().to_string()).cause(e))?;
    let by_hand = |cause: String| {
        Failure::new("BadYaml", format!("{} can't be taken over", old.display()))
            .cause(cause)
            .hint("copy the folder, and change level, base, version and kind by hand")
    };
    let text = edited(&text, &edits).map_err(by_hand)?;
    let after: ReleaseFile = pdp_policies::yaml::read(&text).map_err(|problems| {
        by_hand(problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    })?;
    let fresh = after.advisories.is_empty()
        && after.advisory_files.is_empty()
        && after.supersedes.is_empty()
        && after.base == Some(from);
    if fresh {
        Ok((text, before.advisory_files))
    } else {
        Err(by_hand("its advisories stand in a way that isn't understood".to_owned()))
    }
}

/// What else belongs to the old level, such as values and the lock: a digest that is locked stays.
fn files(old: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let at = old.join(&folder);
        let fail = |e: std::io::Error| Failure::new("Io", at.display().to_string()).cause(e);
        for entry in std::fs::read_dir(&at).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            let (name, kind) = (folder.join(entry.file_name()), entry.file_type().map_err(fail)?);
            match (kind.is_dir(), kind.is_file()) {
                (true, _) => folders.push(name),
                (_, true) if name != Path::new(FILE) => found.push(name),
                (_, true) => {}
                _ => {
                    let what = format!("{} is neither file nor folder", old.join(name).display());
                    return Err(Failure::new("UnsafePath", what).hint("put the file itself there"));
                }
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The folder is there as a whole, or not at all.
fn write(args: &Args, new: &Path, text: &str, (old, files): (&Path, &[PathBuf])) -> Result<()> {
    let fail = |e: std::io::Error| Failure::new("Io", format!("write {}", new.display())).cause(e);
    let folder = tempfile::Builder::new().prefix(".level-").tempdir_in(&args.folder).map_err(fail)?;
    for name in files {
        let to = folder.path().join(name);
        std::fs::create_dir_all(to.parent().unwrap_or(folder.path())).map_err(fail)?;
        std::fs::copy(old.join(name), &to).map_err(fail)?;
    }
    std::fs::write(folder.path().join(FILE), text).map_err(fail)?;
    readable(folder.path()).map_err(fail)?;
    std::fs::rename(folder.keep(), new).map_err(fail)
}
