//! Labels, annotations and names that both programs and Flux agree on.

/// Field manager of everything that pdp-sync applies.
pub const MANAGER: &str = "pdp-sync";
/// On Flux objects: the subscription that they belong to. Set it by hand to hand an object over.
pub const SUBSCRIPTION_LABEL: &str = "updates.pdp.wso2.com/subscription";
/// On subscriptions: lets a deletion wait until pdp-sync has let go of it.
pub const FINALIZER: &str = "updates.pdp.wso2.com/finalizer";
/// Flux's request to reconcile now: any new text.
pub const REQUESTED_AT: &str = "reconcile.fluxcd.io/requestedAt";
/// Flux's request to act beyond the usual; counts only if equal to the one above.
pub const FORCE_AT: &str = "reconcile.fluxcd.io/forceAt";
