//! Which proposals are ready: on the current version, with enough signatures.

use std::collections::BTreeMap;

use pdp_policies::CatalogTree;
use pdp_policies::trust::Role;
use pdp_transport::Kind;
use pdp_transport::catalog::from_git;
use pdp_transport::cli::failure::{Result, internal};
use pdp_transport::git::CommitId;

use super::PROPOSALS;
use super::brake::{holds_others, is_brake, why_behind};
use super::current::Current;
use super::holders::Holders;
use super::laid::Place;
use super::pruned;
use super::role::RoleFile;

/// One open proposal.
#[derive(Clone)]
pub(crate) struct Pending {
    pub(crate) branch: String,
    pub(crate) commit: CommitId,
    /// None for a branch about no role of people.
    pub(crate) role: Option<Role>,
    pub(crate) tree: CatalogTree,
    /// Why it can't be merged, none if it can.
    pub(crate) obstacle: Option<String>,
    /// Another proposal of its version goes first: that alone is in its way.
    behind: bool,
    /// It stops something that runs: it goes before others of its version.
    pub(crate) brake: bool,
    /// It is a brake that others of its version wait for, also while it isn't whole.
    holds: bool,
}

/// All open proposals, in the order in which they are merged: who holds a role is decided before what it says.
pub(crate) fn pending(current: &Current) -> Result<Vec<Pending>> {
    let mut found = read(current, |_, _| true)?;
    judge_all(&current.tree, &mut found);
    Ok(found)
}

/// What was laid or signed since others were read, not judged.
pub(super) fn laid_since(current: &Current, read_before: &[(String, CommitId)]) -> Result<Vec<Pending>> {
    let is_new = |branch: &str, commit| !read_before.iter().any(|it| it.0 == branch && it.1 == commit);
    let mut found = read(current, is_new)?;
    for it in &mut found {
        it.obstacle.get_or_insert_with(|| "it was laid or signed there meanwhile: publish again".to_owned());
    }
    Ok(found)
}

/// The proposals on some branches, in that order, not judged. What can't be read has its obstacle already.
fn read(current: &Current, on: impl Fn(&str, CommitId) -> bool) -> Result<Vec<Pending>> {
    let mut found = Vec::new();
    for (branch, listed) in current.remote.branches(PROPOSALS)?.into_iter().filter(|it| on(&it.0, it.1)) {
        let place = Place::of(&branch);
        // Anyone who may push a branch can propose nonsense; it must not keep others from publishing.
        let (commit, tree, obstacle) = match from_git(&current.remote, &branch) {
            Ok(None) => continue,
            Ok(Some((commit, tree))) => (commit, tree, None),
            Err(error) if is_rubbish(error.kind) => (listed, CatalogTree::new(), Some(error.to_string())),
            Err(error) => return Err(error.into()),
        };
        let (brake, holds) = place.as_ref().map_or((false, false), |place| brakes(current, place, &tree));
        let role = place.map(|place| place.role);
        found.push(Pending { branch, commit, role, tree, obstacle, behind: false, brake, holds });
    }
    // Of one role brakes come first, then the names, which no one can choose but by what is proposed.
    found.sort_by_key(|it| (it.role.is_none(), it.role, !it.brake));
    Ok(found)
}

/// Whether it is a brake, and whether others of its version wait for it.
fn brakes(current: &Current, place: &Place, tree: &CatalogTree) -> (bool, bool) {
    let (file, now) = (RoleFile::read(tree, place.role), RoleFile::read(&current.tree, place.role));
    let (Ok(file), Ok(now)) = (file, now) else { return (false, false) };
    let is_next = matches!(not_next(place, now.version(), &file), Ok(None));
    (is_brake(current, &file, tree), is_next && holds_others(current, &file, tree))
}

/// Finds every obstacle. A change of holders that leaves a role below without enough of them waits for that role.
fn judge_all(tree: &CatalogTree, proposals: &mut [Pending]) {
    let unreadable = proposals.iter().filter(|it| !it.behind);
    let unreadable = unreadable.filter_map(|it| Some((it.branch.clone(), it.obstacle.clone()?)));
    let mut left_out: BTreeMap<_, _> = unreadable.collect();
    loop {
        let (mut merged, mut taken) = (tree.clone(), BTreeMap::new());
        let held_by = proposals.iter().find(|it| it.holds).map(|it| it.branch.clone());
        for proposal in proposals.iter_mut() {
            let known = left_out.get(&proposal.branch).cloned();
            let found = known.map_or_else(|| proposal.found_obstacle(tree, &merged), |why| Ok(Some(why)));
            proposal.obstacle = found.unwrap_or_else(|failure| Some(failure.what));
            proposal.take_turn(&mut taken, held_by.as_deref());
            if proposal.obstacle.is_none()
                && let Err(failure) = proposal.apply(&mut merged)
            {
                proposal.obstacle = Some(failure.what);
            }
        }
        let half = || pruned::half_done(tree, &merged, proposals);
        let Some((branch, why)) = strands(&merged, proposals).or_else(half) else { return };
        // What is whole and can't be published must not hold what may be in its way.
        proposals.iter_mut().filter(|it| it.branch == branch).for_each(|it| it.holds = false);
        left_out.insert(branch, why);
    }
}

