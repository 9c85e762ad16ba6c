//! A login, bound to the one origin that it is for: no step can send it anywhere else.

use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::header::HeaderValue;
use url::{Origin, Url};

use crate::http::Exceptions;

/// A login for one origin (scheme, host, port; RFC 6454). Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    origin: Origin,
    user: String,
    secret: Secret,
}

#[derive(Clone, PartialEq, Eq)]
enum Secret {
    /// A password, or a token that is sent as one.
    Password(String),
    /// What Docker's config calls an identity token: an OAuth 2 refresh token, for the token service alone.
    Identity(String),
}

impl Login {
    /// A user with a password, or with a token that is sent as one, for the origin of `url`.
    pub fn password(url: &Url, user: impl Into<String>, password: impl Into<String>) -> Self {
        Self { origin: url.origin(), user: user.into(), secret: Secret::Password(password.into()) }
    }

    /// An identity token for the registry at the origin of `url`: an OAuth 2 refresh token for its token service.
    pub fn identity(url: &Url, token: impl Into<String>) -> Self {
        Self { origin: url.origin(), user: String::new(), secret: Secret::Identity(token.into()) }
    }

    /// A token as Git hosts take it, for the origin of `url`.
    pub fn git_token(url: &Url, token: impl Into<String>) -> Self {
        Self::password(url, "x-access-token", token)
    }

    /// True if the login is for the origin of `url`.
    pub fn is_for(&self, url: &Url) -> bool {
        url.origin() == self.origin
    }

    /// The `Authorization` for an address: only for the login's own origin, and only where nobody reads along
    /// (TLS, or this machine).
    pub(crate) fn basic_for(&self, url: &Url) -> Option<HeaderValue> {
        if url.origin() != self.origin || !is_private(url) {
            return None;
        }
        self.basic()
    }

    /// What the token service of the login's registry may have: over TLS, on the registry's own host or on one that
    /// was allowed for it. A service on this machine counts only for a registry on this machine.
    pub(crate) fn for_token_service(&self, realm: &Url, exceptions: &Exceptions) -> Option<TokenLogin<'_>> {
        let Origin::Tuple(_, host, port) = &self.origin else { return None };
        let registry = Url::parse(&self.origin.ascii_serialization()).ok()?;
        let same_host = realm.host().map(|h| h.to_owned()).as_ref() == Some(host);
        let name = crate::http::address(&registry).unwrap_or_else(|| format!("{host}:{port}"));
        let known = same_host || exceptions.allow_token_host(&name, realm);
        if !known || !is_private(realm) || (realm.scheme() != "https" && !is_private_http(&registry)) {
            return None;
        }
        match &self.secret {
            Secret::Password(_) => self.basic().map(TokenLogin::Basic),
            Secret::Identity(token) => Some(TokenLogin::Refresh(token)),
        }
    }

    fn basic(&self) -> Option<HeaderValue> {
        let Secret::Password(password) = &self.secret else { return None };
        sensitive(&format!("Basic {}", STANDARD.encode(format!("{}:{password}", self.user))))
    }
}

/// Where a login comes from when a host asks for one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoginSource {
    /// Whoever runs the program: Docker's config for registries, git's credential helpers for Git.
    Helpers,
    /// This one, and no other.
    Given(Login),
    /// A Docker config, as a cluster's Secret holds it: what it has for the very host that asks.
    DockerConfig(DockerConfig),
    /// Nowhere: whoever asks for a login is refused one.
    Nobody,
}

/// The text of a Docker config, and what it is called. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct DockerConfig {
    /// Such as `Secret pull`.
    pub name: String,
    /// JSON.
    pub text: Vec<u8>,
}

impl std::fmt::Debug for DockerConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DockerConfig({})", self.name)
    }
}

impl LoginSource {
    /// The given login, or whatever the helpers know.
    pub fn given_or_helpers(login: Option<Login>) -> Self {
        login.map_or(Self::Helpers, Self::Given)
    }

    /// The given login, or none.
    pub fn given_or_nobody(login: Option<Login>) -> Self {
        login.map_or(Self::Nobody, Self::Given)
    }
}

/// The logins of two Git hosts: of the one that is written to, and of the catalog's, each an address and its token.
/// The catalog's host gets the other's token only if it is the same origin. Without a token helpers are asked.
pub fn git_logins(
    (written, token): (&str, Option<&str>),
    (catalog, catalog_token): (&str, Option<&str>),
) -> (LoginSource, LoginSource) {
    let login = |url: &str, token: Option<&str>| Some(Login::git_token(&Url::parse(url).ok()?, token?));
    let written = login(written, token);
    let shared = || {
        let catalog = Url::parse(catalog).ok()?;
        written.clone().filter(|login| login.origin == catalog.origin())
    };
    let own = login(catalog, catalog_token).or_else(shared);
    (LoginSource::given_or_helpers(written), LoginSource::given_or_helpers(own))
}

