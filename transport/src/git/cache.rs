//! The cache of one repository: a bare repository in a folder, which can be thrown away whenever it is too large.
//!
//! Whoever has it open holds `lock` shared; it is only thrown away by who holds it alone. Nothing in it is needed:
//! after a crash at any line the next one who opens it finds a repository, or makes one.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use git2::Repository;

use super::failure::failed;
use super::limits::Limits;
use crate::error::{Error, Kind, Result};
use crate::files;

/// More files than this, and it starts anew.
const MOST_FILES: usize = 4096;
/// While a file of this name lies beside it, the next opening starts it anew.
const FULL: &str = "full";

/// An open cache.
pub(super) struct Cache {
    pub(super) repository: Repository,
    folder: PathBuf,
    /// Nobody throws the cache away while this is open.
    _lock: File,
}

impl Cache {
    /// Opens the cache in `folder`; makes it anew if it is larger than it may be.
    ///
    /// # Errors
    /// `DiskFull`, `Io`, `GitRefused`.
    pub(super) fn open(folder: &Path, limits: &Limits) -> Result<Self> {
        let io = |e: std::io::Error| Error::io(format!("make {}", folder.display()), &e);
        fs::create_dir_all(folder).map_err(io)?;
        if let Some(alone) = files::lock(&folder.join("lock")).map_err(io)? {
            tidy(folder, limits).map_err(io)?;
            drop(alone);
        }
        let lock = File::options().create(true).append(true).open(folder.join("lock")).map_err(io)?;
        lock.lock_shared().map_err(io)?;
        // Making it writes files each time; what can't be opened, as after a kill in between, is made.
        let git = folder.join("git");
        let repository = Repository::open_bare(&git).or_else(|_| Repository::init_bare(&git));
        let what = || format!("open the Git cache {}", folder.display());
        let repository = repository.map_err(|e| failed(Kind::GitRefused, what(), &e))?;
        Ok(Self { repository, folder: folder.to_owned(), _lock: lock })
    }

    /// The volume is full, and it may be this cache that fills it: the next opening starts it anew.
    pub(super) fn begin_anew(&self) {
        // Where even this doesn't fit, others fill the volume.
        let _ = File::create(self.folder.join(FULL));
    }

    /// Commits whose parents are not here.
    pub(super) fn shallow(&self) -> Result<Vec<String>> {
        let found = files::read_capped(&self.repository.path().join("shallow"), 1024 * 1024)?;
        let text = String::from_utf8_lossy(&found.unwrap_or_default()).into_owned();
        Ok(text.lines().map(str::to_owned).collect())
    }

    /// Notes which commits have no parents here by now.
    pub(super) fn change_shallow(&self, added: &[String], removed: &[String]) -> Result<()> {
        // Others may fetch into the same cache at this moment.
        let io = |e: std::io::Error| Error::io("lock a Git cache", &e);
        let lock =
            File::options().create(true).append(true).open(self.folder.join("shallow.lock")).map_err(io)?;
        lock.lock().map_err(io)?;
        let mut all = self.shallow()?;
        let before = all.clone();
        all.retain(|id| !removed.contains(id));
        all.extend(added.iter().filter(|id| !before.contains(id)).cloned());
        if all != before {
            let text: String = all.iter().map(|id| format!("{id}\n")).collect();
            files::write_atomic(&self.repository.path().join("shallow"), text.as_bytes())?;
        }
        Ok(())
    }
}

/// Throws away what is too large, what is left of throws and writes that were cut off, and what earlier versions laid
/// here.
fn tidy(folder: &Path, limits: &Limits) -> std::io::Result<()> {
    let (git, old) = (folder.join("git"), folder.join("old"));
    remove(&old)?;
    if folder.join(FULL).exists() || measure(&git)?.is_over(limits) {
        // Renamed first: a repository that is half removed must not be taken for one.
        fs::rename(&git, &old)?;
        remove(&old)?;
    }
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let ours = ["git", "lock", "shallow.lock"].iter().any(|name| entry.file_name() == *name);
        if !ours && entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else if !ours {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn remove(folder: &Path) -> std::io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// What lies in a cache.
#[derive(Default)]
struct Size {
    bytes: u64,
    files: usize,
    packs: usize,
}

impl Size {
    fn is_over(&self, limits: &Limits) -> bool {
        self.bytes > limits.cache_bytes || self.files > MOST_FILES || self.packs > limits.cache_packs
    }
}

/// What lies here, once what a killed process left of a write is gone: a lock of libgit2's would hold for ever.
fn measure(git: &Path) -> std::io::Result<Size> {
    let mut size = Size::default();
    let mut folders = vec![git.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => continue,
            other => other?,
        };
        for entry in entries {
            let entry = entry?;
            let about = entry.metadata()?;
            if about.is_dir() {
                folders.push(entry.path());
            } else if is_cut_off(git, &entry.path()) {
                fs::remove_file(entry.path())?;
            } else {
                size.bytes += about.len();
                size.files += 1;
                size.packs += usize::from(entry.path().extension().is_some_and(|end| end == "pack"));
            }
        }
    }
    Ok(size)
}

/// True for what libgit2 is still writing, by its name. No branch ends with `.lock`: Git forbids it.
fn is_cut_off(git: &Path, file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with(".lock") || (file.starts_with(git.join("objects")) && name.contains("_git2_"))
}
