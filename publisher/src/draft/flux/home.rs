//! Which Git repository the folder is: a path in Flux's objects is one of a repository, and that may be another one.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Key, shown};

const GIT: &str = "GitRepository";
/// What `flux bootstrap` calls the repository that it writes these objects to, and its namespace.
const BOOTSTRAP: &str = "flux-system";
const NEXT: &str = "put them beside the level, and write their path";

/// The repository that the folder is.
#[derive(Debug, Default, PartialEq)]
pub(super) enum Home {
    /// No files are taken from Git.
    #[default]
    Any,
    One(Key),
    /// There are several, and none is Flux's own.
    Unclear,
}

impl Home {
    /// Flux's own repository, or the only one that files are taken from.
    pub(super) fn of(all: &BTreeMap<Key, Value>) -> Self {
        let named: BTreeSet<_> = all.iter().flat_map(named).collect();
        let own = (GIT.to_owned(), BOOTSTRAP.to_owned(), BOOTSTRAP.to_owned());
        if named.contains(&own) || all.contains_key(&own) {
            return Self::One(own);
        }
        let by_content: BTreeMap<_, _> = named.into_iter().map(|key| (content(all, &key), key)).collect();
        match by_content.len() {
            0 | 1 => by_content.into_values().next().map_or(Self::Any, Self::One),
            _ => Self::Unclear,
        }
    }

    /// Why the files of a source aren't in the folder; none if they are.
    pub(super) fn elsewhere(
        &self,
        all: &BTreeMap<Key, Value>,
        namespace: &str,
        reference: &Value,
    ) -> Option<String> {
        let key = git(namespace, reference)?;
        match self {
            Self::One(home) if content(all, home) != content(all, &key) => Some(format!(
                "its files lie in {}, and this folder is taken for {}: {NEXT}",
                shown(&key),
                shown(home)
            )),
            Self::Unclear => Some(format!(
                "its files lie in {}, and which of several Git repositories this folder is nobody says: {NEXT}, or give the \
                 objects of one repository alone",
                shown(&key)
            )),
            _ => None,
        }
    }
}

/// The Git repositories that an object takes files from.
fn named((key, object): (&Key, &Value)) -> Option<Key> {
    let spec = &object["spec"];
    let reference = match key.0.as_str() {
        "Kustomization" | "HelmChart" => &spec["sourceRef"],
        "HelmRelease" => &spec["chart"]["spec"]["sourceRef"],
        _ => return None,
    };
    git(&key.1, reference)
}

fn git(namespace: &str, reference: &Value) -> Option<Key> {
    let name = reference["name"].as_str().filter(|_| reference["kind"] == GIT)?;
    let namespace = reference["namespace"].as_str().unwrap_or(namespace);
    Some((GIT.to_owned(), namespace.to_owned(), name.to_owned()))
}

/// Two objects of one address and one branch, tag or commit have the same files.
fn content(all: &BTreeMap<Key, Value>, key: &Key) -> String {
    let spec = all.get(key).map(|object| &object["spec"]);
    let address = spec.and_then(|spec| spec["url"].as_str()).map(address);
    match (spec, address) {
        (Some(spec), Some(address)) => json!([address, spec["ref"]]).to_string(),
        _ => shown(key),
    }
}

/// Without what differs by how one logs in.
fn address(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.split_once('@').map_or(rest, |(_, rest)| rest).trim_end_matches('/');
    rest.strip_suffix(".git").unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(kind: &str, name: &str) -> Key {
        (kind.to_owned(), "apps".to_owned(), name.to_owned())
    }

    fn of(name: &str) -> (Key, Value) {
        let spec = json!({ "sourceRef": { "kind": GIT, "name": name } });
        (key("Kustomization", name), json!({ "spec": spec }))
    }

    fn at(name: &str, url: &str, branch: &str) -> (Key, Value) {
        (key(GIT, name), json!({ "spec": { "url": url, "ref": { "branch": branch } } }))
    }

    #[test]
    fn the_folder_is_the_only_repository_or_fluxs_own() {
        let home = |all: &[(Key, Value)]| Home::of(&all.iter().cloned().collect());
        assert_eq!(home(&[]), Home::Any);
        assert_eq!(home(&[of("a")]), Home::One(key(GIT, "a")));
        assert_eq!(home(&[of("a"), of("b")]), Home::Unclear);
        let same = [at("a", "https://g.example/r.git", "main"), at("b", "ssh://git@g.example/r", "main")];
        assert_eq!(home(&[&same[..], &[of("a"), of("b")]].concat()), Home::One(key(GIT, "b")));
        let other = [at("a", "https://g.example/r", "main"), at("b", "https://g.example/r", "next")];
        assert_eq!(home(&[&other[..], &[of("a"), of("b")]].concat()), Home::Unclear);
        let own = (GIT.to_owned(), BOOTSTRAP.to_owned(), BOOTSTRAP.to_owned());
        assert_eq!(home(&[of("a"), of("b"), (own.clone(), json!({}))]), Home::One(own));
    }
}
