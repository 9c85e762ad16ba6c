//! The decision record: written before the first write, enough to continue, repair and go back alone.

mod inputs;

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::codes::{Refusal, RefusalCode};
use crate::digest::{Digest, hex_form};
use crate::document::{self, API_VERSION};
use crate::gate::{ApprovedBy, Authority, Permit};
use crate::image_name::ImageName;
use crate::loosened::Loosening;
use crate::names::{ComponentName, Level};
use crate::release::Release;
use crate::report::{CatalogVersions, LevelDigest};
use crate::time::At;

pub use inputs::{FluxInputs, Inputs};

/// What was decided, on which evidence, and how far it has come.
///
/// Two ways lead to one: [`DecisionRecord::begin`] consumes a permit, [`DecisionRecord::load`] rehashes
/// everything that was stored. A fresh catalog is never needed to go on or back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionRecord {
    stored: Stored,
    target: Release,
    last_good: Option<Release>,
}

/// The stored form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Stored {
    api_version: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    critical: Vec<String>,
    target: StoredDescriptor,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_good: Option<StoredDescriptor>,
    catalog: CatalogVersions,
    inputs: Inputs,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_good_inputs: Option<Inputs>,
    policy: PolicyMark,
    authority: Authority,
    /// Those whose approvals the policy asked for; none in records of older versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    approved_by: Vec<ApprovedBy>,
    attempt: u32,
    decided_at: At,
    phase: Phase,
    /// Releases that failed here, by SHA-256 of their descriptors, with the attempt that failed last: only a later
    /// one is made.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    quarantined: BTreeMap<Digest, u32>,
}

/// A descriptor with its bytes, so that going back needs nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
struct StoredDescriptor {
    level: Level,
    #[serde(with = "hex_form")]
    #[schemars(with = "String")]
    sha256: Digest,
    /// The descriptor, base64.
    descriptor: String,
}

/// Which policy the gate saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PolicyMark {
    /// SHA-256 of the policy as JSON.
    pub digest: Digest,
    /// Who changed it last, if the target knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<String>,
    /// True if it was loosened since the decision before.
    #[serde(default)]
    pub loosened: bool,
    /// By what; none in records of older versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Loosening>,
}

/// How far the decision has come. Which stages are done is derived from the target itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Phase {
    /// Stages are being written.
    Applying {},
    /// A component failed; what was touched is being put back.
    GoingBack {
        /// Which one.
        component: ComponentName,
        /// Why, for people; none in records of older versions.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cause: Option<String>,
        /// The images that failed it, if nothing but their names on the customer's `ownImages` was missing; at most 16.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        foreign: Vec<ImageName>,
    },
    /// The level is the last good one now.
    Done {},
    /// It was put back; the level is not tried again.
    Quarantined {
        /// Which component failed.
        component: ComponentName,
        /// Why, for people; none in records of older versions.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cause: Option<String>,
        /// The images that failed it, if nothing but their names on the customer's `ownImages` was missing; at most 16.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        foreign: Vec<ImageName>,
    },
    /// A person asked to leave it: everything is being put back.
    TakingBack {},
    /// A person took it back; it may be tried again once they let go.
    TakenBack {},
}

/// What a decision is made of besides the permit.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// The catalog that was judged.
    pub catalog: CatalogVersions,
    /// What is copied from the subscription.
    pub inputs: Inputs,
    /// The policy that was seen.
    pub policy: PolicyMark,
    /// The PDP's clock.
    pub now: At,
}

impl Phase {
    /// The component at which the level failed.
    pub fn failed(&self) -> Option<&ComponentName> {
        match self {
            Self::GoingBack { component, .. } | Self::Quarantined { component, .. } => Some(component),
            _ => None,
        }
    }

    /// The images that failed it, if the customer may let it be tried again by naming them; else none.
    pub fn foreign(&self) -> &[ImageName] {
        match self {
            Self::GoingBack { foreign, .. } | Self::Quarantined { foreign, .. } => foreign,
            _ => &[],
        }
    }

