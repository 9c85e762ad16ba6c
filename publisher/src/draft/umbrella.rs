//! What an umbrella chart installs, as a draft: each dependency is a component. Pure.

use pdp_policies::values::over;
use pdp_policies::version_range::version;
use pdp_policies::{ComponentName, KubernetesName, Span, VersionRange, helm_yaml};
use serde_json::{Map, Value, json};

use super::{At, Draft, Entry, From, Left};
use crate::charts::{Chart, Dependency, Trouble};
use crate::lint::Source;

/// How long Helm waits where nothing is said.
const TIMEOUT: Span = Span::from_seconds(300);

/// `files` are those of the umbrella; `given` are values as it is installed with.
///
/// # Errors
/// What Helm refuses; `BadValues`.
pub(crate) fn drafted(
    files: &Source,
    given: Map<String, Value>,
    namespace: &KubernetesName,
) -> Result<Draft, Trouble> {
    let chart = Chart::read(files)?;
    let text = String::from_utf8_lossy(chart.file("values.yaml").unwrap_or_default()).into_owned();
    let own = helm_yaml::values_file(&text)
        .map_err(|problem| Trouble::new("values.yaml", "BadValues", problem.to_string(), "correct it"))?;
    let values = over(own, given);
    let mut draft = Draft::default();
    for dependency in &chart.metadata.dependencies {
        let shown = format!("dependency {}", dependency.key());
        match component(&chart, dependency, &values, namespace) {
            Ok(entry) => draft.components.push(entry),
            Err((field, why)) => draft.left.push(Left::new(shown.clone(), field, why)),
        }
        if dependency.config()["import-values"].is_array() {
            let why =
                "values go from the parent to a component, never back: write them where they are needed";
            draft.left.push(Left::new(shown, "import-values", why));
        }
    }
    draft.left.extend(of_its_own(&chart, files, &values));
    draft.components.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(draft)
}

/// What the umbrella installs beside its dependencies, and values that none of them gets.
fn of_its_own(chart: &Chart, files: &Source, values: &Map<String, Value>) -> Vec<Left> {
    let name = chart.metadata.name.as_str();
    let mut left = Vec::new();
    for (folder, why) in [
        ("templates/", "the umbrella's own: make a chart of them, and a component of that"),
        (
            "crds/",
            "the umbrella's own definitions: make a chart of them, and a component of that, in an early stage",
        ),
    ] {
        if files.iter().any(|(path, _)| path.starts_with(folder) && !path.ends_with("NOTES.txt")) {
            left.push(Left::new(name, folder.trim_end_matches('/'), why));
        }
    }
    let all = &chart.metadata.dependencies;
    let unlisted = |inner: &&Chart| !all.iter().any(|it| it.name == inner.metadata.name);
    for inner in chart.subcharts.iter().filter(unlisted) {
        let why =
            "it lies in charts/ and is no dependency: Helm installs it all the same; make a component of it";
        left.push(Left::new(format!("charts/{}", inner.metadata.name), "", why));
    }
    let goes = |key: &str| {
        key == "global" || key == "tags" || all.iter().any(|it| it.key() == key || switches(it, key))
    };
    for key in values.keys().filter(|key| !goes(key)) {
        let why = "no dependency gets it: the umbrella's own templates read it, or nobody does";
        left.push(Left::new(name, &format!("values.{}", pdp_policies::printable(key)), why));
    }
    left
}

/// A value by which a dependency is switched on or off.
fn switches(dependency: &Dependency, key: &str) -> bool {
    let conditions = dependency.config()["condition"].as_str().unwrap_or_default().split(',');
    conditions.map(str::trim).any(|path| path.split('.').next() == Some(key))
}

fn component(
    chart: &Chart,
    dependency: &Dependency,
    values: &Map<String, Value>,
    namespace: &KubernetesName,
) -> Result<Entry, (&'static str, String)> {
    if let Some(off) = switched_off(dependency, values) {
        return Err(off);
    }
    let key = dependency.key().to_lowercase();
    let bad = || ("name", format!("`{key}` is no name of a component"));
    let name: ComponentName = key.parse().map_err(|_| bad())?;
    let release_name = key.parse().map_err(|_| bad())?;
    Ok(Entry {
        name,
        stage: 1,
        origin: origin(chart, dependency)?,
        release_name,
        namespace: namespace.clone(),
        timeout: TIMEOUT,
        values: own_values(dependency, values),
    })
}

