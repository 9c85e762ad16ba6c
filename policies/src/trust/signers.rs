//! Who may sign a role: least thresholds, distinct public keys, a fingerprint of the whole.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sigstore_tuf::{Key, metadata::RoleKeys};

use crate::codes::{Refusal, RefusalCode};
use crate::digest::Digest;

/// No root may let a role of people be signed by fewer.
const LEAST_THRESHOLDS: [(&str, usize); 4] = [("root", 2), ("targets", 2), ("releases", 2), ("channels", 2)];

/// How many signatures a role must ask for at least.
pub(super) fn least_threshold(role: &str) -> usize {
    LEAST_THRESHOLDS.iter().find(|(name, _)| *name == role).map_or(1, |(_, least)| *least)
}

/// Refuses a role of people that one person alone could sign.
pub(super) fn check_threshold(subject: &str, role: &str, keys: &RoleKeys) -> Result<(), Refusal> {
    let least = least_threshold(role);
    if keys.threshold >= least {
        return Ok(());
    }
    let detail = format!("role `{role}` asks for {} signatures; at least {least} are needed", keys.threshold);
    Err(Refusal::new(RefusalCode::ThresholdTooLow, subject, detail))
}

/// Refuses a file that lists one public key under two ids: its holder would count twice.
pub(super) fn check_distinct(subject: &str, keys: &BTreeMap<String, Key>) -> Result<(), Refusal> {
    let mut seen = BTreeSet::new();
    for (id, key) in keys {
        if !seen.insert(material(key)) {
            let detail = format!("the key `{}` stands there twice under two ids", &id[..id.len().min(16)]);
            return Err(Refusal::new(RefusalCode::DuplicateKey, subject, detail));
        }
    }
    check_ids(subject, keys)
}

/// Refuses a key under an id that isn't its own: people compare ids, and another key could stand behind one that they know.
fn check_ids(subject: &str, keys: &BTreeMap<String, Key>) -> Result<(), Refusal> {
    let foreign = keys.iter().find(|(id, key)| key.key_id().ok().as_ref() != Some(id));
    let Some((id, _)) = foreign else { return Ok(()) };
    let detail = format!("another key stands there as `{}`", id[..id.len().min(16)].escape_default());
    Err(Refusal::new(RefusalCode::DuplicateKey, subject, detail))
}

/// Who may sign a role: how many of which keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Holders {
    threshold: usize,
    /// SHA-256 of each bare public key.
    keys: BTreeSet<Digest>,
}

impl Holders {
    pub(super) fn of(keys: &BTreeMap<String, Key>, role: &RoleKeys) -> Self {
        let named = role.keyids.iter().filter_map(|id| keys.get(id));
        Self { threshold: role.threshold, keys: named.map(|key| Digest::of(&material(key))).collect() }
    }

    /// Their keys.
    pub(super) fn keys(&self) -> impl Iterator<Item = Digest> {
        self.keys.iter().copied()
    }

    /// The highest version that enough of them may have signed, by what each one's key could sign so far. 0 if those who
    /// held the role before are too few to sign it now: nobody is led back to what these have never signed.
    pub(super) fn reached(&self, seen: &BTreeMap<Digest, u64>) -> u64 {
        let mut each: Vec<_> = self.keys.iter().filter_map(|key| seen.get(key).copied()).collect();
        each.sort_unstable_by(|a, b| b.cmp(a));
        each.get(self.threshold.saturating_sub(1)).copied().unwrap_or_default()
    }
}

/// A fingerprint of a role's keys and threshold.
pub(super) fn fingerprint(keys: &BTreeMap<String, Key>, role: &RoleKeys) -> Digest {
    let mut materials: Vec<_> = role.keyids.iter().filter_map(|id| keys.get(id)).map(material).collect();
    materials.sort();
    let mut text = format!("{}\n", role.threshold).into_bytes();
    for material in materials {
        text.extend_from_slice(hex::encode(material).as_bytes());
        text.push(b'\n');
    }
    Digest::of(&text)
}

/// The bare public key, whatever text form it was written in.
fn material(key: &Key) -> Vec<u8> {
    match key.verification_key() {
        Ok(usable) => usable.as_bytes().to_vec(),
        Err(_) => key.keyval.public.trim().as_bytes().to_vec(),
    }
}
