//! One component: its Flux objects and what Flux applied, beside the releases that it may be of.

use pdp_policies::decision::Inputs;
use pdp_policies::release::{Artifact, Component, Release};
use pdp_policies::{ComponentName, Digest, Level};
use serde::Serialize;
use serde_json::{Value, json};

use super::Objects;
use crate::render::{image_entry, inline_values, repository, source_name, values_from};

/// A release, and what of the subscription it was written with.
pub(super) type Side<'a> = (&'a Release, &'a Inputs);

/// What was found for one component.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Row {
    pub(super) component: ComponentName,
    pub(super) kind: &'static str,
    /// The level that its object points to.
    pub(super) level: Option<Level>,
    pub(super) digest: Option<Digest>,
    pub(super) images: usize,
    pub(super) differences: Vec<Difference>,
    /// Not written yet, and needn't be.
    pub(super) pending: bool,
}

/// Something that isn't as it was decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Difference {
    pub(super) kind: DifferenceKind,
    pub(super) detail: String,
}

/// What sort of difference it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum DifferenceKind {
    /// An object isn't there.
    Missing,
    /// Something is pinned or applied by another digest.
    Digest,
    /// Flux hasn't applied what its object says.
    NotApplied,
    /// The object says more than pdp-sync wrote.
    Edited,
}

/// Compares one component. It may be of any of `sides`; `required` says whether it must be there.
pub(super) fn compare(
    name: &ComponentName,
    sides: &[Side<'_>],
    objects: &Objects,
    required: bool,
) -> Option<Row> {
    let own = sides.iter().filter_map(|(release, inputs)| {
        let component = release.components.iter().find(|c| c.name == *name)?;
        Some((*release, component, *inputs))
    });
    let own: Vec<_> = own.collect();
    let (_, first, _) = own.first()?;
    let (kind, listed, reference) = match first.artifact {
        Artifact::Chart { .. } => ("HelmRelease", &objects.releases, "/spec/chartRef"),
        Artifact::Manifests { .. } => ("Kustomization", &objects.kustomizations, "/spec/sourceRef"),
    };
    let mut row = Row {
        component: name.clone(),
        kind,
        level: None,
        digest: None,
        images: 0,
        differences: vec![],
        pending: false,
    };
    let Some(object) = named(listed, name.as_str()) else {
        row.pending = !required;
        row.differences.extend(required.then(|| missing(format!("{kind} `{name}`"))));
        return Some(row);
    };
    let pointed = object.pointer(&format!("{reference}/name")).and_then(Value::as_str).unwrap_or_default();
    let Some((release, component, inputs)) = own.iter().find(|(_, c, _)| source_name(c) == pointed) else {
        let wanted = own.iter().map(|(_, c, _)| source_name(c)).collect::<Vec<_>>().join("` or `");
        row.differences.push(digest(format!("{kind} points to source `{pointed}`, not to `{wanted}`")));
        return Some(row);
    };
    row.level = Some(release.level);
    row.digest = Some(component.artifact.digest());
    row.images = component.images.len();
    row.differences.extend(reference_differences(object, reference));
    row.differences.extend(source(objects, release, component, inputs));
    row.differences.extend(applied(object, component));
    row.differences.extend(images(object, component, inputs));
    row.differences.extend(values(object, component, inputs));
    row.differences.extend(sources(object, component, inputs));
    row.differences.extend(edited(object));
    Some(row)
}

fn named<'a>(listed: &'a [Value], name: &str) -> Option<&'a Value> {
    listed.iter().find(|object| object["metadata"]["name"] == name)
}

/// Another kind of source, or one in another namespace, isn't the one that is compared.
fn reference_differences(object: &Value, reference: &str) -> Option<Difference> {
    let reference = object.pointer(reference)?;
    let elsewhere = reference.get("namespace").is_some_and(|n| *n != object["metadata"]["namespace"]);
    let other = reference["kind"] != "OCIRepository";
    (elsewhere || other).then(|| digest(format!("it points to another source: {reference}")))
}

/// The source is pinned by exactly the release's digest, at the right place, and holds it.
fn source(objects: &Objects, release: &Release, component: &Component, inputs: &Inputs) -> Vec<Difference> {
    let (name, wanted) = (source_name(component), component.artifact.digest());
    let Some(source) = named(&objects.sources, &name) else {
        return vec![missing(format!("OCIRepository `{name}`"))];
    };
    let mut found = Vec::new();
    if source["spec"]["ref"] != json!({ "digest": wanted }) {
        found.push(digest(format!(
            "OCIRepository `{name}` is pinned by {}, not by {wanted}",
            source["spec"]["ref"]
        )));
    }
    let url = format!("oci://{}", repository(release, inputs));
    if source["spec"]["url"] != url.as_str() {
        found.push(edit(format!(
            "OCIRepository `{name}` fetches from {}, not from {url}",
            source["spec"]["url"]
        )));
    }
    match source.pointer("/status/artifact/revision").and_then(Value::as_str) {
        None => found.push(not_applied(format!("OCIRepository `{name}` holds nothing yet"))),
        Some(revision) if !names(revision, wanted) => {
            found.push(digest(format!("OCIRepository `{name}` holds {revision}, not {wanted}")));
        }
        Some(_) => {}
    }
    found
}

