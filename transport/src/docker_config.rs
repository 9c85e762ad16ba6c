//! Docker's `config.json`: which of its entries is for a repository, and what that entry means.

use docker_credential::{CredentialRetrievalError as E, DockerCredential, get_credential_from_reader};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use url::Url;

use crate::error::{Error, Kind, Result};
use crate::http;
use crate::login::Login;

/// What Docker Hub's API is called in configs and by helpers.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";
const DOCKER_HUB_NAMES: [&str; 3] = ["docker.io", "index.docker.io", "registry-1.docker.io"];
/// Who is asked for a helper's answer: the name under which it is put into the config that is read.
const ASKED: &str = "asked";

/// The parts of a config that say who logs in where.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct DockerConfig {
    auths: Option<Map<String, Value>>,
    cred_helpers: Option<Map<String, Value>>,
    creds_store: Option<String>,
}

/// Where a login may come from.
#[derive(Debug, PartialEq)]
enum Place<'a> {
    /// An entry of `auths`.
    Entry(&'a Value),
    /// A helper, and the address that it is asked for.
    Helper(&'a str, String),
}

impl DockerConfig {
    /// # Errors
    /// Why it isn't one.
    pub(crate) fn parse(text: &[u8]) -> std::result::Result<Self, String> {
        // The parser's own words may quote a secret.
        serde_json::from_slice(text).map_err(|e| format!("line {}, column {}", e.line(), e.column()))
    }

    /// Without helpers: a config that came from elsewhere runs no program here.
    pub(crate) fn without_helpers(self) -> Self {
        Self { auths: self.auths, ..Self::default() }
    }

    /// The login for an address: `https://host[:port][/path of a repository]`. None if there is none.
    ///
    /// # Errors
    /// `BadCredentials`.
    pub(crate) fn login(&self, url: &Url) -> Result<Option<Login>> {
        let host = http::address(url).unwrap_or_default();
        let bad = |cause: &str| Error::new(Kind::BadCredentials, format!("Docker's login for {host}"), cause);
        let Some(place) = self.place(&host, url.path()) else { return Ok(None) };
        let (config, asked) = match place {
            Place::Entry(entry) => (json!({ "auths": { ASKED: entry } }), ASKED.to_owned()),
            Place::Helper(helper, address) => (json!({ "credHelpers": { &address: helper } }), address),
        };
        match get_credential_from_reader(config.to_string().as_bytes(), &asked) {
            Ok(DockerCredential::UsernamePassword(user, secret)) if user.is_empty() && secret.is_empty() => {
                Ok(None)
            }
            Ok(DockerCredential::UsernamePassword(user, secret)) => {
                Ok(Some(Login::password(url, user, secret)))
            }
            Ok(DockerCredential::IdentityToken(token)) => Ok(Some(Login::identity(url, token))),
            Err(E::NoCredentialConfigured) => Ok(None),
            Err(E::HelperFailure { stdout, stderr, .. }) if knows_none(&stdout) || knows_none(&stderr) => {
                Ok(None)
            }
            // A failed helper's output may hold the secret: say which step failed, never what it printed.
            Err(E::HelperFailure { helper, .. }) => {
                Err(bad(&format!("the credential helper `{}` failed", helper.escape_debug())))
            }
            Err(E::HelperCommunicationError) => Err(bad("the credential helper can't be run")),
            Err(_) => Err(bad("config.json or its credential helper's answer can't be read")),
        }
    }

    /// A helper for the host, else the entry of `auths` whose path is the longest that fits, else the store.
    fn place(&self, host: &str, path: &str) -> Option<Place<'_>> {
        let ours = |key: &str| canonical(key).0 == canonical(host).0;
        let helper = self.cred_helpers.iter().flatten().find(|(key, _)| ours(key));
        if let Some((key, helper)) = helper.and_then(|(key, helper)| Some((key, helper.as_str()?)))
            && is_helper(helper)
        {
            return Some(Place::Helper(helper, key.clone()));
        }
        let entries = self.auths.iter().flatten().filter(|(_, entry)| !is_empty(entry));
        let fitting = entries.filter_map(|(key, entry)| Some((fit(key, host, path)?, entry)));
        if let Some((_, entry)) = fitting.max_by_key(|(length, _)| *length) {
            return Some(Place::Entry(entry));
        }
        let store = self.creds_store.as_deref().filter(|store| is_helper(store))?;
        let hub = DOCKER_HUB_NAMES.contains(&host);
        Some(Place::Helper(store, if hub { DOCKER_HUB.to_owned() } else { host.to_owned() }))
    }
}