/// Its own, with what is global.
fn own_values(dependency: &Dependency, values: &Map<String, Value>) -> Map<String, Value> {
    let table = |value: Option<&Value>| value.and_then(Value::as_object).cloned().unwrap_or_default();
    let mut own = table(values.get(dependency.key()));
    let global = table(values.get("global"));
    if !global.is_empty() {
        let below = table(own.get("global"));
        own.insert("global".to_owned(), json!(over(below, global)));
    }
    own
}

/// The first condition that is a boolean decides, else its tags, as in Helm.
fn switched_off(dependency: &Dependency, values: &Map<String, Value>) -> Option<(&'static str, String)> {
    let config = dependency.config();
    let conditions = config["condition"].as_str().unwrap_or_default().split(',').map(str::trim);
    let found = conditions.filter(|it| !it.is_empty()).find_map(|path| {
        let pointer = format!("/{}", path.replace('.', "/"));
        let value = json!(values).pointer(&pointer).and_then(Value::as_bool)?;
        Some((path.to_owned(), value))
    });
    match found {
        Some((path, false)) => Some(("condition", format!("it is off (`{path}: false`)"))),
        Some((_, true)) => None,
        None => {
            let tags: Vec<_> =
                config["tags"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            let of = |tag: &&str| values.get("tags").and_then(|all| all[*tag].as_bool());
            let off = tags.iter().filter_map(of).any(|on| !on) && !tags.iter().filter_map(of).any(|on| on);
            off.then(|| ("tags", format!("it is off (`{}`)", tags.join(", "))))
        }
    }
}

/// What is packed into the umbrella wins: that is what was installed.
fn origin(chart: &Chart, dependency: &Dependency) -> Result<From, (&'static str, String)> {
    let repository = dependency.config()["repository"].as_str().unwrap_or_default().trim_end_matches('/');
    let (name, version) = (dependency.name.clone(), dependency.version.clone());
    let at = match repository {
        url if url.starts_with("oci://") => At::Registry(format!("{url}/{name}")),
        url if url.starts_with("https://") || url.starts_with("http://") => At::Repository(url.to_owned()),
        other => {
            let inner = packed(chart, dependency);
            let why = format!(
                "`{other}` is no address, and charts/ doesn't hold it: put it there, or name its repository"
            );
            let inner = inner.ok_or(("repository", why))?;
            return Ok(From::Folder { name, version: inner.metadata.version.clone(), files: inner.files() });
        }
    };
    let version = packed(chart, dependency).map_or(version, |inner| inner.metadata.version.clone());
    Ok(From::Chart { name, at, version, digest: None })
}

/// Of two that lie there under one name, the one of the version that is asked for.
fn packed<'a>(chart: &'a Chart, dependency: &Dependency) -> Option<&'a Chart> {
    let named = || chart.subcharts.iter().filter(|it| it.metadata.name == dependency.name);
    let range: Option<VersionRange> = dependency.version.parse().ok();
    let asked = |it: &&Chart| {
        let own = version(&it.metadata.version);
        range.as_ref().zip(own).is_some_and(|(range, own)| range.takes(&own))
    };
    named().find(asked).or_else(|| named().next())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    const CHART: &str = "apiVersion: v2\nname: pdp\nversion: 1.0.0\ndependencies:\n\
        - {name: redis, version: ^18, repository: 'https://charts.example/'}\n\
        - {name: podinfo, alias: front, version: 6.x, repository: 'oci://h.example/charts', condition: 'front.enabled,all.on'}\n\
        - {name: idle, version: 1.0.0, repository: 'https://charts.example', condition: idle.enabled}\n\
        - {name: tagged, version: 1.0.0, repository: 'https://charts.example', tags: [extra]}\n\
        - {name: inner, version: 0.1.0, repository: 'file://../inner', import-values: [data]}\n\
        - {name: lost, version: 0.1.0, repository: '@somewhere'}\n";
    const VALUES: &str = "global: {domain: x}\nredis: {replicas: 1, global: {own: true}}\nfront: {enabled: true}\nidle: {enabled: false}\ntags: {extra: false}\n";

    fn umbrella(given: Value) -> Draft {
        let files = [
            ("Chart.yaml", CHART),
            ("values.yaml", VALUES),
            ("templates/x.yaml", "a: b"),
            ("charts/inner/Chart.yaml", "{apiVersion: v2, name: inner, version: 0.1.3}"),
        ];
        let files = files.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec())).into();
        drafted(&files, given.as_object().cloned().unwrap_or_default(), &"pdp".parse().unwrap()).unwrap()
    }

    #[test]
    fn each_dependency_is_a_component_with_its_own_values() {
        let found = umbrella(json!({ "redis": { "replicas": 2 } }));
        let names: Vec<_> = found.components.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["front", "inner", "redis"]);
        let [front, inner, redis] = &found.components[..] else { panic!("{names:?}") };
        assert_eq!(json!(redis.values), json!({ "replicas": 2, "global": { "own": true, "domain": "x" } }));
        let at = At::Repository("https://charts.example".into());
        assert_eq!(
            redis.origin,
            From::Chart { name: "redis".into(), at, version: "^18".into(), digest: None }
        );
        let at = At::Registry("oci://h.example/charts/podinfo".into());
        assert_eq!(
            front.origin,
            From::Chart { name: "podinfo".into(), at, version: "6.x".into(), digest: None }
        );
        assert_eq!(front.release_name.as_str(), "front");
        assert!(matches!(&inner.origin, From::Folder { version, .. } if version == "0.1.3"));
        let told: Vec<_> = found.left.iter().map(|it| format!("{} {}", it.object, it.field)).collect();
        assert_eq!(
            told,
            [
                "dependency idle condition",
                "dependency tagged tags",
                "dependency inner import-values",
                "dependency lost repository",
                "pdp templates",
            ]
        );
    }

    #[test]
    fn what_the_umbrella_has_of_its_own_is_told() {
        let files = [
            (
                "Chart.yaml",
                "{apiVersion: v2, name: pdp, version: 1.0.0, dependencies: [{name: a, version: ^2, condition: 'useA'}, {name: a, alias: old, version: ^1}]}",
            ),
            ("values.yaml", "{useA: true, a: {x: 1}, ingress: {host: y}, global: {z: 1}, tags: {t: true}}"),
            ("templates/NOTES.txt", "hello"),
            ("crds/a.yaml", "a: b"),
            ("charts/a-1/Chart.yaml", "{apiVersion: v2, name: a, version: 1.2.0}"),
            ("charts/a-2/Chart.yaml", "{apiVersion: v2, name: a, version: 2.3.0}"),
            ("charts/extra/Chart.yaml", "{apiVersion: v2, name: extra, version: 0.1.0}"),
        ];
        let files = files.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec())).into();
        let found = drafted(&files, Map::new(), &"pdp".parse().unwrap()).unwrap();
        let told: Vec<_> = found.left.iter().map(|it| format!("{} {}", it.object, it.field)).collect();
        assert_eq!(told, ["pdp crds", "charts/extra ", "pdp values.ingress"]);
        let versions: Vec<_> = found
            .components
            .iter()
            .map(|it| match &it.origin {
                From::Folder { version, .. } => (it.name.as_str(), version.as_str()),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(versions, [("a", "2.3.0"), ("old", "1.2.0")]);
    }

    #[test]
    fn what_is_switched_on_by_whoever_installs_it_counts() {
        for (given, on) in [
            (json!({ "idle": { "enabled": true } }), "idle"),
            (json!({ "tags": { "extra": true } }), "tagged"),
            (json!({ "front": { "enabled": null }, "all": { "on": true } }), "front"),
        ] {
            assert!(umbrella(given).components.iter().any(|it| it.name.as_str() == on), "{on}");
        }
        assert!(
            !umbrella(json!({ "front": { "enabled": false } }))
                .components
                .iter()
                .any(|it| it.name.as_str() == "front")
        );
    }
}
