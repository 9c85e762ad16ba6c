//! Signing freshness and pushing the catalog branch by compare-and-swap.

use std::collections::BTreeMap;

use pdp_policies::trust::{Catalog, Floors, Role, Verified, metadata};
use pdp_policies::{At, CatalogTree};
use pdp_transport::cli::failure::{Failure, Result, internal};
use pdp_transport::git::{Change, CommitId, Remote};

use super::current::{ChangeArgs, Current, author, judge};
use super::holders::Holders;
use super::role::life;
use super::{BRANCH, clock};
use crate::keys::SigningKey;

/// The keys of snapshot and timestamp.
pub(crate) struct Online<'a> {
    pub(crate) snapshot: &'a SigningKey,
    pub(crate) timestamp: &'a SigningKey,
}

impl<'a> Online<'a> {
    /// Picks the two among the given keys; the tree's newest root says which they are.
    pub(crate) fn pick(tree: &CatalogTree, keys: &'a [SigningKey]) -> Result<Self> {
        let pick = |role: Role| {
            let holders = Holders::of(tree, role)?;
            keys.iter().find(|key| holders.has(key)).ok_or_else(|| {
                Failure::new("KeyWithoutRole", format!("no given key holds the role `{role}`"))
                    .hint("give the keys of snapshot and timestamp with --key")
            })
        };
        Ok(Self { snapshot: pick(Role::Snapshot)?, timestamp: pick(Role::Timestamp)? })
    }

    /// Signs snapshot and timestamp over the tree as it is. Their versions are `now` in Unix seconds.
    pub(crate) fn sign(&self, tree: &mut CatalogTree, now: At) -> Result<()> {
        let mut files = BTreeMap::new();
        for role in [Role::Targets, Role::Releases, Role::Channels] {
            let path = format!("metadata/{role}.json");
            let missing = || Failure::new("Unreadable", format!("the catalog has no {path}"));
            files.insert(format!("{role}.json"), tree.get(&path).ok_or_else(missing)?.to_vec());
        }
        let expires = now.plus(life(Role::Timestamp));
        let snapshot = metadata::snapshot(now, expires, &files).map_err(internal)?;
        let signatures = signed_by(tree, Role::Snapshot, &snapshot, self.snapshot)?;
        let snapshot = metadata::envelope(&snapshot, &signatures).map_err(internal)?;
        let timestamp = metadata::timestamp(now, expires, &snapshot).map_err(internal)?;
        let signatures = signed_by(tree, Role::Timestamp, &timestamp, self.timestamp)?;
        let timestamp = metadata::envelope(&timestamp, &signatures).map_err(internal)?;
        tree.replace("metadata/snapshot.json", snapshot).map_err(internal)?;
        tree.replace("metadata/timestamp.json", timestamp).map_err(internal)
    }
}

/// A signature under each id that the tree's newest root lists the key with.
fn signed_by(
    tree: &CatalogTree,
    role: Role,
    signed: &serde_json::Value,
    key: &SigningKey,
) -> Result<BTreeMap<String, Vec<u8>>> {
    let signature = key.sign(&metadata::signing_bytes(signed).map_err(internal)?)?;
    Ok(Holders::of(tree, role)?.ids(key).into_iter().map(|id| (id, signature.clone())).collect())
}

/// A new catalog that was read back as a PDP would.
pub(crate) struct ReadBack {
    pub(crate) tree: CatalogTree,
    pub(crate) catalog: Verified<Catalog>,
}

/// Reads a new catalog back as a PDP would.
pub(crate) fn read_back(current: &Current, tree: CatalogTree, now: At) -> Result<ReadBack> {
    let (catalog, _) = judge(tree.clone(), &current.floors, now)?;
    Ok(ReadBack { tree, catalog })
}

/// Moves the branch to what was read back. Nothing half done is ever visible.
pub(crate) fn push(
    current: &Current,
    args: &ChangeArgs,
    new: &ReadBack,
    message: &str,
    now: At,
) -> Result<CommitId> {
    clock::check(current.remote.clock(), now)?;
    let tree = &new.tree;
    let changed = tree.iter().filter(|(path, content)| current.tree.get(path) != Some(*content));
    let gone = current.tree.iter().map(|(path, _)| path).filter(|path| tree.get(path).is_none());
    let files = changed.map(|(path, content)| (path, Some(content))).chain(gone.map(|path| (path, None)));
    write(&current.remote, args, Some(current.commit), files, message, now)
}

/// Pushes the first catalog of all, which the branch must not hold yet.
pub(crate) fn first_push(
    remote: &Remote,
    args: &ChangeArgs,
    tree: &CatalogTree,
    root: Vec<u8>,
    now: At,
) -> Result<CommitId> {
    judge(tree.clone(), &Floors::new(root), now)?;
    let files = tree.iter().map(|(path, content)| (path, Some(content)));
    write(remote, args, None, files, "The first catalog\n", now)
}

fn write<'a>(
    remote: &Remote,
    args: &ChangeArgs,
    base: Option<CommitId>,
    files: impl Iterator<Item = (&'a str, Option<&'a [u8]>)>,
    message: &str,
    now: At,
) -> Result<CommitId> {
    let changes: Vec<_> = files
        .map(|(path, content)| Change { path: path.to_owned(), content: content.map(<[u8]>::to_vec) })
        .collect();
    let signer = args.git.signer()?;
    let commit = remote.commit(base, &changes, message, &author(), now.unix(), signer.as_ref())?;
    args.push(remote, BRANCH, base, Some(commit))?;
    Ok(commit)
}
