//! `release.yaml`: what a release engineer writes. Strict: a typing error is an error.

use std::collections::{BTreeMap, BTreeSet};

use pdp_policies::disclosure::Disclosed;
use pdp_policies::image_values::ImageValues;
use pdp_policies::release::{Image, OnFailure, ReleaseKind, Requires};
use pdp_policies::release_values;
use pdp_policies::{ComponentName, Digest, KubernetesName, Level, Line, Platform, Span};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::advisories::AdvisoryEntry;

/// The whole file.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReleaseFile {
    pub(crate) api_version: String,
    pub(crate) line: Line,
    pub(crate) level: Level,
    pub(crate) version: String,
    pub(crate) kind: ReleaseKind,
    #[serde(default)]
    pub(crate) base: Option<Level>,
    #[serde(default)]
    pub(crate) supersedes: BTreeSet<Level>,
    pub(crate) repository: String,
    #[serde(default)]
    pub(crate) requires: Requires,
    /// How long it takes, as measured: customers' windows have to be as long.
    #[serde(default)]
    pub(crate) usual_length: Option<Span>,
    #[serde(default)]
    pub(crate) advisories: Vec<AdvisoryEntry>,
    /// Files with further ones, relative to the file.
    #[serde(default)]
    pub(crate) advisory_files: Vec<String>,
    /// What all of them say.
    #[serde(skip)]
    pub(crate) stated: Vec<Disclosed>,
    #[serde(default)]
    pub(crate) removed: Vec<ComponentName>,
    /// What the base brought and this level doesn't, on purpose: `Namespace/<name>`, `CustomResourceDefinition/<name>`,
    /// or the same with `/<version>`.
    #[serde(default)]
    pub(crate) drops: BTreeSet<String>,
    /// What the charts are rendered for, to find their images.
    #[serde(default)]
    pub(crate) rendered: Rendered,
    pub(crate) components: Vec<ComponentEntry>,
    /// SBOMs and VEX documents that go with it.
    #[serde(default)]
    pub(crate) statements: Vec<StatementEntry>,
}

/// An SBOM or a VEX document; which of them, its content says.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct StatementEntry {
    /// Relative to the file.
    pub(crate) path: String,
    /// A component's name, or an image of the level; none for the whole level.
    #[serde(default)]
    pub(crate) of: Option<String>,
}

/// The clusters that the charts are rendered for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Rendered {
    /// Kubernetes versions with the vendors' suffixes, such as `v1.33.4-gke.1036000`.
    #[serde(default)]
    pub(crate) kubernetes: BTreeSet<String>,
    /// API versions beyond Kubernetes' own, such as `monitoring.coreos.com/v1`.
    #[serde(default)]
    pub(crate) api_versions: BTreeSet<String>,
}

/// One component.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ComponentEntry {
    pub(crate) name: ComponentName,
    pub(crate) version: String,
    pub(crate) stage: u32,
    #[serde(default)]
    pub(crate) chart: Option<ChartSource>,
    #[serde(default)]
    pub(crate) manifests: Option<ManifestsSource>,
    pub(crate) release_name: KubernetesName,
    pub(crate) namespace: KubernetesName,
    pub(crate) on_failure: OnFailure,
    pub(crate) timeout: Span,
    pub(crate) settle: Span,
    #[serde(default)]
    pub(crate) platforms: Vec<Platform>,
    #[serde(default)]
    pub(crate) optional: bool,
    /// Files of values to render with, one rendering each beside the one with the chart's own; relative to the file.
    #[serde(default)]
    pub(crate) sample_values: Vec<String>,
    /// A file of values for all platforms, which platform and customer may override; relative to the file.
    #[serde(default)]
    pub(crate) values: Option<String>,
    /// The same for one platform; they go over those for all.
    #[serde(default)]
    pub(crate) platform_values: BTreeMap<Platform, String>,
    /// What these files say.
    #[serde(skip)]
    pub(crate) given: Given,
    /// Images where no post-renderer comes, and the Helm values that carry them.
    #[serde(default)]
    pub(crate) image_values: Vec<ImageValuesEntry>,
    /// The same with their digests, once those are known.
    #[serde(skip)]
    pub(crate) carried: Vec<ImageValues>,
    /// Images that a lock doesn't find: those that only the running program names, or all if there is no lock.
    #[serde(default)]
    pub(crate) images: Vec<Image>,
}

impl ImageValuesEntry {
    /// Every image that it carries, as it is written.
    pub(crate) fn images(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.image).chain(self.others.values())
    }
}

/// Values that platform and customer may override.
#[derive(Debug, Clone, Default)]
pub(crate) struct Given {
    pub(crate) all: Map<String, Value>,
    pub(crate) each: BTreeMap<Platform, Map<String, Value>>,
}

impl ComponentEntry {
    /// What its values come to on its platforms, each once; nothing at all where there are none.
    pub(crate) fn variants(&self) -> Vec<Map<String, Value>> {
        let every = [Platform::Azure, Platform::Aws, Platform::Gcp, Platform::OnPrem];
        let here = every.into_iter().filter(|it| self.platforms.is_empty() || self.platforms.contains(it));
        let mut found = Vec::new();
        for values in here.map(|platform| release_values::on(platform, &self.given.all, &self.given.each)) {
            if !found.contains(&values) {
                found.push(values);
            }
        }
        found
    }
}

/// An image, and the values that carry it; see [`ImageValues`].
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct ImageValuesEntry {
    /// With its tag; the digest is the lock's unless it is written here.
    pub(crate) image: String,
    /// Further images that the same values carry, by a key, for `{name:KEY}` and the like.
    #[serde(default)]
    pub(crate) others: BTreeMap<String, String>,
    pub(crate) values: Map<String, Value>,
}

/// A Helm chart, at one of three places.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct ChartSource {
    pub(crate) name: String,
    /// A folder or a `.tgz`, relative to the file.
    #[serde(default)]
    pub(crate) path: Option<String>,
    /// `oci://host/path`.
    #[serde(default)]
    pub(crate) oci: Option<String>,
    /// `https://...`, where an `index.yaml` is.
    #[serde(default)]
    pub(crate) repository: Option<String>,
    /// What is fetched has to be this.
    #[serde(default)]
    pub(crate) digest: Option<Digest>,
}

/// Plain manifests by folder, relative to the file.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct ManifestsSource {
    pub(crate) path: String,
    /// The folder in it that is built, if that isn't the folder itself.
    #[serde(default)]
    pub(crate) overlay: Option<String>,
}
