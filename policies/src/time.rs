//! Points in time and lengths of time as documents write them.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How far the vendor's clock and ours may differ (seconds). Later dates are `ClockSkew`.
pub const CLOCK_TOLERANCE: i64 = 15 * 60;

/// What "for ever" is written as.
const NEVER: &str = "9999-12-31T23:59:59Z";
const LAST_DAY: &str = "9999-12-31T00:00:00Z";

/// A point in time: RFC 3339, UTC, whole seconds, as every signed document writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct At(jiff::Timestamp);

/// A text that is not a time, or not one in whole seconds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a time such as 2026-11-23T08:00:00Z (UTC, whole seconds)")]
pub struct BadTime(String);

impl At {
    /// The time `unix` seconds after 1970, clamped to what a calendar can show.
    pub fn from_unix(unix: i64) -> Self {
        let clamped = unix.clamp(jiff::Timestamp::MIN.as_second() + 1, jiff::Timestamp::MAX.as_second() - 1);
        Self(jiff::Timestamp::from_second(clamped).unwrap_or(jiff::Timestamp::UNIX_EPOCH))
    }

    /// The end of time, which is what "for ever" is written as.
    pub fn never() -> Self {
        Self::from_unix(i64::MAX)
    }

    /// Drops the fraction of a second.
    pub fn of(time: jiff::Timestamp) -> Self {
        Self::from_unix(time.as_second())
    }

    /// Seconds since 1970.
    pub fn unix(self) -> i64 {
        self.0.as_second()
    }

    /// The time as jiff knows it.
    pub fn timestamp(self) -> jiff::Timestamp {
        self.0
    }

    /// This time and `span` more.
    pub fn plus(self, span: Span) -> Self {
        Self::from_unix(self.unix().saturating_add(span.seconds()))
    }

    /// Seconds from `earlier` to this; negative when `earlier` is later.
    pub fn seconds_since(self, earlier: At) -> i64 {
        self.unix() - earlier.unix()
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::never() {
            return f.write_str(NEVER);
        }
        write!(f, "{}", self.0)
    }
}

impl FromStr for At {
    type Err = BadTime;

    fn from_str(text: &str) -> Result<Self, BadTime> {
        let refuse = || BadTime(text.chars().take(40).collect());
        // A calendar with offsets ends a day before: what people write for "no end" is its end.
        if text == NEVER || text == LAST_DAY {
            return Ok(Self::never());
        }
        let time: jiff::Timestamp = text.parse().map_err(|_| refuse())?;
        if !text.ends_with('Z') || time.subsec_nanosecond() != 0 {
            return Err(refuse());
        }
        Ok(Self(time))
    }
}

impl TryFrom<String> for At {
    type Error = BadTime;

    fn try_from(text: String) -> Result<Self, BadTime> {
        text.parse()
    }
}

impl From<At> for String {
    fn from(at: At) -> Self {
        at.to_string()
    }
}

/// A length of time in whole seconds, written with its unit: `90s`, `10m`, `24h`, `7d`.
///
/// A bare number is refused: nobody knows whether `10` means seconds or minutes.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Span(u32);

/// A text that is not a length of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a length of time: write a whole number and its unit, such as 90s, 10m, 24h or 7d (at most 3650d)"
)]
pub struct BadSpan(String);

const UNITS: [(char, u32); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

impl Span {
    /// A span of `seconds`.
    pub const fn from_seconds(seconds: u32) -> Self {
        Self(seconds)
    }

    /// Its length in seconds.
    pub fn seconds(self) -> i64 {
        i64::from(self.0)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, size) = UNITS
            .into_iter()
            .find(|(_, size)| self.0 != 0 && self.0.is_multiple_of(*size))
            .unwrap_or(('s', 1));
        write!(f, "{}{unit}", self.0 / size)
    }
}

impl FromStr for Span {
    type Err = BadSpan;

    fn from_str(text: &str) -> Result<Self, BadSpan> {
        let read = || {
            let (unit, size) = UNITS.into_iter().find(|(unit, _)| text.ends_with(*unit))?;
            let number = text.strip_suffix(unit)?;
            if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            let seconds = number.parse::<u32>().ok()?.checked_mul(size)?;
            (seconds <= 3650 * 86_400).then_some(Self(seconds))
        };
        read().ok_or_else(|| BadSpan(text.chars().take(40).collect()))
    }
}

impl TryFrom<String> for Span {
    type Error = BadSpan;

    fn try_from(text: String) -> Result<Self, BadSpan> {
        text.parse()
    }
}

impl From<Span> for String {
    fn from(span: Span) -> Self {
        span.to_string()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn spans_need_a_unit_and_come_back_as_written() {
        for text in ["0s", "90s", "10m", "24h", "7d", "3650d"] {
            let span: Span = text.parse().unwrap();
            assert_eq!(span, span.to_string().parse().unwrap(), "{text}");
        }
        for bad in ["", "10", "m", "-1s", "+1s", "1.5h", "10 m", "1w", "99999999d", "１s"] {
            assert!(bad.parse::<Span>().is_err(), "{bad}");
        }
    }

    #[test]
    fn times_are_utc_in_whole_seconds() {
        assert_eq!("2026-11-23T08:00:00Z".parse::<At>().unwrap().to_string(), "2026-11-23T08:00:00Z");
        for forever in ["9999-12-31T23:59:59Z", "9999-12-31T00:00:00Z"] {
            let at: At = forever.parse().unwrap();
            assert_eq!((at, at.to_string().as_str()), (At::never(), "9999-12-31T23:59:59Z"));
            assert!(at > "9999-12-30T00:00:00Z".parse().unwrap() && at.plus(Span::from_seconds(9)) == at);
        }
        for bad in [
            "9999-12-31T24:00:00Z",
            "10000-01-01T00:00:00Z",
            "2026-11-23",
            "2026-11-23T08:00:00.5Z",
            "2026-11-23T08:00:00+01:00",
            "now",
        ] {
            assert!(bad.parse::<At>().is_err(), "{bad}");
        }
    }
}
