//! The status of a subscription, as it stands in the cluster.

use kube::Api;
use kube::api::{Patch, PatchParams};
use kube::core::{ApiResource, DynamicObject};
use pdp_transport::cli::failure::Result;
use serde_json::json;

use super::context::Context;
use crate::crd::{MANAGER, UpdateSubscription, UpdateSubscriptionStatus as Status};

/// The status alone, whatever the rest of the object holds; nothing where it can't be read either.
///
/// # Errors
/// Those of the API server.
pub(super) fn read(name: &str, context: &Context) -> Result<Status> {
    let (client, namespace) = (context.cluster.client.clone(), &context.cluster.namespace);
    let api: Api<DynamicObject> =
        Api::namespaced_with(client, namespace, &ApiResource::erase::<UpdateSubscription>(&()));
    let object = context.cluster.wait(|| format!("get UpdateSubscription {name}"), api.get_opt(name))?;
    let status = object.map(|mut object| object.data["status"].take());
    Ok(status.and_then(|status| serde_json::from_value(status).ok()).unwrap_or_default())
}

/// Server-side apply: what isn't said any more goes away. Nothing is written when nothing changed.
///
/// # Errors
/// Those of the API server.
pub(super) fn write(name: &str, context: &Context, before: &Status, after: Status) -> Result<()> {
    if *before == after {
        return Ok(());
    }
    let body = json!({
        "apiVersion": "updates.pdp.wso2.com/v1", "kind": "UpdateSubscription",
        "metadata": { "name": name, "namespace": context.cluster.namespace },
        "status": after,
    });
    let parameters = PatchParams::apply(MANAGER).force();
    let api = context.api();
    let what = || format!("write the status of UpdateSubscription {name}");
    context.cluster.wait(what, api.patch_status(name, &parameters, &Patch::Apply(&body))).map(|_| ())
}
