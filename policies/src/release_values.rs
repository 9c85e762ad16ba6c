//! Values of the release that platform and customer may override: one set for all, and one for each platform.
//!
//! A data plane puts the two together and writes them to a ConfigMap that its `HelmRelease` names before all others.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::digest::Digest;
use crate::helm_yaml;
use crate::names::{ComponentName, Platform};
use crate::release::{Artifact, Component};
use crate::values::over;

/// The feature that a release with such values names in `critical`: a reader that doesn't know them would install the
/// charts without.
pub const RELEASE_VALUES: &str = "releaseValues";
/// All values of one component, of all platforms, are at most so long as JSON (bytes).
pub const MAX_RELEASE_VALUES_BYTES: usize = 64 * 1024;
/// So deep may values be nested.
const MAX_DEPTH: usize = 32;

type Table = Map<String, Value>;

/// What holds on a platform: its own values over those for all. Empty if there are none.
pub fn on(platform: Platform, all: &Table, each: &BTreeMap<Platform, Table>) -> Table {
    over(all.clone(), each.get(&platform).cloned().unwrap_or_default())
}

/// The name of the ConfigMap that holds `text`: other content gets another name, so a `HelmRelease` changes exactly when
/// its values do. At most 94 characters.
pub fn config_map_name(component: &ComponentName, text: &str) -> String {
    let hash = Digest::of(text.as_bytes()).short();
    format!("{CONFIG_MAP_PREFIX}{component}-{}", hash.get(..10).unwrap_or(&hash))
}

/// All names of such ConfigMaps begin so.
pub const CONFIG_MAP_PREFIX: &str = "pdp-release-values-";

/// Values as a text that Helm reads as exactly these: JSON, in which no text looks like a number or a boolean.
pub fn text(values: &Table) -> String {
    let json = format!("{:#}\n", Value::Object(values.clone()));
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            // JSON leaves them as they are, YAML doesn't: controls, ends of lines, the byte-order mark.
            '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                text.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => text.push(c),
        }
    }
    text
}

/// What is wrong with the values of a component, in words.
pub(crate) fn problems(component: &Component) -> Vec<String> {
    let (all, each) = (&component.values, &component.platform_values);
    if all.is_empty() && each.is_empty() {
        return Vec::new();
    }
    let mut problems = wrong(all, each);
    if !matches!(component.artifact, Artifact::Chart { .. }) {
        problems.push("manifests have no values".to_owned());
    }
    problems.extend(elsewhere(each, &component.platforms));
    problems
}

/// Values of platforms that a component doesn't run on, in words; no platforms are all.
pub fn elsewhere(each: &BTreeMap<Platform, Table>, platforms: &[Platform]) -> Vec<String> {
    let other = each.keys().filter(|platform| !platforms.is_empty() && !platforms.contains(platform));
    other.map(|platform| format!("values for {platform}, where it doesn't run")).collect()
}

/// What is wrong with values, whatever they are for, in words.
pub fn wrong(all: &Table, each: &BTreeMap<Platform, Table>) -> Vec<String> {
    let tables = || std::iter::once(all).chain(each.values());
    if tables().any(|table| table.values().any(|value| !is_shallow(value, MAX_DEPTH))) {
        return vec![format!("values are nested more than {MAX_DEPTH} deep")];
    }
    let bytes: usize = tables().map(|table| Value::Object(table.clone()).to_string().len()).sum();
    if bytes > MAX_RELEASE_VALUES_BYTES {
        return vec![format!("{bytes} bytes of values; at most {MAX_RELEASE_VALUES_BYTES}")];
    }
    let same = |table: &Table| helm_yaml::values(&text(table)).is_ok_and(|read| read == *table);
    let unlike = tables().any(|table| !same(table));
    unlike.then(|| "Helm would read other values than these".to_owned()).into_iter().collect()
}

fn is_shallow(value: &Value, depth: usize) -> bool {
    match value {
        _ if depth == 0 => false,
        Value::Array(list) => list.iter().all(|inner| is_shallow(inner, depth - 1)),
        Value::Object(map) => map.values().all(|inner| is_shallow(inner, depth - 1)),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn table(value: Value) -> Table {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_platforms_values_go_over_those_for_all() {
        let all = table(json!({ "replicas": 1, "pool": { "size": 1, "class": "a" } }));
        let azure = table(json!({ "pool": { "class": "b" }, "gone": null }));
        let each = BTreeMap::from([(Platform::Azure, azure)]);
        for (platform, wanted) in [
            (Platform::Azure, json!({ "replicas": 1, "pool": { "size": 1, "class": "b" }, "gone": null })),
            (Platform::Aws, json!({ "replicas": 1, "pool": { "size": 1, "class": "a" } })),
        ] {
            assert_eq!(Value::Object(on(platform, &all, &each)), wanted);
        }
        assert!(on(Platform::Gcp, &Table::new(), &each).is_empty());
    }

    #[test]
    fn whatever_is_written_helm_reads_it_as_it_was() {
        for value in [
            json!({ "y": "n", "text": "0644", "time": "12:30:45", "0x1": "~", "<<": "=", "null": null }),
            json!({ "a": [1, 2.5, -3, true, { "b": "" }], "c": {}, "d": [] }),
            json!({ "lines": "a\u{2028}b\u{85}c\u{feff}d\u{7f}\n\t\u{0}", "ä": "日本💡", "q": "\"'\\/#: {}" }),
        ] {
            let values = table(value);
            assert_eq!(helm_yaml::values(&text(&values)).unwrap(), values);
            assert_eq!(wrong(&values, &BTreeMap::new()), Vec::<String>::new());
        }
    }

    #[test]
    fn the_name_changes_with_the_content_and_fits_whatever_the_component_is_called() {
        let long: ComponentName = "a".repeat(63).parse().unwrap();
        let name = |size: u32| config_map_name(&long, &text(&table(json!({ "size": size }))));
        assert_eq!(name(1), name(1));
        assert_ne!(name(1), name(2));
        assert!(name(1).len() <= 253 && name(1).starts_with(CONFIG_MAP_PREFIX), "{}", name(1));
    }

    #[test]
    fn too_large_too_deep_and_what_helm_reads_otherwise_is_named() {
        let deep = (0..MAX_DEPTH).fold(json!(1), |inner, _| json!({ "a": inner }));
        let large = "x".repeat(MAX_RELEASE_VALUES_BYTES);
        for (value, words) in [
            (json!({ "a": deep }), "nested more than 32 deep"),
            (json!({ "a": large }), "bytes of values; at most 65536"),
            (json!({ "a": 9_007_199_254_740_993_i64 }), "Helm would read other values"),
        ] {
            let none = BTreeMap::new();
            assert!(wrong(&table(value.clone()), &none)[0].contains(words), "{words}");
            let each = BTreeMap::from([(Platform::Aws, table(value))]);
            assert!(wrong(&Table::new(), &each)[0].contains(words), "{words}");
        }
        let each = BTreeMap::from([(Platform::Aws, Table::new())]);
        assert_eq!(elsewhere(&each, &[]), Vec::<String>::new());
        assert_eq!(elsewhere(&each, &[Platform::Aws]), Vec::<String>::new());
        assert_eq!(elsewhere(&each, &[Platform::Azure]), ["values for aws, where it doesn't run"]);
    }
}
