//! Which proposals are ready: on the current version, with enough signatures.

use pdp_policies::CatalogTree;
use pdp_transport::Kind;
use pdp_transport::catalog::from_git;
use pdp_transport::cli::failure::{Result, internal};
use pdp_transport::git::CommitId;

use super::PROPOSALS;
use super::current::Current;
use super::proposal::root;
use super::role::{Holders, RoleFile};

/// One open proposal.
pub(crate) struct Pending {
    pub(crate) branch: String,
    pub(crate) commit: CommitId,
    pub(crate) role: String,
    pub(crate) tree: CatalogTree,
    /// Why it can't be merged, none if it can.
    pub(crate) obstacle: Option<String>,
}

/// All open proposals.
pub(crate) fn pending(current: &Current) -> Result<Vec<Pending>> {
    let mut found = Vec::new();
    for (branch, commit) in current.remote.branches(PROPOSALS)? {
        let Some((role, _)) = branch.strip_prefix(PROPOSALS).and_then(|rest| rest.rsplit_once('-')) else {
            continue;
        };
        let role = role.to_owned();
        // Anyone who may push a branch can propose nonsense; it must not keep others from publishing.
        let (tree, obstacle) = match from_git(&current.remote, &branch) {
            Ok(None) => continue,
            Ok(Some((_, tree))) => {
                let obstacle = obstacle(current, &role, &tree).unwrap_or_else(|failure| Some(failure.what));
                (tree, obstacle)
            }
            Err(error) if is_rubbish(error.kind) => (CatalogTree::new(), Some(error.to_string())),
            Err(error) => return Err(error.into()),
        };
        found.push(Pending { branch, commit, role, tree, obstacle });
    }
    Ok(found)
}

/// True if it is the branch that is wrong, and not the host or the way there.
fn is_rubbish(kind: Kind) -> bool {
    matches!(kind, Kind::UnsafePath | Kind::TooLarge | Kind::Garbage)
}

fn obstacle(current: &Current, role: &str, tree: &CatalogTree) -> Result<Option<String>> {
    if !matches!(role, "targets" | "releases" | "channels") {
        return Ok(Some(format!("`{role}` is not a role that is proposed")));
    }
    let file = RoleFile::read(tree, role)?;
    let now = RoleFile::read(&current.tree, role)?.version();
    if file.version() != now + 1 {
        return Ok(Some(format!("it is version {}, but {} is next", file.version(), now + 1)));
    }
    Ok(match Holders::of(&current.tree, &root(current)?, role)?.missing(&file)? {
        0 => None,
        n => Some(format!("{n} more signature(s) needed")),
    })
}

impl Pending {
    /// Puts the proposal's role and the files that it lists into a tree; other files are left out.
    pub(crate) fn apply(&self, tree: &mut CatalogTree) -> Result<()> {
        let listed = RoleFile::read(&self.tree, &self.role)?;
        let lists = |path: &str| path.strip_prefix("targets/").is_some_and(|name| listed.lists(name));
        for (path, content) in self.tree.iter() {
            if path == RoleFile::path(&self.role) || lists(path) {
                tree.replace(path, content.to_vec()).map_err(internal)?;
            }
        }
        Ok(())
    }
}
