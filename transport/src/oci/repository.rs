//! Where something lies in a registry: `host[:port]/path`.

use std::fmt;
use std::str::FromStr;

use url::Url;

use crate::error::{Error, Kind};
use crate::http::{self, Exceptions};

/// A repository in a registry, without tag or digest.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Repository {
    /// Host, with the port if there is one.
    pub host: String,
    /// Path within the registry.
    pub path: String,
    scheme: Option<Scheme>,
}

/// What the reference asks for; without it the address decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Scheme {
    Https,
    Http,
}

impl Repository {
    /// The same path behind another host; `mirror` is `host[:port][/prefix]`.
    ///
    /// # Errors
    /// `BadReference`.
    pub fn mirrored(&self, mirror: &str) -> Result<Self, Error> {
        format!("{}/{}", mirror.trim_end_matches('/'), self.path).parse()
    }

    /// True for a host on this machine, which may speak plain HTTP.
    pub fn is_loopback(&self) -> bool {
        http::is_loopback(self.host.rsplit_once(':').map_or(self.host.as_str(), |(host, _)| host))
    }

    /// The registry's address (`https://host/`): TLS, unless it lies on this machine or plain HTTP is allowed for it
    /// by name. An explicit `https://` is honoured everywhere.
    ///
    /// # Errors
    /// `BadReference` for an explicit `http://` that nobody allowed, or a host that isn't one.
    pub fn origin(&self, exceptions: &Exceptions) -> Result<Url, Error> {
        let bad = |cause: &str| Error::new(Kind::BadReference, format!("registry `{}`", self.host), cause);
        let address = |scheme: &str| {
            Url::parse(&format!("{scheme}://{}/", self.host)).map_err(|_| bad("not of the form host[:port]"))
        };
        let plain = address("http")?;
        match (self.scheme, exceptions.allow_plain(&plain)) {
            (Some(Scheme::Http) | None, true) => Ok(plain),
            (Some(Scheme::Http), false) => Err(bad("plain http isn't allowed for it: use https://")),
            (Some(Scheme::Https), _) | (None, false) => address("https"),
        }
    }

    /// The address of something in the repository.
    ///
    /// # Errors
    /// As [`Repository::origin`].
    pub(super) fn url(&self, exceptions: &Exceptions, rest: &str) -> Result<Url, Error> {
        let bad = || Error::new(Kind::BadReference, format!("`{self}`"), "it gives no address");
        self.origin(exceptions)?.join(&format!("/v2/{}/{rest}", self.path)).map_err(|_| bad())
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.path)
    }
}

impl FromStr for Repository {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let bad = || {
            let shown: String = text.chars().take(120).flat_map(char::escape_default).collect();
            Error::new(Kind::BadReference, format!("`{shown}`"), "not of the form host[:port]/path")
        };
        let (scheme, address) = match text.split_once("://") {
            Some(("https", rest)) => (Some(Scheme::Https), rest),
            Some(("http", rest)) => (Some(Scheme::Http), rest),
            Some(_) => return Err(bad()),
            None => (None, text),
        };
        let (host, path) = address.split_once('/').ok_or_else(bad)?;
        let host_ok = !host.is_empty()
            && host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:[]".contains(&b))
            && (host == "localhost" || host.contains(['.', ':']));
        let segment = |s: &str| {
            let edge = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
            edge(s.as_bytes().first()) && edge(s.as_bytes().last()) && s.bytes().all(plain)
        };
        if !host_ok || path.len() > 255 || !path.split('/').all(segment) {
            return Err(bad());
        }
        Ok(Self { host: host.to_owned(), path: path.to_owned(), scheme })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn needs_a_host_and_a_plain_path() {
        for good in ["registry.wso2.example/pdp/pdp-2026", "localhost/a", "127.0.0.1:5000/a/b", "[::1]:5/a"] {
            assert_eq!(good.parse::<Repository>().unwrap().to_string(), good);
        }
        for bad in [
            "a",
            "ubuntu/x",
            "h.example/",
            "h.example/A",
            "h.example/../x",
            "h.example/a:tag",
            "u@h.example/a",
        ] {
            assert!(bad.parse::<Repository>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_reference_the_address_and_exceptions_decide_between_http_and_https() {
        let exceptions = Exceptions::parse(&["plain.example:5000".into()], &[]).unwrap();
        for (text, origin) in [
            ("registry.example/a", Ok("https://registry.example/")),
            ("https://registry.example:5000/a", Ok("https://registry.example:5000/")),
            ("http://registry.example/a", Err(Kind::BadReference)),
            ("127.0.0.1:5000/a", Ok("http://127.0.0.1:5000/")),
            ("https://127.0.0.1:5000/a", Ok("https://127.0.0.1:5000/")),
            ("http://localhost:5000/a", Ok("http://localhost:5000/")),
            ("plain.example:5000/a", Ok("http://plain.example:5000/")),
            ("http://plain.example:5000/a", Ok("http://plain.example:5000/")),
            ("https://plain.example:5000/a", Ok("https://plain.example:5000/")),
            ("plain.example:5001/a", Ok("https://plain.example:5001/")),
        ] {
            let found = text.parse::<Repository>().unwrap().origin(&exceptions);
            assert_eq!(found.as_ref().map(Url::as_str).map_err(|e| e.kind), origin, "{text}");
        }
        assert!("ftp://a.example/b".parse::<Repository>().is_err());
    }

    #[test]
    fn plain_http_is_for_this_machine_alone() {
        for (host, plain) in
            [("127.0.0.1:5", true), ("[::1]:5", true), ("localhost", true), ("127.0.0.1.example.org", false)]
        {
            assert_eq!(format!("{host}/a").parse::<Repository>().unwrap().is_loopback(), plain, "{host}");
        }
    }
}
