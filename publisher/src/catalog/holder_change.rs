//! Who holds a role from its next version on: a pure change of the file that names its holders.

use std::collections::BTreeSet;

use pdp_policies::trust::{Role, metadata};
use pdp_policies::{Person, printable};
use pdp_transport::cli::failure::{Failure, Result};
use serde_json::{Map, Value};

use super::role::RoleFile;

/// A public key and who holds it.
#[derive(Debug, Clone)]
pub(crate) struct NewKey {
    pub(crate) id: String,
    /// As TUF lists it.
    pub(crate) listed: Value,
    pub(crate) holder: Person,
}

/// What changes for one role.
#[derive(Debug, Clone, Default)]
pub(crate) struct KeyChange {
    /// Ids that hold it no more.
    pub(crate) remove: BTreeSet<String>,
    pub(crate) add: Vec<NewKey>,
    /// How many must sign; none: as before.
    pub(crate) threshold: Option<usize>,
}

/// Changes who holds `role` in its parent's file. Keys that hold nothing there any more leave it.
///
/// # Errors
/// `KeyWithoutRole`, `KeyInUse`, `PersonTwice`, `ThresholdTooLow`, `ThresholdAboveKeys`, `NoChange`.
pub(crate) fn change(parent: &mut RoleFile, role: Role, change: &KeyChange) -> Result<()> {
    let before = parent.signed.clone();
    let entry = entry_mut(&mut parent.signed, role)?;
    let mut ids = ids(entry);
    if let Some(stranger) = change.remove.iter().find(|id| !ids.contains(id)) {
        return Err(Failure::new("KeyWithoutRole", format!("key {stranger} doesn't hold the role `{role}`"))
            .hint("`publisher catalog keys` shows who holds what"));
    }
    ids.retain(|id| !change.remove.contains(id));
    for new in &change.add {
        if ids.contains(&new.id) {
            return Err(Failure::new("KeyInUse", format!("key {} holds the role `{role}` already", new.id))
                .hint("a role counts each key once: leave it out"));
        }
        ids.push(new.id.clone());
    }
    let threshold = change.threshold.unwrap_or_else(|| threshold(entry));
    check(role, threshold, ids.len())?;
    entry["threshold"] = threshold.into();
    entry["keyids"] = ids.into();
    list_keys(&mut parent.signed, &change.add)?;
    each_person_once(&parent.signed, role)?;
    match parent.signed == before {
        true => Err(Failure::new("NoChange", format!("role `{role}` is held so already"))
            .hint("nothing was proposed")),
        false => Ok(()),
    }
}

/// A role that too few could sign, or that one person alone signs for many, is refused before anybody signs it.
pub(crate) fn check(role: Role, threshold: usize, keys: usize) -> Result<()> {
    let least = role.least_threshold();
    if threshold < least {
        return Err(Failure::new(
            "ThresholdTooLow",
            format!("role `{role}` would ask for {threshold} signature(s)"),
        )
        .cause(format!("no data plane takes fewer than {least}")));
    }
    if !role.is_of_people() && threshold != 1 {
        return Err(Failure::new(
            "ThresholdNotOne",
            format!("role `{role}` would ask for {threshold} signatures"),
        )
        .cause("a machine signs it every hour, with one key")
        .hint("name a spare key, and leave the threshold at 1"));
    }
    if threshold > keys {
        return Err(Failure::new(
            "ThresholdAboveKeys",
            format!("role `{role}` would ask for {threshold} signatures of {keys} key(s)"),
        )
        .cause("nobody could ever sign it again")
        .hint("add keys first, or lower the threshold in the same step with --threshold"));
    }
    Ok(())
}

