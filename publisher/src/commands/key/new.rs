//! `publisher key new`: one more key, made where its holder is.

use std::path::PathBuf;

use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::cli::output::{self, Format};
use serde_json::json;

use crate::keys::{PasswordArgs, SigningKey};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The private key file to write, such as `alice.key`; must not exist. The public half lies beside it (`.pub`).
    #[arg(value_name = "FILE")]
    out: PathBuf,
    /// An Ed25519 key, as directors need it. All others are ECDSA P-256.
    #[arg(long)]
    ed25519: bool,
    #[command(flatten)]
    password: PasswordArgs,
}

pub(crate) fn run(args: &Args, format: Format) -> Result<u8> {
    let public = args.out.with_extension("pub");
    if public == args.out {
        return Err(Failure::new(
            "BadArguments",
            format!("{} is the name of a public half", args.out.display()),
        )
        .hint("name the private half, such as alice.key"));
    }
    if let Some(there) = [&args.out, &public].into_iter().find(|path| path.exists()) {
        return Err(Failure::new("Exists", format!("{} exists already", there.display()))
            .hint("keys are never overwritten: name a new file"));
    }
    let password = args.password.read()?;
    let key = match args.ed25519 {
        true => SigningKey::generate_ed25519(args.out.clone())?,
        false => SigningKey::generate(args.out.clone())?,
    };
    key.write(&password)?;
    let text = format!(
        "✔ {} and its public half {}\n  id: {}\n  next: send the public half to whoever proposes it, and tell them the id by \
         telephone",
        args.out.display(),
        public.display(),
        key.id
    );
    output::print(format, &json!({ "file": args.out, "public": public, "id": key.id }), &text)?;
    Ok(exit::DONE)
}
