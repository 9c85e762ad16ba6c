//! The releases that people signed, promoted or not.

use pdp_policies::trust::Role;
use pdp_policies::{CatalogTree, Digest, Level, Line, Release};
use pdp_transport::cli::failure::{Failure, Result};

use super::changes::as_listed;
use super::current::Current;
use super::role::RoleFile;

/// All of them, as the role lists them.
///
/// # Errors
/// `CatalogNotWhole`, and all of [`Release::read`].
pub(crate) fn published(current: &Current) -> Result<Vec<Release>> {
    Ok(of_tree(&current.tree)?.into_iter().map(|(release, _)| release).collect())
}

/// Those of one line, with the SHA-256 of their descriptors.
///
/// # Errors
/// As [`published`].
pub(crate) fn published_of(current: &Current, line: &Line) -> Result<Vec<(Release, Digest)>> {
    Ok(of_tree(&current.tree)?.into_iter().filter(|(release, _)| release.line == *line).collect())
}

/// One of them; `hint` says where else to look.
///
/// # Errors
/// `NotFound`, and as [`published`].
pub(crate) fn published_level(
    current: &Current,
    line: &Line,
    level: Level,
    hint: &str,
) -> Result<(Release, Digest)> {
    let mut all = published_of(current, line)?.into_iter();
    all.find(|(release, _)| release.level == level).ok_or_else(|| {
        Failure::new("NotFound", format!("the catalog has no level {level} of line `{line}`")).hint(hint)
    })
}

fn of_tree(tree: &CatalogTree) -> Result<Vec<(Release, Digest)>> {
    let role = RoleFile::read(tree, Role::Releases)?;
    let listed = role.signed["targets"].as_object().into_iter().flatten();
    let read = |(name, listed)| {
        let path = format!("targets/{name}");
        let bytes = as_listed(tree, &path, listed).ok_or_else(|| not_whole(&path))?;
        Ok((Release::read(&path, bytes)?, Digest::of(bytes)))
    };
    listed.map(read).collect()
}

/// No data plane looks at a release that isn't promoted: nobody may have seen it yet.
fn not_whole(path: &str) -> Failure {
    Failure::new("CatalogNotWhole", format!("the catalog lists a {path} that it doesn't hold"))
        .cause("somebody else than `publisher catalog publish` wrote the branch `catalog`, and lost or changed that file")
        .hint(
            "nothing was done: ask who writes that branch, and put the file back as an older commit of it has it; then              run this again",
        )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use pdp_policies::trust::metadata;
    use serde_json::json;

    use super::*;

    /// A catalog whose releases role lists one file with these bytes, and that holds others.
    fn tree(listed: &[u8], held: Option<&[u8]>) -> CatalogTree {
        let targets = json!({ "release-pdp-2026-41.json": metadata::target(listed) });
        let role = json!({ "signed": { "targets": targets }, "signatures": [] });
        let mut tree = CatalogTree::default();
        tree.replace("metadata/releases.json", role.to_string().into_bytes()).unwrap();
        if let Some(held) = held {
            tree.replace("targets/release-pdp-2026-41.json", held.to_vec()).unwrap();
        }
        tree
    }

    #[test]
    fn a_release_that_was_lost_or_changed_is_the_catalogs_fault_and_no_proposals() {
        for (held, code) in [
            (None, "CatalogNotWhole"),
            (Some(&b"evil"[..]), "CatalogNotWhole"),
            (Some(&b"as listed, and no release"[..]), "Unreadable"),
        ] {
            let refused = of_tree(&tree(b"as listed, and no release", held)).unwrap_err();
            assert_eq!(refused.code, code, "{held:?}");
        }
    }
}
