//! What stays in the cluster when a component goes, or goes back.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::decision::DecisionRecord;
use crate::names::ComponentName;
use crate::printable::printable;
use crate::release::OnFailure;
use crate::turn::Turn;

/// Kinds that Flux writes before all others, and of which Helm takes none away.
const KINDS: [&str; 2] = ["CustomResourceDefinition", "Namespace"];
/// Of a Kubernetes name (RFC 1123 subdomain).
const MAX_NAME: usize = 253;

/// An object that nobody takes away with its component, as `Kind/name`: a Namespace, or a definition of kinds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Outlives(Arc<str>);

/// A text that names no such object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither `CustomResourceDefinition/<name>` nor `Namespace/<name>`")]
pub struct BadOutlives(String);

impl Outlives {
    /// The object that a manifest makes, if it is one of those.
    pub fn of(manifest: &Value) -> Option<Self> {
        let (kind, name) = (manifest["kind"].as_str()?, manifest["metadata"]["name"].as_str()?);
        format!("{kind}/{name}").parse().ok()
    }
}

impl FromStr for Outlives {
    type Err = BadOutlives;
    fn from_str(text: &str) -> Result<Self, BadOutlives> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
        let good = text.split_once('/').is_some_and(|(kind, name)| {
            KINDS.contains(&kind) && (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(plain)
        });
        if good {
            Ok(Self(text.into()))
        } else {
            Err(BadOutlives(printable(&text.chars().take(80).collect::<String>())))
        }
    }
}

impl TryFrom<String> for Outlives {
    type Error = BadOutlives;
    fn try_from(text: String) -> Result<Self, BadOutlives> {
        text.parse()
    }
}

impl From<Outlives> for String {
    fn from(object: Outlives) -> Self {
        object.0.as_ref().to_owned()
    }
}

impl fmt::Display for Outlives {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a level that went back may have left in the cluster: what its components brought, up to the one that failed, and
/// no component of the last good level has. Nobody looks whether it is there.
pub fn left_behind(record: &DecisionRecord) -> Vec<(&ComponentName, &Outlives)> {
    let (Some(failed), Some(good)) = (record.phase().failed(), record.last_good()) else { return vec![] };
    let inputs = record.inputs();
    let components = record.target().components_for(inputs.platform, &inputs.left_out);
    let Some(end) = components.iter().find(|it| it.name == *failed).map(|it| Turn::of(it)) else {
        return vec![];
    };
    let known: Vec<_> = good.components.iter().flat_map(|it| &it.outlives).collect();
    let back =
        components.into_iter().filter(|it| it.on_failure == OnFailure::Rollback && Turn::of(it) <= end);
    let brought = back.flat_map(|it| it.outlives.iter().map(|object| (&it.name, object)));
    brought.filter(|(_, object)| !known.contains(object)).collect()
}

/// The rest of a sentence about a level that went back.
pub fn words(left: &[Outlives]) -> String {
    match left {
        [] => String::new(),
        [one] => format!("; it may have left {one} behind"),
        [one, others @ ..] => format!("; it may have left {one} and {} more behind", others.len()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn only_namespaces_and_definitions_outlive_a_component() {
        for (kind, name, found) in [
            ("Namespace", "apps", true),
            ("CustomResourceDefinition", "certificates.cert-manager.io", true),
            ("ConfigMap", "apps", false),
            ("Namespace", "", false),
            ("Namespace", "a b", false),
            ("Namespace", "a/b", false),
            ("Namespace", "a\u{1b}[0m", false),
        ] {
            let manifest = json!({ "kind": kind, "metadata": { "name": name } });
            let object = Outlives::of(&manifest);
            assert_eq!(object.is_some(), found, "{kind}/{name}");
            assert!(object.is_none_or(|it| it.to_string() == format!("{kind}/{name}")));
        }
        assert_eq!(Outlives::of(&json!({ "kind": "Namespace" })), None);
        assert!(format!("Namespace/{}", "a".repeat(254)).parse::<Outlives>().is_err());
        assert!(!"Namespace/\u{1b}[0m".parse::<Outlives>().unwrap_err().to_string().contains('\u{1b}'));
    }
}
