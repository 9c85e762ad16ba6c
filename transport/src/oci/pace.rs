//! How fast a registry is asked: at full speed until it says "too many", then with a gap that shrinks again.

use std::time::{Duration, Instant};

/// The first gap between two requests.
const FIRST: Duration = Duration::from_millis(25);
/// No gap grows longer.
const LONGEST: Duration = Duration::from_secs(1);
/// Refusals within this are one.
const TOGETHER: Duration = Duration::from_secs(1);
/// A gap that shrank below this is none.
const SHORTEST: Duration = Duration::from_millis(2);

/// The pace of one registry.
#[derive(Debug, Default)]
pub(super) struct Pace {
    gap: Duration,
    next: Option<Instant>,
    slowed: Option<Instant>,
}

impl Pace {
    /// How long the next request has to wait; the one after it waits a gap longer.
    pub(super) fn reserve(&mut self, now: Instant) -> Duration {
        let Some(next) = self.next else { return Duration::ZERO };
        let at = next.max(now);
        self.next = (self.gap > Duration::ZERO).then_some(at + self.gap);
        at - now
    }

    /// The registry refused: from now on it is asked at half the pace, and by nobody before `until`, if it named a
    /// time. Those who were refused together slow it down once.
    pub(super) fn slow_down(&mut self, now: Instant, until: Option<Instant>) {
        if self.slowed.is_none_or(|then| now.saturating_duration_since(then) >= TOGETHER) {
            self.gap = (self.gap * 2).clamp(FIRST, LONGEST);
            self.slowed = Some(now);
        }
        let next = until.unwrap_or(now + self.gap);
        self.next = Some(self.next.map_or(next, |known| known.max(next)));
    }

    /// A request went well: the gap shrinks by a sixteenth.
    pub(super) fn went_well(&mut self) {
        self.gap = self.gap * 15 / 16;
        if self.gap < SHORTEST {
            self.gap = Duration::ZERO;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn nobody_waits_before_the_first_refusal_and_all_wait_after_it() {
        let (mut pace, now) = (Pace::default(), Instant::now());
        assert_eq!((pace.reserve(now), pace.reserve(now)), (Duration::ZERO, Duration::ZERO));
        pace.slow_down(now, Some(now + 1000 * MS));
        pace.slow_down(now, Some(now + 500 * MS));
        pace.slow_down(now, None);
        let waits: Vec<_> = (0..3).map(|_| pace.reserve(now)).collect();
        assert_eq!(waits, [1000 * MS, 1025 * MS, 1050 * MS]);
    }

    #[test]
    fn the_gap_doubles_up_to_a_limit_and_shrinks_to_nothing() {
        let (mut pace, mut now) = (Pace::default(), Instant::now());
        for _ in 0..20 {
            pace.slow_down(now, None);
            now += 10_000 * MS;
        }
        assert_eq!(pace.gap, LONGEST);
        for _ in 0..200 {
            pace.went_well();
        }
        pace.reserve(now);
        assert_eq!(
            (pace.gap, pace.reserve(now), pace.reserve(now)),
            (Duration::ZERO, Duration::ZERO, Duration::ZERO)
        );
    }
}
