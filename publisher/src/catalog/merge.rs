//! Which proposals are ready: on the current version, with enough signatures.

use std::collections::BTreeMap;

use pdp_policies::CatalogTree;
use pdp_policies::trust::Role;
use pdp_transport::Kind;
use pdp_transport::catalog::from_git;
use pdp_transport::cli::failure::{Result, internal};
use pdp_transport::git::CommitId;

use super::PROPOSALS;
use super::current::Current;
use super::holders::Holders;
use super::laid::{Place, channels, is_brake};
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
    brake: bool,
}

/// All open proposals, in the order in which they are merged: who holds a role is decided before what it says.
pub(crate) fn pending(current: &Current) -> Result<Vec<Pending>> {
    let mut found = read(current, |_| true)?;
    judge_all(&current.tree, &mut found);
    Ok(found)
}

/// The proposals about some roles, in that order, not judged. What can't be read has its obstacle already.
fn read(current: &Current, about: impl Fn(Option<Role>) -> bool) -> Result<Vec<Pending>> {
    let mut found = Vec::new();
    for (branch, commit) in current.remote.branches(PROPOSALS)? {
        let role = Place::of(&branch).map(|place| place.role);
        if !about(role) {
            continue;
        }
        // Anyone who may push a branch can propose nonsense; it must not keep others from publishing.
        let (tree, obstacle) = match from_git(&current.remote, &branch) {
            Ok(None) => continue,
            Ok(Some((_, tree))) => (tree, None),
            Err(error) if is_rubbish(error.kind) => (CatalogTree::new(), Some(error.to_string())),
            Err(error) => return Err(error.into()),
        };
        let brake = role == Some(Role::Channels) && brakes(current, &tree);
        found.push(Pending { branch, commit, role, tree, obstacle, behind: false, brake });
    }
    // Of one role brakes come first, then the names, which no one can choose but by what is proposed.
    found.sort_by_key(|it| (it.role.is_none(), it.role, !it.brake));
    Ok(found)
}

fn brakes(current: &Current, tree: &CatalogTree) -> bool {
    RoleFile::read(tree, Role::Channels).is_ok_and(|file| is_brake(current, &channels(&file, tree)))
}

/// Finds every obstacle. A change of holders that leaves a role below without enough of them waits for that role.
fn judge_all(tree: &CatalogTree, proposals: &mut [Pending]) {
    let unreadable = proposals.iter().filter(|it| !it.behind);
    let unreadable = unreadable.filter_map(|it| Some((it.branch.clone(), it.obstacle.clone()?)));
    let mut left_out: BTreeMap<_, _> = unreadable.collect();
    loop {
        let (mut merged, mut taken) = (tree.clone(), BTreeMap::new());
        for proposal in proposals.iter_mut() {
            let known = left_out.get(&proposal.branch).cloned();
            let found = known.map_or_else(|| proposal.found_obstacle(tree, &merged), |why| Ok(Some(why)));
            proposal.obstacle = found.unwrap_or_else(|failure| Some(failure.what));
            proposal.take_turn(&mut taken);
            if proposal.obstacle.is_none()
                && let Err(failure) = proposal.apply(&mut merged)
            {
                proposal.obstacle = Some(failure.what);
            }
        }
        let half = || pruned::half_done(tree, &merged, proposals);
        let Some((branch, why)) = strands(&merged, proposals).or_else(half) else { return };
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
        (it.obstacle, it.behind) = (Some(why.to_owned()), false);
    }
    judge_all(&current.tree, proposals);
}

/// The catalog with the complete proposals of the roles above one: who will hold it.
pub(super) fn with_roles_above(current: &Current, role: Role) -> Result<CatalogTree> {
    let mut tree = current.tree.clone();
    if role == Role::Root {
        return Ok(tree);
    }
    let above = |it: Option<Role>| it.is_some_and(|it| it < role && matches!(it, Role::Root | Role::Targets));
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
            n => Some(format!("{n} more signature(s) needed")),
        })
    }

    /// One proposal of a role is merged at a time: the first that is ready.
    fn take_turn(&mut self, taken: &mut BTreeMap<Option<Role>, String>) {
        self.behind = false;
        if self.obstacle.is_some() {
            return;
        }
        match taken.get(&self.role) {
            None => drop(taken.insert(self.role, self.branch.clone())),
            Some(first) => {
                self.obstacle =
                    Some(format!("`{first}` goes first; it is proposed again on top of that one"));
                self.behind = true;
            }
        }
    }

    /// Puts the proposal's role and the files that it lists into a tree; other files, and other contents, are left out.
    pub(crate) fn apply(&self, tree: &mut CatalogTree) -> Result<()> {
        let Some(role) = self.role else { return Ok(()) };
        let listed = RoleFile::read(&self.tree, role)?;
        let lists = |path: &str, content: &[u8]| {
            path.strip_prefix("targets/").is_some_and(|name| listed.lists(name, content))
        };
        for (path, content) in self.tree.iter().filter(|(path, content)| lists(path, content)) {
            tree.replace(path, content.to_vec()).map_err(internal)?;
        }
        // As it was read, not as it lies there: what reads in two ways must not be judged in two ways.
        tree.replace(&listed.path(), listed.bytes()?).map_err(internal)
    }
}
