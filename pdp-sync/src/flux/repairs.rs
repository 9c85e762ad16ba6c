//! How often one object is put right before it is a fight. Pure.

use pdp_policies::{At, Digest, Span};

/// So often the same content is written without a pause: the first time, and three edits by others.
const AT_ONCE: usize = 4;
/// The first pause in a fight; each one is twice as long as the one before.
const FIRST_PAUSE: i64 = 30;
/// A fight that ended is noticed after this long at the latest.
const MAX_PAUSE: i64 = 600;
/// What stood for so long is no fight any more.
const QUIET: i64 = 900;

/// When the same content was written to one object, as long as it counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Repairs {
    wanted: Digest,
    times: Vec<At>,
}

impl Repairs {
    pub(super) fn of(wanted: Digest) -> Self {
        Self { wanted, times: Vec::new() }
    }

    /// None if `wanted` may be written now, else when.
    pub(super) fn wait(&self, wanted: Digest, now: At) -> Option<At> {
        let last = self.counted(wanted, now).last()?;
        let beyond = u32::try_from(self.times.len().checked_sub(AT_ONCE)?).unwrap_or(u32::MAX);
        let pause = FIRST_PAUSE.saturating_mul(2i64.saturating_pow(beyond)).min(MAX_PAUSE);
        let again = last.plus(Span::from_seconds(u32::try_from(pause).unwrap_or(u32::MAX)));
        (now < again).then_some(again)
    }

    /// The same with one more write.
    pub(super) fn written(self, wanted: Digest, now: At) -> Self {
        let mut times = self.counted(wanted, now).to_vec();
        times.push(now);
        Self { wanted, times }
    }

    /// Other content is another matter; what was quiet is forgotten.
    fn counted(&self, wanted: Digest, now: At) -> &[At] {
        let lasts = self.times.last().is_some_and(|last| now.seconds_since(*last) < QUIET);
        if lasts && wanted == self.wanted { &self.times } else { &[] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> At {
        At::from_unix(1_800_000_000 + seconds)
    }

    /// The times of all writes while another writes every second.
    fn fought(seconds: i64) -> Vec<i64> {
        let wanted = Digest::of(b"wanted");
        let mut repairs = Repairs::of(wanted);
        let mut times = Vec::new();
        for second in 0..seconds {
            if repairs.wait(wanted, at(second)).is_none() {
                repairs = repairs.written(wanted, at(second));
                times.push(second);
            }
        }
        times
    }

    #[test]
    fn a_fight_is_written_into_less_and_less() {
        assert_eq!(fought(500), [0, 1, 2, 3, 33, 93, 213, 453]);
        let day = fought(86_400);
        assert!(day.len() < 160, "{}", day.len());
        assert!(day.windows(2).all(|pair| pair[1] - pair[0] <= MAX_PAUSE), "it never gives up");
    }

    #[test]
    fn other_content_and_a_quiet_time_begin_anew() {
        let (one, other) = (Digest::of(b"one"), Digest::of(b"other"));
        let written = |repairs: Repairs, second| repairs.written(one, at(second));
        let repairs = (0..5).fold(Repairs::of(one), written);
        assert_eq!(repairs.wait(one, at(5)), Some(at(64)));
        assert_eq!(repairs.wait(other, at(5)), None);
        assert_eq!(repairs.wait(one, at(64)), None);
        let anew = repairs.written(one, at(4 + QUIET));
        assert_eq!(anew, Repairs::of(one).written(one, at(4 + QUIET)));
    }
}
