//! Who may sign a role, and how many must.

use std::collections::{BTreeMap, BTreeSet};

use pdp_policies::CatalogTree;
use pdp_policies::trust::Role;
use pdp_transport::cli::failure::{Failure, Result, internal};
use sigstore_tuf::metadata::{Metadata, RoleKeys, Root, Targets};

use super::role::RoleFile;
use crate::keys::SigningKey;

/// Those who hold a role. A new root is signed by two groups: those of the root before, and its own.
pub(crate) struct Holders {
    role: Role,
    groups: Vec<Group>,
}

/// Keys of which so many must sign.
struct Group {
    keys: RoleKeys,
    material: BTreeMap<String, sigstore_tuf::Key>,
}

impl Holders {
    /// As a tree says it: its newest root, or for delegated roles its top-level targets. The tree was judged before.
    pub(crate) fn of(tree: &CatalogTree, role: Role) -> Result<Self> {
        let group = match role {
            Role::Releases | Role::Channels => delegated(tree, role)?,
            top => top_level(&RoleFile::read(tree, Role::Root)?.bytes()?, top)?,
        };
        Ok(Self { role, groups: vec![group] })
    }

    /// Those who must sign what is proposed on this tree.
    pub(crate) fn of_proposal(tree: &CatalogTree, file: &RoleFile) -> Result<Self> {
        let mut holders = Self::of(tree, file.role)?;
        if file.role == Role::Root {
            holders.groups.push(top_level(&file.bytes()?, Role::Root)?);
        }
        Ok(holders)
    }

    /// True if somebody who holds the role as a tree says it has signed this. Of a new root its own keys don't count: whoever
    /// made it listed them.
    pub(crate) fn one_signed(tree: &CatalogTree, file: &RoleFile) -> Result<bool> {
        Self::of(tree, file.role)?.has_any(file)
    }

    /// True if a key is theirs.
    pub(crate) fn has(&self, key: &SigningKey) -> bool {
        !self.ids(key).is_empty()
    }

    /// The ids under which a key is listed: of one that was written in another form, it is the id of that form.
    pub(crate) fn ids(&self, key: &SigningKey) -> BTreeSet<String> {
        let listed =
            self.groups.iter().flat_map(|group| group.keys.keyids.iter().map(|id| (id, &group.material)));
        let own = |(id, material): (&String, &BTreeMap<String, sigstore_tuf::Key>)| {
            let same = material.get(id)?.verification_key().ok()?.as_bytes() == key.material;
            same.then(|| id.clone())
        };
        listed.filter_map(own).collect()
    }

    /// Refuses the first key that doesn't hold the role.
    pub(crate) fn check(&self, keys: &[SigningKey]) -> Result<()> {
        let Some(stranger) = keys.iter().find(|key| !self.has(key)) else { return Ok(()) };
        let what = format!("key {} doesn't hold the role `{}`", stranger.file.display(), self.role);
        Err(Failure::new("KeyWithoutRole", what)
            .cause(format!("its id is {}", stranger.id))
            .hint("the root and the catalog's delegations say who holds it; leave this key out"))
    }

