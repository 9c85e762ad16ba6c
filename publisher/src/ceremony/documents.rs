//! The files of a ceremony, one for each step.

use std::collections::BTreeMap;
use std::path::Path;

use pdp_policies::trust::{Role, metadata};
use pdp_policies::{At, CLOCK_TOLERANCE, Digest, Person, Span};
use pdp_transport::cli::failure::{Failure, Result, internal};
use pdp_transport::files;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::plan::{Plan, Seat};
use crate::keys::SigningKey;

/// A ceremony that takes longer is started anew: its first catalog would be old before it is there.
pub(crate) const LONGEST: Span = Span::from_seconds(14 * 86_400);
/// The largest file of a ceremony (bytes).
const MAX_BYTES: u64 = 256 * 1024;

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "lowercase")]
pub(crate) enum Step {
    /// Who is to hold what.
    Start(Start),
    /// Somebody's public keys.
    Join(Join),
    /// Somebody's signatures.
    Sign(Signatures),
}

/// The first file, from whoever calls the ceremony.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Start {
    /// Random: no file of another ceremony fits this one.
    pub(crate) nonce: String,
    pub(crate) created: At,
    pub(crate) plan: Plan,
}

/// The keys that somebody made, each of which signs all of this file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Join {
    /// Names the start.
    pub(crate) ceremony: Digest,
    pub(crate) person: Person,
    pub(crate) keys: BTreeMap<Seat, PublicKey>,
    /// A signature of each key over person and keys (hex).
    pub(crate) proofs: BTreeMap<Seat, String>,
}

/// A public key (SPKI PEM).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct PublicKey(pub(crate) String);

/// Somebody's signatures over the first version of each role that they hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Signatures {
    /// Names the start.
    pub(crate) ceremony: Digest,
    /// Names what was signed.
    pub(crate) draft: Digest,
    pub(crate) person: Person,
    /// By role, in hex.
    pub(crate) signatures: BTreeMap<Role, String>,
}

impl Step {
    /// Reads one file.
    ///
    /// # Errors
    /// `NotFound`, `TooLarge`, `Io`, `CeremonyFileUnreadable`.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let shown = path.display();
        let bytes = files::read_capped(path, MAX_BYTES)?;
        let bytes = bytes.ok_or_else(|| Failure::new("NotFound", format!("no file {shown}")))?;
        serde_json::from_slice(&bytes).map_err(|e| {
            Failure::new("CeremonyFileUnreadable", format!("{shown} is no file of a ceremony"))
                .cause(e)
                .hint("have it sent again; give the files of `publisher key ceremony` alone")
        })
    }

    /// Writes one file, which must not be there yet.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        if path.exists() {
            return Err(Failure::new("Exists", format!("{} exists already", path.display()))
                .hint("nothing is overwritten: name a new file"));
        }
        let mut bytes = serde_json::to_vec_pretty(self).map_err(internal)?;
        bytes.push(b'\n');
        Ok(files::write_atomic(path, &bytes)?)
    }
}

impl Start {
    /// Names the ceremony.
    pub(crate) fn digest(&self) -> Result<Digest> {
        let value = serde_json::to_value(self).map_err(internal)?;
        Ok(Digest::of(&metadata::signing_bytes(&value).map_err(internal)?))
    }

    /// Refuses to go on with a ceremony that began too long ago, or in the future.
    ///
    /// # Errors
    /// `CeremonyTooOld`, `ClockDiffers`.
    pub(crate) fn check_time(&self, now: At) -> Result<()> {
        if self.created.unix() > now.unix().saturating_add(CLOCK_TOLERANCE) {
            return Err(Failure::new(
                "ClockDiffers",
                format!("the ceremony begins at {}, and it is {now} here", self.created),
            )
            .hint("set this machine's clock, or the one that the ceremony was started on"));
        }
        if now > self.created.plus(LONGEST) {
            return Err(Failure::new("CeremonyTooOld", format!("the ceremony began at {}", self.created))
                .cause(format!("it ends after {LONGEST}"))
                .hint("start a new one with `publisher key ceremony start`"));
        }
        Ok(())
    }
}

impl Join {
    /// Made with all keys of a person.
    pub(crate) fn made(ceremony: Digest, person: Person, keys: &BTreeMap<Seat, SigningKey>) -> Result<Self> {
        let public = keys.iter().map(|(seat, key)| (*seat, PublicKey(key.public_pem.clone()))).collect();
        let mut join = Self { ceremony, person, keys: public, proofs: BTreeMap::new() };
        let bytes = join.proven()?;
        for (seat, key) in keys {
            join.proofs.insert(*seat, hex::encode(key.sign(&bytes)?));
        }
        Ok(join)
    }

    /// What each key signs: whose keys these are, and in which ceremony.
    pub(crate) fn proven(&self) -> Result<Vec<u8>> {
        let value: Value = json!({
            "pdp-ceremony": self.ceremony, "person": self.person, "keys": self.keys,
        });
        metadata::signing_bytes(&value).map_err(internal)
    }

    /// Names the keys, for comparing them by telephone.
    pub(crate) fn digest(&self) -> Result<Digest> {
        Ok(Digest::of(&self.proven()?))
    }
}
