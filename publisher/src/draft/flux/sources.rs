//! Where a HelmRelease's chart comes from.

use serde_json::Value;

use super::super::pin::digest;
use super::super::{At, From};
use super::{Key, Objects};
use crate::charts::Chart;

/// A field, and why what it says can't be taken over.
type Problem = (&'static str, String);

/// # Errors
/// As [`Problem`].
pub(super) fn of(objects: &Objects, namespace: &str, spec: &Value) -> Result<From, Problem> {
    match spec["chartRef"].as_object() {
        Some(_) => by_reference(objects, namespace, &spec["chartRef"]),
        None => by_template(objects, namespace, &spec["chart"]["spec"], "spec.chart"),
    }
}

/// The objects that say where the chart comes from, as far as they are here.
pub(super) fn keys(objects: &Objects, namespace: &str, spec: &Value) -> Vec<Key> {
    let mut found = Vec::new();
    let mut named = vec![
        (namespace.to_owned(), &spec["chartRef"]),
        (namespace.to_owned(), &spec["chart"]["spec"]["sourceRef"]),
    ];
    while let Some((namespace, reference)) = named.pop() {
        let text = |field: &str| reference[field].as_str().map(str::to_owned);
        let Some((kind, name)) = text("kind").zip(text("name")) else { continue };
        let key = (kind, text("namespace").unwrap_or(namespace), name);
        let Some(object) = objects.of(&key).filter(|_| !found.contains(&key)) else { continue };
        // A HelmChart names a source in its turn.
        named.push((key.1.clone(), &object["spec"]["sourceRef"]));
        found.push(key);
    }
    found
}

fn by_reference(objects: &Objects, namespace: &str, reference: &Value) -> Result<From, Problem> {
    let field = "spec.chartRef";
    let (kind, source) = found(objects, namespace, reference, field)?;
    let namespace = reference["namespace"].as_str().unwrap_or(namespace);
    match kind {
        "OCIRepository" => registry(&source["spec"], field),
        "HelmChart" => by_template(objects, namespace, &source["spec"], field),
        other => Err((field, format!("a chart of a {other} has no address of its own"))),
    }
}

fn by_template(
    objects: &Objects,
    namespace: &str,
    chart: &Value,
    field: &'static str,
) -> Result<From, Problem> {
    let name = chart["chart"].as_str().ok_or((field, "it names no chart".to_owned()))?;
    let version = chart["version"].as_str().unwrap_or_default().to_owned();
    let (kind, source) = found(objects, namespace, &chart["sourceRef"], field)?;
    match kind {
        "HelmRepository" => {
            let url = source["spec"]["url"].as_str().unwrap_or_default().trim_end_matches('/');
            let at = match url.starts_with("oci://") {
                true => At::Registry(format!("{url}/{name}")),
                false => At::Repository(url.to_owned()),
            };
            Ok(From::Chart { name: name.to_owned(), at, version, digest: None })
        }
        "GitRepository" => match objects.elsewhere(namespace, &chart["sourceRef"]) {
            Some(why) => Err((field, format!("{name}: {why}"))),
            None => folder(objects, name, field),
        },
        other => Err((field, format!("a chart of a {other} has no address of its own"))),
    }
}

/// The chart's files in this folder.
fn folder(objects: &Objects, path: &str, field: &'static str) -> Result<From, Problem> {
    let files = objects.under(path);
    let chart = Chart::read(&files).map_err(|trouble| {
        let why = "it lies in a Git repository, and not in this folder: put it beside the level, and write its path";
        (field, format!("{path}: {why} ({})", trouble.message))
    })?;
    let (name, version) = (chart.metadata.name.clone(), chart.metadata.version.clone());
    Ok(From::Folder { name, version, files })
}

fn registry(spec: &Value, field: &'static str) -> Result<From, Problem> {
    let url = spec["url"].as_str().unwrap_or_default();
    let name = url.rsplit('/').next().unwrap_or_default().to_owned();
    let reference = &spec["ref"];
    let text = |key: &str| reference[key].as_str().filter(|it| !it.is_empty());
    if let Some(named) = text("digest") {
        let digest = digest(named).ok_or((field, format!("`{named}` is no SHA-256 digest")))?;
        return Ok(From::Chart {
            name,
            at: At::Registry(url.to_owned()),
            version: String::new(),
            digest: Some(digest),
        });
    }
    let version = match (text("semver"), text("tag")) {
        (Some(range), _) => range.to_owned(),
        (None, Some(tag)) => tag.replace('_', "+"),
        (None, None) => return Err((field, format!("{url} is followed by `latest`: name a version"))),
    };
    Ok(From::Chart { name, at: At::Registry(url.to_owned()), version, digest: None })
}

/// The kind that is named, and the object.
fn found<'a>(
    objects: &'a Objects,
    namespace: &str,
    reference: &'a Value,
    field: &'static str,
) -> Result<(&'a str, &'a Value), Problem> {
    let kind = reference["kind"].as_str().unwrap_or_default();
    let name = reference["name"].as_str().unwrap_or_default();
    let namespace = reference["namespace"].as_str().unwrap_or(namespace);
    let object = objects.get(kind, namespace, name);
    let missing = || (field, format!("its source {kind} {namespace}/{name} isn't in these files"));
    object.map(|object| (kind, object)).ok_or_else(missing)
}
