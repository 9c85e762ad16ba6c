//! Names of files in a Helm chart: whatever people type, as long as it stays in the chart.

use crate::printable::steers;

/// A file system takes no longer name (bytes).
const MAX_NAME: usize = 255;
/// Longer paths aren't read (bytes).
const MAX_PATH: usize = 1024;

/// True for a relative path of plain segments, `/` between them: spaces and any letters may be in it. Control
/// characters, back-slashes, marks that turn text around, and what Helm itself refuses (`..` at the beginning, a drive's
/// letter) may not.
pub fn is_chart_path(path: &str) -> bool {
    let names = || path.split('/');
    let drive = names().next().is_some_and(|first| first.len() == 2 && first.ends_with(':'));
    path.len() <= MAX_PATH
        && !path.starts_with("..")
        && !drive
        && !path.chars().any(|c| c == '\\' || c.is_control() || steers(c))
        && names().all(|name| !matches!(name, "" | "." | "..") && name.len() <= MAX_NAME)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_letters_are_fine_within_the_chart() {
        let long = "a".repeat(255);
        for good in [
            "Chart.yaml",
            "files/größe 1.txt",
            "files/日本.yaml",
            "a/..b",
            "a/b..",
            " a",
            "a/ ",
            ".x",
            "💡",
            &long,
        ] {
            assert!(is_chart_path(good), "{good:?}");
        }
        for bad in [
            "",
            "/",
            "/a",
            "a//b",
            "a/",
            "..",
            "../a",
            "a/../b",
            "a/..",
            "./a",
            "a/.",
            "..a",
            "a\\b",
            "a\nb",
            "a\tb",
            "a\u{7f}",
            "a\u{85}b",
            "a\u{202e}b",
            "c:/a",
            "C:",
            &"a".repeat(256),
            &"a/".repeat(600),
        ] {
            assert!(!is_chart_path(bad), "{bad:?}");
        }
    }
}
