//! The cluster of the user's kubeconfig, and the subscription that is meant.

use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;
use kube::api::{ListParams, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::error_boundary::InvalidObject;
use kube::core::{ApiResource, DeserializeGuard, DynamicObject, GroupVersionKind, NamespaceResourceScope};
use kube::{Api, Client, Config, Resource, ResourceExt};
use pdp_transport::cli::Failure;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::say;
use serde_json::Value;

use super::Common;
use super::request::{Request, SUBSCRIPTIONS};
use crate::crd::{UpdateApproval, UpdateSubscription};

/// Whose changes they are, in an object's managed fields.
const MANAGER: &str = "kubectl-pdp";
const CONNECT: Duration = Duration::from_secs(10);
/// No namespace holds more subscriptions than are worth listing.
const MOST: u32 = 500;

/// A cluster, and where in it to look.
#[derive(Clone)]
pub(super) struct Cluster {
    client: Client,
    /// None for all namespaces.
    namespace: Option<String>,
}

impl Cluster {
    /// Reads the kubeconfig as kubectl does; says no word to the cluster yet.
    pub(super) async fn of(common: &Common) -> Result<Self> {
        let mut config = config(common).await?;
        config.connect_timeout = Some(CONNECT);
        let namespace = common.namespace.clone().unwrap_or_else(|| config.default_namespace.clone());
        let bad = |error: kube::Error| bad_kubeconfig(common, &error);
        let client = Client::try_from(config).map_err(bad)?;
        Ok(Self { client, namespace: (!common.all_namespaces).then_some(namespace) })
    }

    /// Where it looks, none for everywhere.
    pub(super) fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    /// All subscriptions there that can be read, by namespace and name; the others are named.
    pub(super) async fn subscriptions(&self) -> Result<Vec<UpdateSubscription>> {
        let request = Request::all("list", SUBSCRIPTIONS, self.namespace());
        let list = request
            .answer(
                self.api::<DeserializeGuard<UpdateSubscription>>().list(&ListParams::default().limit(MOST)),
            )
            .await?;
        let (mut found, mut unreadable) = sorted_out(list.items);
        if found.is_empty() && unreadable.len() == 1 {
            return Err(unreadable.remove(0));
        }
        unreadable.iter().for_each(|failure| say(&format!("✗ {failure}")));
        found.sort_by_key(|one| (one.namespace(), one.name_any()));
        Ok(found)
    }

    /// The subscription that is meant.
    pub(super) async fn subscription(&self, name: Option<&str>) -> Result<UpdateSubscription> {
        match (name, self.namespace()) {
            (Some(name), Some(namespace)) => {
                let request = Request::one("get", SUBSCRIPTIONS, namespace, name);
                request
                    .answer(self.api::<DeserializeGuard<UpdateSubscription>>().get(name))
                    .await?
                    .0
                    .map_err(|invalid| unreadable(&invalid))
            }
            _ => only(self.subscriptions().await?, self.namespace()),
        }
    }

    /// The API for subscriptions there; behind a guard, one that can't be read is no failure of all.
    pub(super) fn api<K>(&self) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    {
        match self.namespace() {
            Some(namespace) => Api::namespaced(self.client.clone(), namespace),
            None => Api::all(self.client.clone()),
        }
    }

    /// The API for the subscriptions beside this one.
    pub(super) fn api_of(&self, of: &UpdateSubscription) -> Api<UpdateSubscription> {
        Api::namespaced(self.client.clone(), &of.namespace().unwrap_or_default())
    }

    /// Changes a subscription by a merge patch.
    pub(super) async fn patch(&self, of: &UpdateSubscription, change: &Value) -> Result<UpdateSubscription> {
        let name = of.name_any();
        let request = Request::one("patch", SUBSCRIPTIONS, &of.namespace().unwrap_or_default(), &name);
        let (api, parameters) =
            (self.api_of(of), PatchParams { field_manager: Some(MANAGER.into()), ..Default::default() });
        request.answer(api.patch(&name, &parameters, &Patch::Merge(change))).await
    }

    /// The approvals and requests beside a subscription.
    pub(super) async fn approvals(&self, of: &UpdateSubscription) -> Result<Vec<UpdateApproval>> {
        let namespace = of.namespace().unwrap_or_default();
        let request = Request::all("list", "updateapprovals", Some(&namespace));
        let api = Api::<UpdateApproval>::namespaced(self.client.clone(), &namespace);
        Ok(request.answer(api.list(&ListParams::default().limit(MOST))).await?.items)
    }

    /// Makes an approval in the subscription's namespace.
    pub(super) async fn create(
        &self,
        of: &UpdateSubscription,
        approval: &UpdateApproval,
    ) -> Result<UpdateApproval> {
        let namespace = of.namespace().unwrap_or_default();
        let request = Request::one("create", "updateapprovals", &namespace, &approval.name_any());
        let api = Api::<UpdateApproval>::namespaced(self.client.clone(), &namespace);
        let parameters = PostParams { field_manager: Some(MANAGER.into()), ..Default::default() };
        request.answer(api.create(&parameters, approval)).await
    }

    /// A Secret in the subscription's namespace, none if it isn't there.
    pub(super) async fn secret(&self, of: &UpdateSubscription, name: &str) -> Result<Option<Secret>> {
        let namespace = of.namespace().unwrap_or_default();
        let request = Request::one("get", "secrets", &namespace, name);
        request.answer(Api::<Secret>::namespaced(self.client.clone(), &namespace).get_opt(name)).await
    }

    /// Changes a Secret by a merge patch.
    pub(super) async fn patch_secret(
        &self,
        of: &UpdateSubscription,
        name: &str,
        change: &Value,
    ) -> Result<()> {
        let namespace = of.namespace().unwrap_or_default();
        let request = Request::one("patch", "secrets", &namespace, name);
        let api = Api::<Secret>::namespaced(self.client.clone(), &namespace);
        let parameters = PatchParams { field_manager: Some(MANAGER.into()), ..Default::default() };
        request.answer(api.patch(name, &parameters, &Patch::Merge(change))).await.map(|_| ())
    }

    /// The API for another kind.
    pub(super) fn kind(&self, kind: Kind, namespace: &str) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), namespace, &kind.resource())
    }

    /// All objects of another kind, with all labels named.
    pub(super) async fn list(&self, kind: Kind, namespace: &str, labels: &str) -> Result<Vec<Value>> {
        let request = Request::all("list", kind.1, Some(namespace));
        let found =
            request.answer(self.kind(kind, namespace).list(&ListParams::default().labels(labels))).await?;
        Ok(found.items.iter().filter_map(|object| serde_json::to_value(object).ok()).collect())
    }

    /// Changes another object by a merge patch.
    pub(super) async fn patch_kind(
        &self,
        kind: Kind,
        namespace: &str,
        name: &str,
        change: &Value,
    ) -> Result<()> {
        let request = Request::one("patch", kind.1, namespace, name);
        let parameters = PatchParams { field_manager: Some(MANAGER.into()), ..Default::default() };
        let api = self.kind(kind, namespace);
        request.answer(api.patch(name, &parameters, &Patch::Merge(change))).await.map(|_| ())
    }
}

