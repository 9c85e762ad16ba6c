//! Package URLs as far as they name what a level holds: `pkg:oci/NAME@DIGEST?repository_url=HOST/PATH`, `pkg:helm/NAME@VERSION`.

use std::fmt;

use pdp_policies::Digest;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What stands in a version or a qualifier as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// A package URL, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Purl {
    /// `oci`, `helm`, ...
    pub(super) kind: String,
    /// The last part of its name.
    pub(super) name: String,
    pub(super) version: Option<String>,
    /// `host/path`, without a tag.
    pub(super) repository: Option<String>,
}

impl Purl {
    /// None if the text is no package URL.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("pkg:")?.trim_start_matches('/');
        let rest = rest.split('#').next()?;
        let (path, qualifiers) = rest.split_once('?').unwrap_or((rest, ""));
        let (kind, path) = path.split_once('/')?;
        let (path, version) = match path.rsplit_once('@') {
            Some((path, version)) => (path, Some(decoded(version)?)),
            None => (path, None),
        };
        let name = decoded(path.rsplit('/').next()?)?;
        let named = |pair: &str| pair.strip_prefix("repository_url=").map(str::to_owned);
        let repository = qualifiers.split('&').find_map(named).map(|text| decoded(&text));
        let repository = match repository {
            Some(decoded) => Some(bare(&decoded?)),
            None => None,
        };
        (!name.is_empty()).then(|| Self { kind: kind.to_ascii_lowercase(), name, version, repository })
    }

    /// Of something in a registry.
    pub(super) fn oci(repository: &str, digest: &Digest) -> Self {
        let name = repository.rsplit('/').next().unwrap_or(repository).to_ascii_lowercase();
        let (version, repository) = (Some(digest.to_string()), Some(repository.to_owned()));
        Self { kind: "oci".to_owned(), name, version, repository }
    }

    /// The digest that it names.
    pub(super) fn digest(&self) -> Option<Digest> {
        self.version.as_deref().filter(|_| self.kind == "oci")?.parse().ok()
    }
}

impl fmt::Display for Purl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let encoded = |text: &str| utf8_percent_encode(text, PLAIN).to_string();
        write!(f, "pkg:{}/{}", self.kind, encoded(&self.name))?;
        if let Some(version) = &self.version {
            write!(f, "@{}", encoded(version))?;
        }
        if let Some(repository) = &self.repository {
            write!(f, "?repository_url={}", encoded(repository))?;
        }
        Ok(())
    }
}

fn decoded(text: &str) -> Option<String> {
    percent_decode_str(text).decode_utf8().ok().map(|it| it.into_owned())
}

/// Without scheme and tag.
fn bare(repository: &str) -> String {
    let rest = ["oci://", "https://", "docker://"].iter().find_map(|it| repository.strip_prefix(it));
    let rest = rest.unwrap_or(repository).trim_end_matches('/');
    match rest.rsplit_once(':') {
        Some((path, tag)) if !tag.contains('/') && path.contains('/') => path.to_owned(),
        _ => rest.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn package_urls_are_taken_apart_and_put_together() {
        let digest = Digest::of(b"x");
        let text = format!("pkg:oci/cilium@sha256%3A{}?repository_url=quay.io/cilium/cilium", digest.hex());
        let own = Purl::oci("quay.io/cilium/cilium", &digest);
        assert_eq!((own.to_string(), own.digest()), (text.clone(), Some(digest)));
        assert_eq!(Purl::parse(&text), Some(own.clone()));
        for (text, name, version, repository) in [
            (format!("pkg:oci/cilium@{digest}"), "cilium", Some(digest.to_string()), None),
            ("pkg:helm/cilium@1.19.2".into(), "cilium", Some("1.19.2".into()), None),
            (
                "pkg:oci/a?arch=amd64&repository_url=h.example:5000/x/a:v1&tag=v1".into(),
                "a",
                None,
                Some("h.example:5000/x/a"),
            ),
            ("pkg:oci/a?repository_url=oci://h.example/x%2Fa/".into(), "a", None, Some("h.example/x/a")),
            ("pkg:OCI/ns/a#sub".into(), "a", None, None),
        ] {
            let found = Purl::parse(&text).unwrap();
            let found = (found.name.as_str(), found.version, found.repository);
            assert_eq!(found, (name, version, repository.map(str::to_owned)), "{text}");
        }
        for text in ["", "pkg:", "pkg:oci", "pkg:oci/", "oci/a", "pkg:oci/%ff", "pkg:oci/@1"] {
            assert_eq!(Purl::parse(text), None, "{text}");
        }
        assert_eq!(Purl::parse(&format!("pkg:npm/a@{digest}")).unwrap().digest(), None);
    }
}