/// What Flux says that it applied last is the release's artifact.
fn applied(object: &Value, component: &Component) -> Vec<Difference> {
    let fields: &[&str] = match component.artifact {
        Artifact::Chart { .. } => &["/status/lastAttemptedRevisionDigest", "/status/history/0/ociDigest"],
        Artifact::Manifests { .. } => &["/status/lastAppliedRevision"],
    };
    let wanted = component.artifact.digest();
    let one = |field: &&str| match object.pointer(field).and_then(Value::as_str) {
        Some(revision) if names(revision, wanted) => None,
        Some(other) => Some(not_applied(format!(
            "{} is {other}, not {wanted}",
            field.trim_start_matches('/').replace('/', ".")
        ))),
        None => {
            Some(not_applied(format!("{} isn't there yet", field.trim_start_matches('/').replace('/', "."))))
        }
    };
    fields.iter().filter_map(one).collect()
}

/// Every image of the release is pinned by its digest, and nothing else is rewritten.
fn images(object: &Value, component: &Component, inputs: &Inputs) -> Vec<Difference> {
    let listed = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let entries: Vec<Value> = match component.artifact {
        Artifact::Chart { .. } => {
            let renderers = listed(&object["spec"]["postRenderers"]);
            renderers.iter().flat_map(|one| listed(&one["kustomize"]["images"])).collect()
        }
        Artifact::Manifests { .. } => listed(&object["spec"]["images"]),
    };
    let mut found = Vec::new();
    for image in component.rewritten() {
        let wanted = image_entry(component, image, inputs);
        let here: Vec<_> = entries.iter().filter(|entry| entry["name"] == wanted["name"]).collect();
        match here.as_slice() {
            [] => found.push(digest(format!("image {} isn't pinned", image.name))),
            all if all.iter().any(|entry| **entry != wanted) => {
                found.push(digest(format!("image {} is pinned as {}, not as {wanted}", image.name, all[0])));
            }
            _ => {}
        }
    }
    let known = |entry: &&Value| {
        component.images.iter().any(|image| entry["name"] == image_entry(component, image, inputs)["name"])
    };
    let foreign = entries.iter().filter(|entry| !known(entry));
    found.extend(foreign.map(|entry| digest(format!("image {} isn't in the release", entry["name"]))));
    found
}

/// Inline values come after the customer's: they are those of the release, or there are none.
fn values(object: &Value, component: &Component, inputs: &Inputs) -> Option<Difference> {
    let (here, wanted) = (&object["spec"]["values"], inline_values(component, inputs).unwrap_or_default());
    let none = |value: &Value| value.as_object().is_none_or(serde_json::Map::is_empty);
    let differ = here.as_object() != Some(&wanted) && !(none(here) && wanted.is_empty());
    differ.then(|| edit("spec.values isn't what the release says".to_owned()))
}

/// The release's own values come first, and nobody else's are among them.
fn sources(object: &Value, component: &Component, inputs: &Inputs) -> Option<Difference> {
    let wanted = values_from(component, inputs);
    let chart = matches!(component.artifact, Artifact::Chart { .. });
    let differ = chart && object["spec"]["valuesFrom"].as_array() != Some(&wanted);
    differ.then(|| edit("spec.valuesFrom isn't what was decided".to_owned()))
}

/// Patches could put any image back in.
fn edited(object: &Value) -> Option<Difference> {
    let renderers = object["spec"]["postRenderers"].as_array().cloned().unwrap_or_default();
    let in_renderers = renderers.iter().any(|one| !one["kustomize"]["patches"].is_null());
    let patched =
        in_renderers || !object["spec"]["patches"].is_null() || !object["spec"]["postBuild"].is_null();
    patched.then(|| edit("it is patched after rendering, which pdp-sync never writes".to_owned()))
}

/// True if a revision (`sha256:...` or `tag@sha256:...`) is exactly this digest.
fn names(revision: &str, digest: Digest) -> bool {
    revision.rsplit('@').next().and_then(|last| last.parse::<Digest>().ok()) == Some(digest)
}

fn missing(detail: String) -> Difference {
    Difference { kind: DifferenceKind::Missing, detail: format!("{detail} isn't there, or lacks the label") }
}

fn digest(detail: String) -> Difference {
    Difference { kind: DifferenceKind::Digest, detail }
}

fn not_applied(detail: String) -> Difference {
    Difference { kind: DifferenceKind::NotApplied, detail }
}

