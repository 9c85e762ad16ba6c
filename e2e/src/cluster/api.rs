//! The API server as one user asks it: apply, create, get, list, patch, delete.

use anyhow::{Context, Result, bail};
use reqwest::{Method, StatusCode};
use serde_json::Value;

use super::kind::Kind;

/// An object's condition of this type, null if it has none.
pub fn condition(object: &Value, r#type: &str) -> Value {
    let conditions = object["status"]["conditions"].as_array();
    let found = conditions.and_then(|all| all.iter().find(|condition| condition["type"] == r#type));
    found.cloned().unwrap_or_default()
}

/// A client of one API server, with one user's token.
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

    /// The same API server as another user.
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: token.to_owned(), ..self.clone() }
    }

    /// The answer to a plain GET, such as `/readyz`.
    ///
    /// # Errors
    /// When no answer comes.
    pub fn text(&self, path: &str) -> Result<(u16, String)> {
        let (status, text) = self.ask(Method::GET, path, "", None)?;
        Ok((status.as_u16(), text))
    }

    /// Server-side apply, as the field manager `e2e`, by force.
    ///
    /// # Errors
    /// When the API server refuses it.
    pub fn apply(&self, kind: Kind, object: &Value) -> Result<Value> {
        self.apply_as("e2e", kind, object)
    }

    /// As above, as another field manager.
    ///
    /// # Errors
    /// When the API server refuses it.
    pub fn apply_as(&self, manager: &str, kind: Kind, object: &Value) -> Result<Value> {
        let path = format!("{}?fieldManager={manager}&force=true", path_of(kind, object));
        self.change(Method::PATCH, &path, "application/apply-patch+yaml", object)
    }

    /// Applies objects of any known kinds, such as the documents of a YAML file.
    ///
    /// # Errors
    /// When a kind isn't known, or the API server refuses one.
    pub fn apply_all(&self, objects: &[Value]) -> Result<()> {
        for object in objects {
            let kind =
                Kind::of(object).with_context(|| format!("{}/{}", object["apiVersion"], object["kind"]))?;
            self.apply(kind, object)?;
        }
        Ok(())
    }

    /// Makes an object that must not be there yet.
    ///
    /// # Errors
    /// When it is there, or the API server refuses it.
    pub fn create(&self, kind: Kind, object: &Value) -> Result<Value> {
        let namespace = object["metadata"]["namespace"].as_str().unwrap_or_default();
        self.change(Method::POST, &kind.path(namespace, ""), "application/json", object)
    }

    /// A merge patch.
    ///
    /// # Errors
    /// When the API server refuses it.
    pub fn patch(&self, kind: Kind, namespace: &str, name: &str, patch: &Value) -> Result<Value> {
        self.change(Method::PATCH, &kind.path(namespace, name), "application/merge-patch+json", patch)
    }

    /// A merge patch of the status.
    ///
    /// # Errors
    /// When the API server refuses it.
    pub fn patch_status(&self, kind: Kind, namespace: &str, name: &str, patch: &Value) -> Result<Value> {
        let path = format!("{}/status", kind.path(namespace, name));
        self.change(Method::PATCH, &path, "application/merge-patch+json", patch)
    }

    /// A JSON patch, of the object itself or of a subresource such as `status`.
    ///
    /// # Errors
    /// When the API server refuses it.
    pub fn json_patch(
        &self,
        kind: Kind,
        namespace: &str,
        name: &str,
        subresource: &str,
        patch: &Value,
    ) -> Result<Value> {
        let mut path = kind.path(namespace, name);
        if !subresource.is_empty() {
            path = format!("{path}/{subresource}");
        }
        self.change(Method::PATCH, &path, "application/json-patch+json", patch)
    }

    /// Deletes an object; false if there was none.
    ///
    /// # Errors
    /// When the API server refuses it.
    pub fn delete(&self, kind: Kind, namespace: &str, name: &str) -> Result<bool> {
        let path = kind.path(namespace, name);
        match self.ask(Method::DELETE, &path, "", None)? {
            (StatusCode::NOT_FOUND, _) => Ok(false),
            (status, _) if status.is_success() => Ok(true),
            (status, text) => bail!("delete {path}: {status} {text}"),
        }
    }

    /// Deletes all objects of a kind with this label (`key=value`) in one request.
    ///
    /// # Errors
    /// When the API server refuses it, be it for one object alone.
    pub fn delete_labelled(&self, kind: Kind, namespace: &str, label: &str) -> Result<()> {
        let path = format!("{}?labelSelector={label}", kind.path(namespace, ""));
        match self.ask(Method::DELETE, &path, "", None)? {
            (status, _) if status.is_success() => Ok(()),
            (status, text) => bail!("delete {path}: {status} {text}"),
        }
    }

    /// One object, none if there is no such thing.
    ///
    /// # Errors
    /// When the API server can't say.
    pub fn get(&self, kind: Kind, namespace: &str, name: &str) -> Result<Option<Value>> {
        let path = kind.path(namespace, name);
        match self.ask(Method::GET, &path, "", None)? {
            (StatusCode::NOT_FOUND, _) => Ok(None),
            (status, text) if status.is_success() => {
                Ok(Some(serde_json::from_str(&text).with_context(|| path)?))
            }
            (status, text) => bail!("get {path}: {status} {text}"),
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

    /// One object as `kubectl get` shows it: titles of the columns, and the cells beneath.
    ///
    /// # Errors
    /// When there is none, or the API server can't say.
    pub fn table(&self, kind: Kind, namespace: &str, name: &str) -> Result<Vec<(String, Value)>> {
        let url = format!("{}{}", self.server, kind.path(namespace, name));
        let accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
        let answer = self.http.get(url).bearer_auth(&self.token).header("accept", accept).send()?;
        let table: Value = serde_json::from_str(&answer.error_for_status()?.text()?)?;
        let titles = table["columnDefinitions"].as_array().context("columns")?.iter();
        let titles = titles.map(|column| column["name"].as_str().unwrap_or_default().to_owned());
        let cells = table["rows"][0]["cells"].as_array().context("cells")?;
        Ok(titles.zip(cells.iter().cloned()).collect())
    }

    /// POST to any path.
    pub(super) fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.change(Method::POST, path, "application/json", body)
    }

    fn change(&self, method: Method, path: &str, content: &str, body: &Value) -> Result<Value> {
        let what = format!("{method} {path}");
        let (status, text) = self.ask(method, path, content, Some(body))?;
        if !status.is_success() {
            bail!("{what}: {status} {text}");
        }
        Ok(serde_json::from_str(&text)?)
    }

    fn ask(
        &self,
        method: Method,
        path: &str,
        content: &str,
        body: Option<&Value>,
    ) -> Result<(StatusCode, String)> {
        let mut request =
            self.http.request(method, format!("{}{path}", self.server)).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.header("content-type", content).body(body.to_string());
        }
        let answer = request.send()?;
        Ok((answer.status(), answer.text()?))
    }
}

fn path_of(kind: Kind, object: &Value) -> String {
    let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default();
    kind.path(text("namespace"), text("name"))
}
