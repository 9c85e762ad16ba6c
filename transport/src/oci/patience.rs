//! How long a registry that has enough of us is waited for.

use std::time::{Duration, SystemTime};

use reqwest::Response;
use reqwest::header::RETRY_AFTER;

/// The first wait without a word of the registry is up to this.
const FIRST: Duration = Duration::from_millis(500);
/// Whoever is told when to come again comes so often at the most.
const MOST_TOLD: u32 = 12;

/// How long a registry that answers 429 is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// All waits of one request together.
    pub total: Duration,
    /// One wait.
    pub longest: Duration,
}

impl Patience {
    /// For a step that comes again by itself: a minute.
    pub const PASS: Self = Self { total: Duration::from_secs(60), longest: Duration::from_secs(20) };
    /// For a person or a pipeline that would have to begin again: five minutes.
    pub const PUBLISH: Self = Self { total: Duration::from_secs(300), longest: Duration::from_secs(60) };
    /// For what can be done without.
    pub(super) const SHORT: Self = Self { total: Duration::from_secs(5), longest: Duration::from_secs(2) };

    /// How long to wait after the refusal number `tries` (from 1), none when it was enough. `asked` is what the
    /// registry wants, `waited` what was waited so far, `random` any number: without a word of the registry it
    /// lies between the half and the whole of 0.5 s, 1 s, 2 s, ...; with one it is that and up to a tenth more.
    pub fn wait(
        self,
        tries: u32,
        asked: Option<Duration>,
        waited: Duration,
        random: u64,
    ) -> Option<Duration> {
        let share = |of: Duration| of.mul_f64(f64::from(u32::try_from(random % 1000).unwrap_or(0)) / 1000.0);
        let wait = match asked {
            Some(_) if tries > MOST_TOLD => return None,
            Some(asked) => asked + share(asked / 10),
            None => {
                let most = (FIRST * (1 << (tries - 1).min(10))).min(self.longest);
                most / 2 + share(most / 2)
            }
        };
        (asked.is_none_or(|asked| asked <= self.longest) && waited + wait <= self.total).then_some(wait)
    }
}

/// What the answer's `Retry-After` asks for: seconds, or a date.
pub(super) fn retry_after(answer: &Response, now: SystemTime) -> Option<Duration> {
    delay(answer.headers().get(RETRY_AFTER)?.to_str().ok()?.trim(), now)
}

fn delay(text: &str, now: SystemTime) -> Option<Duration> {
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    Some(httpdate::parse_http_date(text).ok()?.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const S: Duration = Duration::from_secs(1);

    #[test]
    fn without_a_word_waits_grow_for_minutes_and_end() {
        for (patience, random, least) in [(Patience::PUBLISH, 0, 240), (Patience::PASS, 999, 40)] {
            let (mut waited, mut tries) = (Duration::ZERO, 0);
            while let Some(wait) = patience.wait(tries + 1, None, waited, random) {
                assert!(wait <= patience.longest);
                (waited, tries) = (waited + wait, tries + 1);
            }
            assert!(waited <= patience.total && waited >= least * S, "{waited:?} after {tries}");
        }
    }

    #[test]
    fn what_the_registry_asks_for_is_kept_within_limits() {
        let patience = Patience::PASS;
        assert_eq!(patience.wait(1, Some(10 * S), Duration::ZERO, 0), Some(10 * S));
        assert_eq!(patience.wait(1, Some(10 * S), Duration::ZERO, 500), Some(Duration::from_millis(10_500)));
        for (tries, asked, waited) in [(13, 0, 0), (1, 21, 0), (1, 10, 51)] {
            assert_eq!(
                patience.wait(tries, Some(asked * S), waited * S, 0),
                None,
                "{tries} {asked} {waited}"
            );
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        for (text, wait) in [
            ("0", Some(0)),
            ("120", Some(120)),
            ("Sun, 06 Nov 1994 08:50:07 GMT", Some(30)),
            ("Sunday, 06-Nov-94 08:50:07 GMT", Some(30)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
        ] {
            assert_eq!(delay(text, now), wait.map(|wait| wait * S), "{text}");
        }
    }
}
