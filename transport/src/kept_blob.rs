//! The newest bytes of one address, on disk under their SHA-256: what didn't change isn't fetched again.
//!
//! The folder may be lost, and nobody believes it: what is read is compared with the digest that was asked for.

use std::path::{Path, PathBuf};

use pdp_policies::Digest;

use crate::files;

/// A folder for the bytes of one address.
#[derive(Debug, Clone)]
pub struct KeptBlob {
    folder: PathBuf,
}

impl KeptBlob {
    /// In `folder`, which needn't be there and belongs to this alone.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// The bytes with this digest, none if they aren't here as they should be.
    pub(crate) fn get(&self, digest: &Digest, max: u64) -> Option<Vec<u8>> {
        let bytes = files::read_capped(&self.path(digest), max).ok().flatten()?;
        (Digest::of(&bytes) == *digest).then_some(bytes)
    }

    /// Keeps these bytes in place of whatever was kept. What fails is left: they are fetched again then.
    pub(crate) fn put(&self, digest: &Digest, bytes: &[u8]) {
        // A folder that can't be made shows in the write.
        let _ = std::fs::create_dir_all(&self.folder);
        match files::write_atomic(&self.path(digest), bytes) {
            Ok(()) => self.others(digest).iter().for_each(|path| drop(std::fs::remove_file(path))),
            Err(error) => tracing::debug!(%error, "what was fetched isn't kept"),
        }
    }

    fn others(&self, digest: &Digest) -> Vec<PathBuf> {
        let own = self.path(digest);
        let Ok(entries) = std::fs::read_dir(&self.folder) else { return Vec::new() };
        let files = entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
        files.map(|entry| entry.path()).filter(|path| *path != own).collect()
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        self.folder.join(digest.to_string().replace(':', "-"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_newest_bytes_are_kept_and_changed_ones_are_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let kept = KeptBlob::new(&folder.path().join("new"));
        let (one, two) = (Digest::of(b"one"), Digest::of(b"two"));
        assert_eq!(kept.get(&one, 100), None);
        kept.put(&one, b"one");
        assert_eq!(kept.get(&one, 100).unwrap(), b"one");
        assert_eq!(kept.get(&one, 2), None, "over the limit");
        kept.put(&two, b"two");
        assert_eq!((kept.get(&one, 100), kept.get(&two, 100).unwrap()), (None, b"two".to_vec()));
        std::fs::write(kept.path(&two), b"evil").unwrap();
        assert_eq!(kept.get(&two, 100), None);
        kept.put(&two, b"two");
        assert_eq!(kept.get(&two, 100).unwrap(), b"two");
    }

    #[test]
    fn a_folder_that_takes_nothing_is_no_error() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, b"").unwrap();
        let kept = KeptBlob::new(&file);
        kept.put(&Digest::of(b"one"), b"one");
        assert_eq!(kept.get(&Digest::of(b"one"), 100), None);
    }
}
