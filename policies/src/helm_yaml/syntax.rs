//! Where go-yaml's syntax, which is YAML 1.1, is narrower than the parser's: what Helm refuses is refused here, too.

use std::ops::Range;

use super::{Result, place, problem};

/// Tabs in places where only spaces indent: at the start of a line, and after `-`, `?` and `:` there. `free` are the
/// scalars and flow collections, which have their own rules. The range begins with a line.
pub(super) fn tabs(text: &str, range: Range<usize>, free: &[Range<usize>]) -> Result<()> {
    let mut start = range.start;
    let mut free = free.iter().peekable();
    for line in text.get(range).unwrap_or_default().split_inclusive('\n') {
        while free.peek().is_some_and(|range| range.end <= start) {
            free.next();
        }
        let indent = indentation(line);
        let end = free.peek().map_or(usize::MAX, |range| range.start.saturating_sub(start));
        let tab = indent.find('\t').filter(|at| *at < end);
        if let Some(at) = tab {
            return Err(problem(&place(text, start + at), "a tab can't indent: Helm takes spaces only"));
        }
        start += line.len();
    }
    Ok(())
}

/// Blanks, and indicators that blanks follow.
fn indentation(line: &str) -> &str {
    let blank = |c: char| matches!(c, ' ' | '\t');
    let mut rest = line.trim_start_matches(blank);
    while let Some(after) = rest.strip_prefix(['-', '?', ':']).filter(|after| after.starts_with(blank)) {
        rest = after.trim_start_matches(blank);
    }
    &line[..line.len() - rest.len()]
}

/// A name of an anchor that go-yaml reads whole.
pub(super) fn is_anchor(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}

/// Whether a scalar in double quotes has an escape that JSON knows and go-yaml doesn't: `\/`, half a character.
pub(super) fn has_escape_of_json(quoted: &str) -> bool {
    let mut rest = quoted;
    while let Some(at) = rest.find('\\') {
        let escape = &rest[at + 1..];
        let code = escape.strip_prefix('u').and_then(|code| u32::from_str_radix(code.get(..4)?, 16).ok());
        if escape.starts_with('/') || code.is_some_and(|code| (0xd800..0xe000).contains(&code)) {
            return true;
        }
        rest = escape.get(1..).unwrap_or_default();
    }
    false
}
