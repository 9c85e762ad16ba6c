//! The custom resources of group `updates.pdp.wso2.com`: their types are the one source of their schema.

mod condition;
mod names;
mod reference;
mod spec;
mod status;
mod update_approval;

pub use condition::{Condition, ConditionType};
pub use names::{
    FINALIZER, FORCE_AT, MANAGER, REQUESTED_AT, SUBSCRIPTION_LABEL, TRUST_SECRET, subscription_of,
};
pub use reference::{KeyOf, NameOf, ReportsOf, TimeZones};
pub use spec::{
    CatalogSource, FluxSourceKind, Instruction, Mirror, RingStateSource, Rollback, Root, Server, Signatures,
    UpdateSubscription, UpdateSubscriptionSpec, Values, Verify,
};
pub use status::{
    CatalogState, CatalogStatus, ComponentState, ComponentStatus, HistoryEntry, HistoryResult,
    InstructionStatus, LevelStatus, MoveState, MoveStatus, NextAction, ObstacleStatus, RefusalStatus,
    TargetPhase, TargetStatus, UpdateSubscriptionStatus, ZoneDataStatus,
};
pub use update_approval::{UpdateApproval, UpdateApprovalSpec};
