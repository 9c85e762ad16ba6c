//! `publisher key show`: ids and public halves of key files.

use std::path::PathBuf;

use pdp_transport::cli::exit;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::{self, Format};
use serde_json::json;

use crate::keys::{key_file, public_key};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Public key files (`.pub`).
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

pub(crate) fn run(args: &Args, format: Format) -> Result<u8> {
    let mut shown = Vec::new();
    for path in &args.files {
        let bytes = key_file(path)?;
        let (id, key) = public_key(&path.display().to_string(), &bytes)?;
        let pem = String::from_utf8_lossy(&bytes);
        shown.push(json!({ "file": path, "id": id, "scheme": key["scheme"], "publicKey": pem }));
    }
    let lines: Vec<_> = shown
        .iter()
        .map(|k| {
            format!(
                "{}  {}  {}",
                k["id"].as_str().unwrap_or(""),
                k["scheme"].as_str().unwrap_or(""),
                k["file"].as_str().unwrap_or("")
            )
        })
        .collect();
    output::list(format, &shown, shown.iter().filter_map(|key| key["id"].as_str()), &lines.join("\n"))?;
    Ok(exit::DONE)
}
