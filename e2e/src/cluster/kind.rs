//! The kinds that the tests deal with.

use serde_json::Value;

/// Group and version, plural name, whether it lives in a namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    name: &'static str,
    version: &'static str,
    plural: &'static str,
    namespaced: bool,
}

const fn namespaced(version: &'static str, name: &'static str, plural: &'static str) -> Kind {
    Kind { name, version, plural, namespaced: true }
}

const fn global(version: &'static str, name: &'static str, plural: &'static str) -> Kind {
    Kind { name, version, plural, namespaced: false }
}

const RBAC: &str = "rbac.authorization.k8s.io/v1";
const ADMISSION: &str = "admissionregistration.k8s.io/v1";
const SOURCE: &str = "source.toolkit.fluxcd.io/v1";
const OURS: &str = "updates.pdp.wso2.com/v1";

/// Each kind is a constant of its name.
impl Kind {
    pub const NAMESPACE: Self = global("v1", "Namespace", "namespaces");
    pub const NODE: Self = global("v1", "Node", "nodes");
    pub const SECRET: Self = namespaced("v1", "Secret", "secrets");
    pub const CONFIG_MAP: Self = namespaced("v1", "ConfigMap", "configmaps");
    pub const SERVICE_ACCOUNT: Self = namespaced("v1", "ServiceAccount", "serviceaccounts");
    pub const POD: Self = namespaced("v1", "Pod", "pods");
    pub const DEPLOYMENT: Self = namespaced("apps/v1", "Deployment", "deployments");
    pub const DAEMON_SET: Self = namespaced("apps/v1", "DaemonSet", "daemonsets");
    pub const STATEFUL_SET: Self = namespaced("apps/v1", "StatefulSet", "statefulsets");
    pub const JOB: Self = namespaced("batch/v1", "Job", "jobs");
    pub const EVENT: Self = namespaced("events.k8s.io/v1", "Event", "events");
    pub const ROLE: Self = namespaced(RBAC, "Role", "roles");
    pub const ROLE_BINDING: Self = namespaced(RBAC, "RoleBinding", "rolebindings");
    pub const CLUSTER_ROLE: Self = global(RBAC, "ClusterRole", "clusterroles");
    pub const CLUSTER_ROLE_BINDING: Self = global(RBAC, "ClusterRoleBinding", "clusterrolebindings");
    pub const DEFINITION: Self =
        global("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions");
    pub const MUTATING_POLICY: Self =
        global(ADMISSION, "MutatingAdmissionPolicy", "mutatingadmissionpolicies");
    pub const MUTATING_BINDING: Self =
        global(ADMISSION, "MutatingAdmissionPolicyBinding", "mutatingadmissionpolicybindings");
    pub const GIT_REPOSITORY: Self = namespaced(SOURCE, "GitRepository", "gitrepositories");
    pub const OCI_REPOSITORY: Self = namespaced(SOURCE, "OCIRepository", "ocirepositories");
    pub const KUSTOMIZATION: Self =
        namespaced("kustomize.toolkit.fluxcd.io/v1", "Kustomization", "kustomizations");
    pub const HELM_RELEASE: Self = namespaced("helm.toolkit.fluxcd.io/v2", "HelmRelease", "helmreleases");
    pub const SUBSCRIPTION: Self = namespaced(OURS, "UpdateSubscription", "updatesubscriptions");
    pub const APPROVAL: Self = namespaced(OURS, "UpdateApproval", "updateapprovals");

    /// All of them.
    pub const ALL: [Self; 24] = [
        Self::NAMESPACE,
        Self::NODE,
        Self::SECRET,
        Self::CONFIG_MAP,
        Self::SERVICE_ACCOUNT,
        Self::POD,
        Self::DEPLOYMENT,
        Self::DAEMON_SET,
        Self::STATEFUL_SET,
        Self::JOB,
        Self::EVENT,
        Self::ROLE,
        Self::ROLE_BINDING,
        Self::CLUSTER_ROLE,
        Self::CLUSTER_ROLE_BINDING,
        Self::DEFINITION,
        Self::MUTATING_POLICY,
        Self::MUTATING_BINDING,
        Self::GIT_REPOSITORY,
        Self::OCI_REPOSITORY,
        Self::KUSTOMIZATION,
        Self::HELM_RELEASE,
        Self::SUBSCRIPTION,
        Self::APPROVAL,
    ];

    /// The four kinds of Flux that pdp-sync deals with.
    pub const FLUX: [Self; 4] =
        [Self::GIT_REPOSITORY, Self::OCI_REPOSITORY, Self::KUSTOMIZATION, Self::HELM_RELEASE];

    /// The kind of an object, none if the tests don't know it.
    pub fn of(object: &Value) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| object["kind"] == kind.name && object["apiVersion"] == kind.version)
    }

    /// Such as `HelmRelease`.
    pub fn name(self) -> &'static str {
        self.name
    }

    /// Such as `helm.toolkit.fluxcd.io/v2`.
    pub fn api_version(self) -> &'static str {
        self.version
    }

    pub(super) fn path(self, namespace: &str, name: &str) -> String {
        let root = if self.version.contains('/') { "apis" } else { "api" };
        let within = if self.namespaced && !namespace.is_empty() {
            format!("/namespaces/{namespace}")
        } else {
            String::new()
        };
        let name = if name.is_empty() { String::new() } else { format!("/{name}") };
        format!("/{root}/{}{within}/{}{name}", self.version, self.plural)
    }
}