/// What is sent to a token service.
pub(crate) enum TokenLogin<'a> {
    /// An `Authorization`.
    Basic(HeaderValue),
    /// An OAuth 2 refresh token, for the body of a POST.
    Refresh(&'a str),
}

/// A header that is kept out of logs.
pub(crate) fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// True where nobody reads along: TLS, or this machine.
pub(crate) fn is_private(url: &Url) -> bool {
    url.scheme() == "https" || is_private_http(url)
}

fn is_private_http(url: &Url) -> bool {
    url.scheme() == "http" && crate::http::is_on_loopback(url)
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Login({}, {}, ***)", self.origin.ascii_serialization(), self.user.escape_debug())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn a_login_is_sent_to_its_own_origin_alone_and_never_in_the_open() {
        let login = Login::password(&url("https://git.example/a/b"), "u", "secret");
        for (to, sent) in [
            ("https://git.example/", true),
            ("https://git.example:443/x?y", true),
            ("https://GIT.example/x", true),
            ("https://git.example:8443/a/b", false),
            ("http://git.example/a/b", false),
            ("https://other.example/a/b", false),
            ("https://git.example.other.example/", false),
        ] {
            assert_eq!(login.basic_for(&url(to)).is_some(), sent, "{to}");
        }
        let open = Login::password(&url("http://git.example/"), "u", "secret");
        assert_eq!(open.basic_for(&url("http://git.example/")), None, "in the open");
        let here = Login::password(&url("http://127.0.0.1:3000/"), "u", "secret");
        assert!(here.basic_for(&url("http://127.0.0.1:3000/x")).is_some());
        assert!(here.basic_for(&url("http://localhost:3000/x")).is_none());
    }

    #[test]
    fn a_token_service_gets_a_login_on_the_registrys_host_or_by_an_exception() {
        let exceptions = Exceptions::parse(&[], &["registry.example=auth.example".into()]).unwrap();
        let login = Login::password(&url("https://registry.example/v2/"), "u", "secret");
        for (realm, sent) in [
            ("https://registry.example/token", true),
            ("https://registry.example:5001/token", true),
            ("https://auth.example/token", true),
            ("https://auth.example:444/token", false),
            ("http://registry.example/token", false),
            ("http://auth.example/token", false),
            ("https://elsewhere.example/token", false),
            ("http://127.0.0.1:5/token", false),
        ] {
            assert_eq!(login.for_token_service(&url(realm), &exceptions).is_some(), sent, "{realm}");
        }
        let here = Login::password(&url("http://127.0.0.1:5000/"), "u", "secret");
        let none = Exceptions::default();
        assert!(here.for_token_service(&url("http://127.0.0.1:5001/token"), &none).is_some());
        assert!(here.for_token_service(&url("http://localhost:5001/token"), &none).is_none());
    }

    #[test]
    fn the_token_that_may_write_is_not_for_the_catalogs_host() {
        let (here, there) = ("https://git.customer.example/gitops", "https://git.vendor.example/catalog");
        let given = |source: &LoginSource, url: &str| match source {
            LoginSource::Given(login) => login.basic_for(&self::url(url)),
            _ => None,
        };
        let (written, catalog) = git_logins((here, Some("push")), (there, None));
        assert!(given(&written, here).is_some());
        assert_eq!(catalog, LoginSource::Helpers);
        let (_, catalog) = git_logins((here, Some("push")), (there, Some("read")));
        assert!(given(&catalog, there).is_some() && given(&catalog, here).is_none());
        let beside = "https://git.customer.example/mirror-of-catalog";
        let (written, catalog) = git_logins((here, Some("push")), (beside, None));
        assert_eq!(written, catalog, "one host, one login");
    }

    #[test]
    fn an_identity_token_is_for_the_token_service_alone() {
        let login = Login::identity(&url("https://registry.example/"), "secret");
        assert_eq!(login.basic_for(&url("https://registry.example/v2/")), None);
        let none = Exceptions::default();
        let lent = login.for_token_service(&url("https://registry.example/oauth2/token"), &none);
        assert!(matches!(lent, Some(TokenLogin::Refresh("secret"))));
    }

    #[test]
    fn a_login_is_never_printed() {
        let shown = format!("{:?}", Login::password(&url("https://git.example/"), "u", "pa55"));
        assert!(shown.contains("git.example") && !shown.contains("pa55"), "{shown}");
    }
}
