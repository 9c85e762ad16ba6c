//! A folder with files, written as a whole or not at all.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{fs, io};

use pdp_transport::cli::failure::{Failure, Result};

use super::write::readable;
use crate::lint::Source;

/// # Errors
/// `Io`.
pub(super) fn write(to: &Path, files: &Source) -> Result<()> {
    whole(to, files).map_err(|e| Failure::new("Io", format!("write {}", to.display())).cause(e))
}

fn whole(to: &Path, files: &Source) -> io::Result<()> {
    let parent = to.parent().unwrap_or(to);
    fs::create_dir_all(parent)?;
    let folder = tempfile::Builder::new().prefix(".new-").tempdir_in(parent)?;
    for (path, bytes) in files {
        put(&folder.path().join(path), bytes)?;
    }
    readable(folder.path())?;
    fs::rename(folder.path(), to)?;
    // It has another name now: nothing is left to be taken away.
    let _ = folder.keep();
    Ok(())
}

fn put(file: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::create_dir_all(file.parent().unwrap_or(file))?;
    fs::write(file, bytes)
}

/// True if the folder is there with these files and nothing else.
///
/// # Errors
/// `AlreadyThere` if something else is there, `Io`.
pub(super) fn is_there(folder: &Path, files: &Source) -> Result<bool> {
    if fs::symlink_metadata(folder).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
        return Ok(false);
    }
    match holds(folder, files) {
        Ok(true) => Ok(true),
        Ok(false) => Err(Failure::new("AlreadyThere", format!("{} is there already", folder.display()))
            .cause("its files aren't those that would be written")
            .hint("take it away first, or name another folder with `--in`")),
        Err(e) => Err(Failure::new("Io", format!("read {}", folder.display())).cause(e)),
    }
}

fn holds(folder: &Path, files: &Source) -> io::Result<bool> {
    let wanted: BTreeMap<_, _> =
        files.iter().map(|(path, bytes)| (folder.join(path), bytes.as_slice())).collect();
    let Some(found) = all(folder)?.filter(|found| found.iter().eq(wanted.keys())) else { return Ok(false) };
    for path in found {
        let is = wanted.get(&path).copied().unwrap_or_default();
        if fs::metadata(&path)?.len() != is.len() as u64 || fs::read(&path)? != is {
            return Ok(false);
        }
    }
    Ok(true)
}

/// All files of a folder; none if something else lies in it, such as a link.
fn all(folder: &Path) -> io::Result<Option<BTreeSet<PathBuf>>> {
    if !fs::symlink_metadata(folder)?.is_dir() {
        return Ok(None);
    }
    let (mut found, mut folders) = (BTreeSet::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            match (kind.is_dir(), kind.is_file()) {
                (true, _) => folders.push(entry.path()),
                (_, true) => drop(found.insert(entry.path())),
                _ => return Ok(None),
            }
        }
    }
    Ok(Some(found))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn code(result: Result<bool>) -> std::result::Result<bool, String> {
        result.map_err(|failure| failure.code.to_string())
    }

    #[test]
    fn a_folder_is_taken_as_it_is_if_it_has_these_files_and_nothing_else() {
        let line = tempfile::tempdir().unwrap();
        let folder = line.path().join("charts/agent-1");
        let files: Source = [("Chart.yaml", "a: 1"), ("templates/x.yaml", "b: 2")]
            .map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()))
            .into();
        assert_eq!(code(is_there(&folder, &files)), Ok(false));
        write(&folder, &files).unwrap();
        assert_eq!(code(is_there(&folder, &files)), Ok(true));
        assert_eq!(fs::read_dir(line.path().join("charts")).unwrap().count(), 1, "nothing half-done is left");
        let other = Err("AlreadyThere".to_owned());
        assert_eq!(code(is_there(&folder, &files[..1].to_vec())), other);
        for changed in ["b: 3", "b: 20", ""] {
            fs::write(folder.join("templates/x.yaml"), changed).unwrap();
            assert_eq!(code(is_there(&folder, &files)), other, "{changed}");
        }
        fs::write(folder.join("templates/x.yaml"), "b: 2").unwrap();
        assert_eq!(code(is_there(&folder, &files)), Ok(true));
        fs::write(folder.join("new"), "").unwrap();
        assert_eq!(code(is_there(&folder, &files)), other, "another file");
        fs::remove_dir_all(&folder).unwrap();
        std::os::unix::fs::symlink("/etc", &folder).unwrap();
        assert_eq!(code(is_there(&folder, &Source::new())), other);
    }
}
