//! A proposal: the next version of a role with the signatures so far, on a branch of its own.

use pdp_policies::trust::Role;
use pdp_policies::{At, CatalogTree, Digest, Organization};
use pdp_transport::catalog::from_git;
use pdp_transport::cli::failure::{Failure, Result, internal};
use pdp_transport::cli::output::say;
use pdp_transport::git::{Change, CommitId};

use super::changes::changes;
use super::clock;
use super::current::{ChangeArgs, Current, author};
use super::holder_change::check_file;
use super::holders::Holders;
use super::laid::{Laid, Place, free_name, laid, laid_next, may_lie_beside};
use super::level_words::Known;
use super::meanwhile::{OnTop, on_top};
use super::merge::{not_next, with_roles_above};
use super::role::{RoleFile, Targets};
use super::words::words;
use crate::keys::SigningKey;

/// So often a proposal is tried while others push in the same moment.
const MOST_TRIES: u32 = 5;

/// What became of a proposal.
#[derive(Debug)]
pub(crate) struct Proposed {
    pub(crate) branch: String,
    pub(crate) signatures: usize,
    pub(crate) missing: usize,
    /// What lies on the branch.
    pub(super) commit: CommitId,
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

/// What happens to open proposals on the same version that say something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Other {
    /// They stay, and the new one lies beside them.
    Stays,
    /// They are overtaken: their signatures are gone. For what stops or takes back, which must not wait for a colleague.
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

/// The same for a next version that was made otherwise. Others who propose or publish in the same moment are looked for
/// again: what is outdated when it comes is proposed on top of what they published.
pub(crate) fn propose_next(
    current: &Current,
    args: &ChangeArgs,
    next: RoleFile,
    targets: &Targets,
    other: Other,
    keys: &[SigningKey],
    now: At,
) -> Result<Proposed> {
    if matches!(next.role, Role::Root | Role::Targets) {
        check_file(&next)?;
    }
    let (mut tries, mut newest) = (0, None::<OnTop>);
    loop {
        tries += 1;
        let (on, next, targets) = match &newest {
            Some(it) => (&it.current, &it.next, &it.targets),
            None => (current, &next, targets),
        };
        let proposed = match propose_once(on, args, next.clone(), targets, other, keys, now) {
            Err(failure) if failure.code == "BranchMoved" && tries < MOST_TRIES => {
                say("◎ somebody else proposed in the same moment: looked again");
                continue;
            }
            done => done?,
        };
        match on_top(on, args, &proposed, next, targets, now)? {
            None => return Ok(proposed),
            Some(_) if tries >= MOST_TRIES => return Err(overrun(next.role)),
            moved => newest = moved,
        }
    }
}

fn overrun(role: Role) -> Failure {
    Failure::new("BranchMoved", format!("`{role}` was published by others {MOST_TRIES} times meanwhile"))
        .cause("each time the proposal was outdated when it came, and nothing of it stays")
        .hint("run the command again")
}

fn propose_once(
    current: &Current,
    args: &ChangeArgs,
    next: RoleFile,
    targets: &Targets,
    other: Other,
    keys: &[SigningKey],
    now: At,
) -> Result<Proposed> {
    let before = RoleFile::read(&current.tree, next.role)?;
    let Spot { branch, base, expected, mut file, overtaken } = place(current, next, other)?;
    let tree = with_targets(&current.tree, targets)?;
    let (words, changes) = both(current, &before, &tree, &file, &[])?;
    say(&view(&branch, &words, &changes, &file.digest()?));
    let onto = Onto { branch: &branch, base, expected };
    let proposed = sign_and_push(current, args, &onto, &mut file, targets, keys, now)?;
    // Only once the brake lies there: nothing is lost over one that nobody could sign.
    overtaken.iter().for_each(|it| overtake(current, args, it, &branch));
    Ok(proposed)
}

/// A tree with some targets replaced or taken out.
pub(super) fn with_targets(tree: &CatalogTree, targets: &Targets) -> Result<CatalogTree> {
    let mut tree = tree.clone();
    for (name, content) in targets {
        let path = format!("targets/{name}");
        match content {
            Some(content) => tree.replace(&path, content.clone()).map_err(internal)?,
            None => tree.remove(&path),
        }
    }
    Ok(tree)
}

/// Where the next version of a role goes.
struct Spot {
    branch: String,
    /// The commit that it goes on from.
    base: Option<CommitId>,
    /// Where the branch is.
    expected: Option<CommitId>,
    file: RoleFile,
    /// What it takes away once it lies there.
    overtaken: Vec<Laid>,
}

/// To the one that says the same, or beside the others, or in their place.
fn place(current: &Current, next: RoleFile, other: Other) -> Result<Spot> {
    let mut others = laid(current, next.role, next.version())?;
    if let Some(same) = others.iter().position(|it| it.file().is_some_and(|file| file.says_what(&next))) {
        let same = others.swap_remove(same);
        let file = same.found.map_or(next, |(file, _)| file);
        let base = Some(same.commit);
        return Ok(Spot { branch: same.branch, base, expected: base, file, overtaken: Vec::new() });
    }
    may_lie_beside(current, next.role, &others)?;
    match other {
        Other::Stays => {
            tell_beside(current, &others);
            let branch = free_name(others.iter().map(|it| it.branch.as_str()), &next)?;
            Ok(Spot { branch, base: None, expected: None, file: next, overtaken: Vec::new() })
        }
        Other::IsOvertaken => {
            let branch = free_name(std::iter::empty(), &next)?;
            let expected = others.iter().find(|it| it.branch == branch).map(|it| it.commit);
            Ok(Spot { branch, base: None, expected, file: next, overtaken: others })
        }
    }
}

fn tell_beside(current: &Current, others: &[Laid]) {
    for it in others.iter().filter(|it| it.is_signed(current)) {
        say(&format!(
            "◎ `{}` is open, too: sign that one instead if it says the same (`publisher catalog proposals show`); of both, \
             the one that is published later is proposed again then",
            it.branch
        ));
    }
}

/// Refuses while something that can't have it beside itself is proposed on the same version, for whoever has several
/// things to propose or none.
///
/// # Errors
/// `ProposalCollides`.
pub(crate) fn check_no_other(current: &Current, next: &RoleFile) -> Result<()> {
    let others = laid(current, next.role, next.version())?;
    if others.iter().any(|it| it.file().is_some_and(|file| file.says_what(next))) {
        return Ok(());
    }
    may_lie_beside(current, next.role, &others)
}

/// Takes an open proposal and the signatures on it away: the next version is that of the brake on `by`, which may lie on the
/// same branch. One that stays is no obstacle: the brake goes first.
fn overtake(current: &Current, args: &ChangeArgs, other: &Laid, by: &str) {
    let (branch, lost) = (&other.branch, other.file().map_or(0, |file| file.signatures.len()));
    let gone = match branch == by {
        true => Ok(()),
        false => args.push(&current.remote, branch, Some(other.commit), None),
    };
    match gone {
        _ if args.dry.is_on() => {}
        Ok(()) => say(&format!(
            "◎ `{branch}` proposed something else: it is overtaken, its {lost} signature(s) are gone from there; publish \
             this one soon"
        )),
        Err(failure) => say(&format!(
            "⚠ `{branch}` proposes something else and stays there ({}): publish this one first",
            failure.code
        )),
    }
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
        Role::Channels => laid_next(current, Role::Releases).unwrap_or_default(),
        _ => Vec::new(),
    };
    let trees = [&current.tree, tree].into_iter().chain(released.iter().filter_map(Laid::tree)).collect();
    let known = Known { trees, organizations };
    Ok((words(&current.tree, before, tree, file, &known)?, changes(&current.tree, before, tree, file)?))
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
        let place = Place::of(branch).ok_or_else(missing)?;
        let role = place.role;
        let (commit, tree) = from_git(&current.remote, branch)?.ok_or_else(missing)?;
        let (before, file) = (RoleFile::read(&current.tree, role)?, RoleFile::read(&tree, role)?);
        if let Some(why) = not_next(&place, before.version(), &file)? {
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

    /// Refuses to have it signed beside another one of who holds what; says which brake goes before it.
    ///
    /// # Errors
    /// `ProposalCollides`.
    pub(crate) fn check_beside(&self, current: &Current) -> Result<()> {
        let mut others = laid(current, self.file.role, self.file.version())?;
        others.retain(|it| it.branch != self.branch);
        match (self.file.role, may_lie_beside(current, self.file.role, &others)) {
            (Role::Channels, Err(brake)) => say(&format!(
                "⚠ {}, STOPS something and goes first: what is signed here has to be signed again then",
                brake.what
            )),
            (_, alone) => alone?,
        }
        Ok(())
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
        sign_and_push(current, args, &Onto::on(&self.branch, self.commit), &mut self.file, &none, keys, now)
    }
}

/// A branch, and what is done to it.
pub(super) struct Onto<'a> {
    branch: &'a str,
    /// The commit that the next one goes on from.
    base: Option<CommitId>,
    /// Where the branch is; it isn't pushed to if it is elsewhere.
    expected: Option<CommitId>,
}

