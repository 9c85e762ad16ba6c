//! One namespace of a cluster, for code on a thread of its own: every call waits for its answer.

use std::time::Duration;

use kube::api::{DeleteParams, GetParams, ListParams, Patch, PatchParams};
use kube::core::{ApiResource, DynamicObject, GroupVersionKind, Request, Status};
use kube::{Api, Client, Resource};
use pdp_transport::block_on;
use pdp_transport::cli::failure::{Failure, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::runtime::Handle;

use crate::crd::{MANAGER, SUBSCRIPTION_LABEL, TRUST_SECRET, subscription_of};

/// No answer of the API server takes longer; without this a lost connection would hang a pass.
const PATIENCE: Duration = Duration::from_secs(30);

/// The kinds that are read and written: Flux's, and the ConfigMaps that its releases read values from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    OciRepository,
    GitRepository,
    HelmRelease,
    Kustomization,
    /// Only those that carry a subscription's label are listed.
    ConfigMap,
}

impl Kind {
    /// As it stands in `kind`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::OciRepository => "OCIRepository",
            Self::GitRepository => "GitRepository",
            Self::HelmRelease => "HelmRelease",
            Self::Kustomization => "Kustomization",
            Self::ConfigMap => "ConfigMap",
        }
    }

    /// The label that an object needs to be looked at; none of what Flux alone has. Anybody may have ConfigMaps, as large
    /// as they like.
    pub(crate) fn label(self) -> Option<&'static str> {
        (self == Self::ConfigMap).then_some(SUBSCRIPTION_LABEL)
    }

    /// As kube knows it.
    pub(crate) fn resource(self) -> ApiResource {
        let (group, version, plural) = match self {
            Self::OciRepository => ("source.toolkit.fluxcd.io", "v1", "ocirepositories"),
            Self::GitRepository => ("source.toolkit.fluxcd.io", "v1", "gitrepositories"),
            Self::HelmRelease => ("helm.toolkit.fluxcd.io", "v2", "helmreleases"),
            Self::Kustomization => ("kustomize.toolkit.fluxcd.io", "v1", "kustomizations"),
            Self::ConfigMap => ("", "v1", "configmaps"),
        };
        let kind = GroupVersionKind::gvk(group, version, self.name());
        ApiResource::from_gvk_with_plural(&kind, plural)
    }
}

/// The list of a kind, as the API server writes it.
#[derive(Deserialize)]
struct List {
    items: Vec<Value>,
}

/// A client of one namespace.
#[derive(Clone)]
pub(crate) struct Cluster {
    pub(crate) client: Client,
    handle: Handle,
    pub(crate) namespace: String,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Cluster({})", self.namespace)
    }
}

impl Cluster {
    /// Requests run on the runtime behind `handle`; the thread that calls drives it, or isn't one of its own.
    pub(crate) fn new(client: Client, handle: Handle, namespace: &str) -> Self {
        Self { client, handle, namespace: namespace.to_owned() }
    }

    /// One object, none if there is none of that name, or no such kind.
    pub(crate) fn get(&self, kind: Kind, name: &str) -> Result<Option<Value>> {
        let what = || format!("get {} {name}", kind.name());
        if_there(self.wait(what, self.read(Request::new(self.path(kind)).get(name, &GetParams::default()))))
    }

    /// All objects of a kind in the namespace; none if the API server doesn't serve the kind.
    pub(crate) fn list(&self, kind: Kind) -> Result<Option<Vec<Value>>> {
        let what = || format!("list {}", kind.name());
        let labels = kind.label().unwrap_or_default();
        let list = self.read(Request::new(self.path(kind)).list(&ListParams::default().labels(labels)));
        Ok(if_there(self.wait(what, list))?
            .map(|List { items }| items.into_iter().map(|it| named(kind, it)).collect()))
    }

    /// Server-side apply of the fields in `object`; other people's fields stay as they are.
    pub(crate) fn apply(&self, kind: Kind, object: &Value) -> Result<()> {
        let name = name_of(object).to_owned();
        let parameters = PatchParams::apply(MANAGER).force();
        let patch = Patch::Apply(object);
        let api = self.api(kind);
        self.wait(|| format!("apply {} {name}", kind.name()), api.patch(&name, &parameters, &patch))
            .map(|_| ())
    }

    /// A merge patch; true if the object is there.
    pub(crate) fn merge(&self, kind: Kind, name: &str, patch: &Value) -> Result<bool> {
        let parameters = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
        let patch = Patch::Merge(patch);
        let api = self.api(kind);
        let answer =
            self.wait(|| format!("patch {} {name}", kind.name()), api.patch(name, &parameters, &patch));
        Ok(if_there(answer)?.is_some())
    }

    /// Deletes an object; true if it was there.
    pub(crate) fn delete(&self, kind: Kind, name: &str) -> Result<bool> {
        let parameters = DeleteParams::default();
        let api = self.api(kind);
        let answer = self.wait(|| format!("delete {} {name}", kind.name()), api.delete(name, &parameters));
        Ok(if_there(answer)?.is_some())
    }

