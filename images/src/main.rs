//! `make images` calls it for each program: writes `<out>/<name>` and, if there is one, the chart with that digest in it.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Parser;
use pdp_images::{Program, with_digest, write};

/// Writes a program's container image as an OCI layout.
#[derive(Debug, Parser)]
struct Args {
    /// Name of the image.
    name: String,
    /// What it is for.
    #[arg(long)]
    description: String,
    /// The static program.
    #[arg(long)]
    binary: PathBuf,
    /// Its Helm chart.
    #[arg(long)]
    chart: Option<PathBuf>,
    /// The commit.
    #[arg(long, default_value = "")]
    revision: String,
    /// When, in Unix seconds.
    #[arg(long, env = "SOURCE_DATE_EPOCH", default_value = "0")]
    created: i64,
    /// Folder of all images.
    #[arg(long, default_value = "target/images")]
    out: PathBuf,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let binary = std::fs::read(&args.binary).with_context(|| format!("read {}", args.binary.display()))?;
    let program = Program {
        name: args.name.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        revision: args.revision,
        description: args.description,
        created: args.created,
        binary,
    };
    let digest = write(&program, &args.out.join(&args.name))?;
    if let Some(chart) = args.chart {
        with_digest(&chart, &args.out.join("charts").join(&args.name), &digest)?;
    }
    writeln!(std::io::stdout(), "{} {} {digest}", program.name, program.version)?;
    Ok(())
}
