//! One finding per image, however many files name it.

use super::Finding;

/// Joins findings about the same image of the same component; the first file is named, the others are counted.
pub(super) fn per_image(findings: Vec<Finding>) -> Vec<Finding> {
    let mut joined: Vec<(Finding, usize)> = Vec::new();
    for finding in findings {
        let same = |(other, _): &(Finding, usize)| {
            finding.code == "UndigestedImage"
                && (&other.file, &other.message) == (&finding.file, &finding.message)
        };
        match joined.iter_mut().find(|other| same(other)) {
            Some((_, more)) => *more += 1,
            None => joined.push((finding, 0)),
        }
    }
    joined.into_iter().map(|(finding, more)| counted(finding, more)).collect()
}

fn counted(finding: Finding, more: usize) -> Finding {
    match more {
        0 => finding,
        more => Finding { message: format!("{} (also in {more} other file(s))", finding.message), ..finding },
    }
}
