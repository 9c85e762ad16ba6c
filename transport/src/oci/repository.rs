//! Where something lies in a registry: `host[:port]/path`.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Kind};
use crate::http;

/// A repository in a registry, without tag or digest.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Repository {
    /// Host, with the port if there is one.
    pub host: String,
    /// Path within the registry.
    pub path: String,
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

    pub(super) fn url(&self, rest: &str) -> String {
        let scheme = if self.is_loopback() { "http" } else { "https" };
        format!("{scheme}://{}/v2/{}/{rest}", self.host, self.path)
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
        let (host, path) = text.split_once('/').ok_or_else(bad)?;
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
        Ok(Self { host: host.to_owned(), path: path.to_owned() })
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
    fn plain_http_is_for_this_machine_alone() {
        for (host, plain) in
            [("127.0.0.1:5", true), ("[::1]:5", true), ("localhost", true), ("127.0.0.1.example.org", false)]
        {
            assert_eq!(format!("{host}/a").parse::<Repository>().unwrap().is_loopback(), plain, "{host}");
        }
    }
}