/// Another kind: its kind, resource (`plural.group`) and version.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind(pub(super) &'static str, pub(super) &'static str, pub(super) &'static str);

impl Kind {
    pub(super) const GIT_REPOSITORY: Self =
        Self("GitRepository", "gitrepositories.source.toolkit.fluxcd.io", "v1");
    pub(super) const OCI_REPOSITORY: Self =
        Self("OCIRepository", "ocirepositories.source.toolkit.fluxcd.io", "v1");
    pub(super) const HELM_RELEASE: Self = Self("HelmRelease", "helmreleases.helm.toolkit.fluxcd.io", "v2");
    pub(super) const KUSTOMIZATION: Self =
        Self("Kustomization", "kustomizations.kustomize.toolkit.fluxcd.io", "v1");
    pub(super) const POD: Self = Self("Pod", "pods", "v1");

    fn resource(self) -> ApiResource {
        let (plural, group) = self.1.split_once('.').unwrap_or((self.1, ""));
        ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, self.2, self.0), plural)
    }
}

/// Those that can be read, and what is wrong with the others.
fn sorted_out(all: Vec<DeserializeGuard<UpdateSubscription>>) -> (Vec<UpdateSubscription>, Vec<Failure>) {
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for one in all {
        match one.0 {
            Ok(one) => found.push(one),
            Err(invalid) => failures.push(unreadable(&invalid)),
        }
    }
    (found, failures)
}

