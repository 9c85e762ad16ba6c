//! What lies open for the next version of a role: proposals beside each other, and what is none.
//!
//! One of them is published; `catalog publish` proposes the others again on top of it. Who holds what (root, targets) is
//! proposed one at a time: of two whole roots of one version data planes might see either.

use pdp_policies::trust::Role;
use pdp_policies::{CatalogTree, Channel};
use pdp_transport::catalog::from_git;
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::git::CommitId;

use super::PROPOSALS;
use super::brake::holds_others;
use super::current::Current;
use super::holders::Holders;
use super::merge::is_rubbish;
use super::role::RoleFile;

/// So much of what a proposal's digest starts with is in the name of a branch beside another one.
const MARK: usize = 12;

/// Where a proposal lies: the first of a version at `proposals/<role>-<version>`, others with a mark behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) role: Role,
    pub(super) version: u64,
    /// The digest of what is proposed starts so.
    pub(super) mark: Option<String>,
}

impl Place {
    /// None for a branch that nobody here makes.
    pub(super) fn of(branch: &str) -> Option<Self> {
        let mut parts = branch.strip_prefix(PROPOSALS)?.split('-');
        let (role, version) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let place = Self { role, version, mark: parts.next().map(str::to_owned) };
        (role.is_of_people() && place.branch() == branch).then_some(place)
    }

    /// Beside the first proposal of its version.
    fn beside(file: &RoleFile) -> Result<Self> {
        Ok(Self { role: file.role, version: file.version(), mark: Some(mark(file)?) })
    }

    pub(super) fn branch(&self) -> String {
        let first = branch_of(self.role, self.version);
        self.mark.as_ref().map_or(first.clone(), |mark| format!("{first}-{mark}"))
    }

    /// True unless its name stands for something else than what lies there: for another version, or another content.
    pub(super) fn fits(&self, file: &RoleFile) -> Result<bool> {
        let as_marked = match &self.mark {
            None => true,
            Some(named) => *named == mark(file)?,
        };
        Ok(as_marked && self.version == file.version())
    }
}

fn mark(file: &RoleFile) -> Result<String> {
    Ok(file.digest()?.hex().chars().take(MARK).collect())
}

/// Where the first proposal of a role's version lies.
pub(crate) fn branch_of(role: Role, version: u64) -> String {
    format!("{PROPOSALS}{role}-{version}")
}

/// What lies on one branch.
pub(crate) struct Laid {
    pub(crate) branch: String,
    pub(super) commit: CommitId,
    /// None for something that is no proposal: anybody who may push a branch can lay it there.
    pub(super) found: Option<(RoleFile, CatalogTree)>,
}

/// All that lies on branches of this version of a role.
pub(super) fn laid(current: &Current, role: Role, version: u64) -> Result<Vec<Laid>> {
    let mut all = Vec::new();
    for (branch, commit) in current.remote.branches(&branch_of(role, version))? {
        match Place::of(&branch) {
            Some(place) if (place.role, place.version) == (role, version) => {
                all.extend(read(current, &place, commit)?);
            }
            _ => {}
        }
    }
    Ok(all)
}

/// The same of the version that comes next.
pub(crate) fn laid_next(current: &Current, role: Role) -> Result<Vec<Laid>> {
    laid(current, role, RoleFile::read(&current.tree, role)?.version() + 1)
}

fn read(current: &Current, place: &Place, listed: CommitId) -> Result<Option<Laid>> {
    let branch = place.branch();
    Ok(match from_git(&current.remote, &branch) {
        Ok(None) => None,
        Ok(Some((commit, tree))) => {
            let file =
                RoleFile::read(&tree, place.role).ok().filter(|file| place.fits(file).unwrap_or(false));
            let found = file.map(|file| (file, tree));
            Some(Laid { branch, commit, found })
        }
        Err(error) if is_rubbish(error.kind) => Some(Laid { branch, commit: listed, found: None }),
        Err(error) => return Err(error.into()),
    })
}

impl Laid {
    pub(super) fn file(&self) -> Option<&RoleFile> {
        self.found.as_ref().map(|(file, _)| file)
    }

    pub(crate) fn tree(&self) -> Option<&CatalogTree> {
        self.found.as_ref().map(|(_, tree)| tree)
    }

