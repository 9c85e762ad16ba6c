//! What a chart's makers have published, and the pin of one version of it.

use std::collections::BTreeMap;

use pdp_policies::Digest;
use semver::Version;

use super::origin::Origin;
use super::trouble::Trouble;
use super::{Fetch, MAX_SOURCE_BYTES, packed, registry, repository};
use crate::lint::Source;
use pdp_policies::version_range::version;

/// A version as its makers write it, by what Helm makes of it.
pub(crate) type Versions = BTreeMap<Version, String>;

/// A chart at one version.
#[derive(Debug)]
pub(crate) struct Pinned {
    /// What release.yaml has to say.
    pub(crate) digest: Digest,
    pub(crate) files: Source,
}

/// How far a chart may go ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Reach {
    /// Corrections alone: `1.4.2` to `1.4.7`.
    Patch,
    /// `1.4.2` to `1.9.0`.
    Minor,
    /// Whatever is newer.
    Any,
}

impl Fetch<'_> {
    /// All versions that there are; texts that Helm takes for none are left out.
    ///
    /// # Errors
    /// What fetching can end with; `NotFetched` for a chart beside the release.
    pub(crate) async fn versions(&self, origin: &Origin) -> Result<Versions, Trouble> {
        let all = match origin {
            Origin::Path(path) => return Err(not_fetched(path)),
            Origin::Registry { repository, .. } => registry::versions(&self.registry()?, repository).await?,
            Origin::Repository { url, name, .. } => repository::versions(&self.web()?, url, name).await?,
        };
        Ok(all.into_iter().filter_map(|text| Some((version(&text)?, text))).collect())
    }

    /// The chart that lies there under this version now.
    ///
    /// # Errors
    /// What fetching can end with; `NotFetched`.
    pub(crate) async fn pin(&self, origin: &Origin, version: &str) -> Result<Pinned, Trouble> {
        let (digest, packed) = match origin {
            Origin::Path(path) => return Err(not_fetched(path)),
            Origin::Registry { repository, .. } => {
                let digest = registry::pin(&self.registry()?, repository, version).await?;
                (digest, self.chart(&origin.pinned(digest), version).await?)
            }
            Origin::Repository { url, name, .. } => {
                let packed = repository::newly(&self.web()?, url, name, version).await?;
                (Digest::of(&packed), packed)
            }
        };
        Ok(Pinned { digest, files: packed::files(&packed, MAX_SOURCE_BYTES)? })
    }
}

/// The newest one that is newer than `from`, and within reach. One before a release counts if `from` is one.
pub(crate) fn newest<'a>(versions: &'a Versions, from: &Version, reach: Reach) -> Option<&'a str> {
    let within = |version: &Version| match reach {
        Reach::Patch => (version.major, version.minor) == (from.major, from.minor),
        Reach::Minor => version.major == from.major,
        Reach::Any => true,
    };
    let counts = |version: &Version| version.pre.is_empty() || !from.pre.is_empty();
    let mut newer = versions.iter().rev().filter(|(version, _)| *version > from);
    newer.find(|(version, _)| within(version) && counts(version)).map(|(_, text)| text.as_str())
}

fn not_fetched(path: &str) -> Trouble {
    let message = format!("the chart lies at {path}: nobody is asked for newer ones");
    let hint = "put the newer chart there, or name its source (`oci` or `repository`) in place of `path`";
    Trouble::new("chart", "NotFetched", message, hint)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_newest_within_reach_is_found() {
        let all = ["v1.19.4", "1.19.5", "1.19.10", "1.20.0", "2.0.0", "1.21.0-rc.1", "1.18.9", "2.1.0-alpha"];
        let all: Versions = all.map(|text| (version(text).unwrap(), text.to_owned())).into();
        for (from, reach, found) in [
            ("v1.19.4", Reach::Patch, Some("1.19.10")),
            ("v1.19.4", Reach::Minor, Some("1.20.0")),
            ("v1.19.4", Reach::Any, Some("2.0.0")),
            ("1.20.0", Reach::Patch, None),
            ("1.20.0", Reach::Minor, None),
            ("1.21.0-beta.1", Reach::Minor, Some("1.21.0-rc.1")),
            ("2.0.0", Reach::Any, None),
            ("3.0.0", Reach::Any, None),
        ] {
            assert_eq!(newest(&all, &version(from).unwrap(), reach), found, "{from} {reach:?}");
        }
    }
}
