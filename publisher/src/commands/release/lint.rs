//! `publisher release lint`.

use std::path::{Path, PathBuf};

use pdp_policies::At;
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Result, internal};
use pdp_transport::cli::output::{self, Format};
use pdp_transport::files::write_atomic;

use crate::lint::{self, Ci, Finding, Linted};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The release.yaml.
    file: PathBuf,
    /// The release.yaml of the base level (default: `../<base>/release.yaml`).
    #[arg(long, value_name = "FILE")]
    base_release: Option<PathBuf>,
    /// Also writes the findings as SARIF 2.1.0, for code scanning.
    #[arg(long, value_name = "FILE")]
    sarif: Option<PathBuf>,
    /// Also writes the findings as JUnit XML: each is a test that failed.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    #[command(flatten)]
    fetch: super::fetch::FetchArgs,
}

pub(crate) async fn run(args: &Args, format: Format, now: At) -> Result<u8> {
    let found = lint::lint(&args.file, args.base_release.as_deref(), &args.fetch.open(), now).await?;
    let findings = found.as_ref().err().map(Vec::as_slice).unwrap_or_default();
    write(args, findings)?;
    match &found {
        Ok(linted) => {
            notes(linted);
            output::print(format, &Vec::<Finding>::new(), &good(linted))?;
            Ok(exit::DONE)
        }
        Err(findings) => {
            report(findings, format)?;
            Ok(exit::NEGATIVE)
        }
    }
}

fn write(args: &Args, findings: &[Finding]) -> Result<()> {
    if let Some(path) = &args.sarif {
        let text = serde_json::to_string_pretty(&lint::sarif(findings)).map_err(internal)?;
        write_text(path, &format!("{text}\n"))?;
    }
    if let Some(path) = &args.junit {
        write_text(path, &lint::junit(&args.file.display().to_string(), findings))?;
    }
    Ok(())
}

fn write_text(path: &Path, text: &str) -> Result<()> {
    Ok(write_atomic(path, text.as_bytes())?)
}

fn good(linted: &Linted) -> String {
    let images = linted.file.components.iter().map(|c| c.images.len()).sum::<usize>();
    format!(
        "✔ level {}: {} components, {images} images, all by digest{}",
        linted.file.level,
        linted.file.components.len(),
        if linted.rendered { ", as rendered" } else { "" }
    )
}

/// Says what is good and may be worth a look.
pub(super) fn notes(linted: &Linted) {
    linted.notes.iter().for_each(|note| output::say(&note.note()));
}

/// Prints findings; inside GitHub Actions and Azure Pipelines also as annotations.
pub(super) fn report(findings: &[Finding], format: Format) -> Result<()> {
    if let Some(ci) = Ci::here() {
        findings.iter().for_each(|finding| output::annotate(&lint::annotation(ci, finding)));
    }
    let mut lines: Vec<_> = findings.iter().map(ToString::to_string).collect();
    lines.push(format!("✗ {} to fix", findings.len()));
    output::print(format, &findings, &lines.join("\n"))
}
