//! Logins: Docker's config and its credential helpers for registries, tokens and git's helpers for Git.

use std::io::Write;
use std::process::{Command, Stdio};

use url::Url;

use crate::docker_config::DockerConfig;
use crate::error::{Error, Kind, Result};
use crate::files::read_capped;
use crate::login::Login;

/// A config is smaller (bytes).
const MAX_CONFIG_BYTES: u64 = 4 * 1024 * 1024;

/// The login for a registry from Docker's `config.json` (`$DOCKER_CONFIG` or `~/.docker`): `auths`,
/// `credHelpers`, `credsStore`. None if there is none. `url` is an address of that registry; with a repository's path
/// in it ([`crate::oci::Repository::address`]), entries for that path come before the host's.
///
/// # Errors
/// `BadCredentials` when the config can't be read or its helper fails.
pub fn for_registry(url: &Url) -> Result<Option<Login>> {
    let folder = std::env::var_os("DOCKER_CONFIG")
        .map(std::path::PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| std::path::PathBuf::from(home).join(".docker")));
    let Some(file) = folder.map(|folder| folder.join("config.json")) else { return Ok(None) };
    let bad = |cause: String| Error::new(Kind::BadCredentials, file.display().to_string(), cause);
    let Some(text) = read_capped(&file, MAX_CONFIG_BYTES).map_err(|e| bad(e.cause))? else { return Ok(None) };
    DockerConfig::parse(&text).map_err(|at| bad(format!("it isn't a Docker config ({at})")))?.login(url)
}

/// The login for a registry from the text of a `config.json`, as Kubernetes keeps it in a Secret of type
/// `kubernetes.io/dockerconfigjson`; a helper that it names is never run. None if there is none. `url` is as for
/// [`for_registry`].
///
/// # Errors
/// `BadCredentials` when the text can't be read.
pub fn from_docker_config(what: &str, text: &[u8], url: &Url) -> Result<Option<Login>> {
    let bad = |_| Error::new(Kind::BadCredentials, what, "its `.dockerconfigjson` is not a Docker config");
    let config = DockerConfig::parse(text).map_err(bad)?.without_helpers();
    config.login(url).map_err(|error| Error::new(error.kind, what, error.cause))
}

/// The login for a repository from git's credential helpers, of this user if the address names one; none if git or
/// its helpers know none. Git passes the path on only where `credential.useHttpPath` says so.
///
/// # Errors
/// `BadCredentials` when the helper's answer makes no sense.
pub fn for_git(url: &Url, user: Option<&str>) -> Result<Option<Login>> {
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
    let question = question(url, &host, user)
        .ok_or_else(|| Error::new(Kind::BadReference, &what, "the address holds control characters"))?;
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

/// What a helper is asked (git-credential), none if a value would break its lines.
fn question(url: &Url, host: &str, user: Option<&str>) -> Option<String> {
    let mut lines =
        vec![("protocol", url.scheme()), ("host", host), ("path", url.path().trim_start_matches('/'))];
    lines.extend(user.map(|user| ("username", user)));
    let whole = lines.iter().all(|(_, value)| !value.chars().any(char::is_control));
    whole.then(|| lines.iter().map(|(name, value)| format!("{name}={value}\n")).collect::<String>() + "\n")
}

fn read_answer(url: &Url, text: &str) -> Option<Login> {
    let field = |name: &str| {
        text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')).map(str::to_owned)
    };
    Some(Login::password(url, field("username")?, field("password")?))
}