    /// True if one of them has signed it.
    fn has_any(&self, file: &RoleFile) -> Result<bool> {
        let bytes = file.bytes()?;
        for (group, (id, _)) in
            self.groups.iter().flat_map(|group| group.listed().map(move |key| (group, key)))
        {
            if group.of_one(id).missing(self.role, &bytes)? == 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// How many valid signatures are still missing. One of a key that is in both groups counts in both.
    pub(crate) fn missing(&self, file: &RoleFile) -> Result<usize> {
        let bytes = file.bytes()?;
        let each: Result<Vec<_>> = self.groups.iter().map(|group| group.missing(self.role, &bytes)).collect();
        let in_both = match self.groups.as_slice() {
            [one, other] => one.unsigned_in(other, self.role, &bytes)?,
            _ => 0,
        };
        Ok(together(&each?, in_both))
    }
}

/// The fewest signatures that give each group what it misses, if so many keys that haven't signed are in both.
fn together(missing: &[usize], in_both: usize) -> usize {
    let for_both = missing.iter().min().copied().unwrap_or_default().min(in_both);
    missing.iter().sum::<usize>().saturating_sub(for_both)
}

impl Group {
    /// How many of its keys are another group's, too, and haven't signed.
    fn unsigned_in(&self, other: &Self, role: Role, bytes: &[u8]) -> Result<usize> {
        let theirs: BTreeSet<_> = other.listed().filter_map(|(_, key)| bytes_of(key)).collect();
        let mut unsigned = BTreeSet::new();
        for (id, key) in self.listed() {
            let Some(own) = bytes_of(key).filter(|own| theirs.contains(own)) else { continue };
            if self.of_one(id).missing(role, bytes)? > 0 {
                unsigned.insert(own);
            }
        }
        Ok(unsigned.len())
    }

    fn listed(&self) -> impl Iterator<Item = (&String, &sigstore_tuf::Key)> {
        self.keys.keyids.iter().filter_map(|id| Some((id, self.material.get(id)?)))
    }

    /// One of its keys alone.
    fn of_one(&self, id: &str) -> Self {
        let mut keys = self.keys.clone();
        (keys.keyids, keys.threshold) = (vec![id.to_owned()], 1);
        Self { keys, material: self.material.clone() }
    }

    fn missing(&self, role: Role, bytes: &[u8]) -> Result<usize> {
        let (material, keys) = (&self.material, &self.keys);
        let verified = match role {
            Role::Root => {
                let root = Metadata::<Root>::from_slice(bytes).map_err(internal)?;
                root.verify_threshold(material, keys, role.name())
            }
            _ => {
                let targets = Metadata::<Targets>::from_slice(bytes).map_err(internal)?;
                targets.verify_threshold(material, keys, role.name())
            }
        };
        Ok(match verified {
            Ok(()) => 0,
            Err(sigstore_tuf::Error::ThresholdNotMet { found, threshold, .. }) => threshold - found,
            Err(_) => self.keys.threshold,
        })
    }
}

fn bytes_of(key: &sigstore_tuf::Key) -> Option<Vec<u8>> {
    Some(key.verification_key().ok()?.as_bytes().to_vec())
}

fn unknown(role: Role) -> Failure {
    Failure::new("Unreadable", format!("nobody holds the role `{role}`"))
}

fn top_level(root: &[u8], role: Role) -> Result<Group> {
    let root = Metadata::<Root>::from_slice(root).map_err(internal)?.into_signed();
    let keys = root.role(role.name()).ok_or_else(|| unknown(role))?.clone();
    Ok(Group { keys, material: root.keys })
}

fn delegated(tree: &CatalogTree, role: Role) -> Result<Group> {
    let targets = RoleFile::read(tree, Role::Targets)?.bytes()?;
    let targets = Metadata::<Targets>::from_slice(&targets).map_err(internal)?.into_signed();
    let delegations = targets.delegations.ok_or_else(|| unknown(role))?;
    let found = delegations.roles.iter().find(|it| it.name == role.name()).ok_or_else(|| unknown(role))?;
    Ok(Group { keys: found.role_keys(), material: delegations.keys })
}

#[cfg(test)]
mod tests {
    use super::together;

    #[test]
    fn a_signature_counts_in_both_groups_and_no_more_of_them_than_there_are() {
        for (missing, in_both, all) in [
            (&[][..], 0, 0),
            (&[2], 0, 2),
            (&[0, 0], 3, 0),
            (&[2, 2], 0, 4),
            (&[2, 2], 1, 3),
            (&[2, 2], 2, 2),
            (&[2, 2], 3, 2),
            (&[1, 3], 1, 3),
            (&[1, 3], 0, 4),
            (&[0, 2], 5, 2),
        ] {
            assert_eq!(together(missing, in_both), all, "{missing:?} {in_both}");
        }
    }
}
