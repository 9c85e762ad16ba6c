//! What a proposal changes, in lines for people: nobody signs blindly.

use std::collections::{BTreeMap, BTreeSet};

use pdp_policies::trust::metadata;
use pdp_policies::{CatalogTree, Digest, printable};
use pdp_transport::cli::failure::{Failure, Result};
use serde_json::Value;

use super::pruned::targets;
use super::role::RoleFile;

/// A document as one line for each value, by its path.
type Values = BTreeMap<String, String>;

/// Role, version, expiry, keys and every value of every file that is another one than in the current catalog.
///
/// The files shown are the ones that the role lists by their hashes; others in `tree` are nobody's.
///
/// # Errors
/// When a file that the role lists newly is missing, or isn't the one that it lists.
pub(super) fn changes(
    current: &CatalogTree,
    before: &RoleFile,
    tree: &CatalogTree,
    after: &RoleFile,
) -> Result<Vec<String>> {
    let mut lines = vec![format!(
        "► role {}: version {} → {}, expires {} → {}",
        after.role,
        before.version(),
        after.version(),
        before.signed["expires"],
        after.signed["expires"]
    )];
    lines.extend(differences(&role_values(before), &role_values(after)));
    for name in targets(before).union(&targets(after)) {
        let (was, is) = (&before.signed["targets"][name.as_str()], &after.signed["targets"][name.as_str()]);
        if was != is {
            lines.extend(target(current, tree, name, is)?);
        }
    }
    Ok(lines.iter().map(|line| printable(line)).collect())
}

fn target(current: &CatalogTree, tree: &CatalogTree, name: &str, listed: &Value) -> Result<Vec<String>> {
    let path = format!("targets/{name}");
    let old = current.get(&path);
    let new = match listed {
        Value::Null => None,
        _ => Some(listed_file(tree, current, &path, listed)?),
    };
    let what = match (old, new) {
        (Some(_), Some(_)) => "changed",
        (None, Some(_)) => "new",
        (_, None) => "listed no more",
    };
    if let (Some(old), None) = (old, new) {
        return Ok(vec![format!("► {path}: {what} ({}, {} bytes)", Digest::of(old), old.len())]);
    }
    let values = |bytes: Option<&[u8]>| bytes.map(file_values).unwrap_or_default();
    let mut lines = vec![format!("► {path}: {what}")];
    lines.extend(differences(&values(old), &values(new)));
    Ok(lines)
}

/// The bytes that a signature of the role would stand for.
pub(super) fn listed_file<'a>(
    tree: &'a CatalogTree,
    current: &'a CatalogTree,
    path: &str,
    listed: &Value,
) -> Result<&'a [u8]> {
    let found = [tree, current].into_iter().find_map(|tree| as_listed(tree, path, listed));
    found.ok_or_else(|| {
        Failure::new("ProposalNotWhole", format!("the proposal lists a {path} that it doesn't hold"))
            .hint("nothing was signed: have it proposed again, and ask who wrote that branch")
    })
}

/// A tree's file, if it is the one that a role lists.
pub(super) fn as_listed<'a>(tree: &'a CatalogTree, path: &str, listed: &Value) -> Option<&'a [u8]> {
    tree.get(path).filter(|bytes| metadata::target(bytes) == *listed)
}

/// What isn't shown by itself.
fn role_values(file: &RoleFile) -> Values {
    let mut values = Values::new();
    flatten("", &file.rest(), &mut values);
    values
}

fn file_values(bytes: &[u8]) -> Values {
    let mut values = Values::new();
    match serde_json::from_slice(bytes) {
        Ok(value) => flatten("", &value, &mut values),
        Err(_) => drop(
            values.insert("content".to_owned(), format!("{} ({} bytes)", Digest::of(bytes), bytes.len())),
        ),
    }
    values
}

fn flatten(path: &str, value: &Value, into: &mut Values) {
    let below = |name: &str| format!("{path}{}{}", if path.is_empty() { "" } else { "." }, step(name));
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            fields.iter().for_each(|(name, value)| flatten(&below(name), value, into));
        }
        Value::Array(items) if !items.is_empty() => {
            items.iter().enumerate().for_each(|(n, value)| flatten(&format!("{path}[{n}]"), value, into));
        }
        leaf => drop(into.insert(path.to_owned(), leaf.to_string())),
    }
}

