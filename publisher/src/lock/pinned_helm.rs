//! The `helm` program that was meant: where it lies, and whether it is the one whose digest was agreed on.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use pdp_policies::Digest;
use pdp_transport::cli::failure::{Failure, Result};

/// No `helm` is larger (bytes).
const MAX_BYTES: u64 = 512 * 1024 * 1024;

/// A name alone is looked for in `search`, which is `PATH`; the program itself is run without it.
pub(super) fn located(program: &Path, search: Option<&OsStr>) -> PathBuf {
    if program.components().count() > 1 {
        return program.to_owned();
    }
    let folders = search.map(|path| std::env::split_paths(path).collect::<Vec<_>>()).unwrap_or_default();
    let there = folders.into_iter().map(|folder| folder.join(program)).find(|path| path.is_file());
    there.unwrap_or_else(|| program.to_owned())
}

/// # Errors
/// `HelmMissing` if it can't be read, `HelmChanged` if its SHA-256 is another.
pub(super) fn check(program: &Path, pinned: &Digest) -> Result<()> {
    let mut bytes = Vec::new();
    let read = File::open(program).and_then(|file| file.take(MAX_BYTES).read_to_end(&mut bytes));
    read.map_err(|error| super::helm::missing(program, &error))?;
    let found = Digest::of(&bytes);
    if found == *pinned {
        return Ok(());
    }
    let what = format!("{} is {found}, and not {pinned}", program.display());
    Err(Failure::new("HelmChanged", what)
        .hint("take the program that was agreed on; after an update of Helm, agree on its digest first"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_name_is_looked_for_and_a_path_is_not() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("helm"), "x").unwrap();
        let search = std::env::join_paths([Path::new("/nowhere"), folder.path()]).unwrap();
        for (program, found) in [
            ("helm", folder.path().join("helm")),
            ("./helm", "./helm".into()),
            ("/opt/helm", "/opt/helm".into()),
            ("helm4", "helm4".into()),
        ] {
            assert_eq!(located(Path::new(program), Some(&search)), found, "{program}");
        }
        assert_eq!(located(Path::new("helm"), None), Path::new("helm"));
    }

    #[test]
    fn another_program_is_refused_with_both_digests() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("helm");
        std::fs::write(&program, "one").unwrap();
        let pinned = Digest::of(b"one");
        check(&program, &pinned).unwrap();
        std::fs::write(&program, "another").unwrap();
        let refused = check(&program, &pinned).unwrap_err();
        assert_eq!(refused.code, "HelmChanged");
        let words = refused.to_string();
        assert!(words.contains(&pinned.to_string()) && words.contains(&Digest::of(b"another").to_string()));
        assert_eq!(check(Path::new("/nowhere/helm"), &pinned).unwrap_err().code, "HelmMissing");
    }
}
