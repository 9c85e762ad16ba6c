//! Reading files out of a commit: each object's size is asked for before it is read.

use git2::{ObjectType, Oid, Repository};

use super::limits::Limits;
use crate::error::{Error, Kind, Result};

/// Reads one folder of one commit.
pub(super) struct Walk<'a> {
    pub(super) repository: &'a Repository,
    pub(super) limits: &'a Limits,
    /// For errors.
    pub(super) what: &'a str,
    /// Bytes that all files may still have.
    pub(super) left: u64,
    /// Files and folders that may still be looked at.
    pub(super) entries_left: usize,
}

/// Files by their path.
type Files = Vec<(String, Vec<u8>)>;

impl<'a> Walk<'a> {
    /// All files below `prefix`, empty if there is no such folder.
    pub(super) fn files(&mut self, commit: Oid, prefix: &str) -> Result<Files> {
        self.sized(commit, ObjectType::Commit, self.limits.commit_bytes, "its commit")?;
        let commit = self.repository.find_commit(commit).map_err(|e| self.broken(&e))?;
        let mut tree = commit.tree_id();
        for name in prefix.split('/').filter(|name| !name.is_empty()) {
            let found = self.tree(tree, prefix)?.get_name(name).map(|entry| (entry.id(), entry.kind()));
            match found {
                Some((id, Some(ObjectType::Tree))) => tree = id,
                Some(_) => return Err(self.unsafe_path(prefix)),
                None => return Ok(Vec::new()),
            }
        }
        let mut found = Vec::new();
        self.folder(tree, "", self.limits.depth, &mut found)?;
        Ok(found)
    }

    fn folder(&mut self, tree: Oid, prefix: &str, depth: usize, found: &mut Files) -> Result<()> {
        let depth =
            depth.checked_sub(1).ok_or_else(|| self.too_large(prefix, "too many folders in folders"))?;
        let tree = self.tree(tree, prefix)?;
        self.entries_left = self
            .entries_left
            .checked_sub(tree.len())
            .ok_or_else(|| self.too_large(prefix, "too many files"))?;
        for entry in &tree {
            let name = String::from_utf8_lossy(entry.name_bytes()).into_owned();
            let path = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
            let plain = matches!(entry.filemode(), 0o100_644 | 0o100_755 | 0o100_664 | 0o040_000);
            if !plain || !pdp_policies::is_safe(&path) {
                return Err(self.unsafe_path(&path));
            }
            if entry.filemode() == 0o040_000 {
                self.folder(entry.id(), &path, depth, found)?;
            } else {
                let content = self.file(entry.id(), &path)?;
                found.push((path, content));
            }
        }
        Ok(())
    }

    fn tree(&self, id: Oid, path: &str) -> Result<git2::Tree<'a>> {
        self.sized(id, ObjectType::Tree, self.limits.tree_bytes, path)?;
        self.repository.find_tree(id).map_err(|e| self.broken(&e))
    }

    fn file(&mut self, id: Oid, path: &str) -> Result<Vec<u8>> {
        let size = self.sized(id, ObjectType::Blob, self.limits.blob_bytes, path)?;
        self.left = self.left.checked_sub(size).ok_or_else(|| self.too_large(path, "too large"))?;
        let blob = self.repository.find_blob(id).map_err(|e| self.broken(&e))?;
        Ok(blob.content().to_vec())
    }

    /// The size of an object of this kind; nothing of it is read.
    fn sized(&self, id: Oid, kind: ObjectType, limit: u64, path: &str) -> Result<u64> {
        let header = self.repository.odb().and_then(|odb| odb.read_header(id));
        let (size, found) = header.map_err(|e| self.broken(&e))?;
        if found != kind {
            let cause = format!("`{}` is not what its folder says", path.escape_default());
            return Err(Error::new(Kind::Garbage, self.what, cause));
        }
        if size as u64 > limit {
            return Err(self.too_large(path, "too large"));
        }
        Ok(size as u64)
    }

    fn too_large(&self, path: &str, how: &str) -> Error {
        Error::new(Kind::TooLarge, self.what, format!("{how} at `{}`", path.escape_default()))
    }

    fn unsafe_path(&self, path: &str) -> Error {
        let cause = format!("`{}` is a link, a submodule or oddly named", path.escape_default());
        Error::new(Kind::UnsafePath, self.what, cause)
    }

    fn broken(&self, error: &git2::Error) -> Error {
        Error::new(Kind::Garbage, self.what, format!("an object is missing or broken: {}", error.message()))
    }
}
