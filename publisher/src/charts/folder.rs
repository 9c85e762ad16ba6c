//! The files of a chart's folder, or of manifests: what is left out isn't even opened.

use std::fs;
use std::path::Path;

use pdp_transport::files::read_capped;
use pdp_transport::{Error, Kind};

use super::ignore::Rules;
use super::trouble::Trouble;
use super::{MAX_FILE_BYTES, MAX_SOURCE_BYTES};
use crate::lint::Source;

const IGNORE: &str = ".helmignore";
const BOM: &[u8] = "\u{feff}".as_bytes();

/// The files of a chart as Helm packs them: by `.helmignore`, without byte order marks.
///
/// # Errors
/// `UnsafePath` for links, devices and names that no chart may hold, `TooLarge`, `Io`; `BadHelmignore` for rules that
/// Helm refuses.
pub(crate) fn chart(folder: &Path) -> Result<Source, Trouble> {
    let file = read_capped(&folder.join(IGNORE), MAX_FILE_BYTES)?.unwrap_or_default();
    let rules = Rules::parse(&String::from_utf8_lossy(&file)).map_err(refused)?;
    let mut files = read(folder, &rules)?;
    files.iter_mut().for_each(|(_, content)| without_mark(content));
    Ok(files)
}

fn refused(cause: String) -> Trouble {
    Trouble::new(
        IGNORE,
        "BadHelmignore",
        format!("{IGNORE}: {cause}"),
        "Helm refuses such a chart: correct the line",
    )
}

/// The files of manifests, without Git's own.
///
/// # Errors
/// As [`chart`].
pub(crate) fn manifests(folder: &Path) -> Result<Source, Error> {
    read(folder, &Rules::for_manifests())
}

/// The files of somebody's own folder, and the paths in it that can't be read, each with the reason.
///
/// # Errors
/// `Io` if the folder itself can't be read.
pub(crate) fn readable(folder: &Path) -> Result<(Source, Vec<(String, String)>), Error> {
    let (found, unread) = walked(folder, &Rules::for_manifests(), Some(Vec::new()))?;
    Ok((found, unread.unwrap_or_default()))
}

/// Helm drops a byte order mark wherever it reads a file.
pub(super) fn without_mark(content: &mut Vec<u8>) {
    if content.starts_with(BOM) {
        content.drain(..BOM.len());
    }
}

fn read(folder: &Path, rules: &Rules) -> Result<Source, Error> {
    Ok(walked(folder, rules, None)?.0)
}

/// Paths that can't be read, each with the reason; none where the first of them ends it.
type Unread = Option<Vec<(String, String)>>;

fn walked(folder: &Path, rules: &Rules, unread: Unread) -> Result<(Source, Unread), Error> {
    let mut walk = Walk { rules, left: MAX_SOURCE_BYTES, found: Vec::new(), unread };
    walk.folder(folder, "")?;
    walk.found.sort();
    Ok((walk.found, walk.unread))
}

struct Walk<'a> {
    rules: &'a Rules,
    left: u64,
    found: Source,
    unread: Unread,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Path, prefix: &str) -> Result<(), Error> {
        let fail = |e: std::io::Error| Error::io(format!("read {}", folder.display()), &e);
        for entry in fs::read_dir(folder).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
            let read = entry.file_type().map_err(fail);
            let read = read.and_then(|kind| self.entry(&entry.path(), kind, path.clone()));
            match (read, &mut self.unread) {
                (Err(error), Some(unread)) => unread.push((path, error.to_string())),
                (read, _) => read?,
            }
        }
        Ok(())
    }

    fn entry(&mut self, place: &Path, kind: fs::FileType, path: String) -> Result<(), Error> {
        // Helm asks what a link leads to before it asks its rules.
        let is_folder = kind.is_dir() || kind.is_symlink() && place.is_dir();
        if self.rules.leave_out(&path, is_folder) {
            return Ok(());
        }
        let readable = !path.contains(char::REPLACEMENT_CHARACTER) && pdp_policies::is_chart_path(&path);
        if !readable || !(kind.is_dir() || kind.is_file()) {
            let cause = "only plain files and folders are read, under names that stay in the folder";
            return Err(Error::new(Kind::UnsafePath, place.display().to_string(), cause));
        }
        if kind.is_dir() {
            return self.folder(place, &path);
        }
        if let Some(content) = read_capped(place, self.left.min(MAX_FILE_BYTES))? {
            self.left -= content.len() as u64;
            self.found.push((path, content));
        }
        Ok(())
    }
}
