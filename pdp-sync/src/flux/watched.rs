//! For how long this process has seen Flux at the same thing. No clock is asked: one that jumps makes nothing overdue. A
//! restart begins anew.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::observed::Objects;
use crate::cluster::Kind;

/// What Flux was at when it was looked at last: its generation, and when it was seen at it first.
#[derive(Debug, Default)]
pub(super) struct Watching(BTreeMap<(Kind, String), (i64, Instant)>);

/// How long each object has been seen so.
#[derive(Debug, Default)]
pub(super) struct Watched(BTreeMap<(Kind, String), Duration>);

impl Watching {
    /// After another look.
    pub(super) fn look(&mut self, objects: &Objects, now: Instant) -> Watched {
        let since = |kind: Kind, name: &str, generation: i64| {
            let before = self.0.get(&(kind, name.to_owned()));
            before.filter(|(same, _)| *same == generation).map_or(now, |(_, since)| *since)
        };
        let busy = objects.busy().map(|(kind, name, generation)| {
            ((kind, name.to_owned()), (generation, since(kind, name, generation)))
        });
        self.0 = busy.collect();
        let long = |(_, since): &(i64, Instant)| now.saturating_duration_since(*since);
        Watched(self.0.iter().map(|(key, seen)| (key.clone(), long(seen))).collect())
    }
}

impl Watched {
    /// None if Flux isn't at it.
    pub(super) fn of(&self, kind: Kind, name: &str) -> Option<Duration> {
        self.0.get(&(kind, name.to_owned())).copied()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_time_counts_as_long_as_flux_is_at_the_same_generation() {
        let objects = |generation: i64, reconciling: &str| {
            let mut objects = Objects::default();
            let conditions = json!([{ "type": "Reconciling", "status": reconciling }]);
            let object =
                json!({ "metadata": { "generation": generation }, "status": { "conditions": conditions } });
            objects.put(Kind::HelmRelease, "app", object);
            objects
        };
        let (mut watching, begun) = (Watching::default(), Instant::now());
        for (second, generation, reconciling, expected) in [
            (0, 1, "True", Some(0)),
            (30, 1, "True", Some(30)),
            (40, 2, "True", Some(0)),
            (50, 2, "True", Some(10)),
            (60, 2, "False", None),
            (70, 2, "True", Some(0)),
        ] {
            let now = begun + Duration::from_secs(second);
            let watched = watching.look(&objects(generation, reconciling), now);
            let expected = expected.map(Duration::from_secs);
            assert_eq!(watched.of(Kind::HelmRelease, "app"), expected, "{second}");
            assert_eq!(watched.of(Kind::Kustomization, "app"), None);
        }
    }
}
