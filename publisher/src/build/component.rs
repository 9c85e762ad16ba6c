//! One component as an OCI artifact: a Helm chart as Helm pushes it, manifests as Flux pushes them.

use std::collections::{BTreeMap, BTreeSet};

use pdp_policies::Level;
use pdp_policies::outlives::Outlives;
use pdp_policies::release::{Artifact, Component};
use pdp_transport::archive;
use pdp_transport::cli::failure::{Result, internal};
use pdp_transport::oci::{Descriptor, Layout, MANIFEST_TYPE, Manifest};

use super::{REF_NAME, outlives};
use crate::charts::Chart;
use crate::lint::Source;
use crate::lock;
use crate::release_file::ComponentEntry;

const HELM_CONFIG: &str = "application/vnd.cncf.helm.config.v1+json";
const HELM_LAYER: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
const FLUX_CONFIG: &str = "application/vnd.cncf.flux.config.v1+json";
const FLUX_LAYER: &str = "application/vnd.cncf.flux.content.v1.tar+gzip";
/// Builds carry no time, or no two would be alike.
const CREATED: &str = "1970-01-01T00:00:00Z";

/// What was found in its files.
#[derive(Default)]
struct Found {
    image_paths: BTreeSet<String>,
    outlives: BTreeSet<Outlives>,
}

/// A packed component: its entry in the bundle, and how the release names it.
pub(super) struct Packed {
    pub(super) entry: Descriptor,
    pub(super) component: Component,
}

pub(super) fn pack(layout: &Layout, entry: &ComponentEntry, source: &Source, level: Level) -> Result<Packed> {
    let (config_type, config, layer_type, layer, found) = match &entry.chart {
        Some(named) => {
            let chart = Chart::read(source).map_err(|trouble| internal(trouble.message))?;
            // Helm wants one folder named like the chart at the top.
            let layer = archive::pack_in_folder(&named.name, source)?;
            // Helm's config is what a chart says about itself, with Helm's own types.
            let mut image_paths = lock::image_paths(&chart);
            image_paths.extend(entry.variants().iter().flat_map(lock::image_paths_of_values));
            let found = Found { image_paths, outlives: outlives::of_chart(&chart) };
            (HELM_CONFIG, chart.metadata.config(), HELM_LAYER, layer, found)
        }
        None => {
            let found = Found { outlives: outlives::of_manifests(source), ..Found::default() };
            (FLUX_CONFIG, b"{}".to_vec(), FLUX_LAYER, archive::pack(source)?, found)
        }
    };
    layout.put_blob(&config)?;
    layout.put_blob(&layer)?;
    let annotations = BTreeMap::from([
        ("org.opencontainers.image.created".to_owned(), CREATED.to_owned()),
        ("org.opencontainers.image.revision".to_owned(), entry.version.clone()),
        ("org.opencontainers.image.title".to_owned(), entry.name.to_string()),
        ("org.opencontainers.image.version".to_owned(), entry.version.clone()),
    ]);
    let manifest = Manifest {
        schema_version: 2,
        media_type: MANIFEST_TYPE.to_owned(),
        artifact_type: None,
        config: Descriptor::of(config_type, &config),
        layers: vec![Descriptor::of(layer_type, &layer)],
        subject: None,
        annotations,
    };
    let bytes = serde_json::to_vec(&manifest).map_err(internal)?;
    layout.put_blob(&bytes)?;
    let mut described = Descriptor::of(MANIFEST_TYPE, &bytes);
    described.annotations.insert(REF_NAME.to_owned(), format!("{level}-{}", entry.name));
    let (digest, size) = (described.digest, described.size);
    let artifact = match &entry.chart {
        Some(chart) => Artifact::Chart { name: chart.name.clone(), digest, size },
        None => Artifact::Manifests { digest, size },
    };
    Ok(Packed { entry: described, component: component(entry, artifact, found) })
}

fn component(entry: &ComponentEntry, artifact: Artifact, found: Found) -> Component {
    let mut images = entry.images.clone();
    images.sort();
    let each = entry.given.each.iter().filter(|(_, values)| !values.is_empty());
    let given = each.map(|(platform, values)| (*platform, values.clone()));
    Component {
        name: entry.name.clone(),
        version: entry.version.clone(),
        stage: entry.stage,
        artifact,
        release_name: entry.release_name.clone(),
        namespace: entry.namespace.clone(),
        on_failure: entry.on_failure,
        timeout: entry.timeout,
        settle: entry.settle,
        platforms: entry.platforms.clone(),
        optional: entry.optional,
        images,
        values: entry.given.all.clone(),
        platform_values: given.collect(),
        image_values: entry.carried.clone(),
        image_paths: found.image_paths.into_iter().collect(),
        outlives: found.outlives.into_iter().collect(),
    }
}
