//! `publisher release lint`.

use std::path::PathBuf;

use pdp_transport::cli::exit;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::{self, Format};

use crate::lint::{self, Finding};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The release.yaml.
    file: PathBuf,
    /// The release.yaml of the base level (default: `../<base>/release.yaml`).
    #[arg(long, value_name = "FILE")]
    base_release: Option<PathBuf>,
    #[command(flatten)]
    fetch: super::fetch::FetchArgs,
}

pub(crate) async fn run(args: &Args, format: Format) -> Result<u8> {
    let findings = match lint::lint(&args.file, args.base_release.as_deref(), &args.fetch.open()).await? {
        Ok(linted) => {
            let images = linted.file.components.iter().map(|c| c.images.len()).sum::<usize>();
            let text = format!(
                "✔ level {}: {} components, {images} images, all by digest{}",
                linted.file.level,
                linted.file.components.len(),
                if linted.rendered { ", as rendered" } else { "" }
            );
            output::print(format, &Vec::<Finding>::new(), &text)?;
            return Ok(exit::DONE);
        }
        Err(findings) => findings,
    };
    report(&findings, format)?;
    Ok(exit::NEGATIVE)
}

/// Prints findings; inside GitHub Actions also as annotations.
pub(super) fn report(findings: &[Finding], format: Format) -> Result<()> {
    if std::env::var_os("GITHUB_ACTIONS").is_some() {
        for finding in findings {
            output::say(&format!(
                "::error file={},title={}::{}",
                finding.file, finding.code, finding.message
            ));
        }
    }
    let mut lines: Vec<_> = findings.iter().map(ToString::to_string).collect();
    lines.push(format!("✗ {} to fix", findings.len()));
    output::print(format, &findings, &lines.join("\n"))
}
