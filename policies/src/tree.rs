//! The catalog as bytes: what a Git tree, an OCI layer or a folder held, not judged yet.

use std::collections::BTreeMap;

/// Limits for loading a catalog tree; a catalog of 100 levels takes about 2 MiB.
pub const MAX_TREE_BYTES: u64 = 16 * 1024 * 1024;
/// A single file of the catalog may not be larger than this (bytes).
pub const MAX_FILE_BYTES: u64 = 1024 * 1024;
/// More files than this are refused.
pub const MAX_TREE_FILES: usize = 4096;

/// The files of a catalog by their path from the catalog's root, `/`-separated, exactly as fetched.
///
/// Nothing in here is trusted. `trust::catalog` is the only reader.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct CatalogTree {
    files: BTreeMap<String, Vec<u8>>,
    bytes: u64,
}

/// Why a file was not taken into a [`CatalogTree`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TreeRefusal {
    /// Absolute, empty, with `.`/`..`/empty segments, back-slashes or control characters, or given twice.
    #[error("the catalog holds a file under the unsafe or repeated path `{0}`")]
    Path(String),
    /// The file, the whole tree or the number of files is over its limit.
    #[error("the catalog is too large at `{0}` (limits: 1 MiB a file, 16 MiB and 4096 files in all)")]
    TooLarge(String),
}

impl CatalogTree {
    /// An empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file; refuses unsafe paths, repeated paths and everything over the limits.
    pub fn insert(&mut self, path: &str, content: Vec<u8>) -> Result<(), TreeRefusal> {
        if !is_safe(path) || self.files.contains_key(path) {
            return Err(TreeRefusal::Path(shown(path)));
        }
        let size = content.len() as u64;
        if size > MAX_FILE_BYTES || self.bytes + size > MAX_TREE_BYTES || self.files.len() >= MAX_TREE_FILES {
            return Err(TreeRefusal::TooLarge(shown(path)));
        }
        self.bytes += size;
        self.files.insert(path.to_owned(), content);
        Ok(())
    }

    /// Replaces or adds a file (for writers, which hold a tree of their own making).
    pub fn replace(&mut self, path: &str, content: Vec<u8>) -> Result<(), TreeRefusal> {
        if let Some(old) = self.files.remove(path) {
            self.bytes -= old.len() as u64;
        }
        self.insert(path, content)
    }

    /// Takes a file out, if it is there (for writers).
    pub fn remove(&mut self, path: &str) {
        if let Some(old) = self.files.remove(path) {
            self.bytes -= old.len() as u64;
        }
    }

    /// The content of one file.
    pub fn get(&self, path: &str) -> Option<&[u8]> {
        self.files.get(path).map(Vec::as_slice)
    }

    /// All files in the order of their paths.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.files.iter().map(|(p, c)| (p.as_str(), c.as_slice()))
    }
}

impl std::fmt::Debug for CatalogTree {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CatalogTree({} files, {} bytes)", self.files.len(), self.bytes)
    }
}

/// True for a relative path of plain segments.
pub fn is_safe(path: &str) -> bool {
    path.len() <= 255
        && path.bytes().all(|b| b > 0x20 && b < 0x7f && b != b'\\')
        && path.split('/').all(|s| !s.is_empty() && s != "." && s != "..")
}

fn shown(path: &str) -> String {
    path.chars().take(120).flat_map(char::escape_default).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn refuses_unsafe_paths_and_repeats() {
        let mut tree = CatalogTree::new();
        for path in ["", "/a", "a//b", "../a", "a/../b", "./a", "a\\b", "a\nb", "a/"] {
            assert!(matches!(tree.insert(path, vec![]), Err(TreeRefusal::Path(_))), "{path:?}");
        }
        tree.insert("metadata/1.root.json", vec![1]).unwrap();
        assert!(tree.insert("metadata/1.root.json", vec![1]).is_err());
    }

    #[test]
    fn refuses_what_is_over_a_limit() {
        let mut tree = CatalogTree::new();
        assert!(tree.insert("a", vec![0; MAX_FILE_BYTES as usize + 1]).is_err());
        for n in 0..16 {
            tree.insert(&format!("f{n}"), vec![0; MAX_FILE_BYTES as usize]).unwrap();
        }
        assert!(tree.insert("one-more", vec![0]).is_err());
    }
}
