//! Gitea: its Git host and its packages, over one SQLite file.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use reqwest::Method;
use reqwest::blocking::Client;
use serde_json::{Value, json};

use super::certificate::Certificate;
use super::process::{must, serve, tools};
use crate::outside::GitSite;
use crate::programs::{Running, free_port};

/// A Gitea with one user. It ends with the last handle on it.
#[derive(Debug, Clone)]
pub struct Gitea(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    address: SocketAddr,
    scheme: &'static str,
    http: Client,
    token: String,
    _running: Running,
    _folder: tempfile::TempDir,
}

impl Gitea {
    /// The user that everything belongs to.
    pub const USER: &str = "vendor";
    /// Its password.
    pub const PASSWORD: &str = "a password for tests";

    /// Starts one; only the given CA vouches for its certificate, if it has one.
    ///
    /// # Errors
    /// When it doesn't start, or makes no user.
    pub fn start(tls: Option<&Certificate>) -> Result<Self> {
        let folder = crate::reaper::folder("pdp-gitea-")?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let scheme = if tls.is_some() { "https" } else { "http" };
        let file = folder.path().join("app.ini");
        std::fs::write(&file, configuration(folder.path(), address, scheme, tls))?;
        let gitea = |words: &[&str]| {
            let mut command = tools().command("gitea");
            command.env("HOME", folder.path()).env("GITEA_WORK_DIR", folder.path());
            command.args(words).arg("--config").arg(&file).current_dir(folder.path());
            command
        };
        must(gitea(&["migrate"]))?;
        must(gitea(&[
            "admin",
            "user",
            "create",
            "--username",
            Self::USER,
            "--password",
            Self::PASSWORD,
            "--email",
            "vendor@example.org",
            "--admin",
            "--must-change-password=false",
        ]))?;
        let token = must(gitea(&[
            "admin",
            "user",
            "generate-access-token",
            "--username",
            Self::USER,
            "--scopes",
            "all",
            "--raw",
        ]))?;
        // Its log goes to stdout too.
        let token = token.lines().last().unwrap_or_default().trim().to_owned();
        let running = serve(gitea(&["web"]), folder.path(), address.ip(), address.port())?;
        let http = client()?;
        Ok(Self(Arc::new(Inner { address, scheme, http, token, _running: running, _folder: folder })))
    }

    /// `127.0.0.1:port`.
    pub fn host(&self) -> String {
        self.0.address.to_string()
    }

    /// An access token of the user: it may do all that the user may.
    pub fn token(&self) -> &str {
        &self.0.token
    }

    /// Gives a repository another name; its old address leads there from then on.
    ///
    /// # Errors
    /// When Gitea refuses.
    pub fn rename(&self, from: &str, to: &str) -> Result<()> {
        let path = format!("repos/{}/{from}", Self::USER);
        self.api(Method::PATCH, &path, &json!({ "name": to })).map(|_| ())
    }

    /// Puts a file into an empty repository, so that its main branch is there.
    ///
    /// # Errors
    /// When Gitea refuses.
    pub fn first_commit(&self, repository: &str) -> Result<()> {
        let path = format!("repos/{}/{repository}/contents/README", Self::USER);
        let file = json!({ "content": "eA==", "branch": "main", "message": "first" });
        self.api(Method::POST, &path, &file).map(|_| ())
    }

    /// Nobody may push to this branch any more.
    ///
    /// # Errors
    /// When Gitea refuses.
    pub fn protect(&self, repository: &str, branch: &str) -> Result<()> {
        let path = format!("repos/{}/{repository}/branch_protections", Self::USER);
        self.api(Method::POST, &path, &json!({ "rule_name": branch, "enable_push": false })).map(|_| ())
    }

    fn api(&self, method: Method, path: &str, body: &Value) -> Result<Value> {
        let url = format!("{}://{}/api/v1/{path}", self.0.scheme, self.0.address);
        let request =
            self.0.http.request(method, &url).header("authorization", format!("token {}", self.0.token));
        let answer = request.header("content-type", "application/json").body(body.to_string()).send()?;
        let (status, text) = (answer.status(), answer.text()?);
        ensure!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).with_context(|| text.clone())
    }
}

impl GitSite for Gitea {
    fn create(&self, name: &str) -> Result<()> {
        let wanted = json!({ "name": name, "private": true, "default_branch": "main" });
        self.api(Method::POST, "user/repos", &wanted).map(|_| ())
    }

    fn url(&self, name: &str) -> String {
        format!("{}://{}/{}/{name}.git", self.0.scheme, self.0.address, Self::USER)
    }
}

/// Certificates aren't looked at: this client speaks to a server that this process started.
fn client() -> Result<Client> {
    // Choosing twice is harmless; not choosing panics.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let limit = std::time::Duration::from_secs(30);
    Ok(Client::builder().timeout(limit).no_proxy().tls_danger_accept_invalid_certs(true).build()?)
}

fn configuration(
    folder: &std::path::Path,
    address: SocketAddr,
    scheme: &str,
    tls: Option<&Certificate>,
) -> String {
    let (place, files): (_, PathBuf) = (folder.display(), tools().files("gitea"));
    let tls = tls.map_or_else(String::new, |tls| {
        format!("CERT_FILE = {}\nKEY_FILE = {}\n", tls.certificate.display(), tls.key.display())
    });
    format!(
        "I_AM_BEING_UNSAFE_RUNNING_AS_ROOT = true\nWORK_PATH = {place}\nRUN_MODE = prod\n\
         [server]\nPROTOCOL = {scheme}\nHTTP_ADDR = {}\nHTTP_PORT = {}\nROOT_URL = {scheme}://{address}/\n\
         STATIC_ROOT_PATH = {}\nDISABLE_SSH = true\nOFFLINE_MODE = true\n{tls}\
         [database]\nDB_TYPE = sqlite3\nPATH = {place}/gitea.db\n\
         [security]\nINSTALL_LOCK = true\nSECRET_KEY = for-tests-only\n\
         [service]\nDISABLE_REGISTRATION = true\n[packages]\nENABLED = true\n[actions]\nENABLED = false\n\
         [log]\nMODE = console\nLEVEL = info\n[repository]\nROOT = {place}/repositories\n",
        address.ip(),
        address.port(),
        files.display(),
    )
}