/// A proposal that is ready and that would leave a role without enough signatures of those who hold it then.
fn strands(merged: &CatalogTree, proposals: &[Pending]) -> Option<(String, String)> {
    for (role, above) in
        [(Role::Targets, Role::Root), (Role::Releases, Role::Targets), (Role::Channels, Role::Targets)]
    {
        let ready = |it: &&Pending| it.role == Some(above) && it.obstacle.is_none();
        let Some(parent) = proposals.iter().find(ready) else { continue };
        if let Ok(missing @ 1..) = lacking(merged, role) {
            let why = format!(
                "`{role}` would lack {missing} signature(s) of those who hold it then: they sign \
                 `publisher catalog renew {role}`, and both are published together"
            );
            return Some((parent.branch.clone(), why));
        }
    }
    None
}

/// How many signatures a role lacks of those who hold it in this tree.
pub(crate) fn lacking(tree: &CatalogTree, role: Role) -> Result<usize> {
    Holders::of(tree, role)?.missing(&RoleFile::read(tree, role)?)
}

/// Why a proposal isn't the next version of its role, or isn't the one that its branch names.
pub(super) fn not_next(place: &Place, now: u64, file: &RoleFile) -> Result<Option<String>> {
    let (version, next) = (file.version(), now + 1);
    Ok(if version != next {
        Some(format!("it is version {version}, but {next} is next"))
    } else if place.version != version {
        Some(format!("it is version {version}, which its branch doesn't name"))
    } else {
        (!place.fits(file)?).then(|| "it isn't what its branch names: it was changed there".to_owned())
    })
}

/// Leaves proposals out, and judges the others anew.
pub(crate) fn leave_out(
    current: &Current,
    proposals: &mut [Pending],
    out: impl Fn(&Pending) -> bool,
    why: &str,
) {
    for it in proposals.iter_mut().filter(|it| (it.obstacle.is_none() || it.behind) && out(it)) {
        (it.obstacle, it.behind, it.holds) = (Some(why.to_owned()), false, false);
    }
    judge_all(&current.tree, proposals);
}

/// The catalog with the complete proposals of the roles above one: who will hold it.
pub(super) fn with_roles_above(current: &Current, role: Role) -> Result<CatalogTree> {
    let mut tree = current.tree.clone();
    if role == Role::Root {
        return Ok(tree);
    }
    let above = |branch: &str, _| {
        let of = Place::of(branch).map(|place| place.role);
        of.is_some_and(|of| of < role && matches!(of, Role::Root | Role::Targets))
    };
    // Anybody may push a branch: what can't be read decides nothing.
    for proposal in read(current, above)?.iter().filter(|it| it.obstacle.is_none()) {
        if matches!(proposal.found_obstacle(&current.tree, &tree), Ok(None)) {
            proposal.apply(&mut tree)?;
        }
    }
    Ok(tree)
}

/// True if it is the branch that is wrong, and not the host or the way there.
pub(super) fn is_rubbish(kind: Kind) -> bool {
    matches!(kind, Kind::UnsafePath | Kind::TooLarge | Kind::Garbage)
}

impl Pending {
    /// Why it can't be merged into this tree, while the role has version `now` in the catalog.
    fn found_obstacle(&self, catalog: &CatalogTree, tree: &CatalogTree) -> Result<Option<String>> {
        let Some(place) = Place::of(&self.branch) else {
            return Ok(Some("it is about no role that is proposed".to_owned()));
        };
        let now = RoleFile::read(catalog, place.role)?.version();
        let file = RoleFile::read(&self.tree, place.role)?;
        if let Some(why) = not_next(&place, now, &file)? {
            return Ok(Some(why));
        }
        Ok(match Holders::of_proposal(tree, &file)?.missing(&file)? {
            0 => None,
            n if self.holds => Some(format!(
                "{n} more signature(s) needed; it STOPS something, and others of `{}` wait for it: sign it now",
                place.role
            )),
            n if self.brake => Some(format!("{n} more signature(s) needed; it STOPS something")),
            n => Some(format!("{n} more signature(s) needed")),
        })
    }

    /// One proposal of a role is merged at a time: the first that is ready, and none but brakes while one holds others.
    fn take_turn(&mut self, taken: &mut BTreeMap<Option<Role>, String>, held_by: Option<&str>) {
        self.behind = false;
        if self.obstacle.is_some() {
            return;
        }
        let held_by = held_by.filter(|_| self.role == Some(Role::Channels) && !self.brake);
        self.obstacle = why_behind(taken.get(&self.role).map(String::as_str), held_by);
        self.behind = self.obstacle.is_some();
        if !self.behind {
            taken.insert(self.role, self.branch.clone());
        }
    }

    /// Puts the proposal's role and the files that it lists into a tree; other files, and other contents, are left out.
    pub(crate) fn apply(&self, tree: &mut CatalogTree) -> Result<()> {
        let Some(role) = self.role else { return Ok(()) };
        let listed = RoleFile::read(&self.tree, role)?;
        for (path, content) in listed.listed_in(&self.tree) {
            tree.replace(path, content.to_vec()).map_err(internal)?;
        }
        // As it was read, not as it lies there: what reads in two ways must not be judged in two ways.
        tree.replace(&listed.path(), listed.bytes()?).map_err(internal)
    }
}
