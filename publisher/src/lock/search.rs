//! Everything that one component can make a cluster fetch: rendered for each cluster, and read in its values.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use pdp_policies::image_values::{ImageValues, filled};
use pdp_policies::release_values;
use pdp_policies::values::merged;
use pdp_policies::{ComponentName, Digest};
use pdp_transport::cli::failure::{Failure, Result, internal};
use serde_json::{Map, Value};

use super::carried::{carried, digest, named};
use super::helm::{Helm, Rendering};
use super::reference::Reference;
use super::rendered::{self, Seen};
use super::{in_values, inputs, record, refused, yaml};
use crate::kustomize;
use crate::lint::{Brought, Source, brought, seen, unknown_fields};
use crate::release_file::{ComponentEntry, Rendered};

/// What charts are rendered for if the release says nothing: the oldest and the newest supported Kubernetes, and the
/// suffixes of the large vendors, on which charts decide.
const KUBERNETES: [&str; 4] = ["v1.33.4", "v1.34.1-gke.1829001", "v1.34.1-eks-113cf36", "v1.36.0"];
/// A mirror that no chart can know.
const MIRROR: &str = "mirror.invalid/mirrored";

/// What was found in one component.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) name: ComponentName,
    pub(crate) inputs: Digest,
    pub(crate) seen: Vec<Seen>,
    /// Of values, switched on or off.
    pub(crate) values: BTreeSet<Reference>,
    /// Helm's words if the chart needs values, and there are samples.
    pub(crate) needs_values: Option<String>,
    /// The digests of the images that values carry, by the image as release.yaml writes it.
    pub(crate) image_values: BTreeMap<String, Digest>,
    /// Images that would be pulled from their makers also where there is a mirror.
    pub(crate) unmirrored: BTreeSet<Reference>,
    /// Namespaces and definitions of kinds.
    pub(crate) brought: Vec<Brought>,
}

/// What Helm makes of a chart.
#[derive(Debug, Default)]
struct Manifests {
    objects: Vec<Value>,
    /// Those for a Kubernetes whose fields are known.
    known: Vec<Value>,
    /// What patches make of manifests: lists are merged by guess there, so only images are looked for.
    patched: Vec<Value>,
    needs_values: Option<String>,
}

impl Found {
    /// What stands in manifests: it has to exist.
    pub(crate) fn rendered(&self) -> impl Iterator<Item = &Reference> {
        self.seen.iter().map(|seen| &seen.image)
    }

    /// All of it.
    pub(crate) fn images(&self) -> impl Iterator<Item = &Reference> {
        self.rendered().chain(&self.values)
    }
}

/// The Kubernetes versions to render for.
pub(crate) fn kubernetes(rendered: &Rendered) -> BTreeSet<String> {
    match rendered.kubernetes.is_empty() {
        true => KUBERNETES.map(str::to_owned).into(),
        false => rendered.kubernetes.clone(),
    }
}

/// What is searched: one component as it was read, with the digests of the images that its values carry.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Search<'a> {
    pub(crate) component: &'a ComponentEntry,
    pub(crate) source: &'a Source,
    pub(crate) samples: &'a [String],
    pub(crate) rendered: &'a Rendered,
    pub(crate) digests: &'a BTreeMap<String, Digest>,
    /// True if the release is for a Kubernetes whose fields are known.
    pub(crate) judges_fields: bool,
}

/// # Errors
/// `ChartRefused` and its like, `BadImage`, `HiddenList`, `LabelRefused`, `RepeatedKey`, `UnknownField`, `FluxObject`, `RecordTooLarge`,
/// `UnreadableYaml`.
pub(crate) async fn find(helm: &Helm, search: Search<'_>) -> Result<Found> {
    let Search { component, source, samples, rendered, digests, .. } = search;
    let inputs = inputs::of(component, source, samples, rendered);
    let carried = carried(component, digests);
    let Manifests { objects, known, patched, needs_values } = match &component.chart {
        Some(_) => render_all(helm, search, inputs, filled(&carried, str::to_owned)).await?,
        None => of_manifests(source)?,
    };
    let (found, bad) = images(&objects, &patched);
    if !bad.is_empty() {
        return Err(Failure::new("BadImage", "an image that is none")
            .cause(bad.join("\n"))
            .hint("a cluster would refuse it, too: name the image in `values` of the component, or correct the chart"));
    }
    refused::check(&objects, &known)?;
    let values = match &component.chart {
        Some(_) => in_all_values(&seen::of(component, source), &component.variants(), &found)?,
        None => BTreeSet::new(),
    };
    let unmirrored = unmirrored(helm, search, inputs, &carried, &found).await?;
    let image_values = named(component)
        .iter()
        .filter_map(|image| Some((image.to_string(), digest(image, digests)?)))
        .collect();
    let brought = brought::rendered(component, &objects);
    let name = component.name.clone();
    Ok(Found { name, inputs, seen: found, values, needs_values, image_values, unmirrored, brought })
}

