//! Disclosures that somebody has at hand, put beside what levels say.

use std::path::PathBuf;

use pdp_policies::disclosure::{Disclosure, MAX_DISCLOSURE_BYTES};
use pdp_policies::release::Advisory;
use pdp_policies::{Digest, Release, printable};
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::files;

/// `--advisories`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct AdvisoriesArgs {
    /// What advisories are about that were under embargo when their level was signed, as `release disclose` wrote it.
    #[arg(long = "advisories", value_name = "FILE")]
    files: Vec<PathBuf>,
}

impl AdvisoriesArgs {
    /// # Errors
    /// `NotFound`, `TooLarge`, `Io`, and all of [`Disclosure::read`].
    pub(crate) fn read(&self) -> Result<Vec<Disclosure>> {
        self.files.iter().map(one).collect()
    }
}

fn one(path: &PathBuf) -> Result<Disclosure> {
    let bytes = files::read_capped(path, MAX_DISCLOSURE_BYTES)?;
    let missing = || Failure::new("NotFound", format!("no file {}", path.display()));
    let bytes = bytes.ok_or_else(|| missing().hint("`publisher release disclose` writes one"))?;
    Ok(Disclosure::read(&path.display().to_string(), &bytes)?)
}

/// Fills in what was under embargo. Each disclosure has to be of one of the levels, and to agree with what that signed.
///
/// # Errors
/// `DisclosureDiffers`.
pub(crate) fn tell(told: &[Disclosure], levels: &mut [(Release, Digest)]) -> Result<()> {
    for one in told {
        let found = levels
            .iter_mut()
            .find(|(it, digest)| (&it.line, it.level, *digest) == (&one.line, one.level, one.sha256));
        let (release, _) = found.ok_or_else(|| {
            let what =
                format!("the advisories are those of another release {} level {}", one.line, one.level);
            Failure::new("DisclosureDiffers", what).hint("give the file that was written for this level")
        })?;
        fill(one, &mut release.advisories)?;
    }
    Ok(())
}

fn fill(told: &Disclosure, signed: &mut [Advisory]) -> Result<()> {
    for one in &told.advisories {
        let it = signed.iter_mut().find(|it| told.of(it).is_some_and(|found| found == &one.advisory));
        let it = it.ok_or_else(|| {
            let id = printable(&one.advisory.id);
            let what = format!("level {} didn't sign what the file says of `{id}`", told.level);
            Failure::new("DisclosureDiffers", what).hint("get the file anew from whoever published it")
        })?;
        *it = one.advisory.clone();
    }
    Ok(())
}
