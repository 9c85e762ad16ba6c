//! What a statement is about, and what a level holds that one can be about.

use std::collections::BTreeSet;
use std::fmt;

use pdp_policies::{ComponentName, Digest};
use serde::{Deserialize, Serialize};

use super::purl::Purl;
use crate::lock::Reference;
use crate::release_file::ReleaseFile;

/// What a statement is attached to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(crate) enum About {
    /// The whole level: its bundle.
    Level,
    /// A component's artifact.
    Component(ComponentName),
    /// An image of the level, or a part of it.
    Image {
        /// `host/path` that it is pulled from.
        repository: String,
        digest: Digest,
        /// Of the level's image that it is a part of: one platform of several.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        part_of: Option<Digest>,
    },
}

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Level => f.write_str("the level"),
            Self::Component(name) => write!(f, "component `{name}`"),
            Self::Image { repository, digest, .. } => write!(f, "{repository}@{digest}"),
        }
    }
}

/// Something of a level that others may name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Named {
    Level,
    Component(ComponentName),
    Image(Digest),
}

/// A level, as far as its names go.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    line: String,
    /// `host/path` of the bundle.
    repository: String,
    components: Vec<(ComponentName, Option<String>, String)>,
    /// By every name that they have, tags apart.
    images: BTreeSet<(String, Digest)>,
}

impl Scope {
    /// Its images have to be known: those of the lock, or those that are written.
    pub(crate) fn of(file: &ReleaseFile) -> Self {
        let components = file.components.iter().map(|it| {
            (it.name.clone(), it.chart.as_ref().map(|chart| chart.name.clone()), it.version.clone())
        });
        let names = |image: &pdp_policies::release::Image| {
            [(image.name.clone(), image.digest), (image.pull_name().to_owned(), image.digest)]
        };
        Self {
            line: file.line.to_string(),
            repository: file.repository.clone(),
            components: components.collect(),
            images: file.components.iter().flat_map(|it| &it.images).flat_map(names).collect(),
        }
    }

    /// What `of` of a statement means; nothing is the level.
    ///
    /// # Errors
    /// In words, if it is nothing of the level, or several things.
    pub(crate) fn about(&self, of: Option<&str>, file: &ReleaseFile) -> Result<About, String> {
        let Some(of) = of else { return Ok(About::Level) };
        if let Some((name, ..)) = self.components.iter().find(|(name, ..)| name.as_str() == of) {
            return Ok(About::Component(name.clone()));
        }
        let nothing = || "it is neither a component nor an image of this level".to_owned();
        let reference = Reference::parse(of).ok_or_else(nothing)?;
        let pulled = file.components.iter().flat_map(|it| &it.images);
        let same =
            pulled.filter(|image| [&*image.name, image.pull_name()].contains(&reference.name.as_str()));
        let found: BTreeSet<_> = same.map(|image| (image.pull_name().to_owned(), image.digest)).collect();
        let exact = reference.digest.and_then(|digest| found.iter().find(|it| it.1 == digest));
        match (exact, reference.digest, found.first(), found.len()) {
            (Some((repository, digest)), ..) | (None, None, Some((repository, digest)), 1) => {
                Ok(About::Image { repository: repository.clone(), digest: *digest, part_of: None })
            }
            // A platform of it; whether it is one is seen when it is published.
            (None, Some(digest), Some((repository, whole)), 1) => {
                Ok(About::Image { repository: repository.clone(), digest, part_of: Some(*whole) })
            }
            (.., 0) => Err(nothing()),
            _ => Err("several images of this level have this name: write it with its digest".to_owned()),
        }
    }

    /// Everything of the level that a text names: a package URL, an image reference, a component.
    pub(super) fn named(&self, text: &str) -> BTreeSet<Named> {
        let components = self.components.iter().filter(|(name, ..)| name.as_str() == text);
        let mut found: BTreeSet<_> = components.map(|(name, ..)| Named::Component(name.clone())).collect();
        if text == self.line {
            found.insert(Named::Level);
        }
        match Purl::parse(text) {
            Some(purl) => found.extend(self.by_purl(&purl)),
            None => found.extend(Reference::parse(text).into_iter().flat_map(|it| {
                self.images_called(Some(&it.name), None, it.digest).map(Named::Image).collect::<Vec<_>>()
            })),
        }
        found
    }

    /// Images with this digest.
    pub(super) fn with_digest(&self, digest: &Digest) -> Option<Named> {
        self.images.iter().any(|(_, known)| known == digest).then_some(Named::Image(*digest))
    }

    fn by_purl(&self, purl: &Purl) -> BTreeSet<Named> {
        let bundle = purl.repository.as_deref() == Some(self.repository.as_str());
        match (purl.kind.as_str(), purl.version.as_deref()) {
            ("oci", None) if bundle => BTreeSet::from([Named::Level]),
            ("oci", None) => self
                .images_called(purl.repository.as_deref(), Some(&purl.name), None)
                .map(Named::Image)
                .collect(),
            ("oci", Some(_)) => purl.digest().and_then(|it| self.with_digest(&it)).into_iter().collect(),
            ("helm", version) => {
                let same = |(name, chart, own): &&(ComponentName, Option<String>, String)| {
                    let called = chart.as_deref() == Some(&purl.name) || name.as_str() == purl.name;
                    called
                        && version.is_none_or(|it| it.trim_start_matches('v') == own.trim_start_matches('v'))
                };
                self.components.iter().filter(same).map(|(name, ..)| Named::Component(name.clone())).collect()
            }
            _ => BTreeSet::new(),
        }
    }

    /// Images of a repository, or whose name ends so.
    fn images_called<'a>(
        &'a self,
        repository: Option<&'a str>,
        last: Option<&'a str>,
        digest: Option<Digest>,
    ) -> impl Iterator<Item = Digest> + 'a {
        let same = move |name: &str| match (repository, last) {
            (Some(repository), _) => name == repository,
            (None, Some(last)) => name.rsplit('/').next() == Some(last),
            (None, None) => false,
        };
        let here = self
            .images
            .iter()
            .filter(move |(name, known)| same(name) && digest.is_none_or(|digest| digest == *known));
        here.map(|(_, known)| *known)
    }
}
