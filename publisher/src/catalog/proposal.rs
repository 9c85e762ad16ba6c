//! A proposal: the next version of a role with the signatures so far, on a branch of its own.

use std::collections::BTreeMap;

use pdp_policies::At;
use pdp_transport::catalog::from_git;
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::git::{Change, CommitId};

use super::PROPOSALS;
use super::changes::changes;
use super::current::{Current, GitArgs, author};
use super::role::{Holders, RoleFile};
use crate::keys::SigningKey;

/// What became of a proposal.
#[derive(Debug)]
pub(crate) struct Proposed {
    pub(crate) branch: String,
    pub(crate) signatures: usize,
    pub(crate) missing: usize,
}

impl std::fmt::Display for Proposed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "proposed on `{}` with {} signature(s)", self.branch, self.signatures)?;
        match self.missing {
            0 => write!(f, "; `publisher catalog publish` makes it visible"),
            n => write!(f, "; {n} more needed: `publisher catalog sign {}`", self.branch),
        }
    }
}

/// Proposes the next version of `role` with some targets replaced, signed with `keys`.
///
/// The same proposal again adds signatures; another one on the same version collides.
pub(crate) fn propose(
    current: &Current,
    git: &GitArgs,
    role: &str,
    targets: &BTreeMap<String, Vec<u8>>,
    keys: &[SigningKey],
    now: At,
) -> Result<Proposed> {
    let next = RoleFile::read(&current.tree, role)?.next(targets, now);
    let branch = format!("{PROPOSALS}{role}-{}", next.version());
    let (base, mut file) = match from_git(&current.remote, &branch)? {
        None => (None, next),
        Some((commit, tree)) => (Some(commit), same(&branch, RoleFile::read(&tree, role)?, &next)?),
    };
    sign_and_push(current, git, &branch, base, &mut file, targets, keys, now)
}

/// An open proposal counts as the same when it says the same: a signature must never go to anything else.
fn same(branch: &str, open: RoleFile, next: &RoleFile) -> Result<RoleFile> {
    if open.says_what(next) {
        return Ok(open);
    }
    Err(Failure::new("ProposalCollides", format!("`{branch}` proposes something else"))
        .hint("publish or delete that proposal first, then propose again"))
}

/// An open proposal, as it lies on its branch.
pub(crate) struct Proposal {
    branch: String,
    commit: CommitId,
    file: RoleFile,
    /// What it changes against the current catalog, in lines for people.
    pub(crate) changes: Vec<String>,
}

impl Proposal {
    /// Reads one. Only what can be shown can be signed.
    pub(crate) fn read(current: &Current, branch: &str) -> Result<Self> {
        let missing = || Failure::new("NotFound", format!("no proposal `{branch}`"));
        let role =
            branch.strip_prefix(PROPOSALS).and_then(|rest| rest.rsplit_once('-')).ok_or_else(missing)?.0;
        let (commit, tree) = from_git(&current.remote, branch)?.ok_or_else(missing)?;
        let (before, file) = (RoleFile::read(&current.tree, role)?, RoleFile::read(&tree, role)?);
        let changes = changes(&current.tree, &before, &tree, &file)?;
        Ok(Self { branch: branch.to_owned(), commit, file, changes })
    }

    /// Adds signatures.
    pub(crate) fn sign(
        mut self,
        current: &Current,
        git: &GitArgs,
        keys: &[SigningKey],
        now: At,
    ) -> Result<Proposed> {
        let none = BTreeMap::new();
        sign_and_push(current, git, &self.branch, Some(self.commit), &mut self.file, &none, keys, now)
    }
}

#[expect(clippy::too_many_arguments, reason = "one place where all that a proposal is made of meets")]
fn sign_and_push(
    current: &Current,
    git: &GitArgs,
    branch: &str,
    base: Option<CommitId>,
    file: &mut RoleFile,
    targets: &BTreeMap<String, Vec<u8>>,
    keys: &[SigningKey],
    now: At,
) -> Result<Proposed> {
    let holders = Holders::of(&current.tree, &root(current)?, &file.role)?;
    let before = file.signatures.len();
    file.sign(&holders, keys)?;
    if base.is_none() || file.signatures.len() > before {
        let mut changes = vec![Change { path: RoleFile::path(&file.role), content: Some(file.bytes()?) }];
        changes.extend(targets.iter().map(|(name, content)| Change {
            path: format!("targets/{name}"),
            content: Some(content.clone()),
        }));
        let message = format!("Propose {} {}\n", file.role, file.version());
        let signer = git.signer()?;
        let commit =
            current.remote.commit(base, &changes, &message, &author(), now.unix(), signer.as_ref())?;
        current.remote.push(branch, base, Some(commit))?;
    }
    Ok(Proposed {
        branch: branch.to_owned(),
        signatures: file.signatures.len(),
        missing: holders.missing(file)?,
    })
}

/// The newest root of a judged catalog.
pub(crate) fn root(current: &Current) -> Result<Vec<u8>> {
    let roots = current.tree.iter().filter_map(|(path, bytes)| {
        let version: u64 = path.strip_prefix("metadata/")?.strip_suffix(".root.json")?.parse().ok()?;
        Some((version, bytes.to_vec()))
    });
    let newest = roots.max_by_key(|(version, _)| *version);
    newest.map(|(_, bytes)| bytes).ok_or_else(|| Failure::new("Unreadable", "the catalog holds no root"))
}