fn unreadable(invalid: &InvalidObject) -> Failure {
    let text = |text: &Option<String>| pdp_policies::printable(text.as_deref().unwrap_or_default());
    let (namespace, name) = (text(&invalid.metadata.namespace), text(&invalid.metadata.name));
    Failure::new("BadSubscription", format!("{namespace}/{name} can't be read; nothing starts there"))
        .cause(pdp_policies::printable(&invalid.error))
        .hint(format!("kubectl edit usub {name} -n {namespace}   # correct what is named"))
}

/// The only one, or the failure that names all of them.
pub(super) fn only(
    mut found: Vec<UpdateSubscription>,
    namespace: Option<&str>,
) -> Result<UpdateSubscription> {
    let place = namespace.map_or_else(|| "in all namespaces".to_owned(), |n| format!("in namespace {n}"));
    match (found.len(), found.pop()) {
        (1, Some(one)) => Ok(one),
        (_, None) => Err(Failure::new("NotFound", format!("no UpdateSubscription {place}"))
            .hint("`kubectl pdp status -A` looks everywhere; -n names another namespace")),
        (count, Some(last)) => {
            let all: Vec<_> = found
                .iter()
                .chain([&last])
                .map(|one| format!("{} -n {}", one.name_any(), one.namespace().unwrap_or_default()))
                .collect();
            Err(Failure::new("Ambiguous", format!("{count} UpdateSubscriptions {place}"))
                .hint(format!("name one of them: {}", all.join(", "))))
        }
    }
}

async fn config(common: &Common) -> Result<Config> {
    let options = KubeConfigOptions { context: common.context.clone(), ..Default::default() };
    let bad = |error: kube::config::KubeconfigError| bad_kubeconfig(common, &error);
    match &common.kubeconfig {
        Some(path) => {
            let file = Kubeconfig::read_from(path).map_err(bad)?;
            Config::from_custom_kubeconfig(file, &options).await.map_err(bad)
        }
        None if common.context.is_some() => Config::from_kubeconfig(&options).await.map_err(bad),
        None => Config::infer().await.map_err(|error| bad_kubeconfig(common, &error)),
    }
}

fn bad_kubeconfig(common: &Common, error: &dyn std::error::Error) -> Failure {
    let file = common
        .kubeconfig
        .as_ref()
        .map_or_else(|| "kubeconfig".to_owned(), |p| format!("kubeconfig {}", p.display()));
    let file = common
        .context
        .as_ref()
        .map_or_else(|| file.clone(), |context| format!("{file}, context `{context}`"));
    Failure::new("BadKubeconfig", file).cause(super::request::chain(error)).hint(
        "`kubectl config get-contexts` lists what there is; --kubeconfig and --context name another one",
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::kubectl::testing::subscription;

    #[test]
    fn the_only_one_is_meant_several_are_listed_none_is_said() {
        let (mut a, mut b) = (subscription(&serde_json::json!({})), subscription(&serde_json::json!({})));
        a.metadata.name = Some("a".into());
        b.metadata.name = Some("b".into());
        assert_eq!(only(vec![a.clone()], Some("pdp")).unwrap().name_any(), "a");
        let several = only(vec![a, b], Some("pdp")).unwrap_err();
        assert_eq!(several.code, "Ambiguous");
        assert_eq!(several.hint.unwrap(), "name one of them: a -n pdp-system, b -n pdp-system");
        assert_eq!(only(vec![], None).unwrap_err().what, "no UpdateSubscription in all namespaces");
    }

    #[test]
    fn a_kind_of_the_core_has_no_group() {
        assert_eq!(Kind::POD.resource().api_version, "v1");
        assert_eq!(Kind::HELM_RELEASE.resource().api_version, "helm.toolkit.fluxcd.io/v2");
        assert_eq!(Kind::HELM_RELEASE.resource().plural, "helmreleases");
    }
}
