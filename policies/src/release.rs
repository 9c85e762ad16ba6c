//! The release descriptor: all components of a PDP at one update level, everything by digest.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use crate::advisory::{Advisory, Severity};
use crate::codes::{Refusal, RefusalCode};
use crate::digest::Digest;
use crate::document;
use crate::image_values::{self, ImageValues, collisions};
use crate::names::{ComponentName, KubernetesName, Level, Line, Platform};
use crate::outlives::Outlives;
use crate::present_version::PresentVersion;
use crate::release_values::{self, RELEASE_VALUES};
use crate::time::Span;
use crate::version_range::{VERSION_RANGES, VersionRange};

/// The largest descriptor that is read (bytes).
pub const MAX_RELEASE_BYTES: u64 = 512 * 1024;
/// The artifact type of a bundle's OCI index.
pub const BUNDLE_TYPE: &str = "application/vnd.wso2.pdp.release.v1";

/// The component that is pdp-sync itself.
pub const PDP_SYNC: &str = "pdp-sync";

/// One release, as the vendor signs it (catalog target `release-<line>-<level>.json`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Release {
    /// Always [`document::API_VERSION`].
    pub api_version: String,
    /// Features that a reader must know to honour this document.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub critical: Vec<String>,
    /// The release line.
    pub line: Line,
    /// The update level within the line.
    pub level: Level,
    /// Shown to people, never compared.
    pub version: String,
    /// What sort of change it is.
    pub kind: ReleaseKind,
    /// The level it was made from; none for the first of a line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Level>,
    /// Levels that nobody needs any more once this one is promoted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub supersedes: Vec<Level>,
    /// What must be there before it may start.
    #[serde(default)]
    pub requires: Requires,
    /// How long it takes by the vendor's measure. It isn't begun where a customer's window ends sooner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usual_length: Option<Span>,
    /// The vulnerabilities it fixes; ids may be opaque under embargo.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub advisories: Vec<Advisory>,
    /// Components that it takes away; nothing is ever removed by absence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<ComponentName>,
    /// The OCI index that holds all components.
    pub bundle: Bundle,
    /// All components of a PDP at this level.
    pub components: Vec<Component>,
}

/// What sort of change a release is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ReleaseKind {
    /// A routine update.
    Update,
    /// It fixes vulnerabilities.
    Security,
    /// A fix for one customer, folded into a later level.
    Hotfix,
}

/// What must be there before a level may start.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Requires {
    /// Of pdp-sync.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pdp_sync: Option<VersionRange>,
    /// Of Kubernetes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubernetes: Option<VersionRange>,
    /// Of Flux.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flux: Option<VersionRange>,
    /// The least level that must be installed; binds upgrades, not first installations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Level>,
}

impl Requires {
    /// The feature that a reader has to know to honour its ranges; none if those of before read them alike.
    pub fn feature(&self) -> Option<&'static str> {
        let mut ranges = [&self.pdp_sync, &self.kubernetes, &self.flux].into_iter().flatten();
        ranges.any(|range| !range.is_as_before()).then_some(VERSION_RANGES)
    }
}

/// Where the bundle lies and what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Bundle {
    /// `host/path` at the vendor; a customer's mirror replaces the host.
    pub repository: String,
    /// Digest of the OCI index.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
}

/// One thing that is installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Component {
    /// Its name; never changes.
    pub name: ComponentName,
    /// Its version, as its makers write it.
    pub version: String,
    /// Components of one stage are applied together, stages in ascending order from 1; within a stage Flux's controllers,
    /// then pdp-sync, come after the others.
    pub stage: u32,
    /// What is applied.
    pub artifact: Artifact,
    /// The name of the Helm release or Kustomization; never changes.
    pub release_name: KubernetesName,
    /// Where it is installed; never changes.
    pub namespace: KubernetesName,
    /// What happens when it fails.
    pub on_failure: OnFailure,
    /// After this it counts as failed; where Flux goes on with it, after twice as long.
    pub timeout: Span,
    /// It must stay healthy for this long.
    pub settle: Span,
    /// Where it runs; all platforms if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub platforms: Vec<Platform>,
    /// True if the customer may leave it out.
    #[serde(default)]
    pub optional: bool,
    /// Every container image that it can make the cluster fetch.
    pub images: Vec<Image>,
    /// Helm values that platform and customer may override.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schemars(with = "BTreeMap<String, Value>")]
    pub values: Map<String, Value>,
    /// The same for one platform; they go over those for all.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "BTreeMap<Platform, BTreeMap<String, Value>>")]
    pub platform_values: BTreeMap<Platform, Map<String, Value>>,
    /// Images where no post-renderer comes, and the Helm values that carry them. No other values come after these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub image_values: Vec<ImageValues>,
    /// Places of Helm values (JSON Pointers) that name an image; a customer's values don't.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub image_paths: Vec<String>,
    /// What it brings and nobody takes away when it goes, or goes back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outlives: Vec<Outlives>,
}

