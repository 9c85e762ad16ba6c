//! `explain`: what a stable code means, what usually brings it about, what to do next.

use std::collections::BTreeMap;

use pdp_policies::printable;
use serde_json::json;

use super::codes::{Entry, all, nearest};
use super::exit;
use super::failure::{Failure, Result};
use super::output::{Format, list};

/// Which code.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The code, such as `NotFound`; all codes with a sentence each if absent.
    code: Option<String>,
}

/// Prints one code or all.
///
/// # Errors
/// `UnknownCode`, with the nearest known ones.
pub fn run(args: &Args, format: Format) -> Result<u8> {
    match &args.code {
        Some(code) => one(code, format)?,
        None => everything(format)?,
    }
    Ok(exit::DONE)
}

fn one(wanted: &str, format: Format) -> Result<()> {
    let mut found = all();
    found.retain(|entry| entry.code.eq_ignore_ascii_case(wanted));
    let Some(first) = found.first() else { return Err(unknown(wanted)) };
    let code = first.code.clone();
    let meanings: Vec<_> = found
        .iter()
        .map(|it| json!({ "source": it.source, "meaning": it.meaning, "cause": it.cause, "next": it.next }))
        .collect();
    let text: Vec<_> = found.iter().map(shown).collect();
    let value = json!({ "code": code, "meanings": meanings });
    list(format, &value, [&code], &format!("{code}\n{}", text.join("\n")))
}

fn shown(entry: &Entry) -> String {
    format!(
        "\n  in:       {}\n  meaning:  {}\n  cause:    {}\n  next:     {}",
        entry.source.words(),
        entry.meaning,
        entry.cause,
        entry.next
    )
}

fn everything(format: Format) -> Result<()> {
    let entries = all();
    let mut codes = BTreeMap::<&str, Vec<&str>>::new();
    for entry in &entries {
        codes.entry(&entry.code).or_default().push(&entry.meaning);
    }
    let width = codes.keys().map(|code| code.len()).max().unwrap_or_default();
    let lines: Vec<_> =
        codes.iter().map(|(code, meanings)| format!("{code:width$}  {}", meanings.join(" Or: "))).collect();
    list(format, &entries, codes.keys(), &lines.join("\n"))
}

fn unknown(wanted: &str) -> Failure {
    let failure = Failure::new("UnknownCode", format!("no code `{}`", printable(wanted)));
    let names: Vec<_> = nearest(wanted).iter().map(|code| format!("`{code}`")).collect();
    match names.is_empty() {
        true => failure.hint("`explain` without a code lists all"),
        false => {
            failure.hint(format!("did you mean {}? `explain` without a code lists all", names.join(", ")))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_unknown_code_names_the_nearest_and_prints_no_control_character() {
        let failure = unknown("HelmMising");
        assert!(failure.exit != exit::DONE && failure.hint.unwrap().contains("`HelmMissing`"));
        assert!(!unknown("\u{1b}[31mred").to_string().contains('\u{1b}'));
    }

    #[test]
    fn every_meaning_is_one_line_with_all_its_parts() {
        for Entry { code, meaning, cause, next, .. } in all() {
            for text in [&meaning, &cause, &next] {
                assert!(!text.is_empty() && !text.contains(['\n', '|']), "{code}: {text}");
                assert!(!text.contains('—') && text.trim() == text.as_str(), "{code}: {text}");
            }
            assert!(meaning.ends_with('.') || meaning.ends_with(')'), "{code}: {meaning}");
            assert!(
                !cause.ends_with('.') && !next.ends_with('.') || next.ends_with(".."),
                "{code}: {cause}; {next}"
            );
        }
    }

    #[test]
    fn no_source_has_a_code_twice() {
        let mut seen = std::collections::BTreeSet::new();
        for entry in all() {
            assert!(seen.insert((entry.source, entry.code.clone())), "{:?} {}", entry.source, entry.code);
        }
    }
}
