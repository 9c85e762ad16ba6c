//! Single values of a release.yaml are changed; everything else, comments too, stays byte for byte. Pure.

mod places;

use std::collections::BTreeMap;
use std::ops::Range;

use pdp_policies::release::ReleaseKind;
use pdp_policies::{Digest, Level};

use places::{Places, Written};

/// One change.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Edit {
    Level(Level),
    Kind(ReleaseKind),
    /// A field of the release goes, with all that it holds.
    Without(&'static str),
    /// Added behind the level where there is none.
    Base(Level),
    /// The release's own version.
    Version(String),
    ComponentVersion {
        component: String,
        version: String,
    },
    /// Of its chart; added behind the chart's name where there is none.
    ChartDigest {
        component: String,
        digest: Digest,
    },
}

/// The text after all changes. What a change is about has to be in the file.
///
/// # Errors
/// What can't be read, or isn't there, in words.
pub(crate) fn edited(text: &str, edits: &[Edit]) -> Result<String, String> {
    let places = Places::read(text)?;
    let mut pieces = BTreeMap::new();
    for edit in edits {
        let (range, new) = piece(text, &places, edit)?;
        pieces.insert((range.start, range.end), (range, new));
    }
    let (mut out, mut at) = (String::new(), 0);
    for (range, new) in pieces.into_values() {
        out.push_str(text.get(at..range.start).ok_or("two changes meet")?);
        out.push_str(&new);
        at = range.end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    Ok(out)
}

fn piece(text: &str, places: &Places, edit: &Edit) -> Result<(Range<usize>, String), String> {
    let component = |name: &str| {
        let found = places.components.iter().find(|it| it.name == name);
        found.ok_or_else(|| format!("no component `{name}`"))
    };
    Ok(match edit {
        Edit::Level(level) => (places.level.clone(), level.to_string()),
        Edit::Kind(kind) => {
            (places.kind.clone(), serde_json::json!(kind).as_str().unwrap_or_default().to_owned())
        }
        Edit::Without(field) => (block(text, field), String::new()),
        Edit::Version(version) => (places.version.clone(), scalar(text, &places.version, version)),
        Edit::Base(level) => match &places.base {
            Some(place) => (place.clone(), level.to_string()),
            None => behind(text, &places.level, "base", &level.to_string()),
        },
        Edit::ComponentVersion { component: name, version } => {
            let place = &component(name)?.version;
            (place.clone(), scalar(text, place, version))
        }
        Edit::ChartDigest { component: name, digest } => match &component(name)?.chart {
            Some(Written { digest: Some(place), .. }) => {
                (place.clone(), scalar(text, place, &digest.to_string()))
            }
            Some(Written { name, digest: None }) => behind(text, name, "digest", &digest.to_string()),
            None => return Err(format!("component `{name}` has no chart")),
        },
    })
}

/// The lines of a field of the release; comments in front of the next one stay. Empty if it isn't there.
fn block(text: &str, field: &str) -> Range<usize> {
    let mut lines = text.split_inclusive('\n').scan(0, |end, line| {
        *end += line.len();
        Some((*end - line.len(), *end, line))
    });
    let is = |line: &str| line.strip_prefix(field).is_some_and(|rest| rest.starts_with(':'));
    let Some((start, mut end, _)) = lines.find(|(_, _, line)| is(line)) else { return 0..0 };
    for (_, until, line) in lines {
        match line.bytes().next() {
            Some(b' ' | b'-') => end = until,
            Some(b'#' | b'\n' | b'\r') => {}
            _ => break,
        }
    }
    start..end
}

/// A further entry of the mapping in which a value stands: on a line of its own, or in braces.
fn behind(text: &str, value: &Range<usize>, key: &str, new: &str) -> (Range<usize>, String) {
    let line = text[..value.start].rfind('\n').map_or(0, |end| end + 1);
    let before = &text[line..value.start];
    let entry = before.trim_start_matches([' ', '-']);
    let in_block = entry
        .split_once(':')
        .is_some_and(|(key, rest)| rest.trim().is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric()));
    let indent = " ".repeat(before.len() - entry.len());
    let text = if in_block { format!("\n{indent}{key}: {new}") } else { format!(", {key}: {new}") };
    (value.end..value.end, text)
}

