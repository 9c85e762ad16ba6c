//! What a PDP has seen and never goes below: numbers per role, the root, the hash of every level.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use super::signers::Holders;
use crate::digest::{Digest, hex_form};

/// The memory of the judge. The caller keeps it on a volume or in a Secret between passes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Floors {
    /// The root that the PDP was installed with; read once.
    #[serde(with = "base64_bytes")]
    pub(super) pinned_root: Vec<u8>,
    /// The newest root that was accepted.
    #[serde(with = "base64_bytes")]
    pub(super) root: Vec<u8>,
    /// Version of that root.
    pub(super) root_version: u64,
    /// Per role.
    pub(super) roles: BTreeMap<String, RoleFloor>,
    /// Content of every level ever seen, by target name.
    pub(super) levels: BTreeMap<String, LevelFloor>,
}

/// The floor of one role. It falls only for holders of whom too few ever held the role before. Stricter than TUF, where
/// a role below the top loses its floor together with the snapshot's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleFloor {
    /// The highest version that was accepted.
    pub version: u64,
    /// Fingerprint of keys and threshold, for versions that know no holders.
    pub(super) keys: Digest,
    /// Who could sign it then; none in floors of versions that didn't keep it: those fall for nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) holders: Option<Holders>,
    /// The highest version that was seen while a key held the role, for every key that ever did.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) seen: BTreeMap<Digest, u64>,
}

impl RoleFloor {
    /// The floor of a role with this version and these holders, after what was seen before.
    pub(super) fn raised(before: Option<&Self>, version: u64, holders: Holders, keys: Digest) -> Self {
        let mut seen = before.map(|floor| floor.seen.clone()).unwrap_or_default();
        for key in holders.keys() {
            let highest = seen.entry(key).or_default();
            *highest = version.max(*highest);
        }
        Self { version, keys, holders: Some(holders), seen }
    }

    /// The lowest version that is taken of these holders.
    pub(super) fn for_holders(&self, holders: &Holders) -> u64 {
        if self.holders.is_some() { holders.reached(&self.seen) } else { self.version }
    }

    /// True if a role with these holders begins anew.
    pub(super) fn falls_for(&self, holders: &Holders) -> bool {
        self.for_holders(holders) < self.version
    }
}

/// The roles that are signed without people, every hour.
pub(super) const ONLINE: [&str; 2] = ["timestamp", "snapshot"];
/// The floor of an online role is worth a write once it is older by this (seconds).
const ONLINE_AGE: u64 = 86_400;

/// The content of one level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LevelFloor {
    #[serde(with = "hex_form")]
    pub(super) sha256: Digest,
}

impl Floors {
    /// The floors of a PDP that has seen nothing but its pinned root (version `root_version`).
    pub fn new(pinned_root: Vec<u8>) -> Self {
        Self {
            root: pinned_root.clone(),
            pinned_root,
            root_version: 0,
            roles: BTreeMap::new(),
            levels: BTreeMap::new(),
        }
    }

    /// The floor of one role, none if it was never seen.
    pub fn role(&self, name: &str) -> Option<&RoleFloor> {
        self.roles.get(name)
    }

    /// Every role that was seen, with its floor.
    pub fn roles(&self) -> impl Iterator<Item = (&str, &RoleFloor)> {
        self.roles.iter().map(|(name, role)| (name.as_str(), role))
    }

    /// How many levels' content is known.
    pub fn known_levels(&self) -> usize {
        self.levels.len()
    }

    /// The newest root that was accepted.
    pub fn root(&self) -> &[u8] {
        &self.root
    }

    /// The root that these floors started from.
    pub fn pinned_root(&self) -> &[u8] {
        &self.pinned_root
    }

    /// From now on with a root that was verified.
    pub(super) fn take_root(&mut self, version: u64, root: Vec<u8>) {
        (self.root, self.root_version) = (root, version);
    }

    /// True if a role of people, the root or a level changed against `before`, who may sign an online role, or its
    /// version by a day.
    ///
    /// Mere freshness is not worth more: an idle PDP would write every hour.
    pub fn worth_saving(&self, before: &Self) -> bool {
        self.root != before.root
            || self.levels != before.levels
            || self.roles.len() != before.roles.len()
            || self.roles.iter().any(|(name, role)| is_worth_saving(name, role, before.roles.get(name)))
    }

    /// True if these floors are nowhere below `other`'s: not in the root, nor in a role of people that didn't begin anew,
    /// nor in the levels that are known. Floors that two readers kept are compared by it.
    pub fn covers(&self, other: &Self) -> bool {
        let floor = |ours: &RoleFloor, theirs: &RoleFloor| {
            ours.holders.as_ref().map_or(theirs.version, |holders| theirs.for_holders(holders))
        };
        let role = |(name, theirs): (&String, &RoleFloor)| {
            let above = |ours: &RoleFloor| ours.version >= floor(ours, theirs);
            ONLINE.contains(&name.as_str()) || self.roles.get(name).is_some_and(above)
        };
        self.root_version >= other.root_version
            && other.roles.iter().all(role)
            && other.levels.keys().all(|level| self.levels.contains_key(level))
    }
}

fn is_worth_saving(name: &str, role: &RoleFloor, before: Option<&RoleFloor>) -> bool {
    let Some(before) = before else { return true };
    if !ONLINE.contains(&name) {
        return role != before;
    }
    role.holders != before.holders || role.version.abs_diff(before.version) >= ONLINE_AGE
}

mod base64_bytes {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use super::{Engine, STANDARD};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        STANDARD.decode(String::deserialize(from)?).map_err(D::Error::custom)
    }
}
