//! What a reader needs to see when a test waited in vain.

use serde_json::Value;

use super::api::{Api, condition};
use super::kind::Kind;

/// One line for each Flux object of a namespace that isn't ready, and each pod that isn't.
pub fn troubles(api: &Api, namespace: &str) -> String {
    let listed = |kind: Kind| api.list(kind, namespace).unwrap_or_default().into_iter();
    let objects = Kind::FLUX.into_iter().flat_map(|kind| listed(kind).map(move |object| (kind, object)));
    let lines: Vec<_> = objects.filter_map(|(kind, object)| line(kind, &object)).collect();
    if lines.is_empty() { "every Flux object is ready".to_owned() } else { lines.join("\n") }
}

fn line(kind: Kind, object: &Value) -> Option<String> {
    let ready = condition(object, "Ready");
    if ready["status"] == "True" && condition(object, "Reconciling")["status"] != "True" {
        return None;
    }
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let words: String = text(&ready["message"]).chars().take(400).collect();
    let name = text(&object["metadata"]["name"]);
    Some(format!("{}/{name}: {} {} {words}", kind.name(), text(&ready["status"]), text(&ready["reason"])))
}