/// A component's OCI artifact within the bundle: one image manifest with one layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Artifact {
    /// A Helm chart.
    Chart {
        /// The chart's own name.
        name: String,
        /// Digest of the manifest.
        digest: Digest,
        /// Size of the manifest in bytes.
        size: u64,
    },
    /// Plain manifests with a `kustomization.yaml`.
    Manifests {
        /// Digest of the manifest.
        digest: Digest,
        /// Size of the manifest in bytes.
        size: u64,
    },
}

impl Artifact {
    /// Digest of the OCI manifest.
    pub fn digest(&self) -> Digest {
        match self {
            Self::Chart { digest, .. } | Self::Manifests { digest, .. } => *digest,
        }
    }

    /// Size of the OCI manifest in bytes.
    pub fn size(&self) -> u64 {
        match self {
            Self::Chart { size, .. } | Self::Manifests { size, .. } => *size,
        }
    }
}

/// What happens when a component fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum OnFailure {
    /// The last good artifact is put back.
    Rollback,
    /// It stays as it is: going back would hurt more (CNI, migrations).
    Hold,
}

/// A container image by digest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Image {
    /// Name without tag, as it stands in the rendered manifests.
    pub name: String,
    /// `host/path` to pull it from; none if that is the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// What is run.
    pub digest: Digest,
    /// True if it is named only at run time and so can't be found in the chart.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub runtime: bool,
}

impl Component {
    /// What is wrong with its values, and with those that carry its images.
    fn problems(&self) -> impl Iterator<Item = String> {
        let chart = matches!(self.artifact, Artifact::Chart { .. });
        let none = (!chart && !self.image_values.is_empty()).then(|| "manifests have no values".to_owned());
        let each = self.image_values.iter().flat_map(ImageValues::problems);
        let twice = collisions(&self.image_values).into_iter();
        none.into_iter()
            .chain(each)
            .chain(twice.map(|place| format!("two images are carried by the value {place}")))
            .chain(release_values::problems(self))
    }

    /// Its own Helm values on a platform; empty if it has none.
    pub fn values_on(&self, platform: Platform) -> Map<String, Value> {
        release_values::on(platform, &self.values, &self.platform_values)
    }

    /// True if it has values, on whatever platform.
    pub fn has_values(&self) -> bool {
        !(self.values.is_empty() && self.platform_values.is_empty())
    }

    /// The images that Flux rewrites, one for each name. What only a running program names gives way: it stands in no
    /// container, with a digest of its own.
    pub fn rewritten(&self) -> Vec<&Image> {
        let mut by_name: BTreeMap<&str, &Image> = BTreeMap::new();
        for image in &self.images {
            let kept = by_name.entry(&image.name).or_insert(image);
            if kept.runtime && !image.runtime {
                *kept = image;
            }
        }
        by_name.into_values().collect()
    }
}

impl Image {
    /// `host/path` at its makers; a customer's mirror replaces the host.
    pub fn pull_name(&self) -> &str {
        self.from.as_deref().unwrap_or(&self.name)
    }
}

impl Release {
    /// The catalog's target name of a release.
    pub fn target_name(line: &Line, level: Level) -> String {
        format!("release-{line}-{level}.json")
    }

