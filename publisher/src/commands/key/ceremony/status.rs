//! `publisher key ceremony status`.

use std::path::PathBuf;

use pdp_policies::trust::metadata;
use pdp_policies::{At, Person};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Result, internal};
use pdp_transport::cli::output::{self, Format};
use serde_json::json;

use super::finish::without_signature;
use crate::catalog::read_root;
use crate::ceremony::{Agreed, Gathered, PublicKey, agreed_root, quoted};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Files of the ceremony, in any order.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// The root that came out of it (`1.root.json`): checks that it is the one that these files make and that people signed.
    /// The ceremony may have ended long ago.
    #[arg(long, value_name = "FILE")]
    root: Option<PathBuf>,
}

pub(super) fn run(args: &Args, format: Format, now: At) -> Result<u8> {
    let gathered = match &args.root {
        None => Gathered::read(&args.files, now)?,
        Some(_) => Gathered::read_ended(&args.files)?,
    };
    let (absent, unsigned) = (gathered.absent(), without_signature(&gathered));
    let draft = match absent.is_empty() {
        true => Some(gathered.draft()?.digest()?),
        false => None,
    };
    let root = args.root.as_ref().map(|path| agreed_root(&gathered, &read_root(path)?)).transpose()?;
    let whole = draft.map(|digest| format!("\nall of it: {digest}")).unwrap_or_default();
    let next = root.as_ref().map_or_else(|| next(&absent, &unsigned), root_words);
    let text = format!("{}{whole}\n{next}", who_holds_what(&gathered)?);
    let value = json!({
        "ceremony": gathered.ceremony, "line": gathered.start.plan.line, "draft": draft,
        "joined": gathered.joins.keys().collect::<Vec<_>>(), "notJoined": absent,
        "signed": gathered.signatures.keys().collect::<Vec<_>>(), "notSigned": unsigned,
        "root": root.map(|root| json!({ "sha256": root.sha256, "signed": root.signed })),
    });
    output::print(format, &value, &text)?;
    Ok(exit::DONE)
}

fn next(absent: &[Person], unsigned: &[Person]) -> String {
    match (absent, unsigned) {
        ([], []) => "all have signed; next: `publisher key ceremony finish`".to_owned(),
        ([], some) => format!("not signed by {}; next: `publisher key ceremony sign`", quoted(some)),
        (some, _) => format!("not joined by {}; next: `publisher key ceremony join`", quoted(some)),
    }
}

fn root_words(root: &Agreed) -> String {
    let Agreed { sha256, signed, unsigned } = root;
    let without = match unsigned.as_slice() {
        [] => String::new(),
        some => format!(", not by {}", quoted(some)),
    };
    format!("✔ this root is the one that these files make, signed by {}{without}: {sha256}", quoted(signed))
}

/// The ceremony for people: roles with their thresholds, and each person's keys.
pub(super) fn who_holds_what(gathered: &Gathered) -> Result<String> {
    let start = &gathered.start;
    let mut lines = vec![format!(
        "ceremony {} of line `{}`, begun {}",
        gathered.ceremony, start.plan.line, start.created
    )];
    for (role, seating) in &start.plan.roles {
        lines.push(format!("{role}: {} of {} sign", seating.threshold, seating.holders.len()));
    }
    for (person, seats) in start.plan.seats() {
        let Some(join) = gathered.joins.get(&person) else {
            lines.push(format!("`{person}` has not joined"));
            continue;
        };
        lines.push(format!("`{person}`, public halves {}", join.digest()?));
        for seat in seats {
            let id = join.keys.get(&seat).map(id).transpose()?.unwrap_or_default();
            lines.push(format!("  {seat:10} key {id}"));
        }
    }
    Ok(lines.join("\n"))
}

fn id(key: &PublicKey) -> Result<String> {
    Ok(metadata::key(&key.0).map_err(internal)?.0)
}
