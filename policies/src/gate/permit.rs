//! The proof that a level may start: made by the gate alone, good for one pass.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::channel::Overridable;
use crate::names::Ring;
use crate::plan::Percent;
use crate::time::At;
use crate::trust::{Descriptor, Verified};

/// Leave to start one level. It can't be stored, copied or made elsewhere.
#[derive(Debug)]
pub struct Permit {
    descriptor: Verified<Descriptor>,
    leave: Leave,
}

/// Why a level may start.
#[derive(Debug)]
pub(super) struct Leave {
    pub(super) authority: Authority,
    /// Those whose approvals the policy asks for.
    pub(super) approved_by: Vec<ApprovedBy>,
}

/// Somebody who approved the level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ApprovedBy {
    /// The name, as the policy has it.
    pub name: String,
    /// Fingerprint of the key, as `ssh-keygen -l` prints it.
    pub key: String,
}

/// On whose word a level started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Authority {
    /// The vendor's door in the channel, signed by people.
    OpenTo {
        /// The ring that it was opened to.
        ring: Ring,
        /// The share of the ring.
        percent: Percent,
        /// Version of the role `channels` that says so.
        channels: u64,
        /// The customer's instruments that it passed, as the customer's policy allows.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        passed: BTreeSet<Overridable>,
    },
    /// A grant of the channel server.
    Grant {
        /// The effective ring.
        ring: Ring,
        /// Which try of this level it is, from 1.
        attempt: u32,
        /// When the server signed it.
        issued: At,
        /// The customer's instruments that it passed, as the customer's policy allows.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        passed: BTreeSet<Overridable>,
    },
    /// The director's ring state.
    RingState {
        /// The ring that it was opened to.
        ring: Ring,
        /// The share of the ring.
        percent: Percent,
        /// Which try of this level it is, from 1.
        attempt: u32,
        /// When the director signed it.
        issued: At,
        /// The customer's instruments that it passed, as the customer's policy allows.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        passed: BTreeSet<Overridable>,
    },
    /// The customer's signed approval.
    Approval {
        /// Fingerprints of the keys of those who said yes.
        approvers: Vec<String>,
    },
}

impl Permit {
    pub(super) fn new(descriptor: Verified<Descriptor>, leave: Leave) -> Self {
        Self { descriptor, leave }
    }

    /// The release that may start.
    pub fn descriptor(&self) -> &Verified<Descriptor> {
        &self.descriptor
    }

    /// On whose word.
    pub fn authority(&self) -> &Authority {
        &self.leave.authority
    }

    /// Those whose approvals the policy asks for.
    pub fn approved_by(&self) -> &[ApprovedBy] {
        &self.leave.approved_by
    }
}

impl Authority {
    /// Which try of the level it is, from 1.
    pub fn attempt(&self) -> u32 {
        match self {
            Self::OpenTo { .. } | Self::Approval { .. } => 1,
            Self::Grant { attempt, .. } | Self::RingState { attempt, .. } => *attempt,
        }
    }
}
