//! The file itself: `release.lock` beside `release.yaml`, written by a program, reviewed by people as a diff.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use pdp_policies::{API_VERSION, ComponentName, Digest, Level, Line};
use pdp_transport::cli::failure::{Result, internal};
use pdp_transport::files;
use serde::{Deserialize, Serialize};

use super::reference::Reference;
use super::resolve::Resolved;
use super::search::Found;
use crate::yaml_file;

/// The file's name.
const NAME: &str = "release.lock";

/// The whole file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Locked {
    pub(crate) api_version: String,
    pub(crate) line: Line,
    pub(crate) level: Level,
    /// The program that rendered the charts.
    pub(crate) helm: HelmVersion,
    /// The Kubernetes versions that they were rendered for.
    pub(crate) kubernetes: BTreeSet<String>,
    pub(crate) components: Vec<LockedComponent>,
}

/// Which Helm it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HelmVersion {
    /// As it says itself.
    pub(crate) version: String,
}

/// What was found in one component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LockedComponent {
    pub(crate) name: ComponentName,
    /// Of all that the rendering depends on: files, values, names. Another one makes the lock stale.
    pub(crate) inputs: Digest,
    pub(crate) images: Vec<LockedImage>,
    /// The digests of the images that values carry, by the image as release.yaml writes it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) image_values: BTreeMap<String, Digest>,
}

/// One image string.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LockedImage {
    /// As it is rendered, tag and all.
    pub(crate) rendered: String,
    /// `host/path` to pull from.
    pub(crate) pull: String,
    pub(crate) digest: Digest,
    pub(crate) media_type: String,
    /// `os/architecture`; empty if the image doesn't say.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) platforms: BTreeSet<String>,
    /// Where it was seen.
    pub(crate) seen: BTreeSet<Place>,
    /// What can pin it there.
    pub(crate) reach: Reach,
    /// True if it is pulled from its makers also where there is a mirror.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) unmirrored: bool,
}

/// Where an image string stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Place {
    /// `containers` of a workload.
    Container,
    /// `initContainers`.
    InitContainer,
    /// `ephemeralContainers`.
    EphemeralContainer,
    /// `volumes[].image.reference`.
    ImageVolume,
    /// Any of these within a Helm hook.
    Hook,
    /// `args` or `command`.
    Argument,
    /// `env`.
    Environment,
    /// A field of a custom resource.
    CustomResource,
    /// `data` of a ConfigMap or Secret.
    ConfigMap,
    /// In values alone: of an option that is switched off.
    Values,
}

/// What can give an image string its digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Reach {
    /// The post-renderer rewrites every occurrence.
    PostRenderer,
    /// At least one occurrence is out of the post-renderer's reach: values have to carry the digest.
    Values,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Container => "container",
            Self::InitContainer => "init container",
            Self::EphemeralContainer => "ephemeral container",
            Self::ImageVolume => "image volume",
            Self::Hook => "hook",
            Self::Argument => "argument",
            Self::Environment => "environment",
            Self::CustomResource => "custom resource",
            Self::ConfigMap => "ConfigMap or Secret",
            Self::Values => "values",
        })
    }
}

/// Where the lock of a `release.yaml` is.
pub(crate) fn beside(release: &Path) -> PathBuf {
    release.with_file_name(NAME)
}

impl Locked {
    /// Reads the lock; none if there is none.
    pub(crate) fn read(path: &Path) -> Result<Option<yaml_file::Read<Self>>> {
        yaml_file::find(path)
    }

    /// Writes it whole or not at all; the same content gives the same bytes.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let text = serde_saphyr::to_string(self).map_err(internal)?;
        let head = "# written by `publisher release lock`; review it as a diff, don't edit it\n";
        Ok(files::write_atomic(path, format!("{head}{text}").as_bytes())?)
    }

    pub(crate) fn component(&self, name: &ComponentName) -> Option<&LockedComponent> {
        self.components.iter().find(|component| component.name == *name)
    }

    /// The digests of all images that values carry, by the image as release.yaml writes it.
    pub(crate) fn image_values(&self) -> BTreeMap<String, Digest> {
        self.components.iter().flat_map(|component| component.image_values.clone()).collect()
    }

    /// What is known of each image string; of one with two answers, nothing.
    pub(crate) fn known(&self) -> BTreeMap<String, Resolved> {
        let mut known: BTreeMap<String, Option<Resolved>> = BTreeMap::new();
        for image in self.components.iter().flat_map(|component| &component.images) {
            let here = Some(image.resolved());
            known
                .entry(image.rendered.clone())
                .and_modify(|other| *other = other.take().filter(|other| Some(other) == here.as_ref()))
                .or_insert(here.clone());
        }
        known.into_iter().filter_map(|(text, resolved)| Some((text, resolved?))).collect()
    }

    /// A lock without components yet.
    pub(crate) fn of(line: Line, level: Level, helm: String, kubernetes: BTreeSet<String>) -> Self {
        let (api_version, helm) = (API_VERSION.to_owned(), HelmVersion { version: helm });
        Self { api_version, line, level, helm, kubernetes, components: Vec::new() }
    }
}

impl LockedComponent {
    /// What was found, with what the registries say; what they don't have is left out.
    pub(crate) fn of(found: Found, resolved: &BTreeMap<String, Resolved>) -> Self {
        let mut places: BTreeMap<&Reference, BTreeSet<(Place, bool)>> = BTreeMap::new();
        for seen in &found.seen {
            places.entry(&seen.image).or_default().insert((seen.place, seen.in_hook));
        }
        for image in &found.values {
            places.entry(image).or_insert_with(|| BTreeSet::from([(Place::Values, false)]));
        }
        let image = |(image, seen): (&Reference, BTreeSet<(Place, bool)>)| {
            let unmirrored = found.unmirrored.contains(image);
            Some(LockedImage {
                unmirrored,
                ..LockedImage::of(image, &seen, resolved.get(&image.to_string())?)
            })
        };
        let images = places.into_iter().filter_map(image).collect();
        Self { name: found.name, inputs: found.inputs, images, image_values: found.image_values }
    }
}

impl LockedImage {
    fn of(image: &Reference, seen: &BTreeSet<(Place, bool)>, resolved: &Resolved) -> Self {
        let reached = seen.iter().all(|(place, _)| place.is_reached());
        let mut places: BTreeSet<_> = seen.iter().map(|(place, _)| *place).collect();
        if seen.iter().any(|(_, in_hook)| *in_hook) {
            places.insert(Place::Hook);
        }
        Self {
            rendered: image.to_string(),
            pull: image.full_name(),
            digest: resolved.digest,
            media_type: resolved.media_type.clone(),
            platforms: resolved.platforms.clone(),
            seen: places,
            reach: if reached { Reach::PostRenderer } else { Reach::Values },
            unmirrored: false,
        }
    }

    fn resolved(&self) -> Resolved {
        let (digest, media_type, platforms) = (self.digest, self.media_type.clone(), self.platforms.clone());
        Resolved { digest, media_type, platforms }
    }
}

impl Place {
    /// Kustomize rewrites lists called `containers` and `initContainers` at any depth, and image volumes; nothing else.
    pub(super) fn is_reached(self) -> bool {
        match self {
            Self::Container | Self::InitContainer | Self::ImageVolume => true,
            // Should the option be switched on, its image stands in a container more often than not.
            Self::Values => true,
            Self::EphemeralContainer
            | Self::Argument
            | Self::Environment
            | Self::CustomResource
            | Self::Hook
            | Self::ConfigMap => false,
        }
    }
}