    /// Why it failed, for people.
    pub fn cause(&self) -> Option<&str> {
        match self {
            Self::GoingBack { cause, .. } | Self::Quarantined { cause, .. } => cause.as_deref(),
            _ => None,
        }
    }
}

impl DecisionRecord {
    /// Begins to apply what the permit allows; `before` is the record of the decision before, if any.
    ///
    /// The last good level of the new record is what `before` left behind.
    pub fn begin(permit: Permit, before: Option<&Self>, evidence: Evidence) -> Self {
        let descriptor = permit.descriptor();
        let (last_good, last_good_inputs, last_release) = match before.map(Self::left_behind) {
            Some(Some((stored, inputs, release))) => (Some(stored), Some(inputs), Some(release)),
            _ => (None, None, None),
        };
        let mut quarantined = before.map(|b| b.stored.quarantined.clone()).unwrap_or_default();
        // Only a customer's own word lets the same attempt begin again; how it ends counts anew.
        quarantined
            .retain(|sha256, failed| *sha256 != descriptor.sha256 || *failed < permit.authority().attempt());
        let stored = Stored {
            api_version: API_VERSION.to_owned(),
            critical: Vec::new(),
            target: StoredDescriptor {
                level: descriptor.release.level,
                sha256: descriptor.sha256,
                descriptor: STANDARD.encode(&descriptor.bytes),
            },
            last_good,
            last_good_inputs,
            catalog: evidence.catalog,
            inputs: evidence.inputs,
            policy: evidence.policy,
            attempt: permit.authority().attempt(),
            authority: permit.authority().clone(),
            approved_by: permit.approved_by().to_vec(),
            decided_at: evidence.now,
            phase: Phase::Applying {},
            quarantined,
        };
        Self { stored, target: descriptor.release.clone(), last_good: last_release }
    }

    /// Reads a stored record and rehashes its descriptors.
    ///
    /// # Errors
    /// `Unreadable`, `UnknownCriticalFeature`, `HashMismatch`.
    pub fn load(bytes: &[u8]) -> Result<Self, Refusal> {
        let stored: Stored = document::read("decision record", bytes)?;
        let target = stored.target.open()?;
        let last_good = stored.last_good.as_ref().map(StoredDescriptor::open).transpose()?;
        Ok(Self { stored, target, last_good })
    }

