//! From a linted release to an OCI layout: the same bytes from any folder, on any day.

mod component;
mod embargo;
mod outlives;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use pdp_policies::image_values::features;
use pdp_policies::release::{BUNDLE_TYPE, Bundle, Component, Release, Requires};
use pdp_policies::release_values::RELEASE_VALUES;
use pdp_policies::{API_VERSION, Digest, Level, Line, document};
use pdp_transport::cli::failure::{Failure, Result, internal};
use pdp_transport::files;
use pdp_transport::oci::{Descriptor, INDEX_TYPE, Index, Layout, MAX_MANIFEST_BYTES};

pub(crate) use outlives::in_crds;

use crate::lint::Linted;
use crate::release_file::ReleaseFile;
use crate::several::on_all_cores;
use crate::statements;

/// The annotation that carries the tag of a layout's entry.
pub(crate) const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// Without this annotation stock cosign doesn't verify an entry of a layout.
const COSIGN_KIND: (&str, &str) = ("kind", "dev.cosignproject.cosign/image");

/// A built release in its layout.
pub(crate) struct Built {
    pub(crate) layout: Layout,
    pub(crate) release: Release,
    /// The descriptor file, as it will be signed.
    pub(crate) descriptor: Vec<u8>,
}

/// Builds the bundle and the release descriptor.
pub(crate) fn build(linted: &Linted, out: &Path) -> Result<Built> {
    let layout = Layout::create(out)?;
    let sources: Vec<_> = linted.file.components.iter().zip(&linted.sources).collect();
    let packed =
        on_all_cores(&sources, |(entry, source)| component::pack(&layout, entry, source, linted.file.level))?;
    let (children, components) = packed.into_iter().map(|it| (it.entry, it.component)).unzip();
    let mut index = Index::new(Some(BUNDLE_TYPE), children);
    index.annotations = BTreeMap::from([
        ("org.opencontainers.image.title".to_owned(), linted.file.line.to_string()),
        ("org.opencontainers.image.version".to_owned(), linted.file.level.to_string()),
    ]);
    let bytes = serde_json::to_vec(&index).map_err(internal)?;
    layout.put_blob(&bytes)?;
    let release = describe(&linted.file, components, &bytes);
    let descriptor = document::write(&release).map_err(internal)?;
    embargo::keeps(&linted.file.stated, &descriptor)?;
    files::write_atomic(&descriptor_path(out, &release.line, release.level), &descriptor)?;
    let mut entry = Descriptor::of(INDEX_TYPE, &bytes);
    entry.artifact_type = Some(BUNDLE_TYPE.to_owned());
    entry.annotations.insert(REF_NAME.to_owned(), release.level.to_string());
    entry.annotations.insert(COSIGN_KIND.0.to_owned(), COSIGN_KIND.1.to_owned());
    layout.put_entries(vec![entry])?;
    statements::record(&layout, &release, &linted.statements, &linted.file.stated)?;
    Ok(Built { layout, release, descriptor })
}

fn describe(file: &ReleaseFile, components: Vec<Component>, index: &[u8]) -> Release {
    Release {
        api_version: API_VERSION.to_owned(),
        critical: critical(&file.requires, &components),
        line: file.line.clone(),
        level: file.level,
        version: file.version.clone(),
        kind: file.kind,
        base: file.base,
        supersedes: file.supersedes.iter().copied().collect(),
        requires: file.requires.clone(),
        usual_length: file.usual_length,
        advisories: file.stated.iter().map(|it| it.advisory.as_signed()).collect(),
        removed: file.removed.clone(),
        bundle: Bundle {
            repository: file.repository.clone(),
            digest: Digest::of(index),
            size: index.len() as u64,
        },
        components,
    }
}

/// What a reader has to know to honour these.
fn critical(requires: &Requires, components: &[Component]) -> Vec<String> {
    let carried = components.iter().flat_map(|component| &component.image_values);
    let valued = components.iter().any(Component::has_values).then_some(RELEASE_VALUES);
    features(carried).into_iter().chain(valued).chain(requires.feature()).map(str::to_owned).collect()
}

/// Opens a built layout.
pub(crate) fn open(folder: &Path) -> Result<Built> {
    let layout = Layout::open(folder)?;
    let what = || format!("no built release in {}", folder.display());
    let found = std::fs::read_dir(folder).map_err(|e| Failure::new("Io", what()).cause(e))?;
    let mut names = found.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let name = names.find(|name| name.starts_with("release-") && name.ends_with(".json"));
    let missing = || Failure::new("NotFound", what()).hint("run `publisher release build` first");
    let name = name.ok_or_else(missing)?;
    let descriptor = files::read_capped(&folder.join(&name), MAX_MANIFEST_BYTES)?.ok_or_else(missing)?;
    let release = Release::read(&name, &descriptor)?;
    pdp_policies::trust::bundle(&layout.blob(&release.bundle.digest, MAX_MANIFEST_BYTES)?, &release)?;
    Ok(Built { layout, release, descriptor })
}

fn descriptor_path(folder: &Path, line: &Line, level: Level) -> PathBuf {
    folder.join(Release::target_name(line, level))
}
