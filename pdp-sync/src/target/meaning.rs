//! What a file of ours means, whatever it looks like: a comment, a `---` or another order of keys is no edit.

use std::collections::BTreeSet;

use pdp_policies::{Digest, helm_yaml, printable, yaml};
use serde_json::Value;

/// So many differences are told.
const MOST_TOLD: usize = 8;
/// No value is told in more characters.
const MOST_CHARS: usize = 80;

/// The object in a file, none unless it is exactly one and both readers agree on it: ours, and the one of Flux, to which
/// `on` is a boolean. A file of two meanings is an edit.
fn meaning(content: &[u8]) -> Option<Value> {
    let text = std::str::from_utf8(content).ok()?;
    let mut documents = helm_yaml::documents(text).ok()?;
    documents.retain(|document| !document.is_null());
    let [flux] = documents.as_slice() else { return None };
    // An end that begins nothing more is nothing to Flux, and a second document to the other.
    let whole = text.trim_end();
    let whole = whole.strip_suffix("\n---").or_else(|| whole.strip_suffix("\r\n---")).unwrap_or(whole);
    let ours: Value = yaml::read(whole).ok()?;
    (ours == *flux).then_some(ours)
}

/// What a file may be recognized by: SHA-256 of its bytes, and of its meaning if it has one.
pub(crate) fn marks(content: &[u8]) -> BTreeSet<Digest> {
    let of_meaning = meaning(content).and_then(|value| serde_json::to_vec(&value).ok());
    // Never the digest of any file's bytes: JSON begins otherwise.
    let of_meaning = of_meaning.map(|json| Digest::of(&[b"meaning ", json.as_slice()].concat()));
    of_meaning.into_iter().chain([Digest::of(content)]).collect()
}

/// Where two files differ, each as `spec.interval: "10m" -> "1m"`; none if one of them can't be read as one object.
pub(crate) fn differences(ours: &[u8], theirs: &[u8]) -> Option<Vec<String>> {
    let mut found = Vec::new();
    differ("", Some(&meaning(ours)?), Some(&meaning(theirs)?), &mut found);
    if found.len() > MOST_TOLD {
        let more = found.len() - MOST_TOLD;
        found.truncate(MOST_TOLD);
        found.push(format!("and {more} more"));
    }
    Some(found)
}

fn differ(place: &str, ours: Option<&Value>, theirs: Option<&Value>, found: &mut Vec<String>) {
    match (ours, theirs) {
        (Some(Value::Object(ours)), Some(Value::Object(theirs))) => {
            let keys: BTreeSet<_> = ours.keys().chain(theirs.keys()).collect();
            keys.into_iter()
                .for_each(|key| differ(&below(place, key), ours.get(key), theirs.get(key), found));
        }
        (Some(Value::Array(ours)), Some(Value::Array(theirs))) => {
            let count = ours.len().max(theirs.len());
            (0..count).for_each(|n| differ(&format!("{place}[{n}]"), ours.get(n), theirs.get(n), found));
        }
        (ours, theirs) if ours == theirs => {}
        (ours, theirs) => found.push(format!("{place}: {} -> {}", told(ours), told(theirs))),
    }
}

fn below(place: &str, key: &str) -> String {
    let key = printable(key);
    if place.is_empty() { key } else { format!("{place}.{key}") }
}

fn told(value: Option<&Value>) -> String {
    let Some(value) = value else { return "nothing".to_owned() };
    let text = printable(&value.to_string());
    let more = text.chars().count() > MOST_CHARS;
    text.chars().take(MOST_CHARS).chain(more.then_some('…')).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const OURS: &str =
        "apiVersion: a/v1\nkind: HelmRelease\nspec:\n  interval: 10m\n  list: [1, two]\n  note: 'yes'\n";

    /// True if a file that pdp-sync wrote counts as the same after an edit.
    fn same(theirs: &str) -> bool {
        let known = marks(OURS.as_bytes());
        marks(theirs.as_bytes()).iter().any(|mark| known.contains(mark))
    }

    #[test]
    fn the_same_meaning_is_no_edit() {
        for theirs in [
            OURS.to_owned(),
            format!("---\n{OURS}"),
            format!("# reviewed by the change board\n---\n# twice\n{OURS}# end\n"),
            format!("{OURS}---\n"),
            format!("{OURS}...\n"),
            OURS.replace("\n", "\r\n"),
            OURS.replace("interval: 10m", "interval: \"10m\"   # as before"),
            "kind: HelmRelease\napiVersion: a/v1\nspec: {note: \"yes\", list: [1, 'two'], interval: 10m}".to_owned(),
            r#"{"kind": "HelmRelease", "apiVersion": "a/v1", "spec": {"note": "yes", "interval": "10m", "list": [1, "two"]}}"#.to_owned(),
        ] {
            assert!(same(&theirs), "{theirs}");
        }
    }

    #[test]
    fn another_meaning_to_anybody_is_an_edit() {
        for theirs in [
            String::new(),
            OURS.replace("10m", "1m"),
            OURS.replace("interval: 10m", "interval: 10m\n  suspend: true"),
            OURS.replace("  interval: 10m\n", ""),
            OURS.replace("[1, two]", "[two, 1]"),
            OURS.replace("[1, two]", "['1', two]"),
            OURS.replace("[1, two]", "[1.0, two]"),
            // A boolean to Flux, a text to YAML 1.2.
            OURS.replace("'yes'", "yes"),
            // Kustomize refuses what Helm takes.
            OURS.replace("interval: 10m", "interval: 10m\n  interval: 10m"),
            format!("{OURS}---\n{OURS}"),
            format!("{OURS}---\nkind: ClusterRoleBinding\n"),
            OURS.replace("kind: HelmRelease", "kind: [HelmRelease"),
        ] {
            assert!(!same(&theirs), "{theirs}");
        }
        assert!(marks(b"\xff\xfe").len() == 1 && marks(b"plain text").len() == 2);
    }

    #[test]
    fn what_differs_is_told_by_its_place() {
        let theirs = "kind: HelmRelease\napiVersion: a/v1\nspec:\n  list: [1]\n  interval: 1m\n  note: 'yes'\n  suspend: true\n";
        let told = differences(OURS.as_bytes(), theirs.as_bytes()).unwrap();
        assert_eq!(
            told,
            [
                "spec.interval: \"10m\" -> \"1m\"",
                "spec.list[1]: \"two\" -> nothing",
                "spec.suspend: nothing -> true",
            ]
        );
        assert_eq!(differences(OURS.as_bytes(), b"a: [b").map(|it| it.len()), None);
        let many: String = (0..30).map(|n| format!("k{n:02}: \"{}\\e[31m\"\n", "x".repeat(200))).collect();
        let told = differences(OURS.as_bytes(), many.as_bytes()).unwrap();
        assert_eq!((told.len(), told[8].as_str()), (9, "and 25 more"));
        assert!(told.iter().all(|it| it.chars().count() < 120 && !it.contains('\u{1b}')), "{told:?}");
    }
}
