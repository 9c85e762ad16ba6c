//! What an entry of a kustomization names.

use std::collections::BTreeMap;

/// Hosts that kustomize fetches from without a scheme.
const HOSTS: [&str; 4] = ["github.com", "gitlab.com", "bitbucket.org", "dev.azure.com"];

/// What is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    File(String),
    Folder(String),
    /// Beyond the component's folder, or fetched.
    Elsewhere,
    Nothing,
}

/// Looks for an entry of the kustomization in `folder`.
pub(super) fn find(files: &BTreeMap<&str, &[u8]>, folder: &str, entry: &str) -> Place {
    let fetched = entry.contains("://") || entry.contains("?ref=") || entry.starts_with("git@");
    let Some(path) = joined(folder, entry).filter(|_| !fetched) else { return Place::Elsewhere };
    let below = format!("{path}/");
    if files.contains_key(path.as_str()) {
        Place::File(path)
    } else if path.is_empty()
        || files.range(below.as_str()..).next().is_some_and(|(name, _)| name.starts_with(&below))
    {
        Place::Folder(path)
    } else if HOSTS.contains(&entry.split('/').next().unwrap_or_default()) {
        Place::Elsewhere
    } else {
        Place::Nothing
    }
}

/// The path from the top, none if it leaves the top.
pub(super) fn joined(folder: &str, entry: &str) -> Option<String> {
    if entry.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in entry.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_beside_the_overlay_is_found_and_nothing_beyond_the_top() {
        let names = ["base/kustomization.yaml", "overlays/prod/d.yaml", "overlays/prod/kustomization.yaml"];
        let files = names.iter().map(|name| (*name, &b""[..])).collect();
        for (entry, place) in [
            ("../../base", Place::Folder("base".into())),
            ("../../base/", Place::Folder("base".into())),
            (".././../base", Place::Folder("base".into())),
            ("d.yaml", Place::File("overlays/prod/d.yaml".into())),
            ("./d.yaml", Place::File("overlays/prod/d.yaml".into())),
            ("../..", Place::Folder(String::new())),
            ("../../bas", Place::Nothing),
            ("../../../base", Place::Elsewhere),
            ("/base", Place::Elsewhere),
            ("https://example.com/base?ref=v1", Place::Elsewhere),
            ("github.com/owner/repo/base", Place::Elsewhere),
            ("git@example.com:owner/repo", Place::Elsewhere),
        ] {
            assert_eq!(find(&files, "overlays/prod", entry), place, "{entry}");
        }
    }
}