/// What stands where no post-renderer comes, and doesn't follow to a mirror.
async fn unmirrored(
    helm: &Helm,
    search: Search<'_>,
    inputs: Digest,
    carried: &[ImageValues],
    seen: &[Seen],
) -> Result<BTreeSet<Reference>> {
    let here = out_of_reach(seen);
    if carried.is_empty() || here.is_empty() {
        return Ok(here);
    }
    let moved = |name: &str| format!("{MIRROR}/{}", name.split_once('/').unwrap_or_default().1);
    let there = render_all(helm, search, inputs, filled(carried, moved)).await?;
    let there = out_of_reach(&rendered::images(&there.objects).0);
    // By their digests: of an image that follows in part, name and host don't say which one it was.
    let digests = |moved: bool| -> BTreeSet<_> {
        let those = there.iter().filter(|image| image.name.starts_with(MIRROR) == moved);
        those.map(|image| image.digest).collect()
    };
    let (moved, left) = (digests(true), digests(false));
    Ok(here.into_iter().filter(|one| left.contains(&one.digest) || !moved.contains(&one.digest)).collect())
}

/// What no post-renderer reaches.
fn out_of_reach(seen: &[Seen]) -> BTreeSet<Reference> {
    seen.iter().filter(|seen| !seen.place.is_reached()).map(|seen| seen.image.clone()).collect()
}

/// For every Kubernetes version, with every sample, as at an installation and as at an upgrade; `last` are values that
/// no others come after.
async fn render_all(
    helm: &Helm,
    search: Search<'_>,
    inputs: Digest,
    last: Map<String, Value>,
) -> Result<Manifests> {
    let Search { component, source, samples, rendered, judges_fields, .. } = search;
    let folder = tempfile::tempdir().map_err(internal)?;
    let chart = folder.path().join("chart");
    unpack(&chart, source, inputs)?;
    let mut all = Manifests::default();
    for Files { values, bare } in &written(folder.path(), &component.variants(), samples, last)? {
        for kubernetes in &kubernetes(rendered) {
            for upgrade in [false, true] {
                let of = Rendering {
                    chart: &chart,
                    release_name: component.release_name.as_str(),
                    namespace: component.namespace.as_str(),
                    kubernetes,
                    api_versions: &rendered.api_versions,
                    values,
                    upgrade,
                };
                match helm.render(&of).await {
                    Ok(text) => {
                        record::check(source, &text)?;
                        let objects = read("what Helm prints", &text)?;
                        if judges_fields && unknown_fields::knows(kubernetes) {
                            all.known.extend(objects.iter().cloned());
                        }
                        all.objects.extend(objects);
                    }
                    // Some charts can't do without values; samples are there to give them.
                    Err(refused) if refused.code == "ChartRefused" && *bare && !samples.is_empty() => {
                        all.needs_values = refused.cause;
                    }
                    Err(failure) => return Err(failure.within(&format!("for Kubernetes {kubernetes}"))),
                }
            }
        }
    }
    Ok(all)
}

/// Files of values for one rendering; the last one wins.
struct Files {
    values: Vec<PathBuf>,
    /// True if there is no sample among them.
    bare: bool,
}

/// For each of the release's own values: no sample, then each alone; the last values after each.
fn written(
    folder: &Path,
    variants: &[Map<String, Value>],
    samples: &[String],
    last: Map<String, Value>,
) -> Result<Vec<Files>> {
    let write = |name: String, text: &str| -> Result<PathBuf> {
        let path = folder.join(name);
        std::fs::write(&path, text).map_err(internal)?;
        Ok(path)
    };
    let file = |name: String, values: &Map<String, Value>| -> Result<Option<PathBuf>> {
        (!values.is_empty()).then(|| write(name, &release_values::text(values))).transpose()
    };
    let last = file("last.yaml".to_owned(), &last)?;
    let written: Result<Vec<_>> =
        samples.iter().enumerate().map(|(n, sample)| write(format!("sample-{n}.yaml"), sample)).collect();
    let samples: Vec<_> = std::iter::once(None).chain(written?.into_iter().map(Some)).collect();
    let mut all = Vec::new();
    for (number, variant) in variants.iter().enumerate() {
        let first = file(format!("release-{number}.yaml"), variant)?;
        all.extend(samples.iter().map(|sample| Files {
            values: [&first, sample, &last].into_iter().flatten().cloned().collect(),
            bare: sample.is_none(),
        }));
    }
    Ok(all)
}

