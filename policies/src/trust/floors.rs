//! What a PDP has seen and never goes below: numbers per role, the root, the hash of every level.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

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

/// The floor of one role; it holds as long as the role's keys stay the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleFloor {
    /// The highest version that was accepted.
    pub version: u64,
    /// Fingerprint of keys and threshold: new keys reset the number.
    pub keys: Digest,
}

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

    /// True if a role of people, the root or a level changed against `before`.
    ///
    /// Mere freshness is not worth a write: an idle PDP would write every hour.
    pub fn worth_saving(&self, before: &Self) -> bool {
        let people = |floors: &Self| {
            let mut roles = floors.roles.clone();
            roles.retain(|name, _| name != "timestamp" && name != "snapshot");
            roles
        };
        self.root != before.root || self.levels != before.levels || people(self) != people(before)
    }

    /// True if these floors are nowhere below `other`'s: not in the root, nor in a role of people with the same keys, nor
    /// in the levels that are known. Floors that two readers kept are compared by it.
    pub fn covers(&self, other: &Self) -> bool {
        let role = |(name, theirs): (&String, &RoleFloor)| {
            let fresh = name == "timestamp" || name == "snapshot";
            fresh
                || self
                    .roles
                    .get(name)
                    .is_some_and(|ours| ours.keys != theirs.keys || ours.version >= theirs.version)
        };
        self.root_version >= other.root_version
            && other.roles.iter().all(role)
            && other.levels.keys().all(|level| self.levels.contains_key(level))
    }
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
