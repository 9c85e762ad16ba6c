//! Who holds what, as a catalog says it.

use std::collections::BTreeMap;
use std::path::Path;

use pdp_policies::trust::{Role, metadata};
use pdp_policies::{ARTIFACT_KEYS, CatalogTree, DIRECTOR_KEYS, KeyList, Person};
use pdp_transport::cli::failure::{Failure, Result};
use serde_json::Value;

use super::holder_change::{entry, holder, ids, keys, threshold};
use super::role::RoleFile;
use crate::keys::{key_file, public_key};

/// Shorter beginnings of an id name no key.
const LEAST_PREFIX: usize = 8;

/// A role, who holds it, and how many of them must sign.
#[derive(Debug, Clone)]
pub(crate) struct Office {
    pub(crate) role: Role,
    pub(crate) threshold: usize,
    pub(crate) keys: Vec<Held>,
}

/// A key that holds a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) id: String,
    /// None in catalogs that don't say it.
    pub(crate) holder: Option<Person>,
    pub(crate) scheme: String,
    /// The bare public key.
    pub(crate) material: Option<Vec<u8>>,
}

/// All roles.
pub(crate) fn offices(tree: &CatalogTree) -> Result<Vec<Office>> {
    Role::ALL.into_iter().map(|role| office(tree, role)).collect()
}

/// One role.
pub(crate) fn office(tree: &CatalogTree, role: Role) -> Result<Office> {
    let signed = RoleFile::read(tree, role.parent())?.signed;
    let (entry, listed) = (entry(&signed, role)?, keys(&signed));
    let held = |id: String| {
        let key = listed.and_then(|listed| listed.get(&id)).unwrap_or(&Value::Null);
        Held::of(&signed, key, id)
    };
    Ok(Office { role, threshold: threshold(entry), keys: ids(entry).into_iter().map(held).collect() })
}

impl Held {
    fn of(signed: &Value, listed: &Value, id: String) -> Self {
        let holder = holder(signed, &id);
        let scheme = listed["scheme"].as_str().unwrap_or_default().to_owned();
        Self { id, holder, scheme, material: metadata::material(listed) }
    }
}

impl Office {
    /// The key of this role that a person names: by its holder, by the beginning of its id, or by its public file.
    ///
    /// # Errors
    /// `NotFound`, `Ambiguous`.
    pub(crate) fn find(&self, named: &str) -> Result<&Held> {
        let of_file = material_of_file(named)?;
        let is = |key: &&Held| {
            let by_holder = key.holder.as_ref().is_some_and(|holder| holder.as_str() == named);
            let by_id = named.len() >= LEAST_PREFIX && key.id.starts_with(named);
            by_holder || by_id || (of_file.is_some() && key.material == of_file)
        };
        let found: Vec<_> = self.keys.iter().filter(is).collect();
        let hint = "`publisher catalog keys` shows who holds what; name a holder, an id or a .pub file";
        match found.as_slice() {
            [one] => Ok(one),
            [] => Err(Failure::new("NotFound", format!("`{named}` holds no key of role `{}`", self.role))
                .hint(hint)),
            many => Err(Failure::new(
                "Ambiguous",
                format!("`{named}` names {} keys of role `{}`", many.len(), self.role),
            )
            .hint(hint)),
        }
    }
}

fn material_of_file(named: &str) -> Result<Option<Vec<u8>>> {
    if !Path::new(named).is_file() {
        return Ok(None);
    }
    let (_, listed) = public_key(named, &key_file(Path::new(named))?)?;
    Ok(metadata::material(&listed))
}

/// Refuses a key that is good for something already: each key has one purpose.
///
/// # Errors
/// `KeyInUse`.
pub(crate) fn check_unused(tree: &CatalogTree, id: &str, listed: &Value) -> Result<()> {
    let material = metadata::material(listed);
    let holds = |office: &Office| office.keys.iter().any(|key| key.id == id || key.material == material);
    let role =
        offices(tree)?.into_iter().find(holds).map(|office| format!("holds the role `{}`", office.role));
    let Some(use_) = role.or_else(|| list_with(tree, material.as_deref())) else { return Ok(()) };
    Err(Failure::new("KeyInUse", format!("key {id} {use_}"))
        .cause("a key has one purpose: whoever steals one must not get two")
        .hint("make another one with `publisher key new`"))
}

/// The key list that holds a key, in whatever state.
fn list_with(tree: &CatalogTree, material: Option<&[u8]>) -> Option<String> {
    [DIRECTOR_KEYS, ARTIFACT_KEYS].into_iter().find_map(|name| {
        let list = KeyList::read(name, tree.get(&format!("targets/{name}"))?).ok()?;
        let own = |pem: &str| metadata::key(pem).ok().and_then(|(_, listed)| metadata::material(&listed));
        let found = list
            .keys
            .iter()
            .chain(&list.statement_keys)
            .any(|key| own(&key.public_key).as_deref() == material);
        found.then(|| format!("is listed in {name}"))
    })
}

/// Refuses a catalog in which one key has two purposes: two proposals that each are good may make one.
///
/// # Errors
/// `KeyInUse`.
pub(crate) fn check_purposes(tree: &CatalogTree) -> Result<()> {
    let mut seen = BTreeMap::new();
    for office in offices(tree)? {
        for key in office.keys.iter().filter(|key| key.material.is_some()) {
            let role = office.role;
            let other = seen.insert(key.material.clone(), role).filter(|other| *other != role);
            if let Some(other) = other {
                return Err(Failure::new(
                    "KeyInUse",
                    format!("key {} would hold `{other}` and `{role}`", key.id),
                ));
            }
            if let Some(list) = list_with(tree, key.material.as_deref()) {
                return Err(Failure::new(
                    "KeyInUse",
                    format!("key {} would hold `{role}`, and {list}", key.id),
                ));
            }
        }
    }
    Ok(())
}
