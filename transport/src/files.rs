//! Files: written whole or not at all, read up to a limit.

use std::fs::{self, File, TryLockError};
use std::io::{Read, Write};
use std::path::Path;

use crate::error::{Error, Kind, Result};

/// Writes `content` to `path` by a temporary file, fsync and rename: a crash leaves the old or the new.
///
/// # Errors
/// `DiskFull`, `Io`.
pub fn write_atomic(path: &Path, content: &[u8]) -> Result<()> {
    let what = || format!("write {}", path.display());
    let fail = |e: std::io::Error| Error::io(what(), &e);
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(fail)?;
    file.write_all(content).map_err(fail)?;
    file.as_file().sync_all().map_err(fail)?;
    file.persist(path).map_err(|e| Error::io(what(), &e.error))?;
    File::open(folder).and_then(|f| f.sync_all()).map_err(fail)
}

/// Takes a lock file, none if another process holds it. The lock goes with the value, and with the process.
///
/// # Errors
/// What opening it can end with.
pub fn lock(path: &Path) -> std::io::Result<Option<File>> {
    let file = File::options().create(true).append(true).open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Reads a file of at most `max` bytes; none if there is no such file.
///
/// # Errors
/// `TooLarge`, `Io`.
pub fn read_capped(path: &Path, max: u64) -> Result<Option<Vec<u8>>> {
    let what = || format!("read {}", path.display());
    let file = match File::open(path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(|e| Error::io(what(), &e))?,
    };
    let mut content = Vec::new();
    file.take(max + 1).read_to_end(&mut content).map_err(|e| Error::io(what(), &e))?;
    if content.len() as u64 > max {
        return Err(Error::new(Kind::TooLarge, what(), format!("more than {max} bytes")));
    }
    Ok(Some(content))
}

/// All plain files below `folder` by their `/`-separated relative path, sorted.
///
/// # Errors
/// `UnsafePath` for links and devices and odd names, `TooLarge` beyond `max` bytes in all.
pub fn read_folder(folder: &Path, max: u64) -> Result<Vec<(String, Vec<u8>)>> {
    let mut found = Vec::new();
    let mut left = max;
    walk(folder, "", &mut left, &mut found)?;
    found.sort();
    Ok(found)
}

/// What may still be written to a folder's file system (bytes), none where the system doesn't say.
pub fn free(folder: &Path) -> Option<u64> {
    let about = rustix::fs::statvfs(folder).ok()?;
    Some(about.f_bavail.saturating_mul(about.f_frsize))
}

fn walk(folder: &Path, prefix: &str, left: &mut u64, found: &mut Vec<(String, Vec<u8>)>) -> Result<()> {
    let what = || format!("read {}", folder.display());
    for entry in fs::read_dir(folder).map_err(|e| Error::io(what(), &e))? {
        let entry = entry.map_err(|e| Error::io(what(), &e))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
        let kind = entry.file_type().map_err(|e| Error::io(what(), &e))?;
        if !pdp_policies::is_safe(&path) || !(kind.is_dir() || kind.is_file()) {
            let cause = "only plain files and folders with plain names are read";
            return Err(Error::new(Kind::UnsafePath, entry.path().display().to_string(), cause));
        }
        if kind.is_dir() {
            walk(&entry.path(), &path, left, found)?;
        } else if let Some(content) = read_capped(&entry.path(), *left)? {
            *left -= content.len() as u64;
            found.push((path, content));
        }
    }
    Ok(())
}
