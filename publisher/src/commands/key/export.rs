//! `publisher key export`: a private key without its password, for a machine's secret store.

use std::path::PathBuf;

use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::cli::output::{self, Format};
use pdp_transport::files;
use serde_json::json;

use crate::keys::{PasswordArgs, SigningKey};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The encrypted key file.
    #[arg(value_name = "FILE")]
    key: PathBuf,
    /// The file to write (PKCS#8 PEM); must not exist.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    password: PasswordArgs,
}

pub(crate) fn run(args: &Args, format: Format) -> Result<u8> {
    if args.out.exists() {
        return Err(Failure::new("Exists", format!("{} exists already", args.out.display()))
            .hint("keys are never overwritten: name a new file"));
    }
    let key = SigningKey::read(&args.key, &args.password.read()?)?;
    // Written by way of a temporary file with mode 0600, which renaming keeps.
    files::write_atomic(&args.out, key.plain()?.as_bytes())?;
    let text = format!(
        "✔ {} holds the key WITHOUT a password\n  next: put it where the channel server reads it, and delete it here",
        args.out.display()
    );
    output::print(format, &json!({ "file": args.out, "publicKey": key.public_pem }), &text)?;
    Ok(exit::DONE)
}
