//! Helm values as Flux and Helm put them together: a chart's own, then each source over the one before.
//!
//! Maps are merged, everything else is replaced, and `null` takes a default away. Follows Flux's merge of `valuesFrom`
//! and Helm 4's `CoalesceValues`, without what concerns subcharts.

use serde_json::{Map, Value};

type Table = Map<String, Value>;

/// What a chart is rendered with: `sources` in their order over `defaults`; the last one wins.
pub fn merged(defaults: Table, sources: impl IntoIterator<Item = Table>) -> Table {
    let given = sources.into_iter().fold(Table::new(), over);
    coalesce(defaults, given)
}

/// Flux's step: `above` over `below`. `null` is kept: it means something to the chart's defaults only.
pub fn over(mut below: Table, above: Table) -> Table {
    for (key, value) in above {
        let value = match (below.remove(&key), value) {
            (Some(Value::Object(lower)), Value::Object(upper)) => Value::Object(over(lower, upper)),
            (_, value) => value,
        };
        below.insert(key, value);
    }
    below
}

/// Helm's step: `given` over the chart's defaults.
fn coalesce(defaults: Table, mut given: Table) -> Table {
    for (key, default) in defaults {
        match (given.remove(&key), without_nulls(default)) {
            // At the top a null takes away whatever is there.
            (Some(Value::Null), _) | (None, None) => {}
            (Some(Value::Object(upper)), Some(Value::Object(lower))) => {
                given.insert(key, Value::Object(nested(lower, upper)));
            }
            (Some(value), _) | (None, Some(value)) => {
                given.insert(key, value);
            }
        }
    }
    given
}

/// As at the top, but a null stays where the chart has nothing that it could take away.
fn nested(defaults: Table, mut given: Table) -> Table {
    for (key, default) in defaults {
        match (given.remove(&key), default) {
            (Some(Value::Null), _) => {}
            (Some(Value::Object(upper)), Value::Object(lower)) => {
                given.insert(key, Value::Object(nested(lower, upper)));
            }
            (Some(value), _) | (None, value) => {
                given.insert(key, value);
            }
        }
    }
    given
}

/// A chart's own nulls count as absent.
fn without_nulls(value: Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Object(table) => {
            let kept = table.into_iter().filter_map(|(key, value)| Some((key, without_nulls(value)?)));
            Some(Value::Object(kept.collect()))
        }
        other => Some(other),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn table(value: Value) -> Table {
        match value {
            Value::Object(table) => table,
            other => panic!("{other} is no table"),
        }
    }

    fn merge(defaults: Value, sources: &[Value]) -> Value {
        Value::Object(merged(table(defaults), sources.iter().cloned().map(table)))
    }

    #[test]
    fn maps_are_merged_and_the_last_source_wins() {
        let chart = json!({ "image": { "pull": "Always", "tag": "1" }, "replicas": 1 });
        let platform = json!({ "image": { "tag": "2" }, "replicas": 2 });
        let customer = json!({ "replicas": 3 });
        let wanted = json!({ "image": { "pull": "Always", "tag": "2" }, "replicas": 3 });
        assert_eq!(merge(chart, &[platform, customer]), wanted);
    }

    #[test]
    fn lists_are_replaced_and_scalars_take_the_place_of_maps() {
        let chart = json!({ "args": ["a", "b"], "probe": { "path": "/" } });
        let customer = json!({ "args": ["c"], "probe": false });
        assert_eq!(merge(chart, std::slice::from_ref(&customer)), customer);
    }

    #[test]
    fn null_takes_a_default_away_at_any_depth() {
        let chart = json!({ "a": 1, "b": { "c": 1, "d": 2 }, "e": { "f": {} } });
        let customer = json!({ "a": null, "b": { "c": null }, "e": null });
        assert_eq!(merge(chart, &[customer]), json!({ "b": { "d": 2 } }));
    }

    #[test]
    fn null_stays_where_there_is_no_default() {
        let chart = json!({ "b": { "d": 2, "gone": null }, "none": null });
        let customer = json!({ "new": null, "b": { "new": null, "gone": null } });
        let wanted = json!({ "new": null, "b": { "d": 2, "new": null, "gone": null } });
        assert_eq!(merge(chart, &[customer]), wanted);
    }

    #[test]
    fn a_later_source_can_take_a_default_away_or_bring_it_back() {
        let chart = || json!({ "a": { "b": 1 } });
        let gone = json!({ "a": null });
        let back = json!({ "a": { "c": 2 } });
        assert_eq!(merge(chart(), &[back.clone(), gone.clone()]), json!({}));
        assert_eq!(merge(chart(), &[gone, back]), json!({ "a": { "b": 1, "c": 2 } }));
    }

    fn any_table() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![Just(Value::Null), (0..3).prop_map(Value::from), Just(json!(["x"]))];
        let inner = leaf.prop_recursive(3, 24, 3, |inner| {
            prop::collection::hash_map("[a-c]", inner, 0..3)
                .prop_map(|map| Value::Object(map.into_iter().collect()))
        });
        prop::collection::hash_map("[a-c]", inner, 0..3)
            .prop_map(|map| Value::Object(map.into_iter().collect()))
    }

    proptest! {
        #[test]
        fn nothing_given_leaves_the_defaults(chart in any_table()) {
            let wanted = without_nulls(chart.clone()).unwrap();
            prop_assert_eq!(merge(chart.clone(), &[]), wanted.clone());
            prop_assert_eq!(merge(chart, &[json!({})]), wanted);
        }

        #[test]
        fn what_the_last_source_says_holds(chart in any_table(), below in any_table(), above in any_table()) {
            let result = merge(chart, &[below, above.clone()]);
            for (key, value) in above.as_object().unwrap() {
                if !value.is_object() && !value.is_null() {
                    prop_assert_eq!(&result[key], value);
                }
            }
        }

        #[test]
        fn the_same_source_twice_is_the_same_as_once(chart in any_table(), given in any_table()) {
            prop_assert_eq!(merge(chart.clone(), &[given.clone(), given.clone()]), merge(chart, &[given]));
        }
    }
}
