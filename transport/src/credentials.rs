//! Logins: Docker's config and its credential helpers for registries, tokens and git's helpers for Git.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::error::{Error, Kind, Result};

/// A login. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The account; registries and Git hosts accept any with a token.
    pub user: String,
    /// Password or token.
    pub secret: String,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Login({}, ***)", self.user)
    }
}

/// The login for a registry from Docker's `config.json` (`$DOCKER_CONFIG` or `~/.docker`): `auths`,
/// `credHelpers`, `credsStore`. None if there is none for this host.
///
/// # Errors
/// `BadCredentials` when the config can't be read or its helper fails.
pub fn for_registry(host: &str) -> Result<Option<Login>> {
    use docker_credential::{CredentialRetrievalError as E, DockerCredential};
    match docker_credential::get_credential(host) {
        Ok(DockerCredential::UsernamePassword(user, secret)) => Ok(Some(Login { user, secret })),
        Ok(DockerCredential::IdentityToken(secret)) => Ok(Some(Login { user: "<token>".into(), secret })),
        Err(E::ConfigNotFound | E::NoCredentialConfigured) => Ok(None),
        Err(E::ConfigReadError) if !docker_config_exists() => Ok(None),
        // A failed helper's output may hold the secret: say which step failed, never what it printed.
        Err(E::HelperFailure { helper, .. }) => {
            Err(bad(host, &format!("the credential helper `{helper}` failed")))
        }
        Err(E::HelperCommunicationError) => Err(bad(host, "the credential helper can't be run")),
        Err(_) => Err(bad(host, "config.json or its credential helper's answer can't be read")),
    }
}

fn bad(host: &str, cause: &str) -> Error {
    Error::new(Kind::BadCredentials, format!("Docker's login for {host}"), cause)
}

fn docker_config_exists() -> bool {
    let folder = std::env::var_os("DOCKER_CONFIG")
        .map(std::path::PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| std::path::PathBuf::from(home).join(".docker")));
    folder.is_some_and(|folder| folder.join("config.json").exists())
}

/// The login for a registry from the text of a `config.json`, as Kubernetes keeps it in a Secret of type
/// `kubernetes.io/dockerconfigjson`. None if there is none for this host.
///
/// # Errors
/// `BadCredentials` when the text can't be read.
pub fn from_docker_config(what: &str, text: &[u8], host: &str) -> Result<Option<Login>> {
    use docker_credential::{CredentialRetrievalError as E, DockerCredential};
    match docker_credential::get_credential_from_reader(text, host) {
        Ok(DockerCredential::UsernamePassword(user, secret)) => Ok(Some(Login { user, secret })),
        Ok(DockerCredential::IdentityToken(secret)) => Ok(Some(Login { user: "<token>".into(), secret })),
        Err(E::NoCredentialConfigured) => Ok(None),
        Err(_) => {
            Err(Error::new(Kind::BadCredentials, what, "its `.dockerconfigjson` is not a Docker config"))
        }
    }
}

/// The login for a Git host from git's credential helpers, none if git or its helpers know none.
///
/// # Errors
/// `BadCredentials` when the helper's answer makes no sense.
pub fn for_git(url: &url::Url) -> Result<Option<Login>> {
    let what = format!("git's credential helper for {}", url.host_str().unwrap_or_default());
    let spawned = Command::new("git")
        .args(["credential", "fill"])
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_ASKPASS", "")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut child) = spawned else { return Ok(None) };
    let host = url.host_str().unwrap_or_default();
    let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let question = format!("protocol={}\nhost={host}\n\n", url.scheme());
    if let Some(mut stdin) = child.stdin.take() {
        let asked = stdin.write_all(question.as_bytes());
        asked.map_err(|e| Error::new(Kind::BadCredentials, &what, e.to_string()))?;
    }
    let answer =
        child.wait_with_output().map_err(|e| Error::new(Kind::BadCredentials, &what, e.to_string()))?;
    if !answer.status.success() {
        return Ok(None);
    }
    Ok(read_answer(&String::from_utf8_lossy(&answer.stdout)))
}

fn read_answer(text: &str) -> Option<Login> {
    let field = |name: &str| {
        text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')).map(str::to_owned)
    };
    Some(Login { user: field("username")?, secret: field("password")? })
}
