//! Cron rules as customers write them: five fields of numbers, and nothing that two programs read in two ways.

use std::fmt;
use std::sync::OnceLock;

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A rule as it is written. It is read once, when it is needed first: reading takes longer than all searches of a decision.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(from = "String", into = "String")]
#[schemars(with = "String")]
pub struct CronRule {
    text: String,
    read: OnceLock<Result<Cron, String>>,
}

impl CronRule {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The rule.
    ///
    /// # Errors
    /// What is wrong, and what to write instead.
    pub(crate) fn read(&self) -> Result<&Cron, &str> {
        self.read.get_or_init(|| read(&self.text)).as_ref().map_err(String::as_str)
    }
}

impl From<String> for CronRule {
    fn from(text: String) -> Self {
        Self { text, read: OnceLock::new() }
    }
}

impl From<CronRule> for String {
    fn from(rule: CronRule) -> Self {
        rule.text
    }
}

impl PartialEq for CronRule {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for CronRule {}

impl fmt::Debug for CronRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

/// More is no rule (bytes).
const MAX_BYTES: usize = 200;

fn read(text: &str) -> Result<Cron, String> {
    if text.len() > MAX_BYTES {
        return Err(format!("more than {MAX_BYTES} bytes"));
    }
    let fields: Vec<_> = text.split_ascii_whitespace().collect();
    let [_, _, day, _, weekday] = fields.as_slice() else {
        return Err(format!(
            "{} fields: write five, minute, hour, day of the month, month and weekday",
            fields.len()
        ));
    };
    if text.chars().any(|c| c.is_ascii_alphabetic() && !matches!(c, 'L' | 'W')) {
        return Err("names of months and days: write numbers; Sunday is 0".to_owned());
    }
    if *weekday == "L" {
        return Err(
            "`L` alone is no weekday: write `5L` for the last Friday, or `L` as day of the month for its last day"
                .to_owned(),
        );
    }
    if *day != "*" && *weekday != "*" {
        return Err(both(day, weekday));
    }
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    parser.parse(text).map_err(|error| error.to_string())
}

/// Cron opens on either, and nobody who writes both means that.
fn both(day: &str, weekday: &str) -> String {
    let weeks = ["1-7", "8-14", "15-21", "22-28"];
    let nth = weeks.iter().position(|week| *week == day).filter(|_| weekday.parse::<u8>().is_ok());
    let instead = match nth {
        Some(n) => format!("`* {weekday}#{}`", n + 1),
        None => "such as `6#1` for the first Saturday, `5L` for the last Friday".to_owned(),
    };
    format!(
        "day of the month `{day}` and weekday `{weekday}`: cron opens on either; keep one of them, or name the weekday of the \
         month: {instead}"
    )
}
