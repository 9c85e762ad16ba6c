//! Which places of a chart's values name an image, its subcharts' below their keys: a customer's values may not. Pure.
//!
//! Found by their names, as image strings are: `image`, `fooImage`, maps with `repository` and `tag`, `imageRegistry`.

use std::collections::BTreeSet;

use pdp_policies::json_pointer::below;
use serde_json::{Map, Value};

use super::rendered::is_image_name;
use super::yaml;
use crate::charts::Chart;

/// What charts call the parts of an image.
const PARTS: [&str; 7] = ["registry", "repository", "name", "tag", "digest", "sha", "hub"];
/// Of these, what a chart's template may ask for though its values don't have it.
const ALWAYS: [&str; 4] = ["registry", "repository", "tag", "digest"];

/// JSON Pointers (RFC 6901); none of values that can't be read, which the search itself refuses.
pub(crate) fn of(chart: &Chart) -> BTreeSet<String> {
    let text = chart.file("values.yaml").map(String::from_utf8_lossy).unwrap_or_default();
    let mut found = BTreeSet::new();
    if let Ok(Value::Object(values)) = yaml::values(&text) {
        table("", &values, &mut found);
    }
    for subchart in &chart.subcharts {
        let inner = of(subchart);
        for key in keys(chart, &subchart.metadata.name) {
            found.extend(inner.iter().map(|path| format!("{}{path}", below("", key))));
        }
    }
    found
}

/// The same of values that a release gives a chart: a subchart's are below its key already.
pub(crate) fn of_values(values: &Map<String, Value>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    table("", values, &mut found);
    found
}

/// Where a subchart finds its values: at each alias, else at its name.
pub(super) fn keys<'a>(chart: &'a Chart, name: &'a str) -> Vec<&'a str> {
    let asked: Vec<_> = chart.metadata.dependencies.iter().filter(|wanted| wanted.name == name).collect();
    match asked.is_empty() {
        true => vec![name],
        false => asked.iter().map(|it| if it.alias.is_empty() { name } else { it.alias.as_str() }).collect(),
    }
}

fn table(here: &str, values: &Map<String, Value>, found: &mut BTreeSet<String>) {
    for (key, value) in values {
        let path = below(here, key);
        match value {
            Value::Object(map) => {
                if is_image(key, map) {
                    let parts = PARTS.iter().filter(|part| ALWAYS.contains(part) || map.contains_key(**part));
                    found.extend(parts.map(|part| format!("{path}/{part}")));
                }
                table(&path, map, found);
            }
            Value::String(_) | Value::Null if is_image_name(key) || is_registry(key) => {
                found.insert(path);
            }
            _ => {}
        }
    }
}

fn is_image(key: &str, map: &Map<String, Value>) -> bool {
    let part = |part: &str| map.get(part).is_some_and(|value| !value.is_object() && !value.is_array());
    is_image_name(key) && ALWAYS.iter().any(|name| part(name))
        || map.contains_key("repository") && map.contains_key("tag")
}

fn is_registry(key: &str) -> bool {
    key.to_ascii_lowercase().ends_with("imageregistry")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn places_that_name_an_image_are_found_and_policies_are_not() {
        let file = |path: &str, text: &str| (path.to_owned(), text.as_bytes().to_vec());
        let chart = Chart::read(&vec![
            file(
                "Chart.yaml",
                "{apiVersion: v2, name: a, version: 1.0.0, dependencies: [{name: db, version: 1.0.0, alias: store}]}",
            ),
            file(
                "values.yaml",
                "image: {repository: x, pullPolicy: Always}\nsolverImage: q.io/s:1\nimagePullPolicy: Always\nglobal: {imageRegistry: \"\"}\nproxy: {repository: y, tag: \"1\"}\nplain: {name: z}\n",
            ),
            file("charts/db/Chart.yaml", "{apiVersion: v2, name: db, version: 1.0.0}"),
            file("charts/db/values.yaml", "image: {name: x, tag: 1}\n"),
        ]);
        let found = of(&chart.unwrap());
        let with = |prefix: &str, parts: &[&str]| {
            parts.iter().map(|part| format!("{prefix}/{part}")).collect::<Vec<_>>()
        };
        let mut wanted = with("/image", &ALWAYS);
        wanted.extend(with("/proxy", &ALWAYS));
        wanted.extend(with("/store/image", &["registry", "repository", "name", "tag", "digest"]));
        wanted.extend(["/global/imageRegistry".to_owned(), "/solverImage".to_owned()]);
        assert_eq!(found, wanted.into_iter().collect());
    }
}
