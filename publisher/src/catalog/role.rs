//! A role of people as a file: payload, signatures so far, and who may sign it.

use std::collections::BTreeMap;

use pdp_policies::trust::metadata;
use pdp_policies::{At, CatalogTree, Span};
use pdp_transport::cli::failure::{Failure, Result, internal};
use serde_json::Value;
use sigstore_tuf::metadata::{Metadata, RoleKeys, Root, Targets};

use crate::keys::{self, SigningKey};

/// How long a role of people lives once signed.
pub(crate) fn life(role: &str) -> Span {
    const DAY: u32 = 86_400;
    Span::from_seconds(match role {
        "targets" => 180 * DAY,
        "channels" => 45 * DAY,
        _ => 365 * DAY,
    })
}

/// How long snapshot and timestamp live.
pub(crate) const ONLINE_LIFE: Span = Span::from_seconds(7 * 86_400);

/// A role's file, taken apart.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RoleFile {
    pub(crate) role: String,
    pub(crate) signed: Value,
    pub(crate) signatures: BTreeMap<String, Vec<u8>>,
}

impl RoleFile {
    pub(crate) fn path(role: &str) -> String {
        format!("metadata/{role}.json")
    }

    /// Reads a role from a tree of files.
    pub(crate) fn read(tree: &CatalogTree, role: &str) -> Result<Self> {
        let path = Self::path(role);
        let missing = || Failure::new("Unreadable", format!("the catalog has no {path}"));
        Self::parse(role, tree.get(&path).ok_or_else(missing)?)
    }

    pub(crate) fn parse(role: &str, bytes: &[u8]) -> Result<Self> {
        let bad = |cause: &str| Failure::new("Unreadable", format!("role `{role}`")).cause(cause);
        let mut value: Value = serde_json::from_slice(bytes).map_err(|e| bad(&e.to_string()))?;
        let mut signatures = BTreeMap::new();
        for entry in value["signatures"].as_array().ok_or_else(|| bad("no signatures"))? {
            let text = |name: &str| entry[name].as_str().ok_or_else(|| bad("a signature is not whole"));
            signatures.insert(
                text("keyid")?.to_owned(),
                hex::decode(text("sig")?).map_err(|e| bad(&e.to_string()))?,
            );
        }
        Ok(Self { role: role.to_owned(), signed: value["signed"].take(), signatures })
    }

    pub(crate) fn bytes(&self) -> Result<Vec<u8>> {
        metadata::envelope(&self.signed, &self.signatures).map_err(internal)
    }

    pub(crate) fn version(&self) -> u64 {
        self.signed["version"].as_u64().unwrap_or_default()
    }

    /// The same role, one version on, with some targets replaced.
    pub(crate) fn next(&self, targets: &BTreeMap<String, Vec<u8>>, now: At) -> Self {
        let mut signed = self.signed.clone();
        signed["version"] = (self.version() + 1).into();
        signed["expires"] = now.plus(life(&self.role)).to_string().into();
        for (name, content) in targets {
            signed["targets"][name] = metadata::target(content);
        }
        Self { role: self.role.clone(), signed, signatures: BTreeMap::new() }
    }

    /// Adds the signatures of `keys`; each must hold the role.
    pub(crate) fn sign(&mut self, holders: &Holders, keys: &[SigningKey]) -> Result<()> {
        holders.check(&self.role, keys)?;
        self.signatures.extend(keys::sign_all(&self.signed, &keys.iter().collect::<Vec<_>>())?);
        Ok(())
    }
}

/// Who may sign a role, and how many must.
pub(crate) struct Holders {
    pub(crate) keys: RoleKeys,
    pub(crate) material: BTreeMap<String, sigstore_tuf::Key>,
}

impl Holders {
    /// From the root or, for delegated roles, from the top-level targets. The tree was judged before.
    pub(crate) fn of(tree: &CatalogTree, root: &[u8], role: &str) -> Result<Self> {
        let unknown = || Failure::new("Unreadable", format!("nobody holds the role `{role}`"));
        if let "root" | "targets" | "snapshot" | "timestamp" = role {
            let root = Metadata::<Root>::from_slice(root).map_err(internal)?.into_signed();
            let keys = root.role(role).ok_or_else(unknown)?.clone();
            return Ok(Self { keys, material: root.keys });
        }
        let targets = tree.get(&RoleFile::path("targets")).ok_or_else(unknown)?;
        let targets = Metadata::<Targets>::from_slice(targets).map_err(internal)?.into_signed();
        let delegations = targets.delegations.ok_or_else(unknown)?;
        let delegated = delegations.roles.iter().find(|r| r.name == role).ok_or_else(unknown)?;
        Ok(Self { keys: delegated.role_keys(), material: delegations.keys })
    }

    /// Refuses the first key that doesn't hold the role.
    pub(crate) fn check(&self, role: &str, keys: &[SigningKey]) -> Result<()> {
        let Some(stranger) = keys.iter().find(|key| !self.keys.keyids.contains(&key.id)) else {
            return Ok(());
        };
        let what = format!("key {} doesn't hold the role `{role}`", stranger.file.display());
        Err(Failure::new("KeyWithoutRole", what)
            .cause(format!("its id is {}", stranger.id))
            .hint("the root and the catalog's delegations say who holds it; leave this key out"))
    }

    /// How many valid signatures are still missing.
    pub(crate) fn missing(&self, file: &RoleFile) -> Result<usize> {
        let metadata = Metadata::<Targets>::from_slice(&file.bytes()?).map_err(internal)?;
        Ok(match metadata.verify_threshold(&self.material, &self.keys, &file.role) {
            Ok(()) => 0,
            Err(sigstore_tuf::Error::ThresholdNotMet { found, threshold, .. }) => threshold - found,
            Err(_) => self.keys.threshold,
        })
    }
}
