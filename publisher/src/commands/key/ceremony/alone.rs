//! `publisher key ceremony --out`: the whole first trust in one folder, made on one machine.
//!
//! For trying things out. Move each key to its holder before the first release, or hold a ceremony in different places.

use std::collections::BTreeMap;
use std::path::Path;

use pdp_policies::trust::{Floors, Role};
use pdp_policies::{At, CatalogTree, Line, Person};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Failure, Result, internal};
use pdp_transport::cli::output::{self, Format};
use serde_json::json;

use super::{must_be_new, write_catalog};
use crate::catalog::Online;
use crate::ceremony::{Draft, Plan, PublicKey, Seat, Seating, Seats, assemble};
use crate::keys::{PasswordArgs, SigningKey, sign_all};

/// Everyone who holds a key, and as what.
const HOLDERS: [(Role, &[&str], usize); 6] = [
    (Role::Root, &["root-1", "root-2", "root-3"], 2),
    (Role::Targets, &["targets-1", "targets-2"], 2),
    (Role::Releases, &["ci", "release-1", "release-2"], 2),
    (Role::Channels, &["manager-1", "manager-2", "manager-3"], 2),
    (Role::Snapshot, &["snapshot"], 1),
    (Role::Timestamp, &["timestamp", "timestamp-spare"], 1),
];

/// Keys by their holder, each of whom has one.
type Keys = BTreeMap<Person, SigningKey>;

pub(super) fn run(out: &Path, line: &Line, password: &PasswordArgs, format: Format, now: At) -> Result<u8> {
    must_be_new(out)?;
    let password = password.read()?;
    let plan = plan(line)?;
    let mut keys = Keys::new();
    for (person, seats) in plan.seats() {
        let file = out.join("keys").join(format!("{person}.key"));
        let key = match seats.contains(&Seat::Director) {
            true => SigningKey::generate_ed25519(file)?,
            false => SigningKey::generate(file)?,
        };
        keys.insert(person, key);
    }
    let tree = first_catalog(&plan, &keys, now)?;
    let root = tree.get("metadata/1.root.json").unwrap_or_default().to_vec();
    crate::catalog::judge(tree.clone(), &Floors::new(root), now)?;
    write(out, &keys, &tree, &password)?;
    let text = format!(
        "✔ {} keys in {}/keys and the first catalog in {}/catalog\n  \
         next: move each private key to its holder, then `publisher catalog init {}/catalog`",
        keys.len(),
        out.display(),
        out.display(),
        out.display()
    );
    let ids: BTreeMap<_, _> = keys.iter().map(|(name, key)| (name.as_str(), key.id.as_str())).collect();
    output::print(format, &json!({ "folder": out, "keys": ids }), &text)?;
    Ok(exit::DONE)
}

fn plan(line: &Line) -> Result<Plan> {
    let person = |name: &str| name.parse::<Person>().map_err(internal);
    let mut roles = BTreeMap::new();
    for (role, names, threshold) in HOLDERS {
        let holders: Result<_> = names.iter().map(|name| person(name)).collect();
        roles.insert(role, Seating { threshold, holders: holders? });
    }
    let (director, artifact) = ([person("director")?].into(), [person("artifact")?].into());
    Ok(Plan { line: line.clone(), roles, director, artifact })
}

/// Root, targets, releases, channels, snapshot and timestamp, all at their first version, signed by all who hold them.
fn first_catalog(plan: &Plan, keys: &Keys, now: At) -> Result<CatalogTree> {
    let mut seats = Seats::new();
    for (person, of) in plan.seats() {
        let public = PublicKey(key(keys, person.as_str())?.public_pem.clone());
        of.iter()
            .for_each(|seat| drop(seats.entry(*seat).or_default().insert(person.clone(), public.clone())));
    }
    let draft = Draft::of(plan, &seats, now)?;
    let mut signatures = BTreeMap::new();
    for (role, payload) in &draft.payloads {
        let holders = plan.roles.get(role).map(|seating| &seating.holders).into_iter().flatten();
        let signers: Result<Vec<_>> = holders.map(|person| key(keys, person.as_str())).collect();
        signatures.insert(*role, sign_all(payload, &signers?)?);
    }
    let mut tree = assemble(&draft, &signatures)?;
    Online { snapshot: key(keys, "snapshot")?, timestamp: key(keys, "timestamp")? }.sign(&mut tree, now)?;
    Ok(tree)
}

fn key<'a>(keys: &'a Keys, name: &str) -> Result<&'a SigningKey> {
    let found = keys.iter().find(|(person, _)| person.as_str() == name).map(|(_, key)| key);
    found.ok_or_else(|| internal(format!("no key {name}")))
}

fn write(out: &Path, keys: &Keys, tree: &CatalogTree, password: &str) -> Result<()> {
    let io = |e: std::io::Error| Failure::new("Io", format!("write {}", out.display())).cause(e);
    std::fs::create_dir_all(out.join("keys")).map_err(io)?;
    keys.values().try_for_each(|key| key.write(password))?;
    write_catalog(&out.join("catalog"), tree)
}