/// A name as part of a path. One with a dot in it must not pass for two: it would take another value's line.
fn step(name: &str) -> String {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if plain && !name.is_empty() { name.to_owned() } else { Value::from(name).to_string() }
}

fn differences(before: &Values, after: &Values) -> Vec<String> {
    let paths: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let mut lines = Vec::new();
    for path in paths {
        let (old, new) = (before.get(path), after.get(path));
        if old != new {
            lines.extend(old.map(|value| format!("  - {path}: {value}")));
            lines.extend(new.map(|value| format!("  + {path}: {value}")));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use pdp_policies::trust::Role;
    use serde_json::json;

    const CHANNEL: &str = "channel-pdp-2026.json";

    fn file(version: u64, expires: &str, targets: Value) -> RoleFile {
        let signed = json!({
            "version": version, "expires": expires, "targets": targets,
            "delegations": { "keys": { "aa": { "keyval": { "public": format!("key {version}") } } } },
        });
        RoleFile { role: Role::Channels, signed, signatures: BTreeMap::new() }
    }

    fn tree(content: &Value) -> CatalogTree {
        let mut tree = CatalogTree::default();
        tree.replace(&format!("targets/{CHANNEL}"), content.to_string().into_bytes()).unwrap();
        tree
    }

    fn shown(old: &Value, new: &Value, listed: &Value) -> Result<Vec<String>> {
        let listing = |content: &Value| json!({ CHANNEL: metadata::target(content.to_string().as_bytes()) });
        let before = file(6, "2027-01-01T00:00:00Z", listing(old));
        let after = file(7, "2027-02-01T00:00:00Z", listing(listed));
        changes(&tree(old), &before, &tree(new), &after)
    }

    #[test]
    fn role_version_expiry_keys_and_levels_are_shown() {
        let (old, new) = (json!({ "levels": [{ "level": 41 }] }), json!({ "levels": [{ "level": 42 }] }));
        let expected = [
            "► role channels: version 6 → 7, expires \"2027-01-01T00:00:00Z\" → \"2027-02-01T00:00:00Z\"",
            "  - delegations.keys.aa.keyval.public: \"key 6\"",
            "  + delegations.keys.aa.keyval.public: \"key 7\"",
            "► targets/channel-pdp-2026.json: changed",
            "  - levels[0].level: 41",
            "  + levels[0].level: 42",
        ];
        assert_eq!(shown(&old, &new, &new).unwrap(), expected);
    }

    #[test]
    fn a_value_that_moves_is_a_change() {
        let (old, new) = (json!({ "a": 1, "b": 2 }), json!({ "a": 2, "b": 1 }));
        assert_eq!(shown(&old, &new, &new).unwrap().iter().filter(|line| line.starts_with("  ")).count(), 6);
    }

    #[test]
    fn no_value_hides_behind_the_name_of_another() {
        let old = json!({ "level": { "sha256": "good" } });
        let new = json!({ "level": { "sha256": "evil" }, "level.sha256": "good" });
        let lines = shown(&old, &new, &new).unwrap();
        assert!(lines.contains(&"  + level.sha256: \"evil\"".to_owned()), "{lines:?}");
    }

    #[test]
    fn what_is_shown_is_what_is_signed() {
        let (old, harmless, meant) = (json!({ "level": 41 }), json!({ "level": 42 }), json!({ "level": 43 }));
        assert_eq!(shown(&old, &harmless, &meant).unwrap_err().code, "ProposalNotWhole");
    }

    #[test]
    fn nothing_that_is_shown_steers_the_terminal() {
        let evil = json!({ "reason\u{1b}[2K": "a\u{202e}b\u{9b}1A\r\n" });
        let lines = shown(&json!({}), &evil, &evil).unwrap();
        let steers = |c: char| c.is_control() || c == '\u{202e}';
        assert!(lines.len() > 3 && lines.iter().all(|line| !line.contains(steers)), "{lines:?}");
    }
}
