//! The statements of a built level, beside it in its folder: what each is, about what, and who signed it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use pdp_policies::disclosure::Disclosed;
use pdp_policies::release::Release;
use pdp_policies::{ComponentName, Digest};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Failure, Result, internal};
use pdp_transport::files;
use pdp_transport::oci::{Layout, MAX_MANIFEST_BYTES};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{About, Kind, cyclonedx, spdx, vex, written};

/// The file.
const NAME: &str = "statements.json";

/// All of a level.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Record {
    pub(crate) statements: Vec<Recorded>,
}

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Recorded {
    pub(crate) kind: Kind,
    pub(crate) about: About,
    /// The digest that it is attached to.
    pub(crate) subject: Digest,
    /// The file that it was; none for one that the build wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) file: Option<String>,
    /// The document, in the layout.
    pub(crate) document: Stored,
    /// Sigstore bundles over it, one for each key, in the layout.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) bundles: Vec<Stored>,
}

/// A blob of the layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stored {
    pub(crate) digest: Digest,
    pub(crate) size: u64,
}

impl Stored {
    pub(crate) fn put(layout: &Layout, bytes: &[u8]) -> Result<Self> {
        Ok(Self { digest: layout.put_blob(bytes)?, size: bytes.len() as u64 })
    }
}

impl Record {
    /// Of a built level; empty where an older version built it.
    ///
    /// # Errors
    /// `TooLarge`, `Io`, `StatementsUnreadable`.
    pub(crate) fn read(layout: &Layout) -> Result<Self> {
        let path = path(layout.folder());
        let Some(bytes) = files::read_capped(&path, MAX_MANIFEST_BYTES)? else { return Ok(Self::default()) };
        serde_json::from_slice(&bytes).map_err(|e| {
            Failure::new("StatementsUnreadable", format!("{} can't be read", path.display()))
                .cause(e)
                .hint("build the level again: `publisher release build`")
        })
    }

    pub(crate) fn write(&self, layout: &Layout) -> Result<()> {
        let mut bytes = serde_json::to_vec_pretty(self).map_err(internal)?;
        bytes.push(b'\n');
        Ok(files::write_atomic(&path(layout.folder()), &bytes)?)
    }
}

fn path(folder: &Path) -> PathBuf {
    folder.join(NAME)
}

/// What statements are attached to, by digest.
#[derive(Debug)]
pub(crate) struct Subjects {
    pub(crate) level: Digest,
    pub(crate) components: BTreeMap<ComponentName, Digest>,
}

impl Subjects {
    pub(crate) fn of(release: &Release) -> Self {
        let components = release.components.iter().map(|it| (it.name.clone(), it.artifact.digest()));
        Self { level: release.bundle.digest, components: components.collect() }
    }

    fn digest(&self, about: &About) -> Option<Digest> {
        match about {
            About::Level => Some(self.level),
            About::Component(name) => self.components.get(name).copied(),
            About::Image { digest, .. } => Some(*digest),
        }
    }
}

/// A statement of the release engineer, good by its schema.
#[derive(Debug, Clone)]
pub(crate) struct Given {
    pub(crate) kind: Kind,
    pub(crate) about: About,
    pub(crate) file: String,
    pub(crate) document: Value,
}

/// True for an SBOM that says it is about other digests than that. One that names none says nothing.
pub(crate) fn is_of_another(kind: Kind, document: &Value, subject: &Digest) -> bool {
    let named = named(kind, document);
    !named.is_empty() && !named.contains(subject)
}

fn named(kind: Kind, document: &Value) -> BTreeSet<Digest> {
    match kind {
        Kind::CycloneDx => cyclonedx::subjects(document),
        Kind::Spdx => spdx::subjects(document),
        Kind::OpenVex => BTreeSet::new(),
    }
}

/// Puts all statements of a built level into its layout, and lists them: those given, an SBOM of the level unless one is given,
/// and a VEX document of what it fixes as far as those given are silent about that.
///
/// # Errors
/// `StatementOfAnotherImage`, `Io`.
pub(crate) fn record(
    layout: &Layout,
    release: &Release,
    given: &[Given],
    told: &[Disclosed],
) -> Result<Record> {
    let subjects = Subjects::of(release);
    let mut statements = Vec::new();
    for Given { kind, about, file, document } in given {
        let subject = subjects.digest(about).ok_or_else(|| internal("a statement of nothing"))?;
        if is_of_another(*kind, document, &subject) {
            return Err(another(file, about, &subject));
        }
        let file = Some(file.clone());
        statements.push(recorded(layout, *kind, about.clone(), subject, file, document)?);
    }
    let has_sbom = given.iter().any(|it| it.kind != Kind::OpenVex && it.about == About::Level);
    let own = [
        (!has_sbom).then(|| (Kind::CycloneDx, written::sbom(release))),
        written::vex(release, &unsaid(given.iter().map(|it| &it.document), told.to_vec()))?
            .map(|document| (Kind::OpenVex, document)),
    ];
    for (kind, document) in own.into_iter().flatten() {
        statements.push(recorded(layout, kind, About::Level, subjects.level, None, &document)?);
    }
    let record = Record { statements };
    record.write(layout)?;
    Ok(record)
}

/// What none of these documents speaks of, as far as they are VEX: whoever wrote one knows more.
pub(super) fn unsaid<'a>(
    documents: impl IntoIterator<Item = &'a Value>,
    told: impl IntoIterator<Item = Disclosed>,
) -> Vec<Disclosed> {
    let said: BTreeSet<String> = documents.into_iter().flat_map(vex::vulnerabilities).collect();
    let is_said = |it: &Disclosed| said.iter().any(|name| it.advisory.is_called(name));
    told.into_iter().filter(|it| !is_said(it)).collect()
}

pub(super) fn recorded(
    layout: &Layout,
    kind: Kind,
    about: About,
    subject: Digest,
    file: Option<String>,
    document: &Value,
) -> Result<Recorded> {
    let document = Stored::put(layout, &serde_json::to_vec(document).map_err(internal)?)?;
    Ok(Recorded { kind, about, subject, file, document, bundles: Vec::new() })
}

fn another(file: &str, about: &About, subject: &Digest) -> Failure {
    Failure::new("StatementOfAnotherImage", format!("{file} is not about {about}"))
        .cause(format!("by its own words it is about another digest than {subject}"))
        .hint("name with `of` what it was made of; an SBOM of an image belongs to the image, not to its component")
        .exit(exit::NEGATIVE)
}
