//! An image as manifests name it: `[host[:port]/]path[:tag][@sha256:...]`, the grammar of distribution references.

use pdp_policies::{Digest, is_image_name};

/// Where a name without a host is pulled from, and where its images without a folder are.
const DEFAULT_HOST: &str = "docker.io";
const DEFAULT_FOLDER: &str = "library";
/// The longest tag of that grammar (bytes).
const MAX_TAG: usize = 128;

/// One image string, taken apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Reference {
    /// As it is written, without tag and digest: what a post-renderer compares with.
    pub(crate) name: String,
    pub(crate) tag: Option<String>,
    pub(crate) digest: Option<Digest>,
}

impl Reference {
    /// None if the text isn't an image.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.parse().ok()?)),
            None => (text, None),
        };
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
            _ => (rest, None),
        };
        let whole = is_image_name(name) && tag.is_none_or(is_tag);
        whole.then(|| Self { name: name.to_owned(), tag: tag.map(str::to_owned), digest })
    }

    /// The name to pull by: with its host, and with the folder that Docker Hub's own images are in.
    pub(crate) fn full_name(&self) -> String {
        match self.host() {
            Some(host) => {
                let path = &self.name[host.len() + 1..];
                let short = host == DEFAULT_HOST && !path.contains('/');
                if short { format!("{host}/{DEFAULT_FOLDER}/{path}") } else { self.name.clone() }
            }
            None if self.name.contains('/') => format!("{DEFAULT_HOST}/{}", self.name),
            None => format!("{DEFAULT_HOST}/{DEFAULT_FOLDER}/{}", self.name),
        }
    }

    /// The host that is written, if one is.
    pub(crate) fn host(&self) -> Option<&str> {
        let (host, _) = self.name.split_once('/')?;
        (host == "localhost" || host.contains(['.', ':'])).then_some(host)
    }
}

impl std::fmt::Display for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.name)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        self.digest.map_or(Ok(()), |digest| write!(f, "@{digest}"))
    }
}

fn is_tag(tag: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    tag.len() <= MAX_TAG
        && tag.bytes().next().is_some_and(word)
        && tag.bytes().all(|b| word(b) || b == b'.' || b == b'-')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_tags_and_digests_are_told_apart() {
        let digest = Digest::of(b"x");
        for (text, name, tag, full) in [
            ("nginx", "nginx", None, "docker.io/library/nginx"),
            ("nginx:1.29", "nginx", Some("1.29"), "docker.io/library/nginx"),
            ("docker.io/nginx:1", "docker.io/nginx", Some("1"), "docker.io/library/nginx"),
            ("acme/app:1", "acme/app", Some("1"), "docker.io/acme/app"),
            ("h.example:5000/a/b", "h.example:5000/a/b", None, "h.example:5000/a/b"),
            ("localhost/a:1", "localhost/a", Some("1"), "localhost/a"),
            ("quay.io/a__b/c-d.e:v1_2", "quay.io/a__b/c-d.e", Some("v1_2"), "quay.io/a__b/c-d.e"),
        ] {
            let found = Reference::parse(text).unwrap();
            assert_eq!(
                (found.name.as_str(), found.tag.as_deref(), found.full_name().as_str()),
                (name, tag, full)
            );
            assert_eq!(found.to_string(), text);
            let pinned = format!("{text}@{digest}");
            assert_eq!(Reference::parse(&pinned).unwrap(), Reference { digest: Some(digest), ..found });
        }
    }

    #[test]
    fn prose_templates_and_addresses_are_no_images() {
        for text in [
            "",
            " ",
            "a b",
            "A/b",
            "http://a.example/b",
            "a//b",
            "/a",
            "a/",
            ":1",
            "a:",
            "a:b:c",
            "{{ .Values.a }}",
            "a.example:/b",
            "a@sha256:12",
            "-a",
            "a-",
            "a..b",
            "a/b:t/c:",
            "ghcr.io/x/Y",
            "a___b",
        ] {
            assert_eq!(Reference::parse(text), None, "{text:?}");
        }
    }
}
