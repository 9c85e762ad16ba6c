//! A program's command line, from its arguments to its exit code.

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{ArgMatches, Command, Parser, ValueEnum};

use super::exit;
use super::failure::{Failure, Result};
use super::output::{Format, no_names, printed, say};

/// Reads the arguments of this process. `named` lists the commands that have names for `-o name`, such as `org list`:
/// all others are refused before they do anything.
///
/// # Errors
/// The exit code of a program that is done already: help was asked for, or the arguments are wrong, which has been said.
pub fn parse<C: Parser>(named: &[&str]) -> std::result::Result<(C, Format), ExitCode> {
    let given: Vec<OsString> = std::env::args_os().collect();
    match read(given.clone(), named) {
        Ok(Ok(read)) => Ok(read),
        Ok(Err(failure)) => Err(end(asked(&given), Err(failure))),
        Err(error) => Err(refuse(&error, asked(&given))),
    }
}

/// Says what a failed command ends with, on stderr.
pub fn end(format: Format, done: Result<u8>) -> ExitCode {
    match done {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            say(&failure.told(format));
            ExitCode::from(failure.exit)
        }
    }
}

/// Those of `named` that aren't commands of a program.
pub fn strangers<'a>(root: &Command, named: &[&'a str]) -> Vec<&'a str> {
    let is_there = |path: &str| {
        let mut words = path.split(' ');
        words.try_fold(root, |at, word| at.find_subcommand(word)).is_some_and(|leaf| !leaf.has_subcommands())
    };
    named.iter().copied().filter(|path| !is_there(path)).collect()
}

fn read<C: Parser>(
    given: Vec<OsString>,
    named: &[&str],
) -> std::result::Result<Result<(C, Format)>, clap::Error> {
    let matches = C::command().try_get_matches_from(given)?;
    let (format, path) = chosen(&matches);
    let cli = C::from_arg_matches(&matches).map_err(|error| error.format(&mut C::command()))?;
    if format == Format::Name && !named.contains(&path.as_str()) {
        return Ok(Err(no_names(&format!("`{path}`"))));
    }
    Ok(Ok((cli, format)))
}

/// The format and the path of the command that was chosen.
fn chosen(matches: &ArgMatches) -> (Format, String) {
    let of = |matches: &ArgMatches| matches.try_get_one::<Format>("output").ok().flatten().copied();
    let (mut at, mut path, mut format) = (matches, Vec::new(), of(matches));
    while let Some((name, inner)) = at.subcommand() {
        path.push(name);
        format = of(inner).or(format);
        at = inner;
    }
    (format.unwrap_or(Format::Table), path.join(" "))
}

/// The format that arguments ask for that can't be read otherwise; the last one counts.
fn asked(given: &[OsString]) -> Format {
    let words: Vec<_> = given.iter().map(|word| word.to_string_lossy()).collect();
    let words = words.split(|word| word == "--").next().unwrap_or_default();
    let one = |(place, word): (usize, &std::borrow::Cow<'_, str>)| {
        let next = words.get(place + 1).map(AsRef::as_ref);
        let value = match word.as_ref() {
            "-o" | "--output" => next?,
            word => {
                word.strip_prefix("--output=").or_else(|| word.strip_prefix("-o"))?.trim_start_matches('=')
            }
        };
        Format::from_str(value, false).ok()
    };
    words.iter().enumerate().filter_map(one).next_back().unwrap_or(Format::Table)
}

fn refuse(error: &clap::Error, format: Format) -> ExitCode {
    let is_answer = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    match is_answer {
        true => {
            let written = error.print().and_then(|()| std::io::stdout().flush());
            end(format, printed(written).map(|()| exit::DONE))
        }
        false if format.is_for_machines() => end(format, Err(usage(error))),
        false => {
            say(error.render().to_string().trim_end());
            ExitCode::from(exit::FAILED)
        }
    }
}

/// Clap's own words, as a failure.
fn usage(error: &clap::Error) -> Failure {
    let text = error.render().to_string();
    let what = match error.kind() {
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => "a command is missing".to_owned(),
        _ => line(text.trim_start_matches("error:").split("\n\n").next().unwrap_or_default()),
    };
    let said = |name: &str| text.split("\n\n").map(line).find(|part| part.starts_with(name));
    let failure = Failure::new("BadArguments", what);
    let failure = said("Usage:").into_iter().fold(failure, |failure, usage| failure.cause(usage));
    let tip = said("tip:").map(|tip| format!("{}; ", tip.trim_start_matches("tip:").trim()));
    failure.hint(format!("{}`--help` lists the options", tip.unwrap_or_default()))
}

fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_is_found_in_arguments_that_are_wrong() {
        for (words, format) in [
            ("x", Format::Table),
            ("x -o json", Format::Json),
            ("x -ojson", Format::Json),
            ("x -o=yaml", Format::Yaml),
            ("x --output json --bad", Format::Json),
            ("x --output=text", Format::Table),
            ("x -o json -o table", Format::Table),
            ("x -o", Format::Table),
            ("x -o xml", Format::Table),
            ("x -- -o json", Format::Table),
            ("x --out json", Format::Table),
        ] {
            let given: Vec<OsString> = words.split(' ').map(Into::into).collect();
            assert_eq!(asked(&given), format, "{words}");
        }
    }
}
