//! A HelmRelease as a component.

use pdp_policies::Digest;
use serde_json::Value;

use super::super::{Entry, Left};
use super::{Key, Objects, TIMEOUT, Waiting, shown, sources, timeout, values};

/// Fields that change what is installed, or where, and have no place in a release.
const LEFT: [(&str, &str); 5] = [
    ("suspend", "it is suspended: a component of a level is applied"),
    ("kubeConfig", "it goes to another cluster: give that one a subscription of its own"),
    ("postRenderers", "a release has none of its own: bring it into the values, or into a chart"),
    ("serviceAccountName", "pdp-sync's subscription says on whose rights components are applied"),
    ("storageNamespace", "a component's records lie in its own namespace"),
];
/// Helm's limit.
const MAX_RELEASE_NAME: usize = 53;

pub(super) fn component(
    objects: &Objects,
    key: &Key,
    object: &Value,
    left: &mut Vec<Left>,
) -> Option<Waiting> {
    let (spec, (_, namespace, name)) = (&object["spec"], key);
    let mut tell = |field: &str, why: String| left.push(Left::new(shown(key), field, why));
    LEFT.iter()
        .filter(|(field, _)| says(&spec[*field]))
        .for_each(|(field, why)| tell(field, (*why).to_owned()));
    let origin = match sources::of(objects, namespace, spec) {
        Ok(origin) => origin,
        Err((field, why)) => {
            tell(field, why);
            return None;
        }
    };
    let target = spec["targetNamespace"].as_str().unwrap_or(namespace);
    let names = name.parse().ok().zip(release_name(spec, name).parse().ok()).zip(target.parse().ok());
    let Some(((component, release_name), target)) = names else {
        tell("", "its name, its release's or its namespace's is none that a component can have".to_owned());
        return None;
    };
    let (values, problems) = values::of(objects, namespace, spec);
    problems.into_iter().for_each(|(field, why)| tell(&field, why));
    let entry = Entry {
        name: component,
        stage: 1,
        origin,
        release_name,
        namespace: target,
        timeout: timeout(&spec["timeout"]).unwrap_or(TIMEOUT),
        values,
    };
    Some(Waiting { key: key.clone(), entry, after: after(key, spec) })
}

fn says(value: &Value) -> bool {
    !(value.is_null() || *value == false || value.as_array().is_some_and(Vec::is_empty) || *value == "")
}

/// As Flux names a release that says no name: with the namespace that it goes to, and cut with a hash.
fn release_name(spec: &Value, name: &str) -> String {
    let given = spec["releaseName"].as_str().filter(|it| !it.is_empty());
    let whole = match (given, spec["targetNamespace"].as_str().filter(|it| !it.is_empty())) {
        (Some(given), _) => given.to_owned(),
        (None, Some(target)) => format!("{target}-{name}"),
        (None, None) => name.to_owned(),
    };
    if whole.len() <= MAX_RELEASE_NAME {
        return whole;
    }
    let hash = Digest::of(whole.as_bytes()).hex();
    let cut: String = whole.chars().take(40).collect();
    format!("{cut}-{}", hash.get(..12).unwrap_or_default())
}

/// In the same namespace unless another is named.
pub(super) fn after(key: &Key, spec: &Value) -> Vec<Key> {
    let all = spec["dependsOn"].as_array().into_iter().flatten();
    let one = |it: &Value| {
        let namespace = it["namespace"].as_str().unwrap_or(&key.1).to_owned();
        Some((key.0.clone(), namespace, it["name"].as_str()?.to_owned()))
    };
    all.filter_map(one).collect()
}
