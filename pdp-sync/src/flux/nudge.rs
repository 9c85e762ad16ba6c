//! Asking Flux to go on where it rests by itself. Pure.

use pdp_policies::flux::Health;
use serde_json::{Value, json};

use super::observed::Objects;
use crate::cluster::Kind;
use crate::crd::{FORCE_AT, REQUESTED_AT};
use crate::target::UnderWay;

/// Flux's controllers can cut their own wait for the very revision that is wanted and then rest
/// (`HealthCheckCanceled`): once per generation they are asked to go on. Kind, name and patch of each.
pub(super) fn nudges(under_way: &UnderWay, objects: &Objects) -> Vec<(Kind, String, Value)> {
    let cut = Health::Waiting("HealthCheckCanceled".to_owned());
    let rest = under_way.components.iter().filter(|component| component.health == cut);
    let kinds = [Kind::HelmRelease, Kind::Kustomization];
    let both = rest.flat_map(|component| kinds.map(|kind| (kind, component.name.as_str())));
    both.filter_map(|(kind, name)| Some((kind, name.to_owned(), patch(kind, objects.get(kind, name)?)?)))
        .collect()
}

/// None if this generation was asked already. Only helm-controller knows `forceAt`.
fn patch(kind: Kind, live: &Value) -> Option<Value> {
    let token = format!("pdp-sync-{}", live["metadata"]["generation"]);
    if live["metadata"]["annotations"][REQUESTED_AT] == token {
        return None;
    }
    let annotations = match kind {
        Kind::HelmRelease => json!({ REQUESTED_AT: token, FORCE_AT: token }),
        _ => json!({ REQUESTED_AT: token }),
    };
    Some(json!({ "metadata": { "annotations": annotations } }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::target::ComponentHealth;
    use pdp_policies::Span;

    fn under_way(reason: &str) -> UnderWay {
        let of = |name: &str| ComponentHealth {
            name: name.parse().unwrap(),
            health: Health::Waiting(reason.to_owned()),
        };
        let components = vec![of("chart"), of("manifests")];
        UnderWay {
            turn: pdp_policies::Turn::FIRST,
            back: false,
            components,
            next: Span::from_seconds(1),
            fought: vec![],
        }
    }

    fn live(annotations: Value) -> Value {
        json!({ "metadata": { "generation": 3, "annotations": annotations } })
    }

    #[test]
    fn both_kinds_are_asked_once_per_generation() {
        let mut objects = Objects::default();
        objects.put(Kind::HelmRelease, "chart", live(json!({})));
        objects.put(Kind::Kustomization, "manifests", live(json!({ REQUESTED_AT: "pdp-sync-2" })));
        let asked = nudges(&under_way("HealthCheckCanceled"), &objects);
        assert_eq!(asked[0].0, Kind::HelmRelease);
        assert_eq!(
            asked[0].2["metadata"]["annotations"],
            json!({ REQUESTED_AT: "pdp-sync-3", FORCE_AT: "pdp-sync-3" })
        );
        assert_eq!(asked[1].0, Kind::Kustomization);
        assert_eq!(asked[1].2["metadata"]["annotations"], json!({ REQUESTED_AT: "pdp-sync-3" }));
        assert_eq!(nudges(&under_way("SourceNotReady"), &objects), []);
        for (kind, name, patch) in asked {
            objects.put(kind, &name, live(patch["metadata"]["annotations"].clone()));
        }
        assert_eq!(nudges(&under_way("HealthCheckCanceled"), &objects), []);
    }
}
