//! What was fetched, on disk under its SHA-256. Nobody believes it: what is read is compared with the digest.

use std::path::{Path, PathBuf};

use pdp_policies::Digest;
use pdp_transport::files;

/// A folder, or none.
#[derive(Debug)]
pub(super) struct Kept(Option<PathBuf>);

impl Kept {
    pub(super) fn new(folder: Option<&Path>) -> Self {
        Self(folder.map(Path::to_owned))
    }

    /// The bytes with this digest, none if they aren't here as they should be.
    pub(super) fn get(&self, digest: &Digest, max: u64) -> Option<Vec<u8>> {
        let bytes = files::read_capped(&self.path(digest)?, max).ok().flatten()?;
        (Digest::of(&bytes) == *digest).then_some(bytes)
    }

    /// What can't be kept is fetched again.
    pub(super) fn put(&self, digest: &Digest, bytes: &[u8]) {
        if let (Some(folder), Some(path)) = (&self.0, self.path(digest)) {
            let _ = std::fs::create_dir_all(folder);
            let _ = files::write_atomic(&path, bytes);
        }
    }

    fn path(&self, digest: &Digest) -> Option<PathBuf> {
        Some(self.0.as_ref()?.join(digest.to_string().replace(':', "-")))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn changed_bytes_are_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Kept::new(Some(&folder.path().join("new")));
        let digest = Digest::of(b"chart");
        assert_eq!(kept.get(&digest, 100), None);
        kept.put(&digest, b"chart");
        assert_eq!(kept.get(&digest, 100).unwrap(), b"chart");
        assert_eq!(kept.get(&digest, 2), None, "over the limit");
        std::fs::write(kept.path(&digest).unwrap(), b"other").unwrap();
        assert_eq!(kept.get(&digest, 100), None);
        assert_eq!(Kept::new(None).get(&digest, 100), None);
    }
}