impl<'a> Onto<'a> {
    /// A branch that isn't there yet.
    pub(super) fn new(branch: &'a str) -> Self {
        Self { branch, base: None, expected: None }
    }

    fn on(branch: &'a str, commit: CommitId) -> Self {
        Self { branch, base: Some(commit), expected: Some(commit) }
    }
}

fn sign_and_push(
    current: &Current,
    args: &ChangeArgs,
    onto: &Onto<'_>,
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
    let commit = match onto.base {
        Some(base) if file.signatures == before => base,
        _ => lay(current, args, onto, file, targets, now)?,
    };
    Ok(Proposed {
        branch: onto.branch.to_owned(),
        signatures: file.signatures.len(),
        missing: holders.missing(file)?.min(incoming.missing(file)?),
        commit,
        dry: args.dry.is_on(),
    })
}

/// Writes a proposal with the signatures so far to its branch.
pub(super) fn lay(
    current: &Current,
    args: &ChangeArgs,
    onto: &Onto<'_>,
    file: &RoleFile,
    targets: &Targets,
    now: At,
) -> Result<CommitId> {
    let mut changes = vec![Change { path: file.path(), content: Some(file.bytes()?) }];
    let new = targets.iter().filter(|(_, content)| content.is_some());
    changes.extend(
        new.map(|(name, content)| Change { path: format!("targets/{name}"), content: content.clone() }),
    );
    let message = format!("Propose {} {}\n", file.role, file.version());
    let signer = args.git.signer()?;
    let commit =
        current.remote.commit(onto.base, &changes, &message, &author(), now.unix(), signer.as_ref())?;
    args.push(&current.remote, onto.branch, onto.expected, Some(commit))?;
    Ok(commit)
}
