//! Git's pkt-lines (gitprotocol-common): four hexadecimal digits with the length, then the content.

use bytes::{Buf, Bytes, BytesMut};

/// The longest line (bytes, with its length).
const LONGEST: usize = 65_520;

/// One line, its LF kept.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// The end of a section.
    Flush,
    Content(Bytes),
}

/// Lines out of pieces that are cut anywhere. Holds one line at most besides the newest piece.
#[derive(Debug, Default)]
pub(super) struct Lines(BytesMut);

impl Lines {
    pub(super) fn add(&mut self, piece: &[u8]) {
        self.0.extend_from_slice(piece);
    }

    /// The next whole line, none if more has to come first.
    pub(super) fn next(&mut self) -> Result<Option<Line>, &'static str> {
        let Some(digits) = self.0.get(..4) else { return Ok(None) };
        let digits = std::str::from_utf8(digits).map_err(|_| "a line without a length")?;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err("a line without a length");
        }
        let length = usize::from_str_radix(digits, 16).map_err(|_| "a line without a length")?;
        match length {
            0 => {
                self.0.advance(4);
                Ok(Some(Line::Flush))
            }
            5..=LONGEST if self.0.len() < length => Ok(None),
            5..=LONGEST => Ok(Some(Line::Content(self.0.split_to(length).freeze().slice(4..)))),
            _ => Err("a line of an impossible length"),
        }
    }

    /// True if nothing of a line is left.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// One line as it is sent.
pub(super) fn line(text: &str) -> String {
    format!("{:04x}{text}\n", text.len() + 5)
}

/// Without the LF that senders may add and readers must not need.
pub(super) fn trimmed(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn lines_come_out_whole_wherever_the_pieces_are_cut() {
        let sent = b"0006a\n0005b00000009done\n";
        for cut in 0..sent.len() {
            let (mut lines, mut found) = (Lines::default(), Vec::new());
            for piece in [&sent[..cut], &sent[cut..]] {
                lines.add(piece);
                while let Some(line) = lines.next().unwrap() {
                    found.push(line);
                }
            }
            let content = |text: &'static str| Line::Content(Bytes::from_static(text.as_bytes()));
            assert_eq!(found, [content("a\n"), content("b"), Line::Flush, content("done\n")], "{cut}");
            assert!(lines.is_empty());
        }
        assert_eq!(line("done"), "0009done\n");
    }

    #[test]
    fn what_is_no_length_is_refused() {
        for sent in ["zzzz", "+005a", "0001", "0002", "0004", "fff1", "<htm"] {
            let mut lines = Lines::default();
            lines.add(sent.as_bytes());
            assert!(lines.next().is_err(), "{sent}");
        }
    }
}
