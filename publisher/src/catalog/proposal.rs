//! A proposal: the next version of a role with the signatures so far, on a branch of its own.

use pdp_policies::trust::Role;
use pdp_policies::{At, CatalogTree, Digest, Organization};
use pdp_transport::catalog::from_git;
use pdp_transport::cli::failure::{Failure, Result, internal};
use pdp_transport::cli::output::say;
use pdp_transport::git::{Change, CommitId};

use super::changes::changes;
use super::current::{ChangeArgs, Current, author};
use super::holder_change::check_file;
use super::holders::Holders;
use super::level_words::Known;
use super::merge::{is_rubbish, not_next, with_roles_above};
use super::role::{RoleFile, Targets};
use super::words::words;
use super::{PROPOSALS, clock};
use crate::keys::SigningKey;

/// What became of a proposal.
#[derive(Debug)]
pub(crate) struct Proposed {
    pub(crate) branch: String,
    pub(crate) signatures: usize,
    pub(crate) missing: usize,
    /// Nothing was written.
    dry: bool,
}

impl std::fmt::Display for Proposed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let verb = if self.dry { "would be proposed" } else { "proposed" };
        write!(f, "{verb} on `{}` with {} signature(s)", self.branch, self.signatures)?;
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

/// Proposes the next version of `role` with some targets replaced or taken out, signed with `keys`.
///
/// The same proposal again adds signatures; `other` says what becomes of another one on the same version. What it
/// changes is shown before the first signature.
pub(crate) fn propose(
    current: &Current,
    args: &ChangeArgs,
    role: Role,
    targets: &Targets,
    other: Other,
    keys: &[SigningKey],
    now: At,
) -> Result<Proposed> {
    let next = RoleFile::read(&current.tree, role)?.next(targets, now);
    propose_next(current, args, next, targets, other, keys, now)
}

/// The same for a next version that was made otherwise.
pub(crate) fn propose_next(
    current: &Current,
    args: &ChangeArgs,
    next: RoleFile,
    targets: &Targets,
    other: Other,
    keys: &[SigningKey],
    now: At,
) -> Result<Proposed> {
    let role = next.role;
    if matches!(role, Role::Root | Role::Targets) {
        check_file(&next)?;
    }
    let before = RoleFile::read(&current.tree, role)?;
    let branch = branch_of(role, next.version());
    let (base, mut file) = match open(current, &branch, role)? {
        Open::Nothing => (None, next),
        Open::File(commit, file) if file.says_what(&next) => (Some(commit), file),
        Open::File(commit, file) => {
            overtake(current, args, &branch, commit, file.signatures.len(), other)?;
            (None, next)
        }
        Open::Rubbish(commit) => {
            overtake(current, args, &branch, commit, 0, other)?;
            (None, next)
        }
    };
    let mut tree = current.tree.clone();
    for (name, content) in targets {
        let path = format!("targets/{name}");
        match content {
            Some(content) => tree.replace(&path, content.clone()).map_err(internal)?,
            None => tree.remove(&path),
        }
    }
    let (words, changes) = both(current, &before, &tree, &file, &[])?;
    say(&view(&branch, &words, &changes, &file.digest()?));
    sign_and_push(current, args, &branch, base, &mut file, targets, keys, now)
}

/// Refuses while something else is proposed on the same version, for whoever has several things to propose or none.
///
/// # Errors
/// `ProposalCollides`.
pub(crate) fn check_no_other(current: &Current, next: &RoleFile) -> Result<()> {
    let branch = branch_of(next.role, next.version());
    match open(current, &branch, next.role)? {
        Open::Nothing => Ok(()),
        Open::File(_, file) if file.says_what(next) => Ok(()),
        Open::File(..) | Open::Rubbish(_) => Err(collides(&branch)),
    }
}

/// What lies on a proposal's branch.
enum Open {
    Nothing,
    File(CommitId, RoleFile),
    /// Something that is no proposal: anybody who may push a branch can lay it there.
    Rubbish(CommitId),
}

fn open(current: &Current, branch: &str, role: Role) -> Result<Open> {
    match from_git(&current.remote, branch) {
        Ok(None) => Ok(Open::Nothing),
        Ok(Some((commit, tree))) => {
            Ok(RoleFile::read(&tree, role).map_or(Open::Rubbish(commit), |file| Open::File(commit, file)))
        }
        Err(error) if is_rubbish(error.kind) => {
            let mut there = current.remote.branches(branch)?.into_iter();
            let found = there.find(|(name, _)| name == branch);
            Ok(found.map_or(Open::Nothing, |(_, commit)| Open::Rubbish(commit)))
        }
        Err(error) => Err(error.into()),
    }
}

/// Takes an open proposal and the signatures on it away, or says why it stays: a signature must never go to anything but what its holder meant.
fn overtake(
    current: &Current,
    args: &ChangeArgs,
    branch: &str,
    commit: CommitId,
    lost: usize,
    other: Other,
) -> Result<()> {
    if other == Other::Stays {
        return Err(collides(branch));
    }
    args.push(&current.remote, branch, Some(commit), None)?;
    if args.dry.is_on() {
        return Ok(());
    }
    say(&format!(
        "◎ `{branch}` proposed something else: it is overtaken, its {lost} signature(s) are gone from there; publish this \
         one soon"
    ));
    Ok(())
}

