//! What the customer wants, without a word about how anything is reached: all that a decision looks at.

use pdp_policies::decision::Inputs;
use pdp_policies::gate::Instruction;
use pdp_policies::instruction::{Assignment, RingState};
use pdp_policies::policy::Policy;
use pdp_policies::trust::Verified;
use pdp_policies::{Digest, Line, PdpId, Ring};

use crate::crd::{Rollback, Signatures};
use crate::subscription::{InstructionSource, Reports, Subscription, Target};
use crate::zones::Zones;

/// One data plane's wishes.
#[derive(Debug, Clone)]
pub(crate) struct Customer {
    /// The subscription's name, and with it the names of what is written.
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) pdp: PdpId,
    pub(crate) line: Line,
    /// Its own ring; none if enrolment tells it.
    pub(crate) ring: Option<Ring>,
    /// Who opens levels besides the channel's own door.
    pub(crate) opener: Opener,
    /// What goes into a decision and its rendering.
    pub(crate) inputs: Inputs,
    pub(crate) signatures: Signatures,
    pub(crate) policy: Policy,
    /// By which rules its windows go.
    pub(crate) zones: Zones,
    /// A person's way back, in a cluster.
    pub(crate) rollback: Option<Rollback>,
    pub(crate) reports: Reports,
    /// True if a level counts as done only once it is healthy.
    pub(crate) measures_health: bool,
    /// SHA-256 of the UID of the namespace kube-system; none without a cluster.
    pub(crate) cluster_id: Option<Digest>,
}

/// Who opens levels besides the channel's own door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opener {
    /// Nobody: the channel alone.
    Channel,
    /// The channel server.
    Server,
    /// The director's ring state.
    RingState,
    /// The customer's approvals alone.
    Approval,
}

impl Opener {
    /// Its name in status and state.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Channel => "channel",
            Self::Server => "server",
            Self::RingState => "ringState",
            Self::Approval => "approval",
        }
    }

    /// What was heard, in the gate's words.
    pub(crate) fn instruction<'a>(
        self,
        assignment: Option<&'a Verified<Assignment>>,
        ring_state: Option<&'a Verified<RingState>>,
    ) -> Instruction<'a> {
        match self {
            Self::Channel => Instruction::Channel,
            Self::Server => Instruction::Server(assignment),
            Self::RingState => Instruction::RingState(ring_state),
            Self::Approval => Instruction::Approval,
        }
    }
}

impl Customer {
    pub(crate) fn of(subscription: &Subscription) -> Self {
        let (metadata, spec) = (&subscription.metadata, &subscription.spec);
        let (opener, reports) = match &spec.instruction {
            InstructionSource::Channel {} => (Opener::Channel, Reports::None),
            InstructionSource::Server(source) => (Opener::Server, source.reports),
            InstructionSource::RingState(_) => (Opener::RingState, Reports::None),
            InstructionSource::Approval {} => (Opener::Approval, Reports::None),
        };
        let flux = match &spec.target {
            Target::Flux(inputs) => Some((**inputs).clone()),
            Target::Git { .. } => None,
        };
        Self {
            name: metadata.name.clone(),
            namespace: metadata.namespace.clone(),
            pdp: subscription.pdp(),
            line: spec.line.clone(),
            ring: spec.ring.clone(),
            opener,
            measures_health: spec.probe.is_some() || flux.is_some(),
            inputs: Inputs {
                mirror: spec.mirror.clone(),
                moved_to: None,
                platform: spec.platform,
                left_out: spec.leave_out.clone(),
                component_platform_values: Some(spec.component_platform_values.clone()),
                flux,
            },
            signatures: spec.signatures,
            policy: spec.policy.clone(),
            zones: spec.zones.clone(),
            rollback: spec.rollback.clone(),
            reports,
            cluster_id: spec.cluster_id,
        }
    }
}