fn edit(detail: String) -> Difference {
    Difference { kind: DifferenceKind::Edited, detail }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use crate::kubectl::testing::{flux_objects, record};

    fn compared(change: impl FnOnce(&mut Objects)) -> Vec<Difference> {
        let record = record("done");
        let mut objects = objects();
        change(&mut objects);
        let sides = [(record.target(), record.inputs())];
        ["cilium", "pdp-agent"]
            .iter()
            .flat_map(|name| compare(&name.parse().unwrap(), &sides, &objects, true).unwrap().differences)
            .collect()
    }

    fn objects() -> Objects {
        let (sources, releases, kustomizations) = flux_objects(41);
        Objects { sources, releases, kustomizations }
    }

    #[test]
    fn as_decided_nothing_differs() {
        assert_eq!(compared(|_| {}), []);
    }

    #[test]
    fn each_way_to_run_something_else_is_found() {
        use DifferenceKind as K;
        type Change = fn(&mut Objects);
        let other = || Value::from(format!("sha256:{}", "0".repeat(64)));
        let cases: &[(&str, Change, K, &str)] = &[
            ("release gone", |o| o.releases.clear(), K::Missing, "HelmRelease `cilium`"),
            ("source gone", |o| o.sources.clear(), K::Missing, "OCIRepository `cilium-"),
            ("by tag", |o| o.sources[0]["spec"]["ref"]["tag"] = "latest".into(), K::Digest, "is pinned by"),
            (
                "elsewhere",
                |o| o.sources[0]["spec"]["url"] = "oci://evil.example/x".into(),
                K::Edited,
                "fetches from",
            ),
            ("empty", |o| o.sources[0]["status"] = Value::Null, K::NotApplied, "holds nothing yet"),
            (
                "another source",
                |o| o.releases[0]["spec"]["chartRef"]["name"] = "mine".into(),
                K::Digest,
                "points to source `mine`",
            ),
            (
                "another namespace",
                |o| o.releases[0]["spec"]["chartRef"]["namespace"] = "x".into(),
                K::Digest,
                "another source",
            ),
            (
                "image by tag",
                |o| {
                    o.releases[0]["spec"]["postRenderers"][0]["kustomize"]["images"][0]["newTag"] =
                        "v1".into()
                },
                K::Digest,
                "is pinned as",
            ),
            (
                "image not pinned",
                |o| o.kustomizations[0]["spec"]["images"] = json!([]),
                K::Digest,
                "isn't pinned",
            ),
            (
                "foreign image",
                |o| {
                    o.kustomizations[0]["spec"]["images"] =
                        json!([{ "name": "evil.example/x", "newTag": "1" }])
                },
                K::Digest,
                "isn't in the release",
            ),
            (
                "values",
                |o| o.releases[0]["spec"]["values"] = json!({ "a": 1 }),
                K::Edited,
                "spec.values isn't",
            ),
            (
                "others' values",
                |o| o.releases[0]["spec"]["valuesFrom"] = json!([{ "kind": "ConfigMap", "name": "mine" }]),
                K::Edited,
                "spec.valuesFrom isn't",
            ),
            ("patched", |o| o.kustomizations[0]["spec"]["patches"] = json!([{}]), K::Edited, "patched"),
            ("never attempted", |o| o.releases[0]["status"] = json!({}), K::NotApplied, "isn't there yet"),
        ];
        for (name, change, kind, words) in cases {
            let found = compared(change);
            assert!(found.iter().any(|d| d.kind == *kind && d.detail.contains(words)), "{name}: {found:?}");
        }
        for (field, words) in [
            ("lastAttemptedRevisionDigest", "lastAttemptedRevisionDigest is"),
            ("history", "history.0.ociDigest"),
        ] {
            let found = compared(|o| match field {
                "history" => o.releases[0]["status"]["history"][0]["ociDigest"] = other(),
                _ => o.releases[0]["status"][field] = other(),
            });
            assert!(
                found.iter().any(|d| d.kind == K::NotApplied && d.detail.contains(words)),
                "{field}: {found:?}"
            );
        }
        let held = compared(|o| o.sources[0]["status"]["artifact"]["revision"] = other());
        assert!(
            held.iter().any(|d| d.kind == K::Digest && d.detail.contains("holds sha256:000")),
            "{held:?}"
        );
    }

    #[test]
    fn a_component_of_the_last_good_level_counts_while_going_there() {
        let record = record("applying");
        let sides = [(record.target(), record.inputs()), (record.last_good().unwrap(), record.inputs())];
        let objects = objects();
        let row = compare(&"cilium".parse().unwrap(), &sides, &objects, true).unwrap();
        assert_eq!((row.level, row.differences), (Some(Level(41)), vec![]));
    }

    #[test]
    fn what_needn_t_be_there_yet_is_pending() {
        let record = record("done");
        let row = compare(
            &"cilium".parse().unwrap(),
            &[(record.target(), record.inputs())],
            &Objects::default(),
            false,
        );
        let row = row.unwrap();
        assert!(row.pending && row.differences.is_empty());
    }

    #[test]
    fn a_revision_is_exactly_a_digest() {
        let digest = Digest::of(b"x");
        assert!(names(&digest.to_string(), digest) && names(&format!("1.2@{digest}"), digest));
        assert!(!names(&format!("{digest}0"), digest) && !names("latest", digest));
    }
}