fn collides(branch: &str) -> Failure {
    Failure::new("ProposalCollides", format!("`{branch}` proposes something else")).hint(
        "`publisher catalog proposals show` says what: `publisher catalog sign` it, or publish or drop it, then propose \
         again",
    )
}

/// What a proposal changes: in the domain's words, and value by value.
fn both(
    current: &Current,
    before: &RoleFile,
    tree: &CatalogTree,
    file: &RoleFile,
    organizations: &[Organization],
) -> Result<(Vec<String>, Vec<String>)> {
    // A level may be promoted together with its release, which lies on a branch of its own then.
    let released = match file.role {
        Role::Channels => proposed(current, Role::Releases),
        _ => None,
    };
    let trees = [Some(&current.tree), Some(tree), released.as_ref()].into_iter().flatten().collect();
    let known = Known { trees, organizations };
    Ok((words(&current.tree, before, tree, file, &known)?, changes(&current.tree, before, tree, file)?))
}

/// What lies on the branch of a role's next version; nobody has judged it.
fn proposed(current: &Current, role: Role) -> Option<CatalogTree> {
    let next = RoleFile::read(&current.tree, role).ok()?.version() + 1;
    Some(from_git(&current.remote, &branch_of(role, next)).ok()??.1)
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
    /// What it changes, as people say it.
    pub(crate) words: Vec<String>,
    /// What it changes against the current catalog, value by value.
    pub(crate) changes: Vec<String>,
}

impl Proposal {
    /// Reads one. Only what can be shown can be signed. `organizations` are looked for in audiences.
    pub(crate) fn read(current: &Current, branch: &str, organizations: &[Organization]) -> Result<Self> {
        let missing = || Failure::new("NotFound", format!("no proposal `{branch}`"));
        let role = role_of(branch).ok_or_else(missing)?;
        let (commit, tree) = from_git(&current.remote, branch)?.ok_or_else(missing)?;
        let (before, file) = (RoleFile::read(&current.tree, role)?, RoleFile::read(&tree, role)?);
        if let Some(why) = not_next(branch, before.version(), &file) {
            return Err(Failure::new("NotNext", format!("`{branch}`: {why}")).hint(
                "it is outdated, or nobody's proposal: `publisher catalog proposals drop` takes it away",
            ));
        }
        if matches!(role, Role::Root | Role::Targets) {
            check_file(&file)?;
        }
        let (words, changes) = both(current, &before, &tree, &file, organizations)?;
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
        args: &ChangeArgs,
        keys: &[SigningKey],
        now: At,
    ) -> Result<Proposed> {
        let none = Targets::new();
        sign_and_push(current, args, &self.branch, Some(self.commit), &mut self.file, &none, keys, now)
    }
}

#[expect(clippy::too_many_arguments, reason = "one place where all that a proposal is made of meets")]
fn sign_and_push(
    current: &Current,
    args: &ChangeArgs,
    branch: &str,
    base: Option<CommitId>,
    file: &mut RoleFile,
    targets: &Targets,
    keys: &[SigningKey],
    now: At,
) -> Result<Proposed> {
    clock::check(current.remote.clock(), now)?;
    let holders = Holders::of_proposal(&current.tree, file)?;
    let before = file.signatures.clone();
    // Those who will hold the role once a complete proposal above it is merged sign already: both come together.
    let incoming = Holders::of_proposal(&with_roles_above(current, file.role)?, file)?;
    file.sign([&holders, &incoming], keys)?;
    if base.is_none() || file.signatures != before {
        let mut changes = vec![Change { path: file.path(), content: Some(file.bytes()?) }];
        let new = targets.iter().filter(|(_, content)| content.is_some());
        changes.extend(
            new.map(|(name, content)| Change { path: format!("targets/{name}"), content: content.clone() }),
        );
        let message = format!("Propose {} {}\n", file.role, file.version());
        let signer = args.git.signer()?;
        let commit =
            current.remote.commit(base, &changes, &message, &author(), now.unix(), signer.as_ref())?;
        args.push(&current.remote, branch, base, Some(commit))?;
    }
    Ok(Proposed {
        branch: branch.to_owned(),
        signatures: file.signatures.len(),
        missing: holders.missing(file)?.min(incoming.missing(file)?),
        dry: args.dry.is_on(),
    })
}

/// Where the proposal of a role's version lies.
pub(crate) fn branch_of(role: Role, version: u64) -> String {
    format!("{PROPOSALS}{role}-{version}")
}

/// The role that a proposal's branch is about, none for a branch that nobody here makes.
pub(super) fn role_of(branch: &str) -> Option<Role> {
    let role: Role = branch.strip_prefix(PROPOSALS)?.rsplit_once('-')?.0.parse().ok()?;
    role.is_of_people().then_some(role)
}
