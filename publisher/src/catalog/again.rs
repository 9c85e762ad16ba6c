//! Proposals that waited while another one of their version was published: proposed again, on top of that one.
//!
//! Signatures stand for a version, so they are needed again; what was proposed isn't lost.

use pdp_policies::{At, CatalogTree, Channel, document};
use pdp_transport::cli::failure::{Failure, Result};
use serde_json::Value;

use super::changes::as_listed;
use super::current::{ChangeArgs, Current};
use super::holders::Holders;
use super::laid::{branch_of, free_name};
use super::merge::Pending;
use super::proposal::{Onto, lay};
use super::pruned::targets;
use super::role::{RoleFile, Targets};
use super::three_way::three_way;

/// What became of one.
#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Again {
    /// Its branch until now.
    pub(crate) from: String,
    /// Its branch from now on; none if what is published says the same already.
    pub(crate) to: Option<String>,
    /// It stops something that runs, and nobody has signed it on the new version.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) brake: bool,
}

/// Proposes one again that waited; its branch until now stays. None if it isn't about a role that was published just
/// now, or nobody who holds the role has signed it: a stranger's is left where it lies.
///
/// # Errors
/// `ProposalOvertaken` if both change the same value, and what a push can end with.
pub(super) fn propose_again(
    current: &Current,
    published: &CatalogTree,
    waited: &Pending,
    args: &ChangeArgs,
    now: At,
) -> Result<Option<Again>> {
    let Some(role) = waited.role else { return Ok(None) };
    let (before, after) = (RoleFile::read(&current.tree, role)?, RoleFile::read(published, role)?);
    let Ok(file) = RoleFile::read(&waited.tree, role) else { return Ok(None) };
    let was_next = after.version() > before.version() && file.version() == before.version() + 1;
    if !was_next || !Holders::one_signed(&current.tree, &file)? {
        return Ok(None);
    }
    let targets = change_on_top(&waited.branch, &current.tree, (&file, &waited.tree), published)?;
    let mut to = None;
    if !targets.is_empty() {
        let next = after.next(&targets, now);
        let taken = current.remote.branches(&branch_of(role, next.version()))?;
        let branch = free_name(taken.iter().map(|(branch, _)| branch.as_str()), &next)?;
        lay(current, args, &Onto::new(&branch), &next, &targets, now)?;
        to = Some(branch);
    }
    let brake = waited.brake && to.is_some();
    Ok(Some(Again { from: waited.branch.clone(), to, brake }))
}

/// What a proposal on `branch` changes of the catalog that it was made on, as a change of a newer one.
///
/// # Errors
/// `ProposalOvertaken` if both change the same value.
pub(super) fn change_on_top(
    branch: &str,
    made_on: &CatalogTree,
    proposed: Side<'_>,
    newer: &CatalogTree,
) -> Result<Targets> {
    let role = proposed.0.role;
    let (before, after) = (RoleFile::read(made_on, role)?, RoleFile::read(newer, role)?);
    rebased((&before, made_on), proposed, (&after, newer)).map_err(|why| overtaken(branch, &why))
}

fn overtaken(branch: &str, why: &str) -> Failure {
    Failure::new("ProposalOvertaken", format!("`{branch}` is outdated: {why}"))
        .hint("propose it again on what is published now, and drop this one")
}

/// A role's file and the tree with what it lists.
type Side<'a> = (&'a RoleFile, &'a CatalogTree);

/// What `one` changed of `base`, as a change of `other`; or why it can't be that.
fn rebased(base: Side<'_>, one: Side<'_>, other: Side<'_>) -> std::result::Result<Targets, String> {
    // What is published may be this very proposal.
    if ![base.0.rest(), other.0.rest()].contains(&one.0.rest()) {
        return Err("it changes more than the files of its role".to_owned());
    }
    let mut changed = Targets::new();
    for name in targets(base.0).union(&targets(one.0)) {
        let listed = |side: Side<'_>| side.0.signed["targets"][name.as_str()].clone();
        let (was, is, now) = (listed(base), listed(one), listed(other));
        if is == was || is == now {
            continue;
        }
        let content = match now == was {
            true => content(one, name)?,
            false => Some(both(base, one, other, name)?),
        };
        changed.insert(name.clone(), content);
    }
    Ok(changed)
}

/// A document that both changed, with both changes.
fn both(base: Side<'_>, one: Side<'_>, other: Side<'_>, name: &str) -> std::result::Result<Vec<u8>, String> {
    if base.0.signed["targets"][name].is_null() {
        return Err(format!("what is published has a {name} of its own, with another content"));
    }
    let value = |side| -> std::result::Result<Value, String> {
        let bytes = content(side, name)?.ok_or_else(|| format!("one of both takes {name} away"))?;
        serde_json::from_slice(&bytes).map_err(|e| format!("{name}: {e}"))
    };
    let merged = three_way(&value(base)?, &value(one)?, &value(other)?)
        .map_err(|path| format!("what is published changed `{path}` of {name}, too"))?;
    // Only channels are changed in place; they must be whole with both changes.
    let channel =
        Channel::read(name, merged.to_string().as_bytes()).map_err(|refusal| refusal.to_string())?;
    document::write(&channel).map_err(|e| e.to_string())
}

/// What a role lists under a name, none if it doesn't.
fn content((file, tree): Side<'_>, name: &str) -> std::result::Result<Option<Vec<u8>>, String> {
    match &file.signed["targets"][name] {
        Value::Null => Ok(None),
        listed => {
            let found = as_listed(tree, &format!("targets/{name}"), listed);
            found
                .map(|bytes| Some(bytes.to_vec()))
                .ok_or_else(|| format!("it doesn't hold the {name} that it lists"))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use pdp_policies::trust::{Role, metadata};
    use serde_json::json;

    use super::*;

    const NAME: &str = "artifact-keys.json";

    /// A role with other fields than its files, and the tree with its one file.
    fn side(version: u64, holders: u32, content: &str) -> (RoleFile, CatalogTree) {
        let listed = json!({ NAME: metadata::target(content.as_bytes()) });
        let signed = json!({ "version": version, "expires": version, "holders": holders, "targets": listed });
        let mut tree = CatalogTree::new();
        tree.replace(&format!("targets/{NAME}"), content.as_bytes().to_vec()).unwrap();
        (RoleFile { role: Role::Targets, signed, signatures: Default::default() }, tree)
    }

    #[test]
    fn what_is_published_as_it_was_proposed_changes_nothing_more_and_other_holders_are_no_file() {
        let (before, after) = (side(1, 1, "old"), side(2, 2, "new"));
        let on_top = |proposed: (RoleFile, CatalogTree)| {
            let change = rebased((&before.0, &before.1), (&proposed.0, &proposed.1), (&after.0, &after.1));
            change.map(|change| change.into_keys().collect::<Vec<_>>())
        };
        assert_eq!(on_top(side(2, 2, "new")), Ok(vec![]));
        assert_eq!(on_top(side(2, 1, "new")), Ok(vec![]));
        assert!(on_top(side(2, 3, "new")).unwrap_err().contains("more than the files of its role"));
    }
}
