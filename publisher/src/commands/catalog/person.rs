//! `publisher catalog person`: one person in all roles.

use std::collections::BTreeMap;

use clap::Subcommand;
use pdp_policies::trust::Role;
use pdp_policies::{At, Person as Name};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::cli::output::{self, Format, say};
use serde_json::{Value, json};

use super::role_keys::{ProposalArgs, next, propose_holders};
use crate::catalog::holder_change::KeyChange;
use crate::catalog::offices::offices;
use crate::catalog::{Current, Holders, Proposed, check_no_other};
use crate::keys::SigningKey;

#[derive(Debug, Subcommand)]
pub(crate) enum Person {
    /// Proposes that somebody holds no role any more: one proposal for the root's roles, one for those below targets.
    Remove(Args),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The name, as `catalog keys` shows it.
    name: Name,
    #[command(flatten)]
    proposal: ProposalArgs,
}

/// What goes from each file that names holders.
type Changes = BTreeMap<Role, Vec<(Role, KeyChange)>>;

pub(crate) fn run(command: &Person, format: Format, now: At) -> Result<u8> {
    let Person::Remove(args) = command;
    let keys = args.proposal.keys.unlock()?;
    let current = Current::fetch(&args.proposal.catalog, now)?;
    let changes = without(&current, &args.name)?;
    if changes.is_empty() {
        return Err(Failure::new("NotFound", format!("`{}` holds no role", args.name))
            .hint("`publisher catalog keys` shows who holds what")
            .exit(exit::NOT_FOUND));
    }
    let signers = signers(&current, &changes, &keys)?;
    // All of it is possible before the first of it is pushed.
    let next: Result<Vec<_>> =
        changes.iter().map(|(parent, changes)| next(&current, *parent, changes, now)).collect();
    let next = next?;
    next.iter().try_for_each(|next| check_no_other(&current, next))?;
    let mut proposed = Vec::new();
    for next in next {
        let keys = signers.get(&next.role).map(Vec::as_slice).unwrap_or_default();
        proposed.push(propose_holders(&current, &args.proposal.catalog, next, keys, now)?);
    }
    told(&args.name, &changes, &proposed, format)
}

fn without(current: &Current, name: &Name) -> Result<Changes> {
    let mut changes = Changes::new();
    for office in offices(&current.tree)? {
        let own = office.keys.iter().filter(|key| key.holder.as_ref() == Some(name));
        let remove: std::collections::BTreeSet<_> = own.map(|key| key.id.clone()).collect();
        if !remove.is_empty() {
            let change = KeyChange { remove, ..KeyChange::default() };
            changes.entry(office.role.parent()).or_default().push((office.role, change));
        }
    }
    Ok(changes)
}

/// Which of the given keys sign which file. Every file needs one, and every key a file, before anything is pushed.
fn signers(
    current: &Current,
    changes: &Changes,
    keys: &[SigningKey],
) -> Result<BTreeMap<Role, Vec<SigningKey>>> {
    let mut signers = BTreeMap::new();
    for parent in changes.keys() {
        let holders = Holders::of(&current.tree, *parent)?;
        let own: Vec<_> = keys.iter().filter(|key| holders.has(key)).cloned().collect();
        if own.is_empty() {
            return Err(Failure::new("KeyWithoutRole", format!("no given key holds the role `{parent}`"))
                .cause("nothing was proposed")
                .hint("give keys of root and of targets with --key: each signs what it holds"));
        }
        signers.insert(*parent, own);
    }
    let signs = |key: &SigningKey| signers.values().flatten().any(|own: &SigningKey| own.id == key.id);
    match keys.iter().find(|key| !signs(key)) {
        None => Ok(signers),
        Some(stranger) => Err(Failure::new(
            "KeyWithoutRole",
            format!("key {} holds neither root nor targets as far as they change", stranger.file.display()),
        )
        .hint("leave this key out")),
    }
}

fn told(name: &Name, changes: &Changes, proposed: &[Proposed], format: Format) -> Result<u8> {
    let roles: Vec<_> = changes.values().flatten().map(|(role, _)| role.name()).collect();
    let lines: Vec<_> = proposed.iter().map(ToString::to_string).collect();
    say(
        "◎ keys of the director and of artifacts have no holder: `publisher catalog director` and `artifact` retire them",
    );
    let text = format!("✔ `{name}` leaves {}:\n  {}", roles.join(", "), lines.join("\n  "));
    let row =
        |it: &Proposed| json!({ "branch": it.branch, "signatures": it.signatures, "missing": it.missing });
    let rows: Vec<Value> = proposed.iter().map(row).collect();
    output::print(format, &json!({ "person": name, "roles": roles, "proposals": rows }), &text)?;
    Ok(exit::DONE)
}
