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
/// The Secret with the root that a namespace trusts, whatever its subscription is called.
pub const TRUST_SECRET: &str = "pdp-trust";
/// The Secrets of a subscription: `pdp-<name>-<part>`.
const SECRET_PARTS: [&str; 4] = ["decision", "state", "identity", "artifact-keys"];

/// The subscription whose own Secret this name is; none for other Secrets.
pub fn subscription_of(secret: &str) -> Option<&str> {
    let rest = secret.strip_prefix("pdp-")?;
    SECRET_PARTS
        .iter()
        .find_map(|part| rest.strip_suffix(part)?.strip_suffix('-'))
        .filter(|it| !it.is_empty())
}
