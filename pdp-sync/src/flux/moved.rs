//! A source whose artifacts moved: it is written anew, and nobody edited it. Pure.

use pdp_policies::decision::DecisionRecord;
use serde_json::Value;

use super::desired::{self, Desired};
use super::observed::Objects;
use crate::cluster::{Kind, name_of};
use crate::moving::{self, Remembered};

/// Where the sources of a record may point to.
pub(super) fn places(record: &DecisionRecord, moves: &Remembered) -> Vec<String> {
    let releases = std::iter::once(record.target()).chain(record.last_good());
    releases.flat_map(|release| moving::addresses(moves, release)).collect()
}

/// True if all that differs is where the source fetches from, and that is another of the vendor's addresses.
pub(super) fn is_move(objects: &Objects, desired: &Desired, places: &[String]) -> bool {
    let applier = objects.applier(desired).is_some_and(|live| desired::holds(&desired.applier, live));
    let source = objects.get(Kind::OciRepository, desired.source_name());
    let values = desired.values.as_ref().is_none_or(|values| {
        objects.get(Kind::ConfigMap, name_of(values)).is_some_and(|live| desired::holds(values, live))
    });
    applier && values && source.is_some_and(|live| only_elsewhere(&desired.source, live, places))
}

fn only_elsewhere(wanted: &Value, live: &Value, places: &[String]) -> bool {
    let url = live["spec"]["url"].as_str().and_then(|url| url.strip_prefix("oci://"));
    if !url.is_some_and(|url| places.iter().any(|place| place == url)) {
        return false;
    }
    let mut there = wanted.clone();
    for field in ["url", "insecure"] {
        // Plain HTTP goes with an address on this machine.
        there["spec"][field] = live["spec"][field].clone();
    }
    desired::holds(&there, live)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn another_address_of_the_vendors_is_a_move_and_anything_else_is_an_edit() {
        let source = |url: &str, digest: &str| json!({ "spec": { "url": url, "ref": { "digest": digest } } });
        let wanted = source("oci://new.example/a", "sha256:1");
        let places = ["old.example/a".to_owned(), "new.example/a".to_owned()];
        for (live, is_move) in [
            (source("oci://old.example/a", "sha256:1"), true),
            (source("oci://evil.example/a", "sha256:1"), false),
            (source("oci://old.example/a", "sha256:2"), false),
            (source("oci://old.example/b", "sha256:1"), false),
            (source("old.example/a", "sha256:1"), false),
        ] {
            assert_eq!(only_elsewhere(&wanted, &live, &places), is_move, "{live}");
        }
    }
}
