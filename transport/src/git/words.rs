//! What a host says, fit to be shown: short, on one line, nothing that steers a terminal.

/// More is cut off (characters).
const LONGEST: usize = 600;

/// The words in some bytes, empty if there are none.
pub(super) fn words(said: &[u8]) -> String {
    let text = String::from_utf8_lossy(said);
    let lines = text.split(['\n', '\r']).map(plain).filter(|line| !line.is_empty());
    let joined = lines.collect::<Vec<_>>().join("; ");
    if joined.chars().count() <= LONGEST {
        return joined;
    }
    joined.chars().take(LONGEST).chain("...".chars()).collect()
}

/// One line; what isn't a visible character is left out.
fn plain(line: &str) -> String {
    // Characters that turn the direction of writing can make a line read otherwise than it is.
    let hidden = |c: &char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let shown: String = line.chars().filter(|c| !hidden(c)).collect();
    shown.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_not_steered() {
        let said = b"\x1b[31mGL-HOOK-ERR:  no\x07 direct push\r\n\n\xff\xe2\x80\xaeto main\n";
        assert_eq!(words(said), "[31mGL-HOOK-ERR: no direct push; \u{fffd}to main");
        assert_eq!(words(b"\n\r\n \t"), "");
        assert_eq!(words(&vec![b'x'; 10_000]).len(), LONGEST + 3);
    }
}
