//! Whether a root is the one that these people agreed on and signed: whoever finishes a ceremony could hand out another.

use std::collections::BTreeSet;

use pdp_policies::trust::{Role, metadata};
use pdp_policies::{Digest, Person, printable};
use pdp_transport::cli::failure::{Failure, Result, internal};
use serde_json::Value;

use super::gathered::{Gathered, verifies};
use super::plan::{Seat, quoted};
use crate::catalog::of_holders;
use crate::catalog::role::RoleFile;

/// A root that is the agreed one.
#[derive(Debug)]
pub(crate) struct Agreed {
    pub(crate) sha256: Digest,
    /// Whose signatures it carries, and whose it doesn't.
    pub(crate) signed: Vec<Person>,
    pub(crate) unsigned: Vec<Person>,
}

/// Compares a root with the one that the files make.
///
/// # Errors
/// `RootDiffers`, `RootNotSigned`, and those of [`Gathered::draft`].
pub(crate) fn agreed_root(gathered: &Gathered, bytes: &[u8]) -> Result<Agreed> {
    let draft = gathered.draft()?;
    let made = draft.payloads.get(&Role::Root).ok_or_else(|| internal("a draft without root"))?;
    let sha256 = Digest::of(bytes);
    let given =
        RoleFile::parse(Role::Root, bytes).map_err(|failure| differs(&sha256, &[failure.to_string()]))?;
    let agreed = RoleFile { role: Role::Root, signed: made.clone(), signatures: given.signatures.clone() };
    // Byte for byte: what reads in two ways would be compared in one and pinned in the other.
    if agreed.bytes()? != bytes {
        return Err(differs(&sha256, &differences(&agreed, &given)));
    }
    let (signed, unsigned) = signers(gathered, &agreed)?;
    let needed = gathered.start.plan.roles.get(&Role::Root).map_or(1, |seating| seating.threshold);
    if signed.len() < needed {
        let what = format!("{} of {needed} holders signed {sha256}", signed.len());
        return Err(Failure::new("RootNotSigned", what)
            .cause(format!("no good signature of {}", quoted(&unsigned)))
            .hint("no data plane takes it: have `publisher key ceremony finish` run again"));
    }
    Ok(Agreed { sha256, signed, unsigned })
}

/// The holders of root whose signatures are good, and the others.
fn signers(gathered: &Gathered, root: &RoleFile) -> Result<(Vec<Person>, Vec<Person>)> {
    let bytes = metadata::signing_bytes(&root.signed).map_err(internal)?;
    let good = |person: &Person| {
        let key = gathered.joins.get(person)?.keys.get(&Seat::Role(Role::Root))?;
        let (id, listed) = metadata::key(&key.0).ok()?;
        Some(verifies(&listed, &bytes, &hex::encode(root.signatures.get(&id)?)))
    };
    let holders = gathered.start.plan.roles.get(&Role::Root).map(|seating| seating.holders.clone());
    Ok(holders.unwrap_or_default().into_iter().partition(|person| good(person) == Some(true)))
}

/// What is another than agreed, in words: who holds what first of all.
fn differences(agreed: &RoleFile, given: &RoleFile) -> Vec<String> {
    let mut lines = of_holders(agreed, given);
    let fields = |file: &RoleFile| file.signed.as_object().cloned().unwrap_or_default();
    let (ours, theirs) = (fields(agreed), fields(given));
    let names: BTreeSet<_> = ours.keys().chain(theirs.keys()).collect();
    let shown = |value: Option<&Value>| match value {
        None => "none".to_owned(),
        Some(Value::Object(_) | Value::Array(_)) => "another list".to_owned(),
        Some(value) => value.to_string(),
    };
    for name in names {
        let (our, their) = (ours.get(name), theirs.get(name));
        if our != their {
            lines.push(format!("`{name}` is {}, not {} as agreed", shown(their), shown(our)));
        }
    }
    if lines.is_empty() {
        lines.push(
            "it says the same in other bytes, which `publisher key ceremony finish` doesn't write".to_owned(),
        );
    }
    lines
}

fn differs(sha256: &Digest, lines: &[String]) -> Failure {
    let lines: Vec<_> = lines.iter().map(|line| printable(line)).collect();
    Failure::new("RootDiffers", format!("{sha256} is not the root that these files make"))
        .cause(lines.join("; "))
        .hint("pin it nowhere, and tell everybody: is it the first root, of this ceremony, and who finished it?")
}
