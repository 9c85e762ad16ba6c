//! Shares that are finer than whole percents: what breaks one in two hundred is a common fault.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize, Serializer};

/// A share in tenths of a percent. Written `5`, `5%`, `0.5%` or `5‰`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "Written")]
pub struct PerMille(u16);

/// A number is meant in percent.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Number(f64),
    Text(String),
}

impl PerMille {
    /// From 0 to 1000.
    pub fn get(self) -> u16 {
        self.0
    }
}

impl From<crate::plan::Percent> for PerMille {
    fn from(percent: crate::plan::Percent) -> Self {
        Self(u16::from(percent.get()) * 10)
    }
}

impl FromStr for PerMille {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refuse = || format!("`{text}` is not a share: write 5%, 0.5% or 5‰ (at most 100%, one decimal)");
        let (number, decimals) = match text.strip_suffix('‰') {
            Some(number) => (number, 0),
            None => (text.strip_suffix('%').unwrap_or(text), 1),
        };
        let number = number.trim_end();
        let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let fits = part.len() == 1 && (decimals == 1 || whole.len() == number.len());
        if !(digits(whole) && digits(part) && fits) {
            return Err(refuse());
        }
        let whole: u16 = whole.parse().map_err(|_| refuse())?;
        let tenths = if decimals == 1 { whole.checked_mul(10) } else { Some(whole) };
        let tenths = tenths.zip(part.parse().ok()).and_then(|(tenths, part)| tenths.checked_add(part));
        tenths.filter(|tenths| *tenths <= 1000).map(Self).ok_or_else(refuse)
    }
}

impl TryFrom<Written> for PerMille {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        match written {
            Written::Number(number) => number.to_string().parse(),
            Written::Text(text) => text.parse(),
        }
    }
}

/// In percent: `5`, `0.5`.
impl fmt::Display for PerMille {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 % 10 {
            0 => write!(f, "{}", self.0 / 10),
            tenths => write!(f, "{}.{tenths}", self.0 / 10),
        }
    }
}

/// A number in percent.
impl Serialize for PerMille {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 % 10 {
            0 => serializer.serialize_u16(self.0 / 10),
            _ => serializer.serialize_f64(f64::from(self.0) / 10.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_read_in_percent_with_one_decimal_or_per_mille() {
        let read = |text: &str| text.parse::<PerMille>().ok().map(PerMille::get);
        let good = [
            ("5", 50),
            ("5%", 50),
            ("5 %", 50),
            ("0.5%", 5),
            ("5‰", 5),
            ("100", 1000),
            ("1000‰", 1000),
            ("0", 0),
        ];
        for (text, tenths) in good {
            assert_eq!(read(text), Some(tenths), "{text}");
        }
        for text in
            ["", "%", "101", "100.1", "1001‰", "0.55", "0.5‰", "-1", "1.", ".5", "5%%", "99999", "1e1", "+5"]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
