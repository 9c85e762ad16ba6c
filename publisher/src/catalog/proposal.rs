//! A proposal: the next version of a role with the signatures so far, on a branch of its own.

use std::collections::BTreeMap;

use pdp_policies::trust::Role;
use pdp_policies::{At, CatalogTree, Digest};
use pdp_transport::catalog::from_git;
use pdp_transport::cli::failure::{Failure, Result, internal};
use pdp_transport::cli::output::say;
use pdp_transport::git::{Change, CommitId};

use super::PROPOSALS;
use super::changes::changes;
use super::current::{Current, GitArgs, author};
use super::holders::Holders;
use super::role::RoleFile;
use super::words::words;
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

/// What happens to an open proposal on the same version that says something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Other {
    /// It stays, and the new one collides with it.
    Stays,
    /// It is overtaken: its signatures are gone. For what stops or takes back, which must not wait for a colleague.
    IsOvertaken,
}

/// Proposes the next version of `role` with some targets replaced, signed with `keys`.
///
/// The same proposal again adds signatures; `other` says what becomes of another one on the same version. What it
/// changes is shown before the first signature.
pub(crate) fn propose(
    current: &Current,
    git: &GitArgs,
    role: Role,
    targets: &BTreeMap<String, Vec<u8>>,
    other: Other,
    keys: &[SigningKey],
    now: At,
) -> Result<Proposed> {
    let before = RoleFile::read(&current.tree, role)?;
    let next = before.next(targets, now);
    let branch = format!("{PROPOSALS}{role}-{}", next.version());
    let (base, mut file) = match from_git(&current.remote, &branch)? {
        None => (None, next),
        Some((commit, tree)) => (Some(commit), joined(&branch, RoleFile::read(&tree, role)?, next, other)?),
    };
    if file.signatures.is_empty() {
        let mut tree = current.tree.clone();
        for (name, content) in targets {
            tree.replace(&format!("targets/{name}"), content.clone()).map_err(internal)?;
        }
        let (words, changes) = both(&current.tree, &before, &tree, &file)?;
        say(&view(&branch, &words, &changes, &file.digest()?));
    }
    sign_and_push(current, git, &branch, base, &mut file, targets, keys, now)
}

/// An open proposal counts as the same when it says the same: a signature must never go to anything else.
fn joined(branch: &str, open: RoleFile, next: RoleFile, other: Other) -> Result<RoleFile> {
    if open.says_what(&next) {
        return Ok(open);
    }
    if other == Other::IsOvertaken {
        let lost = open.signatures.len();
        say(&format!(
            "◎ `{branch}` proposed something else: it is overtaken, its {lost} signature(s) are gone"
        ));
        return Ok(next);
    }
    Err(Failure::new("ProposalCollides", format!("`{branch}` proposes something else"))
        .hint("`publisher catalog proposals show` says what; publish or drop that proposal first, then propose again"))
}

/// What a proposal changes: in the domain's words, and value by value.
fn both(
    current: &CatalogTree,
    before: &RoleFile,
    tree: &CatalogTree,
    file: &RoleFile,
) -> Result<(Vec<String>, Vec<String>)> {
    Ok((words(current, tree, file), changes(current, before, tree, file)?))
}

fn view(branch: &str, words: &[String], changes: &[String], digest: &Digest) -> String {
    let mut lines = vec![format!("`{branch}`, {digest}:")];
    lines.extend(words.iter().map(|line| format!("  {line}")));
    lines.extend(changes.iter().cloned());
    lines.join("\n")
}

/// An open proposal, as it lies on its branch.
pub(crate) struct Proposal {
    branch: String,
    commit: CommitId,
    file: RoleFile,
    /// Names what a signature would stand for.
    pub(crate) digest: Digest,
    /// What it changes in the channels, as people say it.
    pub(crate) words: Vec<String>,
    /// What it changes against the current catalog, value by value.
    pub(crate) changes: Vec<String>,
}

impl Proposal {
    /// Reads one. Only what can be shown can be signed.
    pub(crate) fn read(current: &Current, branch: &str) -> Result<Self> {
        let missing = || Failure::new("NotFound", format!("no proposal `{branch}`"));
        let role = role_of(branch).ok_or_else(missing)?;
        let (commit, tree) = from_git(&current.remote, branch)?.ok_or_else(missing)?;
        let (before, file) = (RoleFile::read(&current.tree, role)?, RoleFile::read(&tree, role)?);
        let (words, changes) = both(&current.tree, &before, &tree, &file)?;
        let digest = file.digest()?;
        Ok(Self { branch: branch.to_owned(), commit, file, digest, words, changes })
    }

    /// All that a person has to see before signing.
    pub(crate) fn shown(&self) -> String {
        view(&self.branch, &self.words, &self.changes, &self.digest)
    }

    /// How many have signed; nobody has checked them.
    pub(crate) fn signatures(&self) -> usize {
        self.file.signatures.len()
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
    let holders = Holders::of_proposal(&current.tree, file)?;
    let before = file.signatures.len();
    file.sign(&holders, keys)?;
    if base.is_none() || before == 0 || file.signatures.len() > before {
        let mut changes = vec![Change { path: file.path(), content: Some(file.bytes()?) }];
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

/// The role that a proposal's branch is about, none for a branch that nobody here makes.
pub(super) fn role_of(branch: &str) -> Option<Role> {
    let role: Role = branch.strip_prefix(PROPOSALS)?.rsplit_once('-')?.0.parse().ok()?;
    role.is_of_people().then_some(role)
}
