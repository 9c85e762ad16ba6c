//! Data goes to stdout, words for people go to stderr; `-o json` says the same to machines.

use std::io::Write;

use serde::Serialize;

use super::failure::{Result, internal};

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// Prints a result: `text` for people, `value` for machines.
///
/// # Errors
/// When `value` can't be written as JSON.
pub fn print(format: Format, value: &impl Serialize, text: &str) -> Result<()> {
    let line = match format {
        Format::Text => text.to_owned(),
        Format::Json => serde_json::to_string_pretty(value).map_err(internal)?,
    };
    // A closed pipe (`| head`) is not an error.
    let _ = writeln!(std::io::stdout(), "{line}");
    Ok(())
}

/// A line for people.
pub fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
