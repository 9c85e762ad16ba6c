//! Which data planes can be judged: those that run a level of the catalog, as it was published.

use std::fmt;

use pdp_policies::release::Release;
use pdp_policies::{Digest, Level};
use pdp_transport::channel_server::DataPlaneView;
use serde::{Serialize, Serializer};

/// A data plane that can't be judged.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NotJudged {
    /// `organization/data plane`.
    pub(crate) data_plane: String,
    pub(crate) reason: Reason,
}

/// Why it can't be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Reason {
    NoReport,
    Unknown(Level),
    OtherContent(Level),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoReport => f.write_str("it hasn't reported a level"),
            Self::Unknown(level) => {
                write!(f, "it reports level {level}, which the catalog doesn't have in this line")
            }
            Self::OtherContent(level) => {
                write!(f, "it reports level {level} with another content than the catalog has in this line")
            }
        }
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The level that it runs, if that is one of these.
pub(super) fn level(releases: &[(Release, Digest)], plane: &DataPlaneView) -> Result<Level, Reason> {
    let current = plane.current.ok_or(Reason::NoReport)?;
    let found = releases.iter().find(|(release, _)| release.level == current.level);
    match found {
        None => Err(Reason::Unknown(current.level)),
        Some((_, digest)) if *digest != current.sha256 => Err(Reason::OtherContent(current.level)),
        Some(_) => Ok(current.level),
    }
}