    /// The record as JSON, ready to be written.
    ///
    /// # Errors
    /// Never in practice: all of it is text and numbers.
    pub fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        document::write(&self.stored)
    }

    /// The same decision, one phase on. A quarantined release stays so in all later records.
    #[must_use]
    pub fn in_phase(mut self, phase: Phase) -> Self {
        if matches!(phase, Phase::Quarantined { .. }) {
            self.stored.quarantined.insert(self.stored.target.sha256, self.stored.attempt);
        }
        self.stored.phase = phase;
        self
    }

    /// The same decision once a level that failed is put back: it is quarantined for what it failed for. In any other phase
    /// nothing changes.
    #[must_use]
    pub fn put_back(self) -> Self {
        match self.stored.phase.clone() {
            Phase::GoingBack { component, cause, foreign } => {
                self.in_phase(Phase::Quarantined { component, cause, foreign })
            }
            _ => self,
        }
    }

    /// The same decision with the artifacts at other addresses: what was decided are digests, wherever they lie. What came
    /// from a mirror stays there.
    #[must_use]
    pub fn moved(mut self, place: impl Fn(&Release) -> Option<String>) -> Self {
        if self.stored.inputs.mirror.is_none() {
            self.stored.inputs.moved_to = place(&self.target);
        }
        if let (Some(inputs), Some(release)) = (&mut self.stored.last_good_inputs, &self.last_good)
            && inputs.mirror.is_none()
        {
            inputs.moved_to = place(release);
        }
        self
    }

    /// True while something is being applied or put back.
    pub fn is_unfinished(&self) -> bool {
        matches!(self.stored.phase, Phase::Applying {} | Phase::GoingBack { .. } | Phase::TakingBack {})
    }

    /// The level that was decided for.
    pub fn target(&self) -> &Release {
        &self.target
    }

    /// The level to go back to, none before the first installation.
    pub fn last_good(&self) -> Option<&Release> {
        self.last_good.as_ref()
    }

    /// The copied inputs of the target.
    pub fn inputs(&self) -> &Inputs {
        &self.stored.inputs
    }

    /// The inputs that the last good level was written with.
    pub fn last_good_inputs(&self) -> Option<&Inputs> {
        self.stored.last_good_inputs.as_ref()
    }

    /// How far it has come.
    pub fn phase(&self) -> &Phase {
        &self.stored.phase
    }

    /// On whose word it started.
    pub fn authority(&self) -> &Authority {
        &self.stored.authority
    }

    /// Those whose approvals the policy asked for.
    pub fn approved_by(&self) -> &[ApprovedBy] {
        &self.stored.approved_by
    }

    /// When it was decided.
    pub fn decided_at(&self) -> At {
        self.stored.decided_at
    }

    /// The policy that the gate saw.
    pub fn policy(&self) -> &PolicyMark {
        &self.stored.policy
    }

    /// The catalog that it was decided on.
    pub fn catalog(&self) -> CatalogVersions {
        self.stored.catalog
    }

    /// Which try of the level it is, from 1.
    pub fn attempt(&self) -> u32 {
        self.stored.attempt
    }

    /// Level and digest that were decided for.
    pub fn target_digest(&self) -> LevelDigest {
        self.stored.target.level_digest()
    }

    /// Level and digest to go back to, none before the first installation.
    pub fn last_good_digest(&self) -> Option<LevelDigest> {
        self.stored.last_good.as_ref().map(StoredDescriptor::level_digest)
    }

    /// Releases that failed here, by SHA-256 of their descriptors.
    pub fn quarantined(&self) -> &BTreeMap<Digest, u32> {
        &self.stored.quarantined
    }

    /// As [`Self::quarantined`], without the target if it failed for nothing but images that `own` names by now. What the
    /// server granted is the server's to grant again: it counts attempts.
    pub fn quarantined_under(&self, own: &[ImageName]) -> BTreeMap<Digest, u32> {
        let mut quarantined = self.stored.quarantined.clone();
        if self.may_be_mended() && self.stored.phase.foreign().iter().all(|image| own.contains(image)) {
            quarantined.remove(&self.stored.target.sha256);
        }
        quarantined
    }

    /// True if the target is quarantined and the customer's `ownImages` decides whether it is tried again.
    pub fn may_be_mended(&self) -> bool {
        let Phase::Quarantined { foreign, .. } = &self.stored.phase else { return false };
        !foreign.is_empty() && !matches!(self.stored.authority, Authority::Grant { .. })
    }

    /// The level that counts as installed: the target once done, else the last good one.
    pub fn installed(&self) -> Option<LevelDigest> {
        match self.stored.phase {
            Phase::Done {} => Some(self.target_digest()),
            _ => self.stored.last_good.as_ref().map(StoredDescriptor::level_digest),
        }
    }

    fn left_behind(&self) -> Option<(StoredDescriptor, Inputs, Release)> {
        let stored = &self.stored;
        match stored.phase {
            Phase::Done {} => Some((stored.target.clone(), stored.inputs.clone(), self.target.clone())),
            _ => Some((stored.last_good.clone()?, stored.last_good_inputs.clone()?, self.last_good.clone()?)),
        }
    }
}

impl StoredDescriptor {
    fn open(&self) -> Result<Release, Refusal> {
        let subject = format!("decision record, level {}", self.level);
        let refuse = |code, detail: &str| Refusal::new(code, &subject, detail);
        let bytes =
            STANDARD.decode(&self.descriptor).map_err(|e| refuse(RefusalCode::Unreadable, &e.to_string()))?;
        if Digest::of(&bytes) != self.sha256 {
            return Err(refuse(RefusalCode::HashMismatch, "the stored descriptor was changed"));
        }
        let release = Release::read(&subject, &bytes)?;
        if release.level != self.level {
            return Err(refuse(RefusalCode::HashMismatch, "it describes another level"));
        }
        Ok(release)
    }

    fn level_digest(&self) -> LevelDigest {
        LevelDigest { level: self.level, sha256: self.sha256 }
    }
}
