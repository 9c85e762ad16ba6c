//! An address in its one form: `https://host[:port]/path`, or `host[:port]/path` of a registry.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::MoveKind;

/// The longest address (characters).
const MAX_LENGTH: usize = 512;
/// The longest name of a host (characters).
const MAX_HOST: usize = 253;

/// An address without login, query and fragment; host in lower case, no usual port, no slash at its end.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Address {
    scheme: Option<Scheme>,
    /// With the port, if it isn't the usual one.
    host: String,
    /// Without a slash at either end; may be empty.
    path: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Scheme {
    Https,
    /// On this machine only.
    Http,
}

/// A text that is not an address in its one form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an address such as https://host/path or registry.example/path: {1}")]
pub struct BadAddress(String, &'static str);

impl Address {
    /// As people write it in a subscription: capital letters in the host, the usual port and a slash at the end are
    /// taken away first.
    ///
    /// # Errors
    /// For anything that has no such form; such an address never moves.
    pub fn loosely(text: &str) -> Result<Self, BadAddress> {
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (format!("{}://", scheme.to_ascii_lowercase()), rest),
            None => (String::new(), text),
        };
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let host = host.to_ascii_lowercase();
        let usual = if scheme == "http://" { ":80" } else { ":443" };
        let host = host.strip_suffix(usual).filter(|_| !scheme.is_empty()).unwrap_or(&host);
        let path = path.trim_end_matches('/');
        let slash = if path.is_empty() { "" } else { "/" };
        format!("{scheme}{host}{slash}{path}").parse()
    }

    /// True for `https://…`, and for `http://…` on this machine.
    pub fn is_url(&self) -> bool {
        self.scheme.is_some()
    }

    /// True for an address that means another machine to everybody who follows it.
    pub(super) fn is_on_this_machine(&self) -> bool {
        means_this_machine(name_of(&self.host))
    }

    pub(super) fn len(&self) -> usize {
        self.host.len() + self.path.len()
    }

    /// What is left of this address below a registry or a path in it; only whole segments count.
    pub(super) fn below(&self, prefix: &Self) -> Option<&str> {
        if self.scheme != prefix.scheme || self.host != prefix.host {
            return None;
        }
        let rest = self.path.strip_prefix(&prefix.path)?;
        match prefix.path.is_empty() || rest.is_empty() {
            true => Some(rest),
            false => rest.strip_prefix('/'),
        }
    }

    /// This address with a path below it, none if that grows too long.
    pub(super) fn with(&self, rest: &str) -> Option<Self> {
        let slash = if self.path.is_empty() || rest.is_empty() { "" } else { "/" };
        let longer = Self { path: format!("{}{slash}{rest}", self.path), ..self.clone() };
        (longer.to_string().len() <= MAX_LENGTH).then_some(longer)
    }

    /// Why it can't be the address of such a thing.
    pub(super) fn misfit(&self, kind: MoveKind) -> Option<&'static str> {
        match kind {
            MoveKind::Catalog if self.path.is_empty() => Some("names no repository"),
            MoveKind::Artifacts if self.is_url() => Some("is a URL: write host[:port] or host[:port]/path"),
            MoveKind::Server if !self.is_url() => Some("is no URL: write https://host"),
            _ => None,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            Some(Scheme::Https) => "https://",
            Some(Scheme::Http) => "http://",
            None => "",
        };
        let slash = if self.path.is_empty() { "" } else { "/" };
        write!(f, "{scheme}{}{slash}{}", self.host, self.path)
    }
}

impl FromStr for Address {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let bad = |why| {
            let shown: String = text.chars().take(80).flat_map(char::escape_default).collect();
            BadAddress(shown, why)
        };
        if text.len() > MAX_LENGTH {
            return Err(bad("it is longer than 512 characters"));
        }
        let (scheme, rest) = match text.split_once("://") {
            Some(("https", rest)) => (Some(Scheme::Https), rest),
            Some(("http", rest)) => (Some(Scheme::Http), rest),
            Some(_) => return Err(bad("only https:// is known")),
            None => (None, text),
        };
        let (host, path) = match rest.split_once('/') {
            Some((host, path)) => (host, Some(path)),
            None => (rest, None),
        };
        check_host(host, scheme).map_err(&bad)?;
        if path.is_some_and(|path| !path.split('/').all(|segment| is_segment(segment, scheme))) {
            return Err(bad("its path isn't plain: letters, digits, dots, dashes, no empty part"));
        }
        Ok(Self { scheme, host: host.to_owned(), path: path.unwrap_or_default().to_owned() })
    }
}

/// Host and port, in the form that no two texts share.
fn check_host(host: &str, scheme: Option<Scheme>) -> Result<(), &'static str> {
    let name = name_of(host);
    if name.len() > MAX_HOST || !is_host_name(name) {
        return Err("its host isn't a plain name in lower case, or an IP address");
    }
    if let Some(port) = host.strip_prefix(name).and_then(|rest| rest.strip_prefix(':')) {
        let number = port.parse::<u16>().ok().filter(|number| *number != 0 && number.to_string() == port);
        let usual = match scheme {
            Some(Scheme::Https) => Some(443),
            Some(Scheme::Http) => Some(80),
            None => None,
        };
        if number.is_none() || number == usual {
            return Err("its port isn't one, or is the usual one");
        }
    }
    let is_registry = name == "localhost" || host.contains(['.', ':']);
    match scheme {
        Some(Scheme::Http) if !is_loopback(name) => Err("plain http is for this machine alone"),
        None if !is_registry => Err("its host has neither a dot nor a port"),
        _ => Ok(()),
    }
}

/// The host without its port.
fn name_of(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => name,
        _ => host,
    }
}

fn is_host_name(name: &str) -> bool {
    if let Some(inside) = name.strip_prefix('[') {
        let address = inside.strip_suffix(']').and_then(|inside| inside.parse::<IpAddr>().ok());
        return address.is_some_and(|address| format!("[{address}]") == name);
    }
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let label = |label: &str| {
        !label.is_empty() && label.bytes().all(plain) && !label.starts_with('-') && !label.ends_with('-')
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    // Other readers of addresses take `127.1` and `0x7f.1` for numbers.
    let is_number = last.bytes().all(|b| b.is_ascii_digit()) || last.starts_with("0x");
    name.split('.').all(label)
        && (!is_number || name.parse::<Ipv4Addr>().is_ok_and(|address| address.to_string() == name))
}

fn ip_of(name: &str) -> Option<IpAddr> {
    name.trim_matches(['[', ']']).parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

fn is_loopback(name: &str) -> bool {
    name == "localhost" || ip_of(name).is_some_and(|address| address.is_loopback())
}

fn means_this_machine(name: &str) -> bool {
    is_loopback(name)
        || name.ends_with(".localhost")
        || ip_of(name).is_some_and(|address| address.is_unspecified())
}

/// One part of a path: plain, and in a registry as registries want it.
fn is_segment(segment: &str, scheme: Option<Scheme>) -> bool {
    let edge = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    match scheme {
        Some(_) => {
            let plain = |b: u8| b.is_ascii_alphanumeric() || b"._~-".contains(&b);
            segment.bytes().all(plain) && !["", ".", ".."].contains(&segment)
        }
        None => {
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
            segment.bytes().all(plain) && edge(segment.bytes().next()) && edge(segment.bytes().next_back())
        }
    }
}

impl TryFrom<String> for Address {
    type Error = BadAddress;

    fn try_from(text: String) -> Result<Self, BadAddress> {
        text.parse()
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.to_string()
    }
}
