//! `publisher key ceremony join`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use pdp_policies::{At, Person};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::cli::output::{self, Format};
use serde_json::json;

use super::must_be_new;
use crate::ceremony::{Gathered, Join, Seat, Step};
use crate::keys::{PasswordArgs, SigningKey};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file of `key ceremony start`.
    #[arg(value_name = "FILE")]
    start: PathBuf,
    /// Who joins, as the plan names them.
    #[arg(long = "as", value_name = "NAME")]
    person: Person,
    /// The folder to make the private keys in; must not exist, and stays with this person.
    #[arg(long, value_name = "DIR")]
    keys: PathBuf,
    /// The file to write; must not exist. It goes to everybody.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    password: PasswordArgs,
}

pub(super) fn run(args: &Args, format: Format, now: At) -> Result<u8> {
    let gathered = Gathered::read(std::slice::from_ref(&args.start), now)?;
    let seats = gathered.seats_of(&args.person)?;
    must_be_new(&args.keys)?;
    must_be_new(&args.out)?;
    let password = args.password.read()?;
    let mut keys = BTreeMap::new();
    for seat in seats {
        let file = key_file(&args.keys, &args.person, seat);
        let key = match seat {
            Seat::Director => SigningKey::generate_ed25519(file)?,
            Seat::Role(_) | Seat::Artifact => SigningKey::generate(file)?,
        };
        keys.insert(seat, key);
    }
    let join = Join::made(gathered.ceremony, args.person.clone(), &keys)?;
    let digest = join.digest()?;
    let io = |e: std::io::Error| Failure::new("Io", format!("make {}", args.keys.display())).cause(e);
    std::fs::create_dir_all(&args.keys).map_err(io)?;
    keys.values().try_for_each(|key| key.write(&password))?;
    Step::Join(join).write(&args.out)?;
    let text = format!(
        "✔ `{}` has {} key(s) in {}\n  public halves: {digest}\n  next: send {} to everybody; tell them that digest by \
         telephone",
        args.person,
        keys.len(),
        args.keys.display(),
        args.out.display()
    );
    output::print(format, &json!({ "person": args.person, "publicHalves": digest }), &text)?;
    Ok(exit::DONE)
}

/// Where a person's key for something lies.
pub(super) fn key_file(folder: &Path, person: &Person, seat: Seat) -> PathBuf {
    folder.join(format!("{person}-{seat}.key"))
}
