//! The time by which all servers go: the database's, or this machine's where nobody else writes.

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use pdp_policies::At;
use pdp_transport::cli::clock;

/// Two clocks that differ by less are the same (milliseconds): what is within a measurement's error changes nothing.
const CLOCK_ERROR: i64 = 50;
/// A clock that goes back by up to this (seconds) was measured anew; one that goes back further was set.
const TREMBLING: i64 = 2;

#[derive(Debug, Default)]
pub(crate) struct SharedClock {
    /// What has to be added to this machine's clock, milliseconds.
    offset: AtomicI64,
    /// The last time that was given out, Unix seconds.
    last: AtomicI64,
}

impl SharedClock {
    pub(crate) fn now(&self) -> At {
        self.give(match self.offset.load(Relaxed) {
            0 => clock::now().unix(),
            offset => (clock::millis() + offset).div_euclid(1000),
        })
    }

    /// The database's clock is so many milliseconds ahead of this machine's.
    pub(crate) fn set(&self, ahead: i64) {
        if (ahead - self.offset.load(Relaxed)).abs() > CLOCK_ERROR {
            self.offset.store(ahead, Relaxed);
        }
    }

    /// A measurement's error must not date an answer before the one that a data plane has already.
    fn give(&self, unix: i64) -> At {
        let given = |last: i64| if (1..=TREMBLING).contains(&(last - unix)) { last } else { unix };
        let before = self.last.fetch_update(Relaxed, Relaxed, |last| Some(given(last)));
        At::from_unix(given(before.unwrap_or_else(|last| last)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_trembles_never_back_but_may_be_set_back() {
        let clock = SharedClock::default();
        let given = [1000, 999, 998, 1001, 999, 998, 1002].map(|unix| clock.give(unix).unix());
        assert_eq!(given, [1000, 1000, 1000, 1001, 1001, 998, 1002]);
    }

    #[test]
    fn what_is_within_a_measurements_error_changes_nothing() {
        let clock = SharedClock::default();
        for (ahead, offset) in [(50, 0), (51, 51), (1, 51), (0, 0), (-51, -51)] {
            clock.set(ahead);
            assert_eq!(clock.offset.load(Relaxed), offset, "{ahead}");
        }
    }
}
