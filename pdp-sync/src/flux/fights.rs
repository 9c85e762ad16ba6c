//! Who else writes our fields: read off the object's `managedFields`. Pure.

use pdp_policies::flux::Health;
use pdp_policies::{At, Span, Turn};
use serde_json::Value;

use super::desired::{self, Desired};
use super::observed::Objects;
use crate::cluster::{Kind, name_of};
use crate::crd::MANAGER;
use crate::target::{ComponentHealth, Fight, UnderWay};

/// Where a component's objects differ from what is wanted, and whose fields those are now.
pub(super) fn fight(objects: &Objects, desired: &Desired, again: At) -> Fight {
    let none = Value::Null;
    let applier = (desired.kind, &desired.applier, objects.applier(desired).unwrap_or(&none));
    let needed =
        desired.needed().map(|(kind, it)| (kind, it, objects.get(kind, name_of(it)).unwrap_or(&none)));
    let differs = |(_, wanted, live): &(Kind, &Value, &Value)| !desired::holds(wanted, live);
    let (kind, wanted, live) = std::iter::once(applier).chain(needed).find(differs).unwrap_or(applier);
    let mut paths = Vec::new();
    differences(wanted, live, &mut Vec::new(), &mut paths);
    let object = format!("{}/{}", kind.name(), name_of(wanted));
    let manager = paths.iter().find_map(|path| writer(live, path)).or_else(|| writer(live, &[]));
    let fields = paths.iter().map(|path| path.join(".")).collect();
    Fight { component: desired.name.clone(), object, manager, fields, again }
}

/// Nothing of a stage can be written but what others change again and again.
pub(super) fn contested(turn: Turn, fought: Vec<Fight>, now: At) -> UnderWay {
    let health = || Health::Waiting("ForeignWriter".to_owned());
    let components = fought.iter().map(|it| ComponentHealth { name: it.component.clone(), health: health() });
    let left = fought.iter().map(|it| it.again.seconds_since(now)).min().unwrap_or(1);
    let next = Span::from_seconds(u32::try_from(left).unwrap_or(1).max(1));
    UnderWay { turn, back: false, components: components.collect(), next, fought }
}

/// Paths of the fields of `wanted` that don't stand in `live`.
fn differences(wanted: &Value, live: &Value, path: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    let (Value::Object(fields), Value::Object(there)) = (wanted, live) else {
        if !desired::holds(wanted, live) {
            found.push(path.clone());
        }
        return;
    };
    for (key, value) in fields {
        path.push(key.clone());
        match there.get(key) {
            Some(live) => differences(value, live, path, found),
            None if desired::is_empty(value) => {}
            None => found.push(path.clone()),
        }
        path.pop();
    }
}

/// Who wrote this field last; whoever wrote anything last, if it is gone.
fn writer(live: &Value, path: &[String]) -> Option<String> {
    let entries = live["metadata"]["managedFields"].as_array()?.iter();
    let others = entries.filter(|it| it["manager"] != MANAGER && !it["subresource"].is_string());
    let owners = others
        .filter(|it| path.iter().try_fold(&it["fieldsV1"], |at, key| at.get(format!("f:{key}"))).is_some());
    let last = owners.max_by_key(|it| it["time"].as_str().unwrap_or_default())?;
    last["manager"].as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn paths(wanted: &Value, live: &Value) -> Vec<String> {
        let mut found = Vec::new();
        differences(wanted, live, &mut Vec::new(), &mut found);
        found.iter().map(|path| path.join(".")).collect()
    }

    #[test]
    fn the_fields_that_differ_are_named() {
        let wanted =
            json!({ "spec": { "interval": "1h", "chartRef": { "name": "a" }, "images": [1], "none": [] } });
        let live =
            json!({ "spec": { "interval": "7m", "chartRef": { "name": "b" }, "images": [1], "theirs": 1 } });
        assert_eq!(paths(&wanted, &live), ["spec.chartRef.name", "spec.interval"]);
        assert_eq!(paths(&wanted, &json!({ "spec": {} })), ["spec.chartRef", "spec.images", "spec.interval"]);
        assert_eq!(paths(&wanted, &wanted), Vec::<String>::new());
    }

    #[test]
    fn the_writer_is_the_last_one_of_the_field() {
        let entry = |manager: &str, time: &str, field: &str| {
            json!({
                "manager": manager, "time": time, "fieldsV1": { "f:spec": { format!("f:{field}"): {} } }
            })
        };
        let status = json!({ "manager": "helm-controller", "subresource": "status", "time": "2026-11-25" });
        let live = json!({ "metadata": { "managedFields": [
            entry("old", "2026-11-20", "interval"), entry("rival", "2026-11-21", "interval"),
            entry("other", "2026-11-22", "suspend"), entry(MANAGER, "2026-11-23", "interval"), status,
        ] } });
        let path = |field: &str| vec!["spec".to_owned(), field.to_owned()];
        assert_eq!(writer(&live, &path("interval")).as_deref(), Some("rival"));
        assert_eq!(writer(&live, &path("gone")), None);
        assert_eq!(writer(&live, &[]), Some("other".to_owned()), "whoever wrote last at all");
        assert_eq!(writer(&json!({}), &[]), None);
    }
}
