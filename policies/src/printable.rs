//! Text of strangers for a terminal or a log: it must not move the cursor, nor turn the text around.

/// One line, with every control character and every mark that changes the direction of text escaped.
pub fn printable(line: &str) -> String {
    escaped(line, |_| false)
}

/// The same for several lines: their ends stay.
pub fn printable_lines(text: &str) -> String {
    escaped(text, |c| c == '\n')
}

/// True for a mark that changes the direction of text.
pub(crate) fn steers(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn escaped(text: &str, stays: impl Fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match (c.is_control() && !stays(c)) || steers(c) {
            true => shown.extend(c.escape_unicode()),
            false => shown.push(c),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_steers_the_terminal() {
        for (text, line, lines) in [
            ("plain ✔ text", "plain ✔ text", "plain ✔ text"),
            ("a\u{1b}[2Kb", "a\\u{1b}[2Kb", "a\\u{1b}[2Kb"),
            ("a\nb\r", "a\\u{a}b\\u{d}", "a\nb\\u{d}"),
            ("a\u{202e}b\u{9b}", "a\\u{202e}b\\u{9b}", "a\\u{202e}b\\u{9b}"),
        ] {
            assert_eq!((printable(text).as_str(), printable_lines(text).as_str()), (line, lines));
        }
    }
}
