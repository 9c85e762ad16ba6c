//! Codes that look like one that doesn't exist.

use std::collections::BTreeSet;

/// So many at most are named.
const MOST: usize = 3;

/// The known codes that are nearest to `wanted`, nearest first; none if nothing is alike. At most 64 characters of
/// `wanted` count.
pub fn nearest(wanted: &str) -> Vec<String> {
    let wanted: String = wanted.chars().take(64).collect::<String>().to_lowercase();
    let codes: BTreeSet<String> = super::all().into_iter().map(|entry| entry.code).collect();
    let mut all: Vec<_> =
        codes.into_iter().filter_map(|code| Some((distance(&wanted, &code)?, code))).collect();
    all.sort();
    all.into_iter().take(MOST).map(|(_, code)| code).collect()
}

/// Edits between both; less if one begins with the other or is in it. None if they have little in common.
fn distance(wanted: &str, code: &str) -> Option<usize> {
    let code = code.to_lowercase();
    if wanted.len() >= 3 && (code.contains(wanted) || wanted.contains(&code)) {
        return Some(0);
    }
    let edits = edits(wanted, &code);
    (edits <= code.len() / 3 + 1).then_some(edits)
}

/// Insertions, deletions and exchanges that make one of the other (Levenshtein).
fn edits(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (above, a) in one.chars().enumerate() {
        let mut next = vec![above + 1];
        for (before, b) in other.iter().enumerate() {
            let exchanged = row.get(before).map_or(usize::MAX, |cost| cost + usize::from(a != *b));
            let inserted = next.last().map_or(usize::MAX, |cost| cost + 1);
            let deleted = row.get(before + 1).map_or(usize::MAX, |cost| cost + 1);
            next.push(exchanged.min(inserted).min(deleted));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_leads_to_the_code_that_was_meant() {
        for (wanted, first) in [
            ("HelmMising", Some("HelmMissing")),
            ("helmmissing", Some("HelmMissing")),
            ("LockStael", Some("LockStale")),
            ("error[NotFound]", Some("NotFound")),
            ("NotFoundd", Some("NotFound")),
            ("Zyzzyva", None),
            ("", None),
        ] {
            assert_eq!(nearest(wanted).first().map(String::as_str), first, "{wanted}");
        }
        assert!(nearest("key").len() <= MOST);
        assert_eq!(nearest(&"x".repeat(1_000_000)), [""; 0]);
    }

    #[test]
    fn edits_are_counted() {
        for (one, other, count) in [("", "", 0), ("a", "", 1), ("kitten", "sitting", 3), ("ab", "ba", 2)] {
            assert_eq!(edits(one, other), count, "{one} {other}");
        }
    }
}