    /// Waits for something that has limits of its own.
    pub(crate) fn run<T>(&self, work: impl Future<Output = T>) -> Result<T> {
        let _entered = self.handle.enter();
        Ok(block_on(work)?)
    }

    /// Starts something that nobody waits for.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        drop(self.handle.spawn(work));
    }

    /// Waits for an answer of the API server.
    pub(crate) fn wait<T>(
        &self,
        what: impl Fn() -> String,
        request: impl Future<Output = kube::Result<T>>,
    ) -> Result<T> {
        let answer = self.run(async { tokio::time::timeout(PATIENCE, request).await })?;
        let late = || Failure { transient: true, ..unavailable(what(), "no answer within 30 s") };
        answer.map_err(|_| late())?.map_err(|error| failure(what(), &error))
    }

    /// What the API server holds, read once: kube's own objects would be read, and written as JSON, and read again.
    async fn read<T: DeserializeOwned>(
        &self,
        request: std::result::Result<axum::http::Request<Vec<u8>>, kube::core::request::Error>,
    ) -> kube::Result<T> {
        self.client.request(request.map_err(kube::Error::BuildRequest)?).await
    }

    fn path(&self, kind: Kind) -> String {
        DynamicObject::url_path(&kind.resource(), Some(&self.namespace))
    }

    fn api(&self, kind: Kind) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), &self.namespace, &kind.resource())
    }
}

/// Lists of Kubernetes' own kinds have items that don't say what they are.
fn named(kind: Kind, mut item: Value) -> Value {
    let resource = kind.resource();
    for (field, value) in [("apiVersion", &resource.api_version), ("kind", &resource.kind)] {
        if item[field].is_null() {
            item[field] = value.as_str().into();
        }
    }
    item
}

/// `metadata.name`.
pub(crate) fn name_of(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap_or_default()
}

/// None for what the API server doesn't have.
fn if_there<T>(answer: Result<T>) -> Result<Option<T>> {
    match answer {
        Err(failure) if failure.code == "NotFound" => Ok(None),
        other => other.map(Some),
    }
}

fn unavailable(what: String, cause: &str) -> Failure {
    Failure::new("ApiServerUnavailable", what).cause(cause).hint("pdp-sync tries again by itself")
}

/// What the API server's refusal, or its silence, means.
pub(crate) fn failure(what: String, error: &kube::Error) -> Failure {
    let kube::Error::Api(status) = error else {
        return Failure { transient: true, ..unavailable(what, &error.to_string()) };
    };
    let (code, transient, hint) = match status.code {
        401 | 403 => {
            let hint = missing_right(status);
            return Failure::new("Forbidden", what).cause(&status.message).hint(hint);
        }
        404 => ("NotFound", false, "is it installed?"),
        409 => ("Conflict", true, "someone else wrote at the same moment; pdp-sync reads again by itself"),
        429 | 500..=599 => ("ApiServerUnavailable", true, "pdp-sync tries again by itself"),
        _ => (
            "ApiServerRefused",
            false,
            "the API server doesn't accept the object; are Flux and pdp-sync up to date?",
        ),
    };
    Failure { transient, ..Failure::new(code, what).cause(&status.message).hint(hint) }
}

/// Which value of the chart gives the right.
fn missing_right(status: &Status) -> String {
    const OTHERWISE: &str = "give pdp-sync's ServiceAccount this right; the chart's Role has it";
    let details = status.details.as_ref().filter(|details| details.kind == "secrets");
    let Some(name) = details.map(|details| details.name.as_str()) else { return OTHERWISE.to_owned() };
    match subscription_of(name) {
        Some(subscription) => format!("list `{subscription}` in the chart's value rbac.subscriptions"),
        None if name == TRUST_SECRET => OTHERWISE.to_owned(),
        None => format!("list `{name}` in the chart's value rbac.secrets"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn forbidden(kind: &str, name: &str) -> Failure {
        let status = serde_json::json!({
            "status": "Failure", "code": 403, "reason": "Forbidden", "message": "no",
            "details": { "kind": kind, "name": name },
        });
        failure("get it".to_owned(), &kube::Error::Api(Box::new(serde_json::from_value(status).unwrap())))
    }

    #[test]
    fn a_missing_right_names_the_value_of_the_chart() {
        for (kind, name, value) in [
            ("secrets", "pdp-prod-state", "`prod` in the chart's value rbac.subscriptions"),
            ("secrets", "pdp-a-state-artifact-keys", "`a-state` in the chart's value rbac.subscriptions"),
            ("secrets", "registry-login", "`registry-login` in the chart's value rbac.secrets"),
            ("secrets", "pdp-login", "`pdp-login` in the chart's value rbac.secrets"),
            ("secrets", "pdp-trust", "the chart's Role has it"),
            ("helmreleases", "pdp-prod-state", "the chart's Role has it"),
        ] {
            let failure = forbidden(kind, name);
            assert!(failure.code == "Forbidden" && !failure.transient, "{failure}");
            assert!(failure.hint.as_ref().unwrap().ends_with(value), "{name}: {failure}");
        }
    }
}
