//! Data goes to stdout, words for people go to stderr; `-o json` and `-o yaml` say the same to machines, `-o name` only
//! what things are called.

use std::fmt::Display;
use std::io::{ErrorKind, Write};

use pdp_policies::printable;
use serde::Serialize;

use super::ci;
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
/// `NotPrinted`; when `value` can't be written; `NoNames`, which [`super::start::parse`] says before anything is done.
pub fn print(format: Format, value: &impl Serialize, text: &str) -> Result<()> {
    match format {
        Format::Name => Err(no_names("this result")),
        _ => list(format, value, [""; 0], text),
    }
}

/// Prints things that have names: as [`print`], and for `-o name` one name a line.
///
/// # Errors
/// `NotPrinted`; when `value` can't be written.
pub fn list(
    format: Format,
    value: &impl Serialize,
    names: impl IntoIterator<Item = impl Display>,
    text: &str,
) -> Result<()> {
    let text = match format {
        Format::Table => format!("{}\n", ci::inert(text)),
        Format::Json => format!("{}\n", json(value)?),
        Format::Yaml => yaml(value)?,
        Format::Name => names.into_iter().map(|name| format!("{}\n", line(&name.to_string()))).collect(),
    };
    write(&text)
}

/// Prints what is meant for a file or a shell, and nobody else wrote: the same in every format.
///
/// # Errors
/// `NotPrinted`.
pub fn raw(text: &str) -> Result<()> {
    write(&format!("{}\n", text.trim_end()))
}

/// A line for people.
pub fn say(text: &str) {
    annotate(&ci::inert(text));
}

/// A line that a CI system is meant to read as a command: whoever makes it has escaped all that others wrote.
pub fn annotate(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
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
    let is_plain = !text.contains(|c: char| c.is_control() && c != '\n') && !ci::has_command(&text);
    // JSON is YAML, too, and can escape every character.
    let text = if is_plain { text } else { json(&value)? };
    Ok(format!("---\n{}\n", text.trim_end()))
}

fn json(value: &impl Serialize) -> Result<String> {
    Ok(ci::inert_json(&serde_json::to_string_pretty(value).map_err(internal)?))
}

fn line(name: &str) -> String {
    ci::inert(&printable(name))
}

fn write(text: &str) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    printed(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()))
}

/// What writing to stdout ended with. Who closed the pipe (`| head`) has read enough.
///
/// # Errors
/// `NotPrinted`: a script would go on with half a result.
pub(super) fn printed(written: std::io::Result<()>) -> Result<()> {
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::new("NotPrinted", "the result can't be written to stdout").cause(error).hint(
                "what the command did stays done; see where stdout leads to, then ask for the result again",
            ))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeMap;

    use super::super::exit;
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn words_that_older_yaml_takes_for_values_are_quoted() {
        for word in [
            "y",
            "no",
            "On",
            "off",
            "TRUE",
            "~",
            "null",
            "017",
            "0x1f",
            "1e3",
            "12:30:45",
            "1_000",
            "2026-12-01",
        ] {
            let text = yaml(&json!([word])).unwrap();
            assert!(text.contains(['"', '\'']), "{text}");
        }
    }

    #[test]
    fn a_closed_pipe_is_no_error_and_a_full_disk_is() {
        assert!(printed(Ok(())).is_ok() && printed(Err(ErrorKind::BrokenPipe.into())).is_ok());
        let failure = printed(Err(ErrorKind::StorageFull.into())).unwrap_err();
        assert_eq!((failure.code.as_str(), failure.exit), ("NotPrinted", exit::FAILED));
    }

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
        // Words that YAML 1.1 or 1.2 takes for something else, and characters that mean something to either.
        let odd = "y n on Off TRUE Null .inf -.INF .NaN 1e3 1_000 0o17 017 +1 1. .5 12:30:45 2026-12-01 2026-12-01T00:00:00Z \
                   = << ! !!str &a *a @a `a` %a ? ?a - --- ... : :a a: | > { } [ ] , # a#b ' \" \\ 0b11 1e-7 -0";
        let odd: Vec<_> = odd.split_whitespace().collect();
        let spaces = [
            " a",
            "a ",
            "\t",
            "a\tb",
            "\n",
            "\r\n",
            "a\r",
            "\u{85}",
            "\u{2028}",
            "\u{feff}a",
            "\u{7f}",
            "a\n\u{1b}[31m\n",
        ];
        let keyed: BTreeMap<_, _> = odd.iter().chain(&spaces).map(|key| (*key, 1)).collect();
        for value in [
            json!(strings),
            json!(odd),
            json!(spaces),
            json!(keyed),
            json!(["a\n::error::x\n", "##[add-mask]y"]),
            json!({ "level": 42, "none": null, "true": true, "big": u64::MAX, "less": -1, "share": 0.5 }),
            json!([]),
            json!({}),
            json!({ "list": [], "map": {}, "deep": [{ "a": [1, [2]] }] }),
            json!("alone"),
        ] {
            let text = yaml(&value).unwrap();
            assert!(!ci::has_command(&text), "{text}");
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
