//! Data goes to stdout, words for people go to stderr; `-o json` and `-o yaml` say the same to machines, `-o name` only
//! what things are called.

use std::fmt::Display;
use std::io::Write;

use pdp_policies::printable;
use serde::Serialize;

use super::failure::{Failure, Result, internal};

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    #[value(alias = "text")]
    Table,
    /// For machines.
    Json,
    /// The same as YAML.
    Yaml,
    /// Names alone, one a line, of commands that list or show things.
    Name,
}

impl Format {
    /// True if a program reads the result.
    pub fn is_for_machines(self) -> bool {
        matches!(self, Self::Json | Self::Yaml)
    }
}

/// Prints a result without names: `text` for people, `value` for machines.
///
/// # Errors
/// When `value` can't be written; `NoNames`, which [`super::start::parse`] says before anything is done.
pub fn print(format: Format, value: &impl Serialize, text: &str) -> Result<()> {
    match format {
        Format::Name => Err(no_names("this result")),
        _ => list(format, value, [""; 0], text),
    }
}

/// Prints things that have names: as [`print`], and for `-o name` one name a line.
///
/// # Errors
/// When `value` can't be written.
pub fn list(
    format: Format,
    value: &impl Serialize,
    names: impl IntoIterator<Item = impl Display>,
    text: &str,
) -> Result<()> {
    let text = match format {
        Format::Table => format!("{text}\n"),
        Format::Json => format!("{}\n", serde_json::to_string_pretty(value).map_err(internal)?),
        Format::Yaml => yaml(value)?,
        Format::Name => names.into_iter().map(|name| format!("{}\n", printable(&name.to_string()))).collect(),
    };
    write(&text);
    Ok(())
}

/// Prints what is meant for a file or a shell: the same in every format.
pub fn raw(text: &str) {
    write(&format!("{}\n", text.trim_end()));
}

/// A line for people.
pub fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

pub(super) fn no_names(what: &str) -> Failure {
    Failure::new("NoNames", format!("{what} has no names to print"))
        .cause("`-o name` is for commands that list or show things")
        .hint("leave it out, or use `-o json`")
}

/// A document of its own, as several may follow each other; by way of JSON, so that both say the same.
fn yaml(value: &impl Serialize) -> Result<String> {
    let value = serde_json::to_value(value).map_err(internal)?;
    let text = serde_saphyr::to_string(&value).map_err(internal)?;
    Ok(format!("---\n{}\n", text.trim_end()))
}

fn write(text: &str) {
    // A closed pipe (`| head`) is not an error.
    let _ = std::io::stdout().write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn yaml_reads_back_as_the_same_value() {
        let strings = [
            "",
            "yes",
            "no",
            "1.10",
            "0x10",
            "~",
            "null",
            "a: b",
            "# no",
            "- x",
            "two\nlines\n",
            "é\u{1f600}",
        ];
        for value in [
            json!(strings),
            json!({ "level": 42, "none": null, "true": true, "big": u64::MAX, "less": -1, "share": 0.5 }),
            json!([]),
            json!({}),
            json!({ "list": [], "map": {}, "deep": [{ "a": [1, [2]] }] }),
            json!("alone"),
        ] {
            let text = yaml(&value).unwrap();
            let read: Value = serde_saphyr::from_str(&text).unwrap();
            assert_eq!(read, value, "{text}");
        }
    }

    #[test]
    fn what_has_no_names_prints_none() {
        let failure = print(Format::Name, &json!({}), "text").unwrap_err();
        assert_eq!(failure.code, "NoNames");
    }
}
