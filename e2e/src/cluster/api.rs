//! The API server as an administrator asks it: server-side apply, get, list, wait.

use anyhow::{Context, Result, bail};
use reqwest::{Method, StatusCode};
use serde_json::Value;

/// What the tests deal with: group and version, plural name, whether it lives in a namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    group: &'static str,
    plural: &'static str,
    namespaced: bool,
}

impl Kind {
    /// `Namespace`.
    pub const NAMESPACE: Self = Self { group: "api/v1", plural: "namespaces", namespaced: false };
    /// `Node`.
    pub const NODE: Self = Self { group: "api/v1", plural: "nodes", namespaced: false };
    /// `Secret`.
    pub const SECRET: Self = Self { group: "api/v1", plural: "secrets", namespaced: true };
    /// `ServiceAccount`.
    pub const SERVICE_ACCOUNT: Self = Self { group: "api/v1", plural: "serviceaccounts", namespaced: true };
    /// `Pod`.
    pub const POD: Self = Self { group: "api/v1", plural: "pods", namespaced: true };
    /// `CustomResourceDefinition`.
    pub const DEFINITION: Self = Self {
        group: "apis/apiextensions.k8s.io/v1",
        plural: "customresourcedefinitions",
        namespaced: false,
    };
    /// `MutatingAdmissionPolicy`.
    pub const MUTATING_POLICY: Self = Self {
        group: "apis/admissionregistration.k8s.io/v1",
        plural: "mutatingadmissionpolicies",
        namespaced: false,
    };
    /// `MutatingAdmissionPolicyBinding`.
    pub const MUTATING_BINDING: Self = Self {
        group: "apis/admissionregistration.k8s.io/v1",
        plural: "mutatingadmissionpolicybindings",
        namespaced: false,
    };
    /// Flux `GitRepository`.
    pub const GIT_REPOSITORY: Self =
        Self { group: "apis/source.toolkit.fluxcd.io/v1", plural: "gitrepositories", namespaced: true };
    /// Flux `OCIRepository`.
    pub const OCI_REPOSITORY: Self =
        Self { group: "apis/source.toolkit.fluxcd.io/v1", plural: "ocirepositories", namespaced: true };
    /// Flux `Kustomization`.
    pub const KUSTOMIZATION: Self =
        Self { group: "apis/kustomize.toolkit.fluxcd.io/v1", plural: "kustomizations", namespaced: true };
    /// Flux `HelmRelease`.
    pub const HELM_RELEASE: Self =
        Self { group: "apis/helm.toolkit.fluxcd.io/v2", plural: "helmreleases", namespaced: true };

    fn path(self, namespace: &str, name: &str) -> String {
        let within = if self.namespaced && !namespace.is_empty() {
            format!("/namespaces/{namespace}")
        } else {
            String::new()
        };
        let name = if name.is_empty() { String::new() } else { format!("/{name}") };
        format!("/{}{within}/{}{name}", self.group, self.plural)
    }
}

/// An object's condition of this type, null if it has none.
pub fn condition(object: &Value, r#type: &str) -> Value {
    let conditions = object["status"]["conditions"].as_array();
    let found = conditions.and_then(|all| all.iter().find(|condition| condition["type"] == r#type));
    found.cloned().unwrap_or_default()
}

/// A client of one API server.
#[derive(Debug, Clone)]
pub struct Api {
    server: String,
    token: String,
    http: reqwest::blocking::Client,
}

impl Api {
    /// A client that trusts exactly `certificates` (PEM).
    pub(crate) fn new(server: &str, token: &str, certificates: &[u8]) -> Result<Self> {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let trusted = reqwest::Certificate::from_pem_bundle(certificates)?;
        let builder = reqwest::blocking::Client::builder().timeout(std::time::Duration::from_secs(30));
        let http = builder.tls_certs_only(trusted).no_proxy().build()?;
        Ok(Self { server: server.to_owned(), token: token.to_owned(), http })
    }

    /// The answer to a plain GET, such as `/readyz`.
    ///
    /// # Errors
    /// When no answer comes.
    pub fn text(&self, path: &str) -> Result<(u16, String)> {
        let answer = self.http.get(format!("{}{path}", self.server)).bearer_auth(&self.token).send()?;
        Ok((answer.status().as_u16(), answer.text()?))
    }

    /// Server-side apply.
    ///
    /// # Errors
    /// When the API server refuses it.
    pub fn apply(&self, kind: Kind, object: &Value) -> Result<Value> {
        let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default();
        let path = kind.path(text("namespace"), text("name"));
        let url = format!("{}{path}?fieldManager=e2e&force=true", self.server);
        let request = self.http.request(Method::PATCH, url).bearer_auth(&self.token);
        let request = request.header("content-type", "application/apply-patch+yaml").body(object.to_string());
        let answer = request.send()?;
        let (status, body) = (answer.status(), answer.text()?);
        if !status.is_success() {
            bail!("apply {path}: {status} {body}");
        }
        Ok(serde_json::from_str(&body)?)
    }

    /// One object, none if there is no such thing.
    ///
    /// # Errors
    /// When the API server can't say.
    pub fn get(&self, kind: Kind, namespace: &str, name: &str) -> Result<Option<Value>> {
        let path = kind.path(namespace, name);
        let answer = self.http.get(format!("{}{path}", self.server)).bearer_auth(&self.token).send()?;
        match answer.status() {
            StatusCode::NOT_FOUND => Ok(None),
            status if status.is_success() => Ok(Some(answer.json().with_context(|| path)?)),
            status => bail!("get {path}: {status} {}", answer.text()?),
        }
    }

    /// All objects of a kind; in all namespaces if none is named.
    ///
    /// # Errors
    /// When the API server can't say.
    pub fn list(&self, kind: Kind, namespace: &str) -> Result<Vec<Value>> {
        let listed = self.get(kind, namespace, "")?.context("no such kind")?;
        Ok(listed["items"].as_array().cloned().unwrap_or_default())
    }
}
