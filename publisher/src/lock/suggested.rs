//! Which values seem to lead to an image, as an entry of `imageValues` to start from. Pure; rendering proves it or not.

use serde_json::{Map, Value, json};

use super::reference::Reference;
use super::rendered::is_image_name;
use super::yaml;
use crate::charts::Chart;

/// The values that would carry the image, none if no place of the chart's values names it.
pub(crate) fn suggested(chart: &Chart, image: &Reference) -> Option<Value> {
    let text = chart.file("values.yaml").map(String::from_utf8_lossy).unwrap_or_default();
    let own = yaml::values(&text).ok().and_then(|values| place(&values, image));
    let inner = || {
        chart.subcharts.iter().find_map(|subchart| {
            let values = suggested(subchart, image)?;
            let key = super::image_paths::keys(chart, &subchart.metadata.name).first().copied()?.to_owned();
            Some(json!({ key: values }))
        })
    };
    own.or_else(inner)
}

fn place(values: &Value, image: &Reference) -> Option<Value> {
    values.as_object()?.iter().find_map(|(key, value)| {
        let carried = match value {
            Value::String(text) if is_image_name(key) => whole(text, image),
            Value::Object(map) => parts(map, image).or_else(|| place(value, image)),
            _ => None,
        };
        Some(json!({ key: carried? }))
    })
}

/// `image: host/path:tag`.
fn whole(text: &str, image: &Reference) -> Option<Value> {
    let same = Reference::parse(text).is_some_and(|found| found.full_name() == image.full_name());
    same.then(|| format!("{{name}}{}@{{digest}}", tagged(":", image)).into())
}

/// `{registry, repository, tag, digest}`, of which a chart has some.
fn parts(map: &Map<String, Value>, image: &Reference) -> Option<Value> {
    let text = |key: &str| map.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let registry = text("registry");
    match text("repository") {
        Some(path) => {
            let name = registry.map_or_else(|| path.to_owned(), |registry| format!("{registry}/{path}"));
            Reference::parse(&name).filter(|found| found.full_name() == image.full_name())?;
        }
        // A whole name may be given, else it is made of parts from elsewhere and of this one.
        None => {
            let last = image.name.rsplit('/').next();
            text("name").filter(|name| map.contains_key("repository") && Some(*name) == last)?;
        }
    }
    let mut carried = match registry {
        Some(_) => json!({ "registry": "{host}", "repository": "{path}" }),
        None => json!({ "repository": "{name}" }),
    };
    match map.contains_key("digest") {
        true => carried["digest"] = "{digest}".into(),
        false => carried["tag"] = format!("{}@{{digest}}", tagged("", image)).into(),
    }
    Some(carried)
}

fn tagged(before: &str, image: &Reference) -> String {
    image.tag.as_ref().map(|tag| format!("{before}{tag}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_values_that_name_an_image_are_suggested_as_they_carry_it() {
        let file = |path: &str, text: &str| (path.to_owned(), text.as_bytes().to_vec());
        let about = "{apiVersion: v2, name: a, version: 1.0.0, dependencies: [{name: db, version: 1.0.0, alias: store}]}";
        let values = "executor: {image: {registry: q.io, repository: a/exec, tag: ''}}\nplain: {repository: q.io/a/plain, tag: '1'}\n\
                      pinned: {repository: q.io/a/pinned, digest: ''}\nsolverImage: acme/solver:1\n\
                      composed: {image: {name: composed, repository: ''}}\n";
        let chart = Chart::read(&vec![
            file("Chart.yaml", about),
            file("values.yaml", values),
            file("charts/db/Chart.yaml", "{apiVersion: v2, name: db, version: 1.0.0}"),
            file("charts/db/values.yaml", "image: {repository: q.io/a/db, tag: v1}\n"),
        ]);
        let chart = chart.unwrap();
        for (image, wanted) in [
            (
                "q.io/a/exec:4",
                json!({ "executor": { "image": { "registry": "{host}", "repository": "{path}", "tag": "4@{digest}" } } }),
            ),
            ("q.io/a/plain:1", json!({ "plain": { "repository": "{name}", "tag": "1@{digest}" } })),
            ("q.io/a/pinned:1", json!({ "pinned": { "repository": "{name}", "digest": "{digest}" } })),
            (
                "q.io/a/composed:1",
                json!({ "composed": { "image": { "repository": "{name}", "tag": "1@{digest}" } } }),
            ),
            ("docker.io/acme/solver:1", json!({ "solverImage": "{name}:1@{digest}" })),
            (
                "q.io/a/db:v1",
                json!({ "store": { "image": { "repository": "{name}", "tag": "v1@{digest}" } } }),
            ),
        ] {
            assert_eq!(suggested(&chart, &Reference::parse(image).unwrap()), Some(wanted), "{image}");
        }
        assert_eq!(suggested(&chart, &Reference::parse("q.io/a/other:1").unwrap()), None);
    }
}
