//! `publisher catalog ROLE`: who holds a role, and how many of them must sign it.

mod add_key;
mod remove_key;
mod rotate;
mod threshold;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Subcommand;
use pdp_policies::trust::Role;
use pdp_policies::{At, CatalogTree, Person};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::{self, Format, say};
use serde_json::json;

use crate::catalog::holder_change::{KeyChange, NewKey, change};
use crate::catalog::offices::{check_unused, office};
use crate::catalog::role::RoleFile;
use crate::catalog::{ChangeArgs, Current, Other, Proposed, lacking, propose_next};
use crate::keys::{KeyArgs, SigningKey, key_file, public_key};

#[derive(Debug, Subcommand)]
pub(crate) enum RoleKeys {
    /// Proposes another key in the place of one. The old one counts no more.
    Rotate(rotate::Args),
    /// Proposes one more holder.
    AddKey(add_key::Args),
    /// Proposes that a key holds the role no more: also what to do with a stolen one.
    RemoveKey(remove_key::Args),
    /// Proposes how many holders must sign.
    Threshold(threshold::Args),
}

/// Where the proposal goes, and who signs it: holders of the role that names these, the root or targets.
#[derive(Debug, clap::Args)]
pub(crate) struct ProposalArgs {
    #[command(flatten)]
    pub(super) catalog: ChangeArgs,
    #[command(flatten)]
    pub(super) keys: KeyArgs,
}

pub(crate) fn run(role: Role, command: &RoleKeys, format: Format, now: At) -> Result<u8> {
    match command {
        RoleKeys::Rotate(args) => rotate::run(role, args, format, now),
        RoleKeys::AddKey(args) => add_key::run(role, args, format, now),
        RoleKeys::RemoveKey(args) => remove_key::run(role, args, format, now),
        RoleKeys::Threshold(args) => threshold::run(role, args, format, now),
    }
}

/// Proposes what a command wants changed, and says what has to follow.
fn run_change(
    role: Role,
    args: &ProposalArgs,
    wanted: impl FnOnce(&Current) -> Result<KeyChange>,
    format: Format,
    now: At,
) -> Result<u8> {
    let keys = args.keys.unlock()?;
    let current = Current::fetch(&args.catalog, now)?;
    let next = next(&current, role.parent(), &[(role, wanted(&current)?)], now)?;
    let proposed = propose_holders(&current, &args.catalog, next, &keys, now)?;
    let value = json!({
        "role": role.name(), "branch": proposed.branch, "signatures": proposed.signatures, "missing": proposed.missing,
    });
    output::print(format, &value, &format!("✔ who holds `{role}`: {proposed}"))?;
    Ok(exit::DONE)
}

/// Proposes the next version of a file that names holders.
pub(super) fn propose_holders(
    current: &Current,
    args: &ChangeArgs,
    next: RoleFile,
    keys: &[SigningKey],
    now: At,
) -> Result<Proposed> {
    let none = BTreeMap::new();
    let follows = what_follows(current, &next)?;
    let proposed = propose_next(current, args, next, &none, Other::Stays, keys, now)?;
    follows.iter().for_each(|line| say(line));
    Ok(proposed)
}

/// The next version of a file that names holders.
pub(super) fn next(
    current: &Current,
    parent: Role,
    changes: &[(Role, KeyChange)],
    now: At,
) -> Result<RoleFile> {
    let mut next = RoleFile::read(&current.tree, parent)?.next(&BTreeMap::new(), now);
    for (role, wanted) in changes {
        change(&mut next, *role, wanted)?;
    }
    Ok(next)
}

/// Roles below that too few of those sign who hold them then.
fn what_follows(current: &Current, next: &RoleFile) -> Result<Vec<String>> {
    let mut tree = current.tree.clone();
    tree.replace(&next.path(), next.bytes()?).map_err(pdp_transport::cli::failure::internal)?;
    let below = Role::ALL.into_iter().filter(|role| role.parent() == next.role && *role != next.role);
    let line = |role: Role| match (role.is_of_people(), lacking(&tree, role)) {
        (false, _) if is_signed(&tree, role) => None,
        (true, Ok(missing @ 1..)) => Some(format!(
            "◎ `{role}` then lacks {missing} signature(s) of those who hold it: they sign `publisher catalog renew \
             {role}` now, and both are published together"
        )),
        (false, _) => Some(format!(
            "◎ `{role}` is signed by another key then: give it to whatever runs `publisher catalog publish` and `refresh` \
             first"
        )),
        _ => None,
    };
    Ok(below.filter_map(line).collect())
}

/// True if a key that holds an online role signed it as it is.
fn is_signed(tree: &CatalogTree, role: Role) -> bool {
    let (Ok(office), Ok(file)) = (office(tree, role), RoleFile::read(tree, role)) else { return false };
    office.keys.iter().any(|key| file.signatures.contains_key(&key.id))
}

/// `NAME=FILE`: a public key and who holds it.
#[derive(Debug, Clone)]
pub(super) struct NamedKey {
    pub(super) holder: Person,
    pub(super) file: PathBuf,
}

impl FromStr for NamedKey {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let (holder, file) = text.split_once('=').ok_or("write NAME=FILE, such as alice=alice.pub")?;
        Ok(Self { holder: holder.parse().map_err(|e| format!("{e}"))?, file: file.into() })
    }
}

impl NamedKey {
    /// Reads it; it must be good for nothing yet.
    pub(super) fn read(&self, current: &Current) -> Result<NewKey> {
        let (id, listed) = public_key(&self.file.display().to_string(), &key_file(&self.file)?)?;
        check_unused(&current.tree, &id, &listed)?;
        Ok(NewKey { id, listed, holder: self.holder.clone() })
    }
}
