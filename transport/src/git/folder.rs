//! Fetching from a repository on this machine: one commit deep, as from a host. libgit2 itself takes the whole history
//! from a folder, and knows no other way.

use std::io::Write;

use git2::{ObjectType, Oid, PackBuilder, Repository};

use super::cache::Cache;
use super::limits::Limits;
use crate::error::{Error, Kind, Result};

/// Copies a commit and those of its files that aren't here into the cache.
///
/// # Errors
/// `TooLarge` or `RepositoryTooLarge` over a limit, `Garbage` for what can't be read, `UnsafePath` for folders in too many
/// folders, `GitRefused`.
pub(super) fn copy(folder: &str, cache: &Cache, limits: &Limits, what: &str, commit: Oid) -> Result<()> {
    let unreadable = |e: git2::Error| Error::new(Kind::Garbage, what, e.message());
    let source = Repository::open(folder).map_err(|e| Error::new(Kind::GitRefused, what, e.message()))?;
    let pack = source.packbuilder().map_err(unreadable)?;
    let mut copy = Copy {
        source: &source,
        cache,
        limits,
        what,
        pack,
        objects_left: limits.objects,
        left: limits.inflated_bytes,
    };
    let found = source.find_commit(commit).map_err(unreadable)?;
    copy.take(commit, ObjectType::Commit, limits.commit_bytes)?;
    copy.folder(found.tree_id(), limits.depth)?;
    copy.write().map_err(unreadable)?;
    let cut_off: Vec<_> = found.parent_ids().next().map(|_| commit.to_string()).into_iter().collect();
    cache.change_shallow(&cut_off, &[])
}

struct Copy<'a> {
    source: &'a Repository,
    cache: &'a Cache,
    limits: &'a Limits,
    what: &'a str,
    pack: PackBuilder<'a>,
    objects_left: u32,
    /// Bytes of all objects together.
    left: u64,
}

impl Copy<'_> {
    /// Folders are copied even if they are here: files of theirs may be missing.
    fn folder(&mut self, id: Oid, depth: usize) -> Result<()> {
        let depth = depth.checked_sub(1).ok_or_else(|| self.over("folders in folders"))?;
        self.take(id, ObjectType::Tree, self.limits.tree_bytes)?;
        let tree = self.source.find_tree(id).map_err(|e| self.unreadable(&e))?;
        for entry in &tree {
            match entry.kind() {
                Some(ObjectType::Tree) => self.folder(entry.id(), depth)?,
                Some(ObjectType::Blob) => self.take(entry.id(), ObjectType::Blob, self.limits.blob_bytes)?,
                // A submodule is refused when it is read, or lies beside what is read.
                _ => {}
            }
        }
        Ok(())
    }

    /// Notes an object, unless it is a file that is here.
    fn take(&mut self, id: Oid, kind: ObjectType, limit: u64) -> Result<()> {
        self.objects_left = self.objects_left.checked_sub(1).ok_or_else(|| self.over("number of objects"))?;
        let here = self.cache.repository.odb().is_ok_and(|odb| odb.exists(id));
        if here && kind == ObjectType::Blob {
            return Ok(());
        }
        let header = self.source.odb().and_then(|odb| odb.read_header(id));
        let (size, found) = header.map_err(|e| self.unreadable(&e))?;
        if found != kind {
            return Err(Error::new(Kind::Garbage, self.what, format!("{id} is not what its folder says")));
        }
        let size = Some(size as u64).filter(|size| *size <= limit);
        let left = size.and_then(|size| self.left.checked_sub(size));
        self.left = left.ok_or_else(|| self.over("size of an object, or of all"))?;
        self.pack.insert_object(id, None).map_err(|e| self.unreadable(&e))
    }

    fn write(&mut self) -> std::result::Result<(), git2::Error> {
        let odb = self.cache.repository.odb()?;
        let mut writer = odb.packwriter()?;
        let mut written = Ok(());
        self.pack.foreach(|piece| {
            written = writer.write_all(piece);
            written.is_ok()
        })?;
        written.map_err(|e| git2::Error::from_str(&e.to_string()))?;
        writer.commit().map(|_| ())
    }

    fn over(&self, limit: &str) -> Error {
        Error::new(self.limits.kind, self.what, format!("the repository is larger than it may be: {limit}"))
    }

    fn unreadable(&self, error: &git2::Error) -> Error {
        Error::new(Kind::Garbage, self.what, format!("an object can't be read: {}", error.message()))
    }
}
