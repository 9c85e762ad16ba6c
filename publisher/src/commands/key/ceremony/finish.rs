//! `publisher key ceremony finish`.

use std::path::PathBuf;

use pdp_policies::trust::{Floors, Role};
use pdp_policies::{At, CatalogTree, Digest, Person};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::cli::output::{self, Format};
use serde_json::json;

use super::{must_be_new, write_catalog};
use crate::catalog::{Online, judge};
use crate::ceremony::{Gathered, assemble, quoted};
use crate::keys::KeyArgs;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The files of `start`, of everybody's `join`, and of `sign`.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// The folder to make the first catalog in; must not exist.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The keys of snapshot and timestamp.
    #[command(flatten)]
    keys: KeyArgs,
}

pub(super) fn run(args: &Args, format: Format, now: At) -> Result<u8> {
    must_be_new(&args.out)?;
    let gathered = Gathered::read(&args.files, now)?;
    let tree = first_catalog(&gathered, args, now)?;
    let root = tree.get("metadata/1.root.json").unwrap_or_default().to_vec();
    let sha256 = Digest::of(&root);
    judge(tree.clone(), &Floors::new(root), now)?;
    write_catalog(&args.out, &tree)?;
    let text = format!(
        "✔ the first catalog is in {0}\n  the root that data planes pin: {0}/metadata/1.root.json, {sha256}\n  \
         next: send that root to everybody, who checks it (`publisher key ceremony status FILE... --root \
         1.root.json`); then `publisher catalog init {0}`",
        args.out.display()
    );
    let unsigned = without_signature(&gathered);
    output::print(format, &json!({ "folder": args.out, "root": sha256, "notSigned": unsigned }), &text)?;
    Ok(exit::DONE)
}

fn first_catalog(gathered: &Gathered, args: &Args, now: At) -> Result<CatalogTree> {
    let draft = gathered.draft()?;
    let signatures = gathered.by_role()?;
    for role in Role::PEOPLE {
        let (found, needed) = (
            signatures.get(&role).map_or(0, |of| of.len()),
            gathered.start.plan.roles.get(&role).map_or(1, |it| it.threshold),
        );
        if found < needed {
            return Err(Failure::new(
                "PersonMissing",
                format!("`{role}` has {found} of {needed} signatures"),
            )
            .cause(format!("not signed by {}", quoted(&without_signature(gathered))))
            .hint("they run `publisher key ceremony sign` and send its file"));
        }
    }
    let mut tree = assemble(&draft, &signatures)?;
    let keys = args.keys.unlock()?;
    Online::pick(&tree, &keys)?.sign(&mut tree, now)?;
    Ok(tree)
}

/// Who has something to sign and didn't.
pub(super) fn without_signature(gathered: &Gathered) -> Vec<Person> {
    let people = Role::PEOPLE.iter().filter_map(|role| gathered.start.plan.roles.get(role));
    let mut all: Vec<_> = people.flat_map(|seating| seating.holders.iter().cloned()).collect();
    all.sort();
    all.dedup();
    all.retain(|person| !gathered.signatures.contains_key(person));
    all
}
