//! Disclosures that somebody has at hand, put beside what levels say.

use std::path::{Path, PathBuf};

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
        self.files.iter().map(|path| one(path)).collect()
    }
}

fn one(path: &Path) -> Result<Disclosure> {
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::{Value, json};

    use super::*;

    fn advisory(id: &str, more: &Value) -> Value {
        let mut value = json!({
            "id": id, "severity": "critical", "knownExploited": false, "confirmedAt": "2026-11-20T08:00:00Z",
            "publishedAt": "2026-11-22T08:00:00Z", "embargoedUntil": "2026-12-20T08:00:00Z", "components": ["agent"],
        });
        more.as_object().unwrap().iter().for_each(|(key, it)| value[key] = it.clone());
        value
    }

    fn level(level: u32, ids: &[&str]) -> (Release, Digest) {
        let digest = Digest::of(&level.to_be_bytes());
        let value = json!({
            "apiVersion": "updates.pdp.wso2.com/v1", "line": "pdp-2026", "level": level, "version": "1", "kind": "security",
            "components": [], "bundle": { "repository": "r.example/a", "digest": digest, "size": 1 },
            "advisories": ids.iter().map(|id| advisory(id, &json!({}))).collect::<Vec<_>>(),
        });
        (serde_json::from_value(value).unwrap(), digest)
    }

    fn disclosure(level: u32, sha256: &[u8], advisories: &[Value]) -> Disclosure {
        let value = json!({
            "apiVersion": "updates.pdp.wso2.com/v1", "line": "pdp-2026", "level": level, "sha256": Digest::of(sha256).hex(),
            "advisories": advisories,
        });
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn what_was_under_embargo_is_filled_in_at_its_level_alone() {
        let mut levels = [level(41, &["a", "b"]), level(42, &["a"])];
        let known = advisory("a", &json!({ "cves": ["CVE-2026-41123"], "introducedIn": 40 }));
        tell(&[disclosure(41, &41_u32.to_be_bytes(), &[known])], &mut levels).unwrap();
        let cves = |at: usize, one: usize| levels[at].0.advisories[one].cves.len();
        assert_eq!((cves(0, 0), cves(0, 1), cves(1, 0)), (1, 0, 0));
        assert_eq!(levels[0].0.advisories[0].introduced_in, Some(pdp_policies::Level(40)));
    }

    #[test]
    fn what_another_level_signed_or_none_is_refused() {
        let this = 41_u32.to_be_bytes();
        for (level_of, sha256, id, more) in [
            (42, &this[..], "a", json!({})),
            (41, b"other", "a", json!({})),
            (41, &this, "c", json!({})),
            (41, &this, "a", json!({ "severity": "low" })),
            (41, &this, "a", json!({ "knownExploited": true })),
            (41, &this, "a", json!({ "embargoedUntil": null })),
        ] {
            let mut levels = [level(41, &["a", "b"])];
            let told = disclosure(level_of, sha256, &[advisory(id, &more)]);
            assert_eq!(tell(&[told], &mut levels).unwrap_err().code, "DisclosureDiffers", "{id} {more}");
        }
    }
}