/// A text as YAML, quoted as the old one was, or where it would be read as something else.
fn scalar(text: &str, place: &Range<usize>, new: &str) -> String {
    let quote = text[place.clone()].chars().next().filter(|it| ['"', '\''].contains(it));
    let plain = new.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-+:".contains(&b))
        && serde_saphyr::from_str::<serde_json::Value>(new).is_ok_and(|value| value == new);
    match quote {
        Some(quote) if !new.contains(['"', '\'', '\\']) => format!("{quote}{new}{quote}"),
        None if plain => new.to_owned(),
        _ => serde_json::Value::from(new).to_string(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const TEXT: &str = "# Ours: ä\nline: pdp-2026\nlevel: 41   # the level\nversion: \"2026.11.1\"\nkind: security\n\
        # What it fixes.\nadvisories:\n- {id: A}   # one\n\n# further down\n- id: B\n  severity: high\n\n# All of them.\n\
        components:\n  # the manager\n  - name: manager\n    version: v1.19.4 # from upstream\n\
        \x20   chart:\n      name: cert-manager\n      repository: https://charts.example\n\
        \x20 - {name: agent, version: '1.2', chart: {name: agent, oci: oci://h.example/agent, digest: sha256:OLD}}\n";

    fn text() -> String {
        TEXT.replace("sha256:OLD", &Digest::of(b"old").to_string())
    }

    fn version(component: &str, version: &str) -> Edit {
        Edit::ComponentVersion { component: component.to_owned(), version: version.to_owned() }
    }

    #[test]
    fn one_value_changes_and_the_rest_stays() {
        let (old, new) = (Digest::of(b"old").to_string(), Digest::of(b"new"));
        let digest = |component: &str| Edit::ChartDigest { component: component.to_owned(), digest: new };
        for (edit, was, is) in [
            (Edit::Level(Level(42)), "level: 41   #", "level: 42   #".to_owned()),
            (Edit::Version("2026.12.1".into()), "\"2026.11.1\"", "\"2026.12.1\"".to_owned()),
            (Edit::Kind(ReleaseKind::Update), "kind: security", "kind: update".to_owned()),
            (
                Edit::Without("advisories"),
                "advisories:\n- {id: A}   # one\n\n# further down\n- id: B\n  severity: high\n",
                String::new(),
            ),
            (Edit::Without("supersedes"), "line: ", "line: ".to_owned()),
            (Edit::Base(Level(41)), "level: 41 ", "level: 41\nbase: 41 ".to_owned()),
            (version("manager", "v1.19.5"), "v1.19.4 #", "v1.19.5 #".to_owned()),
            (version("manager", "1.20"), "v1.19.4 #", "\"1.20\" #".to_owned()),
            (version("manager", "1.20.0+up1"), "v1.19.4 #", "1.20.0+up1 #".to_owned()),
            (version("agent", "1.3"), "'1.2'", "'1.3'".to_owned()),
            (digest("agent"), &old, new.to_string()),
            (digest("manager"), "name: cert-manager\n", format!("name: cert-manager\n      digest: {new}\n")),
        ] {
            let text = text();
            assert!(text.contains(was), "{was}");
            assert_eq!(
                edited(&text, std::slice::from_ref(&edit)).unwrap(),
                text.replacen(was, &is, 1),
                "{edit:?}"
            );
        }
    }

    #[test]
    fn several_values_change_at_once_and_it_is_read_as_meant() {
        let new = Digest::of(b"new");
        let edits = [
            version("agent", "1.3"),
            Edit::Level(Level(42)),
            Edit::Base(Level(41)),
            Edit::ChartDigest { component: "agent".into(), digest: new },
        ];
        let text = edited(&text(), &edits).unwrap();
        let value: serde_json::Value = serde_saphyr::from_str(&text).unwrap();
        assert_eq!((&value["level"], &value["base"]), (&42.into(), &41.into()));
        let agent = &value["components"][1];
        assert_eq!((&agent["version"], &agent["chart"]["digest"]), (&"1.3".into(), &new.to_string().into()));
        assert!(text.starts_with("# Ours: ä\n") && text.contains("# from upstream"));
    }

    #[test]
    fn a_digest_is_added_in_braces_too() {
        let flow = text().replace(&format!(", digest: {}", Digest::of(b"old")), "");
        let new = Digest::of(b"new");
        let edit = Edit::ChartDigest { component: "agent".into(), digest: new };
        let found = edited(&flow, &[edit]).unwrap();
        assert!(found.contains(&format!("{{name: agent, digest: {new}, oci:")), "{found}");
    }

    #[test]
    fn what_is_not_there_is_refused() {
        assert!(edited(TEXT, &[version("nobody", "1")]).unwrap_err().contains("no component `nobody`"));
        assert!(edited("level: [", &[]).is_err());
    }
}
