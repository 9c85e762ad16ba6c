//! Findings get the file and the line that they are about, for editors and for CI.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use pdp_policies::line_of;
use pdp_policies::yaml::MAX_YAML_BYTES;
use pdp_transport::files::read_capped;

use super::Finding;

/// Fills in `path` and `line` of each. What can't be read has no line; it is told of elsewhere.
pub(super) fn locate(findings: &mut [Finding]) {
    let here = std::env::current_dir().unwrap_or_default();
    let mut texts: HashMap<String, Option<String>> = HashMap::new();
    for finding in findings {
        let file = Path::new(&finding.file);
        if file.is_dir() {
            let (inner, line) = split(&finding.place);
            let path = file.join(inner);
            (finding.path, finding.line) = match path.is_file() {
                true => (plain(&path, &here), line),
                false => (plain(file, &here), None),
            };
        } else {
            let text = texts.entry(finding.file.clone()).or_insert_with(|| text(file));
            finding.line = text.as_deref().and_then(|text| line(text, &finding.place));
            finding.path = plain(file, &here);
        }
    }
}

fn text(file: &Path) -> Option<String> {
    let bytes = file.is_file().then(|| read_capped(file, MAX_YAML_BYTES as u64))?.ok()??;
    String::from_utf8(bytes).ok()
}

/// Of `line:column`, or of a place in the text.
fn line(text: &str, place: &str) -> Option<usize> {
    match split(place) {
        ("", line) => line,
        _ => line_of(text, place),
    }
}

/// `path:line:column`, `path:line`, `line:column` or `path`.
pub(super) fn split(place: &str) -> (&str, Option<usize>) {
    let number = |text: &str| text.parse::<usize>().ok();
    let parts: Vec<_> = place.rsplitn(3, ':').collect();
    match parts.as_slice() {
        [column, line, path] if number(column).is_some() && number(line).is_some() => (path, number(line)),
        [column, line] if number(column).is_some() && number(line).is_some() => ("", number(line)),
        [line, path @ ..] if number(line).is_some() && !path.is_empty() => {
            (place.rsplit_once(':').map_or(place, |(path, _)| path), number(line))
        }
        _ => (place, None),
    }
}

/// Without `x/..`, and from the current folder on if it lies in there. Links aren't followed.
fn plain(path: &Path, here: &Path) -> String {
    let mut plain = PathBuf::new();
    for part in path.strip_prefix(here).unwrap_or(path).components() {
        let named = matches!(plain.components().next_back(), Some(Component::Normal(_)));
        match part {
            Component::CurDir => {}
            Component::ParentDir if named => drop(plain.pop()),
            part => plain.push(part),
        }
    }
    plain.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_may_end_with_line_and_column() {
        for (place, wanted) in [
            ("3:5", ("", Some(3))),
            ("crds/a.yaml:3:5", ("crds/a.yaml", Some(3))),
            ("crds/a.yaml:3", ("crds/a.yaml", Some(3))),
            ("crds/a.yaml", ("crds/a.yaml", None)),
            ("components.a.version", ("components.a.version", None)),
            ("a:b:c", ("a:b:c", None)),
            ("7", ("7", None)),
            ("", ("", None)),
        ] {
            assert_eq!(split(place), wanted, "{place}");
        }
    }

    #[test]
    fn paths_are_as_short_as_they_can_be() {
        for (path, wanted) in [
            ("42/../charts/a/Chart.yaml", "charts/a/Chart.yaml"),
            ("./42/release.yaml", "42/release.yaml"),
            ("/here/line/42/release.yaml", "line/42/release.yaml"),
            ("/there/42/../charts", "/there/charts"),
            ("../line/42/release.yaml", "../line/42/release.yaml"),
            ("../../a", "../../a"),
            ("42/..", ""),
        ] {
            assert_eq!(plain(Path::new(path), Path::new("/here")), wanted, "{path}");
        }
    }

    #[test]
    fn lines_are_those_of_the_place() {
        let text = "line: a\ncomponents:\n  - name: b\n    version: 1\n";
        for (place, wanted) in [("components.b.version", Some(4)), ("4:3", Some(4)), ("file", None)] {
            assert_eq!(line(text, place), wanted, "{place}");
        }
    }
}