/// The chart as Helm finds it in a data plane: with the version that Flux makes of it and of the artifact's digest. Where
/// that isn't known yet, another digest has the same form.
pub(crate) fn unpack(folder: &Path, source: &Source, digest: Digest) -> Result<()> {
    for (path, bytes) in source {
        let file = folder.join(path);
        std::fs::create_dir_all(file.parent().unwrap_or(folder)).map_err(internal)?;
        let chart = (path == "Chart.yaml").then(|| versioned(bytes, digest)).transpose()?;
        std::fs::write(&file, chart.as_deref().unwrap_or(bytes)).map_err(internal)?;
    }
    Ok(())
}

/// `1.0.0+<12 hex>`.
fn versioned(chart: &[u8], digest: Digest) -> Result<Vec<u8>> {
    let mut chart =
        read("Chart.yaml", &String::from_utf8_lossy(chart))?.into_iter().next().unwrap_or_default();
    let version = chart["version"].as_str().unwrap_or_default();
    let plain = version.split('+').next().unwrap_or_default();
    chart["version"] = format!("{plain}+{}", digest.short()).into();
    serde_json::to_vec(&chart).map_err(internal)
}

fn of_manifests(source: &Source) -> Result<Manifests> {
    let objects = manifests(&kustomize::build(source).documents)?;
    let patched = kustomize::applied(source).objects.into_iter().map(|(_, object)| object).collect();
    Ok(Manifests { objects, patched, ..Manifests::default() })
}

/// Those of both, once each.
fn images(objects: &[Value], patched: &[Value]) -> (Vec<Seen>, Vec<String>) {
    let ((mut seen, mut bad), more) = (rendered::images(objects), rendered::images(patched));
    seen.extend(more.0);
    bad.extend(more.1);
    (BTreeSet::from_iter(seen).into_iter().collect(), BTreeSet::from_iter(bad).into_iter().collect())
}

/// Every YAML file of a folder of manifests.
fn manifests(source: &Source) -> Result<Vec<Value>> {
    let mut objects = Vec::new();
    for (path, bytes) in source.iter().filter(|(path, _)| path.ends_with(".yaml") || path.ends_with(".yml")) {
        objects.extend(read(path, &String::from_utf8_lossy(bytes))?);
    }
    Ok(objects)
}

/// Of the chart with the release's own values, and of its subcharts, each with its own `appVersion`.
fn in_all_values(
    source: &Source,
    variants: &[Map<String, Value>],
    seen: &[Seen],
) -> Result<BTreeSet<Reference>> {
    let rendered: BTreeSet<_> = seen.iter().map(|seen| seen.image.full_name()).collect();
    let mut found = BTreeSet::new();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    for (path, bytes) in source.iter().filter(|(path, _)| is_values(path)) {
        let folder = path.strip_suffix("values.yaml").unwrap_or_default();
        let chart = source.iter().find(|(other, _)| *other == format!("{folder}Chart.yaml"));
        let Some((_, chart)) = chart else { continue };
        let chart = read("Chart.yaml", &text(chart))?.into_iter().next().unwrap_or_default();
        let version = match &chart["appVersion"] {
            Value::String(version) => Some(version.clone()),
            Value::Number(version) => Some(version.to_string()),
            _ => None,
        };
        let values = yaml::values(&text(bytes)).map_err(|cause| unreadable(path, cause))?;
        found.extend(in_values::images(&values, version.as_deref(), &rendered));
        let Value::Object(defaults) = values else { continue };
        for variant in variants.iter().filter(|_| path == "values.yaml") {
            let values = merged(defaults.clone(), [variant.clone()]);
            found.extend(in_values::images(&Value::Object(values), version.as_deref(), &rendered));
        }
    }
    Ok(found)
}

fn is_values(path: &str) -> bool {
    path == "values.yaml" || path.starts_with("charts/") && path.ends_with("/values.yaml")
}

fn read(what: &str, text: &str) -> Result<Vec<Value>> {
    yaml::documents(text).map_err(|cause| unreadable(what, cause))
}

fn unreadable(what: &str, cause: String) -> Failure {
    Failure::new("UnreadableYaml", what.to_owned()).cause(cause)
}
