//! The finalizer of a subscription.

use kube::api::{Patch, PatchParams};
use kube::core::ObjectMeta;
use pdp_transport::cli::failure::Result;
use serde_json::json;

use super::context::Context;
use crate::crd::{FINALIZER, MANAGER};

/// Puts it there, or takes it away, unless somebody changed the object meanwhile.
///
/// # Errors
/// Those of the API server.
pub(super) fn set(of: &ObjectMeta, context: &Context, there: bool) -> Result<()> {
    let others = of.finalizers.iter().flatten().filter(|it| *it != FINALIZER).cloned();
    let finalizers: Vec<_> = others.chain(there.then(|| FINALIZER.to_owned())).collect();
    let metadata = json!({ "finalizers": finalizers, "resourceVersion": of.resource_version });
    let patch = Patch::Merge(json!({ "metadata": metadata }));
    let parameters = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
    let (name, api) = (of.name.as_deref().unwrap_or_default(), context.api());
    let what = || format!("set the finalizer of UpdateSubscription {name}");
    context.cluster.wait(what, api.patch(name, &parameters, &patch)).map(|_| ())
}
