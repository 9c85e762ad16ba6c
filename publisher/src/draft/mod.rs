//! A release as another way of installing has it: what can be taken over, and what can't, each with the reason.

mod flux;
mod folder;
mod pin;
mod published;
mod text;
mod umbrella;
mod write;

use pdp_policies::{ComponentName, Digest, KubernetesName, Span};
use serde::Serialize;
use serde_json::{Map, Value};

pub(crate) use flux::drafted as of_flux;
pub(crate) use pin::pinned;
pub(crate) use text::Head;
pub(crate) use umbrella::drafted as of_umbrella;
pub(crate) use write::{absent, readable, write, write_published};

use crate::lint::Source;

/// Components in the order of their stages, and what people have to look at.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Draft {
    pub(crate) components: Vec<Entry>,
    pub(crate) left: Vec<Left>,
}

/// One component.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) name: ComponentName,
    pub(crate) stage: u32,
    pub(crate) origin: From,
    pub(crate) release_name: KubernetesName,
    pub(crate) namespace: KubernetesName,
    pub(crate) timeout: Span,
    pub(crate) values: Map<String, Value>,
}

/// Where its files are.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum From {
    /// A chart that is fetched. `version` is a range until it is pinned.
    Chart { name: String, at: At, version: String, digest: Option<Digest> },
    /// A chart's own files.
    Folder { name: String, version: String, files: Source },
    /// A kustomization's files; `overlay` is the folder in it that is built.
    Manifests { files: Source, overlay: Option<String> },
}

/// Where a chart is fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum At {
    /// `oci://host/path`.
    Registry(String),
    /// `https://...`, where an `index.yaml` is.
    Repository(String),
}

/// What isn't taken over.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Left {
    /// Such as `HelmRelease cert-manager/cert-manager`.
    pub(crate) object: String,
    /// A field, or empty for the object itself.
    pub(crate) field: String,
    /// Why, and what to do.
    pub(crate) why: String,
}

impl Left {
    pub(crate) fn new(object: impl Into<String>, field: &str, why: impl Into<String>) -> Self {
        Self { object: object.into(), field: field.to_owned(), why: why.into() }
    }
}
