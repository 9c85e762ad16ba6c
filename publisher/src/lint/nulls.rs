//! `key: null` among the release's values: Helm takes away what the chart has there. Where it has nothing, the null stays,
//! and templates get it.

use pdp_policies::{helm_yaml, printable};
use serde_json::{Map, Value};

use super::Report;
use crate::charts::Chart;
use crate::release_file::ComponentEntry;

/// Subcharts of subcharts of ... share it, as Helm has it.
const GLOBAL: &str = "global";

pub(super) fn check(component: &ComponentEntry, chart: &Chart, report: &mut Report<'_>) {
    let mut told = Vec::new();
    for values in component.variants() {
        for path in staying(chart, &values) {
            if !told.contains(&path) {
                told.push(path);
            }
        }
    }
    for path in told {
        let message = format!(
            "`{}: null`, and the chart has no such value: the null reaches its templates",
            printable(&path)
        );
        let place = format!("components.{}.values", component.name);
        report.add(
            place,
            "NullStays",
            message,
            "take the line out, or correct the name: null only takes away what the chart's own values have",
        );
    }
}

/// The paths of all nulls that Helm leaves where they are: `a.b`.
fn staying(chart: &Chart, values: &Map<String, Value>) -> Vec<String> {
    let mut found = Vec::new();
    of_chart(chart, values, "", &mut found);
    found
}

fn of_chart(chart: &Chart, values: &Map<String, Value>, place: &str, found: &mut Vec<String>) {
    let defaults = defaults(chart);
    for (key, value) in values {
        let place = below(place, key);
        let subcharts = called(chart, key);
        match value.as_object() {
            Some(inner) if !subcharts.is_empty() => {
                // A key may stand for one of several subcharts of one name: what one of them has is enough.
                let each = subcharts.iter().map(|subchart| {
                    let mut one = Vec::new();
                    of_chart(subchart, inner, &place, &mut one);
                    one
                });
                found.extend(each.min_by_key(Vec::len).unwrap_or_default());
            }
            _ if key == GLOBAL => {
                let all: Vec<_> = globals(chart);
                of_value(&all.iter().collect::<Vec<_>>(), value, &place, found);
            }
            _ => of_value(&defaults.get(key).into_iter().collect::<Vec<_>>(), value, &place, found),
        }
    }
}

/// Lists replace each other whole: a null in one was never anything else.
fn of_value(defaults: &[&Value], value: &Value, place: &str, found: &mut Vec<String>) {
    match value {
        Value::Null if defaults.is_empty() => found.push(place.to_owned()),
        Value::Object(inner) => {
            for (key, value) in inner {
                let defaults: Vec<_> = defaults.iter().filter_map(|default| default.get(key)).collect();
                of_value(&defaults, value, &below(place, key), found);
            }
        }
        _ => {}
    }
}

fn defaults(chart: &Chart) -> Map<String, Value> {
    let text = chart.file("values.yaml").map(String::from_utf8_lossy).unwrap_or_default();
    helm_yaml::values_file(&text).unwrap_or_default()
}

/// The subcharts that find their values under a key.
fn called<'a>(chart: &'a Chart, key: &str) -> Vec<&'a Chart> {
    let asked = &chart.metadata.dependencies;
    let is_called = |subchart: &&Chart| {
        let name = &subchart.metadata.name;
        let mut keys = asked.iter().filter(|it| it.name == *name).peekable();
        match keys.peek() {
            None => name == key,
            Some(_) => keys.any(|it| it.key() == key),
        }
    };
    chart.subcharts.iter().filter(is_called).collect()
}

fn globals(chart: &Chart) -> Vec<Value> {
    let own = defaults(chart).remove(GLOBAL);
    own.into_iter().chain(chart.subcharts.iter().flat_map(globals)).collect()
}

fn below(place: &str, key: &str) -> String {
    if place.is_empty() { key.to_owned() } else { format!("{place}.{key}") }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn a_null_stays_where_the_chart_has_nothing_to_take_away() {
        let files = [
            (
                "Chart.yaml",
                "{apiVersion: v2, name: a, version: 1.0.0, dependencies: [{name: db, version: 1.x, alias: store}]}",
            ),
            ("values.yaml", "a: 1\nb: {c: {d: 1}, list: [1]}\nnothing:\nglobal: {x: 1}\nstore: {ours: 1}\n"),
            ("charts/db/Chart.yaml", "{apiVersion: v2, name: db, version: 1.0.0}"),
            ("charts/db/values.yaml", "size: 1\nglobal: {w: 1}\n"),
            ("charts/free/Chart.yaml", "{apiVersion: v2, name: free, version: 1.0.0}"),
            ("charts/free/values.yaml", "on: true\n"),
        ];
        let files = files.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec())).to_vec();
        let chart = Chart::read(&files).unwrap();
        for (values, wanted) in [
            (json!({ "a": null, "b": { "c": null, "list": null }, "nothing": null }), &[][..]),
            (json!({ "b": { "c": { "d": null } } }), &[]),
            (json!({ "b": null }), &[]),
            (json!({ "A": null }), &["A"]),
            (json!({ "b": { "c": { "e": null } } }), &["b.c.e"]),
            (json!({ "a": { "b": null } }), &["a.b"]),
            (json!({ "b": { "list": [null, { "x": null }] } }), &[]),
            (json!({ "global": { "x": null, "w": null, "z": null } }), &["global.z"]),
            (json!({ "store": { "size": null, "ours": null } }), &["store.ours"]),
            (json!({ "db": { "size": null } }), &["db.size"]),
            (json!({ "free": { "true": null, "off": null } }), &["free.off"]),
            (json!({ "a": 2, "new": { "b": [], "c": "" } }), &[]),
        ] {
            assert_eq!(staying(&chart, values.as_object().unwrap()), wanted, "{values}");
        }
    }
}
