//! Which rollouts needn't be counted at this look: all rings have passed, nothing runs, and nothing was due.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use pdp_policies::{Level, Line};

/// A rollout at rest changes by its own events; but who is revoked, or goes on to another level, leaves its counts
/// without one. A halt that comes of that may come this much later.
const ANEW: Duration = Duration::from_secs(60);

/// What was found at rest, with its number of events then.
#[derive(Debug, Default)]
pub(crate) struct Resting(HashMap<(Line, Level), (u64, Instant)>);

impl Resting {
    /// True if the same was counted lately. `events` is none for a rollout that isn't at rest.
    pub(crate) fn is_known(&self, line: &Line, level: Level, events: Option<u64>, now: Instant) -> bool {
        let known = self.0.get(&(line.clone(), level));
        known.is_some_and(|(known, at)| Some(*known) == events && now.duration_since(*at) < ANEW)
    }

    /// Notes that nothing is due.
    pub(crate) fn note(&mut self, line: &Line, level: Level, events: Option<u64>, now: Instant) {
        match events {
            Some(events) => self.0.insert((line.clone(), level), (events, now)),
            None => self.0.remove(&(line.clone(), level)),
        };
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_rollout_at_rest_is_counted_again_after_an_event_or_a_minute() {
        let (line, level, start) = ("pdp-2026".parse::<Line>().unwrap(), Level(42), Instant::now());
        let mut resting = Resting::default();
        let known = |resting: &Resting, events, seconds| {
            resting.is_known(&line, level, events, start + Duration::from_secs(seconds))
        };
        assert!(!known(&resting, Some(7), 0), "never counted");
        resting.note(&line, level, Some(7), start);
        assert!(known(&resting, Some(7), 59));
        assert!(!known(&resting, Some(7), 60), "a minute has passed");
        assert!(!known(&resting, Some(8), 1), "a failure is an event: it may halt at once");
        assert!(!known(&resting, None, 1), "it runs again");
        assert!(!resting.is_known(&line, Level(43), Some(7), start), "another level");
        resting.note(&line, level, None, start);
        assert!(!known(&resting, Some(7), 1), "it ran meanwhile");
    }
}