    /// True if somebody who holds the role has signed it: nobody else can make such a thing.
    pub(crate) fn is_signed(&self, current: &Current) -> bool {
        self.file().is_some_and(|file| Holders::one_signed(&current.tree, file).unwrap_or(false))
    }

    /// True if nothing of its version may be laid beside it.
    fn is_in_the_way(&self, current: &Current, role: Role) -> bool {
        match role {
            Role::Channels => {
                self.found.as_ref().is_some_and(|(file, tree)| holds_others(current, file, tree))
            }
            Role::Releases => false,
            _ => self.is_signed(current),
        }
    }

    /// The channels that it lists, as it has them.
    pub(crate) fn channels(&self) -> Vec<Channel> {
        self.found.as_ref().map(|(file, tree)| channels(file, tree)).unwrap_or_default()
    }
}

/// The channels that a role lists, as a tree has them.
pub(super) fn channels(file: &RoleFile, tree: &CatalogTree) -> Vec<Channel> {
    file.listed_in(tree).filter_map(|(path, bytes)| Channel::read(path, bytes).ok()).collect()
}

/// Refuses to lay another proposal beside what lies there, where that would hold up the first.
///
/// # Errors
/// `ProposalCollides`: of who holds what there is one at a time; and a brake that somebody has signed goes first. What
/// nobody who holds the role has signed is in nobody's way: whoever may push a branch can lay it there.
pub(super) fn may_lie_beside(current: &Current, role: Role, others: &[Laid]) -> Result<()> {
    others.iter().find(|it| it.is_in_the_way(current, role)).map_or(Ok(()), |it| Err(collides(&it.branch)))
}

fn collides(branch: &str) -> Failure {
    Failure::new("ProposalCollides", format!("`{branch}` proposes something else")).hint(
        "`publisher catalog proposals show` says what: `publisher catalog sign` it, or publish or drop it, then propose \
         again",
    )
}

/// The branch for a new proposal: the first one's, or one beside it.
pub(super) fn free_name<'a>(mut taken: impl Iterator<Item = &'a str>, file: &RoleFile) -> Result<String> {
    let first = branch_of(file.role, file.version());
    match taken.any(|branch| branch == first) {
        true => Ok(Place::beside(file)?.branch()),
        false => Ok(first),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn a_branch_says_role_version_and_what_lies_there() {
        for (branch, place) in [
            ("proposals/channels-7", Some((Role::Channels, 7, None))),
            ("proposals/releases-12-0123456789ab", Some((Role::Releases, 12, Some("0123456789ab")))),
            ("proposals/channels-07", None),
            ("proposals/channels", None),
            ("proposals/channels-7-", Some((Role::Channels, 7, Some("")))),
            ("proposals/channels-7-a-b", None),
            ("proposals/timestamp-7", None),
            ("proposals/nobody-7", None),
            ("elsewhere/channels-7", None),
        ] {
            let expected =
                place.map(|(role, version, mark)| Place { role, version, mark: mark.map(str::to_owned) });
            assert_eq!(Place::of(branch), expected, "{branch}");
        }
    }

    #[test]
    fn a_marked_branch_stands_for_one_content() {
        let file = |level: u32| RoleFile {
            role: Role::Channels,
            signed: json!({ "version": 7, "level": level }),
            signatures: Default::default(),
        };
        let place = Place::beside(&file(41)).unwrap();
        assert!(place.fits(&file(41)).unwrap());
        assert!(!place.fits(&file(42)).unwrap());
        assert!(!Place { mark: Some(String::new()), ..place.clone() }.fits(&file(41)).unwrap());
        assert_eq!(Place::of(&place.branch()), Some(place));
        assert!(Place::of("proposals/channels-7").unwrap().fits(&file(42)).unwrap());
    }

    #[test]
    fn what_was_proposed_as_another_version_is_no_proposal_on_this_one() {
        let signed = json!({ "version": 7 });
        let old = RoleFile { role: Role::Channels, signed, signatures: Default::default() };
        assert!(!Place::of("proposals/channels-12").unwrap().fits(&old).unwrap());
        let named = Place { version: 12, ..Place::beside(&old).unwrap() };
        assert!(!named.fits(&old).unwrap());
    }
}