/// Refuses a file of holders that no data plane would take, whoever made it: before anybody signs it.
///
/// # Errors
/// Those of [`check`]; `KeyInUse`, `KeyUnderOtherId`, `PersonTwice`.
pub(crate) fn check_file(file: &RoleFile) -> Result<()> {
    for role in Role::ALL.into_iter().filter(|role| role.parent() == file.role) {
        let entry = entry(&file.signed, role)?;
        check(role, threshold(entry), ids(entry).len())?;
        each_person_once(&file.signed, role)?;
    }
    let mut seen = BTreeSet::new();
    for (id, listed) in keys(&file.signed).into_iter().flatten() {
        let key: Option<sigstore_tuf::Key> = serde_json::from_value(listed.clone()).ok();
        if key.and_then(|key| key.key_id().ok()).as_ref() != Some(id) {
            return Err(Failure::new(
                "KeyUnderOtherId",
                format!("another key is listed as {}", printable(id)),
            )
            .cause("whoever wrote this wants a key to pass for somebody else's")
            .hint("sign nothing; `publisher catalog proposals drop` it, and ask who wrote it"));
        }
        if !seen.insert(metadata::material(listed)) {
            return Err(Failure::new("KeyInUse", format!("key {id} is listed twice"))
                .cause("one holder would count as two"));
        }
    }
    Ok(())
}

/// Lists new keys, and leaves out those that no role of this file names any more.
fn list_keys(signed: &mut Value, add: &[NewKey]) -> Result<()> {
    let used = used(signed);
    let keys = signed.pointer_mut(keys_at(signed)).and_then(Value::as_object_mut).ok_or_else(unreadable)?;
    keys.extend(add.iter().map(|new| (new.id.clone(), new.listed.clone())));
    keys.retain(|id, _| used.contains(id));
    let mut holders = signed[metadata::HOLDERS].as_object().cloned().unwrap_or_default();
    holders.extend(add.iter().map(|new| (new.id.clone(), new.holder.to_string().into())));
    holders.retain(|id, _| used.contains(id));
    signed[metadata::HOLDERS] = holders.into();
    Ok(())
}

/// Two keys of one person would count as two people.
fn each_person_once(signed: &Value, role: Role) -> Result<()> {
    if !role.is_of_people() {
        return Ok(());
    }
    let ids = ids(entry(signed, role)?);
    let mut seen = BTreeSet::new();
    let mut holders = ids.iter().filter_map(|id| holder(signed, id));
    let Some(twice) = holders.find(|person| !seen.insert(person.clone())) else { return Ok(()) };
    Err(Failure::new("PersonTwice", format!("`{twice}` would hold role `{role}` with two keys"))
        .cause("one person would count as two")
        .hint("`rotate` replaces a person's key; another person needs another name"))
}

/// All ids that a role of this file names.
fn used(signed: &Value) -> BTreeSet<String> {
    let top = signed["roles"].as_object().into_iter().flat_map(Map::values);
    let below = signed["delegations"]["roles"].as_array().into_iter().flatten();
    top.chain(below).flat_map(ids).collect()
}

/// Where a file names the holders of a role: `keyids` and `threshold`.
pub(super) fn entry(signed: &Value, role: Role) -> Result<&Value> {
    entry_at(signed, role).and_then(|place| signed.pointer(&place)).ok_or_else(unreadable)
}

fn entry_mut(signed: &mut Value, role: Role) -> Result<&mut Value> {
    let place = entry_at(signed, role);
    place.and_then(|place| signed.pointer_mut(&place)).ok_or_else(unreadable)
}

/// As a JSON pointer.
fn entry_at(signed: &Value, role: Role) -> Option<String> {
    match role.parent() {
        Role::Targets => {
            let roles = signed["delegations"]["roles"].as_array()?;
            let place = roles.iter().position(|it| it["name"] == role.name())?;
            Some(format!("/delegations/roles/{place}"))
        }
        _ => Some(format!("/roles/{role}")),
    }
}

/// The keys that a file lists, by their ids.
pub(super) fn keys(signed: &Value) -> Option<&Map<String, Value>> {
    signed.pointer(keys_at(signed))?.as_object()
}

fn keys_at(signed: &Value) -> &'static str {
    if signed.get("delegations").is_some() { "/delegations/keys" } else { "/keys" }
}

/// Who holds a key, none in catalogs that don't say it.
pub(super) fn holder(signed: &Value, id: &str) -> Option<Person> {
    signed[metadata::HOLDERS].get(id)?.as_str()?.parse().ok()
}

pub(super) fn ids(entry: &Value) -> Vec<String> {
    let ids = entry["keyids"].as_array().into_iter().flatten();
    ids.filter_map(|id| id.as_str().map(str::to_owned)).collect()
}

pub(super) fn threshold(entry: &Value) -> usize {
    entry["threshold"].as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or_default()
}

fn unreadable() -> Failure {
    Failure::new("Unreadable", "the catalog doesn't say who holds that role")
}