    /// Reads a descriptor and checks that it is whole: levels, stages and names agree.
    ///
    /// # Errors
    /// `TooLarge`, `Unreadable`, `UnknownCriticalFeature`.
    pub fn read(subject: &str, bytes: &[u8]) -> Result<Self, Refusal> {
        if bytes.len() as u64 > MAX_RELEASE_BYTES {
            let detail = format!("{} bytes, at most {MAX_RELEASE_BYTES}", bytes.len());
            return Err(Refusal::new(RefusalCode::TooLarge, subject, detail));
        }
        let release: Self = document::read(subject, bytes)?;
        match release.problems().into_iter().next() {
            Some(problem) => Err(Refusal::new(RefusalCode::Unreadable, subject, problem)),
            None => Ok(release),
        }
    }

    /// All that is inconsistent within the release, in words.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.base.is_some_and(|base| base >= self.level) {
            problems.push(format!("base must be below level {}", self.level));
        }
        if self.supersedes.iter().any(|old| *old >= self.level) {
            problems.push(format!("supersedes must name levels below {}", self.level));
        }
        if self.components.is_empty() {
            problems.push("a release needs at least one component".to_owned());
        }
        for feature in image_values::features(self.components.iter().flat_map(|it| &it.image_values)) {
            if !self.critical.iter().any(|named| named == feature) {
                problems.push(format!("values carry images, but `critical` doesn't name `{feature}`"));
            }
        }
        let valued = self.components.iter().any(Component::has_values);
        if valued && !self.critical.iter().any(|feature| feature == RELEASE_VALUES) {
            problems.push(format!("components have values, but `critical` doesn't name `{RELEASE_VALUES}`"));
        }
        if let Some(feature) =
            self.requires.feature().filter(|it| !self.critical.iter().any(|named| named == it))
        {
            problems
                .push(format!("older readers misread `requires`, but `critical` doesn't name `{feature}`"));
        }
        let mut names = BTreeSet::new();
        let mut places = BTreeSet::new();
        for component in &self.components {
            if !names.insert(&component.name) {
                problems.push(format!("component `{}` stands there twice", component.name));
            }
            if !places.insert((&component.namespace, &component.release_name)) {
                let (space, name) = (&component.namespace, &component.release_name);
                problems.push(format!("two components are released as `{space}/{name}`"));
            }
            if !(1..=100).contains(&component.stage) {
                problems.push(format!("component `{}`: stage must be 1 to 100", component.name));
            }
            if self.removed.contains(&component.name) {
                problems.push(format!("component `{}` is both present and removed", component.name));
            }
            problems.extend(
                component.problems().map(|problem| format!("component `{}`: {problem}", component.name)),
            );
        }
        problems
    }

    /// The images of all components.
    pub fn images(&self) -> impl Iterator<Item = &Image> {
        self.components.iter().flat_map(|component| &component.images)
    }

    /// The highest severity among its advisories.
    pub fn severity(&self) -> Option<Severity> {
        self.advisories.iter().map(|a| a.severity).max()
    }

    /// The components for one platform without those the customer left out, by stage, then name.
    pub fn components_for(&self, platform: Platform, left_out: &[ComponentName]) -> Vec<&Component> {
        let mut wanted: Vec<_> = self
            .components
            .iter()
            .filter(|c| c.platforms.is_empty() || c.platforms.contains(&platform))
            .filter(|c| !(c.optional && left_out.contains(&c.name)))
            .collect();
        wanted.sort_by_key(|c| (c.stage, &c.name));
        wanted
    }

    /// True if this release needs another pdp-sync than `running`.
    pub fn needs_newer(&self, running: &PresentVersion) -> bool {
        self.requires.pdp_sync.as_ref().is_some_and(|needed| !needed.lets_in(running))
    }

    /// The pdp-sync that this release brings along for a data plane, if it is one that the release itself can do with.
    pub fn brings_itself(&self, platform: Platform, left_out: &[ComponentName]) -> Option<&Component> {
        let needed = self.requires.pdp_sync.as_ref()?;
        let enough = |c: &&Component| {
            c.name.as_str() == PDP_SYNC && c.version.parse().is_ok_and(|version| needed.lets_in(&version))
        };
        self.components_for(platform, left_out).into_iter().find(enough)
    }
}
