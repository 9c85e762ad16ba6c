//! Logins: Docker's config and its credential helpers for registries, tokens and git's helpers for Git.

use std::io::Write;
use std::process::{Command, Stdio};

use url::Url;

use crate::error::{Error, Kind, Result};
use crate::http;
use crate::login::Login;

/// The login for a registry from Docker's `config.json` (`$DOCKER_CONFIG` or `~/.docker`): `auths`,
/// `credHelpers`, `credsStore`. None if there is none for this host. `url` is an address of that registry.
///
/// # Errors
/// `BadCredentials` when the config can't be read or its helper fails.
pub fn for_registry(url: &Url) -> Result<Option<Login>> {
    use docker_credential::{CredentialRetrievalError as E, DockerCredential};
    let host = &http::address(url).unwrap_or_default();
    match docker_credential::get_credential(host) {
        Ok(DockerCredential::UsernamePassword(user, secret)) => Ok(Some(Login::password(url, user, secret))),
        Ok(DockerCredential::IdentityToken(token)) => Ok(Some(Login::identity(url, token))),
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
/// `kubernetes.io/dockerconfigjson`. None if there is none for this host. `url` is an address of that registry.
///
/// # Errors
/// `BadCredentials` when the text can't be read.
pub fn from_docker_config(what: &str, text: &[u8], url: &Url) -> Result<Option<Login>> {
    use docker_credential::{CredentialRetrievalError as E, DockerCredential};
    match docker_credential::get_credential_from_reader(text, &http::address(url).unwrap_or_default()) {
        Ok(DockerCredential::UsernamePassword(user, secret)) => Ok(Some(Login::password(url, user, secret))),
        Ok(DockerCredential::IdentityToken(token)) => Ok(Some(Login::identity(url, token))),
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
pub fn for_git(url: &Url) -> Result<Option<Login>> {
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
    Ok(read_answer(url, &String::from_utf8_lossy(&answer.stdout)))
}

fn read_answer(url: &Url, text: &str) -> Option<Login> {
    let field = |name: &str| {
        text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')).map(str::to_owned)
    };
    Some(Login::password(url, field("username")?, field("password")?))
}
