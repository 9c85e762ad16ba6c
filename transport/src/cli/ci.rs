//! CI systems read the log of a job for commands: lines that begin with `::` (GitHub), and `##[`, `##vso[`, `##teamcity[`
//! anywhere in a line. Whoever names a file or answers for a registry must not give one, so what is printed holds none.

use pdp_policies::printable_lines;

/// For people: no character steers the terminal, and no line is a command.
pub(super) fn inert(text: &str) -> String {
    let lines: Vec<_> = printable_lines(text).split('\n').map(without_colons).collect();
    without_hashes(&lines.join("\n"), "\\u{23}")
}

/// The same JSON value, written so that no line is a command. There `#` stands in strings alone, and no line begins with `:`.
pub(super) fn inert_json(text: &str) -> String {
    without_hashes(text, "\\u0023")
}

/// True if a line of it would be read as a command.
pub(super) fn has_command(text: &str) -> bool {
    text.split('\n').any(|line| colons(line).is_some()) || without_hashes(text, "") != text
}

fn without_colons(line: &str) -> String {
    match colons(line) {
        Some(at) => format!("{}\\u{{3a}}{}", &line[..at], &line[at + 1..]),
        None => line.to_owned(),
    }
}

/// Where a line begins with `::`. GitHub drops the white space before it.
fn colons(line: &str) -> Option<usize> {
    let at = line.find(|c: char| !c.is_whitespace() && !is_unseen(c))?;
    let rest = line[at..].strip_prefix(':')?;
    (rest.chars().find(|c| !is_unseen(*c)) == Some(':')).then_some(at)
}

fn without_hashes(text: &str, instead: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        match c == '#' && goes_on_as_command(&text[at + 1..]) {
            true => shown.push_str(instead),
            false => shown.push(c),
        }
    }
    shown
}

/// After `#`: another one, the name of a system or nothing, and `[`.
fn goes_on_as_command(rest: &str) -> bool {
    let mut seen = rest.chars().filter(|c| !is_unseen(*c));
    seen.next() == Some('#') && seen.find(|c| !c.is_ascii_alphabetic()) == Some('[')
}

/// .NET, in which two of the systems are written, may leave these out when it compares strings.
fn is_unseen(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}')
        || matches!(c, '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
        || matches!(c, '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::{Value, json};

    use super::*;

    const COMMANDS: &[(&str, &str)] = &[
        ("::error::x", "\\u{3a}:error::x"),
        ("  \u{a0}::add-mask::x", "  \u{a0}\\u{3a}:add-mask::x"),
        ("a\n::stop-commands::x", "a\n\\u{3a}:stop-commands::x"),
        (":\u{200b}:set-output name=a::b", "\\u{3a}\u{200b}:set-output name=a::b"),
        ("a ##[add-mask]x", "a \\u{23}#[add-mask]x"),
        ("###[group]", "#\\u{23}#[group]"),
        ("a ##vso[task.complete]", "a \\u{23}#vso[task.complete]"),
        ("##v\u{ad}so[task.complete]", "\\u{23}#v\u{ad}so[task.complete]"),
        ("##teamcity[x]", "\\u{23}#teamcity[x]"),
    ];

    #[test]
    fn no_line_for_people_is_a_command() {
        for (text, shown) in COMMANDS {
            assert!(has_command(text), "{text}");
            assert_eq!(inert(text), *shown);
            assert!(!has_command(shown), "{shown}");
        }
        let section = "section_start:1:a\r\u{1b}[0Ksection\r\n\u{1b}[31m";
        assert_eq!(inert(section), "section_start:1:a\\u{d}\\u{1b}[0Ksection\\u{d}\n\\u{1b}[31m");
    }

    #[test]
    fn what_is_no_command_stays_as_it_is() {
        for text in ["", "a::b", "a ::1", ": :", "## a", "##", "#[a]", "## [a]", "é ✔ a\n  b", "#: ::"] {
            assert!(!has_command(text), "{text}");
            assert_eq!(inert(text), text);
        }
    }

    #[test]
    fn json_says_the_same_without_commands() {
        for (text, _) in COMMANDS {
            let value = json!({ *text: [text, "\\##[a]"] });
            let written = inert_json(&serde_json::to_string_pretty(&value).unwrap());
            assert!(!has_command(&written), "{written}");
            assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), value);
        }
    }
}
