//! Where `release.yaml` says that a chart is.

use std::fmt;

use pdp_policies::Digest;
use pdp_transport::oci::Repository;

use super::trouble::Trouble;
use crate::release_file::ChartSource;

/// One of the three places.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Origin {
    /// A folder or a `.tgz`, relative to the file.
    Path(String),
    /// A registry; the digest is the manifest's.
    Registry { repository: Repository, digest: Option<Digest> },
    /// A chart repository over HTTP; the digest is the packed chart's.
    Repository { url: String, name: String, digest: Option<Digest> },
}

impl Origin {
    /// # Errors
    /// `OneChartSource`, `BadReference`.
    pub(crate) fn of(source: &ChartSource) -> Result<Self, Trouble> {
        let digest = source.digest;
        match (&source.path, &source.oci, &source.repository) {
            (Some(path), None, None) if digest.is_none() => Ok(Self::Path(path.clone())),
            (None, Some(oci), None) => Ok(Self::Registry { repository: repository(oci)?, digest }),
            (None, None, Some(url)) => {
                Ok(Self::Repository { url: url.clone(), name: source.name.clone(), digest })
            }
            _ => Err(Trouble::new(
                "chart",
                "OneChartSource",
                "a chart is at one place",
                "give exactly one of path, oci and repository; a digest goes with the last two",
            )),
        }
    }
}

impl Origin {
    /// The same place with this digest.
    pub(super) fn pinned(&self, digest: Digest) -> Self {
        match self.clone() {
            Self::Path(path) => Self::Path(path),
            Self::Registry { repository, .. } => Self::Registry { repository, digest: Some(digest) },
            Self::Repository { url, name, .. } => Self::Repository { url, name, digest: Some(digest) },
        }
    }

    /// The path, if it isn't fetched.
    pub(crate) fn path(&self) -> Option<&str> {
        match self {
            Self::Path(path) => Some(path),
            Self::Registry { .. } | Self::Repository { .. } => None,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => f.write_str(path),
            Self::Registry { repository, .. } => write!(f, "oci://{repository}"),
            Self::Repository { url, name, .. } => write!(f, "{}/{name}", url.trim_end_matches('/')),
        }
    }
}

fn repository(oci: &str) -> Result<Repository, Trouble> {
    let bad = |cause: &str| {
        Trouble::new(
            "chart",
            "BadReference",
            format!("`{oci}`: {cause}"),
            "write such as oci://ghcr.io/owner/chart",
        )
    };
    let rest = oci.strip_prefix("oci://").ok_or_else(|| bad("it doesn't begin with oci://"))?;
    rest.parse().map_err(|error: pdp_transport::Error| bad(&error.cause))
}
