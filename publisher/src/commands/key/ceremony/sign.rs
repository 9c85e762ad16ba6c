//! `publisher key ceremony sign`.

use std::collections::BTreeMap;
use std::io::{IsTerminal, stdin};
use std::path::PathBuf;

use pdp_policies::trust::{Role, metadata};
use pdp_policies::{At, Digest, Person};
use pdp_transport::cli::confirm::confirm;
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Failure, Result, internal};
use pdp_transport::cli::output::{self, Format, say};
use serde_json::json;

use super::join::key_file;
use super::must_be_new;
use super::status::who_holds_what;
use crate::ceremony::{Draft, Gathered, Seat, Signatures, Step};
use crate::keys::{PasswordArgs, SigningKey};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The files of `start` and of everybody's `join`.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Who signs, as the plan names them.
    #[arg(long = "as", value_name = "NAME")]
    person: Person,
    /// The folder of this person's private keys.
    #[arg(long, value_name = "DIR")]
    keys: PathBuf,
    /// The file to write; must not exist. It goes to whoever finishes the ceremony.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Sign without being asked, at a terminal where it was shown.
    #[arg(long)]
    yes: bool,
    /// Sign only what has this digest, as `key ceremony status` prints it. Without a terminal it is needed.
    #[arg(long, value_name = "DIGEST")]
    expect: Option<Digest>,
    #[command(flatten)]
    password: PasswordArgs,
}

pub(super) fn run(args: &Args, format: Format, now: At) -> Result<u8> {
    let gathered = Gathered::read(&args.files, now)?;
    let draft = gathered.draft()?;
    let digest = draft.digest()?;
    must_be_new(&args.out)?;
    say(&who_holds_what(&gathered)?);
    say(&format!("all of it: {digest}"));
    agreed(args, &digest)?;
    let signatures = signatures(args, &gathered, &draft)?;
    let roles: Vec<_> = signatures.keys().map(|role| role.name()).collect();
    let signed = Signatures {
        ceremony: gathered.ceremony,
        draft: digest,
        person: args.person.clone(),
        signatures: signatures.clone(),
    };
    Step::Sign(signed).write(&args.out)?;
    let text = format!(
        "✔ `{}` signed {}\n  next: send {} to whoever finishes the ceremony",
        args.person,
        roles.join(", "),
        args.out.display()
    );
    output::print(format, &json!({ "person": args.person, "draft": digest, "roles": roles }), &text)?;
    Ok(exit::DONE)
}

/// A person compared what is shown with the others, and says so.
fn agreed(args: &Args, digest: &Digest) -> Result<()> {
    match &args.expect {
        Some(expected) if expected == digest => Ok(()),
        Some(expected) => Err(Failure::new(
            "DraftDiffers",
            format!("these files make {digest}, not {expected}"),
        )
        .cause("nothing was signed")
        .hint("somebody has other files, or another version of this program: compare `key ceremony status`")),
        None if stdin().is_terminal() => confirm("sign it", &digest.short(), args.yes),
        None => Err(Failure::new("NotConfirmed", "nothing was signed")
            .cause("nobody can be asked: stdin is no terminal")
            .hint("compare the digest with the others, then name it with --expect DIGEST")),
    }
}

/// By role; the keys must be the ones that this person joined with.
fn signatures(args: &Args, gathered: &Gathered, draft: &Draft) -> Result<BTreeMap<Role, String>> {
    let password = args.password.read()?;
    let joined = gathered.joins.get(&args.person).map(|join| &join.keys);
    let mut signatures = BTreeMap::new();
    for seat in gathered.seats_of(&args.person)? {
        let Seat::Role(role) = seat else { continue };
        let Some(payload) = draft.payloads.get(&role) else { continue };
        let key = SigningKey::read(&key_file(&args.keys, &args.person, seat), &password)?;
        let public = joined.and_then(|keys| keys.get(&seat)).map(|key| key.0.as_str());
        if public != Some(key.public_pem.as_str()) {
            return Err(Failure::new("KeyWithoutRole", format!("{} isn't the key that joined", key.file.display()))
                .hint("nothing was signed: use the folder of `key ceremony join`; if it wasn't you who joined, tell everybody"));
        }
        let bytes = metadata::signing_bytes(payload).map_err(internal)?;
        signatures.insert(role, hex::encode(key.sign(&bytes)?));
    }
    match signatures.is_empty() {
        false => Ok(signatures),
        true => Err(Failure::new(
            "NothingToSign",
            format!("`{}` holds no role that people sign now", args.person),
        )
        .hint("they are done; snapshot and timestamp are signed by `key ceremony finish`")),
    }
}
