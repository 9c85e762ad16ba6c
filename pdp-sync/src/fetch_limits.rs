//! How much of the customer's own repository one fetch may take, and how long it may be silent.

use std::str::FromStr;
use std::time::Duration;

use pdp_policies::Span;
use pdp_transport::git::Limits;
use serde::Deserialize;

const MIB: u64 = 1024 * 1024;
/// A fetch that is larger than this is nobody's repository of Flux objects (bytes).
const LARGEST: u64 = 64 * 1024 * MIB;
/// Longest silence that may be asked for.
const LONGEST: Span = Span::from_seconds(600);

/// What the customer says of the own repository; what isn't said stays as it is.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FetchLimits {
    /// What one fetch may download (1Mi to 64Gi, 2Gi unless said otherwise); the cache takes twice as much on disk.
    #[serde(default)]
    pub(crate) download: Option<Size>,
    /// So long the host may be silent (1s to 10m, 30s unless said otherwise). A whole fetch may take any time.
    #[serde(default)]
    pub(crate) silence: Option<Span>,
}

impl FetchLimits {
    /// All that is wrong with it, in words.
    pub(crate) fn problems(&self) -> Vec<String> {
        let size = self.download.filter(|size| !(MIB..=LARGEST).contains(&size.bytes()));
        let span = self.silence.filter(|span| span.seconds() < 1 || *span > LONGEST);
        let size = size.map(|_| "spec.target.git.limits.download is not between 1Mi and 64Gi".to_owned());
        let span = span.map(|_| "spec.target.git.limits.silence is not between 1s and 10m".to_owned());
        size.into_iter().chain(span).collect()
    }

    /// As the Git client wants them.
    pub(crate) fn limits(&self) -> Limits {
        Limits::customer(self.download.map_or(Limits::CUSTOMER_PACK_BYTES, Size::bytes))
    }

    /// How long the host may be silent, if anything is said of it.
    pub(crate) fn silence(&self) -> Option<Duration> {
        self.silence.map(|span| Duration::from_secs(span.seconds().unsigned_abs()))
    }
}

/// Bytes, written as Kubernetes does: `512Mi`, `2Gi`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Size(u64);

impl Size {
    pub(crate) fn bytes(self) -> u64 {
        self.0
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let shown: String = text.escape_default().take(40).collect();
        let bad = || format!("`{shown}` is not a size: a number and Mi or Gi, as 512Mi");
        let unit = [("Mi", MIB), ("Gi", 1024 * MIB)];
        let (number, unit) =
            unit.iter().find_map(|(name, size)| Some((text.strip_suffix(name)?, size))).ok_or_else(bad)?;
        if number.is_empty() || number.len() > 9 || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(bad());
        }
        let number: u64 = number.parse().map_err(|_| bad())?;
        number.checked_mul(*unit).map(Self).ok_or_else(bad)
    }
}

impl TryFrom<String> for Size {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn sizes_are_numbers_with_a_unit() {
        for (text, bytes) in [("1Mi", MIB), ("512Mi", 512 * MIB), ("2Gi", 2048 * MIB), ("007Mi", 7 * MIB)] {
            assert_eq!(text.parse::<Size>().unwrap().bytes(), bytes, "{text}");
        }
        for text in
            ["", "Mi", "1", "1M", "1.5Gi", "-1Mi", "+1Mi", " 1Mi", "1 Mi", "1mi", "9999999999Gi", "١Mi"]
        {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
    }

    #[test]
    fn limits_out_of_range_are_named() {
        let limits = |download: &str, silence: &str| FetchLimits {
            download: Some(download.parse().unwrap()),
            silence: Some(silence.parse().unwrap()),
        };
        assert!(limits("1Mi", "1s").problems().is_empty());
        assert!(limits("64Gi", "10m").problems().is_empty());
        assert!(limits("0Mi", "30s").problems()[0].contains("limits.download"));
        assert!(limits("65Gi", "30s").problems()[0].contains("limits.download"));
        assert_eq!(limits("0Mi", "11m").problems().len(), 2);
        assert_eq!(limits("3Mi", "1m").limits().pack_bytes, 3 * MIB);
        assert_eq!(FetchLimits::default().limits(), Limits::customer(Limits::CUSTOMER_PACK_BYTES));
    }
}
