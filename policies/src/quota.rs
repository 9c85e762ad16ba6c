//! How much one party may ask for: so many at once, then one every so often.

use crate::time::{At, Span};

/// A limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// So many at once.
    pub burst: u32,
    /// Then one every so often.
    pub every: Span,
}

/// What a party has used of its quota; nothing at first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Used {
    /// When all of it is there again (Unix seconds): one number tells how much is used.
    whole: i64,
}

impl Used {
    /// Takes one.
    ///
    /// # Errors
    /// How long to wait for the next one. Asking in vain costs nothing.
    pub fn take(&mut self, quota: Quota, now: At) -> Result<(), Span> {
        let (every, now) = (quota.every.seconds(), now.unix());
        let longest = every.saturating_mul(i64::from(quota.burst));
        // A clock that was set back must not lock anybody out.
        self.whole = self.whole.clamp(now, now.saturating_add(longest));
        let whole = self.whole.saturating_add(every);
        match u32::try_from(whole - now - longest) {
            Ok(wait) if wait > 0 => Err(Span::from_seconds(wait)),
            _ => {
                self.whole = whole;
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const QUOTA: Quota = Quota { burst: 3, every: Span::from_seconds(10) };

    /// Takes at these moments; how long to wait, 0 for taken.
    fn waits(moments: &[i64]) -> Vec<i64> {
        let mut used = Used::default();
        let at = |moment: &i64| At::from_unix(1_800_000_000 + moment);
        moments.iter().map(|moment| used.take(QUOTA, at(moment)).err().map_or(0, Span::seconds)).collect()
    }

    #[test]
    fn so_many_at_once_and_then_one_every_so_often() {
        for (moments, expected) in [
            (&[0, 0, 0, 0, 0][..], &[0, 0, 0, 10, 10][..]),
            (&[0, 0, 0, 9, 10, 10], &[0, 0, 0, 1, 0, 10]),
            (&[0, 0, 0, 20, 20, 20], &[0, 0, 0, 0, 0, 10]),
            // However long nobody asks, no more than the burst is there.
            (&[0, 1000, 1000, 1000, 1000], &[0, 0, 0, 0, 10]),
            (&[0, 10, 20, 30, 40, 50], &[0, 0, 0, 0, 0, 0]),
            // The clock was set back by a day.
            (&[0, 0, 0, -86_400, -86_390], &[0, 0, 0, 10, 0]),
        ] {
            assert_eq!(waits(moments), expected, "{moments:?}");
        }
    }

    #[test]
    fn a_quota_of_nothing_gives_nothing() {
        let none = Quota { burst: 0, every: Span::from_seconds(5) };
        assert_eq!(Used::default().take(none, At::from_unix(0)), Err(Span::from_seconds(5)));
    }
}
