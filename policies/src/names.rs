//! The names that appear in every document, each a type of its own.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::printable::printable;

/// A text that breaks the rule for names.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not a valid {what}: use 1-63 lower-case letters, digits, `-` or `.`, starting and ending with a letter or digit"
)]
pub struct BadName {
    what: &'static str,
    text: String,
}

fn check<'a>(what: &'static str, text: &'a str) -> Result<&'a str, BadName> {
    let edge = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    let plain = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-' || *b == b'.';
    if bytes.len() <= 63 && edge(bytes.first()) && edge(bytes.last()) && bytes.iter().all(plain) {
        return Ok(text);
    }
    Err(BadName { what, text: printable(&text.chars().take(80).collect::<String>()) })
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schemars(with = "String")]
        pub struct $type(Arc<str>);

        impl $type {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $type {
            type Err = BadName;
            fn from_str(text: &str) -> Result<Self, BadName> {
                check($what, text).map(|text| Self(text.into()))
            }
        }

        impl TryFrom<String> for $type {
            type Error = BadName;
            fn try_from(text: String) -> Result<Self, BadName> {
                text.parse()
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> Self {
                name.0.as_ref().to_owned()
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name!(
    /// A customer of WSO2.
    Organization,
    "organization"
);
name!(
    /// One data plane within an organization.
    DataPlaneName,
    "data plane"
);
name!(
    /// One thing that WSO2 installs in a PDP.
    ComponentName,
    "component"
);
name!(
    /// A release line, such as `pdp-2026`; levels are ordered within it.
    Line,
    "line"
);
name!(
    /// An ordered group of organizations, such as `canary`.
    Ring,
    "ring"
);
name!(
    /// Whoever holds keys of the vendor: a person, or a machine that signs by itself.
    Person,
    "person"
);
name!(
    /// A Kubernetes namespace, or the name of a Helm release.
    KubernetesName,
    "Kubernetes name"
);

impl Ring {
    /// The ring of a PDP that doesn't know its own yet: no plan has it, so nothing is open to it.
    pub fn unknown() -> Self {
        // Not a name that anybody could write.
        Self("?".into())
    }
}

/// A data plane as the whole world knows it: `<organization>/<data plane>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PdpId {
    /// The customer.
    pub organization: Organization,
    /// The data plane within it.
    pub data_plane: DataPlaneName,
}

impl fmt::Display for PdpId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.organization, self.data_plane)
    }
}

/// The update level: an integer that only rises within a line. Releases are ordered by it, never by version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Level(pub u32);

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl FromStr for Level {
    type Err = std::num::ParseIntError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// Where a PDP runs; a component may be meant for some of them only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Platform {
    /// Azure Kubernetes Service.
    Azure,
    /// Amazon EKS.
    Aws,
    /// Google GKE.
    Gcp,
    /// The customer's own machines.
    OnPrem,
}

/// A text that is no platform.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is one of: azure, aws, gcp, on-prem")]
pub struct BadPlatform;

impl FromStr for Platform {
    type Err = BadPlatform;
    fn from_str(text: &str) -> Result<Self, BadPlatform> {
        let all = [Self::Azure, Self::Aws, Self::Gcp, Self::OnPrem];
        all.into_iter().find(|it| it.to_string() == text).ok_or(BadPlatform)
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Azure => "azure",
            Self::Aws => "aws",
            Self::Gcp => "gcp",
            Self::OnPrem => "on-prem",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_and_short() {
        for good in ["a", "pdp-2026", "pdp-2026.11", &"a".repeat(63)] {
            assert!(good.parse::<Line>().is_ok(), "{good}");
        }
        for bad in ["", "-a", "a-", "A", "a/b", "a b", "ä", "..", &"a".repeat(64)] {
            assert!(bad.parse::<Line>().is_err(), "{bad}");
        }
    }
}
