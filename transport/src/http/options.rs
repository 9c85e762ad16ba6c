//! How to reach the world: time limits, CAs, and what an operator allows beyond the rule.

use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use crate::error::{Error, Kind, Result};

/// Registries whose token service is known to be theirs though it is another host.
const KNOWN_TOKEN_HOSTS: [(&str, &str); 1] = [("registry-1.docker.io", "auth.docker.io")];

/// How to reach the world. `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` are honoured.
///
/// There is no `Default`: a connection made without looking at what the operator said forgets the private CA.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HttpOptions {
    /// For the connection.
    pub connect_timeout: Duration,
    /// An exchange ends when no byte moved either way for this long; large bodies may take any time.
    pub silence: Duration,
    /// PEM files with further CAs, for private registries and intercepting proxies.
    pub extra_ca: Vec<PathBuf>,
    /// What an operator allows beyond the rule.
    pub exceptions: Exceptions,
}

/// What an operator allows beyond the rule, each address by name. None is the strictest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Exceptions {
    /// `host[:port]` that may be spoken to in plain HTTP; no login is ever sent there.
    pub plain_http: Vec<String>,
    /// A registry and the token service that may have its login, `host[:port]` each, besides the registry itself.
    pub token_hosts: Vec<(String, String)>,
}

impl HttpOptions {
    /// With the usual time limits: 10 s for a connection, 30 s of silence.
    pub fn new(extra_ca: Vec<PathBuf>, exceptions: Exceptions) -> Self {
        let (connect_timeout, silence) = (Duration::from_secs(10), Duration::from_secs(30));
        Self { connect_timeout, silence, extra_ca, exceptions }
    }
}

impl Exceptions {
    /// From what an operator wrote: `host[:port]` each, and `registry=token service` each. Blank words, as an empty
    /// environment variable gives them, say nothing.
    ///
    /// # Errors
    /// `BadReference`, naming the word.
    pub fn parse(plain_http: &[String], token_hosts: &[String]) -> Result<Self> {
        let said = |word: &&String| !word.trim().is_empty();
        let plain_http =
            plain_http.iter().filter(said).map(|word| parse_host(word)).collect::<Result<_>>()?;
        let pair = |word: &String| {
            let (registry, service) = word.split_once('=').ok_or_else(|| bad(word, "REGISTRY=HOST"))?;
            Ok((parse_host(registry)?, parse_host(service)?))
        };
        Ok(Self {
            plain_http,
            token_hosts: token_hosts.iter().filter(said).map(pair).collect::<Result<_>>()?,
        })
    }

    /// True if this address may be spoken to in plain HTTP: on this machine, or by an exception.
    pub(crate) fn allow_plain(&self, url: &Url) -> bool {
        is_on_loopback(url) || address(url).is_some_and(|address| self.plain_http.contains(&address))
    }

    /// True if the token service may have the registry's login (both `host[:port]`).
    pub(crate) fn allow_token_host(&self, registry: &str, service: &Url) -> bool {
        let Some(service) = address(service) else { return false };
        let known = |(of, at): &(&str, &str)| *of == registry && *at == service;
        KNOWN_TOKEN_HOSTS.iter().any(known)
            || self.token_hosts.iter().any(|(of, at)| *of == registry.to_ascii_lowercase() && *at == service)
    }
}

/// True for this machine, the only one that may speak plain HTTP without an exception. `host` is without a port.
pub(crate) fn is_loopback(host: &str) -> bool {
    let ip = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
}

/// As [`is_loopback`], for an address.
pub(crate) fn is_on_loopback(url: &Url) -> bool {
    url.host_str().is_some_and(is_loopback)
}

/// `host[:port]`; the port only if it isn't the scheme's own.
pub fn address(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

/// One `host[:port]` as people write it, in lower case; port 80 is left out.
///
/// # Errors
/// `BadReference`.
pub fn parse_host(word: &str) -> Result<String> {
    let word = word.trim().to_ascii_lowercase();
    let parsed = Url::parse(&format!("http://{word}/")).map_err(|_| bad(&word, "host[:port]"))?;
    let plain = parsed.path() == "/" && parsed.query().is_none() && parsed.username().is_empty();
    let written = word.strip_suffix(":80").unwrap_or(&word);
    address(&parsed).filter(|address| plain && *address == written).ok_or_else(|| bad(&word, "host[:port]"))
}

fn bad(word: &str, form: &str) -> Error {
    let shown: String = word.chars().take(120).flat_map(char::escape_default).collect();
    Error::new(Kind::BadReference, format!("`{shown}`"), format!("not of the form {form}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_addresses_that_are_named_are_excepted() {
        let words = ["Mirror.example:8080".to_owned(), "[::2]:81".to_owned()];
        let pairs = ["registry.gitlab.example=gitlab.example".to_owned()];
        let exceptions = Exceptions::parse(&words, &pairs).unwrap();
        for (url, allowed) in [
            ("http://mirror.example:8080/v2/", true),
            ("http://MIRROR.example:8080", true),
            ("http://mirror.example/", false),
            ("http://mirror.example:8081/", false),
            ("http://a.mirror.example:8080/", false),
            ("http://[::2]:81/", true),
            ("http://127.0.0.1:5/", true),
            ("http://localhost/", true),
            ("http://127.0.0.1.example/", false),
        ] {
            assert_eq!(exceptions.allow_plain(&Url::parse(url).unwrap()), allowed, "{url}");
        }
        for (registry, service, allowed) in [
            ("registry.gitlab.example", "https://gitlab.example/jwt/auth", true),
            ("registry.gitlab.example", "https://gitlab.example:8443/jwt/auth", false),
            ("other.example", "https://gitlab.example/jwt/auth", false),
            ("registry-1.docker.io", "https://auth.docker.io/token", true),
            ("registry-2.docker.io", "https://auth.docker.io/token", false),
            ("registry-1.docker.io", "https://auth.docker.io.other.example/token", false),
        ] {
            let service = Url::parse(service).unwrap();
            assert_eq!(exceptions.allow_token_host(registry, &service), allowed, "{registry} {service}");
        }
    }

    #[test]
    fn what_is_no_address_is_no_exception() {
        for word in ["a b", "http://a.example", "a.example/", "u@a.example", "a.example:x", "a?b"] {
            assert!(Exceptions::parse(&[word.to_owned()], &[]).is_err(), "{word}");
        }
        assert!(Exceptions::parse(&[], &["a.example".to_owned()]).is_err());
        let blank = ["".to_owned(), " ".to_owned()];
        assert_eq!(Exceptions::parse(&blank, &blank).unwrap(), Exceptions::default());
        assert_eq!(parse_host("a.example:80").unwrap(), "a.example");
        assert_eq!(parse_host("[::2]:80").unwrap(), "[::2]");
    }
}
