//! The name of a container image, `[host[:port]/]path`: the grammar of distribution references without tag and digest.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::printable::printable;

/// The longest name of that grammar (bytes).
pub const MAX_IMAGE_NAME: usize = 255;

macro_rules! label {
    () => {
        "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
    };
}

macro_rules! part {
    () => {
        r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
    };
}

/// What stands before the first `/` and isn't a host: it has no dot.
macro_rules! folder {
    () => {
        "[a-z0-9]+(?:(?:_|__|-+)[a-z0-9]+)*"
    };
}

macro_rules! host {
    () => {
        concat!("(?:", label!(), r"(?:\.", label!(), ")+|", label!(), r"(?:\.", label!(), ")*:[0-9]+)")
    };
}

/// The same grammar for a schema; a test compares the two.
const PATTERN: &str =
    concat!("^(?:", host!(), "(?:/", part!(), ")+|", part!(), "|", folder!(), "(?:/", part!(), ")+)$");

/// An image's name without tag and digest, as it stands in manifests.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ImageName(Arc<str>);

/// A text that is no name of an image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the name of an image: write host/path without tag and digest")]
pub struct BadImageName(String);

impl ImageName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ImageName {
    type Err = BadImageName;

    fn from_str(text: &str) -> Result<Self, BadImageName> {
        match is_image_name(text) {
            true => Ok(Self(text.into())),
            false => Err(BadImageName(printable(&text.chars().take(80).collect::<String>()))),
        }
    }
}

impl TryFrom<String> for ImageName {
    type Error = BadImageName;

    fn try_from(text: String) -> Result<Self, BadImageName> {
        text.parse()
    }
}

impl From<ImageName> for String {
    fn from(name: ImageName) -> Self {
        name.0.as_ref().to_owned()
    }
}

impl fmt::Display for ImageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl JsonSchema for ImageName {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ImageName".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "maxLength": MAX_IMAGE_NAME, "pattern": PATTERN })
    }
}

/// True for `[host[:port]/]path` of the grammar of distribution references.
pub fn is_image_name(name: &str) -> bool {
    let (host, path) = match name.split_once('/') {
        Some((host, path)) if host == "localhost" || host.contains(['.', ':']) => (Some(host), path),
        _ => (None, name),
    };
    name.len() <= MAX_IMAGE_NAME && host.is_none_or(is_host) && path.split('/').all(is_part)
}

/// Name and digest of `name[:tag][@digest]`; a port isn't a tag. Anything may be written where an image should be: what
/// isn't exactly one digest behind the only `@` is none.
pub fn split_image(image: &str) -> (&str, Option<Digest>) {
    let (rest, digest) = match image.split_once('@') {
        Some((rest, digest)) => (rest, digest.parse().ok()),
        None => (image, None),
    };
    let path = rest.rfind('/').map_or(0, |slash| slash + 1);
    let name = rest[path..].find(':').map_or(rest, |colon| &rest[..path + colon]);
    (name, digest)
}

fn is_host(host: &str) -> bool {
    let (name, port) = host.rsplit_once(':').map_or((host, None), |(name, port)| (name, Some(port)));
    let label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.split('.').all(label)
        && port.is_none_or(|port| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()))
}

/// Lower case letters and digits, between them one `.`, one or two `_`, or any number of `-`.
fn is_part(part: &str) -> bool {
    let alphanumeric = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = part.as_bytes();
    let edges =
        bytes.first().is_some_and(|b| alphanumeric(*b)) && bytes.last().is_some_and(|b| alphanumeric(*b));
    let separators = part.split(|c: char| c.is_ascii_alphanumeric()).filter(|text| !text.is_empty());
    let mut separators =
        separators.map(|text| matches!(text, "." | "_" | "__") || text.bytes().all(|b| b == b'-'));
    edges && bytes.iter().all(|b| alphanumeric(*b) || b"._-".contains(b)) && separators.all(|good| good)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_no_tag_no_digest_and_no_scheme() {
        for good in ["nginx", "acme/app", "localhost/a", "h.example:5000/a/b", "quay.io/a__b/c-d.e", "a.b"] {
            assert!(good.parse::<ImageName>().is_ok(), "{good}");
        }
        let long = format!("a/{}", "b".repeat(MAX_IMAGE_NAME));
        for bad in
            ["", "a:1", "h.example/a:1", "a@sha256:00", "https://h.example/a", "A/b", "a//b", "a b", &long]
        {
            assert!(bad.parse::<ImageName>().is_err(), "{bad}");
        }
        let words = "a\u{1b}[2J".parse::<ImageName>().map_err(|bad| bad.to_string());
        assert!(words.is_err_and(|words| !words.contains('\u{1b}')));
    }

    #[test]
    fn a_port_is_no_tag_and_only_one_digest_is_a_digest() {
        let digest = Digest::of(b"x");
        for (image, name, pinned) in [
            ("localhost:5000/a/b:1".to_owned(), "localhost:5000/a/b", None),
            ("localhost:5000/a/b".to_owned(), "localhost:5000/a/b", None),
            ("busybox:1".to_owned(), "busybox", None),
            ("busybox".to_owned(), "busybox", None),
            ("a.example/b@sha256:00".to_owned(), "a.example/b", None),
            (format!("a.example/b:1@{digest}"), "a.example/b", Some(digest)),
            (format!("a.example/b@{digest}@{digest}"), "a.example/b", None),
            (format!("a.example/b@{digest} "), "a.example/b", None),
        ] {
            assert_eq!(split_image(&image), (name, pinned), "{image}");
        }
    }
}