/// How well a key fits: the length of its path plus one, none if it is for something else.
fn fit(key: &str, host: &str, path: &str) -> Option<usize> {
    let (key_host, key_path) = canonical(key);
    let path = path.trim_matches('/');
    let below =
        path.strip_prefix(key_path.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let fits = key_host == canonical(host).0 && (key_path.is_empty() || below);
    fits.then_some(key_path.len() + 1)
}

/// Host and path of a key: with or without a scheme, with or without the `/v1/` or `/v2/` of old keys.
fn canonical(key: &str) -> (String, String) {
    let bare = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    let (host, path) = bare.split_once('/').unwrap_or((bare, ""));
    let host = host.to_ascii_lowercase();
    let host = if DOCKER_HUB_NAMES.contains(&host.as_str()) { "index.docker.io".to_owned() } else { host };
    let path = path.trim_matches('/');
    let path = if path == "v1" || path == "v2" { "" } else { path };
    (host, path.to_owned())
}

/// True for an entry that holds nothing, as Docker writes it beside a store.
fn is_empty(entry: &Value) -> bool {
    let nothing = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default().is_empty();
    ["auth", "username", "password", "identitytoken"].into_iter().all(nothing)
}

/// A helper is a name, not a path.
fn is_helper(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

/// What helpers say when they know no login for an address.
fn knows_none(output: &str) -> bool {
    let output = output.to_ascii_lowercase();
    ["credentials not found", "url not found", "no credentials found"]
        .iter()
        .any(|none| output.contains(none))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use base64::{Engine, engine::general_purpose::STANDARD};

    use super::*;

    /// The config's login for an address, as its `user:password`.
    fn found(config: &str, url: &str) -> Option<String> {
        let url = Url::parse(url).unwrap();
        let login = DockerConfig::parse(config.as_bytes()).unwrap().login(&url).unwrap()?;
        let basic = login.basic_for(&url)?;
        let encoded = basic.to_str().unwrap().trim_start_matches("Basic ").to_owned();
        Some(String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap())
    }

    #[test]
    fn the_longest_path_wins_over_the_host() {
        let auth = |text: &str| format!(r#"{{"auth": "{}"}}"#, STANDARD.encode(text));
        let config = format!(
            r#"{{"auths": {{"r.example": {}, "r.example/team": {}, "https://r.example/team/repo": {}, "https://old.example/v1/": {}, "http://new.example/v2/": {}}}}}"#,
            auth("host:1"),
            auth("team:2"),
            auth("repo:3"),
            auth("old:4"),
            auth("new:5:6"),
        );
        for (url, login) in [
            ("https://r.example/", Some("host:1")),
            ("https://r.example/other/repo", Some("host:1")),
            ("https://r.example/teams/repo", Some("host:1")),
            ("https://r.example/team/x", Some("team:2")),
            ("https://r.example/team/repo", Some("repo:3")),
            ("https://r.example/team/repo/deep", Some("repo:3")),
            ("https://r.example/team/repo2", Some("team:2")),
            ("https://r.example:5000/team", None),
            ("https://old.example/a", Some("old:4")),
            ("https://new.example/a", Some("new:5:6")),
            ("https://example/a", None),
        ] {
            assert_eq!(found(&config, url).as_deref(), login, "{url}");
        }
    }

    #[test]
    fn docker_hub_has_one_login_under_all_its_names() {
        for key in ["https://index.docker.io/v1/", "docker.io", "index.docker.io", "registry-1.docker.io"] {
            let config = format!(r#"{{"auths": {{"{key}": {{"username": "u", "password": "p"}}}}}}"#);
            let login = found(&config, "https://registry-1.docker.io/library/nginx");
            assert_eq!(login.as_deref(), Some("u:p"), "{key}");
        }
    }

    #[test]
    fn an_empty_entry_is_none() {
        for entry in
            [r#"{}"#, r#"{"auth": ""}"#, r#"{"auth": "", "email": "a@b.example"}"#, r#"{"auth": "Og=="}"#]
        {
            let config = format!(r#"{{"auths": {{"r.example": {entry}}}}}"#);
            assert_eq!(found(&config, "https://r.example/a"), None, "{entry}");
        }
    }

    #[test]
    fn helpers_are_names_and_never_run_for_a_config_from_elsewhere() {
        let config = r#"{"credsStore": "../../evil", "credHelpers": {"r.example": "/bin/evil"}}"#;
        assert_eq!(found(config, "https://r.example/a"), None);
        let config = r#"{"credsStore": "desktop", "credHelpers": {"r.example": "evil"}}"#;
        let config = DockerConfig::parse(config.as_bytes()).unwrap().without_helpers();
        assert_eq!(config.login(&Url::parse("https://r.example/").unwrap()).unwrap(), None);
    }

    #[test]
    fn nonsense_is_an_error_that_quotes_nothing() {
        for text in [r#"{"auths": "secret"}"#, "secret", r#"{"auths": {"r.example": "secret"}, "#] {
            assert!(!DockerConfig::parse(text.as_bytes()).unwrap_err().contains("secret"));
        }
        let config = DockerConfig::parse(br#"{"auths": {"r.example": {"auth": "secret!"}}}"#).unwrap();
        let error = config.login(&Url::parse("https://r.example/").unwrap()).unwrap_err();
        assert!(error.kind == Kind::BadCredentials && !error.to_string().contains("secret"), "{error}");
    }
}
