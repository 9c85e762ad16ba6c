//! The release.yaml of a draft. Pure.

use std::fmt::Write as _;

use pdp_policies::release::ReleaseKind;
use pdp_policies::{Level, Line};

use super::{At, Draft, Entry, From};

/// What a draft doesn't know.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    pub(crate) line: Line,
    pub(crate) level: Level,
    pub(crate) version: String,
    pub(crate) kind: ReleaseKind,
    /// `host/path` of the bundles.
    pub(crate) repository: String,
}

pub(super) fn text(head: &Head, draft: &Draft) -> String {
    let Head { line, level, version, repository, .. } = head;
    let kind = serde_json::json!(head.kind);
    let kind = kind.as_str().unwrap_or_default();
    let mut text = format!(
        "apiVersion: updates.pdp.wso2.com/v1\nline: {line}\nlevel: {level}\nversion: {}\nkind: {kind}\nrepository: {}\n\
         # Flux before 2.9 doesn't put digests into hooks.\nrequires: {{kubernetes: \">=1.33\", flux: \">=2.9\"}}\ncomponents:\n",
        quoted(version),
        quoted(repository)
    );
    draft.components.iter().for_each(|entry| component(&mut text, entry));
    text
}

fn component(text: &mut String, entry: &Entry) {
    let Entry { name, stage, release_name, namespace, timeout, .. } = entry;
    let version = match &entry.origin {
        From::Chart { version, .. } | From::Folder { version, .. } => version.as_str(),
        From::Manifests { .. } => "1",
    };
    let values =
        if entry.values.is_empty() { String::new() } else { format!("    values: {}\n", values_file(entry)) };
    // Writing to a String doesn't fail.
    let _ = write!(
        text,
        "  - name: {name}\n    version: {}\n    stage: {stage}\n    {}\n    releaseName: {release_name}\n    namespace: {namespace}\n    \
         onFailure: rollback\n    timeout: {timeout}\n    settle: 30s\n{values}",
        quoted(version),
        source(entry)
    );
}

fn source(entry: &Entry) -> String {
    match &entry.origin {
        From::Chart { name, at, digest, .. } => {
            let at = match at {
                At::Registry(oci) => format!("oci: {}", quoted(oci)),
                At::Repository(url) => format!("repository: {}", quoted(url)),
            };
            let digest = digest.map(|digest| format!(", digest: \"{digest}\"")).unwrap_or_default();
            format!("chart: {{name: {}, {at}{digest}}}", quoted(name))
        }
        From::Folder { name, .. } => {
            format!("chart: {{name: {}, path: {}}}", quoted(name), quoted(&folder(entry)))
        }
        From::Manifests { overlay, .. } => {
            let overlay = overlay.as_ref().map(|it| format!(", overlay: {}", quoted(it))).unwrap_or_default();
            format!("manifests: {{path: {}{overlay}}}", quoted(&folder(entry)))
        }
    }
}

/// Where a component's own files go, relative to the release.yaml.
pub(super) fn folder(entry: &Entry) -> String {
    let kind = if matches!(entry.origin, From::Manifests { .. }) { "manifests" } else { "charts" };
    format!("../{kind}/{}", entry.name)
}

pub(super) fn values_file(entry: &Entry) -> String {
    format!("values/{}.yaml", entry.name)
}

/// JSON's texts are YAML's.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
